"""Pengesahan: proposed, verified, ratified by three people, and all of it told by the stream; on both databases."""
from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from engine import deploy, drafting, organise, ratification, sop_out
from engine import organisation as org
from engine.bench import OPENING, Office
from engine.commands import Actor, Attachment, File
from engine.definition import DiagramError
from engine.handle import opening
from engine.instance import Refused
from engine.ratification import (
    Proposal,
    approve_layout,
    evaluated,
    propose,
    ratify,
    recall,
    send_back,
    verify,
    withdraw,
)
from engine.store import definitions, documents, drafts, integrity, journal
from engine.store.definitions import Version
from tests.desk import pdf
from tests.engine.test_drafting import DIAGRAM, LASEM, LKJPD, ONE, TWO, begun, edited, give, on_sqlite, saved

KEY, TODAY = "three_tasks", date(2026, 12, 9)
LATER = date(2027, 1, 4)
NUMBER = "000.8.3.3/07/2026"
IDS = count(1)


def moved(data: bytes = DIAGRAM, by: int = 1) -> bytes:
    """The same diagram with its pool drawn a little wider."""
    return data.replace(b'x="160" y="80" width="780"', b'x="160" y="80" width="%d"' % (780 + by))


def asked(office: Office, verb: Callable[..., Any], *given: Any, person: str, **more: Any) -> Any:
    """What a verb answers, in a transaction of its own, a second later than the one before it."""
    office.at += timedelta(seconds=1)
    more = {"at": office.at, "command_id": f"c{next(IDS)}", **more}
    with office.database.begin() as db:
        return verb(db, office.database.key, *given, person=person, **more)


def proposed(office: Office, data: bytes = DIAGRAM, person: str = ONE, **more: Any) -> Proposal:
    draft = begun(office, data, person)
    with office.database.begin() as db:
        newest = definitions.newest(db, draft.key)
    more = {"reason": "SOTK baru", "holds_from": TODAY, "compared_with": newest.sha256 if newest else None, **more}
    made: Proposal = asked(office, propose, draft.id, person=person, **more)
    return made


def ratified(office: Office, data: bytes = DIAGRAM, person: str = ONE, **more: Any) -> Version:
    """The version that a diagram becomes on the whole way."""
    holds_from = more.pop("holds_from", TODAY)
    proposal = proposed(office, data, person, holds_from=holds_from)
    asked(office, verify, proposal.id, person="analis")
    made: Version = asked(office, ratify, proposal.id, person="camat", **{"number": NUMBER, "dated": TODAY, **more})
    return made


def refusal(office: Office, verb: Callable[..., Any], *given: Any, **more: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        asked(office, verb, *given, **more)
    return refused.value


def agree(office: Office, *keys: str) -> None:
    """What the streams say is what stands in the tables, and every row is sealed."""
    with office.database.read() as db:
        for key in keys:
            told = ratification.told(db, key, office.database.key)
            assert told.versions == definitions.versions(db, key)
            assert {one.id: one for one in told.proposals} == {
                one.id: one for one in ratification.proposals(db, key)}
            assert told.evaluations == definitions.evaluations(db, key)
            last = told.withdrawals[-1] if told.withdrawals else None
            assert definitions.withdrawn(db, key) == (
                last if last and last.version >= told.versions[-1].version else None)
        assert integrity.verify(db, office.database.key).faults == []


def test_a_first_sop_goes_the_whole_way(office: Office) -> None:
    proposal = proposed(office)
    assert (proposal.key, proposal.unit, proposal.state, proposal.cosmetic) == (KEY, LASEM, "proposed", False)
    assert (proposal.version_before, proposal.base, proposal.changes, proposal.savers) == (0, "", (), (ONE,))
    with office.database.read() as db:
        held = drafts.get(db, proposal.draft)
        assert held is not None and held.state == "proposed"
        assert ratification.content(db, proposal.id) == DIAGRAM
        assert ratification.may_verify(db, "analis", proposal) == (True, "")
        assert not ratification.may_ratify(db, "camat", proposal)[0]        # not verified yet
    verified = asked(office, verify, proposal.id, person="analis", note="Sesuai SOTK")
    assert (verified.state, verified.verified_by, verified.note) == ("verified", "analis", "Sesuai SOTK")
    version = asked(office, ratify, proposal.id, person="camat", number=NUMBER, dated=TODAY)
    assert (version.version, version.unit, version.deployed_by, version.reason) == (1, LASEM, ONE, "SOTK baru")
    assert (version.verified_by, version.ratified_by) == ("analis", "camat")
    assert (version.number, version.dated, version.position) == (NUMBER, TODAY.isoformat(), "Camat Lasem")
    assert (version.holds_from, version.effective) == (TODAY.isoformat(), TODAY.isoformat())
    with office.database.read() as db:
        assert definitions.export(db, KEY) == DIAGRAM
        assert definitions.in_force(db, KEY, TODAY) == version
        assert drafts.listed(db) == ()
        kept = ratification.proposal(db, proposal.id)
        assert kept is not None and (kept.state, kept.version, kept.decided_by) == ("ratified", 1, "camat")
        (row, _, last) = journal.read(db, definitions.stream(KEY))
        assert row.command["act"]["type"] == "ProposeDefinition" and row.definition == version.sha256
        assert last.command["actor"] | {"capacity": "definitif", "position": "camat_lasem"} == last.command["actor"]
        assert last.events == [{"type": "DefinitionDeployed", "version": 1, "cosmetic": False}]
    agree(office, KEY, LKJPD)


@on_sqlite
def test_nothing_personal_or_typed_stands_in_a_body(office: Office) -> None:
    ratified(office)
    with office.database.read() as db:
        bodies = b"".join(bytes(one) for one in db.exec_driver_sql(
            "SELECT body FROM journal WHERE stream = 'definition/three_tasks'").scalars())
    assert b"SOTK baru" not in bodies and b'"name":"Camat Lasem"' not in bodies


def test_the_list_of_changes_is_kept_with_the_version(office: Office) -> None:
    ratified(office)
    version = ratified(office, edited(2))
    (only,) = version.changes
    assert (only["element"], only["property"], only["new"]) == ("write", "name", "Write letter 2")
    assert "Write letter 2" in only["says"]
    with office.database.read() as db:
        assert definitions.newest(db, KEY) == version
    agree(office, KEY)


def test_a_layout_only_change_takes_a_second_owner_and_stays_ratified_as_before(office: Office) -> None:
    before = ratified(office, holds_from=LATER)
    proposal = proposed(office, moved())
    assert proposal.cosmetic
    for person in (ONE, "analis", "camat"):
        assert refusal(office, approve_layout, proposal.id, person=person).code == "not_yours"
    assert refusal(office, verify, proposal.id, person="analis").code == "not_yours"
    version = asked(office, approve_layout, proposal.id, person=TWO)
    assert (version.version, version.cosmetic, version.verified_by, version.ratified_by) == (2, True, TWO, "")
    assert (version.number, version.ratifier_name) == (NUMBER, before.ratifier_name)
    # What was ratified for January does not begin in December because its drawing was mended.
    assert (version.holds_from, version.effective) == (LATER.isoformat(), LATER.isoformat())
    agree(office, KEY)


@on_sqlite
def test_nobody_stands_behind_a_version_twice(office: Office) -> None:
    for person in ("camat", ONE, TWO):
        give(office, person, org.VERIFIER)
    give(office, "camat", org.OWNER, LASEM)
    draft = saved(office, begun(office), edited(1), "camat")
    proposal = asked(office, propose, draft.id, person=TWO, reason="x", holds_from=TODAY)
    assert proposal.savers == ("camat", ONE, TWO)
    for person in ("camat", ONE, TWO):          # drew it, drew it, proposed it
        assert "orang lain" in str(refusal(office, verify, proposal.id, person=person))
    asked(office, recall, proposal.id, person=TWO)
    mine = asked(office, propose, draft.id, person="camat", reason="x", holds_from=TODAY)
    asked(office, verify, mine.id, person="analis")
    assert "Anda yang mengusulkan" in str(refusal(office, ratify, mine.id, person="camat", number="1", dated=TODAY))
    asked(office, send_back, mine.id, person="analis", reason="Tunggu")
    other = begun(office, edited(2))
    last = asked(office, propose, other.id, person=ONE, reason="x", holds_from=TODAY)
    asked(office, verify, last.id, person="camat")
    assert "Anda yang memverifikasi" in str(refusal(office, ratify, last.id, person="camat", number="1", dated=TODAY))


@on_sqlite
def test_only_who_may_decides(office: Office) -> None:
    proposal = proposed(office)
    for person in (TWO, "camat", "admin", "auditor"):
        assert refusal(office, verify, proposal.id, person=person).code == "not_yours"
    asked(office, verify, proposal.id, person="analis")
    for person in ("sekcam", "analis", ONE, "admin"):
        refused = refusal(office, ratify, proposal.id, person=person, number="1", dated=TODAY)
        assert (refused.code, str(refused)) == ("not_yours", "Pengesahan dilakukan oleh Camat Lasem.")
    assert refusal(office, recall, proposal.id, person=TWO).code == "not_yours"
    assert refusal(office, send_back, proposal.id, person=TWO, reason="x").code == "not_yours"
    assert refusal(office, verify, "nothing", person="analis").code == "unknown"


def test_a_plh_ratifies_in_that_capacity(office: Office) -> None:
    proposal = proposed(office)
    asked(office, verify, proposal.id, person="analis")
    with office.database.begin() as db:
        organise.change(db, office.database.key, org.Change(
            id="plh", at=OPENING, actor=Actor(person="admin"), act=org.Hold(
                holding="plh", position="camat_lasem", person="sekcam", capacity="plh", basis="800/12/2026",
                valid_from="2026-12-09", valid_until="2026-12-20")))
    assert "Plh. Camat Lasem" in str(refusal(office, ratify, proposal.id, person="camat", number="1", dated=TODAY))
    version = asked(office, ratify, proposal.id, person="sekcam", number=NUMBER, dated=TODAY)
    assert (version.position, version.ratifier_name) == ("Plh. Camat Lasem", "Sekretaris Kecamatan Lasem")
    with office.database.read() as db:
        actor = [one.command["actor"] for one in journal.read(db, definitions.stream(KEY))][-1]
    assert (actor["capacity"], actor["basis"], actor["position"]) == ("plh", "800/12/2026", "camat_lasem")


@on_sqlite
def test_what_may_not_be_proposed_is_refused_and_the_draft_stays_open(office: Office) -> None:
    draft = begun(office, DIAGRAM.replace(b'sourceRef="start"', b'sourceRef="nowhere"', 1))
    with pytest.raises(DiagramError):
        asked(office, propose, draft.id, person=ONE, reason="x", holds_from=TODAY)
    good = saved(office, draft, DIAGRAM)
    for more, code in (({"reason": " "}, "wrong"), ({"holds_from": TODAY - timedelta(days=1)}, "wrong"),
                       ({"person": "camat"}, "not_yours"), ({"reason": "x" * 3000}, "wrong")):
        given = {"person": ONE, "reason": "x", "holds_from": TODAY, **more}
        assert refusal(office, propose, good.id, **given).code == code, more
    with office.database.read() as db:
        assert drafts.get(db, good.id) == good
        assert ratification.proposals(db) == ()


def test_two_proposals_of_one_sop_do_not_wait_at_once(office: Office) -> None:
    first = proposed(office)
    refused = refusal(office, propose, begun(office, edited(1)).id, person=TWO, reason="x", holds_from=TODAY)
    assert refused.code == "waiting"
    assert refusal(office, propose, first.draft, person=ONE, reason="y", holds_from=TODAY).code == "proposed"
    with office.database.begin() as db:
        with pytest.raises(Refused, match="sedang diusulkan"):
            drafting.save(db, first.draft, edited(3), revision=1, person=ONE, at=OPENING)
        with pytest.raises(Refused, match="sedang diusulkan"):
            drafting.discard(db, first.draft, person=ONE, at=OPENING)


@on_sqlite
def test_nothing_changed_is_no_proposal(office: Office) -> None:
    ratified(office)
    for data in (DIAGRAM, DIAGRAM.replace(b"</bpmn:definitions>", b"<!-- x -->\n</bpmn:definitions>")):
        assert refusal(office, propose, begun(office, data).id, person=ONE, reason="x", holds_from=TODAY,
                       compared_with=None).code in ("same", "overtaken")
    with office.database.read() as db:
        base = definitions.newest(db, KEY)
    assert base is not None
    with office.database.begin() as db:
        draft = drafting.begin(db, DIAGRAM, unit=LASEM, person=ONE, at=OPENING, base=base.sha256)
    refused = refusal(office, propose, draft.id, person=ONE, reason="x", holds_from=TODAY)
    assert refused.code == "same" and "versi 1" in str(refused)


@on_sqlite
def test_a_draft_that_was_overtaken_is_proposed_only_after_a_look_at_the_newer_version(office: Office) -> None:
    first = ratified(office)
    with office.database.begin() as db:
        old = drafting.begin(db, edited(5), unit=LASEM, person=TWO, at=OPENING, base=first.sha256)
    newer = ratified(office, edited(6))
    refused = refusal(office, propose, old.id, person=TWO, reason="x", holds_from=TODAY)
    assert refused.code == "overtaken" and "Versi 2" in str(refused)
    seen = asked(office, propose, old.id, person=TWO, reason="x", holds_from=TODAY, compared_with=newer.sha256)
    assert (seen.version_before, seen.base) == (2, newer.sha256)
    assert [(one["old"], one["new"]) for one in seen.changes] == [("Write letter 6", "Write letter 5")]


@on_sqlite
def test_a_deployment_beside_the_way_stops_a_waiting_proposal(office: Office) -> None:
    ratified(office)
    proposal = proposed(office, edited(1))
    asked(office, verify, proposal.id, person="analis")
    with office.database.begin() as db:
        departed = deploy.deploy(db, office.database.key, edited(2), actor=Actor(person="admin", signed_in_by="cli"),
                                 reason="Darurat", at=office.at).version
    assert (departed.unit, departed.number, departed.ratified_by) == (LASEM, "", "")
    assert refusal(office, ratify, proposal.id, person="camat", number="1", dated=TODAY).code == "overtaken"
    back = asked(office, send_back, proposal.id, person="camat", reason="Usulkan ulang")
    assert (back.state, back.note, back.decided_by) == ("returned", "Usulkan ulang", "camat")
    with office.database.read() as db:
        assert [one.state for one in drafts.listed(db)] == ["open"]
    agree(office, KEY)


@on_sqlite
def test_an_sop_of_another_unit_cannot_be_taken_over_by_its_key(office: Office) -> None:
    ratified(office)
    give(office, "sekcam", org.OWNER, "inspektorat_daerah")
    with office.database.begin() as db:
        theirs = drafting.begin(db, edited(1), unit="inspektorat_daerah", person="sekcam", at=OPENING)
        newest = definitions.newest(db, KEY)
    assert newest is not None
    refused = refusal(office, propose, theirs.id, person="sekcam", reason="x", holds_from=TODAY,
                      compared_with=newest.sha256)
    assert refused.code == "not_yours" and "unit lain" in str(refused)


@on_sqlite
def test_a_pengesahan_is_whole_or_refused(office: Office) -> None:
    proposal = proposed(office)
    asked(office, verify, proposal.id, person="analis")
    unknown = File(sha256="a" * 64, size_bytes=1, media_type="application/pdf", name="x")
    for more, says in (
            ({"number": " "}, "Nomor SOP belum diisi"), ({"number": "1" * 121}, "terlalu panjang"),
            ({"dated": TODAY + timedelta(days=1)}, "belum tiba"),
            ({"holds_from": TODAY - timedelta(days=1)}, "sudah lewat"),
            ({"scan": Attachment(files=(unknown,))}, "tidak tersimpan"),
            ({"scan": Attachment(form="cetak", place="Lemari")}, "berupa berkas")):
        given = {"number": NUMBER, "dated": TODAY, **more}
        assert says in str(refusal(office, ratify, proposal.id, person="camat", **given))
    with office.database.read() as db:
        assert definitions.newest(db, KEY) is None


def test_a_version_of_january_is_started_in_january(office: Office) -> None:
    with office.database.read() as db:
        old = definitions.newest(db, LKJPD)
        text = definitions.export(db, LKJPD)
    assert old is not None and text is not None
    new = ratified(office, text.replace(b"Menelaah Surat Edaran", b"Membaca Surat Edaran", 1), holds_from=LATER)
    assert (old.unit, new.version, new.unit) == ("", 2, LASEM)
    with office.database.read() as db:
        december, january = (opening(db, LKJPD, LASEM, data={}, at=OPENING + timedelta(days=days)) for days in (1, 30))
        assert (december.definition, january.definition) == (old.sha256, new.sha256)
        assert december.unit_facts == {}
        assert january.unit_facts == {
            "sop.nomorSop": NUMBER, "sop.tanggalPengesahan": "9 Desember 2026", "sop.tanggalEfektif": "4 Januari 2027",
            "sop.disahkanOleh": "Camat Lasem\nCamat Lasem"}
        assert [one.version for one in definitions.in_force_of_all(db, TODAY)] == [1]
        assert [one.version for one in definitions.in_force_of_all(db, LATER)] == [2]
        # The printed SOP of the unit that ratified it has them too, and another unit's has not.
        assert sop_out.of_unit(db, definitions.get(db, new.sha256), LASEM).facts["sop.nomorSop"] == NUMBER
        assert sop_out.of_unit(db, definitions.get(db, new.sha256), "inspektorat_daerah").facts == {}
    fresh = ratified(office, text.replace(b"P20D", b"P25D"))
    with office.database.read() as db:          # decided later: holds at once, and January's never does
        assert [definitions.in_force(db, LKJPD, on) for on in (TODAY, LATER)] == [fresh, fresh]
    ratified(office, holds_from=LATER)
    with pytest.raises(Refused, match="baru berlaku mulai 4 Januari 2027"), office.database.read() as db:
        opening(db, KEY, LASEM, data={}, at=OPENING)
    agree(office, LKJPD, KEY)


# Withdrawn, published again, evaluated

START = {"tahun_laporan": 2026, "status_surat_edaran": "belum"}


def test_a_withdrawn_sop_is_not_started_and_what_runs_goes_on(office: Office) -> None:
    running = office.begin(2026)
    for person in (ONE, "analis", "sekcam"):
        assert "SOP dicabut oleh Camat Lasem" in str(
            refusal(office, withdraw, LKJPD, person=person, reason="Digabung"))
    assert "belum diisi" in str(refusal(office, withdraw, LKJPD, person="camat", reason=" "))
    gone = asked(office, withdraw, LKJPD, person="camat", reason="Digabung", command_id="w")
    assert asked(office, withdraw, LKJPD, person="camat", reason="Digabung", command_id="w") == gone
    assert refusal(office, withdraw, LKJPD, person="camat", reason="Digabung").code == "withdrawn"
    with office.database.read() as db:
        assert definitions.withdrawn(db, LKJPD) == gone
        assert definitions.in_force(db, LKJPD, LATER) is None and definitions.in_force_of_all(db, LATER) == ()
        with pytest.raises(Refused, match="SOP ini dicabut pada 9 Desember 2026, jadi tidak dapat dimulai lagi"):
            opening(db, LKJPD, LASEM, data=START)
        (listed,) = definitions.register(db, TODAY)
        assert (listed.withdrawn_at, listed.in_force, listed.next_evaluation) == (gone.at, False, None)
    office.round(running, lambda complete: complete())
    with office.database.begin() as db, pytest.raises(Refused, match="sudah dicabut"):
        text = definitions.export(db, LKJPD)
        assert text is not None
        deploy.deploy(db, office.database.key, text.replace(b"P20D", b"P21D"), actor=deploy.SYSTEM, reason="x",
                      at=office.at)
    # The very same diagram comes back, but by a pengesahan only.
    back = asked(office, ratification.again, LKJPD, 1, person=ONE, reason="Berlaku lagi", holds_from=TODAY)
    assert not back.cosmetic and back.changes == ()
    asked(office, verify, back.id, person="analis")
    version = asked(office, ratify, back.id, person="camat", number=NUMBER, dated=TODAY, holds_from=LATER)
    with office.database.read() as db:
        assert definitions.withdrawn(db, LKJPD) is None
        assert definitions.in_force(db, LKJPD, TODAY) is None       # what was withdrawn stays so until January
        assert definitions.in_force(db, LKJPD, LATER) == version
    agree(office, LKJPD)


def test_an_old_version_is_published_again_as_a_new_one(office: Office) -> None:
    first = ratified(office)
    ratified(office, edited(1))
    assert refusal(office, ratification.again, KEY, 2, person=ONE, reason="x", holds_from=TODAY).code == "same"
    assert refusal(office, ratification.again, KEY, 9, person=ONE, reason="x", holds_from=TODAY).code == "unknown"
    assert refusal(office, ratification.again, KEY, 1, person="camat", reason="x", holds_from=TODAY).code == "not_yours"
    back = asked(office, ratification.again, KEY, 1, person=ONE, reason="Kembali", holds_from=TODAY)
    assert (back.draft, back.sha256, len(back.changes)) == ("", first.sha256, 1)
    asked(office, verify, back.id, person="analis")
    third = asked(office, ratify, back.id, person="camat", number=NUMBER, dated=TODAY)
    with office.database.read() as db:
        assert [one.sha256 == first.sha256 for one in definitions.versions(db, KEY)] == [True, False, True]
        assert definitions.of_bytes(db, first.sha256) == third
        assert definitions.export(db, KEY) == DIAGRAM
    agree(office, KEY)


@on_sqlite
def test_an_sop_that_no_unit_keeps_is_proposed_only_for_one(office: Office) -> None:
    with office.database.begin() as db:
        deploy.deploy(db, office.database.key, DIAGRAM, actor=deploy.SYSTEM, reason="Isi awal", at=office.at)
    give(office, "sekcam", org.OWNER)
    with office.database.begin() as db:
        assert drafting.home(db, KEY) == "" and drafting.home(db, "unknown") is None
        nobodys = drafting.of_file(db, edited(1), at=office.at)
        newest = definitions.newest(db, KEY)
    assert newest is not None
    given = {"reason": "x", "holds_from": TODAY, "compared_with": newest.sha256}
    assert "unit pemilik" in str(refusal(office, propose, nobodys.id, person="sekcam", **given))
    assert "unit lain" in str(refusal(office, propose, begun(office, edited(1)).id, person=ONE, **given))
    theirs = asked(office, propose, begun(office, edited(1), "sekcam").id, person="sekcam", **given)
    assert (theirs.unit, theirs.version_before) == (LASEM, 1)


def test_the_register_says_when_each_sop_is_to_be_looked_at(office: Office) -> None:
    ratified(office)
    with office.database.read() as db:
        seen = {one.key: one for one in definitions.register(db, TODAY)}
    assert (seen[KEY].number, seen[KEY].unit, seen[KEY].holds_from) == (NUMBER, LASEM, "2026-12-09")
    assert (seen[KEY].last_evaluated, seen[KEY].next_evaluation) == (None, "2027-12-09")
    assert seen[LKJPD].number == "000.8.3.3/03.1 /1/2025"        # as the diagram writes it
    for person in ("sekcam", "admin"):
        assert refusal(office, evaluated, KEY, person=person, dated=TODAY, outcome="tetap").code == "not_yours"
    assert refusal(office, evaluated, KEY, person=ONE, dated=LATER, outcome="tetap").code == "wrong"
    assert refusal(office, evaluated, KEY, person=ONE, dated=TODAY, outcome="bagus").code == "wrong"
    office.at += timedelta(days=400)
    for person, dated in ((ONE, date(2027, 12, 1)), ("camat", date(2027, 11, 2)), ("analis", date(2027, 11, 1))):
        asked(office, evaluated, KEY, person=person, dated=dated, outcome="tetap", note="Baik", command_id=person)
    again = asked(office, evaluated, KEY, person=ONE, dated=date(2027, 12, 1), outcome="tetap", note="Baik",
                  command_id=ONE)
    with office.database.read() as db:
        assert definitions.evaluations(db, KEY)[0] == again and len(definitions.evaluations(db, KEY)) == 3
        (looked,) = [one for one in definitions.register(db, LATER) if one.key == KEY]
    assert (looked.last_evaluated, looked.next_evaluation) == ("2027-12-01", "2028-12-01")
    agree(office, KEY)


def test_the_signed_paper_is_never_swept(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    kept = documents.store(io.BytesIO(pdf("sah")), "sah.pdf", folder)
    loose = documents.store(io.BytesIO(pdf("lepas")), "lepas.pdf", folder)
    with office.database.begin() as db:
        for one in (kept, loose):
            documents.record(db, folder, one, office.at)
    paper = Attachment(files=(File(sha256=kept.sha256, size_bytes=kept.size_bytes, media_type=kept.media_type,
                                   name="Pengesahan SOP.pdf"),))
    version = ratified(office, scan=paper)
    assert version.scan == paper
    later = asked_layout(office)
    with office.database.begin() as db:
        assert documents.sweep(db, folder, office.at + timedelta(days=3)) == 1
        assert documents.recorded(db, kept.sha256) == kept and documents.recorded(db, loose.sha256) is None
        assert [one.scan for one in definitions.versions(db, KEY)] == [paper, paper] == [version.scan, later.scan]
    with office.database.read() as db, documents.open_document(db, folder, kept.sha256) as file:
        assert file.read() == pdf("sah")


def asked_layout(office: Office) -> Version:
    made: Version = asked(office, approve_layout, proposed(office, moved()).id, person=TWO)
    return made


# The same thing twice, and at once

def test_a_repeat_answers_the_same_and_another_use_of_its_id_is_refused(office: Office) -> None:
    draft = begun(office)
    way: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = [
        (propose, (draft.id,), {"person": ONE, "reason": "x", "holds_from": TODAY})]
    proposal = asked(office, *way[0][:1], *way[0][1], **way[0][2], command_id="0")
    way += [(verify, (proposal.id,), {"person": "analis", "note": "Ya"}),
            (ratify, (proposal.id,), {"person": "camat", "number": NUMBER, "dated": TODAY})]
    for number, (verb, given, more) in enumerate(way):
        first = asked(office, verb, *given, **more, command_id=str(number))
        assert asked(office, verb, *given, **more, command_id=str(number)) == first
        other = {**more, next(name for name in ("reason", "note", "number") if name in more): "lain"}
        assert refusal(office, verb, *given, **other, command_id=str(number)).code == "other"
        assert refusal(office, verb, *given, **{**more, "person": TWO}, command_id=str(number)).code == "other"
    with office.database.read() as db:
        assert len(list(journal.read(db, definitions.stream(KEY)))) == 3
        assert len(definitions.versions(db, KEY)) == 1


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each of some acts answers, all begun at one moment."""
    ready, answers = threading.Barrier(len(acts)), dict[int, Any]()

    def run(place: int) -> None:
        ready.wait()
        try:
            answers[place] = acts[place]()
        except Exception as error:              # an exception in a thread would pass unseen
            answers[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[place] for place in range(len(acts))]


def test_of_two_at_once_one_is_done(office: Office) -> None:
    drafted = [begun(office, edited(number)) for number in (1, 2)]

    def putting(draft: str, command_id: str) -> Callable[[], Any]:
        def act() -> Any:
            with office.database.begin() as db:
                return propose(db, office.database.key, draft, person=ONE, reason="x", holds_from=TODAY, at=office.at,
                               command_id=command_id)
        return act

    answers = at_once(*(putting(one.id, one.id) for one in drafted))
    (made,) = [one for one in answers if isinstance(one, Proposal)]
    assert [one.code for one in answers if isinstance(one, Refused)] == ["waiting"]
    asked(office, recall, made.id, person=ONE)
    twice = at_once(*(putting(drafted[0].id, "twice"),) * 2)        # a double click
    assert twice[0] == twice[1] and isinstance(twice[0], Proposal)
    asked(office, verify, twice[0].id, person="analis")

    def ratifying(command_id: str) -> Callable[[], Any]:
        def act() -> Any:
            with office.database.begin() as db:
                return ratify(db, office.database.key, twice[0].id, person="camat", number=NUMBER, dated=TODAY,
                              at=office.at, command_id=command_id)
        return act

    answers = at_once(ratifying("a"), ratifying("b"))
    assert sorted(type(one).__name__ for one in answers) == ["Refused", "Version"]
    assert [one.code for one in answers if isinstance(one, Refused)] == ["not_open"]
    with office.database.read() as db:
        assert len(definitions.versions(db, KEY)) == 1
    agree(office, KEY)


# A walk over everything that can be asked

def test_whatever_is_asked_three_people_stand_behind_each_version_and_the_stream_tells_all(
        office: Office, seed: int) -> None:
    dice, people = random.Random(seed), (ONE, TWO, "analis", "camat", "sekcam")
    for person in people:                       # everybody may everything: only the rule keeps them apart
        for power in (org.OWNER, org.VERIFIER):
            if (person, power) not in ((ONE, org.OWNER), (TWO, org.OWNER), ("analis", org.VERIFIER)):
                give(office, person, power)
    done = dict[str, int]()

    def act() -> None:
        person, name = dice.choices(people, (4, 4, 4, 1, 4))[0], dice.choices(list(MOVES), OFTEN)[0]
        with office.database.read() as db:
            drawn, put = drafts.listed(db), ratification.proposals(db, KEY)
            newest = definitions.newest(db, KEY)
        draft = dice.choice(drawn).id if drawn else ""
        proposal = next((one.id for one in put if one.state in ratification.WAITING), put[-1].id if put else "")
        try:
            MOVES[name](person, draft, proposal, newest)
        except Refused:
            return
        done[name] = done.get(name, 0) + 1

    def redraw(person: str, draft: str, *_: Any) -> None:
        with office.database.begin() as db:
            now = drafting.found(db, draft)
            drafting.save(db, draft, edited(dice.randrange(2), moved(by=dice.randrange(3))), revision=now.revision,
                          person=person, at=office.at)

    def put_forward(person: str, draft: str, _: str, newest: Version | None) -> None:
        asked(office, propose, draft, person=person, reason="x", holds_from=TODAY + timedelta(days=dice.randrange(9)),
              compared_with=newest.sha256 if newest else None)

    MOVES: dict[str, Callable[[str, str, str, Version | None], Any]] = {
        "begin": lambda who, *_: begun(office, edited(dice.randrange(2)), who),
        "save": redraw,
        "propose": put_forward,
        "verify": lambda who, _, one, __: asked(office, verify, one, person=who),
        "ratify": lambda who, _, one, __: asked(office, ratify, one, person="camat", number=NUMBER, dated=TODAY),
        "approve": lambda who, _, one, __: asked(office, approve_layout, one, person=who),
        "send back": lambda who, _, one, __: asked(office, send_back, one, person=who, reason="x"),
        "recall": lambda who, _, one, __: asked(office, recall, one, person=who),
        "again": lambda who, _, __, newest: asked(office, ratification.again, KEY, 1, person=who, reason="x",
                                                  holds_from=TODAY),
        "withdraw": lambda *_: asked(office, withdraw, KEY, person="camat", reason="x"),
        "evaluate": lambda who, *_: asked(office, evaluated, KEY, person=who, dated=TODAY, outcome="diubah"),
    }
    OFTEN = (6, 6, 18, 18, 18, 18, 2, 2, 2, 1, 1)
    ratified(office)
    for _ in range(100):
        act()
    with office.database.read() as db:
        versions, put = definitions.versions(db, KEY), {one.version: one for one in ratification.proposals(db, KEY)}
        said = [one.events[0]["version"] for one in journal.read(db, definitions.stream(KEY)) if one.events]
        assert [one.version for one in versions] == said == list(range(1, len(versions) + 1))
        for one in versions:
            behind = put[one.version]
            assert one.verified_by and one.verified_by not in {behind.proposed_by, *behind.savers}, done
            if behind.cosmetic:
                assert one.ratified_by == "" and one.meaning_sha256 == versions[one.version - 2].meaning_sha256
            else:
                assert len({behind.proposed_by, one.verified_by, one.ratified_by}) == 3, done
            assert ratification.content(db, behind.id) == definitions.export(db, KEY, one.version)
        held = {one.draft for one in put.values() if one.state in ratification.WAITING and one.draft}
        assert {one.id for one in drafts.listed(db) if one.state == "proposed"} == held
    agree(office, KEY)
