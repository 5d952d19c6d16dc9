"""Takes the literal expressions out of the DMN TCK.

    python tests/data/tck_extract.py REPOSITORY > tests/data/tck.json

REPOSITORY is a clone of github.com/dmn-tck/tck, bare or not. What comes out, one line a case:

    {"commit": SHA, "cases": [[folder, id, expression, inputs, expected], ...]}

A case is taken when its decision is one literal expression that needs inputs only (no other decision, no business
knowledge, no import, no boxed expression). `inputs` is {name: value}; values are JSON, with {"date": TEXT},
{"time": TEXT}, {"date and time": TEXT}, {"duration": TEXT} and {"number": TEXT} for what JSON lacks. `expected` is such
a value, or {"error": true} where the TCK says that the answer is an error.
"""
from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

Element = ElementTree.Element
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
KINDS = {"date": "date", "time": "time", "dateTime": "date and time", "duration": "duration",
         "dayTimeDuration": "duration", "yearMonthDuration": "duration"}
NUMBERS = {"decimal", "double", "integer", "int", "long", "float"}


def git(repository: str, *words: str) -> str:
    return subprocess.run(["git", "-C", repository, *words], check=True, capture_output=True).stdout.decode("utf-8")


def named(parent: Element, name: str) -> list[Element]:
    """The children of that local name, in whatever version of the namespace."""
    return [child for child in parent if child.tag.rpartition("}")[2] == name]


def value_of(holder: Element) -> Any:
    """What a `valueType` of the TCK's testCases.xsd says."""
    if named(holder, "list"):
        one = named(holder, "list")[0]
        return None if one.get(NIL) == "true" else [value_of(item) for item in named(one, "item")]
    components = named(holder, "component")
    if components:
        return {one.get("name", ""): None if one.get(NIL) == "true" else value_of(one) for one in components}
    simple = named(holder, "value")
    if not simple or simple[0].get(NIL) == "true":
        return None
    kind, text = (simple[0].get(TYPE) or "string").rpartition(":")[2], simple[0].text or ""
    if kind == "boolean":
        return text.strip() in ("true", "1")
    if kind in NUMBERS:
        number = Decimal(text.strip().replace("INF", "Infinity"))
        return int(number) if number.is_finite() and number == number.to_integral_value() else {"number": text.strip()}
    return {KINDS[kind]: text.strip()} if kind in KINDS else text


def decision_cases(repository: str, folder: str, files: list[str]) -> list[tuple[Any, ...]]:
    """The cases of one folder, in the order of its test files."""
    expressions: dict[str, str] = {}
    for name in files:
        if name.endswith(".dmn"):
            for decision in ElementTree.fromstring(git(repository, "show", f"HEAD:{name}")).iter():
                if decision.tag.rpartition("}")[2] == "decision" and literal(decision) is not None:
                    expressions[decision.get("name", "")] = literal(decision) or ""
    found = []
    for name in files:
        if not name.endswith(".xml"):
            continue
        for case in named(ElementTree.fromstring(git(repository, "show", f"HEAD:{name}")), "testCase"):
            inputs = {one.get("name", ""): value_of(one) for one in named(case, "inputNode")}
            for result in named(case, "resultNode"):
                decision = result.get("name", "")
                if decision not in expressions or case.get("type", "decision") != "decision":
                    continue
                expected = named(result, "expected")
                answer = {"error": True} if result.get("errorResult") == "true" and not expected else (
                    value_of(expected[0]) if expected else None)
                own = case.get("id", "")
                id = own if own == decision else f"{own} {decision}"
                found.append((folder, id, expressions[decision], inputs, answer))
    return found


def literal(decision: Element) -> str | None:
    """The expression of a decision that is one literal expression and needs inputs only."""
    for needs in [*named(decision, "informationRequirement"), *named(decision, "knowledgeRequirement")]:
        if not named(needs, "requiredInput"):
            return None
    said = [text.text for one in named(decision, "literalExpression") for text in named(one, "text")]
    return said[0].strip() if said and said[0] else None


def main(repository: str) -> None:
    listed = git(repository, "ls-tree", "-r", "--name-only", "HEAD", "TestCases/").split("\n")
    folders: dict[str, list[str]] = {}
    for name in listed:
        parts = name.split("/")
        if len(parts) == 4 and parts[1].startswith("compliance-level-"):
            folders.setdefault(parts[2], []).append(name)
    cases = [case for folder, files in sorted(folders.items()) for case in decision_cases(repository, folder, files)]
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    print(f'{{"commit": "{git(repository, "rev-parse", "HEAD").strip()}", "cases": [\n{lines}\n]}}')


if __name__ == "__main__":
    main(sys.argv[1])
