"""Documents: the bytes as files under random names; their SHA-256, which the journal holds, leads there by `blob`.

A file is stored before its row is written, so that nothing acknowledged is ever without its bytes; a file that got no
row is swept after a day. What comes in is judged by its content, not by what its name promises. Where a virus scanner
is set, a file is given to nobody before the scanner has found it clean:

    unscanned    no scanner is set          clean        the scanner found nothing
    scanning     it has not answered yet    quarantined  it found something: never given out again
"""
from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from itertools import chain
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO, BinaryIO, NamedTuple

import puremagic
from PIL import Image, ImageOps
from sqlalchemy import Connection, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ..instance import Refused
from . import records, retention
from .database import sync_folder
from .schema import blob, definition, document, document_file, setting

MOST_BYTES = 25_000_000
CHUNK_BYTES = 1 << 16
KEPT_UNATTACHED = timedelta(hours=24)
KEPT_FREE_BYTES = 200_000_000           # of the disk: for the database, whatever people send
MOST_FILES = 1_000                      # of one process instance, all versions of all documents
LONGEST_NAME = 120                      # characters

UNSCANNED, SCANNING, CLEAN, QUARANTINED = "unscanned", "scanning", "clean", "quarantined"
SCANNER = "scanner"                     # the setting that says whether one is set

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT, ODS = "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet"
TEXT, CSV = "text/plain", "text/csv"
BY_EXTENSION = {"pdf": PDF, "jpg": JPEG, "jpeg": JPEG, "png": PNG, "docx": DOCX, "xlsx": XLSX, "odt": ODT, "ods": ODS,
                "txt": TEXT, "csv": CSV}
ACCEPTED = "PDF, JPG, PNG, DOCX, XLSX, ODT, ODS, TXT, atau CSV"

MOST_ENTRIES = 2_000                    # of an office file, which is a ZIP
MOST_UNPACKED_BYTES = 250_000_000
MOST_RATIO, RATIO_FROM_BYTES = 200, 50_000_000      # unpacked to packed; small files may repeat themselves as they like
MOST_PHOTOS = 20
MOST_PIXELS = 60_000_000                # of one photo
PHOTO_PIXELS = 1_600                    # the longer side, in the PDF: an A4 page at 137 dots per inch
A4_LONG_INCHES = 11.69

NAME = re.compile(r"[0-9a-f]{64}|[0-9a-f]{32}")     # 64: by its hash, as files were named before they got random names
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.I)     # no Windows keeps such a file
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file whose bytes are safe on the disk. It has no row yet (`record`)."""
    sha256: str
    size_bytes: int
    media_type: str
    file: str                           # the name of its file: 32 hex digits, drawn; says nothing about what is in it


class Held(LookupError):
    """A document that is not given out: the scanner has not looked at it yet, or found something in it."""

    def __init__(self, sha256: str, state: str, finding: str | None = None):
        super().__init__(f"The document {sha256} is {state}{f': {finding}' if finding else ''}.")
        self.state, self.finding = state, finding


def _refusal(sentence: str) -> Refused:
    return Refused("wrong", sentence)


def _full() -> Refused:
    return Refused("full", "Ruang penyimpanan server hampir penuh, sehingga berkas belum dapat disimpan. Beri tahu "
                           "administrator, lalu unggah lagi nanti. Yang sudah tersimpan tidak hilang.")


# Files

def path_of(folder: Path, name: str) -> Path:
    """Where the file of a name lies. Raises LookupError for what is no such name."""
    if not NAME.fullmatch(name):
        raise LookupError(f"{name!r} is no name of a document's file.")
    return folder / name[:2] / name


def open_document(db: Connection, folder: Path, sha256: str) -> BinaryIO:
    """The bytes of a document that may be given to somebody, open for reading.

    Raises Held for one that the scanner has not found clean, LookupError for one that is not there.
    """
    row = db.execute(select(blob.c.state, blob.c.finding).where(blob.c.sha256 == sha256)).first()
    if row is not None and row.state not in (UNSCANNED, CLEAN):
        raise Held(sha256, row.state, row.finding)
    return open_stored(db, folder, sha256)


def open_stored(db: Connection, folder: Path, sha256: str) -> BinaryIO:
    """The bytes of a document whatever the scanner says: for a backup, and for the scanner. Raises LookupError."""
    file = db.execute(select(blob.c.file).where(blob.c.sha256 == sha256)).scalar()
    try:
        return path_of(folder, file or sha256).open("rb")
    except FileNotFoundError as error:
        raise LookupError(f"The document {sha256} is missing in {folder}.") from error


@contextmanager
def room(folder: Path, size: int = 0) -> Iterator[None]:
    """For writing `size` bytes (0: nobody knows). Raises Refused "full" before the disk is, and when it is."""
    try:
        if shutil.disk_usage(folder).free < KEPT_FREE_BYTES + size:
            raise _full()
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise _full() from error
        raise


def store(stream: IO[bytes], name: str, folder: Path, limit: int = MOST_BYTES) -> StoredFile:
    """Keep a file that somebody sends: streamed, judged, durable before this returns.

    name   as the sender calls it; its extension must agree with the content.
    limit  bytes; nothing beyond it is written.
    Raises Refused with a sentence for the sender; its code is "full" where the disk has no room.
    """
    media_type = expected(name)
    aside, digest, size = _write_aside(stream, folder, limit)
    try:
        with aside.open("rb") as file:
            judge(file, name, media_type)
        target = path_of(folder, aside.name)
        with room(folder):
            target.parent.mkdir(mode=0o700, exist_ok=True)
            os.replace(aside, target)
            sync_folder(target.parent)
            sync_folder(folder)
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()
    return StoredFile(sha256=digest, size_bytes=size, media_type=media_type, file=aside.name)


def _write_aside(stream: IO[bytes], folder: Path, limit: int) -> tuple[Path, str, int]:
    (folder / "incoming").mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = folder / "incoming" / secrets.token_hex(16)
    digest, size = sha256(), 0
    try:
        with room(folder), aside.open("xb") as file:
            while chunk := stream.read(CHUNK_BYTES):
                size += len(chunk)
                if size > limit:
                    raise too_large(limit)
                digest.update(chunk)
                file.write(chunk)
            if not size:
                raise _refusal("Berkas kosong. Pilih berkas yang berisi, lalu unggah lagi.")
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(FileNotFoundError):
            aside.unlink()
        raise
    return aside, digest.hexdigest(), size


def too_large(limit: int) -> Refused:
    return _refusal(f"Berkas lebih besar dari {limit // 1_000_000} MB. Perkecil atau bagi berkas itu, lalu unggah "
                    "lagi.")


def clean_name(name: str) -> str:
    """A file name as it may be shown and offered: no folders, nothing invisible, at most 120 characters."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(one for one in name if unicodedata.category(one) not in INVISIBLE).strip(" .")
    if len(name) > LONGEST_NAME:
        stem, dot, extension = name.rpartition(".")
        extension = extension[:LONGEST_NAME // 2]
        name = stem[:LONGEST_NAME - len(extension) - 1] + dot + extension if dot else name[:LONGEST_NAME]
        name = name.strip(" .")
    return f"berkas {name}" if RESERVED.fullmatch(name) else name or "berkas"


# What is accepted

def expected(name: str) -> str:
    """The media type that a file's extension promises. Raises Refused for one that is not accepted."""
    extension = clean_name(name).rpartition(".")[2].lower()
    if extension in ("heic", "heif"):
        raise _refusal("Foto HEIC belum dapat dibaca. Simpan atau kirim foto itu sebagai JPG, lalu unggah lagi.")
    if extension in ("doc", "xls"):
        raise _refusal(f"Berkas .{extension} adalah format lama. Simpan sebagai .{extension}x atau PDF, lalu unggah "
                       "lagi.")
    if extension not in BY_EXTENSION:
        raise _refusal(f"Jenis berkas ini tidak diterima. Yang diterima: {ACCEPTED}.")
    return BY_EXTENSION[extension]


def judge(file: IO[bytes], name: str, media_type: str) -> None:
    """Raises Refused unless the content is what the extension promises and opens without harm."""
    head = file.read(CHUNK_BYTES)
    file.seek(0)
    try:
        seen = {one.mime_type for one in puremagic.magic_string(head)}
    except (puremagic.PureError, ValueError):
        seen = set()
    if media_type in (TEXT, CSV):
        fits = seen.isdisjoint({"text/html", "image/svg+xml", PDF, JPEG, PNG}) and _is_text(file)
    elif media_type in (JPEG, PNG):
        fits = media_type in seen and _is_image(file)
    elif media_type == PDF:
        fits = PDF in seen
        if fits:
            _refuse_programs_in_pdf(file)
    else:
        # puremagic knows a ZIP by its first bytes; what is packed in it tells which office file it is.
        fits = head.startswith(b"PK\x03\x04") and _is_office(file, media_type)
    if not fits:
        extension = clean_name(name).rpartition(".")[2].upper()
        raise _refusal(f"Isi berkas ini bukan {extension} yang utuh. Buka di komputer Anda, simpan ulang dalam salah "
                       f"satu jenis yang diterima ({ACCEPTED}), lalu unggah lagi.")


def _with_program(what: str) -> Refused:
    return _refusal(f"Berkas ini membawa {what}, yang dapat menjalankan program di komputer pembacanya. Simpan ulang "
                    "sebagai PDF biasa, misalnya dengan mencetaknya ke PDF, lalu unggah lagi.")


def _is_text(file: IO[bytes]) -> bool:
    data = file.read()
    try:
        # UTF-16 with its mark is what Notepad and Excel call Unicode.
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")      # what Excel writes as CSV
        if "\ufffd" in text:
            return False
    return not any(unicodedata.category(one) == "Cc" and one not in "\t\n\r\f" for one in set(text))


def _is_image(file: IO[bytes]) -> bool:
    """Whether a picture is whole and no larger than may be decoded; nothing is decoded to find out."""
    try:
        with Image.open(file, formats=("JPEG", "PNG")) as image:
            if not 0 < image.width * image.height <= MOST_PIXELS:
                return False
            if image.format == "PNG":
                image.verify()                              # every piece and its checksum, up to the last
                return True
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - (1 << 20)))          # a camera may put something of its own behind the end
        return b"\xff\xd9" in file.read()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


# What a PDF may not do when it is opened or clicked: start a program. JavaScript stays, since forms of ministries
# count with it and every reader confines it; so do passwords and attached data (PDF/A-3, signatures).
PROGRAMS = "exe dll scr com pif bat cmd ps1 vbs vbe js jse wsf wsh hta msi msp lnk jar cpl reg iso img".split()
LAUNCH = re.compile(rb"/(?:S|#53)\s*/" + b"".join(b"(?:%c|#(?i:%x))" % (one, one) for one in b"Launch"))
PROGRAM_NAME = re.compile(rb"\((?:\\.|[^()\\]){0,300}\.(?:" + "|".join(PROGRAMS).encode() + rb")\s*\)", re.I)
MOST_OBJECT_STREAMS = 5_000
MOST_OBJECT_STREAM_BYTES = 400_000_000                      # read of all of them together, in pieces of CHUNK_BYTES
MOST_UNPACKED_OBJECTS_BYTES = 50_000_000


def _refuse_programs_in_pdf(file: IO[bytes]) -> None:
    data = file.read()
    embeds = b"/EmbeddedFile" in data
    for part in chain((data,), _object_streams(data)):
        if LAUNCH.search(part):
            raise _with_program("perintah untuk menjalankan program")
        if embeds and PROGRAM_NAME.search(part.replace(b"\x00", b"")):      # a name may be of two bytes a letter
            raise _with_program("program sebagai lampiran")


def _object_streams(data: bytes) -> Iterator[bytes]:
    """What a PDF since 1.5 packs its objects into, unpacked. One that cannot be read (encrypted, another filter) is
    left out; more than the bounds is refused, since nobody could say what is in it."""
    seen, packed, unpacked, view, at = 0, 0, 0, memoryview(data), data.find(b"/ObjStm")
    most = MOST_UNPACKED_OBJECTS_BYTES
    while at >= 0:
        seen, start = seen + 1, data.find(b"stream", at, at + 2_000)
        if seen > MOST_OBJECT_STREAMS:
            raise _with_program("isi terpadat yang melampaui batas")
        place = start + len("stream") + (2 if data[start + 6:start + 8] == b"\r\n" else 1)
        unpacker, found = zlib.decompressobj(), bytearray()
        with suppress(zlib.error):
            while start >= 0 and place < len(data) and not unpacker.eof:
                found += unpacker.decompress(view[place:place + CHUNK_BYTES], most + 1 - unpacked)
                packed, place = packed + CHUNK_BYTES, place + CHUNK_BYTES
                if packed > MOST_OBJECT_STREAM_BYTES or unpacked + len(found) > most:
                    raise _with_program("isi terpadat yang melampaui batas")
        unpacked += len(found)
        yield bytes(found)
        at = data.find(b"/ObjStm", at + 1)


CONTENT_TYPES = {DOCX: b"wordprocessingml.document.main+xml", XLSX: b"spreadsheetml.sheet.main+xml"}
MACROS = ("vbaproject.bin", "vbadata.xml", "vbaprojectsignature.bin")
NO_MODULES = ("script-lc.xml", "script-lb.xml", "dialog-lc.xml", "dialog-lb.xml")     # lists, empty ones too
RELATIONSHIP = re.compile(rb"<(?:\w+:)?Relationship\b[^>]{0,4000}>")
# What an office program fetches by itself when the file is opened. Links that somebody clicks, and pictures, stay.
FETCHED = re.compile(rb"/(?:attachedTemplate|oleObject|frame|subDocument|package)[\"']", re.I)
ELSEWHERE = re.compile(rb"Target\s*=\s*[\"']\s*(?:https?:|ftp:|mhtml:|x-usc:|\\\\|file:[/\\]{4,}|file://[^/])", re.I)


def _is_office(file: IO[bytes], media_type: str) -> bool:
    """Whether a ZIP is that office document: bounded, whole, without links, paths out of it, programs or macros."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            unpacked, packed = sum(one.file_size for one in entries), sum(one.compress_size for one in entries)
            if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED_BYTES:
                return False
            if unpacked > RATIO_FROM_BYTES and unpacked > MOST_RATIO * packed:
                return False
            if len({one.filename for one in entries}) < len(entries):
                return False                                # two readers would see two documents
            for one in entries:
                parts = one.filename.replace("\\", "/").split("/")
                if ".." in parts or one.filename.startswith("/") or stat.S_ISLNK(one.external_attr >> 16):
                    return False
                _refuse_programs_in_office([part.lower() for part in parts])
            if not _is_of_type(archive, media_type):
                return False
            for one in entries:
                _read_through(archive, one)
            return True
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, EOFError, RuntimeError, zlib.error):
        return False        # RuntimeError: zipfile's for an encrypted entry, and for a compression it does not know


def _is_of_type(archive: zipfile.ZipFile, media_type: str) -> bool:
    if media_type not in CONTENT_TYPES:
        return _entry(archive, "mimetype").strip() == media_type.encode()
    types = _entry(archive, "[Content_Types].xml")
    if b"macroenabled" in types.lower():
        raise _with_program("makro")
    return CONTENT_TYPES[media_type] in types


def _refuse_programs_in_office(parts: Sequence[str]) -> None:
    *folders, name = parts
    if name in MACROS or (folders[:1] == ["basic"] and name and name not in NO_MODULES) or (
            folders[:1] == ["scripts"] and name):
        raise _with_program("makro")
    if name.rpartition(".")[2] in PROGRAMS and "." in name:
        raise _with_program("program")


def _read_through(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> None:
    """Read an entry to its end: zipfile gives no more than its head promises, and checks the sum of it."""
    related = one.filename.endswith(".rels")
    with archive.open(one) as entry:
        text = entry.read(1_000_000) if related else b""
        while entry.read(1 << 20):
            pass
    for found in RELATIONSHIP.findall(text):
        if FETCHED.search(found) and ELSEWHERE.search(found):
            raise _with_program("isi yang diambil sendiri dari alamat lain saat dibuka")


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as entry:
        return entry.read(1_000_000)


# Photos

# One conversion at a time in a process: twenty photographs may need 400 MB for a second. Only two decoders are open, of
# pictures whose size was read before.
CONVERTS = BoundedSemaphore(1)


def photos_to_pdf(photos: Sequence[IO[bytes]]) -> bytes:
    """One PDF of several photos, a page each, upright, at most A4. The same photos give the same bytes.

    Raises Refused when one of them is no photo.
    """
    if len(photos) > MOST_PHOTOS:
        raise _refusal(f"Paling banyak {MOST_PHOTOS} foto dalam satu dokumen. Bagi menjadi beberapa dokumen.")
    with CONVERTS:
        pages = [_page(photo, place) for place, photo in enumerate(photos, 1)]
        out = BytesIO()
        # Without dates: Pillow would write the moment of making.
        pages[0].save(out, "PDF", save_all=True, append_images=pages[1:], resolution=PHOTO_PIXELS / A4_LONG_INCHES,
                      quality=80, title="", producer="Alur", creationDate=None, modDate=None)
    return out.getvalue()


def _page(photo: IO[bytes], place: int) -> Image.Image:
    try:
        with Image.open(photo, formats=("JPEG", "PNG")) as image:
            if image.width * image.height > MOST_PIXELS:
                raise _refusal(f"Foto ke-{place} terlalu besar. Kecilkan ukurannya, lalu unggah lagi.")
            image.draft("RGB", (PHOTO_PIXELS * 2, PHOTO_PIXELS * 2))     # a JPEG is decoded at a fraction of its size
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((PHOTO_PIXELS, PHOTO_PIXELS), Image.Resampling.LANCZOS)
            if upright.mode in ("RGBA", "LA", "P"):
                upright = upright.convert("RGBA")
                paper = Image.new("RGB", upright.size, "white")
                paper.paste(upright, mask=upright.getchannel("A"))
                return paper
            return upright.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _refusal(f"Foto ke-{place} tidak dapat dibaca. Simpan ulang sebagai JPG, lalu unggah lagi.") from error


# Rows

def record(db: Connection, folder: Path, file: StoredFile, at: datetime) -> None:
    """Write the row of a stored file, in the transaction that attaches it. Raises Refused if it was swept meanwhile.

    Where the same content is there already, that stays and the newcomer's file goes; what the scanner said of it holds.
    """
    new = (sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert)(blob)
    db.execute(new.values(sha256=file.sha256, media_type=file.media_type, size_bytes=file.size_bytes, file=file.file,
                          stored_at=records.instant(at), state=SCANNING if scans(db) else UNSCANNED)
               .on_conflict_do_nothing())
    # The update locks the row against the sweeper, which deletes file and row in one transaction.
    db.execute(update(blob).where(blob.c.sha256 == file.sha256).values(stored_at=records.instant(at)))
    kept = db.execute(select(blob.c.file).where(blob.c.sha256 == file.sha256)).scalar()
    own = path_of(folder, file.file)
    if kept is None:                    # let go of while this one waited for its row
        there = False
    elif kept == file.file:
        there = own.exists()
    elif _is_whole(path_of(folder, kept), file.size_bytes):
        own.unlink(missing_ok=True)
        there = True
    else:
        there = own.exists()
        db.execute(update(blob).where(blob.c.sha256 == file.sha256).values(file=file.file))
    if not there:
        raise _refusal("Berkas ini tidak tersimpan utuh. Unggah sekali lagi.")


def _is_whole(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def recorded(db: Connection, name: str) -> StoredFile | None:
    """The stored file of a SHA-256, None if it has no row."""
    found = select(blob.c.sha256, blob.c.size_bytes, blob.c.media_type, blob.c.file).where(blob.c.sha256 == name)
    row = db.execute(found).first()
    return StoredFile(**row._mapping) if row else None


def keep_within(db: Connection, instance: str, most_bytes: int) -> None:
    """Raises Refused "quota" when the files of an instance are more than it may hold. In the transaction that attaches,
    after it did: the instance's row is locked, so that two at once cannot both fit."""
    size, count = used(db, instance)
    if size > most_bytes or count > MOST_FILES:
        raise no_quota(most_bytes)


def used(db: Connection, instance: str) -> tuple[int, int]:
    """(bytes, files) that the documents of an instance hold; the same content counts once."""
    own = select(document_file.c.sha256, document_file.c.size_bytes).where(document_file.c.instance == instance)
    found = own.distinct().subquery()
    both = select(func.coalesce(func.sum(found.c.size_bytes), 0), func.count()).select_from(found)
    size, count = db.execute(both).one()
    return int(size), int(count)


def no_quota(most_bytes: int) -> Refused:
    return Refused("quota", f"Dokumen proses ini melebihi batasnya ({most_bytes // 1_000_000} MB, {MOST_FILES} "
                            "berkas). Perkecil berkasnya, atau minta administrator menambah batas itu.")


# What the scanner says

def scans(db: Connection) -> bool:
    """Whether a virus scanner is set."""
    return db.execute(select(setting.c.value).where(setting.c.name == SCANNER)).scalar() == "yes"


def set_scanner(db: Connection, yes: bool) -> None:
    """Say whether a scanner is set, before anything is served. From then on nothing unscanned is given out; where none
    is set any more, what waits for one is as if there had been none. What is quarantined stays so."""
    if scans(db) == yes:
        return
    db.execute(delete(setting).where(setting.c.name == SCANNER))
    db.execute(insert(setting).values(name=SCANNER, value="yes" if yes else "no"))
    before, after = (UNSCANNED, SCANNING) if yes else (SCANNING, UNSCANNED)
    db.execute(update(blob).where(blob.c.state == before).values(state=after))


def to_scan(db: Connection, most: int, tried_before: datetime | None = None) -> list[str]:
    """The SHA-256 of files that wait for the scanner, those first that wait longest or were tried least recently; of
    those that it could not judge only what was tried before an instant."""
    waiting = select(blob.c.sha256).where(blob.c.state == SCANNING)
    if tried_before is not None:
        waiting = waiting.where(or_(blob.c.scanned_at.is_(None), blob.c.scanned_at <= records.instant(tried_before)))
    return list(db.execute(waiting.order_by(func.coalesce(blob.c.scanned_at, blob.c.stored_at)).limit(most)).scalars())


def scanned(db: Connection, sha256: str, at: datetime, state: str, finding: str | None) -> bool:
    """Write what the scanner said of a file that waited for it; whether it did. SCANNING: it could not say, and why."""
    here = and_(blob.c.sha256 == sha256, blob.c.state == SCANNING)
    said = update(blob).where(here).values(state=state, finding=finding, scanned_at=records.instant(at))
    return bool(db.execute(said).rowcount)


class Waiting(NamedTuple):
    """What the scanner has still to do, and what it has found, for a health page."""
    waiting: int
    since: datetime | None              # since when the oldest waits
    quarantined: int
    trouble: str | None                 # why it could not look at a file, where it could not


def scanning(db: Connection) -> Waiting:
    """How far the scanner is."""
    wait = blob.c.state == SCANNING
    count, since = db.execute(select(func.count(), func.min(blob.c.stored_at)).where(wait)).one()
    held = db.execute(select(func.count()).where(blob.c.state == QUARANTINED)).scalar_one()
    why = db.execute(select(blob.c.finding).where(wait, blob.c.finding.is_not(None)).limit(1)).scalar()
    return Waiting(count, records.moment(since) if since else None, held, why)


def states(db: Connection, instance: str) -> dict[str, str]:
    """SHA-256 -> state of an instance's files that are not given out (SCANNING or QUARANTINED)."""
    own = select(document_file.c.sha256).where(document_file.c.instance == instance)
    found = select(blob.c.sha256, blob.c.state).where(blob.c.state.in_((SCANNING, QUARANTINED)), blob.c.sha256.in_(own))
    return {row.sha256: row.state for row in db.execute(found)}


class Where(NamedTuple):
    """Where a file was attached, and by whom."""
    instance: str
    user_task: int | None
    type: str
    person: str


def attached_as(db: Connection, sha256: str) -> list[Where]:
    """Every place where a file was attached."""
    same = and_(*(document.c[name] == document_file.c[name] for name in ("instance", "type", "version", "sequence")))
    found = select(document.c.instance, document.c.user_task, document.c.type, document.c.person)
    rows = db.execute(found.join(document_file, same).where(document_file.c.sha256 == sha256).distinct())
    return [Where(*row) for row in rows]


# What is over

def forget(db: Connection, sha256: str) -> frozenset[str]:
    """Delete a document's row, unless an instance or a signed SOP still has it; the names under which its bytes may
    lie, for `remove` after the commit: no rollback brings a file back. The journal says for ever that a file of this
    SHA-256 was attached. In a write transaction."""
    # Locked before it is asked who has it: somebody may attach the same content at this moment (`record`).
    file = db.execute(select(blob.c.file).where(blob.c.sha256 == sha256).with_for_update()).scalar()
    if retention.referred(db, sha256):
        return frozenset()
    db.execute(delete(blob).where(blob.c.sha256 == sha256))
    return frozenset({file or sha256, sha256})


def remove(folder: Path, names: Iterable[str]) -> bool:
    """Delete the bytes of documents whose rows went (`forget`), for good; whether there were any. What a crash before
    this leaves has no row, and the sweep takes it after a day."""
    return bool(sum(_remove(path_of(folder, name), lambda _: True) for name in names))


def settle(db: Connection, folder: Path) -> None:
    """Give files that a backup brought under their hashes the names that their rows say."""
    for digest, file in db.execute(select(blob.c.sha256, blob.c.file).where(blob.c.file != blob.c.sha256)).all():
        source, target = path_of(folder, digest), path_of(folder, file)
        if source.exists():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            os.replace(source, target)
            sync_folder(target.parent)


def sweep(db: Connection, folder: Path, at: datetime) -> int:
    """Remove what nothing refers to and nobody touched for a day; how many files. In a write transaction. Nothing while
    a legal hold is on everything: who knows what a court will ask for."""
    if retention.everything_held(db):
        return 0
    old = at - KEPT_UNATTACHED
    # The signed paper of an SOP belongs to a version, not to an instance.
    unattached = and_(~exists().where(document_file.c.sha256 == blob.c.sha256),
                      ~exists().where(definition.c.scan.contains(blob.c.sha256)))
    stale = select(blob.c.sha256, blob.c.file).where(blob.c.stored_at < records.instant(old), unattached)
    removed = 0
    for digest, name in db.execute(stale).all():
        again = delete(blob).where(blob.c.sha256 == digest, blob.c.stored_at < records.instant(old), unattached)
        if db.execute(again).rowcount:
            removed += _remove(path_of(folder, name), lambda _: True)
    rows = set(db.execute(select(blob.c.file)).scalars())
    # A file that was attached before it had a row of its own lies under its hash.
    rows |= set(db.execute(select(document_file.c.sha256).where(~exists().where(
        blob.c.sha256 == document_file.c.sha256))).scalars())
    for path in folder.glob("[0-9a-f][0-9a-f]/*"):
        if path.name not in rows:
            removed += _remove(path, lambda age: age < old.timestamp())
    for path in folder.glob("incoming/*"):
        removed += _remove(path, lambda age: age < old.timestamp())
    return removed


def _remove(path: Path, old_enough: Callable[[float], bool]) -> int:
    try:
        if not old_enough(path.stat().st_mtime):
            return 0
        path.unlink()
    except FileNotFoundError:
        return 0
    return 1


def missing(db: Connection, folder: Path) -> tuple[str, ...]:
    """The recorded files whose bytes are not in the folder with their size, by SHA-256: for `alur doctor`."""
    found = select(blob.c.sha256, blob.c.file, blob.c.size_bytes).order_by(blob.c.sha256)
    return tuple(digest for digest, file, size in db.execute(found) if not _is_whole(path_of(folder, file), size))
