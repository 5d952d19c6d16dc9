"""The verb that writes a pack: what an auditor takes home, to be checked by `verifier.py` on their own computer.

A ZIP of the whole journal, or of some streams. A pack of streams carries for each row the proof that it stands in the
signed log, and is of the first checkpoint that covers them all: the same finished streams give the same bytes. What is
in it is described in docs/proof.md; other files (a timeline, tables) may be put in beside, listed in the manifest.
"""
from __future__ import annotations

import base64
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain, pairwise
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection

from . import verifier
from .checkpoints import file_name
from .ledger import Checkpoint
from .store import definitions, documents, tables
from .store import ledger as store
from .store.database import Unavailable, written_whole
from .store.ledger import BATCH, STREAM, Kept, LoggedRow

FORMAT = "alur-pack/1"
DATED = (1980, 1, 1, 0, 0, 0)           # every file in the ZIP: its bytes depend on its content alone
HASH = re.compile("[0-9a-f]{64}")
CHUNK_BYTES = 1 << 20
READ_ME = """Paket bukti jurnal Alur

Periksa dengan berkas verifier.py, sebaiknya salinan yang Anda terima dari pihak lain daripada kantor ini:

    python3 verifier.py PAKET.zip --checkpoint TITIK-PERIKSA-ANDA.txt

Tidak perlu jaringan dan tidak perlu Alur. Tanpa titik periksa yang Anda simpan sendiri, riwayat yang ditulis ulang
seluruhnya oleh pemegang kunci tidak dapat diketahui.
"""


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What was written."""
    rows: int
    values: int
    documents: int
    missing: tuple[str, ...]            # documents that rows name and that this installation does not have
    checkpoint: Kept


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What stands in a pack beside the evidence itself, for who reads it."""
    files: Mapping[str, bytes] = field(default_factory=dict)        # name in the ZIP -> content
    documents: Mapping[str, str] = field(default_factory=dict)      # SHA-256 -> its name in the ZIP, under documents/
    more: Iterable[tuple[str, bytes]] = ()      # files made one after the other while the pack is written: one instance
    #                                             of a large selection at a time in memory. May still fill `documents`.


@dataclass
class _Pack:
    """A ZIP that is being written, and the SHA-256 of what is in it."""
    archive: zipfile.ZipFile
    hashes: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, data: bytes) -> None:
        self.lines(name, [data])

    def lines(self, name: str, parts: Iterable[bytes]) -> None:
        digest = sha256()
        with self.archive.open(_entry(name), "w", force_zip64=True) as target:
            for part in parts:
                digest.update(part)
                target.write(part)
        self.hashes[name] = digest.hexdigest()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, DATED)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return entry


def of_journal(db: Connection, documents_dir: Path, file: Path, with_documents: bool = False) -> Packed:
    """Write the whole journal, up to its newest checkpoint.

    db              a connection in a snapshot.
    with_documents  every file that it names too.
    Raises Unavailable where there is no checkpoint yet, or the file exists or cannot be written.
    """
    kept = store.newest(db)
    if kept is None:
        raise _unsigned()
    return _written(db, documents_dir, file, kept, None, [], with_documents, Beside())


def of_streams(db: Connection, documents_dir: Path, file: Path, streams: Sequence[str], also: Sequence[str] = (),
               own: Sequence[Checkpoint] = (), readable: Callable[[Kept], Beside] | None = None) -> Packed:
    """Write some streams with the documents and diagrams that they name, up to the first checkpoint that covers them.

    also  other streams, as far as that checkpoint covers them: they may go on, and the pack stays the same.
    own   checkpoints that an auditor has kept: the pack then proves that the log grew from them, or into them.
    readable    what is put in beside, made for the checkpoint that the pack is of.
    Raises Unavailable as above; `unsigned` where a row of the streams is not signed yet.
    """
    kept = covering(db, streams)
    named = sorted({*streams, *also, STREAM})
    if kept is None:
        raise _unsigned()
    beside = {one.size: one for one in store.of_days(db, kept.size)} | {kept.size: kept}
    for size in (one.size for one in own):
        if (known := store.of_size(db, size)) is not None:
            beside[size] = known
    return _written(db, documents_dir, file, kept, named, [beside[size] for size in sorted(beside)], True,
                    readable(kept) if readable else Beside())


def covering(db: Connection, streams: Sequence[str]) -> Kept | None:
    """The first checkpoint that covers every row of these streams; None where there is none yet."""
    last, key = store.last_index(db, streams), store.index_of(db, STREAM, 1)
    return store.first_over(db, max(last, key)) if last is not None and key is not None else None


def _written(db: Connection, documents_dir: Path, file: Path, kept: Kept, streams: list[str] | None,
             beside: list[Kept], with_documents: bool, readable: Beside) -> Packed:
    with written_whole(file, "a pack") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        packed = _fill(_Pack(archive), db, documents_dir, kept, streams, beside, with_documents, readable)
    return packed


def _fill(pack: _Pack, db: Connection, documents_dir: Path, kept: Kept, streams: list[str] | None, beside: list[Kept],
          with_documents: bool, readable: Beside) -> Packed:
    rows = values = 0
    versions = definitions.versions(db)
    recorded = set(tables.recorded_documents(db)) if with_documents else set[str]()
    wanted = recorded | {one.sha256 for one in versions}
    # SHA-256 -> the streams that name it, of what could be put in: every hash of a journal would fill the memory.
    named: dict[str, set[str]] = {}
    gone: set[tuple[str, str]] = set()          # (stream, SHA-256) of files that were erased by law

    def journal() -> Iterator[bytes]:
        nonlocal rows
        for some in _batches(store.logged(db, kept.size, streams)):
            proofs: list[list[bytes]] = []
            if streams is not None:
                proofs = store.inclusions(db, [one.index for one in some], kept.size)
            for n, one in enumerate(some):
                rows += 1
                body = one.body.decode()
                for found in wanted.intersection(HASH.findall(body)):
                    named.setdefault(found, set()).add(one.stream)
                if '"type":"EraseValues"' in body:
                    gone.update((one.stream, file) for file in json.loads(body)["command"]["act"].get("files", ()))
                shape: dict[str, Any] = {"index": one.index, "stream": one.stream, "sequence": one.sequence,
                                         "body": body}
                if streams is not None:
                    shape["proof"] = [hash.hex() for hash in proofs[n]]
                yield _line(shape)

    def kept_beside() -> Iterator[bytes]:
        nonlocal values
        for one in store.logged(db, kept.size, streams):
            for path, salt, value in one.values:
                values += 1
                yield _line({"stream": one.stream, "sequence": one.sequence, "path": path, "salt": salt.hex(),
                             "value": None if value is None else value.decode()})

    for name, data in chain(sorted({"BACA_SAYA.txt": READ_ME.encode(), **readable.files}.items()), readable.more):
        pack.put(name, data)
    pack.put("verifier.py", (Path(__file__).parent / "verifier.py").read_bytes())
    pack.lines("journal.jsonl", journal())
    pack.lines("values.jsonl", kept_beside())
    signed = beside or [*(one for one in store.of_days(db, kept.size) if one.size != kept.size), kept]
    for one in signed:
        pack.put(f"checkpoints/{file_name(one.size)}", one.note.encode())
    if streams is not None:
        proofs = [{"from": old.size, "to": new.size, "proof": [hash.hex() for hash in
                   store.consistency(db, old.size, new.size)]} for old, new in pairwise(signed)]
        pack.put("consistency.json", _line(proofs))
    count, missing = 0, list[str]()
    for version in versions:
        if version.sha256 in named and f"definitions/{version.sha256}.bpmn" not in pack.hashes:
            diagram = definitions.export(db, version.key, version.version)
            assert diagram is not None, "a version has its bytes"
            pack.put(f"definitions/{version.sha256}.bpmn", diagram)
    for name in sorted(named.keys() & recorded):
        if all((stream, name) in gone for stream in named[name]):
            continue                    # another instance lawfully has the same content; this one no longer does
        try:
            with documents.open_document(db, documents_dir, name) as source:
                pack.lines(readable.documents.get(name, f"documents/{name}"), _chunks(source))
            count += 1
        except LookupError:
            missing.append(name)
    origin = Checkpoint.parse(kept.note).origin
    manifest = {"format": FORMAT, "scope": "journal" if streams is None else "streams", "origin": origin,
                "size": kept.size, "root": base64.b64encode(kept.root).decode(), "streams": streams,
                "files": pack.hashes}
    pack.archive.writestr(_entry("manifest.json"), json.dumps(manifest, indent=1, sort_keys=True))
    return Packed(rows=rows, values=values, documents=count, missing=tuple(missing), checkpoint=kept)


def _batches(rows: Iterable[LoggedRow]) -> Iterator[list[LoggedRow]]:
    some: list[LoggedRow] = []
    for row in rows:
        some.append(row)
        if len(some) == BATCH:
            yield some
            some = []
    if some:
        yield some


def _line(value: Mapping[str, Any] | list[Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(CHUNK_BYTES):
        yield chunk


def _unsigned() -> Unavailable:
    return Unavailable("unsigned", "Not all of this is covered by a signed checkpoint yet.",
                       "Let the worker run for a minute, or say: alur checkpoint now")


def own_checkpoints(data: bytes) -> list[Checkpoint]:
    """The checkpoints in a file that somebody has kept: one or several, or a mail with one."""
    return [Checkpoint.parse(one) for one in verifier.notes_in(data)]


