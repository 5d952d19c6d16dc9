"""The log: its tree against a naive one and against known roots, places without a gap, checkpoints, keys."""
from __future__ import annotations

import json
import re
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url, select
from sqlalchemy.exc import DBAPIError

from engine import checkpoints, cli_proof, ledger, organise, verifier
from engine.backup import backup, restore
from engine.bench import Office
from engine.checkpoints import Keeper, Place
from engine.commands import Actor
from engine.ledger import Checkpoint, Frontier, LedgerError, SigningKey, VerifierKey
from engine.mail import Mail, composed, mailer
from engine.organisation import AddPerson, AssignAudit, Change, GrantPower, local_date
from engine.packs import own_checkpoints
from engine.store import access, journal, notices, records
from engine.store import database as databases
from engine.store import ledger as store
from engine.store.database import Unavailable, migrate, open_database
from engine.store.schema import log_entry, log_pending, metadata
from engine.worker import Worker
from tests.conftest import PostgreSQL

BPMN = Path(__file__).resolve().parents[2] / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn"

# The eight leaves of Certificate Transparency's own tests, and the roots over the first one, two, ... of them.
LEAVES = [bytes.fromhex(one) for one in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"]
# A note that the authors of the format signed, with their key.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
QUOTE = ("If you think cryptography is the answer to your problem,\n"
         "then you don't know what your problem is.\n")
NOTE = (f"{QUOTE}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6K"
        "E6RyyBwJnAM=\n")
# RFC 8032, section 7.1: public key, message, signature.
ED25519 = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
     "655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
     "b00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
     "c027beceea1ec40a")]


def naive(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962, word by word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive(leaves[:k]) + naive(leaves[k:])).digest()


def some(size: int) -> list[bytes]:
    return [sha256(f"leaf {n}".encode()).digest() for n in range(size)]


def hashes_of(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    """The perfect subtrees, from what growing the tree leaf by leaf gave."""
    _, completed = Frontier().extended(leaves)

    def hash(level: int, index: int) -> bytes:
        leaf, offset = ledger.place(level, index)
        return leaves[leaf] if offset < 0 else completed[leaf][offset:offset + 32]
    return hash


# The tree

def test_the_roots_are_those_that_certificate_transparency_publishes() -> None:
    leaves = [records.leaf(one) for one in LEAVES]
    assert [Frontier().extended(leaves[:n + 1])[0].root.hex() for n in range(8)] == ROOTS
    assert {size: root.hex() for size, root in verifier.tree_roots(leaves, set(range(1, 9))).items()} == dict(
        enumerate(ROOTS, 1))
    assert Frontier().root == sha256(b"").digest()


@given(st.integers(0, 130), st.integers(0, 130))
def test_a_tree_that_grows_in_two_parts_is_the_naive_tree(first: int, second: int) -> None:
    leaves = some(first + second)
    begun, runs = Frontier().extended(leaves[:first])
    grown, more = begun.extended(leaves[first:])
    assert (grown.size, grown.root) == (len(leaves), naive(leaves))
    assert sum(map(len, runs + more)) == 32 * (len(leaves) - bin(len(leaves)).count("1"))     # one hash a join
    assert len(grown.hashes) == bin(len(leaves)).count("1")


@given(st.integers(1, 150), st.data())
def test_a_leaf_is_proved_to_stand_where_it_stands_and_nowhere_else(size: int, data: st.DataObject) -> None:
    leaves, index = some(size), data.draw(st.integers(0, size - 1))
    proof = ledger.proved(ledger.inclusion_ranges(index, size), hashes_of(leaves))
    assert ledger.root_from_inclusion(leaves[index], index, size, proof) == naive(leaves)
    assert verifier.root_from_inclusion(leaves[index], index, size, proof) == naive(leaves)
    assert len(proof) <= (size - 1).bit_length()
    other = sha256(b"another").digest()
    assert ledger.root_from_inclusion(other, index, size, proof) != naive(leaves)
    if proof:
        flipped = data.draw(st.integers(0, len(proof) - 1))
        forged = [*proof[:flipped], other, *proof[flipped + 1:]]
        assert verifier.root_from_inclusion(leaves[index], index, size, forged) != naive(leaves)
        assert verifier.root_from_inclusion(leaves[index], index, size, proof[:-1]) != naive(leaves)
        with pytest.raises(LedgerError):
            ledger.root_from_inclusion(leaves[index], index, size, proof[:-1])
    with pytest.raises(LedgerError):
        ledger.root_from_inclusion(leaves[index], index, size, [*proof, other])
    assert verifier.root_from_inclusion(leaves[index], index, size, [*proof, other]) is None


@given(st.integers(1, 150), st.integers(1, 150), st.data())
def test_a_log_is_proved_to_have_grown_and_a_rewritten_one_is_not(one: int, other: int, data: st.DataObject) -> None:
    old, new = sorted((one, other))
    leaves = some(new)
    proof = ledger.proved(ledger.consistency_ranges(old, new), hashes_of(leaves))
    rewritten = list(leaves[:old])
    rewritten[data.draw(st.integers(0, old - 1))] = sha256(b"another").digest()
    for judge in (ledger.is_consistent, verifier.is_consistent):
        assert judge(old, naive(leaves[:old]), new, naive(leaves), proof)
        assert not judge(old, naive(rewritten), new, naive(leaves), proof)
        assert not judge(old, naive(leaves[:old]), new, naive(rewritten), proof)
        if proof:
            assert not judge(old, naive(leaves[:old]), new, naive(leaves), proof[:-1])
            assert not judge(old, naive(leaves[:old]), new, naive(leaves), [*proof, proof[0]])


def test_what_has_no_proof_is_refused() -> None:
    for asked in (lambda: ledger.inclusion_ranges(3, 3), lambda: ledger.consistency_ranges(0, 3),
                  lambda: ledger.consistency_ranges(4, 3), lambda: ledger.root_from_inclusion(b"", 1, 1, [])):
        with pytest.raises(LedgerError):
            asked()


# Signed notes

def test_a_note_that_others_signed_is_read_and_written_the_same() -> None:
    key, secret = VerifierKey.parse(NEUMANN), SigningKey.parse(NEUMANN_SECRET)
    assert (key.text, secret.text, secret.verifier) == (NEUMANN, NEUMANN_SECRET, key)
    assert secret.signed(QUOTE) == NOTE
    assert ledger.signer(NOTE, [key]) == key
    assert verifier.signed(NOTE, [verifier.read_key(NEUMANN)]) is True
    assert NEUMANN_SECRET not in repr(secret)


def test_a_changed_note_is_refused_and_a_strangers_is_nobodys() -> None:
    key = VerifierKey.parse(NEUMANN)
    with pytest.raises(LedgerError, match="does not belong"):
        ledger.signer(NOTE.replace("answer", "ANSWER"), [key])
    assert verifier.signed(NOTE.replace("answer", "ANSWER"), [verifier.read_key(NEUMANN)]) is False
    stranger = SigningKey.of("stranger", bytes(32)).verifier
    assert ledger.signer(NOTE, [stranger]) is None
    assert verifier.signed(NOTE, [verifier.read_key(stranger.text)]) is None


@pytest.mark.parametrize("text", ["", "a\n", "a\n\n", "a\n\n\u2014 b\n", "a\n\n\u2014 b !!!\n", "a\n\nx b AAAAAAA=\n",
                                  "a\n\n\n"])
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        ledger.opened(text)


@pytest.mark.parametrize("text", ["o\n-1\n{}\n", "o\n01\n{}\n", "\n1\n{}\n", "o\n1\nAAAA\n", "o\n1\n",
                                  "o\n9" + "9" * 30 + "\n{}\n"])
def test_a_signed_note_that_is_no_checkpoint_is_refused(text: str) -> None:
    note = SigningKey.of("o", bytes(32)).signed(text.format("A" * 43 + "="))
    with pytest.raises(LedgerError):
        Checkpoint.parse(note)
    with pytest.raises(ValueError):
        verifier.read_checkpoint(note)


@pytest.mark.parametrize("text", ["", "a", "a+b+c", NEUMANN.replace("c74f20a3", "c74f20a4"),
                                  NEUMANN.replace("+AR", "+BR")])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        VerifierKey.parse(text)
    with pytest.raises(ValueError):
        verifier.read_key(text)
    with pytest.raises(LedgerError):
        SigningKey.parse(f"PRIVATE+KEY+{text}")


def test_the_verifiers_own_ed25519_agrees_with_the_rfc() -> None:
    for public, message, signature in ED25519:
        key, said, sealed = (bytes.fromhex(one) for one in (public, message, signature))
        assert verifier.ed25519_holds_slowly(key, sealed, said)
        assert not verifier.ed25519_holds_slowly(key, sealed, said + b"x")
        for place in (0, 31, 32, 63):
            flipped = bytearray(sealed)
            flipped[place] ^= 1
            assert not verifier.ed25519_holds_slowly(key, bytes(flipped), said)
    assert not verifier.ed25519_holds_slowly(bytes(31), bytes(64), b"")
    assert not verifier.ed25519_holds_slowly(b"\xff" * 32, bytes(64), b"")


# Places without a gap

def rows_of(office: Office) -> int:
    with office.database.read() as db:
        return len(db.execute(select(journal.journal.c.sequence)).all())


def log_of(office: Office) -> list[tuple[int, str, int]]:
    with office.database.read() as db:
        return [tuple(row) for row in db.execute(
            select(log_entry.c.index, log_entry.c.stream, log_entry.c.sequence).order_by(log_entry.c.index))]


def sound(office: Office) -> bool:
    with office.database.snapshot() as db:
        found = store.check(db)
    assert found.faults == []
    return found.waiting == 0


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "keys" / "checkpoint.key", "https://alur.example.go.id", tmp_path / "outside")


def test_every_row_of_every_stream_gets_one_index_in_the_order_of_its_stream(office: Office) -> None:
    office.begin(2026)
    with office.database.begin() as db:
        assert store.sequence(db, office.database.key, 10) == store.Sequenced(10, (), True)
    assert checkpoints.sequence_all(office.database) == rows_of(office) - 10
    found = log_of(office)
    assert [index for index, _, _ in found] == list(range(rows_of(office)))
    ends: dict[str, int] = {}
    for _, stream, sequence in found:
        assert sequence == ends.get(stream, 0) + 1
        ends[stream] = sequence
    assert sound(office)


def test_a_row_is_seen_once_it_is_committed_and_not_before(office: Office) -> None:
    checkpoints.sequence_all(office.database)
    before, key = log_of(office), office.database.key

    def written(db: Any) -> None:
        journal.append(db, key, stream="access", sequence=1, prev=None, command_id="one", at=office.at,
                       command={"type": "Nothing"}, events=())
    if office.database.dialect == "postgresql":
        with office.database.begin() as writing:
            written(writing)
            assert checkpoints.sequence_all(office.database) == 0
            assert log_of(office) == before
    else:
        with pytest.raises(ZeroDivisionError), office.database.begin() as db:
            written(db)
            raise ZeroDivisionError
        assert checkpoints.sequence_all(office.database) == 0
        with office.database.begin() as db:
            written(db)
    assert checkpoints.sequence_all(office.database) == 1
    assert log_of(office) == [*before, (len(before), "access", 1)]


def test_a_row_that_our_key_did_not_seal_gets_no_place_and_neither_do_those_behind_it(office: Office) -> None:
    checkpoints.sequence_all(office.database)
    before, stranger = log_of(office), bytes(32)
    with office.database.begin() as db:     # somebody who has the database and not the key
        hash = journal.append(db, stranger, stream="access", sequence=1, prev=None, command_id="one", at=office.at,
                              command={"type": "Nothing"}, events=())
    with office.database.begin() as db:
        journal.append(db, office.database.key, stream="access", sequence=2, prev=hash, command_id="two", at=office.at,
                       command={"type": "Nothing"}, events=())
        sequence, prev, _ = journal.head(db, "organisation")
        journal.append(db, office.database.key, stream="organisation", sequence=sequence + 1, prev=prev,
                       command_id="three", at=office.at, command={"type": "Nothing"}, events=())
    with office.database.begin() as db:
        done = store.sequence(db, office.database.key)
    assert (done.rows, len(done.refused)) == (1, 2)
    assert "access, row 1: the key of this installation did not seal it" in done.refused[0]
    assert log_of(office) == [*before, (len(before), "organisation", sequence + 1)]
    with office.database.snapshot() as db:
        assert store.waiting(db) == (2, 2)
        assert "access, row 1: it was refused a place in the log" in store.check(db).faults[0][1]
    with office.database.begin() as db:
        store.reconsider(db)
        assert len(store.sequence(db, office.database.key).refused) == 2       # nothing has been repaired


def test_the_database_itself_refuses_to_change_the_log(office: Office, place: Place) -> None:
    checkpoints.sign(office.database, place)
    size = len(log_of(office))
    hash = "X'00'" if office.database.dialect == "sqlite" else "'\\x00'::bytea"
    statements = [
        "UPDATE log_entry SET stream = 'x'", "DELETE FROM log_entry", "UPDATE checkpoint SET note = 'x'",
        "DELETE FROM checkpoint",
        f"INSERT INTO log_entry VALUES ({size + 1}, 'x', 1, {hash}, {hash})",             # leaves a gap
        f"INSERT INTO log_entry VALUES (0, 'x', 1, {hash}, {hash})",
        f"INSERT INTO log_entry SELECT {size}, stream, sequence, hash, hash FROM log_entry WHERE \"index\" = 0"]
    if office.database.dialect == "sqlite":
        statements += [f"INSERT OR REPLACE INTO log_entry VALUES (0, 'x', 1, {hash}, {hash})",
                       f"INSERT OR REPLACE INTO log_entry SELECT {size}, stream, sequence, hash, hash FROM log_entry "
                       "WHERE \"index\" = 0",
                       "INSERT OR REPLACE INTO checkpoint SELECT size, root, 'x', at FROM checkpoint",
                       "INSERT OR REPLACE INTO journal SELECT * FROM journal"]
    else:
        statements += ["TRUNCATE log_entry", "TRUNCATE checkpoint",
                       "INSERT INTO checkpoint SELECT size, root, 'x', at FROM checkpoint ON CONFLICT (size) "
                       "DO UPDATE SET note = 'x'"]
    for statement in statements:
        with pytest.raises(DBAPIError), office.database.begin() as db:
            db.exec_driver_sql(statement)
    assert sound(office)


def test_what_was_written_before_there_was_a_log_gets_its_place(database_url: str, place: Place) -> None:
    from alembic import command

    old = open_database(database_url, b"k" * 32)
    with old.begin() as db:
        command.upgrade(databases._alembic(db), "0003")
        prev = None
        for n in (1, 2, 3):
            prev = journal.append(db, old.key, stream="organisation", sequence=n, prev=prev, command_id=str(n),
                                  at=databases.now(db), command={"type": "Nothing"}, events=())
    migrate(old)
    assert checkpoints.sequence_all(old) == 3
    old.close()


def test_a_restored_journal_keeps_its_places_and_goes_on(office: Office, place: Place, tmp_path: Path) -> None:
    office.begin(2026)
    kept = checkpoints.sign(office.database, place)
    backup(office.database, tmp_path / "documents", tmp_path / "alur.zip", office.at)
    target = open_database(f"sqlite:///{tmp_path / 'restored.db'}", office.database.key)
    migrate(target)
    restore(target, tmp_path / "documents", tmp_path / "alur.zip")
    assert checkpoints.sequence_all(target) == 0
    with target.snapshot() as db:
        assert (store.size(db), store.waiting(db), store.check(db).faults) == (kept.size, (0, 0), [])
    assert checkpoints.sign(target, place) is None
    target.close()


# Checkpoints

def test_checkpoints_follow_from_each_other_as_the_log_grows(office: Office, place: Place) -> None:
    taken = []
    for year in (2026, 2027, 2028):
        office.begin(year)
        taken.append(checkpoints.sign(office.database, place))
    assert checkpoints.sign(office.database, place) is None        # nothing was added
    key = checkpoints.signing_key(place).verifier
    with office.database.snapshot() as db:
        (known,) = store.keys(db)
        assert (known.key, known.vouched) == (key, True)
        for old in taken:
            assert ledger.signer(old.note, [key]) == key
            assert Checkpoint.parse(old.note) == Checkpoint(key.name, old.size, old.root)
            for new in taken:
                if old.size <= new.size:
                    proof = store.consistency(db, old.size, new.size)
                    assert ledger.is_consistent(old.size, old.root, new.size, new.root, proof)
        newest = taken[-1]
        leaves = [bytes(one) for one in db.execute(select(log_entry.c.hash).order_by(log_entry.c.index)).scalars()]
        assert newest.root == naive(leaves)
        indexes = [0, 1, newest.size // 2, newest.size - 1]
        for index, proof in zip(indexes, store.inclusions(db, indexes, newest.size), strict=True):
            assert ledger.root_from_inclusion(leaves[index], index, newest.size, proof) == newest.root
    assert sound(office)


def test_it_is_signed_after_a_minute_or_a_thousand_rows_or_at_the_end(office: Office, place: Place) -> None:
    keeper = Keeper(office.database, place)
    first = keeper.round()
    office.begin(2026)
    assert keeper.round(first.at + timedelta(seconds=59)) is None
    second = keeper.round(first.at + timedelta(seconds=60))
    assert second.size > first.size
    assert keeper.round(second.at + timedelta(hours=1)) is None     # nothing was added
    office.begin(2027)
    third = keeper.round(second.at, closing=True)
    assert third.size > second.size
    with office.database.begin() as db:
        prev, key = None, office.database.key
        for n in range(1, checkpoints.EVERY_ROWS + 1):
            prev = journal.append(db, key, stream="access", sequence=n, prev=prev, command_id=str(n), at=office.at,
                                  command={"type": "Nothing"}, events=())
    fourth = keeper.round(third.at)
    assert fourth.size == third.size + checkpoints.EVERY_ROWS
    # Outside lies each of them, as it was signed, and never written again.
    assert sorted(one.name for one in place.folder.iterdir()) == [
        checkpoints.file_name(one.size) for one in (first, second, third, fourth)]
    assert (place.folder / checkpoints.file_name(third.size)).read_text(encoding="utf-8") == third.note
    assert not checkpoints.anchor(place, third)


@pytest.mark.database
def test_a_checkpoint_that_could_not_be_laid_outside_is_laid_there_later(office: Office, tmp_path: Path) -> None:
    place = Place(tmp_path / "keys" / "checkpoint.key", "https://alur.example", tmp_path / "outside")
    keeper = Keeper(office.database, place)
    office.begin(2026)
    (tmp_path / "outside").write_text("no folder")      # the share of the auditors is away
    with pytest.raises(Unavailable, match="cannot be written"):
        keeper.round()
    (tmp_path / "outside").unlink()
    assert keeper.round() is None, "nothing is to be signed any more"
    with office.database.read() as db:
        newest = store.newest(db)
    assert newest is not None
    assert (tmp_path / "outside" / checkpoints.file_name(newest.size)).read_text(encoding="utf-8") == newest.note


@pytest.mark.database
def test_the_key_is_for_its_owner_only_and_a_broken_one_is_said(tmp_path: Path) -> None:
    place = Place(tmp_path / "keys" / "checkpoint.key", "https://alur.example.go.id:8443/x")
    with pytest.raises(Unavailable, match="cannot be read"):
        checkpoints.signing_key(place)
    key = checkpoints.signing_key(place, first=True)
    assert stat.S_IMODE(place.key_file.stat().st_mode) == 0o600
    assert checkpoints.signing_key(place) == key
    assert key.name.startswith("alur.example.go.id:8443/alur-")
    place.key_file.chmod(0o640)
    with pytest.raises(Unavailable, match="Others may read"):
        checkpoints.signing_key(place)
    place.key_file.chmod(0o600)
    place.key_file.write_text("nothing")
    with pytest.raises(Unavailable, match="is no key"):
        checkpoints.signing_key(place)


def test_a_rotated_key_is_vouched_for_by_the_old_one_and_a_lost_ones_is_not(office: Office, place: Place) -> None:
    checkpoints.sign(office.database, place)
    old = checkpoints.signing_key(place).verifier
    actor = Actor(person="sistem", capacity="sistem", signed_in_by="cli")
    new = checkpoints.rotate(office.database, place, reason="Pejabat pemegang kunci berganti", actor=actor)
    assert checkpoints.signing_key(place).verifier == new != old
    signed = checkpoints.sign(office.database, place)
    assert ledger.signer(signed.note, [new]) == new
    place.key_file.unlink()
    with pytest.raises(Unavailable, match=r"cannot be read.*rotate --lost"):
        checkpoints.sign(office.database, place)
    assert not place.key_file.exists()
    databases.write_key(place.key_file, SigningKey.of("somebody", bytes(32)).text.encode())
    for again in (lambda: checkpoints.sign(office.database, place),
                  lambda: checkpoints.rotate(office.database, place, reason="x", actor=actor)):
        with pytest.raises(Unavailable, match="not the key that the journal has recorded"):
            again()
    lost = checkpoints.rotate(office.database, place, reason="Kunci hilang", actor=actor, lost=True)
    checkpoints.sign(office.database, place)
    with office.database.read() as db:
        assert [(one.key, one.vouched) for one in store.keys(db)] == [(old, True), (new, True), (lost, False)]
        entries = list(journal.read(db, store.STREAM, key=office.database.key))
        table = journal.journal
        body = db.execute(select(table.c.body).where(table.c.stream == store.STREAM)).scalars().all()
    assert [one.command["act"]["reason"] for one in entries[1:]] == ["Pejabat pemegang kunci berganti", "Kunci hilang"]
    assert b"Pejabat" not in b"".join(map(bytes, body))
    assert sound(office)


def test_a_rotation_that_a_crash_cut_short_is_finished(office: Office, place: Place) -> None:
    checkpoints.sign(office.database, place)
    before = place.key_file.read_bytes()
    actor = Actor(person="sistem", capacity="sistem", signed_in_by="cli")
    new = checkpoints.rotate(office.database, place, reason="Uji", actor=actor)
    place.key_file.rename(checkpoints._aside(place, new))       # as the crash would leave it
    place.key_file.write_bytes(before)
    place.key_file.chmod(0o600)
    kept = checkpoints.sign(office.database, place)
    assert ledger.signer(kept.note, [new]) == new
    assert [one.name for one in place.key_file.parent.iterdir() if one.name.startswith("checkpoint.key")] == [
        "checkpoint.key"]


def test_a_database_that_was_put_back_is_not_signed_until_somebody_says_why(office: Office, place: Place,
                                                                            tmp_path: Path) -> None:
    checkpoints.sign(office.database, place)
    backup(office.database, tmp_path / "documents", tmp_path / "alur.zip", office.at)
    office.begin(2026)
    later = checkpoints.sign(office.database, place)
    target = open_database(f"sqlite:///{tmp_path / 'restored.db'}", office.database.key)
    migrate(target)
    restore(target, tmp_path / "documents", tmp_path / "alur.zip")
    with pytest.raises(Unavailable, match="its end is missing") as refused:
        checkpoints.sign(target, place)
    assert refused.value.code == "forked"
    actor = Actor(person="sistem", capacity="sistem", signed_in_by="cli")
    checkpoints.rotate(target, place, reason="Dipulihkan dari cadangan", actor=actor)
    assert checkpoints.sign(target, place) is not None
    with target.read() as db:
        *_, entry = journal.read(db, store.STREAM)
    assert (entry.command["act"]["last_size"], entry.command["act"]["last_root"]) == (later.size, later.root.hex())
    target.close()


def test_a_log_that_was_rewritten_is_not_signed(office: Office, place: Place) -> None:
    checkpoints.sign(office.database, place)
    without_triggers(office)
    with office.database.begin() as db:
        db.exec_driver_sql("UPDATE log_entry SET hash = (SELECT hash FROM log_entry WHERE \"index\" = 1), subtrees = "
                           "subtrees WHERE \"index\" = 0")
        rows = db.execute(select(log_entry.c.hash).order_by(log_entry.c.index)).scalars().all()
        _, runs = Frontier().extended(map(bytes, rows))         # the whole tree made anew over it
        for index, run in enumerate(runs):
            db.execute(log_entry.update().where(log_entry.c.index == index).values(subtrees=run))
    office.begin(2026)
    with pytest.raises(Unavailable, match="something before was changed"):
        checkpoints.sign(office.database, place)


def without_triggers(office: Office) -> None:
    with office.database.begin() as db:
        if office.database.dialect == "sqlite":
            for name in db.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all():
                db.exec_driver_sql(f'DROP TRIGGER "{name}"')
        else:
            for name in metadata.tables:
                db.exec_driver_sql(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')


# What an owner of the database could do, and what is said of it

TAMPERINGS = {
    "a row out of the log": ('DELETE FROM log_entry WHERE "index" = 7', "7 was expected"),
    "a row out of the journal": ("DELETE FROM journal WHERE stream = 'organisation' AND sequence = 5",
                                 "not in the journal"),
    "a tail of the log": ('DELETE FROM log_entry WHERE "index" > 40', "its end was cut off"),
    "a hash in the log": ('UPDATE log_entry SET hash = subtrees WHERE "index" = 1', "another hash for it"),
    "a hash in both": ("UPDATE journal SET hash = (SELECT hash FROM log_entry WHERE \"index\" = 0) WHERE stream = "
                       "'organisation' AND sequence = 2; UPDATE log_entry SET hash = (SELECT hash FROM log_entry WHERE "
                       "\"index\" = 0) WHERE stream = 'organisation' AND sequence = 2",
                       "another root than the rows have now"),
    "two swapped": ('UPDATE log_entry SET "index" = 999 WHERE "index" = 5; UPDATE log_entry SET "index" = 5 WHERE '
                    '"index" = 6; UPDATE log_entry SET "index" = 6 WHERE "index" = 999', "does not follow in the log"),
    "a subtree": ('UPDATE log_entry SET subtrees = hash WHERE "index" = 3', "subtrees beside it are not"),
    "a checkpoint's root": ("UPDATE checkpoint SET root = (SELECT hash FROM log_entry WHERE \"index\" = 0)",
                            "says another size or root"),
    "a checkpoint's note": ("UPDATE checkpoint SET note = replace(note, 'alur.example', 'olur.example')", "no key"),
    "a checkpoint's signature": ("UPDATE checkpoint SET note = substr(note, 1, length(note) - 10) || 'AAAAAAAA' || "
                                 "substr(note, length(note) - 1)", "The checkpoint of size"),
    "a row beside the log": ("DELETE FROM log_pending", "was not written by Alur"),
}


class Undone(Exception):
    """Takes a tampering back, so that the next one stands alone."""


def test_every_tampering_of_the_log_is_found_and_named(office: Office, place: Place) -> None:
    checkpoints.sign(office.database, place)
    office.begin(2026)                      # rows that wait
    without_triggers(office)
    found: dict[str, list[str]] = {}
    for name, (statement, _) in TAMPERINGS.items():
        with suppress(Undone), office.database.begin() as db:
            for one in statement.split("; "):
                db.exec_driver_sql(one)
            found[name] = [message for _, message in store.check(db).faults]
            raise Undone
    assert [name for name, (_, says) in TAMPERINGS.items() if not any(says in one for one in found[name])] == [], found
    with office.database.snapshot() as db:
        assert store.check(db).faults == []


def test_the_worker_signs_what_is_left_when_it_is_told_to_stop(office: Office, place: Place) -> None:
    stop = threading.Event()
    worker = Worker(office.database, office.rules, poll_seconds=0.05, keeper=Keeper(office.database, place))
    office.begin(2026)
    stop.set()
    worker.run(stop)
    with office.database.read() as db:
        assert store.newest(db).size == store.size(db) == rows_of(office)


def test_a_log_that_cannot_be_signed_stops_no_worker_and_the_doctor_is_told(office: Office, place: Place) -> None:
    place.key_file.parent.mkdir(parents=True)
    place.key_file.write_text("nothing")
    worker = Worker(office.database, office.rules, keeper=Keeper(office.database, place))
    worker.keep_log(closing=True)
    with office.database.begin() as db:
        assert store.newest(db) is None
        assert cli_proof.state(db) == (False, f"{store.size(db)} rows have their place and could not be signed; say: "
                                              "alur checkpoint now")
        journal.append(db, bytes(32), stream="access", sequence=1, prev=None, command_id="one", at=office.at,
                       command={"type": "Nothing"}, events=())
        assert store.sequence(db, office.database.key).refused
    with office.database.read() as db:
        assert cli_proof.state(db) == (False, "1 rows were refused a place in the log; say: alur verify")


# Who is told

def test_each_auditor_is_sent_the_days_checkpoint_once_and_can_use_the_mail_itself(office: Office,
                                                                                 place: Place) -> None:
    by = Actor(person="sistem", capacity="sistem", signed_in_by="cli")
    today = local_date(office.at, "Asia/Jakarta").isoformat()
    with office.database.begin() as db:
        for n, (id, email) in enumerate((("auditor1", "auditor1@inspektorat.example"), ("auditor2", None))):
            organise.change_all(db, office.database.key, [
                Change(id=f"add-{n}", at=office.at, actor=by, act=AddPerson(person=id, name=f"Auditor {n}", login=id,
                                                                          email=email)),
                Change(id=f"assign-{n}", at=office.at, actor=by, act=AssignAudit(
                    assignment=f"st{n}", person=id, number="700/1", units=("kecamatan_lasem",),
                    valid_from=today, valid_until=(office.at + timedelta(days=3)).date().isoformat()))])
        organise.change_all(db, office.database.key, [
            Change(id="add-over", at=office.at, actor=by, act=AddPerson(
                person="over", name="Auditor lama", login="lama", email="lama@inspektorat.example")),
            Change(id="assign-over", at=office.at, actor=by, act=AssignAudit(
                assignment="over", person="over", number="700/0", units=("kecamatan_lasem",),
                valid_from="2020-01-01", valid_until=(office.at - timedelta(days=2)).date().isoformat())),
            Change(id="add-old", at=office.at, actor=by, act=AddPerson(person="old", name="Auditor", login="old")),
            Change(id="grant-old", at=office.at, actor=by, act=GrantPower(person="old", power="auditor"))])
        assert notices.auditors(db, local_date(office.at, "Asia/Jakarta")) == [
            "auditor", "auditor1", "auditor2", "old"]
    keepers = [Keeper(office.database, place, "https://alur.example.go.id") for _ in range(2)]
    for one in keepers:
        one.round(office.at)
        one.round(office.at + timedelta(hours=1))
    with office.database.read() as db:
        (mail,) = [one for one in notices.to_send(db, office.at, 10) if one.kind == notices.CHECKPOINT]
        kept = store.newest(db)
        # It is a mail and nothing else; the letter itself is told in both ways.
        assert {one.kind for one in notices.of_person(db, "auditor1")} == {organise.CHANGED}
    assert (mail.person, mail.kind, mail.mail) == ("auditor1", notices.CHECKPOINT, "waits")
    (said,) = own_checkpoints(mail.body.encode())
    assert said == Checkpoint.parse(kept.note)
    assert checkpoints.signing_key(place).verifier.text in mail.body
    sent = Mail(id=mail.id, to="auditor1@inspektorat.example", subject=mail.subject, body=mail.body, at=office.at)
    saved = composed(sent, mailer("smtp://mail.example", "", "https://alur.example.go.id")).as_bytes()
    assert b"=E2=80=94" in saved            # as it travels; an auditor saves it so
    assert own_checkpoints(saved) == [said]
    keepers[0].round(office.at + timedelta(days=1))
    with office.database.read() as db:
        sent_twice = notices.to_send(db, office.at + timedelta(days=2), 10)
        assert [one.kind for one in sent_twice].count(notices.CHECKPOINT) == 2


def test_nothing_waits_for_its_place_in_a_backup(office: Office) -> None:
    office.begin(2026)
    with office.database.read() as db:
        assert db.execute(select(log_pending.c.id)).first() is not None
        assert json.dumps(store.waiting(db)) == json.dumps([rows_of(office), 0])


# The roles of docs/proof.md

def test_the_roles_of_the_manual_let_the_application_work_and_change_no_evidence(postgresql: PostgreSQL,
                                                                               postgresql_office: str,
                                                                               place: Place) -> None:
    manual = (Path(__file__).resolve().parents[2] / "docs" / "proof.md").read_text(encoding="utf-8")
    (statements,) = re.findall(r"```sql\n(.*?)```", manual, re.S)
    with postgresql.copy(postgresql_office) as url:
        owner = open_database(url, b"b" * 32)
        with owner.begin() as db:
            for statement in statements.split(";\n"):
                if statement.strip():
                    db.exec_driver_sql(statement)
        owner.close()
        try:
            used_as(make_url(url).set(username="alur_app").render_as_string(), place)
            auditor = open_database(make_url(url).set(username="alur_auditor").render_as_string(), bytes(32))
            with auditor.snapshot() as db:
                assert db.execute(select(log_entry.c.index)).first() is not None
            with pytest.raises(DBAPIError, match="permission denied"), auditor.read() as db:
                db.exec_driver_sql("SELECT password_hash FROM credential")
            auditor.close()
        finally:                            # roles are of the whole server, and this one has other tests
            owner = open_database(url, b"b" * 32)
            with owner.begin() as db:
                db.exec_driver_sql("DROP OWNED BY alur_app, alur_auditor")
                db.exec_driver_sql("DROP ROLE alur_app, alur_auditor")
            owner.close()


def used_as(url: str, place: Place) -> None:
    """Work as the application's role, and try what it must not do."""
    office = Office.of(url, BPMN)
    office.begin(2026)
    assert checkpoints.sign(office.database, place) is not None
    with office.database.begin() as db:
        db.exec_driver_sql("UPDATE journal_value SET value = NULL WHERE stream = 'organisation' AND sequence = 1")
    for statement in ("UPDATE journal SET body = body", "DELETE FROM journal", "TRUNCATE journal",
                      "UPDATE journal_value SET salt = salt", "DELETE FROM log_entry",
                      "UPDATE checkpoint SET note = ''",
                      "ALTER TABLE journal DISABLE TRIGGER ALL", "DROP TRIGGER journal_not_changed ON journal",
                      "SET session_replication_role = replica"):
        refused = r"permission denied|must be owner|append only"
        with pytest.raises(DBAPIError, match=refused), office.database.begin() as db:
            db.exec_driver_sql(statement)
    office.database.close()


# What is in somebody's journal

OLD_KEY = "a/b+2511a4ea+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
NEW_KEY = "a/b+ed8e9a3e+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
FROZEN: list[dict[str, Any]] = [        # written once, never again
    {"key": OLD_KEY, "type": "CheckpointKeyMade"},
    {"before": OLD_KEY, "key": NEW_KEY, "last_root": "ab" * 32, "last_size": 7, "type": "CheckpointKeyRotated",
     "statement": f"alur.key-rotation/1\na/b\n{NEW_KEY}\n\n\u2014 a/b JRGk6tEX4975rCGjLKaIfQ7FwojMNXtlORVnhwqthT8+Xm8k"
                  "LggbzXyNHnr+To5uF1dCtDegTl/Xm9tfVpXl3dit1AM=\n"},
    {"root": "ab" * 32, "size": 7, "type": "PackTaken", "what": "journal"},
]


def test_the_rows_of_keys_and_packs_say_what_they_said(database_url: str) -> None:
    database = open_database(database_url, bytes(32))
    migrate(database)
    at = datetime(2027, 2, 2, 3, 15, 0, 5, tzinfo=UTC)
    actor = Actor(person="sistem", capacity="sistem", signed_in_by="worker")
    old, new = (SigningKey.of("a/b", bytes([n]) * 32) for n in (0, 1))
    acts = [store.CheckpointKeyMade(key=old.verifier.text),
            store.CheckpointKeyRotated(key=new.verifier.text, before=old.verifier.text, reason="Kunci dicuri",
                                       statement=store.statement(old, new.verifier), last_size=7, last_root="ab" * 32)]
    with database.begin() as db:
        for id, act in zip(("one", "two"), acts, strict=True):
            store.record_key(db, database.key, act, id=id, actor=actor, at=at)
        access.record(db, database.key, access.PackTaken(what="journal", size=7, root="ab" * 32), actor, at)
        table = journal.journal
        bodies = [json.loads(bytes(one)) for one in db.execute(
            select(table.c.body).order_by(table.c.stream.desc(), table.c.sequence)).scalars()]
    database.close()
    said = [body["command"]["act"] for body in bodies]
    assert said[1].pop("reason").keys() == {"h"}
    assert said == FROZEN
