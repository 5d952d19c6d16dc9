"""The shape of the house, told by its imports: forms -> verbs -> store -> heart -> values; a home for each library."""
from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for part in ("engine", "forms") for path in (ROOT / part).rglob("*.py")
                 if "node_modules" not in path.parts)

VALUES = {"definition", "commands", "events", "marking", "instance"}
HEART = {"bpmn_import", "calendars", "changes", "conformance", "counterparts", "diagram", "element_templates",
         "event_log", "execution", "expressions", "forecast", "gate", "gate_drawing", "gate_forms",
         "import_csv", "ledger", "limits", "monitoring_forms", "organisation", "performance", "playback", "process",
         "rehearsal",
         "reduction", "reminders", "requirements", "rules", "sop",
         "sop_drawing", "sop_forms", "sop_import", "sop_layout", "sop_reading", "sop_table", "soundness", "story",
         "timers", "walk", "whatif"}
# Everything else in engine/ is a verb: it meets the store. What stands lower is named here, so that a new file is a
# verb until somebody says otherwise.
LAYERS = ("values", "heart", "store", "verbs", "forms")

# Commands that start what is shown: `alur serve` the web, `alur sop export` the printer.
REACHING_UP = {("engine/__main__.py", "forms"), ("engine/cli_sop.py", "forms.papers.sop"),
               ("engine/cli_proof.py", "forms"), ("engine/cli_proof.py", "forms.evidence"),
               ("engine/cli_proof.py", "forms.selection")}

HOMES = {                               # library -> the modules that may import it; a folder ends with "/"
    "flask": {"forms/"}, "flask_babel": {"forms/"}, "flask_wtf": {"forms/"}, "flask_limiter": {"forms/"},
    "werkzeug": {"forms/"}, "jinja2": {"forms/"}, "markupsafe": {"forms/"}, "wtforms": {"forms/"},
    "lxml": {"engine/bpmn_import.py", "engine/diagram.py", "engine/gate.py", "engine/gate_drawing.py",
             "engine/gate_forms.py", "engine/sop.py", "engine/sop_drawing.py",
             "engine/sop_import.py"},
    "openpyxl": {"engine/sop_import.py", "forms/papers/"}, "docx": {"engine/sop_import.py", "forms/papers/"},
    "typst": {"forms/papers/"}, "segno": {"forms/papers/", "forms/account.py"},
    "SpiffWorkflow": {"engine/execution.py", "engine/timers.py", "engine/bench.py"},
    "alembic": {"engine/store/"}, "psycopg": {"engine/store/"}, "sqlite3": {"engine/store/"},
    "PIL": {"engine/store/documents.py"}, "puremagic": {"engine/store/documents.py"},
    "waitress": {"engine/serve.py"}, "holidays": {"engine/calendars.py"}, "argon2": {"engine/organise.py"},
    "icalendar": {"engine/agenda.py"}, "smtplib": {"engine/mail.py"},
    "click": {"engine/__main__.py", "engine/terminal.py", "engine/cli_diff.py", "engine/cli_migrate.py",
              "engine/cli_definition.py", "engine/cli_rehearse.py", "engine/cli_retention.py", "engine/cli_health.py",
              "engine/cli_office.py", "engine/cli_proof.py",
              "engine/cli_process.py",
              "engine/cli_sop.py"},
    "pyotp": {"engine/credentials.py"}, "webauthn": {"engine/credentials.py"},
    "cryptography": {"engine/credentials.py", "engine/ledger.py", "engine/verifier.py", "engine/certificates.py"},
    "authlib": {"forms/federation.py"}, "joserfc": {"forms/federation.py"}, "requests": {"forms/federation.py"},
    "structlog": {"engine/serve.py", "engine/worker.py", "engine/recalendar.py", "engine/notify.py",
                  "engine/checkpoints.py", "engine/migrate.py", "engine/__main__.py", "engine/scanner.py",
                  "engine/certificates.py", "forms/"},
}
# Who may read a clock: the doors. Everything else is told the time.
CLOCKS = {"engine/store/database.py", "engine/__main__.py", "engine/worker.py", "engine/serve.py", "engine/bench.py",
          "engine/cli_process.py", "forms/__init__.py"}


CLOCK_CALLS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def layer(module: str) -> str | None:
    """The layer of a module of ours (`engine.store.journal`), None for anybody else's."""
    parts = module.split(".")
    if parts[0] == "forms":
        return "forms"
    if parts[0] != "engine" or len(parts) == 1:
        return None
    if parts[1] == "store":
        return "store"
    return "values" if parts[1] in VALUES else "heart" if parts[1] in HEART else "verbs"


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it, with full names."""
    found: set[str] = set()
    package = module_of(path).split(".") if path.name == "__init__.py" else module_of(path).split(".")[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update(one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            found.add(source)
            found.update(f"{source}.{one.name}" for one in node.names)
    return found


def modules(path: Path) -> set[str]:
    """The modules of ours that a file imports: `from .store import journal` is engine.store.journal."""
    known = {module_of(one) for one in SOURCES}
    return {one for one in imported(path) if one in known and layer(one) is not None}


def allowed(homes: set[str], name: str) -> bool:
    return any(name == home or (home.endswith("/") and name.startswith(home)) for home in homes)


def below_the_store(libraries: set[str]) -> list[str]:
    """Where the values or the heart import one of these."""
    return sorted(f"{name_of(path)} imports {module}" for path in SOURCES
                  if layer(module_of(path)) in ("values", "heart")
                  for module in imported(path) if module.split(".")[0] in libraries)


def test_nothing_points_up() -> None:
    wrong = []
    for path in SOURCES:
        mine = layer(module_of(path))
        for other in modules(path):
            if mine and LAYERS.index(layer(other) or mine) > LAYERS.index(mine):
                if (name_of(path), other) not in REACHING_UP:
                    wrong.append(f"{name_of(path)} imports {other}")
    assert wrong == []


def test_the_modules_that_are_named_here_exist() -> None:
    names = {name_of(path) for path in SOURCES}
    assert [one for one in VALUES | HEART if f"engine/{one}.py" not in names] == []
    homes = {home for homes in [*HOMES.values(), CLOCKS] for home in homes}
    assert [home for home in homes if not home.endswith("/") and home not in names] == []


def test_each_library_has_its_home() -> None:
    wrong = [f"{name_of(path)} imports {module}" for path in SOURCES for module in imported(path)
             if (homes := HOMES.get(module.split(".")[0])) and not allowed(homes, name_of(path))]
    assert sorted(set(wrong)) == []


def test_sql_is_built_in_the_store_only() -> None:
    """Verbs take an open connection, so they name its type; they build no statement."""
    wrong = []
    for path in SOURCES:
        if name_of(path).startswith("engine/store/"):
            continue
        for module in imported(path):
            if module.split(".")[0] == "sqlalchemy" and module not in ("sqlalchemy", "sqlalchemy.Connection"):
                if name_of(path) == "engine/bench.py" and module == "sqlalchemy.event":
                    continue            # it listens to what goes to the database
                wrong.append(f"{name_of(path)} imports {module}")
    assert sorted(set(wrong)) == []


def test_the_values_and_the_heart_know_no_database() -> None:
    assert below_the_store({"sqlalchemy", "psycopg", "sqlite3", "structlog", "os", "socket", "pathlib"}) == []


@pytest.mark.parametrize("name", ["eval", "exec", "compile", "__import__"])
def test_nothing_is_evaluated(name: str) -> None:
    calls = [f"{name_of(path)}:{node.lineno}" for path in SOURCES for node in ast.walk(tree(path))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name]
    assert calls == []


def test_nothing_is_unpickled_or_run_by_a_shell() -> None:
    modules_ = {"pickle", "marshal", "shelve", "subprocess", "yaml"}
    wrong = [f"{name_of(path)} imports {module}" for path in SOURCES for module in imported(path)
             if module.split(".")[0] in modules_]
    assert wrong == []


def test_the_clock_is_read_at_the_doors_only() -> None:
    wrong = []
    for path in SOURCES:
        if name_of(path) in CLOCKS:
            continue
        for node in ast.walk(tree(path)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            of = ast.unparse(node.func.value).split(".")[-1]
            if f"{of}.{node.func.attr}" in CLOCK_CALLS:
                wrong.append(f"{name_of(path)}:{node.lineno}: {ast.unparse(node)}")
    assert wrong == []


def test_the_heart_draws_no_lots() -> None:
    assert below_the_store({"random", "secrets", "time"}) == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    nothing = r"(utils?|helpers?|services?|managers?|common|misc|base|core)"
    empty = re.compile(rf"{nothing}(_.*)?$|.*_{nothing}$")
    assert [name_of(path) for path in SOURCES if empty.match(path.stem)] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [name_of(path) for path in SOURCES if path.stat().st_size and not ast.get_docstring(tree(path))] == []


def test_no_base_class_has_one_child() -> None:
    classes: dict[str, str] = {}
    children: dict[str, list[str]] = {}
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                classes[node.name] = name_of(path)
                for base in node.bases:
                    if isinstance(base, ast.Name) and not base.id.endswith("Error"):
                        children.setdefault(base.id, []).append(node.name)
    assert {base: kids for base, kids in children.items() if base in classes and len(kids) == 1} == {}


TEXTS = {".py", ".md", ".toml", ".yml", ".bpmn", ".txt", ".html", ".js", ".mjs", ".css", ".json"}


def test_what_git_keeps_names_no_machine() -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    machine = re.compile(rb"/(?:work|root|home)/[a-z]")
    wrong = []
    for one in files:
        path = ROOT / one.decode()
        if one and path.is_file() and path.suffix in TEXTS:
            if machine.search(path.read_bytes().replace(b"/home/alur", b"")):
                wrong.append(one.decode())
    assert wrong == []
