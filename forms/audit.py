"""Audit: a process instance played again on the diagram that really ran, and where it departed from its SOP.

What is shown was decided anew from the journal while the page was made: a page that plays is a proof, and one that
cannot says at which row. For auditors of the unit, whose looks are recorded, and for the head of the process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection

from engine import audit as verb
from engine import conformance, forecast
from engine.calendars import CalendarError
from engine.conformance import Departure
from engine.definition import Field
from engine.forecast import Forecast, ForecastError
from engine.instance import COMPLETED, RUNNING, SUSPENDED, ProcessInstance
from engine.playback import CORRECTION, INCIDENT, LATE, MIGRATION, RETURN, SUSPENSION, Moment
from engine.store import access, definitions, queries

from . import departures, words
from .processes import Sight, leave_trace, look, served
from .session import Visitor, me, office

audit = Blueprint("audit", __name__)

LISTED_MOST = 60  # instances whose journals one page reads
MARKS = {
    RETURN: words.RETURNED,
    LATE: words.LATE,
    CORRECTION: words.Mark("✎", _l("Dikoreksi"), "due-soon"),
    MIGRATION: words.Mark("⇄", _l("Versi berganti"), "working"),
    INCIDENT: words.Mark("!", _l("Gangguan"), "late"),
    SUSPENSION: words.Mark("‖", _l("Ditangguhkan atau dilanjutkan"), "due-soon"),
}


def audits(visitor: Visitor) -> bool:
    """Whether somebody has the place Audit: auditors, and heads of a process for their own unit."""
    return bool(visitor.auditor_of or visitor.leads)


def seen(db: Connection, id: UUID | str) -> Sight:
    """An instance that the visitor may audit; a 404 for any other, also for an administrator: they see no contents."""
    sight = look(db, id)
    visitor, instance = me(), sight.instance
    if not ("" in visitor.auditor_of or instance.unit in visitor.auditor_of
            or (instance.key, instance.unit) in visitor.leads):
        abort(404)
    return sight


@dataclass(frozen=True)
class Playing:
    """An instance played again for this visitor, up to its newest row or to the first that differs."""

    sight: Sight
    played: verb.Played

    @property
    def moments(self) -> tuple[Moment, ...]:
        return self.played.moments

    @cached_property
    def sentences(self) -> Mapping[int, list[str]]:
        """Journal row -> what it says, for people."""
        sight = self.sight
        found: dict[int, list[str]] = {}
        steps = [one.step for one in self.moments]
        if steps:
            first = self.moments[0].definition
            for one in words.history(steps, first, sight.zone, sight.names, office().rules.definition):
                found.setdefault(one.sequence, []).append(one.text)
        return found

    def sentences_of(self, moment: Moment) -> list[str]:
        return self.sentences.get(moment.sequence) or [_("Tidak ada yang berubah bagi pelaksana.")]

    def at(self, sequence: int) -> Moment:
        return self.moments[min(max(sequence, 1), len(self.moments)) - 1]


def playing(sight: Sight) -> Playing:
    return Playing(sight, verb.played(sight.db, office().rules, sight.instance.id))


def marks(moment: Moment) -> list[words.Mark]:
    return [MARKS[one] for one in moment.marks]


# What is listed


@audit.get("/audit")
def listed() -> Any:
    """The instances that the visitor may audit, with how often each departed from its SOP."""
    visitor, now = me(), office().now()
    if not audits(visitor):
        abort(404)
    unit, year, state, kind = (request.args.get(name, "") for name in ("unit", "tahun", "keadaan", "penyimpangan"))
    with office().database.read() as db:
        heads = {(one.key, one.unit) for one in served(db, now)} & visitor.leads
        found = queries.instances(db, visitor.id, heads, visitor.auditor_of, "" in visitor.auditor_of)
        mine = [one for one in found if "" in visitor.auditor_of or one.unit in visitor.auditor_of
                or (one.key, one.unit) in visitor.leads]
        shown = [one for one in mine if (not unit or one.unit == unit) and (not year or str(one.year) == year)
                 and (not state or one.status == state)]
        known = {key: verb.beside(db, key) for key in {one.key for one in shown[:LISTED_MOST]}}
        rows: list[tuple[queries.Summary, list[tuple[str, int]] | None]] = []
        for one in shown[:LISTED_MOST]:
            played = verb.played(db, office().rules, one.id)
            told = verb.departures(office().rules, one.id, played, known[one.key], now)
            if played.different:
                rows.append((one, None))  # shown whatever was asked for: it is what an auditor came to find
            elif not kind or any(d.kind == kind for d in told):
                rows.append((one, counted(told)))
    return render_template(
        "audit/list.html",
        rows=rows,
        cut=len(shown) > LISTED_MOST,
        units=sorted({(one.unit, one.unit_name) for one in mine}, key=lambda pair: pair[1]),
        years=sorted({one.year for one in mine if one.year}, reverse=True),
        states=[(RUNNING, _("Berjalan")), (SUSPENDED, _("Ditangguhkan")), (COMPLETED, _("Selesai"))],
        kinds=[(one, departures.name(one)) for one in conformance.KINDS if one not in conformance.INFORMATION],
        chosen={"unit": unit, "tahun": year, "keadaan": state, "penyimpangan": kind},
        any=bool(mine),
    )


def counted(told: Sequence[Departure]) -> list[tuple[str, int]]:
    """(name of a kind, how often), of what is a departure."""
    found: dict[str, int] = {}
    for one in told:
        if not one.information:
            found[one.kind] = found.get(one.kind, 0) + 1
    return [(departures.name(kind), count) for kind, count in found.items()]


# One instance


@audit.get("/audit/<uuid:id>")
def player(id: UUID) -> Any:
    """An instance played again; `saat` in the address is the journal row that is shown."""
    with office().database.read() as db:
        sight = seen(db, id)
        it = playing(sight)
        told = verb.departures(office().rules, sight.instance.id, it.played, verb.beside(db, sight.instance.key),
                               sight.now)
        moment = it.at(request.args.get("saat", len(it.moments), int)) if it.moments else None
        page = render_template(
            "audit/player.html",
            it=it,
            sight=sight,
            moment=moment,
            panel=panel(it, moment) if moment else None,
            marks=marks,
            departures=[(one, departures.name(one.kind), said(sight, one)) for one in told if not one.information],
            information=[(one, departures.name(one.kind), said(sight, one)) for one in told if one.information],
            took_part=took_part(sight),
        )
    leave_trace(sight, access.ProcessInstanceRead(instance=sight.instance.id, sequence=sight.instance.sequence))
    return page


def said(sight: Sight, one: Departure) -> str:
    return departures.sentence(one, sight.definition, sight.zone, sight.names, lambda sha256: version(sight, sha256))


def version(sight: Sight, sha256: str) -> str:
    found = definitions.of_bytes(sight.db, sha256)
    return _("versi %(n)s", n=found.version) if found else _("versi %(hash)s", hash=sha256[:12])


def took_part(sight: Sight) -> bool:
    """Whether who audits had a hand in it: their own passes, or those of their office."""
    visitor = me()
    return any(one.person == visitor.id for one in sight.instance.passed.values())


@audit.get("/audit/<uuid:id>/saat/<int:sequence>")
def moment_page(id: UUID, sequence: int) -> Any:
    """What stands beside the diagram at one moment: a part of a page for the player, the whole page for a reader."""
    if request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate":
        return redirect(url_for("audit.player", id=id, saat=sequence))
    with office().database.read() as db:
        it = playing(seen(db, id))
        if not it.moments:
            abort(404)
        return render_template("audit/_moment.html", sight=it.sight, panel=panel(it, it.at(sequence)))


@audit.get("/audit/<uuid:id>/putar.json")
def moments(id: UUID) -> dict[str, Any]:
    """Every moment, for the player: where it stood and which flows were taken.

    {"moments": [{"n", "at", "text", "marks": [{"look", "shape", "word"}], "diagram", "active", "late", "returned",
    "done": [ids], "moves": [flow ids]}]}
    """
    with office().database.read() as db:
        it = playing(seen(db, id))
        return {"moments": [drawn(it, one) for one in it.moments]}


def drawn(it: Playing, moment: Moment) -> dict[str, Any]:
    sight, after = it.sight, moment.after
    at = moment.command.at
    late = {one.element for one in after.user_tasks.values() if one.late_at and one.late_at < at}
    back = {one.element for one in after.user_tasks.values() if one.round > 1} - late
    active = {one.element for one in after.user_tasks.values()} - late - back
    return {
        "n": moment.sequence,
        "at": words.full(at, sight.zone),
        "text": " ".join(it.sentences_of(moment)),
        "marks": [{"look": one.look, "shape": one.shape, "word": str(one.word)} for one in marks(moment)],
        "diagram": url_for("audit.diagram", id=sight.instance.id, sha256=after.definition),
        "active": sorted(active),
        "late": sorted(late),
        "returned": sorted(back),
        "done": sorted(set(after.passed) - late - back - active),
        "moves": [flow for _token, flow, _element in moment.moves],
    }


@audit.get("/audit/<uuid:id>/diagram/<sha256>")
def diagram(id: UUID, sha256: str) -> Response:
    """The stored bytes of a diagram that this instance ran at some moment."""
    with office().database.read() as db:
        it = playing(seen(db, id))
        found = definitions.of_bytes(db, sha256) if sha256 in {one.after.definition for one in it.moments} else None
        data = definitions.export(db, found.key, found.version) if found else None
    if data is None:
        abort(404)
    return Response(data, mimetype="application/xml")


# One moment


def panel(it: Playing, moment: Moment) -> dict[str, Any]:
    """What the page says of one moment."""
    sight, after, actor = it.sight, moment.after, moment.command.actor
    definition = office().rules.definition(after.definition)
    return {
        "moment": moment,
        "last": len(it.moments),
        "sentences": it.sentences_of(moment),
        "who": sight.names(actor.person),
        "capacity": words.position(actor.capacity, sight.names(actor.position)) if actor.position else "",
        "behalf": sight.names(actor.on_behalf_of) if actor.on_behalf_of else "",
        "stated": getattr(moment.command.act, "done_at", None),
        "entered": [(one.label, value(it, one.field, one.before), value(it, one.field, one.after))
                    for one in moment.entered],
        "attached": [(words.document_name(definition, type), version, words.attachment_words(given))
                     for type, version, given in moment.attached],
        "open": [open_task(it, after, number) for number in sorted(after.user_tasks)],
        "version": version(sight, after.definition),
        "calendar": sorted({office().rules.calendar(one).name for one in after.calendars.values()}),
        "forecast": foreseen(after, moment.command.at),
        "marks": marks(moment),
    }


def value(it: Playing, id: str, stored: Any) -> str:
    """A value as it was entered, in words; of a table its rows, one a line."""
    found: Field | None = next(
        (one.definition.fields[id] for one in reversed(it.moments) if id in one.definition.fields), None)
    if stored is None or found is None:
        return "–" if stored is None else words.str_of(stored)
    if found.type == "table" and isinstance(stored, list):
        return "\n".join(" · ".join(words.cell_words(c.type, c.choices, row.get(c.id), it.sight.names)
                                    for c in found.columns if row.get(c.id) not in (None, "")) for row in stored)
    return words.value_words(found, stored, it.sight.names)


def open_task(it: Playing, after: ProcessInstance, number: int) -> dict[str, Any]:
    task, definition = after.user_tasks[number], office().rules.definition(after.definition)
    element, lane = definition.elements[task.element], definition.lane(task.lane)
    return {"number": element.number, "name": element.name, "lane": lane.name if lane else task.lane,
            "owner": it.sight.names(task.owner) if task.owner else "", "late_at": task.late_at,
            "round": task.round}


def foreseen(after: ProcessInstance, at: datetime) -> Forecast | None:
    """The forecast as it stood then, with the standard durations; None where there was nothing to foresee."""
    if after.status not in (RUNNING, SUSPENDED):
        return None
    try:
        return forecast.of_instance(office().rules, after, at)
    except (ForecastError, CalendarError):
        return None
