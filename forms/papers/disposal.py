"""The berita acara of a disposal as a PDF: what was disposed of, by whom, and the hashes by which it can be proved.

Set by Typst from `disposal.typ`, as `timeline.py` sets the history: what people wrote goes in as JSON and is never read
as markup; the same input gives the same bytes. The form follows PP 28/2012 and Peraturan ANRI 37/2016 on penyusutan:
a list of what goes, with who proposed it and who decided, to be signed on paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from engine.retention import APPROVED

from .timeline import printable
from .typeset import typeset


@dataclass(frozen=True, kw_only=True)
class Line:
    """One instance in the list."""

    title: str
    id: str
    ended: str
    values: int
    rows: int  # of the journal, that stay
    head: str  # hash of the last of them
    files: Sequence[str]  # SHA-256


@dataclass(frozen=True, kw_only=True)
class Minutes:
    """Everything that the paper says; every text as people read it."""

    number: str
    dated: str
    unit: str
    basis: str
    proposed: str
    decided: str
    at: str
    state: str
    rows: Sequence[Line]


def pdf(of: Minutes) -> bytes:
    found: bytes = typeset("disposal", data_of(of))
    return found


def listing(title: str, number: str, facts: Sequence[tuple[str, str]], lead: str, heads: Sequence[str],
            kept: str, rows: Sequence[Line]) -> bytes:
    """The same list without anybody to sign it: the first page of a pack of several instances."""
    data = {
        "title": title, "number": number, "lead": lead, "heads": list(heads), "kept": kept, "signers": [],
        "facts": [(label, printable(text)) for label, text in facts], "files": _("SHA-256 berkas"),
        "rows": [{"n": str(n), "title": printable(one.title), "id": one.id, "ended": printable(one.ended),
                  "went": ngettext("%(num)s berkas", "%(num)s berkas", len(one.files)),
                  "rows": ngettext("%(num)s baris jurnal", "%(num)s baris jurnal", one.rows), "head": one.head,
                  "files": []} for n, one in enumerate(rows, 1)],
    }
    found: bytes = typeset("disposal", data)
    return found


def data_of(of: Minutes) -> dict[str, object]:
    """What `disposal.typ` draws: plain texts."""
    done = of.state == APPROVED
    plain = {name: printable(value) for name, value in asdict(of).items() if isinstance(value, str)}
    facts = [(_("Unit"), plain["unit"]), (_("Dasar"), plain["basis"]), (_("Diusulkan oleh"), plain["proposed"])]
    facts += [(_("Disetujui oleh"), plain["decided"]), (_("Dilaksanakan"), plain["at"])] if done else []
    rows = [
        {
            "n": str(n), "title": printable(one.title), "id": one.id, "ended": printable(one.ended),
            "went": _("%(values)s dan %(files)s", values=ngettext("%(num)s isian", "%(num)s isian", one.values),
                      files=ngettext("%(num)s berkas", "%(num)s berkas", len(one.files)))
            if done else ngettext("%(num)s berkas", "%(num)s berkas", len(one.files)),
            "rows": ngettext("%(num)s baris jurnal tetap", "%(num)s baris jurnal tetap", one.rows),
            "head": one.head, "files": list(one.files),
        }
        for n, one in enumerate(of.rows, 1)
    ]
    lead = _(
        "Pada %(day)s telah dilaksanakan pemusnahan arsip yang sudah melewati masa retensinya, sebagaimana daftar di "
        "bawah ini. Isian dan berkas dokumennya dihapus untuk selamanya. Catatan jurnal beserta sidiknya tetap ada, "
        "sehingga bahwa, kapan, dan oleh siapa setiap langkah dikerjakan tetap dapat dibuktikan.", day=plain["dated"])
    if not done:
        lead = _("KONSEP, belum disetujui. Yang diusulkan untuk dimusnahkan adalah yang tercantum dalam daftar di "
                 "bawah ini; belum ada yang dihapus.")
    return {
        "title": _("Berita Acara Pemusnahan Arsip"), "number": _("Nomor %(number)s", number=plain["number"]),
        "facts": facts, "lead": lead, "rows": rows, "kept": _("Sidik baris jurnal terakhir (SHA-256)"),
        "heads": [_("No"), _("Berkas proses"), _("Yang dimusnahkan"), _("Bukti yang tetap ada")],
        "signers": [_("Yang mengusulkan"), _("Yang menyetujui"), _("Saksi")], "files": _("SHA-256 berkas"),
    }
