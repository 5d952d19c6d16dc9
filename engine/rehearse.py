"""The verb of the rehearsal: a draft against the version in force, with the stories and calendars that belong to it."""
from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from . import diagram, rehearsal, story, walk
from .definition import DiagramError, ProcessDefinition
from .rehearsal import Rehearsal
from .rules import Rules
from .store import definitions, organisation

MOST_STORY_FILES = 500          # of the owners' folder, that are looked at
LARGEST_STORY = 200_000         # bytes


def draft(db: Connection, known: Rules, data: bytes, *, folder: Path, start: datetime, unit: str = "",
          against: str | None = None, seed: int = 1, walks: int = walk.MOST_WALKS) -> Rehearsal:
    """The rehearsal of a draft of this installation.

    folder   the owners' folder (`bpmn/`), whose stories of this process are told.
    unit     whose calendars count, each lane in that of who performs it there; "": five working days for all.
    against  key of the process that it is compared with; None: its own, where that was deployed.
    """
    try:
        definition = diagram.reread(data)
    except DiagramError:
        return rehearsal.whole(known, data, start=start)
    newest = definitions.newest(db, against or definition.key)
    before = definitions.export(db, newest.key, newest.version) if newest else None
    return rehearsal.whole(known, data, before=before, texts=stories_in(folder, definition.key),
                           calendars=calendars_of(db, definition, unit), start=start, seed=seed, walks=walks)


def calendars_of(db: Connection, definition: ProcessDefinition, unit: str) -> dict[str, str]:
    """Lane id -> SHA-256 of the calendar of who performs it for this unit, "" -> the unit's; {} where it has none."""
    own = definitions.calendar_of(db, unit) if unit else None
    if own is None:
        return {}
    found = {"": own}
    for lane in definition.lanes:
        performer = organisation.unit_of_lane(db, definition.key, lane.id, unit)
        found[lane.id] = (definitions.calendar_of(db, performer) if performer else None) or own
    return found


def stories_in(folder: Path, key: str) -> dict[str, str]:
    """The stories of a process in the owners' folder, by file name."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("stories/*.txt"))[:MOST_STORY_FILES]:
        if path.stat().st_size > LARGEST_STORY:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if process_of(text) == key:
            found[path.name] = text
    return found


def process_of(text: str) -> str | None:
    """The key of the process that a story is about; None where it says none, or is no story."""
    try:
        return story.Reader(text, "").headings.get("Proses")
    except story.StoryError:
        heading = next((one for one in text.splitlines() if one.startswith("Proses: ")), None)
        return heading.removeprefix("Proses: ").strip() if heading else None
