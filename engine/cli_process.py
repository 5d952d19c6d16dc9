"""The commands about processes: check and deploy diagrams, work on instances, tell stories, prove what was recorded.

`check`, `due` and `story run` read no database. Acts are recorded `signed_in_by: cli`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Connection

from . import calendars, deploy, diagram, forecast, handle, outlook, process, story, terminal
from .calendars import Calendar
from .commands import AttachDocument, Attachment, CompleteUserTask, Correct, File
from .definition import DiagramError, Element, ProcessDefinition
from .execution import ENGINE
from .forecast import Forecast, Likelihood
from .instance import ProcessInstance, Refused, Step
from .organisation import local_date
from .rules import Rules
from .store import database as databases
from .store import (
    definitions,
    documents,
    drafts,
    instances,
    journal,
    organisation,
    passes,
    queries,
    records,
)
from .store.queries import Summary
from .terminal import Command, Group, Stop, Terminal, finding, local, pass_terminal

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


# Diagrams


@click.command(cls=Command)
@click.argument("files", nargs=-1, required=True, type=FILE)
@pass_terminal
def check(here: Terminal, files: tuple[Path, ...]) -> int:
    """Say what the gate finds in diagrams; exit 1 when one of the findings is an error."""
    found: list[dict[str, Any]] = []
    for file in files:
        findings = diagram.check(file.read_bytes())
        found.append(
            {
                "file": str(file),
                "ok": not any(one.severity == "error" for one in findings),
                "findings": [finding(one) for one in findings],
            }
        )
    sentences = []
    for one in found:
        sentences.append(f"{one['file']}: {'well' if one['ok'] else 'REFUSED'}")
        for f in one["findings"]:
            sentences.append(f"  {f['line']}: {f['severity']}: {f['element'] or '-'}: {f['message']}")
            sentences.append(f"      {f['english']}")
    here.tell(found, *sentences)
    return 0 if all(one["ok"] for one in found) else 1


@click.command("deploy", cls=Command)
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--reason", required=True, help="Why, for who reads the history.")
@click.option("--as", "who", metavar="PERSON", help="Who deploys (id, login or NIP); default: the installation itself.")
@pass_terminal
def deploy_(here: Terminal, files: tuple[Path, ...], reason: str, who: str | None) -> None:
    """Make diagrams the newest versions of their processes, all of them or none."""
    done = []
    with here.database.begin() as db:
        actor, at = here.actor(db, who), databases.now(db)
        if who is not None and not actor.administrator:
            raise Refused("not_yours", "Hanya administrator yang dapat menerapkan diagram.")
        for file in files:
            try:
                done.append((file, deploy.deploy(db, here.key, file.read_bytes(), actor=actor, reason=reason, at=at)))
            except DiagramError as error:
                raise Stop(
                    "diagram",
                    f"{file} cannot be deployed; nothing was.",
                    "Mend what is found, then try again.",
                    [finding(one) for one in error.findings],
                ) from error
    here.tell(
        [
            {
                "file": str(file),
                "key": one.version.key,
                "version": one.version.version,
                "new": one.new,
                "newest": one.newest,
                "sha256": one.version.sha256,
                "findings": [finding(f) for f in one.findings],
            }
            for file, one in done
        ],
        *(said(file, one) for file, one in done),
    )


def said(file: Path, one: deploy.Deployment) -> str:
    if one.new:
        return f"{file}: deployed as version {one.version.version} of {one.version.key}."
    if one.version.version == one.newest:
        return f"{file}: these bytes are version {one.newest} of {one.version.key} already; nothing was to be done."
    return (
        f"{file}: these bytes are version {one.version.version} of {one.version.key}, and version {one.newest} has "
        "followed it; nothing was done."
    )


@click.group(cls=Group)
def definition() -> None:
    """The deployed process definitions."""


@definition.command("list")
@pass_terminal
def list_definitions(here: Terminal) -> None:
    """List the newest version of each process, and the drafts that wait."""
    with here.database.read() as db:
        found = [
            {name: getattr(one, name) for name in TOLD} | {"deployed_at": local(records.moment(one.deployed_at))}
            for one in definitions.newest_of_all(db)
        ]
        found += [
            {"key": one.key, "version": 0, "sha256": one.sha256, "name": one.name, "status": "draft", "draft": one.id,
             "deployed_at": local(records.moment(one.saved_at)), "deployed_by": one.saved_by, "reason": "",
             "unit": one.unit, "origin": one.origin, "state": one.state}
            for one in drafts.listed(db)
        ]
    here.tell(
        found,
        *terminal.columns(
            (
                (one["key"], one["version"] or f"draft {one['draft']}", one["name"], one["deployed_at"],
                 str(one["sha256"])[:12])
                for one in found
            ),
            ("KEY", "VERSION", "NAME", "SINCE", "SHA-256"),
        ),
    )


TOLD = ("key", "version", "sha256", "name", "status", "deployed_at", "deployed_by", "reason", "canonical_sha256",
        "meaning_sha256", "cosmetic", "unit", "holds_from", "verified_by", "ratified_by", "number", "dated")


@definition.command("export")
@click.argument("key")
@click.option("--version", type=int, help="Which; default: the newest. 0: the draft saved last.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Into this file.")
@pass_terminal
def export_definition(here: Terminal, key: str, version: int | None, output: Path | None) -> None:
    """Give a diagram back, byte for byte as it was deployed."""
    with here.database.read() as db:
        if version == 0:
            draft = next((one for one in drafts.listed(db) if one.key == key), None)
            data = drafts.content(db, draft.id) if draft else None
        else:
            data = definitions.export(db, key, version)
    if data is None:
        which = f"version {version} of {key}" if version is not None else key
        raise Stop("unknown", f"There is no {which}.", "alur definition list shows what there is.")
    if output is not None:
        output.write_bytes(data)
        here.tell({"file": str(output), "bytes": len(data)}, f"{output}: {len(data)} bytes.")
    elif here.json:
        here.tell({"key": key, "diagram": data.decode("utf-8", "replace")})
    else:
        sys.stdout.buffer.write(data)


# Instances


def acting(command: Any) -> Any:
    """The options of a command that acts on an instance."""
    for option in (
        click.option("--at", metavar="T", help="The instant of the act; only on a demonstration."),
        click.option("--position", metavar="POSITION", help="The position in which; it must be theirs."),
        click.option("--as", "who", required=True, metavar="PERSON", help="Who acts: id, login or NIP."),
        click.option("--file", "files", multiple=True, metavar="DOC=PATH", help="A file for a document slot."),
        click.option("--data", multiple=True, metavar="FIELD=VALUE", help="A value; tables and people as JSON."),
    ):
        command = option(command)
    return command


@click.command(cls=Command)
@click.argument("key")
@click.option("--unit", required=True, help="For which unit.")
@acting
@pass_terminal
def start(
    here: Terminal,
    key: str,
    unit: str,
    data: tuple[str, ...],
    files: tuple[str, ...],
    who: str,
    position: str | None,
    at: str | None,
) -> None:
    """Start a process for a unit."""
    with here.database.read() as db:
        zone = zone_of(db, unit)
        when = terminal.instant(at, zone) if at else databases.now(db)
        # What is not in force is refused below, with its reason.
        found = definitions.in_force(db, key, local_date(when, zone)) or definitions.newest(db, key)
        if found is None:
            raise Stop("unknown", f"No process has the key {key!r}.", "alur definition list shows what there is.")
    form = here.rules.definition(found.sha256).start
    stored = store_files(here, files, form)
    with here.database.begin() as db:
        asked = request(here, db, who, position, at, zone)
        record_files(here, db, stored)
        act = handle.opening(db, key, unit, data=values(data, form), attachments=attachments(stored), at=when)
        id, step = handle.start(db, here.rules, here.key, asked(act))
        keep_within(here, db, id, stored)
    events = told([step], zone)
    here.tell({"instance": id, "events": events}, f"Started: {id}", *(in_words(event) for event in events))


@click.command(cls=Command)
@click.argument("task", metavar="INSTANCE/NUMBER")
@acting
@click.option("--done-at", metavar="T", help="It was done outside, at this instant.")
@pass_terminal
def complete(
    here: Terminal,
    task: str,
    data: tuple[str, ...],
    files: tuple[str, ...],
    who: str,
    position: str | None,
    at: str | None,
    done_at: str | None,
) -> None:
    """Complete an open user task, with its files attached before."""
    id, number = task_id(task)
    with here.database.read() as db:
        element, zone = open_element(here, db, id, number), zone_of(db, open_instance(db, id).unit)
    stored = store_files(here, files, element)
    with here.database.begin() as db:
        asked = request(here, db, who, position, at, zone)
        record_files(here, db, stored)
        acts: list[Any] = [
            AttachDocument(document=document, attachment=given, user_task=number)
            for document, given in attachments(stored).items()
        ]
        acts.append(
            CompleteUserTask(
                user_task=number,
                data=values(data, element),
                done_at=terminal.instant(done_at, zone) if done_at else None,
            )
        )
        steps = handle.handle(db, here.rules, here.key, id, [asked(act) for act in acts])
        keep_within(here, db, id, stored)
    events = told(steps, zone)
    here.tell({"events": events}, *(in_words(event) for event in events))


@click.command(cls=Command)
@click.argument("instance")
@click.option("--as", "who", required=True, metavar="PERSON", help="The administrator who repairs.")
@click.option("--reason", required=True, help="Why, for who reads the history.")
@click.option("--data", multiple=True, metavar="FIELD=VALUE", help="A value to put right; tables and people as JSON.")
@click.option("--close", multiple=True, type=int, metavar="NUMBER", help="An open user task or timer to cancel.")
@click.option("--open", "opened", multiple=True, metavar="ELEMENT", help="A user task to open.")
@pass_terminal
def correct(here: Terminal, instance: str, who: str, reason: str, data: tuple[str, ...], close: tuple[int, ...],
            opened: tuple[str, ...]) -> None:
    """Repair a process instance without running the engine; marked as a correction for ever."""
    with here.database.begin() as db:
        found = open_instance(db, instance)
        zone = zone_of(db, found.unit)
        every = Element(id="", kind="userTask", form=tuple(here.rules.definition(found.definition).fields.values()))
        act = Correct(reason=reason, data=values(data, every), close=close, open=opened)
        steps = handle.handle(db, here.rules, here.key, instance, [request(here, db, who, None, None, zone)(act)])
    events = told(steps, zone)
    here.tell({"events": events}, *(in_words(event) for event in events))


def told(steps: Iterable[Step], zone: str) -> list[dict[str, Any]]:
    """The events of steps as JSON, instants with the unit's offset."""
    return [
        {"type": type(event).__name__}
        | {k: local(v, zone) if isinstance(v, datetime) else records.encode(v) for k, v in vars(event).items()}
        for step in steps
        for event in step.events
    ]


def in_words(event: dict[str, Any]) -> str:
    return f"{event['type']}: {', '.join(f'{k}={v}' for k, v in event.items() if k != 'type')}"


def request(here: Terminal, db: Connection, who: str, position: str | None, at: str | None, zone: str) -> Any:
    """What makes a Request of an act: who asks, and when. Refuses a position that is not theirs."""
    person = here.person(db, who)
    instant = here.instant(db, at, zone)
    if position is not None:
        on = (instant or databases.now(db)).astimezone(ZoneInfo(zone)).date()
        if position not in {one.position for one in organisation.positions_of(db, person.id, on)}:
            raise Stop(
                "not_yours",
                f"{who} does not hold the position {position!r} on {on}.",
                "alur position list shows who holds what.",
            )
    return lambda act: handle.Request(id=terminal.new_id(), act=act, person=person.id, signed_in_by="cli", at=instant)


def task_id(text: str) -> tuple[str, int]:
    id, _, number = text.rpartition("/")
    if not id or not number.isdigit():
        raise click.UsageError(f"{text!r} is no task. Write INSTANCE/NUMBER, as alur tasks shows it.")
    return id, int(number)


def open_instance(db: Connection, id: str) -> ProcessInstance:
    found = instances.load(db, id)
    if found is None:
        raise Stop("unknown", f"There is no process instance {id}.", "alur instances shows what there is.")
    return found


def open_element(here: Terminal, db: Connection, id: str, number: int) -> Element:
    found = open_instance(db, id)
    task = found.user_tasks.get(number)
    if task is None:
        raise Stop("not_open", f"{id}/{number} is not open.", "alur tasks shows what is.")
    return here.rules.definition(found.definition).elements[task.element]


def zone_of(db: Connection, unit: str) -> str:
    found = organisation.unit_of(db, unit)
    if found is None:
        raise Stop("unknown", f"No unit has the id {unit!r}.", "alur unit list shows what there is.")
    return found.zone


def values(given: Iterable[str], form: Element) -> dict[str, Any]:
    """FIELD=VALUE pairs as the values of a form, by the types of its fields."""
    found: dict[str, Any] = {}
    for one in given:
        name, separator, text = one.partition("=")
        field = form.field(name)
        if not separator or field is None or field.type == "document":
            known = ", ".join(f.id for f in form.form if f.type != "document")
            raise click.UsageError(f"--data {one!r}: write FIELD=VALUE with one of the fields {known}.")
        try:
            if field.type == "long":
                found[name] = int(text)
            elif field.type == "boolean":
                found[name] = {"ya": True, "true": True, "tidak": False, "false": False}[text.lower()]
            elif field.type in ("table", "person"):
                found[name] = json.loads(text)
            else:
                found[name] = text
        except (ValueError, KeyError):
            kind = {"long": "a whole number", "boolean": "ya or tidak"}.get(field.type, "JSON")
            raise click.UsageError(f"--data {name}: {text!r} is not {kind}.") from None
    return found


Stored = list[tuple[str, str, documents.StoredFile]]  # (document type, name, file)


def store_files(here: Terminal, given: Iterable[str], form: Element) -> Stored:
    found: Stored = []
    limit = here.settings.upload_megabytes * 1_000_000
    for one in given:
        document, separator, path = one.partition("=")
        if not separator or document not in {slot.id for slot in form.slots}:
            known = ", ".join(slot.id for slot in form.slots) or "none"
            raise click.UsageError(f"--file {one!r}: write DOC=PATH with one of the slots: {known}.")
        with open(path, "rb") as stream:
            file = documents.store(stream, Path(path).name, here.settings.documents_dir, limit)
        found.append((document, documents.clean_name(Path(path).name), file))
    return found


def record_files(here: Terminal, db: Connection, stored: Stored) -> None:
    at = databases.now(db)
    for _, _, file in stored:
        documents.record(db, here.settings.documents_dir, file, at)


def keep_within(here: Terminal, db: Connection, id: str, stored: Stored) -> None:
    """See, after they were attached, that the files of an instance are not more than it may hold. Raises Refused."""
    if stored:
        documents.keep_within(db, id, here.settings.upload_quota_megabytes * 1_000_000)


def attachments(stored: Stored) -> dict[str, Attachment]:
    found: dict[str, list[File]] = {}
    for document, name, file in stored:
        one = File(name=name, sha256=file.sha256, size_bytes=file.size_bytes, media_type=file.media_type)
        found.setdefault(document, []).append(one)
    return {document: Attachment(files=tuple(files)) for document, files in found.items()}


@click.command("instances", cls=Command)
@click.option("--most", default=1_000, show_default=True, help="How many at most.")
@pass_terminal
def list_instances(here: Terminal, most: int) -> None:
    """List process instances, running ones first, the newest first."""
    found = summaries(here, most)
    here.tell(
        [
            {
                "id": one.id,
                "key": one.key,
                "title": one.title,
                "unit": one.unit,
                "year": one.year,
                "status": one.status,
                "started_at": local(one.started_at, one.zone),
                "ended_at": local(one.ended_at, one.zone),
                "deadline_at": local(one.deadline_at, one.zone),
                "tasks": [task.element for task in one.tasks],
            }
            for one in found
        ],
        *terminal.columns(
            ((one.id, one.status, one.title, one.unit, ", ".join(task.name for task in one.tasks)) for one in found),
            ("ID", "STATUS", "TITLE", "UNIT", "STANDS AT"),
        ),
    )


@click.command("tasks", cls=Command)
@click.option("--unit", help="Of this unit only.")
@click.option("--lane", help="Of this lane only.")
@click.option("--most", default=1_000, show_default=True, help="Of how many instances at most.")
@pass_terminal
def list_tasks(here: Terminal, unit: str | None, lane: str | None, most: int) -> None:
    """List open user tasks, what is late first."""
    rows = [
        {
            "id": f"{one.id}/{task.number}",
            "element": task.element,
            "name": task.name,
            "lane": task.lane,
            "unit": one.unit,
            "norm_at": local(task.norm_at, one.zone),
            "late_at": local(task.late_at, one.zone),
            "owner": task.owner,
        }
        for one in summaries(here, most)
        for task in one.tasks
        if unit in (None, one.unit) and lane in (None, task.lane)
    ]
    rows.sort(key=lambda row: (row["late_at"] is None, row["late_at"] or "", row["id"]))
    here.tell(
        rows,
        *terminal.columns(
            ((r["id"], r["name"], r["lane"], r["late_at"], r["owner"]) for r in rows),
            ("ID", "NAME", "LANE", "LATE AT", "OWNER"),
        ),
    )


def summaries(here: Terminal, most: int) -> list[Summary]:
    with here.database.read() as db:
        return queries.instances(db, "", (), everything=True, most=most)


# Stories, and working time


@click.group("story", cls=Group)
def story_() -> None:
    """Runs told in words: print one from a journal, run one as a test."""


@story_.command("show")
@click.argument("instance")
@pass_terminal
def show_story(here: Terminal, instance: str) -> None:
    """Print the journal of an instance as a story that runs again."""
    with here.database.snapshot() as db:
        found = open_instance(db, instance)
        steps = [step for step, _ in instances.steps(db, instance)]
        people = organisation.load(db).people
        names = {id: one.name for id, one in people.items()}
        text = story.show(steps, here.rules, names, found.key)
    here.tell({"instance": instance, "story": text}, text.rstrip("\n"))


@story_.command("run")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "--diagram", "diagram_", type=FILE, help="The diagram; default: the one of the story's process beside it."
)
@pass_terminal
def run_stories(here: Terminal, files: tuple[Path, ...], diagram_: Path | None) -> int:
    """Run stories as tests; exit 1 when one does not go as it says."""
    rules, results = DiagramsOnDisk(), []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
            sha256 = rules.of_story(file, text, diagram_, here.settings.diagrams)
            done = story.run(text, rules.rules, sha256, name=str(file))
            results.append(
                {
                    "file": str(file),
                    "ok": True,
                    "title": done.title,
                    "steps": len(done.steps),
                    "expectations": done.expectations,
                    "message": None,
                }
            )
        except (story.StoryError, DiagramError, process.ReplayDiverged, UnicodeDecodeError) as error:
            results.append(
                {
                    "file": str(file),
                    "ok": False,
                    "title": None,
                    "steps": None,
                    "expectations": None,
                    "message": str(error),
                }
            )
    here.tell(
        results,
        *(
            f"well   {one['file']}: {one['title']} ({one['steps']} steps, {one['expectations']} expectations)"
            if one["ok"]
            else f"WRONG  {one['message']}"
            for one in results
        ),
    )
    return 0 if all(one["ok"] for one in results) else 1


class DiagramsOnDisk:
    """Rules over diagrams in files and the preset calendars: what a story needs, without a database."""

    def __init__(self) -> None:
        self.read: dict[Path, ProcessDefinition] = {}
        self.by_hash: dict[str, ProcessDefinition] = {}
        presets = {one().sha256: one() for one in calendars.PRESETS.values()}
        self.rules = Rules(self.by_hash.__getitem__, presets.__getitem__)

    def of_story(self, file: Path, text: str, named: Path | None, shipped: Path) -> str | None:
        """The SHA-256 of the diagram that a story runs on: the named one, else of its process, beside it or shipped."""
        if named is not None:
            return self.learn(named).sha256
        wanted = story.Reader(text, str(file)).headings.get("Proses")
        near = [path for folder in (file.parent, file.parent.parent) for path in sorted(folder.glob("*.bpmn"))]
        for path in [*near, *sorted(shipped.rglob("*.bpmn"))]:
            if self.learn(path).key == wanted:
                return self.learn(path).sha256
        return None

    def learn(self, path: Path) -> ProcessDefinition:
        if path not in self.read:
            found = diagram.read(path.read_bytes())
            self.read[path] = self.by_hash[found.sha256] = found
        return self.read[path]


@click.command(cls=Command)
@click.option("--from", "start_", required=True, metavar="T", help="When it starts, ISO 8601; without offset: WIB.")
@click.option("--duration", required=True, metavar="D", help="ISO 8601: P2D two working days, PT20M working minutes.")
@click.option(
    "--calendar",
    "calendar_",
    default="lima_hari",
    show_default=True,
    metavar="NAME",
    help="lima_hari, enam_hari, or a unit of this installation.",
)
@pass_terminal
def due(here: Terminal, start_: str, duration: str, calendar_: str) -> None:
    """Say when a duration of working time is over, and which days were counted and skipped."""
    found = calendar_named(here, calendar_)
    try:
        explained = calendars.explain(duration, terminal.instant(start_, found.zone), found).to_json()
    except calendars.CalendarError as error:
        said = str(error)
        raise Stop("duration", said if said.endswith((".", "?")) else f"{said}.") from error
    skipped = [f"  {one['date']} is not counted: {one['name'] or 'weekend'}" for one in explained["skipped"]]
    here.tell(
        explained, f"Due: {explained['due']} ({found.title})", f"Counted from: {explained['counted_from']}", *skipped
    )


def calendar_named(here: Terminal, name: str) -> Calendar:
    """A preset, or the calendar of a unit of this installation."""
    if name in calendars.PRESETS:
        return calendars.PRESETS[name]()
    with here.database.read() as db:
        sha256 = definitions.calendar_of(db, name)
        if sha256 is None:
            raise Stop(
                "unknown",
                f"No calendar and no unit is named {name!r}.",
                f"Use one of {', '.join(calendars.PRESETS)}, or the id of a unit.",
            )
        return definitions.calendar(db, sha256)


@click.command("forecast", cls=Command)
@click.argument("process_", metavar="DEF", required=False)
@click.option("--start", "start_", metavar="T", help="When it would begin, ISO 8601; without offset: of its zone.")
@click.option("--calendar", "calendar_", metavar="NAME", help="lima_hari (default), enam_hari, or a unit's.")
@click.option("--returns", default=0, type=click.IntRange(0, forecast.MOST_RETURNS), help="Supposed from here on.")
@click.option("--year", type=click.IntRange(1900, 9000), help="Tahun laporan; default: of the first deadline after T.")
@click.option("--instance", metavar="ID", help="Of this process instance, as it stands now.")
@pass_terminal
def forecast_(
    here: Terminal,
    process_: str | None,
    start_: str | None,
    calendar_: str | None,
    returns: int,
    year: int | None,
    instance: str | None,
) -> None:
    """Say when a process would be done, and when each of its steps must begin at the latest.

    DEF is the key of a deployed process, or a .bpmn file, which needs no database.
    """
    if (process_ is None) == (instance is None):
        raise click.UsageError("Name a process, with --start, or one --instance.")
    if instance is not None and (start_ or calendar_ or year is not None):
        raise click.UsageError("An instance has its own start, calendars and year: leave those options away.")
    if instance is None and start_ is None:
        raise click.UsageError("Say when it would begin: --start T.")
    try:
        if instance is not None:
            tell_forecast(here, *forecast_of_instance(here, instance, returns))
        else:
            found = forecast_of_process(here, str(process_), str(start_), calendar_ or "lima_hari", returns, year)
            tell_forecast(here, *found)
    except (forecast.ForecastError, calendars.CalendarError) as error:
        raise Stop("forecast", str(error), "Look at the start, the year, the calendar and the norms.") from error


Forecasted = tuple[dict[str, Any], Forecast, Likelihood | None, ProcessDefinition, str]


def forecast_of_instance(here: Terminal, id: str, returns: int) -> Forecasted:
    with here.database.read() as db:
        found, at = open_instance(db, id), databases.now(db)
        made = outlook.of_instance(db, here.rules, found, at, returns)
        zone = here.rules.calendar(found.calendars[""]).zone
    about = {"instance": id, "process": found.key, "year": found.year, "at": local(at, zone)}
    return about, made.forecast, made.likelihood, here.rules.definition(found.definition), zone


def forecast_of_process(
    here: Terminal, named: str, start_: str, calendar_: str, returns: int, year: int | None
) -> Forecasted:
    """Of a file or of a deployed key; with the calendar of a unit, each lane in that of who performs it there."""
    path, lanes, samples = Path(named), dict[str, str](), forecast.Samples()
    if path.suffix == ".bpmn" or path.is_file():
        if not path.is_file():
            raise click.UsageError(f"File {named!r} does not exist.")
        try:
            definition = diagram.read(path.read_bytes())
        except DiagramError as error:
            details = [finding(one) for one in error.findings]
            raise Stop("diagram", f"{named} is refused by the gate.", "Mend what is found.", details) from error
    else:
        with here.database.read() as db:
            newest = definitions.newest(db, named)
            if newest is None:
                raise Stop("unknown", f"No process has the key {named!r}.", "alur definition list shows what there is.")
            definition, samples = here.rules.definition(newest.sha256), passes.samples(db, named)
            if calendar_ not in calendars.PRESETS:
                for lane in definition.lanes:
                    performer = organisation.unit_of_lane(db, named, lane.id, calendar_)
                    sha256 = definitions.calendar_of(db, performer) if performer else None
                    lanes |= {lane.id: sha256} if sha256 else {}
    own = calendar_named(here, calendar_)
    known = {own.sha256: own} | {sha256: here.rules.calendar(sha256) for sha256 in lanes.values()}
    rules = Rules({definition.sha256: definition}.__getitem__, known.__getitem__)
    start = terminal.instant(start_, own.zone)
    of = {"": own.sha256, **lanes}
    if year is None:
        year = forecast.first_year(rules, definition, of, start)
    data = {} if year is None else {"tahun_laporan": year}
    made = forecast.standard(rules, definition, of, start, data=data, returns=returns)
    beginning = forecast.Beginning(definition=definition, calendars=of, data=data)
    likely = forecast.likelihood(rules, beginning, start, samples, seed=0, runs=outlook.RUNS)
    about = {"process": definition.key, "year": year, "start": local(start, own.zone), "calendar": own.name}
    return about, made, likely, definition, own.zone


def tell_forecast(here: Terminal, about: dict[str, Any], made: Forecast, likely: Likelihood | None,
                  definition: ProcessDefinition, zone: str) -> None:
    def shown(value: Any) -> dict[str, Any]:
        return {k: local(v, zone) if isinstance(v, datetime) else v for k, v in vars(value).items()}

    windows = {(one.element, one.round): one for one in made.windows}
    told = about | shown(made) | {
        "deadline_day": made.deadline_day.isoformat() if made.deadline_day else None,
        "passes": [shown(one) for one in made.passes],
        "windows": [shown(one) for one in made.windows],
        "likelihood": shown(likely) if likely else None,
    }
    met = definition.deadline.satisfied_by if definition.deadline else None
    sentences = [f"{definition.name}{f' {made_for}' if (made_for := about.get('year')) else ''}, "
                 f"{made.returns} returns supposed from {local(made.at, zone)} on."]
    if made.finish is not None:
        late = made.late_by_working_days
        judged = f"{late} working days late" if late else "in time"
        sentences.append(f"{met} is done: {local(made.finish, zone)}, {judged}.")
    sentences.append(f"Everything is done: {local(made.instance_finish, zone)}")
    if made.deadline_day is not None:
        sentences.append(f"Deadline: the end of {made.deadline_day.isoformat()}; "
                         f"working deadline: {local(made.working_deadline, zone)}")
    if made.latest_start is not None:
        sentences.append(f"Latest start: {local(made.latest_start, zone)}")
    if made.returns_possible is not None:
        fit = "none, and not even the straight path" if made.returns_possible < 0 else str(made.returns_possible)
        sentences.append(f"Returns that still fit: {fit}.")
    if made.costliest_lane is not None:
        lane = definition.lane(made.costliest_lane)
        minutes = made.lane_minutes[made.costliest_lane]
        sentences.append(f"Most of the time: {lane.name if lane else made.costliest_lane}, {minutes} working minutes.")
    if likely is None:
        sentences.append("Durations really taken: not enough of them yet.")
    else:
        sentences.append(f"By the durations really taken, {likely.runs} runs: late in {likely.probability_late:.0%}; "
                         f"half are done by {local(likely.finish_50, zone)}, nine of ten by "
                         f"{local(likely.finish_90, zone)}.")
    rows = []
    for one in made.passes:
        window = windows.get((one.element, one.round))
        rows.append((one.element, one.round, one.lane, local(one.start, zone), local(one.end, zone),
                     *((local(window.latest_start, zone), local(window.latest_finish, zone)) if window else ("", ""))))
    heads = ("ELEMENT", "ROUND", "LANE", "BEGINS", "ENDS", "LATEST START", "LATEST FINISH")
    here.tell(told, *sentences, *terminal.columns(rows, heads))


# Proof


@click.command(cls=Command)
@click.argument("instance", required=False)
@click.option("--all", "everything", is_flag=True, help="Every instance.")
@pass_terminal
def replay(here: Terminal, instance: str | None, everything: bool) -> int:
    """Run what was recorded through the engine again: equal, or the first difference."""
    if (instance is None) != everything:
        raise click.UsageError("Name an instance, or say --all.")
    with here.database.read() as db:
        ids = [one.removeprefix("instance/") for one in journal.streams(db, "instance/")] if everything else [instance]
    began, results = time.monotonic(), []
    for id in ids:
        with here.database.snapshot() as db:
            results.append(replayed(here, db, str(id)))
    wrong = [one for one in results if not one["equal"]]
    steps = sum(one["steps"] for one in results)
    here.tell(
        {"engine": ENGINE, "instances": len(results), "steps": steps, "different": wrong},
        *(f"{one['instance']}: {one['difference']}" for one in wrong),
        f"{len(results) - len(wrong)} of {len(results)} instances are equal: {steps} steps in "
        f"{time.monotonic() - began:.1f} s, run by {ENGINE}.",
    )
    return 1 if wrong else 0


def replayed(here: Terminal, db: Connection, id: str) -> dict[str, Any]:
    live = instances.load(db, id)
    try:
        if live is None and not journal.streams(db, instances.stream(id)):
            raise Stop("unknown", f"There is no process instance {id}.", "alur instances shows what there is.")
        again, steps = handle.replayed(db, here.rules, id)
    except (process.ReplayDiverged, records.RecordError, LookupError) as error:
        return {"instance": id, "equal": False, "steps": 0, "difference": str(error)}
    difference = None
    if live is None or live.sequence != again.sequence:
        difference = f"The row stands at step {live.sequence if live else 0}, the journal ends at {again.sequence}."
    elif instances.state(live) != instances.state(again) or live.marking != again.marking:
        difference = f"The row at step {live.sequence} is not what replaying its journal gives."
    return {"instance": id, "equal": difference is None, "steps": len(steps), "difference": difference}


commands = (
    check, deploy_, definition, start, complete, correct, list_instances, list_tasks, story_, due, forecast_, replay,
)
