"""The journal's bytes, hashes and seals: fixed by a frozen file of vectors, and checked row by row when read."""
from __future__ import annotations

import json
import typing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from engine import commands, events, ratification, retention
from engine import organisation as org
from engine.commands import (
    Actor,
    AskExtension,
    AttachDocument,
    Attachment,
    ChangeCalendar,
    Command,
    CompleteUserTask,
    Correct,
    Erased,
    EraseValues,
    File,
    GrantExtension,
    MigrateProcessInstance,
    OweRequirement,
    Promise,
    RecallUserTask,
    RefuseExtension,
    StartProcessInstance,
    UndoMigration,
)
from engine.events import ElementEntered, TeamAppointed, TimerStarted, UserTaskCompleted, UserTaskOpened
from engine.store import access, definitions, journal, records
from engine.store.database import migrate, open_database
from engine.store.schema import journal_value

VECTORS = Path(__file__).parent / "journal_vectors.json"
KEY = bytes(range(32))
AT = datetime(2027, 2, 2, 3, 15, 0, 5, tzinfo=UTC)
ACTOR = Actor(person="camat", position="camat_lasem", unit="kecamatan_lasem", capacity="plh", basis="800/1/2027",
              lanes=("kepala_pd",))


def rows() -> list[dict[str, Any]]:
    """Rows of every shape that a body can have: nothing typed, values, files, promises, decimals, no events."""
    file = File(sha256="a" * 64, size_bytes=3, media_type="application/pdf", name="é.pdf")
    start = StartProcessInstance(
        key="k", definition="d" * 64, unit="kecamatan_lasem", calendars={"": "c" * 64},
        data={"tahun_laporan": 2026, "nilai": "1250.50"}, attachments={"surat_edaran": Attachment(files=(file,))},
        promises=(Promise(document="sk_tim", promised="2027-01-04", reason="Menunggu tanda tangan"),),
        unit_facts={"sop.nomorSop": "1"})
    typed = {"arahan": "Susun\nTim — €", "baris": [{"pegawai": {"id": "tim1"}}], "kosong": None}
    complete = CompleteUserTask(user_task=2, data=typed, done_at=AT)
    attach = AttachDocument(document="lhr", user_task=9, attachment=Attachment(form="cetak", place="Lemari 2"))
    owe = OweRequirement(user_task=9, promise=Promise(document="lhr", promised="2027-02-10", reason="Belum diterima"))
    acts: list[tuple[commands.Act, list[events.Event]]] = [
        (start, [events.ProcessInstanceStarted(2026), ElementEntered(1, "mulai", "")]),
        (complete, [UserTaskCompleted(2, "langkah_1", 20, None, False), TeamAppointed("tim", (("tim1", "ketua"),), 2),
                    UserTaskOpened(5, "langkah_2", "sekretaris_pd", 1, AT, AT, None),
                    TimerStarted(6, "waktu_2", 5, AT, "c" * 64, 1)]),
        (attach, [events.DocumentAttached("lhr", 1, 9)]),
        (owe, [events.RequirementOwed("lhr", "langkah_9", "2027-02-10", 9)]),
        (Correct(reason="Salah ketik", data={"nomor_lhr": "700/2"}), []),
        (AskExtension(user_task=5, until="2027-02-12", reason="Data belum lengkap"), [events.ExtensionAsked(5, AT)]),
        (GrantExtension(user_task=5, reason="Sesuai rapat"), [events.ExtensionGranted(5, AT, AT, AT),
                                                             events.TimerMoved(6, "waktu_2", AT, AT, "c" * 64)]),
        (RefuseExtension(user_task=5, reason="Tenggat dekat"), [events.ExtensionRefused(5)]),
        (ChangeCalendar(calendars={"": "b" * 64}, reason="Hari jadi"), [
            events.CalendarChanged((("", "c" * 64, "b" * 64),)),
            events.DueDatesMoved(5, AT, AT, AT, AT, AT, AT)]),
        (MigrateProcessInstance(to="a" * 64, mapping={"langkah_2": "susun", "waktu_2": ""}, calendars={"": "b" * 64},
                                reason="Versi 3 disahkan"), [
            events.ProcessInstanceMigrated("d" * 64, "a" * 64, ((5, "langkah_2", "susun"),), (("langkah_2", "susun"),)),
            events.UserTaskMoved(5, "langkah_2", "susun", "sekretaris_pd", "sekretariat", 1),
            events.DueDatesMoved(5, AT, AT, AT, None, None, None)]),
        (UndoMigration(reason="Keliru memilih"), [
            events.MigrationUndone("a" * 64, "d" * 64, ((5, "susun", "langkah_2"),)),
            events.DueDatesMoved(5, None, None, None, AT, AT, AT)]),
        (EraseValues(request="r1", number="12/PDP/2027", basis="UU 27/2022 Pasal 8", files=("a" * 64,),
                     values=("2:command.act.data.arahan",), disposal=False), [
            events.ValuesErased(1, ("a" * 64,), False)]),
        (RecallUserTask(user_task=5), [
            events.UserTaskRecalled(5, "langkah_2", 1), events.UserTaskCancelled(9, "langkah_3"),
            events.TimerCancelled(10, "waktu_3"), TimerStarted(6, "waktu_2", 5, AT, "c" * 64, 1)])]
    return [{"command": Command(id=f"id-{n}", at=AT, actor=ACTOR, act=act, asked="f" * 64), "events": told}
            for n, (act, told) in enumerate(acts, 1)]


def written(url: str) -> list[dict[str, Any]]:
    """The rows, written with counted salts: hex of body, hash, seal and values."""
    database = open_database(url, KEY)
    migrate(database)
    grain = iter(range(1_000))
    with database.begin() as db:
        prev = None
        for n, one in enumerate(rows(), 1):
            prev = journal.append(db, KEY, stream="instance/1", sequence=n, prev=prev, command_id=one["command"].id,
                                  at=AT, command=one["command"], events=one["events"], definition="d" * 64,
                                  calendars={"": "c" * 64}, engine="alur 1", marking_hash="e" * 64,
                                  salt=lambda: next(grain).to_bytes(16, "big"))
        found = [{"body": bytes(row.body).decode(), "hash": bytes(row.hash).hex(), "mac": bytes(row.mac).hex()}
                 for row in db.execute(select(journal.journal).order_by(journal.journal.c.sequence))]
        values = [[row.path, bytes(row.salt).hex(), bytes(row.value).decode()]
                  for row in db.execute(select(journal_value).order_by(journal_value.c.sequence, journal_value.c.path))]
    database.close()
    return [*found, {"values": values}]


def test_the_bytes_are_those_of_the_frozen_vectors(database_url: str) -> None:
    # Written once, never again: what is in somebody's journal cannot be changed by us.
    assert written(database_url) == frozen("")


def frozen(stream: str) -> Any:
    """What is frozen of a stream; "": of the instance."""
    found = json.loads(VECTORS.read_text())
    if not stream:
        return [one for one in found if "stream" not in one]
    return next(one for one in found if one.get("stream") == stream)


def acts_on_a_definition() -> list[tuple[ratification.Act, list[Any]]]:
    """Every act that a stream definition/KEY records."""
    changed = ({"element": "tulis", "kind": "userTask", "property": "name", "old": "Tulis", "new": "Susun",
                "cosmetic": False, "says": "Nama diubah."},)
    scan = Attachment(files=(File(sha256="a" * 64, size_bytes=3, media_type="application/pdf", name="é.pdf"),))
    drawn = {"key": "k", "sha256": "d" * 64, "canonical_sha256": "c" * 64, "meaning_sha256": "b" * 64}
    proposed = {name: value for name, value in drawn.items() if name != "key"}
    return [
        (definitions.DeployDefinition(**drawn, size_bytes=9, name="SOP", unit="u", reason="Isi awal"),
         [definitions.DefinitionDeployed(version=1, cosmetic=False)]),
        (ratification.ProposeDefinition(
            proposal="p", draft="r", unit="u", name="SOP", **proposed, size_bytes=9, base="d" * 64, version_before=1,
            holds_from="2027-02-02", cosmetic=False, savers=("pengelola1",), reason="SOTK baru", changes=changed), []),
        (ratification.VerifyProposal(proposal="p", note="Sudah sesuai"), []),
        (ratification.ReturnProposal(proposal="p", reason="Perbaiki langkah 2"), []),
        (ratification.RecallProposal(proposal="p"), []),
        (ratification.RatifyProposal(
            proposal="p", number="000.8.3.3/7", dated="2027-02-02", holds_from="2027-02-02",
            position="Plh. Camat Lasem", name="Nama Penanda Tangan", nip="198001012005011001", scan=scan),
         [definitions.DefinitionDeployed(version=2, cosmetic=False)]),
        (ratification.ApproveLayout(proposal="p"), [definitions.DefinitionDeployed(version=3, cosmetic=True)]),
        (ratification.WithdrawDefinition(version=3, reason="Digabung"), []),
        (ratification.EvaluateDefinition(dated="2027-02-01", outcome="tetap", note="Masih baik"), []),
        (ratification.AttachSignedSheet(version=3, scan=scan), [])]


def written_of_a_definition(url: str) -> dict[str, Any]:
    """The rows of its stream, written with counted salts."""
    database, name = open_database(url, KEY), "definition/k"
    migrate(database)
    grain = iter(range(1_000))
    with database.begin() as db:
        prev = None
        for n, (act, events_) in enumerate(acts_on_a_definition(), 1):
            command = definitions.Change(id=f"id-{n}", at=AT, actor=ACTOR, act=act)
            prev = journal.append(db, KEY, stream=name, sequence=n, prev=prev, command_id=command.id, at=AT,
                                  command=command, events=events_, definition="d" * 64,
                                  salt=lambda: next(grain).to_bytes(16, "big"))
        rows = db.execute(select(journal.journal).order_by(journal.journal.c.sequence))
        found = [{"body": bytes(row.body).decode(), "hash": bytes(row.hash).hex(), "mac": bytes(row.mac).hex()}
                 for row in rows]
        values = [[row.sequence, row.path, bytes(row.value).decode()] for row in db.execute(
            select(journal_value).order_by(journal_value.c.sequence, journal_value.c.path))]
    database.close()
    return {"stream": name, "rows": found, "values": values}


def test_the_bytes_of_a_definitions_acts_are_frozen_and_come_back(database_url: str) -> None:
    written = written_of_a_definition(database_url)
    assert written == frozen("definition/k")
    assert [type(act).__name__ for act, _ in acts_on_a_definition()] == list(ratification.ACTS)
    bodies = "".join(one["body"] for one in written["rows"])
    for typed in ("Isi awal", "SOTK", "Susun", "sesuai", "Perbaiki", "Penanda", "19800101", "é.pdf", "Digabung",
                  "Masih"):
        assert typed not in bodies
    database = open_database(database_url, KEY)
    with database.read() as db:
        told = ratification.told(db, "k", KEY)
    database.close()
    assert [(one.version, one.reason, one.number) for one in told.versions] == [
        (1, "Isi awal", ""), (2, "SOTK baru", "000.8.3.3/7"), (3, "SOTK baru", "000.8.3.3/7")]
    assert told.versions[1].ratifier_nip == "198001012005011001" and told.versions[1].changes[0]["new"] == "Susun"
    assert [one.note for one in told.evaluations] == ["Masih baik"]


def acts_of_access() -> list[Any]:
    """Every act that the stream `access` records."""
    return [access.SignedIn(), access.ProcessInstanceRead(instance="i", sequence=7),
            access.DocumentRead(instance="i", document="lhr", version=2, sha256="a" * 64),
            access.PackTaken(what="journal", size=9, root="b" * 64),
            access.EvidenceTaken(instance="i", form="zip", sequence=7, sha256="c" * 64, named=True),
            access.OverviewRead(page="audit/lintas"),
            access.OverviewTaken(paper="pemantauan", key="k", unit="u", begins="2026-07-01", ends="2026-12-31",
                                 form="pdf", sha256="d" * 64),
            access.OfficeAccountLinked(issuer="https://masuk.example.go.id", subject_sha256="e" * 64),
            access.OfficeAccountUnlinked(issuer="https://masuk.example.go.id", subject_sha256="e" * 64)]


def test_the_bytes_of_what_was_read_and_taken_are_frozen(database_url: str) -> None:
    database = open_database(database_url, KEY)
    migrate(database)
    with database.begin() as db:
        prev = None
        for n, act in enumerate(acts_of_access(), 1):
            command = access.Access(id=f"id-{n}", at=AT, actor=Actor(person="auditor", capacity="auditor"), act=act)
            prev = journal.append(db, KEY, stream=access.STREAM, sequence=n, prev=prev, command_id=command.id, at=AT,
                                  command=command, events=())
        rows = db.execute(select(journal.journal).order_by(journal.journal.c.sequence))
        found = [{"body": bytes(row.body).decode(), "hash": bytes(row.hash).hex(), "mac": bytes(row.mac).hex()}
                 for row in rows]
    database.close()
    assert {"stream": access.STREAM, "rows": found} == frozen(access.STREAM)
    assert {type(act) for act in acts_of_access()} == set(typing.get_args(access.Act))


def acts_of_audit() -> list[org.Act]:
    """The acts on a surat tugas audit that the stream `organisation` records."""
    return [org.AssignAudit(assignment="st1", person="auditor", number="700/001/2027", units=("kecamatan_lasem",),
                            years=(2025, 2026), valid_from="2027-02-01", valid_until="2027-02-12", basis="PKPT 2027"),
            org.EndAudit(assignment="st1", valid_until="2027-02-05", reason="Selesai lebih awal")]


def test_the_bytes_of_a_surat_tugas_are_frozen_and_its_reasons_stand_beside_them(database_url: str) -> None:
    database = open_database(database_url, KEY)
    migrate(database)
    grain = iter(range(1_000))
    commands_ = [org.Change(id=f"id-{n}", at=AT, actor=ACTOR, act=act) for n, act in enumerate(acts_of_audit(), 1)]
    with database.begin() as db:
        prev = None
        for n, command in enumerate(commands_, 1):
            prev = journal.append(db, KEY, stream=org.STREAM, sequence=n, prev=prev, command_id=command.id, at=AT,
                                  command=command, events=(), salt=lambda: next(grain).to_bytes(16, "big"))
        rows = db.execute(select(journal.journal).order_by(journal.journal.c.sequence))
        found = [{"body": bytes(row.body).decode(), "hash": bytes(row.hash).hex(), "mac": bytes(row.mac).hex()}
                 for row in rows]
        values = [[row.sequence, row.path, bytes(row.value).decode()] for row in db.execute(
            select(journal_value).order_by(journal_value.c.sequence, journal_value.c.path))]
        assert [records.decode(org.Change, entry.command) for entry in journal.read(db, org.STREAM)] == commands_
    database.close()
    assert {"stream": org.STREAM, "rows": found, "values": values} == frozen(org.STREAM)
    bodies = "".join(one["body"] for one in found)
    assert "PKPT" not in bodies and "lebih awal" not in bodies and "700/001/2027" in bodies


def acts_of_confirmation() -> list[org.Act]:
    """What second factors, resets and confirmations record in the stream `organisation`."""
    return [org.EnrolSecondFactor(person="camat", kind="totp", factor="f1"),
            org.RemoveSecondFactor(person="camat", factor="f1"), org.RequireSecondFactor(person="sekcam"),
            org.AskConfirmation(confirmation="c1-tanya", kind="pelaksana", unit="kecamatan_lasem",
                                subject="k/kepala_pd/camat_lasem", previous="sekretaris", asked_by="admin",
                                asked_at="2027-02-02T03:15:00.000005Z"),
            org.ConfirmChange(confirmation="c1-tanya"),
            org.DisputeChange(confirmation="c1-tanya", last_day="2027-02-01", reason="Tidak pernah diangkat"),
            org.AskConfirmation(confirmation="c2-tanya", kind="kuasa", person="tim1", unit="kecamatan_lasem",
                                subject="pemilik/kecamatan_lasem", asked_by="admin",
                                asked_at="2027-02-02T03:15:00.000006Z"),
            org.AskConfirmation(confirmation="c3-tanya", kind="surat_tugas", person="auditor", unit="kecamatan_lasem",
                                subject="st1", asked_by="admin", asked_at="2027-02-02T03:15:00.000007Z")]


CONFIRMATIONS = "organisation: second factors and confirmations"     # how its vectors are called in the file


def test_the_bytes_of_confirmations_are_frozen_and_a_reason_stands_beside_them(database_url: str) -> None:
    database = open_database(database_url, KEY)
    migrate(database)
    grain = iter(range(1_000))
    changes = [org.Change(id=f"id-{n}", at=AT, actor=ACTOR, act=act)
               for n, act in enumerate(acts_of_confirmation(), 1)]
    with database.begin() as db:
        prev = None
        for n, one in enumerate(changes, 1):
            prev = journal.append(db, KEY, stream=org.STREAM, sequence=n, prev=prev, command_id=one.id, at=AT,
                                  command=one, events=(), salt=lambda: next(grain).to_bytes(16, "big"))
        found = [{"body": bytes(row.body).decode(), "hash": bytes(row.hash).hex(), "mac": bytes(row.mac).hex()}
                 for row in db.execute(select(journal.journal).order_by(journal.journal.c.sequence))]
        values = [[row.sequence, row.path, bytes(row.value).decode()] for row in db.execute(select(journal_value))]
        assert [records.decode(org.Change, entry.command) for entry in journal.read(db, org.STREAM)] == changes
    database.close()
    assert {"stream": CONFIRMATIONS, "rows": found, "values": values} == frozen(CONFIRMATIONS)
    assert "diangkat" not in "".join(one["body"] for one in found)


def acts_of_retention() -> list[Any]:
    """Every act that the stream `retention` records."""
    return [
        retention.RequestErasure(request="r1", about="instance", id="i", number="12/PDP/2027", dated="2027-02-01",
                                 basis="UU 27/2022 Pasal 8", values=("2:command.act.data.arahan",),
                                 files=("a" * 64,), subject="Nama Pemohon"),
        retention.DecideErasure(request="r1", approved=True, note="Sesuai"),
        retention.PlaceHold(hold="h1", scope="unit", unit="kecamatan_lasem", year=2026, number="B-1", basis="Perkara",
                            since="2027-02-01"),
        retention.LiftHold(hold="h1", number="B-9", reason="Selesai"),
        retention.SetRetention(key="k", unit="", name="Laporan kinerja", active=2, inactive=3, fate="musnah",
                               basis="Perbup JRA"),
        retention.DropRetention(key="k", unit=""),
        retention.ProposeDisposal(disposal="d1", unit="kecamatan_lasem", instances=("i",), number="3/BA/2032",
                                  dated="2032-03-01", basis="PP 28/2012"),
        retention.DecideDisposal(disposal="d1", approved=False, note="Masih dipakai")]


def written_of_retention(url: str) -> dict[str, Any]:
    database = open_database(url, KEY)
    migrate(database)
    grain = iter(range(1_000))
    gone = retention.Gone(stream="organisation", values=("4:command.act.name",))
    with database.begin() as db:
        prev = None
        for n, act in enumerate(acts_of_retention(), 1):
            command = definitions.Change(id=f"id-{n}", at=AT, actor=ACTOR, act=act)
            prev = journal.append(db, KEY, stream=retention.STREAM, sequence=n, prev=prev, command_id=command.id,
                                  at=AT, command=command, events=[gone] if n == 2 else (),
                                  salt=lambda: next(grain).to_bytes(16, "big"))
        rows = db.execute(select(journal.journal).order_by(journal.journal.c.sequence))
        found = [{"body": bytes(row.body).decode(), "hash": bytes(row.hash).hex(), "mac": bytes(row.mac).hex()}
                 for row in rows]
        values = [[row.sequence, row.path, bytes(row.value).decode()] for row in db.execute(
            select(journal_value).order_by(journal_value.c.sequence, journal_value.c.path))]
        assert [retention.told(entry).act for entry in journal.read(db, retention.STREAM)] == acts_of_retention()
    database.close()
    return {"stream": retention.STREAM, "rows": found, "values": values}


def test_the_bytes_of_what_was_asked_and_decided_about_records_are_frozen(database_url: str) -> None:
    written = written_of_retention(database_url)
    assert written == frozen(retention.STREAM)
    assert {type(act) for act in acts_of_retention()} == set(typing.get_args(retention.Act))
    bodies = "".join(one["body"] for one in written["rows"])
    assert "Nama Pemohon" not in bodies and "Masih dipakai" not in bodies and "12/PDP/2027" in bodies


def test_an_older_row_of_a_definition_is_read_with_what_it_lacks(database_url: str) -> None:
    # The first release recorded no name, no unit and no list of changes.
    database = open_database(database_url, KEY)
    migrate(database)
    act = {"type": "DeployDefinition", "key": "k", "sha256": "d" * 64, "canonical_sha256": "c" * 64,
           "meaning_sha256": "b" * 64, "size_bytes": 9, "reason": "Isi awal"}
    with database.begin() as db:
        journal.append(db, KEY, stream="definition/k", sequence=1, prev=None, command_id="id-1", at=AT, events=[],
                       command={"id": "id-1", "at": AT, "actor": {"person": "p"}, "act": act}, definition="d" * 64)
        (version,) = ratification.told(db, "k").versions
    database.close()
    assert (version.version, version.sha256, version.unit, version.changes) == (1, "d" * 64, "", ())


def test_nothing_that_was_typed_stands_in_a_body(database_url: str) -> None:
    bodies = "".join(one.get("body", "") for one in written(database_url))
    for typed in ("Susun", "1250.50", "é.pdf", "Menunggu", "Lemari", "Belum diterima", "Salah ketik", "700/2", '2026"',
                  "belum lengkap", "Sesuai rapat", "Tenggat dekat", "Hari jadi", "disahkan", "Keliru"):
        assert typed not in bodies


def test_what_is_read_is_what_was_written(database_url: str) -> None:
    written(database_url)
    database = open_database(database_url, KEY)
    with database.read() as db:
        entries = list(journal.read(db, "instance/1"))
        assert [{"command": records.decode(Command, entry.command),
                 "events": [records.decode(records.KINDS[e["type"]], e) for e in entry.events]}
                for entry in entries] == rows()
        assert journal.head(db, "instance/1")[:2] == (len(entries), entries[-1].hash)
        assert journal.sequence_of(db, "instance/1", "id-3") == 3
        assert journal.sequence_of(db, "instance/1", "id-99") is None
        assert journal.streams(db, "instance/") == ["instance/1"]
    database.close()


def test_an_erased_value_leaves_its_hash_and_everything_else_verifies(database_url: str) -> None:
    written(database_url)
    database = open_database(database_url, KEY)
    with database.begin() as db:
        db.execute(update(journal_value).where(journal_value.c.path == "command.act.data.arahan").values(value=None))
    with database.read() as db:
        entries = list(journal.read(db, "instance/1"))
        command = records.decode(Command, entries[1].command)
    assert isinstance(command.act.data["arahan"], Erased) and command.act.data["baris"] == [{"pegawai": {"id": "tim1"}}]
    database.close()


def test_an_erased_value_takes_its_salt_along_and_says_why(database_url: str) -> None:
    written(database_url)
    database = open_database(database_url, KEY)
    place = ("instance/1", 2, "command.act.data.arahan")
    with database.begin() as db:
        assert journal.erase(db, *place, "request 12/PDP/2027") == '"Susun\\nTim — €"'.encode()
        assert journal.erase(db, *place, "request 13/PDP/2027") is None
        row = db.execute(select(journal_value).where(journal_value.c.path == place[2])).one()
        assert (row.value, row.salt, row.erased) == (None, b"", "request 12/PDP/2027")
    with database.read() as db:
        gone = records.decode(Command, list(journal.read(db, "instance/1"))[1].command).act.data["arahan"]
    assert gone.why == "request 12/PDP/2027" and gone == Erased(gone.h)
    with pytest.raises(DBAPIError), database.begin() as db:
        db.execute(update(journal_value).where(journal_value.c.path == place[2]).values(erased="request 1"))
    with pytest.raises(DBAPIError), database.begin() as db:
        db.execute(update(journal_value).where(journal_value.c.path == place[2]).values(salt=b"other"))
    database.close()


@pytest.mark.database
@pytest.mark.parametrize("damage", [
    "UPDATE journal SET body = replace(CAST(body AS TEXT), 'camat', 'sekda') WHERE sequence = 2",
    "DELETE FROM journal WHERE sequence = 3",
    "UPDATE journal SET sequence = 30 WHERE sequence = 3",
    "UPDATE journal_value SET value = CAST('\"Ditulis ulang\"' AS BLOB) WHERE path = 'command.act.data.arahan'",
    "UPDATE journal SET hash = CAST('00000000000000000000000000000000' AS BLOB) WHERE sequence = 4",
])
def test_a_row_that_was_tampered_with_is_found_where_it_stands(tmp_path: Path, damage: str) -> None:
    import sqlite3
    written(f"sqlite:///{tmp_path / 'a.db'}")
    with sqlite3.connect(tmp_path / "a.db") as file:        # who has the file can drop the triggers
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        file.execute(damage)
    file.close()
    database = open_database(f"sqlite:///{tmp_path / 'a.db'}", KEY)
    with database.read() as db, pytest.raises(records.RecordError, match="instance/1, row"):
        list(journal.read(db, "instance/1"))
    database.close()


def test_every_act_and_event_says_its_name_and_comes_back() -> None:
    for kind in (*typing.get_args(commands.Act), *typing.get_args(events.Event)):
        assert records.KINDS[kind.__name__] is kind
        records.decoder(kind)
    for one in rows():
        assert records.decode(Command, json.loads(json.dumps(records.encode(one["command"])))) == one["command"]
        for event in one["events"]:
            assert records.decode(type(event), json.loads(records.canonical(records.told(event)))) == event


def test_a_value_read_from_sorted_json_is_written_back_in_its_own_order() -> None:
    # orjson writes a dataclass in the order its fields were set; replay and the stored row must give the same bytes.
    file = File(sha256="a" * 64, size_bytes=3, media_type="application/pdf", name="a.pdf")
    again = records.decode(File, dict(sorted(records.encode(file).items())))
    assert again == file and orjson.dumps(again) == orjson.dumps(file)


def test_a_shape_with_a_field_that_nobody_knows_is_refused() -> None:
    shape = {"document": "lhr", "version": 1, "user_task": 2, "colour": "red", "type": "DocumentAttached"}
    with pytest.raises(records.RecordError, match="DocumentAttached has no colour"):
        records.decode(events.DocumentAttached, shape)


JSON = st.recursive(st.none() | st.booleans() | st.integers(-2**53 + 1, 2**53 - 1) | st.text(),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
                    max_leaves=20)


@given(JSON)
def test_our_bytes_are_rfc_8785_whatever_the_value(value: object) -> None:
    try:
        expected = rfc8785.dumps(value)
    except rfc8785.CanonicalizationError:       # lone surrogates are no text
        return
    assert records.canonical(value) == expected


@pytest.mark.parametrize("value", [1.5, {"a": [float("nan")]}, [0.0]])
def test_a_float_is_refused(value: object) -> None:
    with pytest.raises(records.RecordError, match="float"):
        records.canonical(value)


def test_instants_keep_six_digits_and_a_z() -> None:
    assert records.instant(datetime(2027, 1, 1, tzinfo=UTC)) == "2027-01-01T00:00:00.000000Z"
    assert records.moment("2027-01-01T00:00:00.000000Z") == datetime(2027, 1, 1, tzinfo=UTC)
    assert records.encode(Decimal("1.50")) == "1.50"
