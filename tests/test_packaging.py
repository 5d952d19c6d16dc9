"""What is installed, from what, and what a person is told when it cannot be."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import bootstrap

ROOT = bootstrap.ROOT
LOCKS = ["requirements.lock", "requirements-test.lock"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins(lock: str) -> list[Requirement]:
    """The requirements of a lock, without their hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return [Requirement(line.rstrip(" \\")) for line in text.splitlines() if line and line[0] not in " #"]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entry = re.compile(r"[a-z0-9-]+==[^ \n]+(?: ; [^\n\\]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n")
    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    assert entry.sub("", body) == "", "lines that are neither a pin nor a hash"
    assert "//" not in text and "--index" not in text and "file:" not in text


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_a_lock_has_one_release_of_each_dependency_for_every_machine(lock: str, python: str, system: str) -> None:
    machine = {
        "python_version": python,
        "python_full_version": f"{python}.1",
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system],
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    chosen: dict[str, list[str]] = {}
    for pin in pins(lock):
        if pin.marker is None or pin.marker.evaluate(machine):
            chosen.setdefault(pin.name, []).extend(specifier.version for specifier in pin.specifier)
    assert {name: versions for name, versions in chosen.items() if len(versions) != 1} == {}

    wanted = list(PROJECT["project"]["dependencies"]) + PROJECT["dependency-groups"]["build"]
    if lock == "requirements-test.lock":
        extras = PROJECT["project"]["optional-dependencies"]
        wanted += [*extras["test"], *(line for line in extras["dev"] if not line.startswith("alur["))]
    for line in wanted:
        need = Requirement(line)
        if need.marker and not need.marker.evaluate(machine):
            assert canonicalize_name(need.name) not in chosen
            continue
        assert need.specifier.contains(chosen[canonicalize_name(need.name)][0]), f"{lock} does not satisfy {line}"
    assert ("colorama" in chosen) == (lock == "requirements-test.lock" and system == "win32")


def test_both_locks_agree() -> None:
    assert {str(pin) for pin in pins(LOCKS[0])} <= {str(pin) for pin in pins(LOCKS[1])}


def test_this_environment_is_what_the_lock_says() -> None:
    frozen = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    installed = {canonicalize_name(name): version for name, version in re.findall(r"(.+)==(.+)", frozen)}
    differing = {
        pin.name: (str(pin.specifier), installed.get(canonicalize_name(pin.name)))
        for pin in pins("requirements-test.lock")
        if (pin.marker is None or pin.marker.evaluate())
        and not pin.specifier.contains(installed.get(canonicalize_name(pin.name), "0"))
    }
    assert differing == {}, "run make test, which installs the lock"


def test_npm_packages_are_pinned_by_hash_and_name_no_address() -> None:
    packages = json.loads((bootstrap.WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    del packages[""]
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


# --- what is packed -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution, built from this tree without a network."""
    folder = tmp_path_factory.mktemp("packed")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", folder], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_wheel_holds_engine_forms_and_the_diagrams_and_no_sources_of_the_bundle(packed: Path) -> None:
    (wheel,) = packed.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entry_points = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    assert {name.split("/")[0] for name in names} == {"engine", "forms", "bpmn", "alur-0.1.0.dist-info"}
    assert "alur = engine.__main__:main" in entry_points
    assert "forms/static/dist/manifest.json" in names
    assert "forms/static/dist/THIRD_PARTY_NOTICES.txt" in names
    assert {"alur-0.1.0.dist-info/licenses/LICENSE", "alur-0.1.0.dist-info/licenses/NOTICE"} <= set(names)
    assert [name for name in names if name.startswith("forms/web") or "__pycache__" in name] == []


def test_the_wheel_holds_every_file_of_engine_forms_and_bpmn_that_git_knows(packed: Path) -> None:
    (wheel,) = packed.glob("*.whl")
    known = subprocess.run(
        ["git", "ls-files", "engine", "forms", "bpmn"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    with zipfile.ZipFile(wheel) as archive:
        missing = {name for name in known if not name.startswith("forms/web/")} - set(archive.namelist())
    assert {name for name in missing if (ROOT / name).exists()} == set()


def test_the_source_distribution_can_build_the_bundle_again_and_carries_it(packed: Path) -> None:
    (source,) = packed.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"bootstrap.py", "hatch_build.py", "forms/web/package-lock.json", "forms/web/src/viewer.js"}
    assert needed | {"forms/static/dist/manifest.json", "requirements.lock", "tests/conftest.py"} <= names
    assert [name for name in names if "node_modules" in name or name.startswith(".venv")] == []


# --- what a person is told ------------------------------------------------------------------------------------------


def test_an_old_python_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(sys, "version", "3.9.2 (default)")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(bootstrap.Stop) as stopped:
        bootstrap.use_a_new_enough_python()
    assert str(stopped.value).startswith("This is Python 3.9.2 and Alur needs 3.11 or newer: install one")


def test_the_bootstrap_can_be_read_by_a_python_that_is_too_old() -> None:
    ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_a_missing_venv_names_the_apt_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)  # as on a Debian without python3-venv
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    with pytest.raises(bootstrap.Stop) as stopped:
        bootstrap.make_venv()
    assert str(stopped.value) == (
        "This Python has no venv; on Debian and Ubuntu: "
        "sudo apt-get update && sudo apt-get install -y git make python3 python3-venv"
    )
    assert list(tmp_path.iterdir()) == []


# Started as root, it becomes nobody; what it imports is loaded before, since nobody may not look into root's Python.
AS_SOMEBODY = """
import ensurepip, os, runpy, sys, venv
sys.argv = [sys.argv[1], "run"]
runpy.run_path(sys.argv[0])
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_folder_that_cannot_be_written_is_named_in_one_sentence() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bootstrap.py").write_bytes((ROOT / "bootstrap.py").read_bytes())
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", AS_SOMEBODY, str(folder / "bootstrap.py")], capture_output=True, text=True, cwd="/"
        )
        folder.chmod(0o755)
        assert (done.returncode, sorted(path.name for path in folder.iterdir())) == (1, ["bootstrap.py"])
    assert done.stderr == (
        f"Cannot write {folder / '.venv'}: Permission denied. Alur keeps everything in {folder}; "
        "make room there, or put the folder where you may write.\n"
    )


def test_a_second_preparation_changes_nothing() -> None:
    def standing() -> dict[str, int]:
        kept = [*bootstrap.VENV.rglob("*"), *bootstrap.DIST.rglob("*")]
        # Files only, and none that Python writes by itself: another test may import something meanwhile.
        files = [path for path in kept if path.is_file() and path.suffix != ".pyc"]
        return {str(path): path.stat().st_mtime_ns for path in files}

    before = standing()
    bootstrap.prepare("requirements-test.lock")
    assert standing() == before, "the first was not done: run make test"


def test_an_unknown_target_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["walk"]) == 2
    assert capsys.readouterr().err.startswith("Say what to do: python3 bootstrap.py run | test")
