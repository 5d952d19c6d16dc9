"""How a process performs across its instances: what its finished passes say, step by step, lane by lane, way by way.

Pure: cases go in (an instance with its finished passes, as store/passes.py keeps them), figures come out, and each
figure carries the ids of the instances behind it. Nothing is guessed: under ENOUGH_PASSES finished passes there is no
figure (`enough` is false, and who shows it says so). A median is the lower one, so that it is a value that was
really taken; the slowest tenth is at least one pass. All times are working minutes of the calendar of the lane.
"""
from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from .calendars import MINUTE, CalendarError, parse_duration
from .definition import ProcessDefinition
from .forecast import DAY_MINUTES, ENOUGH_PASSES, norm_of
from .instance import COMPLETED

MOST_CASES = 1_000              # instances of one look, the newest
MOST_PASSES = 30_000            # finished passes of one look
MOST_VARIANTS = 20              # that are told one by one, the most frequent; the rest is counted
CLASSES = 5                     # of a heat map


@dataclass(frozen=True, kw_only=True)
class Pass:
    """A finished pass of a user task."""
    number: int                         # of the user task in its instance: the order in which they were opened
    element: str
    lane: str
    round: int
    working: int                        # minutes from when its work could begin to its end
    waiting: int | None                 # until somebody took it
    processing: int | None              # from then on
    late: bool
    opened_again: bool                  # whether the Step that finished it opened some user task again
    ended_at: datetime | None = None    # aware, UTC; as its performer states it


@dataclass(frozen=True, kw_only=True)
class Case:
    """An instance with its finished passes in the order of their numbers, and what is open in it."""
    id: str
    title: str
    unit: str
    unit_name: str
    year: int | None
    status: str
    definition: str                     # SHA-256 of the version that it runs
    passes: tuple[Pass, ...]
    open: tuple[tuple[int, str, int], ...] = ()     # (number, element, round) of its open user tasks
    started_at: datetime | None = None  # aware, UTC
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How often, and in which instances."""
    count: int = 0
    cases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Minutes of some passes: the lower median, and from how many minutes on the slowest tenth of them took."""
    median: int
    slowest: int
    all: Tally
    slow: Tally


@dataclass(frozen=True, kw_only=True)
class StepFigures:
    """A user task across the instances. waiting, processing: None where fewer than ENOUGH_PASSES measured it."""
    element: str
    lane: str
    visits: Tally
    waiting: Spread | None
    processing: Spread | None
    late: Tally
    sent_back: Tally                    # passes that sent the work back, to this step or one before it
    again: Tally                        # passes of a second or later round

    @property
    def enough(self) -> bool:
        return self.visits.count >= ENOUGH_PASSES


@dataclass(frozen=True, kw_only=True)
class LaneFigures:
    """A lane against the norm: what its passes took in one instance, and what the SOP gives for the same passes.

    passes  those that have a norm in working time; `without` others have none, and are compared with nothing
    taken   minutes per instance, None under ENOUGH_PASSES passes; norm: the lower median of what the SOP gives
    over    passes that took longer than their norm
    """
    lane: str
    passes: Tally
    without: int
    taken: Spread | None
    norm: int
    over: Tally

    @property
    def enough(self) -> bool:
        return self.taken is not None


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One sequence of user tasks, in the order in which they were opened, that finished instances took."""
    id: str                             # of the sequence: the same wherever it is asked
    elements: tuple[str, ...]
    cases: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class GroupFigures:
    """The instances of a unit, or of a year, as they stand beside others.

    taken, norm  minutes of all passes that have a norm: together they say how much of the given time was used
    """
    id: str
    name: str
    cases: tuple[str, ...]
    finished: tuple[str, ...]
    passes: int
    late: Tally
    sent_back: Tally
    working: Spread | None              # of one pass
    taken: int
    norm: int

    @property
    def enough(self) -> bool:
        return self.passes >= ENOUGH_PASSES


@dataclass(frozen=True, kw_only=True)
class Performance:
    """All of it. steps, lanes: those that were passed, in the order of the definition, then the others."""
    cases: tuple[str, ...]
    passes: int
    finished: tuple[str, ...]
    steps: tuple[StepFigures, ...]
    lanes: tuple[LaneFigures, ...]
    variants: tuple[Variant, ...]       # the most frequent first, all of them
    units: tuple[GroupFigures, ...]
    years: tuple[GroupFigures, ...]


Found = tuple[Case, Pass]


def of_cases(cases: Sequence[Case], definition: ProcessDefinition,
             version: Callable[[str], ProcessDefinition]) -> Performance:
    """What the passes of these instances say.

    definition  gives the order of steps and lanes: mostly the newest version
    version     SHA-256 -> the definition whose norms count for an instance
    """
    norms = {sha256: norms_of(version(sha256)) for sha256 in {one.definition for one in cases}}
    order = {one.id: n for n, one in enumerate(definition.user_tasks)}
    back = {(case.id, number) for case in cases for number in sent_back(case, order)}
    found = [(case, one) for case in cases for one in case.passes]

    by_element: dict[str, list[Found]] = defaultdict(list)
    by_lane: dict[str, list[Found]] = defaultdict(list)
    for case, one in found:
        by_element[one.element].append((case, one))
        by_lane[one.lane].append((case, one))
    lanes = [one.id for one in definition.lanes]
    years = sorted({one.year for one in cases}, key=lambda year: year or 0, reverse=True)
    units = sorted({(one.unit_name, one.unit) for one in cases})
    return Performance(
        cases=tuple(one.id for one in cases),
        passes=len(found),
        finished=tuple(one.id for one in cases if one.status == COMPLETED),
        steps=tuple(_step(id, by_element[id], back) for id in _ordered(by_element, list(order))),
        lanes=tuple(_lane(id, by_lane[id], norms) for id in _ordered(by_lane, lanes)),
        variants=variants(cases),
        units=tuple(_group(id, name, [one for one in cases if one.unit == id], norms, back) for name, id in units),
        years=tuple(_group(str(year or ""), str(year or ""), [one for one in cases if one.year == year], norms, back)
                    for year in years),
    )


def variants(cases: Iterable[Case]) -> tuple[Variant, ...]:
    """The sequences of user tasks that finished instances took, the most frequent first, then the shorter."""
    taken: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for case in cases:
        if case.status == COMPLETED and case.passes:
            taken[tuple(one.element for one in case.passes)].append(case.id)
    found = [Variant(id=sha256("\n".join(elements).encode()).hexdigest()[:12], elements=elements, cases=tuple(ids))
             for elements, ids in taken.items()]
    return tuple(sorted(found, key=lambda one: (-len(one.cases), len(one.elements), one.elements)))


def sent_back(case: Case, order: Mapping[str, int]) -> set[int]:
    """Numbers of the passes that sent the work back: what was opened again behind one stands at it or before it.

    Within a loop the way forward opens user tasks again, too: of a pass that did, the next one of a later round says
    which it was. order: user task -> its place in the SOP; one that has no place any more counts as the first.
    """
    opened = sorted([*((one.number, one.element, one.round) for one in case.passes), *case.open])
    found = set()
    for one in case.passes:
        if one.opened_again:
            after = next((element for number, element, round in opened if number > one.number and round > 1), None)
            if after is not None and order.get(after, 0) <= order.get(one.element, 0):
                found.add(one.number)
    return found


def norms_of(definition: ProcessDefinition) -> Mapping[str, tuple[int, bool]]:
    """User task -> (working minutes that the SOP gives it, whether the work alone is measured against them).

    A norm in minutes or hours is about the work, one in days about the whole pass: the official may have been out. Left
    out is what no number says: no norm, one on the wall calendar, one that is computed from an instance's data.
    """
    found: dict[str, tuple[int, bool]] = {}
    for element in definition.user_tasks:
        duration, unit = norm_of(definition, element.id)
        if duration is None or unit != "kerja" or duration.startswith("="):
            continue
        try:
            length = parse_duration(duration)
        except CalendarError:           # deployed before the gate asked for it
            continue
        found[element.id] = (length.days * DAY_MINUTES + length.microseconds // MINUTE, not length.days)
    return found


def heat(minutes: Mapping[str, int | None]) -> Mapping[str, int]:
    """Class 1 to CLASSES of each element by how much of the most it has, in equal parts; 0: not known."""
    most = max((one for one in minutes.values() if one is not None), default=0)
    return {id: 0 if one is None else max(1, -(-one * CLASSES // most)) if most else 1 for id, one in minutes.items()}


def up_to(most: int) -> tuple[int, ...]:
    """The largest value of each class, where the most is `most`."""
    return tuple(most * n // CLASSES for n in range(1, CLASSES + 1))


# ---------------------------------------------------------------------------------------------------------------------


def _ordered(found: Collection[str], order: Sequence[str]) -> list[str]:
    return [id for id in order if id in found] + sorted(set(found) - set(order))


def tally(found: Iterable[Found]) -> Tally:
    ids = Counter(case.id for case, _pass in found)
    return Tally(count=ids.total(), cases=tuple(ids))


def spread(measured: Iterable[tuple[int, str]], least: int = ENOUGH_PASSES) -> Spread | None:
    """Of (minutes, instance) pairs; None of fewer than `least`."""
    rows = sorted(measured, key=lambda one: -one[0])
    if len(rows) < max(least, 1):
        return None
    slow = rows[:-(-len(rows) // 10)]
    return Spread(median=statistics.median_low(minutes for minutes, _id in rows), slowest=slow[-1][0],
                  all=_of_ids(id for _minutes, id in rows), slow=_of_ids(id for _minutes, id in slow))


def _of_ids(ids: Iterable[str]) -> Tally:
    found = Counter(ids)
    return Tally(count=found.total(), cases=tuple(sorted(found)))


def _step(id: str, found: Sequence[Found], back: Collection[tuple[str, int]]) -> StepFigures:
    return StepFigures(
        element=id, lane=found[0][1].lane, visits=tally(found),
        waiting=spread((one.waiting, case.id) for case, one in found if one.waiting is not None),
        processing=spread((one.processing, case.id) for case, one in found if one.processing is not None),
        late=tally((case, one) for case, one in found if one.late),
        sent_back=tally((case, one) for case, one in found if (case.id, one.number) in back),
        again=tally((case, one) for case, one in found if one.round > 1),
    )


Norms = Mapping[str, Mapping[str, tuple[int, bool]]]


def _against(found: Iterable[Found], norms: Norms) -> list[tuple[Case, Pass, int, int]]:
    """(case, pass, minutes that count, its norm) of the passes that have a norm."""
    compared = []
    for case, one in found:
        if one.element in norms[case.definition]:
            norm, of_work = norms[case.definition][one.element]
            taken = one.processing if of_work and one.processing is not None else one.working
            compared.append((case, one, taken, norm))
    return compared


def _lane(id: str, found: Sequence[Found], norms: Norms) -> LaneFigures:
    compared = _against(found, norms)
    taken, given = Counter[str](), Counter[str]()
    for case, _pass, minutes, norm in compared:
        taken[case.id] += minutes
        given[case.id] += norm
    enough = len(compared) >= ENOUGH_PASSES
    return LaneFigures(
        lane=id, passes=tally((case, one) for case, one, _minutes, _norm in compared),
        without=len(found) - len(compared),
        taken=spread(((minutes, case) for case, minutes in taken.items()), least=1) if enough else None,
        norm=statistics.median_low(given.values()) if given else 0,
        over=tally((case, one) for case, one, minutes, norm in compared if minutes > norm),
    )


def _group(id: str, name: str, cases: Sequence[Case], norms: Norms, back: Collection[tuple[str, int]]) -> GroupFigures:
    found = [(case, one) for case in cases for one in case.passes]
    compared = _against(found, norms)
    return GroupFigures(
        id=id, name=name, cases=tuple(one.id for one in cases),
        finished=tuple(one.id for one in cases if one.status == COMPLETED), passes=len(found),
        late=tally((case, one) for case, one in found if one.late),
        sent_back=tally((case, one) for case, one in found if (case.id, one.number) in back),
        working=spread((one.working, case.id) for case, one in found),
        taken=sum(minutes for _case, _pass, minutes, _norm in compared),
        norm=sum(norm for _case, _pass, _minutes, norm in compared),
    )
