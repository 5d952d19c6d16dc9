"""What changed between two diagrams, as an owner reads it: by parts of the SOP, and as marks on both drawings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel

from engine import changes, diagram
from forms import comparing
from tests.desk import DIAGRAMS, LKJPD

FILE = (DIAGRAMS / LKJPD / f"{LKJPD}.bpmn").read_bytes()


@pytest.fixture(autouse=True)
def in_words() -> Iterator[None]:
    """Words need an app that knows the language, and nothing else of it."""
    app = Flask(__name__)
    Babel(app, default_locale="id")
    with app.test_request_context():
        yield


def edited(*pairs: tuple[str, str]) -> bytes:
    text = FILE.decode()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text.encode()


RENAMED = ('name="Memperbaiki dan mencetak rancangan akhir"', 'name="Memperbaiki rancangan akhir"')
SHORTER = (">PT20M<", ">PT30M<")
NUDGED = ('x="1160" y="580" width="140"', 'x="1160" y="590" width="140"')
LANE = ('name="Tim Penyusun LKjPD">', 'name="Tim Penyusun">')


def titles(found: comparing.Listed) -> list[str]:
    return [one.title for one in found.groups]


def test_changes_stand_under_the_lane_or_step_that_they_are_about_in_the_sops_order() -> None:
    found = comparing.compared(FILE, edited(RENAMED, SHORTER, LANE)).listed
    assert titles(found) == [
        "Pelaksana",
        "Langkah 1 · Menelaah Surat Edaran dan memberikan arahan",
        "Langkah 5 · Memperbaiki rancangan akhir",
    ]
    assert not found.drawn and found.count == 3
    assert all(str(line.mark.word) == "Diubah" for group in found.groups for line in group.lines)


def test_what_only_moved_on_the_drawing_is_kept_apart_and_called_so() -> None:
    found = comparing.compared(FILE, edited(NUDGED)).listed
    assert found.groups == () and found.drawn
    assert {str(line.mark.word) for line in found.drawn} == {"Hanya gambar"}
    assert comparing.summary(found) == f"hanya gambar: {len(found.drawn)} perubahan tata letak"


def test_one_mark_an_element_and_what_means_something_outweighs_where_it_stands() -> None:
    found = comparing.compared(FILE, edited(RENAMED, NUDGED))
    assert [one for one in found.after if one["id"] == "langkah_5"] == [
        {
            "id": "langkah_5",
            "status": "changed",
            "word": "berubah",
            "label": found.after[0]["label"],
        }
    ]
    assert "diubah dari" in found.after[0]["label"] and "gambar" in found.after[0]["label"]


def test_what_is_gone_is_marked_before_and_what_is_new_after() -> None:
    without = edited(
        (
            '      <bpmndi:BPMNShape id="langkah_5_di"',
            '      <bpmndi:BPMNShape id="catatan_di" bpmnElement="catatan">'
            '<dc:Bounds x="10" y="10" width="100" height="30" /></bpmndi:BPMNShape>\n'
            '      <bpmndi:BPMNShape id="langkah_5_di"',
        ),
        (
            "  </bpmn:process>",
            '    <bpmn:textAnnotation id="catatan"><bpmn:text>Baru</bpmn:text></bpmn:textAnnotation>\n'
            "  </bpmn:process>",
        ),
    )
    forth, back = comparing.compared(FILE, without), comparing.compared(without, FILE)
    assert [one["status"] for one in forth.after if one["id"] == "catatan"] == ["added"]
    assert [one["status"] for one in back.before if one["id"] == "catatan"] == ["removed"]
    assert not [one for one in (*forth.before, *back.after) if one["id"] == "catatan"]
    assert titles(forth.listed) == ["Catatan dan selebihnya"]


def test_what_got_another_id_is_marked_under_the_id_that_each_drawing_has() -> None:
    other = edited().replace(b'"langkah_5"', b'"perbaikan"').replace(b">langkah_5<", b">perbaikan<")
    found = comparing.compared(FILE, other)
    assert "langkah_5" in [one["id"] for one in found.before]
    assert "perbaikan" in [one["id"] for one in found.after]


def test_a_stored_list_reads_the_same_without_the_diagrams_but_for_the_names_of_steps() -> None:
    told = comparing.as_json(changes.between(FILE, edited(RENAMED, NUDGED)))
    whole = comparing.listed(told, diagram.reread(FILE), diagram.reread(edited(RENAMED, NUDGED)))
    alone = comparing.listed(told)
    assert [line for group in alone.groups for line in group.lines] == [
        line for group in whole.groups for line in group.lines
    ]
    assert alone.drawn == whole.drawn and titles(alone) == ["Catatan dan selebihnya"]


def test_two_files_that_are_the_same_differ_in_nothing() -> None:
    found = comparing.compared(FILE, FILE)
    assert not found.listed and (found.before, found.after, found.powers) == ([], [], ())
    assert comparing.summary(found.listed) == "tidak ada perubahan"
