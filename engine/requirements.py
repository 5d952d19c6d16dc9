"""What a form asks and what it still lacks: the same answer for the page, beside the button, and for `decide`.

Pure: fields, FEEL conditions and document slots of a definition against an instance and what somebody typed. Messages
are for staff, in Indonesian; each names its place and its remedy.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from . import expressions
from .commands import Erased
from .definition import Choice, Column, Element, Field, ProcessDefinition, Slot
from .instance import Problem, ProcessInstance

LONGEST_TEXT = 20_000       # characters of one value
MOST_ROWS = 300             # of one table
Values = Mapping[str, Any]


def names(definition: ProcessDefinition, instance: ProcessInstance, user_task: int, round: int,
          values: Values, attached: Mapping[str, int] | None = None) -> dict[str, Any]:
    """What expressions may read: every field (null when empty), putaran, berkas, tahun.

    attached  files by document type of this pass, where they are not in the instance yet (the start form).
    """
    if attached is None:
        attached = {d.type: max(1, len(d.attachment.files)) for d in instance.documents.values()
                    if d.user_task == user_task}
    return {**dict.fromkeys(definition.fields), **instance.data, **values, "putaran": round, "tahun": instance.year,
            "berkas": {type: attached.get(type, 0) for type in definition.document_types}}


def holds(expression: str | None, names: Values, at: datetime, otherwise: bool = False) -> bool:
    """Whether a condition of the form holds; `otherwise` where there is none. `at` is in the unit's zone."""
    return otherwise if expression is None else expressions.condition(expression, names, at)


def required(field: Field, names: Values, at: datetime) -> bool:
    return field.required or holds(field.required_if, names, at)


def shown(field: Field, names: Values, at: datetime) -> bool:
    return holds(field.shown_if, names, at, otherwise=True)


def initial(field: Field | Column, names: Values, at: datetime) -> Any:
    """What stands in an empty field at first: text with {fields} filled in, or the value of a FEEL expression."""
    if field.initial is None:
        return None
    if field.initial.startswith("="):
        return expressions.to_json(expressions.evaluate(field.initial, names, at))
    known = {name: "" if isinstance(one, Erased) else one for name, one in names.items()}
    text = re.sub(r"\{(\w+)\}", lambda found: str(known.get(found[1]) or ""), field.initial)
    return text == "true" if field.type == "boolean" else text


def source_rows(field: Field, names: Values) -> list[Mapping[str, Any]]:
    """The rows that an answering table answers, each with the readonly columns filled in. [] where there are none."""
    if not field.rows_from:
        return []
    source = field.rows_from[min(names["putaran"], len(field.rows_from)) - 1]
    rows = names.get(source)
    if not isinstance(rows, list):
        return []
    return [{c.id: row.get(c.id, row.get(source)) for c in field.columns if c.readonly} for row in rows]


def accept(definition: ProcessDefinition, instance: ProcessInstance, element: Element, user_task: int, round: int,
           submitted: Values, at: datetime, attached: Mapping[str, int] | None = None,
           only: frozenset[str] | None = None) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """(values to store, problems). A value is None where a field was hidden or emptied: it is removed.

    Accepting what was accepted gives the same again, so that replay agrees.
    at    aware, in the unit's zone.
    only  judge only these fields, and do not ask for the others (values recorded while the task goes on).
    Raises ExpressionError when a condition of the form has no answer.
    """
    fields = [f for f in element.form if f.type != "document" and (only is None or f.id in only)]
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for field in fields:
        value = submitted.get(field.id)
        if field.readonly:
            value = instance.data.get(field.id, value)
        if field.type == "table" and isinstance(value, list):
            value = [whole(field, row) for row in value]
        values[field.id] = None if empty(value) else value
    known = names(definition, instance, user_task, round, values, attached)
    for field in fields:
        if field.rows_from:
            values[field.id] = answered(field, values[field.id], known)
        if field.filler_row and values[field.id] is None and holds(field.filler_if, known, at):
            first = next((c for c in field.columns if c.required), field.columns[0])
            values[field.id] = [whole(field, {first.id: field.filler_row})]
    known.update(values)
    while hidden := [f.id for f in fields if values[f.id] is not None and not shown(f, known, at)]:
        values.update(dict.fromkeys(hidden))    # what is hidden may hide more
        known.update(values)
    for field in fields:
        value = values[field.id]
        if value is None:
            asked = shown(field, known, at) and required(field, known, at)
            if asked and (not field.rows_from or source_rows(field, known)):
                problems.append(Problem(field.id, f"{field.label}: belum diisi." if field.type != "boolean"
                                        else f"{field.label}: harus dicentang."))
            continue
        if isinstance(value, Erased):
            continue
        wrong = faults(field, value, known, at)
        problems += wrong
        if not wrong and field.type == "boolean" and field.required and value is not True:
            problems.append(Problem(field.id, f"{field.label}: harus dicentang."))
    wrong_places = {p.place.split(".")[0] for p in problems}
    for field in fields:
        # A comparison with a field that is still empty or wrong has no answer; that one has its own problem.
        compared = expressions.parse(field.valid_if).names & known.keys() if field.valid_if else frozenset()
        if field.valid_if and not compared & wrong_places and all(known[name] is not None for name in compared):
            if not holds(field.valid_if, known, at):
                message = field.valid_message or f"{field.label}: isian ini tidak sesuai ketentuan."
                problems.append(Problem(field.id, message))
    return values, tuple(problems)


def whole(field: Field, row: Any) -> Any:
    """A table's row with all its columns, null where nothing was typed: expressions may ask for each."""
    if not isinstance(row, Mapping):
        return row
    return {**{c.id: None for c in field.columns}, **{k: None if empty(v) else v for k, v in row.items()}}


def empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def answered(field: Field, rows: Any, names: Values) -> Any:
    """One row for each row that is answered, no more and no fewer, its readonly columns from there."""
    source = field.rows_from[min(names["putaran"], len(field.rows_from)) - 1]
    if isinstance(rows, Erased) or isinstance(names.get(source), Erased):
        return rows                             # what was lawfully erased is not made up again
    sources = source_rows(field, names)
    given = rows if isinstance(rows, list) else []
    return [whole(field, {**(given[n] if n < len(given) and isinstance(given[n], dict) else {}), **source})
            for n, source in enumerate(sources)] or None


def faults(field: Field, value: Any, names: Values, at: datetime) -> list[Problem]:
    """What is wrong with one given value, by its type and constraints."""
    if field.type != "table":
        message = fault(field.type, value, field.choices) or limits(field, value)
        return [Problem(field.id, f"{field.label}: {message}")] if message else []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return [Problem(field.id, f"{field.label}: harus berupa daftar baris.")]
    most = min(field.max_length or MOST_ROWS, MOST_ROWS)
    if len(value) > most:
        return [Problem(field.id, f"{field.label}: paling banyak {most} baris.")]
    if len(value) < (field.min_length or 0):
        return [Problem(field.id, f"{field.label}: paling sedikit {field.min_length} baris.")]
    found = []
    blank = {c.id: None for c in field.columns}
    for n, row in enumerate(value):
        for column in field.columns:
            cell, place = row.get(column.id), f"{field.id}.{n}.{column.id}"
            if empty(cell):
                if column.required or holds(column.required_if, {**names, **blank, **row}, at):
                    found.append(Problem(place, f"{field.label}, baris {n + 1}: {column.label} belum diisi."))
            elif message := fault(column.type, cell, column.choices):
                found.append(Problem(place, f"{field.label}, baris {n + 1}, {column.label}: {message}"))
        unknown = row.keys() - blank.keys()
        if unknown:
            named = ", ".join(sorted(unknown))
            found.append(Problem(field.id, f"{field.label}, baris {n + 1}: kolom {named} tidak dikenal."))
    return found


def fault(type: str, value: Any, choices: tuple[Choice, ...]) -> str | None:
    """What is wrong with a value of a type, None if nothing."""
    if isinstance(value, Erased):
        return None
    if type == "boolean":
        return None if isinstance(value, bool) else "harus ya atau tidak."
    if type == "long":
        fine = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10 ** 15
        return None if fine else "harus berupa bilangan bulat, misalnya 2026."
    if type == "person":
        fine = isinstance(value, dict) and len(value) == 1 and all(
            k in ("id", "nama") and isinstance(v, str) and 0 < len(v) <= 200 for k, v in value.items())
        return None if fine else "pilih pegawai atau tuliskan namanya."
    if not isinstance(value, str):
        return "isian tidak dapat dibaca."
    if len(value) > LONGEST_TEXT:
        return f"terlalu panjang: {len(value)} karakter, paling banyak {LONGEST_TEXT}."
    if any(ord(c) < 32 and c not in "\n\t\r" for c in value):
        return "mengandung karakter yang tidak dapat disimpan. Ketik ulang bagian itu."
    if type == "date":
        fine = parsed(date.fromisoformat, value, r"\d{4}-\d\d-\d\d")
        return None if fine else "bukan tanggal. Contoh: 2 Februari 2027."
    if type == "time":
        return None if parsed(time.fromisoformat, value, r"\d\d:\d\d") else "bukan waktu. Contoh: 09.00."
    if type == "decimal":
        return None if parsed(Decimal, value, r"-?\d{1,30}(\.\d{1,12})?") else "bukan bilangan. Contoh: 1.250,5."
    if type == "enum":
        return None if value in {c.value for c in choices} else "pilihan ini tidak tersedia."
    if type == "string" and "\n" in value:
        return "hanya satu baris."
    return None


def parsed(parse: Any, value: str, shape: str) -> bool:
    try:
        return bool(re.fullmatch(shape, value)) and parse(value) is not None
    except (ValueError, InvalidOperation):
        return False


def limits(field: Field, value: Any) -> str | None:
    if field.type in ("long", "decimal"):
        if field.minimum is not None and Decimal(value) < Decimal(field.minimum):
            return f"paling sedikit {field.minimum}."
        if field.maximum is not None and Decimal(value) > Decimal(field.maximum):
            return f"paling banyak {field.maximum}."
    if isinstance(value, str):
        if field.min_length is not None and len(value) < field.min_length:
            return f"paling sedikit {field.min_length} karakter."
        if field.max_length is not None and len(value) > field.max_length:
            return f"paling banyak {field.max_length} karakter."
    return None


# Documents

def satisfied(field: Field, instance: ProcessInstance, user_task: int, names: Values, at: datetime) -> bool:
    """Whether what a slot asks for is there, waivers and promises aside."""
    slot = field.slot
    assert slot is not None, "only documents are asked for"
    if "teks" in slot.forms and (not slot.text_from or not empty(names.get(slot.text_from))):
        return True                             # the application makes it, of a field or of what it knows
    document = instance.documents.get(field.id)
    if document is None:
        return bool(names["berkas"].get(field.id))
    if slot.role == "output" and slot.version == "baru" and document.user_task != user_task:
        return slot.same_if is not None and holds(slot.same_if, names, at)
    return True


def owable(field: Field, names: Values, at: datetime) -> bool:
    """Whether a document may be owed ("menyusul") at this task, now."""
    slot = field.slot
    return slot is not None and slot.owed_until is not None and holds(slot.owed_if, names, at, otherwise=True)


def lacking(definition: ProcessDefinition, instance: ProcessInstance, element: Element, user_task: int, round: int,
            values: Values, at: datetime, attached: Mapping[str, int] | None = None,
            promised: frozenset[str] = frozenset(), told: tuple[Problem, ...] = ()) -> tuple[Problem, ...]:
    """The documents that still keep a task from being completed. Kelengkapan blocks completing, never claiming.

    told  problems of the form: a document that is made of a field with a problem of its own is not said twice.
    """
    wrong = {p.place.split(".")[0] for p in told}
    known = names(definition, instance, user_task, round, values, attached)
    problems = []
    for field in element.form:
        slot = field.slot
        if slot is None or slot.role == "bacaan" or not shown(field, known, at) or not required(field, known, at):
            continue
        if instance.waived.get(field.id) == user_task or satisfied(field, instance, user_task, known, at):
            continue
        if field.id in promised or (slot.text_from and slot.text_from in wrong):
            continue
        promise = instance.owed.get(field.id)
        if promise is not None and promise.until != element.id:
            if promise.user_task != user_task or owable(field, known, at):
                continue
            message = f"{field.label} tidak dapat menyusul dengan isian ini. Lampirkan berkasnya."
            problems.append(Problem(field.id, message))
            continue
        problems.append(Problem(field.id, missing(field, slot, known, at)))
    last = definition.user_tasks[-1].id if definition.user_tasks else None
    named = {p.place for p in problems}
    for owed in instance.owed.values():
        if (owed.until == element.id or element.id == last) and owed.document not in named:
            label = definition.fields[owed.document].label
            message = f"{label} masih menyusul. Lampirkan berkasnya sebelum langkah ini diselesaikan."
            problems.append(Problem(owed.document, message))
    return tuple(problems)


def missing(field: Field, slot: Slot, names: Values, at: datetime) -> str:
    origin = slot.origin
    if slot.role == "kelengkapan" and origin and origin.startswith("langkah_"):
        said = f"{field.label} dari langkah {origin.removeprefix('langkah_')} belum ada."
    else:
        said = f"{field.label} belum dilampirkan."
    if owable(field, names, at):
        return said + " Lampirkan berkasnya, atau nyatakan menyusul dengan alasan dan tanggal."
    return said + " Lampirkan berkasnya."


def doubts(element: Element, values: Values, opened_at: datetime, at: datetime) -> tuple[Problem, ...]:
    """Warnings, never refusals: dates after today, or before the task was opened (work done on paper earlier)."""
    zone = at.tzinfo or ZoneInfo("UTC")
    today, opened, found = at.date(), opened_at.astimezone(zone).date(), []
    for field in element.form:
        value = values.get(field.id)
        if field.type != "date" or not isinstance(value, str) or fault("date", value, ()):
            continue
        given = date.fromisoformat(value)
        if given > today:
            found.append(Problem(field.id, f"{field.label} sesudah hari ini. Periksa kembali bila keliru."))
        elif given < opened:
            found.append(Problem(field.id, f"{field.label} sebelum langkah ini dibuka. Periksa kembali bila keliru."))
    return tuple(found)
