"""What the tests of the heart share: the real diagrams, rules over them, and given / when / then in sentences.

`Rules` is the product's own, over values in memory: nothing here is a stand-in.
"""
from __future__ import annotations

from functools import cache
from pathlib import Path

from engine import diagram
from engine.calendars import Calendar, five_days, six_days
from engine.definition import ProcessDefinition
from engine.rules import Rules

ROOT = Path(__file__).parent.parent
LKJPD = ROOT / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn"
STORIES = tuple(sorted((LKJPD.parent / "stories").glob("*.txt")))
DIAGRAMS = tuple(sorted((ROOT / "tests" / "diagrams").glob("*.bpmn")))


@cache
def definition(path: Path = LKJPD) -> ProcessDefinition:
    """The diagram of a file, as the product reads it."""
    return diagram.read(path.read_bytes())


def rules_of(*definitions: ProcessDefinition, calendars: tuple[Calendar, ...] = ()) -> Rules:
    """Rules that know these definitions, both national calendars, and any others."""
    known = {one.sha256: one for one in definitions}
    weeks = {one.sha256: one for one in (five_days(), six_days(), *calendars)}
    return Rules(known.__getitem__, weeks.__getitem__)


@cache
def rules(path: Path = LKJPD) -> Rules:
    return rules_of(definition(path))
