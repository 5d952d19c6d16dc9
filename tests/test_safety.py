"""What the code never does, what its libraries are known for, and that secrets stay where they are.

The linter's findings are judged here, and the versions of libraries by pip-audit against the advisories on record,
both without the network; `make audit` asks for the newest advisories, which needs it.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

import bootstrap
from engine import event_log
from engine.settings import Settings, hide_password, table
from forms.papers import monitoring, sheet
from tests import advisories

ROOT = bootstrap.ROOT
SOURCES = sorted([*(ROOT / "engine").rglob("*.py"), *(ROOT / "forms").rglob("*.py")])

# --- the linter -----------------------------------------------------------------------------------------------------

# What bandit finds and why it is no fault: (its number, file) -> (how often, the reason). Assertions (B101) say what
# the types cannot, and the program does not start where they are left out (python -O).
EXPLAINED = {
    ("B406", "engine/event_log.py"): (1, "quoteattr writes XML and reads none"),
    ("B406", "forms/papers/word.py"): (1, "escape and quoteattr write XML and read none"),
    ("B104", "engine/settings.py"): (1, "compared with, to name another host; nothing is bound"),
    ("B704", "forms/__init__.py"): (1, "a template of ours, which escapes what it is given"),
    ("B704", "forms/uploads.py"): (1, "a template of ours, which escapes what it is given"),
    ("B704", "forms/account.py"): (1, "the picture of a QR code, drawn by segno"),
    ("B704", "forms/charts.py"): (1, "every text in it went through escape"),
    ("B704", "forms/performance.py"): (1, "every text in it went through escape"),
    ("B107", "forms/notices.py"): (1, "an empty text: no secret was just made"),
    ("B105", "forms/processes.py"): (1, "the pass of a process, not a password"),
}


def test_the_linter_finds_nothing_that_is_not_explained_and_every_explanation_is_needed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "--quiet", "--recursive", "engine", "forms", "--exclude", "forms/web",
         "--skip", "B101", "--format", "json"], cwd=ROOT, capture_output=True, text=True)  # fmt: skip
    said = json.loads(done.stdout)
    assert said["errors"] == [] and len(said["metrics"]) > len(SOURCES), "not everything was read"
    found = Counter((one["test_id"], one["filename"].removeprefix("./")) for one in said["results"])
    assert found == Counter({place: count for place, (count, _) in EXPLAINED.items()})


def test_the_linter_would_have_found_a_slip(tmp_path: Path) -> None:
    (tmp_path / "slip.py").write_text("import pickle\npickle.loads(b'')\n")
    done = subprocess.run([sys.executable, "-m", "bandit", "--quiet", "--format", "json", str(tmp_path / "slip.py")],
                          capture_output=True, text=True)
    assert {one["test_id"] for one in json.loads(done.stdout)["results"]} == {"B301", "B403"}


def test_where_assertions_are_left_out_nothing_starts() -> None:
    done = subprocess.run([sys.executable, "-O", "-m", "engine", "settings"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0 and "-O" in done.stderr and "Traceback" not in done.stderr


def test_a_silenced_finding_says_why() -> None:
    for path in SOURCES:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "nosec" in line:
                assert re.search(r"nosec B\d+: \w+", line), f"{path}: {line}"


# --- what the code never does ---------------------------------------------------------------------------------------

NEVER_CALLED = {"eval", "exec", "compile", "__import__", "input"}
NEVER_CALLED_OF = {("os", "system"), ("os", "popen"), ("os", "execv"), ("os", "spawnv"), ("yaml", "load"),
                   ("yaml", "unsafe_load"), ("tempfile", "mktemp"), ("random", "SystemRandom"),
                   ("ssl", "_create_unverified_context"), ("importlib", "import_module")}  # fmt: skip
NEVER_IMPORTED = {"pickle", "cPickle", "dill", "marshal", "shelve", "yaml", "code", "codeop", "runpy", "ctypes", "cffi",
                  "telnetlib", "ftplib", "xmlrpc", "pty"}  # fmt: skip
ENGINE_THAT_EXECUTES = ("PythonScriptEngine", "TaskDataEnvironment", "NonTaskDataEnvironment")


def named(node: ast.expr) -> str:
    return ast.unparse(node)


def wrong_in(source: str) -> list[str]:
    """What a module does that none of ours does."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = named(node.func)
            head, _, tail = name.rpartition(".")
            if name in NEVER_CALLED or (head, tail) in NEVER_CALLED_OF or name in ("builtins.eval", "builtins.exec"):
                found.append(f"{node.lineno}: {name}()")
            for keyword in node.keywords:
                said = f"{keyword.arg}={ast.unparse(keyword.value)}"
                if said in ("shell=True", "verify=False", "resolve_entities=True", "load_dtd=True", "huge_tree=True",
                            "no_network=False", "autoescape=False"):
                    found.append(f"{node.lineno}: {said}")
        names = [one.name for one in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
        found += [f"{node.lineno}: imports {one}" for one in modules  # type: ignore[attr-defined]
                  if one.split(".")[0] in NEVER_IMPORTED]
        found += [f"{node.lineno}: imports {one}" for one in names  # type: ignore[attr-defined]
                  if any(one.endswith(bad) for bad in ENGINE_THAT_EXECUTES)]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_is_evaluated_unpickled_or_run(path: Path) -> None:
    wrong = wrong_in(path.read_text(encoding="utf-8"))
    if path.name == "watchdog.py":      # ends a thread of ours that computes for too long; there is no other way
        wrong = [one for one in wrong if not one.endswith("imports ctypes")]
    assert wrong == []


@pytest.mark.parametrize("slip", [
    "eval('1')", "exec(code)", "import builtins\nbuiltins.eval('1')", "import pickle", "from marshal import loads",
    "import yaml\nyaml.load(x)", "run('ls', shell=True)", "get(url, verify=False)", "XMLParser(resolve_entities=True)",
    "from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine", "import os\nos.system('ls')",
    "compile(x, 'x', 'eval')", "__import__('os')"])
def test_the_ban_would_have_found_a_slip(slip: str) -> None:
    assert wrong_in(slip)


# --- the libraries --------------------------------------------------------------------------------------------------

def audit(lock: Path, address: str, cache: Path) -> subprocess.CompletedProcess[str]:
    """What pip-audit says about a lock, asking the advisories of this address; it resolves and fetches nothing."""
    return subprocess.run(
        [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--strict", "-r", str(lock),
         "--vulnerability-service", "osv", "--osv-url", address, "--cache-dir", str(cache),
         "--progress-spinner", "off", "--format", "json"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, env={**os.environ, "NO_PROXY": "127.0.0.1"})  # fmt: skip


def named_by(done: subprocess.CompletedProcess[str]) -> dict[str, set[str]]:
    """The weaknesses that pip-audit found: name of the package -> their numbers."""
    found = json.loads(done.stdout)["dependencies"]
    return {one["name"]: {weakness["id"] for weakness in one["vulns"]} for one in found if one["vulns"]}


@pytest.mark.parametrize("lock", advisories.LOCKS)
def test_no_library_is_older_than_its_known_weaknesses(lock: str, tmp_path: Path) -> None:
    with advisories.serve() as (address, asked):
        done = audit(ROOT / lock, address, tmp_path)
    assert (done.returncode, named_by(done)) == (0, {}), done.stderr
    assert len(asked) == len(json.loads(done.stdout)["dependencies"]) > 60
    assert {"lxml", "authlib", "cryptography", "flask", "werkzeug", "jinja2", "waitress", "pillow"} <= set(asked)


def test_a_library_with_a_known_weakness_would_have_been_found(tmp_path: Path) -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    old = re.sub(r"^jinja2==\S+", "jinja2==3.1.5", re.sub(r"^pypdf==\S+", "pypdf==6.6.0", lock, flags=re.M), flags=re.M)
    (tmp_path / "old.lock").write_text(old, encoding="utf-8")
    with advisories.serve() as (address, _):
        done = audit(tmp_path / "old.lock", address, tmp_path / "cache")
    assert done.returncode == 1
    found = named_by(done)
    assert set(found) == {"jinja2", "pypdf"} and found["jinja2"] == {"CVE-2025-27516"}
    assert "CVE-2026-24688" in found["pypdf"] and "CVE-2026-22690" not in found["pypdf"], "mended in that very release"


def test_a_lock_that_cannot_be_judged_is_not_called_good(tmp_path: Path) -> None:
    with advisories.serve() as (address, _):
        pass
    done = audit(ROOT / "requirements.lock", address, tmp_path)     # nobody answers there any more
    assert done.returncode != 0 and "No known vulnerabilities" not in done.stderr


def test_the_record_says_of_when_and_from_where_it_is_and_is_about_our_libraries() -> None:
    record, packages = advisories.record(), set(advisories.locked())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", record["recorded"]) and record["source"] and record["licence"]
    assert set(record["packages"]) <= packages
    for name, found in record["packages"].items():
        assert all(one["id"] and one["summary"] and one["affected"] for one in found), name
    assert advisories.RECORD.stat().st_size < 1_000_000


def test_the_record_is_written_anew_from_a_service_as_it_was_served() -> None:
    known = advisories.record()["packages"]
    taken_back = {**known["jinja2"][0], "id": "CVE-0000-0001", "withdrawn": "2026-01-01T00:00:00Z"}
    with advisories.serve({**known, "jinja2": [taken_back, *known["jinja2"]]}) as (address, asked):
        packages = {name: advisories.ask(address, name) for name in advisories.locked()}
    assert len(asked) == len(packages)
    again = json.loads(advisories.written(packages, datetime(2026, 2, 3, tzinfo=UTC)))
    assert again["recorded"] == "2026-02-03" and "CC-BY" in again["licence"]
    assert again["packages"] == {name: sorted(found, key=lambda one: one["id"]) for name, found in known.items()}


@pytest.mark.parametrize(("events", "version", "said"), [
    ([{"introduced": "0"}, {"fixed": "2.0"}], "1.9", True), ([{"introduced": "0"}, {"fixed": "2.0"}], "2.0", False),
    ([{"introduced": "1.5"}, {"last_affected": "1.7"}], "1.7", True),
    ([{"introduced": "1.5"}, {"last_affected": "1.7"}], "1.7.1", False),
    ([{"fixed": "1.1"}, {"introduced": "0"}, {"fixed": "2.1"}, {"introduced": "2.0"}], "1.5", False),
    ([{"fixed": "1.1"}, {"introduced": "0"}, {"fixed": "2.1"}, {"introduced": "2.0"}], "2.0.post1", True),
    ([{"introduced": "0"}], "99", True), ([{"introduced": "0"}, {"fixed": "10.0"}], "9.9", True)])
def test_an_advisory_is_about_the_releases_of_its_ranges(events: list[dict[str, str]], version: str,
                                                         said: bool) -> None:
    advisory = {"affected": [{"ranges": [{"type": "ECOSYSTEM", "events": events}]}]}
    assert advisories.affects(advisory, "one", version) is said
    assert advisories.affects({"affected": [{"versions": [version]}]}, "one", version)


def test_every_library_is_pinned_by_the_hash_of_its_files() -> None:
    for name in ("requirements.lock", "requirements-test.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        entries = re.split(r"\n(?=[a-z0-9])", text[re.search(r"^[a-z0-9]", text, re.MULTILINE).start():])  # type: ignore[union-attr]
        bare = [one.splitlines()[0] for one in entries if "--hash=sha256:" not in one]
        assert bare == [], name
    packages = json.loads((ROOT / "tests/node/package-lock.json").read_text())["packages"]
    assert [place for place, one in packages.items() if place and "integrity" not in one] == []


def test_how_soon_a_weakness_is_mended_is_written_down_for_every_severity() -> None:
    text = (ROOT / "docs" / "updates.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (critical|high|medium|low)\b[^|]*\| [^|]*?(\d+) (?:working )?days? ", text, re.MULTILINE)
    assert [severity for severity, _ in rows] == ["critical", "high", "medium", "low"]
    assert [int(days) for _, days in rows] == sorted(int(days) for _, days in rows)
    for command in re.findall(r"`make (\w+)", text):
        assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), command
    for path in re.findall(r"`((?:\w+/)*[\w-]+\.(?:lock|toml|json|yml|py|md))`", text):
        assert (ROOT / path).is_file(), path


def test_the_newest_advisories_are_asked_for_by_one_command_and_the_record_is_renewed_by_another() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    # Strict: where the index knows none of the packages, nothing was judged, and that is no success.
    assert re.search(r"^audit:.*pip-audit --strict.*requirements\.lock", makefile, re.MULTILINE)
    assert re.search(r"^advisories:.*-m tests\.advisories", makefile, re.MULTILINE)


# --- spreadsheets ---------------------------------------------------------------------------------------------------

COMPUTED = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\uff1d1", "|cmd", "%0a=1",
            "=HYPERLINK(\"https://jahat.example\")"]  # fmt: skip


@pytest.mark.parametrize("value", COMPUTED)
def test_no_cell_of_a_csv_begins_as_a_formula_does(value: str) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([event_log.harmless(value)])
    [[cell]] = csv.reader(io.StringIO(out.getvalue()))
    assert cell.lstrip()[:1] not in "=+-@\t\r|%" or cell.startswith("'")
    assert cell.startswith("'")


def test_every_writer_of_csv_makes_its_cells_harmless() -> None:
    wrong = []
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        constants_only = path.name == "import_csv.py"       # the template of an import: our own words
        if "csv.writer(" in text and "harmless(" not in text and not constants_only:
            wrong.append(path.name)
        assert "csv.DictWriter" not in text
    assert wrong == []


def test_every_cell_of_a_spreadsheet_is_a_text() -> None:
    for module in (sheet, monitoring):
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        assert ".value =" not in source.replace("cell.value = text", ""), "cells are written by _write alone"
    from openpyxl import Workbook

    page = Workbook().active
    for row, value in enumerate(COMPUTED, 1):
        cell = sheet._write(page, row, 1, value)
        assert cell.data_type == "s"


# --- secrets --------------------------------------------------------------------------------------------------------

CANARY = "kenari-rahasia-7391"


def test_settings_show_no_secret(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(CANARY)
    chosen = Settings(data_dir=tmp_path, database_url=f"postgresql://alur:{CANARY}@db/alur?password={CANARY}",
                      smtp_url=f"smtp://alur:{CANARY}@mail.example:25", oidc_client_secret_file=secret,
                      smtp_password_file=secret, database_password_file=secret)
    assert CANARY not in json.dumps(table(chosen))
    assert hide_password("postgresql://a@b/c") == "postgresql://a@b/c"


@pytest.mark.database
@pytest.mark.parametrize("command", [["settings", "--json"], ["doctor"]])
def test_the_command_line_says_no_secret(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(CANARY)
    given = {"ALUR_DATABASE_URL": f"postgresql://alur:{CANARY}@127.0.0.1:1/alur", "ALUR_DATA_DIR": str(tmp_path),
             "ALUR_SMTP_URL": f"smtp://alur:{CANARY}@127.0.0.1:1", "ALUR_OIDC_ISSUER": "https://127.0.0.1:1",
             "ALUR_OIDC_CLIENT_ID": "alur", "ALUR_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
             "ALUR_LOG_LEVEL": "debug"}  # fmt: skip
    outside = {name: value for name, value in os.environ.items() if not name.startswith("ALUR_")}
    done = subprocess.run([sys.executable, "-m", "engine", *command], cwd=ROOT, env={**outside, **given},
                          capture_output=True, text=True, timeout=60)
    assert done.stdout + done.stderr and CANARY not in done.stdout + done.stderr


# --- the table of ASVS ----------------------------------------------------------------------------------------------

# How many requirements of levels 1 and 2 each section of OWASP ASVS 5.0.0 has; they are numbered from 1.
REQUIREMENTS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4,
    "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5,
    "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4,
    "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1,
    "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3,
    "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4,
    "17.3": 2}  # fmt: skip
ROW = re.compile(r"^\| ([0-9.]+)(?: to ([0-9.]+))? \| [12/]+ \| ([^|]+) \| (met|partly|not met|n/a) \| ([^|]+) \|$")


def rows_of_asvs() -> list[re.Match[str]]:
    lines = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8").splitlines()
    return [found for line in lines if (found := ROW.match(line))]


def test_the_table_of_asvs_leaves_no_requirement_out() -> None:
    ids = []
    for first, last, *_ in (row.groups() for row in rows_of_asvs()):
        section, _, number = first.rpartition(".")
        ids += [f"{section}.{n}" for n in range(int(number), int((last or first).rpartition(".")[2]) + 1)]
    assert sorted(ids) == sorted(f"{section}.{n + 1}" for section, count in REQUIREMENTS.items() for n in range(count))
    states = Counter(row[4] for row in rows_of_asvs())
    assert states["partly"], "a table that finds nothing was not looked at"


@cache
def names_in(path: str) -> frozenset[str]:
    """The functions, classes and values that a module defines."""
    nodes = list(ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))))
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return frozenset(defined | {node.id for node in nodes
                                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)})


def test_the_table_of_asvs_names_only_what_there_is() -> None:
    """Tests, files and functions; and what is said to be met says where."""
    wrong, text = [], (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    for path, name in re.findall(r"`([\w./-]+\.(?:py|md|html|js|toml|lock|json))(?:::(\w+))?`", text):
        if not (ROOT / path).is_file():
            wrong.append(f"{path}: there is none")
        elif name:
            if name not in names_in(path):
                wrong.append(f"{path} has no {name}")
    assert wrong == []
    bare = [row[1] for row in rows_of_asvs() if row[4] == "met" and len(row[5]) < 15]
    assert bare == []


def test_the_table_of_asvs_counts_itself_rightly() -> None:
    text = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    said = re.search(r"Of (\d+): (\d+) met, (\d+) partly, (\d+) not met, (\d+) of things", text)
    assert said
    counts: Counter[str] = Counter()
    for first, last, *rest in (row.groups() for row in rows_of_asvs()):
        counts[rest[1]] += int((last or first).rpartition(".")[2]) - int(first.rpartition(".")[2]) + 1
    assert [int(one) for one in said.groups()] == [
        counts.total(), counts["met"], counts["partly"], counts["not met"], counts["n/a"]]
