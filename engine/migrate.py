"""The verb of migration: bring the running instances of a process to another version of its diagram.

`rehearse` decides on copies of all of them at once what would become of each; `apply` sends `MigrateProcessInstance`
through the one door, each instance in its own transaction, so that one that is refused stops no other and a crash in
the middle is finished by asking again. `undo` gives back what stood before, where nobody did anything since.
`begin` and `go_on` do either for many, some at a time, and remember how far they have come. Administrators may, and who
owns the SOP, for the units that they own.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid5

import orjson
import structlog
from sqlalchemy import Connection

from . import changes, handle, process
from .calendars import Calendar
from .commands import Act, Actor, Command, MigrateProcessInstance, UndoMigration
from .definition import ProcessDefinition
from .execution import Transitions
from .instance import ProcessInstance, Refused, Step
from .organisation import OWNER, dated, local_date
from .rules import Rules
from .store import database as databases
from .store import definitions, instances, journal, moves, organisation, records
from .store.database import Database
from .store.moves import Result, Run

MOVES, MAPPING, STAYS, THERE = "moves", "mapping", "stays", "there"     # what a rehearsal finds
MIGRATED, UNDONE, REFUSED, FAILED = "migrated", "undone", "refused", "failed"   # and what then came of it; THERE too
DONE = (MIGRATED, UNDONE, THERE)
BATCH = 200                     # instances that are read at once
TOGETHER = 25                   # that `go_on` brings over and proves again: about half a second
LONGEST_REASON = 500

log = structlog.get_logger("alur.migrate")


# Beforehand

@dataclass(frozen=True, kw_only=True)
class MovedTask:
    """An open user task, as it is and as it would be."""
    number: int
    before: str                         # element ids, with their names
    before_name: str
    element: str
    name: str
    lane_before: str
    lane: str
    late_before: datetime | None
    late_at: datetime | None
    owner: str | None = None            # person id


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """What would become of one instance.

    outcome  moves (by itself, or by the mapping that was given), mapping (a counterpart must still be named), stays (it
             cannot go there), there (it runs this version already)
    reason   for `mapping` and `stays`: the sentence of the refusal, whole
    needs    for `mapping`: the elements without a counterpart, each with its sentence
    mapping  what the command carries: ids that were recognised, and of those that were given what its version knows
    standing the elements of its open user tasks, by number, as they are
    before   SHA-256 of the version that an undo would give back; "" where nothing can be undone
    """
    instance: str
    title: str
    unit: str
    status: str
    definition: str                     # SHA-256 of the version that it runs
    outcome: str
    reason: str = ""
    needs: tuple[tuple[str, str], ...] = ()
    mapping: Mapping[str, str]
    tasks: tuple[MovedTask, ...] = ()
    deadline_before: datetime | None = None
    deadline_at: datetime | None = None
    standing: tuple[str, ...] = ()
    before: str = ""

    @property
    def changes(self) -> bool:
        """Whether anybody would see it: another step, lane or date."""
        return self.deadline_before != self.deadline_at or any(
            (one.before, one.lane_before, one.late_before) != (one.element, one.lane, one.late_at)
            for one in self.tasks)


class Supposed:
    """Rules that know one definition more: a draft that nobody has deployed yet."""

    def __init__(self, rules: Rules, supposed: ProcessDefinition):
        self.rules, self.supposed = rules, supposed

    def definition(self, sha256: str) -> ProcessDefinition:
        return self.supposed if sha256 == self.supposed.sha256 else self.rules.definition(sha256)

    def transitions(self, sha256: str) -> Transitions:
        return self.rules.transitions(sha256)

    def calendar(self, sha256: str) -> Calendar:
        return self.rules.calendar(sha256)


class Target:
    """A version to go to, and how each version that runs now leads there."""

    def __init__(self, rules: process.Rules, to: str, mapping: Mapping[str, str]):
        try:
            self.definition = rules.definition(to)
        except LookupError as error:
            raise Refused("unknown", f"Versi {to[:12]} tidak ada.") from error
        self.rules, self.given = rules, dict(mapping)
        self._mappings: dict[str, dict[str, str]] = {}

    def mapping(self, definition: str) -> dict[str, str]:
        """The mapping from one version: ids that only got another name, and what was given of those that it knows."""
        if definition not in self._mappings:
            old = self.rules.definition(definition)
            ids = {*old.elements, *old.flows, *(one.id for one in old.lanes)}
            found = {id: there for id, there in renamed(old, self.definition).items() if id in ids}
            self._mappings[definition] = found | {id: there for id, there in self.given.items() if id in ids}
        return self._mappings[definition]

    def act(self, db: Connection, instance: ProcessInstance, reason: str) -> MigrateProcessInstance:
        """The act for one instance: a lane that is new to it counts in the calendar of whoever performs it."""
        mapping = self.mapping(instance.definition)
        had = {mapping.get(lane, lane) for lane in instance.calendars}
        calendars = {}
        for lane in self.definition.lanes:
            if lane.id not in had:
                performer = organisation.unit_of_lane(db, instance.key, lane.id, instance.unit)
                sha256 = definitions.calendar_of(db, performer) if performer else None
                if sha256:
                    calendars[lane.id] = sha256
        return MigrateProcessInstance(to=self.definition.sha256, mapping=mapping, calendars=calendars, reason=reason)

    def must_be_known(self, versions: Iterable[str]) -> None:
        """Raises Refused where the mapping names an id that none of these versions has."""
        unknown = set(self.given)
        for one in versions:
            if not unknown:
                return
            old = self.rules.definition(one)
            unknown -= {*old.elements, *old.flows, *(lane.id for lane in old.lanes)}
        if unknown:
            raise Refused("wrong", f"Pemetaan menyebut yang tidak ada dalam versi mana pun dari proses ini: "
                                   f"{', '.join(sorted(unknown))}. Periksa id-nya pada diagram lama.")


def renamed(old: ProcessDefinition, new: ProcessDefinition) -> dict[str, str]:
    """Id of an element, flow or lane -> its id in the new version, where only the id changed."""
    return {one.old: one.new for one in changes.changes(old, new) if one.property == changes.ID and one.old and one.new}


def rehearse(db: Connection, rules: Rules, key: str, to: str, mapping: Mapping[str, str] | None = None, *,
             supposed: ProcessDefinition | None = None, at: datetime | None = None) -> tuple[Rehearsed, ...]:
    """What would become of every running and suspended instance of a process, by id. Nothing is written.

    to        SHA-256 of the version to go to
    supposed  that version itself, where it is a draft that is not deployed
    at        only on a demonstration or in a test; else the database's own clock
    Raises Refused: `unknown` without such a version, `wrong` where the mapping names what is nowhere.
    """
    known = Supposed(rules, supposed) if supposed else rules
    target, moment = Target(known, to, mapping or {}), at or databases.now(db)
    if target.definition.key != key:
        raise Refused("wrong", f"Versi itu milik proses {target.definition.key}, bukan {key}.")
    # What runs no more may be named too: the same is asked again where the half of it is done.
    target.must_be_known(one.sha256 for one in reversed(definitions.versions(db, key)))
    found = []
    for id, title, instance in open_instances(db, key):
        if instance is None:
            found.append(Rehearsed(instance=id, title=title, unit="", status="", definition="", outcome=STAYS,
                                   reason="Berkas ini tidak dapat dibaca. Beri tahu administrator.", mapping={}))
            continue
        found.append(rehearsed(db, target, instance, title, moment))
    return tuple(found)


def open_instances(db: Connection, key: str) -> Iterator[tuple[str, str, ProcessInstance | None]]:
    """Every running and suspended instance of a process, by id, a batch at a time."""
    after = ""
    while batch := instances.open_of_key(db, key, after, BATCH):
        yield from batch
        after = batch[-1][0]


def rehearsed(db: Connection, target: Target, instance: ProcessInstance, title: str, at: datetime) -> Rehearsed:
    said = Rehearsed(instance=instance.id, title=title, unit=instance.unit, status=instance.status,
                     definition=instance.definition, outcome=THERE, mapping={}, deadline_before=instance.deadline_at,
                     deadline_at=instance.deadline_at,
                     standing=tuple(one.element for _, one in sorted(instance.user_tasks.items())),
                     before=instance.before_migration.definition if instance.before_migration else "")
    if instance.definition == target.definition.sha256:
        return said
    act = target.act(db, instance, "-")
    said = replace(said, mapping=act.mapping)
    command = Command(id="", at=max(at, instance.last_at or at), act=act, actor=Actor(
        person="sistem", capacity="sistem", administrator=True))
    try:
        after = process.evolve(instance, process.decide(target.rules, instance, command))
    except Refused as refused:
        needs = tuple((one.place, one.message) for one in refused.problems) if refused.code == "unmapped" else ()
        return replace(said, outcome=MAPPING if needs else STAYS, reason=refused.message, needs=needs)
    old = target.rules.definition(instance.definition)
    tasks = tuple(
        MovedTask(number=n, before=was.element, before_name=old.elements[was.element].name, element=now.element,
                  name=target.definition.elements[now.element].name, lane_before=was.lane, lane=now.lane,
                  late_before=was.late_at, late_at=now.late_at, owner=now.owner)
        for n, was in sorted(instance.user_tasks.items()) for now in (after.user_tasks[n],))
    return replace(said, outcome=MOVES, tasks=tasks, deadline_at=after.deadline_at)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """How many of what runs would move by themselves, need a mapping, stay, and are there already."""
    moves: int
    mapping: int
    stays: int
    there: int


def summary(db: Connection, rules: Rules, key: str, definition: ProcessDefinition,
            at: datetime | None = None) -> Summary:
    """What a definition, deployed or only drawn, would do to all that runs, in figures. Nothing is written."""
    found = Counter(one.outcome for one in rehearse(db, rules, key, definition.sha256, supposed=definition, at=at))
    return Summary(moves=found[MOVES], mapping=found[MAPPING], stays=found[STAYS], there=found[THERE])


# Doing it, and taking it back

@dataclass(frozen=True, kw_only=True)
class Applied:
    """What became of one instance: migrated, undone, there (it was so already), refused, or failed."""
    instance: str
    outcome: str
    message: str = ""
    step: Step | None = None


Progress = Callable[[int, int, Applied], None]
"""Told after each instance: how many are done, of how many, and what became of this one."""


def apply(database: Database, rules: Rules, ids: Iterable[str], to: str, mapping: Mapping[str, str] | None = None, *,
          person: str, reason: str, chosen: Mapping[str, str] | None = None, signed_in_by: str = "web",
          at: datetime | None = None, progress: Progress | None = None) -> tuple[Applied, ...]:
    """Bring these instances to a deployed version, each in its own transaction; what became of each, in their order.

    The same asked again changes nothing twice: what is there already is said so.
    chosen  the version (SHA-256) that each ran when somebody chose it: one that runs another by now is refused
    Raises Refused before anything is done: `not_yours`, `unknown` where nobody deployed it, `incomplete`, `wrong`.
    """
    with database.read() as db:
        must_be_allowed(db, person, reason)
        must_hold(db, to, at)
    target = Target(rules, to, mapping or {})

    def one(db: Connection, instance: ProcessInstance) -> tuple[str, Act] | None:
        if instance.definition == to:
            return None
        must_be_as_chosen(instance, chosen)
        act = target.act(db, instance, reason.strip())
        return migration_id(instance, to, act.mapping), act

    return each(database, rules, ids, one, MIGRATED, person, signed_in_by, at, progress)


def undo(database: Database, rules: Rules, ids: Iterable[str], *, person: str, reason: str,
         chosen: Mapping[str, str] | None = None, signed_in_by: str = "web", at: datetime | None = None,
         progress: Progress | None = None) -> tuple[Applied, ...]:
    """Give these instances back what stood before their newest migration; what became of each, in their order.

    Raises Refused before anything is done: `not_yours`, `incomplete`.
    """
    with database.read() as db:
        must_be_allowed(db, person, reason)

    def one(db: Connection, instance: ProcessInstance) -> tuple[str, Act] | None:
        if instance.before_migration is None and instance.migrations:
            done = undo_id(instance.id, instance.migrations - 1)
            if journal.sequence_of(db, instances.stream(instance.id), done) is not None:
                return None             # the newest of its migrations was this undoing
        must_be_as_chosen(instance, chosen)
        return undo_id(instance.id, instance.migrations), UndoMigration(reason=reason.strip())

    return each(database, rules, ids, one, UNDONE, person, signed_in_by, at, progress)


def each(database: Database, rules: Rules, ids: Iterable[str],
         asked: Callable[[Connection, ProcessInstance], tuple[str, Act] | None], done: str, person: str,
         signed_in_by: str, at: datetime | None, progress: Progress | None) -> tuple[Applied, ...]:
    """Ask one command of each instance, in a transaction of its own; `asked` gives its id and act, None: it is so."""
    waiting = tuple(dict.fromkeys(ids))
    found: list[Applied] = []
    for id in waiting:
        try:
            with database.begin() as db:
                loaded = instances.lock(db, id, "")     # two who ask at once: the second sees what the first has done
                if loaded is None:
                    raise Refused("unknown", "Berkas proses ini tidak ada.")
                command = asked(db, loaded.instance)
                if command is None:
                    result = Applied(instance=id, outcome=THERE)
                else:
                    request = handle.Request(id=command[0], act=command[1], person=person, signed_in_by=signed_in_by,
                                             at=at)
                    (step,) = handle.handle(db, rules, database.key, id, [request])
                    result = Applied(instance=id, outcome=done, step=step)
        except Refused as refused:
            result = Applied(instance=id, outcome=REFUSED, message=refused.message)
        except Exception as error:
            log.error("instance not migrated", instance=id, error=f"{type(error).__name__}: {error}")
            result = Applied(instance=id, outcome=FAILED, message=(
                "Gangguan teknis; berkas ini tidak berubah. Ulangi, atau beri tahu administrator."))
        found.append(result)
        if progress:
            progress(len(found), len(waiting), result)
    return tuple(found)


def undoable(db: Connection, key: str) -> tuple[str, ...]:
    """The instances of a process whose newest migration can be undone, by id."""
    return tuple(id for id, _, instance in open_instances(db, key) if instance and instance.before_migration)


# Many, some at a time

def begin(database: Database, key: str, chosen: Mapping[str, str], to: str, mapping: Mapping[str, str] | None = None, *,
          id: str, person: str, reason: str, undoing: bool = False, at: datetime | None = None) -> Run:
    """Remember that these instances are to go over, or back; nothing is done with them yet.

    chosen  id of an instance -> SHA-256 of the version that it ran when it was chosen
    to      SHA-256 of the version to go to; of those that go back, of the one that they leave
    id      the same again is the same run
    Raises Refused: `not_yours`, `unknown`, `incomplete`, `wrong`.
    """
    with database.begin() as db:
        must_be_allowed(db, person, reason)
        if not undoing:
            must_hold(db, to, at)
        if not chosen:
            raise Refused("incomplete", "Pilih berkas proses yang dikembalikan." if undoing else
                          "Pilih berkas proses yang dipindahkan.")
        run = Run(id=id, key=key, definition=to, undoing=undoing, mapping=mapping or {}, reason=reason.strip(),
                  person=person, begun_at=at or databases.now(db), ended_at=None, instances=tuple(chosen.items()))
        there = moves.add(db, run)
    if replace(there, begun_at=run.begun_at, ended_at=None, results=()) != run:
        raise Refused("other", "Formulir ini sudah pernah dikirim dengan isian lain. Muat ulang halaman, lalu periksa.")
    return there


def go_on(database: Database, rules: Rules, id: str, *, person: str, most: int = TOGETHER, signed_in_by: str = "web",
          at: datetime | None = None) -> Run:
    """Take the next instances of a run where they are to go, and prove each again from its journal; the run after it.

    Whoever may can go on with what another began. A crash in here loses nothing: what was done is found so.
    Raises Refused: `unknown` without such a run, `not_yours`, and what `apply` refuses before anything is done.
    """
    with database.read() as db:
        run = moves.get(db, id)
    if run is None:
        raise Refused("unknown", "Pemindahan ini tidak ada lagi.")
    some = dict(run.left[:most])
    if not some:
        return run
    if run.undoing:
        found = undo(database, rules, some, person=person, reason=run.reason, chosen=some, signed_in_by=signed_in_by,
                     at=at)
    else:
        found = apply(database, rules, some, run.definition, run.mapping, person=person, reason=run.reason, chosen=some,
                      signed_in_by=signed_in_by, at=at)
    results = [Result(instance=one.instance, outcome=one.outcome, message=one.message,
                      replayed=proved(database, rules, one.instance) if one.outcome in DONE else None)
               for one in found]
    with database.begin() as db:
        after = moves.done(db, id, results, at or databases.now(db))
    if after is None:
        raise Refused("unknown", "Pemindahan ini tidak ada lagi.")
    return after


def proved(database: Database, rules: Rules, id: str) -> bool:
    """Whether an instance, run again from its journal, is what is stored of it."""
    with database.snapshot() as db:
        try:
            instance, _ = handle.replayed(db, rules, id)
        except (process.ReplayDiverged, records.RecordError) as error:
            log.error("replay differs", instance=id, error=str(error))
            return False
        return instance == instances.load(db, id)


# Who may, and what may be

def must_be_allowed(db: Connection, person: str, reason: str) -> None:
    """Who may do so at all; whether this instance is theirs is judged where it changes, by `handle`."""
    if not (organisation.is_administrator(db, person)
            or any(one.power == OWNER for one in organisation.powers(db, person))):
        raise Refused("not_yours", "Hanya pemilik SOP dan administrator yang dapat memindahkan berkas proses ke versi "
                                   "lain.")
    if not reason.strip():
        raise Refused("incomplete", "Tuliskan alasannya.")
    if len(reason) > LONGEST_REASON:
        raise Refused("wrong", f"Alasan terlalu panjang: {len(reason)} karakter, paling banyak {LONGEST_REASON}.")


def must_hold(db: Connection, to: str, at: datetime | None) -> None:
    """Raises Refused where nobody deployed this version, or it holds only later."""
    version = definitions.of_bytes(db, to)
    if version is None:
        raise Refused("unknown", "Versi itu belum disahkan. Sahkan dahulu, lalu pindahkan berkas proses ke sana.")
    if version.holds_from > local_date(at or databases.now(db), definitions.zone_of(db, version.unit)).isoformat():
        raise Refused("wrong", f"Versi {version.version} baru berlaku mulai {dated(version.holds_from)}. Berkas proses "
                               "dapat dipindahkan ke sana sejak hari itu.")


def must_be_as_chosen(instance: ProcessInstance, chosen: Mapping[str, str] | None) -> None:
    if chosen is not None and chosen.get(instance.id) != instance.definition:
        raise Refused("wrong", "Berkas ini sudah berpindah versi sejak dipilih. Buka tabel pemindahan, lalu periksa "
                               "lagi.")


def migration_id(instance: ProcessInstance, to: str, mapping: Mapping[str, str]) -> str:
    """The command id of a migration: whoever asks for the same asks for the same command. With the number of its
    migrations so far: who goes back and then forth again asks for something new."""
    told = orjson.dumps([instance.id, to, dict(mapping), instance.migrations], option=orjson.OPT_SORT_KEYS).decode()
    return str(uuid5(handle.NAMESPACE, f"migrate {told}"))


def undo_id(id: str, migrations: int) -> str:
    return str(uuid5(handle.NAMESPACE, f"undo migration {id} {migrations}"))
