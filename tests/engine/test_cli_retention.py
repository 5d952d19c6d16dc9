"""hold, erase, retention and dispose on the command line: two people, one letter, answers in JSON."""
from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine import __main__ as command_line
from engine.bench import Office
from tests.engine.conftest import BPMN

pytestmark = pytest.mark.database


class Alur:
    def __init__(self, capsys: pytest.CaptureFixture[str]):
        self.capsys = capsys

    def __call__(self, *words: str, code: int = 0) -> Any:
        self.capsys.readouterr()
        assert command_line.main([*words, "--json"]) == code, self.capsys.readouterr()
        return json.loads(self.capsys.readouterr().out)


@pytest.fixture
def alur(capsys: pytest.CaptureFixture[str], sqlite_office: Path, tmp_path: Path,
         monkeypatch: pytest.MonkeyPatch) -> Alur:
    shutil.copy(sqlite_office, tmp_path / "alur.db")
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "journal.key").write_bytes(b"b" * 32)
    (tmp_path / "keys" / "journal.key").chmod(0o600)
    monkeypatch.setenv("ALUR_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ALUR_DATABASE_URL", f"sqlite:///{tmp_path / 'alur.db'}")
    return Alur(capsys)


def test_an_erasure_is_asked_and_decided_on_the_command_line(alur: Alur, tmp_path: Path) -> None:
    office = Office.of(f"sqlite:///{tmp_path / 'alur.db'}", BPMN)
    id = office.begin(2026)
    office.database.close()
    found = alur("erase", "find", id, "--containing", "Perbaiki tabel")["values"]
    assert [one["field"] for one in found] == ["catatan_reviu"] and not found[0]["decides"]
    letter = ("--number", "12/PDP/2027", "--dated", "2026-11-01")
    assert alur("erase", "request", id, "--containing", "Perbaiki tabel", *letter, "--as", "camat",
                code=1)["error"]["code"] == "not_yours"
    asked = alur("erase", "request", id, "--containing", "Perbaiki tabel", *letter, "--as", "admin")["id"]
    held = alur("hold", "add", "--instance", id, "--number", "B-1", "--basis", "Perkara", "--since", "2026-11-01",
                "--as", "admin")["id"]
    assert alur("hold", "list")[0]["number"] == "B-1"
    assert alur("erase", "decide", asked, "--as", "camat", code=1)["error"]["code"] == "held"
    alur("hold", "lift", held, "--number", "B-2", "--as", "admin")
    assert alur("erase", "decide", asked, "--as", "admin", code=1)["error"]["code"] == "not_yours"
    done = alur("erase", "decide", asked, "--as", "camat")
    assert (done["values"], done["instances"]) == (1, [id])
    assert alur("erase", "list")[0]["state"] == "approved"
    alur("replay", id)
    assert alur("verify")["faults"] == []
    assert b"Perbaiki tabel" not in (tmp_path / "alur.db").read_bytes()
    assert alur("erase", "vacuum") == {"vacuumed": True}


def test_retention_is_set_and_only_what_is_due_can_be_proposed(alur: Alur, tmp_path: Path) -> None:
    office = Office.of(f"sqlite:///{tmp_path / 'alur.db'}", BPMN)
    id = office.begin(2026)
    office.database.close()
    assert alur("retention", "list") == {"classes": [], "due": []}
    alur("retention", "set", "--name", "Laporan kinerja", "--active", "2", "--inactive", "3", "--fate", "musnah",
         "--basis", "Perbup JRA", "--as", "admin")
    assert alur("retention", "list")["classes"][0]["fate"] == "musnah"
    assert alur("dispose", "propose", id, "--unit", "kecamatan_lasem", "--number", "3/BA", "--dated", "2032-03-01",
                "--as", "admin", code=1)["error"]["code"] == "wrong"
    assert alur("dispose", "decide", "tidak-ada", "--as", "camat", code=1)["error"]["code"] == "unknown"
    assert alur("dispose", "list") == []
    alur("retention", "drop", "--as", "admin")
    assert alur("retention", "list") == {"classes": [], "due": []}
