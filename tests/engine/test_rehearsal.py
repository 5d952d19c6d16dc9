"""A draft is rehearsed before anybody works by it: seeded faults are found with the way to them, honest diagrams are
well, the same seed walks the same, and no diagram that the gate lets through keeps the owner waiting."""
from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from engine import cli_rehearse, rehearsal, rehearse, walk
from engine.bench import Office
from engine.calendars import six_days
from engine.commands import CancelProcessInstance
from engine.definition import Column, Element, Field, Lane, ProcessDefinition, SequenceFlow, Slot
from engine.instance import Refused
from engine.rehearsal import NOTHING, Rehearsal, whole
from engine.store import stories
from engine.terminal import Terminal
from engine.walk import Walked
from tests.story import DIAGRAMS, FIVE_DAYS, LKJPD, MONDAY, ROOT, STORIES, at, definition, rules_of, variant

LOOP = ROOT / "tests" / "diagrams" / "approval_loop.bpmn"
TEXTS = {path.name: path.read_text() for path in STORIES}
DECISION = '<camunda:formField id="decision" label="Decision" type="enum">'


def walked(one: ProcessDefinition, seed: int = 1) -> Walked:
    return walk.walk(rules_of(one), one, {"": FIVE_DAYS}, MONDAY, seed=seed)


def rehearsed(data: bytes, **more: object) -> Rehearsal:
    return whole(NOTHING, data, start=MONDAY, **more)  # type: ignore[arg-type]


def edited(path: Path, *edits: tuple[str, str]) -> bytes:
    text = path.read_text()
    for before, now in edits:
        assert before in text, before
        text = text.replace(before, now, 1)
    return text.encode()


# Walks

@pytest.mark.parametrize("path", [LKJPD, *DIAGRAMS], ids=lambda path: path.stem)
def test_an_honest_diagram_has_no_dead_end_and_all_of_it_is_reached(path: Path, seed: int) -> None:
    found = walked(definition(path), seed)
    assert (found.dead_ends, found.incidents, found.never_reached, found.untried) == ((), (), (), ())
    assert found.well and found.finished > 0 and not found.truncated


def test_a_task_that_can_never_be_completed_is_a_dead_end_with_the_way_to_it() -> None:
    broken = variant(LOOP, (DECISION, '<camunda:formField id="amount" label="Amount" type="long"><camunda:validation>'
                            '<camunda:constraint name="required" /><camunda:constraint name="min" config="10" />'
                            '<camunda:constraint name="max" config="5" /></camunda:validation></camunda:formField>'
                            + DECISION))
    (found,) = walked(broken).dead_ends
    assert found.element == "decide" and not found.supposed
    assert [leg.element for leg in found.path] == ["start", "write"]
    assert "tidak dapat diselesaikan" in found.message and "Amount" in found.message
    assert {"approved", "end", "yes", "no"} <= set(walked(broken).never_reached)


def test_a_field_that_only_shows_what_nobody_ever_gave_is_a_dead_end() -> None:
    broken = variant(LOOP, (DECISION, '<camunda:formField id="stamp" label="Stamp" type="string"><camunda:validation>'
                            '<camunda:constraint name="required" /><camunda:constraint name="readonly" />'
                            f'</camunda:validation></camunda:formField>{DECISION}'))
    (found,) = walked(broken).dead_ends
    assert found.element == "decide" and "Stamp: belum diisi" in found.message


def test_a_decision_that_nobody_can_answer_is_an_incident() -> None:
    broken = variant(LOOP, ('=decision = "approve"</', "=amount &gt; 10</"),
                     ('=decision = "return"</', "=amount &lt;= 10</"),
                     (DECISION, f'<camunda:formField id="amount" label="Amount" type="long" />{DECISION}'))
    found = walked(broken)
    assert {one.element for one in found.incidents} == {"decide"}
    assert [leg.element for leg in found.incidents[0].path] == ["start", "write", "decide"]
    assert found.finished > 0, "where an amount is given it goes on"


def test_a_hole_between_the_conditions_is_an_incident_at_the_gateway() -> None:
    found = walked(variant(LOOP, ('=decision = "approve"</', '=decision = "approved"</')))
    (hole,) = found.incidents
    assert hole.element == "approved" and "tidak ada syarat yang terpenuhi" in hole.message
    assert "Decision: Approve" in hole.path[-1].said
    assert found.never_reached == ("end", "yes") and found.finished == 0
    assert '(decision = "approve")' in walk.never_reached_words(definition(LOOP), "yes")


def test_a_way_that_no_answer_opens_is_named_and_what_is_behind_it_is_looked_at() -> None:
    broken = variant(LOOP, ('=decision = "return"</', '=decision = "return" and decision = "approve"</'),
                     ('=decision = "approve"</', '=decision != null</'))
    assert walked(broken).never_reached == ("no",)
    assert walked(broken).dead_ends == walked(broken).incidents == ()


def test_what_lies_behind_a_way_that_is_only_supposed_is_looked_at_and_marked_so() -> None:
    behind = ('<bpmn:userTask id="stray" name="Stray"><bpmn:extensionElements><camunda:formData><camunda:formField '
              'id="seal" label="Seal" type="string"><camunda:validation><camunda:constraint name="required" />'
              '<camunda:constraint name="readonly" /></camunda:validation></camunda:formField></camunda:formData>'
              '</bpmn:extensionElements></bpmn:userTask><bpmn:sequenceFlow id="back" sourceRef="stray" '
              'targetRef="merge" /></bpmn:process>')
    broken = variant(LOOP, ('=decision = "return"</', '=decision = "never"</'),
                     ('=decision = "approve"</', "=decision != null</"), ("</bpmn:process>", behind),
                     ('sourceRef="approved" targetRef="merge"', 'sourceRef="approved" targetRef="stray"'),
                     ("<bpmn:flowNodeRef>write</bpmn:flowNodeRef>", "<bpmn:flowNodeRef>write</bpmn:flowNodeRef>"
                      "<bpmn:flowNodeRef>stray</bpmn:flowNodeRef>"))
    found = walked(broken)
    assert set(found.never_reached) == {"stray", "no", "back"} and found.finished > 0
    (end,) = found.dead_ends
    assert end.element == "stray" and end.supposed and end.path[-1].element == "decide"
    assert "diandaikan" in end.message


def test_a_loop_that_nobody_leaves_is_said() -> None:
    broken = variant(LOOP, ('=decision = "approve"</', '=decision = "approve" and decision = "return"</'),
                     ('=decision = "return"</', "=decision != null</"))
    found = walked(broken)
    assert found.finished == 0 and "end" in found.never_reached


def test_an_element_that_nothing_leads_to_is_never_reached() -> None:
    stray = '<bpmn:userTask id="stray" name="Stray" /></bpmn:process>'
    assert walked(variant(LOOP, ("</bpmn:process>", stray))).never_reached == ("stray",)


def test_the_same_seed_walks_the_same(seed: int) -> None:
    once, again = walked(definition(), seed), walked(definition(), seed)
    assert once == again and once.seed == seed


def row(*elements: Element, flows: tuple[SequenceFlow, ...] = ()) -> ProcessDefinition:
    """A process of elements in a row, as the largest that the gate lets through; never written as a file."""
    start, end = Element(id="start", kind="startEvent", lane="l"), Element(id="end", kind="endEvent", lane="l")
    known = {one.id: one for one in (start, *elements, end)}
    between = [SequenceFlow(id=f"flow_{a}", source=a, target=b) for a, b in zip(known, [*known][1:], strict=False)]
    return ProcessDefinition(key="p", name="P", sha256="00", canonical_sha256="", meaning_sha256="", elements=known,
                             flows={one.id: one for one in (*between, *flows)}, lanes=(Lane(id="l", name="L"),))


DEAR = "count(for a in [1,2,3,4,5,6,7,8,9], b in [1,2,3,4,5,6,7,8,9], c in [1,2,3,4,5,6,7,8,9] return a + b + c) > 1"


def test_the_longest_process_is_walked_to_its_end() -> None:
    found = walked(row(*(Element(id=f"t{n}", kind="userTask", lane="l") for n in range(297))))
    assert found.well and found.finished > 0 and found.steps <= walk.MOST_STEPS and not found.truncated


def test_walks_that_a_bound_ends_say_so() -> None:
    form = tuple(Field(id=f"d{n}", label="D", type="document", required=True, slot=Slot(role="output"))
                 for n in range(990))
    found = walked(row(Element(id="t", kind="userTask", lane="l", form=form)))
    assert found.truncated and found.finished > 0 and "tidak dicoba" in found.untried[0]


@pytest.mark.parametrize("form", [
    tuple(Field(id=f"f{n}", label="F", type="string", shown_if=f"f{n + 1} != null") for n in range(900)),
    tuple(Field(id=f"f{n}", label="F", type="string", required_if=DEAR) for n in range(900)),
    (Field(id="rows", label="R", type="table", min_length=300, columns=tuple(
        Column(id=f"c{n}", label="C", required_if="count(rows) > 1") for n in range(500))),),
], ids=["hiding one another", "dear expressions", "a wide table"])
def test_a_form_that_is_dear_to_judge_is_supposed_and_that_is_said(form: tuple[Field, ...]) -> None:
    found = walked(row(Element(id="t", kind="userTask", lane="l", form=form)))
    assert found.well and found.finished and "terlalu berat" in found.untried[0]


def test_conditions_that_are_dear_to_ask_end_the_walks_early() -> None:
    gates = [Element(id=f"g{n}", kind="exclusiveGateway", lane="l") for n in range(60)]
    one = row(Element(id="t", kind="userTask", lane="l"), *gates, flows=tuple(
        SequenceFlow(id=f"out{n}", source=f"g{n}", target="end", condition=f"{DEAR} and {n} > 900")
        for n in range(60)))
    assert walked(one).truncated


# Stories

def test_the_stories_of_a_process_go_on_a_draft_of_it() -> None:
    found = rehearsal.stories(NOTHING, definition(), TEXTS)
    assert len(found) == len(STORIES) and all(one.ok and one.expectations for one in found)


def test_a_story_that_a_change_breaks_is_named_with_its_line() -> None:
    draft = variant(LKJPD, ('<camunda:value id="setujui"', '<camunda:value id="disetujui"'))
    found = rehearsal.stories(NOTHING, draft, TEXTS)
    broken = [one for one in found if not one.ok]
    assert broken and all(one.line and one.message and one.title for one in broken)


def test_a_story_runs_on_the_draft_whatever_version_it_was_told_of() -> None:
    text = TEXTS[STORIES[0].name]
    told = text.replace("Proses:", f"Definisi: {'0' * 64}\nProses:", 1)
    assert rehearsal.stories(NOTHING, definition(), {"satu": told})[0].ok
    wrong = told.replace("maka langkah 1 tepat waktu", "maka langkah 1 terlambat", 1)
    line = next(n for n, one in enumerate(wrong.splitlines(), 1) if one == "maka langkah 1 terlambat")
    assert rehearsal.stories(NOTHING, definition(), {"satu": wrong})[0].line == line


def test_stories_past_the_limit_are_said_to_be_untried() -> None:
    texts = {f"{n:03}": "Cerita: Kosong" for n in range(rehearsal.MOST_STORIES + 5)}
    found = rehearsed(LOOP.read_bytes(), texts=texts)
    assert len(found.stories) == rehearsal.MOST_STORIES and "sisanya tidak dicoba" in found.untried[0]


# Stories of SOPs that were made in the browser: finished instances

def ended(office: Office, year: int) -> str:
    """An instance that came to step 5 and was then given up by the administrator."""
    id = office.begin(year)
    office.do(id, "admin", CancelProcessInstance(reason="Digabung dengan berkas lain"))
    return id


def test_a_finished_instance_is_kept_as_a_story_and_runs_on_the_next_draft(office: Office, tmp_path: Path) -> None:
    id, at_ = ended(office, 2026), at("2027-01-04 08.00")
    with office.database.begin() as db:
        kept = rehearse.keep(db, id, name="  Sampai langkah 5 ", person="admin", at=at_)
    assert (kept.key, kept.name) == ("penyusunan_lkjpd", "Sampai langkah 5")
    with office.database.read() as db:
        made = rehearse.draft(db, office.rules, LKJPD.read_bytes(), folder=tmp_path, start=at_, walks=3)
        draft = edited(LKJPD, ('<camunda:formField id="arahan"', '<camunda:formField id="nomor_agenda" label="Nomor '
                               'agenda" type="string"><camunda:validation><camunda:constraint name="required" />'
                               '</camunda:validation></camunda:formField><camunda:formField id="arahan"'))
        broken = rehearse.draft(db, office.rules, draft, folder=tmp_path, start=at_, walks=3)
    assert [(one.name, one.ok) for one in made.stories] == [("Sampai langkah 5", True)] and not made.changes
    assert [one.ok for one in broken.stories] == [False] and broken.stories[0].line and broken.changes
    with office.database.begin() as db:
        assert stories.forget(db, kept.key, kept.name) and not stories.forget(db, kept.key, kept.name)
        assert rehearse.kept(db, office.rules, kept.key) == {}


def test_what_still_runs_or_has_no_name_of_its_own_is_not_kept(office: Office) -> None:
    running, over, when = office.begin(2026), ended(office, 2025), at("2027-01-04 08.00")
    refusals = []
    with office.database.begin() as db:
        rehearse.keep(db, over, name="Satu", person="admin", at=when)
        for id, name in ((running, "Dua"), (over, "  "), (over, "satu"), ("tidak-ada", "Tiga"), (over, "x" * 121)):
            with pytest.raises(Refused) as refused:
                rehearse.keep(db, id, name=name, person="admin", at=when)
            refusals.append(str(refused.value))
        assert [one.name for one in stories.listed(db, "penyusunan_lkjpd")] == ["Satu"]
    assert len(set(refusals)) == 4 and "sudah berakhir" in refusals[0] and "sudah ada" in refusals[2]


def test_a_rehearsal_counts_in_the_calendars_of_the_unit(office: Office, tmp_path: Path) -> None:
    with office.database.read() as db:
        found = rehearse.calendars_of(db, definition(), "kecamatan_lasem")
        assert found[""] and set(found) == {"", *(lane.id for lane in definition().lanes)}
        assert rehearse.calendars_of(db, definition(), "") == {}
        made = rehearse.draft(db, office.rules, b"PK", folder=tmp_path, start=MONDAY)
    assert made.findings and made.walked is None


# The finish date

def test_a_longer_norm_moves_the_finish_date_and_the_deadline_stays() -> None:
    longer = variant(LKJPD, (">P20D<", ">P25D<"))
    found = rehearsal.forecast_difference(NOTHING, definition(), longer, {"": FIVE_DAYS}, at("2027-01-04 08.00"))
    assert [one.returns for one in found] == [0, 1, 2]
    for one in found:
        assert one.before and one.after and timedelta(days=5) <= one.after - one.before <= timedelta(days=21)
        assert one.deadline and one.late_after >= one.late_before and not one.problem
    assert found[0].after < found[1].after < found[2].after  # type: ignore[operator]


def test_where_nothing_is_returned_one_forecast_is_enough() -> None:
    one = definition("three_tasks")
    (found,) = rehearsal.forecast_difference(NOTHING, None, one, {"": six_days().sha256}, MONDAY)
    assert found.before is None and found.after and found.deadline is None


# The whole

def test_a_draft_is_told_with_all_that_it_changes() -> None:
    data = edited(LKJPD, (">P20D<", ">P25D<"))
    found = rehearsed(data, before=LKJPD.read_bytes(), texts=TEXTS)
    assert found.before == definition().sha256 and [one.property for one in found.changes] == ["expression"]
    assert not found.well and any(not one.ok for one in found.stories), "the stories tell another date"
    assert found.walked and found.walked.well and len(found.differences) == 3
    assert rehearsed(LKJPD.read_bytes(), texts=TEXTS).well


def test_a_draft_with_errors_is_not_run_and_one_that_is_no_diagram_has_findings() -> None:
    broken = rehearsed(edited(LOOP, ("bpmn:userTask id=\"write\"", "bpmn:scriptTask id=\"write\""),
                              ("</bpmn:userTask>", "</bpmn:scriptTask>")), before=LOOP.read_bytes())
    assert broken.errors and broken.walked is None and broken.untried and broken.changes
    assert rehearsed(b"PK").findings and rehearsed(b"").key == ""


def test_a_rehearsal_is_json() -> None:
    told = rehearsal.to_json(rehearsed(edited(LOOP, ('=decision = "approve"<', '=decision = "oui"<')),
                                       before=LOOP.read_bytes()))
    assert json.loads(json.dumps(told)) == told
    assert told["walk"]["incidents"][0]["path"] and told["forecast"] and told["changes"] and told["well"] is False


def alur(*words: str) -> int:
    return cli_rehearse.rehearse_.main(list(words), obj=Terminal(), standalone_mode=False) or 0


def test_the_command_says_what_was_found(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert alur(str(LKJPD), "--walks", "12") == 0
    said = capsys.readouterr().out
    assert f"Stories: {len(STORIES)} of {len(STORIES)}" in said and "(seed 1)" in said
    draft = tmp_path / "draft.bpmn"
    draft.write_bytes(edited(LOOP, ('=decision = "approve"<', '=decision = "oui"<')))
    assert alur(str(draft), "--against", str(LOOP)) == 1
    said = capsys.readouterr().out
    assert "NOT WELL" in said and "incident:" in said and "Changes: 1" in said and "Forecast:" in said
