"""A draft rehearsed before it is put forward: its findings, what it changes, its stories, random walks, the forecast.

What the page of a draft's check shows and `alur rehearse` prints. Pure: whoever asks gives the bytes, the stories, the
calendars and the moment. Nothing here touches a running instance; that is rehearsed by a migration.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar

from . import changes, diagram, forecast, process, story, walk
from .calendars import PRESETS, five_days
from .changes import Change, Power
from .definition import DiagramError, Finding, ProcessDefinition
from .forecast import Forecast, ForecastError, Ways
from .instance import Refused
from .rules import Rules
from .walk import DeadEnd, Walked

Value = TypeVar("Value")

RETURNS = (0, 1, 2)             # of the forecasts that are compared
MOST_STORIES = 60
MOST_STORY_ACTS = 3_000         # lines of all stories together that begin an act
_DEFINITION = "Definisi:"       # the heading with which a story names the version it ran on


@dataclass(frozen=True, kw_only=True)
class StoryResult:
    """How a story went on the draft. `line`: where it did not go as it says, 0 for the whole."""
    name: str
    title: str
    ok: bool
    line: int = 0
    message: str = ""
    expectations: int = 0


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What the draft does to the finish date of a run with so many returns.

    before, after   end of the element that meets the deadline; of a process without one, of everything. None where
                    there is nothing to compare with, or the run cannot be forecast (`problem` says why)
    deadline        of the draft; None where it has none
    late_before, late_after  working days after the working deadline, 0: in time
    """
    returns: int
    before: datetime | None
    after: datetime | None
    deadline: datetime | None = None
    working_deadline: datetime | None = None
    late_before: int = 0
    late_after: int = 0
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """All that is to be known of a draft before it is proposed.

    before   SHA-256 of the version that it is compared with, None where there is none
    walked   None where the draft has errors: then it cannot run, and no story or forecast is tried either
    """
    sha256: str
    key: str
    name: str
    before: str | None
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...] = ()
    powers: tuple[Power, ...] = ()
    stories: tuple[StoryResult, ...] = ()
    walked: Walked | None = None
    differences: tuple[Difference, ...] = ()
    untried: tuple[str, ...] = ()           # sentences: what was not done, and why

    @property
    def errors(self) -> int:
        return sum(one.severity == "error" for one in self.findings)

    @property
    def well(self) -> bool:
        """No error, every story goes, and no walk found anything."""
        return not self.errors and all(one.ok for one in self.stories) and bool(self.walked and self.walked.well)


def whole(known: process.Rules, data: bytes, *, before: bytes | None = None, texts: Mapping[str, str] | None = None,
          calendars: Mapping[str, str] | None = None, start: datetime, seed: int = 1,
          walks: int = walk.MOST_WALKS) -> Rehearsal:
    """The rehearsal of a draft.

    known      rules that know the calendars, and the definitions that stories name on their way.
    data       the draft; any bytes: what cannot be read is said in `findings`.
    before     the version to compare with.
    texts      stories, by name.
    calendars  lane id -> SHA-256, "" the unit's own; None: five working days for all.
    start      aware: when the forecasts and the walks begin.
    """
    findings = diagram.check(data)
    try:
        definition = diagram.reread(data)
    except DiagramError:
        return Rehearsal(sha256=sha256(data).hexdigest(), key="", name="", before=None, findings=findings)
    old = diagram.reread(before) if before is not None else None
    found = changes.between(before, data) if before is not None else ()
    powers = changes.powers(old, definition) if old is not None else ()
    about: dict[str, Any] = {"sha256": definition.sha256, "key": definition.key, "name": definition.name,
                             "before": old.sha256 if old else None, "findings": findings, "changes": found,
                             "powers": powers}
    if any(one.severity == "error" for one in findings):
        return Rehearsal(**about, untried=(
            "Cerita, percobaan jalan dan perkiraan selesai belum dijalankan. Perbaiki dahulu kesalahan yang ditemukan.",
        ))
    own, of = rules_with(known, definition, old), dict(calendars or {})
    if "" not in of:
        of[""] = five_days().sha256
    named = dict(sorted((texts or {}).items()))
    told, untried = _stories(own, definition, named, of)
    return Rehearsal(**about, stories=told, untried=untried,
                     walked=walk.walk(own, definition, of, start, seed=seed, walks=walks),
                     differences=forecast_difference(own, old, definition, of, start))


def _unknown(sha256: str) -> Any:
    raise LookupError(f"{sha256} is not known here.")


NOTHING = Rules(_unknown, _unknown)     # of who has no database: the national calendars, and what is rehearsed


def rules_with(known: process.Rules, *definitions: ProcessDefinition | None) -> Rules:
    """Rules that know these definitions besides, and the national calendars."""
    added = {one.sha256: one for one in definitions if one is not None}
    presets = {one.sha256: one for one in (make() for make in PRESETS.values())}
    return Rules(_first(added, known.definition), _first(presets, known.calendar))


def _first(own: Mapping[str, Value], other: Callable[[str], Value]) -> Callable[[str], Value]:
    return lambda sha256: own[sha256] if sha256 in own else other(sha256)


# Stories

def stories(known: process.Rules, definition: ProcessDefinition, texts: Mapping[str, str],
            calendars: Mapping[str, str] | None = None) -> tuple[StoryResult, ...]:
    """How stories of an earlier version go on this definition; the first MOST_STORIES of them.

    calendars  as for `whole`; counts where a story's heading names none.
    """
    return _stories(rules_with(known, definition), definition, texts, calendars)[0]


def _stories(rules: process.Rules, definition: ProcessDefinition, texts: Mapping[str, str],
             calendars: Mapping[str, str] | None) -> tuple[tuple[StoryResult, ...], tuple[str, ...]]:
    """(results, what was not tried)."""
    told: list[StoryResult] = []
    acts = 0
    for name, text in texts.items():
        acts += sum(line[:1].isupper() for line in text.splitlines())
        if len(told) == MOST_STORIES or acts > MOST_STORY_ACTS:
            return tuple(told), (f"Dari {len(texts)} cerita dijalankan {len(told)}; sisanya tidak dicoba.",)
        told.append(_story(rules, definition, name, text, calendars))
    return tuple(told), ()


def _story(rules: process.Rules, definition: ProcessDefinition, name: str, text: str,
           calendars: Mapping[str, str] | None) -> StoryResult:
    # The version it was told of is not the one that it is to run on; the line stays, so that lines keep their numbers.
    lines = ["" if one.startswith(_DEFINITION) else one for one in text.split("\n")]
    title = next((one.removeprefix("Cerita:").strip() for one in lines if one.startswith("Cerita:")), name)
    try:
        done = story.run("\n".join(lines), rules, definition.sha256, calendars, name)
    except story.StoryError as error:
        place, _, message = str(error).removeprefix(f"{name}:").partition(": ")
        line = int(place) if place.isdigit() else 0
        return StoryResult(name=name, title=title, ok=False, line=line, message=message if line else str(error))
    except (process.ReplayDiverged, LookupError, Refused) as error:
        return StoryResult(name=name, title=title, ok=False, message=str(error))
    return StoryResult(name=name, title=done.title, ok=True, expectations=done.expectations)


# The finish date

def forecast_difference(known: process.Rules, old: ProcessDefinition | None, new: ProcessDefinition,
                        calendars: Mapping[str, str], start: datetime) -> tuple[Difference, ...]:
    """What `new` does to the finish date, for RETURNS; only for none where nothing can be returned.

    calendars  lane id -> SHA-256, "" the unit's own; a lane of the one that the other lacks is no matter.
    """
    rules = rules_with(known, old, new)
    back = any(Ways(one).returns for one in (old, new) if one is not None)
    return tuple(_difference(rules, old, new, calendars, start, one) for one in (RETURNS if back else RETURNS[:1]))


def _difference(rules: process.Rules, old: ProcessDefinition | None, new: ProcessDefinition,
                calendars: Mapping[str, str], start: datetime, returns: int) -> Difference:
    before = after = None
    problem = ""
    try:
        after = _forecast(rules, new, calendars, start, returns)
    except ForecastError as error:
        problem = str(error)
    try:
        before = _forecast(rules, old, calendars, start, returns) if old is not None else None
    except ForecastError as error:
        problem = problem or f"Versi sebelumnya tidak dapat diperkirakan: {error}"
    return Difference(
        returns=returns, problem=problem,
        before=(before.finish or before.instance_finish) if before else None,
        after=(after.finish or after.instance_finish) if after else None,
        deadline=after.deadline if after else None, working_deadline=after.working_deadline if after else None,
        late_before=before.late_by_working_days if before else 0,
        late_after=after.late_by_working_days if after else 0)


def _forecast(rules: process.Rules, definition: ProcessDefinition, calendars: Mapping[str, str], start: datetime,
              returns: int) -> Forecast:
    year = forecast.first_year(rules, definition, calendars, start)
    data = {} if year is None else {"tahun_laporan": year}
    return forecast.standard(rules, definition, calendars, start, data=data, returns=returns)


# As JSON

def to_json(one: Rehearsal) -> dict[str, Any]:
    """A rehearsal as it is printed. Instants are ISO 8601, in UTC."""
    def end(found: DeadEnd) -> dict[str, Any]:
        return {"element": found.element, "message": found.message, "supposed": found.supposed,
                "path": [{"element": leg.element, "says": leg.said} for leg in found.path]}

    def instant(at: datetime | None) -> str | None:
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None

    walked = one.walked
    return {
        "sha256": one.sha256, "key": one.key, "name": one.name, "before": one.before, "well": one.well,
        "findings": [{"severity": each.severity, "element": each.element, "line": each.line, "message": each.message}
                     for each in one.findings],
        "changes": [changes.to_json(each) for each in one.changes],
        "powers": [changes.power_words(each) for each in one.powers],
        "stories": [{"name": each.name, "title": each.title, "ok": each.ok, "line": each.line,
                     "message": each.message, "expectations": each.expectations} for each in one.stories],
        "walk": None if walked is None else {
            "seed": walked.seed, "walks": walked.walks, "steps": walked.steps, "finished": walked.finished,
            "dead_ends": [end(each) for each in walked.dead_ends],
            "incidents": [end(each) for each in walked.incidents],
            "never_reached": list(walked.never_reached), "truncated": walked.truncated},
        "forecast": [{"returns": each.returns, "before": instant(each.before), "after": instant(each.after),
                      "deadline": instant(each.deadline), "working_deadline": instant(each.working_deadline),
                      "late_before": each.late_before, "late_after": each.late_after, "problem": each.problem}
                     for each in one.differences],
        "untried": [*one.untried, *(walked.untried if walked else ())],
    }
