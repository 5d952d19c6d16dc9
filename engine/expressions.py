"""A strict subset of FEEL with fuel: what conditions, timers and form rules of a diagram are written in.

FEEL (Friendly Enough Expression Language) is chapter 10 of OMG DMN 1.5. Where this subset answers, it gives FEEL's
answer; where it is stricter it refuses, because a wrong branch taken in silence is worse than an incident:

- an unknown name, or a member that a context does not have, is an error (FEEL: null, so `if` takes the else branch);
- the condition of `if` and the answer of `condition()` are exactly true or false;
- numbers are decimals of 34 digits (IEEE 754 decimal128), never floats; a float in the data is refused;
- `a < b < c`, hours added to a date, a range outside `in`, names with spaces, functions of one's own, zones by name and
  regular expressions are refused by name, most of them when the expression is parsed.

docs/feel.md is the manual; tests/engine/test_feel_tck.py measures it against the DMN TCK and against feelin.

It cannot run code, reach a Python object, change the data, read a clock or loop without end: there is nothing in it to
escape from. Every step costs fuel, and what is large costs more; limits are counted, never timed, so that a replay on
another machine gives the same answer (DESIGN.md, laws 1, 4 and 6).

Read it top to bottom: the public verbs, values, reading (tokens, parser), meaning (one class per construct, with the
operators), functions.
"""
from __future__ import annotations

import calendar
import decimal
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn, Protocol

FUEL = 50_000                   # steps of one evaluation
SOURCE_CHARACTERS_MAX = 4_000
NESTING_MAX = 60                # of brackets, `if`s, calls in the source, and of lists and contexts in the data
STRING_CHARACTERS_MAX = 100_000
LIST_ITEMS_MAX = 10_000
ITERATORS_MAX = 10              # `for a in x, b in y, ...`
CHARACTERS_PER_FUEL = 100       # text that is built or searched costs one step for so many characters

# Words that cannot name a field, because an expression would read them as something else.
RESERVED_NAMES = frozenset({
    "and", "or", "not", "if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "between",
    "true", "false", "null", "item", "instance", "of", "function", "external", "partial",
})

# Threads share it: they only compute with it, and nobody reads its flags.
_DECIMAL128 = decimal.Context(
    prec=34, Emax=6144, Emin=-6143, rounding=decimal.ROUND_HALF_EVEN,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow])

Value = Any     # None, bool, Decimal, str, list, dict, date, datetime, time, timedelta or YearsMonths


class ExpressionError(ValueError):
    """An expression that cannot be read, or has no answer over these data.

    message   what is, what was expected, what to do
    position  where in the source it was noticed, counted from 0; None when it concerns the whole
    feature   what of FEEL it asks for that is left out here, as it is written: "matches()"; "" of any other error
    """

    def __init__(self, message: str, position: int | None = None, feature: str = ""):
        super().__init__(message if position is None else f"{message} (at character {position + 1})")
        self.message = message
        self.position = position
        self.feature = feature


class OutOfFuel(ExpressionError):
    """A limit was passed: the expression or what it makes is too large, or it needs too many steps."""


class OutOfFuelTogether(ExpressionError):
    """What all evaluations of one decision may take together is used up."""


@dataclass(frozen=True)
class YearsMonths:
    """FEEL's years and months duration: `duration("P1Y2M")`. Days and time durations are `timedelta`."""
    months: int


@dataclass(frozen=True)
class Expression:
    """A parsed expression. Equal when the sources are equal; safe to keep and to share.

    source     as given, with its leading "=" if there was one
    names      free names that must be in the data: field ids and the built-in names
    paths      free names with the members asked of them, dotted: "berkas.lhr"
    row_names  unqualified names inside a filter: a member of the row, or else a name of the data
    members    members asked of rows: `item.x`, or `.x` of a variable of `for`, `some`, `every`
    functions  the built-in functions it calls
    """
    source: str
    names: frozenset[str] = field(compare=False)
    paths: frozenset[str] = field(compare=False)
    row_names: frozenset[str] = field(compare=False)
    members: frozenset[str] = field(compare=False)
    functions: frozenset[str] = field(compare=False)
    tree: _Node = field(compare=False, repr=False)


@lru_cache(maxsize=2048)
def parse(source: str) -> Expression:
    """The expression that `source` says; a leading "=" (as in Camunda 8) may stand before it.

    Raises ExpressionError with the position when it cannot be read, OutOfFuel when it is too long or nested too deep.
    """
    if not isinstance(source, str):
        raise ExpressionError(f"an expression is text, not {type(source).__name__}")
    if len(source) > SOURCE_CHARACTERS_MAX:
        raise OutOfFuel(f"the expression has {len(source)} characters; the limit is {SOURCE_CHARACTERS_MAX}. "
                        "Split it over several fields or gateways.")
    return _Parser(source).whole()


def evaluate(expression: str | Expression, data: Mapping[str, Any], at: datetime, fuel: int = FUEL) -> Value:
    """What `expression` gives over `data`.

    data   JSON-like: None, bool, int, Decimal, str, list, mapping; also date, time, datetime, timedelta. No floats.
    at     an aware instant, already in the unit's zone: what now() and today() answer (CONTRACTS.md 1).
    fuel   how many steps it may take.
    The answer is None, bool, Decimal, str, list, dict, date, datetime, time, timedelta or YearsMonths; `to_json`
    writes it down. Raises ExpressionError for an unknown name or an answer that does not exist, OutOfFuel at a limit.
    """
    if at.tzinfo is None or at.utcoffset() is None:
        raise ExpressionError("the instant of an evaluation has no zone; give an aware one in the unit's zone")
    parsed = parse(expression) if isinstance(expression, str) else expression
    tank = _TANK.get()
    given = fuel if tank is None else min(fuel, tank[0])
    run = _Run(data, at, given)
    try:
        return run.pay_for(parsed.tree.value(run))
    except (decimal.DecimalException, OverflowError) as error:
        raise ExpressionError("a number, date or duration grew out of the range of FEEL "
                              f"(34 digits, years 1 to 9999) in {_short(parsed.source)}") from error
    except OutOfFuel as error:
        if given < fuel and run.fuel < 0:
            raise OutOfFuelTogether("the expressions of one step need too many steps together; make them simpler or "
                                    "their lists shorter") from error
        raise
    finally:
        if tank is not None:
            tank[0] -= given - max(run.fuel, 0)


@contextmanager
def together(fuel: int) -> Iterator[None]:
    """Within it all evaluations of this thread take from one tank of `fuel`, besides what each may take by itself."""
    before = _TANK.set([fuel])
    try:
        yield
    finally:
        _TANK.reset(before)


_TANK: ContextVar[list[int] | None] = ContextVar("fuel", default=None)


def condition(expression: str | Expression, data: Mapping[str, Any], at: datetime, fuel: int = FUEL) -> bool:
    """True or False, as `expression` says; anything else it gives is an ExpressionError (DESIGN.md, law 7)."""
    answer = evaluate(expression, data, at, fuel)
    if answer is True or answer is False:
        return answer
    source = expression if isinstance(expression, str) else expression.source
    raise ExpressionError(f"the condition {_short(source)} is neither true nor false but {_kind(answer)}")


def to_json(value: Value) -> Any:
    """`value` as JSON without floats: whole numbers that JSON readers keep exact as int, other numbers as text,
    dates, times and durations as ISO 8601 text (CONTRACTS.md 3)."""
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value()
        return int(value) if whole and abs(value) < 2**53 else _number_text(value)
    if isinstance(value, list):
        return [to_json(one) for one in value]
    if isinstance(value, dict):
        return {key: to_json(one) for key, one in value.items()}
    if value is None or isinstance(value, bool | str):
        return value
    return _temporal_text(value)


# ---------------------------------------------------------------------------------------------------------------------
# Values
# ---------------------------------------------------------------------------------------------------------------------

def _kind(value: Value) -> str:
    """FEEL's name for the type of `value`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    for kind, python_type in _KINDS:
        if isinstance(value, python_type):
            return kind
    raise ExpressionError(f"a Python {type(value).__name__} is no value of an expression; "
                          "give text, whole numbers, Decimal, lists, mappings, dates")


_KINDS: tuple[tuple[str, type], ...] = (
    ("number", Decimal), ("string", str), ("list", list), ("context", dict), ("date and time", datetime),
    ("date", date), ("time", time), ("days and time duration", timedelta), ("years and months duration", YearsMonths),
)
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_ORDERED = frozenset({"number", "string", "date and time", "date", "time", "days and time duration",
                      "years and months duration"})


def _equal(left: Value, right: Value, run: _Run, depth: int = NESTING_MAX) -> bool | None:
    """FEEL's `=`: null is equal to null only; values of two kinds cannot be compared (null)."""
    run.burn()
    run.check_depth(depth)
    if left is None or right is None:
        return left is right
    kind = _kind(left)
    if kind != _kind(right):
        return None
    if kind == "list":
        if len(left) != len(right):
            return False
        return _all(_equal(a, b, run, depth - 1) for a, b in zip(left, right, strict=True))
    if kind == "context":
        if left.keys() != right.keys():
            return False
        return _all(_equal(one, right[key], run, depth - 1) for key, one in left.items())
    if kind in ("time", "date and time") and (left.utcoffset() is None) != (right.utcoffset() is None):
        return None
    if kind == "string":
        run.burn_text(left)
    return bool(left == right)


def _ordered(symbol: str, left: Value, right: Value, run: _Run) -> bool | None:
    """`<`, `<=`, `>`, `>=`: null unless both are of one kind that has an order."""
    kind = _kind(left)
    if kind not in _ORDERED or kind != _kind(right):
        return None
    if kind == "string":
        run.burn_text(left)
    elif kind == "years and months duration":
        left, right = left.months, right.months
    elif kind in ("time", "date and time") and (left.utcoffset() is None) != (right.utcoffset() is None):
        return None
    return _ORDER[symbol](left, right)


def _all(answers: Any) -> bool | None:
    """Three-valued `and`: one false makes it false, else one unknown makes it unknown."""
    unknown = False
    for answer in answers:
        if answer is False:
            return False
        unknown = unknown or answer is not True
    return None if unknown else True


def _any(answers: Any) -> bool | None:
    """Three-valued `or`: one true makes it true, else one unknown makes it unknown."""
    unknown = False
    for answer in answers:
        if answer is True:
            return True
        unknown = unknown or answer is not False
    return None if unknown else False


def _number_text(number: Decimal) -> str:
    text = format(number.normalize(_DECIMAL128), "f")
    return "0" if text == "-0" else text


def _temporal_text(value: Value) -> str:
    if isinstance(value, YearsMonths):
        years, months = divmod(abs(value.months), 12)
        text = "P" + (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return "-" + text if value.months < 0 else text
    if isinstance(value, timedelta):
        return _duration_text(value)
    text = value.isoformat()
    if isinstance(value, datetime | time) and value.microsecond:
        head, _, tail = text.partition(".")
        text = f"{head}.{tail[:6].rstrip('0')}{tail[6:]}"
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def _duration_text(duration: timedelta) -> str:
    total = abs(duration)
    hours, rest = divmod(total.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    text = f"P{total.days}D" if total.days else "P"
    if total.seconds or total.microseconds:
        fraction = f".{total.microseconds:06d}".rstrip("0") if total.microseconds else ""
        text += "T" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
        text += f"{seconds}{fraction}S" if seconds or fraction else ""
    text = "PT0S" if text == "P" else text
    return "-" + text if duration < timedelta(0) else text


_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?(Z|[+-][0-9]{2}:[0-9]{2})?")
_DAYS_TIME = re.compile(
    r"(-)?P(?=[0-9T])(?:([0-9]{1,9})D)?(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?"
    r"(?:([0-9]{1,9})(?:\.([0-9]{1,6}))?S)?)?")
_YEARS_MONTHS = re.compile(r"(-)?P(?=[0-9])(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?")


_FAR_YEAR = re.compile(r"-?[0-9]{4,9}-[0-9]{2}-[0-9]{2}(T.*)?")
_NAMED_ZONE = re.compile(r"[-0-9T:.]+@[A-Za-z_]+(/[A-Za-z_+-]+)*")
_FINE_SECONDS = re.compile(r"[-+0-9T:PYDHMZ]*\.[0-9]{7,9}(S|Z|[+-][0-9]{2}:[0-9]{2})?")


def _refuse_what_feel_could(text: str) -> None:
    """What FEEL has and we have not is an error with its name, not the null of a text that says nothing."""
    if len(text) > 80:
        return
    if _NAMED_ZONE.fullmatch(text):
        raise ExpressionError(f"{text} has a zone by name, whose rules differ between machines; write its distance "
                              "from UTC, such as 2027-02-02T10:00:00+07:00", feature=text)
    if _FAR_YEAR.fullmatch(text) and not _DATE.fullmatch(text[:10]):
        raise ExpressionError(f"{text} is outside the years 1 to 9999; use a date of these years")
    if _FINE_SECONDS.fullmatch(text):
        raise ExpressionError(f"{text} is finer than a millionth of a second; write at most six digits")


def _date_of(text: str) -> date | None:
    """The date that `text` says ("2027-02-02"), null for anything else. Stricter than Python's fromisoformat."""
    match = _DATE.fullmatch(text)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _time_of(text: str) -> time | None:
    """The time that `text` says: "10:00", "10:00:00", "10:00:00.5", with "Z" or "+07:00" behind it or not."""
    match = _TIME.fullmatch(text)
    if not match:
        return None
    hours, minutes, seconds, fraction, zone = match.groups()
    try:
        return time(int(hours), int(minutes), int(seconds or 0), int((fraction or "0").ljust(6, "0")), _offset(zone))
    except ValueError:
        return None


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    if int(text[1:3]) > 14 or int(text[4:6]) > 59:
        raise ValueError(f"no zone is {text} from UTC")
    return timezone(-offset if text[0] == "-" else offset)


def _date_and_time_of(text: str) -> datetime | None:
    """The date and time that `text` says, "2027-02-02T10:00:00"; a date alone is its midnight, and the end of a day,
    24:00:00, the midnight of the next."""
    day, _, clock = text.partition("T")
    on = _date_of(day)
    if on and clock.startswith("24:00:00"):
        midnight = _time_of("00" + clock[2:])
        if midnight is None or midnight.replace(tzinfo=None) != time(0):
            return None
        return datetime.combine(on + timedelta(days=1), midnight)
    at = _time_of(clock) if clock else (time(0) if on and "T" not in text else None)
    return datetime.combine(on, at) if on and at else None


def _duration_of(text: str) -> timedelta | YearsMonths | None:
    """The duration that `text` says: "P2D", "PT20M", "-P1DT2H", "P1Y2M"; null for anything else, weeks included."""
    if match := _YEARS_MONTHS.fullmatch(text):
        months = int(match[2] or 0) * 12 + int(match[3] or 0)
        return YearsMonths(-months if match[1] else months)
    if match := _DAYS_TIME.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:5])
        length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds,
                           microseconds=int((match[6] or "0").ljust(6, "0")))
        return -length if match[1] else length
    return None


def _temporal_of(text: str) -> Value:
    """What an at-literal says: @"2027-02-02", @"10:00:00", @"P2D"."""
    _refuse_what_feel_could(text)
    return _date_of(text) or _time_of(text) or _date_and_time_of(text) or _duration_of(text)


def _short(source: str) -> str:
    return f"'{source}'" if len(source) <= 80 else f"'{source[:77]}...'"


# ---------------------------------------------------------------------------------------------------------------------
# Running
# ---------------------------------------------------------------------------------------------------------------------

class _Run:
    """One evaluation: the data, the instant, what is left of the fuel, and the variables in scope."""
    __slots__ = ("at", "data", "fuel", "known", "scopes")

    def __init__(self, data: Mapping[str, Any], at: datetime, fuel: int):
        self.data, self.at, self.fuel = data, at, fuel
        self.scopes: list[Mapping[str, Value]] = []
        self.known: dict[str, Value] = {}       # names of the data that were asked for, as values

    def burn(self, steps: int = 1) -> None:
        self.fuel -= steps
        if self.fuel < 0:
            raise OutOfFuel("the expression needs too many steps; make it simpler or its lists shorter")

    def burn_text(self, text: str) -> str:
        """`text`, paid for by its length."""
        if len(text) > STRING_CHARACTERS_MAX:
            raise OutOfFuel(f"a text grew to {len(text)} characters; the limit is {STRING_CHARACTERS_MAX}")
        self.burn(len(text) // CHARACTERS_PER_FUEL)
        return text

    def burn_list(self, items: list[Value]) -> list[Value]:
        """`items`, paid for by their number."""
        if len(items) > LIST_ITEMS_MAX:
            raise OutOfFuel(f"a list grew to {len(items)} items; the limit is {LIST_ITEMS_MAX}")
        self.burn(len(items))
        return items

    def check_depth(self, left: int) -> None:
        """Entries of a context may hold those before them, so values can nest deeper than their expression."""
        if left == 0:
            raise OutOfFuel(f"a value nested deeper than {NESTING_MAX}")

    def pay_for(self, answer: Value, depth: int = NESTING_MAX) -> Value:
        """`answer`, paid for as large as it is written: a small tree of shared parts can be immense on paper."""
        self.burn()
        self.check_depth(depth)
        if isinstance(answer, str):
            self.burn_text(answer)
        elif isinstance(answer, list | dict):
            for one in answer.values() if isinstance(answer, dict) else answer:
                self.pay_for(one, depth - 1)
        return answer

    def name(self, name: str, position: int) -> Value:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        if name in self.known:
            return self.known[name]
        if name not in self.data:
            raise ExpressionError(f"the name '{name}' is unknown here; use the id of a field of this process", position)
        value = self.known[name] = self._taken_in(self.data[name], name, NESTING_MAX)
        return value

    def _taken_in(self, value: Any, name: str, depth: int) -> Value:
        """A copy of `value` in our own kinds, so that nothing outside is reached or changed."""
        self.burn()
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, float):
            raise ExpressionError(f"'{name}' holds the float {value!r}, which is not exact; "
                                  "store it as text or Decimal")
        if isinstance(value, int | Decimal):
            return self._number_taken_in(value, name)
        if isinstance(value, str):
            return self.burn_text(str(value))
        self.check_depth(depth)
        if isinstance(value, list | tuple):
            if len(value) > LIST_ITEMS_MAX:
                raise OutOfFuel(f"'{name}' holds a list of {len(value)} items; the limit is {LIST_ITEMS_MAX}")
            return [self._taken_in(one, name, depth - 1) for one in value]
        if isinstance(value, Mapping):
            taken: dict[str, Value] = {}
            for key, one in value.items():
                if not isinstance(key, str):
                    raise ExpressionError(f"'{name}' holds a mapping whose key {key!r} is no text")
                taken[key] = self._taken_in(one, name, depth - 1)
            return taken
        _kind(value)    # refuses what is no value of FEEL
        return value

    def _number_taken_in(self, value: int | Decimal, name: str) -> Decimal:
        if isinstance(value, Decimal) and not value.is_finite():
            raise ExpressionError(f"'{name}' holds {value}, which is no number")
        if (abs(value) >= 10**34) if isinstance(value, int) else (len(value.as_tuple().digits) > 34):
            raise ExpressionError(f"'{name}' holds a number of more than 34 digits")
        return _DECIMAL128.plus(Decimal(value))


class _NoAnswer(Exception):
    """Raised inside a function whose arguments are not of its domain: FEEL answers null."""


# ---------------------------------------------------------------------------------------------------------------------
# Reading: tokens
# ---------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, slots=True)
class _Token:
    kind: str       # number string temporal word function symbol end
    text: str
    position: int


# What FEEL has and we have not, each with what to do instead.
_PATTERNS = "patterns (regular expressions) can run for ever; use contains(), starts with(), ends with(), substring()"
_RANGES = "a range is understood only after `in`; compare the ends with < and >="
_UNEQUAL = "its answer would differ at each replay; let a user task ask for the value"
_REFUSED_FUNCTIONS: dict[str, str] = {
    "matches": _PATTERNS, "replace": _PATTERNS, "split": _PATTERNS, "extract": _PATTERNS,
    "sort": "it needs a function of one's own; let a table be filled in order, or use min() and max()",
    "range": _RANGES, "before": _RANGES, "after": _RANGES, "meets": _RANGES, "met by": _RANGES, "overlaps": _RANGES,
    "overlaps before": _RANGES, "overlaps after": _RANGES, "overlapped by": _RANGES, "overlapped before by": _RANGES,
    "overlapped after by": _RANGES, "includes": _RANGES, "during": _RANGES, "starts": _RANGES, "started by": _RANGES,
    "finishes": _RANGES, "finished by": _RANGES, "coincides": _RANGES,
    "random number": _UNEQUAL, "uuid": _UNEQUAL,
    "get or else": 'write `if x = null then "-" else x`', "assert": "write a condition",
}
_WORDY_FUNCTIONS = (
    "context merge", "context put", "date and time", "day of week", "day of year", "distinct values", "ends with",
    "get entries", "get value", "index of", "insert before", "is defined", "list contains", "list replace",
    "lower case", "month of year", "round down", "round half down", "round half up", "round up", "starts with",
    "string join", "string length", "substring after", "substring before", "upper case", "week of year",
    "years and months duration", *(name for name in _REFUSED_FUNCTIONS if " " in name))
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?(?![0-9A-Za-z_]))"
    r'|(?P<temporal>@"[^"\\]*")'
    r'|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<function>(?:" + "|".join(name.replace(" ", r"[ \t\r\n]+") for name in _WORDY_FUNCTIONS)
    + r")(?=[ \t\r\n]*\())"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<symbol>\*\*|\.\.|<=|>=|!=|[-+*/=<>()\[\]{},.:])", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}


def _tokens(source: str) -> list[_Token]:
    position = len(source) - len(source.lstrip(" \t\r\n"))
    if source[position:position + 1] == "=":
        position += 1
    found = []
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            character = source[position]
            what = ("a text that is not closed" if character in '"@' else
                    "`?` of a decision table is not understood here; write the name of the field" if character == "?"
                    else f"unexpected character {character!r}; a name has the letters a to z, digits and _"
                    if character.isprintable() and ord(character) > 127 else f"unexpected character {character!r}")
            raise ExpressionError(f"{what} in {_short(source)}", position)
        kind = match.lastgroup or ""
        if kind == "function":
            found.append(_Token(kind, " ".join(match.group().split()), position))
        elif kind != "space":
            found.append(_Token(kind, match.group(), position))
        position = match.end()
    found.append(_Token("end", "", len(source)))
    return found


def _unquoted(token: _Token) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        if code is None:
            if match[3] not in _ESCAPED:
                raise ExpressionError(f"\\{match[3]} is no escape in a text; write \\\\ for a backslash",
                                      token.position + 1 + match.start())
            return _ESCAPED[match[3]]
        if int(code, 16) > 0x10FFFF:
            raise ExpressionError(f"\\U{code} is no character", token.position + 1 + match.start())
        return chr(int(code, 16))

    text = _ESCAPE.sub(character, token.text[1:-1])
    try:    # Two \u of a surrogate pair are one character; a lone one is none.
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ExpressionError("half of a surrogate pair is no character", token.position) from None


# ---------------------------------------------------------------------------------------------------------------------
# Reading: the parser
# ---------------------------------------------------------------------------------------------------------------------

class _Node(Protocol):
    def value(self, run: _Run) -> Value: ...


_BINDING = {"or": 1, "and": 2, "=": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "between": 3, "in": 3,
            "instance": 3, "+": 4, "-": 4, "*": 5, "/": 5, "**": 6}
_COMPARISON, _ADDITIVE = 3, 4
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_FILTER = "a filter"        # marks its scope: a name not found in it may be a member of the row


class _Parser:
    """Recursive descent with binding powers: one call per bracket, not one per precedence level, so that 60 nested
    brackets need some 300 Python frames. Chains such as `a and b and c` become one node, read and run in a loop."""

    def __init__(self, source: str):
        self.source = source
        self.tokens = _tokens(source)
        self.index = 0
        self.depth = 0
        self.scopes: list[set[str]] = []
        self.names: set[str] = set()
        self.paths: set[str] = set()
        self.row_names: set[str] = set()
        self.members: set[str] = set()
        self.functions: set[str] = set()

    def whole(self) -> Expression:
        tree = self.expression()
        if self.token.kind != "end":
            self.fail("the end of the expression")
        return Expression(self.source, frozenset(self.names), frozenset(self.paths), frozenset(self.row_names),
                          frozenset(self.members), frozenset(self.functions), tree)

    # -- tokens

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def next(self) -> _Token:
        token = self.tokens[self.index]
        self.index += token.kind != "end"
        return token

    def at(self, text: str) -> bool:
        return self.token.text == text and self.token.kind in ("symbol", "word")

    def accept(self, text: str) -> bool:
        found = self.at(text)
        self.index += found
        return found

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.fail(f"'{text}'")

    def fail(self, expected: str) -> NoReturn:
        self.refuse_by_name()
        found = "the end" if self.token.kind == "end" else f"'{self.token.text}'"
        raise ExpressionError(f"found {found} where {expected} was expected in {_short(self.source)}",
                              self.token.position, ".." if self.at("..") else "")

    def refuse_by_name(self) -> None:
        """Says so where what stands here is FEEL, but not ours."""
        token, before = self.token, self.tokens[self.index - 1] if self.index else None
        if token.text in ("function", "external") and token.kind == "word":
            raise ExpressionError("`function`: functions of one's own are not understood; write the calculation where "
                                  "it is used", token.position, token.text)
        if token.text == "partial" and token.kind == "word":
            raise ExpressionError("`partial`: the results so far are not understood; use sum(), product() or a table",
                                  token.position, "partial")
        if token.kind == "word" and before is not None and before.kind == "word" \
                and not {before.text, token.text} & RESERVED_NAMES:
            raise ExpressionError(f"'{before.text} {token.text}': names with spaces are not understood; use the id of "
                                  "the field, or quote the name of an entry: {\"nama lengkap\": 1}", token.position,
                                  f"{before.text} {token.text}")
        if token.text in _COMPARISONS and token.kind == "symbol" and before is not None and before.text == "(":
            raise ExpressionError(f"`({token.text} ...)`: a range is understood only after `in`", token.position,
                                  f"({token.text} ...)")

    # -- constructs

    def expression(self) -> _Node:
        self.depth += 1
        if self.depth > NESTING_MAX:
            raise OutOfFuel(f"the expression is nested deeper than {NESTING_MAX}", self.token.position)
        try:
            if self.at("if"):
                return self.conditional()
            if self.at("for"):
                return self.loop()
            if self.at("some") or self.at("every"):
                return self.quantified()
            return self.operation()
        finally:
            self.depth -= 1

    def conditional(self) -> _Node:
        position = self.next().position
        asked = self.expression()
        self.expect("then")
        chosen = self.expression()
        self.expect("else")
        return _If(asked, chosen, self.expression(), position)

    def loop(self) -> _Node:
        self.next()
        iterators = self.iterators()
        self.expect("return")
        body = self.expression()
        del self.scopes[-len(iterators):]
        return _For(iterators, body)

    def quantified(self) -> _Node:
        word = self.next().text
        iterators = self.iterators()
        self.expect("satisfies")
        body = self.expression()
        del self.scopes[-len(iterators):]
        return _Quantified(word, iterators, body)

    def iterators(self) -> tuple[_Iterator, ...]:
        """`x in list` or `x in 1..3`, several with commas; each variable is in scope for what follows it."""
        found: list[_Iterator] = []
        while True:
            variable = self.new_name("the name of a variable")
            self.expect("in")
            position = self.token.position
            over = self.expression()
            to = self.expression() if self.accept("..") else None
            found.append(_Iterator(variable, over, to, position))
            self.scopes.append({variable})
            if len(found) > ITERATORS_MAX:
                raise OutOfFuel(f"more than {ITERATORS_MAX} variables in one loop", position)
            if not self.accept(","):
                return tuple(found)

    def new_name(self, what: str) -> str:
        if self.token.kind != "word" or self.token.text in RESERVED_NAMES:
            self.fail(what)
        return self.next().text

    def operation(self, least: int = 1, left: _Node | None = None) -> _Node:
        """Operators that bind at least as strongly as `least`; a chain of one strength is one node."""
        left = self.signed() if left is None else left
        while (binding := self.binding()) >= least:
            if binding == _COMPARISON:
                left = self.comparison(left)
                if self.binding() == _COMPARISON:
                    raise ExpressionError(f"'{self.token.text}' follows another comparison; "
                                          "write a < b and b < c, or use brackets", self.token.position)
                continue
            rest: list[tuple[str, _Node]] = []
            while self.binding() == binding:
                symbol = self.next().text
                rest.append((symbol, self.operation(binding + 1)))
            if binding < _COMPARISON:
                left = _Junction(rest[0][0], (left, *(operand for _, operand in rest)))
            else:
                left = _Arithmetic(left, tuple(rest))
        return left

    def binding(self) -> int:
        return _BINDING.get(self.token.text, 0) if self.token.kind in ("symbol", "word") else 0

    def comparison(self, left: _Node) -> _Node:
        symbol = self.next().text
        if symbol == "between":
            low = self.operation(_ADDITIVE)
            self.expect("and")
            return _In(left, (_Range(low, self.operation(_ADDITIVE), True, True),))
        if symbol == "in":
            return _In(left, self.tests())
        if symbol == "instance":
            self.expect("of")
            return _InstanceOf(left, self.type())
        return _Comparison(symbol, left, self.operation(_ADDITIVE))

    def type(self) -> _Type:
        """`number`, `date and time`, `list<string>`, `context<a: number>`, `Any`."""
        token = self.token
        for words in _TYPE_WORDS:
            if [one.text for one in self.tokens[self.index:self.index + len(words)]] == words:
                self.index += len(words)
                return _Type(" ".join(words))
        if not (self.accept("list") or self.accept("context")):
            what = {"range": "a range is understood only after `in`",
                    "function": "functions of one's own are not understood"}.get(token.text, _NO_SUCH_TYPE)
            raise ExpressionError(f"`instance of {token.text}`: {what}", token.position,
                                  f"instance of {token.text}")
        self.depth += 1
        if self.depth > NESTING_MAX:
            raise OutOfFuel(f"the type is nested deeper than {NESTING_MAX}", token.position)
        made = _Type(token.text)
        if self.accept("<"):
            if token.text == "list":
                made = _Type("list", (("", self.type()),))
            else:
                made = _Type("context", tuple(self.typed_members()))
            self.expect(">")
        self.depth -= 1
        return made

    def typed_members(self) -> list[tuple[str, _Type]]:
        found: list[tuple[str, _Type]] = []
        while not found or self.accept(","):
            name = self.next()
            if name.kind != "word":
                self.index -= name.kind != "end"
                self.fail("the name of an entry")
            self.expect(":")
            found.append((name.text, self.type()))
        return found

    def tests(self) -> tuple[_Test, ...]:
        """What follows `in`: one test, or several in brackets, any of which may hold."""
        if not self.accept("("):
            return (self.test(),)
        first = self.test()
        if isinstance(first, _Member) and self.accept(".."):
            return (self.range_end(first.of, False),)
        found = [first]
        while self.accept(","):
            found.append(self.test())
        self.expect(")")
        return tuple(found)

    def test(self) -> _Test:
        """`> 5`, `[1..3]`, `(1..3)`, `]1..3[`, a list, or a value."""
        if self.token.text in _COMPARISONS and self.token.kind == "symbol":
            return _Compared(self.next().text, self.operation(_ADDITIVE))
        if self.at("not"):
            raise ExpressionError("`in not(...)` is not understood; write not(x in (...))", self.token.position)
        if self.at("]"):
            self.next()
            low = self.expression()
            self.expect("..")
            return self.range_end(low, False)
        if self.at("(") or self.at("["):
            opening = self.next().text
            if opening == "[" and self.accept("]"):
                return _Member(self.operation(_ADDITIVE, self.postfix(_List(()))))
            first = self.expression()
            if self.accept(".."):
                return self.range_end(first, opening == "[")
            if opening == "[":
                return _Member(self.operation(_ADDITIVE, self.postfix(self.rest_of_list(first))))
            self.expect(")")
            return _Member(self.operation(_ADDITIVE, self.postfix(first)))
        return _Member(self.operation(_ADDITIVE))

    def range_end(self, low: _Node, low_included: bool) -> _Range:
        high = self.expression()
        if not (self.at("]") or self.at(")") or self.at("[")):
            self.fail("the end of a range, ']', ')' or '['")
        return _Range(low, high, low_included, self.next().text == "]")

    def signed(self) -> _Node:
        signs = 0
        while self.accept("-"):
            signs += 1
        operand = self.postfix(self.primary())
        # An even number of signs still asks for a number: --"a" is null.
        for _ in range(signs if signs < 3 else 2 - signs % 2):
            operand = _Negation(operand)
        return operand

    def postfix(self, base: _Node) -> _Node:
        """`.member` and `[filter]`, any number of them, behind `base`."""
        steps: list[_Get | _Filter] = []
        while True:
            position = self.token.position
            if self.accept("."):
                if self.token.kind != "word":
                    self.fail("the name of a member")
                member = self.next().text
                if member == "time" and self.accept("offset"):
                    member = "time offset"
                steps.append(_Get(member, position))
            elif self.accept("["):
                steps.append(self.filter(position))
            else:
                break
        if not steps:
            return base
        if isinstance(base, _Name):
            self.note_path(base.name, steps)
        return _Path(base, tuple(steps))

    def filter(self, position: int) -> _Filter:
        self.scopes.append({"item", _FILTER})
        by = self.expression()
        self.scopes.pop()
        if self.at(".."):
            self.fail("']' (a range is understood only after `in`, several in round brackets)")
        self.expect("]")
        return _Filter(by, position)

    def note_path(self, name: str, steps: list[_Get | _Filter]) -> None:
        asked = []
        for step in steps:
            if not isinstance(step, _Get):
                break
            asked.append(step.member)
        if not asked:
            return
        if any(name in scope for scope in self.scopes):
            self.members.add(asked[0])
        else:
            self.paths.add(".".join([name, *asked]))

    def primary(self) -> _Node:
        token = self.next()
        if token.kind == "number":
            return _Literal(self.number(token))
        if token.kind == "string":
            return _Literal(_unquoted(token))
        if token.kind == "temporal":
            value = _temporal_of(token.text[2:-1])
            if value is None:
                raise ExpressionError(f"{token.text} is no date, time or duration", token.position)
            return _Literal(value)
        if token.kind == "function" or (token.kind == "word" and self.at("(")
                                        and (token.text not in RESERVED_NAMES or token.text == "not")):
            return self.call(token)
        if token.kind == "word":
            if token.text in _CONSTANTS:
                return _Literal(_CONSTANTS[token.text])
            if token.text not in RESERVED_NAMES or (token.text == "item" and self.in_filter()):
                return self.name(token)
        if token.text == "(" and token.kind == "symbol":
            inner = self.expression()
            if self.at(".."):
                self.fail("')' (a range is understood only after `in`, several in round brackets)")
            self.expect(")")
            return inner
        if token.text == "[" and token.kind == "symbol":
            if self.accept("]"):
                return _List(())
            first = self.expression()
            if self.at(".."):
                self.fail("',' or ']' (a range is understood only after `in`, several in round brackets)")
            return self.rest_of_list(first)
        if token.text == "{" and token.kind == "symbol":
            return self.context()
        self.index -= token.kind != "end"
        self.fail("a value")

    def number(self, token: _Token) -> Decimal:
        number = Decimal(token.text)
        if len(number.as_tuple().digits) > 34:
            raise ExpressionError("a number of more than 34 digits", token.position)
        return number

    def in_filter(self) -> bool:
        return any(_FILTER in scope for scope in self.scopes)

    def name(self, token: _Token) -> _Name:
        name = token.text
        if not any(name in scope for scope in self.scopes):
            (self.row_names if self.in_filter() else self.names).add(name)
        return _Name(name, token.position)

    def rest_of_list(self, first: _Node) -> _List:
        items = [first]
        while self.accept(","):
            items.append(self.expression())
        self.expect("]")
        return _List(tuple(items))

    def context(self) -> _Context:
        """`{a: 1, "b c": a + 1}`: an entry may use those before it."""
        entries: list[tuple[str, _Node]] = []
        self.scopes.append(set())
        while not self.accept("}"):
            if entries:
                self.expect(",")
            token = self.next()
            if token.kind not in ("word", "string"):
                self.index -= token.kind != "end"
                self.fail("the name of an entry")
            key = token.text if token.kind == "word" else _unquoted(token)
            if token.kind == "word" and self.token.kind == "symbol" and not self.at(":"):
                raise ExpressionError(f"'{key}{self.token.text}': names with signs are not understood; quote the name "
                                      "of the entry: {\"a+b\": 1}", self.token.position)
            self.expect(":")
            if key in self.scopes[-1]:
                raise ExpressionError(f"the entry '{key}' is there twice", token.position)
            entries.append((key, self.expression()))
            self.scopes[-1].add(key)
        self.scopes.pop()
        return _Context(tuple(entries))

    def call(self, token: _Token) -> _Node:
        name, position = token.text, token.position
        if name in _REFUSED_FUNCTIONS:
            raise ExpressionError(f"{name}() is not part of this FEEL: {_REFUSED_FUNCTIONS[name]}", position,
                                  f"{name}()")
        if name not in _FUNCTIONS and name != "is defined":
            raise ExpressionError(f"there is no function '{name}'", position)
        self.functions.add(name)
        self.expect("(")
        if name == "is defined":
            asked = self.postfix(self.primary())
            self.expect(")")
            if not isinstance(asked, _Name) and not (isinstance(asked, _Path) and asked.is_plain):
                raise ExpressionError("is defined() asks for a name or a path, such as is defined(berkas.lhr)",
                                      position)
            return _IsDefined(asked)
        function = _FUNCTIONS[name]
        if self.argument_name() is not None:
            arguments = self.named_arguments(function)
        else:
            arguments = []
            while not self.accept(")"):
                if arguments:
                    self.expect(",")
                arguments.append(self.expression())
        if len(arguments) not in function.counts:
            takes = "1 or more" if function.counts == _ANY else " or ".join(map(str, function.counts))
            raise ExpressionError(f"{name}() was given {len(arguments)} arguments; it takes {takes}", position)
        return _Call(function, tuple(arguments))

    def argument_name(self) -> str | None:
        """The words before a colon that stand here: `decimal separator: ","`."""
        end = self.index
        while self.tokens[end].kind == "word":
            end += 1
        if end == self.index or self.tokens[end].text != ":" or self.tokens[end].kind != "symbol":
            return None
        return " ".join(one.text for one in self.tokens[self.index:end])

    def named_arguments(self, function: _Function) -> list[_Node]:
        """Arguments by name, put in their places; what is left out between them is null."""
        given: dict[str, _Node] = {}
        position = self.token.position
        while not self.accept(")"):
            if given:
                self.expect(",")
            name = self.argument_name()
            if name is None or name in given:
                self.fail("the name of another argument")
            while not self.accept(":"):
                self.next()
            given[name] = self.expression()
        for places in function.parameters:
            if given.keys() <= set(places):
                last = max(place for place, name in enumerate(places) if name in given)
                return [given.get(name, _Literal(None)) for name in places[:last + 1]]
        known = " or ".join(f"({', '.join(places)})" for places in function.parameters)
        raise ExpressionError(f"{function.name}() takes the arguments {known}, not ({', '.join(given)})", position)


_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}


# ---------------------------------------------------------------------------------------------------------------------
# Meaning: one class per construct
# ---------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, slots=True)
class _Literal:
    constant: Value

    def value(self, run: _Run) -> Value:
        run.burn()
        return self.constant


@dataclass(frozen=True, slots=True)
class _Name:
    name: str
    position: int

    def value(self, run: _Run) -> Value:
        run.burn()
        return run.name(self.name, self.position)


@dataclass(frozen=True, slots=True)
class _List:
    items: tuple[_Node, ...]

    def value(self, run: _Run) -> list[Value]:
        run.burn()
        return run.burn_list([item.value(run) for item in self.items])


@dataclass(frozen=True, slots=True)
class _Context:
    entries: tuple[tuple[str, _Node], ...]

    def value(self, run: _Run) -> dict[str, Value]:
        run.burn()
        made: dict[str, Value] = {}
        run.scopes.append(made)
        try:
            for key, entry in self.entries:
                made[key] = entry.value(run)
        finally:
            run.scopes.pop()
        return made


@dataclass(frozen=True, slots=True)
class _Path:
    """`base.member[filter].member`, step by step."""
    base: _Node
    steps: tuple[_Get | _Filter, ...]

    def value(self, run: _Run) -> Value:
        found = self.base.value(run)
        for step in self.steps:
            run.burn()
            found = step.of(found, run)
        return found

    @property
    def is_plain(self) -> bool:
        return isinstance(self.base, _Name) and all(isinstance(step, _Get) for step in self.steps)


@dataclass(frozen=True, slots=True)
class _Get:
    """A member of a context, of each context in a list, or a part of a date, time or duration."""
    member: str
    position: int

    def of(self, value: Value, run: _Run) -> Value:
        if isinstance(value, list):
            run.burn(len(value))
            return [self.of_one(one) for one in value]
        return self.of_one(value)

    def of_one(self, value: Value) -> Value:
        if value is None:
            return None
        if isinstance(value, dict):
            if self.member in value:
                return value[self.member]
            raise ExpressionError(f"there is no '{self.member}' among {self.known(value)}", self.position)
        part = _PARTS.get(_kind(value), {}).get(self.member)
        if part is None and self.member == "timezone" and isinstance(value, datetime | time):
            raise ExpressionError("timezone: zones have no names here; ask for `time offset`", self.position)
        if part is None:
            raise ExpressionError(f"a {_kind(value)} has no '{self.member}'", self.position)
        found = part(value)
        return Decimal(found) if isinstance(found, int) else found

    def known(self, value: dict[str, Value]) -> str:
        names = ", ".join(sorted(value)[:8])
        return f"({names}{', ...' if len(value) > 8 else ''})"


def _whole(value: int, unit: int) -> int:
    """How many whole units are in `value`, towards zero."""
    return value // unit if value >= 0 else -(-value // unit)


def _seconds(duration: timedelta) -> int:
    return _whole(duration // timedelta(microseconds=1), 1_000_000)


def _signed_rest(value: int, unit: int) -> int:
    return value - _whole(value, unit) * unit


_DATE_PARTS: dict[str, Callable[[Any], int | timedelta | None]] = {
    "year": lambda day: day.year, "month": lambda day: day.month, "day": lambda day: day.day,
    "weekday": lambda day: day.isoweekday()}
_TIME_PARTS: dict[str, Callable[[Any], int | timedelta | None]] = {
    "hour": lambda at: at.hour, "minute": lambda at: at.minute, "second": lambda at: at.second,
    "time offset": lambda at: at.utcoffset()}
_PARTS: dict[str, dict[str, Callable[[Any], int | timedelta | None]]] = {
    "date": _DATE_PARTS, "time": _TIME_PARTS, "date and time": _DATE_PARTS | _TIME_PARTS,
    "days and time duration": {
        "days": lambda length: _whole(_seconds(length), 86_400),
        "hours": lambda length: _whole(_signed_rest(_seconds(length), 86_400), 3_600),
        "minutes": lambda length: _whole(_signed_rest(_seconds(length), 3_600), 60),
        "seconds": lambda length: _signed_rest(_seconds(length), 60)},
    "years and months duration": {
        "years": lambda length: _whole(length.months, 12),
        "months": lambda length: _signed_rest(length.months, 12)},
}


@dataclass(frozen=True, slots=True)
class _Filter:
    """`list[2]`, `list[-1]` by place; `list[item > 2]`, `list[kedudukan = "ketua"]` by condition."""
    by: _Node
    position: int

    def of(self, value: Value, run: _Run) -> Value:
        if value is None:
            return None
        items = value if isinstance(value, list) else [value]
        if not items:
            return self.of_none(run)
        kept: list[Value] = []
        for place, item in enumerate(items):
            answer = self.answer(item, run)
            if place == 0 and isinstance(answer, Decimal):
                return self.at_place(items, answer)
            if answer is True:
                kept.append(item)
            elif answer is not False and answer is not None:
                raise ExpressionError(f"a filter is a condition or a place, not a {_kind(answer)}", self.position)
        return run.burn_list(kept)

    def answer(self, item: Value, run: _Run) -> Value:
        scope: dict[str, Value] = {"item": item}
        if isinstance(item, dict):
            run.burn(len(item))
            scope |= item
        run.scopes.append(scope)
        try:
            return self.by.value(run)
        finally:
            run.scopes.pop()

    def of_none(self, run: _Run) -> Value:
        """An empty list has no item to ask: a condition keeps none of it, a place in it is null."""
        if isinstance(self.by, _Comparison | _In | _Junction | _Quantified | _IsDefined):
            return []
        try:
            return None if isinstance(self.by.value(run), Decimal) else []
        except OutOfFuel:
            raise
        except ExpressionError:     # it asks the row for something, and there is no row
            return []

    def at_place(self, items: list[Value], place: Decimal) -> Value:
        if place != place.to_integral_value() or not 1 <= abs(place) <= len(items):
            return None
        return items[int(place) - 1 if place > 0 else int(place)]


@dataclass(frozen=True, slots=True)
class _IsDefined:
    asked: _Name | _Path

    def value(self, run: _Run) -> bool:
        run.burn()
        name, steps = (self.asked, ()) if isinstance(self.asked, _Name) else (self.asked.base, self.asked.steps)
        assert isinstance(name, _Name)
        if name.name not in run.data and not any(name.name in scope for scope in run.scopes):
            return False
        found = name.value(run)
        for step in steps:
            assert isinstance(step, _Get)
            if not isinstance(found, dict) or step.member not in found:
                return False
            found = found[step.member]
        return True


@dataclass(frozen=True, slots=True)
class _Junction:
    """`a and b and c`, `a or b`: three-valued; stops at the first answer that decides."""
    symbol: str
    operands: tuple[_Node, ...]

    def value(self, run: _Run) -> bool | None:
        run.burn()
        answers = (operand.value(run) for operand in self.operands)
        return _all(answers) if self.symbol == "and" else _any(answers)


@dataclass(frozen=True, slots=True)
class _Comparison:
    symbol: str
    left: _Node
    right: _Node

    def value(self, run: _Run) -> bool | None:
        run.burn()
        return _compared(self.symbol, self.left.value(run), self.right.value(run), run)


def _compared(symbol: str, left: Value, right: Value, run: _Run) -> bool | None:
    if symbol not in ("=", "!="):
        return _ordered(symbol, left, right, run)
    equal = _equal(left, right, run)
    return equal if symbol == "=" or equal is None else not equal


class _Test(Protocol):
    """One of the tests after `in`."""
    def holds(self, value: Value, run: _Run) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class _In:
    asked: _Node
    tests: tuple[_Test, ...]

    def value(self, run: _Run) -> bool | None:
        run.burn()
        asked = self.asked.value(run)
        return _any(test.holds(asked, run) for test in self.tests)


@dataclass(frozen=True, slots=True)
class _Compared:
    symbol: str
    to: _Node

    def holds(self, value: Value, run: _Run) -> bool | None:
        return _compared(self.symbol, value, self.to.value(run), run)


@dataclass(frozen=True, slots=True)
class _Range:
    low: _Node
    high: _Node
    low_included: bool
    high_included: bool

    def holds(self, value: Value, run: _Run) -> bool | None:
        above = _ordered(">=" if self.low_included else ">", value, self.low.value(run), run)
        below = _ordered("<=" if self.high_included else "<", value, self.high.value(run), run)
        return _all((above, below))


@dataclass(frozen=True, slots=True)
class _Member:
    """Equal to the value, or to one item of the list."""
    of: _Node

    def holds(self, value: Value, run: _Run) -> bool | None:
        among = self.of.value(run)
        if isinstance(among, list):
            return any(_equal(value, one, run) is True for one in among)
        return _equal(value, among, run)


@dataclass(frozen=True, slots=True)
class _Type:
    """What stands behind `instance of`; the type of a list's items is its one member."""
    kind: str
    members: tuple[tuple[str, _Type], ...] = ()

    def holds(self, value: Value, run: _Run) -> bool:
        run.burn()
        if self.kind == "Any":
            return True
        if _kind(value) != self.kind:
            return False
        if self.kind == "list":
            return all(one is None or inner.holds(one, run) for _, inner in self.members for one in value)
        if self.kind == "context":
            return all(name in value and (value[name] is None or inner.holds(value[name], run))
                       for name, inner in self.members)
        return True


_NO_SUCH_TYPE = ("types of one's own are not understood; write number, string, boolean, date, time, date and time, "
                 "days and time duration, years and months duration, list<...>, context<...> or Any")
_TYPE_WORDS = [name.split() for name in ("Any", "number", "string", "boolean", "date and time", "date", "time",
                                         "days and time duration", "years and months duration")]


@dataclass(frozen=True, slots=True)
class _InstanceOf:
    """Whether a value is of a type; null is of none."""
    of: _Node
    type: _Type

    def value(self, run: _Run) -> bool:
        run.burn()
        value = self.of.value(run)
        return value is not None and self.type.holds(value, run)


@dataclass(frozen=True, slots=True)
class _Negation:
    operand: _Node

    def value(self, run: _Run) -> Value:
        run.burn()
        value = self.operand.value(run)
        if isinstance(value, Decimal):
            return _DECIMAL128.minus(value)
        if isinstance(value, timedelta):
            return -value
        return YearsMonths(-value.months) if isinstance(value, YearsMonths) else None


@dataclass(frozen=True, slots=True)
class _Arithmetic:
    """A chain of operators of one strength, from left to right."""
    first: _Node
    rest: tuple[tuple[str, _Node], ...]

    def value(self, run: _Run) -> Value:
        result = self.first.value(run)
        for symbol, operand in self.rest:
            run.burn()
            result = _computed(symbol, result, operand.value(run), run)
        return result


def _computed(symbol: str, left: Value, right: Value, run: _Run) -> Value:
    """FEEL's arithmetic (DMN 1.5, tables 52 to 56); null for kinds that have none."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return _number_computed(symbol, left, right)
    if isinstance(left, str) and isinstance(right, str):
        if symbol != "+":
            return None
        run.burn((len(left) + len(right)) // CHARACTERS_PER_FUEL)
        return run.burn_text(left + right)
    kinds = (_kind(left), symbol, _kind(right))
    rule = _TEMPORAL_RULES.get(kinds)
    return None if rule is None else rule(left, right)


def _number_computed(symbol: str, left: Decimal, right: Decimal) -> Decimal | None:
    if symbol == "+":
        return _DECIMAL128.add(left, right)
    if symbol == "-":
        return _DECIMAL128.subtract(left, right)
    if symbol == "*":
        return _DECIMAL128.multiply(left, right)
    if symbol == "/":
        return _DECIMAL128.divide(left, right) if right else None
    if abs(right) > 999:
        raise OutOfFuel("an exponent above 999")
    if (left < 0 and right != right.to_integral_value()) or (not left and right <= 0):
        return None
    return _DECIMAL128.power(left, right)


def _by_months(day: Any, months: int) -> Any:
    """`day` so many months later; the last day of a shorter month (31 January + P1M is the end of February)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError("years 1 to 9999")
    return day.replace(year=year, month=month + 1, day=min(day.day, calendar.monthrange(year, month + 1)[1]))


def _by_days(day: date, length: timedelta) -> date:
    if length % timedelta(days=1):
        raise ExpressionError(f"a date plus {_duration_text(length)} is no date; use whole days, or date and time()")
    return day + length


def _by_clock(at: time, length: timedelta) -> time:
    moved = datetime.combine(date(2000, 1, 1), at.replace(tzinfo=None)) + length % timedelta(days=1)
    return moved.time().replace(tzinfo=at.tzinfo)


def _times_apart(left: time, right: time) -> timedelta | None:
    if (left.utcoffset() is None) != (right.utcoffset() is None):
        return None
    day = date(2000, 1, 1)
    return datetime.combine(day, left) - datetime.combine(day, right)


def _instants_apart(left: datetime, right: datetime) -> timedelta | None:
    if (left.utcoffset() is None) != (right.utcoffset() is None):
        return None
    return left - right


def _scaled(length: timedelta, numerator: Decimal, denominator: Decimal) -> timedelta | None:
    if not denominator:
        return None
    ticks = Decimal(length // timedelta(microseconds=1))
    scaled = _DECIMAL128.divide(_DECIMAL128.multiply(ticks, numerator), denominator)
    if abs(scaled) > 10**20:
        raise OverflowError("a duration of more than 3 million years")
    return timedelta(microseconds=int(scaled.to_integral_value()))


def _months_scaled(length: YearsMonths, numerator: Decimal, denominator: Decimal) -> YearsMonths | None:
    if not denominator:
        return None
    scaled = _DECIMAL128.divide(_DECIMAL128.multiply(Decimal(length.months), numerator), denominator)
    if abs(scaled) > 10**12:
        raise OverflowError("a duration of more than 83 thousand million years")
    return YearsMonths(int(scaled))


def _months_ratio(left: YearsMonths, right: YearsMonths) -> Decimal | None:
    return _DECIMAL128.divide(Decimal(left.months), Decimal(right.months)) if right.months else None


def _ratio(left: timedelta, right: timedelta) -> Decimal | None:
    tick = timedelta(microseconds=1)
    return _DECIMAL128.divide(Decimal(left // tick), Decimal(right // tick)) if right else None


_ONE = Decimal(1)
_DT, _YM, _DAY, _INSTANT = "days and time duration", "years and months duration", "date", "date and time"
_TEMPORAL_RULES: dict[tuple[str, str, str], Callable[[Any, Any], Value]] = {
    (_DAY, "-", _DAY): lambda a, b: a - b,
    (_INSTANT, "-", _INSTANT): _instants_apart,
    ("time", "-", "time"): _times_apart,
    (_DAY, "+", _DT): _by_days, (_DAY, "-", _DT): lambda a, b: _by_days(a, -b),
    (_DT, "+", _DAY): lambda a, b: _by_days(b, a),
    (_DAY, "+", _YM): lambda a, b: _by_months(a, b.months), (_DAY, "-", _YM): lambda a, b: _by_months(a, -b.months),
    (_YM, "+", _DAY): lambda a, b: _by_months(b, a.months),
    (_INSTANT, "+", _DT): lambda a, b: a + b, (_INSTANT, "-", _DT): lambda a, b: a - b,
    (_DT, "+", _INSTANT): lambda a, b: b + a,
    (_INSTANT, "+", _YM): lambda a, b: _by_months(a, b.months),
    (_INSTANT, "-", _YM): lambda a, b: _by_months(a, -b.months),
    (_YM, "+", _INSTANT): lambda a, b: _by_months(b, a.months),
    ("time", "+", _DT): _by_clock, ("time", "-", _DT): lambda a, b: _by_clock(a, -b),
    (_DT, "+", "time"): lambda a, b: _by_clock(b, a),
    (_DT, "+", _DT): lambda a, b: a + b, (_DT, "-", _DT): lambda a, b: a - b,
    (_YM, "+", _YM): lambda a, b: YearsMonths(a.months + b.months),
    (_YM, "-", _YM): lambda a, b: YearsMonths(a.months - b.months),
    (_DT, "*", "number"): lambda a, b: _scaled(a, b, _ONE), ("number", "*", _DT): lambda a, b: _scaled(b, a, _ONE),
    (_DT, "/", "number"): lambda a, b: _scaled(a, _ONE, b), (_DT, "/", _DT): _ratio,
    (_YM, "*", "number"): lambda a, b: _months_scaled(a, b, _ONE),
    ("number", "*", _YM): lambda a, b: _months_scaled(b, a, _ONE),
    (_YM, "/", "number"): lambda a, b: _months_scaled(a, _ONE, b), (_YM, "/", _YM): _months_ratio,
}


@dataclass(frozen=True, slots=True)
class _If:
    asked: _Node
    chosen: _Node
    otherwise: _Node
    position: int

    def value(self, run: _Run) -> Value:
        run.burn()
        answer = self.asked.value(run)
        if answer is True:
            return self.chosen.value(run)
        if answer is False:
            return self.otherwise.value(run)
        raise ExpressionError(f"the condition of `if` is neither true nor false but {_kind(answer)}", self.position)


@dataclass(frozen=True, slots=True)
class _Iterator:
    variable: str
    over: _Node
    to: _Node | None        # of `x in 1..3`
    position: int

    def items(self, run: _Run) -> list[Value] | None:
        over = self.over.value(run)
        if self.to is not None:
            return self.counted(over, self.to.value(run), run)
        if over is None or isinstance(over, list):
            return over
        raise ExpressionError(f"'{self.variable}' runs over a {_kind(over)}; give it a list", self.position)

    def counted(self, first: Value, last: Value, run: _Run) -> list[Value] | None:
        """`1..3` is [1, 2, 3], `3..1` is [3, 2, 1]; dates are counted by days."""
        if first is None or last is None:
            return None
        if _kind(first) == _kind(last) == "date":
            days = (last - first).days
            if abs(days) >= LIST_ITEMS_MAX:
                raise OutOfFuel(f"'{self.variable}' runs over more than {LIST_ITEMS_MAX} days", self.position)
            way = 1 if days >= 0 else -1
            return run.burn_list([first + timedelta(days=n) for n in range(0, days + way, way)])
        for end in (first, last):
            if not isinstance(end, Decimal) or end != end.to_integral_value():
                raise ExpressionError(f"'{self.variable}' runs between numbers that are not whole", self.position)
        if abs(_DECIMAL128.subtract(last, first)) >= LIST_ITEMS_MAX or abs(first) > 10**15:
            raise OutOfFuel(f"'{self.variable}' runs over more than {LIST_ITEMS_MAX} numbers", self.position)
        step = 1 if last >= first else -1
        return run.burn_list([Decimal(n) for n in range(int(first), int(last) + step, step)])


def _each(iterators: tuple[_Iterator, ...], body: _Node, run: _Run, take: Callable[[Value], bool]) -> bool | None:
    """Runs `body` for every combination of the variables, the last one fastest, until `take` says it has enough.

    None when one of the lists is null. A later list may use an earlier variable.
    """
    first, rest = iterators[0], iterators[1:]
    items = first.items(run)
    if items is None:
        return None
    for item in items:
        run.burn()
        run.scopes.append({first.variable: item})
        try:
            enough = _each(rest, body, run, take) if rest else take(body.value(run))
        finally:
            run.scopes.pop()
        if enough is None or enough:
            return enough
    return False


@dataclass(frozen=True, slots=True)
class _For:
    iterators: tuple[_Iterator, ...]
    body: _Node

    def value(self, run: _Run) -> list[Value] | None:
        run.burn()
        made: list[Value] = []

        def take(value: Value) -> bool:
            made.append(value)
            if len(made) > LIST_ITEMS_MAX:
                run.burn_list(made)
            return False

        return None if _each(self.iterators, self.body, run, take) is None else made


@dataclass(frozen=True, slots=True)
class _Quantified:
    """`some` is a long `or`, `every` a long `and`, both three-valued."""
    word: str
    iterators: tuple[_Iterator, ...]
    body: _Node

    def value(self, run: _Run) -> bool | None:
        run.burn()
        answers: set[bool | None] = set()
        decisive = self.word == "some"

        def take(value: Value) -> bool:
            answers.add(value if isinstance(value, bool) else None)
            return value is decisive

        if _each(self.iterators, self.body, run, take) is None:
            return None
        return _any(answers) if self.word == "some" else _all(answers)


# ---------------------------------------------------------------------------------------------------------------------
# Functions
# ---------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    counts: range | tuple[int, ...]     # how many arguments it takes
    parameters: tuple[tuple[str, ...], ...]     # their names in order, once for each way to call it
    answer: Callable[..., Value]        # (run, *arguments); raises _NoAnswer for arguments outside its domain


@dataclass(frozen=True, slots=True)
class _Call:
    function: _Function
    arguments: tuple[_Node, ...]

    def value(self, run: _Run) -> Value:
        run.burn()
        arguments = [argument.value(run) for argument in self.arguments]
        try:
            return self.function.answer(run, *arguments)
        except _NoAnswer:
            return None


_FUNCTIONS: dict[str, _Function] = {}
_ANY = range(1, SOURCE_CHARACTERS_MAX)


def _function(call: str, *counts: int) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Names a built-in and its arguments: "decimal(n, scale)", "date(from | year, month, day)".

    counts  how many arguments it takes; none: one or more.
    """
    name, _, places = call.rstrip(")").partition("(")
    parameters = tuple(tuple(filter(None, way.strip().split(", "))) for way in places.split("|"))

    def named(answer: Callable[..., Value]) -> Callable[..., Value]:
        _FUNCTIONS[name] = _Function(name, counts or _ANY, parameters, answer)
        return answer
    return named


def _text(value: Value, run: _Run) -> str:
    if not isinstance(value, str):
        raise _NoAnswer
    return run.burn_text(value)


def _number(value: Value) -> Decimal:
    if not isinstance(value, Decimal):
        raise _NoAnswer
    return value


def _integer(value: Value, largest: int = 1_000_000) -> int:
    number = _number(value)
    if number != number.to_integral_value() or abs(number) > largest:
        raise _NoAnswer
    return int(number)


def _listed(value: Value, run: _Run) -> list[Value]:
    """A list; a single value counts as the list of it, null as no list (DMN 1.5, 10.3.2.9.4)."""
    if value is None:
        raise _NoAnswer
    return run.burn_list(value) if isinstance(value, list) else [value]


def _several(arguments: tuple[Value, ...], run: _Run) -> list[Value]:
    """`sum(list)` or `sum(1, 2, 3)`."""
    return _listed(arguments[0], run) if len(arguments) == 1 else run.burn_list(list(arguments))


@_function("count(list)", 1)
def _count(run: _Run, items: Value) -> Value:
    return Decimal(len(_listed(items, run)))


@_function("sum(list)")
def _sum(run: _Run, *numbers: Value) -> Value:
    items = _several(numbers, run)
    if not items:
        return None
    total = Decimal(0)
    for item in items:
        total = _DECIMAL128.add(total, _number(item))
    return total


@_function("mean(list)")
def _mean(run: _Run, *numbers: Value) -> Value:
    total = _sum(run, *numbers)
    return None if total is None else _DECIMAL128.divide(total, Decimal(len(_several(numbers, run))))


@_function("product(list)")
def _product(run: _Run, *numbers: Value) -> Value:
    items = _several(numbers, run)
    if not items:
        return None
    total = Decimal(1)
    for item in items:
        total = _DECIMAL128.multiply(total, _number(item))
    return total


@_function("median(list)")
def _median(run: _Run, *numbers: Value) -> Value:
    """The number in the middle, of an even count the mean of the two."""
    items = sorted(_number(item) for item in run.burn_list(_several(numbers, run)))
    if not items:
        return None
    low, high = items[(len(items) - 1) // 2], items[len(items) // 2]
    return _DECIMAL128.divide(_DECIMAL128.add(low, high), Decimal(2))


@_function("mode(list)")
def _mode(run: _Run, *numbers: Value) -> Value:
    """The most frequent numbers, in ascending order."""
    counts: dict[Decimal, int] = {}
    for item in run.burn_list(_several(numbers, run)):
        number = _number(item)
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(one for one, count in counts.items() if count == most)


@_function("stddev(list)")
def _stddev(run: _Run, *numbers: Value) -> Value:
    """The standard deviation of a sample; null of fewer than two numbers."""
    items = run.burn_list([_number(item) for item in _several(numbers, run)])
    if len(items) < 2:
        return None
    mean = _mean(run, items)
    squares = Decimal(0)
    for item in items:
        away = _DECIMAL128.subtract(item, mean)
        squares = _DECIMAL128.add(squares, _DECIMAL128.multiply(away, away))
    return _DECIMAL128.sqrt(_DECIMAL128.divide(squares, Decimal(len(items) - 1)))


@_function("all(list)")
def _every_one(run: _Run, *answers: Value) -> Value:
    """Three-valued `and` over a list."""
    return _all(_several(answers, run))


@_function("any(list)")
def _some_one(run: _Run, *answers: Value) -> Value:
    """Three-valued `or` over a list."""
    return _any(_several(answers, run))


def _extreme(symbol: str, items: list[Value], run: _Run) -> Value:
    best: Value = None
    for place, item in enumerate(items):
        if place == 0:
            if _kind(item) not in _ORDERED:
                raise _NoAnswer
            best = item
            continue
        better = _ordered(symbol, item, best, run)
        if better is None:
            raise _NoAnswer
        best = item if better else best
    return best


@_function("min(list)")
def _min(run: _Run, *items: Value) -> Value:
    return _extreme("<", _several(items, run), run)


@_function("max(list)")
def _max(run: _Run, *items: Value) -> Value:
    return _extreme(">", _several(items, run), run)


@_function("abs(n)", 1)
def _abs(run: _Run, value: Value) -> Value:
    if isinstance(value, timedelta):
        return abs(value)
    return YearsMonths(abs(value.months)) if isinstance(value, YearsMonths) else _number(value).copy_abs()


def _rounded(value: Value, scale: Value, rounding: str) -> Decimal:
    number, places = _number(value), _integer(_number(scale).to_integral_value(decimal.ROUND_DOWN), 6_176)
    if places < -6_111:
        raise _NoAnswer
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)    # finite: nothing else comes in
    if -exponent <= places:
        return number
    return number.quantize(Decimal(1).scaleb(-places), rounding, _DECIMAL128)


_NO_PLACES = Decimal(0)


@_function("floor(n, scale)", 1, 2)
def _floor(run: _Run, value: Value, scale: Value = _NO_PLACES) -> Value:
    return _rounded(value, scale, decimal.ROUND_FLOOR)


@_function("ceiling(n, scale)", 1, 2)
def _ceiling(run: _Run, value: Value, scale: Value = _NO_PLACES) -> Value:
    return _rounded(value, scale, decimal.ROUND_CEILING)


@_function("decimal(n, scale)", 2)
def _decimal(run: _Run, value: Value, scale: Value) -> Value:
    """Rounded to `scale` digits behind the point, a half to the even neighbour."""
    return _rounded(value, scale, decimal.ROUND_HALF_EVEN)


@_function("round up(n, scale)", 2)
def _round_up(run: _Run, value: Value, scale: Value) -> Value:
    """Away from zero."""
    return _rounded(value, scale, decimal.ROUND_UP)


@_function("round down(n, scale)", 2)
def _round_down(run: _Run, value: Value, scale: Value) -> Value:
    """Towards zero."""
    return _rounded(value, scale, decimal.ROUND_DOWN)


@_function("round half up(n, scale)", 2)
def _round_half_up(run: _Run, value: Value, scale: Value) -> Value:
    """As in school: a half away from zero."""
    return _rounded(value, scale, decimal.ROUND_HALF_UP)


@_function("round half down(n, scale)", 2)
def _round_half_down(run: _Run, value: Value, scale: Value) -> Value:
    return _rounded(value, scale, decimal.ROUND_HALF_DOWN)


@_function("modulo(dividend, divisor)", 2)
def _modulo(run: _Run, dividend: Value, divisor: Value) -> Value:
    """What is left, with the sign of the divisor: modulo(-12, 5) is 3."""
    number, by = _number(dividend), _number(divisor)
    if not by:
        return None
    rest = _DECIMAL128.remainder(number, by)
    return _DECIMAL128.add(rest, by) if rest and (rest < 0) != (by < 0) else rest


@_function("sqrt(number)", 1)
def _sqrt(run: _Run, value: Value) -> Value:
    number = _number(value)
    return None if number < 0 else _DECIMAL128.sqrt(number)


@_function("exp(number)", 1)
def _exp(run: _Run, value: Value) -> Value:
    """e to the power of a number."""
    return _DECIMAL128.exp(_number(value))


@_function("log(number)", 1)
def _log(run: _Run, value: Value) -> Value:
    """The natural logarithm."""
    number = _number(value)
    return None if number <= 0 else _DECIMAL128.ln(number)


@_function("even(number)", 1)
def _even(run: _Run, value: Value) -> Value:
    number = _number(value)
    return number == number.to_integral_value() and not _last_digit(number) % 2


@_function("odd(number)", 1)
def _odd(run: _Run, value: Value) -> Value:
    number = _number(value)
    return number == number.to_integral_value() and bool(_last_digit(number) % 2)


def _last_digit(whole: Decimal) -> int:
    _, digits, exponent = whole.to_integral_value().as_tuple()
    return digits[-1] if exponent == 0 else 0


@_function("is(value1, value2)", 2)
def _is(run: _Run, one: Value, other: Value) -> Value:
    """The same value of the same kind, and at the same distance from UTC."""
    if one is None or other is None:
        return one is other
    if _kind(one) in ("time", "date and time") and _kind(one) == _kind(other) and one.utcoffset() != other.utcoffset():
        return False
    return _equal(one, other, run) is True


@_function("not(negand)", 1)
def _not(run: _Run, value: Value) -> Value:
    return not value if isinstance(value, bool) else None


@_function("string(from)", 1)
def _string(run: _Run, value: Value) -> Value:
    return value if value is None or isinstance(value, str) else run.burn_text(_written(value, run))


def _written(value: Value, run: _Run, depth: int = NESTING_MAX) -> str:
    """`value` as FEEL writes it: texts inside lists and contexts stand in quotes."""
    run.burn()
    run.check_depth(depth)
    if isinstance(value, str):
        run.burn_text(value)
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return run.burn_text(_number_text(value))
    if isinstance(value, list):
        return "[" + ", ".join(_written(one, run, depth - 1) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(one, run, depth - 1)}" for key, one in value.items()) + "}"
    return _temporal_text(value)


_PLAIN_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


@_function("number(from, grouping separator, decimal separator)", 1, 3)
def _number_of(run: _Run, text: Value, grouping: Value = None, point: Value = None) -> Value:
    """The number that a text says; number("1.234,5", ".", ",") reads it as Indonesians write it."""
    plain = _text(text, run)
    if grouping is not None:
        if grouping not in (" ", ",", ".") or grouping == point:
            raise _NoAnswer
        plain = plain.replace(grouping, "")
    if point is not None:
        if point not in (",", "."):
            raise _NoAnswer
        if point == ",":
            if "." in plain:
                raise _NoAnswer
            plain = plain.replace(",", ".")
    if len(plain) > 100 or not _PLAIN_NUMBER.fullmatch(plain):
        raise _NoAnswer
    return _DECIMAL128.create_decimal(plain)


@_function("string length(string)", 1)
def _string_length(run: _Run, text: Value) -> Value:
    return Decimal(len(_text(text, run)))


@_function("upper case(string)", 1)
def _upper_case(run: _Run, text: Value) -> Value:
    return run.burn_text(_text(text, run).upper())


@_function("lower case(string)", 1)
def _lower_case(run: _Run, text: Value) -> Value:
    return run.burn_text(_text(text, run).lower())


@_function("contains(string, match)", 2)
def _contains(run: _Run, text: Value, part: Value) -> Value:
    return _text(part, run) in _text(text, run)


@_function("starts with(string, match)", 2)
def _starts_with(run: _Run, text: Value, part: Value) -> Value:
    return _text(text, run).startswith(_text(part, run))


@_function("ends with(string, match)", 2)
def _ends_with(run: _Run, text: Value, part: Value) -> Value:
    return _text(text, run).endswith(_text(part, run))


@_function("substring(string, start position, length)", 2, 3)
def _substring(run: _Run, text: Value, start: Value, *length: Value) -> Value:
    """From the character `start` (1 is the first, -1 the last), `length` characters or all that follow."""
    whole, place = _text(text, run), _integer(start)
    if not 1 <= abs(place) <= len(whole):
        raise _NoAnswer
    begin = place - 1 if place > 0 else len(whole) + place
    if not length:
        return whole[begin:]
    wanted = _integer(_number(length[0]).to_integral_value(decimal.ROUND_DOWN))
    if wanted < 1:
        raise _NoAnswer
    return whole[begin:begin + wanted]


@_function("substring before(string, match)", 2)
def _substring_before(run: _Run, text: Value, part: Value) -> Value:
    whole, wanted = _text(text, run), _text(part, run)
    return whole.partition(wanted)[0] if wanted and wanted in whole else ""


@_function("substring after(string, match)", 2)
def _substring_after(run: _Run, text: Value, part: Value) -> Value:
    whole, wanted = _text(text, run), _text(part, run)
    return whole.partition(wanted)[2] if wanted else whole


@_function("string join(list, delimiter)", 1, 2)
def _string_join(run: _Run, items: Value, delimiter: Value = None) -> Value:
    """The texts of a list, one behind the other, with the delimiter between; nulls are left out."""
    texts = [_text(item, run) for item in _listed(items, run) if item is not None]
    between = "" if delimiter is None else _text(delimiter, run)
    size = sum(map(len, texts)) + len(between) * max(len(texts) - 1, 0)
    if size > STRING_CHARACTERS_MAX:
        raise OutOfFuel(f"a text grew to {size} characters; the limit is {STRING_CHARACTERS_MAX}")
    return run.burn_text(between.join(texts))


def _temporal_source(value: Value, run: _Run) -> str:
    _refuse_what_feel_could(_text(value, run))
    return str(value)


@_function("list contains(list, element)", 2)
def _list_contains(run: _Run, items: Value, wanted: Value) -> Value:
    return any(_equal(one, wanted, run) is True for one in _listed(items, run))


@_function("append(list, items)")
def _append(run: _Run, items: Value, *more: Value) -> Value:
    return run.burn_list([*_listed(items, run), *more])


@_function("concatenate(list)")
def _concatenate(run: _Run, *lists: Value) -> Value:
    joined: list[Value] = []
    for one in lists:
        joined = run.burn_list(joined + (one if isinstance(one, list) else [one]))
    return joined


@_function("distinct values(list)", 1)
def _distinct_values(run: _Run, items: Value) -> Value:
    kept: list[Value] = []
    for item in _listed(items, run):
        if not any(_equal(item, one, run) is True for one in kept):
            kept.append(item)
    return kept


def _place(position: Value, count: int) -> int:
    """Where in a list of `count` items, from 0: 1 is the first, -1 the last."""
    place = _integer(position)
    if not 1 <= abs(place) <= count:
        raise _NoAnswer
    return place - 1 if place > 0 else count + place


@_function("sublist(list, start position, length)", 2, 3)
def _sublist(run: _Run, items: Value, start: Value, *length: Value) -> Value:
    found = _listed(items, run)
    begin = _place(start, len(found))
    if not length:
        return found[begin:]
    wanted = _integer(length[0])
    if not 0 <= wanted <= len(found) - begin:
        raise _NoAnswer
    return found[begin:begin + wanted]


@_function("insert before(list, position, newItem)", 3)
def _insert_before(run: _Run, items: Value, position: Value, item: Value) -> Value:
    found = _listed(items, run)
    place = _place(position, len(found))
    return run.burn_list([*found[:place], item, *found[place:]])


@_function("remove(list, position)", 2)
def _remove(run: _Run, items: Value, position: Value) -> Value:
    found = _listed(items, run)
    place = _place(position, len(found))
    return [*found[:place], *found[place + 1:]]


@_function("list replace(list, position, newItem)", 3)
def _list_replace(run: _Run, items: Value, position: Value, item: Value) -> Value:
    found = _listed(items, run)
    place = _place(_number(position).to_integral_value(decimal.ROUND_DOWN), len(found))
    return [*found[:place], item, *found[place + 1:]]


@_function("reverse(list)", 1)
def _reverse(run: _Run, items: Value) -> Value:
    return _listed(items, run)[::-1]


@_function("index of(list, match)", 2)
def _index_of(run: _Run, items: Value, wanted: Value) -> Value:
    """The places where a value stands in a list, counted from 1."""
    return [Decimal(place) for place, one in enumerate(_listed(items, run), 1) if _equal(one, wanted, run) is True]


@_function("union(list)")
def _union(run: _Run, *lists: Value) -> Value:
    """The lists one behind the other, each value once."""
    return _distinct_values(run, _concatenate(run, *lists))


@_function("flatten(list)", 1)
def _flatten(run: _Run, items: Value) -> Value:
    """The items of a list and of the lists in it, however deep."""
    found: list[Value] = []

    def take(some: list[Value], depth: int) -> None:
        run.check_depth(depth)
        for one in some:
            run.burn()
            if isinstance(one, list):
                take(one, depth - 1)
            else:
                found.append(one)

    take(_listed(items, run), NESTING_MAX)
    return run.burn_list(found)


def _context_of(value: Value) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise _NoAnswer
    return value


def _keys(value: Value, run: _Run) -> list[str]:
    """A key, or the keys on the way into contexts in contexts."""
    if isinstance(value, str):
        return [run.burn_text(value)]
    if not isinstance(value, list) or not value:
        raise _NoAnswer
    return [_text(one, run) for one in run.burn_list(value)]


@_function("get value(context, key | context, keys | m, key)", 2)
def _get_value(run: _Run, context: Value, key: Value) -> Value:
    """What a context has under a key, or under the keys of a list one inside the other; null when it has nothing."""
    found: Value = _context_of(context)
    for one in _keys(key, run):
        if not isinstance(found, dict):
            return None
        found = found.get(one)
    return found


@_function("get entries(context | m)", 1)
def _get_entries(run: _Run, context: Value) -> Value:
    """A context as a list of {key, value}."""
    entries: list[Value] = [{"key": key, "value": one} for key, one in _context_of(context).items()]
    run.burn(len(entries))
    return run.burn_list(entries)


@_function("context(entries)", 1)
def _context_from(run: _Run, entries: Value) -> Value:
    """A list of {key, value} as a context."""
    made: dict[str, Value] = {}
    for entry in _listed(entries, run):
        if not isinstance(entry, dict) or "key" not in entry or "value" not in entry:
            raise _NoAnswer
        key = _text(entry["key"], run)
        if key in made:
            raise _NoAnswer
        made[key] = entry["value"]
    return made


@_function("context put(context, key, value | context, keys, value)", 3)
def _context_put(run: _Run, context: Value, key: Value, value: Value) -> Value:
    """A copy of a context in which a key, or the last of a list of keys, has a value."""
    keys = _keys(key, run)
    copies = [dict(_context_of(context))]
    for one in keys[:-1]:
        run.check_depth(NESTING_MAX - len(copies))
        run.burn(len(copies[-1]))
        copies.append(dict(_context_of(copies[-1].get(one))))
    run.burn(len(copies[-1]))
    if len(copies[-1]) >= LIST_ITEMS_MAX:
        raise OutOfFuel(f"a context grew to more than {LIST_ITEMS_MAX} entries")
    copies[-1][keys[-1]] = value
    for place in range(len(copies) - 1, 0, -1):
        copies[place - 1][keys[place - 1]] = copies[place]
    return copies[0]


@_function("context merge(contexts)", 1)
def _context_merge(run: _Run, contexts: Value) -> Value:
    """The entries of several contexts; of two with one name the later one."""
    made: dict[str, Value] = {}
    for one in _listed(contexts, run):
        run.burn(len(_context_of(one)))
        made |= one
        if len(made) > LIST_ITEMS_MAX:
            raise OutOfFuel(f"a context grew to more than {LIST_ITEMS_MAX} entries")
    return made


@_function("date(from | year, month, day)", 1, 3)
def _date(run: _Run, value: Value, month: Value = None, day: Value = None) -> Value:
    """date("2027-02-02"), date(2027, 2, 2), or the date of a date and time."""
    if isinstance(value, Decimal):
        year = _integer(value, 999_999_999)
        if not 1 <= year <= 9999:
            raise ExpressionError(f"the year {year} is outside the years 1 to 9999; use a date of these years")
        try:
            return date(year, _integer(month), _integer(day))
        except ValueError:
            return None
    if month is not None or day is not None:
        raise _NoAnswer
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else _date_of(_temporal_source(value, run))


@_function("time(from | hour, minute, second, offset)", 1, 3, 4)
def _time(run: _Run, value: Value, minute: Value = None, second: Value = None, offset: Value = None) -> Value:
    """time("10:00:00"), time(10, 0, 0), time(10, 0, 0, duration("PT7H")), or the time of a date and time."""
    if isinstance(value, Decimal):
        if offset is not None and (not isinstance(offset, timedelta) or abs(offset) > timedelta(hours=14)
                                   or offset % timedelta(minutes=1)):
            raise _NoAnswer
        zone = None if offset is None else timezone(offset) if offset else UTC
        whole = _number(second).to_integral_value(decimal.ROUND_DOWN)
        ticks = _integer(_DECIMAL128.multiply(_number(second) - whole, Decimal(1_000_000)))
        try:
            return time(_integer(value), _integer(minute), _integer(whole), ticks, zone)
        except ValueError:
            return None
    if minute is not None or second is not None:
        raise _NoAnswer
    if isinstance(value, datetime):
        return value.timetz()
    return value if isinstance(value, time) else _time_of(_temporal_source(value, run))


@_function("date and time(from | date, time)", 1, 2)
def _date_and_time(run: _Run, value: Value, *clock: Value) -> Value:
    """date and time("2027-02-02T10:00:00"), or a date and a time put together."""
    if not clock:
        return value if isinstance(value, datetime) else _date_and_time_of(_temporal_source(value, run))
    if not isinstance(value, date) or not isinstance(clock[0], time):
        raise _NoAnswer
    return datetime.combine(value.date() if isinstance(value, datetime) else value, clock[0])


@_function("duration(from)", 1)
def _duration(run: _Run, value: Value) -> Value:
    return value if isinstance(value, timedelta | YearsMonths) else _duration_of(_temporal_source(value, run))


@_function("years and months duration(from, to)", 2)
def _years_and_months_duration(run: _Run, start: Value, end: Value) -> Value:
    """The whole months from one date to another."""
    if not isinstance(start, date) or not isinstance(end, date):
        raise _NoAnswer
    first, last = (start.year * 12 + start.month, start.day), (end.year * 12 + end.month, end.day)
    sign = -1 if last < first else 1
    first, last = min(first, last), max(first, last)
    return YearsMonths(sign * (last[0] - first[0] - (last[1] < first[1])))


@_function("now()", 0)
def _now(run: _Run) -> Value:
    return run.at


@_function("today()", 0)
def _today(run: _Run) -> Value:
    return run.at.date()


@_function("day of week(date)", 1)
def _day_of_week(run: _Run, day: Value) -> Value:
    """FEEL's English name of the day."""
    if not isinstance(day, date):
        raise _NoAnswer
    return ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[day.weekday()]


@_function("day of year(date)", 1)
def _day_of_year(run: _Run, day: Value) -> Value:
    if not isinstance(day, date):
        raise _NoAnswer
    return Decimal(day.timetuple().tm_yday)


@_function("week of year(date)", 1)
def _week_of_year(run: _Run, day: Value) -> Value:
    """The number of the week by ISO 8601: weeks begin on Monday, week 1 has the year's first Thursday."""
    if not isinstance(day, date):
        raise _NoAnswer
    return Decimal(day.isocalendar().week)


@_function("month of year(date)", 1)
def _month_of_year(run: _Run, day: Value) -> Value:
    """FEEL's English name of the month."""
    if not isinstance(day, date):
        raise _NoAnswer
    return ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December")[day.month - 1]
