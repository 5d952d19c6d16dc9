"""What the QR code of a printed SOP opens: whether these are the bytes of a version that this office works by.

For anybody who holds the paper, so without a sign-in; it says no more than the paper itself and what came after it.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, render_template

from engine.store import definitions, records

from . import words
from .session import office

verification = Blueprint("verification", __name__)


@verification.get("/verifikasi/sop/<sha256>")
def sop(sha256: str) -> Any:
    """The version whose diagram has this SHA-256 (hex), and the newest one; 404 of a draft or of anything else."""
    found = newest = None
    if re.fullmatch(r"[0-9a-f]{64}", sha256):
        with office().database.read() as db:
            found = definitions.of_bytes(db, sha256)
            newest = definitions.newest(db, found.key) if found else None

    def since(version: definitions.Version) -> str:
        return words.full_day(words.local(records.moment(version.deployed_at), "Asia/Jakarta").date())

    page = render_template("verification.html", sha256=sha256[:64], found=found, newest=newest, since=since)
    return page, 200 if found else 404
