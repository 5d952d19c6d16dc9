"""Every bound on what one command may do to a process instance, in one table. Counted, never timed (CONTRACTS.md 1).

The numbers stand where they are counted; this is where they are read together, by the tests (each bound is reached
through `decide`), by `alur doctor` and by whoever asks. Outside all of them stands the watchdog in seconds
(engine/watchdog.py). Passing one is either

- `incident`: the Step is IncidentRaised, the marking is as it was, what was typed is kept as that person's draft; or
- `refused`: whoever typed it can mend it, so that it is said to them, and nothing is recorded.

Multi-instance is not run at all, so that nothing multiplies by what somebody types: the gate refuses it by name, and
an element of another kind than execution.py runs has no specification. Rows of a table are its only repetition.
"""
from __future__ import annotations

from dataclasses import dataclass

from . import execution, expressions, process, requirements

INCIDENT, REFUSED = "incident", "refused"


@dataclass(frozen=True)
class Bound:
    name: str
    most: int
    of: str                                 # what is counted
    passing: str                            # incident | refused


BOUNDS = (
    Bound("steps", execution.MOST_STEPS, "engine steps after one command", INCIDENT),
    Bound("tokens", execution.MOST_TOKENS, "live tokens of an instance", INCIDENT),
    Bound("multi_instance", 0, "activities that are run once for each item", INCIDENT),
    Bound("fuel", expressions.FUEL, "steps of one expression", INCIDENT),
    Bound("fuel_together", process.FUEL_TOGETHER, "steps of all expressions of one command", INCIDENT),
    Bound("source", expressions.SOURCE_CHARACTERS_MAX, "characters of an expression", INCIDENT),
    Bound("nesting", expressions.NESTING_MAX, "brackets, and values, in one another in an expression", INCIDENT),
    Bound("text_made", expressions.STRING_CHARACTERS_MAX, "characters of a text that an expression makes", INCIDENT),
    Bound("list_made", expressions.LIST_ITEMS_MAX, "items of a list that an expression makes", INCIDENT),
    Bound("instance_bytes", process.MOST_INSTANCE_BYTES, "characters of an instance's data together", INCIDENT),
    Bound("command_bytes", process.MOST_DATA_BYTES, "characters of one command's values together", REFUSED),
    Bound("depth", process.MOST_DEPTH, "lists and mappings in one another, in a value", REFUSED),
    Bound("text", requirements.LONGEST_TEXT, "characters of one value", REFUSED),
    Bound("rows", requirements.MOST_ROWS, "rows of a table", REFUSED),
    Bound("files", process.MOST_FILES, "files of a document", REFUSED),
)
