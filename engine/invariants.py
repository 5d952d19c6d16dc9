"""What must hold all the time, looked at again and again, with what to do where it does not (SECURITY.md 3.3, law 7).

`look` takes the next slice: some open instances, some that are over, a part of the log, and what concerns the whole.
A slice costs the same number of statements whatever it finds, so that thousands of instances hurt nobody; a round is
over when each was looked at. What is found is kept until a later look sees it well. The worker looks every minute.

An instance that stands still is an incident of its own, a Step in its journal. What cannot be read at all can have no
Step: there the finding is the incident; the instance is parked, and `repair` makes it again from its journal.
"""
from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from . import handle, process
from .commands import Act, RaiseIncident, ResolveIncident
from .handle import Request
from .instance import RUNNING, ProcessInstance, Refused
from .marking import ARMED, OPEN, WAITING
from .rules import Rules
from .store import database as databases
from .store import documents, due, instances, integrity, journal, ledger, notices, records
from .store.database import Database
from .store.integrity import Found, Look, Stored

OPEN_MOST, CLOSED_MOST = 200, 50        # instances of one look
STEPS_MOST = 20_000                     # of their journal rows together
LOG_MOST = 5_000                        # places in the log of one look
LOOK_EVERY = timedelta(seconds=50)      # of all workers together; each asks once a minute
LATE_MAIL = timedelta(hours=2)
UNSIGNED = timedelta(minutes=15)
LATE_TIMER = timedelta(minutes=15)
OLD_BACKUP = timedelta(days=2)
QUIET_WORKER = timedelta(minutes=2)
LEAST_FREE_BYTES = 500_000_000
BACKUP_AT = "backup_at"                 # the setting that a backup leaves


@dataclass(frozen=True)
class Invariant:
    name: str
    slices: tuple[str, ...]                 # over which it is looked at
    holds: str                              # what must hold
    remedy: str                             # what an administrator does where it does not
    repairs: bool = False                   # making the instance again from its journal mends it


INSTANCES = ("open", "closed")
INVARIANTS = (
    Invariant("readable", INSTANCES, "The stored state of every instance, and its diagram, can be read.",
              "Make it again from its journal; where the diagram is missing, restore it from a backup first.", True),
    Invariant("steps", INSTANCES, "The steps of every instance are numbered without a gap.",
              "Run alur verify, keep the database as it is, and restore a backup elsewhere to compare."),
    Invariant("heads", INSTANCES, "Every instance stands at the newest row of its journal.",
              "Run alur verify; where that finds nothing, make the instance again from its journal.", True),
    Invariant("values", INSTANCES, "Every value beside the journal belongs to a row of it.",
              "Run alur verify and keep the database as it is: somebody wrote past the application."),
    Invariant("user_tasks", INSTANCES, "The inbox has exactly the open user tasks of every instance.",
              "Make the instance again from its journal.", True),
    Invariant("timers", INSTANCES, "Every waiting timer has exactly one row, with its due time.",
              "Make the instance again from its journal.", True),
    Invariant("incidents", INSTANCES, "The list of incidents has exactly the open ones.",
              "Make the instance again from its journal.", True),
    Invariant("stalled", ("open",), "Every running instance waits for somebody, a timer, or an incident.",
              "It has its own incident; correct or migrate the instance, then resolve it."),
    Invariant("documents", INSTANCES, "Every attached file is stored, whole.",
              "Restore the file from a backup into the document folder; alur doctor names what is missing."),
    Invariant("log", ("log",), "The places in the log have no gap.",
              "Run alur verify and keep the database as it is."),
    Invariant("log_waiting", ("whole",), "Every journal row gets its place in the log, and is signed in time.",
              "See that a worker runs; rows that were refused: run alur verify."),
    Invariant("seal", ("whole",), "The newest journal row was sealed by the key of this installation.",
              "Put the installation's own key file back, then run alur verify."),
    Invariant("notices", ("whole",), "No mail waits long to be sent.",
              "See that a worker runs and that the mail server answers: alur mail-test ADDRESS."),
    Invariant("timers_due", ("whole",), "No timer that is due waits long.",
              "See that a worker runs; a timer with an incident waits until that is resolved."),
    Invariant("calendars", ("whole",), "Every unit in which something runs has a calendar of its own.",
              "Set it under Pengaturan, Kalender."),
)
BY_NAME = {one.name: one for one in INVARIANTS}


def is_stalled(instance: ProcessInstance) -> bool:
    """Whether a running instance waits for nobody, for no timer, and nobody was told. The deadline moves no token."""
    if instance.status != RUNNING or instance.incidents:
        return False
    return not any(token.status in (OPEN, WAITING) for token in instance.marking.tokens)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What one look gave."""
    things: int = 0                         # instances and places in the log that were looked at
    found: tuple[Found, ...] = ()
    new: tuple[Found, ...] = ()             # of them, those that were not known before
    stalled: tuple[ProcessInstance, ...] = ()


def look(database: Database, rules: Rules, documents_dir: Path | None, at: datetime | None = None,
         whole: bool = False) -> Looked:
    """Look at the next slice of everything, keep what was found, and give it; nothing where somebody just has.

    documents_dir  None: whether files are there is not asked.
    at             where time is simulated; else the database's own.
    whole          go on until every slice was looked at from its beginning to its end.
    """
    told = Looked()
    with database.read() as db:
        asked_at = at or databases.now(db)
        before = integrity.looks(db)
    if not whole and before and asked_at - max(one.looked_at for one in before.values()) < LOOK_EVERY:
        return told
    for slice in ("open", "closed", "log", "whole"):
        while True:
            one = _look(database, rules, documents_dir, slice, at, from_the_beginning=whole)
            whole_round = one is None or one[1]
            if one is not None:
                told = Looked(things=told.things + one[0].things, found=told.found + one[0].found,
                              new=told.new + one[0].new, stalled=told.stalled + one[0].stalled)
            if whole_round or not whole:
                break
    return told


def _look(database: Database, rules: Rules, documents_dir: Path | None, slice: str, at: datetime | None,
          from_the_beginning: bool) -> tuple[Looked, bool] | None:
    """(what the next part of one slice gave, whether that ended a round)."""
    with database.snapshot() as db:
        now = at or databases.now(db)
        known = integrity.looks(db).get(slice)
        cursor = known.cursor if known else ""
        subjects, found, things, stalled, next_cursor = _judged(
            db, database.key, rules, documents_dir, slice, cursor, now)
    over = next_cursor == ""
    began_at = known.began_at if known and cursor else now
    with database.begin() as db:
        new = integrity.keep_findings(db, slice, subjects, found)
        if over:
            integrity.forget_findings(db, slice, began_at)
        integrity.keep_look(db, Look(
            slice=slice, cursor=next_cursor, looked_at=now, began_at=now if over else began_at,
            ended_at=now if over else (known.ended_at if known else None),
            looked=things + (known.looked if known and cursor else 0)))
    return Looked(things=things, found=tuple(found), new=tuple(new), stalled=tuple(stalled)), over


def _judged(db: Connection, key: bytes, rules: Rules, documents_dir: Path | None, slice: str, cursor: str,
            now: datetime) -> tuple[list[str], list[Found], int, list[ProcessInstance], str]:
    """(subjects looked at, what is wrong with them, how many things, the stalled ones, where to go on; "": a round is
    over)."""
    def wrong(invariant: str, subject: str, detail: str) -> Found:
        return Found(invariant=invariant, subject=subject, slice=slice, detail=detail, since=now, seen_at=now)

    if slice == "whole":
        return [""], [wrong(name, "", said) for name, said in of_the_whole(db, key, now)], 1, [], ""
    if slice == "log":
        after = int(cursor or -1)
        looked, gaps = integrity.log_gaps(db, after, LOG_MOST)
        found = [wrong("log", str(place), f"Tempat {place} dalam log tidak ada.") for place in gaps]
        return ([one.subject for one in found], found, looked, [],
                str(after + looked) if looked == LOG_MOST else "")
    states = integrity.OPEN_STATES if slice == "open" else integrity.CLOSED_STATES
    most = OPEN_MOST if slice == "open" else CLOSED_MOST
    these = integrity.stored(db, states, cursor, most, STEPS_MOST)
    found = [wrong(name, one.id, said) for one in these for name, said in of_instance(one, rules, documents_dir)]
    stalled = [one.value for one in these if one.value and is_stalled(one.value)]
    more = bool(these) and bool(integrity.stored_after(db, states, these[-1].id))
    return [one.id for one in these], found, len(these), stalled, these[-1].id if more else ""


# What is judged

def of_instance(one: Stored, rules: Rules, documents_dir: Path | None) -> list[tuple[str, str]]:
    """(invariant, what is) of all that does not hold for one instance. Details are Indonesian, for administrators."""
    found: list[tuple[str, str]] = []
    if one.steps != one.newest:
        found.append(("steps", f"Jurnalnya berakhir pada langkah {one.newest}, tetapi berisi {one.steps} langkah."))
    if one.newest != one.sequence:
        found.append(("heads", f"Berkas berada pada langkah {one.sequence}, jurnalnya berakhir pada {one.newest}."))
    elif one.newest_hash != one.head:
        found.append(("heads", f"Berkas tidak berada pada baris terakhir jurnalnya (langkah {one.newest})."))
    if one.stray_values:
        found.append(("values", f"{one.stray_values} nilai tidak mempunyai baris jurnal."))
    lost = list(one.unstored)
    if documents_dir is not None:
        lost += [digest for digest, (file, size) in one.files.items() if not _is_there(documents_dir, file, size)]
    if lost:
        found.append(("documents", f"{len(lost)} berkas lampiran tidak ada atau terpotong, yang pertama {lost[0]}."))
    try:
        definition = rules.definition(one.definition)
        if one.value is not None:
            unknown = sorted({token.element for token in one.value.marking.tokens}
                             - definition.elements.keys() - definition.flows.keys()
                             - {definition.deadline.id if definition.deadline else ""})
            if unknown:
                found.append(("readable", f"Penandanya menyebut yang tidak ada dalam diagramnya: {unknown[0]}."))
    except (LookupError, ValueError) as error:
        found.append(("readable", f"Diagramnya tidak dapat dibaca: {error}"))
    if one.value is None:
        return [*found, ("readable", f"Keadaan tersimpannya tidak dapat dibaca: {one.wrong}")]
    return found + _shadows(one, one.value)


def _shadows(one: Stored, value: ProcessInstance) -> list[tuple[str, str]]:
    """What lists, inbox and worker go by, against the instance itself."""
    found = []
    standing = {token.number for token in value.marking.tokens if token.status == OPEN}
    if not one.user_tasks == value.user_tasks.keys() == standing:
        found.append(("user_tasks", f"Terbuka menurut penanda {_listed(standing)}, menurut keadaan "
                                    f"{_listed(value.user_tasks)}, dalam Kotak Tugas {_listed(one.user_tasks)}."))
    waiting = {token.number for token in value.marking.tokens if token.status in (WAITING, ARMED)}
    due_at = {number: records.instant(timer.due_at) for number, timer in value.timers.items()}
    if due_at.keys() != waiting or due_at != dict(one.timers):
        wrong = sorted(due_at.keys() ^ one.timers.keys() | waiting ^ due_at.keys()
                       | {n for n in due_at.keys() & one.timers.keys() if due_at[n] != one.timers[n]})
        found.append(("timers", f"Pengatur waktu yang tidak cocok: {_listed(wrong)}."))
    if one.incidents != value.incidents.keys():
        found.append(("incidents", f"Insiden terbuka {_listed(value.incidents)}, dalam daftar "
                                   f"{_listed(one.incidents)}."))
    if is_stalled(value):
        found.append(("stalled", "Berkas proses berjalan tanpa tugas, tanpa pengatur waktu, dan tanpa insiden."))
    return found


def _listed(numbers: object) -> str:
    some = sorted(numbers)      # type: ignore[call-overload]  # sets, keys and lists of numbers
    return ", ".join(map(str, some[:10])) + (" ..." if len(some) > 10 else "") if some else "tidak ada"


def _is_there(folder: Path, file: str, size: int) -> bool:
    try:
        return documents.path_of(folder, file).stat().st_size == size
    except (OSError, LookupError):
        return False


def of_the_whole(db: Connection, key: bytes, now: datetime) -> list[tuple[str, str]]:
    """(invariant, what is) of all that does not hold for the installation."""
    found = []
    if integrity.newest_row_fault(db, key):
        found.append(("seal", "Baris jurnal terbaru tidak disegel dengan kunci instalasi ini, atau telah diubah."))
    (waiting, refused), kept, size = ledger.waiting(db), ledger.newest(db), ledger.size(db)
    if refused:
        found.append(("log_waiting", f"{refused} baris jurnal ditolak mendapat tempat dalam log."))
    # A row of this minute waits for its checkpoint, however quiet it was before.
    elif kept is not None and now - kept.at > UNSIGNED and (since := ledger.unsigned_since(db)) is not None \
            and now - since > UNSIGNED:
        rows = waiting + size - kept.size
        found.append(("log_waiting", f"{rows} baris jurnal belum mendapat tempat dalam log yang ditandatangani."))
    if late := integrity.late_notices(db, now - LATE_MAIL):
        found.append(("notices", f"{late} surel menunggu lebih dari 2 jam."))
    if late := integrity.late_timers(db, now - LATE_TIMER):
        found.append(("timers_due", f"{late} pengatur waktu jatuh tempo lebih dari 15 menit lalu dan belum berbunyi."))
    if units := integrity.calendars_without(db):
        found.append(("calendars", f"Tanpa kalender kerja: {', '.join(units)}."))
    return found


def note(database: Database, invariant: str, subject: str, detail: str, at: datetime | None) -> None:
    """Keep one finding at once, where somebody met it before its turn."""
    with database.begin() as db:
        now = at or databases.now(db)
        known = {(one.invariant, one.subject) for one in integrity.findings(db)}
        if (invariant, subject) not in known:
            integrity.keep_findings(db, "open", (), [Found(invariant=invariant, subject=subject, slice="open",
                                                           detail=detail, since=now, seen_at=now)])


# Mending

def repair(database: Database, rules: Rules, id: str, request_id: str, person: str, reason: str,
           at: datetime | None = None, signed_in_by: str = "web") -> None:
    """Make an instance again from its journal: its row, and all that lists and the worker go by.

    That it was done, by whom and why, are two Steps: an incident that is raised and resolved.
    Raises Refused (`unreadable`) where the journal or the diagram does not give it either: then only a backup helps.
    """
    if not reason.strip():
        raise Refused("incomplete", "Tuliskan alasannya.")
    with database.begin() as db:
        if id not in integrity.titles(db, [id]):
            raise Refused("unknown", "Berkas proses ini tidak ada.")
        instances.hold(db, id)                      # nobody writes a Step between what is read and what is rebuilt
        if journal.sequence_of(db, instances.stream(id), request_id) is not None:
            return                                  # sent twice
        try:
            again, told = handle.replayed(db, rules, id)
            definition = rules.definition(again.definition)
        except (process.ReplayDiverged, LookupError, ValueError) as error:
            raise Refused("unreadable", "Berkas proses ini tidak dapat dibuat ulang dari jurnalnya, jadi tidak ada "
                                        f"yang diubah. Pulihkan dari cadangan. Sebabnya: {error}"[:600]) from error
        _, head, _ = journal.head(db, instances.stream(id))
        assert head is not None, "what was replayed has rows"
        instances.rebuild(db, again, head, definition, told)
        number = again.incident_count + 1
        acts: tuple[Act, ...] = (RaiseIncident(kind="repair", detail="Dibuat ulang dari jurnal."),
                                 ResolveIncident(incident=number, reason=reason))
        handle.handle(db, rules, database.key, id, [
            Request(id=request_id if place == 0 else f"{request_id}-2", act=act, person=person, at=at,
                    signed_in_by=signed_in_by) for place, act in enumerate(acts)])
        for slice in INSTANCES:
            integrity.keep_findings(db, slice, [id], [])


# How the server is

@dataclass(frozen=True, kw_only=True)
class Health:
    """What an administrator wants to know of the server at a glance. None: not known."""
    database: str                           # its kind
    revision: str | None
    worker_at: datetime | None              # when a worker went round last
    worker_alive: bool
    free_bytes: int
    log_size: int
    log_waiting: int
    signed_at: datetime | None
    never_signed: bool                      # for a day now
    signed_size: int
    backup_at: datetime | None
    mails_waiting: int
    mails_given_up: int
    next_timer_at: datetime | None
    open_incidents: int


def health(db: Connection, dialect: str, data_dir: Path, now: datetime, worker_at: datetime | None) -> Health:
    """How the server is at `now`.

    worker_at  when `worker.alive` was touched last, by the clock of this machine, which also gives `now` its age.
    """
    (waiting, _refused), kept = ledger.waiting(db), ledger.newest(db)
    mails = notices.mails(db, now)
    backup_at = integrity.setting(db, BACKUP_AT)
    return Health(
        database=dialect, revision=databases.revision(db), worker_at=worker_at,
        worker_alive=worker_at is not None and now - worker_at < QUIET_WORKER,
        free_bytes=shutil.disk_usage(data_dir).free, log_size=ledger.size(db), log_waiting=waiting,
        signed_at=kept.at if kept else None, never_signed=ledger.never_signed(db, now),
        signed_size=kept.size if kept else 0,
        backup_at=records.moment(backup_at) if backup_at else None, mails_waiting=mails[0], mails_given_up=mails[1],
        next_timer_at=due.next_due(db), open_incidents=integrity.count_open_incidents(db))


def invariants_of(found: Sequence[Found]) -> dict[str, list[Found]]:
    """Every invariant by its name, in their order, with what was found of it."""
    return {one.name: [each for each in found if each.invariant == one.name] for one in INVARIANTS}
