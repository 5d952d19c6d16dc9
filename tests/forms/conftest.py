"""The demo office behind its pages: furnished once for each kind of database, copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import organise
from tests.conftest import PostgreSQL
from tests.desk import QUICK_HASH, Desk, furnish


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the documents of all these offices are: each file has a name of its own, so they may share them."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture(scope="session")
def sqlite_desk(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    file = tmp_path_factory.mktemp("desk") / "alur.db"
    furnish(f"sqlite:///{file}", folder)  # the last connection to close folds the WAL into the file
    return file


@pytest.fixture(scope="session")
def postgresql_desk(postgresql: PostgreSQL, folder: Path) -> str:
    furnish(postgresql.create("desk"), folder)
    return "desk"


@pytest.fixture
def quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2id with the least work: what is tested here is not how long it takes to guess."""
    monkeypatch.setattr(organise, "hasher", QUICK_HASH)
    organise.unknown_hash.cache_clear()


@pytest.fixture(params=["sqlite", "postgresql"])
def desk_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a furnished database that only this test has."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_desk"), tmp_path / "alur.db")
        yield f"sqlite:///{tmp_path / 'alur.db'}"
        return
    with request.getfixturevalue("postgresql").copy(request.getfixturevalue("postgresql_desk")) as url:
        yield url


@pytest.fixture
def site(sqlite_desk: Path, tmp_path: Path, folder: Path, quick_hash: None) -> Iterator[Desk]:
    """The office on SQLite only: for what is said by pages and headers, which no database changes."""
    shutil.copy(sqlite_desk, tmp_path / "alur.db")
    found = Desk.at(f"sqlite:///{tmp_path / 'alur.db'}", folder)
    yield found
    found.database.close()


@pytest.fixture
def desk(desk_url: str, folder: Path, quick_hash: None) -> Iterator[Desk]:
    """The office, with a session's clock at Monday 09.00 WIB."""
    found = Desk.at(desk_url, folder)
    yield found
    found.database.close()
