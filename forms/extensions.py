"""More time for a user task, as people see it: what was asked, who decides on it, what became of it.

The acts themselves are in `inbox`; what is said here stands on the task's page, in the inbox and on the process page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import Connection

from engine import calendars
from engine.definition import Element, ProcessDefinition
from engine.instance import Extension, UserTask
from engine.organisation import local_date
from engine.store import organisation, queries

from . import words
from .processes import Names, Sight, drawing
from .session import me

REFUSED = words.Mark("×", _l("Perpanjangan ditolak"), "ahead")


def lanes_that_decide(definition: ProcessDefinition, element: str) -> tuple[str, ...]:
    """The lanes that may grant a step more time, as drawn; none where no extension is offered."""
    norm = definition.norm(element)
    return norm.timer.extended_by if norm and norm.timer else ()


def decides(
    definition: ProcessDefinition, task: UserTask | queries.OpenTask, lanes: Iterable[str], person: str
) -> bool:
    """Whether somebody who performs `lanes` may decide on the waiting request of a task: a superior, never a performer
    of the step itself, and never who asked. The same that the engine will ask."""
    asked, mine = task.extension, set(lanes)
    if asked is None or asked.granted is not None or asked.person == person or task.lane in mine:
        return False
    return bool(mine & set(lanes_that_decide(definition, task.element)))


def deciders(sight: Sight, task: UserTask) -> str:
    """Who decides on more time for a task: names or lanes, without those who perform the step themselves."""

    def people(lane: str) -> set[str]:
        team = sight.instance.team.get(lane)
        if team is not None:
            return {person for person, _role in team}
        performing = organisation.who_performs(
            sight.db, sight.instance.key, lane, sight.instance.unit, sight.today
        )
        return set(performing)

    own, named = people(task.lane), lanes_that_decide(sight.definition, task.element)
    may = [lane for lane in named if people(lane) - own] or list(named)
    return str(_(" atau ")).join(sight.of_lane(lane) for lane in may)


# What stands on the pages of one task


@dataclass(frozen=True, kw_only=True)
class State:
    """The newest request for more time of an open task, in words."""

    mark: words.Mark
    text: str
    reason: str  # of who asked
    why: str  # of who decided


def state(sight: Sight, task: UserTask) -> State | None:
    """What was asked and what became of it; None where nothing was."""
    asked = task.extension
    if asked is None:
        return None
    who = sight.names(asked.person)
    if asked.granted is None:
        mark, text = words.ASKED, _(
            "%(who)s meminta waktu sampai %(until)s. Menunggu keputusan %(deciders)s.",
            who=who,
            until=words.full(asked.until, sight.zone),
            deciders=deciders(sight, task),
        )
    else:
        said = {
            "who": sight.names(asked.decided_by or ""),
            "at": words.near(asked.decided_at, sight.now, sight.zone) if asked.decided_at else "",
        }
        mark = words.EXTENDED if asked.granted else REFUSED
        text = (
            _("Diperpanjang sampai %(until)s oleh %(who)s, %(at)s.", until=until_words(sight, task), **said)
            if asked.granted
            else _("Ditolak %(who)s, %(at)s. Batas waktu tidak berubah.", **said)
        )
    return State(mark=mark, text=str(text), reason=words.str_of(asked.reason), why=words.str_of(asked.why))


def _step(sight: Sight, task: UserTask) -> str:
    said = words.short_step(sight.definition, task.element)
    return said[:1].upper() + said[1:]


def until_words(sight: Sight, task: UserTask) -> str:
    return words.full(task.late_at, sight.zone) if task.late_at else ""


def room_after(sight: Sight, until: datetime) -> str:
    """`Sesudah hari itu tersisa 8 hari kerja sampai tenggat, Minggu, 28 Februari 2027.`; "" where no deadline runs."""
    deadline = sight.instance.deadline_at
    if sight.instance.deadline_timer is None or deadline is None:
        return ""
    last = words.local(deadline, sight.zone) - timedelta(microseconds=1)
    first = words.local(until, sight.zone) + timedelta(days=1)
    days = calendars.working_days(first.date(), last.date(), sight.calendar(""))
    day = words.deadline(deadline, sight.zone)
    if not days:
        return str(_("Sesudah hari itu tidak tersisa hari kerja sampai tenggat, %(day)s.", day=day))
    return str(
        ngettext(
            "Sesudah hari itu tersisa %(num)s hari kerja sampai tenggat, %(day)s.",
            "Sesudah hari itu tersisa %(num)s hari kerja sampai tenggat, %(day)s.",
            days,
            day=day,
        )
    )


@dataclass(frozen=True, kw_only=True)
class Request:
    """A waiting request as the page of its instance says it."""

    number: int  # of the user task
    text: str
    mine: bool  # the visitor may decide on it


def requests_of(sight: Sight) -> list[Request]:
    """The waiting requests of an instance, those that the visitor may see."""
    return [
        Request(
            number=task.number,
            text=f"{_step(sight, task)}: {found.text}",
            mine=decides(sight.definition, task, sight.actor.lanes, me().id),
        )
        for task in sight.instance.user_tasks.values()
        if task.extension and task.extension.granted is None and (sight.whole or task.lane in sight.lanes)
        if (found := state(sight, task))
    ]


# What waits for the visitor


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A request for more time that the visitor may decide on."""

    task: queries.OpenTask
    asked: Extension
    definition: ProcessDefinition
    element: Element
    who: str  # the name of who asked


def to_decide(db: Connection, now: datetime) -> list[Waiting]:
    """The requests for more time that wait for the visitor's decision, the most urgent first."""
    visitor, names = me(), Names(db)
    serving = organisation.serves(db, visitor.id, local_date(now, visitor.zone))
    performs: dict[queries.Pair, set[str]] = {}
    for one in serving:
        if not one.only_reads:
            performs.setdefault((one.key, one.unit), set()).add(one.lane)
    found = []
    for task in queries.asked_extensions(db, visitor.id, performs):
        definition = drawing(task.definition)
        if definition is None:
            continue  # the inbox itself says so
        lanes = {lane for lane in performs.get((task.key, task.unit), ()) if lane not in task.teams}
        lanes |= {lane for lane, members in task.teams.items() if visitor.id in members}
        if task.extension and decides(definition, task, lanes, visitor.id):
            element = definition.elements[task.element]
            who = names(task.extension.person)
            found.append(Waiting(task=task, asked=task.extension, definition=definition, element=element, who=who))
    return found
