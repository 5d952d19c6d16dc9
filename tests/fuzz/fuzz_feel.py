"""Arbitrary text as an expression, over data that a process may have: an answer as JSON, or an ExpressionError."""
from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from engine import expressions

AT = datetime(2027, 2, 2, 10, 30, tzinfo=ZoneInfo("Asia/Jakarta"))
DATA = {
    "a": 1, "b": "dua", "c": None, "t": True, "n": Decimal("12.50"), "xs": [1, 2, 3, 2], "s": "abc " * 2_000,
    "rows": [{"a": 1, "d": "2027-02-02", "x": [1]}, {"a": 2, "d": None, "x": []}], "berkas": {"lhr": 1},
    "many": list(range(2_000)), "tanggal": "2027-02-02",
}
CASES = Path(__file__).parents[1] / "data" / "tck.json"
SEEDS = sorted({one[2].encode() for one in json.loads(CASES.read_text(encoding="utf-8"))["cases"]})


def one_input(data: bytes) -> None:
    source = data.decode("utf-8", "replace")
    try:
        answer = expressions.evaluate(source, DATA, AT)
    except expressions.ExpressionError:
        return
    json.dumps(expressions.to_json(answer), allow_nan=False).encode("utf-8")
