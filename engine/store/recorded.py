"""What a file is known as, to somebody who holds it and knows its SHA-256: when it came into the journal, as what, and
of which process. No name of a person or a file is among the answers; nothing is found by less than the whole hash.
"""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from . import access, definitions, records
from .schema import definition, document, document_file, instance, journal, unit

ATTACHED, TAKEN, SOP_SHEET, DIAGRAM = "attached", "taken", "sop_sheet", "diagram"
MOST = 5                                # places that one file is told of, the first ones


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One thing that a file is known as."""
    kind: str                           # ATTACHED | TAKEN | SOP_SHEET | DIAGRAM
    at: datetime                        # aware, UTC: of the journal row that recorded it
    what: str = ""                      # document type of ATTACHED; of TAKEN its form (pdf, zip ...) or paper
    version: int = 0                    # of the document, or of the SOP
    key: str = ""                       # of the process
    definition: str = ""                # SHA-256 of the diagram that its instance runs
    unit_name: str = ""
    zone: str = "Asia/Jakarta"
    year: int | None = None


def of(db: Connection, sha256: str) -> list[Recorded]:
    """Everything that a file is known as, the oldest first, MOST of it; [] of a file that is in no row.

    sha256  all 64 lower-case hexadecimal letters of it.
    """
    found = [*_attached(db, sha256), *_sheets(db, sha256), *_diagrams(db, sha256), *_taken(db, sha256)]
    return sorted(found, key=lambda one: (one.at, one.kind))[:MOST]


def _attached(db: Connection, sha256: str) -> list[Recorded]:
    same = [document.c[name] == document_file.c[name] for name in ("instance", "type", "version", "sequence")]
    rows = db.execute(
        select(document.c.type, document.c.version, document.c.attached_at, instance.c.key, instance.c.definition,
               instance.c.year, unit.c.name, unit.c.zone)
        .join(document_file, and_(*same)).join(instance, instance.c.id == document.c.instance)
        .join(unit, unit.c.id == instance.c.unit).where(document_file.c.sha256 == sha256)
        .order_by(document.c.attached_at, document.c.instance, document.c.type, document.c.version)
        .limit(MOST).distinct())
    return [Recorded(kind=ATTACHED, at=records.moment(row.attached_at), what=row.type, version=row.version,
                     key=row.key, definition=row.definition, unit_name=row.name, zone=row.zone, year=row.year)
            for row in rows]


def _sheets(db: Connection, sha256: str) -> list[Recorded]:
    rows = db.execute(select(definition.c.key, definition.c.version, definition.c.sha256, definition.c.deployed_at,
                             definition.c.scan).where(definition.c.scan != ""))
    return [Recorded(kind=SOP_SHEET, at=records.moment(row.deployed_at), version=row.version, key=row.key,
                     definition=row.sha256)
            for row in rows if any(one["sha256"] == sha256 for one in json.loads(row.scan)["files"])]


def _diagrams(db: Connection, sha256: str) -> list[Recorded]:
    found = definitions.of_bytes(db, sha256)
    return [] if found is None else [Recorded(kind=DIAGRAM, at=records.moment(found.deployed_at), key=found.key,
                                              version=found.version, definition=sha256)]


def _taken(db: Connection, sha256: str) -> list[Recorded]:
    """Papers and packs that the application itself made: whoever took one is in the stream `access` with its hash."""
    needle = f'"sha256":"{sha256}"'.encode()
    holds = (journal.c.body.like(b"%" + needle + b"%") if db.dialect.name == "postgresql" else
             func.instr(journal.c.body, needle) > 0)
    rows = db.execute(select(journal.c.body).where(journal.c.stream == access.STREAM, holds)
                      .order_by(journal.c.sequence).limit(MOST))
    found = []
    for (body,) in rows:
        row = records.parse(bytes(body))
        found += _of_act(db, row["command"]["act"], records.moment(row["at"]), sha256)
    return found


def _of_act(db: Connection, act: Mapping[str, Any], at: datetime, sha256: str) -> list[Recorded]:
    if act.get("sha256") != sha256:
        return []
    if act["type"] == "EvidenceTaken":
        row = db.execute(select(instance.c.key, instance.c.definition, instance.c.year, unit.c.name, unit.c.zone)
                         .join(unit, unit.c.id == instance.c.unit).where(instance.c.id == act["instance"])).first()
        return [] if row is None else [Recorded(
            kind=TAKEN, at=at, what=act["form"], key=row.key, definition=row.definition, unit_name=row.name,
            zone=row.zone, year=row.year)]
    if act["type"] == "OverviewTaken":
        place = db.execute(select(unit.c.name, unit.c.zone).where(unit.c.id == act["unit"])).first()
        return [] if place is None else [Recorded(kind=TAKEN, at=at, what=act["paper"], key=act["key"],
                                                  unit_name=place.name, zone=place.zone)]
    return []
