"""A process instance as an event log for tools of others: XES 2.0, OCEL 2.0 (JSON) and CSV.

What is written is read off the proved moments (`playback`): one line for each thing that happened to a user task, a
document or the instance; how tokens moved inside the diagram is left to the replay. Nothing that somebody typed is in
it; people are ids, or names when asked. Pure, and the same moments give the same bytes.
Sources: IEEE 1849 (XES; the standard extensions concept, lifecycle, organizational, time, identity), OCEL 2.0 (2023).
"""
from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import quoteattr

from . import events
from .commands import Attachment
from .instance import UserTask
from .playback import RETURN, Moment

SCHEDULE, ASSIGN, REASSIGN, START, SUSPEND, RESUME, WITHDRAW, COMPLETE = (
    "schedule", "assign", "reassign", "start", "suspend", "resume", "withdraw", "complete")
UNKNOWN = "unknown"                     # XES: no transition of an activity
KINDS = ("xes", "jsonocel", "csv")
MEDIA_TYPES = {"xes": "application/xml", "jsonocel": "application/json", "csv": "text/csv"}
LONGEST = 2_000                         # letters of one value
CONTROLS = ("Cc", "Zl", "Zp")           # categories that XML or a line of CSV cannot carry
FORMULA = re.compile(r"[\s\u00a0]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]")     # how a cell begins that spreadsheets compute


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One line of the log. The names of its fields are the columns of the CSV."""
    row: int                            # of the journal
    part: int                           # within the row, from 1
    at: datetime                        # recorded; aware, UTC
    event: str                          # its name in `events`
    activity: str                       # the user task's name, or what happened to the instance
    transition: str                     # of the XES lifecycle
    element: str = ""                   # BPMN id
    user_task: int | None = None
    lane: str = ""
    round: int | None = None
    person: str = ""
    position: str = ""
    unit: str = ""
    capacity: str = ""
    basis: str = ""
    on_behalf_of: str = ""
    signed_in_by: str = ""
    stated_at: datetime | None = None   # "Dikerjakan di luar aplikasi pada ..."
    norm_at: datetime | None = None
    due_at: datetime | None = None      # what the inbox showed then
    late: bool | None = None
    returned: bool | None = None        # opened again by a return
    document: str = ""
    version: int | None = None
    sha256: tuple[str, ...] = ()        # of the document's files
    required: tuple[tuple[str, int], ...] = ()  # (document, version) that the completed user task asks for
    definition: str = ""                # SHA-256 of the diagram that ran


@dataclass(frozen=True, kw_only=True)
class Log:
    """What is written of an instance, and how people are called in it."""
    instance: str
    title: str
    happenings: tuple[Happening, ...]
    names: Mapping[str, str]            # id -> name; empty: ids are written

    def name(self, id: str) -> str:
        return self.names.get(id, id)


def log_of(id: str, title: str, moments: Iterable[Moment], names: Callable[[str], str] | None = None) -> Log:
    """The log of an instance.

    names  of a person, a position or a unit by its id; None: ids are written.
    """
    found = tuple(one for moment in moments for one in happenings(moment))
    ids = {id for one in found for id in (one.person, one.position, one.unit, one.on_behalf_of) if id}
    return Log(instance=id, title=title, happenings=found,
               names={id: names(id) for id in sorted(ids)} if names else {})


def written(log: Log, kind: str) -> bytes:
    """The file of a log; `kind` is one of KINDS."""
    return {"xes": xes, "jsonocel": ocel, "csv": table}[kind](log)


# What happened

def happenings(moment: Moment) -> Iterator[Happening]:
    """What one Step says to others, in its order."""
    actor, act = moment.command.actor, moment.command.act
    attached = {(type, version): given for type, version, given in moment.attached}
    told = [line for event in moment.step.events for line in _lines(moment, event, attached)]
    for part, (event, task, said) in enumerate(told, 1):
        definition = said.pop("definition", moment.definition.sha256)
        element = task.element if task else said.pop("element", "")
        drawn = moment.definition.elements.get(element)
        yield Happening(
            row=moment.sequence, part=part, at=moment.command.at, event=type(event).__name__, element=element,
            activity=said.pop("activity", None) or (drawn.name or element if drawn else element),
            user_task=task.number if task else None, lane=task.lane if task else "",
            round=task.round if task else None, norm_at=task.norm_at if task else None,
            due_at=task.late_at if task else None,
            person=actor.person, position=actor.position or "", unit=actor.unit or "", capacity=actor.capacity or "",
            basis=actor.basis or "", on_behalf_of=actor.on_behalf_of or "", signed_in_by=actor.signed_in_by,
            stated_at=getattr(act, "done_at", None), definition=definition, **said)


# Of events that no sentence of a log is about: how tokens went, and what the engine counted.
INNER = (events.ElementEntered, events.ElementLeft, events.TokenConsumed, events.ConditionEvaluated,
         events.TimerStarted, events.TimerMoved, events.TimerCancelled)


def _lines(moment: Moment, event: events.Event, attached: Mapping[tuple[str, int], Attachment]) \
        -> Iterator[tuple[events.Event, UserTask | None, dict[str, Any]]]:
    """(event, the user task it is about, what else is said) for each line of an event."""
    before, after = moment.before.user_tasks, moment.after.user_tasks
    number = getattr(event, "user_task", None)
    task = (after.get(number) or before.get(number)) if number else None
    plain = {"transition": UNKNOWN}
    match event:
        case _ if isinstance(event, INNER):
            return
        case events.UserTaskOpened():
            # A task that its own Step finished again is in neither state: what was said of it stands in the event.
            opened = task or UserTask(number=event.user_task, element=event.element, lane=event.lane,
                                      round=event.round, opened_at=moment.command.at, norm_at=event.norm_at,
                                      late_at=event.late_at)
            yield event, opened, {"transition": SCHEDULE, "returned": RETURN in moment.marks and event.round > 1}
        case events.UserTaskClaimed():
            yield event, task, {"transition": START}
        case events.UserTaskReleased() | events.UserTaskRecalled():
            yield event, task, {"transition": REASSIGN}
        case events.UserTaskReassigned():
            yield event, task, {"transition": REASSIGN if event.before else ASSIGN}
        case events.UserTaskCompleted():
            kept, drawn = moment.before.documents, moment.definition.elements.get(event.element)
            slots = drawn.slots if drawn else ()
            asked = tuple((one.id, kept[one.id].version) for one in slots
                          if one.id in kept and one.slot and one.slot.role == "kelengkapan")
            yield event, before.get(event.user_task), {"transition": COMPLETE, "late": event.late, "required": asked}
        case events.UserTaskCancelled():
            yield event, before.get(event.user_task), {"transition": WITHDRAW}
        case events.ProcessInstanceSuspended() | events.ProcessInstanceResumed():
            transition = SUSPEND if isinstance(event, events.ProcessInstanceSuspended) else RESUME
            yield event, None, {**plain, "activity": type(event).__name__}
            for _, one in sorted(after.items()):
                yield event, one, {"transition": transition}
        case events.DocumentAttached(document, version, _):
            given = attached.get((document, version))
            yield event, task, {**plain, "activity": type(event).__name__, "document": document, "version": version,
                                "sha256": tuple(one.sha256 for one in given.files) if given else ()}
        case events.RequirementOwed() | events.RequirementSettled() | events.RequirementWaived():
            yield event, task, {**plain, "activity": type(event).__name__, "document": event.document}
        case events.ProcessInstanceMigrated() | events.MigrationUndone():
            yield event, None, {**plain, "activity": type(event).__name__, "definition": event.to}
        case _:
            element = getattr(event, "element", None) or ""
            yield event, task, {**plain, "activity": type(event).__name__, **({} if task else {"element": element})}


# What any file may carry

def clean(value: str) -> str:
    """A text without what XML or a line cannot carry: control letters are spaces, what is no letter is a sign. Of one
    that is too long its beginning, how long it is, and the SHA-256 of its UTF-8: nothing is left out unsaid."""
    if len(value) > LONGEST:
        digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
        return f"{clean(value[:LONGEST])} [... {len(value)} letters, SHA-256 {digest}]"
    return "".join(" " if unicodedata.category(one) in CONTROLS else
                   "\ufffd" if unicodedata.category(one) == "Cs" or one in "\ufffe\uffff" else one
                   for one in value)


def instant(at: datetime) -> str:
    """`2027-02-02T03:15:00.000005+00:00`: UTC, as both standards read it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def of_part(log: Log, one: Happening) -> str:
    """The same UUID for the same line of the same instance, wherever it is exported."""
    return str(uuid5(NAMESPACE_URL, f"urn:alur:{log.instance}/{one.row}/{one.part}"))


# XES

EXTENSION = "urn:alur:xesext:1"
STANDARD = (("Concept", "concept"), ("Lifecycle", "lifecycle"), ("Organizational", "org"), ("Time", "time"),
            ("Identity", "identity"))
# Of our own extension: (kind, key without its prefix, where it stands in a happening, what it is)
OWN = (("int", "row", "row", "row of the journal"), ("string", "event", "event", "name of the event"),
       ("string", "element", "element", "BPMN id"), ("string", "lane", "lane", "lane of the diagram"),
       ("int", "round", "round", "pass of the user task"), ("string", "capacity", "capacity", "definitif, plh, plt"),
       ("string", "basis", "basis", "legal basis of the capacity"),
       ("string", "onBehalfOf", "on_behalf_of", "office on whose behalf it was recorded"),
       ("string", "signedInBy", "signed_in_by", "web, cli, worker"),
       ("date", "stated", "stated_at", "when it was done, as its person states"),
       ("date", "norm", "norm_at", "due by the SOP"), ("date", "due", "due_at", "due as it was shown then"),
       ("boolean", "late", "late", "completed late"), ("boolean", "returned", "returned", "opened again by a return"),
       ("string", "document", "document", "document type"), ("int", "version", "version", "version of the document"),
       ("string", "sha256", "sha256", "SHA-256 of its files"),
       ("string", "definition", "definition", "SHA-256 of the diagram that ran"))


def xes(log: Log) -> bytes:
    """One trace. Every line is an event; those that are no transition of a user task say `unknown`."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             '<log xes.version="2.0" xes.features="" xmlns="http://www.xes-standard.org/">']
    lines += [f'  <extension name="{name}" prefix="{prefix}" uri="http://www.xes-standard.org/{prefix}.xesext"/>'
              for name, prefix in STANDARD]
    lines += [f'  <extension name="Alur" prefix="alur" uri="{EXTENSION}"/>', '  <global scope="trace">',
              _attribute("string", "concept:name", "", 4), '  </global>', '  <global scope="event">',
              *(_attribute("string", key, "", 4) for key in ("concept:name", "lifecycle:transition")),
              _attribute("date", "time:timestamp", "1970-01-01T00:00:00.000000+00:00", 4), '  </global>',
              '  <classifier name="Kegiatan" keys="concept:name"/>',
              '  <classifier name="Kegiatan dan keadaan" keys="concept:name lifecycle:transition"/>',
              _attribute("string", "lifecycle:model", "standard", 2), "  <trace>",
              _attribute("string", "concept:name", log.title, 4),
              _attribute("id", "identity:id", str(uuid5(NAMESPACE_URL, f"urn:alur:{log.instance}")), 4),
              _attribute("string", "alur:instance", log.instance, 4)]
    for one in log.happenings:
        lines.append("    <event>")
        lines += [_attribute(*attribute, 6) for attribute in _attributes(log, one)]
        lines.append("    </event>")
    return "\n".join([*lines, "  </trace>", "</log>", ""]).encode()


def _attributes(log: Log, one: Happening) -> Iterator[tuple[str, str, str]]:
    yield "string", "concept:name", one.activity
    if one.user_task is not None:
        yield "string", "concept:instance", str(one.user_task)
    yield "string", "lifecycle:transition", one.transition
    yield "date", "time:timestamp", instant(one.at)
    yield "id", "identity:id", of_part(log, one)
    for key, id in (("resource", one.person), ("role", one.position), ("group", one.unit)):
        if id:
            yield "string", f"org:{key}", log.name(id)
    for kind, key, name, _ in OWN:
        value = getattr(one, name)
        if value not in (None, "", ()):
            yield kind, f"alur:{key}", text_of(log, name, value)


def text_of(log: Log, name: str, value: object) -> str:
    """One value of a happening as both XES and CSV write it."""
    match value:
        case datetime():
            return instant(value)
        case bool():
            return "true" if value else "false"
        case tuple():
            return " ".join(" v".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in value)
        case None:
            return ""
    return log.name(str(value)) if name in ("person", "position", "unit", "on_behalf_of") else str(value)


def _attribute(kind: str, key: str, value: str, indent: int) -> str:
    return f"{' ' * indent}<{kind} key={quoteattr(key)} value={quoteattr(clean(value))}/>"


def extension() -> bytes:
    """What our own attributes mean, in the form in which XES describes extensions."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             f'<xesextension name="Alur" prefix="alur" uri="{EXTENSION}">', "  <trace>",
             '    <string key="instance"><alias mapping="EN" name="id of the process instance"/></string>',
             "  </trace>", "  <event>"]
    lines += [f'    <{kind} key="{key}"><alias mapping="EN" name={quoteattr(means)}/></{kind}>'
              for kind, key, _, means in OWN]
    return "\n".join([*lines, "  </event>", "</xesextension>", ""]).encode()


# OCEL

OBJECTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Instance": (("title", "string"),),
    "Task": (("activity", "string"), ("element", "string"), ("lane", "string"), ("round", "integer")),
    "FileVersion": (("document", "string"), ("version", "integer"), ("sha256", "string")),
    "Person": (("name", "string"),), "Position": (("name", "string"),), "SopVersion": (("sha256", "string"),),
}
OF_EVENTS = (("row", "integer"), ("transition", "string"), ("capacity", "string"), ("basis", "string"),
             ("on_behalf_of", "string"), ("signed_in_by", "string"), ("stated_at", "time"), ("norm_at", "time"),
             ("due_at", "time"), ("late", "boolean"))


def ocel(log: Log) -> bytes:
    """Events about several objects each; a qualifier says what the object was in it."""
    first = instant(log.happenings[0].at) if log.happenings else ""
    objects: dict[str, dict[str, object]] = {}

    def known(kind: str, id: str, at: str, part_of: Sequence[tuple[str, str]] = (), **values: object) -> str:
        name = f"{kind}:{id}"
        if name not in objects:
            objects[name] = {
                "id": name, "type": kind,
                "attributes": [{"name": key, "time": at, "value": clean(str(value))} for key, value in values.items()],
                "relationships": [{"objectId": of, "qualifier": how} for of, how in part_of]}
        return name

    def called(id: str) -> dict[str, Any]:
        return {"name": log.name(id)} if log.names else {}

    whole = known("Instance", log.instance, first, title=log.title)
    told, types = [], set[str]()
    for one in log.happenings:
        at, related = instant(one.at), [(whole, "of")]
        related.append((known("SopVersion", one.definition, at, sha256=one.definition), "ranOn"))
        if one.user_task is not None:
            related.append((known("Task", f"{log.instance}/{one.user_task}", at, [(whole, "partOf")],
                                  activity=one.activity if one.transition != UNKNOWN else one.element,
                                  element=one.element, lane=one.lane, round=one.round or 1),
                            "returned" if one.returned else one.transition if one.transition != UNKNOWN else "in"))
        if one.person:
            related.append((known("Person", one.person, at, **called(one.person)), "did"))
        if one.position:
            related.append((known("Position", one.position, at, **called(one.position)), "actedAs"))
        if one.version is not None:
            related.append((_file(known, log, whole, at, one.document, one.version, one.sha256), "produced"))
        for document, version in one.required:
            related.append((_file(known, log, whole, at, document, version), "required"))
        kind = clean(f"{one.activity} ({one.transition})" if one.transition != UNKNOWN else one.activity)
        types.add(kind)
        values = [(name, getattr(one, name)) for name, _ in OF_EVENTS]
        told.append({
            "id": of_part(log, one), "type": kind, "time": at,
            "attributes": [{"name": name, "value": clean(text_of(log, name, value))} for name, value in values
                           if value not in (None, "", ())],
            "relationships": [{"objectId": id, "qualifier": how} for id, how in related]})
    shape = {
        "objectTypes": [{"name": name, "attributes": _typed(of)} for name, of in OBJECTS.items()],
        "eventTypes": [{"name": name, "attributes": _typed(OF_EVENTS)} for name in sorted(types)],
        "objects": [objects[id] for id in sorted(objects)], "events": told}
    return json.dumps(shape, ensure_ascii=False, indent=1).encode(errors="replace") + b"\n"


def _file(known: Callable[..., str], log: Log, whole: str, at: str, document: str, version: int,
          sha256: Sequence[str] = ()) -> str:
    return known("FileVersion", f"{log.instance}/{document}/{version}", at, [(whole, "partOf")],
                 document=document, version=version, sha256=" ".join(sha256))


def _typed(attributes: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in attributes]


# CSV

def table(log: Log) -> bytes:
    """One line a happening, with the byte mark that spreadsheets want. A value that they would compute begins with an
    apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    columns = [one.name for one in fields(Happening)]
    writer.writerow(["instance", *columns])
    for one in log.happenings:
        writer.writerow([harmless(log.instance), *(harmless(text_of(log, name, getattr(one, name)))
                                                   for name in columns)])
    return out.getvalue().encode("utf-8-sig")


def harmless(value: str) -> str:
    """A cell that stays text in a spreadsheet: neither computed, nor cut into several at the separators of another
    country."""
    kept = clean(value).replace("\t", " ").replace(";", ",")
    return f"'{kept}" if FORMULA.match(kept) else kept
