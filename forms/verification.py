"""What the QR code of a printed SOP opens: whether these are the bytes of a version that this office works by.

For anybody who holds the paper, so without a sign-in; it says no more than the paper itself and what came after it:
the position that ratified it, the number and the date, and nobody's name.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import Blueprint, render_template

from engine.organisation import local_date
from engine.store import definitions, records
from engine.store.definitions import Version

from . import words
from .session import office

verification = Blueprint("verification", __name__)

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
