"""The two forms of PermenPANRB 35/2012 about an SOP, filled in as far as the journal can: the half-yearly monitoring
form (Tabel 7) and the material for the yearly evaluation, as a page, a PDF and a spreadsheet.

The application counts; it does not judge. What only a person can say (the assessment, what must be done, the paraf) is
a dotted line, and the paper says which is which. For auditors of the unit, the head of the process, and who may record
the evaluation of the SOP; only who may open the instances behind a figure is given links to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import Connection

from engine import audit as verb
from engine import drafting, ratification
from engine import monitoring_forms as heart
from engine.conformance import Departure
from engine.definition import ProcessDefinition
from engine.forecast import norm_of
from engine.monitoring_forms import Evaluation, Figure, Line, Monitoring, Period
from engine.organisation import local_date
from engine.performance import Case, Tally
from engine.store import access, definitions, ledger, organisation, passes
from engine.store.ledger import Kept

from . import departures, verification, words
from .audit import PATIENCE_SECONDS, across, audits, leave_trace_of, making
from .papers import monitoring as paper
from .papers.monitoring import Cell, Sheet
from .processes import served
from .session import me, office, tell

monitoring_forms = Blueprint("monitoring_forms", __name__)

READ_MOST = 120  # instances whose journals one form reads
YEAR, FIRST, SECOND = "tahun", "1", "2"
PARTS = {FIRST: _l("Januari sampai Juni"), SECOND: _l("Juli sampai Desember"), YEAR: _l("Setahun (evaluasi)")}
MEDIA_TYPES = {"pdf": "application/pdf",
               "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
CRITERIA = {
    heart.IMPROVES: _l("Mampu mendorong peningkatan kinerja"),
    heart.UNDERSTOOD: _l("Mudah dipahami"),
    heart.FEASIBLE: _l("Mudah dilaksanakan"),
    heart.ROLES: _l("Semua orang dapat menjalankan perannya masing-masing"),
    heart.PROBLEMS: _l("Mampu mengatasi permasalahan yang berkaitan dengan proses"),
    heart.NEEDS: _l("Mampu menjawab kebutuhan peningkatan kinerja organisasi"),
    heart.SYNERGY: _l("Sinergi satu dengan lainnya"),
}
FIGURES = {
    "late": _l("Langkah selesai terlambat"),
    "late_before": _l("Langkah selesai terlambat, tahun sebelumnya"),
    "started": _l("Berkas dimulai"),
    "finished": _l("Berkas selesai"),
    "finished_before": _l("Berkas selesai, tahun sebelumnya"),
    "cancelled": _l("Berkas dibatalkan"),
    "sent_back": _l("Pengembalian untuk diperbaiki"),
    "again": _l("Langkah dikerjakan ulang"),
}
SEEN = {
    heart.NOT_PASSED: _l("Tidak dilalui pada masa ini"),
    heart.AS_DRAWN: _l("Seluruhnya menurut SOP"),
    heart.DEPARTED: _l("Ada yang tidak menurut SOP"),
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A process in a unit that the visitor may ask about."""

    key: str
    unit: str
    unit_name: str
    opens: bool  # whether they may open its instances


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the address asks for."""

    key: str
    unit: str
    year: int
    part: str

    def address(self, endpoint: str = "monitoring_forms.page", **more: Any) -> str:
        whole = {"proses": self.key, "unit": self.unit, "tahun": self.year, "masa": self.part, **more}
        return url_for(endpoint, **{name: value for name, value in whole.items() if value not in ("", None)})


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was found for a visitor who asked."""

    asked: Asked
    places: Sequence[Place]
    place: Place
    names: Mapping[str, str]  # process key -> its name
    definition: ProcessDefinition
    versions: Mapping[str, ProcessDefinition]  # by SHA-256: those that instances ran
    ran: Sequence[int]  # version numbers that instances of the form run
    number: str  # of the SOP, "" where none is known
    years: Sequence[int]
    cases: Sequence[Case]
    left_out: int  # older instances whose journals were not read
    unread: int  # instances with rows that the worker has not counted yet
    broken: int  # instances whose journal does not come out the same: counted as far as it does
    narrowed: bool  # by years of a surat tugas
    form: Monitoring
    evaluation: Evaluation | None
    kept: Kept | None  # the newest checkpoint

    def step(self, element: str) -> tuple[str, str, str]:
        """(number, name, performer) of a step, also of one that only an older version has."""
        for one in (self.definition, *self.versions.values()):
            if found := one.elements.get(element):
                lane = one.lane(found.lane or "")
                return found.number, found.name or element, lane.name if lane else ""
        return "", element, ""

    def norm(self, element: str) -> str:
        duration, unit = norm_of(self.definition, element) if element in self.definition.elements else (None, "")
        return words.length(duration, unit) if duration and not duration.startswith("=") else ""


# What is asked, of whom


def places(db: Connection) -> list[Place]:
    """Where the visitor may see these forms; a 404 for who may nowhere."""
    visitor, now = me(), office().now()
    heads = {(one.key, one.unit) for one in served(db, now)} & visitor.leads if audits(visitor) else set()
    mine = passes.Reach(scopes=visitor.scopes, pairs=frozenset(heads))
    audited = {(one.key, one.unit) for one in passes.places(db, mine)} if audits(visitor) else set()
    today = local_date(now, visitor.zone)
    evaluated: dict[str, str | None] = {}
    found: dict[tuple[str, str], Place] = {}
    if audits(visitor) or visitor.designs:
        for one in passes.places(db, passes.Reach(everything=True)):
            if one.key not in evaluated and visitor.designs:
                may = ratification.may_evaluate(db, visitor.id, one.key, today)[0]
                evaluated[one.key] = (drafting.home(db, one.key) or "") if may else None
            home = evaluated.get(one.key)
            opens = (one.key, one.unit) in audited
            if opens or (home is not None and home in ("", *organisation.ancestors(db, one.unit))):
                found[one.key, one.unit] = Place(key=one.key, unit=one.unit, unit_name=one.unit_name, opens=opens)
    if not found and not audits(visitor):
        abort(404)
    return list(found.values())


def look(db: Connection) -> Looked | None:
    """What the address asks for; None where there is nothing at all to look at."""
    known = places(db)
    if not known:
        return None
    args, visitor, now = request.args, me(), office().now()
    keys = list(dict.fromkeys(one.key for one in known))
    key = args.get("proses") or keys[0]
    of_key = sorted((one for one in known if one.key == key), key=lambda one: one.unit_name)
    unit = args.get("unit") or next((one.unit for one in of_key if one.unit == visitor.unit),
                                    of_key[0].unit if of_key else "")
    place = next((one for one in of_key if one.unit == unit), None)
    newest = definitions.newest(db, key)
    if place is None or newest is None:
        abort(404)
    reach, narrowed = passes.Reach(everything=True), False
    if place.opens:
        heads = {(one.key, one.unit) for one in served(db, now)} & visitor.leads
        reach = passes.Reach(scopes=visitor.scopes, pairs=frozenset(heads))
        narrowed = (key, unit) not in heads and all(
            one.years for one in visitor.scopes if one.unit in ("", unit))
    cases, left_out, unread = passes.cases(db, key, reach, unit)
    at = organisation.unit_of(db, unit)
    zone = at.zone if at else visitor.zone
    today = local_date(now, zone)
    years = heart.years(cases, zone) or [today.year]
    asked = Asked(key=key, unit=unit, year=year_of(args.get("tahun", ""), years, today),
                  part=args.get("masa", "") if args.get("masa") in PARTS else
                  (FIRST if today.month <= 6 else SECOND))
    period = (heart.whole(asked.year, zone) if asked.part == YEAR else
              heart.half(asked.year, int(asked.part), zone))
    wanted = [one for one in cases if touched(one, period) or (asked.part == YEAR and touched(one, period.before()))]
    read = wanted[:READ_MOST]
    told, broken = departures_of(db, key, read)
    rules = office().rules
    definition = rules.definition(newest.sha256)
    form = heart.monitoring(definition, read, told, period)
    ran = sorted({found.version for one in read if one.id in set(form.cases)
                  and (found := definitions.of_bytes(db, one.definition))})
    own = next((one.facts for one in organisation.units_that_may_start(db, key) if one.unit == unit), {})
    facts = definitions.unit_facts(newest, unit, own)
    return Looked(
        asked=asked,
        places=known,
        place=place,
        names={one.key: one.name for one in definitions.newest_of_all(db)},
        definition=definition,
        versions={one: rules.definition(one) for one in sorted({case.definition for case in read})},
        ran=ran,
        number=facts.get("sop.nomorSop") or newest.number or definition.properties.get("sop.nomorSop", ""),
        years=sorted({*years, asked.year, today.year}, reverse=True),
        cases=read,
        left_out=left_out + len(wanted) - len(read),
        unread=unread,
        broken=broken,
        narrowed=narrowed,
        form=form,
        evaluation=heart.evaluation(definition, read, told, period) if asked.part == YEAR else None,
        kept=ledger.newest(db),
    )


def year_of(text: str, years: Sequence[int], today: date) -> int:
    if text.isascii() and text.isdigit() and len(text) == 4 and 1945 <= int(text) <= 2200:
        return int(text)
    return today.year if today.year in years else years[0]


def touched(one: Case, period: Period) -> bool:
    """Whether an instance may have something to say of a period: it began before its end, and did not end before it."""
    assert one.started_at is not None, "an instance that is there was started"
    return (local_date(one.started_at, period.zone) <= period.ends
            and (one.ended_at is None or local_date(one.ended_at, period.zone) >= period.begins))


def departures_of(db: Connection, key: str, cases: Sequence[Case]) -> tuple[dict[str, Sequence[Departure]], int]:
    """(instance -> its departures as its journal gives them, how many journals did not come out the same)."""
    known, found, broken = verb.beside(db, key), dict[str, Sequence[Departure]](), 0
    for one in cases:
        played = verb.played(db, office().rules, one.id)
        broken += played.different is not None
        found[one.id] = verb.departures(office().rules, one.id, played, known, office().now())
    return found, broken


# The page


@monitoring_forms.get("/audit/monitoring-sop")
def page() -> Any:
    """One form: of a process in a unit, in half a year or a year."""
    with office().database.read() as db:
        it = look(db)
    leave_trace_of("audit/monitoring-sop")
    if it is None:
        return render_template("audit/monitoring.html", it=None)
    return render_template(
        "audit/monitoring.html",
        it=it,
        asked=it.asked,
        period=period_words(it),
        processes=[(key, it.names.get(key, key)) for key in dict.fromkeys(one.key for one in it.places)],
        units=[(one.unit, one.unit_name) for one in it.places if one.key == it.asked.key],
        parts=PARTS,
        rows=[row(it, one) for one in it.form.lines],
        whole=[(departures.name(kind), figure(it, tally, kind=kind)) for kind, tally in it.form.whole.items()],
        criteria=criteria(it),
        summary=summary(it),
        checkpoint=it.kept,
    )


@dataclass(frozen=True, kw_only=True)
class Said:
    """A number in words, and the page of the instances behind it ("": there are none, or they are not to be opened)."""

    text: str
    address: str = ""


def figure(it: Looked, tally: Tally, text: str = "", **where: str) -> Said:
    said = text or _("%(n)s kali", n=tally.count)
    opens = it.place.opens and tally.cases
    return Said(text=said, address=it.asked.address("monitoring_forms.behind", **where) if opens else "")


def row(it: Looked, one: Line) -> dict[str, Any]:
    """A line of the monitoring form, in words."""
    number, name, lane = it.step(one.element)
    return {"number": number, "name": name, "lane": lane, "seen": str(SEEN[one.seen]), "look": one.seen,
            "notes": notes(it, one)}


def notes(it: Looked, one: Line) -> list[Said]:
    """What the journal says of a step in the period."""
    id, norm = one.element, it.norm(one.element)
    if not one.passes.count and not one.departed and not one.overdue.count:
        return []
    told = []
    if one.passes.count:
        n, instances = one.passes.count, len(one.passes.cases)
        passed = ngettext("Selesai %(num)s kali", "Selesai %(num)s kali", n)
        of = ngettext("dalam %(num)s berkas", "dalam %(num)s berkas", instances)
        told.append(figure(it, one.passes, f"{passed} {of}", langkah=id, angka="dilalui"))
    if one.passes.count and not one.late.count:
        told.append(Said(text=_("Semua tepat waktu")))
    for tally, name, text in (
        (one.late, "terlambat", ngettext("%(num)s terlambat", "%(num)s terlambat", one.late.count)),
        (one.overdue, "lewat", ngettext("%(num)s belum selesai dan melewati batas waktu",
                                        "%(num)s belum selesai dan melewati batas waktu", one.overdue.count)),
        (one.sent_back, "mengembalikan", ngettext("%(num)s kali mengembalikan untuk diperbaiki",
                                                  "%(num)s kali mengembalikan untuk diperbaiki",
                                                  one.sent_back.count)),
        (one.again, "diulang", ngettext("%(num)s kali dikerjakan ulang", "%(num)s kali dikerjakan ulang",
                                        one.again.count)),
    ):
        if tally.count:
            told.append(figure(it, tally, text, langkah=id, angka=name))
    if one.working is not None:
        told.append(Said(text=_("Nilai tengah %(time)s, baku %(norm)s", time=words.working(one.working), norm=norm)
                         if norm else _("Nilai tengah %(time)s", time=words.working(one.working))))
    told += [figure(it, tally, f"{departures.name(kind)}: {tally.count}", langkah=id, angka=kind)
             for kind, tally in one.departed.items()]
    return told


def criteria(it: Looked) -> list[tuple[str, list[Said]]]:
    """(what is asked, what the journal has for it) of the yearly evaluation; [] of a monitoring form."""
    if it.evaluation is None:
        return []
    return [(str(CRITERIA[name]), [told_figure(it, name, one) for one in it.evaluation.figures[name]])
            for name in heart.CRITERIA]


def told_figure(it: Looked, criterion: str, one: Figure) -> Said:
    name = str(FIGURES[one.name]) if one.name in FIGURES else departures.name(one.name)
    number = _("%(n)s dari %(all)s", n=one.tally.count, all=one.of) if one.of is not None else str(one.tally.count)
    return figure(it, one.tally, f"{name}: {number}", kriteria=criterion, angka=one.name)


def period_words(it: Looked) -> str:
    period = it.form.period
    return _("%(begins)s sampai %(ends)s", begins=words.short_day(period.begins), ends=words.short_day(period.ends))


def summary(it: Looked) -> list[Said]:
    form = it.form
    return [
        figure(it, Tally(count=len(form.started), cases=form.started),
               _("%(n)s berkas dimulai", n=len(form.started)), angka="dimulai"),
        figure(it, Tally(count=len(form.finished), cases=form.finished),
               _("%(n)s selesai", n=len(form.finished)), angka="selesai"),
        figure(it, Tally(count=len(form.cancelled), cases=form.cancelled),
               _("%(n)s dibatalkan", n=len(form.cancelled)), angka="dibatalkan"),
        Said(text=_("%(n)s langkah selesai", n=form.passes)),
    ]


@monitoring_forms.get("/audit/monitoring-sop/berkas")
def behind() -> Any:
    """The instances behind one number; a 404 for who may not open them."""
    with office().database.read() as db:
        it = look(db)
    if it is None or not it.place.opens:
        abort(404)
    name, ids = named(it)
    wanted = set(ids)
    leave_trace_of("audit/monitoring-sop/berkas")
    return render_template(
        "audit/monitoring_behind.html", it=it, asked=it.asked, name=name, period=period_words(it),
        rows=[one for one in it.cases if one.id in wanted],
    )


def named(it: Looked) -> tuple[str, Sequence[str]]:
    """(what the number is, the ids behind it) of the number that the address names; a 404 where there is none."""
    args, number, form = request.args, request.args.get("angka", ""), it.form
    found: Mapping[str, tuple[str, Tally]] = {}
    if element := args.get("langkah"):
        line = next((one for one in form.lines if one.element == element), None)
        if line:
            n, name, _lane = it.step(element)
            step = f"{n} · {name}" if n else name
            found = {
                "dilalui": (_("%(step)s: yang melaluinya", step=step), line.passes),
                "terlambat": (_("%(step)s: terlambat", step=step), line.late),
                "lewat": (_("%(step)s: belum selesai dan melewati batas waktu", step=step), line.overdue),
                "mengembalikan": (_("%(step)s: mengembalikan", step=step), line.sent_back),
                "diulang": (_("%(step)s: dikerjakan ulang", step=step), line.again),
                **{kind: (f"{step}: {departures.name(kind)}", tally) for kind, tally in line.departed.items()},
            }
    elif criterion := args.get("kriteria"):
        figures = it.evaluation.figures.get(criterion, ()) if it.evaluation else ()
        found = {one.name: (str(FIGURES[one.name]) if one.name in FIGURES else departures.name(one.name), one.tally)
                 for one in figures}
    elif (kind := args.get("kind", "")) in form.whole:
        return departures.name(kind), form.whole[kind].cases
    else:
        found = {
            "dimulai": (_("Berkas dimulai"), Tally(count=0, cases=form.started)),
            "selesai": (_("Berkas selesai"), Tally(count=0, cases=form.finished)),
            "dibatalkan": (_("Berkas dibatalkan"), Tally(count=0, cases=form.cancelled)),
        }
    if number not in found:
        abort(404)
    return found[number][0], found[number][1].cases


# The paper


@monitoring_forms.get("/audit/monitoring-sop.<any(pdf, xlsx):form>")
def taken(form: str) -> Any:
    """The form as a file. Who took which, with the file's SHA-256, stands in the stream `access`."""
    if not making.acquire(timeout=PATIENCE_SECONDS):
        tell(_("Bukti lain sedang disiapkan. Tunggu sebentar, lalu unduh lagi."), "error")
        return redirect(f"{url_for('monitoring_forms.page')}?{request.query_string.decode('latin-1')}")
    try:
        with office().database.snapshot() as db:
            it = look(db)
        if it is None:
            abort(404)
        data = paper.written(sheet(it), form)
    finally:
        making.release()
    kind, period = "evaluasi" if it.evaluation else "pemantauan", it.form.period
    act = access.OverviewTaken(paper=kind, key=it.asked.key, unit=it.asked.unit, begins=period.begins.isoformat(),
                               ends=period.ends.isoformat(), form=form, sha256=sha256(data).hexdigest())
    with office().database.begin() as db:
        access.record(db, office().database.key, act, across(me()), office().now())
    name = f"{kind}-{it.asked.key}-{it.asked.unit}-{it.asked.year}-{it.asked.part}.{form}"
    return Response(data, mimetype=MEDIA_TYPES[form],
                    headers={"Content-Disposition": f'attachment; filename="{name}"'})


def sheet(it: Looked) -> Sheet:
    """What the paper says."""
    facts = [
        (_("Nama SOP"), it.definition.name),
        (_("Nomor SOP"), it.number or paper.DOTS),
        (_("Unit"), it.place.unit_name),
        (_("Masa"), period_words(it)),
        (_("Versi SOP yang dijalankan"), ", ".join(map(str, it.ran)) or "–"),
        (_("Berkas"), ", ".join(one.text for one in summary(it))),
    ]
    if it.evaluation:
        title, heads = _("Bahan Evaluasi Tahunan Penerapan SOP AP"), [
            _("No"), _("Yang dinilai"), _("Bahan dari catatan aplikasi"), _("Penilaian"), _("Catatan penilai")]
        nothing = [_("Tidak ada dalam catatan aplikasi.")]
        rows: list[list[str | list[str]]] = [
            [str(n), name, [one.text for one in told] or nothing, [_("☐ Ya"), _("☐ Tidak")], paper.DOTS]
            for n, (name, told) in enumerate(criteria(it), 1)]
        widths: tuple[float, ...] = (9, 62, 92, 30, 80)
    else:
        title, heads = _("Formulir Monitoring Pelaksanaan SOP AP"), [
            _("No"), _("Prosedur"), _("Penilaian terhadap penerapan"), _("Catatan hasil penilaian"),
            _("Tindakan yang harus diambil"), _("Paraf penilai")]
        rows = [[one["number"], [one["name"], f"({one['lane']})"] if one["lane"] else one["name"],
                 [_("☐ Berjalan dengan baik"), _("☐ Tidak berjalan dengan baik"),
                  _("Menurut catatan: %(seen)s", seen=one["seen"])],
                 [said.text for said in one["notes"]] or paper.DOTS, paper.DOTS, ""]
                for one in (row(it, line) for line in it.form.lines)]
        widths = (9, 62, 58, 72, 50, 22)
    return Sheet(
        title=title,
        basis=_("PermenPANRB 35 Tahun 2012, monitoring dan evaluasi penerapan SOP AP")
        + ("" if it.evaluation else _(" (Tabel 7)")),
        facts=facts,
        heads=heads,
        widths=widths,
        rows=[[Cell.of(one) for one in cells] for cells in rows],
        whole=[_("Tidak terikat pada satu langkah:"),
               *(f"{departures.name(kind)}: {tally.count}" for kind, tally in it.form.whole.items())]
        if it.form.whole else [],
        notes=limits(it),
        signature=[_("Metode: observasi / wawancara pelaksana / wawancara pengguna / diskusi / lainnya: %(dots)s",
                     dots=paper.DOTS), _("Penilai"), _("Nama"), _("Jabatan"), _("Tanggal"), _("Tanda tangan")],
        footer=[f"{title} · {it.definition.name} · {it.place.unit_name}", *verification.checkpoint_line(it.kept)],
        address=verification.checkpoint_address(it.kept, office().settings.url),
    )


def limits(it: Looked) -> list[str]:
    """What the paper says of itself: what was counted, and what was left to people."""
    said = [_("Diisi aplikasi: prosedur, \u201cMenurut catatan\u201d, dan angka-angka, dihitung dari catatan berkas "
              "proses. Diisi penilai: kotak penilaian, bagian bertitik-titik, tindakan, dan paraf. Aplikasi tidak "
              "menilai.")]
    if it.narrowed:
        said.append(_("Hanya berkas dengan tahun laporan menurut surat tugas yang dihitung."))
    if it.left_out:
        said.append(_("%(n)s berkas yang lebih lama tidak ikut dihitung.", n=it.left_out))
    if it.unread:
        said.append(_("%(n)s berkas punya catatan baru yang belum dihitung saat lembar ini dicetak.", n=it.unread))
    if it.broken:
        said.append(_("PERHATIAN: catatan %(n)s berkas tidak utuh; yang dihitung hanya sampai catatan yang terbukti.",
                      n=it.broken))
    return said
