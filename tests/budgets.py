"""Times each suite alone and holds it against its budget: `python -m tests.budgets`, on an idle machine.

Not a test: how long something takes says nothing about whether it is right. The table is kept in docs/suites.md.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

# Seconds, on two cores. `database` runs on SQLite and PostgreSQL, ninety seconds each.
BUDGETS = {"heart": 60, "time": 120, "drawing": 180, "proof": 180, "safety": 300, "database": 180, "browser": 150,
           "faults": 60}  # fmt: skip
SUBJECTS = ("time", "drawing", "proof", "safety")
TABLE = Path(__file__).parents[1] / "docs" / "suites.md"


def main() -> int:
    """The exit code: 0 when every suite passed within its budget."""
    wanted = sys.argv[1:] or list(BUDGETS)
    kept = re.findall(r"^\| (\w+) \| \d.*$", TABLE.read_text() if TABLE.exists() else "", re.M)
    rows = {name: next(row for row in TABLE.read_text().splitlines() if row.startswith(f"| {name} |")) for name in kept}
    good = True
    for name in wanted:
        marks = name if name in SUBJECTS else " and not ".join((name, *SUBJECTS, "soak"))
        # Two processes where the tests have databases to themselves; what drives a browser or kills has one anyway.
        workers = ["-n", "0"] if name in ("heart", "browser", "faults") else ["-n", "2", "--dist", "loadgroup"]
        began = time.monotonic()
        words = [sys.executable, "-m", "pytest", "-q", *workers, "-m", marks]
        run = subprocess.run(words, capture_output=True, text=True)
        seconds = round(time.monotonic() - began)
        passed = re.search(r"(\d+) passed", run.stdout)
        rows[name] = f"| {name} | {passed[1] if passed else 0} | {seconds} | {BUDGETS[name]} |"
        print(rows[name], "" if run.returncode == 0 else run.stdout[-2000:], flush=True)
        good &= run.returncode == 0 and seconds <= BUDGETS[name]
    head = ("# The suites\n\nWritten by `python -m tests.budgets`: each suite alone, on two cores.\n\n"
            "| suite | tests | seconds | budget |\n| --- | --- | --- | --- |\n")
    TABLE.write_text(head + "".join(rows[name] + "\n" for name in BUDGETS if name in rows))
    return not good


if __name__ == "__main__":
    sys.exit(main())
