"""Runs told in words: a story is run through the heart, and a journal is printed as a story that runs again.

A story is plain Indonesian text that a process owner can read and write; nothing in it is code. First the heading and
the people, then one act a line, what was filled in below it (four spaces in), and what must hold then (`maka`):

    Cerita: Dikembalikan satu kali, lalu disetujui
    Proses: penyusunan_lkjpd
    Orang:
        Camat Lasem (camat): Kepala PD
        Sekretaris Kecamatan (sekcam): Sekretaris PD

    Senin 4 Januari 2027 07.45  Sekretaris Kecamatan memulai proses
        tahun_laporan: 2026
        lampirkan surat_edaran: surat-edaran.pdf
    maka langkah 1 terbuka untuk Kepala PD
    Senin 4 Januari 2027 07.55  Camat Lasem menyelesaikan langkah 1
        arahan: Susun Tim Penyusun.

A value is written as a person reads it (`9 Desember 2026`, `09.00`, `ya`); what cannot be written so stands exactly,
as JSON after ` = ` (`= kosong`: emptied). A text of several lines has each of them below it, after `> `; a table has
its columns and rows below it, cells between ` | `. `run` says what every line may be when it meets one that is not.

Pure: no file is read (a file attached in a story has the hash of its name), no clock, no database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from . import process
from .calendars import PRESETS
from .commands import (
    Act,
    Actor,
    AddComment,
    AskExtension,
    AttachDocument,
    Attachment,
    CancelProcessInstance,
    ChangeCalendar,
    ClaimUserTask,
    Command,
    CompleteUserTask,
    Correct,
    Erased,
    EraseValues,
    File,
    FireTimer,
    GrantExtension,
    MigrateProcessInstance,
    OweRequirement,
    Promise,
    RaiseIncident,
    ReassignUserTask,
    RecallUserTask,
    RecordValues,
    RefuseExtension,
    ReleaseUserTask,
    ResolveIncident,
    ResumeProcessInstance,
    SettleRequirement,
    StartProcessInstance,
    SuspendProcessInstance,
    UndoMigration,
    WaiveRequirement,
)
from .definition import Column, Element, Field
from .events import (
    DueDatesMoved,
    ExtensionGranted,
    IncidentRaised,
    ProcessInstanceCancelled,
    ProcessInstanceCompleted,
    TimerFired,
    UserTaskCompleted,
    UserTaskMoved,
    UserTaskOpened,
)
from .instance import CANCELLED, COMPLETED, RUNNING, SUSPENDED, ProcessInstance, Refused, Step, UserTask

DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
MONTHS = (
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
)
DECIDED = {"menunggu keputusan": None, "diberikan": True, "ditolak": False}     # what became of a request for time
STATUS = {"berjalan": RUNNING, "selesai": COMPLETED, "dibatalkan": CANCELLED, "ditangguhkan": SUSPENDED}
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "png": "image/png",
    "txt": "text/plain",
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
STARTERS = "pemulai"  # the lane of those who may start without performing
OWNER = "pemilik"  # the capacity of who owns the SOP

DAY = rf"(\d{{1,2}}) ({'|'.join(MONTHS)}) (\d{{4}})"
MOMENT = rf"({'|'.join(DAYS)}) {DAY} (\d\d)\.(\d\d)(?:\.(\d\d)(?:\.(\d{{6}}))?)?"
TASK = r"langkah (\S+?)(?: #(\d+))?"
DETAIL = re.compile(
    r"(?:(lampirkan|menyusul|kalender|petakan) )?([^\s:=]+)(?: (cetak|tautan|teks))?(?:: (.*)|:| = (.*))"
)
FILE = re.compile(r"(\S+/\S+), (\d+) byte, sha256 ([0-9a-f]{64})")
HEADINGS = ("Cerita", "Proses", "Definisi", "Unit", "Kalender", "Ketentuan")


class StoryError(ValueError):
    """A story that cannot be read, or that did not go as it says: where, what is, what was expected, what to do."""


@dataclass(frozen=True)
class Detail:
    """An indented line below an act, and what stands still deeper below it."""

    line: int
    verb: str  # lampirkan | menyusul | kalender | petakan | ""
    key: str
    form: str  # cetak | tautan | teks | ""
    text: str | None  # after ": "; None where nothing stands there
    exact: str | None  # after " = ": JSON
    below: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Said:
    """An act, or an expectation (`maka`), as it stands in the text."""

    line: int
    text: str
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Person:
    name: str
    id: str
    lanes: tuple[str, ...] = ()
    administrator: bool = False


@dataclass(frozen=True, kw_only=True)
class Told:
    """A story that went as it says."""

    title: str
    instance: ProcessInstance
    steps: tuple[Step, ...]
    expectations: int  # how many `maka` held


# Reading the lines


class Reader:
    """The text, line by line: headings, people, and what is said, in order. Says where it stops understanding."""

    def __init__(self, text: str, name: str):
        self.name = name
        self.headings: dict[str, str] = {}
        self.people: list[tuple[int, str]] = []
        self.said: list[Said] = []
        listing = False
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw if raw.lstrip().startswith(">") else raw.rstrip()
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            depth = len(line) - len(line.lstrip(" "))
            if depth == 0:
                listing = line == "Orang:"
                self.whole(number, line, listing)
            elif listing and depth == 4:
                self.people.append((number, line.strip()))
            elif depth == 4 and self.said:
                self.said[-1] = self.deeper(number, line[4:])
            elif depth == 8 and self.said and self.said[-1].details:
                self.said[-1] = self.deepest(number, line[8:])
            else:
                self.wrong(
                    number,
                    f"baris ini menjorok {depth} spasi; isian di bawah tindakan menjorok 4 spasi, baris tabel dan "
                    "rinciannya 8 spasi",
                )

    def wrong(self, line: int, message: str) -> NoReturn:
        raise StoryError(f"{self.name}:{line}: {message}.")

    def whole(self, number: int, line: str, listing: bool) -> None:
        word, colon, value = line.partition(": ")
        if listing:
            return
        if colon and word.split(" ")[0] in HEADINGS and not self.said:
            if word in self.headings:
                self.wrong(number, f"{word!r} sudah disebut; cukup sekali")
            self.headings[word] = value.strip()
        elif line.startswith("maka ") or line.split(" ")[0] in DAYS:
            self.said.append(Said(number, line))
        else:
            self.wrong(
                number,
                f"{line[:40]!r} tidak dikenal; mulailah dengan hari dan tanggal ('Senin 4 Januari 2027 07.45  ...'), "
                "dengan 'maka', dengan 'Orang:', atau (sebelum tindakan pertama) dengan "
                + ", ".join(f"'{one}:'" for one in HEADINGS),
            )

    def deeper(self, number: int, line: str) -> Said:
        last = self.said[-1]
        found = DETAIL.fullmatch(line)
        if last.text.startswith("maka ") or found is None:
            self.wrong(
                number,
                f"{line[:40]!r} tidak dikenal di sini; di bawah tindakan ditulis 'isian: nilai', 'isian = JSON', "
                "'lampirkan dokumen: nama-berkas.pdf' atau 'menyusul dokumen: 5 Januari 2027, karena alasan'",
            )
        verb, key, form, text, exact = found.groups()
        detail = Detail(number, verb or "", key, form or "", text.strip() if text else None, exact, ())
        return replace(last, details=(*last.details, detail))

    def deepest(self, number: int, line: str) -> Said:
        last = self.said[-1]
        detail = last.details[-1]
        return replace(last, details=(*last.details[:-1], replace(detail, below=(*detail.below, (number, line)))))


# Values in words, and back


def moment_in_words(at: datetime, zone: ZoneInfo) -> str:
    """`Senin 4 Januari 2027 07.45`; seconds and their fractions only where there are any."""
    local = at.astimezone(zone)
    said = f"{DAYS[local.weekday()]} {day_in_words(local.date())} {local:%H.%M}"
    if local.second or local.microsecond:
        said += f".{local:%S}"
    return said + (f".{local.microsecond:06d}" if local.microsecond else "")


def day_in_words(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def day_of(text: str) -> date | None:
    found = re.fullmatch(DAY, text)
    try:
        return date(int(found[3]), MONTHS.index(found[2]) + 1, int(found[1])) if found else None
    except ValueError:
        return None


class Words:
    """How values of a definition's fields are written in a story, and read again."""

    def __init__(self, ids: Mapping[str, str]):
        self.ids = ids  # name -> person id
        self.names = {id: name for name, id in ids.items()}

    def cell(self, type: str, text: str) -> Any:
        """The value that stands in words. Raises ValueError with what was expected."""
        if type == "long":
            if re.fullmatch(r"-?\d+", text):
                return int(text)
            raise ValueError(f"{text!r} bukan bilangan bulat, misalnya 2026")
        if type == "boolean":
            if text in ("ya", "tidak"):
                return text == "ya"
            raise ValueError(f"{text!r} bukan 'ya' atau 'tidak'")
        if type == "date":
            day = day_of(text)
            if day:
                return day.isoformat()
            raise ValueError(f"{text!r} bukan tanggal, misalnya 9 Desember 2026")
        if type == "time":
            if re.fullmatch(r"\d\d\.\d\d", text):
                return text.replace(".", ":")
            raise ValueError(f"{text!r} bukan waktu, misalnya 09.00")
        if type == "person":
            if text in self.ids:
                return {"id": self.ids[text]}
            if re.fullmatch(r'".+"', text):
                return {"nama": text[1:-1]}
            raise ValueError(
                f"{text!r} tidak ada di bawah 'Orang:'; tulis di sana, atau tulis namanya dalam tanda petik bila bukan "
                "pegawai"
            )
        return text

    def worded(self, type: str, value: Any) -> str | None:
        """The words for a value, None if it has none of its own (then it stands as JSON)."""
        match type, value:
            case "boolean", bool():
                return "ya" if value else "tidak"
            case "long", int():
                return str(value)
            case "date", str() if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                try:
                    return day_in_words(date.fromisoformat(value))
                except ValueError:
                    return None
            case "time", str():
                return value.replace(":", ".")
            case "person", {"id": str(id)}:
                return self.names.get(id)
            case "person", {"nama": str(name)}:
                return f'"{name}"'
            case (("string" | "text" | "enum" | "decimal"), str()):
                return value
        return None

    def rows(self, field: Field, below: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
        columns = {one.id: one for one in field.columns}
        header = cells(below[0][1])
        unknown = [one for one in header if one not in columns]
        if unknown:
            raise ValueError(f"tabel ini tidak mempunyai kolom {', '.join(unknown)}; yang ada: {', '.join(columns)}")
        found = []
        for _, line in below[1:]:
            row = cells(line)
            if len(row) != len(header):
                raise ValueError(f"baris tabel {line!r} mempunyai {len(row)} sel, kolomnya {len(header)}")
            typed = {id: self.cell(columns[id].type, text) for id, text in zip(header, row, strict=True) if text}
            found.append({id: typed.get(id) for id in columns})
        return found

    def table(self, field: Field, value: Any) -> list[str] | None:
        if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
            return None
        columns: list[Column] = [one for one in field.columns if any(row.get(one.id) is not None for row in value)]
        lines = [[one.id for one in columns]]
        for row in value:
            words = [self.worded(one.type, row[one.id]) if row.get(one.id) is not None else "" for one in columns]
            if any(word is None for word in words):
                return None
            lines.append([word or "" for word in words])
        widths = [max(len(line[n]) for line in lines) for n in range(len(columns))]
        return [
            " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        ]

    def value(self, field: Field | None, detail: Detail) -> Any:
        """The value that a detail gives to a field. Raises ValueError."""
        if detail.exact is not None:
            return exactly(detail.exact)
        if detail.text is not None:
            if detail.below:
                raise ValueError("nilai ini sudah ditulis; hapus baris-baris di bawahnya")
            return self.cell(field.type if field else "string", detail.text)
        if not detail.below:
            raise ValueError(f"nilai {detail.key!r} belum ditulis")
        if field and field.type == "table":
            return self.rows(field, detail.below)
        if not all(line.startswith(">") for _, line in detail.below):
            raise ValueError("setiap baris teks di bawahnya dimulai dengan '> '")
        return "\n".join(line[2:] for _, line in detail.below)

    def lines(self, field: Field | None, key: str, value: Any) -> list[str]:
        """The lines of a detail, four spaces in; read again they give exactly this value."""
        below: list[str] | None = None
        if field and field.type == "table":
            below = self.table(field, value)
        elif isinstance(value, str) and "\n" in value:
            below = [f"> {line}" for line in value.split("\n")]
        word = None if below else self.worded(field.type if field else "string", value)
        lines = (
            [f"{key}:", *(f"    {line}" for line in below)] if below else [f"{key}: {word}"] if word is not None else []
        )
        if not lines or self.again(field, lines) != value:
            lines = [f"{key} = {exact(value)}"]
        return [f"    {line}" for line in lines]

    def again(self, field: Field | None, lines: Sequence[str]) -> Any:
        """What lines mean when they are read; something else than any value where they cannot be."""
        text = "Senin\n" + "\n".join(f"    {line}" for line in lines)
        try:
            (said,) = Reader(text, "").said
            (detail,) = said.details
            return self.value(field, detail)
        except ValueError:
            return ValueError


def cells(line: str) -> list[str]:
    return [one.strip() for one in line.split("|")]


def exact(value: Any) -> str:
    return (
        "kosong"
        if value is None
        else json.dumps(value, ensure_ascii=False, sort_keys=True, default=lambda erased: {"h": erased.h})
    )


def exactly(text: str) -> Any:
    if text == "kosong":
        return None
    try:
        return json.loads(text, object_hook=lambda one: Erased(one["h"]) if one.keys() == {"h"} else one)
    except json.JSONDecodeError as error:
        raise ValueError(f"sesudah ' = ' harus JSON: {error.msg}") from None


def file_named(name: str) -> File:
    """The file of that name as stories know it: its hash is the hash of its name."""
    extension = name.rpartition(".")[2].lower()
    return File(
        sha256=sha256(name.encode()).hexdigest(),
        size_bytes=len(name.encode()),
        media_type=MEDIA_TYPES.get(extension, "application/octet-stream"),
        name=name,
    )


def attachment(details: Sequence[Detail]) -> Attachment:
    """What several lines about one document put into its slot. Raises ValueError."""
    first = details[0]
    if first.exact is not None:
        value = exactly(first.exact)
        return Attachment(
            form=value["form"], place=value.get("place"), files=tuple(File(**one) for one in value.get("files", ()))
        )
    if first.text is None:
        raise ValueError(
            f"tulis nama berkasnya, misalnya '{first.key}: naskah.pdf', atau '{first.key} cetak: Lemari arsip'"
        )
    if first.form:
        return Attachment(form=first.form, place=first.text)
    files = []
    for detail in details:
        if detail.text is None or detail.form:
            raise ValueError(f"baris-baris {detail.key!r} tidak sebentuk; lampirkan dalam tindakan tersendiri")
        file = file_named(detail.text)
        if detail.below:
            found = FILE.fullmatch(detail.below[0][1])
            if not found:
                raise ValueError("di bawah nama berkas ditulis 'application/pdf, 1200 byte, sha256 ...'")
            file = replace(file, media_type=found[1], size_bytes=int(found[2]), sha256=found[3])
        files.append(file)
    return Attachment(files=tuple(files))


def attachment_lines(verb: str, document: str, given: Attachment) -> list[str]:
    """The lines of what was put into a slot; read again they give exactly that."""
    key = f"{verb} {document}".strip()
    lines: list[str] = []
    if given.form != "berkas" and isinstance(given.place, str):
        lines = [f"    {key} {given.form}: {given.place}"]
    for file in given.files if given.form == "berkas" else ():
        name: Any = file.name
        if isinstance(name, Erased):
            lines = []
            break
        lines.append(f"    {key}: {name}")
        if file != file_named(name):
            lines.append(f"        {file.media_type}, {file.size_bytes} byte, sha256 {file.sha256}")
    try:
        (said,) = Reader("\n".join(["Senin", *lines]), "").said
        if lines and attachment(said.details) == given:
            return lines
    except ValueError:
        pass
    shape = {
        "form": given.form,
        "place": given.place,
        "files": [{one.name: getattr(file, one.name) for one in fields(File)} for file in given.files],
    }
    return [f"    {key} = {exact(shape)}"]


def promise(detail: Detail) -> Promise:
    """`5 Januari 2027, karena SK belum ditandatangani`. Raises ValueError."""
    if detail.exact is not None:
        value = exactly(detail.exact)
        return Promise(document=detail.key, promised=value["promised"], reason=value["reason"])
    day, comma, reason = (detail.text or "").partition(", karena ")
    promised = day_of(day)
    if not comma or promised is None:
        raise ValueError(
            "sesudah 'menyusul dokumen:' ditulis tanggal dan alasan, misalnya '5 Januari 2027, karena SK belum "
            "ditandatangani'"
        )
    return Promise(document=detail.key, promised=promised.isoformat(), reason=reason)


def promise_lines(verb: str, given: Promise) -> list[str]:
    key = f"{verb} {given.document}".strip()
    day = day_in_words(date.fromisoformat(given.promised))
    if isinstance(given.reason, str) and given.reason == given.reason.strip() and "\n" not in given.reason:
        return [f"    {key}: {day}, karena {given.reason}"]
    return [f"    {key} = {exact({'promised': given.promised, 'reason': given.reason})}"]


# Running a story


def run(
    text: str,
    rules: process.Rules,
    definition: str | None = None,
    calendars: Mapping[str, str] | None = None,
    name: str = "cerita",
) -> Told:
    """Run a story through `decide`; what it led to, where every `maka` held and replaying its Steps gave the same.

    definition  SHA-256 of the diagram it runs on, where its heading names none (`Definisi:`).
    calendars   lane id -> SHA-256 of its calendar, "" -> the unit's; where the heading has no `Kalender:`. Without
                either, the calendar is `lima_hari`.
    name        of the story, said in errors ("stories/satu.txt:14: ...").
    Raises StoryError at the first line that cannot be understood or did not go as it says.
    """
    telling = Telling(Reader(text, name), rules, definition, calendars)
    telling.tell()
    return Told(
        title=telling.reader.headings.get("Cerita", name),
        instance=telling.instance,
        steps=tuple(telling.steps),
        expectations=telling.held,
    )


class Telling:
    """A story while it is told: the instance as it stands, and what was understood of the current line."""

    def __init__(
        self, reader: Reader, rules: process.Rules, definition: str | None, calendars: Mapping[str, str] | None
    ):
        self.reader, self.rules, self.line, self.held = reader, rules, 1, 0
        headings = reader.headings
        sha = headings.get("Definisi") or definition
        if sha is None:
            self.wrong("cerita ini tidak menyebut 'Definisi:'; sebutkan, atau jalankan bersama diagramnya")
        try:
            self.definition = rules.definition(sha)
        except LookupError:
            self.wrong(
                f"diagram {sha} tidak dikenal di sini; jalankan bersama diagram versi itu, atau hapus 'Definisi:'"
            )
        if headings.get("Proses", self.definition.key) != self.definition.key:
            self.wrong(f"cerita ini tentang {headings['Proses']!r}, tetapi diagramnya {self.definition.key!r}")
        self.calendars = {
            word.removeprefix("Kalender").strip(): self.calendar(value)
            for word, value in headings.items()
            if word.split(" ")[0] == "Kalender"
        } or dict(calendars or {"": self.calendar("lima_hari")})
        self.zone = ZoneInfo(rules.calendar(self.calendars[""]).zone)
        self.lanes = {one.name: one.id for one in self.definition.lanes}
        self.people = dict(map(self.person, reader.people))
        self.words = Words({one.name: one.id for one in self.people.values()})
        self.instance = ProcessInstance(id="cerita")
        self.steps: list[Step] = []
        self.refused: Refused | None = None
        self.when: datetime | None = None  # of the act before

    def wrong(self, message: str) -> NoReturn:
        self.reader.wrong(self.line, message)

    def calendar(self, name: str) -> str:
        """The SHA-256 of a calendar that the heading names: one of the presets, or already a SHA-256."""
        sha = PRESETS[name]().sha256 if name in PRESETS else name
        try:
            self.rules.calendar(sha)
        except LookupError:
            self.wrong(
                f"kalender {name!r} tidak dikenal; tulis {' atau '.join(PRESETS)}, atau SHA-256 kalender yang tersimpan"
            )
        return sha

    def person(self, entry: tuple[int, str]) -> tuple[str, Person]:
        self.line, text = entry
        head, _, listed = text.partition(":")
        found = re.fullmatch(r"(.+?)(?: \(([^()]+)\))?", head.strip())
        if found is None:
            self.wrong("di bawah 'Orang:' ditulis 'Nama (id): Kepala PD, Sekretaris PD'")
        lanes, administrator = [], False
        for one in filter(None, (one.strip() for one in listed.split(","))):
            if one == "administrator":
                administrator = True
            else:
                lanes.append(one if one == STARTERS else self.lane(one))
        id = found[2] or re.sub(r"[^a-z0-9]+", "-", found[1].lower()).strip("-")
        return found[1], Person(name=found[1], id=id, lanes=tuple(lanes), administrator=administrator)

    def lane(self, name: str) -> str:
        if name not in self.lanes:
            self.wrong(
                f"{name!r} bukan jalur diagram ini; yang ada: {', '.join(self.lanes)}, {STARTERS}, administrator"
            )
        return self.lanes[name]

    def tell(self) -> None:
        acts: list[tuple[Said, list[Said]]] = []
        for said in self.reader.said:
            if not said.text.startswith("maka "):
                acts.append((said, []))
            elif not acts:
                self.line = said.line
                self.wrong("'maka' berdiri sesudah sebuah tindakan; tulis tindakannya dahulu")
            else:
                acts[-1][1].append(said)
        if not acts:
            self.wrong(
                "cerita ini tidak berisi satu tindakan pun; tulis 'Senin 4 Januari 2027 07.45  ... memulai proses'"
            )
        for said, expected in acts:
            self.line, self.refused = said.line, None
            refusal = next((one for one in expected if one.text.startswith("maka ditolak")), None)
            try:
                self.act(said)
            except Refused as refused:
                self.refused = refused
                if refusal is None:
                    self.wrong(f"tindakan ini ditolak: {spoken(refused)} Perbaiki, atau tulis 'maka ditolak: ...'")
            except ValueError as error:
                if isinstance(error, StoryError):
                    raise
                self.wrong(str(error))
            for one in expected:
                self.line = one.line
                self.expect(one.text.removeprefix("maka "))
                self.held += 1
        self.prove()

    def prove(self) -> None:
        recorded = [(step, step.marking.hash) for step in self.steps]
        *_, (again, _) = process.replay(self.rules, recorded, self.instance.id)
        if again != self.instance:
            self.wrong("memutar ulang cerita ini memberi keadaan lain; ini cacat mesin, laporkan cerita ini")

    # Acts

    def act(self, said: Said) -> None:
        found = re.match(MOMENT + " +", said.text)
        if not found:
            self.wrong(
                "sesudah hari ditulis tanggal dan pukul, lalu pelakunya: 'Senin 4 Januari 2027 07.45  Camat Lasem ...'"
            )
        at = self.moment(found)
        if self.when and at < self.when:
            self.wrong(
                f"tindakan ini mendahului yang sebelumnya ({moment_in_words(self.when, self.zone)}); urutkan keduanya"
            )
        self.when = at
        rest = said.text[found.end() :]
        if rest == "waktu berjalan":
            self.must_be_plain(said)
            self.fire_due(at)
        elif fired := re.fullmatch(r"(\S+)(?: #(\d+))? berbunyi", rest):
            self.must_be_plain(said)
            self.ask(at, process.actor_of_the_clock(), FireTimer(timer=self.timer(fired[1], fired[2])))
        else:
            self.by_somebody(said, at, rest)

    def moment(self, found: re.Match[str]) -> datetime:
        weekday, day, month, year, hour, minute, second, fraction = found.groups()[:8]
        try:
            at = datetime(
                int(year),
                MONTHS.index(month) + 1,
                int(day),
                int(hour),
                int(minute),
                int(second or 0),
                int(fraction or 0),
                tzinfo=self.zone,
            )
        except ValueError:
            self.wrong(f"{found[0].strip()!r} bukan waktu yang ada; periksa tanggal dan pukulnya")
        if DAYS[at.weekday()] != weekday:
            self.wrong(
                f"tertulis {weekday}, tetapi {day} {month} {year} adalah hari {DAYS[at.weekday()]}; tulis "
                f"'{moment_in_words(at, self.zone)}'"
            )
        return at.astimezone(UTC)

    def must_be_plain(self, said: Said) -> None:
        if said.details:
            self.line = said.details[0].line
            self.wrong("waktu tidak mengisi apa pun; hapus baris ini")

    def timer(self, element: str, number: str | None) -> int:
        if number:
            return int(number)
        found = [one.number for one in self.instance.timers.values() if one.element == element]
        if len(found) > 1:
            self.wrong(
                f"ada {len(found)} pengatur waktu {element!r}; sebut yang mana: '{element} #{found[0]} berbunyi'"
            )
        if (
            not found
            and element not in self.definition.elements
            and (self.definition.deadline is None or element != self.definition.deadline.id)
        ):
            self.wrong(f"{element!r} bukan pengatur waktu diagram ini")
        return found[0] if found else 0

    def fire_due(self, until: datetime) -> None:
        """Time goes by: every timer that is due until then fires at its own instant, the earliest first."""
        while True:
            due = sorted((one.due_at, one.number) for one in self.instance.timers.values() if one.due_at <= until)
            if not due or self.instance.status != RUNNING:
                return
            at = max(due[0][0], self.instance.last_at or due[0][0])
            self.ask(at, process.actor_of_the_clock(), FireTimer(timer=due[0][1]))

    def by_somebody(self, said: Said, at: datetime, rest: str) -> None:
        if rest.startswith("sistem "):
            actor, rest = process.actor_of_the_clock(), rest.removeprefix("sistem ")
        else:
            name = max((one for one in self.people if rest.startswith(one + " ")), key=len, default=None)
            if name is None:
                self.wrong(
                    f"tidak jelas siapa yang bertindak dalam {rest[:50]!r}; tulis salah satu dari 'Orang:' "
                    f"({', '.join(self.people)}), 'sistem', 'waktu berjalan' atau 'ELEMEN berbunyi'"
                )
            actor, rest = self.clauses(self.people[name], rest[len(name) + 1 :])
        for pattern, method in VERBS:
            found = re.fullmatch(pattern, rest)
            if found:
                method(self, said, at, actor, *found.groups())
                return
        self.wrong(f"{rest!r} tidak dikenal; yang dikenal: {KNOWN_VERBS}")

    def clauses(self, person: Person, rest: str) -> tuple[Actor, str]:
        """(who acts, the rest of the line): `sebagai Plh. Kepala PD (nomor SP)`, `merangkap ...`, `atas nama ...`,
        `sebagai pemilik` of the SOP."""
        known = {**self.lanes, STARTERS: STARTERS}
        names = "|".join(re.escape(one) for one in sorted(known, key=len, reverse=True))
        lanes, capacity, basis, office = list(person.lanes), "definitif", None, None
        while True:
            if found := re.match(rf"sebagai (Plh|Plt)\. ({names})(?: \(([^()]*)\))? ", rest):
                capacity, basis = found[1].lower(), found[3]
                lanes.append(known[found[2]])
            elif found := re.match("sebagai pemilik ", rest):
                capacity = OWNER
            elif found := re.match(rf"merangkap ({names}) ", rest):
                lanes.append(known[found[1]])
            elif found := re.match(rf"atas nama ({names})(?: \(([^()]+)\))? ", rest):
                office = found[2] or known[found[1]]
            else:
                break
            rest = rest[found.end() :]
        appointed = {
            lane: dict(team)[person.id] for lane, team in self.instance.team.items() if person.id in dict(team)
        }
        own = sorted({one for one in lanes if one not in self.instance.team} | set(appointed))
        roles = [f"{lane}:{role}" for lane, role in sorted(appointed.items())]
        if capacity == "definitif" and appointed and set(own) <= set(appointed):
            capacity = "tim"
        return Actor(
            person=person.id,
            capacity=capacity,
            basis=basis,
            on_behalf_of=office,
            lanes=(*own, *roles),
            administrator=person.administrator,
            signed_in_by="cli",
        ), rest

    def ask(self, at: datetime, actor: Actor, act: Act) -> None:
        command = Command(id=f"cerita/{len(self.steps) + 1}", at=at, actor=actor, act=act)
        step = process.decide(self.rules, self.instance, command)
        self.instance = process.evolve(self.instance, step)
        self.steps.append(step)

    def element(self, word: str) -> Element:
        tasks = self.definition.user_tasks
        found = next((one for one in tasks if word in (one.number, one.id)), None)
        if found is None:
            self.wrong(
                f"diagram ini tidak mempunyai langkah {word!r}; yang ada: "
                + ", ".join(one.number or one.id for one in tasks)
            )
        return found

    def task(self, word: str, number: str | None) -> int:
        """The number of the user task: the open one of that element, else the one that was passed last, else 0."""
        element = self.element(word)
        if number:
            return int(number)
        found = [one.number for one in self.instance.user_tasks.values() if one.element == element.id]
        if len(found) > 1:
            self.wrong(
                f"langkah {word} terbuka {len(found)} kali; sebut yang mana, misalnya 'langkah {word} #{found[0]}'"
            )
        passed = self.instance.passed.get(element.id)
        return found[0] if found else passed.user_task if passed else 0

    def data(self, said: Said, form: Sequence[Field], verbs: tuple[str, ...] = ()) -> dict[str, Any]:
        """The values that stand below an act, those with one of `verbs` aside."""
        known = {one.id: one for one in form}
        values: dict[str, Any] = {}
        for detail in said.details:
            self.line = detail.line
            if detail.verb in verbs and detail.verb:
                continue
            field = known.get(detail.key)
            if detail.verb or detail.form or field is None or field.type == "document":
                fillable = ", ".join(one.id for one in form if one.type != "document")
                self.wrong(f"{detail.key!r} bukan isian di sini; yang dapat diisi: {fillable or 'tidak ada'}")
            if detail.key in values:
                self.wrong(f"{detail.key!r} sudah diisi di atas; hapus salah satu")
            values[detail.key] = self.words.value(field, detail)
        self.line = said.line
        return values

    def attachments(self, said: Said, verb: str) -> dict[str, Attachment]:
        grouped: dict[str, list[Detail]] = {}
        for detail in said.details:
            if detail.verb == verb:
                self.line = detail.line
                if detail.key not in self.definition.document_types:
                    self.wrong(
                        f"{detail.key!r} bukan jenis dokumen; yang ada: {', '.join(self.definition.document_types)}"
                    )
                grouped.setdefault(detail.key, []).append(detail)
        found = {}
        for key, details in grouped.items():
            self.line = details[0].line
            found[key] = attachment(details)
        self.line = said.line
        return found

    def promises(self, said: Said, verb: str) -> tuple[Promise, ...]:
        found = []
        for detail in said.details:
            if detail.verb == verb:
                self.line = detail.line
                found.append(promise(detail))
        self.line = said.line
        return tuple(found)

    def words_below(self, said: Said, key: str, optional: bool = False) -> Any:
        """The one text that stands below an act under its own word (`alasan:`, `komentar:`)."""
        if not said.details and optional:
            return ""
        if [one.key for one in said.details] != [key]:
            self.wrong(f"di bawah tindakan ini ditulis '{key}: ...', tidak lebih dan tidak kurang")
        return self.words.value(None, said.details[0])

    def one_detail(self, said: Said, what: str) -> Detail:
        if len(said.details) != 1 or said.details[0].verb:
            self.wrong(f"di bawah tindakan ini ditulis {what}, tidak lebih dan tidak kurang")
        return said.details[0]

    def start(self, said: Said, at: datetime, actor: Actor) -> None:
        data = self.data(said, self.definition.start.form, ("lampirkan", "menyusul"))
        facts = {
            word.removeprefix("Ketentuan "): str(exactly(value)) if value.startswith('"') else value
            for word, value in self.reader.headings.items()
            if word.startswith("Ketentuan ")
        }
        self.ask(
            at,
            actor,
            StartProcessInstance(
                key=self.definition.key,
                definition=self.definition.sha256,
                unit=self.reader.headings.get("Unit", "unit"),
                calendars=self.calendars,
                data=data,
                attachments=self.attachments(said, "lampirkan"),
                promises=self.promises(said, "menyusul"),
                unit_facts=facts,
            ),
        )

    def claim(self, said: Said, at: datetime, actor: Actor, word: str, number: str | None) -> None:
        self.data(said, ())
        self.ask(at, actor, ClaimUserTask(user_task=self.task(word, number)))

    def release(self, said: Said, at: datetime, actor: Actor, word: str, number: str | None) -> None:
        self.data(said, ())
        self.ask(at, actor, ReleaseUserTask(user_task=self.task(word, number)))

    def reassign(self, said: Said, at: datetime, actor: Actor, word: str, number: str | None, name: str) -> None:
        if name not in self.people:
            self.wrong(f"{name!r} tidak ada di bawah 'Orang:'; tulis di sana")
        self.ask(
            at,
            actor,
            ReassignUserTask(
                user_task=self.task(word, number),
                person=self.people[name].id,
                reason=self.words_below(said, "alasan", optional=True),
            ),
        )

    def recall(self, said: Said, at: datetime, actor: Actor, word: str, number: str | None) -> None:
        self.data(said, ())
        self.ask(at, actor, RecallUserTask(user_task=self.task(word, number)))

    def give_back(self, said: Said, at: datetime, actor: Actor, word: str, number: str | None) -> None:
        self.ask(
            at,
            actor,
            ReassignUserTask(
                user_task=self.task(word, number), person=None, reason=self.words_below(said, "alasan", optional=True)
            ),
        )

    def record(self, said: Said, at: datetime, actor: Actor, word: str, number: str | None) -> None:
        form = self.element(word).form
        self.ask(at, actor, RecordValues(user_task=self.task(word, number), data=self.data(said, form)))

    def complete(self, said: Said, at: datetime, actor: Actor, word: str, number: str | None, *done: str) -> None:
        """What is attached or owed below is asked for first, each as a command of its own, at the same instant."""
        element, task = self.element(word), self.task(word, number)
        data = self.data(said, element.form, ("lampirkan", "menyusul"))
        done_at = None
        if done[0]:
            found = re.fullmatch(MOMENT, done[0])
            assert found, "the verb's pattern has matched it"
            done_at = self.moment(found)
        for document, given in self.attachments(said, "lampirkan").items():
            self.ask(at, actor, AttachDocument(document=document, attachment=given, user_task=task))
        for one in self.promises(said, "menyusul"):
            self.ask(at, actor, OweRequirement(user_task=task, promise=one))
        self.ask(at, actor, CompleteUserTask(user_task=task, data=data, done_at=done_at))

    def ask_extension(
        self, said: Said, at: datetime, actor: Actor, word: str, number: str | None, day: str, *_: str
    ) -> None:
        until = self.words.cell("date", day)
        act = AskExtension(
            user_task=self.task(word, number), until=until, reason=self.words_below(said, "alasan", optional=True)
        )
        self.ask(at, actor, act)

    def grant_extension(
        self, said: Said, at: datetime, actor: Actor, word: str, number: str | None, day: str | None, *_: str
    ) -> None:
        until = self.words.cell("date", day) if day else None
        act = GrantExtension(
            user_task=self.task(word, number), until=until, reason=self.words_below(said, "alasan", optional=True)
        )
        self.ask(at, actor, act)

    def refuse_extension(self, said: Said, at: datetime, actor: Actor, word: str, number: str | None) -> None:
        reason = self.words_below(said, "alasan", optional=True)
        self.ask(at, actor, RefuseExtension(user_task=self.task(word, number), reason=reason))

    def change_calendar(self, said: Said, at: datetime, actor: Actor) -> None:
        """`kalender: enam_hari` is the unit's, `kalender tim_penyusun: enam_hari` that of a lane, as in the heading."""
        changed: dict[str, str] = {}
        reason: Any = ""
        for detail in said.details:
            self.line = detail.line
            if detail.verb == "kalender" or (not detail.verb and detail.key == "kalender"):
                lane = detail.key if detail.verb else ""
                if lane in changed:
                    self.wrong("kalender ini sudah disebut di atas; hapus salah satu")
                changed[lane] = self.calendar(str(self.words.value(None, detail)))
            elif detail.key == "alasan" and not detail.verb and reason == "":
                reason = self.words.value(None, detail)
            else:
                self.wrong(
                    "di bawah tindakan ini ditulis satu 'alasan: ...', lalu 'kalender: enam_hari' (kalender unit) atau "
                    "'kalender ID_JALUR: enam_hari'"
                )
        self.line = said.line
        self.ask(at, actor, ChangeCalendar(calendars=changed, reason=reason))

    def migrate(self, said: Said, at: datetime, actor: Actor, to: str) -> None:
        """`petakan ID: ID_BARU` for what has another id there, `petakan ID = ""` for what has no counterpart."""
        mapping: dict[str, str] = {}
        calendars: dict[str, str] = {}
        reason: Any = ""
        for detail in said.details:
            self.line = detail.line
            if detail.verb == "petakan":
                mapping[detail.key] = str(self.words.value(None, detail))
            elif detail.verb == "kalender" or (not detail.verb and detail.key == "kalender"):
                calendars[detail.key if detail.verb else ""] = self.calendar(str(self.words.value(None, detail)))
            elif detail.key == "alasan" and not detail.verb and reason == "":
                reason = self.words.value(None, detail)
            else:
                self.wrong(
                    "di bawah tindakan ini ditulis satu 'alasan: ...', lalu 'petakan ID: ID_BARU' dan "
                    "'kalender ID_JALUR: enam_hari' bila perlu"
                )
        self.line = said.line
        self.ask(at, actor, MigrateProcessInstance(to=to, mapping=mapping, calendars=calendars, reason=reason))
        self.go_on_with(self.instance.definition)

    def undo_migration(self, said: Said, at: datetime, actor: Actor) -> None:
        self.ask(at, actor, UndoMigration(reason=self.words_below(said, "alasan", optional=True)))
        self.go_on_with(self.instance.definition)

    def erase(self, said: Said, at: datetime, actor: Actor, what: str) -> None:
        """`permintaan`, `nomor`, `dasar`, then `isian: BARIS:TEMPAT` and `berkas: SHA-256`, as many as went."""
        found: dict[str, list[str]] = {"permintaan": [], "nomor": [], "dasar": [], "isian": [], "berkas": []}
        for detail in said.details:
            self.line = detail.line
            if detail.verb or detail.key not in found:
                self.wrong(f"di bawah tindakan ini ditulis {', '.join(found)}")
            found[detail.key].append(str(self.words.value(None, detail)))
        self.line = said.line
        if any(len(found[one]) != 1 for one in ("permintaan", "nomor", "dasar")):
            self.wrong("di bawah tindakan ini ditulis satu permintaan, satu nomor, dan satu dasar")
        self.ask(at, replace(actor, capacity="penyetuju"), EraseValues(
            request=found["permintaan"][0], number=found["nomor"][0], basis=found["dasar"][0],
            values=tuple(found["isian"]), files=tuple(found["berkas"]), disposal=what == "pemusnahan"))

    def go_on_with(self, sha256: str) -> None:
        """From here on words mean what they mean in this version."""
        self.definition = self.rules.definition(sha256)
        self.lanes = {one.name: one.id for one in self.definition.lanes}

    def attach(self, said: Said, at: datetime, actor: Actor, word: str, number: str | None) -> None:
        for document, given in self.attached(said).items():
            self.ask(at, actor, AttachDocument(document=document, attachment=given, user_task=self.task(word, number)))

    def attach_outside(self, said: Said, at: datetime, actor: Actor) -> None:
        for document, given in self.attached(said).items():
            self.ask(at, actor, AttachDocument(document=document, attachment=given))

    def settle(self, said: Said, at: datetime, actor: Actor) -> None:
        for document, given in self.attached(said).items():
            self.ask(at, actor, SettleRequirement(document=document, attachment=given))

    def attached(self, said: Said) -> dict[str, Attachment]:
        found = self.attachments(said, "")
        if not found or any(one.verb for one in said.details):
            self.wrong("di bawah tindakan ini ditulis dokumennya, misalnya 'notulen: notulen.pdf'")
        return found

    def owe(self, said: Said, at: datetime, actor: Actor, word: str, number: str | None) -> None:
        detail = self.one_detail(
            said, "satu dokumen, misalnya 'sk_tim: 5 Januari 2027, karena SK belum ditandatangani'"
        )
        self.ask(at, actor, OweRequirement(user_task=self.task(word, number), promise=promise(detail)))

    def waive(self, said: Said, at: datetime, actor: Actor, word: str, number: str | None) -> None:
        detail = self.one_detail(
            said, "satu dokumen dan alasannya, misalnya 'daftar_hadir: rapat diadakan secara daring'"
        )
        self.ask(
            at,
            actor,
            WaiveRequirement(
                user_task=self.task(word, number), document=detail.key, reason=self.words.value(None, detail)
            ),
        )

    def comment(
        self, said: Said, at: datetime, actor: Actor, word: str | None = None, number: str | None = None
    ) -> None:
        task = self.task(word, number) if word else None
        self.ask(at, actor, AddComment(text=self.words_below(said, "komentar"), user_task=task))

    def suspend(self, said: Said, at: datetime, actor: Actor) -> None:
        self.ask(at, actor, SuspendProcessInstance(reason=self.words_below(said, "alasan")))

    def resume(self, said: Said, at: datetime, actor: Actor) -> None:
        self.ask(at, actor, ResumeProcessInstance(reason=self.words_below(said, "alasan", optional=True)))

    def cancel(self, said: Said, at: datetime, actor: Actor) -> None:
        self.ask(at, actor, CancelProcessInstance(reason=self.words_below(said, "alasan")))

    def raise_incident(self, said: Said, at: datetime, actor: Actor, kind: str) -> None:
        self.ask(at, actor, RaiseIncident(kind=kind, detail=self.words_below(said, "rincian", optional=True)))

    def resolve_incident(self, said: Said, at: datetime, actor: Actor, number: str) -> None:
        self.ask(at, actor, ResolveIncident(incident=int(number), reason=self.words_below(said, "alasan")))

    def correct(self, said: Said, at: datetime, actor: Actor) -> None:
        plain = [one for one in said.details if one.key not in ("alasan", "tutup", "buka")]
        data = self.data(replace(said, details=tuple(plain)), tuple(self.definition.fields.values()))
        given: dict[str, list[Detail]] = {"alasan": [], "tutup": [], "buka": []}
        for detail in said.details:
            if detail.key in given:
                given[detail.key].append(detail)
        if len(given["alasan"]) != 1:
            self.wrong("koreksi selalu beralasan; tulis satu 'alasan: ...' di bawahnya")
        close = tuple(int(str(self.words.cell("long", one.text or ""))) for one in given["tutup"])
        opened = tuple(self.element(one.text or "").id for one in given["buka"])
        self.ask(
            at, actor, Correct(reason=self.words.value(None, given["alasan"][0]), data=data, close=close, open=opened)
        )

    # Expectations

    def expect(self, text: str) -> None:
        for pattern, method in EXPECTATIONS:
            found = re.fullmatch(pattern, text)
            if found:
                method(self, *found.groups())
                return
        self.wrong(f"'maka {text}' tidak dikenal; yang dikenal: {KNOWN_EXPECTATIONS}")

    def must(self, fine: bool, is_so: str) -> None:
        if not fine:
            self.wrong(f"yang diharapkan tidak terjadi: {is_so}")

    def expect_refusal(self, text: str) -> None:
        self.must(self.refused is not None, "tindakan ini diterima")
        said = spoken(self.refused) if self.refused else ""
        self.must(text in said, f"tindakan ini ditolak dengan kata lain: {said!r}")

    def expect_open(
        self, word: str, never: str | None, lane: str | None, round: str | None, returned: str | None
    ) -> None:
        element = self.element(word)
        tasks = [one for one in self.instance.user_tasks.values() if one.element == element.id]
        if never:
            self.must(not tasks, f"langkah {word} terbuka")
            return
        opened = ", ".join(
            self.definition.elements[one.element].number or one.element for one in self.instance.user_tasks.values()
        )
        self.must(bool(tasks), f"yang terbuka: langkah {opened or '(tidak ada)'}")
        task = tasks[-1]
        if lane:
            drawn = self.definition.lane(task.lane)
            self.must(
                self.lane(lane) == task.lane, f"langkah {word} terbuka untuk {drawn.name if drawn else task.lane}"
            )
        wanted = int(round) if round else int(returned) + 1 if returned else task.round
        self.must(
            task.round == wanted,
            f"langkah {word} terbuka dalam putaran {task.round} (pengembalian ke-{task.round - 1})",
        )

    def completed(self, word: str) -> tuple[Step, UserTaskCompleted]:
        element = self.element(word)
        for step in reversed(self.steps):
            for event in step.events:
                if isinstance(event, UserTaskCompleted) and event.element == element.id:
                    return step, event
        self.wrong(f"langkah {word} belum pernah diselesaikan")

    def expect_punctual(self, word: str, judged: str) -> None:
        late = self.completed(word)[1].late
        self.must(
            late == (judged == "terlambat"), f"langkah {word} diselesaikan {'terlambat' if late else 'tepat waktu'}"
        )

    def expect_performer(self, word: str, name: str, capacity: str | None, office: str | None) -> None:
        actor = self.completed(word)[0].command.actor
        self.must(
            self.words.names.get(actor.person) == name,
            f"langkah {word} diselesaikan {self.words.names.get(actor.person)}",
        )
        if capacity:
            self.must(actor.capacity == capacity.lower(), f"ia bertindak dalam kedudukan {actor.capacity}")
        if office:
            self.must(actor.on_behalf_of is not None, f"langkah {word} tidak diselesaikan atas nama siapa pun")

    def expect_owner(self, word: str, name: str) -> None:
        tasks = [one for one in self.instance.user_tasks.values() if one.element == self.element(word).id]
        owner = tasks[-1].owner if tasks else None
        self.must(
            owner is not None and self.words.names.get(owner) == name,
            f"langkah {word} dikerjakan {self.words.names.get(owner or '', 'tidak seorang pun')}",
        )

    def expect_limit(self, word: str, *moment: str) -> None:
        tasks = [one for one in self.instance.user_tasks.values() if one.element == self.element(word).id]
        late_at = tasks[-1].late_at if tasks else None
        said = moment_in_words(late_at, self.zone) if late_at else "tidak ada"
        self.must(said == moment[0], f"batas waktu langkah {word}: {said}")

    def newest(self, word: str) -> UserTask:
        """The open user task of a step that was opened last."""
        tasks = [one for one in self.instance.user_tasks.values() if one.element == self.element(word).id]
        if not tasks:
            self.wrong(f"langkah {word} tidak terbuka")
        return tasks[-1]

    def expect_norm(self, word: str, *moment: str) -> None:
        norm_at = self.newest(word).norm_at
        said = moment_in_words(norm_at, self.zone) if norm_at else "tidak ada"
        self.must(said == moment[0], f"waktu baku langkah {word}: {said}")

    def expect_extension(self, word: str, judged: str) -> None:
        asked = self.newest(word).extension
        said = next(one for one, granted in DECIDED.items() if granted is asked.granted) if asked else "tidak ada"
        self.must(said == judged, f"permintaan perpanjangan langkah {word}: {said}")

    def expect_due(self, element: str, *moment: str) -> None:
        running = [one for one in self.instance.timers.values() if one.element == element]
        due = ", ".join(moment_in_words(one.due_at, self.zone) for one in running) or "tidak berjalan"
        self.must(due == moment[0], f"{element} berbunyi pada: {due}")

    def expect_status(self, word: str) -> None:
        said = next(one for one, status in STATUS.items() if status == self.instance.status)
        self.must(self.instance.status == STATUS[word], f"berkas proses {said}")

    def expect_owed(self, document: str, never: str | None) -> None:
        self.must(
            (document in self.instance.owed) == (never is None),
            f"yang menyusul: {', '.join(self.instance.owed) or 'tidak ada'}",
        )

    def expect_waived(self, document: str) -> None:
        self.must(
            document in self.instance.waived, f"yang didispensasi: {', '.join(self.instance.waived) or 'tidak ada'}"
        )

    def expect_version(self, document: str, version: str) -> None:
        found = self.instance.documents.get(document)
        self.must(
            found is not None and found.version == int(version),
            f"{document} versi {found.version if found else '(tidak ada)'}",
        )

    def expect_value(self, id: str, text: str) -> None:
        field = self.definition.fields.get(id)
        if field is None:
            self.wrong(f"diagram ini tidak mempunyai isian {id!r}")
        value = self.instance.data.get(id)
        if field.type == "table" or value is None:
            self.must(
                value is not None and text == f"{len(value)} baris",
                f"isian {id}: " + ("kosong" if value is None else f"{len(value)} baris"),
            )
            return
        self.must(value == self.words.cell(field.type, text), f"isian {id}: {self.words.worded(field.type, value)}")

    def expect_empty(self, id: str) -> None:
        self.must(self.instance.data.get(id) is None, f"isian {id} terisi")

    def expect_deadline(self, *moment: str) -> None:
        said = moment_in_words(self.instance.deadline_at, self.zone) if self.instance.deadline_at else "tidak ada"
        self.must(said == moment[0], f"tenggat: {said}")

    def expect_no_deadline(self) -> None:
        self.must(self.instance.deadline_timer is None, "tenggat masih berjalan")

    def expect_fired(self, element: str, times: str) -> None:
        count = sum(
            isinstance(event, TimerFired) and event.element == element for step in self.steps for event in step.events
        )
        self.must(count == int(times), f"{element} telah berbunyi {count} kali")

    def expect_incidents(self, count: str) -> None:
        there = len(self.instance.incidents)
        self.must(there == (0 if count == "tidak ada" else int(count.split(" ")[1])), f"ada {there} insiden")


def spoken(refused: Refused) -> str:
    """A refusal whole: its sentence and every problem."""
    return " ".join([refused.message, *(one.message for one in refused.problems)])


VERBS: tuple[tuple[str, Callable[..., None]], ...] = (
    (r"memulai proses", Telling.start),
    (rf"mengambil {TASK}", Telling.claim),
    (rf"melepaskan {TASK}", Telling.release),
    (rf"menarik kembali {TASK}", Telling.recall),
    (rf"mengalihkan {TASK} kepada (.+)", Telling.reassign),
    (rf"mengembalikan {TASK} kepada jalurnya", Telling.give_back),
    (rf"mencatat pada {TASK}", Telling.record),
    (rf"menyelesaikan {TASK}(?:, dikerjakan di luar aplikasi pada ({MOMENT}))?", Telling.complete),
    (rf"melampirkan pada {TASK}", Telling.attach),
    (r"melampirkan di luar langkah", Telling.attach_outside),
    (r"menyerahkan susulan", Telling.settle),
    (rf"menyatakan menyusul pada {TASK}", Telling.owe),
    (rf"memberi dispensasi pada {TASK}", Telling.waive),
    (rf"meminta perpanjangan {TASK} sampai ({DAY})", Telling.ask_extension),
    (rf"memberikan perpanjangan {TASK}(?: sampai ({DAY}))?", Telling.grant_extension),
    (rf"menolak perpanjangan {TASK}", Telling.refuse_extension),
    (r"berkomentar", Telling.comment),
    (rf"berkomentar pada {TASK}", Telling.comment),
    (r"menangguhkan proses", Telling.suspend),
    (r"melanjutkan proses", Telling.resume),
    (r"membatalkan proses", Telling.cancel),
    (r"mengubah kalender", Telling.change_calendar),
    (r"melaporkan insiden (\S+)", Telling.raise_incident),
    (r"menyelesaikan insiden (\d+)", Telling.resolve_incident),
    (r"menyetujui (penghapusan|pemusnahan)", Telling.erase),
    (r"mengoreksi proses", Telling.correct),
    (r"memindahkan proses ke versi ([0-9a-f]{64})", Telling.migrate),
    (r"membatalkan pemindahan versi", Telling.undo_migration),
)
KNOWN_VERBS = "; ".join(
    (
        "memulai proses",
        "mengambil, melepaskan, menyelesaikan langkah N[, dikerjakan di luar aplikasi pada ...]",
        "menarik kembali langkah N",
        "mengalihkan langkah N kepada NAMA",
        "mengembalikan langkah N kepada jalurnya",
        "mencatat, melampirkan, menyatakan menyusul, memberi dispensasi pada langkah N",
        "meminta perpanjangan langkah N sampai TANGGAL",
        "memberikan perpanjangan langkah N[ sampai TANGGAL]",
        "menolak perpanjangan langkah N",
        "melampirkan di luar langkah",
        "menyerahkan susulan",
        "berkomentar[ pada langkah N]",
        "menangguhkan, melanjutkan, membatalkan, mengoreksi proses",
        "mengubah kalender",
        "memindahkan proses ke versi SHA-256, membatalkan pemindahan versi",
        "melaporkan insiden JENIS",
        "menyelesaikan insiden N",
        "menyetujui penghapusan, menyetujui pemusnahan",
    )
)

EXPECTATIONS: tuple[tuple[str, Callable[..., None]], ...] = (
    (r"ditolak: (.+)", Telling.expect_refusal),
    (
        r"langkah (\S+) (tidak )?terbuka(?: untuk (.+?))?(?:, putaran (\d+)|, pengembalian ke-(\d+))?",
        Telling.expect_open,
    ),
    (r"langkah (\S+) (terlambat|tepat waktu)", Telling.expect_punctual),
    (r"langkah (\S+) diselesaikan (.+?)(?: sebagai (Plh|Plt)\.)?(?: atas nama (.+))?", Telling.expect_performer),
    (r"langkah (\S+) dikerjakan (.+)", Telling.expect_owner),
    (rf"batas waktu langkah (\S+): ({MOMENT})", Telling.expect_limit),
    (rf"waktu baku langkah (\S+): ({MOMENT})", Telling.expect_norm),
    (rf"permintaan perpanjangan langkah (\S+) ({'|'.join(DECIDED)})", Telling.expect_extension),
    (rf"(\S+) berbunyi pada: ({MOMENT})", Telling.expect_due),
    (rf"berkas proses ({'|'.join(STATUS)})", Telling.expect_status),
    (r"(\S+) (tidak )?menyusul", Telling.expect_owed),
    (r"(\S+) didispensasi", Telling.expect_waived),
    (r"(\S+) versi (\d+)", Telling.expect_version),
    (r"isian (\S+): (.+)", Telling.expect_value),
    (r"isian (\S+) kosong", Telling.expect_empty),
    (rf"tenggat: ({MOMENT})", Telling.expect_deadline),
    (r"tenggat tidak lagi berjalan", Telling.expect_no_deadline),
    (r"(\S+) berbunyi (\d+) kali", Telling.expect_fired),
    (r"(tidak ada|ada \d+) insiden", Telling.expect_incidents),
)
KNOWN_EXPECTATIONS = "; ".join(
    (
        "ditolak: ...",
        "langkah N [tidak] terbuka[ untuk JALUR][, putaran N | , pengembalian ke-N]",
        "langkah N terlambat | tepat waktu",
        "langkah N diselesaikan NAMA[ sebagai Plh.][ atas nama JALUR]",
        "langkah N dikerjakan NAMA",
        "batas waktu langkah N: ...",
        "waktu baku langkah N: ...",
        f"permintaan perpanjangan langkah N {' | '.join(DECIDED)}",
        "ELEMEN berbunyi pada: ...",
        f"berkas proses {' | '.join(STATUS)}",
        "DOKUMEN [tidak] menyusul",
        "DOKUMEN didispensasi",
        "DOKUMEN versi N",
        "isian ID: NILAI",
        "isian ID kosong",
        "tenggat: ...",
        "tenggat tidak lagi berjalan",
        "ELEMEN berbunyi N kali",
        "tidak ada insiden",
        "ada N insiden",
    )
)


# Printing a journal


def show(steps: Iterable[Step], rules: process.Rules, names: Mapping[str, str] | None = None, title: str = "") -> str:
    """A journal as a story: run again on the same definition and calendars it gives the same events and markings.

    steps  of one instance, from its first; as recorded (`store.instances.steps`) or as `decide` gave them.
    names  person id -> the name to print; an id stands for itself where none is given.
    """
    told = tuple(steps)
    start = told[0].command.act
    assert isinstance(start, StartProcessInstance), "a journal begins with its start"
    return Printing(told, start, rules, names or {}).story(title)


class Printing:
    """A journal while it is printed: the instance as it stood before each Step."""

    def __init__(
        self, steps: tuple[Step, ...], start: StartProcessInstance, rules: process.Rules, names: Mapping[str, str]
    ):
        self.steps, self.begun = steps, start
        self.rules, self.definition = rules, rules.definition(start.definition)
        self.zone = ZoneInfo(rules.calendar(start.calendars[""]).zone)
        self.instance = ProcessInstance(id="")
        self.presets = {one().sha256: name for name, one in PRESETS.items()}
        self.names = self.named(names)
        self.words = Words({name: id for id, name in self.names.items()})
        self.lanes: dict[str, set[str]] = {}  # person id -> lanes in which they always acted, teams aside
        self.administrators = {one.command.actor.person for one in steps if one.command.actor.administrator}
        self.learn()

    def named(self, names: Mapping[str, str]) -> dict[str, str]:
        """Person id -> a name that no other has and that can be read again."""
        ids = [one.command.actor.person for one in self.steps if one.command.actor.capacity != "sistem"]
        ids += [
            one.command.act.person
            for one in self.steps
            if isinstance(one.command.act, ReassignUserTask) and one.command.act.person
        ]
        ids += people_in([step.command.act for step in self.steps])
        found: dict[str, str] = {}
        for id in dict.fromkeys(ids):
            name = names.get(id, id)
            usable = re.fullmatch(r"[^\s():|,#\"][^():|,#\"]*[^\s():|,#\"]", name) and name not in ("sistem", "waktu")
            found[id] = name if usable and name not in found.values() else id
        return found

    def learn(self) -> None:
        """Which lanes each person always had; what comes and goes is said in the act."""
        instance, begun = ProcessInstance(id=""), self.definition
        for step in self.steps:
            actor = step.command.actor
            if actor.capacity != "sistem":
                own = self.own_lanes(actor, instance) & {STARTERS, *(one.id for one in begun.lanes)}
                self.lanes[actor.person] = self.lanes.get(actor.person, own) & own
            instance = process.evolve(instance, step)
            self.definition = self.rules.definition(instance.definition)
        self.definition = begun

    def own_lanes(self, actor: Actor, instance: ProcessInstance) -> set[str]:
        """The lanes that matter here and that no appointment of this instance gave."""
        appointed = {lane for lane, team in instance.team.items() if actor.person in dict(team)}
        return set(actor.lanes) & {STARTERS, *(one.id for one in self.definition.lanes)} - appointed

    def story(self, title: str) -> str:
        begun = self.begun
        lines = [
            f"Cerita: {title or self.definition.name}",
            f"Proses: {begun.key}",
            f"Definisi: {begun.definition}",
            f"Unit: {begun.unit}",
        ]
        for lane, sha in sorted(begun.calendars.items()):
            lines.append(f"Kalender{' ' if lane else ''}{lane}: {self.presets.get(sha, sha)}")
        for name, value in sorted(begun.unit_facts.items()):
            plain = value == value.strip() and value.isprintable() and value and not value.startswith('"')
            lines.append(f"Ketentuan {name}: {value if plain else exact(value)}")
        lines += ["", "Orang:"]
        for id, name in self.names.items():
            drawn = {one.id: one.name for one in self.definition.lanes}
            listed = [drawn.get(one, one) for one in sorted(self.lanes.get(id, ()))]
            listed += ["administrator"] if id in self.administrators else []
            lines.append(f"    {name} ({id}){': ' if listed else ''}{', '.join(listed)}")
        lines.append("")
        day, header, handed_in = None, "", set[str]()
        for step in self.steps:
            today = step.command.at.astimezone(self.zone).date()
            told = self.told(step)
            # What one person hands in at one instant is one act of the story, and is taken apart when it runs.
            act = step.command.act
            document = act.document if isinstance(act, AttachDocument | SettleRequirement) else ""
            if document and document not in handed_in and told[0] == header:
                lines += told[1:]
                handed_in.add(document)
            else:
                lines += [""] if day not in (None, today) else []  # a new day stands a line apart
                lines += told
                header, handed_in = (told[0], {document}) if document else ("", set())
            day = today
            migrating = isinstance(act, MigrateProcessInstance | UndoMigration)
            said = [] if migrating else self.outcome(step)
            self.instance = process.evolve(self.instance, step)
            if migrating:  # what is so now is said in the words of the version that it goes on with
                self.definition = self.rules.definition(self.instance.definition)
                said = self.outcome(step)
            lines += [f"maka {one}" for one in said]
        return "\n".join(lines) + "\n"

    def told(self, step: Step) -> list[str]:
        act, actor = step.command.act, step.command.actor
        when = moment_in_words(step.command.at, self.zone)
        if isinstance(act, FireTimer):
            element = self.instance.timers[act.timer].element
            several = sum(one.element == element for one in self.instance.timers.values()) > 1
            return [f"{when}  {element}{f' #{act.timer}' if several else ''} berbunyi"]
        verb, details = self.verb(act)
        who = "sistem" if actor.capacity == "sistem" else self.names[actor.person] + self.clauses(actor)
        return [f"{when}  {who} {verb}", *details]

    def clauses(self, actor: Actor) -> str:
        extra = self.own_lanes(actor, self.instance) - self.lanes[actor.person]
        said = ""
        drawn = {one.id: one.name for one in self.definition.lanes}
        for lane in sorted(extra):
            if actor.capacity in ("plh", "plt") and lane in drawn:
                said += f" sebagai {actor.capacity.capitalize()}. {drawn[lane]}"
                said += f" ({actor.basis})" if actor.basis and not set(actor.basis) & set("()\n") else ""
            else:
                said += f" merangkap {drawn.get(lane, lane)}"
        said += " sebagai pemilik" if actor.capacity == OWNER else ""
        if actor.on_behalf_of:
            other = next((one for one in self.definition.lanes if one.other_office), self.definition.lanes[0])
            said += f" atas nama {other.name}" + (f" ({actor.on_behalf_of})" if actor.on_behalf_of != other.id else "")
        return said

    def task(self, number: int) -> str:
        """`langkah 3`, with its number where that alone would be another one."""
        element = next(
            (one.element for one in self.instance.user_tasks.values() if one.number == number), None
        ) or next((id for id, one in self.instance.passed.items() if one.user_task == number), None)
        if element is None or element not in self.definition.elements:  # of nobody, or before a migration
            return f"langkah {self.definition.user_tasks[0].number or self.definition.user_tasks[0].id} #{number}"
        same = [one.number for one in self.instance.user_tasks.values() if one.element == element]
        said = f"langkah {self.definition.elements[element].number or element}"
        return said if same == [number] or not same else f"{said} #{number}"

    def verb(self, act: Act) -> tuple[str, list[str]]:
        """(the verb with its object, the lines below it)."""
        match act:
            case StartProcessInstance():
                return "memulai proses", [
                    *self.filled(self.definition.start.form, act.data),
                    *(line for id, one in act.attachments.items() for line in attachment_lines("lampirkan", id, one)),
                    *(line for one in act.promises for line in promise_lines("menyusul", one)),
                ]
            case ClaimUserTask():
                return f"mengambil {self.task(act.user_task)}", []
            case ReleaseUserTask():
                return f"melepaskan {self.task(act.user_task)}", []
            case RecallUserTask():
                return f"menarik kembali {self.task(act.user_task)}", []
            case ReassignUserTask(person=None):
                return f"mengembalikan {self.task(act.user_task)} kepada jalurnya", self.why(act.reason)
            case ReassignUserTask():
                return f"mengalihkan {self.task(act.user_task)} kepada {self.names[act.person or '']}", self.why(
                    act.reason
                )
            case RecordValues():
                return f"mencatat pada {self.task(act.user_task)}", self.filled(self.form(act.user_task), act.data)
            case CompleteUserTask():
                done = (
                    f", dikerjakan di luar aplikasi pada {moment_in_words(act.done_at, self.zone)}"
                    if act.done_at
                    else ""
                )
                return f"menyelesaikan {self.task(act.user_task)}{done}", self.filled(
                    self.form(act.user_task), act.data
                )
            case AttachDocument(user_task=None):
                return "melampirkan di luar langkah", attachment_lines("", act.document, act.attachment)
            case AttachDocument():
                return f"melampirkan pada {self.task(act.user_task or 0)}", attachment_lines(
                    "", act.document, act.attachment
                )
            case SettleRequirement():
                return "menyerahkan susulan", attachment_lines("", act.document, act.attachment)
            case OweRequirement():
                return f"menyatakan menyusul pada {self.task(act.user_task)}", promise_lines("", act.promise)
            case WaiveRequirement():
                return f"memberi dispensasi pada {self.task(act.user_task)}", self.words.lines(
                    None, act.document, act.reason
                )
            case AskExtension():
                until = day_in_words(date.fromisoformat(act.until))
                return f"meminta perpanjangan {self.task(act.user_task)} sampai {until}", self.why(act.reason)
            case GrantExtension():
                until = f" sampai {day_in_words(date.fromisoformat(act.until))}" if act.until else ""
                return f"memberikan perpanjangan {self.task(act.user_task)}{until}", self.why(act.reason)
            case RefuseExtension():
                return f"menolak perpanjangan {self.task(act.user_task)}", self.why(act.reason)
            case ChangeCalendar():
                return "mengubah kalender", [
                    *self.why(act.reason),
                    *(
                        f"    kalender{' ' if lane else ''}{lane}: {self.presets.get(sha, sha)}"
                        for lane, sha in sorted(act.calendars.items())
                    ),
                ]
            case MigrateProcessInstance():
                return f"memindahkan proses ke versi {act.to}", [
                    *self.why(act.reason),
                    *(
                        f"    petakan {id}{': ' + there if there else ' = ' + exact(there)}"
                        for id, there in sorted(act.mapping.items())
                    ),
                    *(
                        f"    kalender{' ' if lane else ''}{lane}: {self.presets.get(sha, sha)}"
                        for lane, sha in sorted(act.calendars.items())
                    ),
                ]
            case UndoMigration():
                return "membatalkan pemindahan versi", self.why(act.reason)
            case AddComment():
                where = f" pada {self.task(act.user_task)}" if act.user_task else ""
                return f"berkomentar{where}", self.words.lines(None, "komentar", act.text)
            case SuspendProcessInstance():
                return "menangguhkan proses", self.why(act.reason)
            case ResumeProcessInstance():
                return "melanjutkan proses", self.why(act.reason)
            case CancelProcessInstance():
                return "membatalkan proses", self.why(act.reason)
            case RaiseIncident():
                return f"melaporkan insiden {act.kind}", self.words.lines(
                    None, "rincian", act.detail
                ) if act.detail else []
            case ResolveIncident():
                return f"menyelesaikan insiden {act.incident}", self.why(act.reason)
            case EraseValues():
                told = [("permintaan", act.request), ("nomor", act.number), ("dasar", act.basis)]
                told += [("isian", one) for one in act.values] + [("berkas", one) for one in act.files]
                return f"menyetujui {'pemusnahan' if act.disposal else 'penghapusan'}", [
                    line for key, text in told for line in self.words.lines(None, key, text)
                ]
            case Correct():
                return "mengoreksi proses", [
                    *self.why(act.reason),
                    *self.filled(tuple(self.definition.fields.values()), act.data),
                    *(f"    tutup: {one}" for one in act.close),
                    *(f"    buka: {one}" for one in act.open),
                ]
        raise AssertionError(f"{type(act).__name__} has no words")

    def form(self, number: int) -> tuple[Field, ...]:
        return self.definition.elements[self.instance.user_tasks[number].element].form

    def filled(self, form: Sequence[Field], data: Mapping[str, Any]) -> list[str]:
        return [
            line for field in form if field.id in data for line in self.words.lines(field, field.id, data[field.id])
        ]

    def why(self, reason: Any) -> list[str]:
        return self.words.lines(None, "alasan", reason) if reason != "" else []

    def outcome(self, step: Step) -> list[str]:
        """What a reader wants to know of the events, as expectations."""
        said: list[str] = []
        for event in step.events:
            match event:
                case UserTaskCompleted(_, element, late=True):
                    said.append(f"langkah {self.definition.elements[element].number or element} terlambat")
                case UserTaskOpened(_, element, lane, round):
                    drawn = self.definition.lane(lane)
                    again = f", putaran {round}" if round > 1 else ""
                    said.append(
                        f"langkah {self.definition.elements[element].number or element} terbuka"
                        + (f" untuk {drawn.name}" if drawn else "")
                        + again
                    )
                case UserTaskMoved(number, _, element, _, lane, round):
                    drawn = self.definition.lane(lane)
                    if "#" not in self.task(number) and drawn:
                        said.append(f"{self.task(number)} terbuka untuk {drawn.name}, putaran {round}")
                case ExtensionGranted(number, _, late_at, _) | DueDatesMoved(number, _, _, _, _, late_at, _):
                    moved = self.task(number)
                    if "#" not in moved and late_at:  # an expectation names a step, and there are several of this one
                        said.append(f"batas waktu {moved}: {moment_in_words(late_at, self.zone)}")
                case ProcessInstanceCompleted():
                    said.append("berkas proses selesai")
                case ProcessInstanceCancelled():
                    said.append("berkas proses dibatalkan")
                case IncidentRaised():
                    said.append(f"ada {len(self.instance.incidents) + 1} insiden")
        return said


def people_in(value: Any) -> Iterable[str]:
    """The ids of the people that values name."""
    if isinstance(value, Mapping):
        if value.keys() == {"id"} and isinstance(value["id"], str):
            yield value["id"]
        for one in value.values():
            yield from people_in(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from people_in(one)
    elif hasattr(value, "data"):
        yield from people_in(value.data)
