"""Two versions of a diagram beside each other: what changed, as an owner reads an SOP, and as marks on the canvas.

It starts from the list that `engine.changes` makes (and that is stored with every version), so that the page, the
canvas and the record say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from engine import changes, diagram
from engine.definition import Element, ProcessDefinition

from .words import Mark

NEW = Mark("+", _l("Ditambahkan"), "added")
GONE = Mark("−", _l("Dihapus"), "removed")
OTHER = Mark("≠", _l("Diubah"), "changed")
ELSEWHERE = Mark("↕", _l("Dipindah"), "changed")
DRAWN = Mark("↔", _l("Hanya gambar"), "drawn")
# On the canvas, the weightiest first: one mark an element.
WEIGHTS = ("added", "removed", "changed", "moved")
OF_A_PART = frozenset({"timer", "field", "slot", "choice", "column"})  # comes and goes inside an element


@dataclass(frozen=True, kw_only=True)
class Said:
    """One change as a line of the list."""

    element: str  # to point at on the canvas
    mark: Mark
    text: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """The changes of one part of the SOP."""

    title: str
    lines: tuple[Said, ...]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """All that changed: what means something, by parts of the SOP, and what is only drawn otherwise."""

    groups: tuple[Group, ...]
    drawn: tuple[Said, ...]

    @property
    def count(self) -> int:
        return sum(len(one.lines) for one in self.groups)

    def __bool__(self) -> bool:
        return bool(self.groups or self.drawn)


def as_json(found: Iterable[changes.Change]) -> tuple[Mapping[str, Any], ...]:
    return tuple(changes.to_json(one) for one in found)


def listed(
    found: Iterable[Mapping[str, Any]], old: ProcessDefinition | None = None, new: ProcessDefinition | None = None
) -> Listed:
    """Changes as they are stored (`changes.to_json`), grouped in the order of the SOP.

    old, new  what they lie between, for the names of the steps; where one is unknown its own are grouped as the rest.
    """
    groups: dict[tuple[int, int, str], list[Said]] = {}
    drawn = []
    for one in found:
        line = Said(element=str(one["element"]), mark=mark(one), text=str(one["says"]))
        if one["cosmetic"]:
            drawn.append(line)
        else:
            groups.setdefault(_group(one, old, new), []).append(line)
    told = tuple(Group(title=title, lines=tuple(lines)) for (*_place, title), lines in sorted(groups.items()))
    return Listed(groups=told, drawn=tuple(drawn))


def mark(change: Mapping[str, Any]) -> Mark:
    """What became of it: added, removed, changed, moved; or only drawn otherwise."""
    if change["cosmetic"]:
        return DRAWN
    match str(change["property"]).rpartition(".")[2]:
        case changes.ADDED:
            return NEW
        case changes.REMOVED:
            return GONE
        case changes.MOVED | "lane":
            return ELSEWHERE
    return OTHER


def _group(
    change: Mapping[str, Any], old: ProcessDefinition | None, new: ProcessDefinition | None
) -> tuple[int, int, str]:
    """Where a change stands in the list: (part of the SOP, place in it, title)."""
    id, kind = str(change["element"]), str(change["kind"])
    if kind in ("process", "deadline"):
        return 0, 0, _("Proses dan identitas SOP")
    if kind == "lane":
        return 1, 0, _("Pelaksana")
    for definition in (new, old):
        if definition is None:
            continue
        if definition.lane(id):
            return 1, 0, _("Pelaksana")
        host = hosted(definition, id)
        if host and host.kind == "userTask":
            place = definition.user_tasks.index(host)
            return 2, place, _("Langkah %(n)s · %(name)s", n=host.number or place + 1, name=host.name or host.id)
        if host:
            return 3, 0, _("Awal, akhir, dan percabangan")
    if kind == "sequenceFlow":
        return 4, 0, _("Panah")
    return 5, 0, _("Catatan dan selebihnya")


def hosted(definition: ProcessDefinition, id: str) -> Element | None:
    """The element of an id; of what is attached to another, that one."""
    one = definition.elements.get(id)
    seen = {id}
    while one and (host := one.attached_to) and host in definition.elements and host not in seen:
        seen.add(host)
        one = definition.elements[host]
    return one


def summary(found: Listed) -> str:
    """`4 perubahan dan 12 yang hanya gambar`, as one phrase."""
    if found.groups and found.drawn:
        return _("%(n)s perubahan, dan %(m)s yang hanya gambar", n=found.count, m=len(found.drawn))
    if found.groups:
        return _("%(n)s perubahan", n=found.count)
    if found.drawn:
        return _("hanya gambar: %(n)s perubahan tata letak", n=len(found.drawn))
    return _("tidak ada perubahan")


# The canvas


def canvas_marks(found: Iterable[Mapping[str, Any]]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """What to mark on the diagram before and on the one after: `id`, `status` (one of WEIGHTS), `word`, `label`."""
    found = tuple(found)
    was = {str(one["new"]): str(one["old"]) for one in found if one["property"] == changes.ID and one["new"]}
    before: dict[str, tuple[str, list[str]]] = {}
    after: dict[str, tuple[str, list[str]]] = {}
    for one in found:
        id, whole = str(one["element"]), one["kind"] not in OF_A_PART
        status = (
            "moved"
            if one["cosmetic"]
            else "added"
            if one["property"] == changes.ADDED and whole
            else "removed"
            if one["property"] == changes.REMOVED and whole
            else "changed"
        )
        if status != "added":
            _note(before, was.get(id, id) if status != "removed" else id, status, str(one["says"]))
        if status != "removed":
            _note(after, id, status, str(one["says"]))
    return _marks(before), _marks(after)


def _note(kept: dict[str, tuple[str, list[str]]], id: str, status: str, says: str) -> None:
    known, said = kept.get(id, (status, []))
    kept[id] = (min(known, status, key=WEIGHTS.index), [*said, says])


def _marks(kept: Mapping[str, tuple[str, list[str]]]) -> list[dict[str, str]]:
    words = {"added": _("baru"), "removed": _("dihapus"), "changed": _("berubah"), "moved": _("digeser")}
    return [
        {"id": id, "status": status, "word": str(words[status]), "label": " ".join(said)}
        for id, (status, said) in kept.items()
    ]


# Both at once


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What two diagrams differ in."""

    listed: Listed
    powers: tuple[str, ...]  # new rights of lanes, in sentences
    before: list[dict[str, str]]  # marks on the canvas
    after: list[dict[str, str]]


def compared(old: bytes, new: bytes) -> Compared:
    """Raises DiagramError when one of them holds no process."""
    first, second = diagram.reread(old), diagram.reread(new)
    told = as_json(changes.between(old, new))
    before, after = canvas_marks(told)
    return Compared(
        listed=listed(told, first, second),
        powers=tuple(changes.power_words(one) for one in changes.powers(first, second)),
        before=before,
        after=after,
    )
