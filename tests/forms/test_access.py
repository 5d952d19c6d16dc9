"""What auditors read, and that administrators signed in, stands in the stream `access`."""
from __future__ import annotations

from engine.store import access, journal
from tests.desk import Desk


def rows(desk: Desk) -> list[tuple[str, str, str]]:
    """(act, person, instance) of every row, each checked against its hash and seal."""
    with desk.database.read() as db:
        entries = list(journal.read(db, access.STREAM, key=desk.database.key))
    told = [(entry.command["act"], entry.command["actor"]["person"]) for entry in entries]
    return [(act["type"], person, act.get("instance", "")) for act, person in told]


def test_an_auditors_look_at_a_process_and_its_papers_is_recorded(desk: Desk) -> None:
    id = desk.waiting_at(3)
    auditor = desk.reader("auditor")
    assert auditor.get(f"/proses/{id}").status == 200
    assert auditor.get(f"/dokumen/{id}/surat_edaran/1/0").status == 200
    assert rows(desk) == [("ProcessInstanceRead", "auditor", id), ("DocumentRead", "auditor", id)]


def test_who_performs_a_lane_reads_without_a_trace(desk: Desk) -> None:
    id = desk.waiting_at(3)
    assert desk.reader("camat").get(f"/proses/{id}").status == 200
    assert rows(desk) == []


def test_the_sign_in_of_an_administrator_is_recorded_and_nobody_elses(desk: Desk) -> None:
    desk.reader("sekcam")
    desk.reader("admin")
    assert rows(desk) == [("SignedIn", "admin", "")]


def test_a_look_at_what_is_not_there_leaves_no_trace(desk: Desk) -> None:
    id = desk.waiting_at(3)
    assert desk.reader("auditor").get(f"/dokumen/{id}/lhr/7/0").status == 404
    assert rows(desk) == []
