"""What an auditor is shown of a process instance: its journal played again, and where it departed from its SOP.

Reads, changes nothing. Everything is read in the connection that is given, so that one transaction sees one state.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from . import conformance, playback
from .conformance import Beside, Departure, Deployment
from .execution import ENGINE
from .organisation import STREAM, Change
from .process import ReplayDiverged
from .rules import Rules
from .store import definitions, instances, journal, records


@dataclass(frozen=True, kw_only=True)
class Played:
    """An instance as it was played again.

    moments   each proved; where `difference` says something, those before it.
    different the sequence of the row that came out otherwise, None: all of them came out the same
    """
    moments: tuple[playback.Moment, ...]
    difference: str = ""                    # for the log and for who repairs it; English
    different: int | None = None


def played(db: Connection, rules: Rules, id: str) -> Played:
    """Play an instance again from its journal, up to the first row that is not what it was."""
    recorded = ((step, entry.marking_hash if entry.engine == ENGINE else None)
                for step, entry in instances.steps(db, id))
    found: list[playback.Moment] = []
    try:
        for one in playback.moments(rules, id, recorded):
            found.append(one)               # what was proved before a difference stays
    except (ReplayDiverged, records.RecordError, LookupError) as error:
        return Played(moments=tuple(found), difference=str(error), different=len(found) + 1)
    return Played(moments=tuple(found))


def departures(rules: Rules, id: str, it: Played, known: Beside, now: datetime) -> tuple[Departure, ...]:
    """Where an instance departed from its SOP, in the order of the rows that show it; behind a row that differs nothing
    is known."""
    return conformance.departures(rules, id, (one.step for one in it.moments), known, now)


def beside(db: Connection, key: str) -> Beside:
    """What is known of the people and of the versions of a process."""
    changes = tuple(records.decode(Change, entry.command) for entry in journal.read(db, STREAM))
    versions = {one.version: one for one in definitions.versions(db, key)}
    deployments: dict[str, Deployment] = {}
    for entry in journal.read(db, definitions.stream(key)):
        for event in entry.events:
            came = versions.get(event["version"]) if event.get("type") == "DefinitionDeployed" else None
            if came is not None:
                actor = entry.command["actor"]
                deployments[came.sha256] = Deployment(
                    version=came.version, by=actor["person"], signed_in_by=actor["signed_in_by"],
                    ratified=bool(came.ratified_by))
    return Beside(organisation=changes, deployments=deployments)
