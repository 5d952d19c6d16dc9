"""Whatever JSON the server answers, held to a description of it by schemathesis.

No broken page, no status and no content type that is not told, and the shape that the scripts of the pages rely on.

The description (OpenAPI 3.1) stands here because only these tests need one: the addresses are those of our own pages.
"""
from __future__ import annotations

from typing import Any
from uuid import UUID

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from tests.desk import Desk
from tests.forms.test_modeler import SHIPPED, begin

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 12       # of each address in one run
TEXT, NUMBER, YES = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
PAGE = {"description": "halaman", "content": {"text/html": {}}}
UNKNOWN = str(UUID(int=7))


def thing(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members)}


def several(one: Any) -> dict[str, Any]:
    return {"type": "array", "items": one}


def told(schema: Any) -> dict[str, Any]:
    return {"description": "JSON", "content": {"application/json": {"schema": schema}}}


FINDINGS = several(thing(severity={"enum": ["error", "warning"]}, element={"type": ["string", "null"]},
                         line={"type": ["integer", "null"]}, message=TEXT))
MESSAGE = thing(message=TEXT)
SAVED = thing(revision=NUMBER, saved_at=TEXT, clock=TEXT, at=TEXT, saved_by=TEXT, mine=YES, against=TEXT)
PROBLEM = thing(problem=TEXT)
FAR = thing(address=TEXT, id=TEXT, offset=NUMBER, size=NUMBER, part=NUMBER)
STATE = thing(sequence=NUMBER, saved=TEXT, shown={"type": "object", "additionalProperties": YES}, lacking=TEXT,
              slots={"type": "object", "additionalProperties": TEXT}, problems=several(TEXT))
DRAWN = SHIPPED.decode()
XML = {"required": True, "content": {"text/plain": {"schema": {"anyOf": [
    {"enum": [DRAWN, DRAWN.replace('targetRef="langkah_7"', 'targetRef="langkah_70"'), "<a/>", "<!DOCTYPE a []><a/>"]},
    TEXT]}}}}


def asks(schema: Any, kind: str = "application/json") -> dict[str, Any]:
    return {"required": True, "content": {kind: {"schema": schema}}}


def answers(**by_status: Any) -> dict[str, Any]:
    """By status ("s200"), and the pages that any address may give instead."""
    pages = {str(status): PAGE for status in (400, 403, 404, 405, 413, 415)}
    return {**pages, **{status.removeprefix("s"): one for status, one in by_status.items()}}


def described(draft: str, first: tuple[str, int], third: tuple[str, int], upload: str) -> dict[str, Any]:
    """The description, over things that are there and one that is not. Whoever asks is in `x-by`."""
    def one_of(name: str, *values: Any) -> dict[str, Any]:
        return {"name": name, "in": "path", "required": True, "schema": {"enum": list(values)}}

    def header(name: str, schema: Any) -> dict[str, Any]:
        return {"name": name, "in": "header", "required": False, "schema": schema}

    of_draft, of_instance = one_of("id", draft, UNKNOWN, "satu"), one_of("id", first[0], UNKNOWN)
    of_third = one_of("id", third[0], UNKNOWN)
    match = header("If-Match", {"anyOf": [{"enum": ["1", "2"]}, {"type": "string", "pattern": '^"?[0-9]{1,9}"?$'}]})
    names = {f"isian.{name}": TEXT for name in ("arahan", "bukan_isian", "arahan.baris")}
    paths: dict[str, Any] = {
        "/healthz": {"get": {"responses": answers(s200=told(thing(alive=YES)))}},
        "/readyz": {"get": {"responses": answers(s200=told(thing(ready=YES, revision=TEXT)))}},
        "/audit/{id}/putar.json": {"parameters": [of_instance], "get": {"x-by": "auditor", "responses": answers(
            s200=told(thing(moments=several(thing(
                n=NUMBER, at=TEXT, text=TEXT, diagram=TEXT, active=several(TEXT), late=several(TEXT),
                marks=several(thing(look=TEXT, shape=TEXT, word=TEXT)), returned=several(TEXT), done=several(TEXT),
                moves=several(TEXT))))))}},
        "/perancang/rancangan/{id}/isi": {
            "parameters": [of_draft],
            "put": {"x-by": "pengelola1", "x-right": {"body": DRAWN, "headers": {"If-Match": "1"}},
                    "parameters": [match], "requestBody": XML, "responses": answers(
                s200=told({**SAVED, "required": [*SAVED["required"], "findings"],
                           "properties": {**SAVED["properties"], "findings": FINDINGS}}),
                s403=told(MESSAGE), s409=told({"allOf": [MESSAGE, SAVED]}), s422=told(thing(message=TEXT,
                                                                                       findings=FINDINGS)),
                s428=told(MESSAGE))},
            "post": {"x-by": "pengelola1", "x-right": {"body": DRAWN}, "requestBody": XML, "responses": answers(
                s201=told(thing(id=TEXT, address=TEXT)), s403=told(MESSAGE),
                s422=told(thing(message=TEXT, findings=FINDINGS)))}},
        "/perancang/rancangan/{id}/temuan": {"parameters": [of_draft], "post": {
            "x-by": "pengelola1", "x-right": {"body": DRAWN}, "requestBody": XML,
            "responses": answers(s200=told(thing(findings=FINDINGS)))}},
        "/perancang/rancangan/{id}/hadir": {"parameters": [of_draft], "get": {
            "x-by": "pengelola1", "responses": answers(s200=told({"allOf": [SAVED, thing(
                person=TEXT, csrf=TEXT, proposed=YES, others=several(thing(name=TEXT, since=TEXT)))]}))}},
        "/perancang/ungkapan": {"post": {
            "x-by": "pengelola1", "x-right": {"body": {"expression": "tahun > 1", "id": draft}}, "responses": answers(
            s200=told(thing(ok=YES, message=TEXT)), s400=told(MESSAGE)), "requestBody": asks({
                "type": "object", "required": ["expression", "id"], "properties": {
                    "expression": {"anyOf": [{"enum": ["tahun > 2020", "=matches(a, b)", "1 +"]}, TEXT]},
                    "id": {"enum": [draft, UNKNOWN]}, "element": TEXT, "names": several(TEXT)}})}},
        "/perancang/rancangan/{id}/pratinjau": {"parameters": [of_draft], "post": {
            "x-by": "pengelola1", "x-right": {"body": {"xml": DRAWN, "element": "langkah_2"}},
            "responses": answers(s200=PAGE, s400=told(MESSAGE), s422=told(MESSAGE)),
            "requestBody": asks({"type": "object", "required": ["xml", "element"], "properties": {
                "xml": {"anyOf": [{"enum": [DRAWN]}, TEXT]},
                "element": {"anyOf": [{"enum": ["langkah_1", "langkah_2"]}, TEXT]}}})}},
        "/tugas/{id}/{number}/draft": {"parameters": [of_instance, one_of("number", first[1], 99)], "post": {
            "x-by": "camat", "x-key": True, "x-right": {"body": {"isian.arahan": "Susun."}},
            "requestBody": asks({"type": "object", "properties": names}, "application/x-www-form-urlencoded"),
            "responses": answers(s200=told(STATE), s409=told(thing(gone=YES)))}},
        "/tugas/{id}/{number}/unggahan/{type}": {
            "parameters": [of_third, one_of("number", third[1], 99), one_of("type", "bahan_rapat", "sk_tim", "satu")],
            "post": {"x-by": "tim1", "x-right": {"body": {"ukuran": "9", "nama": "a.pdf"}}, "responses": answers(
                s201=told(FAR), s403=told(PROBLEM), s409=told(PROBLEM), s422=told(PROBLEM), s507=told(PROBLEM)),
                "requestBody": asks({"type": "object", "required": ["ukuran", "nama"], "properties": {
                    "ukuran": {"type": "string", "pattern": "^[0-9]{1,12}$"}, "nama": TEXT}},
                    "application/x-www-form-urlencoded")}},
        "/unggahan/{upload}": {
            "parameters": [one_of("upload", upload, UNKNOWN)],
            "get": {"x-by": "tim1", "responses": answers(s200=told(FAR))},
            "patch": {"x-by": "tim1", "x-right": {"body": "%PDF-1.4\n", "headers": {"Upload-Offset": "0"}},
                      "parameters": [header("Upload-Offset", {"type": "string",
                                                                            "pattern": "^[0-9]{1,12}$"})],
                      "requestBody": asks({"type": "string", "format": "binary"}, "application/octet-stream"),
                      "responses": answers(s200=told(FAR), s409=told({"anyOf": [FAR, PROBLEM]}), s422=told(PROBLEM),
                                           s507=told(PROBLEM))}},
    }
    return {"openapi": "3.1.0", "info": {"title": "Alur", "version": "1"}, "paths": paths}


def waiting(site: Desk, step: int) -> tuple[str, int]:
    """(the process instance that waits at a step, its open user task)"""
    id = site.waiting_at(step)
    [task] = site.instance(id).user_tasks
    return id, task


def test_every_json_answer_keeps_to_its_description(site: Desk) -> None:
    first, third = waiting(site, 1), waiting(site, 3)
    people = {login: site.reader(login) for login in ("auditor", "pengelola1", "camat", "tim1")}
    page = people["tim1"].get(f"/tugas/{third[0]}/{third[1]}")
    begun = page.client.post(f"/tugas/{third[0]}/{third[1]}/unggahan/bahan_rapat", headers={"X-CSRFToken": csrf(page)},
                             data={"ukuran": "9", "nama": "a.pdf"})
    assert begun.status_code == 201, begun.get_data(as_text=True)
    api = schemathesis.openapi.from_dict(described(begin(site), first, third, begun.json["id"]))
    api.app = site.app
    asked = {}
    for found in api.get_all_operations():
        operation = found.ok()
        asked[operation.label] = statuses_of(operation, people)
    never = {label for label, statuses in asked.items() if not statuses & {200, 201, 409}}
    assert never == set(), asked


def csrf(reader: Any) -> str:
    return str(reader.page.xpath("//input[@name='csrf_token']/@value")[0])


def statuses_of(operation: Any, people: dict[str, Any]) -> set[int]:
    """Asks an address as its script does (`x-right`), then in ways that its description allows; the statuses seen."""
    raw = operation.definition.raw
    reader = people.get(raw.get("x-by", ""))
    cookies, headers = {}, {"Accept": "application/json"}
    if reader is not None:
        cookies = {"alur": reader.client.get_cookie("alur").value}
        headers["X-CSRFToken"] = csrf(reader.get("/"))
    seen: set[int] = set()

    def ask(case: Any) -> None:
        if raw.get("x-key") and isinstance(case.body, dict):
            case.body["key"] = "0123456789abcdef0123456789abcdef"
        answer = case.call(headers=headers, cookies=cookies)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    kinds = list(raw.get("requestBody", {}).get("content", ()))
    ask(operation.Case(media_type=kinds[0] if kinds else None, **raw.get("x-right", {}), path_parameters={
        one.name: one.definition["schema"]["enum"][0] for one in operation.path_parameters}))
    given(case=operation.as_strategy())(settings(
        max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck))(ask))()
    return seen
