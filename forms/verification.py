"""What anybody may check who holds a paper or a file of this office, without a sign-in.

The QR code of a printed SOP opens whether these are the bytes of a version that this office works by. That of any other
paper opens the checkpoint that it rests on. And a file is known by its SHA-256, which a browser computes on its own
machine: the file is never sent. What is said is no more than the paper itself and what came after it: what kind of
document, of which SOP, unit and year, and the date; nobody's name, no title, no name of a file. Who does not hold the
file cannot ask for it.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection

from engine.ledger import Checkpoint
from engine.organisation import local_date
from engine.store import definitions, ledger, recorded, records
from engine.store.definitions import Version
from engine.store.ledger import Kept
from engine.store.recorded import Recorded

from . import words
from .notices import limiter
from .session import office

verification = Blueprint("verification", __name__)

ASKED_MOST = "30 per minute"  # questions, for one address of the network
TYPED_MOST = 400  # letters of what is pasted
TAKEN = {
    "pdf": _l("Ringkasan dan riwayat"),
    "zip": _l("Paket bukti"),
    "lke": _l("Bundel bukti LKE"),
    "csv": _l("Daftar kejadian (CSV)"),
    "xes": _l("Daftar kejadian (XES)"),
    "jsonocel": _l("Daftar kejadian (OCEL)"),
    "pemantauan": _l("Formulir monitoring SOP"),
    "evaluasi": _l("Bahan evaluasi SOP"),
}

IN_FORCE, NOT_YET, FOLLOWED, WITHDRAWN = "in_force", "not_yet", "followed", "withdrawn"


@verification.get("/verifikasi/sop/<sha256>")
def sop(sha256: str) -> Any:
    """The version whose diagram has this SHA-256 (hex), and what is in force; 404 of a draft or of anything else."""
    found = force = gone = coming = None
    on = local_date(office().now(), definitions.ZONE)
    if re.fullmatch(r"[0-9a-f]{64}", sha256):
        with office().database.read() as db:
            found = definitions.of_bytes(db, sha256)
            if found:
                force = definitions.in_force(db, found.key, on)
                gone = definitions.withdrawn(db, found.key)
                newest = definitions.newest(db, found.key)
                coming = newest if newest and newest.holds_from > on.isoformat() else None
    page = render_template(
        "verification.html",
        sha256=sha256[:64],
        found=found,
        state=state_of(found, force, gone, on) if found else "",
        force=force,
        coming=coming,
        gone=gone,
        since=since,
        day_of=day_of,
    )
    return page, 200 if found else 404


def state_of(found: Version, force: Version | None, gone: definitions.Withdrawal | None, on: date) -> str:
    """How a version stands on a day. The same bytes, published again, are what is in force."""
    if found.holds_from > on.isoformat():
        return NOT_YET
    if force and force.sha256 == found.sha256:
        return IN_FORCE
    return WITHDRAWN if gone and gone.version == found.version else FOLLOWED


def since(version: Version) -> str:
    """The day from which a version holds."""
    if version.holds_from:
        return words.full_day(date.fromisoformat(version.holds_from))
    return day_of(version.deployed_at)


def day_of(text: str) -> str:
    """The day of an ISO date, or of an instant."""
    if len(text) == len("2027-01-31"):
        return words.full_day(date.fromisoformat(text))
    return words.full_day(words.local(records.moment(text), definitions.ZONE).date())


# A file, by its SHA-256


@verification.get("/verifikasi")
@limiter.limit(ASKED_MOST, exempt_when=lambda: "sidik" not in request.args)
def file() -> Any:
    """A page on which a file is chosen, or its SHA-256 pasted; with `sidik` in the address what is known of it."""
    typed = request.args.get("sidik", "")[:TYPED_MOST]
    sha256 = digest(typed)
    found: list[dict[str, Any]] = []
    if sha256:
        with office().database.read() as db:
            found = [said(db, one) for one in recorded.of(db, sha256)]
    return render_template("verification_file.html", typed=typed, sha256=sha256, found=found,
                           asked="sidik" in request.args)


def digest(typed: str) -> str:
    """The SHA-256 in what was pasted: 64 hexadecimal letters, with blanks or colons as tools write them, and with what
    `sha256sum` and `certutil` say around it; "" where there is none."""
    joined = re.sub(r"(?<=[0-9A-Fa-f])[ :](?=[0-9A-Fa-f])", "", typed)
    for text in (typed, joined):
        if found := re.search(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])", text):
            return found.group().lower()
    return ""


def said(db: Connection, one: Recorded) -> dict[str, Any]:
    """What is told of a file: a kind of document, the SOP, the unit, the year and the day; and nobody's name."""
    rules = office().rules
    definition = rules.definition(one.definition) if one.definition else None
    newest = definitions.newest(db, one.key)
    match one.kind:
        case recorded.ATTACHED:
            what = words.document_name(definition, one.what) if definition else one.what
            what = _("%(what)s, versi %(n)s", what=what[:1].upper() + what[1:], n=one.version)
        case recorded.SOP_SHEET:
            what = _("Lembar pengesahan SOP versi %(n)s", n=one.version)
        case recorded.DIAGRAM:
            what = _("Diagram SOP versi %(n)s", n=one.version)
        case _:
            what = str(TAKEN.get(one.what, one.what))
    return {
        "day": words.full_day(local_date(one.at, one.zone)),
        "taken": one.kind == recorded.TAKEN,
        "what": what,
        "sop": newest.name if newest else one.key,
        "unit": one.unit_name,
        "year": one.year,
        "diagram": one.definition if one.kind == recorded.DIAGRAM else "",
    }


# A paper, by the checkpoint that it rests on


@verification.get("/verifikasi/titik-periksa/<int:size>/<root>")
@limiter.limit(ASKED_MOST)
def checkpoint(size: int, root: str) -> Any:
    """Whether this office signed a log of that many rows with this root (hex), and its log still has it; else a 404."""
    kept = None
    if re.fullmatch(r"[0-9a-f]{64}", root) and size < 1 << 53:
        with office().database.read() as db:
            kept = ledger.of_size(db, size)
            if kept is not None and not (kept.root.hex() == root == ledger.frontier(db, size).root.hex()):
                kept = None
    at = words.full(kept.at, definitions.ZONE) if kept else ""
    page = render_template("verification_checkpoint.html", size=size, root=root[:64], kept=kept, at=at,
                           origin=Checkpoint.parse(kept.note).origin if kept else "")
    return page, 200 if kept else 404


def checkpoint_address(kept: Kept | None, url: str) -> str:
    """Where the checkpoint of a paper is checked, for its QR code; "" of a paper without one."""
    return f"{url}/verifikasi/titik-periksa/{kept.size}/{kept.root.hex()}" if kept else ""


def checkpoint_line(kept: Kept | None) -> list[str]:
    """The checkpoint that a paper rests on, as it is printed: one more copy outside that the office cannot change."""
    if kept is None:
        return []
    return [_("Titik periksa: %(size)s baris, akar %(root)s", size=kept.size, root=kept.text)]
