"""The database: migrations that make exactly the tables, a journal nobody rewrites, transactions, the key file."""
from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from engine.organisation import AuditScope, Unit
from engine.store import database as databases
from engine.store import definitions, drafts, journal, organisation
from engine.store.database import Database, Unavailable, journal_key, migrate, now, open_database
from engine.store.schema import journal as journal_table
from engine.store.schema import journal_value, metadata, setting, user_task

KEY = bytes(range(32))
AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = open_database(database_url, KEY)
    migrate(database)
    yield database
    database.close()


def append(db: Connection, sequence: int = 1, command_id: str = "c1") -> None:
    journal.append(db, KEY, stream="organisation", sequence=sequence, prev=None, command_id=command_id, at=AT,
                   command={"type": "Nothing"}, events=())


def keep_a_value(db: Connection) -> None:
    db.execute(insert(journal_value).values(stream="organisation", sequence=1, path="command.x", salt=b"s", value=b"v"))


# Migrations

def test_the_migrated_tables_are_exactly_the_ones_the_code_uses(database: Database) -> None:
    with database.read() as db:
        context = MigrationContext.configure(db, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_a_second_migration_changes_nothing(database: Database) -> None:
    assert migrate(database) == (databases.newest_revision(), databases.newest_revision())


def test_a_database_of_the_first_release_goes_on_with_its_rows(database_url: str) -> None:
    first = open_database(database_url, KEY)
    with first.begin() as db:
        command.upgrade(databases._alembic(db), "0001")
        append(db)
        db.execute(text("INSERT INTO user_task (instance, number, key, unit, element, name, lane, opened_at, round) "
                        "VALUES ('one', 2, 'k', 'unit', 'write', 'Write', 'staff', '2026-11-23', 1)"))
    assert migrate(first) == ("0001", databases.newest_revision())
    with first.read() as db:
        assert db.execute(select(user_task.c.name, user_task.c.asked_until)).all() == [("Write", None)]
        assert db.execute(select(func.count()).select_from(journal_table)).scalar() == 1
    first.close()


def test_a_database_of_the_second_release_goes_on_with_its_versions_and_drafts(database_url: str) -> None:
    second = open_database(database_url, KEY)
    with second.begin() as db:
        command.upgrade(databases._alembic(db), "0002")
        db.execute(text("INSERT INTO unit (id, name, zone) VALUES ('u', 'Unit', 'Asia/Jakarta')"))
        for version, status, data, meaning in (
                (1, "active", b"one", "m1"), (2, "active", b"two", "m1"), (3, "active", b"three", "m2"),
                (0, "draft", b"four", "m3")):
            db.execute(text(
                "INSERT INTO definition (sha256, key, version, name, status, deployed_at, deployed_by, reason, "
                "canonical_sha256, meaning_sha256, bytes) VALUES (:sha256, 'k', :version, 'SOP', :status, "
                "'2026-11-23T00:00:00.000000Z', 'p', 'x', 'c', :meaning, :data)"),
                {"sha256": sha256(data).hexdigest(), "version": version, "status": status, "meaning": meaning,
                 "data": data})
    assert migrate(second) == ("0002", databases.newest_revision())
    with second.begin() as db:
        versions = definitions.versions(db, "k")
        assert [(one.version, one.cosmetic, one.unit, one.holds_from, one.changes, one.scan) for one in versions] == [
            (1, False, "", "", (), None), (2, True, "", "", (), None), (3, False, "", "", (), None)]
        assert definitions.in_force(db, "k", date(2026, 11, 23)) == versions[-1]
        assert [definitions.export(db, "k", number) for number in (0, 1, 2, 3)] == [None, b"one", b"two", b"three"]
        (draft,) = drafts.listed(db)
        assert (draft.key, draft.origin, draft.state, draft.base) == (
            "k", "file", "open", sha256(b"three").hexdigest())
        assert drafts.content(db, draft.id) == b"four" and drafts.of_files(db) == (draft,)
        assert organisation.unit_of(db, "u") == Unit(id="u", name="Unit")
        definitions.put(db, replace(versions[0], version=4), b"one")    # an old one may be published again
    second.close()


def test_a_database_from_before_there_were_surat_tugas_keeps_its_auditors(database_url: str) -> None:
    older = open_database(database_url, KEY)
    with older.begin() as db:
        command.upgrade(databases._alembic(db), "0004")
        db.execute(text("INSERT INTO unit (id, name, zone) VALUES ('u', 'Unit', 'Asia/Jakarta')"))
        db.execute(text("INSERT INTO person (id, name, login, active) VALUES ('a', 'Auditor', 'auditor', 1)"))
        db.execute(text("INSERT INTO power (person, power, unit) VALUES ('a', 'auditor', 'u')"))
    assert migrate(older) == ("0004", databases.newest_revision())
    with older.read() as db:
        assert organisation.audits(db, "a", datetime(2090, 1, 1, tzinfo=UTC)) == (AuditScope(unit="u"),)
        assert organisation.assignments(db, "a") == () and organisation.load(db).assignments == {}
    older.close()


def test_two_processes_that_migrate_at_once_make_one_database(database_url: str) -> None:
    both = [open_database(database_url, KEY) for _ in range(2)]
    results: list[object] = []

    def run(one: Database) -> None:
        try:
            results.append(migrate(one))
        except Exception as error:      # an exception in a thread would pass unseen
            results.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    newest = databases.newest_revision()
    assert sorted(results, key=str) == [(newest, newest), (None, newest)]
    for one in both:
        one.close()


def test_a_database_of_a_newer_alur_is_not_touched(database: Database) -> None:
    with database.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="9999"):
        migrate(database)


# The journal is append only

ATTACKS = {
    "update": "UPDATE journal SET body = body",
    "update of one row": "UPDATE journal SET command_id = 'x' WHERE sequence = 1",
    "delete": "DELETE FROM journal",
    "upsert": """INSERT INTO journal (stream, sequence, command_id, body, hash, mac)
                 SELECT stream, sequence, command_id, hash, body, mac FROM journal WHERE true
                 ON CONFLICT (stream, sequence) DO UPDATE SET body = excluded.body""",
    "the same command again": """INSERT INTO journal (stream, sequence, command_id, body, hash, mac)
                                 SELECT stream, 2, command_id, body, hash, mac FROM journal""",
    "delete of a value": "DELETE FROM journal_value",
    "update of a value": "UPDATE journal_value SET value = salt",
    "update of a salt": "UPDATE journal_value SET salt = value, value = NULL",
    "a value moved": "UPDATE journal_value SET path = 'command.y', value = NULL",
    "upsert of a value": """INSERT INTO journal_value (stream, sequence, path, salt, value)
                            SELECT stream, sequence, path, salt, salt FROM journal_value WHERE true
                            ON CONFLICT (stream, sequence, path) DO UPDATE SET value = excluded.value""",
}
ATTACKS_ON_SQLITE = {
    "replace": """INSERT OR REPLACE INTO journal (stream, sequence, command_id, body, hash, mac)
                  SELECT stream, sequence, 'other', hash, body, mac FROM journal""",
    "replace by command": """REPLACE INTO journal (stream, sequence, command_id, body, hash, mac)
                             SELECT stream, 7, command_id, hash, body, mac FROM journal""",
    "update or replace": "UPDATE OR REPLACE journal SET sequence = 2",
    "replace of a value": """INSERT OR REPLACE INTO journal_value (stream, sequence, path, salt, value)
                             SELECT stream, sequence, path, salt, salt FROM journal_value""",
}
ATTACKS_ON_POSTGRESQL = {
    "truncate": "TRUNCATE journal",
    "truncate of values": "TRUNCATE journal_value",
    "truncate with others": "TRUNCATE setting, journal CASCADE",
    "update as a replica": "SET LOCAL session_replication_role = replica; UPDATE journal SET body = body",
    "delete of a value as a replica": "SET LOCAL session_replication_role = replica; DELETE FROM journal_value",
}


def content(database: Database) -> list[tuple[object, ...]]:
    with database.read() as db:
        return [tuple(row) for table in (journal_table, journal_value) for row in db.execute(select(table))]


def test_every_attack_on_the_journal_is_refused_and_leaves_it_as_it_was(database: Database) -> None:
    with database.begin() as db:
        append(db)
        keep_a_value(db)
    before = content(database)
    attacks = ATTACKS | (ATTACKS_ON_SQLITE if database.dialect == "sqlite" else ATTACKS_ON_POSTGRESQL)
    refused = {}
    for name, attack in attacks.items():
        try:
            with database.begin() as db:
                for statement in attack.split("; "):
                    db.execute(text(statement))
        except DBAPIError as error:
            refused[name] = str(error.orig)
    assert refused.keys() == attacks.keys()
    assert all("append only" in said or "erased" in said or "is refused" in said or "uq_journal" in said
               for said in refused.values()), refused
    assert content(database) == before


@pytest.mark.database
def test_replacing_is_refused_also_where_recursive_triggers_are_off(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'alur.db'}", KEY)
    migrate(database)
    with database.begin() as db:
        append(db)
    other = sqlite3.connect(tmp_path / "alur.db")       # a plain client: its pragmas are SQLite's own
    with pytest.raises(sqlite3.IntegrityError, match="append only"):
        other.execute(ATTACKS_ON_SQLITE["replace"])
    other.close()
    database.close()


def test_a_value_beside_the_journal_can_be_erased(database: Database) -> None:
    with database.begin() as db:
        append(db)
        keep_a_value(db)
    with database.begin() as db:
        db.execute(journal_value.update().values(value=None))
    with database.read() as db:
        assert db.execute(select(journal_value.c.salt, journal_value.c.value)).one() == (b"s", None)


# Transactions

def names(database: Database) -> list[str]:
    with database.read() as db:
        return list(db.execute(select(setting.c.name).order_by(setting.c.name)).scalars())


def put(db: Connection, name: str) -> None:
    db.execute(insert(setting).values(name=name, value="1"))


def test_a_block_that_raises_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.begin() as db:
        put(db, "a")
        print(1 / 0)
    with database.begin() as db:
        put(db, "b")
    assert names(database) == ["b"]


def test_a_savepoint_undoes_only_its_own_part(database: Database) -> None:
    with database.begin() as db:
        put(db, "a")
        with pytest.raises(ZeroDivisionError), db.begin_nested():
            put(db, "b")
            print(1 / 0)
        with db.begin_nested():
            put(db, "c")
    assert names(database) == ["a", "c"]


def test_a_transaction_with_a_failed_statement_is_never_reported_as_committed(database: Database) -> None:
    def swallow() -> None:
        with database.begin() as db:
            put(db, "a")
            try:
                put(db, "a")
            except DBAPIError:
                pass

    if database.dialect == "postgresql":        # SQLite undoes the statement alone
        with pytest.raises(RuntimeError, match="rolled back"):
            swallow()
        assert names(database) == []
    else:
        swallow()
        assert names(database) == ["a"]


def test_reading_cannot_write(database: Database) -> None:
    if database.dialect == "postgresql":
        with pytest.raises(DBAPIError, match="read-only"), database.read() as db:
            put(db, "a")
        with pytest.raises(DBAPIError, match="read-only"), database.snapshot() as db:
            put(db, "a")
    else:       # SQLite's read transaction is one that took no write lock: others go on writing
        with database.read() as db, database.begin() as other:
            db.execute(select(setting)).all()
            put(other, "a")
        assert names(database) == ["a"]


def test_a_snapshot_sees_one_moment(database: Database) -> None:
    count = select(func.count()).select_from(setting)
    with database.snapshot() as db:
        assert db.execute(count).scalar() == 0
        with database.begin() as other:
            put(other, "a")
        assert db.execute(count).scalar() == 0
    assert names(database) == ["a"]


def test_writers_of_one_name_wait_for_each_other(database: Database) -> None:
    order: list[str] = []
    inside = threading.Event()

    def first() -> None:
        with database.begin() as db:
            databases.lock(db, "x")
            inside.set()
            time.sleep(0.3)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    with database.begin() as db:
        databases.lock(db, "x")
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_the_time_of_a_transaction_is_aware_and_one(database: Database) -> None:
    with database.begin() as db:
        first = now(db)
        assert first.tzinfo is UTC
        assert abs(first - datetime.now(UTC)) < timedelta(minutes=1)
        if database.dialect == "postgresql":
            time.sleep(0.01)
            assert now(db) == first == db.execute(text("SELECT transaction_timestamp()")).scalar()
    with database.begin() as db:
        assert now(db) > first


def test_a_connection_that_died_in_the_pool_is_replaced(database: Database) -> None:
    if database.dialect == "sqlite":
        return_of = names(database)     # a file has no server to lose
        assert return_of == []
        return
    with database.begin() as db:
        mine = db.execute(text("SELECT pg_backend_pid()")).scalar_one()
    other = open_database(database.engine.url.render_as_string(hide_password=False), KEY)
    with other.begin() as db:
        assert db.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine}).scalar() is True
    time.sleep(0.2)
    with database.begin() as db:
        put(db, "after")
    assert names(database) == ["after"]
    other.close()


@pytest.mark.database
def test_sqlite_is_opened_durable(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'alur.db'}", KEY)
    with database.read() as db:
        found = {name: db.execute(text(f"PRAGMA {name}")).scalar()
                 for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "busy_timeout")}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1,
                     "busy_timeout": 30_000}
    database.close()


# Doors that do not open

@pytest.mark.parametrize(("url", "code"), [
    ("nonsense", "database_url"), ("mysql://localhost/alur", "database_url"), ("sqlite://", "database_url"),
    ("sqlite:////dev/null/alur.db", "database_unwritable"),
    ("postgresql://alur@127.0.0.1:1/alur", "database_unreachable"),
])
def test_a_database_that_cannot_be_opened_is_one_clear_sentence(url: str, code: str) -> None:
    with pytest.raises(Unavailable) as refused:
        open_database(url, KEY)
    assert refused.value.code == code
    assert "\n" not in str(refused.value)
    assert refused.value.remedy


@pytest.mark.database
def test_a_file_that_is_no_database_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "alur.db").write_text("This is a letter, not a database. " * 40)
    with pytest.raises(Unavailable, match="not a database"):
        open_database(f"sqlite:///{tmp_path / 'alur.db'}", KEY)


def test_a_password_is_never_in_the_sentence() -> None:
    with pytest.raises(Unavailable) as refused:
        open_database("postgresql://alur@127.0.0.1:1/alur", KEY, password="rahasia")
    assert "rahasia" not in str(refused.value)


# The key of the journal

def test_the_key_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "journal.key"
    key = journal_key(path)
    assert len(key) == 32
    assert journal_key(path) == key
    assert [one.name for one in path.parent.iterdir()] == ["journal.key"]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.key"
    journal_key(path)
    path.chmod(0o640)
    with pytest.raises(Unavailable, match="chmod 600"):
        journal_key(path)


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(Unavailable, match="5 bytes"):
        journal_key(path)


def test_two_processes_that_make_the_key_at_once_get_the_same(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(journal_key(tmp_path / "journal.key"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
