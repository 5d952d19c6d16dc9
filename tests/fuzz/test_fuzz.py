"""A few seconds of fuzzing for each target; the long runs are for whoever has an hour (tests/fuzz/__init__.py)."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import TARGETS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_no_bytes_bring_more_than_a_refusal(target: str, seed: int, tmp_path: Path) -> None:
    # A child of a small shell: Linux lets a program inherit the most memory that its parent ever had, and this process
    # has had more than the target may.
    done = subprocess.run(
        ["sh", "-c", '"$@" & wait $!', "sh", sys.executable, "-m", "tests.fuzz", target, "-max_total_time=3",
         f"-seed={seed % 2**31 or 1}", f"-artifact_prefix={tmp_path}/"],
        cwd=ROOT, capture_output=True, timeout=120)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    kept = "\n".join(f"{file.name}: {file.read_bytes()!r}" for file in tmp_path.iterdir())
    assert done.returncode == 0, f"{said[-4_000:]}\n{kept}"
    assert "Done" in said and "cov:" in said, said[-4_000:]
