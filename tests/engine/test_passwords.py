"""What nobody may choose as a password: the commonest, one's own words, repetitions, and what was stolen elsewhere."""

from __future__ import annotations

import io
import time
from hashlib import sha1
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import organise, passwords
from engine.passwords import Breached
from engine.settings import Settings
from engine.store.database import Unavailable

OWN = ("sekcam", "Sekretaris Kecamatan Lasem", "198001012005011001", "Sekretaris Camat", "Kecamatan Lasem")


def test_three_thousand_and_more_of_the_commonest_that_fit_our_rule_are_known_and_each_is_refused() -> None:
    fitting = [one for one in passwords.commonest() if len(one) >= passwords.SHORTEST]
    assert len(fitting) >= 3_000
    accepted = [one for one in fitting if passwords.weakness(one) is None]
    assert accepted == []
    assert [one for one in fitting[::7] if passwords.weakness(one.upper()) is None] == []


@pytest.mark.parametrize(("new", "why"), [
    ("qwertyuiop", "sering dipakai"), ("1q2w3e4r5t", "sering dipakai"), ("P@ssw0rd2026!", "sering dipakai"),
    ("password password", "sering dipakai"), ("drowssap2026", "sering dipakai"), ("sayang123456", "sering dipakai"),
    ("abcdefghijklmn", "urutan"), ("9876543210", "urutan"), ("lasemlasemlasem", "pengulangan"),
    ("\uff30\uff21\uff33\uff33\uff37\uff2f\uff32\uff24\uff11\uff12", "sering dipakai"),
    ("sekcam2026!", "nama pengguna"), ("Kecamatan Lasem", "unit"), ("kecamatan_lasem_1", "unit"),
    ("198001012005011001", "NIP"), ("nip198001012005011001", "NIP"), ("Rahasia-Kantor-2026", "kata umum"),
    ("AlurAlur Lasem", "unit"), ("4dm1n1str4t0r!", "kata umum"), ("merdeka17081945", "kata umum"),
])  # fmt: skip
def test_what_is_easily_guessed_is_refused_and_the_sentence_says_why(new: str, why: str) -> None:
    said = passwords.weakness(new, OWN)
    assert said is not None and why in said and said.endswith(".")


@pytest.mark.parametrize("new", [
    "kopi pagi di lasem", "sungai mengalir jauh", "x7Kp2mQ9vT", "83920174652", "pasar ikan hari senin",
    "sekcam suka ikan bakar", "kata sandi baru saya panjang", "\u00e9t\u00e9 \u00e0 la plage", "password manager hijau",
    "\u65e5\u672c\u8a9e\u306e\u9577\u3044\u5408\u8a00\u8449\u3067\u3059"])  # fmt: skip
def test_whatever_is_long_and_rare_is_taken_without_rules_of_composition(new: str) -> None:
    assert passwords.weakness(new, OWN) is None


def test_every_one_time_password_would_be_taken() -> None:
    assert [one for one in (organise.readable_password() for _ in range(300)) if passwords.weakness(one, OWN)] == []


@given(st.text(st.characters(), max_size=300), st.lists(st.text(st.characters(), max_size=50), max_size=4))
def test_whatever_is_typed_is_judged_and_nothing_is_said_of_it_but_its_length(new: str, own: list[str]) -> None:
    said = passwords.weakness(new, own)
    assert said is None or said.startswith("Kata sandi baru ")
    assert said is not None or passwords.SHORTEST <= len(new) <= passwords.LONGEST


@pytest.mark.parametrize("new", ["x" * 5_000_000, ("4@8({[<3691!|70$5+%2" * 10)[:200], "ab1" * 66, "\u0130\ufdfa" * 100,
                                 "password" * 25, "\ud800" * 20, "\x00" * 20], ids=range(7))  # fmt: skip
def test_no_password_costs_more_than_a_moment(new: str) -> None:
    passwords.commonest()
    begun = time.perf_counter()
    passwords.weakness(new, [*OWN, "y" * 5_000_000])
    assert time.perf_counter() - begun < 0.5


# --- what was stolen elsewhere --------------------------------------------------------------------------------------

STOLEN = [f"kata sandi bocor {number}" for number in range(2_000)]


def hashed(password: str) -> str:
    return sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def written(folder: Path, end: str = "\r\n", last: str = "\r\n") -> Breached:
    lines = sorted(f"{hashed(one)}:{len(one) ** 4}" for one in STOLEN)
    file = folder / "stolen.txt"
    file.write_bytes((end.join(lines) + last).encode())
    return Breached(file)


@pytest.mark.parametrize(("end", "last"), [("\r\n", "\r\n"), ("\n", "\n"), ("\n", "")])
def test_every_password_of_the_file_is_found_and_no_other(tmp_path: Path, end: str, last: str) -> None:
    known = written(tmp_path, end, last)
    known.check()
    assert all(known.holds(one) for one in STOLEN)
    assert not any(known.holds(f"{one}!") for one in STOLEN)


@pytest.mark.parametrize("lines", [1, 2, 3, 4])
def test_a_part_of_the_file_is_enough_however_small(tmp_path: Path, lines: int) -> None:
    chosen = STOLEN[:lines]
    file = tmp_path / "stolen.txt"
    file.write_text("".join(f"{one}:1\n" for one in sorted(map(hashed, chosen))))
    Breached(file).check()
    assert all(Breached(file).holds(one) for one in chosen) and not Breached(file).holds(STOLEN[lines])


def test_hashes_in_small_letters_are_found_too(tmp_path: Path) -> None:
    known = written(tmp_path)
    known.path.write_bytes(known.path.read_bytes().lower())
    assert known.holds(STOLEN[7]) and not known.holds("tidak pernah bocor")


class Endless:
    """A file of 2 ** 40 lines of 55 bytes, each made where it is read: line n is the hash n << 120."""

    def __init__(self) -> None:
        self.at = self.read = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset if whence == 0 else 55 << 40
        return self.at

    def readline(self, most: int) -> bytes:
        number, within = divmod(self.at, 55)
        piece = (b"%040X:100000000000\r\n" % (number << 120))[within:within + most] if number < 1 << 40 else b""
        self.read += len(piece)
        self.at += len(piece)
        return piece


def test_a_file_of_terabytes_is_looked_up_by_a_few_short_reads() -> None:
    known, file = Breached(Path("stolen.txt")), Endless()
    for number in (0, 1, 123_456_789_012, (1 << 40) - 1):
        assert known._found(file, b"%040X" % (number << 120))       # type: ignore[arg-type]
    assert not known._found(file, hashed("belum pernah bocor").encode())        # type: ignore[arg-type]
    assert 0 < file.read < 5 * 10_000


@pytest.mark.parametrize(("content", "says"), [
    (b"", "is empty"),
    (b"8846F7EAEE8FB117AD06BDD830B7586C:12\r\n" * 50, "40 hexadecimal digits"),       # NTLM
    (b"kata sandi\n" * 50, "40 hexadecimal digits"),
    (b"F" * 40 + b":1\r\n" + b"0" * 40 + b":1\r\n" * 1, "not sorted"),
    (b"A" * 5_000_000, "40 hexadecimal digits"),
    (b"\x1f\x8b\x08" + b"\x00" * 4_000, "40 hexadecimal digits"),
])  # fmt: skip
def test_a_file_of_another_kind_ends_the_start_with_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "stolen.txt"
    file.write_bytes(content)
    with pytest.raises(Unavailable, match="ALUR_BREACHED_PASSWORDS_FILE") as caught:
        Settings(data_dir=tmp_path, breached_passwords_file=file)
    assert says in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere.txt", "."])
def test_a_file_that_cannot_be_read_ends_the_start_with_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        Settings(data_dir=tmp_path, breached_passwords_file=tmp_path / name)


def test_a_sound_file_is_what_the_settings_give_and_without_one_nothing_is_known(tmp_path: Path) -> None:
    known = written(tmp_path)
    chosen = Settings(data_dir=tmp_path, breached_passwords_file=known.path)
    assert chosen.breached == known and Settings(data_dir=tmp_path).breached is None


@given(st.binary(max_size=400), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_no_bytes_make_the_look_up_fail_but_with_that_sentence(content: bytes, password: str) -> None:
    try:
        Breached(Path("stolen.txt"))._found(io.BytesIO(content), hashed(password).encode())
    except Unavailable as error:
        assert "stolen.txt" in str(error)
