"""The one door to the database: transactions on SQLite and PostgreSQL, the same to those who pass through it.

SQLite (a kecamatan on a laptop): WAL, synchronous FULL, one writer at a time by BEGIN IMMEDIATE. PostgreSQL (a
kabupaten): read committed; rows and advisory locks order those who write. BEGIN and COMMIT go to the driver directly:
that costs a third of SQLAlchemy's own (measured), and on PostgreSQL the BEGIN brings the server's time along.
"""
from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import psycopg
import psycopg.pq
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

WAIT_SECONDS = 30               # for another writer
CONNECT_SECONDS = 10
KEY_BYTES = 32
SQLITE_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON",
                  f"busy_timeout = {WAIT_SECONDS * 1000}", "trusted_schema = OFF")
POSTGRESQL_OPTIONS = f"-c TimeZone=UTC -c lock_timeout={WAIT_SECONDS}s"
BEGIN_POSTGRESQL = "BEGIN ISOLATION LEVEL {}; SELECT transaction_timestamp()"


class Unavailable(Exception):
    """Something outside the program is not as it must be: a file, a server, a folder. One sentence, and what to do.

    code  for programs: database_unwritable, database_unreachable, database_url, key_unsafe, ...
    """

    def __init__(self, code: str, message: str, remedy: str):
        super().__init__(f"{message} {remedy}")
        self.code, self.message, self.remedy = code, message, remedy


@dataclass(frozen=True)
class Database:
    """An open database. Connections come from its pool and go back to it; threads may share a Database."""
    engine: Engine
    key: bytes = field(repr=False)          # of the journal's MAC

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    def begin(self) -> Any:
        """A connection in a write transaction: committed at the end of the block, rolled back when it raises."""
        return self._transaction("BEGIN IMMEDIATE", "READ COMMITTED")

    def read(self) -> Any:
        """A connection in a read-only transaction. Each statement sees what is committed (SQLite: at the first one)."""
        return self._transaction("BEGIN", "READ COMMITTED READ ONLY")

    def snapshot(self) -> Any:
        """A connection in a read-only transaction whose statements all see one moment, however long it lasts."""
        return self._transaction("BEGIN", "REPEATABLE READ READ ONLY")

    @contextmanager
    def _transaction(self, sqlite: str, postgresql: str) -> Iterator[Connection]:
        with self.engine.connect() as db:
            driver: Any
            if self.dialect == "sqlite":
                driver = db.connection.driver_connection
                try:
                    driver.execute(sqlite)
                except sqlite3.OperationalError as error:
                    raise sentence(self.engine.url, error) from error
            else:
                driver = self._begin_postgresql(db, postgresql)
            try:
                yield db
                done = driver.execute("COMMIT")
                # PostgreSQL answers the COMMIT of a transaction in which a statement failed with a quiet ROLLBACK.
                if self.dialect == "postgresql" and done.statusmessage != "COMMIT":
                    raise RuntimeError("The transaction was rolled back: one of its statements had failed unnoticed.")
            except BaseException:
                with suppress(Exception):       # a lost connection has nothing to roll back
                    if self.dialect == "postgresql" or driver.in_transaction:
                        driver.rollback()
                db.info.pop("at", None)
                raise
            db.info.pop("at", None)

    def _begin_postgresql(self, db: Connection, isolation: str) -> Any:
        """BEGIN, with the server's time in the same round trip. A connection that died in the pool is replaced."""
        for last in (False, True):
            driver: Any = db.connection.driver_connection
            try:
                cursor = driver.execute(BEGIN_POSTGRESQL.format(isolation), prepare=False)
                cursor.nextset()
                db.info["at"] = cursor.fetchone()[0]
                return driver
            except psycopg.OperationalError as error:
                if last or not driver.closed:
                    raise sentence(self.engine.url, error) from error
                db.invalidate()
                self.engine.dispose()           # the others in the pool died with it
                try:
                    db.connection               # noqa: B018 - reconnects
                except DBAPIError as lost:
                    raise sentence(self.engine.url, lost) from lost
        raise AssertionError("unreachable")

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str, key: bytes, password: str | None = None, connections: int = 16) -> Database:
    """The database at `url`, reachable and writable; an SQLite file and its folder are made when they are missing.

    url          `sqlite:///var/alur.db` (relative to the working directory) or `postgresql://user@host/name`.
    key          of the journal's MAC (`journal_key`).
    password     of PostgreSQL, when it does not stand in the URL.
    connections  how many to PostgreSQL at most, by all threads of this process.
    Raises Unavailable.
    """
    try:
        where = make_url(url)
    except ArgumentError as error:
        raise Unavailable("database_url", f"ALUR_DATABASE_URL is {url!r}, which is no address of a database.",
                          "Use sqlite:///var/alur.db or postgresql://user@host/name.") from error
    name = where.get_backend_name()
    if name == "sqlite" and where.database and where.database != ":memory:":
        engine = _open_sqlite(where)
    elif name in ("postgresql", "postgres"):
        where = where.set(drivername="postgresql+psycopg")
        engine = _open_postgresql(where.set(password=password) if password else where, connections)
    else:
        raise Unavailable("database_url", f"ALUR_DATABASE_URL is {where.render_as_string()!r}, which Alur cannot use.",
                          "Use sqlite:///var/alur.db (a file) or postgresql://user@host/name.")
    return Database(engine, key)


def _open_sqlite(where: URL) -> Engine:
    path = Path(where.database or "")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise sentence(where, error) from error
    # A pool as wide as threads come: a reader never waits for another reader's connection.
    engine = create_engine(where, isolation_level="AUTOCOMMIT", pool_size=8, max_overflow=-1,
                           connect_args={"timeout": WAIT_SECONDS})

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None       # transactions begin where we say, not where the driver guesses
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", prepare)
    try:
        with engine.connect() as db:
            driver: Any = db.connection.driver_connection
            driver.execute("BEGIN IMMEDIATE")
            driver.execute("ROLLBACK")
    except (DBAPIError, sqlite3.Error) as error:
        raise sentence(where, error) from error
    return engine


def _open_postgresql(where: URL, connections: int) -> Engine:
    engine = create_engine(where, isolation_level="AUTOCOMMIT", pool_size=connections, max_overflow=0,
                           pool_timeout=WAIT_SECONDS, use_native_hstore=False,
                           connect_args={"connect_timeout": CONNECT_SECONDS, "prepare_threshold": 2,
                                         "application_name": "alur", "options": POSTGRESQL_OPTIONS})
    try:
        with engine.connect():
            pass
    except (DBAPIError, psycopg.Error) as error:
        raise sentence(where, error) from error
    return engine


def sentence(where: URL, error: Exception) -> Unavailable:
    """What went wrong with the database at `where`, in one sentence, and what to do."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()[0].rstrip(".")
    if where.get_backend_name() == "sqlite":
        if "locked" in said or "busy" in said:
            return Unavailable("database_busy", f"{where.database} was busy for {WAIT_SECONDS} seconds.",
                               "Another program holds it: end that one, then try again.")
        return Unavailable("database_unwritable",
                           f"The database file {where.database} cannot be opened for writing: {said}.",
                           "Check that its folder exists, that you may write there, and that the disk has room.")
    return Unavailable("database_unreachable", f"PostgreSQL at {where.host or 'its socket'} does not answer: {said}.",
                       "Check that it runs, and the name and password in ALUR_DATABASE_URL.")


def now(db: Connection) -> datetime:
    """The instant that a command given now carries, aware, UTC: PostgreSQL's transaction time, or this machine's clock.

    Read once, at the door; nothing behind it looks at a clock.
    """
    if db.dialect.name == "sqlite":
        return datetime.now(UTC)
    at = db.info.get("at") or db.exec_driver_sql("SELECT transaction_timestamp()").scalar_one()
    return at.astimezone(UTC)


def lock(db: Connection, name: str) -> None:
    """Let one transaction at a time go on under this name, until it ends. On SQLite the write lock does so already."""
    if db.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(f"alur {name}".encode()).digest()[:8], signed=True)
        db.exec_driver_sql("SELECT pg_advisory_xact_lock(%(number)s)", {"number": number})


# The key of the journal's MAC

def journal_key(path: Path) -> bytes:
    """The 32 bytes of the journal's key, made at the first run. Who has only the database cannot append to the journal.

    Raises Unavailable when others may read the file, or when it is no key.
    """
    try:
        return _read_key(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _unreadable(path, error) from error
    write_key(path, secrets.token_bytes(KEY_BYTES))
    return _read_key(path)


def write_key(path: Path, key: bytes) -> None:
    """Put a key in its place, for its owner only, unless one is there. Raises Unavailable."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Whole or not at all, and the first of two processes wins: written aside, then linked to its name.
        aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            os.write(file, key)
            os.fsync(file)
        finally:
            os.close(file)
        try:
            with suppress(FileExistsError):
                os.link(aside, path)
        finally:
            aside.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise _unreadable(path, error) from error


def _read_key(path: Path) -> bytes:
    key = path.read_bytes()
    mode = path.stat().st_mode
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Unavailable("key_unsafe", f"Others may read the journal's key {path} (mode {stat.S_IMODE(mode):o}).",
                          f"Say: chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise Unavailable("key_broken", f"{path} is no journal key: it has {len(key)} bytes, not {KEY_BYTES}.",
                          "Put back the file that this installation was made with.")
    return key


def _unreadable(path: Path, error: OSError) -> Unavailable:
    return Unavailable("key_unreadable", f"The journal's key {path} cannot be read or made: {error.strerror}.",
                       "Check that its folder exists and that you may write there.")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def written_whole(file: Path, what: str) -> Iterator[IO[bytes]]:
    """A new file to write into, its owner's alone, that appears under its name only when it is whole and durable.

    what  "a backup", for who would overwrite one.
    Raises Unavailable when the file exists or cannot be written; what was begun is gone then.
    """
    if file.exists():
        raise Unavailable("file_exists", f"{file} is there already.",
                          f"Name another file; {what} is never overwritten.")
    aside = file.with_name(f".{file.name}.part")
    try:
        with open(aside, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(aside, file)
        sync_folder(file.absolute().parent)
    except OSError as error:
        raise Unavailable("file_unwritable", f"{file} cannot be written: {error.strerror}.",
                          "Check that its folder exists, that you may write, and that the disk has room.") from error
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()


# Migrations

def migrate(database: Database) -> tuple[str | None, str]:
    """Bring the tables to the newest revision; (revision before, revision now). Two processes may do it at once.

    Alembic runs inside one transaction on the connection it is given, without an alembic.ini.
    Raises Unavailable when the database is of a newer Alur.
    """
    from alembic import command
    from alembic.util import CommandError

    with database.begin() as db:
        lock(db, "migrate")
        before = revision(db)
        try:
            command.upgrade(_alembic(db), "head")
        except CommandError as error:
            raise Unavailable("database_newer", f"The database is at revision {before}, which this Alur does not know.",
                              "Use the newer Alur that made it, or restore a backup.") from error
        after = revision(db)
        assert after is not None
        return before, after


def revision(db: Connection) -> str | None:
    """The revision of the tables, None where there are none yet."""
    if not inspect(db).has_table("alembic_version"):
        return None
    return db.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def newest_revision() -> str:
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(_alembic(None)).get_current_head()
    assert head is not None
    return head


def _alembic(db: Connection | None) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", (Path(__file__).parent / "migrations").as_posix().replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = db
    return config


