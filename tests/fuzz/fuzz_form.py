"""Arbitrary posted forms against every form of the drawn SOP: values, problems and controls, never an exception.

The first byte chooses the user task, the rest is the body of the request as a browser encodes it.
"""
from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from engine import diagram, expressions, requirements
from engine.definition import Choice, Column, Element, Field
from engine.instance import Problem
from forms import fields

AT = datetime(2026, 12, 7, 9, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
EVERY_TYPE = (
    *(Field(id=type, label=type, type=type, required=True,
            choices=(Choice(value="a", label="A"), Choice(value="b", label="B")) if type == "enum" else (),
            minimum="1" if type in ("long", "decimal") else None, maximum="99" if type in ("long", "decimal") else None,
            max_length=40 if type == "string" else None)
      for type in ("string", "text", "long", "decimal", "boolean", "date", "time", "enum", "person")),
    Field(id="tabel", label="Tabel", type="table", min_length=1, max_length=3, columns=tuple(
        Column(id=type, label=type, type=type, required=True) for type in ("string", "long", "date", "person"))),
)
PATHS = sorted((Path(__file__).parents[2] / "bpmn").rglob("*.bpmn"))
TASKS = [Element(id="semua", kind="userTask", form=EVERY_TYPE), *(
    task for path in PATHS for task in diagram.read(path.read_bytes()).user_tasks if task.form)]
NAMES = {"putaran": 1, "tahun": 2026, "berkas": {}}


def body(task: Element) -> bytes:
    """A form as a browser posts it, filled in with what is almost right."""
    typed = {"long": "1.250", "decimal": "1.250,5", "date": "2/2/2027", "time": "14.30", "boolean": "1"}
    pairs: list[tuple[str, str]] = []
    for field in task.form:
        name = fields.name_of(field.id)
        if field.type == "table":
            pairs += [(f"{name}.baris", "2"), ("tambah", field.id)]
            pairs += [(fields.name_of(field.id, 0, column.id), typed.get(column.type, "teks"))
                      for column in field.columns]
        else:
            pairs.append((name + ".nama" * (field.type == "person"), typed.get(field.type, "teks")))
    return urlencode(pairs).encode()


SEEDS = [bytes([place]) + body(task) for place, task in enumerate(TASKS)]


def one_input(data: bytes) -> None:
    task = TASKS[data[0] % len(TASKS) if data else 0]
    posted = MultiDict(parse_qsl(data[1:].decode("utf-8", "replace"), keep_blank_values=True))
    for keep in (False, True):
        values = fields.parse(task.form, posted, keep)
        json.dumps(values, allow_nan=False)
    values = fields.with_positions(task.form, fields.without_empty_rows(task.form, values), {"P1": "Camat"})
    problems = [problem for field in task.form if not requirements.empty(values.get(field.id))
                for problem in requirements_of(field, values)]
    try:
        fields.groups(task, fields.questions(task, {**dict.fromkeys(f.id for f in task.form), **NAMES}, values, AT,
                                             problems), ())
    except expressions.ExpressionError:
        return
    fields.carried(posted)


def requirements_of(field: Field, values: dict[str, object]) -> list[Problem]:
    try:
        return requirements.faults(field, values[field.id], {**values, **NAMES}, AT)
    except expressions.ExpressionError:
        return []
