"""People, units and positions from a CSV file: read line by line, shown before anything is done, then done whole.

`read` gives rows or what is wrong with the file; `plan` judges each row against the organisation as the rows before it
leave it, in memory, and gives the changes that would be made. Nothing is written here: who imports carries the plan's
changes out in one transaction (`organise.change_all`).
"""
from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from typing import Any

from .commands import Actor
from .instance import Refused
from .organisation import (
    DEFINITIVE,
    Act,
    AddPerson,
    AddPosition,
    AddUnit,
    Change,
    ChangePerson,
    ChangePosition,
    ChangeUnit,
    Hold,
    Organisation,
    dated,
    decide,
    evolve,
)

MOST_BYTES = 1_000_000
MOST_LINES = 5_000
NEW, CHANGED, SAME, WRONG = "baru", "berubah", "sama", "galat"
YES, NO = ("ya", "y", "1", "benar"), ("tidak", "t", "0", "", "salah")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a file holds: its columns, those that must be filled, and an example row."""
    columns: tuple[str, ...]
    required: tuple[str, ...]
    example: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "unit": Kind(columns=("id", "nama", "induk", "pemerintah", "zona"), required=("id", "nama"),
                 example=("kecamatan_pancur", "Kantor Kecamatan Pancur", "", "Kabupaten Rembang", "Asia/Jakarta")),
    "jabatan": Kind(columns=("id", "unit", "nama", "banyak"), required=("id", "unit", "nama"),
                    example=("camat_pancur", "kecamatan_pancur", "Camat Pancur", "tidak")),
    "orang": Kind(columns=("nama_pengguna", "nama", "nip", "pangkat", "surel", "jabatan", "mulai", "dasar"),
                  required=("nama_pengguna", "nama"),
                  example=("camat.pancur", "Camat Pancur", "", "Pembina", "", "camat_pancur", "2027-01-04",
                           "SK Bupati (contoh)")),
}
# The column in which a problem's place stands, where they differ.
COLUMN_OF = {"unit": "id", "name": "nama", "parent": "induk", "government": "pemerintah", "zone": "zona",
             "position": "id", "many": "banyak", "login": "nama_pengguna", "rank": "pangkat", "email": "surel",
             "person": "nama_pengguna", "valid_from": "mulai", "basis": "dasar"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """What would become of one line of the file."""
    number: int                             # in the file, the heading is 1
    what: str                               # of whom or what it speaks
    state: str                              # baru | berubah | sama | galat
    details: tuple[str, ...] = ()           # what changes, or what is wrong


@dataclass(frozen=True, kw_only=True)
class Plan:
    lines: tuple[Line, ...]
    changes: tuple[Change, ...]             # empty when a line is wrong

    @property
    def wrong(self) -> bool:
        return any(one.state == WRONG for one in self.lines)

    def count(self, state: str) -> int:
        return sum(one.state == state for one in self.lines)


Row = tuple[int, dict[str, str]]            # line number, column -> text
TOO_MANY = ""                               # the column of what stands beyond the last one


def text_of(data: bytes) -> str:
    """The text of a file: UTF-8, or what Excel writes on an Indonesian Windows.

    Raises Refused (`wrong`).
    """
    if len(data) > MOST_BYTES:
        raise Refused("wrong", f"Berkas terlalu besar: {len(data)} bita, paling banyak {MOST_BYTES}. Bagi menjadi "
                               "beberapa berkas.")
    if b"\x00" in data:
        raise Refused("wrong", "Berkas ini bukan CSV. Di Excel pilih Simpan Sebagai, lalu CSV UTF-8.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def read(kind: str, text: str) -> list[Row]:
    """The rows of a CSV file with a heading; columns in any order, separated by comma, semicolon or tab.

    Raises Refused (`wrong`) when it is no such file.
    """
    columns = KINDS[kind].columns
    lines = text.lstrip("\ufeff").splitlines()
    heading = next((line for line in lines if line.strip()), "")
    separator = max(";,\t", key=heading.count)
    try:
        found = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator, strict=True))
    except csv.Error as error:
        raise Refused("wrong", f"Berkas ini tidak dapat dibaca sebagai CSV: {error}. Simpan ulang sebagai CSV UTF-8."
                      ) from error
    while found and not any(cell.strip() for cell in found[0]):
        found.pop(0)
    if not found:
        raise Refused("wrong", f"Berkas ini kosong. Baris pertama harus berisi nama kolom: {', '.join(columns)}.")
    names = [cell.strip().lower().replace(" ", "_") for cell in found[0]]
    unknown = [name for name in names if name and name not in columns]
    missing = [name for name in KINDS[kind].required if name not in names]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if unknown or missing or twice:
        said = [f"kolom {', '.join(missing)} tidak ada"] * bool(missing)
        said += [f"kolom {', '.join(unknown)} tidak dikenal"] * bool(unknown)
        said += [f"kolom {', '.join(twice)} ada dua kali"] * bool(twice)
        raise Refused("wrong", f"Baris pertama belum benar: {'; '.join(said)}. Kolom yang dapat dipakai: "
                               f"{', '.join(columns)}.")
    if len(found) - 1 > MOST_LINES:
        raise Refused("wrong", f"Berkas ini berisi {len(found) - 1} baris, paling banyak {MOST_LINES}. Bagi menjadi "
                               "beberapa berkas.")
    rows = []
    for number, cells in enumerate(found[1:], start=2):
        if any(cell.strip() for cell in cells):
            row = {name: cell.strip() for name, cell in zip_longest(names, cells[:len(names)], fillvalue="") if name}
            row[TOO_MANY] = "".join(cells[len(names):]).strip()
            rows.append((number, row))
    if not rows:
        raise Refused("wrong", "Berkas ini hanya berisi nama kolom. Isi baris di bawahnya.")
    return rows


def plan(organisation: Organisation, kind: str, rows: Iterable[Row], *, actor: Actor, at: datetime, id: str,
         new_id: Callable[[], str]) -> Plan:
    """What the rows would do to the organisation, each judged after the ones before it.

    id      of the whole import; its changes are `ID-0`, `ID-1`, ...
    new_id  gives an id for a new person and for a new holding.
    """
    acts_of = {"unit": unit_acts, "jabatan": position_acts, "orang": person_acts}[kind]
    lines: list[Line] = []
    changes: list[Change] = []
    seen: dict[str, int] = {}
    for number, row in rows:
        what = row.get("nama") or row.get(KINDS[kind].columns[0]) or "?"
        name = row.get(KINDS[kind].columns[0], "").lower()
        if name and name in seen:
            lines.append(Line(number=number, what=what, state=WRONG, details=(
                f"“{name}” sudah ada pada baris {seen[name]}. Hapus salah satunya.",)))
            continue
        seen[name] = number
        try:
            if row.get(TOO_MANY):
                raise Refused("wrong", "Baris ini mempunyai lebih banyak kolom daripada baris pertama. Beri tanda "
                                       "kutip pada isi yang memuat pemisah.")
            acts, details = acts_of(organisation, row, new_id)
            for act in acts:
                change = Change(id=f"{id}-{len(changes)}", at=at, actor=actor, act=act)
                warnings = decide(organisation, change)
                organisation = evolve(organisation, act)
                changes.append(change)
                details += warnings
        except Refused as refused:
            lines.append(Line(number=number, what=what, state=WRONG, details=problems(kind, refused)))
            continue
        new = any(isinstance(act, (AddUnit, AddPosition, AddPerson)) for act in acts)
        lines.append(Line(number=number, what=what, state=NEW if new else CHANGED if acts else SAME, details=details))
    wrong = any(one.state == WRONG for one in lines)
    return Plan(lines=tuple(lines), changes=() if wrong else tuple(changes))


def problems(kind: str, refused: Refused) -> tuple[str, ...]:
    """What is wrong with a line, with the column where it stands."""
    if not refused.problems:
        return (str(refused),)
    columns = KINDS[kind].columns
    found = []
    for one in refused.problems:
        column = one.place if one.place in columns else COLUMN_OF.get(one.place, "")
        found.append(f"{column}: {one.message}" if column in columns else one.message)
    return tuple(found)


Acts = tuple[list[Act], tuple[str, ...]]


def unit_acts(organisation: Organisation, row: Mapping[str, str], new_id: Callable[[], str]) -> Acts:
    before = organisation.units.get(row["id"])
    given: dict[str, Any] = {
        "name": row["nama"],
        "parent": taken(row, "induk", before.parent if before else None),
        "government": taken(row, "pemerintah", before.government if before else None),
        "zone": taken(row, "zona", before.zone if before else None) or "Asia/Jakarta"}
    if before is None:
        return [AddUnit(unit=row["id"], **given)], ()
    labels = {"name": "nama", "parent": "induk", "government": "pemerintah", "zone": "zona"}
    details = differences(before, given, labels)
    return ([ChangeUnit(unit=row["id"], **given)] if details else []), details


def position_acts(organisation: Organisation, row: Mapping[str, str], new_id: Callable[[], str]) -> Acts:
    before = organisation.positions.get(row["id"])
    said = row.get("banyak", "").lower()
    if said not in YES + NO:
        raise Refused("wrong", "banyak: isi “ya” bila dipegang banyak orang, “tidak” bila satu orang; yang diisi "
                               f"“{said}”.")
    many = before.many if before and "banyak" not in row else said in YES
    if before is None:
        return [AddPosition(position=row["id"], unit=row["unit"], name=row["nama"], many=many)], ()
    if before.unit != row["unit"]:
        raise Refused("wrong", f"unit: jabatan ini milik unit “{before.unit}” dan tidak dapat dipindahkan. Buat "
                               "jabatan baru.")
    details = differences(before, {"name": row["nama"], "many": many}, {"name": "nama", "many": "banyak"})
    return ([ChangePosition(position=row["id"], name=row["nama"], many=many)] if details else []), details


def person_acts(organisation: Organisation, row: Mapping[str, str], new_id: Callable[[], str]) -> Acts:
    login = row["nama_pengguna"].lower()
    before = next((one for one in organisation.people.values() if one.login == login), None)
    given: dict[str, Any] = {
        "name": row["nama"], "login": login,
        "nip": nip(taken(row, "nip", before.nip if before else None)),
        "rank": taken(row, "pangkat", before.rank if before else None),
        "email": taken(row, "surel", before.email if before else None)}
    acts: list[Act] = []
    details: tuple[str, ...] = ()
    if before is None:
        person = new_id()
        acts.append(AddPerson(person=person, **given))
    else:
        person = before.id
        details = differences(before, given, {"name": "nama", "nip": "nip", "rank": "pangkat", "email": "surel"})
        if details:
            acts.append(ChangePerson(person=person, **given))
    position = row.get("jabatan", "")
    if position:
        if position not in organisation.positions:
            raise Refused("wrong", f"jabatan: “{position}” tidak ada. Isi tanda pengenal jabatan yang sudah tercatat.")
        begins = iso_day(row.get("mulai", ""))
        held = any(one.person == person and one.position == position and one.overlaps(begins, None)
                   for one in organisation.holdings.values())
        if not held:
            acts.append(Hold(holding=new_id(), position=position, person=person, capacity=DEFINITIVE, valid_from=begins,
                             basis=row.get("dasar", "")))
            details += (f"memegang {organisation.positions[position].name} sejak {dated(begins)}",)
    return acts, details


def taken(row: Mapping[str, str], column: str, before: str | None) -> str | None:
    """The cell; where the file has no such column, what stood before."""
    return (row[column] or None) if column in row else before


def differences(before: Any, given: Mapping[str, Any], labels: Mapping[str, str]) -> tuple[str, ...]:
    """"nama: lama → baru" of each that differs."""
    def shown(value: Any) -> str:
        return {True: "ya", False: "tidak", None: "(kosong)"}.get(value, value)

    return tuple(f"{label}: {shown(getattr(before, name))} → {shown(given[name])}" for name, label in labels.items()
                 if getattr(before, name) != given[name])


def nip(value: str | None) -> str | None:
    """The NIP without the spaces and the apostrophe that spreadsheets need; refused when one has rounded it."""
    if value is None:
        return None
    if re.fullmatch(r"\d([.,]\d+)?[eE]\+?\d+", value):
        raise Refused("wrong", f"nip: “{value}” sudah dibulatkan oleh lembar kerja. Jadikan kolomnya teks, lalu ketik "
                               "ulang 18 angkanya.")
    return value.replace(" ", "").lstrip("'") or None


def iso_day(value: str) -> str:
    """ISO text of a date as written in the file: 2027-01-04 or 4/1/2027."""
    found = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", value)
    text = f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}" if found else value
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Refused("wrong", "mulai: tanggal mulai memegang jabatan belum benar. Contoh: 2027-01-04 atau 4/1/2027."
                      ) from None


def template(kind: str) -> str:
    """A CSV file with the columns and one example row."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(KINDS[kind].columns)
    writer.writerow(KINDS[kind].example)
    return "\ufeff" + out.getvalue()
