"""The verb beside the way of pengesahan: a diagram becomes a version at once. The seed, or a departure that is listed.

The gate judges the bytes; what passes is kept exactly as it came, as the next version of its key. Files of the
owners' folder seed an empty installation and never replace what somebody deployed: a changed one waits as a draft, and
what a person is drafting is never touched.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection

from . import diagram, drafting
from .commands import Actor
from .definition import DiagramError, Finding
from .instance import Refused
from .store import definitions, drafts
from .store.definitions import Version

SYSTEM = Actor(person="sistem", capacity="sistem", signed_in_by="cli")
SEED_REASON = "Versi awal yang menyertai aplikasi"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What became of the bytes that were to be deployed."""
    version: Version
    new: bool                               # False: these bytes were deployed before, and nothing was written
    newest: int                             # the version deployed last: what new instances run
    findings: tuple[Finding, ...] = ()      # warnings


@dataclass(frozen=True, kw_only=True)
class Seeded:
    """What became of one file of the owners' folder.

    state  deployed (its key was unknown), unchanged, draft (differs from what is deployed; waits), older (the bytes of
           a version that another has followed), refused (see findings).
    """
    path: Path
    state: str
    version: Version | None = None
    findings: tuple[Finding, ...] = ()


def deploy(db: Connection, mac_key: bytes, data: bytes, *, actor: Actor, reason: str, at: datetime,
           command_id: str | None = None) -> Deployment:
    """Deploy a diagram as the next version of its key; the same bytes again change nothing.

    db          a connection in a write transaction.
    reason      why, for who reads the history; not blank.
    command_id  makes a repeat recognisable; drawn when none is given.
    Raises DiagramError with the findings, or Refused.
    """
    if not reason.strip():
        raise Refused("incomplete", "Alasan penerapan belum diisi. Tulis mengapa diagram ini diterapkan.")
    definition = diagram.read(data)
    definitions.lock_key(db, definition.key)
    warnings = tuple(one for one in diagram.check(data) if one.severity != "error")
    known = definitions.of_bytes(db, definition.sha256)
    if known:
        newest = definitions.newest(db, definition.key)
        assert newest is not None, "a deployed version has a newest beside it"
        return Deployment(version=known, new=False, newest=newest.version, findings=warnings)
    if command_id and definitions.deployed_by_command(db, definition.key, command_id) is not None:
        raise Refused("other", "Formulir ini sudah pernah dikirim dengan diagram lain. Muat ulang halaman, lalu kirim "
                               "lagi.")
    if definitions.withdrawn(db, definition.key):
        raise Refused("withdrawn", "SOP ini sudah dicabut; hanya versi baru yang disahkan yang memberlakukannya lagi. "
                                   "Susun rancangan dan usulkan di Perancang.")
    version = definitions.add(db, mac_key, definition, data, actor=actor, reason=reason.strip(), at=at,
                              command_id=command_id or str(uuid4()))
    return Deployment(version=version, new=True, newest=version.version, findings=warnings)


def seed_definitions(db: Connection, mac_key: bytes, folder: Path, at: datetime) -> tuple[Seeded, ...]:
    """Deploy what the owners' folder says, only for keys that have no version yet; what became of each file.

    Called at every start: files that are as deployed cost a hash.
    """
    deployed = {one.sha256: one for one in definitions.versions(db)}
    newest = {one.key: one for one in definitions.newest_of_all(db)}
    waiting = {one.key: one.id for one in drafts.of_files(db)}
    seeded: list[Seeded] = []
    seen: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.bpmn")):
        data = path.read_bytes()
        known = deployed.get(sha256(data).hexdigest())
        if known is None:
            try:
                definition = diagram.read(data)
            except DiagramError as error:
                seeded.append(Seeded(path=path, state="refused", findings=error.findings))
                continue
            key = definition.key
        else:
            key = known.key
        if key in seen:
            seeded.append(Seeded(path=path, state="refused", findings=(_taken(key, seen[key]),)))
            continue
        seen[key] = path
        if known is not None:
            if key in waiting:
                drafts.forget(db, waiting[key])
            same = known.sha256 == newest[key].sha256
            seeded.append(Seeded(path=path, state="unchanged" if same else "older", version=known))
        elif key in newest:
            drafting.of_file(db, data, at=at)
            seeded.append(Seeded(path=path, state="draft", version=newest[key]))
        else:
            done = deploy(db, mac_key, data, actor=SYSTEM, reason=SEED_REASON, at=at)
            seeded.append(Seeded(path=path, state="deployed", version=done.version, findings=done.findings))
    return tuple(seeded)


def _taken(key: str, path: Path) -> Finding:
    return Finding(severity="error", element=key, line=0, message=(
        f"Id proses {key!r} sudah dipakai berkas {path.name}. Beri id proses lain, atau hapus salah satu berkas."))
