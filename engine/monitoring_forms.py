"""What the journal can say in the two forms of PermenPANRB 35/2012: the half-yearly monitoring form of an SOP (Tabel 7,
"Monitoring Pelaksanaan SOP AP") and the material for its yearly evaluation.

Pure: cases with their finished passes go in (as store/passes.py keeps them) and their departures (as conformance reads
them off the journal); counts come out, each with the ids of the instances behind it. A judgement is never made here:
"berjalan dengan baik" is for the assessor to tick, and what the journal shows stands beside it. Sentences are in
`forms/monitoring_forms.py`.
Source: PermenPANRB 35/2012, the chapter on monitoring and evaluation: every six months and every year.
"""
from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

from . import conformance
from .conformance import Departure
from .definition import ProcessDefinition
from .forecast import ENOUGH_PASSES
from .instance import CANCELLED, COMPLETED
from .organisation import local_date
from .performance import Case, Pass, Tally, sent_back

# What an evaluation asks, in its order. Each is answered by a person; the journal has material for all but the last.
IMPROVES, UNDERSTOOD, FEASIBLE, ROLES, PROBLEMS, NEEDS, SYNERGY = CRITERIA = (
    "mendorong_kinerja", "mudah_dipahami", "mudah_dilaksanakan", "menjalankan_peran", "mengatasi_masalah",
    "menjawab_kebutuhan", "sinergi")
# How a step went, as far as the journal shows it.
NOT_PASSED, AS_DRAWN, DEPARTED = "tidak_dilalui", "menurut_sop", "ada_yang_lain"


@dataclass(frozen=True, kw_only=True)
class Period:
    """Some days, both ends included, of a zone."""
    begins: date
    ends: date
    zone: str

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.begins <= local_date(at, self.zone) <= self.ends

    def before(self) -> Period:
        """The same months of the year before."""
        return Period(begins=self.begins.replace(year=self.begins.year - 1),
                      ends=self.ends.replace(year=self.ends.year - 1), zone=self.zone)


def half(year: int, number: int, zone: str) -> Period:
    """The first (1) or second (2) half of a year: what a monitoring form is about."""
    begins, ends = ((1, 1), (6, 30)) if number == 1 else ((7, 1), (12, 31))
    return Period(begins=date(year, *begins), ends=date(year, *ends), zone=zone)


def whole(year: int, zone: str) -> Period:
    """A year: what an evaluation is about."""
    return Period(begins=date(year, 1, 1), ends=date(year, 12, 31), zone=zone)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row of the monitoring form: a step of the SOP, in a period.

    working    minutes of the lower median of a pass; None under ENOUGH_PASSES passes
    overdue    open beyond their limit, as the period's last row of their instance shows
    departed   kind of departure but lateness -> how often and where, what is only information among them; in the order
               of the kinds
    """
    element: str
    passes: Tally
    late: Tally
    overdue: Tally
    sent_back: Tally                                # passes that sent the work back
    again: Tally                                    # passes of a second or later round
    working: int | None
    departed: Mapping[str, Tally]

    @property
    def seen(self) -> str:
        """What the journal shows of it: one of NOT_PASSED, AS_DRAWN, DEPARTED."""
        if self.overdue.count or any(kind not in conformance.INFORMATION for kind in self.departed):
            return DEPARTED
        if not self.passes.count:
            return NOT_PASSED
        return DEPARTED if self.late.count or self.sent_back.count else AS_DRAWN


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """An SOP in a unit and a period: a line for each step, and what is about no step.

    cases      instances in which something happened in the period
    started .. those that were started, completed or cancelled in it
    whole      departures that no step stands behind
    """
    period: Period
    lines: tuple[Line, ...]
    cases: tuple[str, ...]
    started: tuple[str, ...]
    finished: tuple[str, ...]
    cancelled: tuple[str, ...]
    whole: Mapping[str, Tally]

    @property
    def passes(self) -> int:
        return sum(one.passes.count for one in self.lines)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number of the evaluation: what it counts, how often, of how many (None: of no whole), and where."""
    name: str
    tally: Tally
    of: int | None = None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The material for the yearly evaluation: criterion -> figures; () where the journal has nothing to say."""
    period: Period
    monitoring: Monitoring
    before: Monitoring                              # the year before, for comparison
    figures: Mapping[str, tuple[Figure, ...]]


def monitoring(definition: ProcessDefinition, cases: Sequence[Case], departures: Mapping[str, Sequence[Departure]],
               period: Period) -> Monitoring:
    """What happened to an SOP's steps in a period.

    cases       of one process and unit, with all their passes: what a pass sent back is seen by those after it
    departures  instance -> all of its departures; counted are those whose row is of the period
    """
    of_all = (conformance.DEADLINE,)                # the process's own, whichever step meets it
    order = {one.id: n for n, one in enumerate(definition.user_tasks)}
    back = {(case.id, number) for case in cases for number in sent_back(case, order)}
    passed = [(case, one) for case in cases for one in case.passes if period.holds(one.ended_at)]
    told = [(case.id, one) for case in cases for one in departures.get(case.id, ()) if period.holds(one.at)]
    started = tuple(case.id for case in cases if period.holds(case.started_at))
    ended = [case for case in cases if period.holds(case.ended_at)]
    elements = dict.fromkeys([*order, *(one.element for _case, one in passed),
                              *(one.element for _id, one in told if one.element and one.kind not in of_all)])
    active = dict.fromkeys([*started, *(case.id for case in ended), *(case.id for case, _one in passed),
                            *(id for id, _one in told)])
    return Monitoring(
        period=period,
        lines=tuple(_line(id, [(case, one) for case, one in passed if one.element == id], back,
                          [(case, one) for case, one in told if one.element == id and one.kind not in of_all])
                    for id in elements if id),
        cases=tuple(case.id for case in cases if case.id in active),
        started=started,
        finished=tuple(case.id for case in ended if case.status == COMPLETED),
        cancelled=tuple(case.id for case in ended if case.status == CANCELLED),
        whole=_kinds((id, one) for id, one in told if not one.element or one.kind in of_all),
    )


def evaluation(definition: ProcessDefinition, cases: Sequence[Case], departures: Mapping[str, Sequence[Departure]],
               period: Period) -> Evaluation:
    """The material for an evaluation of the year `period`."""
    now = monitoring(definition, cases, departures, period)
    before = monitoring(definition, cases, departures, period.before())
    kinds = merged(now)

    def of(kind: str) -> Figure:
        return Figure(name=kind, tally=kinds.get(kind, Tally()))

    def lines(name: str, one: Monitoring, whole: int | None = None) -> Figure:
        return Figure(name=name, of=whole, tally=added(getattr(line, name) for line in one.lines))

    late, late_before = lines("late", now, now.passes), lines("late", before, before.passes)
    return Evaluation(period=period, monitoring=now, before=before, figures={
        IMPROVES: (late, Figure(name="late_before", tally=late_before.tally, of=late_before.of),
                   Figure(name="finished", tally=_once(now.finished)),
                   Figure(name="finished_before", tally=_once(before.finished))),
        UNDERSTOOD: (lines("sent_back", now, now.passes), of(conformance.CORRECTED), of(conformance.SKIPPED)),
        FEASIBLE: (late, lines("again", now, now.passes), of(conformance.EXTENDED), of(conformance.WAIVED),
                   of(conformance.OWED), of(conformance.AFTERWARDS)),
        ROLES: (of(conformance.REASSIGNED), of(conformance.CAPACITY), of(conformance.ON_BEHALF),
                of(conformance.SAME_PERSON), of(conformance.SAME_HANDS)),
        PROBLEMS: (Figure(name="cancelled", tally=_once(now.cancelled)), of(conformance.CORRECTED),
                   of(conformance.MIGRATED)),
        NEEDS: (Figure(name="started", tally=_once(now.started)), Figure(name="finished", tally=_once(now.finished)),
                of(conformance.DEADLINE)),
        SYNERGY: (),
    })


def merged(one: Monitoring) -> Mapping[str, Tally]:
    """Kind of departure -> how often and where, of the steps and of what is about no step together."""
    parts = [*(line.departed for line in one.lines), one.whole]
    return {kind: added(part[kind] for part in parts if kind in part) for kind in conformance.KINDS
            if any(kind in part for part in parts)}


def added(tallies: Iterable[Tally]) -> Tally:
    found = list(tallies)
    return Tally(count=sum(one.count for one in found), cases=tuple(dict.fromkeys(chain(*(t.cases for t in found)))))


def years(cases: Iterable[Case], zone: str) -> list[int]:
    """The years in which something happened, the newest first."""
    instants = chain.from_iterable((case.started_at, case.ended_at, *(one.ended_at for one in case.passes))
                                   for case in cases)
    return sorted({local_date(at, zone).year for at in instants if at is not None}, reverse=True)


# ---------------------------------------------------------------------------------------------------------------------


def _once(ids: Sequence[str]) -> Tally:
    return Tally(count=len(ids), cases=tuple(ids))


def _tally(found: Iterable[tuple[Case, Pass]]) -> Tally:
    ids = [case.id for case, _one in found]
    return Tally(count=len(ids), cases=tuple(dict.fromkeys(ids)))


def _kinds(told: Iterable[tuple[str, Departure]]) -> Mapping[str, Tally]:
    found: dict[str, list[str]] = {}
    for id, one in told:
        found.setdefault(one.kind, []).append(id)
    return {kind: Tally(count=len(found[kind]), cases=tuple(dict.fromkeys(found[kind])))
            for kind in conformance.KINDS if kind in found}


def _line(element: str, passed: Sequence[tuple[Case, Pass]], back: Collection[tuple[str, int]],
          told: Sequence[tuple[str, Departure]]) -> Line:
    minutes = [one.working for _case, one in passed]
    overdue = [id for id, one in told if one.kind == conformance.LATE and one.evidence["done_at"] is None]
    return Line(
        element=element,
        passes=_tally(passed),
        late=_tally((case, one) for case, one in passed if one.late),
        overdue=Tally(count=len(overdue), cases=tuple(dict.fromkeys(overdue))),
        sent_back=_tally((case, one) for case, one in passed if (case.id, one.number) in back),
        again=_tally((case, one) for case, one in passed if one.round > 1),
        working=statistics.median_low(minutes) if len(minutes) >= ENOUGH_PASSES else None,
        departed=_kinds((id, one) for id, one in told if one.kind != conformance.LATE),
    )
