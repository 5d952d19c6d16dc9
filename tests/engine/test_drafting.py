"""Drafts: always saved, never mixed, never another's; on both databases, and two people at once on PostgreSQL."""
from __future__ import annotations

import threading
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from engine import deploy, drafting, organise
from engine import organisation as org
from engine.bench import OPENING, Office
from engine.commands import Actor
from engine.definition import DiagramError
from engine.drafting import begin, copy, discard, restore, save
from engine.instance import Refused
from engine.store import definitions, drafts
from engine.store.drafts import Draft
from engine.store.records import instant

LASEM, LKJPD = "kecamatan_lasem", "penyusunan_lkjpd"
ONE, TWO = "pengelola1", "pengelola2"
# What no database changes: asked of one of them only, so that the suite stays short.
on_sqlite = pytest.mark.parametrize("office", ["sqlite"], indirect=True)
DIAGRAM = (Path(__file__).parent.parent / "diagrams" / "three_tasks.bpmn").read_bytes()


def edited(number: int, data: bytes = DIAGRAM) -> bytes:
    """The diagram with another name for its first task: another meaning for each number."""
    return data.replace(b'name="Write the letter"', b'name="Write letter %d"' % number)


def begun(office: Office, data: bytes = DIAGRAM, person: str = ONE, unit: str = LASEM) -> Draft:
    with office.database.begin() as db:
        return begin(db, data, unit=unit, person=person, at=OPENING)


def saved(office: Office, draft: Draft, data: bytes, person: str = ONE, minutes: int = 1) -> Draft:
    with office.database.begin() as db:
        return save(db, draft.id, data, revision=draft.revision, person=person, at=OPENING + timedelta(minutes=minutes))


def give(office: Office, person: str, power: str, unit: str = "") -> None:
    with office.database.begin() as db:
        organise.change(db, office.database.key, org.Change(
            id=f"{person}-{power}-{unit}", at=OPENING, actor=Actor(person="admin"),
            act=org.GrantPower(person=person, power=power, unit=unit)))


def test_a_draft_is_saved_with_errors_and_comes_back_byte_for_byte(office: Office) -> None:
    broken = DIAGRAM.replace(b'sourceRef="start"', b'sourceRef="nowhere"', 1)
    draft = begun(office, broken)
    assert (draft.key, draft.name, draft.unit, draft.revision) == ("three_tasks", "Three tasks", LASEM, 1)
    assert (draft.origin, draft.state, draft.base) == ("person", "open", None)
    again = saved(office, draft, DIAGRAM, TWO)
    with office.database.read() as db:
        assert drafts.get(db, draft.id) == again
        assert drafts.content(db, draft.id) == DIAGRAM and drafts.content(db, draft.id, 1) == broken
        assert drafts.content(db, draft.id, 3) is None
        assert [(one.revision, one.saved_by) for one in drafts.revisions(db, draft.id)] == [(2, TWO), (1, ONE)]
        assert drafts.savers(db, draft.id) == {ONE, TWO}
        assert drafts.listed(db) == (again,)


@on_sqlite
def test_what_is_no_diagram_at_all_is_not_saved(office: Office) -> None:
    draft = begun(office)
    for data in (b"no xml", b"<!DOCTYPE x [<!ENTITY e 'e'>]><x>&e;</x>"):
        with pytest.raises(DiagramError):
            saved(office, draft, data)
        with pytest.raises(DiagramError):
            begun(office, data)
    with office.database.read() as db:
        assert drafts.listed(db) == (draft,)


def test_the_same_bytes_again_change_nothing_even_from_an_old_page(office: Office) -> None:
    draft = begun(office)
    second = saved(office, draft, edited(1))
    assert saved(office, draft, edited(1), TWO) == second       # the answer to the first save was lost on the way
    with office.database.read() as db:
        assert len(drafts.revisions(db, draft.id)) == 2
        assert drafts.savers(db, draft.id) == {ONE}


def test_who_saves_over_another_is_told_who_and_when(office: Office) -> None:
    draft = begun(office)
    saved(office, draft, edited(1), TWO, minutes=5)
    with pytest.raises(Refused) as refused:
        saved(office, draft, edited(2), ONE, minutes=6)
    assert (refused.value.code, refused.value.person) == ("conflict", TWO)
    assert refused.value.at == OPENING + timedelta(minutes=5)
    assert "Pengelola SOP 2 sudah menyimpan rancangan ini pada 9 Desember 2026 pukul 08.05" in str(refused.value)
    with office.database.read() as db:
        assert drafts.content(db, draft.id) == edited(1)


@on_sqlite
def test_only_an_owner_of_the_unit_or_of_one_above_it_changes_a_draft(office: Office) -> None:
    draft = begun(office)
    for person in ("camat", "analis", "admin", "nobody"):
        with pytest.raises(Refused) as refused:
            saved(office, draft, edited(1), person)
        assert refused.value.code == "not_yours"
    with pytest.raises(Refused, match="Hanya pemilik"):
        begun(office, unit="inspektorat_daerah")
    give(office, "sekcam", org.OWNER)
    assert saved(office, draft, edited(1), "sekcam").revision == 2
    assert begun(office, unit="inspektorat_daerah", person="sekcam").unit == "inspektorat_daerah"
    with pytest.raises(Refused, match="tidak ada"):
        begun(office, unit="nowhere", person="sekcam")
    with office.database.begin() as db:
        organise.change(db, office.database.key, org.Change(
            id="seksi", at=OPENING, actor=Actor(person="admin"),
            act=org.AddUnit(unit="seksi", name="Seksi", parent=LASEM)))
        assert drafting.may_edit(db, ONE, "seksi") and not drafting.may_edit(db, ONE, "")


@on_sqlite
def test_an_older_revision_comes_back_as_the_newest(office: Office) -> None:
    draft = begun(office)
    second = saved(office, draft, edited(1))
    with office.database.begin() as db:
        third = restore(db, draft.id, 1, revision=second.revision, person=TWO, at=OPENING)
        assert (third.revision, third.sha256) == (3, sha256(DIAGRAM).hexdigest())
        with pytest.raises(Refused, match="Simpanan 9"):
            restore(db, draft.id, 9, revision=3, person=TWO, at=OPENING)


@on_sqlite
def test_fifty_revisions_are_kept_and_everybody_who_ever_saved_is_remembered(office: Office) -> None:
    draft = begun(office, person=TWO)
    with office.database.begin() as db:
        for number in range(1, 56):
            draft = save(db, draft.id, edited(number), revision=draft.revision, person=ONE, at=OPENING)
        kept = [one.revision for one in drafts.revisions(db, draft.id)]
        assert kept == list(range(56, 6, -1))
        assert TWO in drafts.savers(db, draft.id)


@on_sqlite
def test_a_copy_is_a_draft_of_its_own_by_the_same_authors(office: Office) -> None:
    draft = saved(office, begun(office), edited(1), TWO)
    give(office, "sekcam", org.OWNER, LASEM)
    with office.database.begin() as db:
        other = copy(db, draft.id, person="sekcam", at=OPENING)
        assert other.id != draft.id and (other.revision, other.sha256) == (1, draft.sha256)
        assert drafts.savers(db, other.id) == {ONE, TWO, "sekcam"}
        discard(db, draft.id, person=TWO, at=OPENING)
        assert drafts.listed(db) == (other,) and drafts.content(db, draft.id) is None
        with pytest.raises(Refused, match="tidak ada lagi"):
            discard(db, draft.id, person=TWO, at=OPENING)


def test_a_typed_table_is_kept_beside_the_bytes_until_one_is_drawn(office: Office) -> None:
    draft = begun(office)
    with office.database.begin() as db:
        typed = save(db, draft.id, DIAGRAM, revision=1, person=TWO, at=OPENING, sheet='{"rows": []}')
        assert (typed.revision, typed.unfinished, drafts.sheet(db, draft.id, 2)) == (2, 1, '{"rows": []}')
        assert save(db, draft.id, DIAGRAM, revision=1, person=ONE, at=OPENING, sheet='{"rows": []}') == typed
        with pytest.raises(Refused, match="belum dapat digambar"):
            save(db, draft.id, edited(1), revision=2, person=TWO, at=OPENING)
        with pytest.raises(Refused, match="sudah menyimpan"):
            save(db, draft.id, edited(1), revision=1, person=ONE, at=OPENING)
        with pytest.raises(Refused, match="terlalu panjang"):
            save(db, draft.id, DIAGRAM, revision=2, person=TWO, at=OPENING, sheet="x" * 1_000_001)
        whole = save(db, draft.id, edited(1), revision=2, person=ONE, at=OPENING, sheet="")
        assert (whole.revision, whole.unfinished, drafts.sheet(db, draft.id, 3)) == (3, 0, "")
        assert [one.unfinished for one in drafts.revisions(db, draft.id)] == [0, 1, 0]


def test_who_has_a_draft_open_is_known_for_a_while(office: Office) -> None:
    draft = begun(office)
    with office.database.begin() as db:
        for person, seconds in ((ONE, 0), (TWO, 10), (ONE, 30)):
            drafts.seen(db, draft.id, person, OPENING + timedelta(seconds=seconds))
        since = (ONE, instant(OPENING)), (TWO, instant(OPENING + timedelta(seconds=10)))
        assert drafts.present(db, draft.id, OPENING + timedelta(seconds=40)) == since
        assert drafts.present(db, draft.id, OPENING + timedelta(seconds=60)) == since[:1]
        assert drafts.present(db, draft.id, OPENING + timedelta(seconds=80)) == ()
        drafts.seen(db, draft.id, ONE, OPENING + timedelta(seconds=90))      # came again: since then
        assert drafts.present(db, draft.id, OPENING + timedelta(seconds=91)) == (
            (ONE, instant(OPENING + timedelta(seconds=90))),)


def test_two_saves_of_one_revision_at_once_leave_one_and_tell_the_other(office: Office) -> None:
    draft, results = begun(office), dict[str, object]()
    ready = threading.Barrier(2)

    def one(person: str, number: int) -> None:
        try:
            ready.wait()
            with office.database.begin() as db:
                results[person] = save(db, draft.id, edited(number), revision=1, person=person, at=OPENING)
        except Refused as refused:
            results[person] = refused

    threads = [threading.Thread(target=one, args=who) for who in ((ONE, 1), (TWO, 2))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [person for person, result in results.items() if isinstance(result, Draft)]
    (told,) = [result for result in results.values() if isinstance(result, Refused)]
    assert (told.code, told.person) == ("conflict", winner)
    with office.database.read() as db:
        kept = drafts.get(db, draft.id)
        assert kept is not None and (kept.revision, kept.saved_by) == (2, winner)


def test_a_changed_file_never_touches_what_a_person_is_drawing(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "lkjpd.bpmn"
    with office.database.read() as db:
        deployed = definitions.export(db, LKJPD)
    assert deployed is not None

    def seeded(words: bytes) -> list[str]:
        file.write_bytes(deployed.replace(b"Menelaah Surat Edaran", words, 1))
        with office.database.begin() as db:
            return [one.state for one in deploy.seed_definitions(db, office.database.key, tmp_path, OPENING)]

    assert seeded(b"Membaca Surat Edaran") == ["draft"]
    assert seeded(b"Mempelajari Surat Edaran") == ["draft"]
    with office.database.read() as db:
        (draft,) = drafts.listed(db)
    assert (draft.origin, draft.unit, draft.revision, draft.saved_by) == ("file", LASEM, 2, "sistem")
    # Two windows may have it open: what was saved by a person is a person's.
    mine = deployed.replace(b"Menelaah Surat Edaran", b"Meneliti Surat Edaran", 1)
    touched = saved(office, draft, mine)
    assert seeded(b"Mempelajari Surat Edaran") == ["draft"]     # the same file at the next start: nothing new
    assert seeded(b"Mencermati Surat Edaran") == ["draft"]
    with office.database.read() as db:
        assert drafts.get(db, draft.id) == touched and drafts.content(db, draft.id) == mine
        (other,) = [one for one in drafts.listed(db) if one.id != draft.id]
        assert (other.origin, other.sha256) == ("file", sha256(file.read_bytes()).hexdigest())
    assert seeded(b"Menelaah Surat Edaran") == ["unchanged"]    # changed back: its own draft is gone, mine is not
    with office.database.read() as db:
        assert drafts.listed(db) == (touched,)
