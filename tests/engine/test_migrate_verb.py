"""Migrating all that runs: rehearsed, applied one by one, repeated, raced and undone, on both databases."""
from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from engine import diagram, migrate, organise
from engine import organisation as org
from engine.bench import Office, paper
from engine.commands import (
    Actor,
    AddComment,
    AskExtension,
    AttachDocument,
    ClaimUserTask,
    CompleteUserTask,
    GrantExtension,
    MigrateProcessInstance,
    OweRequirement,
    Promise,
    ResumeProcessInstance,
    SettleRequirement,
    StartProcessInstance,
    SuspendProcessInstance,
    WaiveRequirement,
)
from engine.definition import ProcessDefinition
from engine.deploy import SYSTEM, deploy
from engine.events import ProcessInstanceMigrated, TimerFired
from engine.handle import fire, handle, opening, replayed, start
from engine.instance import COMPLETED, SUSPENDED, ProcessInstance, Refused
from engine.store import instances, integrity, moves, passes, schema
from tests.engine.test_walks import Typist
from tests.story import LKJPD as FILE

LASEM, LKJPD = "kecamatan_lasem", "penyusunan_lkjpd"
PERFORMERS = {"kepala_pd": "camat", "sekretaris_pd": "sekcam", "tim_penyusun": "tim1", "inspektorat": "inspektorat"}
WHY = "Versi 2 disahkan"
ADMIN = Actor(person="admin", capacity="administrator", administrator=True)
RENAMED = {"langkah_5": "perbaikan", "langkah_6": "pemeriksaan", "waktu_6": "batas_6"}


def second(*edits: tuple[str, str], **renamed: str) -> bytes:
    """The LKjPD with longer norms, some ids renamed, and what else is asked for."""
    text = FILE.read_text()
    for before, now in (("P20D", "P25D"), ("P5D", "P3D"), *edits):
        assert before in text, before
        text = text.replace(before, now)
    for before, now in {**RENAMED, **renamed}.items():
        text = re.sub(rf'(?<=[">]){before}(?=["<])', now, text)
    return text.encode()


def deployed(office: Office, data: bytes) -> ProcessDefinition:
    with office.database.begin() as db:
        version = deploy(db, office.database.key, data, actor=SYSTEM, reason=WHY, at=office.at).version
    return office.rules.definition(version.sha256)


class Clerk:
    """Everybody of the office at once: brings instances to where a test wants them, and to their end."""

    def __init__(self, office: Office, seed: int = 1):
        self.office, self.draw = office, random.Random(seed)
        self.typist = Typist(self.draw)
        self.opening: StartProcessInstance | None = None        # the diagram is read once, not for each

    def load(self, id: str) -> ProcessInstance:
        with self.office.database.read() as db:
            found = instances.load(db, id)
        assert found is not None
        return found

    def begin(self, year: int) -> str:
        data = {"tahun_laporan": year, "status_surat_edaran": "sudah", "nomor_surat_edaran": "900/1",
                "tanggal_surat_edaran": "2026-12-01", "tanggal_terima_surat_edaran": "2026-12-02"}
        with self.office.database.begin() as db:
            self.opening = self.opening or opening(
                db, LKJPD, LASEM, data={}, attachments={"surat_edaran": paper("surat_edaran")})
            request = self.office.request("sekcam", replace(self.opening, data=data))
            return start(db, self.office.rules, self.office.database.key, request)[0]

    def complete(self, id: str, approve: bool = True) -> None:
        """The open task of an instance, with whatever it asks for."""
        instance = self.load(id)
        [task] = instance.user_tasks.values()
        definition = self.office.rules.definition(instance.definition)
        element, who = definition.elements[task.element], task.owner or PERFORMERS[task.lane]
        data = self.typist.form(element, date(2026, 12, 14))
        if "keputusan" in data:
            data["keputusan"] = "setujui" if approve else "kembalikan"
        acts: list[Any] = []
        for _ in range(30):             # what is missing is handed in, and asked for again
            acts.append(CompleteUserTask(user_task=task.number, data=data))
            try:
                with self.office.database.begin() as db:
                    handle(db, self.office.rules, self.office.database.key, id,
                           [self.office.request(who, act) for act in acts])
                return
            except Refused as refused:
                acts.pop()
                for place in (one.place for one in refused.problems):
                    given = self.typist.attachment(definition.fields[place])
                    owed = place in instance.owed and element.field(place) is None
                    acts.append(SettleRequirement(document=place, attachment=given) if owed else AttachDocument(
                        document=place, attachment=given, user_task=task.number))
        raise AssertionError(f"{element.id} asks without end")

    def bring(self, year: int, returns: int, step: int) -> str:
        """A new instance, returned so often, before this step."""
        id = self.begin(year)
        for _ in range(min(step, 8) - 1 if not returns else 6):
            self.complete(id)
        for done in range(returns):
            self.complete(id, approve=False)
            for _ in range((step - 5) if done == returns - 1 and step < 8 else 2):
                self.complete(id)
        for _ in range({True: step - 7, False: step - 8}[returns > 0] if step > 7 else 0):
            self.complete(id)
        return id

    def something(self, id: str, kind: str) -> None:
        """What else may be so of an instance where it stands."""
        [task] = self.load(id).user_tasks.values()
        element = self.office.rules.definition(self.load(id).definition).elements[task.element]
        who = PERFORMERS[task.lane]
        try:
            if kind == "claimed":
                self.office.do(id, who, ClaimUserTask(user_task=task.number))
            elif kind == "draft":
                with self.office.database.begin() as db:
                    instances.save_draft(db, id, task.number, who, {"catatan": "belum selesai"}, self.office.at)
            elif kind == "owed":
                document = next(one.id for one in element.slots if one.slot and one.slot.owed_until)
                promise = Promise(document=document, promised="2027-02-20", reason="Belum ditandatangani")
                self.office.do(id, who, OweRequirement(user_task=task.number, promise=promise))
            elif kind == "waived":
                document = next(one.id for one in element.slots if one.slot and one.slot.waivable)
                self.office.do(id, "camat", WaiveRequirement(user_task=task.number, document=document, reason="Daring"))
            elif kind == "extended":
                self.office.do(id, who, AskExtension(user_task=task.number, until="2027-01-29", reason="Data kurang"))
                self.office.do(id, "camat", GrantExtension(user_task=task.number))
            elif kind == "fired":
                timer = next(one for one in self.load(id).timers.values() if one.user_task == task.number)
                with self.office.database.begin() as db:
                    fire(db, self.office.rules, self.office.database.key, id, timer.number, timer.due_at, timer.due_at)
            elif kind == "suspended":
                self.office.do(id, "admin", SuspendProcessInstance(reason="Pejabat berganti"))
        except (Refused, StopIteration):
            pass                        # not every step offers it

    def finish(self, id: str) -> None:
        if self.load(id).status == SUSPENDED:
            self.office.do(id, "admin", ResumeProcessInstance(reason="Sudah dilantik"))
        while self.load(id).status != COMPLETED:
            self.complete(id)


POSITIONS = [(0, step) for step in range(1, 10)] + [(returns, step) for returns in (1, 2) for step in range(5, 10)]
KINDS = ("claimed", "draft", "owed", "waived", "extended", "fired", "suspended")


def everywhere(clerk: Clerk, places: Iterable[int]) -> list[str]:
    """Instances at every position in turn, each with something else that is so: the given ones of them."""
    found = []
    for n in places:
        returns, step = POSITIONS[n % len(POSITIONS)]
        id = clerk.bring(2000 + n, returns, step)
        clerk.something(id, KINDS[n % len(KINDS)])
        found.append(id)
    return found


def sample(office: Office, count: int, every: int) -> range:
    """All places on SQLite; on PostgreSQL each so-manyth: where an instance stands is the heart's matter, which knows
    no database, and every kind of row is in the sample too."""
    return range(0, count, every if office.database.dialect == "postgresql" else 1)


def shadows(office: Office, id: str) -> dict[str, Any]:
    """Every row that tells of an instance, journal aside."""
    with office.database.read() as db:
        return {table.name: sorted((tuple(row) for row in db.execute(select(*[
            one for one in table.c if one.name not in ("state", "head")]).where(
            (table.c.id if table is schema.instance else table.c.instance) == id))), key=repr) for table in (
            schema.instance, schema.user_task, schema.timer, schema.team, schema.document, schema.document_file,
            schema.draft)}


def must_be_whole(office: Office, *ids: str) -> None:
    """Replayed it is the same, its rows are those that a rebuild makes, and the journal verifies."""
    for id in ids:
        before = shadows(office, id)
        with office.database.begin() as db:
            instance, told = replayed(db, office.rules, id)
            assert instance == instances.load(db, id)
            loaded = instances.lock(db, id, "-")
            assert loaded is not None
            instances.rebuild(db, instance, loaded.head, office.rules.definition(instance.definition), told)
        assert shadows(office, id) == before
    with office.database.read() as db:
        assert integrity.verify(db, office.database.key).faults == []


def apply(office: Office, ids: list[str], to: ProcessDefinition, **more: Any) -> tuple[migrate.Applied, ...]:
    given = {"person": "admin", "reason": WHY, "at": office.at, **more}
    return migrate.apply(office.database, office.rules, ids, to.sha256, **given)


def undo(office: Office, ids: list[str]) -> tuple[migrate.Applied, ...]:
    return migrate.undo(office.database, office.rules, ids, person="admin", reason="Keliru", at=office.at)


def rehearse(office: Office, to: str, mapping: dict[str, str] | None = None,
             **more: Any) -> tuple[migrate.Rehearsed, ...]:
    with office.database.read() as db:
        return migrate.rehearse(db, office.rules, LKJPD, to, mapping, at=office.at, **more)


def outcomes(found: tuple[migrate.Applied, ...] | tuple[migrate.Rehearsed, ...]) -> list[str]:
    return [one.outcome for one in found]


@pytest.fixture
def clerk(office: Office) -> Iterator[Clerk]:
    yield Clerk(office)


# The property

def test_sixty_instances_at_every_position_go_over_whole_and_on_to_their_end(office: Office, clerk: Clerk) -> None:
    ids = everywhere(clerk, sample(office, 60, 4))
    new = deployed(office, second())
    before = {id: clerk.load(id) for id in ids}
    rows = {id: shadows(office, id) for id in ids}
    tasks = [task for one in before.values() for task in one.user_tasks.values()]
    # Everything that may be so of an instance really is so of some.
    assert {task.round for task in tasks} == {1, 2, 3} and {task.owner is None for task in tasks} == {True, False}
    assert any(task.extended for task in tasks) and any(one.owed for one in before.values())
    assert any(one.waived for one in before.values()) and any(one.status == SUSPENDED for one in before.values())
    assert any(one["draft"] for one in rows.values()) and any(len(one.timers) == 1 for one in before.values())
    rehearsed = {one.instance: one for one in rehearse(office, new.sha256)}
    assert rehearsed.keys() == before.keys() and {one.outcome for one in rehearsed.values()} == {migrate.MOVES}
    assert {id: clerk.load(id) for id in ids} == before             # nothing is written by a rehearsal
    assert outcomes(apply(office, ids, new)) == [migrate.MIGRATED] * len(ids)
    for id, was in before.items():
        now, here = clerk.load(id), shadows(office, id)
        assert now.definition == new.sha256 and now.status == was.status
        assert (now.data, now.documents, now.waived, now.incidents) == (was.data, was.documents, was.waived,
                                                                        was.incidents)
        assert now.rounds == {RENAMED.get(element, element): n for element, n in was.rounds.items()}
        assert now.passed == {RENAMED.get(element, element): one for element, one in was.passed.items()}
        assert now.owed.keys() == was.owed.keys() and now.team == was.team
        assert [t.number for t in now.marking.tokens] == [t.number for t in was.marking.tokens]
        for number, task in was.user_tasks.items():
            other = now.user_tasks[number]
            assert other.element == RENAMED.get(task.element, task.element)
            assert (other.owner, other.claimed_at, other.round, other.extension, other.extended, other.opened_at) == (
                task.owner, task.claimed_at, task.round, task.extension, task.extended, task.opened_at)
            [told] = [one for one in rehearsed[id].tasks if one.number == number]
            assert (told.element, told.late_before, told.late_at) == (other.element, task.late_at, other.late_at)
        assert [here[name] for name in ("team", "document", "document_file", "draft")] == [
            rows[id][name] for name in ("team", "document", "document_file", "draft")]
    must_be_whole(office, *ids)
    assert outcomes(apply(office, ids, new)) == [migrate.THERE] * len(ids)
    for id in ids:
        clerk.finish(id)
        [event] = [one for step in steps(office, id) for one in step.events if isinstance(one, ProcessInstanceMigrated)]
        assert event.to == new.sha256 and clerk.load(id).definition == new.sha256
        fired = [one.timer for step in steps(office, id) for one in step.events if isinstance(one, TimerFired)]
        assert len(fired) == len(set(fired))
    must_be_whole(office, *ids[::6])


def steps(office: Office, id: str) -> list[Any]:
    with office.database.read() as db:
        return [step for step, _ in instances.steps(db, id)]


def test_undoing_gives_every_row_back_as_it_was(office: Office, clerk: Clerk) -> None:
    ids = everywhere(clerk, sample(office, 19, 2))
    new = deployed(office, second())
    rows = {id: shadows(office, id) for id in ids}
    before = {id: clerk.load(id) for id in ids}
    apply(office, ids, new)
    office.do(ids[3], "admin", AddComment(text="Sudah dilihat"))
    assert {id for id in ids if shadows(office, id)["user_task"] != rows[id]["user_task"]}
    with office.database.read() as db:
        assert set(migrate.undoable(db, LKJPD)) == set(ids)
    assert outcomes(undo(office, ids)) == [migrate.UNDONE] * len(ids)
    for id in ids:
        after, here = clerk.load(id), shadows(office, id)
        assert (after.user_tasks, after.timers, after.marking.tokens, after.definition, after.rounds) == (
            before[id].user_tasks, before[id].timers, before[id].marking.tokens, before[id].definition,
            before[id].rounds)
        for name in ("user_task", "timer", "team", "document", "draft"):
            assert here[name] == rows[id][name], name
    must_be_whole(office, *ids)
    assert outcomes(undo(office, ids)) == [migrate.THERE] * len(ids)      # the same asked again changes nothing
    assert outcomes(apply(office, ids, new)) == [migrate.MIGRATED] * len(ids)
    clerk.complete(ids[1])
    assert outcomes(undo(office, ids[:3])) == [migrate.UNDONE, migrate.REFUSED, migrate.UNDONE]


# Rehearsing

def test_a_rehearsal_says_of_each_whether_it_moves_needs_a_mapping_or_stays_and_why(
        office: Office, clerk: Clerk) -> None:
    early, late, owing = clerk.bring(2001, 0, 1), clerk.bring(2002, 0, 7), clerk.bring(2003, 0, 2)
    office.do(early, "camat", ClaimUserTask(user_task=next(iter(clerk.load(early).user_tasks))))
    office.do(owing, "sekcam", OweRequirement(user_task=next(iter(clerk.load(owing).user_tasks)), promise=Promise(
        document="sk_tim", promised="2027-02-20", reason="Belum ditandatangani")))
    text = second(('id="sk_tim"', 'id="sk_lain"')).decode()
    # Step 7 is another one in all that an owner sees, under another id.
    text = text.replace("Memeriksa dan menandatangani", "Mengesahkan")
    text = re.sub(r'(?<=[">])langkah_7(?=["<])', "pengesahan", text)
    text = re.sub(r'(<bpmn:userTask id="pengesahan".*?)<camunda:formField id="catatan', r'\1<camunda:formField id="cat',
                  text, flags=re.DOTALL).replace("PT120M", "PT60M")
    new = diagram.reread(text.encode())
    found = {one.instance: one for one in rehearse(office, new.sha256, supposed=new)}
    assert {id: one.outcome for id, one in found.items()} == {
        early: migrate.MOVES, late: migrate.MAPPING, owing: migrate.STAYS}
    assert [element for element, _ in found[late].needs] == ["langkah_7"] and "langkah 7" in found[late].reason.lower()
    assert "menyusul" in found[owing].reason and found[owing].title
    assert found[early].tasks[0].owner == "camat" and not found[early].changes
    mapped = {one.instance: one for one in rehearse(office, new.sha256, {"langkah_7": "pengesahan"}, supposed=new)}
    assert mapped[late].outcome == migrate.MOVES and mapped[late].changes
    assert [(one.before, one.element, one.name) for one in mapped[late].tasks] == [
        ("langkah_7", "pengesahan", "Mengesahkan")]
    with pytest.raises(Refused, match="langkah_77"):
        rehearse(office, new.sha256, {"langkah_77": "pengesahan"}, supposed=new)
    with pytest.raises(Refused, match="tidak ada"):
        rehearse(office, "0" * 64)


def test_more_instances_than_one_batch_are_all_rehearsed(
        office: Office, clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [clerk.begin(2000 + n) for n in range(7)]
    new = deployed(office, second())
    monkeypatch.setattr(migrate, "BATCH", 3)
    assert [one.instance for one in rehearse(office, new.sha256)] == sorted(ids)


# Applying

def test_a_crash_in_the_middle_is_finished_by_asking_again(office: Office, clerk: Clerk) -> None:
    ids = [clerk.begin(2000 + n) for n in range(5)]
    new = deployed(office, second())

    class Crash(BaseException):
        pass

    def power_cut(done: int, of: int, one: migrate.Applied) -> None:
        if done == 2:
            raise Crash

    with pytest.raises(Crash):
        apply(office, ids, new, progress=power_cut)
    told: list[tuple[int, int, str]] = []
    found = apply(office, ids, new, progress=lambda done, of, one: told.append((done, of, one.outcome)))
    assert outcomes(found) == [migrate.THERE] * 2 + [migrate.MIGRATED] * 3
    assert told == [(n, 5, one.outcome) for n, one in enumerate(found, 1)]
    for id in ids:
        assert sum(isinstance(one, ProcessInstanceMigrated) for step in steps(office, id) for one in step.events) == 1
    must_be_whole(office, *ids)


def test_one_that_is_refused_or_cannot_be_read_stops_no_other(office: Office, clerk: Clerk) -> None:
    ids = [clerk.begin(2000 + n) for n in range(3)]
    with office.database.begin() as db:
        db.execute(schema.instance.update().where(schema.instance.c.id == ids[1]).values(state=b"{"))
    new = deployed(office, second())
    found = {one.instance: one for one in rehearse(office, new.sha256)}
    assert [found[id].outcome for id in ids] == [migrate.MOVES, migrate.STAYS, migrate.MOVES]
    assert outcomes(apply(office, [*ids, "nowhere"], new)) == [
        migrate.MIGRATED, migrate.FAILED, migrate.MIGRATED, migrate.REFUSED]


def test_two_processes_at_once_migrate_each_instance_once(office: Office, clerk: Clerk) -> None:
    ids = [clerk.begin(2000 + n) for n in range(8)]
    new = deployed(office, second())
    at_once = threading.Barrier(2)
    found: list[tuple[migrate.Applied, ...]] = []

    def one(reason: str) -> None:
        at_once.wait()
        found.append(apply(office, ids, new, reason=reason))

    threads = [threading.Thread(target=one, args=(reason,)) for reason in (WHY, "Versi baru")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {outcome for told in found for outcome in outcomes(told)} <= {migrate.MIGRATED, migrate.THERE}
    for id in ids:
        assert sum(isinstance(one, ProcessInstanceMigrated) for step in steps(office, id) for one in step.events) == 1
    must_be_whole(office, *ids)


def go_on(office: Office, id: str, person: str = "pengelola1", most: int = 2) -> moves.Run:
    return migrate.go_on(office.database, office.rules, id, person=person, most=most, at=office.at)


def test_many_go_over_some_at_a_time_and_are_proved_again_whoever_goes_on(office: Office, clerk: Clerk) -> None:
    ids = [clerk.begin(2000 + n) for n in range(5)]
    new = deployed(office, second())
    chosen = {id: clerk.load(id).definition for id in ids}
    more: dict[str, Any] = {"id": "a" * 32, "person": "pengelola1", "reason": WHY, "at": office.at}
    run = migrate.begin(office.database, LKJPD, chosen, new.sha256, **more)
    assert migrate.begin(office.database, LKJPD, chosen, new.sha256, **more) == run and len(run.left) == 5
    with pytest.raises(Refused, match="isian lain"):
        migrate.begin(office.database, LKJPD, chosen, new.sha256, **{**more, "reason": "Lain"})
    assert len(go_on(office, run.id).left) == 3
    apply(office, [ids[2]], new)                    # somebody else brings one of the rest over meanwhile
    with office.database.read() as db:
        assert [one.id for one in moves.under_way(db, LKJPD)] == [run.id]
    go_on(office, run.id, person="pengelola2")      # whoever may, goes on
    after = go_on(office, run.id, person="pengelola2")
    assert after.ended_at is not None and go_on(office, run.id) == after and after.left == ()
    assert [(one.instance, one.outcome, one.replayed) for one in after.results] == [
        (id, migrate.THERE if n == 2 else migrate.MIGRATED, True) for n, id in enumerate(ids)]
    with office.database.read() as db:
        assert moves.under_way(db, LKJPD) == () and moves.get(db, run.id) == after
    who = [step.command.actor for id in ids for step in steps(office, id)
           if isinstance(step.command.act, MigrateProcessInstance)]
    assert [(one.person, one.capacity, one.administrator) for one in who] == [
        ("pengelola1", "pemilik", False), ("pengelola1", "pemilik", False), ("admin", "administrator", True),
        ("pengelola2", "pemilik", False), ("pengelola2", "pemilik", False)]
    must_be_whole(office, *ids)
    back = migrate.begin(office.database, LKJPD, dict.fromkeys(ids[:3], new.sha256), new.sha256, undoing=True, **{
        **more, "id": "b" * 32})
    assert [one.outcome for one in go_on(office, back.id, most=9).results] == [migrate.UNDONE] * 3
    assert {id for id in ids if clerk.load(id).definition == new.sha256} == set(ids[3:])
    must_be_whole(office, *ids)


def test_a_crash_before_it_was_written_down_changes_nothing_twice(
        office: Office, clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [clerk.begin(2000 + n) for n in range(3)]
    new = deployed(office, second())
    chosen = {id: clerk.load(id).definition for id in ids}
    run = migrate.begin(office.database, LKJPD, chosen, new.sha256, id="a" * 32, person="admin", reason=WHY,
                        at=office.at)

    class Crash(BaseException):
        pass

    with monkeypatch.context() as power, pytest.raises(Crash):
        def cut(*_: Any) -> None:
            raise Crash

        power.setattr(moves, "done", cut)
        go_on(office, run.id, "admin")
    assert [clerk.load(id).definition == new.sha256 for id in ids] == [True, True, False]
    go_on(office, run.id, "admin")
    after = go_on(office, run.id, "admin")
    assert [one.outcome for one in after.results] == [migrate.THERE, migrate.THERE, migrate.MIGRATED]
    for id in ids:
        assert sum(isinstance(one, ProcessInstanceMigrated) for step in steps(office, id) for one in step.events) == 1


def test_two_who_go_on_at_once_say_of_each_instance_once_what_became_of_it(office: Office, clerk: Clerk) -> None:
    ids = [clerk.begin(2000 + n) for n in range(6)]
    new = deployed(office, second())
    chosen = {id: clerk.load(id).definition for id in ids}
    run = migrate.begin(office.database, LKJPD, chosen, new.sha256, id="a" * 32, person="admin", reason=WHY,
                        at=office.at)
    at_once = threading.Barrier(2)

    def one(person: str) -> None:
        at_once.wait()
        while go_on(office, run.id, person).left:
            pass

    threads = [threading.Thread(target=one, args=(person,)) for person in ("pengelola1", "pengelola2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with office.database.read() as db:
        after = moves.get(db, run.id)
    assert after is not None and sorted(one.instance for one in after.results) == sorted(ids)
    assert {one.outcome for one in after.results} <= {migrate.MIGRATED, migrate.THERE} and after.ended_at
    for id in ids:
        assert sum(isinstance(one, ProcessInstanceMigrated) for step in steps(office, id) for one in step.events) == 1
    must_be_whole(office, *ids)


def test_one_that_went_elsewhere_since_it_was_chosen_is_refused(office: Office, clerk: Clerk) -> None:
    id = clerk.begin(2001)
    two, three = deployed(office, second()), deployed(office, second(("P10D", "P11D")))
    chosen = {id: clerk.load(id).definition}
    apply(office, [id], three)
    [found] = apply(office, [id], two, chosen=chosen)
    assert found.outcome == migrate.REFUSED and "sejak dipilih" in found.message
    assert outcomes(apply(office, [id], two, chosen={id: three.sha256})) == [migrate.MIGRATED]
    [kept] = migrate.undo(office.database, office.rules, [id], person="admin", reason="Keliru",
                          chosen={id: three.sha256}, at=office.at)
    assert kept.outcome == migrate.REFUSED and clerk.load(id).definition == two.sha256


def test_a_journal_that_gives_something_else_is_told_and_not_called_the_same(office: Office, clerk: Clerk) -> None:
    id = clerk.begin(2001)
    assert migrate.proved(office.database, office.rules, id)
    with office.database.begin() as db:
        state = db.execute(select(schema.instance.c.state).where(schema.instance.c.id == id)).scalar_one()
        db.execute(schema.instance.update().where(schema.instance.c.id == id).values(
            state=bytes(state).replace(b"900/1", b"900/2")))
    assert not migrate.proved(office.database, office.rules, id)


def test_an_owner_migrates_what_runs_in_the_units_that_they_own_and_nobody_elses(
        office: Office, clerk: Clerk) -> None:
    id = clerk.begin(2001)
    new = deployed(office, second())
    changes: list[org.Act] = [
        org.AddUnit(unit="kecamatan_sluke", name="Kecamatan Sluke", government="Kabupaten Rembang"),
        org.AddPerson(person="pengelola3", name="Pengelola SOP 3", login="pengelola3"),
        org.GrantPower(person="pengelola3", power=org.OWNER, unit="kecamatan_sluke")]
    with office.database.begin() as db:
        organise.change_all(db, office.database.key, [org.Change(
            id=f"c{n}", at=office.at, actor=ADMIN, act=act) for n, act in enumerate(changes)])
    [stranger] = apply(office, [id], new, person="pengelola3")
    assert stranger.outcome == migrate.REFUSED and "pemilik SOP unit ini" in stranger.message
    assert outcomes(apply(office, [id], new, person="pengelola2")) == [migrate.MIGRATED]
    [stranger] = migrate.undo(office.database, office.rules, [id], person="pengelola3", reason="Keliru", at=office.at)
    assert stranger.outcome == migrate.REFUSED
    [back] = migrate.undo(office.database, office.rules, [id], person="pengelola1", reason="Keliru", at=office.at)
    assert back.outcome == migrate.UNDONE
    with office.database.begin() as db:             # a right that was taken back is none any more
        organise.change_all(db, office.database.key, [org.Change(
            id="taken", at=office.at, actor=ADMIN,
            act=org.RevokePower(person="pengelola2", power=org.OWNER, unit=LASEM))])
    with pytest.raises(Refused) as refused:
        apply(office, [id], new, person="pengelola2")
    assert refused.value.code == "not_yours"


def test_nobody_goes_to_a_version_before_its_day(office: Office, clerk: Clerk) -> None:
    id = clerk.begin(2001)
    new = deployed(office, second())
    with office.database.begin() as db:
        db.execute(schema.definition.update().where(schema.definition.c.sha256 == new.sha256).values(
            holds_from="2026-12-24"))
    with pytest.raises(Refused, match="24 Desember 2026"):
        apply(office, [id], new, at=datetime(2026, 12, 23, 16, 59, tzinfo=UTC))
    assert outcomes(apply(office, [id], new, at=datetime(2026, 12, 23, 17, 0, tzinfo=UTC))) == [migrate.MIGRATED]


def test_what_a_draft_would_do_is_counted_and_nothing_is_written(office: Office, clerk: Clerk) -> None:
    early, late = clerk.bring(2001, 0, 1), clerk.bring(2002, 0, 7)
    text = re.sub(r'(?<=[">])langkah_7(?=["<])', "pengesahan", FILE.read_text())
    text = text.replace("Memeriksa dan menandatangani", "Mengesahkan").replace("PT120M", "PT60M")
    text = re.sub(r'(<bpmn:userTask id="pengesahan".*?)<camunda:formField id="catatan', r'\1<camunda:formField id="cat',
                  text, flags=re.DOTALL)
    drawn = diagram.reread(text.encode())
    before = [clerk.load(id) for id in (early, late)]
    with office.database.read() as db:
        assert migrate.summary(db, office.rules, LKJPD, drawn, office.at) == migrate.Summary(
            moves=1, mapping=1, stays=0, there=0)
    assert [clerk.load(id) for id in (early, late)] == before


def test_only_who_may_migrates_with_a_reason_and_to_what_is_deployed(office: Office, clerk: Clerk) -> None:
    id = clerk.begin(2026)
    new = deployed(office, second())
    wrong = (({"person": "camat"}, "not_yours"), ({"reason": " "}, "incomplete"), ({"reason": "x" * 501}, "wrong"))
    for more, code in wrong:
        with pytest.raises(Refused) as refused:
            apply(office, [id], new, **more)
        assert refused.value.code == code
    with pytest.raises(Refused) as refused:
        migrate.apply(office.database, office.rules, [id], "0" * 64, person="admin", reason=WHY)
    assert refused.value.code == "unknown"
    assert not any(isinstance(one, ProcessInstanceMigrated) for step in steps(office, id) for one in step.events)


# What else is told of an instance

def test_a_pass_that_went_through_a_migration_is_of_its_new_lane_and_element(office: Office, clerk: Clerk) -> None:
    id = clerk.bring(2026, 0, 6)
    [number] = clerk.load(id).user_tasks
    new = deployed(office, second())
    with office.database.begin() as db:
        passes.project(db, office.rules, 100)
    apply(office, [id], new)
    clerk.complete(id)
    with office.database.begin() as db:
        passes.project(db, office.rules, 100)
        rows = {row.number: row for row in db.execute(select(schema.finished_pass).where(
            schema.finished_pass.c.instance == id))}
    assert (rows[number].element, rows[number].lane, rows[number].round) == ("pemeriksaan", "sekretaris_pd", 1)
    assert {row.element for row in rows.values()} == {*(f"langkah_{n}" for n in range(1, 6)), "pemeriksaan"}


def test_the_title_and_the_names_of_tasks_are_those_of_the_version(office: Office, clerk: Clerk) -> None:
    id = clerk.begin(2026)
    new = deployed(office, second(('value="LKjPD"', 'value="Laporan Kinerja"'),
                                  ("Menelaah Surat Edaran dan memberikan arahan", "Memberi arahan")))
    apply(office, [id], new)
    with office.database.read() as db:
        [task] = db.execute(select(schema.user_task).where(schema.user_task.c.instance == id))
        title = db.execute(select(schema.instance.c.title).where(schema.instance.c.id == id)).scalar_one()
    assert (task.name, title) == ("Memberi arahan", "Laporan Kinerja Tahun 2026")
    must_be_whole(office, id)
