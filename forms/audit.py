"""Audit: a process instance played again on the diagram that really ran, and where it departed from its SOP.

What is shown was decided anew from the journal while the page was made: a page that plays is a proof, and one that
cannot says at which row. For auditors of the unit, whose looks are recorded, and for the head of the process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection

from engine import audit as verb
from engine import conformance, forecast
from engine.calendars import CalendarError
from engine.commands import Actor
from engine.conformance import Departure
from engine.forecast import Forecast, ForecastError
from engine.instance import COMPLETED, RUNNING, SUSPENDED, ProcessInstance
from engine.organisation import local_date
from engine.playback import CORRECTION, INCIDENT, LATE, MIGRATION, RETURN, SUSPENSION, Moment
from engine.store import access, definitions, organisation, queries
from engine.store.database import Unavailable

from . import departures, evidence, lke, words
from .processes import Sight, auditor, leave_trace, look, served
from .session import Visitor, me, office, tell

audit = Blueprint("audit", __name__)

# One file of evidence is made at a time in a process: each reads a whole journal, and may be large.
making = Lock()

PATIENCE_SECONDS = 10.0  # that a second file of evidence waits for the first
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
    return bool(visitor.scopes or visitor.leads)


def leave_trace_of(page: str) -> None:
    """Who looks as an auditor at a page across process instances stands in the stream `access`, once for each day and
    page: that they looked is worth a row, each click is not. The head of a process looks at their own office."""
    visitor, now = me(), office().now()
    if not visitor.scopes:
        return
    id = access.daily(visitor.id, local_date(now, visitor.zone), page)
    with office().database.read() as db:
        if access.recorded(db, id):
            return
    with office().database.begin() as db:
        access.record(db, office().database.key, access.OverviewRead(page=page), across(visitor), now, id)


def leave_trace_in(sight: Sight, whole: bool = False) -> None:
    """Who opens an instance as an auditor stands in the stream `access`: every opening of its page (`whole`), and that
    they read parts of it by their own addresses once a day, where no page was opened that day."""
    act = access.ProcessInstanceRead(instance=sight.instance.id, sequence=sight.instance.sequence)
    id = access.daily(me().id, local_date(sight.now, me().zone), f"audit/{sight.instance.id}")
    with office().database.read() as db:
        known = access.recorded(db, id)
    if whole or not known:
        leave_trace(sight, act, None if known else id)


def across(visitor: Visitor) -> Actor:
    """The visitor as who audits more than one instance, on the basis of every surat tugas that lets them today."""
    numbers = dict.fromkeys(one.number for one in visitor.scopes if one.number)
    return Actor(person=visitor.id, capacity="auditor", basis=", ".join(numbers) or None)


def seen(db: Connection, id: UUID | str) -> Sight:
    """An instance that the visitor may audit; a 404 for any other, also for an administrator: they see no contents."""
    sight = look(db, id)
    visitor, instance = me(), sight.instance
    if not (visitor.audit(instance.unit, instance.year, instance.started_at)
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
        return evidence.sentences(self.moments, self.sight.zone, self.sight.names, office().rules.definition)

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
        there = queries.kinds(db, heads, visitor.scopes)
        units, years = {(one, name) for one, name, _year in there}, {one for *_unit, one in there if one}
        wanted: dict[str, str | int] = {"unit": unit} if unit else {}
        if year:
            wanted["year"] = next((one for one in years if str(one) == year), -1)
        if state:
            wanted["status"] = state
        # What a filter asks for and nobody offered is among none of them.
        offered = (not unit or unit in dict(units)) and state in ("", RUNNING, SUSPENDED, COMPLETED)
        found = queries.instances(db, "", heads, visitor.scopes, only=wanted) if offered else []
        shown = [one for one in found if visitor.audit(one.unit, one.year, one.started_at)
                 or (one.key, one.unit) in visitor.leads]
        tasks = [(one, [place.name for id in one.units if (place := organisation.unit_of(db, id))])
                 for one in organisation.assignments(db, visitor.id)
                 if one.number in {scope.number for scope in visitor.scopes}]
        known = {key: verb.beside(db, key) for key in {one.key for one in shown[:LISTED_MOST]}}
        rows: list[tuple[queries.Summary, list[tuple[str, int]] | None]] = []
        for one in shown[:LISTED_MOST]:
            played = verb.played(db, office().rules, one.id)
            told = verb.departures(office().rules, one.id, played, known[one.key], now)
            if played.different:
                rows.append((one, None))  # shown whatever was asked for: it is what an auditor came to find
            elif not kind or any(d.kind == kind for d in told):
                rows.append((one, counted(told)))
    leave_trace_of("audit")
    return render_template(
        "audit/list.html",
        rows=rows,
        cut=len(shown) > LISTED_MOST,
        units=sorted(units, key=lambda pair: pair[1]),
        years=sorted(years, reverse=True),
        states=[(RUNNING, _("Berjalan")), (SUSPENDED, _("Ditangguhkan")), (COMPLETED, _("Selesai"))],
        kinds=[(one, departures.name(one)) for one in conformance.KINDS if one not in conformance.INFORMATION],
        chosen={"unit": unit, "tahun": year, "keadaan": state, "penyimpangan": kind},
        any=bool(there),
        assignments=[(one, units, words.short_day(date.fromisoformat(one.valid_until))) for one, units in tasks],
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
            took_part=took_part(it),
            offices=[sight.names(one) for one in evidence.offices(it.moments)],
        )
    leave_trace_in(sight, whole=True)
    return page


def said(sight: Sight, one: Departure) -> str:
    return departures.sentence(one, sight.definition, sight.zone, sight.names, lambda sha256: version(sight, sha256))


def version(sight: Sight, sha256: str) -> str:
    found = definitions.of_bytes(sight.db, sha256)
    return _("versi %(n)s", n=found.version) if found else _("versi %(hash)s", hash=sha256[:12])


def took_part(it: Playing) -> str:
    """"sendiri" where who audits had a hand in it themselves, "kantor" where their office had; else ""."""
    if any(one.command.actor.person == me().id for one in it.moments):
        return "sendiri"
    with_them = {place.id for one in me().positions if (place := queries.unit_of_position(it.sight.db, one.position))}
    return "kantor" if with_them & set(evidence.offices(it.moments)) else ""


@audit.get("/audit/<uuid:id>/saat/<int:sequence>")
def moment_page(id: UUID, sequence: int) -> Any:
    """What stands beside the diagram at one moment: a part of a page for the player, the whole page for a reader."""
    if request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate":
        return redirect(url_for("audit.player", id=id, saat=sequence))
    with office().database.read() as db:
        it = playing(seen(db, id))
        if not it.moments:
            abort(404)
        part = render_template("audit/_moment.html", sight=it.sight, panel=panel(it, it.at(sequence)))
    leave_trace_in(it.sight)
    return part


@audit.get("/audit/<uuid:id>/putar.json")
def moments(id: UUID) -> dict[str, Any]:
    """Every moment, for the player: where it stood and which flows were taken.

    {"moments": [{"n", "at", "text", "marks": [{"look", "shape", "word"}], "diagram", "active", "late", "returned",
    "done": [ids], "moves": [flow ids]}]}
    """
    with office().database.read() as db:
        it = playing(seen(db, id))
        told = [drawn(it, one) for one in it.moments]
    leave_trace_in(it.sight)
    return {"moments": told}


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


# What is taken home


def handed_out(id: UUID, allowed: Callable[[Connection, UUID], Sight],
               write: Callable[[evidence.Evidence, Path], object], form: str, file_name: str, named: bool,
               back: str) -> Any:
    """A file of evidence of an instance. Who took what, up to which row, stands in the stream `access`, whoever they
    are, before they have it.

    allowed  gives the instance to who may take it, and a 404 to everybody else
    write    puts it into a file
    back     the page that says why there is none now
    """
    with office().database.read() as db:
        allowed(db, id)                 # who may not have it waits for nobody, and nobody for them
    if not making.acquire(timeout=PATIENCE_SECONDS):
        tell(_("Bukti lain sedang disiapkan. Tunggu sebentar, lalu unduh lagi."), "error")
        return redirect(back)
    with ExitStack() as done:
        done.callback(making.release)
        folder = done.enter_context(TemporaryDirectory(prefix="alur-", ignore_cleanup_errors=True))
        file = Path(folder) / "bukti"
        with office().database.snapshot() as db:
            sight = allowed(db, id)
            it = evidence.of(db, office().rules, sight.instance.id, sight.now, office().settings.url)
            assert it is not None, "what is seen is there"
            try:
                write(it, file)
            except Unavailable as error:
                if error.code != "unsigned":
                    raise
                tell(_("Belum semua catatan berkas ini dicakup titik periksa yang ditandatangani. Tunggu satu menit, "
                       "lalu unduh lagi."), "error")
                return redirect(back)
        sha256 = evidence.fingerprint(file)
        answer = send_file(file.open("rb"), mimetype=evidence.MEDIA_TYPES[file_name.rpartition(".")[2]],
                           as_attachment=True, download_name=file_name)
    act = access.EvidenceTaken(instance=sight.instance.id, form=form, sequence=it.sequence, sha256=sha256, named=named)
    actor = sight.actor if sight.lanes else auditor(sight.instance)
    with office().database.begin() as db:
        access.record(db, office().database.key, act, actor, office().now())
    return answer


@audit.get("/audit/<uuid:id>/bukti.<any(pdf, xes, jsonocel, csv, zip):form>")
def taken(id: UUID, form: str) -> Any:
    """Evidence of an instance as a file; `nama` in the address writes people by their names."""
    named = request.args.get("nama") == "1"

    def write(it: evidence.Evidence, file: Path) -> None:
        if form == "zip":
            evidence.pack(it, office().settings.documents_dir, file)
        else:
            file.write_bytes(evidence.written(it, form, named))

    return handed_out(id, seen, write, form, f"bukti-{id}.{form}", named or form in ("pdf", "zip"),
                      url_for("audit.player", id=id))


@audit.app_template_global()
def for_lke(sight: Sight) -> bool:
    """Whether the visitor may take what the LKE asks for from an instance: who may open all of its documents."""
    return sight.reads and lke.has(sight.definition)


def seen_for_lke(db: Connection, id: UUID) -> Sight:
    sight = look(db, id)
    if not for_lke(sight):
        abort(404)
    return sight


@audit.get("/proses/<uuid:id>/bukti-lke.zip")
def lke_bundle(id: UUID) -> Any:
    """What the LKE of AKIP asks for, from one instance: for who may open all of those documents."""
    return handed_out(id, seen_for_lke, lambda it, file: lke.written(it, office().settings.documents_dir, file), "lke",
                      f"bukti-lke-{id}.zip", True, url_for("processes.page", id=id))


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
        "entered": [(one.label, *(evidence.value_words(it.moments, sight.names, one.field, stored)
                                  for stored in (one.before, one.after))) for one in moment.entered],
        "attached": [(words.document_name(definition, type), version, words.attachment_words(given))
                     for type, version, given in moment.attached],
        "open": [open_task(it, after, number) for number in sorted(after.user_tasks)],
        "version": version(sight, after.definition),
        "calendar": sorted({office().rules.calendar(one).title for one in after.calendars.values()}),
        "forecast": foreseen(after, moment.command.at),
        "marks": marks(moment),
    }


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
