"""What somebody could do to the history, and what an auditor's own verifier says: each found and named, or impossible.

The forger here has the whole pack, makes every hash, chain, tree and manifest anew, and in the last cases has stolen
the signing key too. The verifier runs as an auditor runs it: a process of its own that knows nothing of Alur.
"""
from __future__ import annotations

import base64
import hashlib
import json
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine import checkpoints, packs, verifier
from engine.bench import Office
from engine.checkpoints import Place
from engine.commands import Actor, AttachDocument, Attachment, File
from engine.ledger import Checkpoint, Frontier, SigningKey
from engine.store import definitions, documents, instances, integrity
from engine.store import ledger as store
from engine.store.schema import journal_value, log_entry

ROOT = Path(__file__).resolve().parents[2]
BPMN = ROOT / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn"
VERIFIER = ROOT / "engine" / "verifier.py"
PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


@dataclass
class Pack:
    """What is in a pack, taken apart; `zipped` puts it together as somebody would who knows how."""
    files: dict[str, bytes]
    rows: list[dict[str, Any]]
    values: list[dict[str, Any]]
    scope: str = "journal"
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, data: bytes) -> Pack:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        return cls(files, [json.loads(one) for one in files.pop("journal.jsonl").splitlines()],
                   [json.loads(one) for one in files.pop("values.jsonl").splitlines()],
                   extra=json.loads(files.pop("manifest.json")))

    def zipped(self) -> bytes:
        files = {**self.files, "journal.jsonl": lines(self.rows), "values.jsonl": lines(self.values)}
        manifest = {**self.extra, "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}}
        return zipped({**files, "manifest.json": json.dumps(manifest).encode()})

    # The parts of a forgery

    def row(self, place: str) -> dict[str, Any]:
        stream, _, sequence = place.rpartition("#")
        return next(one for one in self.rows if (one["stream"], one["sequence"]) == (stream, int(sequence)))

    def change(self, place: str, change: Callable[[dict[str, Any]], None]) -> None:
        row = self.row(place)
        said = json.loads(row["body"])
        change(said)
        row["body"] = canonical(said)

    def linked(self) -> None:
        """Give every row the index, the sequence and the `prev` that it would have had."""
        ends: dict[str, tuple[int, str | None]] = {}
        for index, row in enumerate(self.rows):
            sequence, prev = ends.get(row["stream"], (0, None))
            said = {**json.loads(row["body"]), "sequence": sequence + 1, "prev": prev}
            moved = {"stream": row["stream"], "sequence": row["sequence"]}
            for one in self.values:
                if one.items() >= moved.items():
                    one["moved"] = sequence + 1
            row |= {"index": index, "sequence": sequence + 1, "body": canonical(said)}
            ends[row["stream"]] = (sequence + 1, hashlib.sha256(b"\0" + row["body"].encode()).hexdigest())
        for one in self.values:
            one["sequence"] = one.pop("moved", one["sequence"])

    def signed_anew(self, key: SigningKey) -> None:
        """One checkpoint over what the rows are now, by this key, in place of those that were."""
        self.files = {name: data for name, data in self.files.items() if not name.startswith("checkpoints/")}
        leaves = [hashlib.sha256(b"\0" + row["body"].encode()).digest() for row in self.rows]
        root = Frontier().extended(leaves)[0].root
        note = key.signed(Checkpoint(self.extra["origin"], len(leaves), root).text)
        self.files[f"checkpoints/{len(leaves):012}.txt"] = note.encode()
        self.extra |= {"size": len(leaves), "root": base64.b64encode(root).decode()}


def canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(canonical(one) + "\n" for one in rows).encode()


def zipped(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


@dataclass(frozen=True)
class Evidence:
    """A pack, what an auditor kept, and what the office alone has."""
    journal: bytes
    instance: bytes
    id: str
    older: Path                         # a checkpoint that the auditor was sent before the last rows
    newest: Path
    stolen: SigningKey
    folder: Path


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    folder = tmp_path_factory.mktemp("evidence")
    office = Office.of(f"sqlite:///{folder / 'alur.db'}", BPMN)
    place = Place(folder / "keys" / "checkpoint.key", "https://alur.example.go.id", folder / "kept")
    stored = documents.store(BytesIO(PDF), "lhr.pdf", folder / "documents")
    first = office.begin(2026)
    older = checkpoints.sign(office.database, place)
    id = office.begin(2027)
    with office.database.begin() as db:
        documents.record(db, folder / "documents", stored, office.at)
    _, number = office.open(id)
    file = File(sha256=stored.sha256, size_bytes=stored.size_bytes, media_type=stored.media_type, name="lhr.pdf")
    office.do(id, "tim1", AttachDocument(document="rancangan_akhir", user_task=number,
                                         attachment=Attachment(files=(file,))))
    newest = checkpoints.sign(office.database, place)
    for one in (older, newest):
        checkpoints.anchor(place, one)
    with office.database.snapshot() as db:
        packs.of_journal(db, folder / "documents", folder / "journal.zip", with_documents=True)
        packs.of_streams(db, folder / "documents", folder / "instance.zip", [instances.stream(first)],
                         [definitions.stream("penyusunan_lkjpd")])
    office.database.close()
    kept = [place.folder / checkpoints.file_name(one.size) for one in (older, newest)]
    return Evidence((folder / "journal.zip").read_bytes(), (folder / "instance.zip").read_bytes(), id, kept[0], kept[1],
                    checkpoints.signing_key(place), folder)


def verified(data: bytes, folder: Path, *own: Path) -> list[str]:
    """What the verifier finds."""
    (folder / "pack.zip").write_bytes(data)
    return verifier.verify(str(folder / "pack.zip"), [str(one) for one in own], []).findings


# As an auditor runs it

def run(pack: Path, *arguments: str) -> tuple[int, str]:
    """The verifier in a process of its own, without our packages, settings and folders: -I keeps them all out."""
    done = subprocess.run([sys.executable, "-I", str(VERIFIER), str(pack), *arguments], capture_output=True, text=True,
                          cwd=pack.parent, env={}, encoding="utf-8", errors="replace", timeout=60)
    return done.returncode, done.stdout


def test_the_verifier_says_in_plain_words_what_holds_and_what_it_cannot_know(evidence: Evidence) -> None:
    code, said = run(evidence.folder / "journal.zip", "--checkpoint", str(evidence.older), "--checkpoint",
                     str(evidence.newest))
    assert (code, said.count("SESUAI")) == (0, 2), said
    assert "HASIL: SAH." in said
    assert "TIDAK dapat dibuktikan" in said
    code, said = run(evidence.folder / "instance.zip", "--checkpoint", str(evidence.older), "--english")
    assert code == 0, said
    assert "RESULT: HOLDS." in said
    assert "AGREES" in said
    assert "does not prove that there are no other rows" in said
    code, said = run(evidence.folder / "journal.zip", "--english")
    assert code == 0
    assert "CANNOT be told from this pack alone" in said
    code, said = run(evidence.older)
    assert code == 1
    assert "bukan paket Alur" in said


def test_the_verifier_needs_nothing_but_python(evidence: Evidence) -> None:
    # The library is hidden from it, as on a machine that has none: its own lines judge the signatures.
    alone = ("import sys; sys.modules['cryptography'] = None; sys.argv[1:] = ['{}', '--checkpoint', '{}']; "
             "import runpy; runpy.run_path('{}', run_name='__main__')")
    code = alone.format(evidence.folder / "journal.zip", evidence.newest, VERIFIER)
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, "SESUAI" in done.stdout) == (0, True), done.stdout + done.stderr
    used = {line.split()[1].split(".")[0] for line in VERIFIER.read_text(encoding="utf-8").splitlines()
            if line.startswith(("import ", "from "))}
    assert used - {"__future__"} <= sys.stdlib_module_names


def test_the_same_finished_instance_gives_the_same_pack_later(evidence: Evidence) -> None:
    office = Office.of(f"sqlite:///{evidence.folder / 'alur.db'}", BPMN)
    with zipfile.ZipFile(BytesIO(evidence.instance)) as archive:
        (stream,) = {json.loads(one)["stream"] for one in archive.read("journal.jsonl").splitlines()
                     if b'"stream":"instance/' in one}
    with office.database.snapshot() as db:
        packs.of_streams(db, evidence.folder / "documents", evidence.folder / "again.zip", [stream],
                         [definitions.stream("penyusunan_lkjpd")])
    office.database.close()
    assert (evidence.folder / "again.zip").read_bytes() == evidence.instance
    # The one who keeps a newer checkpoint is told that this pack does not reach it, and gets one that does.
    assert "tidak memuat bukti" in verified(evidence.instance, evidence.folder, evidence.newest)[0]
    office = Office.of(f"sqlite:///{evidence.folder / 'alur.db'}", BPMN)
    with office.database.snapshot() as db:
        packs.of_streams(db, evidence.folder / "documents", evidence.folder / "for_them.zip", [stream], [],
                         packs.own_checkpoints(evidence.newest.read_bytes()))
    office.database.close()
    assert verified((evidence.folder / "for_them.zip").read_bytes(), evidence.folder, evidence.newest) == []


# The eighteen tamperings

def another_actor(said: dict[str, Any]) -> None:
    said["command"]["actor"]["person"] = "orang_lain"


def later(said: dict[str, Any]) -> None:
    said["at"] = "2030-01-01T00:00:00.000000Z"


def cut(pack: Pack, rows: int) -> None:
    pack.rows = pack.rows[:rows]
    left = {(one["stream"], one["sequence"]) for one in pack.rows}
    pack.values = [one for one in pack.values if (one["stream"], one["sequence"]) in left]


def without(pack: Pack, stream: str) -> None:
    pack.rows = [one for one in pack.rows if one["stream"] != stream]
    pack.values = [one for one in pack.values if one["stream"] != stream]
    pack.linked()


def inserted(pack: Pack, stream: str) -> None:
    place = next(n for n, one in enumerate(pack.rows) if (one["stream"], one["sequence"]) == (stream, 3))
    pack.rows.insert(place, {**pack.rows[place], "body": canonical(
        {**json.loads(pack.rows[place]["body"]), "events": []})})


def older_size(evidence: Evidence) -> int:
    return Checkpoint.parse(evidence.older.read_text(encoding="utf-8")).size


def document_of(pack: Pack) -> str:
    return next(one for one in pack.files if one.startswith("documents/"))


def tampered(evidence: Evidence, how: str) -> bytes:
    """The pack after one of the tamperings."""
    pack, stream = Pack.of(evidence.journal), f"instance/{evidence.id}"
    place = f"{stream}#4"
    match how:
        case "row changed":
            pack.change(place, later)
        case "row deleted":
            pack.rows.remove(pack.row(place))
        case "row inserted":
            inserted(pack, stream)
        case "rows swapped":
            one, other = pack.row(place), pack.row(f"{stream}#5")
            one["body"], other["body"] = other["body"], one["body"]
        case "actor changed":
            pack.change(place, another_actor)
        case "document replaced":
            pack.files[document_of(pack)] += b"x"
        case "document and its name replaced":
            data = pack.files.pop(document_of(pack)) + b"x"
            pack.files[f"documents/{hashlib.sha256(data).hexdigest()}"] = data
        case "checkpoint edited":
            name = max(one for one in pack.files if one.startswith("checkpoints/"))
            pack.files[name] = pack.files[name].replace(b"\n%d\n" % len(pack.rows), b"\n%d\n" % (len(pack.rows) - 1))
        case "rewritten without the key":
            pack.change(place, another_actor)
            pack.linked()
        case "tail cut":
            cut(pack, len(pack.rows) - 5)
        case "tail and its checkpoints cut":
            cut(pack, older_size(evidence))
            pack.files = {name: data for name, data in pack.files.items() if not name.startswith("checkpoints/")}
            pack.files[f"checkpoints/{evidence.older.name}"] = evidence.older.read_bytes()
            pack.files = {name: data for name, data in pack.files.items() if not name.startswith("documents/")}
        case "case removed with the stolen key":
            without(pack, next(one["stream"] for one in pack.rows if one["stream"].startswith("instance/")))
            pack.files = {name: data for name, data in pack.files.items() if not name.startswith("documents/")}
            pack.signed_anew(evidence.stolen)
        case "actor changed with the stolen key":
            pack.change(place, another_actor)
            pack.linked()
            pack.signed_anew(evidence.stolen)
        case "signed by another key":
            pack.change(place, another_actor)
            pack.linked()
            pack.signed_anew(SigningKey.of(evidence.stolen.name, bytes(32)))
        case "value replaced":
            one = next(one for one in pack.values if one["stream"] == stream)
            one["value"] = '"yang lain"'
        case "value taken away":
            pack.values.remove(next(one for one in pack.values if one["stream"] == stream))
        case "value slipped in":
            pack.values.append({"stream": stream, "sequence": 4, "path": "command.act.data.x", "salt": "00",
                                "value": '"x"'})
        case _:
            raise AssertionError(how)
    return pack.zipped()


# What is done -> (the place or thing that the first findings name, with the auditor's own checkpoints).
FOUND = {
    "row changed": "#5: tidak bersambung", "row deleted": "indeks log", "row inserted": "indeks log",
    "rows swapped": "#4: isinya milik baris lain", "actor changed": "#5: tidak bersambung",
    "document replaced": "documents/", "document and its name replaced": "documents/",
    "checkpoint edited": "checkpoints/", "rewritten without the key": "baris pertama berbeda",
    "tail cut": "titik periksanya", "value replaced": "#1: nilai pada command.act.",
    "value taken away": "#1: nilai pada",
    "value slipped in": "#4: nilai pada command.act.data.x", "signed by another key": "checkpoints/",
}
# Found only by who keeps a checkpoint of their own.
FOUND_WITH_AN_ANCHOR = {
    "tail and its checkpoints cut": "ekornya dipotong", "case removed with the stolen key": "",
    "actor changed with the stolen key": "BERCABANG",
}


@pytest.mark.parametrize("how", FOUND)
def test_what_is_tampered_with_is_found_and_named(evidence: Evidence, how: str) -> None:
    findings = verified(tampered(evidence, how), evidence.folder)
    assert any(FOUND[how] in one for one in findings), findings


@pytest.mark.parametrize("how", FOUND_WITH_AN_ANCHOR)
def test_what_the_office_rewrites_as_a_whole_is_found_by_who_kept_a_checkpoint_and_by_nobody_else(
        evidence: Evidence, how: str) -> None:
    data = tampered(evidence, how)
    # Impossible without one: what the keys' holder signs is, to who knows only the key, the history.
    assert verified(data, evidence.folder) == []
    found = verified(data, evidence.folder, evidence.newest)
    assert len(found) == 1
    assert FOUND_WITH_AN_ANCHOR[how] in found[0]


def test_a_database_that_was_put_back_is_found_by_the_newest_checkpoint_that_somebody_kept(evidence: Evidence) -> None:
    # The eighteenth, a row that somebody put into the database without the journal's key, is test_ledger.py's: it
    # never gets a place in the log, and `alur verify` names it.
    data = tampered(evidence, "tail and its checkpoints cut")
    assert verified(data, evidence.folder, evidence.older) == []
    assert "ekornya dipotong" in verified(data, evidence.folder, evidence.older, evidence.newest)[0]


def test_a_row_of_an_instance_that_was_changed_does_not_stand_in_the_signed_log(evidence: Evidence) -> None:
    pack = Pack.of(evidence.instance)
    place = next(one for one in pack.rows if one["stream"].startswith("instance/"))
    pack.change(f"{place['stream']}#1", later)
    found = verified(pack.zipped(), evidence.folder)
    assert f"{place['stream']} #1: tidak terbukti" in "".join(found)
    pack = Pack.of(evidence.instance)
    pack.rows[0]["proof"][0] = "00" * 32
    assert "tidak terbukti" in verified(pack.zipped(), evidence.folder)[0]


# Keys

def test_a_pack_signed_by_keys_that_nobody_was_sent_is_refused_to_who_names_the_right_one(evidence: Evidence) -> None:
    mine, pack = evidence.stolen.verifier.text, evidence.folder / "journal.zip"
    assert verifier.verify(str(pack), [], [mine]).findings == []
    (found,) = verifier.verify(str(pack), [], [SigningKey.of(evidence.stolen.name, bytes(32)).verifier.text]).findings
    assert "Tidak satu pun kunci" in found


def test_a_key_that_nobody_vouches_for_is_a_finding_until_the_auditor_does(evidence: Evidence, tmp_path: Path) -> None:
    """The database was put back to an older state and the key replaced as lost: both are said, neither is hidden."""
    (tmp_path / "alur.db").write_bytes((evidence.folder / "alur.db").read_bytes())
    office = Office.of(f"sqlite:///{tmp_path / 'alur.db'}", BPMN)
    place = Place(tmp_path / "keys" / "checkpoint.key", "https://alur.example.go.id")
    place.last_file.parent.mkdir()
    later = Checkpoint(evidence.stolen.name, 9_999, bytes(32))      # what was signed before the database was put back
    place.last_file.write_text(evidence.stolen.signed(later.text), encoding="utf-8")
    actor = Actor(person="sistem", capacity="sistem", signed_in_by="cli")
    key = checkpoints.rotate(office.database, place, reason="Server rusak", actor=actor, lost=True)
    checkpoints.sign(office.database, place)
    with office.database.snapshot() as db:
        packs.of_journal(db, evidence.folder / "documents", tmp_path / "pack.zip")
    office.database.close()
    (found,) = verifier.verify(str(tmp_path / "pack.zip"), [str(evidence.newest)], []).findings
    assert "checkpoint #2: kunci" in found and key.text in found
    report = verifier.verify(str(tmp_path / "pack.zip"), [str(evidence.newest)], [key.text])
    assert report.findings == []
    attention = [one for one in report.held if one.startswith("PERHATIAN")]
    assert len(attention) == 2 and "sesudah 9999 baris ditandatangani" in attention[1]


# Single bytes

def test_two_hundred_flipped_bytes_are_found_each(evidence: Evidence, seed: int) -> None:
    """In any file of the pack, by somebody who makes the ZIP's own checksums and the manifest's anew or does not."""
    chance = random.Random(seed)
    whole = zipfile.ZipFile(BytesIO(evidence.instance))
    files = {name: whole.read(name) for name in whole.namelist()}
    # No proof of ours depends on what is read by people, or on the verifier that the office itself puts in.
    judged = [name for name in files if name not in ("BACA_SAYA.txt", "verifier.py", "manifest.json")]
    unseen = []
    for n in range(200):
        name = chance.choices(judged, [len(files[one]) for one in judged])[0] if n % 3 else chance.choice(judged)
        data, place = bytearray(files[name]), chance.randrange(len(files[name]))
        data[place] ^= 1 << chance.randrange(8)
        changed = {**files, name: bytes(data)}
        found = verified(zipped(changed), evidence.folder)
        assert any(name in one for one in found), f"{name} was changed at {place}, and not named: {found}"
        manifest = json.loads(files["manifest.json"])
        manifest["files"][name] = hashlib.sha256(data).hexdigest()
        knowing = zipped({**changed, "manifest.json": json.dumps(manifest).encode()})
        if not verified(knowing, evidence.folder, evidence.older):
            unseen.append((name, place, bytes(data[max(0, place - 30):place + 30])))
    assert unseen == []


def test_a_flipped_byte_of_the_file_itself_is_found_or_changes_nothing_that_is_in_it(evidence: Evidence,
                                                                                    seed: int) -> None:
    chance, content = random.Random(seed), Pack.of(evidence.instance)
    for _ in range(100):
        data = bytearray(evidence.instance)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        if not verified(bytes(data), evidence.folder):
            # Dates and notes of the ZIP itself: what is in it is the same, byte for byte.
            assert Pack.of(bytes(data)) == content


# Erasing by law is a row (tests/engine/test_retention.py); emptying a value is none

def test_values_that_were_emptied_without_a_row_that_says_so_are_named(evidence: Evidence) -> None:
    pack = Pack.of(evidence.journal)
    for one in pack.values[:3]:
        one["value"] = None
    (evidence.folder / "erased.zip").write_bytes(pack.zipped())
    report = verifier.verify(str(evidence.folder / "erased.zip"), [str(evidence.newest)], [])
    assert len(report.findings) == 3 and all("dikosongkan tanpa satu baris pun" in one for one in report.findings)


# Under load, and killed

def sequencers(url: str, count: int) -> list[subprocess.Popen[str]]:
    return [subprocess.Popen([sys.executable, "-m", "tests.faults.rival", "sequence", url, str(BPMN)], cwd=ROOT,
                             text=True, stdout=subprocess.PIPE) for _ in range(count)]


def ready(processes: list[subprocess.Popen[str]]) -> None:
    for one in processes:
        assert json.loads(one.stdout.readline()) == {"ready": True}


def judged(office: Office, place: Place) -> None:
    """Sign what is there, and see that everything stands in one log without a gap."""
    checkpoints.sign(office.database, place)
    with office.database.snapshot() as db:
        assert store.check(db).faults == []
        assert integrity.verify(db, office.database.key).faults == []
        assert store.waiting(db) == (0, 0)
        indexes = db.execute(select(log_entry.c.index).order_by(log_entry.c.index)).scalars().all()
        assert indexes == list(range(len(indexes)))
        assert len(indexes) == store.size(db)


@pytest.mark.faults
def test_two_workers_give_places_while_others_write_and_no_row_is_missed_or_doubled(postgresql: Any,
                                                                                  tmp_path: Path) -> None:
    with postgresql.copy() as url:
        office = Office.of(url, BPMN)
        ids = [office.begin(year) for year in (2026, 2027)]
        writers = [subprocess.Popen([sys.executable, "-m", "tests.faults.rival", "work", url, str(BPMN), id, f"w{n}"],
                                    cwd=ROOT, text=True, stdout=subprocess.PIPE) for n, id in enumerate(ids)]
        workers = sequencers(url, 2)
        ready([*writers, *workers])
        time.sleep(2)
        for one in (*writers, *workers):
            assert one.poll() is None, "it works until it is told to stop; it ended by itself"
            one.send_signal(signal.SIGKILL)
        said = [one.communicate(timeout=20)[0].splitlines() for one in workers]
        given = [sum(json.loads(line)["rows"] for line in lines if line.endswith("}")) for lines in said]
        for one in writers:
            one.communicate(timeout=20)
        assert min(given) > 0, f"{given}: one of them was never let in"
        judged(office, Place(tmp_path / "keys" / "checkpoint.key", "https://alur.example.go.id"))
        office.database.close()


@pytest.mark.faults
def test_a_sequencer_killed_in_the_middle_leaves_no_gap(database_url: str, tmp_path: Path, seed: int) -> None:
    office = Office.of(database_url, BPMN)
    office.begin(2026)
    chance, place = random.Random(seed), Place(tmp_path / "keys" / "checkpoint.key", "https://alur.example.go.id")
    for n in range(2):
        office.begin(2027 + n)
        (worker,) = sequencers(database_url, 1)
        ready([worker])
        time.sleep(chance.uniform(0, 0.05))
        worker.send_signal(signal.SIGKILL)
        worker.communicate(timeout=20)
        judged(office, place)
    office.database.close()


# How long

@pytest.mark.soak
def test_a_hundred_thousand_rows_are_verified_well_under_a_minute(tmp_path: Path, soak_table: dict[str, str]) -> None:
    rows, ends = [], dict[str, tuple[int, str | None]]()
    values: list[dict[str, Any]] = []
    key = SigningKey.of("alur.example/alur-00000000", bytes(32))
    filler = {"type": "UserTaskCompleted", "user_task": 3, "element": "langkah_5", "waiting_minutes": 12}
    for index in range(100_000):
        stream = "checkpoint" if index == 0 else f"instance/{index % 500:04}"
        sequence, prev = ends.get(stream, (0, None))
        salt, value = f"{index:032x}", canonical("Perbaiki tabel capaian pada bab III.")
        hidden = hashlib.sha256(bytes.fromhex(salt) + value.encode()).hexdigest()
        act = ({"type": "CheckpointKeyMade", "key": key.verifier.text} if index == 0 else
               {"type": "CompleteUserTask", "data": {"koreksi": {"h": hidden}}})
        body = canonical({"v": 1, "stream": stream, "sequence": sequence + 1, "prev": prev, "definition": "d" * 64,
                          "at": "2027-01-04T01:00:00.000000Z", "events": [filler] * 6, "engine": "alur 1",
                          "marking_hash": "e" * 64, "calendars": {"": "c" * 64},
                          "command": {"id": f"id-{index}", "actor": {"person": "camat", "position": "camat_lasem"},
                                      "act": act}})
        rows.append({"index": index, "stream": stream, "sequence": sequence + 1, "body": body})
        if index:
            values.append({"stream": stream, "sequence": sequence + 1, "path": "command.act.data.koreksi", "salt": salt,
                           "value": value})
        ends[stream] = (sequence + 1, hashlib.sha256(b"\0" + body.encode()).hexdigest())
    pack = Pack({}, rows, values, extra={"format": "alur-pack/1", "scope": "journal", "origin": key.name})
    pack.signed_anew(key)
    (tmp_path / "large.zip").write_bytes(pack.zipped())
    began = time.monotonic()
    code, said = run(tmp_path / "large.zip", "--english")
    seconds = time.monotonic() - began
    assert code == 0, said
    assert seconds < 60
    soak_table["100,000 rows and 99,999 values verified by verifier.py, a process of its own"] = f"{seconds:.1f} s"


def test_values_that_somebody_emptied_in_the_database_are_found_in_the_pack(evidence: Evidence, tmp_path: Path) -> None:
    (tmp_path / "alur.db").write_bytes((evidence.folder / "alur.db").read_bytes())
    office = Office.of(f"sqlite:///{tmp_path / 'alur.db'}", BPMN)
    with office.database.begin() as db:
        db.execute(journal_value.update().where(journal_value.c.stream == "organisation").values(value=None))
    with office.database.snapshot() as db:
        packs.of_journal(db, evidence.folder / "documents", tmp_path / "erased.zip")
        assert store.check(db).faults == []
    office.database.close()
    found = verified((tmp_path / "erased.zip").read_bytes(), tmp_path, evidence.older, evidence.newest)
    assert found and all("dikosongkan" in one and one.startswith("organisation #") for one in found)
