"""Who is who: units, positions, people, holders, bindings and powers as one value, and the acts that change it.

The heart of the stream `organisation`: `decide` refuses what may not be, `evolve` folds an act, and nothing here reads
a table, a clock or a journal. Names, NIP, e-mail addresses and reasons are personal: the journal keeps their salted
hash and the value beside it. Dates are ISO text (YYYY-MM-DD), inclusive, of the unit's zone.
"""
from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .commands import Actor, Erased, private
from .instance import Problem, Refused

STREAM = "organisation"

DEFINITIVE, PLH, PLT = "definitif", "plh", "plt"
CAPACITIES = {DEFINITIVE: "definitif", PLH: "Plh.", PLT: "Plt."}
ADMINISTRATOR, AUDITOR = "administrator", "auditor"
OWNER, VERIFIER = "pemilik", "verifikator"  # of SOPs: who draws and proposes them, who verifies what others propose
POWERS = (ADMINISTRATOR, AUDITOR, OWNER, VERIFIER)
SYSTEM = "sistem"                           # capacity of an actor that is the installation itself
STARTERS = "pemulai"                        # the lane, besides those drawn, whose performers may start a process
ZONES = {"Asia/Jakarta": "WIB", "Asia/Pontianak": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}
SETTINGS = ("demonstration",)               # what SetSetting may set
# What another person of the unit confirms after an administrator changed it.
CREDENTIAL, FACTOR, HOLDER, PERFORMER, HEAD = "kredensial", "faktor", "pemegang", "pelaksana", "kepala"
POWER, ASSIGNMENT = "kuasa", "surat_tugas"
PENDING, RIGHT, NOT_RIGHT = "menunggu", "benar", "tidak_benar"
FACTORS = ("totp", "passkey", "kode")       # what a person enrols: a code by time, a passkey, recovery codes
DAYS = "hari"                               # the subject of a reading: what "hari" in the SOP's Waktu means

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
LOGIN = re.compile(r"[a-z0-9._-]{3,40}")
NIP = re.compile(r"[0-9]{18}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
FACT = re.compile(r"sop\.[A-Za-z]+")
NEVER_PEOPLE = ("timer", "sistem", "")      # actors that are nobody
AUDITED_YEARS_MOST = 50                     # of one surat tugas
LONGEST_PLT_MONTHS = 3                      # SE BKN 1/SE/I/2021
MONTHS = ("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November",
          "Desember")


# What the organisation is

@dataclass(frozen=True, kw_only=True)
class Unit:
    """An office: perangkat daerah, kecamatan, bagian."""
    id: str
    name: str
    zone: str = "Asia/Jakarta"
    parent: str | None = None               # unit id
    government: str | None = None           # "Kabupaten Rembang"
    head: str | None = None                 # the position that heads it and ratifies its SOPs


@dataclass(frozen=True, kw_only=True)
class Position:
    """A jabatan of a unit, held by one person at a time or by many."""
    id: str
    unit: str
    name: str
    many: bool = False


@dataclass(frozen=True, kw_only=True)
class Person:
    id: str
    name: str
    login: str
    nip: str | None = None
    rank: str | None = None                 # pangkat/golongan
    email: str | None = None
    active: bool = True


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A person holds a position, from a day to a day, in a capacity, on a basis."""
    id: str
    position: str
    person: str
    capacity: str                           # definitif | plh | plt
    basis: str                              # number of the SK or surat perintah
    valid_from: str
    valid_until: str | None = None          # None: until further notice. Before valid_from: it never held.

    def holds(self, on: str) -> bool:
        return self.valid_from <= on <= (self.valid_until or FOREVER)

    def overlaps(self, valid_from: str, valid_until: str | None) -> bool:
        mine, its = self.valid_until or FOREVER, valid_until or FOREVER
        return self.valid_from <= mine and max(self.valid_from, valid_from) <= min(mine, its)


FOREVER = "9999-12-31"


@dataclass(frozen=True, kw_only=True)
class Binding:
    """The position that performs a lane of a process for a unit."""
    key: str
    lane: str
    unit: str
    position: str


@dataclass(frozen=True, kw_only=True)
class Power:
    person: str
    power: str                              # administrator (unit "") | auditor, pemilik, verifikator (of a unit with
    #                                         the units below it, "" = of all)
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class AuditAssignment:
    """A surat tugas audit: a person reads everything of some units and years, from a day to a day, and then no more."""
    id: str
    person: str
    number: str                             # of the surat tugas
    units: tuple[str, ...]                  # ids; these alone, not those below them
    years: tuple[int, ...]                  # of report; () = all
    valid_from: str
    valid_until: str                        # the last day, in each unit's own zone. Before valid_from: it never held.
    basis: str = ""

    def holds(self, on: str) -> bool:
        return self.valid_from <= on <= self.valid_until


@dataclass(frozen=True, kw_only=True)
class AuditScope:
    """One unit that somebody may audit now."""
    unit: str                               # "" of all: only by the old power
    zone: str = "Asia/Jakarta"              # the unit's
    years: tuple[int, ...] = ()             # of report; () = all
    number: str = ""                        # of the surat tugas; "" of the old power, which has no end

    def covers(self, unit: str, year: int | None, started_at: datetime) -> bool:
        """Whether an instance of a unit is within; without a year of report it is of the year in which it started."""
        belongs = year if year is not None else local_date(started_at, self.zone).year
        return self.unit in ("", unit) and (not self.years or belongs in self.years)


@dataclass(frozen=True, kw_only=True)
class StartingUnit:
    """A unit that may start a process, with its own facts over the diagram's (`sop.nomorSop`, ...)."""
    key: str
    unit: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a unit reads what the SOP leaves open, on the legal basis that somebody entered."""
    key: str
    unit: str
    subject: str                            # DAYS, or the id of an element whose performer is assumed (sop.asumsi)
    value: str                              # what was confirmed: "kerja" of DAYS, the lane id of an element
    basis: str                              # number of the rule or letter
    dated: str                              # its ISO date


@dataclass(frozen=True, kw_only=True)
class Setting:
    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """A change by an administrator that another person of the unit is asked about."""
    id: str
    kind: str                               # CREDENTIAL | FACTOR | HOLDER | PERFORMER | HEAD | POWER | ASSIGNMENT
    person: str                             # whom it is about; "" of a lane's or a unit's position
    unit: str                               # "" of somebody without a position: administrators answer for them
    subject: str                            # a person | a holding | KEY/LANE/POSITION | the head's position |
    #                                         POWER/UNIT (UNIT "" = of all) | a surat tugas
    previous: str = ""                      # position id, of PERFORMER and HEAD
    asked_by: str                           # person id of the administrator
    asked_at: str                           # instant, as in the journal
    state: str = PENDING                    # PENDING | RIGHT | NOT_RIGHT


@dataclass(frozen=True, kw_only=True)
class FactorRequirement:
    """A person who does not sign in without a second factor."""
    person: str


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """The whole organisation as the newest row of its stream leaves it."""
    units: Mapping[str, Unit] = field(default_factory=dict)
    positions: Mapping[str, Position] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    holdings: Mapping[str, Holding] = field(default_factory=dict)
    bindings: Mapping[tuple[str, str, str], Binding] = field(default_factory=dict)         # (key, lane, unit)
    powers: Mapping[tuple[str, str, str], Power] = field(default_factory=dict)             # (person, power, unit)
    assignments: Mapping[str, AuditAssignment] = field(default_factory=dict)               # surat tugas audit
    starting_units: Mapping[tuple[str, str], StartingUnit] = field(default_factory=dict)   # (key, unit)
    readings: Mapping[tuple[str, str, str], Reading] = field(default_factory=dict)         # (key, unit, subject)
    settings: Mapping[str, Setting] = field(default_factory=dict)                          # those of this stream
    confirmations: Mapping[str, Confirmation] = field(default_factory=dict)
    requirements: Mapping[str, FactorRequirement] = field(default_factory=dict)            # by person

    def ancestors(self, unit: str) -> Iterator[str]:
        """The unit itself, its parent, and so on upwards."""
        seen: set[str] = set()
        at: str | None = unit
        while at is not None and at not in seen and at in self.units:
            seen.add(at)
            yield at
            at = self.units[at].parent

    def today(self, at: datetime, unit: str) -> str:
        return local_date(at, self.units[unit].zone).isoformat()

    def has_power(self, person: str, power: str, unit: str) -> bool:
        """Whether an active person has a power over a unit: of it, of a unit above it, or of all."""
        return person in self.people and self.people[person].active and any(
            (person, power, one) in self.powers for one in ("", *self.ancestors(unit)))

    def administrators(self) -> list[str]:
        """Ids of the active people who are administrator of the whole installation."""
        return [one.person for one in self.powers.values()
                if one.power == ADMINISTRATOR and one.unit == "" and self.people[one.person].active]


# What can be done to it

@dataclass(frozen=True, kw_only=True)
class AddUnit:
    unit: str
    name: str
    zone: str = "Asia/Jakarta"
    parent: str | None = None
    government: str | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeUnit:
    """The unit's new facts, all of them."""
    unit: str
    name: str
    zone: str = "Asia/Jakarta"
    parent: str | None = None
    government: str | None = None


@dataclass(frozen=True, kw_only=True)
class SetHead:
    """The position that heads a unit; None: none is known any more."""
    unit: str
    position: str | None = None


@dataclass(frozen=True, kw_only=True)
class AddPosition:
    position: str
    unit: str
    name: str
    many: bool = False


@dataclass(frozen=True, kw_only=True)
class ChangePosition:
    position: str
    name: str
    many: bool = False


@dataclass(frozen=True, kw_only=True)
class AddPerson:
    person: str
    name: str = private()
    login: str = private()
    nip: str | None = private(default=None)
    rank: str | None = private(default=None)
    email: str | None = private(default=None)


@dataclass(frozen=True, kw_only=True)
class ChangePerson:
    """The person's new facts, all of them."""
    person: str
    name: str = private()
    login: str = private()
    nip: str | None = private(default=None)
    rank: str | None = private(default=None)
    email: str | None = private(default=None)


@dataclass(frozen=True, kw_only=True)
class DeactivatePerson:
    """The person may no longer sign in. `last_day` ends what they still hold; without it that is refused."""
    person: str
    last_day: str | None = None
    reason: str = private(default="")


@dataclass(frozen=True, kw_only=True)
class ReactivatePerson:
    person: str
    reason: str = private(default="")


@dataclass(frozen=True, kw_only=True)
class Hold:
    holding: str
    position: str
    person: str
    capacity: str
    valid_from: str
    valid_until: str | None = None
    basis: str = ""


@dataclass(frozen=True, kw_only=True)
class EndHolding:
    holding: str
    valid_until: str                        # the last day; the day before it began: it never held
    reason: str = private(default="")


@dataclass(frozen=True, kw_only=True)
class Bind:
    key: str
    lane: str
    unit: str
    position: str
    lane_name: str = ""                     # as drawn when it was bound: a renamed lane asks for confirmation
    other_office: bool = False              # the lane is another office's (sop.kantorLain)


@dataclass(frozen=True, kw_only=True)
class Unbind:
    key: str
    lane: str
    unit: str


@dataclass(frozen=True, kw_only=True)
class GrantPower:
    person: str
    power: str
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class RevokePower:
    person: str
    power: str
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class AssignAudit:
    """A surat tugas: the person may audit the units, in these years of report (none: in all), and changes nothing."""
    assignment: str
    person: str
    number: str
    units: tuple[str, ...]
    years: tuple[int, ...] = ()
    valid_from: str
    valid_until: str
    basis: str = private(default="")


@dataclass(frozen=True, kw_only=True)
class EndAudit:
    assignment: str
    valid_until: str                        # the last day; the day before it began: it never held
    reason: str = private(default="")


@dataclass(frozen=True, kw_only=True)
class AllowUnit:
    """The unit may start the process; said again, its facts are replaced."""
    key: str
    unit: str
    facts: Mapping[str, str] = private(whole=True, default_factory=dict)     # a ratifier may be a person


@dataclass(frozen=True, kw_only=True)
class DisallowUnit:
    key: str
    unit: str


@dataclass(frozen=True, kw_only=True)
class ConfirmReading:
    """What the SOP leaves open is read so, and this is why; said again, the basis is replaced."""
    key: str
    unit: str
    subject: str
    value: str
    basis: str = private()
    dated: str


@dataclass(frozen=True, kw_only=True)
class WithdrawReading:
    """The reading was confirmed by mistake: it is open again."""
    key: str
    unit: str
    subject: str
    reason: str = private(default="")


@dataclass(frozen=True, kw_only=True)
class SetCredential:
    """A new password was set. Its hash is no fact and stands in no journal."""
    person: str
    temporary: bool = False


@dataclass(frozen=True, kw_only=True)
class SetSetting:
    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class EnrolSecondFactor:
    """A person enrolled a second factor of their own, or drew recovery codes. No secret of it is a fact."""
    person: str
    kind: str                               # one of FACTORS
    factor: str = ""                        # its id


@dataclass(frozen=True, kw_only=True)
class RemoveSecondFactor:
    """A person removed one of their own; or an administrator (factor ""), all that somebody has."""
    person: str
    factor: str = ""


@dataclass(frozen=True, kw_only=True)
class RequireSecondFactor:
    """Whether a person may no longer sign in without a second factor."""
    person: str
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class AskConfirmation:
    """Another person of the unit is asked whether a change is right; recorded beside the change, by who made it."""
    confirmation: str
    kind: str
    person: str = ""
    unit: str = ""
    subject: str
    previous: str = ""
    asked_by: str
    asked_at: str


@dataclass(frozen=True, kw_only=True)
class ConfirmChange:
    confirmation: str


@dataclass(frozen=True, kw_only=True)
class DisputeChange:
    """The change is not right: it holds no longer. `last_day` is the last day of a holding that is ended so."""
    confirmation: str
    last_day: str
    reason: str = private()


Act = (AddUnit | ChangeUnit | SetHead | AddPosition | ChangePosition | AddPerson | ChangePerson | DeactivatePerson
       | ReactivatePerson | Hold | EndHolding | Bind | Unbind | GrantPower | RevokePower | AllowUnit | DisallowUnit
       | ConfirmReading | WithdrawReading | SetCredential | SetSetting | AssignAudit | EndAudit | EnrolSecondFactor
       | RemoveSecondFactor | RequireSecondFactor | AskConfirmation | ConfirmChange | DisputeChange)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One act on the organisation, with who asked and when: what a row of the stream records."""
    id: str                                 # makes a repeat recognisable
    at: datetime                            # aware, UTC; read once at the door
    actor: Actor
    act: Act
    read_at: datetime | None = None         # what the clock said, where `at` was raised to the stream's last


# How an act folds

Row = tuple[str, Any, Any]                  # (table: a field of Organisation, key, its new value or None)


def rows(organisation: Organisation, act: Act) -> tuple[Row, ...]:
    """What an act changes: the rows it puts (value) or removes (None). Nothing is judged here."""
    match act:
        case AddUnit() | ChangeUnit():
            before = organisation.units.get(act.unit)
            return (("units", act.unit, Unit(id=act.unit, name=act.name, zone=act.zone, parent=act.parent,
                                             government=act.government, head=before.head if before else None)),)
        case SetHead():
            return (("units", act.unit, replace(organisation.units[act.unit], head=act.position)),)
        case AddPosition():
            return (("positions", act.position,
                     Position(id=act.position, unit=act.unit, name=act.name, many=act.many)),)
        case ChangePosition():
            return (("positions", act.position,
                     replace(organisation.positions[act.position], name=act.name, many=act.many)),)
        case AddPerson() | ChangePerson():
            known = organisation.people.get(act.person)
            return (("people", act.person, Person(
                id=act.person, name=said(act.name, known.name if known and without_name(known) else NO_NAME),
                login=said(act.login, f"dihapus-{act.person}"),
                nip=said(act.nip), rank=said(act.rank), email=said(act.email),
                active=known.active if known else True)),)
        case DeactivatePerson():
            ended = tuple(("holdings", one.id, replace(one, valid_until=last_day(one, act.last_day)))
                          for one in organisation.holdings.values()
                          if act.last_day and one.person == act.person and (one.valid_until or FOREVER) > act.last_day)
            return (("people", act.person, replace(organisation.people[act.person], active=False)), *ended)
        case ReactivatePerson():
            return (("people", act.person, replace(organisation.people[act.person], active=True)),)
        case Hold():
            holder, held = organisation.people.get(act.person), organisation.positions.get(act.position)
            return (("holdings", act.holding, Holding(
                id=act.holding, position=act.position, person=act.person, capacity=act.capacity, basis=act.basis,
                valid_from=act.valid_from, valid_until=act.valid_until)),
                    # Whose name was erased is called by the position that they came to hold last.
                    *((("people", act.person, replace(holder, name=f"{held.name} {NO_NAME}")),)
                      if holder and held and without_name(holder) else ()))
        case EndHolding():
            return (("holdings", act.holding,
                     replace(organisation.holdings[act.holding], valid_until=act.valid_until)),)
        case Bind():
            name = lane_setting(act.key, act.unit, act.lane)
            return (("bindings", (act.key, act.lane, act.unit),
                     Binding(key=act.key, lane=act.lane, unit=act.unit, position=act.position)),
                    ("settings", name, Setting(name=name, value=act.lane_name)))
        case Unbind():
            return (("bindings", (act.key, act.lane, act.unit), None),
                    ("settings", lane_setting(act.key, act.unit, act.lane), None))
        case GrantPower():
            return (("powers", (act.person, act.power, act.unit),
                     Power(person=act.person, power=act.power, unit=act.unit)),)
        case RevokePower():
            return (("powers", (act.person, act.power, act.unit), None),)
        case AssignAudit():
            return (("assignments", act.assignment, AuditAssignment(
                id=act.assignment, person=act.person, number=act.number, units=tuple(act.units),
                years=tuple(act.years), valid_from=act.valid_from, valid_until=act.valid_until,
                basis=said(act.basis, "(dihapus)"))),)
        case EndAudit():
            return (("assignments", act.assignment,
                     replace(organisation.assignments[act.assignment], valid_until=act.valid_until)),)
        case AllowUnit():
            return (("starting_units", (act.key, act.unit),
                     StartingUnit(key=act.key, unit=act.unit, facts=dict(act.facts))),)
        case DisallowUnit():
            return (("starting_units", (act.key, act.unit), None),)
        case ConfirmReading():
            return (("readings", (act.key, act.unit, act.subject),
                     Reading(key=act.key, unit=act.unit, subject=act.subject, value=act.value, dated=act.dated,
                             basis=said(act.basis, "(dihapus)"))),)
        case WithdrawReading():
            return (("readings", (act.key, act.unit, act.subject), None),)
        case SetCredential():
            return ()
        case SetSetting():
            return (("settings", act.name, Setting(name=act.name, value=act.value)),)
        case EnrolSecondFactor() | RemoveSecondFactor():
            return ()
        case RequireSecondFactor():
            return (("requirements", act.person, FactorRequirement(person=act.person) if act.required else None),)
        case AskConfirmation():
            return (("confirmations", act.confirmation, Confirmation(
                id=act.confirmation, kind=act.kind, person=act.person, unit=act.unit, subject=act.subject,
                previous=act.previous, asked_by=act.asked_by, asked_at=act.asked_at)),)
        case ConfirmChange():
            asked = organisation.confirmations[act.confirmation]
            return (("confirmations", asked.id, replace(asked, state=RIGHT)),)
        case DisputeChange():
            asked = organisation.confirmations[act.confirmation]
            return (("confirmations", asked.id, replace(asked, state=NOT_RIGHT)),
                    *taken_back(organisation, asked, act.last_day))


def taken_back(organisation: Organisation, asked: Confirmation, day: str) -> tuple[Row, ...]:
    """What no longer holds of a change that is not right: only where nothing newer stands in its place."""
    if asked.kind == HOLDER:
        held = organisation.holdings[asked.subject]
        ends = min(last_day(held, day), held.valid_until or FOREVER)
        return (("holdings", held.id, replace(held, valid_until=ends)),)
    if asked.kind == HEAD:
        unit = organisation.units[asked.unit]
        return (("units", unit.id, replace(unit, head=asked.previous or None)),) if unit.head == asked.subject else ()
    if asked.kind == PERFORMER:
        key, lane, position = asked.subject.split("/")
        bound = organisation.bindings.get((key, lane, asked.unit))
        if bound is None or bound.position != position:
            return ()
        if asked.previous:
            return (("bindings", (key, lane, asked.unit), replace(bound, position=asked.previous)),)
        return rows(organisation, Unbind(key=key, lane=lane, unit=asked.unit))
    if asked.kind == POWER:
        power, of = asked.subject.split("/")
        granted_again = any((one.kind, one.person, one.subject) == (POWER, asked.person, asked.subject)
                            and one.asked_at > asked.asked_at for one in organisation.confirmations.values())
        return () if granted_again else (("powers", (asked.person, power, of), None),)
    if asked.kind == ASSIGNMENT:
        one = organisation.assignments[asked.subject]
        return (("assignments", one.id, replace(one, valid_until=min(last_day(one, day), one.valid_until))),)
    return ()


def evolve(organisation: Organisation, act: Act) -> Organisation:
    """The organisation after an act."""
    changed: dict[str, dict[Any, Any]] = {}
    for table, key, value in rows(organisation, act):
        if table not in changed:
            changed[table] = dict(getattr(organisation, table))
        if value is None:
            changed[table].pop(key, None)
        else:
            changed[table][key] = value
    return replace(organisation, **changed) if changed else organisation


def lane_setting(key: str, unit: str, lane: str) -> str:
    """The setting that keeps a lane's name as it was when it was bound."""
    return f"lane_name/{key}/{unit}/{lane}"


def last_day(one: Holding | AuditAssignment, day: str) -> str:
    """`day`, or the day before a holding or a surat tugas began where it has not begun by then."""
    return max(day, (date.fromisoformat(one.valid_from) - timedelta(days=1)).isoformat())


NO_NAME = "(nama dihapus)"


def without_name(person: Person) -> bool:
    """Whether the name of a person was erased by law."""
    return person.name.endswith(NO_NAME) and person.login == f"dihapus-{person.id}"


def said(value: Any, otherwise: str | None = None) -> Any:
    """The value, or what stands for it once it was erased."""
    return otherwise if isinstance(value, Erased) else value


def local_date(at: datetime, zone: str) -> date:
    """The date that calendars on the wall show at an instant, in a zone (`Asia/Jakarta`)."""
    return at.astimezone(ZoneInfo(zone)).date()


# What may not be

def decide(organisation: Organisation, change: Change) -> tuple[str, ...]:
    """Whether a change may be made: its warnings, for the person who asked, in Indonesian.

    Raises Refused: `not_yours` (who asks may not), `unknown` (what it names is not there), `wrong` (against a rule;
    `problems` names the field).
    """
    act = change.act
    authorise(organisation, change.actor, act)
    match act:
        case AddUnit():
            fresh(act.unit, organisation.units, "unit", "Unit")
            judge_unit(organisation, act)
        case ChangeUnit():
            known(act.unit, organisation.units, "unit", "Unit")
            judge_unit(organisation, act)
        case SetHead():
            judge_head(organisation, act)
        case AddPosition():
            fresh(act.position, organisation.positions, "position", "Jabatan")
            known(act.unit, organisation.units, "unit", "Unit")
            judge_position_name(organisation, act.unit, act.position, act.name)
        case ChangePosition():
            judge_changed_position(organisation, act)
        case AddPerson():
            fresh(act.person, organisation.people, "person", "Orang")
            if act.person in NEVER_PEOPLE:
                raise wrong("person", f"“{act.person}” tidak dapat menjadi tanda pengenal orang. Pilih yang lain.")
            judge_person(organisation, act)
        case ChangePerson():
            known(act.person, organisation.people, "person", "Orang")
            judge_person(organisation, act)
        case DeactivatePerson():
            judge_deactivation(organisation, act, change.at)
        case ReactivatePerson():
            if known(act.person, organisation.people, "person", "Orang").active:
                raise wrong("person", "Orang ini masih aktif.")
        case Hold():
            return judge_holding(organisation, act)
        case EndHolding():
            judge_end(organisation, act)
        case Bind():
            judge_binding(organisation, act)
        case Unbind():
            if (act.key, act.lane, act.unit) not in organisation.bindings:
                raise Refused("unknown", "Lane ini memang belum ditetapkan pelaksananya untuk unit tersebut.")
        case GrantPower():
            judge_power(organisation, act)
        case RevokePower():
            if (act.person, act.power, act.unit) not in organisation.powers:
                raise Refused("unknown", "Kuasa ini tidak dimiliki orang tersebut; mungkin sudah dicabut.")
            if act.power == ADMINISTRATOR:
                keep_an_administrator(organisation, act.person)
        case AssignAudit():
            judge_assignment(organisation, act)
        case EndAudit():
            judge_assignment_end(organisation, act)
        case AllowUnit():
            known(act.unit, organisation.units, "unit", "Unit")
            judge_facts(act)
        case DisallowUnit():
            if (act.key, act.unit) not in organisation.starting_units:
                raise Refused("unknown", "Unit ini memang belum dapat memulai proses tersebut.")
        case ConfirmReading():
            judge_reading(organisation, act)
        case WithdrawReading():
            if (act.key, act.unit, act.subject) not in organisation.readings:
                raise Refused("unknown", "Bacaan ini memang belum dikonfirmasi.")
            text(act.reason, "reason", "Alasan", 500)
        case SetCredential():
            if not known(act.person, organisation.people, "person", "Orang").active:
                raise wrong("person", "Orang ini tidak aktif. Aktifkan kembali sebelum memberi kata sandi.")
        case SetSetting():
            if act.name not in SETTINGS:
                raise wrong("name", f"Pengaturan “{act.name}” tidak dikenal. Yang ada: {', '.join(SETTINGS)}.")
        case EnrolSecondFactor() | RemoveSecondFactor() | RequireSecondFactor():
            if not known(act.person, organisation.people, "person", "Orang").active:
                raise wrong("person", "Orang ini tidak aktif. Aktifkan kembali dahulu.")
        case ConfirmChange() | DisputeChange():
            asked = organisation.confirmations[act.confirmation]
            if asked.state != PENDING:
                raise Refused("wrong", "Perubahan ini sudah dikonfirmasi atau dinyatakan tidak benar.")
            if change.actor.person not in confirmers(organisation, asked, change.at):
                raise Refused("not_yours", "Perubahan ini dikonfirmasi orang lain dari unit yang sama, bukan oleh yang "
                                           "membuatnya atau yang memperolehnya.")
            if isinstance(act, DisputeChange):
                text(act.reason, "reason", "Alasan", 500)
                if asked.kind == POWER and asked.subject == f"{ADMINISTRATOR}/":
                    keep_an_administrator(organisation, asked.person)
        case AskConfirmation():
            assert act.kind in (CREDENTIAL, FACTOR, HOLDER, PERFORMER, HEAD, POWER, ASSIGNMENT), act.kind
    return ()


# What another person confirms

def asked_about(before: Organisation, change: Change) -> AskConfirmation | None:
    """What to ask another person of the unit after a change; None where it gives nobody anything new.

    before  the organisation as it stood before the change. Whether there is anybody to ask is for who asks.
    """
    act = change.act

    def ask(kind: str, subject: str, *, person: str = "", unit: str = "", previous: str = "") -> AskConfirmation:
        at = change.at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
        return AskConfirmation(confirmation=f"{change.id}-tanya", kind=kind, person=person, unit=unit, subject=subject,
                               previous=previous, asked_by=change.actor.person, asked_at=at)
    match act:
        case Hold():
            return ask(HOLDER, act.holding, person=act.person, unit=before.positions[act.position].unit)
        case Bind():
            bound = before.bindings.get((act.key, act.lane, act.unit))
            if bound is None or bound.position != act.position:
                return ask(PERFORMER, f"{act.key}/{act.lane}/{act.position}", unit=act.unit,
                           previous=bound.position if bound else "")
        case SetHead() if act.position is not None and act.position != before.units[act.unit].head:
            return ask(HEAD, act.position, unit=act.unit, previous=before.units[act.unit].head or "")
        case SetCredential() if change.actor.person != act.person:
            return ask(CREDENTIAL, act.person, person=act.person, unit=unit_of_person(before, act.person, change.at))
        case RemoveSecondFactor() if change.actor.person != act.person:
            return ask(FACTOR, act.person, person=act.person, unit=unit_of_person(before, act.person, change.at))
        case GrantPower():
            return ask(POWER, f"{act.power}/{act.unit}", person=act.person,
                       unit=act.unit or unit_of_person(before, act.person, change.at))
        case AssignAudit():
            return ask(ASSIGNMENT, act.assignment, person=act.person, unit=act.units[0])
    return None


def unit_of_person(organisation: Organisation, person: str, at: datetime) -> str:
    """The unit where somebody works: of the position that they hold, the definitive one first; "" of none."""
    held = [(one.capacity != DEFINITIVE, one.valid_from, organisation.positions[one.position].unit, one)
            for one in organisation.holdings.values() if one.person == person]
    units = [unit for _, _, unit, one in sorted(held, key=lambda one: one[:3])
             if one.holds(organisation.today(at, unit))]
    return units[0] if units else ""


def acting(organisation: Organisation, position: str, at: datetime) -> frozenset[str]:
    """Who acts in a position: its Plh. or Plt. where there is one, else who holds it, or its many."""
    day = organisation.today(at, organisation.positions[position].unit)
    held = [one for one in organisation.holdings.values()
            if one.position == position and one.holds(day) and organisation.people[one.person].active]
    standing_in = [one for one in held if one.capacity != DEFINITIVE]
    return frozenset(one.person for one in standing_in or held)


def confirmers(organisation: Organisation, asked: Confirmation | AskConfirmation, at: datetime) -> frozenset[str]:
    """Who may say whether a change is right: whoever else holds a position of the unit, and the heads above it.

    Never who made the change, nor who gains by it, nor any administrator where the command line made it: it does not
    say who typed. Where the unit has nobody else, the other administrators answer, so that the question never stands
    without anybody to answer it, and never with who asked.
    """
    gaining = {asked.person, asked.asked_by}
    if asked.kind in (PERFORMER, HEAD):
        position = asked.subject.split("/")[-1]
        gaining |= acting(organisation, position, at) if position in organisation.positions else set()
    administrators = frozenset(organisation.administrators())
    found: set[str] = set()
    if asked.unit in organisation.units:
        day = organisation.today(at, asked.unit)
        found = {one.person for one in organisation.holdings.values()
                 if organisation.positions[one.position].unit == asked.unit and one.holds(day)
                 and organisation.people[one.person].active}
        for unit in organisation.ancestors(asked.unit):
            head = organisation.units[unit].head
            found |= acting(organisation, head, at) if head else set()
    if asked.asked_by not in organisation.people:
        gaining |= administrators
    return frozenset(found - gaining) or administrators - {asked.person, asked.asked_by}


def superiors(organisation: Organisation, unit: str, person: str, at: datetime) -> frozenset[str]:
    """Who is above somebody in a unit: its head, for the head the next one above; where there is none, everybody who
    is administrator."""
    for one in organisation.ancestors(unit) if unit in organisation.units else ():
        head = organisation.units[one].head
        found = acting(organisation, head, at) if head else frozenset()
        if found and person not in found:
            return found
    return frozenset(organisation.administrators()) - {person}


def authorise(organisation: Organisation, actor: Actor, act: Act) -> None:
    """Only an active administrator changes the organisation; a password and a second factor of one's own anybody, and
    whether a change is right says who is asked (`decide` judges that)."""
    person = organisation.people.get(actor.person)
    if actor.capacity == SYSTEM and person is None:
        return
    if person is not None and person.active:
        if (person.id, ADMINISTRATOR, "") in organisation.powers:
            return
        if isinstance(act, SetCredential) and act.person == person.id and not act.temporary:
            return
        if isinstance(act, EnrolSecondFactor | RemoveSecondFactor) and act.person == person.id:
            return
        if isinstance(act, ConfirmChange | DisputeChange) and act.confirmation in organisation.confirmations:
            return
    raise Refused("not_yours", "Hanya administrator yang dapat mengubah pengaturan ini.")


def wrong(place: str, message: str) -> Refused:
    return Refused("wrong", message, (Problem(place, message),))


def fresh(id: str, table: Mapping[str, Any], place: str, what: str) -> None:
    if not ID.fullmatch(id):
        raise wrong(place, f"Tanda pengenal “{id}” tidak dapat dipakai. Gunakan huruf kecil, angka, _ atau -, paling "
                           "banyak 60 karakter.")
    if id in table:
        raise wrong(place, f"{what} dengan tanda pengenal “{id}” sudah ada. Pilih tanda pengenal lain.")


def known(id: str, table: Mapping[str, Any], place: str, what: str) -> Any:
    found = table.get(id)
    if found is None:
        message = f"{what} “{id}” tidak ada. Pilih dari daftar." if id else f"{what} belum dipilih."
        raise Refused("unknown", message, (Problem(place, message),))
    return found


def text(value: Any, place: str, label: str, most: int, required: bool = True) -> None:
    """Refuse an empty, too long or unprintable text."""
    if required and not (value or "").strip():
        raise wrong(place, f"{label} belum diisi.")
    if value and len(value) > most:
        raise wrong(place, f"{label} terlalu panjang: {len(value)} karakter, paling banyak {most}.")
    if value and (value != value.strip() or any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") for c in value)):
        raise wrong(place, f"{label} memuat spasi di ujung atau karakter yang tidak terlihat. Ketik ulang.")


def day(value: Any, place: str, label: str) -> date:
    """The date of ISO text, or Refused."""
    try:
        found = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise wrong(place, f"{label} bukan tanggal yang benar. Contoh: 2027-02-01.") from None
    if found.isoformat() != value or not 1945 <= found.year <= 2200:
        raise wrong(place, f"{label} bukan tanggal yang benar. Contoh: 2027-02-01.")
    return found


def judge_unit(organisation: Organisation, act: AddUnit | ChangeUnit) -> None:
    text(act.name, "name", "Nama unit", 120)
    text(act.government, "government", "Pemerintah daerah", 120, required=False)
    if act.zone not in ZONES:
        raise wrong("zone", f"Zona waktu “{act.zone}” tidak dikenal. Yang ada: {', '.join(ZONES)}.")
    if any(one.name.casefold() == act.name.casefold() and one.id != act.unit for one in organisation.units.values()):
        raise wrong("name", f"Unit dengan nama “{act.name}” sudah ada.")
    if act.parent is not None:
        known(act.parent, organisation.units, "parent", "Unit induk")
        if act.unit in organisation.ancestors(act.parent):
            raise wrong("parent", "Unit induk tidak boleh unit itu sendiri atau unit di bawahnya. Pilih unit lain.")


def judge_head(organisation: Organisation, act: SetHead) -> None:
    unit: Unit = known(act.unit, organisation.units, "unit", "Unit")
    if act.position is None:
        return
    position: Position = known(act.position, organisation.positions, "position", "Jabatan kepala")
    if position.many:
        raise wrong("position", f"{position.name} dipegang banyak orang. Kepala unit adalah jabatan tunggal.")
    if position.unit not in organisation.ancestors(act.unit):
        there = organisation.units[position.unit].name
        raise wrong("position", f"{position.name} adalah jabatan {there}, bukan {unit.name} atau unit induknya. Pilih "
                                "jabatan dari unit itu sendiri.")


def judge_position_name(organisation: Organisation, unit: str, position: str, name: str) -> None:
    text(name, "name", "Nama jabatan", 120)
    if any(one.unit == unit and one.name.casefold() == name.casefold() and one.id != position
           for one in organisation.positions.values()):
        raise wrong("name", f"Jabatan “{name}” sudah ada di unit ini.")


def judge_changed_position(organisation: Organisation, act: ChangePosition) -> None:
    before = known(act.position, organisation.positions, "position", "Jabatan")
    judge_position_name(organisation, before.unit, act.position, act.name)
    held = [one for one in organisation.holdings.values() if one.position == act.position]
    if before.many and not act.many:
        for place, one in enumerate(held):
            if any(one.overlaps(other.valid_from, other.valid_until) for other in held[place + 1:]):
                raise wrong("many", f"{before.name} mempunyai beberapa pemegang pada waktu yang sama. Akhiri dahulu "
                                    "sehingga tinggal satu, lalu ubah menjadi jabatan tunggal.")
    if act.many and any(one.head == act.position for one in organisation.units.values()):
        raise wrong("many", f"{before.name} mengepalai unit, jadi tetap jabatan tunggal. Tetapkan kepala unit lain "
                            "dahulu.")
    if act.many and any(one.capacity != DEFINITIVE for one in held):
        raise wrong("many", f"{before.name} pernah atau sedang dipegang Plh. atau Plt., jadi tetap jabatan tunggal. "
                            "Buat jabatan baru untuk tim.")


def judge_person(organisation: Organisation, act: AddPerson | ChangePerson) -> None:
    text(act.name, "name", "Nama", 120)
    text(act.rank, "rank", "Pangkat/golongan", 80, required=False)
    text(act.email, "email", "Surel", 254, required=False)
    if not LOGIN.fullmatch(act.login or ""):
        raise wrong("login", "Nama pengguna terdiri atas 3 sampai 40 huruf kecil, angka, titik, garis bawah, atau "
                             "garis hubung. Contoh: tim1.")
    if NIP.fullmatch(act.login):
        raise wrong("login", "Nama pengguna tidak boleh berupa NIP. NIP diisi pada kolomnya sendiri, dan dapat dipakai "
                             "untuk masuk.")
    if act.nip is not None and not NIP.fullmatch(act.nip):
        raise wrong("nip", f"NIP terdiri atas 18 angka tanpa spasi; yang diisi {len(act.nip)} karakter. Kosongkan bila "
                           "belum ada.")
    if act.email is not None and not EMAIL.fullmatch(act.email):
        raise wrong("email", "Alamat surel tidak lengkap. Contoh: kecamatan@contoh.go.id.")
    for other in organisation.people.values():
        if other.id == act.person:
            continue
        if other.login == act.login:
            raise wrong("login", f"Nama pengguna “{act.login}” sudah dipakai {other.name}. Pilih yang lain.")
        if act.nip is not None and other.nip == act.nip:
            raise wrong("nip", f"NIP ini sudah tercatat untuk {other.name}.")


def judge_deactivation(organisation: Organisation, act: DeactivatePerson, at: datetime) -> None:
    person = known(act.person, organisation.people, "person", "Orang")
    if not person.active:
        raise wrong("person", f"{person.name} memang sudah tidak aktif.")
    if (act.person, ADMINISTRATOR, "") in organisation.powers:
        keep_an_administrator(organisation, act.person)
    text(act.reason, "reason", "Alasan", 500, required=False)
    if act.last_day is not None:
        day(act.last_day, "last_day", "Hari terakhir")
    left = []
    for one in organisation.holdings.values():
        position = organisation.positions[one.position]
        if one.person == act.person and (one.valid_until or FOREVER) >= organisation.today(at, position.unit) \
                and one.valid_from <= (one.valid_until or FOREVER):
            left.append(position.name)
    if left and act.last_day is None:
        raise wrong("last_day", f"{person.name} masih memegang {listed(left)}. Isi hari terakhir untuk sekaligus "
                                "mengakhirinya, atau akhiri dahulu pada halaman Pemegang jabatan.")


def judge_holding(organisation: Organisation, act: Hold) -> tuple[str, ...]:
    fresh(act.holding, organisation.holdings, "holding", "Pemegang jabatan")
    position: Position = known(act.position, organisation.positions, "position", "Jabatan")
    person: Person = known(act.person, organisation.people, "person", "Orang")
    if not person.active:
        raise wrong("person", f"{person.name} tidak aktif. Aktifkan kembali dahulu, atau pilih orang lain.")
    if act.capacity not in CAPACITIES:
        raise wrong("capacity", "Kedudukan harus definitif, Plh., atau Plt.")
    text(act.basis, "basis", "Dasar", 200, required=False)
    begins = day(act.valid_from, "valid_from", "Tanggal mulai")
    ends = day(act.valid_until, "valid_until", "Tanggal berakhir") if act.valid_until is not None else None
    if ends is not None and ends < begins:
        raise wrong("valid_until", "Tanggal berakhir lebih awal daripada tanggal mulai. Perbaiki salah satunya.")
    acting = act.capacity in (PLH, PLT)
    label = CAPACITIES[act.capacity]
    if acting and position.many:
        raise wrong("capacity", f"{position.name} dipegang banyak orang, jadi tidak mempunyai {label} Catat sebagai "
                                "definitif.")
    if acting and not act.basis.strip():
        raise wrong("basis", f"{label} memerlukan dasar: isi nomor surat perintahnya.")
    if acting and ends is None:
        raise wrong("valid_until", f"{label} berlaku untuk jangka waktu tertentu: isi tanggal berakhir menurut "
                                   "surat perintah.")
    for other in organisation.holdings.values():
        if other.position != act.position or not other.overlaps(act.valid_from, act.valid_until):
            continue
        name = organisation.people[other.person].name
        when = period(other.valid_from, other.valid_until)
        if other.person == act.person and (position.many or acting):
            raise wrong("person", f"{name} sudah memegang {position.name} {when}.")
        if not position.many and acting == (other.capacity in (PLH, PLT)):
            what = "pelaksana harian atau pelaksana tugas" if acting else "pemegang definitif"
            raise wrong("valid_from", f"{position.name} sudah mempunyai {what} {when}: {name}. Akhiri yang itu "
                                      "dahulu, atau pilih tanggal lain.")
    if act.capacity == PLT and ends is not None and ends >= months_later(begins, LONGEST_PLT_MONTHS):
        return (f"Penugasan Plt. ini lebih dari {LONGEST_PLT_MONTHS} bulan. Menurut SE BKN 1/SE/I/2021 paling lama "
                "tiga bulan dan dapat diperpanjang tiga bulan; periksa surat perintahnya.",)
    return ()


def judge_end(organisation: Organisation, act: EndHolding) -> None:
    holding: Holding = known(act.holding, organisation.holdings, "holding", "Pemegang jabatan")
    ends = day(act.valid_until, "valid_until", "Hari terakhir")
    text(act.reason, "reason", "Alasan", 500, required=False)
    if ends < date.fromisoformat(holding.valid_from) - timedelta(days=1):
        raise wrong("valid_until", f"Hari terakhir paling awal sehari sebelum mulai, {dated(holding.valid_from)}: "
                                   "itu berarti tidak pernah berlaku.")
    if holding.valid_until is not None and act.valid_until > holding.valid_until:
        raise wrong("valid_until", f"Penugasan ini berakhir pada {dated(holding.valid_until)}. Perpanjangan dicatat "
                                   "sebagai pemegang baru dengan dasarnya sendiri.")


def judge_binding(organisation: Organisation, act: Bind) -> None:
    unit: Unit = known(act.unit, organisation.units, "unit", "Unit")
    position: Position = known(act.position, organisation.positions, "position", "Jabatan")
    if not act.key or not act.lane:
        raise wrong("lane", "Proses dan lane belum dipilih.")
    text(act.lane_name, "lane_name", "Nama lane", 400, required=False)
    if not act.other_office and position.unit not in organisation.ancestors(act.unit):
        there = organisation.units[position.unit].name
        raise wrong("position", f"{position.name} adalah jabatan {there}, bukan {unit.name} atau unit induknya. Pilih "
                                "jabatan dari unit itu sendiri.")


def judge_power(organisation: Organisation, act: GrantPower) -> None:
    person: Person = known(act.person, organisation.people, "person", "Orang")
    if not person.active:
        raise wrong("person", f"{person.name} tidak aktif. Aktifkan kembali dahulu, atau pilih orang lain.")
    if act.power not in POWERS:
        raise wrong("power", "Kuasa harus administrator atau auditor, atau pemilik atau verifikator SOP.")
    if act.power == ADMINISTRATOR and act.unit:
        raise wrong("unit", "Administrator berlaku untuk seluruh aplikasi; kosongkan unitnya.")
    if act.unit:
        known(act.unit, organisation.units, "unit", "Unit")
    if (act.person, act.power, act.unit) in organisation.powers:
        raise wrong("person", f"{person.name} sudah mempunyai kuasa ini.")


def judge_assignment(organisation: Organisation, act: AssignAudit) -> None:
    fresh(act.assignment, organisation.assignments, "assignment", "Surat tugas")
    person: Person = known(act.person, organisation.people, "person", "Orang")
    if not person.active:
        raise wrong("person", f"{person.name} tidak aktif. Aktifkan kembali dahulu, atau pilih orang lain.")
    text(act.number, "number", "Nomor surat tugas", 120)
    text(act.basis, "basis", "Dasar", 500, required=False)
    if not act.units:
        raise wrong("units", "Unit yang diaudit belum dipilih. Pilih paling sedikit satu.")
    for one in act.units:
        known(one, organisation.units, "units", "Unit")
    if len(set(act.units)) != len(act.units):
        raise wrong("units", "Ada unit yang disebut dua kali. Sebut setiap unit sekali.")
    if len(act.years) > AUDITED_YEARS_MOST or len(set(act.years)) != len(act.years) \
            or any(not 1945 <= one <= 2200 for one in act.years):
        raise wrong("years", "Tahun laporan ditulis empat angka, masing-masing sekali, paling banyak "
                             f"{AUDITED_YEARS_MOST}. Contoh: 2025, 2026.")
    begins = day(act.valid_from, "valid_from", "Tanggal mulai")
    if day(act.valid_until, "valid_until", "Tanggal berakhir") < begins:
        raise wrong("valid_until", "Tanggal berakhir lebih awal daripada tanggal mulai. Perbaiki salah satunya.")
    for other in organisation.assignments.values():
        if other.person == act.person and other.number == act.number and other.valid_from <= other.valid_until:
            raise wrong("number", f"Surat tugas {act.number} sudah dicatat untuk {person.name}.")


def judge_assignment_end(organisation: Organisation, act: EndAudit) -> None:
    one: AuditAssignment = known(act.assignment, organisation.assignments, "assignment", "Surat tugas")
    ends = day(act.valid_until, "valid_until", "Hari terakhir")
    text(act.reason, "reason", "Alasan", 500, required=False)
    if ends < date.fromisoformat(one.valid_from) - timedelta(days=1):
        raise wrong("valid_until", f"Hari terakhir paling awal sehari sebelum mulai, {dated(one.valid_from)}: "
                                   "itu berarti tidak pernah berlaku.")
    if act.valid_until > one.valid_until:
        raise wrong("valid_until", f"Surat tugas ini berakhir pada {dated(one.valid_until)}. Perpanjangan dicatat "
                                   "sebagai surat tugas baru dengan nomornya sendiri.")


def keep_an_administrator(organisation: Organisation, without: str) -> None:
    if organisation.administrators() == [without]:
        raise wrong("person", f"{organisation.people[without].name} adalah administrator terakhir. Tetapkan "
                              "administrator lain dahulu.")


def judge_facts(act: AllowUnit) -> None:
    if not act.key:
        raise wrong("key", "Proses belum dipilih.")
    for name, value in act.facts.items():
        if not FACT.fullmatch(name):
            raise wrong(name, f"“{name}” bukan nama fakta SOP. Contoh: sop.nomorSop.")
        if len(value) > 4000:
            raise wrong(name, f"Isi {name} terlalu panjang: {len(value)} karakter, paling banyak 4000.")


def judge_reading(organisation: Organisation, act: ConfirmReading) -> None:
    known(act.unit, organisation.units, "unit", "Unit")
    if not act.key or not act.subject or not act.value:
        raise wrong("subject", "Bacaan yang dikonfirmasi belum dipilih.")
    text(act.basis, "basis", "Dasar hukum", 200)
    day(act.dated, "dated", "Tanggal dasar hukum")


def months_later(at: date, months: int) -> date:
    year, month = divmod(at.month - 1 + months, 12)
    last = calendar.monthrange(at.year + year, month + 1)[1]
    return date(at.year + year, month + 1, min(at.day, last))


def dated(iso: str) -> str:
    """"1 Februari 2027"."""
    at = date.fromisoformat(iso)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def period(valid_from: str, valid_until: str | None) -> str:
    return f"sejak {dated(valid_from)}" if valid_until is None else f"{dated(valid_from)} sampai {dated(valid_until)}"


def listed(names: Iterable[str]) -> str:
    """"a", "a dan b", "a, b, dan c"."""
    words = list(names)
    if len(words) < 3:
        return " dan ".join(words)
    return ", ".join(words[:-1]) + ", dan " + words[-1]
