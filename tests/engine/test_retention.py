"""Letting go by law: what was erased is nowhere any more, and everything still verifies, replays and is exported."""
from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import event, select, text

from engine import audit, checkpoints, handle, organise, packs, retention, verifier
from engine import organisation as org
from engine.bench import Office
from engine.checkpoints import Place
from engine.commands import Actor, AddComment, AttachDocument, Attachment, Correct, Erased, File, MigrateProcessInstance
from engine.instance import COMPLETED, Refused
from engine.retention import (
    APPROVED,
    DESTROY,
    INSTANCE,
    PERSON,
    WAITING,
    DecideDisposal,
    DecideErasure,
    DropRetention,
    LiftHold,
    PlaceHold,
    ProposeDisposal,
    RequestErasure,
    SetRetention,
)
from engine.store import definitions, documents, instances, integrity, journal
from engine.store import retention as store
from engine.store.definitions import Change
from engine.store.schema import blob, document_file, draft, journal_value, notice
from forms import evidence
from tests.engine.conftest import BPMN
from tests.engine.test_migrate_verb import Clerk, deployed, second

pytestmark = pytest.mark.database
ROOT = Path(__file__).resolve().parents[2]
SECRET = "Rahasia-Warga-Sumberejo"          # what somebody wants to be forgotten
LAW = "UU 27/2022 Pasal 8"


@dataclass
class Archivist:
    """Asks and decides as people do, one second after the other."""
    office: Office
    folder: Path
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def does(self, act: Any, person: str = "admin", at: datetime | None = None) -> retention.Done:
        self.office.at += timedelta(seconds=1)
        change = Change(id=f"arsip-{next(self.numbers)}", at=at or self.office.at, actor=Actor(person=person), act=act)
        return retention.carry_out(self.office.database, self.office.rules, self.folder, change)

    def refused(self, act: Any, person: str = "admin", at: datetime | None = None) -> str:
        with pytest.raises(Refused) as caught:
            self.does(act, person, at)
        return caught.value.code

    def archive(self) -> retention.Archive:
        with self.office.database.read() as db:
            return retention.load(db)

    def found(self, id: str) -> list[retention.Found]:
        with self.office.database.read() as db:
            return retention.found_in(db, self.office.rules, id)

    def holding(self, id: str, words: str) -> tuple[str, ...]:
        return tuple(one.name for one in self.found(id) if words in json.dumps(one.value, ensure_ascii=False))

    def erase(self, id: str, values: tuple[str, ...], files: tuple[str, ...] = (), number: str = "12/PDP/2027",
              name: str = "r1") -> retention.Done:
        self.does(RequestErasure(request=name, about=INSTANCE, id=id, number=number, dated="2026-12-01", basis=LAW,
                                 values=values, files=files, subject=SECRET))
        return self.does(DecideErasure(request=name, approved=True), "camat")


@pytest.fixture
def archivist(sqlite_office: Path, tmp_path: Path) -> Iterator[Archivist]:
    """On SQLite: rules that no database changes."""
    (tmp_path / "documents").mkdir()
    shutil.copy(sqlite_office, tmp_path / "alur.db")
    office = Office.of(f"sqlite:///{tmp_path / 'alur.db'}", BPMN)
    yield Archivist(office, tmp_path / "documents")
    office.database.close()


@pytest.fixture
def anywhere(office: Office, tmp_path: Path) -> Archivist:
    """On both databases."""
    (tmp_path / "documents").mkdir()
    return Archivist(office, tmp_path / "documents")


def attach(archivist: Archivist, id: str, words: str, name: str) -> str:
    """Attach a file with these words in it to the open task; its SHA-256."""
    office = archivist.office
    _, number = office.open(id)
    office.at += timedelta(seconds=1)
    kept = documents.store(BytesIO(words.encode()), "catatan.txt", archivist.folder)
    act = AttachDocument(document="rancangan_akhir", user_task=number, attachment=Attachment(files=(File(
        sha256=kept.sha256, size_bytes=kept.size_bytes, media_type=kept.media_type, name=name),)))
    with office.database.begin() as db:
        documents.record(db, archivist.folder, kept, office.at)
        handle.handle(db, office.rules, office.database.key, id, [office.request("tim1", act)])
    return kept.sha256


def eventful(archivist: Archivist) -> tuple[str, str]:
    """(instance, SHA-256 of a file) with returns, a correction, a migration, comments, a draft and a notice, the secret
    in all of them; it waits at step 5."""
    office = archivist.office
    id = office.begin(2026)
    office.do(id, "camat", AddComment(text=f"Laporan dari {SECRET}."))
    office.round(id, lambda one: one())
    office.do(id, "admin", Correct(reason=f"Permintaan {SECRET}", data={"ringkasan_reviu": f"Cukup, kata {SECRET}."}))
    new = deployed(office, second())
    mapping = {"langkah_5": "perbaikan", "langkah_6": "pemeriksaan", "waktu_6": "batas_6"}
    office.do(id, "admin", MigrateProcessInstance(to=new.sha256, mapping=mapping, reason=f"Demi {SECRET}"))
    sha256 = attach(archivist, id, f"Surat dari {SECRET}\n", f"{SECRET}.txt")
    _, number = office.open(id)
    with office.database.begin() as db:
        instances.save_draft(db, id, number, "tim1", {"catatan": f"tentang {SECRET}"}, office.at)
        db.execute(notice.insert().values(
            id="n1", instance=id, user_task=None, kind="baru", person="camat", about_at="2026-12-07T02:00:00.000000Z",
            subject="Komentar", body=f"Yth.\n{SECRET}\nsalam", created_at="2026-12-07T02:00:00.000000Z", mail="none",
            tries=0))
    return id, sha256


def all_bytes(archivist: Archivist) -> bytes:
    """Everything that the installation keeps: files of the database with its log beside it, or all rows; documents."""
    database = archivist.office.database
    found = b"".join(one.read_bytes() for one in sorted(archivist.folder.rglob("*")) if one.is_file())
    if database.dialect == "sqlite":
        name = Path(database.engine.url.database or "")
        found += b"".join(one.read_bytes() for one in sorted(name.parent.glob(f"{name.name}*")))
        return found
    with database.read() as db:         # what a dump of it would hold
        names = db.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        for one in names:
            for row in db.execute(text(f'SELECT * FROM "{one}"')):
                found += b"\n".join(bytes(v) if isinstance(v, (bytes, memoryview)) else str(v).encode() for v in row)
    return found


def everything_agrees(archivist: Archivist) -> None:
    office = archivist.office
    with office.database.snapshot() as db:
        assert integrity.verify(db, office.database.key).faults == []
        for stream in journal.streams(db, "instance/"):
            id = stream.removeprefix("instance/")
            again, _ = handle.replayed(db, office.rules, id)
            stored = instances.load(db, id)
            assert stored is not None and again == stored and replace(again, marking=stored.marking) == stored
            assert audit.played(db, office.rules, id).difference == ""


def exported(archivist: Archivist, id: str, tmp_path: Path) -> bytes:
    """XES, OCEL, CSV, PDF and the pack of an instance; the pack holds by the verifier."""
    office, found = archivist.office, b""
    checkpoints.sign(office.database, Place(tmp_path / "checkpoint.key", "http://localhost", None))
    with evidence.spoken("id"), office.database.snapshot() as db:
        it = evidence.of(db, office.rules, id, office.at)
        assert it is not None
        for form in ("xes", "jsonocel", "csv", "pdf"):
            found += evidence.written(it, form, named=True)
        for row in evidence.rows(it):
            found += "\n".join((*row.said, *(line for _, lines in row.entered for line in lines))).encode()
        pack = tmp_path / f"{next(archivist.numbers)}.zip"
        evidence.pack(it, archivist.folder, pack)
    report = verifier.verify(str(pack), [], [])
    assert report.findings == []
    return found + "\n".join(report.held).encode() + pack.read_bytes()


@pytest.mark.parametrize("finished", [False, True])
def test_what_was_erased_is_nowhere_and_everything_still_agrees(
        anywhere: Archivist, tmp_path: Path, finished: bool) -> None:
    archivist = anywhere
    id, sha256 = eventful(archivist)
    office = archivist.office
    if finished:
        clerk = Clerk(office)
        for _ in range(6):
            if clerk.load(id).user_tasks:
                clerk.complete(id)
        assert clerk.load(id).status == COMPLETED
    with office.database.read() as db:
        before = instances.load(db, id)
    assert SECRET.encode() in all_bytes(archivist)
    done = archivist.erase(id, archivist.holding(id, SECRET), (sha256,))
    assert (done.values, done.files, done.instances) == (5, 1, (id,)) and done.elsewhere == {}
    assert SECRET.encode() not in all_bytes(archivist)
    everything_agrees(archivist)
    with office.database.read() as db:
        after = instances.load(db, id)
        assert after is not None and before is not None
        assert after.erased_files == {sha256: "request 12/PDP/2027"}
        assert (after.user_tasks, after.marking, after.status) == (before.user_tasks, before.marking, before.status)
        gone = after.data["ringkasan_reviu"]
        assert isinstance(gone, Erased) and gone.why == "request 12/PDP/2027"
        assert db.execute(select(document_file).where(document_file.c.sha256 == sha256)).all() == []
        assert db.execute(select(blob).where(blob.c.sha256 == sha256)).all() == []
        assert db.execute(select(draft).where(draft.c.instance == id, draft.c.data.contains("tentang"))).all() == []
    told = exported(archivist, id, tmp_path)
    assert SECRET.encode() not in told
    assert b"dihapus atas permintaan nomor 12/PDP/2027" in told
    assert b"dihapus menurut hukum" in told


def test_a_running_instance_goes_on_after_an_erasure(archivist: Archivist) -> None:
    id, sha256 = eventful(archivist)
    archivist.erase(id, archivist.holding(id, SECRET), (sha256,))
    clerk = Clerk(archivist.office)
    attach(archivist, id, "Rancangan baru", "rancangan.txt")
    for _ in range(8):
        if clerk.load(id).user_tasks:
            clerk.complete(id)
    assert clerk.load(id).status == COMPLETED
    everything_agrees(archivist)


def test_the_shadows_of_an_erased_instance_can_be_rebuilt(archivist: Archivist) -> None:
    id, sha256 = eventful(archivist)
    archivist.erase(id, archivist.holding(id, SECRET), (sha256,))
    office = archivist.office
    with office.database.begin() as db:
        before = instances.load(db, id)
        after, steps = handle.replayed(db, office.rules, id)
        head = journal.head(db, instances.stream(id))[1]
        assert head is not None
        instances.rebuild(db, after, head, office.rules.definition(after.definition), steps)
        assert instances.load(db, id) == before
        assert sha256 not in store.files(db, id)


def test_an_erasure_takes_two_people_and_a_letter(archivist: Archivist) -> None:
    id, _ = eventful(archivist)
    asked = RequestErasure(request="r1", about=INSTANCE, id=id, number="12", dated="2026-12-01", basis=LAW,
                           values=archivist.holding(id, SECRET))
    for person in ("camat", "auditor", "nobody", "sistem"):
        assert archivist.refused(asked, person) == "not_yours"
    for wrong in (replace(asked, number=""), replace(asked, basis=""), replace(asked, dated="2036-12-01"),
                  replace(asked, values=()), replace(asked, values=("1:command.act.data.tidak_ada",)),
                  replace(asked, files=("ab" * 32,)), replace(asked, number="1\x00"), replace(asked, number="x" * 500)):
        assert archivist.refused(wrong) == "wrong"
    assert archivist.refused(replace(asked, id="tidak-ada")) == "unknown"
    archivist.does(asked)
    for person in ("admin", "sekcam", "auditor", "tim1"):
        assert archivist.refused(DecideErasure(request="r1", approved=True), person) == "not_yours"
    assert archivist.refused(DecideErasure(request="r2", approved=True), "camat") == "unknown"
    assert archivist.refused(DecideErasure(request="r1", approved=False), "camat") == "wrong"     # says no reason
    assert archivist.archive().erasures["r1"].decided.state == WAITING
    archivist.does(DecideErasure(request="r1", approved=False, note="Masih diperlukan"), "camat")
    assert archivist.refused(DecideErasure(request="r1", approved=True), "camat") == "not_open"
    assert archivist.holding(id, SECRET) != ()


def test_who_heads_the_unit_cannot_decide_on_what_they_asked_for(archivist: Archivist) -> None:
    office = archivist.office
    id, _ = eventful(archivist)
    with office.database.begin() as db:
        organise.change(db, office.database.key, org.Change(
            id="kuasa", at=office.at, actor=Actor(person="sistem", capacity="sistem", signed_in_by="cli"),
            act=org.GrantPower(person="camat", power="administrator")))
    archivist.does(RequestErasure(request="r1", about=INSTANCE, id=id, number="12", dated="2026-12-01", basis=LAW,
                                  values=archivist.holding(id, SECRET)), "camat")
    assert archivist.refused(DecideErasure(request="r1", approved=True), "camat") == "not_yours"
    with office.database.read() as db:          # nobody else heads the unit: another administrator decides
        assert (retention.waiting_for(db, "camat", office.at), retention.waiting_for(db, "admin", office.at)) == (0, 1)
    assert archivist.does(DecideErasure(request="r1", approved=True), "admin").values > 0


def test_what_decides_how_a_process_runs_is_not_erased(archivist: Archivist) -> None:
    id, _ = eventful(archivist)
    decides = {one.field for one in archivist.found(id) if one.decides}
    assert {"tahun_laporan", "keputusan", "susunan_tim"} <= decides and "ringkasan_reviu" not in decides
    year = next(one.name for one in archivist.found(id) if one.field == "tahun_laporan")
    assert archivist.refused(RequestErasure(request="r1", about=INSTANCE, id=id, number="12", dated="2026-12-01",
                                            basis=LAW, values=(year,))) == "wrong"


def test_every_value_that_may_go_can_go_and_the_history_still_plays(archivist: Archivist, tmp_path: Path) -> None:
    id, sha256 = eventful(archivist)
    values = tuple(one.name for one in archivist.found(id) if not one.decides)
    assert len(values) > 30
    archivist.erase(id, values, (sha256,))
    everything_agrees(archivist)
    exported(archivist, id, tmp_path)
    clerk = Clerk(archivist.office)
    attach(archivist, id, "Rancangan baru", "rancangan.txt")
    for _ in range(8):
        if clerk.load(id).user_tasks:
            clerk.complete(id)
    assert clerk.load(id).status == COMPLETED
    everything_agrees(archivist)


def test_asking_again_with_the_same_key_erases_once(archivist: Archivist) -> None:
    id, _ = eventful(archivist)
    asked = RequestErasure(request="r1", about=INSTANCE, id=id, number="12", dated="2026-12-01", basis=LAW,
                           values=archivist.holding(id, SECRET))
    archivist.does(asked)
    change = Change(id="sekali", at=archivist.office.at, actor=Actor(person="camat"),
                    act=DecideErasure(request="r1", approved=True))
    office = archivist.office
    first = retention.carry_out(office.database, office.rules, archivist.folder, change)
    again = retention.carry_out(office.database, office.rules, archivist.folder, change)
    assert first.values > 0 and (again.sequence, again.values) == (first.sequence, 0)
    with pytest.raises(Refused, match="sudah pernah dipakai"):
        retention.carry_out(office.database, office.rules, archivist.folder, replace(change, act=asked))


def test_a_file_that_another_process_has_too_stays_until_it_goes_there(archivist: Archivist, tmp_path: Path) -> None:
    first, second_ = archivist.office.begin(2026), archivist.office.begin(2025)
    sha256 = attach(archivist, first, f"Sama: {SECRET}", "a.txt")
    assert attach(archivist, second_, f"Sama: {SECRET}", "b.txt") == sha256
    archivist.erase(first, (), (sha256,))
    with archivist.office.database.read() as db:
        assert store.files(db, first).count(sha256) == 0 and sha256 in store.files(db, second_)
        assert documents.recorded(db, sha256) is not None
    # The pack of the first does not give it away from there.
    checkpoints.sign(archivist.office.database, Place(tmp_path / "checkpoint.key", "http://localhost", None))
    with archivist.office.database.snapshot() as db:
        for id, many in ((first, 0), (second_, 1)):
            packed = packs.of_streams(db, archivist.folder, tmp_path / f"{id}.zip", [instances.stream(id)])
            assert packed.documents == many and sha256 not in packed.missing
            assert verifier.verify(str(tmp_path / f"{id}.zip"), [], []).findings == []
    assert archivist.erase(second_, (), (sha256,), name="r2").files == 1
    with archivist.office.database.read() as db:
        assert documents.recorded(db, sha256) is None
    assert SECRET.encode() not in b"".join(one.read_bytes() for one in archivist.folder.rglob("*") if one.is_file())


def test_a_file_that_somebody_else_attaches_at_the_same_moment_stays(anywhere: Archivist) -> None:
    office = anywhere.office
    first, second_ = office.begin(2026), office.begin(2025)
    sha256 = attach(anywhere, first, f"Sama: {SECRET}", "a.txt")
    with office.database.begin() as db:         # the first has let go of it
        db.execute(document_file.delete().where(document_file.c.sha256 == sha256))
    forgotten: list[frozenset[str]] = []

    def forget() -> None:
        with office.database.begin() as db:
            forgotten.append(documents.forget(db, sha256))

    other = Thread(target=forget)
    kept = documents.store(BytesIO(f"Sama: {SECRET}".encode()), "b.txt", anywhere.folder)
    with office.database.begin() as db:
        documents.record(db, anywhere.folder, kept, office.at)
        other.start()
        other.join(timeout=0.5)                 # it waits for this transaction, on both databases
        db.execute(document_file.insert().values(
            instance=second_, type="a", version=1, sequence=1, place=1, sha256=sha256, media_type="text/plain",
            size_bytes=kept.size_bytes))
    other.join()
    assert forgotten == [frozenset()]
    with office.database.read() as db:
        assert documents.recorded(db, sha256) is not None


# People

def test_a_former_employee_is_called_by_their_position_everywhere(anywhere: Archivist, tmp_path: Path) -> None:
    archivist = anywhere
    office, key, name = archivist.office, archivist.office.database.key, "Nama Yang Dihapus Kelak"
    system = Actor(person="sistem", capacity="sistem", signed_in_by="cli")

    def change(act: Any) -> None:
        office.at += timedelta(seconds=1)
        with office.database.begin() as db:
            organise.change(db, key, org.Change(id=f"o{next(archivist.numbers)}", at=office.at, actor=system, act=act))

    change(org.ChangePerson(person="tim1", name=name, login="tim1", nip="198001012005011001", rank="Penata",
                            email="lama@contoh.go.id"))
    id, _ = eventful(archivist)
    asked = RequestErasure(request="r1", about=PERSON, id="tim1", number="14/PDP/2027", dated="2026-12-01", basis=LAW,
                           subject=name)
    assert archivist.refused(asked) == "wrong"          # still works here
    change(org.DeactivatePerson(person="tim1", last_day="2026-12-07", reason="Pensiun"))
    archivist.does(asked)
    assert archivist.archive().erasures["r1"].unit == "kecamatan_lasem"
    done = archivist.does(DecideErasure(request="r1", approved=True), "camat")
    assert done.values >= 5
    for words in (name, "198001012005011001", "lama@contoh.go.id"):
        assert words.encode() not in all_bytes(archivist)
    with office.database.read() as db:
        from engine.store import organisation as tables
        person = tables.person_of(db, "tim1")
        assert person is not None and person.id == "tim1" and person.login == "dihapus-tim1"
        assert person.name == "Anggota Tim Penyusun LKjPD (nama dihapus)"
        assert tables.credential_of(db, "tim1") is None
    everything_agrees(archivist)
    assert b"Anggota Tim Penyusun LKjPD (nama dihapus)" in exported(archivist, id, tmp_path)
    assert archivist.refused(replace(asked, request="r2")) == "wrong"      # nothing is left


def test_who_only_uses_the_same_letters_keeps_what_they_typed(anywhere: Archivist) -> None:
    archivist, office, id = anywhere, anywhere.office, anywhere.office.begin(2026)
    system = Actor(person="sistem", capacity="sistem", signed_in_by="cli")
    for n, act in enumerate((
            org.ChangePerson(person="tim1", name="Ani", login="penyusun.laporan", nip="198001012005011001",
                             rank="Penata Muda", email="ani@contoh.go.id"),
            org.DeactivatePerson(person="tim1", last_day="2026-12-07", reason="Pensiun"))):
        office.at += timedelta(seconds=1)
        with office.database.begin() as db:
            organise.change(db, office.database.key, org.Change(id=f"p{n}", at=office.at, actor=system, act=act))
    others = {"camat": "Kelompok tani yang dilayani", "sekcam": "Seorang Penata Muda, penyusun.laporan tahun lalu",
              "tim2": "Menurut ani, sudah", "tim3": "Kata:\nAni."}
    with office.database.begin() as db:
        for person, words in others.items():
            instances.save_draft(db, id, 1, person, {"catatan": words}, office.at)
    archivist.does(RequestErasure(request="r1", about=PERSON, id="tim1", number="14", dated="2026-12-01", basis=LAW,
                                  subject="Ani"))
    archivist.does(DecideErasure(request="r1", approved=True), "camat")
    with office.database.read() as db:
        assert set(db.execute(select(draft.c.person).where(draft.c.instance == id)).scalars()) == {"camat", "sekcam"}


def test_a_large_request_asks_the_tables_no_more_often_than_a_small_one(archivist: Archivist) -> None:
    id, office = archivist.office.begin(2026), archivist.office
    asked: list[str] = []
    with office.database.begin() as db:
        event.listen(office.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        store.forget_in(db, id, ["Satu nama panjang"])
        few = len(asked)
        store.forget_in(db, id, [f"Nama panjang ke-{n}" for n in range(500)])
    assert len(asked) == 2 * few


# Legal hold

def test_a_hold_stands_in_the_way_of_every_erasure_until_it_is_lifted(archivist: Archivist) -> None:
    id, _ = eventful(archivist)
    asked = RequestErasure(request="r1", about=INSTANCE, id=id, number="12", dated="2026-12-01", basis=LAW,
                           values=archivist.holding(id, SECRET))
    archivist.does(asked)
    hold = PlaceHold(hold="h1", scope="unit", unit="kecamatan_lasem", year=2026, number="B-1/Kejari/2027",
                     basis="Penyelidikan", since="2026-12-01")
    assert archivist.refused(hold, "camat") == "not_yours"
    archivist.does(hold)
    assert archivist.refused(DecideErasure(request="r1", approved=True), "camat") == "held"
    assert archivist.refused(replace(asked, request="r2")) == "held"
    assert archivist.holding(id, SECRET) != ()
    other = archivist.office.begin(2025)                # of another year
    archivist.erase(other, archivist.holding(other, "Cukup"), name="r3")
    archivist.does(LiftHold(hold="h1", number="B-9/Kejari/2027", reason="Selesai"))
    assert archivist.refused(LiftHold(hold="h1", number="x")) == "unknown"
    archivist.does(DecideErasure(request="r1", approved=True), "camat")
    assert archivist.holding(id, SECRET) == ()


@pytest.mark.parametrize("hold", [
    PlaceHold(hold="h", scope="all", number="1", basis="Perkara", since="2026-12-01"),
    PlaceHold(hold="h", scope="unit", unit="kecamatan_lasem", number="1", basis="Perkara", since="2026-12-01"),
    PlaceHold(hold="h", scope="instance", number="1", basis="Perkara", since="2026-12-01")])
def test_each_scope_of_a_hold_covers_what_it_says(anywhere: Archivist, hold: PlaceHold) -> None:
    archivist = anywhere
    id = archivist.office.begin(2026)
    if hold.scope == "instance":
        assert archivist.refused(hold) == "wrong"
        hold = replace(hold, instance=id)
    archivist.does(hold)
    with archivist.office.database.read() as db:
        found = store.held(db, id)
        assert found is not None and found.number == "1"
        assert (store.everything_held(db) is not None) == (hold.scope == "all")
    with archivist.office.database.begin() as db:
        before = store.holds(db)
        retention.rebuild(db)
        assert store.holds(db) == before


def test_files_that_nothing_refers_to_stay_while_everything_is_held(archivist: Archivist) -> None:
    office, folder = archivist.office, archivist.folder
    stored = documents.store(BytesIO(b"tidak terpakai"), "a.txt", folder)
    with office.database.begin() as db:
        documents.record(db, folder, stored, office.at)
    archivist.does(PlaceHold(hold="h", scope="all", number="1", basis="Perkara", since="2026-12-01"))
    later = datetime.now(UTC) + timedelta(days=400)
    with office.database.begin() as db:
        assert documents.sweep(db, folder, later) == 0
        assert documents.recorded(db, stored.sha256) is not None
    archivist.does(LiftHold(hold="h", number="2"))
    with office.database.begin() as db:
        assert documents.sweep(db, folder, later) == 1


# Retention and disposal

CLASS = SetRetention(key="penyusunan_lkjpd", unit="", name="Laporan kinerja", active=2, inactive=3, fate=DESTROY,
                     basis="Perbup JRA")


def finished(archivist: Archivist, year: int = 2026) -> str:
    clerk = Clerk(archivist.office)
    id = archivist.office.begin(year)
    for _ in range(12):
        if clerk.load(id).user_tasks:
            clerk.complete(id)
    assert clerk.load(id).status == COMPLETED
    return id


def in_years(archivist: Archivist, years: int) -> datetime:
    return archivist.office.at.replace(year=archivist.office.at.year + years) + timedelta(days=40)


def test_nothing_is_due_without_a_class_nor_before_its_time_nor_while_it_runs(archivist: Archivist) -> None:
    id, running = finished(archivist), archivist.office.begin(2025)
    office = archivist.office

    def due(years: int) -> list[str]:
        with office.database.read() as db:
            return [one.id for one in retention.due(db, retention.load(db), in_years(archivist, years))]

    assert due(90) == []
    archivist.does(CLASS)
    assert due(4) == [] and due(5) == [id] and running not in due(90)
    archivist.does(replace(CLASS, unit="kecamatan_lasem", inactive=20))          # the nearer one holds
    assert due(5) == [] and due(22) == [id]
    archivist.does(DropRetention(key="penyusunan_lkjpd", unit="kecamatan_lasem"))
    assert due(5) == [id]
    for wrong in (replace(CLASS, fate="hilang"), replace(CLASS, active=-1), replace(CLASS, active=0, inactive=0),
                  replace(CLASS, key="tidak_ada"), replace(CLASS, unit="tidak_ada"), replace(CLASS, name="")):
        assert archivist.refused(wrong) == "wrong"


def test_what_is_due_is_found_with_as_many_statements_however_much_it_is(archivist: Archivist) -> None:
    finished(archivist)
    archivist.does(CLASS)
    archivist.does(PlaceHold(hold="h", scope="unit", unit="kecamatan_lasem", year=2025, number="1", basis="Perkara",
                             since="2026-12-01"))
    asked: list[str] = []
    event.listen(archivist.office.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    def due() -> tuple[int, list[str | None]]:
        with archivist.office.database.read() as db:
            archive = retention.load(db)
            asked.clear()
            found = retention.due(db, archive, in_years(archivist, 6))
            return len(asked), [one.held.number if one.held else None for one in found]

    one, holds = due()
    assert holds == [None]
    finished(archivist, 2025)
    finished(archivist, 2024)
    assert due() == (one, [None, "1", None])


def test_disposal_takes_a_proposal_a_head_and_a_berita_acara(anywhere: Archivist, tmp_path: Path) -> None:
    archivist = anywhere
    id, office = finished(archivist), archivist.office
    archivist.does(CLASS)
    proposal = ProposeDisposal(disposal="d1", unit="kecamatan_lasem", instances=(id,), number="3/BA/2032",
                               dated="2032-03-01", basis="PP 28/2012")
    assert archivist.refused(proposal) == "wrong"               # not yet due
    later = in_years(archivist, 6)
    assert archivist.refused(proposal, "camat", later) == "not_yours"
    archivist.does(proposal, at=later)
    assert archivist.refused(replace(proposal, disposal="d2", number="4/BA/2032"), at=later) == "wrong"  # waits already
    assert archivist.refused(DecideDisposal(disposal="d1", approved=True), "admin", later) == "not_yours"
    assert any(not one.decides for one in archivist.found(id))
    archivist.does(PlaceHold(hold="h", scope="instance", instance=id, number="1", basis="Perkara", since="2026-12-01"),
                   at=later)
    assert archivist.refused(DecideDisposal(disposal="d1", approved=True), "camat", later) == "held"
    archivist.does(LiftHold(hold="h", number="2"), at=later)
    with office.database.read() as db:
        would = retention.disposed(db, archivist.archive().disposals["d1"])
    done = archivist.does(DecideDisposal(disposal="d1", approved=True), "camat", later)
    assert done.instances == (id,) and done.values > 20
    assert [one for one in archivist.found(id) if not one.decides] == []
    everything_agrees(archivist)
    with office.database.read() as db:
        instance = instances.load(db, id)
        assert instance is not None and instance.disposed == "3/BA/2032"
        [one] = retention.disposed(db, archivist.archive().disposals["d1"])
        assert one.head == would[0].head and len(one.head) == 64 and one.values == done.values
        assert retention.due(db, retention.load(db), later) == []
        assert store.files(db, id) == []
    assert b"dimusnahkan sesuai berita acara nomor 3/BA/2032" in exported(archivist, id, tmp_path)


def test_a_disposal_that_was_refused_disposes_of_nothing_and_may_be_proposed_again(archivist: Archivist) -> None:
    id = finished(archivist)
    archivist.does(CLASS)
    later = in_years(archivist, 6)
    proposal = ProposeDisposal(disposal="d1", unit="kecamatan_lasem", instances=(id,), number="3/BA/2032",
                               dated="2032-03-01", basis="PP 28/2012")
    archivist.does(proposal, at=later)
    archivist.does(DecideDisposal(disposal="d1", approved=False, note="Masih dipakai"), "camat", later)
    assert any(not one.decides for one in archivist.found(id))
    archivist.does(replace(proposal, disposal="d2"), at=later)
    assert archivist.archive().disposals["d2"].decided.state == WAITING


def test_what_is_kept_for_ever_or_is_to_be_judged_is_never_disposed_of(archivist: Archivist) -> None:
    id = finished(archivist)
    for n, fate in enumerate(("permanen", "dinilai")):
        archivist.does(replace(CLASS, fate=fate))
        assert archivist.refused(ProposeDisposal(
            disposal=f"d{n}", unit="kecamatan_lasem", instances=(id,), number=str(n), dated="2032-03-01",
            basis="PP 28/2012"), at=in_years(archivist, 6)) == "wrong"


# Who waits, who has copies

def test_a_head_is_told_what_waits_for_their_decision(archivist: Archivist) -> None:
    id, _ = eventful(archivist)
    office = archivist.office

    def waiting(person: str) -> int:
        with office.database.read() as db:
            return retention.waiting_for(db, person, office.at)

    assert waiting("camat") == 0
    archivist.does(RequestErasure(request="r1", about=INSTANCE, id=id, number="12", dated="2026-12-01", basis=LAW,
                                  values=archivist.holding(id, SECRET)))
    assert (waiting("camat"), waiting("admin"), waiting("sekcam")) == (1, 0, 0)
    archivist.does(DecideErasure(request="r1", approved=True), "camat")
    assert waiting("camat") == 0 and archivist.archive().erasures["r1"].decided.state == APPROVED


# The ways to delete

# Every place in engine/ that deletes: what it deletes, and why it may.
NO_RECORD = "no record: it is what somebody is doing now, or can be made again"
SHADOW = "a shadow: what it says stands in the journal"
ASKS = "asks the legal holds"
WAYS = {
    "engine/__main__.py": NO_RECORD, "engine/backup.py": NO_RECORD, "engine/checkpoints.py": NO_RECORD,
    "engine/store/database.py": NO_RECORD, "engine/store/definitions.py": SHADOW,
    "engine/store/documents.py": ASKS, "engine/store/drafts.py": NO_RECORD, "engine/store/due.py": NO_RECORD,
    "engine/store/feeds.py": NO_RECORD, "engine/store/instances.py": SHADOW, "engine/store/journal.py": ASKS,
    "engine/store/ledger.py": NO_RECORD, "engine/store/moves.py": NO_RECORD, "engine/store/organisation.py": SHADOW,
    "engine/store/passes.py": SHADOW, "engine/store/retention.py": ASKS, "engine/store/sessions.py": NO_RECORD,
    "engine/store/stories.py": NO_RECORD, "engine/store/proposals.py": SHADOW,
    # How people sign in, the office's TLS key, and uploads that nobody finished.
    "engine/store/factors.py": NO_RECORD, "engine/store/office_accounts.py": NO_RECORD,
    "engine/certificates.py": NO_RECORD, "engine/store/parts.py": NO_RECORD,
    "engine/store/integrity.py": NO_RECORD,     # what the continuous invariants found, looked at again each minute
}


def deleting() -> set[str]:
    """The files of engine/ that delete rows or files, or erase values."""
    found = set()
    for path in sorted((ROOT / "engine").rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "id", "") or getattr(called, "attr", "")
            said = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if name in ("delete", "unlink", "rmtree", "rmdir") or re.match(r"\s*(DELETE FROM|TRUNCATE)\b", said) \
                    or (name == "update" and called is not None and "journal_value" in ast.dump(node)):
                found.add(path.relative_to(ROOT).as_posix())
    return found


def test_every_way_to_delete_is_known_and_those_of_records_ask_the_holds() -> None:
    assert deleting() - WAYS.keys() == set(), "say here what is deleted there, and that no legal hold forbids it"
    source = (ROOT / "engine" / "retention.py").read_text()
    assert source.count("journal.erase(") == 2 and source.count("store.scrub(") == 1
    others = {path.name for path in (ROOT / "engine").rglob("*.py") if "journal.erase(" in path.read_text()}
    assert others == {"retention.py"}       # where each is behind must_be_free, or any_held for a person
    assert "everything_held(" in (ROOT / "engine" / "store" / "documents.py").read_text()
    removing = {path.name for path in (ROOT / "engine").rglob("*.py") if "documents.forget(" in path.read_text()}
    assert removing == {"retention.py"}


def test_every_act_of_the_stream_comes_back_as_it_was(archivist: Archivist) -> None:
    archivist.does(CLASS)
    archivist.does(PlaceHold(hold="h", scope="all", number="1", basis="Perkara", since="2026-12-01"))
    with archivist.office.database.read() as db:
        assert [one.act for one in retention.load(db).history] == [
            CLASS, PlaceHold(hold="h", scope="all", number="1", basis="Perkara", since="2026-12-01")]
        assert definitions.newest(db, "penyusunan_lkjpd") is not None
        assert db.execute(select(journal_value).where(journal_value.c.stream == "retention")).all() == []
        assert packs.FORMAT == "alur-pack/1"
