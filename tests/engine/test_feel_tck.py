"""Our FEEL against others' judgement: every literal expression of the DMN TCK, and feelin's answers to the same.

tests/data/tck.json has the cases (tests/data/tck_extract.py takes them out of the TCK). What is not part of our FEEL is
refused by name: BEYOND says how many cases that concerns, feature by feature, so that nothing can slip out of scope. In
what remains we give the TCK's answer, or refuse with a reason where FEEL answers an error with null: `agrees` is the
rule. APART has every case where we differ, with the reason.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.expressions import ExpressionError, evaluate, parse
from tests.node import ask

CASES = Path(__file__).parents[1] / "data" / "tck.json"
MANUAL = Path(__file__).parents[2] / "docs" / "feel.md"
AT = datetime(2027, 2, 2, 10, 30, tzinfo=ZoneInfo("Asia/Jakarta"))
LEAST = Decimal("0.95")
NEAR = Decimal("1e-8")      # how exactly the TCK writes numbers; feelin's are floats

# What is not part of our FEEL -> what the refusal says of it (docs/feel.md lists the same), and how many cases.
BEYOND: dict[str, tuple[str, int]] = {
    "patterns": ("patterns (regular expressions)", 78),
    "functions of one's own": ("functions of one's own", 148),
    "sort": ("sort() is not part of this FEEL", 3),
    "ranges as values": ("a range is understood only after `in`", 209),
    "zones by name": ("zone by name", 101),
    "years outside 1 to 9999": ("outside the years 1 to 9999", 43),
    "billionths of a second": ("finer than a millionth", 12),
    "names with spaces": ("names with spaces", 4),
    "names with signs": ("names with signs", 1),
    "names beyond a to z": ("a name has the letters", 2),
    "types of one's own": ("types of one's own", 13),
    "partial": ("`partial`", 1),
}
# Folders that test what DMN does with an answer, not FEEL: the declared type of a decision.
NOT_FEEL = {"0082-feel-coercion"}

# Where our answer is not the TCK's: folder -> reason -> cases. All of them are on purpose.
APART: dict[str, dict[str, list[str]]] = {
    "0021-singleton-list": {
        "a list of one item stays a list; it is taken for the item nowhere but in lists":
            ["001 decision2", "001 decision4", "001 decision5"]},
    "0032-conditionals": {
        "the condition of `if` is true or false, not null (law 7: no branch in silence)":
            ["003 simpleIf", "006 conditionWithFunctions"]},
    "0068-feel-equality": {
        "parts of a second count when instants are compared": ["time_005", "datetime_003_a"]},
    "0069-feel-list": {
        "a name or a member that is not there is a mistake, not null":
            ["031 decision031", "032 decision032", "033 decision033", "034 decision034"]},
    "0100-arithmetic": {
        "a date and hours make no date; in silence a deadline would lose them": [
            "add_lhs_date_to_rhs_dtDuration_002", "add_lhs_dtDuration_to_rhs_date_002",
            *(f"subtract_lhs_date_minus_rhs_dtDuration_{n:03}" for n in (2, 3, 4, 5, 6, 7, 9, 10))],
        "a date is not the midnight of UTC, which is 07.00 in Jakarta": [
            "subtract_lhs_dateAndTime_minus_rhs_dateAndTime_010", "subtract_lhs_dateAndTime_minus_rhs_date_003",
            "subtract_lhs_dateAndTime_minus_rhs_date_005", "subtract_lhs_date_minus_rhs_dateAndTime_002",
            "subtract_lhs_date_minus_rhs_dateAndTime_004"]},
    "0103-feel-is-function": {
        "a call without an argument it needs is a mistake, not a comparison with null": ["named_params_002"]},
    "1116-feel-time-function": {
        "a zone is whole minutes from UTC": [
            "046_7b80221ec1 feel-time-function_046_7b80221ec1", "047_33cd7b9b15 feel-time-function_047_33cd7b9b15"],
        "a date is not the midnight of UTC, which is 07.00 in Jakarta":
            ["053_3d956966c0 feel-time-function_053_3d956966c0"]},
    "1120-feel-duration-function": {
        "a decimal point has digits behind it": ["011_2169615b94 feel-duration-function_011_2169615b94"]},
    "1146-feel-context-put-function": {
        "the argument is called `key` also where it is a list of keys": ["nested008"]},
}


@dataclass(frozen=True)
class Case:
    folder: str
    id: str
    expression: str
    inputs: dict[str, Any]
    expected: Any


@cache
def cases() -> list[Case]:
    return [Case(*one) for one in json.loads(CASES.read_text(encoding="utf-8"))["cases"] if one[0] not in NOT_FEEL]


def read(value: Any) -> Any:
    """A JSON value of the file, of feelin, as our own: {"date": TEXT} is a date."""
    if isinstance(value, list):
        return [read(one) for one in value]
    if isinstance(value, dict):
        if value.keys() == {"number"}:
            return Decimal(value["number"])
        if len(value) == 1 and (kind := next(iter(value))) in ("date", "time", "date and time", "duration"):
            try:
                return evaluate(f"{kind}(text)", {"text": value[kind]}, AT)
            except ExpressionError:
                return value
        return {key: read(one) for key, one in value.items()}
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return abs(one - other) <= NEAR * max(1, abs(other))
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


def agrees(answer: Any, expected: Any) -> bool:
    """Equal; or refused with a reason where FEEL's answer is null, its word for an error."""
    return expected is None if isinstance(answer, ExpressionError) else same(answer, expected)


@cache
def judged() -> dict[str, list[tuple[Case, Any]]]:
    """Our answers (or refusals): under the name of a feature what is beyond our FEEL, under "" what is in scope."""
    found: dict[str, list[tuple[Case, Any]]] = {"": []}
    for case in cases():
        answer: Any
        try:
            answer = evaluate(case.expression, read(case.inputs), AT)
        except ExpressionError as error:
            answer = error
        feature = next((name for name, (said, _) in BEYOND.items()
                        if isinstance(answer, ExpressionError) and said in answer.message), "")
        found.setdefault(feature, []).append((case, answer))
    return found


def expected_of(case: Case) -> Any:
    return None if case.expected == {"error": True} else read(case.expected)


def floats(value: Any) -> Any:
    """A JSON value of the file as feelin takes it."""
    if isinstance(value, list):
        return [floats(one) for one in value]
    if isinstance(value, dict):
        return float(value["number"]) if value.keys() == {"number"} else {k: floats(v) for k, v in value.items()}
    return value


def test_what_is_beyond_our_feel_is_refused_by_name_and_nothing_else_is_left_out():
    assert {name: len(found) for name, found in judged().items() if name} == {
        name: count for name, (_, count) in BEYOND.items()}


@pytest.mark.parametrize(("expression", "feature"), [
    ('matches("a", "a+")', "patterns"), ('replace("a", "a", "b")', "patterns"), ('split("a;b", ";")', "patterns"),
    ("sort([2, 1], function(a, b) a < b)", "sort"), ("(function(a) a)(1)", "functions of one's own"),
    ('{f: function(a) external {java: {}}}', "functions of one's own"),
    ('range("[1..3]")', "ranges as values"), ("[1..3] = [1..3]", "ranges as values"), ("(< 3)", "ranges as values"),
    ("2 in [[1..3], [5..7]]", "ranges as values"), ("before([1..3], [5..7])", "ranges as values"),
    ("overlaps after([1..3], [2..4])", "ranges as values"), ("[1..3].start", "ranges as values"),
    ('@"2027-02-02T10:00:00@Asia/Jakarta"', "zones by name"), ('time("10:00:00@Asia/Jakarta")', "zones by name"),
    ('date("-0044-03-15")', "years outside 1 to 9999"), ("date(10000, 1, 1)", "years outside 1 to 9999"),
    ('duration("PT0.1234567S")', "billionths of a second"), ("nama lengkap", "names with spaces"),
    ("{nama+alamat: 1}", "names with signs"), ("{né: 1}", "names beyond a to z"),
    ("1 instance of tBerkas", "types of one's own"), ("for i in 1..3 return partial", "partial"),
])
def test_each_feature_that_is_left_out_says_its_name(expression, feature):
    with pytest.raises(ExpressionError) as refused:
        evaluate(expression, {}, AT)
    assert BEYOND[feature][0] in refused.value.message


@pytest.mark.parametrize(("expression", "feature"), [
    ('matches(a, "x")', "matches()"), ("random number() > 1", "random number()"), ("function(a) a", "function"),
    ("partial[-1]", "partial"), ("nama lengkap = 1", "nama lengkap"), ("a instance of tBerkas", "instance of tBerkas"),
    ("[1..3] = b", ".."), ("(> 3)", "(> ...)"), ('@"10:00:00@Asia/Jakarta"', "10:00:00@Asia/Jakarta"), ("1 +", ""),
])
def test_the_refusal_names_the_feature_for_those_who_say_it_in_other_words(expression, feature):
    with pytest.raises(ExpressionError) as refused:
        parse(expression)
    assert refused.value.feature == feature


def test_at_least_95_of_100_cases_of_the_tck_are_answered_as_it_says_and_the_others_are_listed():
    found = judged()[""]
    apart = {(case.folder, case.id) for case, answer in found if not agrees(answer, expected_of(case))}
    listed = {(folder, id) for folder, reasons in APART.items() for ids in reasons.values() for id in ids}
    assert apart == listed
    assert len(found) - len(apart) >= LEAST * len(found)
    beyond = sum(count for _, count in BEYOND.values())
    manual = " ".join(MANUAL.read_text(encoding="utf-8").split())
    assert f"{len(cases()):,} literal expressions {beyond} are" in manual
    assert f"of the other {len(found):,} we answer {len(found) - len(apart):,}" in manual
    assert f"other {len(apart)} are listed" in manual


def test_feelin_and_we_differ_only_where_the_tck_sides_with_us_or_where_it_is_listed():
    found = judged()[""]
    questions = [{"expression": case.expression, "data": floats(case.inputs), "at": "2027-02-02T10:30:00"}
                 for case, _ in found]
    answers = [read(one["value"]) for one in ask("feel.mjs", questions)]
    right = [(case, ours, feelin) for (case, ours), feelin in zip(found, answers, strict=True)
             if agrees(feelin, expected_of(case))]
    assert len(right) > 2_400
    apart = [(case.folder, case.id) for case, ours, feelin in right if not agrees(ours, feelin)]
    listed = {(folder, id) for folder, reasons in APART.items() for ids in reasons.values() for id in ids}
    assert set(apart) <= listed
    assert len(right) - len(apart) >= LEAST * len(right)
