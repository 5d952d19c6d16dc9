"""The demo office with the LKjPD deployed, made once for each kind of database and copied for each test."""
from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engine.bench import Office
from tests.conftest import PostgreSQL

BPMN = Path(__file__).resolve().parents[2] / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn"


@pytest.fixture(scope="session")
def sqlite_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("office") / "alur.db"
    Office.of(f"sqlite:///{file}", BPMN).database.close()      # the last connection folds the WAL into the file
    return file


@pytest.fixture(scope="session")
def postgresql_office(postgresql: PostgreSQL) -> str:
    Office.of(postgresql.create("office"), BPMN).database.close()
    return "office"


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office of this test's own."""
    with ExitStack() as until_the_end:
        if request.param == "sqlite":
            shutil.copy(request.getfixturevalue("sqlite_office"), tmp_path / "alur.db")
            url = f"sqlite:///{tmp_path / 'alur.db'}"
        else:
            copy = request.getfixturevalue("postgresql").copy(request.getfixturevalue("postgresql_office"))
            url = until_the_end.enter_context(copy)
        office = Office.of(url, BPMN)
        yield office
        office.database.close()
