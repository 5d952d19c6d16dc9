"""The verb: an installation in one file, and back. Online, consistent, and the same file for both databases.

A ZIP: `tables/NAME.jsonl` (a row a line, in the order of the columns, bytes as base64), `documents/ab/SHA-256`, and
`manifest.json` with the row counts and the SHA-256 of everything. All tables are read in one snapshot; documents never
change. Who is signed in is left out: after a restore nobody is. The journal's key is left out unless it is asked for:
without it nobody who finds the file can append to the journal.
"""
from __future__ import annotations

import base64
import io
import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from .store import database as databases
from .store import documents, integrity, records, tables
from .store.database import Database, Unavailable, sync_folder, written_whole

VERSION = 1                             # of the file
KEY_NAME = "keys/journal.key"
CHUNK_BYTES = 1 << 20


def backup(database: Database, documents_dir: Path, file: Path, at: datetime,
           key: bytes | None = None) -> dict[str, Any]:
    """Write the backup; its manifest. The file appears under its name only when it is whole.

    at   when, for the manifest.
    key  of the journal, to be put in.
    Raises Unavailable when the file exists or cannot be written. A document that is missing or damaged does not stop
    it: the manifest names it under `missing`.
    """
    with written_whole(file, "a backup") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with database.snapshot() as db:
            manifest = _write(archive, db, documents_dir, at, key)
    return manifest


def _write(archive: zipfile.ZipFile, db: Any, documents_dir: Path, at: datetime,
           key: bytes | None) -> dict[str, Any]:
    hashes: dict[str, str] = {}
    rows: dict[str, int] = {}
    for name in tables.NAMES:
        place, found = f"tables/{name}.jsonl", tables.read(db, name)
        lines = (json.dumps([_shown(value) for value in row], separators=(",", ":")) + "\n" for row in found)
        rows[name], hashes[place] = _write_lines(archive, place, lines)
    written, missing = 0, []
    for name in tables.recorded_documents(db):
        place = f"documents/{name[:2]}/{name}"
        try:
            with documents.open_stored(db, documents_dir, name) as source:
                whole = _digest(source) == name
                if whole:
                    source.seek(0)
                    # Stored, not packed: most are PDF and JPEG, which are packed already.
                    entry = zipfile.ZipInfo(place, at.timetuple()[:6])
                    with archive.open(entry, "w", force_zip64=True) as target:
                        _copy(source, target)
        except LookupError:
            whole = False
        if whole:
            hashes[place], written = name, written + 1
        else:
            missing.append(name)
    if key is not None:
        archive.writestr(KEY_NAME, key)
        hashes[KEY_NAME] = sha256(key).hexdigest()
    manifest = {"v": VERSION, "made_at": records.instant(at), "revision": databases.revision(db), "rows": rows,
                "columns": {name: tables.columns(name) for name in tables.NAMES}, "documents": written,
                "missing": missing, "key": key is not None, "sha256": hashes}
    archive.writestr("manifest.json", json.dumps(manifest, indent=1, sort_keys=True))
    return {name: value for name, value in manifest.items() if name not in ("sha256", "columns")}


def _write_lines(archive: zipfile.ZipFile, name: str, lines: Iterable[str]) -> tuple[int, str]:
    count, digest = 0, sha256()
    with archive.open(name, "w", force_zip64=True) as target:
        for line in lines:
            data = line.encode()
            digest.update(data)
            target.write(data)
            count += 1
    return count, digest.hexdigest()


def _shown(value: Any) -> Any:
    return {"b": base64.b64encode(bytes(value)).decode()} if isinstance(value, (bytes, memoryview)) else value


def _meant(value: Any) -> Any:
    return base64.b64decode(value["b"]) if isinstance(value, dict) else value


# Back

def put_back_key(file: Path, key_file: Path) -> None:
    """See that the key which sealed the backup's journal is in its place; take it from the backup where it is in it.

    Raises Unavailable when neither has it, or when this installation has another.
    """
    with _opened(file) as archive:
        given = archive.read(KEY_NAME) if KEY_NAME in archive.namelist() else None
    if key_file.exists():
        if given is not None and databases.journal_key(key_file) != given:
            raise Unavailable("other_key", f"{key_file} is another key than the one in {file}.",
                              "Restore into an installation of its own: --data-dir FOLDER.")
        return
    if given is None:
        raise Unavailable("no_key", f"{file} does not hold the journal's key, and {key_file} is not there.",
                          f"Put the key of the installation that was backed up at {key_file}, mode 600.")
    databases.write_key(key_file, given)


def restore(database: Database, documents_dir: Path, file: Path) -> dict[str, Any]:
    """Fill an empty, migrated database and its documents from a backup; what the manifest says. All of it or nothing.

    Raises Unavailable when the database is not empty, the backup is not whole, or the journal does not hold.
    """
    with _opened(file) as archive:
        manifest = _manifest(archive, file)
        if manifest["revision"] != databases.newest_revision():
            raise Unavailable("other_revision", f"{file} is of revision {manifest['revision']}, this Alur of "
                              f"{databases.newest_revision()}.", "Restore it with the Alur that made it, then migrate.")
        with database.begin() as db:
            databases.lock(db, "restore")
            filled = tables.not_empty(db)
            if filled:
                raise Unavailable("not_empty", f"The database is not empty: {', '.join(filled[:5])} have rows.",
                                  "Restore into a new one: --data-dir FOLDER, or an empty database.")
            for place, digest in manifest["sha256"].items():
                if place.startswith("documents/"):
                    _put_document(archive, file, place, digest, documents_dir)
            for name in tables.NAMES:
                place = f"tables/{name}.jsonl"
                told = _Told(archive, file, place, manifest["sha256"].get(place, ""))
                count = tables.write(db, name, manifest["columns"][name], told.rows())
                if count != manifest["rows"][name] or not told.whole:
                    raise _broken(file, place)
            documents.settle(db, documents_dir)
            verified = integrity.verify(db, database.key)
            if verified.faults:
                raise Unavailable("journal", f"The journal in {file} does not hold: {verified.faults[0].message}",
                                  "Nothing was restored. Use another backup, and the key that belongs to it.")
    return {name: value for name, value in manifest.items() if name not in ("sha256", "columns")}


class _Told:
    """The rows of one table, read and hashed line by line."""

    def __init__(self, archive: zipfile.ZipFile, file: Path, place: str, digest: str):
        self.archive, self.file, self.place, self.digest, self.whole = archive, file, place, digest, False

    def rows(self) -> Iterator[list[Any]]:
        found = sha256()
        try:
            with self.archive.open(self.place) as entry:
                for line in io.BufferedReader(entry, CHUNK_BYTES):      # type: ignore[type-var]
                    found.update(line)
                    yield [_meant(value) for value in json.loads(line)]
        except (KeyError, zipfile.BadZipFile, ValueError, EOFError) as error:
            raise _broken(self.file, self.place) from error
        self.whole = found.hexdigest() == self.digest


def _put_document(archive: zipfile.ZipFile, file: Path, place: str, digest: str, folder: Path) -> None:
    name = place.rpartition("/")[2]
    try:
        target = documents.path_of(folder, name)
    except LookupError as error:
        raise _broken(file, place) from error
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = target.with_suffix(".part")
    found = sha256()
    try:
        with archive.open(place) as source, open(aside, "wb") as out:
            while chunk := source.read(CHUNK_BYTES):
                found.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if found.hexdigest() != name or digest != name:
            raise _broken(file, place)
        os.replace(aside, target)
        sync_folder(target.parent)
    except (KeyError, zipfile.BadZipFile, EOFError) as error:
        raise _broken(file, place) from error
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError) as error:
        raise _no_backup(file) from error


def _manifest(archive: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
        version = manifest["v"]
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise _no_backup(file) from error
    if version != VERSION:
        raise Unavailable("other_version", f"{file} is a backup of version {version}, this Alur reads {VERSION}.",
                          "Restore it with the Alur that made it.")
    return manifest


def _no_backup(file: Path) -> Unavailable:
    return Unavailable("no_backup", f"{file} is no backup of Alur.", "Name a file that alur backup wrote.")


def _broken(file: Path, place: str) -> Unavailable:
    return Unavailable("broken_backup", f"{file} is damaged: {place} is not what its manifest says.",
                       "Nothing was restored. Use another backup.")


def _digest(source: IO[bytes]) -> str:
    digest = sha256()
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while chunk := source.read(CHUNK_BYTES):
        target.write(chunk)
