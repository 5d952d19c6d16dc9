"""The command `alur`: sentences for people, JSON for programs, exit codes 0, 1 and 2, and processes that end well."""
from __future__ import annotations

import http.client
import io
import json
import logging
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import pytest
import structlog

from engine import __main__ as command_line
from engine import serve, worker
from engine.store.database import Unavailable, journal_key, open_database
from engine.terminal import Terminal
from tests.conftest import PostgreSQL

ROOT = Path(__file__).parent.parent
LKJPD = ROOT / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn"
STORIES = sorted((LKJPD.parent / "stories").glob("*.txt"))
DIAGRAMS = ROOT / "tests" / "diagrams"
WIB = "+07:00"
# An installation without a demonstration keeps the real time: its deadline may not lie behind us.
TODAY = datetime.now(ZoneInfo("Asia/Jakarta")).date()
YEAR = TODAY.year


class Alur:
    """`alur` in this process: what it printed and how it ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str]):
        self.capsys = capsys

    def __call__(self, *words: str | Path, code: int = 0) -> str:
        self.capsys.readouterr()
        found = command_line.main([str(word) for word in words])
        said = self.capsys.readouterr()
        self.errors = said.err
        assert found == code, said
        return said.out

    def json(self, *words: str | Path, code: int = 0) -> Any:
        """The answer with --json; standard output holds it and nothing else."""
        return json.loads(self(*words, "--json", code=code))

    def refused(self, *words: str | Path, code: int = 1) -> dict[str, Any]:
        """The error, after seeing that people are told the same in one sentence on standard error."""
        out = self(*words, code=code)
        assert out == ""
        sentence = self.errors
        error: dict[str, Any] = self.json(*words, code=code)["error"]
        assert {"code", "message", "remedy"} <= error.keys()
        assert error["message"] in sentence
        return error


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An installation of this test's own, in a folder that does not exist yet."""
    for name in [name for name in os.environ if name.startswith("ALUR_")]:
        if name not in ("ALUR_SEED", "ALUR_CHROMIUM"):
            monkeypatch.delenv(name)
    folder = tmp_path / "var"
    monkeypatch.setenv("ALUR_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def alur(capsys: pytest.CaptureFixture[str]) -> Alur:
    return Alur(capsys)


@pytest.fixture
def on(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same on SQLite and PostgreSQL."""
    monkeypatch.setenv("ALUR_DATABASE_URL", database_url)
    return database_url


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


# How it answers

def every_command() -> Iterator[tuple[str, ...]]:
    for name, command in command_line.alur.commands.items():
        yield (name,)
        for inner in getattr(command, "commands", ()):
            yield name, inner


def test_every_command_says_what_it_does(alur: Alur) -> None:
    for words in every_command():
        said = alur(*words, "--help")
        assert "--json" in said
        says = said.split("Options:")[0].splitlines()[2:]
        assert any(line.strip().endswith(".") for line in says), words


@pytest.mark.parametrize("words", [
    ("nonsense",), ("deploy",), ("deploy", "x.bpmn"), ("due", "--from", "x", "--duration", "P1D"), ("replay",),
    ("replay", "x", "--all"), ("serve", "--port", "x"), ("check", "nowhere.bpmn"),
])
def test_a_wrong_call_ends_with_2(alur: Alur, words: tuple[str, ...]) -> None:
    assert alur.refused(*words, code=2)["code"] == "usage"


def test_settings_are_listed_with_what_they_are(alur: Alur, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALUR_PORT", "9090")
    monkeypatch.setenv("ALUR_DATABASE_URL", "postgresql://alur:rahasia@db/alur")
    found = {one["name"]: one for one in alur.json("settings")}
    assert found["ALUR_PORT"]["value"] == "9090"
    assert found["ALUR_URL"]["value"] == "http://127.0.0.1:9090"
    assert "rahasia" not in str(found)
    assert all(one["says"].endswith((".", "PORT.")) for one in found.values())
    assert alur.json("settings", "--data-dir", "elsewhere")[2]["value"] == "elsewhere"


@pytest.mark.parametrize(("name", "value"), [
    ("ALUR_PORT", "http"), ("ALUR_PORT", "70000"), ("ALUR_URL", "alur.go.id"), ("ALUR_LOG_LEVEL", "loud"),
    ("ALUR_DATABASE_PASSWORD_FILE", "/nowhere/password"), ("ALUR_DATABASE_URL", "oracle://x"),
])
def test_a_setting_that_cannot_be_is_one_sentence(alur: Alur, monkeypatch: pytest.MonkeyPatch, name: str,
                                                  value: str) -> None:
    monkeypatch.setenv(name, value)
    error = alur.refused("migrate")
    assert name in error["message"]
    assert "\n" not in error["message"]


@pytest.mark.database
def test_a_database_without_tables_is_said_with_what_to_do(alur: Alur) -> None:
    error = alur.refused("instances")
    assert (error["code"], error["remedy"]) == ("database_unmigrated", "Run: alur migrate")


def test_a_folder_that_cannot_be_written_is_one_sentence(alur: Alur, clean_environment: Path) -> None:
    clean_environment.write_text("a file where a folder should be")
    for command in ("migrate", "serve"):
        words = (command, "--port", str(free_port())) if command == "serve" else (command,)
        assert alur.refused(*words)["code"] in ("data_unwritable", "key_unreadable")


def test_an_old_python_is_told_in_one_sentence() -> None:
    script = "import sys, runpy; sys.version_info = (3, 9, 2); runpy.run_module('engine', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Alur needs 3.11 or newer" in done.stderr
    assert len(done.stderr.splitlines()) == 1


# Diagrams, stories, working time: no database

def test_check_says_what_the_gate_finds_without_a_database(alur: Alur, tmp_path: Path, clean_environment: Path) -> None:
    (tmp_path / "bad.bpmn").write_text("<definitions/>")
    (one,) = alur.json("check", LKJPD)
    assert (one["file"], one["ok"]) == (str(LKJPD), True)
    good, bad = alur.json("check", LKJPD, tmp_path / "bad.bpmn", code=1)
    assert (good["ok"], bad["ok"]) == (True, False)
    assert bad["findings"][0].keys() == {"severity", "element", "line", "message", "english"}
    said = alur("check", tmp_path / "bad.bpmn", code=1)
    assert "REFUSED" in said and "bukan diagram BPMN 2.0" in said and "no BPMN 2.0 diagram" in said
    assert not clean_environment.exists()


def test_stories_run_as_tests(alur: Alur, tmp_path: Path, clean_environment: Path) -> None:
    (told,) = alur.json("story", "run", STORIES[1])
    assert told["ok"]
    assert told["expectations"] > 5
    wrong = tmp_path / "wrong.txt"
    text = STORIES[1].read_text(encoding="utf-8")
    first = "maka langkah 1 terbuka untuk Kepala PD"
    wrong.write_text(text.replace(first, first.replace("1", "9"), 1), encoding="utf-8")
    (told,) = alur.json("story", "run", wrong, code=1)
    assert not told["ok"]
    assert re.search(r"wrong\.txt:\d+: ", told["message"])
    assert not clean_environment.exists()


def test_due_says_when_and_why(alur: Alur) -> None:
    found = alur.json("due", "--from", "2027-01-04T08:00", "--duration", "P2D")
    assert found["due"] == "2027-01-07T08:00:00+07:00"         # 5 January is Isra Mikraj
    assert [one["date"] for one in found["skipped"]] == ["2027-01-05"]
    assert "2027-01-07T08:00:00+07:00" in alur("due", "--from", "2027-01-04T01:00+00:00", "--duration", "P2D")
    assert alur.refused("due", "--from", "2027-01-04T08:00", "--duration", "2 hari")["code"] == "duration"
    assert alur("due", "--from", "2027-01-04T08:00", "--duration", "2 hari", code=1) == "" and alur.errors == (
        "'2 hari' is no duration; write P2D for two days, PT20M for twenty minutes.\n")


def test_forecast_says_of_a_file_when_it_would_be_done_without_a_database(
        alur: Alur, clean_environment: Path) -> None:
    for start, year, finish, latest in (("2025-01-02T07:30", 2024, "2025-03-03T10:20", "2024-12-31T13:40"),
                                        ("2026-01-02T07:30", 2025, "2026-03-03T10:20", "2025-12-30T11:40"),
                                        ("2027-01-04T00:30+00:00", 2026, "2027-03-02T10:20", "2026-12-30T11:40")):
        found = alur.json("forecast", LKJPD, "--start", start)
        assert found["year"] == year
        assert (found["finish"], found["latest_start"]) == (f"{finish}:00{WIB}", f"{latest}:00{WIB}")
        assert found["deadline"] == f"{year + 1}-03-01T00:00:00{WIB}"
        assert found["late_by_working_days"] > 0 and found["returns_possible"] == -1
    assert found["instance_finish"] == f"2027-03-02T10:35:00{WIB}"
    assert found["working_deadline"] == f"2027-02-26T15:30:00{WIB}"
    assert (found["deadline_day"], found["calendar"], found["likelihood"]) == ("2027-02-28", "lima_hari", None)
    assert [one["element"] for one in found["passes"]] == [f"langkah_{n}" for n in range(1, 10)]
    assert found["windows"][0]["latest_start"] == found["latest_start"]
    six = alur.json("forecast", LKJPD, "--start", "2027-01-02T07:00", "--calendar", "enam_hari", "--returns", "2")
    assert (six["finish"], six["late_by_working_days"]) == (f"2027-03-13T09:50:00{WIB}", 7)
    later = alur.json("forecast", LKJPD, "--start", "2027-01-04T07:30", "--year", "2027")
    assert (later["late_by_working_days"], later["deadline_day"]) == (0, "2028-02-29")
    said = alur("forecast", LKJPD, "--start", "2027-01-04T07:30")
    assert "2 working days late" in said and "Latest start: 2026-12-30T11:40:00+07:00" in said
    assert "not even the straight path" in said
    assert not clean_environment.exists()
    small = alur.json("forecast", DIAGRAMS / "parallel.bpmn", "--start", "2027-01-04T07:30")
    assert (small["finish"], small["deadline"], small["year"]) == (None, None, None)


@pytest.mark.parametrize("words", [
    (), (LKJPD,), ("--start", "2027-01-04"), (LKJPD, "--start", "besok"), ("nowhere.bpmn", "--start", "2027-01-04"),
    (LKJPD, "--start", "2027-01-04", "--returns", "-1"), (LKJPD, "--start", "2027-01-04", "--returns", "1000"),
    (LKJPD, "--start", "2027-01-04", "--year", "tahun"), (LKJPD, "--instance", "x"),
    ("--instance", "x", "--start", "2027-01-04"), ("--instance", "x", "--year", "2026"),
])
def test_a_forecast_that_is_asked_wrongly_ends_with_2(alur: Alur, words: tuple[str, ...]) -> None:
    assert alur.refused("forecast", *words, code=2)["code"] == "usage"


def test_a_forecast_that_cannot_be_made_says_why(alur: Alur, tmp_path: Path) -> None:
    for start in ("9999-12-31T23:00", "0001-01-01T00:00"):
        assert alur.refused("forecast", LKJPD, "--start", start)["code"] == "forecast"
    bad = tmp_path / "bad.bpmn"
    bad.write_text("<definitions/>")
    error = alur.refused("forecast", bad, "--start", "2027-01-04T07:30")
    assert error["code"] == "diagram" and error["details"]


# A whole installation, by commands alone

def test_every_command_and_option_says_what_it_is_and_no_sentence_is_cut() -> None:
    def below(group: click.Group, context: click.Context) -> Iterator[tuple[click.Context, click.Command]]:
        for name in group.list_commands(context):
            one = group.commands[name]
            inside = click.Context(one, parent=context, info_name=name)
            yield inside, one
            if isinstance(one, click.Group):
                yield from below(one, inside)

    root = click.Context(command_line.alur, info_name="alur")
    for context, one in [(root, command_line.alur), *below(command_line.alur, root)]:
        assert one.help, context.command_path
        silent = [option.opts for option in one.params if isinstance(option, click.Option) and not option.help]
        assert silent == [] and "..." not in one.get_help(context).replace("ARGS]...", "").replace("S...", ""), (
            context.command_path, silent)


def made(alur: Alur, tmp_path: Path) -> str:
    """An office made by commands, with an instance at step 2; its id."""
    alur("migrate")
    alur("deploy", LKJPD, "--reason", "Pertama")
    alur("unit", "add", "kec", "Kantor Kecamatan", "--government", "Kabupaten")
    alur("unit", "allow", "kec", "penyusunan_lkjpd", "--fact", "sop.nomorSop=01/SOP/2026")
    for id, name in (("camat", "Camat"), ("sekcam", "Sekretaris Kecamatan"), ("tim", "Anggota Tim")):
        alur("position", "add", id, "kec", name, *(["--many"] if id == "tim" else []))
        alur("user", "add", name, id)
        alur("position", "hold", id, id, "--from", "2025-01-02", "--basis", "SK 1")
    for lane, position in (("kepala_pd", "camat"), ("sekretaris_pd", "sekcam"), ("tim_penyusun", "tim")):
        assert alur.json("binding", "add", "penyusunan_lkjpd", lane, "kec", position)["warnings"] == []
    letter = tmp_path / "Surat Edaran.pdf"
    letter.write_bytes(b"%PDF-1.7\n%%EOF\n")
    values = (f"tahun_laporan={YEAR}", "status_surat_edaran=sudah", "nomor_surat_edaran=900/1",
              f"tanggal_surat_edaran={TODAY}", f"tanggal_terima_surat_edaran={TODAY}")
    id = alur.json("start", "penyusunan_lkjpd", "--unit", "kec", "--as", "sekcam", "--file", f"surat_edaran={letter}",
                   *(word for value in values for word in ("--data", value)))["instance"]
    (task,) = alur.json("tasks")
    alur("complete", task["id"], "--as", "camat", "--data", "arahan=Susun Tim.")
    return str(id)


def test_an_office_works_by_commands_alone(
        alur: Alur, on: str, tmp_path: Path, clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    id = made(alur, tmp_path)
    told = alur.json("binding", "add", "penyusunan_lkjpd", "kepla_pd", "kec", "camat")["warnings"]
    assert told == ["The newest diagram of penyusunan_lkjpd has no lane kepla_pd; it has kepala_pd, sekretaris_pd, "
                    "tim_penyusun, inspektorat."]
    alur("binding", "remove", "penyusunan_lkjpd", "kepla_pd", "kec")
    assert alur.json("binding", "add", "lain", "x", "kec", "camat")["warnings"] == ["No process lain is deployed yet."]
    alur("binding", "remove", "lain", "x", "kec")
    alur("unit", "add", "kec", "Lagi", code=1)
    assert alur.errors.count("sudah ada") == 1
    (one,) = alur.json("instances")
    assert (one["id"], one["status"], one["year"], one["tasks"]) == (id, "running", YEAR, ["langkah_2"])
    assert one["started_at"].endswith(WIB)
    (task,) = alur.json("tasks", "--unit", "kec", "--lane", "sekretaris_pd")
    assert task.keys() == {"id", "element", "name", "lane", "unit", "norm_at", "late_at", "owner"}
    assert task["late_at"].endswith(WIB)
    assert alur.json("tasks", "--unit", "other") == []
    error = alur.refused("complete", task["id"], "--as", "sekcam")
    assert error["code"] == "incomplete"
    assert {"nomor_sk_tim", "susunan_tim"} <= {one["place"] for one in error["details"]}
    for words, code in (
        ((task["id"], "--as", "camat"), "not_yours"), ((task["id"], "--as", "nobody"), "unknown"),
        ((task["id"], "--as", "sekcam", "--position", "camat"), "not_yours"),
        ((f"{id}/99", "--as", "sekcam"), "not_open"),
        ((task["id"], "--as", "sekcam", "--at", "2027-01-04T08:00"), "not_a_demonstration"),
    ):
        assert alur.refused("complete", *words)["code"] == code
    large = tmp_path / "besar.pdf"
    large.write_bytes(b"%PDF-1.7\n%" + b"x" * 1_100_000 + b"\n%%EOF\n")
    monkeypatch.setenv("ALUR_UPLOAD_QUOTA_MEGABYTES", "1")
    told = (f"tahun_laporan={YEAR + 1}", "status_surat_edaran=sudah", "nomor_surat_edaran=900/2",
            f"tanggal_surat_edaran={TODAY}", f"tanggal_terima_surat_edaran={TODAY}")
    error = alur.refused("start", "penyusunan_lkjpd", "--unit", "kec", "--as", "sekcam", "--file",
                         f"surat_edaran={large}", *(word for one in told for word in ("--data", one)))
    assert error["code"] == "quota" and len(alur.json("instances")) == 1
    told = ("nomor_sk_tim=1", f"tanggal_sk_tim={TODAY}",
            'susunan_tim=[{"pegawai":{"id":"sekcam"},"jabatan":"Sekretaris","kedudukan":"ketua"},'
            '{"pegawai":{"id":"tim"},"jabatan":"Staf","kedudukan":"sekretaris"},'
            '{"pegawai":{"id":"camat"},"jabatan":"Camat","kedudukan":"anggota"}]',
            f'jadwal_rapat=[{{"tanggal":"{TODAY}","pukul":"09:00","tempat":"Aula","acara":"Rapat"}}]')
    error = alur.refused("complete", task["id"], "--as", "sekcam", "--file", f"sk_tim={large}", "--file",
                         f"surat_undangan={large}", *(word for one in told for word in ("--data", one)))
    assert error["code"] == "quota" and alur.json("tasks")[0]["id"] == task["id"], error
    monkeypatch.delenv("ALUR_UPLOAD_QUOTA_MEGABYTES")
    alur("user", "add", "Administrator", "admin", "--administrator")
    alur("unit", "head", "kec", "camat")
    alur("user", "power", "tim", "pemilik", "--unit", "kec")
    alur("user", "power", "tim", "verifikator")
    alur("user", "power", "tim", "verifikator", "--revoke")
    assert [one["head"] for one in alur.json("unit", "list")] == ["camat"]
    assert {one["login"]: one["powers"] for one in alur.json("user", "list")}["tim"] == ["pemilik of kec"]
    assert alur.refused("unit", "head", "kec", "tim")["code"] == "wrong"     # held by many
    repair = ("correct", id, "--reason", "Salah ketik", "--data", "nomor_agenda=12/2026")
    assert alur.refused(*repair, "--as", "sekcam")["code"] == "not_yours"
    assert [event["type"] for event in alur.json(*repair, "--as", "admin")["events"]] == ["ProcessInstanceCorrected"]
    replayed = alur.json("replay", "--all")
    assert (replayed["instances"], replayed["different"]) == (1, [])
    assert alur.json("verify")["faults"] == []
    forecast = alur.json("forecast", "--instance", id)
    assert (forecast["instance"], forecast["year"], forecast["likelihood"]) == (id, YEAR, None)
    assert [(one["element"], one["state"]) for one in forecast["passes"]][:3] == [
        ("langkah_1", "selesai"), ("langkah_2", "terbuka"), ("langkah_3", "akan_datang")]
    assert forecast["finish"].endswith(WIB) and forecast["windows"][0]["element"] == "langkah_2"
    assert len(alur.json("forecast", "--instance", id, "--returns", "1")["passes"]) == 12
    assert "Deadline: the end of " in alur("forecast", "--instance", id)
    start = ("--start", f"{YEAR + 1}-01-04T07:30")
    for calendar in ("lima_hari", "enam_hari", "kec"):
        found = alur.json("forecast", "penyusunan_lkjpd", *start, "--calendar", calendar)
        assert (found["process"], found["year"], len(found["passes"])) == ("penyusunan_lkjpd", YEAR, 9)
    assert alur.refused("forecast", "penyusunan_lkjpd", *start, "--calendar", "x")["code"] == "unknown"
    assert alur.refused("forecast", "nothing", *start)["code"] == "unknown"
    assert alur.refused("forecast", "--instance", "nothing")["code"] == "unknown"
    story = alur("story", "show", id)
    assert "Camat menyelesaikan langkah 1" in story
    examined = {one["name"]: one["state"] for one in alur.json("doctor")}
    assert examined == {**dict.fromkeys(examined, "well"), "address": "note", "mail": "note"}

    backup = tmp_path / "alur.zip"
    assert alur.json("backup", backup)["documents"] == 1
    assert alur.refused("backup", backup)["code"] == "file_exists"
    assert alur.refused("restore", backup)["code"] == "not_empty"
    other = ("--data-dir", tmp_path / "other", "--database-url", f"sqlite:///{tmp_path}/other.db")
    assert alur.refused("restore", backup, *other)["code"] == "no_key"
    (tmp_path / "other" / "keys").mkdir(parents=True)
    (tmp_path / "other" / "keys" / "journal.key").write_bytes(journal_key(clean_environment / "keys" / "journal.key"))
    (tmp_path / "other" / "keys" / "journal.key").chmod(0o600)
    assert "are back" in alur("restore", backup, *other)
    assert alur("story", "show", id, *other) == story
    assert alur.json("doctor", *other)[4] == {"name": "documents", "ok": True, "state": "well", "says": "all there"}


@pytest.mark.database
def test_a_changed_row_is_found_by_replay_and_by_verify(alur: Alur, tmp_path: Path, clean_environment: Path) -> None:
    id = made(alur, tmp_path)
    database = open_database(f"sqlite:///{clean_environment}/alur.db", bytes(32))
    with database.begin() as db:
        db.exec_driver_sql("DROP TRIGGER journal_not_changed")
        db.exec_driver_sql("UPDATE journal SET body = replace(CAST(body AS TEXT), 'langkah_1', 'langkah_2') "
                           "WHERE stream LIKE 'instance/%' AND sequence = 1")
    database.close()
    (different,) = alur.json("replay", "--all", code=1)["different"]
    assert different["instance"] == id
    assert "row 1" in different["difference"]
    assert alur.json("verify", code=1)["faults"][0]["stream"] == f"instance/{id}"


def packed_rows(pack: Path, id: str) -> int:
    """How many rows of an instance a pack holds."""
    with zipfile.ZipFile(pack) as archive:
        rows = [json.loads(line) for line in archive.read("journal.jsonl").splitlines()]
    return sum(row["stream"] == f"instance/{id}" for row in rows)


@pytest.mark.database
def test_a_pack_is_written_signed_and_verified_by_commands(alur: Alur, tmp_path: Path, clean_environment: Path) -> None:
    id = made(alur, tmp_path)
    assert alur.refused("checkpoint", "show")["code"] == "unsigned"
    first = alur.json("checkpoint", "now")
    assert (first["new"], first["refused"]) == (True, 0)
    assert not alur.json("checkpoint", "now")["new"]
    kept = tmp_path / "kept.txt"
    kept.write_text(alur.json("checkpoint", "show")["note"], encoding="utf-8")
    alur("user", "add", "Administrator", "admin", "--administrator")
    assert alur.refused("checkpoint", "rotate", "--reason", "Uji", "--as", "sekcam")["code"] == "not_yours"
    key = alur.json("checkpoint", "rotate", "--reason", "Pejabat berganti", "--as", "admin")["key"]
    shown = alur.json("checkpoint", "show")
    assert (shown["key"], shown["size"] > first["size"]) == (key, True)

    whole, one = tmp_path / "journal.zip", tmp_path / "instance.zip"
    assert alur.json("export", "--journal", "--documents", whole)["documents"] == 1
    packed = alur.json("export", id, one, "--checkpoint", kept, "--as", "admin")
    assert packed["documents"] == 1 and packed["missing"] == []
    assert alur.refused("export", id, one)["code"] == "file_exists"
    assert alur.refused("export", "nobody", tmp_path / "x.zip")["code"] == "unknown"
    alur("export", id, code=2)
    for form, begin in (("pdf", b"%PDF-"), ("xes", b"<?xml"), ("jsonocel", b"{"), ("csv", b"\xef\xbb\xbf")):
        file = tmp_path / f"instance.{form}"
        assert alur.json("export", id, file)["rows"] == packed_rows(one, id)
        assert file.read_bytes().startswith(begin)
    assert alur.refused("export", id, tmp_path / "instance.csv")["code"] == "file"
    alur("export", id, tmp_path / "instance.exe", code=2)
    for pack in (whole, one):
        said = alur.json("verify", pack, "--checkpoint", kept, "--english")
        assert said["holds"] and any("AGREES" in held for held in said["held"]), said
    assert "HASIL: SAH." in alur("verify", whole)
    found = alur.json("verify", "--checkpoint", kept)
    assert (found["faults"], found["checkpoints"] >= 2) == ([], True)

    other = tmp_path / "another_office"
    alur("migrate", "--data-dir", other, "--database-url", f"sqlite:///{other}/alur.db")
    assert "was cut off" in alur.json("verify", "--checkpoint", kept, "--data-dir", other, "--database-url",
                                      f"sqlite:///{other}/alur.db", code=1)["faults"][0]["message"]
    nothing = tmp_path / "nothing.txt"
    nothing.write_text("Yth. Auditor")
    assert not alur.json("verify", whole, "--checkpoint", nothing, code=1)["holds"]
    assert "no checkpoint in it" in alur.json("verify", "--checkpoint", nothing, code=1)["faults"][0]["message"]
    assert stat.S_IMODE((clean_environment / "keys" / "checkpoint.key").stat().st_mode) == 0o600
    assert "log" in [one["name"] for one in alur.json("doctor")]


def test_what_runs_is_rehearsed_migrated_and_taken_back_by_commands(alur: Alur, on: str, tmp_path: Path) -> None:
    id = made(alur, tmp_path)
    alur("user", "add", "Administrator", "admin", "--administrator")
    key, second = "penyusunan_lkjpd", tmp_path / "versi_2.bpmn"
    # Step 2 is longer and has another id, another name and another question: nobody can know that it is the same.
    text = LKJPD.read_text().replace('"P2D"', '"P3D"').replace(">P2D<", ">P3D<")
    text = text.replace("Menyusun Tim dan mengoordinasikan rapat", "Membentuk Tim").replace("jadwal_rapat", "rapat")
    second.write_text(re.sub(r'(?<=[">])langkah_2(?=["<])', "bentuk_tim", text))
    alur("deploy", second, "--reason", "Versi 2")
    (before,) = alur.json("tasks")
    found = alur.json("migrate-instances", key, code=1)
    (one,) = found["instances"]
    assert (found["to"]["version"], one["instance"], one["version"], one["outcome"]) == (2, id, 1, "mapping")
    assert [need["element"] for need in one["needs"]] == ["langkah_2"] and one["reason"]
    assert "perlu pemetaan" in alur("migrate-instances", key, code=1)
    mapped = (key, "--map", "langkah_2=bentuk_tim")
    (one,) = alur.json("migrate-instances", *mapped)["instances"]
    (moved,) = one["tasks"]
    assert one["outcome"] == "moves" and (moved["element_before"], moved["element"]) == ("langkah_2", "bentuk_tim")
    assert moved["late_before"] == before["late_at"] < moved["late_at"]
    assert f"langkah_2: {before['late_at']}" not in alur("migrate-instances", *mapped)
    assert alur.json("tasks") == [before]               # a rehearsal writes nothing
    does = ("--apply", "--reason", "Versi 2 disahkan", "--as")
    assert alur.refused("migrate-instances", *mapped, *does, "sekcam")["code"] == "not_yours"
    (done,) = alur.json("migrate-instances", *mapped, *does, "admin")["instances"]
    assert (done["instance"], done["outcome"]) == (id, "migrated")
    (after,) = alur.json("tasks")
    assert (after["id"], after["element"], after["late_at"]) == (before["id"], "bentuk_tim", moved["late_at"])
    assert [one["outcome"] for one in alur.json("migrate-instances", *mapped, *does, "admin")["instances"]] == ["there"]
    assert alur.json("replay", "--all")["different"] == [] and alur.json("verify")["faults"] == []
    assert f"memindahkan proses ke versi {found['to']['sha256']}" in alur("story", "show", id)
    (back,) = alur.json("migrate-instances", key, "--undo", "--reason", "Keliru", "--as", "admin")["instances"]
    assert back["outcome"] == "undone" and alur.json("tasks") == [before]
    assert alur.json("replay", "--all")["different"] == []
    assert alur.json("migrate-instances", key, "--undo", "--reason", "Lagi", "--as", "admin")["instances"] == []
    assert alur.refused("migrate-instances", key, "--to", "7")["code"] == "unknown"
    assert alur.refused("migrate-instances", "nothing")["code"] == "unknown"
    for words in ((key, "--apply"), (key, "--map", "langkah_2"), (key, "--undo", "--apply")):
        alur.refused("migrate-instances", *words, code=2)


@pytest.mark.database
def test_deploying_is_all_or_nothing_and_says_so(alur: Alur, tmp_path: Path) -> None:
    alur("migrate")
    three, parallel = DIAGRAMS / "three_tasks.bpmn", DIAGRAMS / "parallel.bpmn"
    bad = tmp_path / "bad.bpmn"
    bad.write_text("<definitions/>")
    error = alur.refused("deploy", three, bad, "--reason", "Uji")
    assert (error["code"], str(bad) in error["message"]) == ("diagram", True)
    assert alur.json("definition", "list") == []
    assert [one["version"] for one in alur.json("deploy", three, parallel, "--reason", "Uji")] == [1, 1]
    (again,) = alur.json("deploy", three, "--reason", "Uji")
    assert (again["new"], again["version"], again["newest"]) == (False, 1, 1)
    assert alur.refused("deploy", three, "--reason", " ")["code"] == "incomplete"
    back = tmp_path / "back.bpmn"
    alur("definition", "export", again["key"], "-o", back)
    assert back.read_bytes() == three.read_bytes()
    assert alur.refused("definition", "export", "nothing")["code"] == "unknown"
    assert alur.refused("definition", "export", again["key"], "--version", "7")["code"] == "unknown"


@pytest.mark.database
def test_a_surat_tugas_is_recorded_ended_and_listed(alur: Alur) -> None:
    alur("migrate")
    alur("unit", "add", "kec", "Kecamatan")
    alur("user", "add", "Auditor", "auditor")
    alur("user", "add", "Pegawai", "pegawai")
    assert alur.json("audit", "list") == []
    words = ("audit", "assign", "auditor", "700/15/2026", "--unit", "kec", "--from", "2020-01-01", "--until")
    given = alur.json(*words, "2199-12-31", "--year", "2026", "--year", "2025", "--basis", "PKPT")
    assert (given["units"], given["years"]) == (["kec"], [2025, 2026])
    for wrong in ((*words, "2199-12-31"), (*words, "2019-12-31"), (*words, "besok")):
        assert alur.refused(*wrong)["code"] == "wrong"
    assert alur.refused(*words, "2030-01-01", "--as", "pegawai")["code"] == "not_yours"
    assert alur.refused("audit", "assign", "nobody", *words[3:], "2030-01-01")["code"] == "unknown"
    [one] = alur.json("audit", "list")
    assert (one["assignment"], one["number"], one["years"], one["holds"]) == (
        given["assignment"], "700/15/2026", [2025, 2026], True)
    alur("audit", "end", given["assignment"], "--until", "2020-02-01", "--reason", "Selesai")
    assert alur.refused("audit", "end", given["assignment"], "--until", "2021-01-01")["code"] == "wrong"
    assert alur.refused("audit", "end", "nothing", "--until", "2020-01-02")["code"] in ("wrong", "unknown")
    [one] = alur.json("audit", "list")
    assert (one["valid_until"], one["holds"]) == ("2020-02-01", False)
    assert "700/15/2026" in alur("audit", "list")


@pytest.mark.database
def test_only_an_administrator_changes_things_in_their_own_name(alur: Alur) -> None:
    alur("migrate")
    first = alur.json("user", "add", "Administrator Kabupaten", "admin.kab", "--administrator")
    assert re.fullmatch(r"\w+(-\w+)+", first["password"])
    alur("user", "add", "Pegawai", "pegawai", "--as", "admin.kab")
    for words in (("user", "add", "X", "xxx"), ("unit", "add", "x", "X"), ("deploy", LKJPD, "--reason", "x"),
                  ("user", "reset-password", "admin.kab")):
        assert alur.refused(*words, "--as", "pegawai")["code"] == "not_yours"
    second = alur.json("user", "reset-password", "admin.kab")
    assert second["password"] != first["password"]
    assert [one["login"] for one in alur.json("user", "list")] == ["admin.kab", "pegawai"]


@pytest.mark.database
def test_a_csv_file_is_shown_first_and_carried_out_whole(alur: Alur, tmp_path: Path) -> None:
    alur("migrate")
    alur("user", "add", "Administrator", "admin", "--administrator")
    units = tmp_path / "unit.csv"
    units.write_text("id;nama\nkec_a;Kecamatan A\nkec_b;Kecamatan B\n", encoding="utf-8")
    assert "--yes" in alur("unit", "import", units)
    assert alur.json("unit", "list") == []
    assert alur.json("unit", "import", units, "--yes")["done"]
    assert [one["state"] for one in alur.json("unit", "import", units)["lines"]] == ["sama", "sama"]
    people = tmp_path / "orang.csv"
    people.write_text("nama_pengguna,nama\nsatu,Orang Satu\nDUA DUA,Orang Dua\n", encoding="utf-8")
    told = alur.json("user", "import", people, "--yes", code=1)
    assert (told["done"], [one["state"] for one in told["lines"]]) == (False, ["baru", "galat"])
    assert len(alur.json("user", "list")) == 1
    assert len(alur.json("unit", "list")) == 2


@pytest.mark.database
def test_time_may_be_chosen_on_a_demonstration_and_nowhere_else(alur: Alur, tmp_path: Path) -> None:
    alur("migrate")
    assert alur.refused("demo")["code"] == "not_a_demonstration"
    made = command_line.fill(Terminal())
    assert [login for _, login, _ in made or ()][:2] == ["camat", "sekcam"]
    assert command_line.fill(Terminal()) == []
    letter = tmp_path / "se.txt"
    letter.write_text("Surat Edaran")
    alur("start", "penyusunan_lkjpd", "--unit", "kecamatan_lasem", "--as", "penerima", "--at", "2027-01-04T08:00",
         "--data", "tahun_laporan=2026", "--data", "status_surat_edaran=sudah", "--data", "nomor_surat_edaran=1",
         "--data", "tanggal_surat_edaran=2027-01-03", "--data", "tanggal_terima_surat_edaran=2027-01-04",
         "--file", f"surat_edaran={letter}")
    (one,) = alur.json("instances")
    assert one["started_at"] == "2027-01-04T08:00:00+07:00"
    (task,) = alur.json("tasks")
    alur("complete", task["id"], "--as", "camat", "--at", "2027-01-04T01:10+00:00", "--data", "arahan=Susun Tim.")
    (task,) = alur.json("tasks")
    assert (task["element"], task["norm_at"]) == ("langkah_2", "2027-01-07T08:10:00+07:00")     # Isra Mikraj between
    assert alur.refused("complete", task["id"], "--as", "sekcam", "--at", "besok", code=2)["code"] == "usage"


# Processes

class Process:
    """`alur` as a process of its own; what it printed is in a file."""

    def __init__(self, folder: Path, *words: str, **environment: str):
        self.file = folder / f"{words[0]}-{time.monotonic_ns()}.out"
        with self.file.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "engine", *words], stdout=out, stderr=subprocess.STDOUT, cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment})

    @property
    def said(self) -> str:
        return self.file.read_text(encoding="utf-8")

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not holds():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.1)

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(*words: str, **environment: str) -> Process:
        started.append(Process(tmp_path, *words, **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(timeout=10)


def answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False


@pytest.mark.database
def test_serve_fills_an_empty_installation_once_and_ends_when_told(
        process: Callable[..., Process], clean_environment: Path, alur: Alur) -> None:
    port = free_port()
    first = process("serve", "--seed", "--port", str(port))
    first.until(lambda: answers(port))
    assert f"http://127.0.0.1:{port}" in first.said
    sign_ins = (clean_environment / "sign-ins.txt").read_text(encoding="utf-8")
    passwords = [line.split()[1] for line in sign_ins.splitlines()]
    assert len(passwords) == 11
    assert all(password in first.said for password in passwords)
    if os.name == "posix":
        assert (clean_environment / "sign-ins.txt").stat().st_mode & 0o777 == 0o600
        assert clean_environment.stat().st_mode & 0o077 == 0
    assert first.end() == 0
    at_the_end = alur.json("verify")
    rows = at_the_end["rows"]
    assert (at_the_end["logged"], at_the_end["waiting"], at_the_end["checkpoints"] > 0) == (rows, 0, True)

    second = process("serve", "--seed", "--port", str(port))
    second.until(lambda: answers(port))
    assert str(clean_environment / "sign-ins.txt") in second.said
    assert not any(password in second.said for password in passwords)
    assert (clean_environment / "sign-ins.txt").read_text(encoding="utf-8") == sign_ins
    assert alur.json("verify")["rows"] == rows
    assert alur.json("unit", "list")[0]["id"]
    assert second.end(signal.SIGINT) == 0


@pytest.mark.database
def test_a_taken_port_is_one_clear_sentence_before_anything_is_made(alur: Alur, clean_environment: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        error = alur.refused("serve", "--seed", "--port", str(port))
    assert error["code"] == "port_taken"
    assert str(port) in error["message"]
    assert not clean_environment.exists()


@pytest.mark.database
def test_the_web_alone_wants_tables_and_says_so(alur: Alur) -> None:
    assert alur.refused("web", "--port", str(free_port()))["code"] == "database_unmigrated"


@pytest.mark.database
def test_migrate_web_and_worker_are_plain_processes_on_postgresql(
        process: Callable[..., Process], postgresql: PostgreSQL, clean_environment: Path, alur: Alur,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALUR_DATABASE_URL", postgresql.create(f"processes_{os.getpid()}"))
    migrations = [process("migrate") for _ in range(2)]
    assert [one.process.wait(timeout=60) for one in migrations] == [0, 0]
    port = free_port()
    web = process("web", "--port", str(port))
    workers = [process("worker") for _ in range(2)]
    web.until(lambda: answers(port))
    workers[0].until(lambda: (clean_environment / "worker.alive").exists())
    assert alur.json("doctor")
    assert [one.end() for one in (web, *workers)] == [0, 0, 0]


@pytest.mark.database
def test_a_dead_worker_takes_the_web_with_it(alur: Alur, clean_environment: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FAILED_ROUNDS", 1)
    alur("migrate")
    database = open_database(f"sqlite:///{clean_environment}/alur.db", bytes(32))
    with database.begin() as db:
        db.exec_driver_sql("ALTER TABLE timer RENAME TO gone")
    database.close()
    monkeypatch.setattr(threading, "excepthook", lambda _: None)       # the thread's last words belong to the log
    out = alur("serve", "--port", str(free_port()), code=1)
    assert "http://127.0.0.1" in out
    assert "The worker ended" in alur.errors


# The server

def slow(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    time.sleep(0.7)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x" * 300_000, b"%d" % len(body)]


def test_what_is_under_way_is_finished_and_nothing_new_begun() -> None:
    held = serve.listen("127.0.0.1", 0)
    port, stop = held.getsockname()[1], threading.Event()
    server = threading.Thread(target=serve.serve, args=(slow, held, 4, lambda: True, stop, 1_000_000))
    server.start()
    answers_: list[tuple[int, int]] = []

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/", body=b"y" * 5_000)
        answer = connection.getresponse()
        answers_.append((answer.status, len(answer.read())))

    asking = [threading.Thread(target=ask) for _ in range(6)]      # two of them wait for a thread
    for one in asking:
        one.start()
    time.sleep(0.3)
    stop.set()
    for one in asking:
        one.join(timeout=20)
    server.join(timeout=20)
    assert not server.is_alive()
    assert answers_ == [(200, 300_004)] * 6
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


@pytest.mark.parametrize(("host", "port", "code"), [
    ("no.such.host.invalid", 8080, "host"), ("203.0.113.7", 8080, "port"),
])
def test_an_address_that_cannot_be_listened_on_is_one_sentence(host: str, port: int, code: str) -> None:
    with pytest.raises(Unavailable) as refused:
        serve.listen(host, port)
    assert refused.value.code == code
    assert "\n" not in str(refused.value)


def test_every_line_of_the_log_goes_to_the_standard_error_of_its_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    before, root = structlog.get_config(), logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    closed, present = io.StringIO(), io.StringIO()
    try:
        with redirect_stderr(closed):
            serve.set_up_log("info")
        closed.close()
        with redirect_stderr(present):
            serve.log.info("own line", number=1)
            logging.getLogger("another").warning("library's line")
        with redirect_stderr(io.StringIO()) as after:
            serve.log.info("own line", number=2)
    finally:
        structlog.configure(**before)
    own, library = present.getvalue().splitlines()
    assert own.endswith("level=info event=\"own line\" number=1")
    assert library.endswith("level=WARNING event=library's line logger=another")
    assert after.getvalue().endswith("number=2\n")


def test_the_first_signal_asks_and_the_second_ends() -> None:
    before, interrupt = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with serve.until_told() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
        assert signal.getsignal(signal.SIGTERM) == before
    assert signal.getsignal(signal.SIGINT) == interrupt  # a background shell ignores it, a terminal does not


@pytest.mark.database
def test_a_backup_is_stamped_with_the_moment_it_is_of(alur: Alur, tmp_path: Path) -> None:
    alur("migrate")
    told = alur.json("backup", tmp_path / "alur.zip")
    assert datetime.fromisoformat(told["made_at"]).tzinfo is not None
    assert told["key"] is False
    assert alur.json("backup", tmp_path / "with.zip", "--with-key")["key"] is True
