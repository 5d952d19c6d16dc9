"""What a password may not be: too short, one of the commonest, one's own name, or one that was stolen elsewhere.

The list of the commonest is common_passwords.txt.gz beside this file: the first 10,000 of at least ten characters and,
as beginnings of longer ones, those of four to nine among the first 10,000, of the ten million that were made public
(NOTICE says from where). Nothing asks for digits or signs: length and rarity count (OWASP ASVS 5.0, 6.2). All of it
costs about a millisecond, since the length is judged first. zxcvbn was tried and left: 72 characters of "4@8({[" keep
it busy for five seconds, and threads share its words.
"""
from __future__ import annotations

import gzip
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from .store.database import Unavailable

SHORTEST, LONGEST = 10, 200                 # characters
COMMON = Path(__file__).with_name("common_passwords.txt.gz")
# What any guesser of our offices tries first; a password may hold them, not consist of them.
OFFICE = ("alur", "admin", "administrator", "bismillah", "bupati", "camat", "desa", "dinas", "indonesia", "kabupaten",
          "kantor", "kata", "katasandi", "kecamatan", "kelurahan", "lkjip", "lkjpd", "lurah", "merdeka", "password",
          "pegawai", "pemerintah", "pemkab", "rahasia", "sandi", "sekcam", "sekda", "sekretaris", "selamat", "welcome")
OWN_LEAST = 3                               # letters of a word of one's own that counts
LEFT_LEAST = 4                              # letters that must be left beside such words
AROUND_MOST = 8                             # digits and signs around a common word that make it no better: a date
# What is meant by digits and signs within a word: "p4ssw0rd". A 1 may be an i or an l.
MEANT = (str.maketrans("0134578@$!+|", "oieastbasiti"), str.maketrans("0134578@$!+|", "oleastbasltl"))

HASH = re.compile(rb"([0-9A-Fa-f]{40}):([0-9]{1,12})\r?\n?")
LINE_BYTES_MOST = 64


def weakness(new: str, own: Iterable[str] = ()) -> str | None:
    """Why a password may not be chosen, as a sentence with what to do; None if it may.

    own  texts that are the person's own: login, name, NIP, position, unit.
    """
    if len(new) < SHORTEST:
        return f"Kata sandi baru paling sedikit {SHORTEST} karakter; yang diketik {len(new)}."
    if len(new) > LONGEST:
        return f"Kata sandi baru paling banyak {LONGEST} karakter; yang diketik {len(new)}."
    try:
        new.encode()
    except UnicodeEncodeError:
        return "Kata sandi baru memuat karakter yang tidak dapat disimpan. Ketik ulang dengan huruf biasa."
    plain = unicodedata.normalize("NFKC", new).casefold()
    if _repeats(plain):
        return ("Kata sandi baru terlalu mudah ditebak: isinya pengulangan atau urutan. "
                "Pakai beberapa kata yang tidak berhubungan.")
    if _common(plain):
        return ("Kata sandi baru terlalu mudah ditebak: termasuk yang paling sering dipakai orang, atau hanya sedikit "
                "berbeda. Pakai beberapa kata yang tidak berhubungan.")
    if _consists_of(plain, own):
        return ("Kata sandi baru terlalu mudah ditebak: isinya nama pengguna, nama, NIP, jabatan, unit, atau kata umum "
                "kantor. Tambahkan kata lain yang tidak berhubungan.")
    return None


def _repeats(plain: str) -> bool:
    """Whether it is a few characters, a short piece over and over, or a row such as "abcdefghij"."""
    if len(set(plain)) < 4 or {ord(b) - ord(a) for a, b in pairwise(plain)} in ({1}, {-1}):
        return True
    pieces = range(1, min(len(plain) // 2, SHORTEST - 1) + 1)
    return any(plain == (plain[:n] * (len(plain) // n + 1))[:len(plain)] for n in pieces)


def _common(plain: str) -> bool:
    known = commonest()
    tight = "".join(plain.split())
    cores = {_core(one) for one in _meant(tight)} | _meant(_core(tight))
    return bool({plain, tight[::-1], *_meant(tight)} & known
                # What stands around a word, digits and signs, is what everybody adds.
                or any(len(core) >= 4 and core in known and len(tight) - len(core) <= AROUND_MOST for core in cores))


def _meant(text: str) -> set[str]:
    return {text, *(text.translate(table) for table in MEANT)}


def _core(text: str) -> str:
    """A text without the digits and signs around it."""
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)


def _consists_of(plain: str, own: Iterable[str]) -> bool:
    """Whether but a few letters are left without one's own words and those of the office."""
    words = {*OFFICE, *(word for text in own for word in _words(text))}
    for text in _meant(plain):
        left = "".join(c for c in text if c.isalnum())
        cut = left
        for word in sorted(words, key=len, reverse=True):
            cut = cut.replace(word, " ")
        if cut != left and sum(c.isalpha() for c in cut) < LEFT_LEAST:
            return True
    return False


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text[:400]).casefold()
    parts = re.findall(r"\w+", plain)
    return [one for one in {*parts, "".join(parts)} if len(one) >= OWN_LEAST]


@cache
def commonest() -> frozenset[str]:
    """The commonest passwords, casefolded."""
    with gzip.open(COMMON, "rt", encoding="utf-8") as lines:
        return frozenset(line.rstrip("\n") for line in lines)


@dataclass(frozen=True)
class Breached:
    """A file of the SHA-1 of passwords that were stolen somewhere, sorted, a line each: 40 hexadecimal digits, a colon,
    how often. That is what the downloader of Have I Been Pwned writes. It is looked up by halving, in some forty reads
    of a few bytes, and never read as a whole."""
    path: Path

    def holds(self, password: str) -> bool:
        """Whether a password is among them. Raises Unavailable where the file cannot be read or is something else."""
        wanted = sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
        try:
            with self.path.open("rb") as file:
                return self._found(file, wanted)
        except OSError as error:
            raise self._wrong(f"cannot be read: {error.strerror}") from error

    def check(self) -> None:
        """Look whether it is such a file, by its first, middle and last lines. Raises Unavailable."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, 2)
                places = sorted({0, size // 2, max(0, size - 2 * LINE_BYTES_MOST)})
                found = [self._line_from(file, at) for at in places]
        except OSError as error:
            raise self._wrong(f"cannot be read: {error.strerror}") from error
        if found[0] is None:
            raise self._wrong("is empty")
        hashes = [one for one in found if one is not None]
        if hashes != sorted(hashes):
            raise self._wrong("is not sorted by hash")

    def _found(self, file: BinaryIO, wanted: bytes) -> bool:
        low, high = 0, file.seek(0, 2)          # a line that begins at `low` or after, and before `high`, may be it
        while low < high:
            middle = (low + high) // 2
            line = self._line_from(file, middle)
            if line == wanted:
                return True
            if line is None or line > wanted:
                high = middle
            else:
                low = middle + 1
        return False

    def _line_from(self, file: BinaryIO, at: int) -> bytes | None:
        """The hash of the first line that begins at a byte or after; None where none does."""
        if at:
            file.seek(at - 1)
            rest = file.readline(LINE_BYTES_MOST + 1)
            if len(rest) > LINE_BYTES_MOST:
                raise self._wrong("holds lines that are longer than a hash and a number")
        else:
            file.seek(0)
        line = file.readline(LINE_BYTES_MOST + 1)
        if not line:
            return None
        parts = HASH.fullmatch(line)
        if parts is None:
            raise self._wrong("holds lines that are not 40 hexadecimal digits, a colon and a number")
        return parts[1].upper()

    def _wrong(self, what: str) -> Unavailable:
        return Unavailable("setting", f"ALUR_BREACHED_PASSWORDS_FILE is {self.path}, which {what}.",
                           "Name the file of SHA-1 hashes, sorted by hash, or leave it away.")
