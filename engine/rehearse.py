"""The verb of the rehearsal: a draft against the version in force, with the stories and calendars that belong to it."""
from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from . import diagram, rehearsal, story, walk
from .definition import DiagramError, ProcessDefinition
from .instance import CANCELLED, COMPLETED, Refused
from .rehearsal import Rehearsal
from .rules import Rules
from .store import definitions, instances, organisation, stories
from .store.stories import Kept

MOST_STORY_FILES = 500          # of the owners' folder, that are looked at
LARGEST_STORY = 200_000         # bytes
MOST_KEPT = 20                  # instances that are kept as stories of one process
LONGEST_NAME = 120


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
    texts = stories_in(folder, definition.key) | kept(db, known, definition.key)
    return rehearsal.whole(known, data, before=before, texts=texts,
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


def keep(db: Connection, id: str, *, name: str, person: str, at: datetime) -> Kept:
    """Keeps a finished instance as a story, on which every later draft of its process is tried.

    db  a connection in a write transaction.
    Raises Refused: unknown; wrong where it still runs, went through a migration, or the name is blank or taken.
    """
    found, name = instances.load(db, id), " ".join(name.split())
    if found is None:
        raise Refused("unknown", "Berkas proses ini tidak ada.")
    if found.status not in (COMPLETED, CANCELLED):
        raise Refused("wrong", "Hanya berkas proses yang sudah berakhir yang dapat disimpan sebagai cerita.")
    if found.migrations:
        raise Refused("wrong", "Berkas proses ini pernah dipindahkan versinya, sehingga ceritanya bukan tentang satu "
                               "versi. Pilih berkas lain.")
    known = stories.listed(db, found.key)
    if not name or len(name) > LONGEST_NAME:
        raise Refused("wrong", f"Beri cerita itu nama, paling panjang {LONGEST_NAME} huruf.")
    if any(one.name.casefold() == name.casefold() for one in known):
        raise Refused("wrong", f"Cerita bernama {name!r} sudah ada. Pilih nama lain.")
    if len(known) >= MOST_KEPT:
        raise Refused("wrong", f"Sudah ada {MOST_KEPT} cerita untuk proses ini. Hapus salah satu dahulu.")
    one = Kept(key=found.key, name=name, instance=id, person=person, kept_at=at)
    stories.keep(db, one)
    return one


def kept(db: Connection, known: Rules, key: str) -> dict[str, str]:
    """The texts of the kept stories of a process, by name; told from the journal, people by their ids."""
    found = {}
    for one in stories.listed(db, key):
        steps = [step for step, _ in instances.steps(db, one.instance)]
        if steps:
            found[one.name] = story.show(steps, known, title=one.name)
    return found


def process_of(text: str) -> str | None:
    """The key of the process that a story is about; None where it says none, or is no story."""
    try:
        return story.Reader(text, "").headings.get("Proses")
    except story.StoryError:
        heading = next((one for one in text.splitlines() if one.startswith("Proses: ")), None)
        return heading.removeprefix("Proses: ").strip() if heading else None
