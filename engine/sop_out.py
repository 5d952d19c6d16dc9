"""An SOP as a unit prints it: the table of a version, with the unit's own data over it. Reads, changes nothing."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from . import packs
from .definition import ProcessDefinition
from .sop_table import SopTable, table_of
from .store import definitions, organisation


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What a document of an SOP says."""
    table: SopTable
    sha256: str                             # of the diagram's bytes
    version: int = 0                        # 0: a draft
    facts: Mapping[str, str] = field(default_factory=dict)  # the unit's own data, by property: sop.nomorSop
    checkpoint: str = ""                    # the signed checkpoint that covers the versions of the SOP; "" of a draft


def of_file(definition: ProcessDefinition) -> Sheet:
    """The document of a diagram that nobody deployed. Raises TableError when no table can say it."""
    return Sheet(table=table_of(definition), sha256=definition.sha256)


def of_unit(db: Connection, definition: ProcessDefinition, unit: str) -> Sheet:
    """The document of a version for a unit ("": for no one): its own number, dates and ratifier over the diagram's,
    and no mark "asumsi" on a step whose performer it confirmed. Raises TableError when no table can say it."""
    deployed = definitions.of_bytes(db, definition.sha256)
    own = next((one.facts for one in organisation.units_that_may_start(db, definition.key) if one.unit == unit), {})
    facts = definitions.unit_facts(deployed, unit, own) if deployed else own
    answers = {one.subject: one.value for one in organisation.readings(db, definition.key, unit).values()}
    table = table_of(definition)
    rows = (replace(one, assumption=one.assumption and answers.get(one.element) != one.performer)
            for one in table.rows)
    return Sheet(table=replace(table, rows=tuple(rows)), sha256=definition.sha256,
                 version=deployed.version if deployed else 0, facts=facts,
                 checkpoint=checkpoint_of(db, definition.key) if deployed else "")


def checkpoint_of(db: Connection, key: str) -> str:
    """`1234, ROOT`: the first checkpoint that covers every version of a process; "" where nothing is signed yet. It
    changes with a new version and not with time, so that a document stays the same bytes."""
    kept = packs.covering(db, [definitions.stream(key)])
    return f"{kept.size}, {kept.text}" if kept else ""
