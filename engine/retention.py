"""The verbs of letting go by law: erase values on a lawful request, hold, keep by class, dispose at the end of it.

Nothing goes by itself, and nothing by one person: an administrator asks, the head of the unit decides, and what was
decided is carried out in the transaction of the decision. Each act is a row of the stream `retention`; each instance
that loses something says so in a row of its own (commands.EraseValues). Bodies and hashes of the journal stay as they
are, so that everything verifies; what decided how an instance ran stays beside them, so that everything replays: that
is proved by replaying it before the transaction ends, and refused otherwise.
Law: UU 27/2022 Pasal 8, 16 and 43 (erasing and destroying personal data); UU 43/2009 and PP 28/2012 (JRA, disposal by
berita acara); what is held for a court or an audit is not touched (UU 27/2022 Pasal 15).
"""
from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID, uuid5

from sqlalchemy import Connection

from . import expressions, handle, organise, process
from .commands import Command, EraseValues, private
from .definition import ProcessDefinition
from .instance import Refused
from .organisation import dated, day, local_date, months_later, text, wrong
from .rules import Rules
from .store import definitions, documents, instances, journal, organisation, records
from .store import retention as store
from .store.database import Database, lock
from .store.definitions import Change
from .store.retention import EVERYTHING, OF_INSTANCE, OF_UNIT, Hold, Kept, texts_in

STREAM = "retention"
APPROVER = "penyetuju"                      # the capacity of who decided, in an instance's own row
INSTANCE, PERSON = "instance", "person"     # what a request is about
WAITING, APPROVED, REJECTED = "waiting", "approved", "rejected"
DESTROY, PERMANENT, REVIEW = "musnah", "permanen", "dinilai"
FATES = (DESTROY, PERMANENT, REVIEW)        # what becomes of records at the end of their retention
SCOPES = (EVERYTHING, OF_UNIT, OF_INSTANCE)
MOST_YEARS = 100
MOST_VALUES = 20_000                        # of one request
LEAST_NAME = 3                              # letters of a name that is looked for
MOST_DISPOSED = 200                         # instances of one berita acara
NAMESPACE = UUID("3f2d9c7a-64ff-5c0e-9a1c-6b5c2f1d7e90")
OF_PERSON = ("name", "login", "nip", "rank", "email")
NAMING = ("name", "nip", "email")           # what means this person wherever it stands; a rank is many people's, and a
#                                             login may be a word
KEPT = ("command.act.unit_facts",)          # what the SOP itself said to its reader: printed, public


# What the stream records

@dataclass(frozen=True, kw_only=True)
class RequestErasure:
    """Values of an instance, or what is known of a person who has left, are to be erased by law."""
    request: str
    about: str                              # INSTANCE | PERSON
    id: str                                 # of the instance, of the person
    number: str                             # of the letter
    dated: str
    basis: str                              # in law
    values: tuple[str, ...] = ()            # "SEQUENCE:PATH" of the instance's stream
    files: tuple[str, ...] = ()             # SHA-256
    subject: str = private(default="")      # who it is about, as they are called: drafts and notices are searched for
    #                                         it, and it goes with what was asked for
    type: str = field(default="RequestErasure", init=False)


@dataclass(frozen=True, kw_only=True)
class DecideErasure:
    request: str
    approved: bool
    note: str = private(default="")
    type: str = field(default="DecideErasure", init=False)


@dataclass(frozen=True, kw_only=True)
class PlaceHold:
    hold: str
    scope: str                              # all | unit | instance
    number: str
    basis: str
    since: str
    instance: str = ""
    unit: str = ""
    year: int | None = None
    type: str = field(default="PlaceHold", init=False)


@dataclass(frozen=True, kw_only=True)
class LiftHold:
    hold: str
    number: str                             # of the letter that lifts it
    reason: str = private(default="")
    type: str = field(default="LiftHold", init=False)


@dataclass(frozen=True, kw_only=True)
class SetRetention:
    """How long the records of a process are kept; "" of key: of all, "" of unit: of every unit. Said again: new."""
    key: str
    unit: str
    name: str                               # of the class, as the JRA calls it
    active: int                             # years
    inactive: int                           # years, after the active ones
    fate: str                               # musnah | permanen | dinilai
    basis: str                              # the rule that sets the JRA
    type: str = field(default="SetRetention", init=False)


@dataclass(frozen=True, kw_only=True)
class DropRetention:
    key: str
    unit: str
    type: str = field(default="DropRetention", init=False)


@dataclass(frozen=True, kw_only=True)
class ProposeDisposal:
    """Instances past their retention are to be disposed of, by a berita acara."""
    disposal: str
    unit: str
    instances: tuple[str, ...]
    number: str                             # of the berita acara
    dated: str
    basis: str
    type: str = field(default="ProposeDisposal", init=False)


@dataclass(frozen=True, kw_only=True)
class DecideDisposal:
    disposal: str
    approved: bool
    note: str = private(default="")
    type: str = field(default="DecideDisposal", init=False)


@dataclass(frozen=True, kw_only=True)
class Gone:
    """Values that were erased in a stream which has no row of its own to say so."""
    stream: str
    values: tuple[str, ...]
    type: str = field(default="Gone", init=False)


Act = (RequestErasure | DecideErasure | PlaceHold | LiftHold | SetRetention | DropRetention | ProposeDisposal
       | DecideDisposal)
ACTS: Mapping[str, Any] = {one.__name__: one for one in get_args(Act)}


# What stands after the rows

@dataclass(frozen=True, kw_only=True)
class Decided:
    state: str = WAITING
    by: str = ""
    at: datetime | None = None
    note: Any = ""


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """A request for erasure, and what became of it."""
    act: RequestErasure
    by: str
    at: datetime
    unit: str                               # whose head decides; "" where none is known
    decided: Decided = Decided()


@dataclass(frozen=True, kw_only=True)
class Disposal:
    act: ProposeDisposal
    by: str
    at: datetime
    decided: Decided = Decided()


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What was asked, decided and set, as the newest row leaves it."""
    erasures: Mapping[str, Erasure] = field(default_factory=dict)
    disposals: Mapping[str, Disposal] = field(default_factory=dict)
    classes: Mapping[tuple[str, str], SetRetention] = field(default_factory=dict)
    history: tuple[Change, ...] = ()

    def of(self, key: str, unit: str) -> SetRetention | None:
        """The class that holds for a process in a unit: the nearest that was set, None where none was: it is kept."""
        places = ((key, unit), (key, ""), ("", unit), ("", ""))
        return next((self.classes[one] for one in places if one in self.classes), None)

    @property
    def disposed(self) -> dict[str, str]:
        """Instance -> number of the berita acara."""
        return {id: one.act.number for one in self.disposals.values() if one.decided.state == APPROVED
                for id in one.act.instances}


def load(db: Connection) -> Archive:
    """The archive, from its stream."""
    erasures: dict[str, Erasure] = {}
    disposals: dict[str, Disposal] = {}
    classes: dict[tuple[str, str], SetRetention] = {}
    history = []
    for entry in journal.read(db, STREAM):
        change = told(entry)
        act, by, at = change.act, change.actor.person, change.at
        history.append(change)
        match act:
            case RequestErasure():
                erasures[act.request] = Erasure(act=act, by=by, at=at, unit=change.actor.on_behalf_of or "")
            case DecideErasure():
                erasures[act.request] = replace(erasures[act.request], decided=decision(change))
            case ProposeDisposal():
                disposals[act.disposal] = Disposal(act=act, by=by, at=at)
            case DecideDisposal():
                disposals[act.disposal] = replace(disposals[act.disposal], decided=decision(change))
            case SetRetention():
                classes[act.key, act.unit] = act
            case DropRetention():
                classes.pop((act.key, act.unit), None)
    return Archive(erasures=erasures, disposals=disposals, classes=classes, history=tuple(history))


def told(entry: journal.Entry) -> Change:
    """The change that a row of the stream records."""
    change: Change = records.decode(Change, entry.command)
    act = records.decode(ACTS[change.act["type"]], change.act)
    return replace(change, act=act)


def decision(change: Change) -> Decided:
    return Decided(state=APPROVED if change.act.approved else REJECTED, by=change.actor.person, at=change.at,
                   note=change.act.note)


# Doing

@dataclass(frozen=True, kw_only=True)
class Done:
    """What an act came to. `elsewhere`: table -> rows in which the same words still stand (store.elsewhere)."""
    sequence: int
    values: int = 0
    files: int = 0
    instances: tuple[str, ...] = ()
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    copies: tuple[store.Copy, ...] = ()


def carry_out(database: Database, rules: Rules, documents_dir: Path, change: Change) -> Done:
    """Carry out one act in a transaction of its own; afterwards, where something was erased, the database forgets the
    bytes. A repeat gives the sequence of its first time.

    Raises Refused: `not_yours`, `unknown`, `wrong`, `held` (a legal hold is in the way), `other`.
    """
    with database.begin() as db:
        lock(db, STREAM)
        found = journal.sequence_of(db, STREAM, change.id)
        if found is not None:
            before = told(next(journal.read(db, STREAM, after=found - 1)))
            if type(before.act) is not type(change.act) or before.actor.person != change.actor.person:
                raise Refused("other", "Perintah ini sudah pernah dipakai untuk hal lain. Muat ulang halaman, lalu "
                                       "ulangi.")
            return Done(sequence=found)
        sequence, prev, last = journal.head(db, STREAM)
        change = replace(change, at=max(change.at, last) if last else change.at)
        archive, doing = load(db), Doing(db=db, rules=rules, key=database.key, change=change)
        events = doing.judged(archive)
        journal.append(db, database.key, stream=STREAM, sequence=sequence + 1, prev=prev, command_id=change.id,
                       at=change.at, command=doing.change, events=events)
        doing.erase_notes(archive, sequence + 1)
        done = Done(sequence=sequence + 1, values=doing.values, files=len(doing.loose), instances=tuple(doing.touched),
                    elsewhere=store.elsewhere(db, doing.words or doing.searched()),
                    copies=tuple(store.copies(db, doing.touched)) if doing.touched else ())
        names = {name for one in sorted(doing.loose) for name in documents.forget(db, one)}
    documents.remove(documents_dir, names)
    if done.values or done.files:
        store.scrub(database)
    return done


@dataclass
class Doing:
    """One act while it is judged and done."""
    db: Connection
    rules: Rules
    key: bytes
    change: Change
    values: int = 0
    touched: list[str] = field(default_factory=list)        # instances
    loose: set[str] = field(default_factory=set)            # SHA-256 of files that an instance gave up
    texts: set[str] = field(default_factory=set)            # what was erased
    words: list[str] = field(default_factory=list)          # how who it is about is called

    def judged(self, archive: Archive) -> list[Any]:
        """Does all that the act says, besides its own row; the events of that row."""
        act = self.change.act
        match act:
            case RequestErasure():
                self.must_administer()
                self.request(archive, act)
            case DecideErasure():
                return self.decide_erasure(archive, act)
            case PlaceHold():
                self.must_administer()
                self.place(act)
            case LiftHold():
                self.must_administer()
                self.lift(act)
            case SetRetention():
                self.must_administer()
                self.classify(act)
            case DropRetention():
                self.must_administer()
                if (act.key, act.unit) not in archive.classes:
                    raise Refused("unknown", "Kelas retensi ini memang belum ditetapkan.")
            case ProposeDisposal():
                self.must_administer()
                self.propose(archive, act)
            case DecideDisposal():
                self.decide_disposal(archive, act)
        return []

    # Who may

    def must_administer(self) -> None:
        if not organisation.is_administrator(self.db, self.change.actor.person):
            raise Refused("not_yours", "Tindakan ini hanya dapat dilakukan administrator yang masuk atas namanya.")

    def must_decide(self, unit: str, asked_by: str) -> None:
        """The head of the unit; without one, or where that is who asked, another administrator."""
        person = self.change.actor.person
        if person == asked_by:
            raise Refused("not_yours", "Yang mengajukan tidak dapat memutuskan sendiri. Mintalah orang kedua.")
        if person not in deciders(self.db, unit, self.change.at, asked_by):
            raise Refused("not_yours", "Permintaan ini diputuskan oleh kepala unit, atau oleh administrator lain bila "
                                       "unit itu belum mempunyai kepala atau kepalanya sendiri yang mengajukan.")

    def must_be_free(self, id: str) -> None:
        hold = store.held(self.db, id)
        if hold is not None:
            name = store.heading(self.db, id)
            raise Refused("held", f"{name.title if name else id} ditahan untuk kepentingan hukum (nomor {hold.number}, "
                                  f"sejak {dated(hold.since)}). Selama penahanan itu tidak ada yang dihapus.")

    # Erasing on request

    def request(self, archive: Archive, act: RequestErasure) -> None:
        fresh(act.request, archive.erasures)
        text(act.number, "number", "Nomor surat permintaan", 120)
        text(act.basis, "basis", "Dasar hukum", 200)
        text(act.subject, "subject", "Pemohon", 200, required=False)
        if day(act.dated, "dated", "Tanggal surat") > local_date(self.change.at, definitions.ZONE):
            raise wrong("dated", "Tanggal surat berada di masa depan.")
        if act.about == PERSON:
            unit = self.request_of_a_person(act)
        else:
            heading = store.heading(self.db, act.id)
            if act.about != INSTANCE or heading is None:
                raise Refused("unknown", "Berkas proses ini tidak ada.")
            if not act.values and not act.files:
                raise wrong("values", "Belum ada isian atau berkas yang dipilih.")
            if len(act.values) > MOST_VALUES:
                raise wrong("values", f"Paling banyak {MOST_VALUES} isian dalam satu permintaan.")
            self.must_be_free(act.id)
            self.erasable(act.id, act.values, act.files)
            unit = heading.unit
        # Whose head decides is settled now: the row says it where an actor says for whom they act.
        self.change = replace(self.change, actor=replace(self.change.actor, on_behalf_of=unit or None))

    def request_of_a_person(self, act: RequestErasure) -> str:
        person = organisation.person_of(self.db, act.id)
        if person is None:
            raise Refused("unknown", "Orang ini tidak ada.")
        if person.active:
            raise wrong("id", f"{person.name} masih aktif. Nama hanya dihapus dari yang sudah tidak bekerja di sini; "
                              "nonaktifkan dahulu pada halaman Orang.")
        if not list(self.of_person(act.id)):
            raise wrong("id", "Data orang ini sudah dihapus.")
        if hold := store.any_held(self.db):
            raise Refused("held", f"Ada penahanan hukum yang berlaku (nomor {hold.number}). Nama orang berada di "
                                  "banyak berkas proses, jadi tidak dihapus selama penahanan itu.")
        return next((unit for one in reversed(list(organisation.load(self.db).holdings.values()))
                     if one.person == act.id and (unit := store.unit_of_position(self.db, one.position))), "")

    def erasable(self, id: str, values: Sequence[str], files: Sequence[str]) -> list[Kept]:
        """The values that are asked for, where all of them can go."""
        there = {one.name: one for one in found_in(self.db, self.rules, id)}
        unknown = [one for one in values if one not in there]
        if unknown:
            raise wrong("values", f"Isian yang tidak ada, atau sudah dihapus: {', '.join(unknown[:5])}.")
        deciding = [one for one in values if there[one].decides]
        if deciding:
            raise wrong("values", "Isian ini menentukan jalannya proses, jadi tidak dapat dihapus: "
                                  f"{', '.join(deciding[:5])}.")
        gone = set(files) - set(store.files(self.db, id))
        if gone:
            raise wrong("files", "Berkas yang tidak ada pada berkas proses ini, atau sudah dihapus.")
        return [there[one].kept for one in values]

    def decide_erasure(self, archive: Archive, act: DecideErasure) -> list[Any]:
        asked = archive.erasures.get(act.request)
        if asked is None:
            raise Refused("unknown", "Permintaan ini tidak ada.")
        self.must_be_waiting(asked.decided, act.approved, act.note)
        self.must_decide(asked.unit, asked.by)
        if not act.approved:
            return []
        why = f"request {asked.act.number}"
        if asked.act.about == PERSON:
            if hold := store.any_held(self.db):
                raise Refused("held", f"Ada penahanan hukum yang berlaku (nomor {hold.number}).")
            self.subject(asked.act)
            return [self.erase_person(asked.act.id, why)]
        self.must_be_free(asked.act.id)
        self.subject(asked.act)
        loaded = self.locked(asked.act.id)
        kept = self.erasable(asked.act.id, asked.act.values, asked.act.files)
        self.erase(loaded, kept, asked.act.files, EraseValues(
            request=asked.act.request, number=asked.act.number, basis=asked.act.basis, values=asked.act.values,
            files=asked.act.files), why)
        return []

    def must_be_waiting(self, decided: Decided, approved: bool, note: str) -> None:
        if decided.state != WAITING:
            raise Refused("not_open", "Ini sudah diputuskan. Muat ulang halaman.")
        text(note, "note", "Alasan", 500, required=not approved)

    def of_person(self, id: str) -> Iterator[Kept]:
        """What the stream of the organisation holds of a person."""
        there = {(one.sequence, one.path): one for one in store.values(self.db, "organisation")}
        for entry in journal.read(self.db, "organisation"):
            act = entry.command["act"]
            if act.get("person") == id and act["type"] in ("AddPerson", "ChangePerson"):
                yield from (one for name in OF_PERSON
                            if (one := there.get((entry.sequence, f"command.act.{name}"))) and one.value != b"null")

    def erase_person(self, id: str, why: str) -> Gone:
        gone = list(self.of_person(id))
        for one in gone:
            self.erase_value("organisation", one, why, searched=one.path.rpartition(".")[2] in NAMING)
        store.forget_person(self.db, id)
        store.forget_in(self.db, None, self.searched())
        organise.rebuild(self.db)
        return Gone(stream="organisation", values=tuple(one.name for one in gone))

    def erase_notes(self, archive: Archive, sequence: int) -> None:
        """Who asked goes with what they asked for. No row can say so in itself; that the request was approved does."""
        act = self.change.act
        if not isinstance(act, DecideErasure) or not act.approved:
            return
        asked = archive.erasures[act.request]
        row = next((n for n, one in enumerate(archive.history, 1)
                    if isinstance(one.act, RequestErasure) and one.act.request == act.request), None)
        if row is not None:
            journal.erase(self.db, STREAM, row, "command.act.subject", f"request {asked.act.number}")

    def locked(self, id: str) -> instances.Loaded:
        """An instance that nobody adds to until this is over: what goes is looked for after this."""
        loaded = instances.lock(self.db, id, self.command_id(id))
        if loaded is None or loaded.prior is not None:
            raise Refused("unknown", "Berkas proses ini tidak ada, atau sudah dihapus isinya.")
        return loaded

    def command_id(self, id: str) -> str:
        return str(uuid5(NAMESPACE, f"{self.change.id}/{id}"))

    def erase(self, loaded: instances.Loaded, kept: Iterable[Kept], files: Iterable[str], act: EraseValues,
              why: str) -> None:
        """Erase in one instance: the row that says so, the values, the shadows; then prove that it replays."""
        id = loaded.instance.id
        actor = replace(self.change.actor, capacity=APPROVER, lanes=(), on_behalf_of=None)
        at = max(self.change.at, loaded.instance.last_at or self.change.at)
        command = Command(id=self.command_id(id), at=at, actor=actor, act=act, asked=handle.fingerprint(self.key, act),
                          read_at=self.change.at if at != self.change.at else None)
        step = process.decide(self.rules, loaded.instance, command)
        head = handle.append(self.db, self.key, loaded.instance, step, loaded.head)
        for one in kept:
            self.erase_value(instances.stream(id), one, why)
        try:
            after, _ = handle.replayed(self.db, self.rules, id)
        except (process.ReplayDiverged, expressions.ExpressionError) as error:
            raise Refused("wrong", "Tanpa isian ini riwayat tidak dapat diputar ulang, jadi tidak ada yang dihapus "
                                   f"({error}).") from error
        after = replace(after, marking=loaded.instance.marking)
        instances.save(self.db, loaded, after, head, self.rules.definition(after.definition), [step])
        if act.disposal:
            store.forget_all_of(self.db, id)
        else:
            store.forget_in(self.db, id, self.searched())
        self.touched.append(id)
        self.loose.update(files)

    def subject(self, asked: RequestErasure) -> None:
        if len(asked.subject or "") >= LEAST_NAME:
            self.words = [asked.subject]

    def searched(self) -> list[str]:
        """What drafts and notices are searched for: who it is about, and what was erased."""
        return sorted({*self.words, *(one for one in self.texts if len(one) >= store.LEAST_SEARCHED)})

    def erase_value(self, stream: str, one: Kept, why: str, searched: bool = True) -> None:
        value = journal.erase(self.db, stream, one.sequence, one.path, why)
        if value is not None:
            self.values += 1
            self.texts.update(texts_in(json.loads(value)) if searched else ())

    # Holds

    def place(self, act: PlaceHold) -> None:
        fresh(act.hold, {one.id: one for one in store.holds(self.db)})
        text(act.number, "number", "Nomor surat", 120)
        text(act.basis, "basis", "Dasar", 200)
        day(act.since, "since", "Berlaku sejak")
        if act.scope not in SCOPES:
            raise wrong("scope", "Pilih yang ditahan: satu berkas proses, satu unit, atau semuanya.")
        if act.scope == OF_INSTANCE and store.heading(self.db, act.instance) is None:
            raise wrong("instance", "Berkas proses ini tidak ada. Salin nomornya dari halaman berkas proses.")
        if act.scope == OF_UNIT and organisation.unit_of(self.db, act.unit) is None:
            raise wrong("unit", "Unit belum dipilih.")
        if act.year is not None and not 1945 <= act.year <= 2200:
            raise wrong("year", "Tahun laporan ditulis empat angka, misalnya 2026.")
        store.place(self.db, Hold(
            id=act.hold, scope=act.scope, instance=act.instance if act.scope == OF_INSTANCE else "",
            unit=act.unit if act.scope == OF_UNIT else "", year=act.year if act.scope == OF_UNIT else None,
            number=act.number, basis=act.basis, since=act.since, placed_at=records.instant(self.change.at),
            placed_by=self.change.actor.person))

    def lift(self, act: LiftHold) -> None:
        if act.hold not in {one.id for one in store.holds(self.db)}:
            raise Refused("unknown", "Penahanan ini tidak ada, atau sudah dicabut.")
        text(act.number, "number", "Nomor surat pencabutan", 120)
        text(act.reason, "reason", "Alasan", 500, required=False)
        store.lift(self.db, act.hold)

    # Retention and disposal

    def classify(self, act: SetRetention) -> None:
        text(act.name, "name", "Nama kelas", 200)
        text(act.basis, "basis", "Dasar (JRA)", 200)
        if act.fate not in FATES:
            raise wrong("fate", "Pilih nasib akhirnya: musnah, permanen, atau dinilai kembali.")
        for value, place, label in ((act.active, "active", "Retensi aktif"), (act.inactive, "inactive",
                                                                             "Retensi inaktif")):
            if not 0 <= value <= MOST_YEARS:
                raise wrong(place, f"{label}: 0 sampai {MOST_YEARS} tahun.")
        if act.active + act.inactive < 1:
            raise wrong("active", "Retensi aktif dan inaktif bersama-sama paling sedikit satu tahun.")
        if act.unit and organisation.unit_of(self.db, act.unit) is None:
            raise wrong("unit", "Unit ini tidak ada.")
        if act.key and definitions.newest(self.db, act.key) is None:
            raise wrong("key", "Proses ini tidak ada.")

    def propose(self, archive: Archive, act: ProposeDisposal) -> None:
        fresh(act.disposal, archive.disposals)
        text(act.number, "number", "Nomor berita acara", 120)
        text(act.basis, "basis", "Dasar", 200)
        day(act.dated, "dated", "Tanggal berita acara")
        if any(one.act.number == act.number and one.decided.state != REJECTED for one in archive.disposals.values()):
            raise wrong("number", f"Berita acara {act.number} sudah ada.")
        if not act.instances:
            raise wrong("instances", "Belum ada berkas proses yang dipilih.")
        if len(set(act.instances)) != len(act.instances) or len(act.instances) > MOST_DISPOSED:
            raise wrong("instances", f"Paling banyak {MOST_DISPOSED} berkas proses dalam satu berita acara, "
                                     "masing-masing sekali.")
        self.must_be_due(archive, act)
        if any(id in one.act.instances for one in archive.disposals.values() if one.decided.state == WAITING
               for id in act.instances):
            raise wrong("instances", "Ada berkas proses yang sudah diusulkan dan menunggu keputusan.")

    def must_be_due(self, archive: Archive, act: ProposeDisposal) -> None:
        over = {one.id: one for one in due(self.db, archive, self.change.at)}
        for id in act.instances:
            one = over.get(id)
            if one is None or one.unit != act.unit or one.kept.fate != DESTROY:
                raise wrong("instances", f"{one.title if one else id}: belum melewati retensi, bukan milik unit ini, "
                                         "atau nasib akhirnya bukan musnah.")
            self.must_be_free(id)

    def decide_disposal(self, archive: Archive, act: DecideDisposal) -> None:
        asked = archive.disposals.get(act.disposal)
        if asked is None:
            raise Refused("unknown", "Usul pemusnahan ini tidak ada.")
        self.must_be_waiting(asked.decided, act.approved, act.note)
        self.must_decide(asked.act.unit, asked.by)
        if not act.approved:
            return
        self.must_be_due(archive, asked.act)
        for id in sorted(asked.act.instances):
            loaded = self.locked(id)
            kept = [one.kept for one in found_in(self.db, self.rules, id) if not one.decides]
            files = tuple(store.files(self.db, id))
            if not kept and not files:
                continue
            self.erase(loaded, kept, files, EraseValues(
                request=act.disposal, number=asked.act.number, basis=asked.act.basis, disposal=True, files=files,
                values=tuple(one.name for one in kept)), f"disposal {asked.act.number}")
        self.texts.clear()          # everything went: there is no use in looking for each word elsewhere


def fresh(id: str, there: Mapping[str, Any]) -> None:
    if not id or len(id) > 64 or id in there:
        raise Refused("other", "Formulir ini sudah pernah dikirim. Muat ulang halaman, lalu periksa.")


# Looking

def deciders(db: Connection, unit: str, at: datetime, asked_by: str) -> list[str]:
    """Who decides on what goes in a unit: its head, or who acts for them. Without one, or where that is who asked, the
    administrators; never who asked."""
    place = organisation.unit_of(db, unit) if unit else None
    head = organisation.head_of(db, unit, local_date(at, place.zone)) if place else None
    if head is not None and head.person != asked_by:
        return [head.person]
    return [one for one in organisation.load(db).administrators() if one != asked_by]


@dataclass(frozen=True)
class Found:
    """A value of an instance that could be erased."""
    kept: Kept
    person: str
    at: datetime
    field: str                              # id of the field of the form; "" of a reason, a comment, a file's name
    label: str                              # of the field; "" where it is none
    decides: bool                           # how the process ran depends on it: it stays
    personal: bool = False                  # sop.pribadi

    @property
    def name(self) -> str:
        return self.kept.name

    @property
    def value(self) -> Any:
        return json.loads(self.kept.value)


def found_in(db: Connection, rules: Rules, id: str) -> list[Found]:
    """Every value of an instance that is still there, in the order in which it came."""
    stream, found, ran = instances.stream(id), [], {}
    there: dict[int, list[Kept]] = {}
    for one in store.values(db, stream):
        there.setdefault(one.sequence, []).append(one)
    decides: set[str] = set()
    rows = list(journal.read(db, stream))
    for entry in rows:
        for sha256 in {entry.definition, entry.command["act"].get("to")} - {None}:
            if sha256 not in ran:
                ran[sha256] = rules.definition(str(sha256))
                decides |= deciding(ran[sha256])
    for entry in rows:
        fields = ran[entry.definition].fields if entry.definition in ran else {}
        for kept in there.get(entry.sequence, ()):
            name = kept.path.removeprefix("command.act.data.") if kept.path.startswith("command.act.data.") else ""
            field = fields.get(name)
            found.append(Found(
                kept=kept, person=entry.command["actor"]["person"], at=entry.at, field=name,
                label=field.label if field else "", personal=bool(field and field.personal),
                decides=name in decides if name else kept.path in KEPT))
    return found


def deciding(definition: ProcessDefinition) -> set[str]:
    """The fields whose values decide how an instance of this diagram runs: what its expressions read, who is appointed,
    the year of report. The gate refuses that such a field is personal."""
    fields = [one for element in definition.elements.values() for one in element.form]
    written = [one.condition for one in definition.flows.values()]
    drawn = [one.timer for one in definition.elements.values() if one.timer]
    drawn += [definition.deadline.timer] if definition.deadline else []
    written += [one.expression.removeprefix("=") for one in drawn if one.expression.startswith("=")]
    for one in fields:
        written += [one.required_if, one.shown_if, one.valid_if, one.filler_if]
        written += [column.required_if for column in one.columns]
        written += [one.slot.same_if, one.slot.owed_if] if one.slot else []
        written += [text.removeprefix("=") for text in (one.initial, *(column.initial for column in one.columns))
                    if text and text.startswith("=")]
    names = {"tahun_laporan", *(one.id for one in fields if one.appoints)}
    for text_ in filter(None, written):
        names |= set(expressions.parse(text_).names)
    # A column's condition names columns too; a field of the same name is then kept, which is the safe side.
    return names


@dataclass(frozen=True)
class Due:
    """An instance that is past its retention."""
    id: str
    key: str
    unit: str
    year: int | None
    title: str
    ended_at: datetime
    due: date
    kept: SetRetention
    held: Hold | None


def due(db: Connection, archive: Archive, at: datetime) -> list[Due]:
    """What is past its retention, the longest first; disposed ones aside. Nothing happens to it by itself."""
    if not archive.classes:
        return []
    found, disposed = [], archive.disposed
    zones, holds = {one.id: one.zone for one in organisation.units(db)}, store.holds(db)
    for row in store.ended(db):
        kept = archive.of(row.key, row.unit)
        if kept is None or row.id in disposed:
            continue
        zone = zones.get(row.unit, definitions.ZONE)
        ended = records.moment(row.ended_at)
        until = months_later(local_date(ended, zone), 12 * (kept.active + kept.inactive))
        if until <= local_date(at, zone):
            hold = next((one for one in holds if one.covers(row.id, row.unit, row.year)), None)
            found.append(Due(row.id, row.key, row.unit, row.year, row.title, ended, until, kept, hold))
    return sorted(found, key=lambda one: (one.due, one.title, one.id))


@dataclass(frozen=True)
class Disposed:
    """An instance in a berita acara: what went, and by which hashes it can still be proved."""
    id: str
    title: str
    year: int | None
    ended_at: datetime | None
    rows: int                               # journal rows that stay
    head: str                               # hash of the last row before it was disposed of
    values: int
    files: tuple[str, ...]                  # SHA-256


def disposed(db: Connection, one: Disposal) -> list[Disposed]:
    """What a berita acara lists: of an approved one what went, of a waiting one what would stand in it."""
    found = []
    for id in sorted(one.act.instances):
        heading, stream = store.heading(db, id), instances.stream(id)
        went = next((entry for entry in journal.read(db, stream)
                     if entry.command["act"]["type"] == "EraseValues"
                     and entry.command["act"]["request"] == one.act.disposal), None)
        last = went.sequence - 1 if went else journal.head(db, stream)[0]
        act = went.command["act"] if went else {"values": (), "files": store.files(db, id)}
        found.append(Disposed(
            id=id, title=heading.title if heading else id, year=heading.year if heading else None,
            ended_at=records.moment(heading.ended_at) if heading and heading.ended_at else None, rows=last,
            head=store.hash_of(db, stream, last), values=len(act["values"]), files=tuple(act["files"])))
    return found


def waiting_for(db: Connection, person: str, at: datetime) -> int:
    """How many requests and disposals wait for this person to decide."""
    archive = load(db)
    asked = [(one.unit, one.by) for one in archive.erasures.values() if one.decided.state == WAITING]
    asked += [(one.act.unit, one.by) for one in archive.disposals.values() if one.decided.state == WAITING]
    return sum(person in deciders(db, unit, at, by) for unit, by in asked)


def rebuild(db: Connection) -> None:
    """Empty the table of holds and refill it from the stream."""
    lock(db, STREAM)
    for one in store.holds(db):
        store.lift(db, one.id)
    for change in load(db).history:
        if isinstance(change.act, PlaceHold):
            act = change.act
            store.place(db, Hold(
                id=act.hold, scope=act.scope, instance=act.instance if act.scope == OF_INSTANCE else "",
                unit=act.unit if act.scope == OF_UNIT else "", year=act.year if act.scope == OF_UNIT else None,
                number=act.number, basis=act.basis, since=act.since, placed_at=records.instant(change.at),
                placed_by=change.actor.person))
        elif isinstance(change.act, LiftHold):
            store.lift(db, change.act.hold)
