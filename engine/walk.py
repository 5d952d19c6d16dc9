"""A random walk through a definition, looking for what would stop an office: dead ends, incidents, ways never taken.

An instance is run from its start to an end, again and again, through the same heart as the real ones
(`process.decide`): each form is filled with plausible values made of its types, choices, limits and of what the
expressions compare them with, each document is attached, each timer may fire. Whoever acts may act in every lane.
What was tried least is tried first, so that every choice of every decision has its turn. A way that no form led to is
supposed in the last walks (`process.suppose`), so that what lies behind it is looked at too.

Everything is bounded by counts: MOST_WALKS, MOST_STEPS of all walks, LONGEST steps of one, and WORK, an estimate of
what the forms, conditions and tokens of a step cost. The lots are digests of a seed: the same seed gives the same walk.
"""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from . import expressions, process, requirements
from .commands import (
    Act,
    Actor,
    AttachDocument,
    Attachment,
    Command,
    CompleteUserTask,
    File,
    FireTimer,
    StartProcessInstance,
)
from .definition import Column, Element, Field, ProcessDefinition, SequenceFlow
from .events import ConditionEvaluated, ElementEntered, IncidentRaised, TimerFired
from .forecast import Ways
from .gate import quoted
from .instance import COMPLETED, Problem, ProcessInstance, Refused, RunningTimer, Step

MOST_WALKS = 60
MOST_STEPS = 4_000              # of all walks together; a step is one act, taken or refused
LONGEST = 120                   # steps of one walk, and three more for each element of the process
WORK = 150_000                  # of all walks together: see `Walker.weight`
HEAVY = 5_000                   # of one form: more, and its values are not judged but supposed
LIGHT_FUEL = 3_000              # an expression that needs more is dear
DEAR, LIGHT_LIST = 1_500, 60    # what an expression that goes through lists costs
TRIES = 32                      # fillings of one form before it counts as one that nobody can fill
FEW_TRIES = 6                   # of one that nobody could fill in TRIES, in a later walk
CALM = 8                        # walks in a row that show nothing new end the search
MOST_FOUND = 40                 # dead ends, and incidents, that are kept
REMINDERS = 3                   # times that a timer which only reminds is let fire
LATEST = timedelta(days=3_650)  # of virtual time
STARTERS = "pemulai"            # who may start without performing (process.must_be_startable)

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One act of a walk: what it was about, and what was done, as an owner reads it."""
    element: str
    said: str


@dataclass(frozen=True, kw_only=True)
class DeadEnd:
    """Where a walk could not go on, why, and how it came there.

    supposed  the way there took a flow that no form led to: it may be that nobody ever comes here
    """
    element: str                # BPMN id; the key of the process where it is about no element
    message: str
    path: tuple[Leg, ...]
    supposed: bool = False


@dataclass(frozen=True, kw_only=True)
class Walked:
    """What the walks found. `truncated`: a bound ended them before all was tried; `untried` says what was not."""
    seed: int
    walks: int
    steps: int
    finished: int
    dead_ends: tuple[DeadEnd, ...]
    incidents: tuple[DeadEnd, ...]
    never_reached: tuple[str, ...]      # ids of elements, then of sequence flows, that no walk came to
    truncated: bool
    untried: tuple[str, ...] = ()       # sentences

    @property
    def well(self) -> bool:
        return not (self.dead_ends or self.incidents or self.never_reached)


def walk(rules: process.Rules, definition: ProcessDefinition, calendars: Mapping[str, str], start: datetime, *,
         seed: int = 1, walks: int = MOST_WALKS) -> Walked:
    """Walk `definition` at most `walks` times.

    rules      knows the definition and the calendars.
    calendars  lane id -> SHA-256; "" the unit's own, which counts where a lane has none.
    start      aware; when every walk begins.
    """
    return Walker(rules, definition, calendars, start, seed).all(min(walks, MOST_WALKS))


def never_reached_words(definition: ProcessDefinition, id: str) -> str:
    """Why an id stands in `Walked.never_reached`, for an owner."""
    flow = definition.flows.get(id)
    if flow is None:
        one = definition.elements.get(id)
        return f"{named(definition, id)} tidak pernah tercapai dalam percobaan." if one else f"{id} tidak tercapai."
    source, target = named(definition, flow.source), named(definition, flow.target)
    if flow.condition is None:
        return f"Panah dari {source} ke {target} tidak pernah dilalui dalam percobaan."
    return (f"Panah {quoted(flow.name or flow.id)} dari {source} ke {target} tidak pernah dilalui: tidak ada "
            f"isian yang dicoba yang memenuhi syaratnya ({flow.condition[:120]}). Periksa syarat dan pilihan isiannya.")


def named(definition: ProcessDefinition, id: str) -> str:
    one = definition.elements.get(id)
    name = " ".join(one.name.split()) if one else definition.deadline.name if (
        definition.deadline and definition.deadline.id == id) else ""
    if one and one.kind == "userTask" and one.number:
        return f"langkah {one.number} {quoted(name or id)}"
    return quoted(name or id)


class Lots:
    """Lots drawn of a seed: digests, so that the same seed draws the same on every machine."""

    def __init__(self, seed: int):
        self.seed, self.drawn = seed, 0

    def below(self, end: int) -> int:
        self.drawn += 1
        digest = sha256(f"{self.seed}/{self.drawn}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % end

    def pick(self, among: Sequence[Value]) -> Value:
        return among[self.below(len(among))]


# ---------------------------------------------------------------------------------------------------------------------
# Plausible values
# ---------------------------------------------------------------------------------------------------------------------

_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NUMBER = re.compile(r"(?<![\w\".])-?[0-9]{1,15}(?:\.[0-9]{1,12})?(?![\w\"])")
_HEAVY = re.compile(r"\b(?:for|some|every)\b|\[|\.\.")
MOST_CONSTANTS = 12             # of one name


class Values:
    """What may stand in the fields of a definition, field by field: the candidates in an order that never changes."""

    def __init__(self, definition: ProcessDefinition):
        self.definition = definition
        self.constants: dict[str, list[str]] = {}       # name -> what expressions compare it with, as written
        for source in expressions_of(definition):
            self.learn(source)

    def learn(self, source: str) -> None:
        try:
            parsed = expressions.parse(source)
        except expressions.ExpressionError:
            return
        found = [*_TEXT.findall(source), *_NUMBER.findall(_TEXT.sub('""', source))]
        for name in parsed.names | parsed.row_names | parsed.members:
            known = self.constants.setdefault(name, [])
            known += [one for one in found if one not in known][:MOST_CONSTANTS - len(known)]

    @cached_property
    def deciding(self) -> frozenset[str]:
        """The names that the conditions of flows read: their values are tried in turn."""
        return frozenset(name for flow in self.definition.flows.values() if flow.condition
                         for name in names_in(flow.condition))

    def of(self, field: Field | Column, at: datetime) -> list[Any]:
        """Candidates for one field or column (a table aside), plausible ones first. `at` in the unit's zone."""
        said = self.constants.get(field.id, [])
        match field.type:
            case "enum":
                return [one.value for one in field.choices]
            case "boolean":
                return [True] if field.required else [True, False]
            case "long" | "decimal":
                return numbers(field, said, at)
            case "date":
                return dates(field, said, at)
            case "time":
                return ["09:00", "13:30", "07:00"]
            case "person":
                return [{"id": "gladi-1"}, {"id": "gladi-2"}]
        return texts(field, said)


def numbers(field: Field | Column, said: Sequence[str], at: datetime) -> list[Any]:
    low, high = (number(getattr(field, name, None)) for name in ("minimum", "maximum"))
    usual = [Decimal(at.year - 1), Decimal(at.year)] if "tahun" in field.id.casefold() else []
    found = [*usual, *(one for text in said if (one := number(text)) is not None)]
    found += [one + step for one in found for step in (-1, 1)]
    found += [one for one in (low, high) if one is not None] + [Decimal(1), Decimal(5), Decimal(100)]
    if low is not None and high is not None:
        found.append((low + high) // 2)
    fit = [one for one in dict.fromkeys(found) if (low is None or one >= low) and (high is None or one <= high)]
    if field.type == "long":
        fit = [one for one in fit if one == one.to_integral_value() and abs(one) < 10 ** 15]
        return [int(one) for one in dict.fromkeys(fit)] or [1]
    return [plain for one in fit if len(plain := f"{one:f}") < 40] or ["1"]


def number(text: str | None) -> Decimal | None:
    try:
        found = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def dates(field: Field | Column, said: Sequence[str], at: datetime) -> list[str]:
    today = at.date()
    found = [today, today - timedelta(days=1), today + timedelta(days=7), today - timedelta(days=30),
             today + timedelta(days=60)]
    for text in [*said, *(one for name in ("minimum", "maximum") if (one := getattr(field, name, None)))]:
        try:
            day = date.fromisoformat(text)
            found += [day, day + timedelta(days=1), day - timedelta(days=1)]
        except (ValueError, OverflowError):
            continue
    low, high = (getattr(field, name, None) or "" for name in ("minimum", "maximum"))
    return [text for day in dict.fromkeys(found)
            if (text := day.isoformat()) >= low and (not high or text <= high)] or [today.isoformat()]


def texts(field: Field | Column, said: Sequence[str]) -> list[str]:
    least, most = getattr(field, "min_length", None) or 0, getattr(field, "max_length", None)
    plain = "Contoh isian"
    plain += " contoh" * (max(0, least - len(plain)) // 7 + 1 if least > len(plain) else 0)
    found = [plain[:most] if most is not None else plain, *(one for one in said if one.strip() and "\\" not in one)]
    return [one for one in dict.fromkeys(found) if len(one) >= least and (most is None or len(one) <= most)] or [plain]


def expressions_of(definition: ProcessDefinition) -> Iterable[str]:
    for flow in definition.flows.values():
        if flow.condition:
            yield flow.condition
    for element in definition.elements.values():
        if element.timer and element.timer.expression.startswith("="):
            yield element.timer.expression
        for field in element.form:
            yield from written(field)


def written(field: Field) -> Iterable[str]:
    """The expressions of one field."""
    slot = field.slot
    said = [field.required_if, field.shown_if, field.valid_if, field.filler_if,
            *((slot.same_if, slot.owed_if) if slot else ()), *(one.required_if for one in field.columns)]
    said += [field.initial] if field.initial and field.initial.startswith("=") else []
    return [one for one in said if one]


def names_in(expression: str) -> frozenset[str]:
    try:
        parsed = expressions.parse(expression)
    except expressions.ExpressionError:
        return frozenset()
    return parsed.names | parsed.row_names


# ---------------------------------------------------------------------------------------------------------------------
# The walks
# ---------------------------------------------------------------------------------------------------------------------

class Walker:
    """All walks of one definition, and what they have seen."""

    def __init__(self, rules: process.Rules, definition: ProcessDefinition, calendars: Mapping[str, str],
                 start: datetime, seed: int):
        self.rules, self.definition, self.calendars, self.start, self.seed = rules, definition, calendars, start, seed
        self.zone = ZoneInfo(rules.calendar(calendars[""]).zone)
        self.lots, self.values, self.ways = Lots(seed), Values(definition), Ways(definition)
        lanes = tuple(one.id for one in definition.lanes)
        self.actor = Actor(person="gladi-1", lanes=(*lanes, STARTERS), signed_in_by="cli")
        self.seen: Counter[str] = Counter()             # elements and flows -> how often a walk came there
        self.given: Counter[tuple[str, str]] = Counter()    # (field, value) -> how often it was tried
        self.fired: Counter[str] = Counter()
        self.completed: Counter[str] = Counter()
        self.hopeless: Counter[str] = Counter()         # forms that no filling satisfied, and how often
        self.steps = self.work = self.finished = self.ended = 0
        self.supposing = False                          # the walks that take what no form led to
        self.forced = False                             # this one has done so
        self.forced_ways: Counter[str] = Counter()
        self.costs: dict[str, int] = {}                 # of expressions
        self.dead: dict[tuple[str, str], DeadEnd] = {}
        self.incidents: dict[tuple[str, str], DeadEnd] = {}
        self.untried: dict[str, None] = {}
        self.weights: dict[str, int] = {}

    def all(self, walks: int) -> Walked:
        done, calm = 0, 0
        while done < walks and not self.spent and (calm < CALM or not (self.covered or self.supposing)):
            # The last third of the walks goes where no form led to.
            if not self.supposing and not self.covered and (done >= walks * 2 // 3 or calm >= CALM * 2):
                self.supposing, calm = True, 0
            before = self.known
            self.one()
            done += 1
            calm = calm + 1 if self.known == before else 0
        truncated = self.spent and (done < walks or not self.covered)
        if self.spent:
            self.untried.setdefault(f"Percobaan dihentikan sesudah {self.steps} tindakan dalam {done} perjalanan; "
                                    "sisanya tidak dicoba.")
        if not self.ended and not self.dead and not self.incidents and done and not self.spent:
            often = max(self.completed, key=lambda id: self.completed[id], default=self.definition.key)
            self.dead["", often] = DeadEnd(element=often, path=(), message=(
                f"Tidak satu pun dari {done} perjalanan selesai: berkas proses berputar terus, paling sering melalui "
                f"{named(self.definition, often)}. Periksa syarat jalan keluarnya."))
        return Walked(seed=self.seed, walks=done, steps=self.steps, finished=self.finished, truncated=truncated,
                      dead_ends=tuple(self.dead.values()), incidents=tuple(self.incidents.values()),
                      never_reached=tuple(self.missing), untried=tuple(self.untried))

    @property
    def spent(self) -> bool:
        return self.steps >= MOST_STEPS or self.work >= WORK

    @property
    def known(self) -> tuple[int, ...]:
        """How much has been seen: a walk that leaves it as it was showed nothing new."""
        return len(self.seen), len(self.given), len(self.dead), len(self.incidents), len(self.completed)

    @cached_property
    def places(self) -> tuple[str, ...]:
        deadline = (self.definition.deadline.id,) if self.definition.deadline else ()
        return (*self.definition.elements, *deadline, *self.definition.flows)

    @property
    def missing(self) -> list[str]:
        return [id for id in self.places if not self.seen[id]]

    @property
    def covered(self) -> bool:
        return not self.missing

    # One walk

    def one(self) -> None:
        self.path: list[Leg] = []
        self.forced = False
        self.at = self.start
        self.instance = ProcessInstance(id="gladi", definition=self.definition.sha256, calendars=self.calendars)
        self.documents: set[str] = set()
        if not self.begin():
            return
        for _ in range(LONGEST + 3 * len(self.definition.elements)):
            if self.instance.status == COMPLETED:
                self.ended += 1
                self.finished += not self.forced
                return
            if self.instance.incidents or self.spent or self.at - self.start > LATEST or not self.next():
                return
        # A long loop is no dead end: another walk comes out of it, or none does, and that is said at the end.

    def next(self) -> bool:
        """One act: a user task is completed or a timer fires. False where the walk ends here."""
        tasks = sorted(self.instance.user_tasks.values(), key=lambda one: one.number)
        timers = [one for one in self.instance.timers.values() if self.may_fire(one)]
        ahead: list[tuple[int, str, int]] = [(self.completed[one.element], one.element, one.number) for one in tasks]
        ahead += [(self.fired[one.element], one.element, one.number) for one in timers]
        if not ahead:
            if any(one.element in self.ways.timers for one in self.instance.timers.values()):
                return False
            self.stopped(self.definition.key, "Berkas proses tidak menunggu siapa pun dan belum selesai.")
            return False
        # Of what was done least one is drawn; now and then any.
        least = min(ahead)[0]
        chosen = self.lots.pick(ahead if self.lots.below(3) == 0 else [one for one in ahead if one[0] == least])
        number = chosen[2]
        if number in self.instance.user_tasks:
            return self.complete(number)
        return self.fire(self.instance.timers[number])

    def may_fire(self, timer: RunningTimer) -> bool:
        if timer.element in self.ways.timers:
            element = self.definition.elements[timer.element]
            waits = element.kind == "intermediateCatchEvent"
            return waits or element.interrupting or self.fired[timer.element] < 4 * REMINDERS
        return self.fired[timer.element] < REMINDERS

    # The acts

    def begin(self) -> bool:
        start = self.definition.start
        base = StartProcessInstance(key=self.definition.key, definition=self.definition.sha256, unit="gladi",
                                    calendars=self.calendars)
        attached: dict[str, Attachment] = {}

        def act(data: Mapping[str, Any]) -> Act:
            return replace(base, data=data, attachments=dict(attached))

        def attach(field: Field) -> None:
            attached[field.id] = attachment(field)

        return self.fill(start, act, attach, 0, 1)

    def complete(self, number: int) -> bool:
        task = self.instance.user_tasks[number]
        element = self.definition.elements[task.element]

        def act(data: Mapping[str, Any]) -> Act:
            return CompleteUserTask(user_task=number, data=data)

        def attach(field: Field) -> None:
            given = AttachDocument(document=field.id, attachment=attachment(field), user_task=number)
            self.steps += 1
            try:
                self.take(process.decide(self.rules, self.instance, self.command(given)))
            except Refused:
                return                          # then the task says what it lacks

        return self.fill(element, act, attach, number, task.round)

    def fill(self, element: Element, act: Any, attach: Any, number: int, round: int) -> bool:
        """Fills a form until it is taken. False where the walk ends here: an incident, or nothing is taken."""
        self.at += timedelta(minutes=1)
        if self.weight(element) > HEAVY:
            self.untried.setdefault(f"Formulir {named(self.definition, element.id)} terlalu berat untuk dicoba: "
                                    "isiannya diandaikan benar.")
            return self.supposed(element, act({}), {}, lambda flow: None)
        for slot in element.slots:
            if self.spent:
                return False
            if slot.slot and slot.slot.role != "bacaan" and (slot.required or self.lots.below(2)):
                attach(slot)
        wrong: frozenset[str] = frozenset()
        problems: tuple[Problem, ...] = ()
        persistent: frozenset[str] | None = None
        tries = FEW_TRIES if self.hopeless[element.id] else TRIES
        for _ in range(tries):
            if self.spent:
                return False
            self.steps += 1
            self.work += self.weight(element)
            try:
                data = self.filling(element, number, round, wrong)
                step = process.decide(self.rules, self.instance, self.command(act(data)))
            except Refused as refused:
                problems = refused.problems or (Problem(element.id, str(refused)),)
                wrong = frozenset(one.place.partition(".")[0] for one in problems)
                persistent = wrong if persistent is None else persistent & wrong
                for field in element.slots:
                    if field.id in wrong:
                        attach(field)
                continue
            except expressions.ExpressionError as error:
                self.broken(element.id, f"Formulir {named(self.definition, element.id)} tidak dapat dibuka: sebuah "
                                        f"ungkapannya tidak mempunyai jawaban. {error}")
                return False
            return self.taken(element, step, act, data)
        self.hopeless[element.id] += 1
        if tries == TRIES and (persistent or not self.completed[element.id]):
            asked = "; ".join(dict.fromkeys(one.message for one in problems[:3]))
            self.stopped(element.id, f"{named(self.definition, element.id).capitalize()} tidak dapat diselesaikan: "
                                     f"{tries} kali diisi, tidak satu pun diterima. {asked}")
        return False

    def taken(self, element: Element, step: Step, act: Any, data: Mapping[str, Any]) -> bool:
        self.say(element, data)
        trouble = next((one for one in step.events if isinstance(one, IncidentRaised)), None)
        if trouble is not None:
            self.trouble(trouble, element.id)
            self.path.pop()
        if self.supposing:
            asked = {one.element for one in step.events if isinstance(one, ConditionEvaluated)}
            if any(not self.seen[flow.id] for id in asked for flow in self.definition.outgoing[id]):
                if trouble is None:
                    self.path.pop()
                return self.supposed(element, act(data), data, self.least_taken())
        if trouble is not None:
            return False
        self.take(step)
        if element.kind == "userTask":
            self.completed[element.id] += 1
        return True

    def least_taken(self) -> process.Plan:
        """Each decision takes the way that was taken least."""
        chosen: dict[str, str] = {}

        def plan(flow: SequenceFlow) -> bool:
            if flow.source not in chosen:
                among = self.definition.outgoing[flow.source]
                chosen[flow.source] = min(among, key=lambda one: self.seen[one.id] + self.forced_ways[one.id]).id
                self.forced_ways[chosen[flow.source]] += 1
            return chosen[flow.source] == flow.id

        self.forced = True
        return plan

    def supposed(self, element: Element, act: Act, data: Mapping[str, Any], plan: process.Plan) -> bool:
        """The same act as if its form were taken; `plan` decides."""
        self.steps += 1
        self.say(element, data)
        try:
            step = process.suppose(self.rules, self.instance, self.command(act), plan)
        except Refused as refused:
            self.stopped(element.id, str(refused))
            return False
        trouble = next((one for one in step.events if isinstance(one, IncidentRaised)), None)
        if trouble is not None:
            self.trouble(trouble, element.id)
            return False
        self.take(step)
        if isinstance(act, CompleteUserTask):
            self.completed[element.id] += 1
        return True

    def fire(self, timer: RunningTimer) -> bool:
        self.at = max(self.at, timer.due_at)
        self.steps += 1
        self.work += 1
        self.fired[timer.element] += 1
        try:
            step = process.decide(self.rules, self.instance, self.command(FireTimer(timer=timer.number),
                                                                          process.actor_of_the_clock()))
        except Refused as refused:
            self.stopped(timer.element, str(refused))
            return False
        self.path.append(Leg(element=timer.element, said=f"Timer {named(self.definition, timer.element)} berbunyi"))
        trouble = next((one for one in step.events if isinstance(one, IncidentRaised)), None)
        if trouble is not None:
            self.trouble(trouble, timer.element)
            return False
        self.take(step)
        return True

    def command(self, act: Act, actor: Actor | None = None) -> Command:
        return Command(id=f"gladi/{self.steps}", at=self.at, actor=actor or self.actor, act=act)

    def take(self, step: Step) -> None:
        self.instance = process.evolve(self.instance, step)
        self.work += len(step.events) + 4 * len(step.marking.tokens)
        for event in step.events:
            if isinstance(event, ConditionEvaluated):
                self.work += self.cost(self.definition.flows[event.flow].condition or "")
            if isinstance(event, ElementEntered) and not self.forced:
                self.seen[event.element] += 1
                if event.flow:
                    self.seen[event.flow] += 1
            elif isinstance(event, TimerFired) and not self.forced:
                self.seen[event.element] += 1

    # What was found

    def say(self, element: Element, data: Mapping[str, Any]) -> None:
        telling = [one for one in element.form if one.id in data and data[one.id] is not None
                   and (one.decision or one.id in self.values.deciding or one.required)]
        telling.sort(key=lambda one: not (one.decision or one.id in self.values.deciding))
        said = ", ".join(f"{one.label or one.id}: {shown(one, data[one.id])}" for one in telling[:3])
        what = "Mulai" if element.kind == "startEvent" else named(self.definition, element.id).capitalize()
        self.path.append(Leg(element=element.id, said=f"{what} ({said})" if said else what))

    def trouble(self, event: IncidentRaised, element: str) -> None:
        place = event.element or element
        self.work += self.all_conditions
        if event.kind == "timer" and self.at - self.start > LATEST / 2:
            return                              # the years of this walk have run out, not the diagram
        what = {"condition": "Sebuah syarat tidak mempunyai jawaban", "timer": "Sebuah waktu tidak dapat dihitung",
                "alarm": "Berkas proses tidak menunggu apa pun dan belum selesai",
                "stuck": "Berkas proses tidak dapat berlanjut"}.get(event.kind, "Berkas proses berhenti")
        if gate := re.fullmatch(r"No condition holds at '([^']+)', and it has no default flow\.", event.detail):
            place = gate[1]
            self.broken(place, f"Di {named(self.definition, place)} tidak ada syarat yang terpenuhi dan tidak ada "
                               "jalan bawaan, sehingga berkas proses berhenti. Lengkapi syaratnya atau beri jalan "
                               "bawaan.")
            return
        self.broken(place, f"{what} sesudah {named(self.definition, place)}: {event.detail[:300]}")

    def broken(self, element: str, message: str) -> None:
        self.keep(self.incidents, element, message)

    def stopped(self, element: str, message: str) -> None:
        self.keep(self.dead, element, message)

    def keep(self, found: dict[tuple[str, str], DeadEnd], element: str, message: str) -> None:
        """Each place once, with the shortest way to it; one that a form leads to before one that is supposed."""
        key = ("", element) if found is self.dead else (message, element)
        said = f"{message} (Jalan ke sini diandaikan: tidak ada isian yang dicoba yang membawanya.)"
        new = DeadEnd(element=element, message=said if self.forced else message, path=tuple(self.path),
                      supposed=self.forced)
        old = found.get(key)
        if old is None and len(found) >= MOST_FOUND:
            self.untried.setdefault(f"Lebih dari {MOST_FOUND} temuan sejenis; yang lain tidak dicatat.")
        elif old is None or (old.supposed, len(old.path)) > (new.supposed, len(new.path)):
            found[key] = new

    # Filling

    def filling(self, element: Element, number: int, round: int, wrong: frozenset[str]) -> dict[str, Any]:
        """Values for a form. Those that were refused, and those that decide, are other ones the next time."""
        local = self.at.astimezone(self.zone)
        known = requirements.names(self.definition, self.instance, number, round, {})
        again = set(wrong)
        for field in element.form:
            if field.id in wrong and field.valid_if:
                again |= names_in(field.valid_if)
        data: dict[str, Any] = {}
        for field in element.form:
            if field.type == "document" or field.readonly:
                continue
            # An unticked box is a no, never an empty field.
            needed = field.required or field.id in again or field.decision or field.type == "boolean"
            if not needed and self.lots.below(6 if field.id in self.values.deciding else 4) == 0:
                continue                        # what may be left empty now and then is
            if field.type == "table":
                rows = requirements.source_rows(field, {**known, **data})
                many = len(rows) or max(field.min_length or 0, 1 + self.lots.below(4))
                many = min(many, field.max_length or many, requirements.MOST_ROWS)
                data[field.id] = self.rows(field, local, many)
                continue
            data[field.id] = self.choose(field, local, field.id in again)
        return data

    def choose(self, field: Field, local: datetime, again: bool) -> Any:
        among = self.values.of(field, local)
        if field.initial and not again and field.id not in self.values.deciding and self.lots.below(2):
            known = requirements.names(self.definition, self.instance, 0, 1, {})
            try:
                usual = requirements.initial(field, known, local)
            except expressions.ExpressionError:
                usual = None
            if usual is not None and requirements.fault(field.type, usual, field.choices) is None:
                return usual
        least = min(self.given[field.id, repr(one)] for one in among)
        if field.decision or field.id in self.values.deciding or again:
            among = [one for one in among if self.given[field.id, repr(one)] == least] \
                if self.lots.below(3) else among
        else:
            among = among[:3]
        value = self.lots.pick(among)
        self.given[field.id, repr(value)] += 1
        return value

    def rows(self, field: Field, local: datetime, many: int) -> list[dict[str, Any]]:
        """Rows of a table: choices in turn, so that each is there once, or any."""
        columns = [(one.id, self.values.of(one, local)) for one in field.columns if not one.readonly]
        in_turn = self.lots.below(2) == 0
        return [{id: among[n % len(among)] if in_turn else self.lots.pick(among[:4]) for id, among in columns}
                for n in range(many)]

    def weight(self, element: Element) -> int:
        """What judging this form may cost, counted: an expression that goes through lists is dear, one that hides a
        field is asked again for each field that it hides, one of a column for each row."""
        if element.id not in self.weights:
            hiding = [one.shown_if for one in element.form if one.shown_if]
            hidden = {one.id for one in element.form if one.shown_if}
            rounds = 1 + sum(bool(names_in(one) & hidden) for one in hiding)
            total = 1 + len(element.form) // 10
            for field in element.form:
                rows = max(field.min_length or 0, 4) if field.type == "table" else 1
                total += rows * len(field.columns) // 10
                total += sum(self.cost(source) for source in written(field)) * rows
                total += self.cost(field.shown_if) * (rounds - 1) if field.shown_if else 0
            self.weights[element.id] = total
        return self.weights[element.id]

    def cost(self, source: str) -> int:
        """What evaluating an expression may cost; found out by doing so once, with little fuel."""
        if source not in self.costs:
            found = 1 + len(source) // 200
            if _HEAVY.search(source):
                found += LIGHT_LIST
                known = requirements.names(self.definition, self.instance, 0, 1, {})
                try:
                    expressions.evaluate(source, known, self.at.astimezone(self.zone), LIGHT_FUEL)
                except expressions.OutOfFuel:
                    found += DEAR
                except expressions.ExpressionError:
                    return found                # over these data it has no answer: asked again next time
            self.costs[source] = found
        return self.costs[source]

    @cached_property
    def all_conditions(self) -> int:
        """What asking every condition of the diagram costs: at most what a step that ended in an incident did."""
        return min(sum(self.cost(one.condition) for one in self.definition.flows.values() if one.condition), WORK // 4)


def attachment(field: Field) -> Attachment:
    slot = field.slot
    assert slot is not None, "only documents are attached"
    form = next((one for one in ("berkas", *slot.forms) if one in slot.forms), "berkas")
    if form != "berkas":
        return Attachment(form=form, place="Contoh")
    name = f"{field.id}.pdf"
    return Attachment(files=(File(sha256=sha256(name.encode()).hexdigest(), size_bytes=1, media_type="application/pdf",
                                  name=name),))


def shown(field: Field, value: Any) -> str:
    """A value as it is read, short."""
    if field.type == "boolean":
        return "ya" if value else "tidak"
    if field.type == "enum":
        return next((one.label for one in field.choices if one.value == value), str(value))
    if isinstance(value, list):
        return f"{len(value)} baris"
    return str(value.get("nama") or value.get("id")) if isinstance(value, dict) else str(value)[:60]
