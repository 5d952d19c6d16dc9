"""Between a form declared in a diagram and the controls on a page: what to draw, and what was typed, as JSON values.

What is drawn is a Question a field, put into HTML by `templates/_fields.html`; what comes back is read by `parse`. A
text that is no number or no date stays as it was typed: `engine.requirements` says what is wrong with it, and the page
shows it again. Fields that the diagram does not declare are never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from werkzeug.datastructures import MultiDict

from engine import requirements
from engine.commands import Erased
from engine.definition import Choice, Column, Element, Field
from engine.instance import Problem

MOST_RADIOS = 4  # more choices than this become a list
LONGEST_LINE = 200  # characters of a one-line answer before the browser stops
Posted = MultiDict[str, str]


# What was typed


def name_of(id: str, row: int | None = None, column: str | None = None) -> str:
    """The name of a control: a field's, or a cell's of a table."""
    return f"isian.{id}" if row is None else f"isian.{id}.{row}.{column}"


def parse(form: Iterable[Field], posted: Posted, keep_empty_rows: bool = False) -> dict[str, Any]:
    """The JSON values of the fields that the posted form contains; None where one was left empty.

    keep_empty_rows  for a draft: a row that was just added is still empty.
    """
    values: dict[str, Any] = {}
    for field in form:
        if field.type == "document" or field.readonly:
            continue
        name = name_of(field.id)
        if field.type == "table":
            if f"{name}.baris" in posted:
                values[field.id] = parse_table(field, posted, keep_empty_rows)
        elif name in posted or f"{name}.nama" in posted:
            values[field.id] = parse_value(field.type, name, posted)
    return values


def parse_table(field: Field, posted: Posted, keep_empty_rows: bool) -> list[dict[str, Any]] | None:
    """The rows of a table, in order, without columns that cannot be written: `requirements.accept` fills those in."""
    name = name_of(field.id)
    count = posted.get(f"{name}.baris", "")
    rows = []
    for row in range(min(int(count) if re.fullmatch("[0-9]{1,9}", count) else 0, requirements.MOST_ROWS)):
        cells = {
            c.id: parse_value(c.type, name_of(field.id, row, c.id), posted) for c in field.columns if not c.readonly
        }
        if posted.get("buang") == f"{field.id}.{row}":
            continue
        if field.rows_from or keep_empty_rows or not untouched(field, cells):
            rows.append({id: value for id, value in cells.items() if value is not None})
    if posted.get("tambah") == field.id and len(rows) < requirements.MOST_ROWS:
        rows.append({})
    return rows or None


def untouched(field: Field, row: Mapping[str, Any]) -> bool:
    """Whether nobody typed in a row: it is no answer. What stood there from the start was not typed."""
    return all(row.get(c.id) in (None, False, c.initial) for c in field.columns if not c.readonly)


def without_empty_rows(form: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a draft as they would be sent: rows that were only added are not there."""
    found = dict(values)
    for field in form:
        rows = values.get(field.id)
        if field.type == "table" and isinstance(rows, list) and not field.rows_from:
            found[field.id] = [row for row in rows if not untouched(field, row)] or None
    return found


def parse_value(type: str, name: str, posted: Posted) -> Any:
    """One value as JSON, None when nothing was typed; unreadable text as it was typed."""
    if type == "boolean":
        return posted.getlist(name)[-1:] == ["1"]
    if type == "person":
        chosen, typed = posted.get(name, "").strip(), posted.get(f"{name}.nama", "").strip()
        return {"id": chosen} if chosen else {"nama": typed[:LONGEST_LINE]} if typed else None
    text = posted.get(name, "").replace("\r\n", "\n").strip()
    if not text:
        return None
    return {"long": whole_number, "decimal": decimal, "date": day, "time": clock_time}.get(type, str)(text)


def whole_number(text: str) -> int | str:
    """`1.250` and `1250` are 1250."""
    plain = re.sub(r"(?<=[0-9])\.(?=[0-9]{3}([^0-9]|$))", "", text)
    return int(plain) if re.fullmatch("-?[0-9]{1,15}", plain) else text


def decimal(text: str) -> str:
    """`1.250,5` is "1250.5". A point before three digits groups thousands, as Indonesian does."""
    if re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?|-?[0-9]+,[0-9]+", text):
        return text.replace(".", "").replace(",", ".")
    return text


def day(text: str) -> str:
    """`2027-02-02`, `2/2/2027`, `02-02-2027` are "2027-02-02"."""
    found = re.fullmatch("([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})", text)
    if not found:
        return text
    try:
        return date(int(found[3]), int(found[2]), int(found[1])).isoformat()
    except ValueError:
        return text


def clock_time(text: str) -> str:
    """`14.30`, `14:30` and `9.00` are "14:30" and "09:00"."""
    found = re.fullmatch("([0-9]{1,2})[.:]([0-9]{2})(?::[0-9]{2})?", text)
    return f"{int(found[1]):02d}:{found[2]}" if found else text


def with_positions(form: Iterable[Field], values: Mapping[str, Any], positions: Mapping[str, str]) -> dict[str, Any]:
    """The values, where a row names somebody of the unit and leaves the column `jabatan` empty: with their position.

    positions  person id -> name of the position.
    """
    filled = dict(values)
    for field in form:
        who = next((c.id for c in field.columns if c.type == "person"), None)
        rows = values.get(field.id)
        if who and any(c.id == "jabatan" for c in field.columns) and isinstance(rows, list):
            filled[field.id] = [
                {**row, "jabatan": positions[row[who]["id"]]}
                if not row.get("jabatan") and isinstance(row.get(who), Mapping) and row[who].get("id") in positions
                else row
                for row in rows
            ]
    return filled


# What is asked


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One control of a table row."""

    column: Column
    name: str
    id: str
    value: Any
    required: bool
    error: str | None = None


NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Question:
    """One field as it is drawn: its control, what stands in it, what is wrong with it."""

    field: Field
    name: str
    id: str  # of the control; the error summary links to it
    value: Any
    required: bool
    shown: bool
    conditional: bool  # whether an answer on this page may show or hide it
    errors: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()

    @property
    def radios(self) -> bool:
        """An answer that must be given is chosen with radios; one that may stay empty needs a list to empty it."""
        return len(self.field.choices) <= MOST_RADIOS and (self.required or self.field.required_if is not None)

    @property
    def fixed_rows(self) -> bool:
        return bool(self.field.rows_from)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Questions and document slots under one heading ("" of those under none)."""

    title: str
    questions: tuple[Question, ...]
    slots: tuple[Field, ...]


def questions(
    element: Element,
    names: Mapping[str, Any],
    typed: Mapping[str, Any],
    at: datetime,
    problems: Sequence[Problem] = (),
    before: Mapping[str, Any] = NOTHING,
) -> dict[str, Question]:
    """The questions of a form by field id, in the diagram's order.

    names  what expressions may read (`requirements.names`), with what was typed already in it.
    typed  values of a draft or of the form that was just sent, over what is in `names`.
    before what the field held in an earlier round: an initial value may ask for it ("=bentuk_tanda_tangan").
    """
    names = {**names, **typed}
    asked = {}
    here = {f.id for f in element.form}
    for field in element.form:
        if field.type == "document":
            continue
        value = typed[field.id] if field.id in typed else names.get(field.id)
        if field.id not in typed and requirements.empty(value):
            value = requirements.initial(field, {**names, field.id: before.get(field.id)}, at)
        if isinstance(value, Erased) and not field.readonly:
            value = None  # by law: whoever goes on writes it anew, or leaves it
        if field.rows_from:
            value = requirements.answered(field, value, names)
        names[field.id] = value
        asked[field.id] = Question(
            field=field,
            name=name_of(field.id),
            id=anchor(field.id),
            value=value,
            required=requirements.required(field, names, at),
            shown=requirements.shown(field, names, at),
            conditional=bool(here & names_in(field.shown_if)),
            errors=tuple(p.message for p in problems if p.place == field.id),
            rows=rows_of(field, value, problems, at, names) if field.type == "table" else (),
        )
    return asked


def names_in(expression: str | None) -> set[str]:
    """The words of an expression, field ids among them: what may change its answer."""
    return set(re.findall(r"\w+", expression or ""))


def anchor(place: str) -> str:
    """The id on the page of what a problem's place names."""
    return "i-" + place.replace(".", "-")


def rows_of(
    field: Field, value: Any, problems: Sequence[Problem], at: datetime, names: Mapping[str, Any]
) -> tuple[tuple[Cell, ...], ...]:
    rows = [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
    if not rows and not field.rows_from:
        rows = [{}] * max(field.min_length or 1, 1)
    errors = {p.place: p.message for p in problems}
    drawn = []
    for n, row in enumerate(rows):
        cells = []
        for column in field.columns:
            place = f"{field.id}.{n}.{column.id}"
            given = row.get(column.id)
            cells.append(
                Cell(
                    column=column,
                    name=name_of(field.id, n, column.id),
                    id=anchor(place),
                    value=requirements.initial(column, names, at) if given is None and not row else given,
                    required=column.required,
                    error=errors.get(place),
                )
            )
        drawn.append(tuple(cells))
    return tuple(drawn)


def groups(element: Element, asked: Mapping[str, Question], slots: Sequence[Field]) -> tuple[Group, ...]:
    """The form under its headings, in the diagram's order; what decides the rest stands first, by itself."""
    titles = list(dict.fromkeys(f.group or "" for f in element.form))
    found, loose = [], tuple(f for f in slots if not f.group)
    for title in titles:
        inside = tuple(q for q in asked.values() if (q.field.group or "") == title and not q.field.decision)
        attached = tuple(f for f in slots if f.group == title)
        if inside or attached:
            found.append(Group(title=title, questions=inside, slots=attached))
    # Documents under no heading come last: first one writes, then one attaches.
    return (*found, Group(title="", questions=(), slots=loose)) if loose else tuple(found)


def carried(posted: Posted, without: Iterable[str] = ()) -> list[tuple[str, str]]:
    """The posted names and values, to be put into hidden inputs of another page."""
    left_out = set(without)
    return [(name, value) for name, value in posted.items(multi=True) if name not in left_out]


# What an answer says, in words


def label_of(choices: Sequence[Choice], value: Any) -> str:
    return next((c.label for c in choices if c.value == value), str(value))
