"""Proposals: diagrams put forward for pengesahan, with their bytes. Shadows of the streams `definition/KEY`."""
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from .schema import definition_proposal as table

PROPOSED, VERIFIED, RETURNED, RECALLED, RATIFIED = "proposed", "verified", "returned", "recalled", "ratified"
WAITING = (PROPOSED, VERIFIED)


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A diagram put forward for pengesahan, without its bytes. "" is what has not happened."""
    id: str
    key: str
    name: str
    unit: str                               # whose head ratifies it
    draft: str                              # "" of an old version put forward again
    sha256: str
    canonical_sha256: str
    meaning_sha256: str
    base: str                               # SHA-256 of the version that `changes` is told against; "" of a first one
    version_before: int                     # its number, 0
    reason: str
    holds_from: str                         # ISO date
    cosmetic: bool                          # only the drawing: a second owner approves it
    changes: tuple[Mapping[str, Any], ...]  # each as changes.to_json
    savers: tuple[str, ...]                 # who drew it: person ids
    state: str                              # proposed | verified | returned | recalled | ratified
    proposed_at: str
    proposed_by: str
    verified_at: str = ""
    verified_by: str = ""
    decided_at: str = ""
    decided_by: str = ""
    note: str = ""                          # of the verifier; why it was sent back
    version: int = 0                        # what it became


COLUMNS = tuple(one for one in table.c if one.name != "bytes")


def listed(db: Connection, key: str | None = None, states: Iterable[str] | None = None) -> tuple[Proposal, ...]:
    """The proposals (of one key, in some states), in the order in which they were made."""
    found = select(*COLUMNS).order_by(table.c.proposed_at, table.c.id)
    if key is not None:
        found = found.where(table.c.key == key)
    if states is not None:
        found = found.where(table.c.state.in_(tuple(states)))
    return tuple(value_of(row._asdict()) for row in db.execute(found))


def get(db: Connection, id: str) -> Proposal | None:
    row = db.execute(select(*COLUMNS).where(table.c.id == id)).first()
    return value_of(row._asdict()) if row else None


def content(db: Connection, id: str) -> bytes:
    """The bytes that a proposal puts forward. Raises LookupError where there is none."""
    data = db.execute(select(table.c.bytes).where(table.c.id == id)).scalar()
    if data is None:
        raise LookupError(f"There is no proposal {id}.")
    return bytes(data)


def value_of(row: dict[str, Any]) -> Proposal:
    return Proposal(**{**row, "cosmetic": bool(row["cosmetic"]), "changes": tuple(json.loads(row["changes"])),
                       "savers": tuple(json.loads(row["savers"]))})


def row_of(one: Proposal) -> dict[str, Any]:
    return {**vars(one), "cosmetic": int(one.cosmetic), "changes": json.dumps(one.changes),
            "savers": json.dumps(one.savers)}


def add(db: Connection, one: Proposal, data: bytes) -> None:
    db.execute(insert(table).values(**row_of(one), bytes=data))


def put(db: Connection, one: Proposal) -> None:
    """Write what was decided of a proposal that is there."""
    db.execute(update(table).where(table.c.id == one.id).values(row_of(one)))
