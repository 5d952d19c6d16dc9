"""An instance played again: each moment is decided anew, and says what was written and what stood there before."""
from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from engine import story
from engine.commands import CompleteUserTask, Correct, MigrateProcessInstance
from engine.playback import CORRECTION, LATE, MIGRATION, RETURN, Moment, moments
from engine.process import ReplayDiverged
from tests.story import ADMINISTRATOR, LKJPD, STORIES, Case, definition, lkjpd_before, rules, variant


def played(name: str) -> list[Moment]:
    told = story.run((LKJPD.parent / "stories" / name).read_text(), rules(), definition().sha256)
    return list(moments(rules(), told.instance.id, ((one, one.marking.hash) for one in told.steps)))


def of_case(case: Case) -> list[Moment]:
    return list(moments(case.rules, case.instance.id, ((one, one.marking.hash) for one in case.steps)))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_every_story_plays_to_where_it_stood(path: object) -> None:
    text = (LKJPD.parent / "stories" / f"{getattr(path, 'name', path)}").read_text()
    told = story.run(text, rules(), definition().sha256)
    shown = list(moments(rules(), told.instance.id, ((one, one.marking.hash) for one in told.steps)))
    assert [one.sequence for one in shown] == [one.sequence for one in told.steps]
    assert shown[-1].after == told.instance
    assert all(one.after == other.before for one, other in pairwise(shown))


def test_a_return_is_marked_and_every_round_is_a_pass_of_its_own() -> None:
    shown = played("03_dikembalikan_dua_kali.txt")
    returns = [one for one in shown if RETURN in one.marks]
    assert len(returns) == 2
    for n, one in enumerate(returns, start=2):
        (opened,) = [task for task in one.after.user_tasks.values() if task.element == "langkah_5"]
        assert opened.round == n
        assert [flow for _, flow, _ in one.moves], "the way back is a way along flows"


def test_tokens_move_along_flows_that_lead_to_where_they_are() -> None:
    for one in played("02_dikembalikan_satu_kali.txt"):
        for _, flow, element in one.moves:
            assert one.definition.flows[flow].target == element


def test_what_was_written_again_says_what_stood_there_before() -> None:
    shown = played("02_dikembalikan_satu_kali.txt")
    decided = [one for one in shown if isinstance(one.command.act, CompleteUserTask)
               and one.user_task is not None and one.user_task.element == "langkah_7"]
    first, second = ({entered.field: entered for entered in one.entered} for one in decided)
    decision = next(one.id for one in definition().elements["langkah_7"].form if one.decision)
    assert first[decision].before is None
    assert second[decision].before == first[decision].after != second[decision].after
    assert first[decision].label == definition().fields[decision].label


def test_what_was_said_again_unchanged_is_not_told_as_entered() -> None:
    for one in played("02_dikembalikan_satu_kali.txt"):
        assert all(entered.before != entered.after for entered in one.entered)


def test_late_steps_corrections_and_migrations_are_marked() -> None:
    late = [one for one in played("04_terlambat_dengan_pengingat.txt") if LATE in one.marks]
    assert [one.user_task.element for one in late if one.user_task] == ["langkah_3", "langkah_8"]
    new = variant(LKJPD, ("P5D<", "P6D<"))
    case = lkjpd_before(5).knowing(new)
    case = case.when(MigrateProcessInstance(to=new.sha256, reason="versi baru"), ADMINISTRATOR)
    case = case.when(Correct(reason="salah ketik", data={"arahan": "Susun Tim."}), ADMINISTRATOR)
    *_, migrated, corrected = of_case(case)
    assert (migrated.marks, corrected.marks) == ((MIGRATION,), (CORRECTION,))
    assert migrated.definition.sha256 == definition().sha256 != corrected.definition.sha256
    assert [(one.field, one.after) for one in corrected.entered] == [("arahan", "Susun Tim.")]


def test_documents_stand_at_the_moment_in_which_they_came_with_their_version() -> None:
    shown = played("02_dikembalikan_satu_kali.txt")
    versions = [(type, version) for one in shown for type, version, _ in one.attached]
    assert len(versions) == len(set(versions))
    for one in shown:
        for type, version, attachment in one.attached:
            assert one.after.documents[type].version == version and one.after.documents[type].attachment == attachment


def test_playing_ends_where_a_recorded_step_comes_out_otherwise() -> None:
    told = story.run((LKJPD.parent / "stories" / "01_disetujui_langsung.txt").read_text(), rules(), definition().sha256)
    forged = [(replace(one, events=one.events[:-1]) if one.sequence == 7 else one, one.marking.hash)
              for one in told.steps]
    shown = moments(rules(), told.instance.id, forged)
    assert [next(shown).sequence for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    with pytest.raises(ReplayDiverged, match="Step 7"):
        next(shown)
