"""The command `alur rehearse`: what a draft would do, before anybody works by it. Without --against it reads no
database."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from . import changes, diagram, rehearsal, rehearse, terminal, walk
from .calendars import PRESETS
from .definition import DiagramError, ProcessDefinition
from .rehearsal import Rehearsal
from .store import definitions, stories
from .store.database import now
from .terminal import Command, Stop, Terminal, local, pass_terminal

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
START = "2027-01-04T08:00"      # an ordinary Monday: the same draft gives the same answer on any day


@click.command("rehearse", cls=Command)
@click.argument("file", type=FILE)
@click.option("--against", metavar="KEY-or-FILE", help="Compare with a deployed process or another file.")
@click.option("--calendar", type=click.Choice(list(PRESETS)), default="lima_hari", show_default=True,
              help="In which a run counts.")
@click.option("--unit", default="", help="With --against KEY: in the calendars of this unit.")
@click.option("--start", "start_", default=START, show_default=True, metavar="T", help="When a run begins, ISO 8601.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="The same seed, the same walks.")
@click.option("--walks", default=walk.MOST_WALKS, show_default=True, type=click.IntRange(1, walk.MOST_WALKS),
              help="How many random runs.")
@pass_terminal
def rehearse_(here: Terminal, file: Path, against: str | None, calendar: str, unit: str, start_: str, seed: int,
              walks: int) -> int:
    """Rehearse a draft: findings, changes, stories, random walks and the forecast; exit 1 when something is wrong."""
    data, own = file.read_bytes(), PRESETS[calendar]()
    start = terminal.instant(start_, own.zone)
    folder = file.parent if (file.parent / "stories").is_dir() else here.settings.diagrams
    if against is None or Path(against).is_file():
        texts = rehearse.stories_in(folder, _key(data))
        before = Path(against).read_bytes() if against else None
        try:
            made = rehearsal.whole(rehearsal.NOTHING, data, before=before, texts=texts, start=start, seed=seed,
                                   walks=walks, calendars={"": own.sha256})
        except DiagramError as error:
            details = [terminal.finding(one) for one in error.findings]
            raise Stop("diagram", f"{against} cannot be read.", "Name another file.", details) from error
    else:
        with here.database.read() as db:
            if definitions.newest(db, against) is None:
                raise Stop("unknown", f"No process has the key {against!r}.", "alur definition list shows them.")
            made = rehearse.draft(db, here.rules, data, folder=folder, unit=unit, against=against, start=start,
                                  seed=seed, walks=walks)
    here.tell(rehearsal.to_json(made) | {"file": str(file)}, *_said(file, made, _read(data), own.zone))
    return 0 if made.well else 1


@click.command("keep", cls=Command)
@click.argument("instance")
@click.option("--name", required=True, help="What the story is called.")
@click.option("--as", "who", metavar="PERSON", help="Who keeps it; default: the installation itself.")
@pass_terminal
def keep(here: Terminal, instance: str, name: str, who: str | None) -> None:
    """Keep a finished instance as a story on which later drafts of its process are tried."""
    with here.database.begin() as db:
        one = rehearse.keep(db, instance, name=name, person=here.actor(db, who).person, at=now(db))
    here.tell({"key": one.key, "name": one.name, "instance": one.instance}, f"{one.key}: kept as {one.name!r}.")


@click.command("forget", cls=Command)
@click.argument("key")
@click.argument("name")
@pass_terminal
def forget(here: Terminal, key: str, name: str) -> None:
    """Keep a story no longer; its instance stays."""
    with here.database.begin() as db:
        if not stories.forget(db, key, name):
            raise Stop("unknown", f"{key} has no kept story {name!r}.", "alur rehearse FILE --against KEY names them.")
    here.tell({"key": key, "name": name}, f"{key}: {name!r} is no longer kept.")


def _read(data: bytes) -> ProcessDefinition | None:
    try:
        return diagram.reread(data)
    except DiagramError:
        return None


def _key(data: bytes) -> str:
    definition = _read(data)
    return definition.key if definition else ""


def _said(file: Path, made: Rehearsal, definition: ProcessDefinition | None, zone: str) -> Iterator[str]:
    yield f"{file}: {'well' if made.well else 'NOT WELL'}"
    for finding in made.findings:
        yield f"  {finding.line}: {finding.severity}: {finding.message}"
    if made.before:
        yield f"Changes: {len(made.changes) or 'none'}"
        yield from (f"  {'(gambar) ' if one.cosmetic else ''}{changes.words(one)}" for one in made.changes)
        yield from (f"  {changes.power_words(one)}" for one in made.powers)
    if made.stories:
        yield f"Stories: {sum(one.ok for one in made.stories)} of {len(made.stories)} go as they say"
        yield from (f"  {one.name}:{one.line}: {one.message}" for one in made.stories if not one.ok)
    if (walked := made.walked) is not None and definition is not None:
        yield (f"Walks: {walked.walks} (seed {walked.seed}), {walked.steps} acts, {walked.finished} came to an end"
               f"{', ended by a bound' if walked.truncated else ''}")
        for word, found in (("dead end", walked.dead_ends), ("incident", walked.incidents)):
            for one in found:
                yield f"  {word}: {one.message}"
                yield from (f"    {n}. {leg.said}" for n, leg in enumerate(one.path, 1))
        yield from (f"  {walk.never_reached_words(definition, id)}" for id in walked.never_reached)
    if made.differences:
        yield "Forecast:"
    for each in made.differences:
        if each.problem:
            yield f"  {each.returns} returns: {each.problem}"
            continue
        was = f"{local(each.before, zone)} -> " if each.before else ""
        due = f", deadline {local(each.deadline, zone)}" if each.deadline else ""
        late = f", late by {each.late_after} working days" if each.late_after else ""
        yield f"  {each.returns} returns: {was}{local(each.after, zone)}{due}{late}"
    yield from (f"Not tried: {one}" for one in (*made.untried, *(walked.untried if walked else ())))


story_commands = (keep, forget)
