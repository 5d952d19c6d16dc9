"""More time for a user task, as people see it: what was asked, who decides on it, what became of it.

The acts themselves are in `inbox`; what is said here stands on the task's page, in the inbox and on the process page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from engine.definition import Element, ProcessDefinition
from engine.instance import Extension, UserTask
from engine.organisation import local_date
from engine.store import organisation, queries

from .processes import Names
from .session import me, office


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
        definition = office().rules.definition(task.definition)
        lanes = {lane for lane in performs.get((task.key, task.unit), ()) if lane not in task.teams}
        lanes |= {lane for lane, members in task.teams.items() if visitor.id in members}
        if task.extension and decides(definition, task, lanes, visitor.id):
            element = definition.elements[task.element]
            who = names(task.extension.person)
            found.append(Waiting(task=task, asked=task.extension, definition=definition, element=element, who=who))
    return found
