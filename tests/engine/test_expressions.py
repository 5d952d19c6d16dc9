"""The expression language: facts, the strictness that is ours, and bounds that hold for arbitrary text.

FACTS is plain FEEL (OMG DMN 1.5): every row holds in any conforming implementation whose numbers are exact, and was
checked against `feelin` 8.2.0. A row is (expression, data, expected) with the expected value in the shape of `to_json`:
whole numbers as int, other numbers and all dates, times and durations as text.
"""
from __future__ import annotations

import json
import re
import sys
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.expressions import (
    _FUNCTIONS,
    _REFUSED_FUNCTIONS,
    FUEL,
    RESERVED_NAMES,
    Expression,
    ExpressionError,
    OutOfFuel,
    YearsMonths,
    condition,
    evaluate,
    parse,
    to_json,
)

AT = datetime(2027, 2, 2, 10, 30, tzinfo=ZoneInfo("Asia/Jakarta"))
TEAM = {"susunan_tim": [
    {"pegawai": "P1", "kedudukan": "ketua"}, {"pegawai": "P2", "kedudukan": "anggota"},
    {"pegawai": "P3", "kedudukan": "anggota"}]}
LETTER = {"tanggal_surat": "2027-01-04", "tanggal_terima": "2027-01-05", "berkas": {"lhr": 1, "notulen": 0},
          "ada_catatan_reviu": "ya", "putaran": 2, "keputusan": "setujui", "kosong": None}

FACTS: list[tuple[str, dict, object]] = [
    # literals
    ("null", {}, None),
    ("true", {}, True),
    ("1.50", {}, "1.5"),
    (".5", {}, "0.5"),
    ('"tulis \\"LKjPD\\""', {}, 'tulis "LKjPD"'),
    ('"a\\nb"', {}, "a\nb"),
    ('"\\u0041"', {}, "A"),
    ("[1, 2, 3]", {}, [1, 2, 3]),
    ("[]", {}, []),
    ('{a: 1, "b c": 2}', {}, {"a": 1, "b c": 2}),
    ("{a: 1, b: a + 1}.b", {}, 2),
    ('@"2027-02-02"', {}, "2027-02-02"),
    ("1 + 2 // keterangan", {}, 3),
    ("1 /* sela */ + 2", {}, 3),
    # arithmetic
    ("1 + 2 * 3", {}, 7),
    ("(1 + 2) * 3", {}, 9),
    ("10 - 4 - 3", {}, 3),
    ("2 ** 3", {}, 8),
    ("2 ** 3 ** 2", {}, 64),
    ("-2 ** 2", {}, 4),
    ("2 ** -1", {}, "0.5"),
    ("7 / 2", {}, "3.5"),
    ("1 / 0", {}, None),
    ("--1", {}, 1),
    ("1 - -1", {}, 2),
    ("null + 1", {}, None),
    ('1 + "a"', {}, None),
    ('"a" + 1', {}, None),
    ('-"a"', {}, None),
    ('"LKj" + "PD"', {}, "LKjPD"),
    # comparison
    ("1 = 1.0", {}, True),
    ("1 != 2", {}, True),
    ("1 < 2", {}, True),
    ("2 <= 1", {}, False),
    ('"a" < "b"', {}, True),
    ('"a" = "A"', {}, False),
    ('"a" = 1', {}, None),
    ('true = "a"', {}, None),
    ("null = null", {}, True),
    ("null = 1", {}, False),
    ("null != 1", {}, True),
    ("null < 1", {}, None),
    ("[1, 2] = [1, 2]", {}, True),
    ("[1, 2] = [2, 1]", {}, False),
    ("{a: 1} = {a: 1}", {}, True),
    ("tanggal_terima >= tanggal_surat", LETTER, True),
    ("putaran >= 2", LETTER, True),
    ("berkas.lhr > 0", LETTER, True),
    ("berkas.notulen > 0", LETTER, False),
    ("kosong = null", LETTER, True),
    ("kosong > 0", LETTER, None),
    # logic, three-valued
    ("true and true", {}, True),
    ("true and null", {}, None),
    ("false and null", {}, False),
    ("null and false", {}, False),
    ("null or true", {}, True),
    ("null or false", {}, None),
    ("true or 1", {}, True),
    ("false or 1", {}, None),
    ("true and 1", {}, None),
    ("not(true)", {}, False),
    ("not(null)", {}, None),
    ('not("a")', {}, None),
    ("false and true or true", {}, True),
    ('keputusan = "setujui" and berkas.lhr > 0', LETTER, True),
    # in, between, ranges
    ("2 between 1 and 3", {}, True),
    ("null between 1 and 3", {}, None),
    ("2 between 1 and 3 and true", {}, True),
    ("1 in [1..3]", {}, True),
    ("3 in [1..3)", {}, False),
    ("1 in ]1..3]", {}, False),
    ("3 in (1..3)", {}, False),
    ('"b" in ["a".."c"]', {}, True),
    ('date("2020-01-02") in [date("2020-01-01")..date("2020-01-05")]', {}, True),
    ("5 in > 3", {}, True),
    ("5 in (> 6, < 2)", {}, False),
    ("5 in (< 2, [4..6])", {}, True),
    ('ada_catatan_reviu in ("ya", "tidak")', LETTER, True),
    ("1 in [1, 2]", {}, True),
    ("3 in xs", {"xs": [1, 2]}, False),
    ("[1] in [[1], [2]]", {}, True),
    ("null in [1..2]", {}, None),
    # if, for, some, every
    ("if 1 < 2 then 3 else 4", {}, 3),
    ('if putaran = 1 then "pertama" else if putaran = 2 then "kedua" else "lain"', LETTER, "kedua"),
    ("for x in [1, 2] return x * 2", {}, [2, 4]),
    ("for x in 1..3 return x", {}, [1, 2, 3]),
    ("for x in 3..1 return x", {}, [3, 2, 1]),
    ("for x in [1, 2], y in [10, 20] return x + y", {}, [11, 21, 12, 22]),
    ("for x in 1..2, y in 1..x return y", {}, [1, 1, 2]),
    ("for x in null return x", {}, None),
    ("some x in [1, 2] satisfies x > 1", {}, True),
    ("some x in [] satisfies true", {}, False),
    ("every x in [1, 2] satisfies x > 1", {}, False),
    ("every x in [] satisfies false", {}, True),
    ("some x in [1, 2], y in [2, 3] satisfies x = y", {}, True),
    ('some a in susunan_tim satisfies a.kedudukan = "ketua"', TEAM, True),
    # lists, filters, paths
    ("[1, 2, 3][1]", {}, 1),
    ("[1, 2, 3][-1]", {}, 3),
    ("[1, 2, 3][4]", {}, None),
    ("[1, 2, 3][0]", {}, None),
    ("xs[n]", {"xs": [1, 2], "n": 2}, 2),
    ("xs[n]", {"xs": [], "n": 2}, None),
    ("[1, 2, 3][item > 1]", {}, [2, 3]),
    ("[][item > 1]", {}, []),
    ("[1, null, 3][item > 2]", {}, [3]),
    ("null[1]", {}, None),
    ("null[item > 1]", {}, None),
    ("5[1]", {}, 5),
    ('count(susunan_tim[item.kedudukan = "anggota"])', TEAM, 2),
    ('susunan_tim[kedudukan = "ketua"].pegawai', TEAM, ["P1"]),
    ('susunan_tim[kedudukan = "ketua"][1].pegawai', TEAM, "P1"),
    ("susunan_tim.pegawai", TEAM, ["P1", "P2", "P3"]),
    ("x.y", {"x": None}, None),
    # functions over lists
    ("count([1, null])", {}, 2),
    ("count([])", {}, 0),
    ("count(null)", {}, None),
    ("sum([1, 2, 3])", {}, 6),
    ("sum(1, 2, 3)", {}, 6),
    ("sum([])", {}, None),
    ("sum([1, null])", {}, None),
    ("min(2, 1, 3)", {}, 1),
    ("max([2, 1, 3])", {}, 3),
    ("min([])", {}, None),
    ('min([1, "a"])', {}, None),
    ("mean([1, 2])", {}, "1.5"),
    ("list contains([1, null], null)", {}, True),
    ("list contains([1, 2], 3)", {}, False),
    ("append([1], 2, 3)", {}, [1, 2, 3]),
    ("append(null, 1)", {}, None),
    ("concatenate([1], [2, 3])", {}, [1, 2, 3]),
    ("distinct values([1, 2, 1])", {}, [1, 2]),
    # functions over numbers
    ("abs(-1.5)", {}, "1.5"),
    ("floor(1.5)", {}, 1),
    ("floor(-1.5)", {}, -2),
    ("ceiling(1.2)", {}, 2),
    ("decimal(2.5, 0)", {}, 2),
    ("decimal(3.5, 0)", {}, 4),
    ("decimal(1 / 3, 2)", {}, "0.33"),
    ("modulo(12, 5)", {}, 2),
    ("modulo(-12, 5)", {}, 3),
    ("modulo(12, -5)", {}, -3),
    ("modulo(1, 0)", {}, None),
    ('number("1.5")', {}, "1.5"),
    ('number("1.234,5", ".", ",")', {}, "1234.5"),
    ('number("tiga")', {}, None),
    # functions over texts
    ("string(1.10)", {}, "1.1"),
    ("string(1.0)", {}, "1"),
    ("string(true)", {}, "true"),
    ("string(null)", {}, None),
    ('string([1, "a"])', {}, '[1, "a"]'),
    ("string({a: 1})", {}, "{a: 1}"),
    ('string length("reviu")', {}, 5),
    ('string length("\\uD83D\\uDE00")', {}, 1),
    ('upper case("Ya")', {}, "YA"),
    ('lower case("Ya")', {}, "ya"),
    ('contains("reviu", "vi")', {}, True),
    ('contains(null, "a")', {}, None),
    ('starts with("reviu", "re")', {}, True),
    ('ends with("reviu", "iu")', {}, True),
    ('substring("LKjPD", 4)', {}, "PD"),
    ('substring("LKjPD", 1, 2)', {}, "LK"),
    ('substring("LKjPD", -2)', {}, "PD"),
    ('substring("LKjPD", -2, 1)', {}, "P"),
    ('substring before("LKjPD", "j")', {}, "LK"),
    ('substring after("LKjPD", "j")', {}, "PD"),
    ('substring before("LKjPD", "x")', {}, ""),
    # dates, times, durations
    ('date("2027-02-02")', {}, "2027-02-02"),
    ("date(2027, 2, 2)", {}, "2027-02-02"),
    ('date("2027-02-30")', {}, None),
    ('date("2027-2-3")', {}, None),
    ('date("")', {}, None),
    ('date("2027-02-02").year', {}, 2027),
    ('date("2027-02-02").weekday', {}, 2),
    ('day of week(date("2026-11-22"))', {}, "Sunday"),
    ('date("2020-01-02") < date("2020-01-03")', {}, True),
    ('date("2020-01-02") = "2020-01-02"', {}, None),
    ("date(tanggal_terima) - date(tanggal_surat)", LETTER, "P1D"),
    ('date("2020-01-31") + duration("P1D")', {}, "2020-02-01"),
    ('date("2020-01-31") + duration("P1M")', {}, "2020-02-29"),
    ('date("2020-03-31") - duration("P1M")', {}, "2020-02-29"),
    ('time("10:00:00")', {}, "10:00:00"),
    ("time(10, 30, 0)", {}, "10:30:00"),
    ('time("10:00:00").hour', {}, 10),
    ('time("23:00:00") + duration("PT2H")', {}, "01:00:00"),
    ('time("10:00:00") - time("09:00:00")', {}, "PT1H"),
    ('date and time("2020-01-02T10:00:00+07:00")', {}, "2020-01-02T10:00:00+07:00"),
    ('date and time(date("2020-01-02"), time("10:00:00"))', {}, "2020-01-02T10:00:00"),
    ('date(date and time("2020-01-02T10:00:00"))', {}, "2020-01-02"),
    ('date and time("2020-01-02T10:00:00") + duration("PT2H")', {}, "2020-01-02T12:00:00"),
    ('date and time("2020-01-02T10:00:00") - date and time("2020-01-01T10:00:00")', {}, "P1D"),
    ('date and time("2020-01-02T03:00:00Z") = date and time("2020-01-02T10:00:00+07:00")', {}, True),
    ('duration("P1DT2H")', {}, "P1DT2H"),
    ('duration("PT90M")', {}, "PT1H30M"),
    ('duration("P14M")', {}, "P1Y2M"),
    ('duration("P1W")', {}, None),
    ('duration("P1D") > duration("PT1H")', {}, True),
    ('duration("P1D") + duration("PT1H")', {}, "P1DT1H"),
    ('duration("P1DT2H").hours', {}, 2),
    ('abs(duration("-P1D"))', {}, "P1D"),
]

# Where feelin 8.2.0 departs from DMN 1.5 (its numbers are floats, among others) and we do not.
DMN_FACTS: list[tuple[str, dict, object]] = [
    ("0.1 + 0.2 = 0.3", {}, True),
    ("1 / 3 * 3", {}, "0.9999999999999999999999999999999999"),
    ("9007199254740993 + 0", {}, "9007199254740993"),
    ("1234567890123456789012345678901234 - 1", {}, "1234567890123456789012345678901233"),
    ('"a" < 1', {}, None),
    ("true < false", {}, None),
    ("[true, false][item]", {}, [True]),
    ("some x in [null] satisfies x > 1", {}, None),
    ("every x in [null, 0] satisfies x > 1", {}, False),
    ("1 in (null, 1)", {}, True),
    ('max("a", "b")', {}, "b"),
    ('max([date("2027-01-01"), date("2027-01-02")])', {}, "2027-01-02"),
    ('min([duration("P1D"), duration("PT1H")])', {}, "PT1H"),
    ("max([null, 1])", {}, None),
    ('number("")', {}, None),
    ('duration("P1Y2D")', {}, None),
    ('duration("P1D") * 2', {}, "P2D"),
    ('2 * duration("PT1H30M")', {}, "PT3H"),
    ('duration("P1D") / 2', {}, "PT12H"),
    ('duration("P1D") / duration("PT8H")', {}, 3),
    ('duration("P1Y") / duration("P4M")', {}, 3),
    ('duration("P1Y") * 1.5', {}, "P1Y6M"),
    ('duration("P1Y") > duration("P1D")', {}, None),
    ('-duration("P1D")', {}, "-P1D"),
    ('duration("-PT26H").days', {}, -1),
    ('duration("-PT26H").hours', {}, -2),
    ('time("01:00:00+07:00") - time("01:00:00Z")', {}, "-PT7H"),
    ('date and time("2027-02-02T10:00:00Z") > date and time("2027-02-02T10:00:00")', {}, None),
    ('substring("LKjPD", 0)', {}, None),
    ('number("1.5", ",", ",")', {}, None),
    ("date(2027, 2, 30)", {}, None),
    ('time("24:00:00")', {}, None),
    ('date and time("2027-02-02")', {}, "2027-02-02T00:00:00"),
    ("is defined(berkas.lhr)", LETTER, True),
    ("is defined(berkas.sk_tim)", LETTER, False),
    ("is defined(kosong)", LETTER, True),
    ("is defined(tidak_ada.apa_pun)", LETTER, False),
    ("[1, 2][1.5]", {}, None),
    ("[1, 2][1e20]", {}, None),
    ("0 * -1", {}, 0),
    ('--"a"', {}, None),
    ('-----1', {}, -1),
    # found by fuzzing
    ("mode(6, [6])", {}, None),
]

# FEEL has an answer for most of these; we refuse, because the answer would hide a mistake. (expression, data, part of
# the message)
REFUSED: list[tuple[str, dict, str]] = [
    ("tidak_ada", {}, "the name 'tidak_ada' is unknown"),
    ("false and tidak_ada or tidak_ada", {}, "unknown"),
    ("berkas.lhrr", LETTER, "there is no 'lhrr' among (lhr, notulen)"),
    ("[{a: 1}, {b: 2}].a", {}, "there is no 'a' among (b)"),
    ('"teks".panjang', {}, "a string has no 'panjang'"),
    ('if null then "ya" else "tidak"', {}, "the condition of `if` is neither true nor false but null"),
    ('[1, 2]["a"]', {}, "a filter is a condition or a place, not a string"),
    ("[1, 2][if item = 1 then false else 2]", {}, "not a number"),
    ("for x in 5 return x", {}, "'x' runs over a number; give it a list"),
    ("for x in 1.5..3 return x", {}, "not whole"),
    ("1 < 2 < 3", {}, "another comparison"),
    ("[1..3]", {}, "only after `in`"),
    ("(1..3)", {}, "only after `in`"),
    ("1 in not(1)", {}, "write not(x in (...))"),
    ("1 instance of angka", {}, "types of one's own"),
    ("function(x) x", {}, "functions of one's own are not understood"),
    ("nama panjang + 1", {}, "names with spaces are not understood; use the id of the field"),
    ("item", {}, "found 'item'"),
    ("for item in [1] return 1", {}, "the name of a variable"),
    ('matches("a", "a+")', {}, "matches() is not part of this FEEL"),
    ('date(text: "2027-02-02")', {}, "date() takes the arguments (from) or (year, month, day), not (text)"),
    ('date(from: "2027-02-02", from: "2027-02-03")', {}, "the name of another argument"),
    ("random number()", {}, "its answer would differ at each replay"),
    ('now().timezone', {}, "ask for `time offset`"),
    ("? > 5", {}, "`?` of a decision table"),
    ("substring()", {}, "substring() was given 0 arguments; it takes 2 or 3"),
    ("sum()", {}, "1 or more"),
    ("is defined(1)", {}, "a name or a path"),
    ("{a: 1, a: 2}", {}, "twice"),
    ('date("2027-02-02") + duration("PT1H")', {}, "no date"),
    ('date("9999-12-31") + duration("P1D")', {}, "out of the range"),
    ('date("9999-12-31") + duration("P1M")', {}, "out of the range"),
    ("1e999 * 1e999 * 1e999 * 1e999 * 1e999 * 1e999 * 1e999", {}, "out of the range"),
    ("12345678901234567890123456789012345", {}, "more than 34 digits"),
    ('@"besok"', {}, "no date, time or duration"),
    ('"\\uD800"', {}, "half of a surrogate pair"),
    ('"\\q"', {}, "no escape"),
    ('"tidak ditutup', {}, "a text that is not closed"),
    ("1 # 2", {}, "unexpected character '#'"),
    ("1;2", {}, "unexpected character ';'"),
    ("a\u200bb", {}, "unexpected character"),
    ("12abc", {}, "unexpected character '1'"),
    ("", {}, "found the end where a value was expected"),
    ("=", {}, "found the end where a value was expected"),
    ("==1", {}, "found '='"),
    ("1 +", {}, "found the end"),
    ("(1", {}, "')'"),
    ("1)", {}, "the end of the expression"),
    ("[1, 2", {}, "']'"),
    ("{a 1}", {}, "':'"),
    ("if true then 1", {}, "'else'"),
    ("a.1", {"a": {}}, "expected"),
    ("x", {"x": 0.1}, "float 0.1, which is not exact"),
    ("x", {"x": [{"y": 1.0}]}, "float"),
    ("x", {"x": Decimal("NaN")}, "no number"),
    ("x", {"x": 10**34}, "more than 34 digits"),
    ("x", {"x": object()}, "no value of an expression"),
    ("x", {"x": {1: 2}}, "is no text"),
    ("__class__", {}, "unknown"),
    ("x.__class__", {"x": {}}, "there is no '__class__'"),
    ('"".__class__', {}, "has no '__class__'"),
]


def outcome(expression: str, data: dict, fuel: int = FUEL) -> object:
    return to_json(evaluate(expression, data, AT, fuel))


@pytest.mark.parametrize(("expression", "data", "expected"), FACTS + DMN_FACTS)
def test_an_expression_gives_what_feel_says(expression, data, expected):
    found = outcome(expression, data)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("expression", "data", "message"), REFUSED)
def test_what_feel_would_hide_is_refused_aloud(expression, data, message):
    with pytest.raises(ExpressionError) as refused:
        evaluate(expression, data, AT)
    assert message in str(refused.value)


def test_a_leading_equals_sign_and_white_space_change_nothing():
    assert outcome("=1 + 1", {}) == outcome("  = 1 + 1 ", {}) == outcome("1 + 1", {}) == 2


def test_now_and_today_are_the_given_instant_in_the_units_zone():
    assert evaluate("now()", {}, AT) == AT
    assert evaluate("today()", {}, AT) == date(2027, 2, 2)
    late_in_utc = datetime(2027, 2, 1, 23, 0, tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo("Asia/Jakarta"))
    assert evaluate("today()", {}, late_in_utc) == date(2027, 2, 2)


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ExpressionError, match="has no zone"):
        evaluate("1", {}, AT.replace(tzinfo=None))


def test_a_condition_is_exactly_true_or_false():
    assert condition('keputusan = "setujui"', LETTER, AT) is True
    assert condition(parse("=putaran > 5"), LETTER, AT) is False
    with pytest.raises(ExpressionError, match="'kosong > 0' is neither true nor false but null"):
        condition("kosong > 0", LETTER, AT)
    with pytest.raises(ExpressionError, match="neither true nor false but string"):
        condition("keputusan", LETTER, AT)


def test_an_expression_knows_the_names_and_paths_it_reads():
    found = parse('=keputusan = "setujui" and berkas.dokumen_lkjpd > 0 and not(putaran > batas.putaran.tertinggi)')
    assert found.names == {"keputusan", "berkas", "putaran", "batas"}
    assert found.paths == {"berkas.dokumen_lkjpd", "batas.putaran.tertinggi"}
    assert found.functions == {"not"}
    assert found.source.startswith("=keputusan")


def test_bound_variables_are_not_names_of_the_data():
    found = parse("for x in xs, y in x.anak return {a: y, b: a + z}")
    assert found.names == {"xs", "z"}
    assert found.members == {"anak"}
    assert parse("some t in susunan_tim satisfies t.kedudukan = peran").members == {"kedudukan"}


def test_a_bare_name_inside_a_filter_may_be_a_column_of_the_row():
    found = parse('count(koreksi[bagian = "II" and item.koreksi != null and berkas.lhr > 0]) = jumlah')
    assert found.names == {"koreksi", "jumlah"}
    assert found.row_names == {"bagian", "berkas"}
    assert found.members == {"koreksi"}
    assert found.paths == {"berkas.lhr"}


def test_a_row_shadows_the_data_inside_a_filter():
    data = {"rows": [{"a": 1}, {"a": 2}], "a": 2, "b": 2}
    assert outcome("rows[a = b]", data) == [{"a": 2}]
    assert outcome("a", data) == 2


def test_the_same_source_is_parsed_once():
    assert parse("1 + 1") is parse("1 + 1")
    assert parse("1 + 1") == parse("1 + 1") != parse("1 + 2")


def test_an_error_says_where():
    with pytest.raises(ExpressionError) as refused:
        parse("=1 + + 2")
    assert refused.value.position == 5
    assert "(at character 6)" in str(refused.value)
    with pytest.raises(ExpressionError) as unknown:
        evaluate("1 + tidak_ada", {}, AT)
    assert unknown.value.position == 4


def test_the_data_are_never_changed_and_never_handed_out():
    data = {"xs": [{"a": [1]}]}
    got = evaluate("xs", data, AT)
    got[0]["a"].append(2)
    assert data == {"xs": [{"a": [1]}]}
    evaluate("append(xs, 1)", data, AT)
    assert data == {"xs": [{"a": [1]}]}


def test_decimals_integers_and_texts_come_in_exact():
    assert outcome("a + b + number(c)", {"a": Decimal("0.1"), "b": 1, "c": "0.2"}) == "1.3"
    assert outcome('a + "1"', {"a": "1"}) == "11"


def test_values_go_out_as_python_values_and_as_json():
    assert evaluate("1 + 1", {}, AT) == Decimal(2)
    assert evaluate('duration("PT90M")', {}, AT) == timedelta(minutes=90)
    assert evaluate('duration("P1Y2M")', {}, AT) == YearsMonths(14)
    assert evaluate("time(10, 30, 0)", {}, AT) == time(10, 30)
    assert to_json([Decimal("1.50"), Decimal(3), Decimal(2**53), None, {"a": date(2027, 2, 2)}]) == [
        "1.5", 3, "9007199254740992", None, {"a": "2027-02-02"}]
    assert to_json(AT.replace(microsecond=500_000)) == "2027-02-02T10:30:00.5+07:00"
    assert to_json(timedelta(days=-1, seconds=1, microseconds=500)) == "-PT23H59M58.9995S"
    assert [to_json(YearsMonths(months)) for months in (0, -14, 12)] == ["P0M", "-P1Y2M", "P1Y"]
    assert to_json(timedelta()) == "PT0S"


def test_dates_and_durations_may_come_in_as_python_values():
    data = {"d": date(2027, 2, 2), "w": timedelta(days=2), "at": AT}
    assert outcome("d + w", data) == "2027-02-04"
    assert outcome("at - w", data) == "2027-01-31T10:30:00+07:00"
    assert outcome('at > date and time("2027-02-02T03:00:00Z")', data) is True


def test_every_reserved_word_is_refused_as_a_name():
    for word in RESERVED_NAMES - {"true", "false", "null"}:
        with pytest.raises(ExpressionError):
            evaluate(word, {word: 1}, AT)


LARGE = {"s": "y" * 100_000, "xs": list(range(10_000)), "x": 1}


@pytest.mark.parametrize("expression", [
    "1" + " + 1" * 1_999 + " ",
    "(" * 60 + "1" + ")" * 60,
    "[" * 61 + "]" * 61,
    "not(" * 60 + "true" + ")" * 60,
    "if true then " * 60 + "1" + " else 1" * 60,
    "for x in 1..10000, y in 1..10000 return 1",
    "for x in 1..10001 return 1",
    "for x in 1..1e15 return 1",
    "for a in [1], b in [1], c in [1], d in [1], e in [1], f in [1], g in [1], h in [1], i in [1], j in [1], k in [1]"
    " return 1",
    "for x in 1..10000 return s",
    "string(for x in 1..10000 return s)",
    's + "!"',
    "s + s",
    "upper case(s + s)",
    "concatenate(xs, [1])",
    "append(xs, 1)",
    "distinct values(xs)",
    "some x in xs, y in xs satisfies x < 0",
    "flatten([xs, xs])",
    "union(xs, xs)",
    "mode(concatenate(xs, xs))",
    "[" + ", ".join(["index of(xs, x)"] * 4) + "]",
    "string join(for x in xs return s)",
    "{c: context(for x in xs return {key: string(x), value: x}), d: context put(c, s, 1)}",
    "2 ** 1000",
    "{a0: [1], " + ", ".join(f"a{n + 1}: [a{n}, a{n}, a{n}]" for n in range(16)) + "}",
    "{a0: [1], " + ", ".join(f"a{n + 1}: [a{n}]" for n in range(80)) + "}.a80",
    "string({a0: 1, " + ", ".join(f"a{n + 1}: [a{n}]" for n in range(80)) + "})",
    "{a0: 1, " + ", ".join(f"a{n + 1}: [a{n}]" for n in range(80)) + ", b: a80 = a80}.b",
])
def test_a_limit_is_passed_aloud(expression):
    with pytest.raises(OutOfFuel):
        evaluate(expression, LARGE, AT)


@pytest.mark.parametrize("data", [
    {"x": "y" * 100_001},
    {"x": list(range(10_001))},
    {"x": [["y" * 1_000] * 1_000] * 100},
])
def test_too_much_data_is_refused_where_it_is_read(data):
    assert outcome("1", data) == 1
    with pytest.raises(OutOfFuel):
        evaluate("x", data, AT)


def test_data_nested_too_deep_are_refused():
    deep: list = []
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(OutOfFuel, match="nested deeper than 60"):
        evaluate("x", {"x": deep}, AT)


def test_sixty_levels_need_few_python_frames():
    """So that an expression that was accepted at upload cannot fail deep inside a web request."""
    sources = ["(" * 59 + "1" + ")" * 59, "1 + (" * 59 + "1" + ")" * 59, "[" * 59 + "]" * 59,
               "{a: " * 59 + "1" + "}" * 59, "not(" * 59 + "true" + ")" * 59,
               "1 or (1 and (1 = (1 + (2 * (2 ** (" * 9 + "1" + ")" * 54,
               "xs[" * 59 + "1" + "]" * 59, "a" + ".b" * 1_900, "1" + "+1" * 1_900, "-" * 3_900 + "1"]
    frame, depth = sys._getframe(), 0
    while frame := frame.f_back:
        depth += 1
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 400)
    try:
        for source in sources:
            try:
                evaluate(source, {"a": {"b": 1}, "xs": [1]}, AT)
            except ExpressionError as error:
                assert not isinstance(error, OutOfFuel), source
    finally:
        sys.setrecursionlimit(before)


def test_fuel_counts_steps_and_the_same_steps_every_time():
    expression = "sum(for x in 1..100 return x * x)"
    enough = next(fuel for fuel in range(2_000) if _affords(expression, fuel))
    assert 300 < enough < 2_000
    assert all(_affords(expression, fuel) for fuel in range(enough, enough + 20))
    assert not _affords(expression, enough - 1)


def _affords(expression: str, fuel: int) -> bool:
    try:
        evaluate(expression, {}, AT, fuel)
    except OutOfFuel:
        return False
    return True


# -- laws ------------------------------------------------------------------------------------------------------------

DATA = {"a": 1, "b": "dua", "c": None, "xs": [1, 2, 3], "rows": [{"a": 1, "d": "2027-02-02"}, {"a": 2, "d": None}],
        "berkas": {"lhr": 1}, "t": True}
FRAGMENTS = st.sampled_from(
    "a b c xs rows berkas .lhr .a .d item x 1 2.5 -1 0 \"teks\" true false null ( ) [ ] { } , : . .. = != < <= > >= "
    "+ - * / ** and or not( if then else for in return some every satisfies between count( sum( string( date( "
    "duration( @\"P1D\" @\"2027-02-02\" today() now() substring( is defined(".split(" "))


@given(st.text(max_size=200))
@example("\x00")
@example("=" * 10)
@example('"' + "\\" * 7)
def test_arbitrary_text_is_a_value_or_an_expression_error(text):
    _value_or_refusal(text)


@settings(max_examples=500)
@given(st.lists(FRAGMENTS, max_size=40))
def test_arbitrary_fragments_are_a_value_or_an_expression_error(fragments):
    _value_or_refusal(" ".join(fragments))


def _value_or_refusal(source: str) -> object:
    try:
        return to_json(evaluate(source, DATA, AT, 5_000))
    except ExpressionError:
        return ExpressionError


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two, three = st.tuples(inner, inner), st.tuples(inner, inner, inner)
    binary = st.sampled_from(["+", "-", "*", "/", "**", "and", "or", "=", "!=", "<", "<=", ">", ">=", "in"])
    called = st.sampled_from(["count", "sum", "min", "max", "mean", "abs", "floor", "ceiling", "not", "string",
                              "number", "string length", "upper case", "distinct values", "date", "time", "duration",
                              "date and time", "day of week", "concatenate",
                              "median", "mode", "stddev", "product", "all", "any", "sqrt", "exp", "log", "odd", "even",
                              "flatten", "reverse", "union", "string join", "context", "context merge", "get entries",
                              "day of year", "week of year", "month of year"])
    called_two = st.sampled_from(["decimal", "modulo", "contains", "starts with", "substring", "substring before",
                                  "list contains", "append", "concatenate", "date and time", "is",
                                  "round up", "round half down", "floor", "string join", "sublist", "remove",
                                  "index of", "union", "get value", "years and months duration"])
    called_three = st.sampled_from(["insert before", "list replace", "context put", "date", "time", "sublist"])
    return st.one_of(
        st.builds("({0[0]} {1} {0[1]})".format, two, binary),
        st.builds("{1}({0})".format, inner, called),
        st.builds("{1}({0[0]}, {0[1]})".format, two, called_two),
        st.builds("{1}({0[0]}, {0[1]}, {0[2]})".format, three, called_three),
        st.builds("({0} instance of {1})".format, inner,
                  st.sampled_from(["number", "date and time", "list<Any>", "context<k: number>"])),
        st.builds("(if {0[0]} then {0[1]} else {0[2]})".format, three),
        st.builds("(for x in {0[0]} return {0[1]})".format, two),
        st.builds("(some x in {0[0]} satisfies {0[1]})".format, two),
        st.builds("({0[0]} between {0[1]} and {0[2]})".format, three),
        st.builds("({0[0]} in [{0[1]}..{0[2]}])".format, three),
        st.builds("{0[0]}[{0[1]}]".format, two),
        st.builds("[{0[0]}, {0[1]}]".format, two),
        st.builds("{{k: {0}}}.k".format, inner),
        st.builds("-{0}".format, inner))


LEAVES = st.sampled_from(['{key: "k", value: 1}', "-1",
                          "a", "b", "c", "xs", "rows", "berkas.lhr", "t", "1", "0", "2.5", "1e300", '"dua"', '""',
                          "true", "false", "null", '@"2027-02-02"', '@"P1D"', '@"-PT1H"', '@"P1M"', '@"10:00:00"',
                          "now()", '@"2027-02-02T10:00:00"', "[]", "1..3", "item", "x"])
EXPRESSIONS = st.recursive(LEAVES, _grown, max_leaves=12)


@settings(max_examples=500)
@given(EXPRESSIONS)
def test_generated_expressions_are_a_value_or_an_expression_error(source):
    _value_or_refusal(source)


@given(EXPRESSIONS)
def test_an_expression_answers_the_same_each_time(source):
    assert _value_or_refusal(source) == _value_or_refusal(source)


@given(st.integers(-10**15, 10**15), st.integers(-10**15, 10**15), st.integers(0, 6), st.integers(0, 6))
def test_sums_and_products_of_decimals_are_exact(one, other, places, other_places):
    a, b = Decimal(one).scaleb(-places), Decimal(other).scaleb(-other_places)
    assert evaluate("a + b", {"a": a, "b": b}, AT) == a + b
    assert evaluate("a - b", {"a": a, "b": b}, AT) == a - b
    # Python's own default of 28 digits would round what is compared with.
    product = Decimal(one * other).scaleb(-places - other_places, Context(prec=40))
    assert evaluate("a * b", {"a": a, "b": b}, AT) == product


@given(st.dates(), st.dates())
def test_dates_as_iso_text_compare_like_dates(one, other):
    data = {"a": one.isoformat(), "b": other.isoformat()}
    assert evaluate("a >= b", data, AT) is (one >= other)
    assert evaluate("date(a) >= date(b)", data, AT) is (one >= other)
    assert evaluate("date(a) - date(b)", data, AT) == one - other


@given(st.dates(min_value=date(1000, 1, 1), max_value=date(9000, 1, 1)), st.integers(-10_000, 10_000))
def test_adding_and_subtracting_days_undo_each_other(day, days):
    assert evaluate("d + w - w", {"d": day, "w": timedelta(days=days)}, AT) == day


@given(st.timedeltas(min_value=timedelta(days=-10**6), max_value=timedelta(days=10**6)))
def test_a_duration_survives_being_written_and_read(length):
    assert evaluate("duration(string(w))", {"w": length}, AT) == length


@given(st.text(max_size=40))
def test_a_text_survives_being_quoted(text):
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        text = text.encode("utf-8", "ignore").decode()
    written = evaluate("string([x])", {"x": text}, AT)
    assert evaluate(written + "[1]", {}, AT) == text


@given(st.recursive(st.none() | st.booleans() | st.integers(-10**30, 10**30) | st.text(max_size=20),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
                    max_leaves=20))
def test_data_come_out_as_they_went_in(value):
    found = evaluate("x", {"x": value}, AT)
    assert found == value
    assert evaluate("x = y", {"x": value, "y": value}, AT) is True


def test_a_parsed_expression_can_be_kept():
    kept = parse("berkas.lhr + putaran")
    assert isinstance(kept, Expression)
    assert [to_json(evaluate(kept, {**LETTER, "putaran": n}, AT)) for n in (1, 2)] == [2, 3]


# -- the manual ------------------------------------------------------------------------------------------------------

MANUAL = (Path(__file__).parents[2] / "docs" / "feel.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\|.*?\| `([^`]+)` \| `([^`]+)` \|$", MANUAL, re.M)


@pytest.mark.parametrize(("expression", "answer"), EXAMPLES)
def test_an_example_of_the_manual_gives_what_stands_beside_it(expression, answer):
    assert outcome(expression, {"berkas": {}}) == json.loads(answer)


def test_the_manual_has_an_example_of_every_function():
    used = set().union(*(parse(expression).functions for expression, _ in EXAMPLES))
    assert set(_FUNCTIONS) | {"is defined"} <= used
    described = set(re.findall(r"^\| ([a-z ]+)\(.*\| `", MANUAL, re.M))
    assert described == set(_FUNCTIONS) | {"is defined"}


def test_the_manual_names_every_function_that_is_left_out():
    left_out = MANUAL[MANUAL.index("## What is not there"):]
    assert [name for name in _REFUSED_FUNCTIONS if f"`{name}`" not in left_out] == []
