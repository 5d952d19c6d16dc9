"""What must always hold: each violation is found and named, none where all is well, and none costs the others."""
from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from engine import checkpoints, invariants
from engine import worker as workers
from engine.bench import Office
from engine.commands import CompleteUserTask, ResolveIncident
from engine.handle import Request, handle, replayed
from engine.instance import Refused
from engine.invariants import INVARIANTS, look
from engine.marking import Marking
from engine.store import database as databases
from engine.store import documents, integrity, schema
from engine.store.prepared import heard
from engine.worker import Worker
from tests.engine.test_worker import SOON, begin, fired, load, worker

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF"


def tidy(office: Office) -> None:
    """The one file that these instances name, stored: the office's own attachments have no bytes."""
    with office.database.begin() as db:
        db.execute(insert(schema.blob).values(sha256="0" * 64, media_type=documents.PDF, file="0" * 64, size_bytes=1,
                                              state="clean", stored_at="2026-12-01T00:00:00.000000Z"))


def found(office: Office, folder: Path | None = None) -> list[tuple[str, str]]:
    return sorted((one.invariant, one.subject)
                  for one in look(office.database, office.rules, folder, office.at, whole=True).found)


def set_row(office: Office, id: str, **values: Any) -> None:
    with office.database.begin() as db:
        db.execute(update(schema.instance).where(schema.instance.c.id == id).values(**values))


def unguarded(db: Connection) -> None:
    """Without the triggers of journal and log, as somebody with the file could."""
    if db.dialect.name == "postgresql":
        for name in ("journal", "log_entry"):
            db.execute(text(f"ALTER TABLE {name} DISABLE TRIGGER USER"))
        return
    for name in db.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' "
                                "AND tbl_name IN ('journal', 'log_entry')")).scalars().all():
        db.execute(text(f"DROP TRIGGER {name}"))


def cut_journal(office: Office, id: str, sequence: int) -> None:
    with office.database.begin() as db:
        unguarded(db)
        db.execute(delete(schema.journal).where(schema.journal.c.stream == f"instance/{id}",
                                                schema.journal.c.sequence == sequence))


def lose_user_task(office: Office, id: str) -> None:
    with office.database.begin() as db:
        db.execute(delete(schema.timer).where(schema.timer.c.instance == id, schema.timer.c.user_task.is_not(None)))
        db.execute(delete(schema.user_task).where(schema.user_task.c.instance == id))


def move_timer(office: Office, id: str) -> None:
    with office.database.begin() as db:
        db.execute(update(schema.timer).where(schema.timer.c.instance == id).values(
            due_at="2030-01-01T00:00:00.000000Z"))


def stray_value(office: Office, id: str) -> None:
    with office.database.begin() as db:
        db.execute(insert(schema.journal_value).values(stream=f"instance/{id}", sequence=99, path="x", salt=b"s",
                                                       value=b"1"))


def stray_incident(office: Office, id: str) -> None:
    with office.database.begin() as db:
        db.execute(insert(schema.incident).values(instance=id, number=7, kind="alarm", detail="", sequence=1,
                                                  raised_at="2026-12-01T00:00:00.000000Z"))


def stall(office: Office, id: str) -> None:
    with office.database.begin() as db:
        for table in (schema.timer, schema.user_task):
            db.execute(delete(table).where(table.c.instance == id))
    stood = load(office, id)
    set_row(office, id, marking=Marking(next=stood.marking.next).to_bytes())


VIOLATIONS: dict[str, tuple[Callable[[Office, str], None], set[str]]] = {
    "unreadable": (lambda office, id: set_row(office, id, state=b"{"), {"readable"}),
    "another version": (lambda office, id: set_row(office, id, marking=b'{"v":2,"next":1,"tokens":[]}'), {"readable"}),
    "truncated": (lambda office, id: set_row(office, id, marking=b'{"v":1,"next":1,"tok'), {"readable"}),
    "fifty megabytes": (lambda office, id: set_row(office, id, state=b"[" + b" " * 50_000_000 + b"]"), {"readable"}),
    "nested": (lambda office, id: set_row(office, id, state=b"[" * 200_000), {"readable"}),
    "without its diagram": (lambda office, id: set_row(office, id, definition="0" * 64), {"readable"}),
    "a head": (lambda office, id: set_row(office, id, head=b"x" * 32), {"heads"}),
    "a tail": (lambda office, id: set_row(office, id, sequence=9), {"heads"}),
    "a gap": (lambda office, id: cut_journal(office, id, 1), {"steps", "values"}),
    "no inbox": (lose_user_task, {"user_tasks", "timers"}),
    "another due time": (move_timer, {"timers"}),
    "a value of nobody": (stray_value, {"values"}),
    "an incident of nobody": (stray_incident, {"incidents"}),
    "stalled": (stall, {"stalled", "user_tasks", "timers"}),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_each_violation_of_an_instance_is_found_and_named_and_no_other(office: Office, name: str) -> None:
    tidy(office)
    broken, healthy = begin(office, 2027), begin(office, 2026)
    office.complete(broken, "camat", arahan="Susun.")
    assert found(office) == []
    violate, expected = VIOLATIONS[name]
    violate(office, broken)
    assert {invariant for invariant, _ in found(office)} == expected
    assert {subject for _, subject in found(office)} == {broken}
    with office.database.read() as db:
        assert {one.subject for one in integrity.findings(db)} == {broken}
    office.complete(healthy, "camat", arahan="Susun.")


def test_what_is_well_again_is_forgotten_and_what_stays_keeps_its_beginning(office: Office) -> None:
    tidy(office)
    id, began = begin(office), office.at
    lose_user_task(office, id)
    assert found(office)
    office.at += timedelta(hours=3)
    looked = look(office.database, office.rules, None, office.at, whole=True)
    assert looked.found and not looked.new
    with office.database.read() as db:
        kept = integrity.findings(db)
    assert {one.since for one in kept} == {began} and {one.seen_at for one in kept} == {office.at}
    invariants.repair(office.database, office.rules, id, "perbaikan-1", "admin", "Baris hilang", office.at)
    with office.database.read() as db:
        assert integrity.findings(db) == [] and replayed(db, office.rules, id)[0] == load(office, id)
    assert [one for one in found(office) if one[1]] == []
    stood = load(office, id)
    invariants.repair(office.database, office.rules, id, "perbaikan-1", "admin", "Baris hilang", office.at)
    assert load(office, id) == stood and not stood.incidents and stood.sequence == 3        # sent twice


def test_a_repair_wants_an_administrator_a_reason_and_a_whole_journal(office: Office) -> None:
    id = begin(office)
    for person, reason in (("admin", "  "), ("camat", "Ingin tahu")):
        with pytest.raises(Refused):
            invariants.repair(office.database, office.rules, id, f"x-{person}", person, reason, office.at)
    stood = load(office, id)
    set_row(office, id, state=b"{")
    cut_journal(office, id, 1)
    with pytest.raises(Refused) as refused:
        invariants.repair(office.database, office.rules, id, "x", "admin", "Rusak", office.at)
    assert refused.value.code == "unreadable" and stood.sequence == 1


def test_the_whole_is_looked_at_too(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    kept = documents.store(io.BytesIO(PDF), "a.pdf", folder)
    with office.database.begin() as db:
        documents.record(db, folder, kept, office.at)
    id = begin(office)
    with office.database.begin() as db:
        db.execute(update(schema.document_file).values(sha256=kept.sha256))
    assert found(office, folder) == []
    documents.path_of(folder, kept.file).write_bytes(b"cut")
    assert found(office, folder) == [("documents", id)]
    documents.path_of(folder, kept.file).write_bytes(PDF)
    with office.database.begin() as db:
        db.execute(delete(schema.calendar_unit))
        db.execute(insert(schema.notice).values(
            id="n", instance=id, kind="x", person="camat", about_at="", subject="", body="", mail="waits", tries=0,
            created_at="2026-12-01T00:00:00.000000Z", mail_after="2026-12-01T00:00:00.000000Z"))
        unguarded(db)
        for place in (0, 1, 3):
            db.execute(insert(schema.log_entry).values({c.name: place if c.name in ("index", "sequence") else
                                                        b"" if str(c.type) in ("BLOB", "BYTEA") else "x"
                                                        for c in schema.log_entry.c}))
    office.at += SOON
    assert found(office, folder) == [("calendars", ""), ("log", "2"), ("notices", ""), ("timers_due", "")]


def test_every_invariant_has_its_seeded_violation() -> None:
    seeded = {name for _, names in VIOLATIONS.values() for name in names}
    seeded |= {"documents", "calendars", "log", "notices", "timers_due"} | {"log_waiting", "seal"}
    assert {one.name for one in INVARIANTS} == seeded


def test_another_key_and_rows_without_a_place_are_found(office: Office) -> None:
    tidy(office)
    begin(office)
    with office.database.begin() as db:
        db.execute(update(schema.log_pending).values(refused=1))
    assert found(office) == [("log_waiting", "")]
    office.database = replace(office.database, key=b"another key of thirty-two bytes!")
    assert ("seal", "") in found(office)


def test_a_row_of_a_quiet_morning_is_no_alarm_and_one_that_stays_unsigned_is(office: Office, tmp_path: Path) -> None:
    tidy(office)
    with office.database.begin() as db:
        first = databases.now(db)               # what is signed, is by the database's own clock
    begin(office)

    def said(at: datetime) -> list[str]:
        with office.database.read() as db:
            return [name for name, _ in invariants.of_the_whole(db, office.database.key, at) if name == "log_waiting"]

    started = office.at
    checkpoints.sign(office.database, checkpoints.Place(tmp_path / "checkpoint.key", "http://localhost", None))
    later = max(first, started) + timedelta(days=2)
    assert said(later) == []
    office.at = later
    begin(office, 2028)
    assert said(office.at + timedelta(minutes=1)) == [], "one row of this minute, after two quiet days"
    assert said(office.at + timedelta(hours=1)) == ["log_waiting"]


# Noise

def test_a_look_costs_the_same_whatever_there_is(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    tidy(office)
    begin(office, 2026)
    look(office.database, office.rules, None, office.at)
    counted = []
    for years in (range(2027, 2028), range(2028, 2048)):
        for year in years:
            begin(office, year)
        office.at += timedelta(minutes=1)
        with heard(office.database.engine) as said:
            look(office.database, office.rules, None, office.at)
        counted.append(len(said))
    assert counted[0] == counted[1] <= 60
    monkeypatch.setattr(invariants, "OPEN_MOST", 5)
    looked = []
    for _ in range(5):          # a slice after another, and then from the beginning
        office.at += timedelta(minutes=1)
        with heard(office.database.engine) as said:
            look(office.database, office.rules, None, office.at)
        looked.append(len(said))
        with office.database.read() as db:
            now = integrity.looks(db)["open"]
        assert now.looked <= 22
    assert max(looked) <= counted[0] + 2
    with heard(office.database.engine) as said:        # another worker, in the same minute: nothing to do
        look(office.database, office.rules, None, office.at)
    assert len(said) <= 2


def test_a_poisoned_instance_among_thirty_slows_nobody(office: Office) -> None:
    ids = [begin(office, year) for year in range(2026, 2056)]
    poisoned, healthy = ids[11], [*ids[:11], *ids[12:]]
    set_row(office, poisoned, state=b"{")
    one, at = worker(office), office.at + SOON
    assert one.fire_due(at) == 29                           # the first round: everybody else's
    assert [fired(office, id) for id in healthy] == [["waktu_1"]] * 29 and fired(office, poisoned) == []
    for _ in range(workers.ATTEMPTS):
        one.fire_due(at)
    with heard(office.database.engine) as said:        # parked: no round asks for it again
        assert one.fire_due(at) == 0
    assert not any(poisoned in str(each) for each in said if "NOT IN" not in str(each).upper())
    assert len(said) <= 4
    looked = one.check(at)                                  # within one look it is named, and only it
    assert {each.subject for each in looked.found if each.invariant == "readable"} == {poisoned}
    for id in healthy[:3]:
        office.complete(id, "camat", arahan="Susun.")
    costs = []
    for id in healthy[3:5]:
        number = office.open(id)[1]
        with heard(office.database.engine) as said:
            with office.database.begin() as db:
                handle(db, office.rules, office.database.key, id, [office.request(
                    "camat", CompleteUserTask(user_task=number, data={"arahan": "Susun."}))])
        costs.append(len(said))
    assert costs[0] == costs[1]


def test_a_stalled_instance_has_its_own_incident_within_a_round(office: Office) -> None:
    stalled, healthy = begin(office, 2027), begin(office, 2026)
    stall(office, stalled)
    one = Worker(office.database, office.rules)
    assert ("stalled", stalled) in {(each.invariant, each.subject) for each in one.check(office.at).found}
    assert one.raise_alarms(office.at) == 1 and one.raise_alarms(office.at) == 0
    with office.database.read() as db:
        (listed,) = integrity.open_incidents(db, 10)
    assert (listed.instance, listed.kind) == (stalled, "alarm") and "tanpa tugas" in listed.detail
    assert not load(office, healthy).incidents
    with office.database.begin() as db:
        handle(db, office.rules, office.database.key, stalled, [Request(
            id="selesai", act=ResolveIncident(incident=1, reason="Dicoba"), person="admin", at=office.at)])
    with office.database.read() as db:
        assert db.execute(select(schema.incident)).all() == []
    assert one.raise_alarms(office.at) == 1                 # it still stands still: another incident
