"""Documents: files kept once by their content, judged by it, durable before they count, swept when nobody wants it."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import insert, select, text

from engine.instance import Refused
from engine.store import database as databases
from engine.store import documents, records
from engine.store.database import Database, migrate, open_database
from engine.store.documents import (
    StoredFile,
    clean_name,
    missing,
    open_document,
    path_of,
    photos_to_pdf,
    record,
    store,
    sweep,
)
from engine.store.schema import blob, document_file

AT = datetime.now(UTC)
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "documents"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = open_database(database_url, bytes(32))
    migrate(database)
    yield database
    database.close()


def photo(width: int = 40, height: int = 30, colour: str = "white", kind: str = "JPEG", **options: object) -> BytesIO:
    out = BytesIO()
    Image.new("RGB", (width, height), colour).save(out, kind, **options)
    out.seek(0)
    return out


def packed(entries: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def office(kind: str) -> bytes:
    part = {"docx": "wordprocessingml.document", "xlsx": "spreadsheetml.sheet", "pptx": "presentationml.slides"}[kind]
    types = f'<Types><Override ContentType="application/vnd.openxmlformats-officedocument.{part}.main+xml"/></Types>'
    return packed({"[Content_Types].xml": types.encode(), "x.xml": b"<a/>"})


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


# What is kept

WORD = {"[Content_Types].xml": b"wordprocessingml.document.main+xml"}
RELATED = (b"<Relationships><Relationship Id='r1' Type='http://schemas.openxmlformats.org/x/relationships/%s' "
           b"Target='%s' TargetMode='External'/></Relationships>")
GOOD = {
    "surat.pdf": PDF,
    "SURAT.PDF": PDF,
    "foto.jpg": photo().getvalue(),
    "foto.jpeg": photo().getvalue(),
    "foto.png": photo(kind="PNG").getvalue(),
    "laporan.docx": office("docx"),
    "tabel.xlsx": office("xlsx"),
    "laporan.odt": packed({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<a/>"}),
    "tabel.ods": packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<a/>"}),
    "catatan.txt": "Rencana kerja – tahun 2026\n".encode(),
    "tabel.csv": b"kegiatan;nilai\r\nA;1\r\n",
    "dari excel.csv": "kegiatan;nilai\r\ncafé;1\r\n".encode("cp1252"),
    "unicode.txt": "Rencana – 2026\r\n".encode("utf-16"),
    "tertaut.docx": packed(WORD | {"word/_rels/document.xml.rels": RELATED % (b"hyperlink", b"https://rembangkab.go.id"),
                                   "word/_rels/settings.xml.rels": RELATED % (b"attachedTemplate",
                                                                              b"file:///C:\\Users\\a\\Normal.dotm")}),
    "diagram.xlsx": packed({"[Content_Types].xml": b"spreadsheetml.sheet.main+xml",
                            "xl/embeddings/Microsoft_Excel_Sheet1.xlsx": office("xlsx")}),
    "pustaka kosong.odt": packed({"mimetype": b"application/vnd.oasis.opendocument.text",
                                  "Basic/script-lc.xml": b"<a/>", "Basic/Standard/script-lb.xml": b"<a/>"}),
    "formulir.pdf": PDF + b"2 0 obj<</S/JavaScript/JS(this.calculate\\(\\))>>endobj",
    "tertanda tangan.pdf": PDF + b"2 0 obj<</F(data.xml)/EF<<>>>>endobj<</Type/EmbeddedFile>> (lihat setup.exe di sini)"
                                 .replace(b"setup.exe", b"panduan"),
    "terkunci.pdf": PDF.replace(b"trailer<<>>", b"trailer<</Encrypt 9 0 R>>"),
    "kamera.jpg": photo().getvalue() + b"catatan kamera",
    "CON.pdf": PDF,
}


@pytest.mark.parametrize("name", GOOD)
def test_an_accepted_file_is_kept_by_its_content(folder: Path, name: str) -> None:
    file = store(BytesIO(GOOD[name]), name, folder)
    assert file.sha256 == sha256(GOOD[name]).hexdigest()
    assert file.size_bytes == len(GOOD[name])
    assert file.media_type == documents.BY_EXTENSION[name.rpartition(".")[2].lower()]
    assert path_of(folder, file.file).read_bytes() == GOOD[name]
    assert files(folder) == [file.file] and len(file.file) == 32




def twice() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for body in (b"wordprocessingml.document.main+xml", b"something else"):
            archive.writestr("[Content_Types].xml", body)
    return out.getvalue()


def marked(data: bytes, flag: int = 0, compression: int | None = None) -> bytes:
    """A ZIP of one entry whose heads say that it is encrypted (flag 1), or packed in some way that nobody knows."""
    made = bytearray(data)
    for head, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):      # flags; the compression follows them
        at = made.index(head) + place
        made[at] |= flag
        if compression is not None:
            made[at + 2:at + 4] = compression.to_bytes(2, "little")
    return bytes(made)


BAD = {
    "program.exe": (b"MZ\x90\x00" + bytes(200), "tidak diterima"),
    "halaman.html": (b"<html><script>alert(1)</script></html>", "tidak diterima"),
    "gambar.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "tidak diterima"),
    "arsip.zip": (packed({"a": b"b"}), "tidak diterima"),
    "tanpa ekstensi": (PDF, "tidak diterima"),
    "foto.heic": (b"\x00\x00\x00\x18ftypheic", "JPG"),
    "lama.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".docx"),
    "kosong.pdf": (b"", "kosong"),
    "palsu.pdf": (b"<html>not a pdf</html>", "bukan PDF"),
    "program.pdf": (b"MZ\x90\x00" + bytes(200), "bukan PDF"),
    "palsu.jpg": (photo(kind="PNG").getvalue(), "bukan JPG"),
    "pdf.jpg": (PDF, "bukan JPG"),
    "terpotong.jpg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "bukan JPG"),
    "palsu.docx": (office("xlsx"), "bukan DOCX"),
    "presentasi.docx": (office("pptx"), "bukan DOCX"),
    "arsip.docx": (packed({"a.txt": b"b"}), "bukan DOCX"),
    "makro.docx": (packed(WORD | {"word/vbaProject.bin": b"x"}), "makro"),
    "jenis makro.docx": (packed({"[Content_Types].xml": b"wordprocessingml.document.main+xml macroEnabled"}), "makro"),
    "modul.odt": (packed({"mimetype": b"application/vnd.oasis.opendocument.text", "Basic/Standard/Module1.xml": b"x"}),
                  "makro"),
    "skrip.ods": (packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "Scripts/python/a.py": b"x"}),
                  "makro"),
    "program.docx": (packed(WORD | {"word/embeddings/tagihan.EXE": b"MZ"}), "program"),
    "pola jauh.docx": (packed(WORD | {"word/_rels/settings.xml.rels": RELATED % (b"attachedTemplate", b"https://x/a.dotm")}),
                       "alamat lain"),
    "benda jauh.docx": (packed(WORD | {"word/_rels/document.xml.rels": RELATED % (b"oleObject", b"mhtml:http://x!a")}),
                        "alamat lain"),
    "makro.docm": (packed(WORD), "tidak diterima"),
    "luncur.pdf": (PDF + b"2 0 obj<</Type/Action/S /Launch/F(x)>>endobj", "menjalankan program"),
    "luncur tersamar.pdf": (PDF + b"2 0 obj<</S/#4caun#63h/F(x)>>endobj", "menjalankan program"),
    "luncur terpadat.pdf": (PDF + b"3 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode>>stream\r\n"
                            + zlib.compress(b"4 0 <</S/Launch/F(x)>>") + b"\r\nendstream", "menjalankan program"),
    "lampiran.pdf": (PDF + b"2 0 obj<</F(tagihan.exe)/EF<</F 3 0 R>>>>endobj 3 0 obj<</Type/EmbeddedFile>>",
                     "program sebagai lampiran"),
    "terpotong.png": (photo(400, 300, kind="PNG").getvalue()[:-20], "bukan PNG"),
    "terpotong di tengah.jpg": (photo(400, 300).getvalue()[:-20], "bukan JPG"),
    "dua kali.docx": (twice(), "bukan DOCX"),
    "ukuran dusta.docx": (office("docx").replace(bytes((6, 0, 0, 0, 4, 0)), bytes((6, 0, 0, 0, 3, 0))), "bukan DOCX"),
    "keluar.docx": (packed(WORD | {"../../etc/x": b""}), "bukan DOCX"),
    "rusak.docx": (office("docx")[:60], "bukan DOCX"),
    "terkunci.docx": (marked(packed(WORD), flag=1), "bukan DOCX"),
    "terpadat.docx": (marked(packed(WORD), compression=99), "bukan DOCX"),
    "palsu.odt": (packed({"mimetype": b"application/zip"}), "bukan ODT"),
    "biner.txt": (b"abc\x00def", "bukan TXT"),
    "halaman.txt": (b"<html><script>alert(1)</script></html>", "bukan TXT"),
    "halaman.csv": (b"<!DOCTYPE html><p>", "bukan CSV"),
    "surat.pdf.exe": (PDF, "tidak diterima"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_not_accepted_is_refused_with_a_sentence_and_leaves_nothing(folder: Path, name: str) -> None:
    data, says = BAD[name]
    with pytest.raises(Refused, match=says) as refused:
        store(BytesIO(data), name, folder)
    assert refused.value.message.endswith(".")
    assert files(folder) == []


def test_a_link_inside_an_office_file_is_refused(folder: Path) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "wordprocessingml.document.main+xml")
        link = zipfile.ZipInfo("word/document.xml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(Refused, match="bukan DOCX"):
        store(BytesIO(out.getvalue()), "tautan.docx", folder)


def test_an_office_file_that_unpacks_beyond_all_measure_is_refused(folder: Path,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = packed(WORD | {"x": bytes(3_000_000)})
    assert store(BytesIO(bomb), "besar.docx", folder).size_bytes < 10_000
    monkeypatch.setattr(documents, "MOST_UNPACKED_BYTES", 3_000_000)
    with pytest.raises(Refused, match="bukan DOCX"):
        store(BytesIO(bomb), "bom.docx", folder)


def test_a_file_beyond_the_limit_is_refused_while_it_streams(folder: Path) -> None:
    class Endless:
        given = 0

        def read(self, size: int) -> bytes:
            self.given += size
            return b"x" * size

    stream = Endless()
    with pytest.raises(Refused, match="lebih besar dari 1 MB"):
        store(stream, "besar.pdf", folder, limit=1_000_000)     # type: ignore[arg-type]
    assert stream.given < 1_100_000
    assert files(folder) == []


def test_a_cut_line_leaves_nothing(folder: Path) -> None:
    class Cut:
        def read(self, size: int) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store(Cut(), "surat.pdf", folder)       # type: ignore[arg-type]
    assert files(folder) == []


def test_the_same_content_is_kept_once_under_the_first_name(database: Database, folder: Path) -> None:
    first, second = store(BytesIO(PDF), "a.pdf", folder), store(BytesIO(PDF), "b.pdf", folder)
    assert first.sha256 == second.sha256 and first.file != second.file
    for one in (first, second, first):
        with database.begin() as db:
            record(db, folder, one, AT)
    assert files(folder) == [first.file]


def test_a_file_that_is_gone_or_cut_is_mended_by_who_sends_it_again(database: Database, folder: Path) -> None:
    first = store(BytesIO(PDF), "a.pdf", folder)
    with database.begin() as db:
        record(db, folder, first, AT)
    path_of(folder, first.file).write_bytes(b"cut")
    again = store(BytesIO(PDF), "a.pdf", folder)
    with database.begin() as db:
        record(db, folder, again, AT)
    with database.read() as db, open_document(db, folder, first.sha256) as stream:
        assert stream.read() == PDF and missing(db, folder) == ()


def test_a_name_on_the_disk_says_nothing_of_what_is_in_it(folder: Path) -> None:
    names = {store(BytesIO(PDF), "a.pdf", folder).file for _ in range(20)}
    assert len(names) == 20 and sha256(PDF).hexdigest() not in names


def test_eight_senders_of_the_same_file_keep_it_once(database: Database, folder: Path) -> None:
    data = PDF + os.urandom(200_000)
    found: list[object] = []

    def send() -> None:
        try:
            file = store(BytesIO(data), "a.pdf", folder)
            with database.begin() as db:
                record(db, folder, file, AT)
            found.append(file.sha256)
        except Exception as error:      # an exception in a thread would pass unseen
            found.append(error)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [sha256(data).hexdigest()] * 8
    with database.read() as db:
        kept = documents.recorded(db, sha256(data).hexdigest())
        assert kept is not None and missing(db, folder) == ()
    assert files(folder) == [kept.file]


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "a" * 63, "a" * 63 + "/"])
def test_only_a_hash_opens_a_document(database: Database, folder: Path, name: str) -> None:
    with database.read() as db, pytest.raises(LookupError):
        open_document(db, folder, name)


@given(st.text(max_size=300))
def test_a_clean_name_has_no_folder_nothing_invisible_and_an_end(name: str) -> None:
    clean = clean_name(name)
    assert 0 < len(clean) <= 120
    assert not set(clean) & set("/\\\x00\n\r\u202e\u200b")
    assert clean_name(clean) == clean


@pytest.mark.parametrize(("name", "clean"), [
    ("C:\\Users\\x\\Surat Edaran.pdf", "Surat Edaran.pdf"), ("../../x.pdf", "x.pdf"),
    ("fdp.\u202eexe.pdf", "fdp.exe.pdf"),
    ("a" * 200 + ".pdf", "a" * 116 + ".pdf"), ("...", "berkas"), ("nul.pdf", "berkas nul.pdf"),
    ("a\x00b.pdf", "ab.pdf"),
    ("a." + "b" * 300, "a." + "b" * 60), ("surat\ud800.pdf", "surat.pdf"),
])
def test_a_name_keeps_what_people_know_it_by(name: str, clean: str) -> None:
    assert clean_name(name) == clean


# Photos

def test_several_photos_become_one_pdf_a_page_each_at_most_a4() -> None:
    pdf = photos_to_pdf([photo(3000, 2000), photo(2000, 3000), photo(300, 200, kind="PNG")])
    boxes = [page.mediabox for page in pypdf.PdfReader(BytesIO(pdf)).pages]
    sizes = [(round(box.width), round(box.height)) for box in boxes]
    assert sizes[0] == (842, 561)
    assert sizes[1] == (561, 842)
    assert sizes[2][0] < 160        # a small one is not blown up


def test_the_same_photos_give_the_same_bytes() -> None:
    assert photos_to_pdf([photo(), photo(colour="red")]) == photos_to_pdf([photo(), photo(colour="red")])


def test_a_photo_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6                # rotate by 90 degrees to see it upright
    page = pypdf.PdfReader(BytesIO(photos_to_pdf([photo(400, 200, exif=exif.tobytes())]))).pages[0]
    assert float(page.mediabox.height) > float(page.mediabox.width)


def test_a_transparent_picture_lies_on_white_paper() -> None:
    out = BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "PNG")
    page = pypdf.PdfReader(BytesIO(photos_to_pdf([out]))).pages[0]
    assert page.images[0].image.convert("L").getextrema()[0] > 250


@pytest.mark.parametrize("data", [b"", PDF, b"\xff\xd8\xff\xe0 no photo"])
def test_what_is_no_photo_is_named_by_its_place(data: bytes) -> None:
    with pytest.raises(Refused, match="Foto ke-2"):
        photos_to_pdf([photo(), BytesIO(data)])


def test_too_many_photos_are_refused() -> None:
    with pytest.raises(Refused, match="20 foto"):
        photos_to_pdf([photo()] * 21)


def test_the_pdf_of_photos_can_be_stored(folder: Path) -> None:
    assert store(BytesIO(photos_to_pdf([photo()])), "foto.pdf", folder).media_type == "application/pdf"


# Rows and the sweeper

def attach(database: Database, file: StoredFile) -> None:
    with database.begin() as db:
        db.execute(insert(document_file).values(instance="i", type="lhr", version=1, sequence=1, place=0,
                                                sha256=file.sha256, media_type=file.media_type,
                                                size_bytes=file.size_bytes))


def age(folder: Path, days: int) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (AT.timestamp() - 86_400 * days,) * 2)


def test_the_sweeper_takes_what_nobody_attached_for_a_day_and_nothing_else(database: Database, folder: Path) -> None:
    attached, forgotten, fresh, rowless = (store(BytesIO(PDF + bytes([n])), "a.pdf", folder) for n in range(4))
    (folder / "incoming" / "cut").write_bytes(b"half")
    age(folder, 2)
    newcomer = store(BytesIO(PDF + b"new"), "a.pdf", folder)
    with database.begin() as db:
        record(db, folder, attached, AT - timedelta(days=2))
        record(db, folder, forgotten, AT - timedelta(days=2))
        record(db, folder, fresh, AT - timedelta(hours=23))
    attach(database, attached)
    with database.begin() as db:
        assert sweep(db, folder, AT) == 3
    assert files(folder) == sorted(one.file for one in (attached, fresh, newcomer))
    with database.read() as db:
        assert set(db.execute(select(blob.c.sha256)).scalars()) == {attached.sha256, fresh.sha256}
        assert missing(db, folder) == ()
    assert rowless.file not in files(folder)


def test_sending_an_old_file_again_keeps_it_from_the_sweeper(database: Database, folder: Path) -> None:
    old = store(BytesIO(PDF), "a.pdf", folder)
    with database.begin() as db:
        record(db, folder, old, AT - timedelta(days=2))
    age(folder, 2)
    again = store(BytesIO(PDF), "a.pdf", folder)
    with database.begin() as db:
        record(db, folder, again, AT)
    with database.begin() as db:
        assert sweep(db, folder, AT) == 0
    assert files(folder) == [old.file]


def test_a_file_swept_between_storing_and_recording_is_refused(database: Database, folder: Path) -> None:
    file = store(BytesIO(PDF), "a.pdf", folder)
    path_of(folder, file.file).unlink()
    with pytest.raises(Refused, match="sekali lagi"), database.begin() as db:
        record(db, folder, file, AT)
    with database.read() as db:
        assert documents.recorded(db, file.sha256) is None


def test_a_recorded_file_that_is_gone_or_cut_is_missing(database: Database, folder: Path) -> None:
    whole, gone, cut = (store(BytesIO(PDF + bytes([n])), "a.pdf", folder) for n in range(3))
    with database.begin() as db:
        for one in (whole, gone, cut):
            record(db, folder, one, AT)
    path_of(folder, gone.file).unlink()
    path_of(folder, cut.file).write_bytes(PDF)
    with database.read() as db:
        assert missing(db, folder) == tuple(sorted((gone.sha256, cut.sha256)))
        assert documents.recorded(db, whole.sha256) == whole


# What the disk and an older installation hold

CLIMBS = """
import resource, sys
from io import BytesIO
from pathlib import Path
from engine.instance import Refused
from engine.store.documents import store
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    store(BytesIO(b"%PDF-1.7" + bytes(400_000)), "a.pdf", Path(sys.argv[1]))
except Refused as refused:
    print(refused.code)
"""


def test_a_disk_that_takes_no_more_leaves_nothing_half(folder: Path) -> None:
    told = subprocess.run([sys.executable, "-c", CLIMBS, str(folder)], cwd=Path(__file__).parents[2], text=True,
                          capture_output=True, check=True, timeout=60)
    assert told.stdout.strip() == "full" and files(folder) == []


def test_a_disk_is_never_filled_beyond_what_the_database_needs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    free = shutil.disk_usage(folder).free
    monkeypatch.setattr(documents, "KEPT_FREE_BYTES", free * 2)
    with pytest.raises(Refused) as refused:
        store(BytesIO(PDF), "a.pdf", folder)
    assert refused.value.code == "full" and files(folder) == []


def test_files_that_were_named_by_their_hash_are_found_after_the_migration(database_url: str, folder: Path) -> None:
    older, digest = open_database(database_url, bytes(32)), sha256(PDF).hexdigest()
    with older.begin() as db:
        command.upgrade(databases._alembic(db), "0007")
        db.execute(text("INSERT INTO blob (sha256, media_type, size_bytes, stored_at) "
                        "VALUES (:sha256, :type, :size, :at)"),
                   {"sha256": digest, "type": documents.PDF, "size": len(PDF), "at": records.instant(AT)})
    migrate(older)
    path = folder / digest[:2] / digest
    path.parent.mkdir(parents=True)
    path.write_bytes(PDF)
    with older.begin() as db:
        assert sweep(db, folder, AT) == 0 and missing(db, folder) == ()
        again = store(BytesIO(PDF), "a.pdf", folder)
        record(db, folder, again, AT)
        with open_document(db, folder, digest) as stream:
            assert stream.read() == PDF
    assert files(folder) == [digest], "the same content sent again stays under the name that it has"
    older.close()


@pytest.mark.parametrize("name", ["bom.pdf", "spasi.pdf", "kurung.pdf", "pagar.pdf"])
def test_a_hostile_pdf_of_25_mb_is_judged_in_bounded_time_and_memory(name: str) -> None:
    stream = b"/Type/ObjStm stream\r\n"
    data = {
        "bom.pdf": PDF + stream + zlib.compress(bytes(60_000_000)),
        "spasi.pdf": PDF + (b"/S" + b" " * 1_000) * 20_000,
        "kurung.pdf": PDF + b"/EmbeddedFile" + b"(" + b"a" * 24_000_000,
        "pagar.pdf": PDF + stream * 1_000_000,
    }[name]
    tracemalloc.start()
    try:
        with suppress(Refused):
            documents.judge(BytesIO(data), name, documents.PDF)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 200_000_000
