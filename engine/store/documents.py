"""Documents: the bytes as files named by their SHA-256, once each; who attached them, when and where is in the tables.

A file is stored before its row is written, so that nothing acknowledged is ever without its bytes; a file that got no
row is swept after a day. What comes in is judged by its content, not by what its name promises.
"""
from __future__ import annotations

import os
import re
import secrets
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, BinaryIO

import puremagic
from PIL import Image, ImageOps
from sqlalchemy import Connection, and_, delete, exists, insert, select, update

from ..instance import Refused
from . import records
from .database import sync_folder
from .schema import blob, definition, document_file

MOST_BYTES = 25_000_000
CHUNK_BYTES = 1 << 16
KEPT_UNATTACHED = timedelta(hours=24)
LONGEST_NAME = 120                      # characters

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
MOST_PHOTOS = 20
MOST_PIXELS = 60_000_000                # of one photo
PHOTO_PIXELS = 1_600                    # the longer side, in the PDF: an A4 page at 137 dots per inch
A4_LONG_INCHES = 11.69

NAME = re.compile(r"[0-9a-f]{64}")
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file whose bytes are safe on the disk. It has no row yet (`record`)."""
    sha256: str
    size_bytes: int
    media_type: str


def _refusal(sentence: str) -> Refused:
    return Refused("wrong", sentence)


# Files

def path_of(folder: Path, name: str) -> Path:
    """Where the file of a SHA-256 lies. Raises LookupError for what is none."""
    if not NAME.fullmatch(name):
        raise LookupError(f"{name!r} is no SHA-256 of a document.")
    return folder / name[:2] / name


def open_document(folder: Path, name: str) -> BinaryIO:
    """The bytes of a document, open for reading. Raises LookupError if the file is not there."""
    try:
        return path_of(folder, name).open("rb")
    except FileNotFoundError as error:
        raise LookupError(f"The document {name} is missing in {folder}.") from error


def store(stream: IO[bytes], name: str, folder: Path, limit: int = MOST_BYTES) -> StoredFile:
    """Keep a file that somebody sends: streamed, judged, durable before this returns.

    name   as the sender calls it; its extension must agree with the content.
    limit  bytes; nothing beyond it is written.
    Raises Refused with a sentence for the sender.
    """
    media_type = expected(name)
    aside, digest, size = _write_aside(stream, folder, limit)
    try:
        with aside.open("rb") as file:
            judge(file, name, media_type)
        target = path_of(folder, digest)
        if target.exists():
            os.utime(target)                    # somebody counts on it: not to be swept now
        else:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            os.replace(aside, target)
            sync_folder(target.parent)
            sync_folder(folder)
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()
    return StoredFile(sha256=digest, size_bytes=size, media_type=media_type)


def _write_aside(stream: IO[bytes], folder: Path, limit: int) -> tuple[Path, str, int]:
    (folder / "incoming").mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = folder / "incoming" / secrets.token_hex(16)
    digest, size = sha256(), 0
    try:
        with aside.open("xb") as file:
            while chunk := stream.read(CHUNK_BYTES):
                size += len(chunk)
                if size > limit:
                    raise _refusal(f"Berkas lebih besar dari {limit // 1_000_000} MB. Perkecil atau bagi berkas itu, "
                                   "lalu unggah lagi.")
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


def clean_name(name: str) -> str:
    """A file name as it may be shown and offered: no folders, nothing invisible, at most 120 characters."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(one for one in name if unicodedata.category(one) not in INVISIBLE).strip(" .")
    if len(name) > LONGEST_NAME:
        stem, dot, extension = name.rpartition(".")
        name = stem[:LONGEST_NAME - len(extension) - 1] + dot + extension if dot else name[:LONGEST_NAME]
    return name or "berkas"


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
    else:
        # puremagic knows a ZIP by its first bytes; what is packed in it tells which office file it is.
        fits = head.startswith(b"PK\x03\x04") and _is_office(file, media_type)
    if not fits:
        extension = clean_name(name).rpartition(".")[2].upper()
        raise _refusal(f"Isi berkas ini bukan {extension} yang utuh. Buka di komputer Anda, simpan ulang dalam salah "
                       f"satu jenis yang diterima ({ACCEPTED}), lalu unggah lagi.")


def _is_text(file: IO[bytes]) -> bool:
    data = file.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")      # what Excel writes as CSV
        if "\ufffd" in text:
            return False
    return not any(unicodedata.category(one) == "Cc" and one not in "\t\n\r\f" for one in set(text))


def _is_image(file: IO[bytes]) -> bool:
    try:
        with Image.open(file, formats=("JPEG", "PNG")) as image:
            return 0 < image.width * image.height <= MOST_PIXELS
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


CONTENT_TYPES = {DOCX: b"wordprocessingml.document.main+xml", XLSX: b"spreadsheetml.sheet.main+xml"}


def _is_office(file: IO[bytes], media_type: str) -> bool:
    """Whether a ZIP is that office document: bounded, without links, paths out of it, or macros."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES or sum(one.file_size for one in entries) > MOST_UNPACKED_BYTES:
                return False
            for one in entries:
                parts = one.filename.replace("\\", "/").split("/")
                if ".." in parts or one.filename.startswith("/") or stat.S_ISLNK(one.external_attr >> 16):
                    return False
                if parts[-1].lower() == "vbaproject.bin":
                    return False
            if media_type in CONTENT_TYPES:
                return CONTENT_TYPES[media_type] in _entry(archive, "[Content_Types].xml")
            return _entry(archive, "mimetype").strip() == media_type.encode()
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, EOFError, RuntimeError):
        return False        # RuntimeError: zipfile's for an encrypted entry, and for a compression it does not know


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as entry:
        return entry.read(1_000_000)


# Photos

def photos_to_pdf(photos: Sequence[IO[bytes]]) -> bytes:
    """One PDF of several photos, a page each, upright, at most A4. The same photos give the same bytes.

    Raises Refused when one of them is no photo.
    """
    if len(photos) > MOST_PHOTOS:
        raise _refusal(f"Paling banyak {MOST_PHOTOS} foto dalam satu dokumen. Bagi menjadi beberapa dokumen.")
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
    """Write the row of a stored file, in the transaction that attaches it. Raises Refused if it was swept meanwhile."""
    stored_at = records.instant(at)
    # The update locks the row against the sweeper, which deletes file and row in one transaction.
    if not db.execute(update(blob).where(blob.c.sha256 == file.sha256).values(stored_at=stored_at)).rowcount:
        db.execute(insert(blob).values(sha256=file.sha256, media_type=file.media_type, size_bytes=file.size_bytes,
                                       stored_at=stored_at))
    if not path_of(folder, file.sha256).exists():
        raise _refusal("Berkas ini tidak tersimpan utuh. Unggah sekali lagi.")


def recorded(db: Connection, name: str) -> StoredFile | None:
    """The stored file of a SHA-256, None if it has no row."""
    row = db.execute(select(blob.c.sha256, blob.c.size_bytes, blob.c.media_type).where(blob.c.sha256 == name)).first()
    return StoredFile(**row._mapping) if row else None


def sweep(db: Connection, folder: Path, at: datetime) -> int:
    """Remove what nothing refers to and nobody touched for a day; how many files. In a write transaction."""
    old = at - KEPT_UNATTACHED
    # The signed paper of an SOP belongs to a version, not to an instance.
    unattached = and_(~exists().where(document_file.c.sha256 == blob.c.sha256),
                      ~exists().where(definition.c.scan.contains(blob.c.sha256)))
    stale = db.execute(select(blob.c.sha256).where(blob.c.stored_at < records.instant(old), unattached)).scalars().all()
    removed = 0
    for name in stale:
        again = delete(blob).where(blob.c.sha256 == name, blob.c.stored_at < records.instant(old), unattached)
        if db.execute(again).rowcount:
            removed += _remove(path_of(folder, name), lambda _: True)
    rows = set(db.execute(select(blob.c.sha256)).scalars())
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
    found = []
    for name, size in db.execute(select(blob.c.sha256, blob.c.size_bytes).order_by(blob.c.sha256)):
        try:
            if path_of(folder, name).stat().st_size != size:
                found.append(name)
        except FileNotFoundError:
            found.append(name)
    return tuple(found)
