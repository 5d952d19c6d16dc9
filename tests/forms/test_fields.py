"""What is typed becomes JSON values, and what is asked becomes questions: pure, without a page."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from engine import requirements
from engine.definition import Choice, Column, Element, Field
from engine.instance import Problem
from forms import fields

AT = datetime(2026, 12, 7, 9, 0, tzinfo=ZoneInfo("Asia/Jakarta"))


def one(type: str, **more: Any) -> Field:
    return Field(id="x", label="X", type=type, **more)


def typed(type: str, text: str) -> Any:
    return fields.parse([one(type)], MultiDict({"isian.x": text}))["x"]


@pytest.mark.parametrize(
    ("type", "text", "value"),
    [
        ("string", "  SK 900/12 ", "SK 900/12"),
        ("string", "", None),
        ("text", "a\r\nb\r\n", "a\nb"),
        ("long", "2026", 2026),
        ("long", "1.250", 1250),
        ("long", "1.250.000", 1250000),
        ("long", "-3", -3),
        ("long", "dua", "dua"),
        ("long", "12.5", "12.5"),
        ("decimal", "1.250,5", "1250.5"),
        ("decimal", "1250.5", "1250.5"),
        ("decimal", "0,125", "0.125"),
        ("decimal", "1.250", "1250"),
        ("decimal", "12,,5", "12,,5"),
        ("date", "2027-02-02", "2027-02-02"),
        ("date", "2/2/2027", "2027-02-02"),
        ("date", "31-02-2027", "31-02-2027"),
        ("time", "09:00", "09:00"),
        ("time", "14.30", "14:30"),
        ("time", "9.05", "09:05"),
        ("time", "siang", "siang"),
        ("enum", "ya", "ya"),
    ],
)
def test_what_is_typed_becomes_a_value_or_stays_as_it_was_typed(type: str, text: str, value: Any) -> None:
    assert typed(type, text) == value


def test_a_box_that_is_not_ticked_is_no_and_one_that_was_not_on_the_page_is_nothing() -> None:
    box = [one("boolean")]
    assert fields.parse(box, MultiDict([("isian.x", "0")])) == {"x": False}
    assert fields.parse(box, MultiDict([("isian.x", "0"), ("isian.x", "1")])) == {"x": True}
    assert fields.parse(box, MultiDict()) == {}


def test_a_person_is_one_of_the_unit_or_a_name_and_the_chosen_one_wins() -> None:
    person = [one("person")]
    assert fields.parse(person, MultiDict({"isian.x": "tim1", "isian.x.nama": "Lain"})) == {"x": {"id": "tim1"}}
    assert fields.parse(person, MultiDict({"isian.x": "", "isian.x.nama": " Kepala Desa "})) == {
        "x": {"nama": "Kepala Desa"}
    }
    assert fields.parse(person, MultiDict({"isian.x": "", "isian.x.nama": ""})) == {"x": None}


TABLE = one(
    "table",
    columns=(
        Column(id="tanggal", label="Tanggal", type="date", required=True),
        Column(id="acara", label="Acara", initial="Rapat"),
        Column(id="hadir", label="Hadir", type="long"),
    ),
)


def rows(*given: dict[str, str], **more: str) -> MultiDict[str, str]:
    posted = {"isian.x.baris": str(len(given)), **more}
    for n, row in enumerate(given):
        posted |= {f"isian.x.{n}.{column}": text for column, text in row.items()}
    return MultiDict(posted)


def test_a_table_is_its_rows_and_a_row_in_which_nobody_typed_is_none() -> None:
    posted = rows(
        {"tanggal": "2/2/2027", "acara": "Rapat", "hadir": "12"}, {"tanggal": "", "acara": "Rapat", "hadir": ""}
    )
    assert fields.parse([TABLE], posted) == {"x": [{"tanggal": "2027-02-02", "acara": "Rapat", "hadir": 12}]}
    assert fields.parse([TABLE], rows({"tanggal": "", "acara": "Rapat"})) == {"x": None}


def test_rows_are_added_and_removed_by_the_buttons_of_the_page() -> None:
    both = ({"tanggal": "2027-02-02"}, {"tanggal": "2027-02-03"})
    assert fields.parse([TABLE], rows(*both, tambah="x"), keep_empty_rows=True)["x"][2:] == [{}]
    assert fields.parse([TABLE], rows(*both, buang="x.0"), keep_empty_rows=True) == {"x": [{"tanggal": "2027-02-03"}]}


def test_nobody_can_send_more_rows_than_a_table_may_have() -> None:
    posted = MultiDict({"isian.x.baris": "100000000", "isian.x.0.tanggal": "2027-02-02"})
    assert fields.parse([TABLE], posted) == {"x": [{"tanggal": "2027-02-02"}]}
    assert fields.parse([TABLE], MultiDict({"isian.x.baris": "-5"})) == {"x": None}


def test_rows_that_answer_others_stay_in_their_places_and_cannot_say_what_they_answer() -> None:
    answering = one(
        "table",
        rows_from=("koreksi",),
        columns=(Column(id="catatan", label="Catatan", readonly=True), Column(id="hasil", label="Hasil")),
    )
    posted = rows({"catatan": "palsu"}, {"catatan": "palsu", "hasil": "sudah"})
    assert fields.parse([answering], posted) == {"x": [{}, {"hasil": "sudah"}]}


def test_what_the_diagram_does_not_declare_or_lets_nobody_change_is_never_looked_at() -> None:
    assert fields.parse([one("string", readonly=True)], MultiDict({"isian.x": "a", "isian.y": "b"})) == {}


FORM = Element(
    id="langkah",
    kind="userTask",
    form=(
        Field(id="tujuan", label="Tujuan", type="string", initial="Tahun {tahun}"),
        Field(
            id="putus",
            label="Putusan",
            type="enum",
            choices=(Choice(value="ya", label="Ya"),),
            required=True,
            decision=True,
        ),
        Field(id="sebab", label="Sebab", type="text", shown_if='putus = "tidak"', required_if='putus = "tidak"'),
        Field(id="lama", label="Lama", type="string", group="Rincian"),
    ),
)
NAMES: dict[str, Any] = {
    "tujuan": None,
    "putus": None,
    "sebab": None,
    "lama": "dulu",
    "putaran": 1,
    "tahun": 2026,
    "berkas": {},
}


def test_a_question_starts_with_what_is_known_and_keeps_what_was_typed_even_when_it_is_nothing() -> None:
    asked = fields.questions(FORM, NAMES, {}, AT)
    assert asked["tujuan"].value == "Tahun 2026" and asked["lama"].value == "dulu"
    assert fields.questions(FORM, NAMES, {"tujuan": None}, AT)["tujuan"].value is None


def test_what_is_asked_follows_the_answers_on_the_same_page() -> None:
    before, after = (
        fields.questions(FORM, NAMES, {}, AT)["sebab"],
        fields.questions(FORM, NAMES, {"putus": "tidak"}, AT)["sebab"],
    )
    assert (before.shown, before.required, before.conditional) == (False, False, True)
    assert (after.shown, after.required) == (True, True)


def test_a_problem_stands_at_its_question_and_its_cell() -> None:
    table = Element(id="l", kind="userTask", form=(TABLE,))
    names = {"x": [{"tanggal": "besok"}], "putaran": 1, "tahun": None, "berkas": {}}
    asked = fields.questions(table, names, {}, AT, [Problem("x.0.tanggal", "bukan tanggal"), Problem("x", "kurang")])[
        "x"
    ]
    assert asked.errors == ("kurang",) and asked.rows[0][0].error == "bukan tanggal"
    assert asked.rows[0][0].id == fields.anchor("x.0.tanggal") == "i-x-0-tanggal"


def test_groups_keep_the_order_of_the_diagram_and_leave_the_decision_out() -> None:
    found = fields.groups(FORM, fields.questions(FORM, NAMES, {}, AT), [])
    assert [(g.title, [q.field.id for q in g.questions]) for g in found] == [
        ("", ["tujuan", "sebab"]),
        ("Rincian", ["lama"]),
    ]


# Whatever is posted

EVERY_TYPE = [
    *(Field(id=type, label=type, type=type, choices=(Choice(value="a", label="A"),) if type == "enum" else ())
      for type in ("string", "text", "long", "decimal", "boolean", "date", "time", "enum", "person", "document")),
    Field(id="tabel", label="Tabel", type="table", max_length=3, columns=(
        Column(id="uraian", label="Uraian", type="string", required=True),
        Column(id="jumlah", label="Jumlah", type="long"), Column(id="siapa", label="Siapa", type="person"))),
]
NAMES_POSTED = st.one_of(
    st.sampled_from([*(fields.name_of(field.id) for field in EVERY_TYPE), "isian.person.nama", "isian.tabel.baris",
                     "isian.tabel.0.uraian", "isian.tabel.1.jumlah", "isian.tabel.0.siapa", "isian.tabel.0.siapa.nama",
                     "buang", "tambah", "isian.__class__", "isian.tabel"]),
    st.text(max_size=20))
VALUES_POSTED = st.one_of(
    st.text(max_size=60), st.integers().map(str), st.sampled_from(["1", "²", "٣", "9" * 5_000, "1.250,5", "2/2/2027",
                                                                  "31.31.2027", "tabel", "tabel.0", "\x00", "-0,0"]))


@given(st.lists(st.tuples(NAMES_POSTED, VALUES_POSTED), max_size=25), st.booleans())
@example([("isian.tabel.baris", "²")], False)
@example([("isian.tabel.baris", "9" * 5_000)], False)
def test_arbitrary_names_and_values_become_json_of_declared_fields_and_judged_values(pairs, keep):
    posted = MultiDict(pairs)
    values = fields.parse(EVERY_TYPE, posted, keep)
    json.dumps(values, allow_nan=False)
    assert values.keys() <= {field.id for field in EVERY_TYPE} - {"document"}
    assert len(values.get("tabel") or []) <= requirements.MOST_ROWS
    names = {**dict.fromkeys(field.id for field in EVERY_TYPE), **values, "putaran": 1, "tahun": 2026, "berkas": {}}
    problems = [problem for field in EVERY_TYPE if not requirements.empty(values.get(field.id))
                for problem in requirements.faults(field, values[field.id], names, AT)]
    assert all(problem.place.split(".")[0] in values for problem in problems)
    task = Element(id="t", kind="userTask", form=tuple(EVERY_TYPE))
    asked = fields.questions(task, names, values, AT, problems)
    assert {place for place, one in asked.items() if one.errors} == {
        problem.place for problem in problems if "." not in problem.place}
    assert fields.carried(posted) == list(posted.items(multi=True))


@given(st.text(max_size=40))
def test_what_is_read_as_a_number_or_a_day_is_written_with_plain_digits(text):
    for type in ("long", "decimal", "date", "time"):
        value = typed(type, text)
        if isinstance(value, int) or (value is not None and value != text.replace("\r\n", "\n").strip()):
            assert str(value).isascii()
