#!/usr/bin/env python3
"""Checks a pack that Alur has exported, without Alur: python3 verifier.py PACK.zip [--checkpoint FILE]... [--english]

For auditors, who trust neither the office nor its administrator. One file, Python 3.10 or newer and nothing else, no
network; where the library `cryptography` is installed it verifies the signatures, else the few lines at the end do.

What is in a pack (docs/proof.md): `journal.jsonl`, one row a line, each with its index in the log and its body exactly
as it was hashed; `values.jsonl`, what people typed, beside the bodies, that hold only salted hashes of it;
`checkpoints/SIZE.txt`, signed: so many rows, with this root over them all; `documents/SHA-256`, `definitions/SHA-256`.

What is checked, in this order; the first thing that is wrong is named with its place:
 1. The pack is whole: every file is the one that manifest.json lists.
 2. Every body is canonical JSON, of the row that it stands in, and follows from the row before it in its stream.
 3. Every value is the one whose salted hash stands in its body. Where it was erased the hash stays, and a later row
    says by which letter: a value that is missing without such a row was taken away.
 4. The keys: the first, and each later one as the one before it signed (or as you vouch yourself: --key).
 5. Every checkpoint has a signature of one of these keys.
 6. The rows lead to the root of the checkpoint: all of them together (a whole journal), or each by its proof.
 7. The older checkpoints of the pack, and YOURS, say the same of the same rows. This is the step that finds a history
    that was rewritten as a whole, with all keys: keep your own checkpoints where the office cannot reach them.
 8. Every document and diagram in the pack is the one whose SHA-256 a body names.
"""
from __future__ import annotations

import argparse
import base64
import email
import email.policy
import hashlib
import itertools
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

MOST_SHOWN = 20
LARGEST_FILE = 2_000_000_000            # bytes, unpacked; a pack that claims more is not read

TEXTS = {                               # what is said: (Indonesian, English)
    "whole": ("Paket utuh: {0} berkas.", "The pack is whole: {0} files."),
    "rows": ("{0} baris jurnal dalam {1} aliran: isi, sidik, dan rantai tiap baris cocok.",
             "{0} journal rows in {1} streams: the body, hash and chain of each agree."),
    "values": ("{0} nilai di samping jurnal cocok dengan sidiknya; {1} sudah dihapus (sidiknya tetap).",
               "{0} values beside the journal have their hashes; {1} were erased (their hashes stay)."),
    "lawful": ("{0} nilai dan {1} berkas dihapus menurut hukum, {2} nomor {3} (dasar: {4}). Bukan pemalsuan: "
               "barisnya tetap, isinya tidak dapat diperiksa lagi.",
               "{0} values and {1} files erased by law, {2} number {3} (basis: {4}). No tampering: the rows stay, "
               "what they said can no longer be checked."),
    "request": ("atas permintaan", "on request"),
    "disposal": ("dimusnahkan dengan berita acara", "disposed of by the berita acara"),
    "people": ("{0} nilai tentang orang dan pemohon dihapus menurut hukum, menurut catatan dalam aliran retention.",
               "{0} values about people and applicants erased by law, as rows of the stream retention say."),
    "keys": ("Kunci penanda tangan, bandingkan dengan yang pernah Anda terima:",
             "The keys that sign; compare them with what you were sent:"),
    "root": ("Akar Merkle {0} baris sama dengan titik periksa yang ditandatangani: {1}",
             "The Merkle root of {0} rows is that of the signed checkpoint: {1}"),
    "proofs": ("{0} baris terbukti ada di dalam log {1} baris yang ditandatangani; akar {2}",
               "{0} rows are proved to stand in the signed log of {1} rows; root {2}"),
    "older": ("{0} titik periksa lain dalam paket mengatakan hal yang sama.",
              "{0} other checkpoints of the pack say the same."),
    "own": ("Titik periksa Anda ({0}, {1} baris): SESUAI. Tidak satu pun dari {1} baris itu diubah, dihapus, "
            "disisipkan, atau ditukar.",
            "Your checkpoint ({0}, {1} rows): AGREES. None of these rows was changed, removed, inserted or moved."),
    "no own": ("Anda tidak memberikan titik periksa sendiri: riwayat yang ditulis ulang seluruhnya oleh pemegang kunci "
               "TIDAK dapat diketahui dari paket ini saja. Pakai --checkpoint BERKAS.",
               "You gave no checkpoint of your own: a history rewritten as a whole by who holds the keys CANNOT be "
               "told from this pack alone. Use --checkpoint FILE."),
    "documents": ("{0} berkas (dokumen dan diagram) sama dengan yang disebut jurnal.",
                  "{0} files (documents and diagrams) are those that the journal names."),
    "absent": ("{0} berkas disebut jurnal tetapi tidak disertakan dalam paket ini.",
               "{0} files are named by the journal and not in this pack."),
    "holds": ("HASIL: SAH. Semua yang dapat diperiksa cocok.", "RESULT: HOLDS. All that can be checked agrees."),
    "fails": ("HASIL: TIDAK SAH. {0} temuan, yang pertama: {1}", "RESULT: DOES NOT HOLD. {0} findings, the first: {1}"),
    "shows": ("Yang dibuktikan: isi paket adalah yang ditandatangani pada titik periksa, lengkap dan berurutan di "
              "dalam tiap aliran; nilai dan dokumen adalah yang dicatat saat itu.",
              "What is proved: the pack holds what was signed at the checkpoint, complete and in order within each "
              "stream; values and documents are those recorded then."),
    "cannot": ("Yang TIDAK dapat dibuktikan: bahwa yang dicatat itu benar sejak awal; siapa yang sebenarnya duduk di "
               "depan layar; kejadian yang tidak pernah dicatat; perubahan sesudah titik periksa terakhir yang "
               "disimpan pihak luar, bila kunci penanda tangan dicuri; dan apa pun bila kantor itu menguasai semua "
               "titik periksa.",
               "What CANNOT be proved: that what was recorded was true; who really sat at the screen; what was never "
               "recorded; what was changed after the last checkpoint that an outsider keeps, if the signing key was "
               "stolen; and nothing at all, if the office controls every checkpoint."),
    # Findings
    "no pack": ("{0}: bukan paket Alur yang dapat dibaca ({1}).", "{0}: no pack of Alur that can be read ({1})."),
    "not listed": ("{0}: tidak tercantum dalam manifest.json.", "{0}: not listed in manifest.json."),
    "missing": ("{0}: tercantum dalam manifest.json tetapi tidak ada.", "{0}: listed in manifest.json and not there."),
    "altered": ("{0}: bukan berkas yang tercantum dalam manifest.json.", "{0}: not the file that manifest.json lists."),
    "line": ("{0}, baris berkas {1}: tidak dapat dibaca.", "{0}, line {1}: cannot be read."),
    "index": ("{0}: indeks log {1}, seharusnya {2}.", "{0}: log index {1}, where {2} was expected."),
    "body": ("{0}: isinya bukan JSON kanonis.", "{0}: its body is no canonical JSON."),
    "other row": ("{0}: isinya milik baris lain.", "{0}: its body is of another row."),
    "chain": ("{0}: tidak bersambung dengan baris sebelumnya.", "{0}: does not follow from the row before it."),
    "no row": ("{0}: nilai milik baris yang tidak ada.", "{0}: a value of a row that is not there."),
    "value": ("{0}: nilai pada {1} bukan yang dicatat.", "{0}: the value at {1} is not the one recorded."),
    "no value": ("{0}: nilai pada {1} tidak ada, juga tidak tercatat sebagai dihapus.",
                 "{0}: the value at {1} is missing, and is not said to be erased."),
    "blank": ("{0}: nilai pada {1} dikosongkan tanpa satu baris pun yang mencatat penghapusannya.",
              "{0}: the value at {1} was emptied, and no row says that it was erased."),
    "key": ("{0}: kunci tidak dapat dibaca.", "{0}: a key that cannot be read."),
    "unvouched": ("{0}: kunci {1} tidak disahkan oleh kunci sebelumnya; pastikan sendiri dari mana kunci itu.",
                  "{0}: key {1} was not vouched for by the one before; find out yourself where it comes from."),
    "strange keys": ("Tidak satu pun kunci dalam paket adalah kunci yang Anda sebut.",
                     "None of the keys in the pack is one that you named."),
    "no keys": ("Paket tidak memuat kunci penanda tangan.", "The pack holds no key that signs."),
    "no checkpoint": ("Paket tidak memuat titik periksa.", "The pack holds no checkpoint."),
    "note": ("{0}: bukan titik periksa yang dapat dibaca.", "{0}: no checkpoint that can be read."),
    "signature": ("{0}: tanda tangannya tidak sah.", "{0}: its signature does not hold."),
    "origin": ("{0}: milik log lain ({1}).", "{0}: of another log ({1})."),
    "unknown key": ("{0}: ditandatangani kunci yang tidak dikenal.", "{0}: signed by no known key."),
    "size": ("Paket memuat {0} baris, titik periksanya {1}.", "The pack holds {0} rows, its checkpoint {1}."),
    "wrong root": ("{0}: {1} baris pertama berbeda dari yang ditandatangani (ada yang diubah, dihapus, disisipkan).",
                   "{0}: the first {1} rows differ from what was signed (something was changed, removed or inserted)."),
    "proof": ("{0}: tidak terbukti ada di dalam log yang ditandatangani.",
              "{0}: not proved to stand in the signed log."),
    "longer": ("{0}: {1} baris pernah ditandatangani, paket ini hanya memuat {2}: ekornya dipotong, atau paket ini "
               "lebih tua.", "{0}: {1} rows were signed once, this pack has {2}: its end was cut off, or it is older."),
    "no consistency": ("{0}: paket ini tidak memuat bukti untuk {1} baris. Minta paket baru dengan titik periksa ini.",
                       "{0}: this pack has no proof for {1} rows. Ask for a new pack, naming this checkpoint."),
    "fork": ("{0}: BERCABANG. {1} baris yang pernah Anda terima bukan yang ada sekarang.",
             "{0}: A FORK. The {1} rows that you were once sent are not those of now."),
    "partial": ("Paket ini memuat sebagian log: ia tidak membuktikan bahwa sesudah titik periksanya, atau di aliran "
                "lain, tidak ada baris lagi.",
                "This pack has a part of the log: it does not prove that there are no other rows, later or elsewhere."),
    "attention": ("PERHATIAN: {0}", "ATTENTION: {0}"),
    "restored": ("{0}: kunci diganti sesudah {1} baris ditandatangani, log saat itu {2} baris. Tanyakan alasannya.",
                 "{0}: the key was changed after {1} rows were signed, the log then had {2}. Ask why."),
    "document": ("{0}: isinya bukan yang disebut namanya.", "{0}: its content is not what its name says."),
    "unnamed": ("{0}: tidak disebut oleh satu baris pun.", "{0}: no row names it."),
}


class Report:
    """What was found and what holds; `say` gives a sentence in the chosen language."""

    def __init__(self, english: bool = False) -> None:
        self.language = 1 if english else 0
        self.findings: list[str] = []
        self.held: list[str] = []

    def say(self, text: str, *words: object) -> str:
        return TEXTS[text][self.language].format(*words)

    def wrong(self, text: str, *words: object) -> None:
        self.findings.append(self.say(text, *words))

    def attention(self, text: str, *words: object) -> None:
        self.held.append(self.say("attention", self.say(text, *words)))

    def holds(self, text: str, *words: object) -> None:
        self.held.append(self.say(text, *words))


# The whole check

def verify(pack: str, own: list[str], trusted: list[str], english: bool = False) -> Report:
    """Check the file `pack` and, against it, the files `own` of checkpoints that the auditor has kept.

    trusted  keys that the auditor was sent, or has made sure of where no earlier key vouches for one. One of the
             pack's must be among them, where any is given.
    """
    report = Report(english)
    try:
        with zipfile.ZipFile(pack) as archive:
            Check(archive, report, trusted).all(own)
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError,
            RuntimeError, zlib.error) as error:         # RuntimeError: locked, an unknown compression, too deep
        report.wrong("no pack", pack, f"{type(error).__name__}: {error}")
    return report


class Check:
    def __init__(self, archive: zipfile.ZipFile, report: Report, trusted: list[str]) -> None:
        self.archive, self.report, self.trusted = archive, report, trusted
        self.rows: dict[tuple[str, int], dict[str, Any]] = {}   # (stream, sequence) -> index, leaf, hidden, proof, act
        self.leaves: list[bytes] = []                   # of a whole journal, in the order of the log
        self.keys: list[tuple[str, bytes]] = []         # (name, public key), the newest last
        self.named: set[str] = set()                    # every SHA-256 that a body names
        self.attached: set[str] = set()                 # those of files that somebody attached
        self.letters: list[dict[str, Any]] = []         # acts of erasing, in their order
        self.lawful: set[tuple[str, str]] = set()       # (stream, "SEQUENCE:PATH") of what they say was erased
        self.asked: dict[str, int] = {}                 # request for erasure -> its row in the stream retention

    def all(self, own: list[str]) -> None:
        manifest = self.manifest()
        self.journal(manifest["scope"] == "journal")
        self.values()
        self.signing_keys()
        checkpoints = self.checkpoints()
        if checkpoints:
            self.against(manifest, checkpoints, own)
        self.files()

    # 1. The pack

    def manifest(self) -> dict[str, Any]:
        manifest = json.loads(self.archive.read("manifest.json"))
        names = [one.filename for one in self.archive.infolist()]
        if manifest["format"] != "alur-pack/1" or len(names) != len(set(names)):
            raise ValueError("manifest.json")
        listed = manifest["files"]
        for name in names:
            if name != "manifest.json" and name not in listed:
                self.report.wrong("not listed", name)
        for name, digest in listed.items():
            if name not in names:
                self.report.wrong("missing", name)
            elif hashlib.sha256(self.read(name)).hexdigest() != digest:
                self.report.wrong("altered", name)
        self.report.holds("whole", len(names))
        return manifest

    def read(self, name: str) -> bytes:
        if self.archive.getinfo(name).file_size > LARGEST_FILE:
            raise ValueError(f"{name} is too large")
        try:
            return self.archive.read(name)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ValueError(f"{name}: {error}") from error

    def lines(self, name: str, shape: dict[str, Any]) -> Iterator[Any]:
        """The lines of a file, each an object with values of these types, written in the one way there is."""
        *lines, rest = self.read(name).split(b"\n")
        if rest:
            self.report.wrong("line", name, len(lines) + 1)
        for number, line in enumerate(lines, 1):
            try:
                value = json.loads(line)
                right = line == canonical(value) and isinstance(value, dict) and value.keys() <= shape.keys() and all(
                    isinstance(value.get(one), kind) for one, kind in shape.items())
            except ValueError:
                right = False
            if right:
                yield value
            else:
                self.report.wrong("line", name, number)

    # 2. The rows

    def journal(self, whole: bool) -> None:
        ends: dict[str, tuple[int, str | None]] = {}    # stream -> (sequence, hash) of its newest row here
        last = -1
        shape = {"index": int, "stream": str, "sequence": int, "body": str, "proof": (list, type(None))}
        for row in self.lines("journal.jsonl", shape):
            stream, sequence, index, body = row["stream"], row["sequence"], row["index"], row["body"].encode()
            place = f"{stream} #{sequence}"
            if (index != last + 1) if whole else (index <= last):
                self.report.wrong("index", place, index, last + 1)
            last = index
            leaf = hashlib.sha256(b"\x00" + body).digest()
            try:
                said = json.loads(body)
                well = canonical(said) == body and isinstance(said, dict)
            except ValueError:
                said, well = {}, False
            before, prev = ends.get(stream, (0, None))
            if not well:
                self.report.wrong("body", place)
            elif (said.get("stream"), said.get("sequence")) != (stream, sequence):
                self.report.wrong("other row", place)
            elif sequence != before + 1 or said.get("prev") != prev:
                self.report.wrong("chain", place)
            ends[stream] = (sequence, leaf.hex())
            hidden = dict(hashes(said.get("command"), "command")) if well else {}
            self.rows[stream, sequence] = {"i": index, "leaf": leaf, "hidden": hidden, "proof": row.get("proof"),
                                           "act": key_act(said) if well and stream == "checkpoint" else None}
            if well:
                self.erasing(stream, sequence, said)
            self.leaves.append(leaf)
            self.named.update(re.findall(r"[0-9a-f]{64}", row["body"]))
            self.attached.update(re.findall(r'"sha256":"([0-9a-f]{64})","size_bytes":', row["body"]))
        self.report.holds("rows", len(self.rows), len(ends))

    def erasing(self, stream: str, sequence: int, said: dict[str, Any]) -> None:
        """Remember what a row says was erased: of its own stream, or of one that has no row of its own for it."""
        act = (said.get("command") or {}).get("act")
        act = act if isinstance(act, dict) else {}
        if act.get("type") == "EraseValues":
            self.letters.append(act)
            self.lawful.update((stream, one) for one in act["values"])
        elif stream == "retention" and act.get("type") == "RequestErasure":
            self.asked[act["request"]] = sequence
        elif stream == "retention" and act.get("type") == "DecideErasure" and act["approved"]:
            self.lawful.add((stream, f"{self.asked.get(act['request'])}:command.act.subject"))
        for event in said.get("events") or ():
            if stream == "retention" and event.get("type") == "Gone":
                self.lawful.update((event["stream"], one) for one in event["values"])

    # 3. The values beside them

    def values(self) -> None:
        kept = erased = others = 0
        letters = {(stream, one) for stream, one in self.lawful if stream.startswith("instance/")}
        shape = {"stream": str, "sequence": int, "path": str, "salt": str, "value": (str, type(None))}
        for one in self.lines("values.jsonl", shape):
            place, path = f"{one['stream']} #{one['sequence']}", one["path"]
            row = self.rows.get((one["stream"], one["sequence"]))
            if row is None:
                self.report.wrong("no row", place)
                continue
            wanted = row["hidden"].pop(path, None)
            if one["value"] is None:
                erased += 1
                where = (one["stream"], f"{one['sequence']}:{path}")
                if wanted is None:
                    self.report.wrong("value", place, path)
                elif where not in self.lawful:
                    self.report.wrong("blank", place, path)
                others += where not in letters
                continue
            kept += 1
            if hashlib.sha256(unhex(one["salt"]) + one["value"].encode()).hexdigest() != wanted:
                self.report.wrong("value", place, path)
        for (stream, sequence), row in self.rows.items():
            for path in row["hidden"]:
                self.report.wrong("no value", f"{stream} #{sequence}", path)
        self.report.holds("values", kept, erased)
        for act in self.letters:
            how = self.report.say("disposal" if act["disposal"] else "request")
            self.report.holds("lawful", len(act["values"]), len(act["files"]), how, act["number"], act["basis"])
        if others:
            self.report.holds("people", others)

    # 4. The keys

    def signing_keys(self) -> None:
        for (stream, sequence), row in sorted(self.rows.items()):
            if row["act"] is None:
                continue
            place, act = f"{stream} #{sequence}", row["act"]
            try:
                key = read_key(act["key"])
            except ValueError:
                self.report.wrong("key", place)
                continue
            vouched = not self.keys and act["type"] == "CheckpointKeyMade"
            if self.keys and act.get("statement"):
                text = f"alur.key-rotation/1\n{self.keys[-1][0]}\n{act['key']}\n"
                said = act["statement"].rpartition("\n\n")[0] + "\n"
                vouched = said == text and signed(act["statement"], self.keys[-1:]) is True
            if not vouched:
                tell = self.report.attention if act["key"] in self.trusted else self.report.wrong
                tell("unvouched", place, act["key"])
            if act.get("last_size", 0) > row["i"]:
                self.report.attention("restored", place, act["last_size"], row["i"])
            self.keys.append(key)
        if not self.keys:
            self.report.wrong("no keys")
        elif self.trusted and not any(key_text(*key) in self.trusted for key in self.keys):
            self.report.wrong("strange keys")
        self.report.held.append("\n  ".join([self.report.say("keys"), *(key_text(*key) for key in self.keys)]))

    # 5. The signatures

    def checkpoints(self) -> list[tuple[int, bytes]]:
        """(size, root) of each checkpoint of the pack that holds, the largest last."""
        names = sorted(one for one in self.archive.namelist() if one.startswith("checkpoints/"))
        found = [one for name in names if (one := self.checkpoint(name, self.read(name).decode("utf-8", "replace")))]
        if not names:
            self.report.wrong("no checkpoint")
        return sorted(found)

    def checkpoint(self, name: str, note: str) -> tuple[int, bytes] | None:
        try:
            origin, size, root = read_checkpoint(note)
        except ValueError:
            self.report.wrong("note", name)
            return None
        if self.keys and origin != self.keys[-1][0]:
            self.report.wrong("origin", name, origin)
        elif (held := signed(note, self.keys)) is None:
            self.report.wrong("unknown key", name)
        elif not held:
            self.report.wrong("signature", name)
        else:
            return size, root
        return None

    # 6. and 7. The rows against the checkpoint; the checkpoints against each other and against the auditor's own

    def against(self, manifest: dict[str, Any], checkpoints: list[tuple[int, bytes]], own: list[str]) -> None:
        mine = [(name, one) for name in own for one in self.own(name)]
        if manifest["scope"] == "journal":
            size, root = checkpoints[-1]
            if size != len(self.leaves):
                self.report.wrong("size", len(self.leaves), size)
            roots = tree_roots(self.leaves, {one for one, _ in checkpoints} | {one for _, (one, _) in mine})
            for one, said in checkpoints:
                if one <= len(self.leaves) and roots[one] != said:
                    self.report.wrong("wrong root", f"checkpoints/{one:012}.txt", one)
            self.report.holds("root", size, root.hex())
        else:
            size, root = next((one for one in checkpoints if one[0] == manifest["size"]), checkpoints[-1])
            for (stream, sequence), row in self.rows.items():
                proof = [unhex(one) for one in row["proof"] or ()]
                if root_from_inclusion(row["leaf"], row["i"], size, proof) != root:
                    self.report.wrong("proof", f"{stream} #{sequence}")
            self.report.holds("proofs", len(self.rows), size, root.hex())
            self.report.holds("partial")
            roots = self.consistent(checkpoints)
        if len(checkpoints) > 1:
            self.report.holds("older", len(checkpoints) - 1)
        largest = max(checkpoints[-1][0], len(self.leaves))
        for name, (one, said) in mine:
            if one > largest and manifest["scope"] == "journal":
                self.report.wrong("longer", name, one, largest)
            elif one not in roots:
                self.report.wrong("no consistency", name, one)
            elif roots[one] != said:
                self.report.wrong("fork", name, one)
            else:
                self.report.holds("own", name, one)
        if not own:
            self.report.holds("no own")

    def own(self, name: str) -> list[tuple[int, bytes]]:
        """The auditor's own checkpoints in a file: one, or several one after the other, or within a mail."""
        with open(name, "rb") as file:
            notes = notes_in(file.read())
        if not notes:
            self.report.wrong("note", name)
        return [one for note in notes if (one := self.checkpoint(name, note))]

    def consistent(self, checkpoints: list[tuple[int, bytes]]) -> dict[int, bytes]:
        """The roots of all checkpoints that are proved to be of one growing log."""
        listed = json.loads(self.read("consistency.json"))
        if canonical(listed) + b"\n" != self.read("consistency.json"):
            self.report.wrong("line", "consistency.json", 1)
        proofs = {(one["from"], one["to"]): [unhex(hash) for hash in one["proof"]] for one in listed}
        for (old, old_root), (new, new_root) in itertools.pairwise(checkpoints):
            if not is_consistent(old, old_root, new, new_root, proofs.get((old, new), [])):
                self.report.wrong("wrong root", f"checkpoints/{new:012}.txt", old)
        return dict(checkpoints)

    # 8. Documents and diagrams

    def files(self) -> None:
        held, hidden = set(), re.compile(r"(?:documents|definitions)/(?:.*/)?([0-9a-f]{64})(?:\.\w+)?")
        for name in self.archive.namelist():
            found = hidden.fullmatch(name)
            if not found:
                continue
            held.add(found[1])
            if hashlib.sha256(self.read(name)).hexdigest() != found[1]:
                self.report.wrong("document", name)
            elif found[1] not in self.named:
                self.report.wrong("unnamed", name)
        self.report.holds("documents", len(held))
        gone = {one for act in self.letters for one in act["files"]}
        if self.attached - held - gone:
            self.report.holds("absent", len(self.attached - held - gone))


# Bodies

def canonical(value: object) -> bytes:
    """The one way to write a value as JSON (RFC 8785, for values that hold no fractions)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def unhex(text: str) -> bytes:
    data = bytes.fromhex(text)
    if data.hex() != text:
        raise ValueError(f"{text[:20]!r} is not written as it should be")
    return data


def unbase64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError(f"{text[:20]!r} is not written as it should be")
    return data


def hashes(shape: object, path: str) -> Iterator[tuple[str, str]]:
    """(path, hash) of everything that stands beside a body: wherever the body says {"h": HASH}."""
    if isinstance(shape, dict):
        if shape.keys() == {"h"}:
            yield path, shape["h"]
        else:
            for name, inner in shape.items():
                yield from hashes(inner, f"{path}.{name}")
    elif isinstance(shape, list):
        for number, inner in enumerate(shape):
            yield from hashes(inner, f"{path}.{number}")


def key_act(said: dict[str, Any]) -> dict[str, Any] | None:
    act = (said.get("command") or {}).get("act")
    return act if isinstance(act, dict) and isinstance(act.get("key"), str) else None


# The Merkle tree (RFC 6962)

def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_roots(leaves: list[bytes], sizes: set[int]) -> dict[int, bytes]:
    """The root of the tree of the first n leaves, for each n of `sizes` that there are leaves for."""
    stack: list[bytes] = []             # the perfect subtrees so far, the largest first
    roots = {0: hashlib.sha256(b"").digest()} if 0 in sizes else {}
    for size, leaf in enumerate(leaves, 1):
        stack.append(leaf)
        for _ in range((size & -size).bit_length() - 1):
            right = stack.pop()
            stack.append(node(stack.pop(), right))
        if size in sizes:
            root = stack[-1]
            for left in reversed(stack[:-1]):
                root = node(left, root)
            roots[size] = root
    return roots


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes | None:
    """The root that a proof leads to, None where it has not the right length (RFC 9162, 2.1.3.2)."""
    at, last, root = index, size - 1, leaf
    if not 0 <= index < size:
        return None
    for hash in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            root = node(hash, root)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = node(root, hash)
        at, last = at >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: list[bytes]) -> bool:
    """Whether the log of `new` rows begins with that of `old` (RFC 9162, 2.1.4.2)."""
    if old == new:
        return old_root == new_root
    if not 0 < old < new or not proof:
        return False
    path = proof if old & (old - 1) else [old_root, *proof]
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for hash in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node(hash, first), node(hash, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node(second, hash)
        at, last = at >> 1, last >> 1
    return first == old_root and second == new_root and last == 0


# Signed notes (C2SP signed-note, tlog-checkpoint)

def notes_in(data: bytes) -> list[str]:
    """The signed checkpoints in a file: one, or several one after the other, or those in a mail that was saved."""
    if re.match(rb"[A-Za-z-]+: ", data):
        body = email.message_from_bytes(data, policy=email.policy.default).get_body(("plain",))
        text = body.get_content() if body else ""
    else:
        text = data.decode("utf-8", "replace")
    found = re.findall(r"^\S[^\n]*\n[0-9]+\n[A-Za-z0-9+/=]+\n\n(?:\u2014 [^\n]+(?:\n|\Z))+",
                       text.replace("\r\n", "\n"), re.M)
    return [one if one.endswith("\n") else one + "\n" for one in found]


def read_checkpoint(note: str) -> tuple[str, int, bytes]:
    """(origin, size, root) of a signed note. Raises ValueError for what is none."""
    text, lines = note.rpartition("\n\n")[0], note.rpartition("\n\n")[2]
    origin, size, root = [*text.split("\n"), "", "", ""][:3]
    data = unbase64(root)
    if not origin or not lines or not re.fullmatch("0|[1-9][0-9]{0,18}", size) or len(data) != 32:
        raise ValueError("no checkpoint")
    return origin, int(size), data


def read_key(text: str) -> tuple[str, bytes]:
    """(name, public key) of `NAME+ID+BASE64`. Raises ValueError for what is none."""
    name, _id, encoded = text.split("+", 2)
    data = unbase64(encoded)
    if data[:1] != b"\x01" or len(data) != 33 or key_text(name, data[1:]) != text:
        raise ValueError("no key")
    return name, data[1:]


def key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def key_text(name: str, public: bytes) -> str:
    return f"{name}+{key_id(name, public).hex()}+{base64.b64encode(bytes([1]) + public).decode()}"


def signed(note: str, keys: list[tuple[str, bytes]]) -> bool | None:
    """Whether one of the keys signed the note; None where it has no signature by any of them."""
    text, lines = note.rpartition("\n\n")[0] + "\n", note.rpartition("\n\n")[2]
    for line in lines.splitlines():
        found = re.fullmatch(r"\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})", line)
        if not found:
            return False
        try:
            data = unbase64(found[2])
        except ValueError:
            return False
        for name, public in keys:
            if name == found[1] and data[:4] == key_id(name, public):
                return ed25519_holds(public, data[4:], text.encode())
    return None


# Ed25519 (RFC 8032), for a machine without the library: slow, and only ever given public things

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def ed25519_holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return ed25519_holds_slowly(public, signature, message)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def ed25519_holds_slowly(public: bytes, signature: bytes, message: bytes) -> bool:
    if len(public) != 32 or len(signature) != 64:
        return False
    key, given = point(public), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or given is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    base = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    assert base is not None
    left, right = times(s, base), added(given, times(k, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def point(data: bytes) -> tuple[int, int, int, int] | None:
    """The point of 32 bytes, in extended coordinates; None where there is none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = recovered_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def recovered_x(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def added(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    u, v = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    w, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = v - u, z - w, z + w, v + u
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, one: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = added(total, one)
        one, number = added(one, one), number >> 1
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks a pack exported by Alur, offline.")
    parser.add_argument("pack", help="the ZIP file")
    parser.add_argument("--checkpoint", action="append", default=[], metavar="FILE",
                        help="a checkpoint that you have kept yourself; may be given several times")
    parser.add_argument("--key", action="append", default=[], metavar="KEY",
                        help="a key that you were sent, or made sure of after the key before it was lost")
    parser.add_argument("--english", action="store_true", help="answer in English")
    given = parser.parse_args()
    report = verify(given.pack, given.checkpoint, given.key, given.english)
    for line in sentences(report):
        print(line)
    return 1 if report.findings else 0


def sentences(report: Report) -> list[str]:
    """The report for people: what agrees, or what does not; then what that shows, and what it cannot."""
    if report.findings:
        shown = [f"- {one}" for one in report.findings[:MOST_SHOWN]]
        return [report.say("fails", len(report.findings), report.findings[0]), *shown, report.say("cannot")]
    return [*(f"- {one}" for one in report.held), report.say("holds"), report.say("shows"), report.say("cannot")]


if __name__ == "__main__":
    sys.exit(main())
