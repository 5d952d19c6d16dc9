"""Pindahkan: what another version of an SOP would do to everything that runs, and bringing it there.

All running and suspended instances stand in one table before anybody is touched: moves by itself, needs a mapping,
stays, is there already. What an owner has chosen on the two diagrams stands in the address, and the table is rehearsed
again with it. Then the chosen ones go over, some with each request, on a page that can be left and opened again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid5

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import Connection

from engine import counterparts, diagram, handle, migrate
from engine.definition import DiagramError, ProcessDefinition
from engine.instance import SUSPENDED, Refused
from engine.migrate import MovedTask, Rehearsed
from engine.organisation import OWNER, VERIFIER, local_date
from engine.store import definitions, drafts, moves, organisation
from engine.store.definitions import Version
from engine.store.drafts import Draft

from . import words
from .processes import Names, the_key
from .session import me, office, tell
from .words import Mark

migration = Blueprint("migration", __name__, url_prefix="/perancang")

MAPPED = "peta."  # before the id of an element in the name of an input
MOST_MAPPED = 200  # counterparts that one address may name
SHORT = 12  # characters of the version that a ticked box says its instance ran

OUTCOMES: Mapping[str, Mark] = {
    migrate.MOVES: Mark("→", _l("Pindah dengan sendirinya"), "on-time"),
    migrate.MAPPING: Mark("▲", _l("Perlu pemetaan"), "due-soon"),
    migrate.STAYS: Mark("■", _l("Tetap pada versinya"), "late"),
    migrate.THERE: Mark("✓", _l("Sudah di sana"), "done"),
}
RESULTS: Mapping[str, Mark] = {
    migrate.MIGRATED: Mark("✓", _l("Dipindahkan"), "on-time"),
    migrate.UNDONE: Mark("↩", _l("Dikembalikan"), "on-time"),
    migrate.THERE: Mark("✓", _l("Sudah demikian"), "done"),
    migrate.REFUSED: Mark("■", _l("Ditolak"), "late"),
    migrate.FAILED: Mark("■", _l("Gagal"), "late"),
}


@migration.before_request
def only_designers() -> None:
    """For anybody else these pages do not exist."""
    if g.get("visitor") is None or not me().designs:
        abort(404)


# Who may


def owns(db: Connection, unit: str) -> bool:
    return me().administrator or organisation.has_power(db, me().id, OWNER, unit)


def may_migrate(db: Connection, key: str) -> bool:
    """Whether the visitor may bring instances of a process over: its owners, administrators."""
    home = definitions.home(db, key)
    return home is not None and owns(db, home)


def may_look(db: Connection, draft: Draft) -> bool:
    """Whether the visitor may see what a draft would do: its owners, and who judges it."""
    return owns(db, draft.unit) or judges(db, draft.unit)


def judges(db: Connection, unit: str) -> bool:
    over = organisation.ancestors(db, unit)
    return organisation.has_power(db, me().id, VERIFIER, unit) or bool(set(me().heads) & set(over))


# What is asked


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the address, or a posted form, says."""

    version: str
    outcome: str
    unit: str
    mapping: Mapping[str, str]

    @property
    def address(self) -> dict[str, str]:
        """The parts of an address that leads here again."""
        said = {"ke": self.version, "hasil": self.outcome, "unit": self.unit}
        said |= {f"{MAPPED}{id}": there for id, there in self.mapping.items()}
        return {name: value for name, value in said.items() if value}


def asked() -> Asked:
    values = request.values
    mapping = {
        name.removeprefix(MAPPED): values[name] for name in values if name.startswith(MAPPED) and values[name]
    }
    if len(mapping) > MOST_MAPPED:
        abort(400)
    outcome = values.get("hasil", "")
    return Asked(
        version=values.get("ke", ""),
        outcome=outcome if outcome in OUTCOMES else "",
        unit=values.get("unit", ""),
        mapping=mapping,
    )


def target_of(db: Connection, key: str, number: str) -> Version:
    """The version of a number; where none is said the one in force, else the newest."""
    known = definitions.versions(db, key)
    if not known:
        abort(404)
    if not number:
        return definitions.in_force(db, key, local_date(office().now(), me().zone)) or known[-1]
    return next((one for one in known if str(one.version) == number), None) or abort(404)


# What is shown


@dataclass(frozen=True, kw_only=True)
class Row:
    """What would become of an instance, in words."""

    found: Rehearsed
    unit: str
    version: str
    standing: str  # where it waits now
    mark: Mark
    lines: Sequence[str]

    @property
    def value(self) -> str:
        """What its box says: which instance, and what it ran when this was shown."""
        return f"{self.found.instance}.{self.found.definition[:SHORT]}"

    @property
    def suspended(self) -> bool:
        return self.found.status == SUSPENDED


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An element that an owner may give a counterpart, and what may be it."""

    id: str
    name: str
    options: Sequence[tuple[str, str]]  # id, name
    chosen: str
    needed: bool  # else it has one by itself, and may be given another


@dataclass(frozen=True, kw_only=True)
class Map:
    """What is to be mapped from one older version."""

    sha256: str
    version: str
    choices: Sequence[Choice]

    @property
    def needed(self) -> Sequence[Choice]:
        return [one for one in self.choices if one.needed]

    @property
    def optional(self) -> Sequence[Choice]:
        return [one for one in self.choices if not one.needed]


@dataclass(frozen=True, kw_only=True)
class Table:
    """All that runs of a process, rehearsed for one version or draft."""

    rows: Sequence[Row]  # those that the filter leaves
    counts: Mapping[str, int]  # of all, by outcome
    elsewhere: int  # instances of units that are not the visitor's
    units: Sequence[tuple[str, str]]
    maps: Sequence[Map]
    problem: str  # why the mapping was not used
    undoable: Sequence[Row]
    changed: int  # of those that move: how many somebody would notice

    def of(self, outcome: str) -> list[Row]:
        return [row for row in self.rows if row.found.outcome == outcome]

    @property
    def all(self) -> int:
        return sum(self.counts.values())


def table_of(
    db: Connection,
    key: str,
    definition: ProcessDefinition,
    wanted: Asked,
    seen: Callable[[str], bool],
    draft: bool = False,
) -> Table:
    """The table for a version, or a draft; with a mapping that makes no sense, the table without it and why."""
    problem, mapping, rules = "", wanted.mapping, office().rules
    supposed = definition if draft else None
    try:
        found = migrate.rehearse(
            db, rules, key, definition.sha256, mapping, supposed=supposed, at=office().now()
        )
    except Refused as refused:
        problem, mapping = refused.message, {}
        found = migrate.rehearse(db, rules, key, definition.sha256, supposed=supposed, at=office().now())
    units, names, numbers = {one.id: one for one in organisation.units(db)}, Names(db), numbers_of(db, key)
    theirs = {unit: seen(unit) for unit in {one.unit for one in found}}
    mine = [one for one in found if theirs[one.unit]]
    zones = {id: one.zone for id, one in units.items()}
    rows = [
        Row(
            found=one,
            unit=units[one.unit].name if one.unit in units else "",
            version=numbers.get(one.definition, ""),
            standing=", ".join(
                words.short_step(office().rules.definition(one.definition), element) for element in one.standing
            ),
            mark=OUTCOMES[one.outcome],
            lines=change_lines(one, definition, zones.get(one.unit, me().zone), names),
        )
        for one in mine
    ]
    shown = [
        row
        for row in rows
        if wanted.outcome in ("", row.found.outcome) and wanted.unit in ("", row.found.unit)
    ]
    return Table(
        rows=sorted(shown, key=lambda row: (ORDER.index(row.found.outcome), row.unit, row.found.title)),
        counts={outcome: Counter(one.outcome for one in mine)[outcome] for outcome in OUTCOMES},
        elsewhere=len(found) - len(mine),
        units=sorted({(row.found.unit, row.unit) for row in rows}, key=lambda one: one[1]),
        maps=maps_of(db, key, mine, definition, wanted.mapping, numbers),
        problem=problem,
        undoable=sorted(
            (row for row in rows if row.found.outcome == migrate.THERE and row.found.before),
            key=lambda row: (row.unit, row.found.title),
        ),
        changed=sum(one.changes for one in mine if one.outcome == migrate.MOVES),
    )


ORDER = (migrate.MAPPING, migrate.STAYS, migrate.MOVES, migrate.THERE)  # what needs somebody first


def numbers_of(db: Connection, key: str) -> dict[str, str]:
    """SHA-256 of a version -> its number; of bytes that were published again, the newer one."""
    return {one.sha256: str(one.version) for one in definitions.versions(db, key)}


def change_lines(one: Rehearsed, to: ProcessDefinition, zone: str, names: Names) -> list[str]:
    """What would be another for who works on it: step, lane, dates; nothing of one that does not move."""
    said: list[str] = []
    if one.outcome != migrate.MOVES:
        return said
    for task in one.tasks:
        said += task_lines(task, to, zone, names)
    if one.deadline_before != one.deadline_at:
        said.append(_("Tenggat: %(before)s → %(now)s", **both(one.deadline_before, one.deadline_at, zone)))
    return said


def task_lines(task: MovedTask, to: ProcessDefinition, zone: str, names: Names) -> list[str]:
    said = []
    if task.before != task.element and task.before_name != task.name:
        said.append(_("%(before)s → %(now)s", before=task.before_name, now=words.step_name(to, task.element)))
    elif task.before_name != task.name:
        said.append(_("Langkah kini bernama %(now)s", now=words.step_name(to, task.element)))
    if task.lane_before != task.lane:
        lane = to.lane(task.lane)
        said.append(_("Pelaksana kini %(now)s", now=lane.name if lane else task.lane))
        if task.owner:
            who = names(task.owner)
            said.append(_("Sedang dikerjakan %(who)s; pelaksana baru mengambilnya setelah dilepas", who=who))
    if task.late_before != task.late_at:
        said.append(_("Batas waktu: %(before)s → %(now)s", **both(task.late_before, task.late_at, zone)))
    return said


def both(before: datetime | None, now: datetime | None, zone: str) -> dict[str, str]:
    here = office().now()
    return {
        "before": words.near(before, here, zone) if before else _("tidak ada"),
        "now": words.near(now, here, zone) if now else _("tidak ada"),
    }


def maps_of(
    db: Connection,
    key: str,
    found: Iterable[Rehearsed],
    to: ProcessDefinition,
    given: Mapping[str, str],
    numbers: Mapping[str, str],
) -> list[Map]:
    """For each version that runs and where something may be mapped: what must be, and where its instances stand."""
    needed: dict[str, dict[str, None]] = {}
    standing: dict[str, dict[str, None]] = {}
    for one in found:
        if not one.definition or one.definition == to.sha256:
            continue
        old = office().rules.definition(one.definition)
        must = needed.setdefault(one.definition, {})
        for element, _message in one.needs:
            must |= dict.fromkeys(counterparts.asked(old, element))
        standing.setdefault(one.definition, {}).update(dict.fromkeys(task.before for task in one.tasks))
    maps = []
    for sha256, must in needed.items():
        old = office().rules.definition(sha256)
        chosen = {id for id in given if id in old.elements or id in old.flows}
        drawn = list(old.elements)
        here = sorted(standing[sha256], key=drawn.index)
        may = [id for id in (*here, *sorted(chosen)) if id not in must]
        choices = [
            choice_of(old, to, id, given.get(id, ""), id in must) for id in dict.fromkeys((*must, *may))
        ]
        if choices:
            maps.append(Map(sha256=sha256, version=numbers.get(sha256, ""), choices=choices))
    return sorted(maps, key=lambda one: (not one.needed, one.version))


def choice_of(old: ProcessDefinition, new: ProcessDefinition, id: str, chosen: str, needed: bool) -> Choice:
    return Choice(
        id=id,
        name=counterparts.named(old, id),
        options=[(there, counterparts.named(new, there)) for there in counterparts.candidates(old, new, id)],
        chosen=chosen,
        needed=needed or bool(chosen),
    )


def summary(db: Connection, key: str, definition: ProcessDefinition) -> migrate.Summary:
    """How many of what runs would move, need a mapping, stay, are there: for the page that checks a draft."""
    return migrate.summary(db, office().rules, key, definition, office().now())


# The pages


@migration.get("/sop/<key>/pindahkan")
def page(key: str) -> Any:
    """Everything that runs, rehearsed for a version."""
    return shown(key)


def shown(key: str, problem: str = "", place: str = "", status: int = 200) -> Any:
    wanted = asked()
    with office().database.read() as db:
        if not may_migrate(db, key):
            abort(404)
        version = target_of(db, key, wanted.version)
        today = local_date(office().now(), me().zone)
        force = definitions.in_force(db, key, today)
        table = table_of(db, key, office().rules.definition(version.sha256), wanted, lambda unit: owns(db, unit))
        known = definitions.versions(db, key)
        running = [(run, len(run.results), len(run.instances)) for run in moves.under_way(db, key)]
        numbers = numbers_of(db, key)
    return render_template(
        "perancang/migration.html",
        key=key,
        version=version,
        versions=list(reversed(known)),
        force=force,
        not_yet=version.holds_from > today.isoformat(),
        draft=None,
        table=table,
        wanted=wanted,
        outcomes=OUTCOMES,
        running=running,
        numbers=numbers,
        problem=problem,
        place=place,
        typed=request.form,
        ticked=set(request.form.getlist("pilih")) | set(request.form.getlist("balik")),
        to_src=url_for("migration.drawn", key=key, sha256=version.sha256),
    ), status


@migration.get("/rancangan/<id>/pindahkan")
def of_draft(id: str) -> Any:
    """Everything that runs, rehearsed for a draft: shown only."""
    wanted = asked()
    with office().database.read() as db:
        draft = drafts.get(db, id)
        if draft is None or not may_look(db, draft):
            abort(404)
        data = drafts.content(db, id) or b""
        names = Names(db)
        people = {draft.saved_by: names(draft.saved_by)}
        newest = definitions.newest(db, draft.key) if draft.key else None
        table, problem = None, ""
        try:
            definition = diagram.read(data)
        except DiagramError as error:
            first = next((one.message for one in error.findings if one.severity == "error"), "")
            problem = _("Rancangan ini masih mengandung kesalahan, sehingga akibatnya belum dapat diperlihatkan.")
            problem = f"{problem} {first}".strip()
        else:
            table = table_of(
                db, draft.key, definition, wanted, lambda unit: owns(db, unit) or judges(db, unit), draft=True
            )
    return render_template(
        "perancang/migration.html",
        key=draft.key,
        version=newest,
        draft=draft,
        people=people,
        table=table,
        wanted=wanted,
        outcomes=OUTCOMES,
        running=(),
        problem=problem,
        place="",
        typed={},
        ticked=set(),
        to_src=url_for("migration.draft_drawn", id=id),
    )


@migration.get("/sop/<key>/pindahkan/diagram/<sha256>.bpmn")
def drawn(key: str, sha256: str) -> Response:
    """The bytes of a version, for the diagrams on which a counterpart is chosen."""
    with office().database.read() as db:
        version = definitions.of_bytes(db, sha256)
        if version is None or version.key != key:
            abort(404)
        data = definitions.export(db, key, version.version)
    return Response(data, mimetype="application/xml", headers={"Cache-Control": "private, max-age=3600"})


@migration.get("/rancangan/<id>/pindahkan/diagram.bpmn")
def draft_drawn(id: str) -> Response:
    with office().database.read() as db:
        draft = drafts.get(db, id)
        data = drafts.content(db, id) if draft and may_look(db, draft) else None
    if data is None:
        abort(404)
    return Response(data, mimetype="application/xml")


# Doing it


@migration.post("/sop/<key>/pindahkan")
def apply(key: str) -> Any:
    """Begin to bring the chosen instances over; the next page does it."""
    return begun(key, undoing=False)


@migration.post("/sop/<key>/kembalikan")
def undo(key: str) -> Any:
    """Begin to give back what stood before."""
    return begun(key, undoing=True)


def begun(key: str, undoing: bool) -> Any:
    wanted, form = asked(), request.form
    boxes, reason = ("balik", "alasan_kembali") if undoing else ("pilih", "alasan")
    with office().database.read() as db:
        if not may_migrate(db, key):
            abort(404)
        version = target_of(db, key, wanted.version)
        table = table_of(db, key, office().rules.definition(version.sha256), wanted, lambda unit: owns(db, unit))
    rows = table.undoable if undoing else table.of(migrate.MOVES)
    if form.get("cara") == "semua":
        chosen = {row.found.instance: row.found.definition for row in rows}
    else:
        visible = {row.found.instance: row.found.definition for row in (*table.rows, *table.undoable)}
        chosen = as_ticked(form.getlist(boxes), visible)
    why = form.get(reason, "").strip()
    if table.problem and not undoing:
        return shown(key, table.problem, "pemetaan", 422)
    if not chosen:
        return shown(key, _("Belum ada berkas yang dipilih. Centang dahulu dalam tabel."), boxes, 422)
    if not why:
        return shown(key, _("Tuliskan alasannya."), reason, 422)
    told_at = office().told_at
    try:
        run = migrate.begin(
            office().database,
            key,
            chosen,
            version.sha256,
            {} if undoing else wanted.mapping,
            id=uuid5(handle.NAMESPACE, f"run {me().id} {the_key()}").hex,
            person=me().id,
            reason=why,
            undoing=undoing,
            at=told_at() if told_at else None,
        )
    except Refused as refused:
        return shown(key, refused.message, reason, 422)
    return redirect(url_for("migration.run", key=key, id=run.id), 303)


def as_ticked(boxes: Iterable[str], visible: Mapping[str, str]) -> dict[str, str]:
    """Instance -> the version that it ran when its box was drawn; of one that went elsewhere since, only its beginning,
    so that it is refused."""
    found = {}
    for box in boxes:
        id, _dot, version = box.partition(".")
        if id in visible:
            found[id] = visible[id] if visible[id].startswith(version) and len(version) == SHORT else version
    return found


@dataclass(frozen=True, kw_only=True)
class Told:
    """What became of one instance, in words."""

    title: str
    unit: str
    mark: Mark
    result: moves.Result


@migration.get("/sop/<key>/pindahkan/<id>")
def run(key: str, id: str) -> Any:
    """How far a run has come; opened again, it goes on."""
    return progress(key, id)


def progress(key: str, id: str, problem: str = "", status: int = 200) -> Any:
    with office().database.read() as db:
        found = run_of(db, key, id)
        titles = moves.titles(db, (one for one, _version in found.instances))
        units, names = {one.id: one.name for one in organisation.units(db)}, Names(db)
        told = [
            Told(
                title=titles.get(one.instance, (one.instance, ""))[0],
                unit=units.get(titles.get(one.instance, ("", ""))[1], ""),
                mark=RESULTS[one.outcome],
                result=one,
            )
            for one in found.results
        ]
        version = numbers_of(db, key).get(found.definition, "")
        who = names(found.person)
    counts = Counter(one.outcome for one in found.results)
    return render_template(
        "perancang/migration_run.html",
        key=key,
        run=found,
        told=told,
        version=version,
        who=who,
        counts=[(RESULTS[outcome], counts[outcome]) for outcome in RESULTS if counts[outcome]],
        good=sum(counts[outcome] for outcome in migrate.DONE),
        same=sum(one.replayed is True for one in found.results),
        differs=[one for one in told if one.result.replayed is False],
        problem=problem,
        together=migrate.TOGETHER,
    ), status


def run_of(db: Connection, key: str, id: str) -> moves.Run:
    """A run of a process whose every instance is the visitor's to bring over."""
    found = moves.get(db, id)
    if found is None or found.key != key or not may_migrate(db, key):
        abort(404)
    theirs = {unit for _title, unit in moves.titles(db, (one for one, _version in found.instances)).values()}
    if not all(owns(db, unit) for unit in theirs):
        abort(404)
    return found


@migration.post("/sop/<key>/pindahkan/<id>")
def go_on(key: str, id: str) -> Any:
    """Bring the next instances of a run over."""
    with office().database.read() as db:
        run_of(db, key, id)
    told_at = office().told_at
    try:
        after = migrate.go_on(
            office().database,
            office().rules,
            id,
            person=me().id,
            most=migrate.TOGETHER,
            at=told_at() if told_at else None,
        )
    except Refused as refused:
        return progress(key, id, refused.message, 422)
    if not after.left:
        good = sum(one.outcome in migrate.DONE for one in after.results)
        say = (
            ngettext("%(num)s berkas sudah dikembalikan.", "%(num)s berkas sudah dikembalikan.", good)
            if after.undoing
            else ngettext("%(num)s berkas sudah dipindahkan.", "%(num)s berkas sudah dipindahkan.", good)
        )
        bad = len(after.results) - good
        tell(
            say if not bad else f"{say} " + _("%(n)s tidak, dengan alasannya di bawah.", n=bad),
            "warning" if bad else "",
        )
    return redirect(url_for("migration.run", key=key, id=id), 303)
