"""`python -m tests.fuzz TARGET [options]`: see tests/fuzz/__init__.py."""
from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

import atheris

from tests.fuzz import MEGABYTES, SECONDS, TARGETS


def main(name: str, options: list[str]) -> None:
    found = importlib.import_module(f"tests.fuzz.fuzz_{name}")
    with atheris.instrument_imports(include=TARGETS[name], enable_loader_override=False):
        for module in TARGETS[name]:        # again, watched now; all else need not come through atheris
            importlib.reload(sys.modules[module])
    with tempfile.TemporaryDirectory(prefix="alur-fuzz-") as folder:
        for place, seed in enumerate(found.SEEDS):
            Path(folder, f"{place:05}").write_bytes(seed)
        files = [] if any(not one.startswith("-") for one in options) else [folder]
        atheris.Setup([name, f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}", "-max_len=6000", *options, *files],
                      found.one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
