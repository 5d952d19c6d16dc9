"""Departures from an SOP as an auditor reads them: a name for each kind, and a sentence with its evidence."""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from engine import conformance as kinds
from engine.conformance import Departure
from engine.definition import ProcessDefinition

from . import words

NAMES = {
    kinds.LATE: _l("Terlambat"),
    kinds.DEADLINE: _l("Melewati tenggat"),
    kinds.WAIVED: _l("Dispensasi"),
    kinds.CORRECTED: _l("Dikoreksi administrator"),
    kinds.REASSIGNED: _l("Dialihkan"),
    kinds.SKIPPED: _l("Langkah tidak dikerjakan"),
    kinds.CAPACITY: _l("Di luar kewenangan jabatan"),
    kinds.AFTERWARDS: _l("Dicatat belakangan"),
    kinds.ON_BEHALF: _l("Dicatat atas nama kantor lain"),
    kinds.DEPLOYED: _l("Versi SOP tanpa pengesahan"),
    kinds.COMMAND_LINE: _l("Lewat baris perintah"),
    kinds.RESET: _l("Setelah kata sandi diatur ulang"),
    kinds.UNCONFIRMED: _l("Setelah pengaturan ulang yang belum dikonfirmasi"),
    kinds.SAME_PERSON: _l("Orang yang sama memutuskan pekerjaannya"),
    kinds.MIGRATED: _l("Versi SOP berganti di tengah jalan"),
    kinds.EXTENDED: _l("Waktu diperpanjang"),
    kinds.OWED: _l("Dokumen menyusul"),
    kinds.SAME_HANDS: _l("Orang yang sama di dua langkah"),
}


def name(kind: str) -> str:
    return str(NAMES[kind])


def sentence(
    one: Departure,
    definition: ProcessDefinition,
    zone: str,
    names: Callable[[str], str],
    version: Callable[[str], str],
) -> str:
    """A departure with its evidence, for a reader who was not there.

    definition  that its element's step number is looked up in.
    names       of a person, a position or a unit by its id.
    version     how a diagram is called by its SHA-256: "versi 2".
    """
    evidence = one.evidence
    step = words.step_name(definition, one.element) if one.element else ""
    step = step if step != one.element else one.element_name
    who = names(one.person) if one.person else ""
    what = step[:1].upper() + step[1:]
    match one.kind:
        case kinds.LATE if evidence["done_at"] is None:
            late = words.full(evidence["late_at"], zone)
            return _("%(what)s belum selesai; batasnya %(late)s.", what=what, late=late)
        case kinds.LATE:
            late, done = words.full(evidence["late_at"], zone), words.full(evidence["done_at"], zone)
            return _("%(what)s selesai %(done)s; batasnya %(late)s.", what=what, done=done, late=late)
        case kinds.DEADLINE if evidence["met_at"] is None:
            due = words.deadline(evidence["due_at"], zone)
            return _("Tenggat %(due)s lewat sebelum selesainya %(step)s.", due=due, step=step)
        case kinds.DEADLINE:
            due, met = words.deadline(evidence["due_at"], zone), words.full(evidence["met_at"], zone)
            return _("Tenggat %(due)s; %(step)s baru selesai %(met)s.", due=due, step=step, met=met)
        case kinds.WAIVED:
            document = words.document_name(definition, evidence["document"])
            return _("%(who)s memberi dispensasi atas %(what)s pada %(step)s.", who=who, what=document, step=step)
        case kinds.CORRECTED:
            ids = [*evidence["fields"], *evidence["closed"], *evidence["opened"]]
            parts = [words.document_name(definition, id) if id in definition.fields else words.step_name(definition, id)
                     for id in ids]
            return _("%(who)s memperbaiki berkas proses sebagai administrator: %(what)s.", who=who,
                     what=", ".join(parts) or _("keadaan langkah"))
        case kinds.REASSIGNED:
            if evidence["to"] is None:
                return _("%(who)s mengembalikan %(step)s kepada seluruh pelaksana.", who=who, step=step)
            return _("%(who)s mengalihkan %(step)s kepada %(to)s.", who=who, step=step, to=names(evidence["to"]))
        case kinds.SKIPPED:
            return _("Berkas proses selesai tanpa %(step)s, padahal semua jalan SOP melewatinya.", step=step)
        case kinds.CAPACITY:
            position = words.position(evidence["capacity"], names(evidence["position"]))
            return _("%(who)s bertindak sebagai %(position)s, jabatan yang menurut catatan organisasi tidak "
                     "dipegangnya pada hari itu.", who=who, position=position)
        case kinds.AFTERWARDS:
            done = words.full(evidence["done_at"], zone)
            return _("%(what)s dikerjakan di luar aplikasi %(done)s, dan dicatat %(hours)s kemudian.", what=what,
                     done=done, hours=apart(evidence["minutes"]))
        case kinds.ON_BEHALF:
            return _("%(what)s dicatat oleh %(who)s atas nama %(office)s.", what=what, who=who,
                     office=names(evidence["office"]))
        case kinds.DEPLOYED:
            return _("Diagram versi %(n)s dipasang %(by)s lewat baris perintah, tanpa pengesahan dalam aplikasi.",
                     n=evidence["version"], by=names(evidence["by"]))
        case kinds.COMMAND_LINE:
            return ngettext("%(who)s bertindak satu kali lewat baris perintah server.",
                            "%(who)s bertindak %(num)s kali lewat baris perintah server.", evidence["acts"], who=who)
        case kinds.RESET:
            return _("%(who)s bertindak dalam satu hari kerja sejak kata sandinya diatur ulang %(by)s pada %(at)s.",
                     who=who, by=names(evidence["by"]), at=words.full(evidence["reset_at"], zone))
        case kinds.UNCONFIRMED:
            thing = _("kata sandinya") if evidence["what"] == "kredensial" else _("faktor keduanya")
            state = _("dinyatakan tidak benar") if evidence["state"] == "tidak_benar" else _("belum dikonfirmasi")
            return _("%(who)s bertindak dalam satu hari kerja sejak %(thing)s diatur ulang %(by)s pada %(at)s; "
                     "pengaturan ulang itu %(state)s.", who=who, thing=thing, by=names(evidence["by"]),
                     at=words.full(evidence["reset_at"], zone), state=state)
        case kinds.SAME_PERSON:
            return _("%(who)s memutuskan pada %(step)s, dan juga yang mengerjakan %(did)s.", who=who, step=step,
                     did=words.step_name(definition, evidence["did"]))
        case kinds.SAME_HANDS:
            return _("%(who)s mengerjakan \u201c%(first)s\u201d dan juga \u201c%(second)s\u201d.", who=who,
                     first=evidence["first"], second=evidence["second"])
        case kinds.MIGRATED if evidence["undone"]:
            return _("%(who)s mengembalikan berkas proses dari %(was)s ke %(to)s.", who=who,
                     was=version(evidence["was"]), to=version(evidence["to"]))
        case kinds.MIGRATED:
            return _("%(who)s memindahkan berkas proses dari %(was)s ke %(to)s.", who=who,
                     was=version(evidence["was"]), to=version(evidence["to"]))
        case kinds.EXTENDED:
            return _("%(who)s memperpanjang %(step)s, dari %(was)s menjadi %(late)s.", who=who, step=step,
                     was=words.full(evidence["was"], zone), late=words.full(evidence["late_at"], zone))
        case kinds.OWED:
            return _("%(document)s menyusul, dijanjikan %(day)s.",
                     document=words.document_name(definition, evidence["document"]),
                     day=words.cell_words("date", (), evidence["promised"], names))
    raise ValueError(f"No sentence for a departure of the kind {one.kind!r}.")


def apart(minutes: int) -> str:
    """`3 jam`, `2 hari 4 jam`: how long lies between two instants of the clock."""
    hours, rest = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "hari"), (hours, "jam"), (rest if not days else 0, "menit")]
    said = {"hari": lambda n: ngettext("%(num)s hari", "%(num)s hari", n),
            "jam": lambda n: ngettext("%(num)s jam", "%(num)s jam", n),
            "menit": lambda n: ngettext("%(num)s menit", "%(num)s menit", n)}
    return " ".join(said[unit](n) for n, unit in parts if n) or _("kurang dari satu menit")
