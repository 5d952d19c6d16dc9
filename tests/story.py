"""What the tests of the heart share: the real diagrams, rules over them, and given / when / then in sentences.

`Rules` is the product's own, over values in memory: nothing here is a stand-in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine import diagram, process, story
from engine.calendars import Calendar, five_days, six_days
from engine.commands import (
    Act,
    Actor,
    Attachment,
    ClaimUserTask,
    Command,
    CompleteUserTask,
    FireTimer,
    StartProcessInstance,
)
from engine.definition import ProcessDefinition
from engine.events import Event
from engine.instance import ProcessInstance, Refused, Step, UserTask
from engine.rules import Rules

ROOT = Path(__file__).parent.parent
LKJPD = ROOT / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn"
STORIES = tuple(sorted((LKJPD.parent / "stories").glob("*.txt")))
DIAGRAMS = tuple(sorted((ROOT / "tests" / "diagrams").glob("*.bpmn")))
WIB = ZoneInfo("Asia/Jakarta")
FIVE_DAYS = five_days().sha256


@cache
def definition(name: str | Path = LKJPD) -> ProcessDefinition:
    """A diagram as the product reads it: of a file, or of `tests/diagrams/NAME.bpmn`."""
    path = name if isinstance(name, Path) else ROOT / "tests" / "diagrams" / f"{name}.bpmn"
    return diagram.read(path.read_bytes())


def variant(name: str | Path = LKJPD, *edits: tuple[str, str], **renamed: str) -> ProcessDefinition:
    """Another version of a diagram: texts replaced, each of them there, and ids renamed wherever they stand."""
    path = name if isinstance(name, Path) else ROOT / "tests" / "diagrams" / f"{name}.bpmn"
    text = path.read_text()
    for before, now in edits:
        assert before in text, before
        text = text.replace(before, now)
    for before, now in renamed.items():
        text = re.sub(rf'(?<=[">]){before}(?=["<:])', now, text)
    return diagram.reread(text.encode())


def rules_of(*definitions: ProcessDefinition, calendars: tuple[Calendar, ...] = ()) -> Rules:
    """Rules that know these definitions, both national calendars, and any others."""
    known = {one.sha256: one for one in definitions}
    weeks = {one.sha256: one for one in (five_days(), six_days(), *calendars)}
    return Rules(known.__getitem__, weeks.__getitem__)


@cache
def rules(name: str | Path = LKJPD) -> Rules:
    return rules_of(definition(name))


def at(text: str) -> datetime:
    """`2026-12-14 08.00` in WIB, as the instant in UTC."""
    return datetime.strptime(text, "%Y-%m-%d %H.%M").replace(tzinfo=WIB).astimezone(UTC)


MONDAY = at("2026-11-23 08.00")  # an ordinary week: no holiday before December


def somebody(person: str, *lanes: str, **more: Any) -> Actor:
    return Actor(person=person, lanes=lanes, **{"capacity": "definitif", **more})


STAFF, OTHER_STAFF = somebody("staff-1", "staff"), somebody("staff-2", "staff")
HEAD = somebody("head-1", "head", "finance")
STRANGER = somebody("stranger")
ADMINISTRATOR = somebody("admin", administrator=True, capacity="administrator")
CLOCK = process.actor_of_the_clock()

CAMAT, SEKCAM = somebody("camat", "kepala_pd"), somebody("sekcam", "sekretaris_pd")
KETUA = somebody("sekcam", "sekretaris_pd", "tim_penyusun", "tim_penyusun:ketua")
TIM1 = somebody("tim1", "tim_penyusun", "tim_penyusun:sekretaris", capacity="tim")
TIM2 = somebody("tim2", "tim_penyusun", "tim_penyusun:anggota", capacity="tim")
INSPEKTORAT = somebody("inspektorat", "inspektorat")
PENERIMA = somebody("penerima", "pemulai")


@dataclass(frozen=True)
class Case:
    """An instance after some acts; each act gives the next Case. `then` compares all events of the newest."""

    rules: Rules
    definition: ProcessDefinition
    instance: ProcessInstance
    steps: tuple[Step, ...] = ()

    def when(self, act: Act, who: Actor = STAFF, when: datetime | None = None) -> Case:
        """The Case after the act, a minute after the one before where no time is given."""
        last = self.instance.last_at
        command = Command(
            id=str(len(self.steps) + 1),
            at=when or (last + timedelta(minutes=1) if last else MONDAY),
            actor=who,
            act=act,
        )
        step = process.decide(self.rules, self.instance, command)
        return replace(self, instance=process.evolve(self.instance, step), steps=(*self.steps, step))

    def refuses(self, act: Act, who: Actor = STAFF, when: datetime | None = None) -> Refused:
        """The refusal of the act: nothing else may come of it."""
        with pytest.raises(Refused) as found:
            self.when(act, who, when)
        return found.value

    def then(self, *events: Event) -> Case:
        assert self.events == events
        return self

    @property
    def events(self) -> tuple[Event, ...]:
        return self.steps[-1].events

    def of(self, kind: type) -> list[Any]:
        """The newest Step's events of one kind."""
        return [one for one in self.events if isinstance(one, kind)]

    @property
    def open(self) -> list[str]:
        """The elements of the open user tasks, in the order in which they were opened."""
        return [one.element for one in sorted(self.instance.user_tasks.values(), key=lambda task: task.number)]

    def task(self, element: str) -> UserTask:
        (found,) = [one for one in self.instance.user_tasks.values() if one.element == element]
        return found

    def timer(self, element: str) -> int:
        (found,) = [one.number for one in self.instance.timers.values() if one.element == element]
        return found

    # What most tests do on the way

    def knowing(self, *others: ProcessDefinition) -> Case:
        """The same, where these definitions are known too."""
        known = {one.sha256: one for one in others}
        both = Rules(lambda sha256: known.get(sha256) or self.rules.definition(sha256), self.rules.calendar)
        return replace(self, rules=both)

    def claimed(self, element: str, who: Actor = STAFF, when: datetime | None = None) -> Case:
        return self.when(ClaimUserTask(user_task=self.task(element).number), who, when)

    def completed(self, element: str, who: Actor = STAFF, when: datetime | None = None, **data: Any) -> Case:
        return self.when(CompleteUserTask(user_task=self.task(element).number, data=data), who, when)

    def fired(self, element: str, when: datetime | None = None) -> Case:
        number = self.timer(element)
        return self.when(FireTimer(timer=number), CLOCK, when or self.instance.timers[number].due_at)


def given(name: str | Path | ProcessDefinition, **data: Any) -> Case:
    """A diagram of `tests/diagrams`, or a definition, just started by STAFF on an ordinary Monday at 08.00."""
    one = name if isinstance(name, ProcessDefinition) else definition(name)
    return fresh(one).when(
        StartProcessInstance(key=one.key, definition=one.sha256, unit="unit", calendars={"": FIVE_DAYS}, data=data)
    )


def fresh(one: ProcessDefinition) -> Case:
    """Nothing yet: what there is before the start."""
    return Case(rules_of(one), one, ProcessInstance(id="one"))


def lkjpd_before(step: int, name: str = "01_disetujui_langsung.txt", nth: int = 1) -> Case:
    """The LKjPD as a story leaves it right before somebody completes a step (for the nth time)."""
    text = (LKJPD.parent / "stories" / name).read_text()
    return lkjpd_told(text, f"menyelesaikan langkah {step}", nth)


@cache
def lkjpd_told(text: str, until: str, nth: int) -> Case:
    lines = text.splitlines()
    places = [n for n, line in enumerate(lines) if until in line and not line.startswith(("maka", "#", " "))]
    told = story.run("\n".join(lines[: places[nth - 1]]), rules(), definition().sha256)
    return Case(rules(), definition(), told.instance, told.steps)


def file(name: str = "berkas.pdf") -> Attachment:
    """One file in a slot; its hash is the hash of its name."""
    return Attachment(files=(story.file_named(name),))
