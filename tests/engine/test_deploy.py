"""Deploying a diagram: versions kept byte for byte, in the journal too; the owners' folder seeds and never replaces."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import update

from engine import calendars, diagram
from engine.commands import Actor
from engine.definition import DiagramError
from engine.deploy import Deployment, deploy, seed_definitions
from engine.instance import Refused
from engine.store import definitions, drafts, journal, schema
from engine.store.database import Database, migrate, open_database
from engine.store.records import RecordError

KEY = bytes(32)
AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
OWNER = Actor(person="p1", capacity="administrator", signed_in_by="web", administrator=True)
DIAGRAMS = Path(__file__).parent.parent / "diagrams"
FIRST = (DIAGRAMS / "three_tasks.bpmn").read_bytes()
COSMETIC = FIRST.replace(b"</bpmn:definitions>", b"<!-- moved -->\n</bpmn:definitions>")


def renamed(data: bytes = FIRST) -> bytes:
    """The same process with another name: it means something else."""
    before = diagram_name(data)
    assert before in data
    return data.replace(b'name="' + before + b'"', b'name="' + before + b' baru"', 1)


def diagram_name(data: bytes) -> bytes:
    return next(iter(diagram.read(data).user_tasks)).name.encode()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = open_database(database_url, KEY)
    migrate(database)
    yield database
    database.close()


def put(database: Database, data: bytes, **options: object) -> Deployment:
    with database.begin() as db:
        return deploy(db, KEY, data, **{"actor": OWNER, "reason": "Uji", "at": AT, **options})  # type: ignore[arg-type]


def test_a_deployed_diagram_comes_back_byte_for_byte(database: Database) -> None:
    done = put(database, FIRST)
    assert (done.new, done.version.version, done.newest) == (True, 1, 1)
    with database.read() as db:
        assert definitions.export(db, done.version.key) == FIRST
        assert definitions.newest(db, done.version.key) == done.version
        assert definitions.get(db, sha256(FIRST).hexdigest()).key == done.version.key


def test_the_same_bytes_again_make_no_version(database: Database) -> None:
    first = put(database, FIRST)
    again = put(database, FIRST)
    assert again == Deployment(version=first.version, new=False, newest=1, findings=first.findings)
    with database.read() as db:
        assert len(list(journal.read(db, definitions.stream(first.version.key)))) == 1


def test_a_changed_diagram_is_the_next_version_and_the_old_one_stays(database: Database) -> None:
    key = put(database, FIRST).version.key
    second = put(database, renamed())
    assert second.version.version == 2
    with database.read() as db:
        assert [one.version for one in definitions.versions(db, key)] == [1, 2]
        assert definitions.export(db, key, 1) == FIRST
        assert definitions.export(db, key) == renamed()
        assert definitions.export(db, key, 3) is None
        assert definitions.export(db, "unknown") is None
        assert [one.version for one in definitions.newest_of_all(db)] == [2]
        assert definitions.newest_hashes(db) == {one.key: one.sha256 for one in definitions.newest_of_all(db)}
    old = put(database, FIRST)
    assert (old.new, old.version.version, old.newest) == (False, 1, 2)


def test_the_journal_says_what_was_deployed_by_whom_and_hides_why(database: Database) -> None:
    done = put(database, FIRST, reason="Perubahan SOTK")
    put(database, COSMETIC, at=AT - timedelta(hours=1))
    with database.read() as db:
        first, second = journal.read(db, definitions.stream(done.version.key))
        body = db.exec_driver_sql("SELECT body FROM journal ORDER BY sequence LIMIT 1").scalar_one()
    assert first.command["act"] == {
        "type": "DeployDefinition", "key": done.version.key, "sha256": sha256(FIRST).hexdigest(),
        "size_bytes": len(FIRST), "canonical_sha256": done.version.canonical_sha256,
        "meaning_sha256": done.version.meaning_sha256, "reason": "Perubahan SOTK", "unit": "", "changes": [],
        "name": done.version.name}
    assert first.command["actor"]["person"] == "p1"
    assert first.events == [{"type": "DefinitionDeployed", "version": 1, "cosmetic": False}]
    assert first.definition == sha256(FIRST).hexdigest()
    assert b"SOTK" not in bytes(body)
    assert second.events == [{"type": "DefinitionDeployed", "version": 2, "cosmetic": True}]
    assert second.at == first.at            # never earlier than the row before it


def test_a_diagram_with_findings_is_refused_and_nothing_is_written(database: Database) -> None:
    with pytest.raises(DiagramError) as refused:
        put(database, b"<not-bpmn/>")
    assert refused.value.findings
    with database.read() as db:
        assert definitions.versions(db) == ()
        assert journal.streams(db) == []


def test_a_deployment_without_a_reason_is_refused(database: Database) -> None:
    with pytest.raises(Refused, match="Alasan"):
        put(database, FIRST, reason="  ")


def test_a_command_id_with_another_diagram_is_refused(database: Database) -> None:
    put(database, FIRST, command_id="c1")
    with pytest.raises(Refused) as refused:
        put(database, renamed(), command_id="c1")
    assert refused.value.code == "other"


def test_two_who_deploy_the_same_bytes_at_once_make_one_version(database: Database) -> None:
    found: list[object] = []

    def run() -> None:
        try:
            found.append(put(database, FIRST).new)
        except Exception as error:      # an exception in a thread would pass unseen
            found.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == [False, False, False, True]


def test_what_was_deployed_stays_readable_under_a_stricter_gate(database: Database) -> None:
    data = FIRST.replace(b'type="text"', b'type="colour"')
    with pytest.raises(DiagramError):
        diagram.read(data)
    once_fine = diagram.reread(data)
    with database.begin() as db:
        definitions.add(db, KEY, once_fine, data, actor=OWNER, reason="Uji", at=AT, command_id="c1")
    with database.read() as db:
        assert definitions.get(db, once_fine.sha256) == once_fine


def test_stored_bytes_that_were_changed_are_not_run(database: Database) -> None:
    done = put(database, FIRST)
    with database.begin() as db:
        name = definitions.publish_calendar(db, KEY, "u", calendars.five_days(), actor=OWNER, reason="Uji", at=AT,
                                            command_id="c1")
        db.execute(update(schema.definition).values(bytes=renamed()))
        db.execute(update(schema.calendar).values(body=calendars.six_days().body))
    with database.read() as db:
        with pytest.raises(RecordError, match="not the ones deployed"):
            definitions.get(db, done.version.sha256)
        with pytest.raises(RecordError, match="not the one published"):
            definitions.calendar(db, name)


# The owners' folder

def seeded(database: Database, folder: Path) -> list[tuple[str, str]]:
    with database.begin() as db:
        return [(one.path.name, one.state) for one in seed_definitions(db, KEY, folder, AT)]


def test_the_folder_seeds_an_empty_installation_once(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a.bpmn").write_bytes(FIRST)
    (tmp_path / "b.bpmn").write_bytes((DIAGRAMS / "parallel.bpmn").read_bytes())
    assert seeded(database, tmp_path) == [("a.bpmn", "deployed"), ("b.bpmn", "deployed")]
    assert seeded(database, tmp_path) == [("a.bpmn", "unchanged"), ("b.bpmn", "unchanged")]
    with database.read() as db:
        assert [one.version for one in definitions.versions(db)] == [1, 1]
        assert {one.deployed_by for one in definitions.versions(db)} == {"sistem"}


def test_a_changed_file_waits_as_a_draft_until_somebody_deploys_it(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "a.bpmn"
    file.write_bytes(FIRST)
    seeded(database, tmp_path)
    file.write_bytes(COSMETIC)
    assert seeded(database, tmp_path) == [("a.bpmn", "draft")]
    file.write_bytes(renamed())
    assert seeded(database, tmp_path) == [("a.bpmn", "draft")]
    with database.read() as db:
        (draft,) = drafts.listed(db)
        assert (draft.origin, draft.revision, draft.sha256) == ("file", 2, sha256(renamed()).hexdigest())
        assert draft.base == sha256(FIRST).hexdigest()
        assert definitions.export(db, draft.key) == FIRST
        assert drafts.content(db, draft.id) == renamed()
    assert put(database, renamed()).version.version == 2
    with database.read() as db:
        assert drafts.listed(db) == ()
    assert seeded(database, tmp_path) == [("a.bpmn", "unchanged")]


def test_a_file_that_was_changed_back_is_no_draft_any_more(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "a.bpmn"
    file.write_bytes(FIRST)
    seeded(database, tmp_path)
    file.write_bytes(COSMETIC)
    seeded(database, tmp_path)
    file.write_bytes(FIRST)
    assert seeded(database, tmp_path) == [("a.bpmn", "unchanged")]
    with database.read() as db:
        assert drafts.listed(db) == ()


def test_a_file_behind_what_is_deployed_changes_nothing(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a.bpmn").write_bytes(FIRST)
    seeded(database, tmp_path)
    put(database, renamed())
    assert seeded(database, tmp_path) == [("a.bpmn", "older")]
    with database.read() as db:
        assert definitions.newest_of_all(db)[0].version == 2


def test_a_bad_file_and_a_second_one_of_a_key_are_reported_and_stop_nothing(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a.bpmn").write_bytes(FIRST)
    (tmp_path / "b.bpmn").write_bytes(COSMETIC)
    (tmp_path / "c.bpmn").write_bytes(b"no xml")
    assert seeded(database, tmp_path) == [("a.bpmn", "deployed"), ("b.bpmn", "refused"), ("c.bpmn", "refused")]
    with database.read() as db:
        assert len(definitions.versions(db)) == 1


# Calendars

def test_the_calendar_of_a_unit_is_kept_by_its_hash(database: Database) -> None:
    five, six = calendars.five_days(), calendars.six_days()
    options = {"actor": OWNER, "reason": "Uji", "at": AT}
    with database.begin() as db:
        assert definitions.calendar_of(db, "kec_lasem") is None
        definitions.publish_calendar(db, KEY, "kec_lasem", five, command_id="c1", **options)
        definitions.publish_calendar(db, KEY, "kec_lasem", five, command_id="c2", **options)
        definitions.publish_calendar(db, KEY, "kec_lasem", six, command_id="c3", **options)
        definitions.publish_calendar(db, KEY, "inspektorat", five, command_id="c4", **options)
    with database.read() as db:
        assert definitions.calendar_of(db, "kec_lasem") == six.sha256
        assert definitions.calendar_of(db, "inspektorat") == five.sha256
        assert definitions.calendar(db, five.sha256) == five
        told = journal.read(db, "calendar/kec_lasem")
        assert [one.command["act"]["sha256"] for one in told] == [five.sha256, six.sha256]
        with pytest.raises(LookupError):
            definitions.calendar(db, "0" * 64)


# Rules

def test_rules_give_the_same_value_for_the_same_hash_and_ask_the_database_once(database: Database) -> None:
    done = put(database, FIRST)
    with database.begin() as db:
        name = definitions.publish_calendar(db, KEY, "u", calendars.five_days(), actor=OWNER, reason="Uji", at=AT,
                                            command_id="c1")
    rules = definitions.rules(database)
    one, other = rules.definition(done.version.sha256), rules.definition(done.version.sha256)
    assert one is other
    assert one.key == done.version.key
    assert rules.transitions(one.sha256) is rules.transitions(one.sha256)
    assert rules.transitions(one.sha256).definition is one
    assert rules.calendar(name) is rules.calendar(name)
    database.close()
    assert rules.definition(done.version.sha256) is one
    with pytest.raises(LookupError):
        rules.definition("0" * 64)


def test_a_version_says_nothing_but_what_was_recorded(database: Database) -> None:
    done = put(database, FIRST, reason=" Perubahan ")
    assert done.version == replace(done.version, status="active", reason="Perubahan", deployed_by="p1",
                                   deployed_at="2026-11-23T01:00:00.000000Z")
