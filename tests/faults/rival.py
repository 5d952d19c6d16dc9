"""A process of its own that works on one office: `race` (several people at once), `work` (until it is killed), `tell`
(make the notices that are due, and mail them), or `sequence` (give rows their place in the log, until it is killed).

Says one JSON line for each thing that was acknowledged, after its commit and not before.
"""
from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from engine import notify
from engine.bench import Office
from engine.commands import CompleteUserTask
from engine.handle import Request, handle
from engine.instance import Refused
from engine.mail import mailer
from engine.store import ledger


def say(**words) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def race(office: Office, threads: int) -> None:
    """For each line on standard input {instance, number, data, name}: `threads` people complete that task at once."""
    say(ready=True)
    for line in sys.stdin:
        asked = json.loads(line)
        barrier, told = threading.Barrier(threads), []

        def rival(n: int, asked: dict = asked, barrier: threading.Barrier = barrier, told: list = told) -> None:
            person = ("tim1", "tim2")[n % 2]
            request = Request(id=f"{asked['name']}-{n}", person=person, at=datetime.fromisoformat(asked["at"]),
                              act=CompleteUserTask(user_task=asked["number"], data=asked["data"]))
            barrier.wait()
            try:
                with office.database.begin() as db:
                    handle(db, office.rules, office.database.key, asked["instance"], [request])
                told.append("done")
            except Refused as refused:
                told.append(refused.code)
            except Exception as error:      # a rival must never crash: whatever it is fails the test by its name
                told.append(repr(error))
        people = [threading.Thread(target=rival, args=(n,)) for n in range(threads)]
        for one in people:
            one.start()
        for one in people:
            one.join()
        say(told=told)


def work(office: Office, id: str, name: str) -> None:
    """Steps 5, 6, 7 and back, for ever; each request acknowledged after its commit."""
    say(ready=True)
    number = 0

    def heard(request: Request) -> Request:
        nonlocal number
        number += 1
        return Request(**{**vars(request), "id": f"{name}-{number}", "at": datetime.now(UTC)})

    plain = office.request
    office.request = lambda who, act: heard(plain(who, act))    # ids of this life, so that no two lives share one

    def acknowledged(one) -> None:
        before = number
        one()
        say(acknowledged=f"{name}-{before}")
    while True:
        instance, _ = office.open(id)
        open_now = next(iter(instance.user_tasks.values()))
        office.round(id, acknowledged, at=open_now.element)


def tell(office: Office, port: int) -> None:
    """For each line on standard input {at}: make every notice that is due then, and mail what may go."""
    post = mailer(f"smtp://127.0.0.1:{port}", "", "https://alur.example")
    say(ready=True)
    for line in sys.stdin:
        at, told, sent = datetime.fromisoformat(json.loads(line)["at"]), 0, 0
        memory = notify.Memory()
        while made := notify.notify(office.database, office.rules, at, "https://alur.example", memory):
            told += made
        while went := notify.deliver(office.database, office.rules, post, at):
            sent += went
        say(told=told, sent=sent)


def sequence(office: Office) -> None:
    """Give rows their place in the log, a few in each transaction, for ever."""
    say(ready=True)
    while True:
        with office.database.begin() as db:
            done = ledger.sequence(db, office.database.key, 7)
        if done.rows:
            say(rows=done.rows)
        assert done.refused == ()


if __name__ == "__main__":
    what, url, bpmn, *rest = sys.argv[1:]
    office = Office.of(url, Path(bpmn))
    if what == "race":
        race(office, int(rest[0]))
    elif what == "tell":
        tell(office, int(rest[0]))
    elif what == "sequence":
        sequence(office)
    else:
        work(office, rest[0], rest[1])
