"""Whole journals, recorded once and replayed by every later release: a release that decides otherwise is seen.

`python -m tests.recorded NAME` records today's journals into `tests/data/recorded/NAME.json.gz`, once: a recording is
never written again. A release with new acts adds a recording of its own beside the older ones. Each story below is run
through `decide` and each Step written by `handle.append`, as a running office writes it; salts, ids and times are told,
so the same code records the same bytes.

The file: {"engine", "definitions": {SHA-256: BPMN}, "calendars": {SHA-256: body}, "instances": [{"name", "id",
"rows": [[body, hash, mac]], "values": [[sequence, path, salt, value]], "marking": hash, "status"}]}; hex where bytes.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import Connection, insert, select

from engine import diagram, handle, process, story
from engine.calendars import Calendar, five_days, six_days
from engine.commands import (
    AddComment,
    CancelProcessInstance,
    ClaimUserTask,
    Correct,
    MigrateProcessInstance,
    ReassignUserTask,
    ReleaseUserTask,
    ResumeProcessInstance,
    SuspendProcessInstance,
    UndoMigration,
)
from engine.execution import ENGINE
from engine.instance import ProcessInstance, Step
from engine.rules import Rules
from engine.store.database import Database, migrate, open_database
from engine.store.schema import journal, journal_value
from tests.story import (
    ADMINISTRATOR,
    CAMAT,
    LKJPD,
    SEKCAM,
    STORIES,
    TIM1,
    Case,
    definition,
    lkjpd_before,
    rules,
    variant,
)

FOLDER = Path(__file__).parent / "data" / "recorded"
KEY = b"k" * 32
# What each shows: returns, late steps with reminders, Plh., owed pages, another office, a waiver, work on paper, an
# extension, a suspension, a change of calendar.
RECORDED = ("02", "04", "05", "07", "08", "09", "10", "11", "15", "16")


def cases() -> Iterator[tuple[str, Case]]:
    """(name, case) of everything that is recorded."""
    for path in STORIES:
        if path.stem[:2] in RECORDED:
            told = story.run(path.read_text(), rules(), definition().sha256)
            yield path.stem, Case(rules(), definition(), told.instance, told.steps)
    yield "migrated_undone_corrected_cancelled", administered()


def administered() -> Case:
    """An LKjPD that was brought to another version, back, and there again, repaired, commented and cancelled."""
    new = variant(LKJPD, ('name="Memeriksa dan memaraf"', 'name="Memeriksa, memaraf, dan mencatat"'))
    case = lkjpd_before(6, "02_dikembalikan_satu_kali.txt", 2).knowing(new)
    there = MigrateProcessInstance(to=new.sha256, reason="Versi baru disahkan")
    case = case.when(there, ADMINISTRATOR).when(UndoMigration(reason="Keliru"), ADMINISTRATOR)
    case = case.when(there, ADMINISTRATOR).when(AddComment(text="Mohon diperiksa."), TIM1)
    case = case.when(SuspendProcessInstance(reason="Menunggu surat"), CAMAT)
    case = case.when(ResumeProcessInstance(), CAMAT)
    number = next(iter(case.instance.user_tasks))
    case = case.when(ClaimUserTask(user_task=number), SEKCAM)
    case = case.when(ReleaseUserTask(user_task=number), SEKCAM)
    case = case.when(ReassignUserTask(user_task=number, person="sekcam", reason="Mendesak"), ADMINISTRATOR)
    case = case.when(Correct(reason="Salah ketik", data={"nomor_lhr": "700/99"}), ADMINISTRATOR)
    return replace(case.when(CancelProcessInstance(reason="Diulang tahun depan"), CAMAT), definition=new)


# Writing


def record(name: str) -> Path:
    """Record everything into a new file. Raises FileExistsError: what was recorded is never recorded again."""
    definitions: dict[str, str] = {}
    instances = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (title, case) in enumerate(cases(), 1):
            for sha in {case.definition.sha256, *ran(case)}:
                definitions[sha] = source(sha)
            instances.append(written(Path(folder) / f"{number}.db", f"rekaman-{number:02}", title, case))
    calendars = {one.sha256: one.body.decode() for one in (five_days(), six_days())}
    shape = {"engine": ENGINE, "definitions": definitions, "calendars": calendars, "instances": instances}
    file = FOLDER / f"{name}.json.gz"
    data = gzip.compress(json.dumps(shape, ensure_ascii=False, sort_keys=True).encode(), mtime=0)
    with file.open("xb") as out:
        out.write(data)
    return file


def ran(case: Case) -> Iterator[str]:
    for step in case.steps:
        found = getattr(step.command.act, "definition", None) or getattr(step.command.act, "to", None)
        if isinstance(found, str):
            yield found


def source(sha: str) -> str:
    for text in (LKJPD.read_text(), LKJPD.read_text().replace('name="Memeriksa dan memaraf"',
                                                              'name="Memeriksa, memaraf, dan mencatat"')):
        if sha256(text.encode()).hexdigest() == sha:
            return text
    raise LookupError(sha)


def written(file: Path, id: str, title: str, case: Case) -> dict[str, Any]:
    """One instance as its journal keeps it."""
    grain = count(1)
    database = open_database(f"sqlite:///{file}", KEY)
    migrate(database)
    with database.begin() as db, mock.patch("engine.store.journal.os.urandom",
                                            lambda size: next(grain).to_bytes(size, "big")):
        instance, head = ProcessInstance(id=id), None
        for step in again(case, id):
            instance = process.evolve(instance, step)
            head = handle.append(db, KEY, instance, step, head)
        rows = [[bytes(row.body).decode(), bytes(row.hash).hex(), bytes(row.mac).hex()]
                for row in db.execute(select(journal).order_by(journal.c.sequence))]
        values = [[row.sequence, row.path, bytes(row.salt).hex(), bytes(row.value).decode()]
                  for row in db.execute(select(journal_value).order_by(journal_value.c.sequence,
                                                                       journal_value.c.path))]
    database.close()
    return {"id": id, "name": title, "rows": rows, "values": values, "marking": instance.marking.hash,
            "status": instance.status}


def again(case: Case, id: str) -> Iterator[Step]:
    """The Steps of a case, decided for an instance of this id."""
    instance = ProcessInstance(id=id)
    for number, one in enumerate(case.steps, 1):
        step = process.decide(case.rules, instance, replace(one.command, id=f"{id}-{number}"))
        instance = process.evolve(instance, step)
        yield step


# Reading


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One recorded instance with what it ran by."""

    name: str
    id: str
    engine: str
    rows: tuple[tuple[str, str, str], ...]  # body, hash, mac
    values: tuple[tuple[int, str, str, str], ...]
    marking: str
    status: str
    rules: Rules

    def put(self, db: Connection) -> None:
        """Write it into an empty journal, byte for byte."""
        stream = f"instance/{self.id}"
        bodies = [json.loads(body) for body, _hash, _mac in self.rows]
        db.execute(insert(journal), [
            {"stream": stream, "sequence": n, "command_id": parsed["command"]["id"], "body": body.encode(),
             "hash": bytes.fromhex(hash), "mac": bytes.fromhex(mac)}
            for n, (parsed, (body, hash, mac)) in enumerate(zip(bodies, self.rows, strict=True), 1)])
        db.execute(insert(journal_value), [
            {"stream": stream, "sequence": sequence, "path": path, "salt": bytes.fromhex(salt),
             "value": value.encode()} for sequence, path, salt, value in self.values])


def recordings() -> list[Recording]:
    """Every recorded instance of every release."""
    return [one for file in sorted(FOLDER.glob("*.json.gz")) for one in of_file(file)]


def of_file(file: Path) -> Iterator[Recording]:
    shape = json.loads(gzip.decompress(file.read_bytes()))
    known = {sha: diagram.reread(text.encode()) for sha, text in shape["definitions"].items()}
    weeks: Mapping[str, Calendar] = {sha: Calendar.from_json(body) for sha, body in shape["calendars"].items()}
    rules = Rules(known.__getitem__, weeks.__getitem__)
    for one in shape["instances"]:
        yield Recording(
            name=f"{file.name.removesuffix('.json.gz')}/{one['name']}", id=one["id"], engine=shape["engine"],
            rows=tuple(tuple(row) for row in one["rows"]), values=tuple(tuple(row) for row in one["values"]),
            marking=one["marking"], status=one["status"], rules=rules)


def opened(file: Path) -> Database:
    database = open_database(f"sqlite:///{file}", KEY)
    migrate(database)
    return database


if __name__ == "__main__":
    print(record(sys.argv[1]))
