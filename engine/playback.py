"""A process instance played again, moment by moment: who did what, what stood there before, where the tokens went.

A moment is one Step, with the instance as it stood before and after it. It is not drawn from what was recorded but
decided again: whoever looks at a moment looks at a proved one, and at the first that comes out otherwise playing ends
with `process.ReplayDiverged`. Pure: sentences, names and forecasts are made by who shows it.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from . import events, process
from .commands import (
    AttachDocument,
    Attachment,
    Command,
    CompleteUserTask,
    Correct,
    RecordValues,
    SettleRequirement,
    StartProcessInstance,
)
from .definition import ProcessDefinition
from .instance import ProcessInstance, Step, UserTask

RETURN, LATE, CORRECTION, MIGRATION = "return", "late", "correction", "migration"     # what a time line marks
INCIDENT, SUSPENSION = "incident", "suspension"
MARKS = (RETURN, LATE, CORRECTION, MIGRATION, INCIDENT, SUSPENSION)


@dataclass(frozen=True, kw_only=True)
class Entered:
    """A value that was written, and what stood there before."""
    field: str                          # its id
    label: str
    before: Any                         # None: nothing stood there
    after: Any                          # None: it is hidden now, and not stored


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One Step, between two states of its instance."""
    before: ProcessInstance
    after: ProcessInstance
    step: Step
    definition: ProcessDefinition       # that ran when it was asked; of a migration the one until then

    @property
    def sequence(self) -> int:
        return self.step.sequence

    @property
    def command(self) -> Command:
        return self.step.command

    @cached_property
    def moves(self) -> tuple[tuple[int, str, str], ...]:
        """(token, sequence flow, element that it came to), in the order in which the tokens moved."""
        return tuple((one.token, one.flow, one.element) for one in self.step.events
                     if isinstance(one, events.ElementEntered) and one.flow)

    @cached_property
    def user_task(self) -> UserTask | None:
        """The user task that the act was about, as it stood before."""
        return self.before.user_tasks.get(getattr(self.command.act, "user_task", None) or 0)

    @cached_property
    def entered(self) -> tuple[Entered, ...]:
        """What was written into the data document, in the order of the form; what was said again is not told."""
        act = self.command.act
        if not isinstance(act, StartProcessInstance | CompleteUserTask | RecordValues | Correct):
            return ()
        fields = self.definition.fields
        order = {id: n for n, id in enumerate(fields)}
        ids = sorted({*act.data, *(id for id in self.after.data if self.before.data.get(id) != self.after.data[id])},
                     key=lambda id: order.get(id, len(order)))
        return tuple(
            Entered(field=id, label=fields[id].label if id in fields else id, before=self.before.data.get(id),
                    after=self.after.data.get(id))
            for id in ids if self.before.data.get(id) != self.after.data.get(id))

    @cached_property
    def attached(self) -> tuple[tuple[str, int, Attachment], ...]:
        """(document type, version, what was put there) of this Step."""
        act = self.command.act
        given: Mapping[str, Attachment] = (
            act.attachments if isinstance(act, StartProcessInstance)
            else {act.document: act.attachment} if isinstance(act, AttachDocument | SettleRequirement) else {})
        kept = self.after.documents
        return tuple((one.document, one.version, given.get(one.document) or kept[one.document].attachment)
                     for one in self.step.events
                     if isinstance(one, events.DocumentAttached) and one.document in kept)

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """What a time line shows of it, in the order of MARKS."""
        order = {one.id: n for n, one in enumerate(self.definition.user_tasks)}
        left = [one.element for one in self.step.events if isinstance(one, events.UserTaskCompleted)]
        found = set()
        for event in self.step.events:
            match event:
                case events.UserTaskOpened(_, element, _, round, _, _, _) if round > 1 and any(
                        order.get(one, 0) >= order.get(element, 0) for one in left):
                    found.add(RETURN)
                case events.UserTaskCompleted() if event.late:
                    found.add(LATE)
                case events.ProcessInstanceCorrected():
                    found.add(CORRECTION)
                case events.ProcessInstanceMigrated() | events.MigrationUndone():
                    found.add(MIGRATION)
                case events.IncidentRaised():
                    found.add(INCIDENT)
                case events.ProcessInstanceSuspended() | events.ProcessInstanceResumed():
                    found.add(SUSPENSION)
        return tuple(one for one in MARKS if one in found)


def moments(rules: process.Rules, id: str, recorded: Iterable[tuple[Step, str | None]]) -> Iterator[Moment]:
    """Every moment of an instance, from its first Step on.

    recorded  its Steps in order, each with the hash of its marking; None under another engine version.
    Raises process.ReplayDiverged at the first that comes out otherwise; what was yielded before it is proved.
    """
    before = ProcessInstance(id=id)
    for after, step in process.replay(rules, recorded, id):
        yield Moment(before=before, after=after, step=step,
                     definition=rules.definition(before.definition or after.definition))
        before = after
