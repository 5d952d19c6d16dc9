"""Arbitrary diagrams: findings in two languages with a line, or a definition that can be started; never an exception.

The first byte chooses: from 128 on, the rest is a file as it was uploaded; below, edits of a sound diagram, so that
most of what is tried is XML: each edit is four bytes (what, where, which piece, how long) and as many bytes of text.
"""
from __future__ import annotations

import re
from pathlib import Path

from engine import diagram, execution
from engine.definition import DiagramError, SequenceFlow
from tests.engine.test_gate import CHOICE, choices, drawn, field, form, in_lane, with_deadline

PATHS = sorted((Path(__file__).parents[1] / "diagrams").glob("*.bpmn"))
BASES = [
    drawn(CHOICE, conditions={"choose>task2": 'jawaban = "a"', "choose>end": "default"},
          inside={"task1": form(field(type="enum", more=choices("a", "b")))}, timed=True),
    drawn("start>both1 both1>task1 both1>task2 task1>both2 task2>both2 both2>wait wait>end late1_task1>end2"),
    drawn(inside={"task1": form(field(type="document", sop_peran="output"),
                                field("baris", "table", kolom_a="A | long"))}),
    with_deadline(), in_lane('<bpmn:lane id="lane1" name="L"><bpmn:flowNodeRef>task1</bpmn:flowNodeRef></bpmn:lane>'),
    *(path.read_text(encoding="utf-8") for path in PATHS),
]
PIECES = [re.findall(r"<[^<>\s]+|[\w:]+=\"[^\"]*\"|/?>|\s+|[^<>\s]+", one) for one in BASES]
SEEDS = [bytes([128 + n]) + base.encode() for n, base in enumerate(BASES)] + [
    bytes([n, what, 40 * what, n, 3]) + b"abc" for n in range(len(BASES)) for what in range(5)]


def edited(data: bytes) -> bytes:
    pieces = list(PIECES[data[0] % len(PIECES)])
    rest = data[1:]
    while len(rest) >= 4 and pieces:
        what, at, which, length = rest[:4]
        place, text = (at * 257 + length) % len(pieces), rest[4:4 + length % 32].decode("utf-8", "replace")
        match what % 5:
            case 0:
                del pieces[place]
            case 1:
                pieces.insert(place, pieces[(which * 131) % len(pieces)])
            case 2:
                other = (which * 131) % len(pieces)
                pieces[place], pieces[other] = pieces[other], pieces[place]
            case 3:
                pieces.insert(place, text)
            case _:
                name, quote, _ = pieces[place].partition('"')
                pieces[place] = f'{name}"{text}"' if quote else text
        rest = rest[4 + length % 32:]
    return "".join(pieces).encode("utf-8", "replace")


def one_input(data: bytes) -> None:
    file = data[1:] if not data or data[0] >= 128 else edited(data)
    findings = diagram.check(file)
    for one in findings:
        assert one.severity in ("error", "warning") and one.message and one.english and one.line > 0, one
        assert one.element is None or one.element, one
    wrong = any(one.severity == "error" for one in findings)
    try:
        definition = diagram.read(file)
    except DiagramError:
        assert wrong
        return
    assert not wrong
    assert diagram.reread(file) == definition

    def choose(flow: SequenceFlow) -> bool:
        return flow == definition.outgoing[flow.source][-1]

    marking = execution.Transitions(definition, remember=False).start(choose).marking
    assert len({one.element for one in marking.tokens}) == len(marking.tokens)
