"""Pengaturan, Kesehatan and Insiden: whether what must always hold does, how the server is, and what stopped where.

Administrators see the process, its unit and the step in the diagram, never what was typed or attached. From here they
try again, resolve with a reason, and let an instance be made again from its journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from engine import handle, invariants
from engine.commands import ResolveIncident
from engine.definition import Element, ProcessDefinition
from engine.events import IncidentRaised
from engine.instance import Refused
from engine.invariants import Health, Invariant
from engine.store import database as databases
from engine.store import documents, integrity
from engine.store.integrity import Found, Look, OpenIncident
from engine.walk import names_in

from . import words
from .admin import admin
from .processes import drawing, requested, the_key
from .session import me, office, tell

SHOWN_MOST = 100  # incidents, and findings of one invariant
WELL = words.Mark("●", _l("Baik"), "on-time")
WRONG = words.Mark("■", _l("Perlu tindakan"), "late")
UNKNOWN = words.Mark("○", _l("Belum diperiksa"), "ahead")
# Of each invariant: what is looked at, and what to do where it does not hold.
INVARIANTS: Mapping[str, tuple[Any, Any]] = {
    "readable": (
        _l("Keadaan setiap berkas proses dan diagramnya dapat dibaca"),
        _l("Buat ulang dari jurnal. Bila diagramnya yang hilang, pulihkan dahulu dari cadangan."),
    ),
    "steps": (
        _l("Langkah setiap berkas bernomor urut tanpa celah"),
        _l(
            "Jalankan alur verify. Jangan mengubah basis data; bandingkan dengan cadangan yang dipulihkan di tempat "
            "lain."
        ),
    ),
    "heads": (
        _l("Setiap berkas berada pada baris terakhir jurnalnya"),
        _l("Jalankan alur verify. Bila tidak ada temuan di sana, buat ulang berkas ini dari jurnal."),
    ),
    "values": (
        _l("Setiap nilai tercatat mempunyai baris jurnal"),
        _l("Jalankan alur verify. Jangan mengubah basis data: ada yang menulis tanpa lewat aplikasi."),
    ),
    "user_tasks": (_l("Kotak Tugas memuat tepat tugas yang terbuka"), _l("Buat ulang berkas ini dari jurnal.")),
    "timers": (
        _l("Setiap pengatur waktu yang berjalan tercatat tepat satu kali"),
        _l("Buat ulang berkas ini dari jurnal."),
    ),
    "incidents": (_l("Daftar insiden memuat tepat yang terbuka"), _l("Buat ulang berkas ini dari jurnal.")),
    "stalled": (
        _l("Setiap berkas yang berjalan menunggu seseorang atau sesuatu"),
        _l("Berkas ini mempunyai insiden sendiri. Koreksi atau pindahkan versinya, lalu selesaikan insidennya."),
    ),
    "documents": (
        _l("Setiap berkas lampiran tersimpan utuh"),
        _l("Pulihkan berkas itu dari cadangan ke folder dokumen. alur doctor menyebut yang hilang."),
    ),
    "log": (_l("Tempat dalam log tidak bercelah"), _l("Jalankan alur verify. Jangan mengubah basis data.")),
    "log_waiting": (
        _l("Baris jurnal mendapat tempat dalam log dan ditandatangani tepat waktu"),
        _l("Pastikan pekerja latar berjalan. Untuk baris yang ditolak, jalankan alur verify."),
    ),
    "seal": (
        _l("Jurnal disegel dengan kunci instalasi ini"),
        _l("Kembalikan berkas kunci instalasi ini, lalu jalankan alur verify."),
    ),
    "notices": (
        _l("Tidak ada surel yang lama menunggu"),
        _l("Pastikan pekerja latar berjalan dan server surel menjawab: alur mail-test ALAMAT."),
    ),
    "timers_due": (
        _l("Pengatur waktu berbunyi tepat pada waktunya"),
        _l("Pastikan pekerja latar berjalan. Yang terkena insiden menunggu insidennya ditangani."),
    ),
    "calendars": (
        _l("Setiap unit yang menjalankan proses mempunyai kalender kerja"),
        _l("Tetapkan kalendernya di Pengaturan, Kalender."),
    ),
}
# Of each kind of incident: what happened, and what to do.
KINDS: Mapping[str, tuple[Any, Any]] = {
    "condition": (
        _l("Syarat pada diagram tidak menghasilkan ya atau tidak."),
        _l("Lengkapi isian yang ditanyakan dengan koreksi, atau pindahkan berkas ke versi SOP yang diperbaiki."),
    ),
    "stuck": (
        _l("Dari tempat ini tidak ada jalan lanjut, atau batas langkah mesin terlampaui."),
        _l("Perbaiki diagram dan pindahkan berkas ke versi baru, atau koreksi isian yang menentukan arahnya."),
    ),
    "timer": (
        _l("Waktu pada diagram tidak dapat dihitung."),
        _l("Periksa kalender unit dan isian yang dipakai waktu itu. Bila diagramnya keliru, pindahkan ke versi baru."),
    ),
    "limit": (
        _l("Isian atau perhitungan berkas ini melampaui batas satu berkas."),
        _l("Pindahkan teks panjang ke berkas lampiran, atau sederhanakan rumus pada diagram dan pindahkan versinya."),
    ),
    "watchdog": (
        _l("Perhitungan tidak selesai dalam waktunya, atau pengatur waktu berulang kali gagal."),
        _l("Coba lagi. Bila terulang, perbaiki diagram dan pindahkan berkas ke versi baru."),
    ),
    "alarm": (
        _l("Berkas ini berjalan tanpa menunggu siapa pun atau apa pun."),
        _l("Buka langkah yang seharusnya berjalan dengan koreksi, atau pindahkan berkas ke versi SOP yang diperbaiki."),
    ),
}
OTHERWISE = (_l("Ada gangguan pada berkas ini."), _l("Periksa riwayatnya, lalu koreksi atau pindahkan versinya."))


# Kesehatan


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One invariant as the page shows it."""

    invariant: Invariant
    title: Any
    remedy: Any
    mark: words.Mark
    looked_at: datetime | None
    ended_at: datetime | None  # of the last whole round; None: none is over yet
    found: list[Found]


@admin.get("/kesehatan")
def health() -> str:
    """What must always hold, and how the server is."""
    now = office().now()
    with office().database.read() as db:
        looks, found = integrity.looks(db), integrity.findings(db)
        names = integrity.titles(db, [one.subject for one in found])
        server = invariants.health(db, office().database.dialect, office().settings.data_dir, now, worker_at())
        scanned = documents.scanning(db)
    checked = [judged(one, looks, some) for one, some in zip(
        invariants.INVARIANTS, invariants.invariants_of(found).values(), strict=True)]
    checked.sort(key=lambda one: not one.found)
    return render_template("admin/health.html", checked=checked, names=names,
                           facts=[*facts(server, now), scanner(scanned, now), breached_passwords()], most=SHOWN_MOST,
                           wrong=sum(bool(one.found) for one in checked), looked=bool(looks), zone=me().zone)


def judged(one: Invariant, looks: Mapping[str, Look], found: list[Found]) -> Checked:
    title, remedy = INVARIANTS[one.name]
    mine = [looks[slice] for slice in one.slices if slice in looks]
    ended = [look.ended_at for look in mine if look.ended_at]
    whole = len(ended) == len(one.slices)
    return Checked(invariant=one, title=title, remedy=remedy, mark=WRONG if found else WELL if whole else UNKNOWN,
                   looked_at=max((look.looked_at for look in mine), default=None),
                   ended_at=min(ended) if whole else None, found=found)


def worker_at() -> datetime | None:
    """When a worker of this installation went round last."""
    try:
        return datetime.fromtimestamp(Path(office().settings.data_dir, "worker.alive").stat().st_mtime, UTC)
    except OSError:
        return None


def facts(server: Health, now: datetime) -> list[tuple[str, str, bool]]:
    """(what, how it is, whether it is well) of the server."""
    def at(when: datetime | None, never: str) -> str:
        return words.near(when, now, me().zone) if when else never

    mails = _("%(waiting)s menunggu, %(failed)s gagal", waiting=server.mails_waiting, failed=server.mails_given_up)
    signed = at(server.signed_at, _("belum ada"))
    return [
        (_("Pekerja latar terakhir berkeliling"), at(server.worker_at, _("belum pernah")), server.worker_alive),
        (_("Insiden terbuka"), str(server.open_incidents), not server.open_incidents),
        (_("Titik periksa terakhir"), _("%(at)s, atas %(size)s baris", at=signed, size=server.signed_size)
         if server.signed_at else _("belum pernah ada sejak lebih dari sehari: jalankan pekerja latar (alur worker), "
                                    "atau alur checkpoint now") if server.never_signed else signed,
         not server.never_signed and (server.signed_at is not None or not server.log_size)),
        (_("Baris yang menunggu tempat dalam log"), str(server.log_waiting), True),
        (_("Cadangan terakhir"), at(server.backup_at, _("belum diketahui")), server.backup_at is not None
         and now - server.backup_at < invariants.OLD_BACKUP),
        (_("Ruang kosong"), words.size(server.free_bytes), server.free_bytes >= invariants.LEAST_FREE_BYTES),
        (_("Basis data"), _("%(kind)s, revisi %(revision)s", kind={"sqlite": "SQLite", "postgresql": "PostgreSQL"}[
            server.database], revision=server.revision or "?"), True),
        (_("Surel"), mails, not server.mails_given_up),
        (_("Pengatur waktu berikutnya"), at(server.next_timer_at, _("tidak ada yang berjalan")), True),
    ]


def scanner(left: documents.Waiting, now: datetime) -> tuple[str, str, bool]:
    """How far the virus scanner is; not well where a file waits for it for more than an hour, or it could not say."""
    said = _("tidak dipasang") if not office().settings.clamd else ngettext(
        "%(num)s berkas menunggu", "%(num)s berkas menunggu", left.waiting)
    held = ngettext("%(num)s dikarantina", "%(num)s dikarantina", left.quarantined)
    late = left.since is not None and now - left.since > timedelta(hours=1)
    return _("Pemeriksa virus"), f"{said}, {held}", not left.trouble and not late


def breached_passwords() -> tuple[str, str, bool]:
    """Whether the passwords that were stolen elsewhere are known; not well where their file can be read no more."""
    breached, name = office().settings.breached, _("Daftar kata sandi bocor")
    if breached is None:
        return name, _("tidak dipasang"), True
    try:
        breached.check()
    except databases.Unavailable:
        return name, _("tidak dapat dibaca; kata sandi baru diterima tanpa dicocokkan dengannya"), False
    return name, _("terpasang"), True


@admin.post("/kesehatan/periksa")
def look_again() -> Any:
    """Look at everything once, now."""
    settings = office().settings
    looked = invariants.look(office().database, office().rules, settings.documents_dir, told_at(), whole=True)
    if looked.found:
        tell(_("Pemeriksaan selesai: %(n)s hal ditemukan.", n=len(looked.found)), "error")
    else:
        tell(_("Pemeriksaan selesai: tidak ada temuan."))
    return redirect(url_for("admin.health"), 303)


@admin.post("/kesehatan/berkas/<uuid:id>/perbaikan")
def repair(id: UUID) -> Any:
    """Make an instance again from its journal."""
    try:
        invariants.repair(office().database, office().rules, str(id), the_key(), me().id, reason(), told_at())
    except Refused as refused:
        tell(refused.message, "error")
    else:
        tell(_("Berkas proses dibuat ulang dari jurnalnya. Tindakan ini tercatat dalam riwayatnya."))
    return redirect(url_for("admin.health"), 303)


def reason() -> str:
    """The reason that the form gives, bounded; NUL and half characters stand in no journal."""
    text: str = request.form.get("alasan", "").strip()[:2_000]
    return "".join(c for c in text if c in "\n\t" or (c.isprintable() and not "\ud800" <= c <= "\udfff"))


def told_at() -> datetime | None:
    """The page's clock, on a demonstration or in a test."""
    clock = office().told_at
    return clock() if clock else None


# Insiden


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An open incident as the list shows it."""

    one: OpenIncident
    place: str  # the step in the diagram, in words; "" where it is none
    lane: str
    cause: Any
    remedy: Any
    what_again: str  # what trying again does
    standing: tuple[str, ...]  # where the instance stands, for an incident without a place
    command: str  # what repairs it on the server, but for the reason and the values


@admin.get("/insiden")
def incidents() -> str:
    """Every open incident: where, since when, why, and what to do."""
    with office().database.read() as db:
        found = integrity.open_incidents(db, SHOWN_MOST + 1)
        findings = [one for one in integrity.findings(db) if one.invariant == "readable"]
        names = integrity.titles(db, [one.subject for one in findings])
        parked = [(one, *names.get(one.subject, ("", ""))) for one in findings[:SHOWN_MOST]]
    return render_template("admin/incidents.html", shown=[shown(one) for one in found[:SHOWN_MOST]], parked=parked,
                           cut=len(found) > SHOWN_MOST, zone=me().zone)


def shown(one: OpenIncident) -> Shown:
    definition = drawing(one.definition)
    element = definition.elements.get(one.element or "") if definition else None
    host = definition.elements.get(element.attached_to) if definition and element and element.attached_to else element
    lane = definition.lane(host.lane) if definition and host and host.lane else None
    place = ""
    if host is not None:
        place = in_words(host)
        if element is not host and element is not None:
            place = _("Pengatur waktu pada %(step)s", step=place)
    elif definition and definition.deadline and one.element == definition.deadline.id:
        place = _("Tenggat proses")
    cause, remedy = KINDS.get(one.kind, OTHERWISE)
    again = (_("Pengatur waktu langsung dibunyikan lagi.") if one.timer
             else _("Pelaksana menyelesaikan langkahnya lagi; isiannya tersimpan sebagai draf.") if one.user_task
             else _("Berkas dibiarkan berjalan; bila masih terhenti, insiden baru muncul dalam satu menit."))
    elements = definition.elements if definition else {}
    standing = tuple(in_words(elements[id]) for id in one.standing if id in elements)
    return Shown(one=one, place=place, lane=lane.name if lane else "", cause=cause, remedy=remedy, what_again=again,
                 standing=standing, command=" ".join(correction(one, definition, element, host, me().person.login)))


def correction(one: OpenIncident, definition: ProcessDefinition | None, element: Element | None,
               host: Element | None, login: str) -> Iterator[str]:
    """The words of `alur correct` for an incident: its instance, who asks, and the place that it names."""
    yield from ("alur", "correct", one.instance, "--as", login, "--reason", _('"ALASAN"'))
    asked = asked_after(definition, element) if definition and element and one.kind == "condition" else ()
    for id in asked:
        yield _("--data %(field)s=NILAI", field=id)
    if one.timer:
        yield f"--close {one.timer}"
    elif not asked and (one.user_task or one.standing):
        yield _("--data ISIAN=NILAI")
    elif not asked:
        yield f"--open {host.id}" if host and host.kind == "userTask" else _("--open LANGKAH")


def asked_after(definition: ProcessDefinition, element: Element) -> tuple[str, ...]:
    """Ids of the fields that the conditions after an element read, as far as the next user tasks."""
    found: dict[str, None] = {}
    ahead, seen = [element.id], {element.id}
    while ahead:
        for flow in definition.outgoing[ahead.pop()]:
            found |= dict.fromkeys(sorted(names_in(flow.condition or "") & definition.fields.keys()))
            if flow.target not in seen and definition.elements[flow.target].kind != "userTask":
                seen.add(flow.target)
                ahead.append(flow.target)
    return tuple(found)


def in_words(element: Element) -> str:
    """`3 · Menyusun rancangan akhir`."""
    return f"{element.number} · {element.name}" if element.number else element.name or element.id


@admin.post("/insiden/<uuid:id>/<int:number>/coba-lagi")
def retry(id: UUID, number: int) -> Any:
    """Resolve an incident and do what it stopped: a timer fires again; a person is asked by their open task."""
    key = the_key()
    try:
        with office().database.begin() as db:
            found = next((one for one in integrity.open_incidents(db, SHOWN_MOST + 1)
                          if (one.instance, one.number) == (str(id), number)), None)
            act = ResolveIncident(incident=number, reason=reason() or _("Dicoba lagi."))
            handle.handle(db, office().rules, office().database.key, str(id), [requested(act, key)])
            message = _("Insiden ditandai selesai.")
            if found and found.timer and found.due_at and found.due_at <= (told_at() or databases.now(db)):
                step = handle.fire_again(db, office().rules, office().database.key, str(id), found.timer, found.due_at,
                                         told_at())
                stopped = next((e for e in step.events if isinstance(e, IncidentRaised)), None)
                if stopped is not None:
                    message = ""
                else:
                    message = _("Insiden ditandai selesai, dan pengatur waktunya sudah berbunyi.")
            elif found and found.user_task:
                message = _("Insiden ditandai selesai. Pelaksana dapat menyelesaikan langkahnya lagi; isiannya "
                            "tersimpan.")
    except Refused as refused:
        tell(refused.message, "error")
    else:
        if message:
            tell(message)
        else:
            tell(_("Percobaan lagi berakhir dengan insiden yang sama. Perbaiki sebabnya dahulu."), "error")
    return redirect(url_for("admin.incidents"), 303)


@admin.post("/insiden/<uuid:id>/<int:number>/penyelesaian")
def resolve_incident(id: UUID, number: int) -> Any:
    """Say that an incident was dealt with, and how."""
    act = ResolveIncident(incident=number, reason=reason())
    try:
        with office().database.begin() as db:
            handle.handle(db, office().rules, office().database.key, str(id), [requested(act, the_key())])
    except Refused as refused:
        tell(refused.message, "error")
    else:
        tell(_("Insiden ditandai selesai, dengan alasannya."))
    return redirect(url_for("admin.incidents"), 303)
