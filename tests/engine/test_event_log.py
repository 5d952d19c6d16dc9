"""An instance as XES, OCEL 2.0 and CSV: what the standards ask of such a file, and that hostile texts stay text.

The grammar of XES is written down here from its standard (IEEE 1849); the rules of OCEL 2.0 are asked one by one.
"""
from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from engine import event_log
from engine.commands import ReassignUserTask, SuspendProcessInstance
from engine.event_log import Log
from engine.playback import moments
from tests.engine.test_playback import of_case, played
from tests.story import ADMINISTRATOR, STORIES, lkjpd_before

XES = "{http://www.xes-standard.org/}"
GRAMMAR = etree.XMLSchema(etree.XML(b"""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="http://www.xes-standard.org/"
           targetNamespace="http://www.xes-standard.org/" elementFormDefault="qualified">
  <xs:element name="log"><xs:complexType><xs:sequence>
    <xs:element name="extension" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
      <xs:attribute name="name" type="xs:NCName" use="required"/>
      <xs:attribute name="prefix" type="xs:NCName" use="required"/>
      <xs:attribute name="uri" type="xs:anyURI" use="required"/></xs:complexType></xs:element>
    <xs:element name="global" minOccurs="0" maxOccurs="2"><xs:complexType>
      <xs:group ref="attributes"/>
      <xs:attribute name="scope" use="required"><xs:simpleType><xs:restriction base="xs:string">
        <xs:enumeration value="trace"/><xs:enumeration value="event"/></xs:restriction></xs:simpleType></xs:attribute>
      </xs:complexType></xs:element>
    <xs:element name="classifier" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
      <xs:attribute name="name" type="xs:string" use="required"/>
      <xs:attribute name="keys" type="xs:token" use="required"/></xs:complexType></xs:element>
    <xs:group ref="attributes"/>
    <xs:element name="trace" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:group ref="attributes"/>
      <xs:element name="event" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
        <xs:group ref="attributes"/></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>
    </xs:sequence>
    <xs:attribute name="xes.version" type="xs:decimal" use="required"/>
    <xs:attribute name="xes.features" type="xs:token"/></xs:complexType></xs:element>
  <xs:group name="attributes"><xs:sequence><xs:choice minOccurs="0" maxOccurs="unbounded">
    <xs:element name="string"><xs:complexType><xs:attribute name="key" type="xs:Name" use="required"/>
      <xs:attribute name="value" type="xs:string" use="required"/></xs:complexType></xs:element>
    <xs:element name="date"><xs:complexType><xs:attribute name="key" type="xs:Name" use="required"/>
      <xs:attribute name="value" type="xs:dateTime" use="required"/></xs:complexType></xs:element>
    <xs:element name="int"><xs:complexType><xs:attribute name="key" type="xs:Name" use="required"/>
      <xs:attribute name="value" type="xs:long" use="required"/></xs:complexType></xs:element>
    <xs:element name="boolean"><xs:complexType><xs:attribute name="key" type="xs:Name" use="required"/>
      <xs:attribute name="value" type="xs:boolean" use="required"/></xs:complexType></xs:element>
    <xs:element name="id"><xs:complexType><xs:attribute name="key" type="xs:Name" use="required"/>
      <xs:attribute name="value" use="required"><xs:simpleType><xs:restriction base="xs:string">
        <xs:pattern value="[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"/></xs:restriction></xs:simpleType></xs:attribute>
      </xs:complexType></xs:element>
  </xs:choice></xs:sequence></xs:group>
</xs:schema>"""))
STANDARD_MODEL = {"schedule", "assign", "withdraw", "reassign", "start", "suspend", "resume", "pi_abort", "ate_abort",
                  "complete", "autoskip", "manualskip", "unknown"}


def log_of(name: str = "02_dikembalikan_satu_kali.txt") -> Log:
    shown = played(name)
    return event_log.log_of(shown[0].after.id, "LKjPD Tahun 2026", shown)


def events_of(log: Log) -> list[dict[str, str]]:
    root = etree.fromstring(event_log.xes(log))
    assert GRAMMAR.validate(root), GRAMMAR.error_log
    return [{one.get("key"): one.get("value") for one in event} for event in root.iter(f"{XES}event")]


def lines_of(log: Log) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(event_log.table(log).decode("utf-8-sig"), newline="")))


def test_every_story_is_a_log_that_the_standard_of_xes_accepts() -> None:
    for path in STORIES:
        found = events_of(log_of(path.name))
        assert {one["lifecycle:transition"] for one in found} <= STANDARD_MODEL
        assert len({one["identity:id"] for one in found}) == len(found)
        instants = [datetime.fromisoformat(one["time:timestamp"]) for one in found]
        assert instants == sorted(instants)
        for one in found:
            assert one["concept:name"] and len(one) == len(set(one))


def test_every_pass_of_a_user_task_is_scheduled_started_and_completed_in_this_order() -> None:
    passes: dict[str, list[str]] = {}
    for one in events_of(log_of()):
        if one["lifecycle:transition"] != "unknown":
            passes.setdefault(one["concept:instance"], []).append(one["lifecycle:transition"])
    assert len(passes) == 12, "nine steps, three of them twice"
    assert set(map(tuple, passes.values())) == {("schedule", "start", "complete")}


def test_a_return_says_so_and_the_round_that_follows_from_it_too() -> None:
    (returned,) = [one for one in log_of().happenings if one.returned]
    assert (returned.element, returned.round, returned.transition) == ("langkah_5", 2, "schedule")


def test_who_acted_stands_with_position_capacity_and_basis() -> None:
    case = lkjpd_before(7)
    log = event_log.log_of(case.instance.id, "t", of_case(case))
    done = [one for one in log.happenings if one.transition == "complete"]
    for one, step in zip(done, (one for one in case.steps if any(
            type(event).__name__ == "UserTaskCompleted" for event in one.events)), strict=True):
        actor = step.command.actor
        assert (one.person, one.position, one.capacity, one.basis) == (
            actor.person, actor.position or "", actor.capacity or "", actor.basis or "")


def test_a_suspension_is_one_of_the_instance_and_of_its_open_user_tasks_and_a_task_is_reassigned() -> None:
    case = lkjpd_before(5)
    [task] = case.instance.user_tasks
    case = case.when(ReassignUserTask(user_task=task, person="tim1", reason="sakit"), ADMINISTRATOR)
    case = case.when(SuspendProcessInstance(reason="menunggu"), ADMINISTRATOR)
    *_, given_to, whole, suspended = event_log.log_of(case.instance.id, "t", of_case(case)).happenings
    assert given_to.transition in ("assign", "reassign") and given_to.user_task == task
    assert (whole.event, whole.transition, whole.user_task) == ("ProcessInstanceSuspended", "unknown", None)
    assert (suspended.transition, suspended.user_task) == ("suspend", task)


def test_the_objects_of_ocel_are_declared_and_every_relationship_leads_to_one() -> None:
    found = json.loads(event_log.ocel(log_of()))
    assert list(found) == ["objectTypes", "eventTypes", "objects", "events"]
    ids = [one["id"] for one in [*found["objects"], *found["events"]]]
    assert len(ids) == len(set(ids))
    for things, types in (("objects", "objectTypes"), ("events", "eventTypes")):
        declared = {one["name"]: {a["name"] for a in one["attributes"]} for one in found[types]}
        for one in found[things]:
            assert {a["name"] for a in one["attributes"]} <= declared[one["type"]]
            assert all(isinstance(a["value"], str) for a in one["attributes"])
            assert {r["objectId"] for r in one["relationships"]} <= set(ids)
    qualifiers = {r["qualifier"] for one in found["events"] for r in one["relationships"]}
    assert {"did", "produced", "required", "returned", "schedule", "start", "complete"} <= qualifiers


def test_a_document_of_ocel_is_produced_once_in_each_version() -> None:
    found = json.loads(event_log.ocel(log_of()))
    produced = [r["objectId"] for one in found["events"] for r in one["relationships"] if r["qualifier"] == "produced"]
    versions = [one["id"] for one in found["objects"] if one["type"] == "FileVersion"]
    assert sorted(produced) == sorted(versions)


def test_people_are_ids_and_names_when_asked() -> None:
    shown = played("01_disetujui_langsung.txt")
    ids = event_log.log_of("i", "t", shown)
    named = event_log.log_of("i", "t", shown, lambda id: f"Pemegang {id}")
    for kind in event_log.KINDS:
        assert b"Pemegang camat" in event_log.written(named, kind)
        assert b"Pemegang" not in event_log.written(ids, kind)


def test_the_same_moments_give_the_same_bytes() -> None:
    for kind in event_log.KINDS:
        assert event_log.written(log_of(), kind) == event_log.written(log_of(), kind)


def test_a_log_without_anything_in_it_is_a_log() -> None:
    empty = event_log.log_of("i", "t", moments(None, "i", ()))    # type: ignore[arg-type]
    assert events_of(empty) == lines_of(empty) == json.loads(event_log.ocel(empty))["events"] == []


HOSTILE: Any = st.one_of(st.text(max_size=40, min_size=1), st.text(
    "=+-@|%\t\r\n;,\"'<>&\x00\x0b\ud800\ufffe\u2028＝ ", min_size=1, max_size=12))


@given(HOSTILE)
def test_no_text_breaks_a_file_or_becomes_a_formula(text: str) -> None:
    clean = log_of_one(text)
    (event,) = events_of(clean)
    assert event["concept:name"] == event["org:resource"] == event_log.clean(text)
    (line,) = lines_of(clean)
    for value in line.values():
        assert value.lstrip()[:1] not in tuple("=+-@|%＝＋－＠") and not set(value) & set("\r\n\t;\x00")
    assert json.loads(event_log.ocel(clean))["events"][0]["time"]


ONE = played("01_disetujui_langsung.txt")[:1]


def log_of_one(text: str) -> Log:
    """A log of one line in which a text stands wherever one can."""
    log = event_log.log_of("i", text, ONE)
    line = replace(log.happenings[0], activity=text, person=text, position=text, basis=text, document=text)
    return replace(log, happenings=(line,))


def test_of_what_is_too_long_for_a_line_its_length_and_hash_are_said() -> None:
    text = "é" * (event_log.LONGEST + 1)
    digest = sha256(text.encode()).hexdigest()
    assert event_log.clean(text) == f"{'é' * event_log.LONGEST} [... {len(text)} letters, SHA-256 {digest}]"
    assert event_log.clean("é" * event_log.LONGEST) == "é" * event_log.LONGEST
