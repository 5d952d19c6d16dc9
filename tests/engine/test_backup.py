"""An installation in one file and back: the same rows, documents and proofs, on either database, or nothing at all."""
from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from engine import handle
from engine.backup import KEY_NAME, backup, put_back_key, restore
from engine.bench import Office
from engine.commands import AttachDocument, Attachment, File
from engine.store import documents, integrity, tables
from engine.store.database import Database, Unavailable, journal_key, migrate, open_database
from engine.store.schema import instance, journal, metadata, session
from tests.conftest import PostgreSQL

AT = datetime(2026, 12, 9, 12, 0, tzinfo=UTC)
PDF = b"%PDF-1.7\n% rancangan \n%%EOF\n"
numbers = count(1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "documents"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "alur.zip"


@pytest.fixture
def filled(office: Office, folder: Path) -> Office:
    """An office with an instance at step 5, and a real document in it."""
    id = office.begin(2026)
    stored = documents.store(BytesIO(PDF), "rancangan.pdf", folder)
    with office.database.begin() as db:
        documents.record(db, folder, stored, AT)
    kept = File(name="rancangan.pdf", sha256=stored.sha256, size_bytes=stored.size_bytes, media_type=stored.media_type)
    attachment = Attachment(files=(kept,))
    _, number = office.open(id)
    office.do(id, "tim1", AttachDocument(document="rancangan_akhir", user_task=number, attachment=attachment))
    return office


@pytest.fixture(params=["sqlite", "postgresql"])
def another(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Database]:
    """Makes an empty, migrated database with the same key."""
    made: list[Database] = []

    def make() -> Database:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / f'other{next(numbers)}.db'}"
        else:
            server: PostgreSQL = request.getfixturevalue("postgresql")
            url = server.create(f"restored_{next(numbers)}")
        made.append(open_database(url, b"b" * 32))
        migrate(made[-1])
        return made[-1]

    request.addfinalizer(lambda: [one.close() for one in made])
    return make


def content(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as db:
        return {name: [tuple(row) for row in tables.read(db, name)] for name in tables.NAMES}


def rewritten(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The same backup after somebody changed it."""
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    changed = file.with_name("changed.zip")
    with zipfile.ZipFile(changed, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return changed


def test_a_restored_installation_is_the_one_that_was_backed_up(
        filled: Office, another: Callable[[], Database], folder: Path, file: Path, tmp_path: Path) -> None:
    written = backup(filled.database, folder, file, AT)
    assert written["documents"] == 1
    target, documents_dir = another(), tmp_path / "restored"
    told = restore(target, documents_dir, file)
    assert told == written
    assert content(target) == content(filled.database)
    assert [path.read_bytes() for path in documents_dir.rglob("*") if path.is_file()] == [PDF]
    with target.read() as db:
        assert integrity.verify(db, target.key).faults == []
        id = db.execute(select(instance.c.id)).scalar_one()
        again, _ = handle.replayed(db, filled.rules, id)
        assert again.sequence == db.execute(select(instance.c.sequence)).scalar_one()


def test_a_backup_sees_one_moment_while_others_write(filled: Office, folder: Path, file: Path) -> None:
    rows = content(filled.database)
    wrote = []

    def write(*_: object) -> None:          # in the middle of the backup, between two tables
        if not wrote:
            wrote.append(filled.begin(2027))

    read = tables.read

    def read_slowly(db: Any, name: str) -> Any:
        if name == "unit":
            write()
        return read(db, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "read", read_slowly)
        written = backup(filled.database, folder, file, AT)
    assert wrote
    assert len(content(filled.database)["journal"]) > len(rows["journal"])
    assert written["rows"] == {name: len(found) for name, found in rows.items()}


def test_who_is_signed_in_and_the_key_are_left_out_unless_the_key_is_asked_for(
        filled: Office, folder: Path, file: Path, tmp_path: Path) -> None:
    now = "2026-12-09T00:00:00.000000Z"
    with filled.database.begin() as db:
        db.execute(insert(session).values(id="s", data="{}", created_at=now, seen_at=now, expires_at=now))
    backup(filled.database, folder, file, AT)
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    assert KEY_NAME not in names
    assert "tables/session.jsonl" not in names
    left_out = {f"tables/{name}.jsonl" for name in metadata.tables} - set(names)
    assert left_out == {f"tables/{name}.jsonl" for name in
                        ("session", "attempt", "log_pending", "invariant_look", "invariant_finding")}
    assert file.stat().st_mode & 0o077 == 0
    with_key = tmp_path / "with.zip"
    backup(filled.database, folder, with_key, AT, key=filled.database.key)
    key_file = tmp_path / "keys" / "journal.key"
    put_back_key(with_key, key_file)
    put_back_key(with_key, key_file)
    assert journal_key(key_file) == filled.database.key


def test_a_key_that_nobody_has_is_asked_for(filled: Office, folder: Path, file: Path, tmp_path: Path) -> None:
    backup(filled.database, folder, file, AT)
    with pytest.raises(Unavailable, match="does not hold the journal's key"):
        put_back_key(file, tmp_path / "journal.key")
    assert not (tmp_path / "journal.key").exists()


def test_another_installations_key_is_not_overwritten(filled: Office, folder: Path, file: Path, tmp_path: Path) -> None:
    backup(filled.database, folder, file, AT, key=filled.database.key)
    mine = journal_key(tmp_path / "journal.key")
    with pytest.raises(Unavailable, match="another key"):
        put_back_key(file, tmp_path / "journal.key")
    assert journal_key(tmp_path / "journal.key") == mine


def test_a_missing_or_damaged_document_is_named_and_stops_nothing(filled: Office, folder: Path, file: Path) -> None:
    (path,) = (one for one in folder.rglob("*") if one.is_file())
    path.write_bytes(b"another content")
    written = backup(filled.database, folder, file, AT)
    assert written["missing"][-1] == sha256(PDF).hexdigest()


def test_a_backup_is_never_overwritten_and_never_half(filled: Office, folder: Path, file: Path) -> None:
    file.write_bytes(b"precious")
    with pytest.raises(Unavailable, match="never overwritten"):
        backup(filled.database, folder, file, AT)
    assert file.read_bytes() == b"precious"
    with pytest.raises(Unavailable, match="cannot be written"):
        backup(filled.database, folder, file.parent / "nowhere" / "alur.zip", AT)
    assert sorted(one.name for one in file.parent.glob("*.zip*")) == ["alur.zip"]


def test_only_an_empty_database_is_filled(filled: Office, folder: Path, file: Path, tmp_path: Path) -> None:
    backup(filled.database, folder, file, AT)
    before = content(filled.database)
    with pytest.raises(Unavailable, match="not empty"):
        restore(filled.database, tmp_path / "restored", file)
    assert content(filled.database) == before


def a_row_changed(entries: dict[str, bytes]) -> None:
    entries["tables/person.jsonl"] = entries["tables/person.jsonl"].replace(b"Camat Lasem", b"Camat Rasem")


def a_row_lost(entries: dict[str, bytes]) -> None:
    entries["tables/journal.jsonl"] = b"\n".join(entries["tables/journal.jsonl"].split(b"\n")[1:])


def a_table_lost(entries: dict[str, bytes]) -> None:
    del entries["tables/binding.jsonl"]


def a_document_changed(entries: dict[str, bytes]) -> None:
    name = next(one for one in entries if one.startswith("documents/"))
    entries[name] = PDF + b" "


def a_manifest_lost(entries: dict[str, bytes]) -> None:
    del entries["manifest.json"]


def another_revision(entries: dict[str, bytes]) -> None:
    manifest = json.loads(entries["manifest.json"])
    entries["manifest.json"] = json.dumps({**manifest, "revision": "0000"}).encode()


def a_document_outside(entries: dict[str, bytes]) -> None:
    manifest = json.loads(entries["manifest.json"])
    manifest["sha256"]["documents/../../outside"] = "0" * 64
    entries["manifest.json"], entries["documents/../../outside"] = json.dumps(manifest).encode(), b"x"


DAMAGES = {a_row_changed: "damaged", a_row_lost: "damaged", a_table_lost: "damaged", a_document_changed: "damaged",
           a_manifest_lost: "no backup", another_revision: "revision 0000", a_document_outside: "damaged"}


def test_a_damaged_backup_restores_nothing(filled: Office, folder: Path, file: Path, tmp_path: Path) -> None:
    backup(filled.database, folder, file, AT)
    target = open_database(f"sqlite:///{tmp_path / 'target.db'}", b"b" * 32)
    migrate(target)
    for damage, says in DAMAGES.items():
        with pytest.raises(Unavailable, match=says):
            restore(target, tmp_path / "restored", rewritten(file, damage))
        with target.read() as db:
            assert tables.not_empty(db) == []
    assert not (tmp_path / "outside").exists()
    restore(target, tmp_path / "restored", file)        # the backup itself is well
    target.close()


def test_a_backup_under_another_key_restores_nothing(filled: Office, folder: Path, file: Path, tmp_path: Path) -> None:
    backup(filled.database, folder, file, AT)
    target = open_database(f"sqlite:///{tmp_path / 'target.db'}", b"x" * 32)
    migrate(target)
    with pytest.raises(Unavailable, match="did not seal it"):
        restore(target, tmp_path / "restored", file)
    with target.read() as db:
        assert tables.not_empty(db) == []
    target.close()


@pytest.mark.database
def test_what_is_no_backup_is_said(tmp_path: Path) -> None:
    (tmp_path / "letter.zip").write_text("A letter.")
    target = open_database(f"sqlite:///{tmp_path / 'target.db'}", b"x" * 32)
    migrate(target)
    with pytest.raises(Unavailable, match="no backup"):
        restore(target, tmp_path / "restored", tmp_path / "letter.zip")
    target.close()


# What `alur verify` finds, once somebody took the triggers away

def without_triggers(database: Database) -> None:
    with database.begin() as db:
        for name in db.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all():
            db.exec_driver_sql(f"DROP TRIGGER {name}")


TAMPERINGS = {
    "a body": ("UPDATE journal SET body = hash WHERE stream LIKE 'instance/%' AND sequence = 3", "instance/"),
    "a hash": ("UPDATE journal SET hash = mac WHERE stream = 'organisation' AND sequence = 2", "organisation"),
    "a MAC": ("UPDATE journal SET mac = hash WHERE stream = 'organisation' AND sequence = 2", "seal"),
    "a row": ("DELETE FROM journal WHERE stream LIKE 'instance/%' AND sequence = 3", "was expected"),
    "the tail": ("DELETE FROM journal WHERE stream LIKE 'instance/%' AND sequence > 5", "its journal ends"),
    "a whole journal": ("DELETE FROM journal WHERE stream LIKE 'instance/%'", "ends at row 0"),
    "a value": ("UPDATE journal_value SET value = salt WHERE stream = 'organisation'", "organisation"),
    "a stray value": ("UPDATE journal_value SET sequence = sequence + 9000", "belongs to no row"),
    "a command id": ("UPDATE journal SET command_id = 'x' WHERE sequence = 2", "its command"),
}


def test_every_tampering_is_found(filled: Office, folder: Path, file: Path, tmp_path: Path) -> None:
    backup(filled.database, folder, file, AT)
    with filled.database.snapshot() as db:
        whole = integrity.verify(db, filled.database.key)
    assert whole.faults == []
    assert whole.rows == len(content(filled.database)["journal"])
    found = {}
    for name, (statement, _) in TAMPERINGS.items():
        target = open_database(f"sqlite:///{tmp_path / f'{name}.db'}", b"b" * 32)
        migrate(target)
        restore(target, tmp_path / "restored", file)
        without_triggers(target)
        with target.begin() as db:
            db.exec_driver_sql(statement)
        with target.snapshot() as db:
            found[name] = [one.message for one in integrity.verify(db, target.key).faults]
        target.close()
    unseen = [name for name, faults in found.items() if not any(TAMPERINGS[name][1] in one for one in faults)]
    assert unseen == [], found


def test_an_erased_value_is_no_fault(filled: Office) -> None:
    with filled.database.begin() as db:
        db.execute(update(metadata.tables["journal_value"]).values(value=None))
    with filled.database.snapshot() as db:
        found = integrity.verify(db, filled.database.key)
        assert found.faults == []
        assert found.erased == found.values > 0
        assert integrity.newest_row_fault(db, filled.database.key) is None
        assert "another key" in str(integrity.newest_row_fault(db, bytes(32)))
        assert db.execute(select(journal)).first() is not None
