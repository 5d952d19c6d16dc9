"""Periksa, as an owner reads it: findings, what changed, stories, random walks, the forecast, the running instances.

`engine.rehearsal` does it; here it is given what it needs, remembered for a while, and put into words.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import Connection

from engine import diagram, migrate, rehearsal, rehearse, walk
from engine.definition import DiagramError, Finding, ProcessDefinition
from engine.instance import Refused
from engine.organisation import local_date
from engine.rehearsal import Difference, Rehearsal, StoryResult
from engine.store import definitions, organisation

from . import comparing, words
from .comparing import Compared
from .session import office
from .words import Mark

MOST_KEPT = 12  # rehearsals that a process remembers
MOST_NAMED = 60  # running instances that are named one by one
MOST_STORY_BYTES = 200_000

ERROR_MARK = Mark("■", _l("Kesalahan"), "late")
WARNING_MARK = Mark("▲", _l("Perhatian"), "due-soon")
FATES: Mapping[str, Mark] = {
    migrate.MOVES: Mark("✓", _l("Dapat dipindahkan begitu saja"), "on-time"),
    migrate.MAPPING: Mark("▲", _l("Perlu dipilihkan padanan langkahnya"), "due-soon"),
    migrate.STAYS: Mark("■", _l("Tetap pada versinya"), "done"),
    migrate.THERE: Mark("✓", _l("Sudah memakai isi ini"), "done"),
}

_kept: OrderedDict[tuple[str, ...], Rehearsal] = OrderedDict()
_working = Lock()  # one at a time: it takes a processor for some seconds


@dataclass(frozen=True, kw_only=True)
class Remark:
    """A finding with what it is about."""

    mark: Mark
    what: str
    message: str
    element: str  # to show on the canvas; "" of none
    path: tuple[str, ...] = ()  # how a walk came there


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What would become of some running instances."""

    mark: Mark
    text: str
    lines: tuple[tuple[str, str], ...]  # (title, why)


@dataclass(frozen=True, kw_only=True)
class Finish:
    """A line of the forecasts."""

    returns: int
    before: str
    after: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the page Periksa shows of a draft."""

    definition: ProcessDefinition | None  # None where the bytes hold no process
    remarks: tuple[Remark, ...]
    errors: int
    compared: Compared | None  # None where there is no version to compare with
    stories: tuple[StoryResult, ...]
    walked: walk.Walked | None
    stuck: tuple[Remark, ...]
    forecasts: tuple[Finish, ...]
    untried: tuple[str, ...]

    @property
    def failed(self) -> tuple[StoryResult, ...]:
        """The stories that no longer run."""
        return tuple(one for one in self.stories if not one.ok)

    @property
    def noticed(self) -> int:
        """How many things somebody should look at, errors aside."""
        return len(self.remarks) - self.errors + len(self.stuck) + len(self.failed)

    @property
    def unchanged(self) -> bool:
        return self.compared is not None and not self.compared.listed

    @property
    def cosmetic(self) -> bool:
        return self.compared is not None and not self.compared.listed.groups


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a check needs to know of the unit: read at once, so that no connection waits for the rehearsal."""

    calendars: Mapping[str, str]  # lane id -> SHA-256, "" the unit's own; {}: five working days
    zone: str
    kept: Mapping[str, str]  # finished instances that are kept as stories: name -> text


def given(db: Connection, data: bytes, unit: str) -> Given:
    """unit  whose calendars count, each lane in that of whoever performs it; "" of none."""
    known = organisation.unit_of(db, unit) if unit else None
    own = definitions.calendar_of(db, unit) if unit else None
    calendars: dict[str, str] = {"": own} if own else {}
    try:
        definition = diagram.reread(data)
    except DiagramError:
        definition = None
    for lane in definition.lanes if definition and own else ():
        performer = organisation.unit_of_lane(db, definition.key, lane.id, unit) if definition else None
        calendars[lane.id] = (definitions.calendar_of(db, performer) if performer else None) or own or ""
    kept = rehearse.kept(db, office().rules, definition.key) if definition else {}
    return Given(calendars=calendars, zone=known.zone if known else definitions.ZONE, kept=kept)


def checked(data: bytes, old: bytes | None, about: Given, now: datetime) -> Checked:
    """Everything about a draft but the running instances.

    old  the bytes of the version to compare with, None where there is none.
    """
    try:
        definition = diagram.reread(data)
    except DiagramError:
        definition = None
    found = _rehearsed(data, old, about, now, definition.key if definition else "")
    return Checked(
        definition=definition,
        remarks=remarks(found.findings, definition),
        errors=found.errors,
        compared=comparing.compared(old, data) if old is not None and definition else None,
        stories=found.stories,
        walked=found.walked,
        stuck=tuple(of_walk(found.walked, definition)) if found.walked and definition else (),
        forecasts=tuple(finish(one, about.zone) for one in found.differences),
        untried=(*found.untried, *(found.walked.untried if found.walked else ())),
    )


def _rehearsed(data: bytes, old: bytes | None, about: Given, now: datetime, key: str) -> Rehearsal:
    """The rehearsal of these bytes on this day; remembered, for a page that is looked at again and again."""
    day, counted = local_date(now, about.zone), sorted(about.calendars.items())
    texts = stories_of(key) | dict(about.kept)
    told = _hash("\0".join(f"{one}\0{texts[one]}" for one in sorted(texts)).encode())
    name = (_hash(data), _hash(old or b""), told, day.isoformat(), *(f"{lane} {one}" for lane, one in counted))
    with _working:
        if name not in _kept:
            _kept[name] = rehearsal.whole(
                office().rules, data, before=old, texts=texts, calendars=about.calendars, start=now
            )
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
        _kept.move_to_end(name)
        return _kept[name]


def _hash(data: bytes) -> str:
    return sha256(data).hexdigest()


def stories_of(key: str) -> dict[str, str]:
    """The stories that lie beside the diagram of this process in the owners' folder, by file name."""
    found: dict[str, str] = {}
    for file in sorted(office().settings.diagrams.rglob("*.bpmn")):
        folder: Path = file.parent / "stories"
        if not folder.is_dir() or not key:
            continue
        try:
            same = diagram.reread(file.read_bytes()).key == key
        except (DiagramError, OSError):
            continue
        for one in sorted(folder.glob("*.txt")) if same else ():
            if one.stat().st_size <= MOST_STORY_BYTES:
                found[one.name] = one.read_text(encoding="utf-8", errors="replace")
    return found


# In words


def remarks(findings: Iterable[Finding], definition: ProcessDefinition | None) -> tuple[Remark, ...]:
    """Findings, errors first, each with the name of its element."""
    return tuple(
        Remark(
            mark=ERROR_MARK if one.severity == "error" else WARNING_MARK,
            what=name_of(definition, one.element),
            message=one.message,
            element=one.element or "",
        )
        for one in sorted(findings, key=lambda one: (one.severity != "error", one.line))
    )


def name_of(definition: ProcessDefinition | None, id: str | None) -> str:
    """An element, a lane or a flow as an owner knows it."""
    if definition is None or not id:
        return id or ""
    element, lane, flow = definition.elements.get(id), definition.lane(id), definition.flows.get(id)
    if element:
        name = " ".join(element.name.split()) or id
        return f"{element.number} · {name}" if element.number else name
    if lane:
        return lane.name or id
    if flow:
        ends = {"source": name_of(definition, flow.source), "target": name_of(definition, flow.target)}
        return str(_("Panah dari %(source)s ke %(target)s", **ends))
    return definition.name if id == definition.key else id


def of_walk(walked: walk.Walked, definition: ProcessDefinition) -> Iterable[Remark]:
    """What the random walks found, the worst first."""
    stuck = Mark("■", _l("Jalan buntu"), "late")
    incident = Mark("■", _l("Kejanggalan"), "late")
    for mark, ends in ((stuck, walked.dead_ends), (incident, walked.incidents)):
        for one in ends:
            yield Remark(
                mark=mark,
                what=name_of(definition, one.element),
                message=one.message,
                element=one.element,
                path=tuple(leg.said for leg in one.path),
            )
    for id in walked.never_reached:
        yield Remark(
            mark=Mark("▲", _l("Tidak pernah dicapai"), "due-soon"),
            what=name_of(definition, id),
            message=walk.never_reached_words(definition, id),
            element=id,
        )


def finish(one: Difference, zone: str) -> Finish:
    """What the draft does to the finish date of a run with so many returns."""
    before = words.full(one.before, zone) if one.before else ""
    after = words.full(one.after, zone) if one.after else ""
    notes = [one.problem] if one.problem else []
    if one.before and one.after and one.before != one.after:
        notes.append(str(_("lebih lama") if one.after > one.before else _("lebih cepat")))
    if one.late_after:
        notes.append(_("%(n)s hari kerja sesudah batas kerja", n=one.late_after))
    return Finish(returns=one.returns, before=before, after=after, note="; ".join(notes))


# The running instances


def fates(db: Connection, definition: ProcessDefinition) -> tuple[Fate, ...]:
    """What would become of the running instances if they were brought to this definition, the worst first."""
    told_at, to = office().told_at, definition.sha256
    at = told_at() if told_at else None
    try:
        found = migrate.rehearse(db, office().rules, definition.key, to, supposed=definition, at=at)
    except Refused:
        return ()
    told = []
    for outcome in (migrate.STAYS, migrate.MAPPING, migrate.MOVES, migrate.THERE):
        those = [one for one in found if one.outcome == outcome]
        if those:
            count = ngettext("%(num)s berkas proses", "%(num)s berkas proses", len(those))
            lines = tuple((one.title, one.reason) for one in those[:MOST_NAMED])
            told.append(Fate(mark=FATES[outcome], text=str(count), lines=lines))
    return tuple(told)
