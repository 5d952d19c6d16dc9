"""`python -m tests.fuzz TARGET [options]`: see tests/fuzz/__init__.py."""
from __future__ import annotations

import importlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import atheris

from tests.fuzz import HANGS_SECONDS, MEGABYTES, SECONDS, TARGETS


def watched(one_input: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The target, and an error of its own where it computed too long: libFuzzer counts the time others computed too."""
    def called(data: bytes) -> None:
        began = time.process_time()
        one_input(data)
        took = time.process_time() - began
        if took > SECONDS:
            raise RuntimeError(f"{took:.1f} seconds for one input; the limit is {SECONDS}")
    return called


def main(name: str, options: list[str]) -> None:
    found = importlib.import_module(f"tests.fuzz.fuzz_{name}")
    with atheris.instrument_imports(include=TARGETS[name], enable_loader_override=False):
        for module in TARGETS[name]:        # again, watched now; all else need not come through atheris
            importlib.reload(sys.modules[module])
    with tempfile.TemporaryDirectory(prefix="alur-fuzz-") as folder:
        for place, seed in enumerate(found.SEEDS):
            Path(folder, f"{place:05}").write_bytes(seed)
        files = [] if any(not one.startswith("-") for one in options) else [folder]
        limits = [f"-timeout={HANGS_SECONDS}", f"-rss_limit_mb={MEGABYTES}", "-max_len=6000"]
        atheris.Setup([name, *limits, *options, *files], watched(found.one_input))
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
