"""The verbs of drawing: begin a draft, save it, bring an older one back, copy it, throw it away.

A draft is no fact and stands in no journal. Saving is always possible, with errors too; what two people save from one
revision is never mixed: the second is told who was quicker. All take a connection in a write transaction.
"""
from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from . import diagram
from .instance import Problem, Refused
from .organisation import MONTHS, OWNER, local_date
from .store import definitions, drafts, organisation, records
from .store.drafts import FILE, OPEN, PERSON, PROPOSED, Draft

SYSTEM = "sistem"                           # who saved what came from a file
MOST_SHEET = 1_000_000                      # characters of a table that cannot be drawn yet


def begin(db: Connection, data: bytes, *, unit: str, person: str, at: datetime, base: str | None = None,
          name: str = "") -> Draft:
    """A new draft of a unit's owners, with errors or without.

    base  the SHA-256 of the version that it begins from, None of a new SOP.
    name  shown while the diagram says none.
    Raises Refused (`not_yours`, `unknown`), DiagramError when it is no XML that we open.
    """
    if unit and organisation.unit_of(db, unit) is None:
        raise Refused("unknown", "Unit ini tidak ada. Pilih dari daftar.", (Problem("unit", "Unit ini tidak ada."),))
    if not may_edit(db, person, unit):
        raise not_an_owner()
    key, said = diagram.titled(data)
    return _add(db, Draft(
        id=uuid4().hex, key=key, name=said or name, unit=unit, base=base, sha256=sha256(data).hexdigest(), revision=1,
        origin=PERSON, state=OPEN, created_at=records.instant(at), created_by=person, saved_at=records.instant(at),
        saved_by=person), data, (person,))


def save(db: Connection, id: str, data: bytes, *, revision: int, person: str, at: datetime,
         sheet: str | None = None) -> Draft:
    """The draft with these bytes as its next revision; what it has already changes nothing.

    revision  the one that was read.
    sheet     a table that cannot be drawn yet, as it was typed over these bytes; "" of one that was drawn. None: the
              canvas saves, which knows of no table and must not throw one away.
    Raises Refused: `conflict` (somebody saved meanwhile: `person` and `at` say who and when), `proposed`, `not_yours`,
    `unknown`, `unfinished` (a table waits to be drawn), `too_large`; DiagramError when it is no XML that we open.
    """
    before = editable(db, id, person)
    digest = sha256(data).hexdigest()
    if _says(db, before, digest, sheet or ""):
        return before
    if sheet is None and before.unfinished and revision == before.revision:
        raise Refused("unfinished", "Tabel SOP rancangan ini memuat isian yang belum dapat digambar. Lengkapi atau "
                                    "buang isian itu di Tabel SOP, lalu gambar lagi di kanvas.")
    if sheet and len(sheet) > MOST_SHEET:
        raise Refused("too_large", f"Isian tabel ini terlalu panjang: paling banyak {MOST_SHEET // 1000} ribu huruf.")
    key, name = diagram.titled(data)
    after = replace(before, key=key, name=name or before.name, sha256=digest, revision=revision + 1,
                    saved_at=records.instant(at), saved_by=person, unfinished=int(bool(sheet)))
    if not drafts.save(db, after, data, of_revision=revision, sheet=sheet or ""):
        now = editable(db, id, person)      # proposed, or gone, meanwhile
        if _says(db, now, digest, sheet or ""):
            return now
        raise overtaken(db, now)
    return after


def _says(db: Connection, draft: Draft, digest: str, sheet: str) -> bool:
    """Whether a draft's newest revision is this already."""
    typed = drafts.sheet(db, draft.id, draft.revision) if draft.unfinished else ""
    return draft.sha256 == digest and typed == sheet


def restore(db: Connection, id: str, of_revision: int, *, revision: int, person: str, at: datetime) -> Draft:
    """An older revision as the newest one. Raises Refused as `save` does, `unknown` where it is no longer kept."""
    editable(db, id, person)
    data = drafts.content(db, id, of_revision)
    if data is None:
        raise Refused("unknown", f"Simpanan {of_revision} tidak ada lagi. Pilih dari daftar.")
    return save(db, id, data, revision=revision, person=person, at=at, sheet=drafts.sheet(db, id, of_revision))


def copy(db: Connection, id: str, *, person: str, at: datetime) -> Draft:
    """The same diagram as a draft of its own. Who drew the first one drew this one too."""
    before = found(db, id)
    if not may_edit(db, person, before):
        raise not_an_owner()
    data = drafts.content(db, id)
    assert data is not None, "a draft has bytes"
    now = records.instant(at)
    draft = replace(before, id=uuid4().hex, revision=1, origin=PERSON, state=OPEN, created_at=now, created_by=person,
                    saved_at=now, saved_by=person)
    sheet = drafts.sheet(db, id, before.revision)
    return _add(db, draft, data, {person, *drafts.savers(db, id)}, sheet=sheet)


def discard(db: Connection, id: str, *, person: str, at: datetime) -> None:
    """Throw a draft away with all its revisions. Raises Refused (`proposed`, `not_yours`, `unknown`)."""
    editable(db, id, person)
    drafts.forget(db, id)


def of_file(db: Connection, data: bytes, *, at: datetime) -> Draft:
    """The draft that a changed file beside the database is: made anew, or refreshed where nobody has touched it yet.
    What a person is drawing is never overwritten."""
    key, name = diagram.titled(data)
    digest, now = sha256(data).hexdigest(), records.instant(at)
    known = drafts.from_file(db, key, digest)
    if known is not None:
        return known
    newest = definitions.newest(db, key)
    base = newest.sha256 if newest else None
    for one in drafts.of_files(db, key):
        after = replace(one, name=name, sha256=digest, revision=one.revision + 1, base=base, saved_at=now)
        drafts.refresh(db, after, data)
        return after
    return _add(db, Draft(
        id=uuid4().hex, key=key, name=name, unit=home(db, key) or "", base=base, sha256=digest, revision=1, origin=FILE,
        state=OPEN, created_at=now, created_by=SYSTEM, saved_at=now, saved_by=SYSTEM), data, (), digest)


def _add(db: Connection, draft: Draft, data: bytes, savers: tuple[str, ...] | set[str], file_sha256: str = "",
         sheet: str = "") -> Draft:
    drafts.add(db, draft, data, savers, file_sha256, sheet)
    return draft


# Who may

def may_edit(db: Connection, person: str, draft_or_unit: Draft | str) -> bool:
    """Whether somebody is an owner of the SOPs of a unit: of it, of a unit above it, or of all."""
    unit = draft_or_unit.unit if isinstance(draft_or_unit, Draft) else draft_or_unit
    return organisation.has_power(db, person, OWNER, unit)


def home(db: Connection, key: str) -> str | None:
    """The unit whose owners keep an SOP (`definitions.home`)."""
    return definitions.home(db, key)


def found(db: Connection, id: str) -> Draft:
    draft = drafts.get(db, id)
    if draft is None:
        raise Refused("unknown", "Rancangan ini tidak ada lagi; mungkin sudah dihapus atau sudah disahkan.")
    return draft


def editable(db: Connection, id: str, person: str) -> Draft:
    """The draft, if this person may change it now. Raises Refused."""
    draft = found(db, id)
    if not may_edit(db, person, draft):
        raise not_an_owner()
    if draft.state == PROPOSED:
        raise Refused("proposed", "Rancangan ini sedang diusulkan, jadi tidak dapat diubah. Tarik kembali usulannya, "
                                  "atau buat salinan rancangan.")
    return draft


def not_an_owner() -> Refused:
    return Refused("not_yours", "Hanya pemilik SOP unit ini yang dapat mengubah rancangan. Administrator memberi "
                                "kuasa pemilik di Pengaturan, Kuasa.")


def overtaken(db: Connection, now: Draft) -> Refused:
    """Somebody saved first: who, and when on the wall of the draft's unit."""
    who = organisation.names(db, [now.saved_by]).get(now.saved_by, now.saved_by)
    zone = definitions.zone_of(db, now.unit)
    at = records.moment(now.saved_at)
    day = local_date(at, zone)
    said = f"{day.day} {MONTHS[day.month - 1]} {day.year} pukul {at.astimezone(ZoneInfo(zone)):%H.%M}"
    return Refused("conflict", f"{who} sudah menyimpan rancangan ini pada {said}. Perubahan Anda belum disimpan dan "
                               "tidak hilang: simpan sebagai salinan, atau muat simpanan terbaru.",
                   person=now.saved_by, at=at)
