"""The demo office behind its pages, for tests: a database of its own, a clock that is told, and people who sign in.

`Desk` is the office; `Reader` is a browser without JavaScript that follows links and sends forms by the names of their
inputs. Both know the pages as a person does: nothing here calls a view.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from lxml import html
from PIL import Image
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from engine import handle, organise, seed
from engine.calendars import five_days
from engine.commands import AttachDocument, Attachment, CompleteUserTask, File
from engine.deploy import SYSTEM, seed_definitions
from engine.handle import Request
from engine.instance import ProcessInstance
from engine.rules import Rules
from engine.settings import Settings
from engine.store import definitions, documents, instances
from engine.store.database import Database, migrate, open_database
from forms import create_app, fields

KEY = bytes(range(32))
OPENING = datetime(2026, 12, 7, 2, 0, tzinfo=UTC)  # Monday 09.00 WIB, a working day
PASSWORD = "kata-sandi-uji"
DIAGRAMS = Path(__file__).parents[1] / "bpmn"
LKJPD, LASEM = "penyusunan_lkjpd", "kecamatan_lasem"
QUICK_HASH = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


def pdf(text: str = "naskah") -> bytes:
    """A small whole PDF; another text, another file."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%" + text.encode() + b"\n%%EOF"
    )


def photo(shade: int = 200) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 80), (shade, shade, shade)).save(out, "JPEG")
    return out.getvalue()


class Compiled(BytecodeCache):
    """The templates, compiled once for all the offices of a run and not again for each."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])  # Jinja checks that the source is still the same

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


class Clock:
    """A clock that goes a second on at each look, and further when it is told."""

    def __init__(self, at: datetime = OPENING):
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def furnish(url: str, folder: Path) -> None:
    """Make the demo office in an empty database, with an LKjPD waiting at each of its nine steps; everybody has the
    same password. The LKjPD of 2021 waits at step 1, that of 2022 at step 2, and so on."""
    database = open_database(url, KEY)
    migrate(database)
    before = OPENING - timedelta(days=30)
    with database.begin() as db:
        seed.seed_office(db, KEY, before)
        definitions.publish_calendar(
            db, KEY, LASEM, five_days(), actor=SYSTEM, reason="uji", at=before, command_id="kalender"
        )
        seed_definitions(db, KEY, DIAGRAMS, before)
        for login, *_rest in seed.PEOPLE:
            organise.set_password(db, login, QUICK_HASH.hash(PASSWORD), before)
    rules, clock = definitions.rules(database), Clock(OPENING - timedelta(hours=1))
    for waiting_at in range(1, 10):
        walk(database, rules, clock, folder, waiting_at)
    database.close()


def walk(database: Database, rules: Rules, clock: Clock, folder: Path, waiting_at: int) -> None:
    """Begin an LKjPD and take it to a step, through the engine: what the pages would ask, without the pages."""
    ids = (f"jalan-{waiting_at}-{number}" for number in count(1))

    def ask(who: str, act: Any) -> Request:
        return Request(id=next(ids), act=act, person=who, at=clock())

    data = {**START, "isian.tahun_laporan": str(2020 + waiting_at)}
    with database.begin() as db:
        form = rules.definition(definitions.newest(db, LKJPD).sha256).start.form  # type: ignore[union-attr]
        letter = attachment(db, folder, "surat_edaran")
        act = handle.opening(db, LKJPD, LASEM, data=parsed(form, data), attachments={"surat_edaran": letter})
        id, _step = handle.start(db, rules, KEY, ask("sekcam", act))
    for number in range(1, waiting_at):
        with database.begin() as db:
            instance = instances.load(db, id)
            assert instance is not None
            [(task, one)] = instance.user_tasks.items()
            form, answers = rules.definition(instance.definition).elements[one.element].form, ANSWERS[number](None)
            types = [name.removeprefix("berkas.") for name in answers if name.startswith("berkas.")]
            acts = [
                AttachDocument(document=type, user_task=task, attachment=attachment(db, folder, type))
                for type in types
            ]
            acts.append(CompleteUserTask(user_task=task, data=parsed(form, answers)))
            handle.handle(db, rules, KEY, id, [ask(PERFORMERS[number], act) for act in acts])


def parsed(form: Any, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Answers by the names of inputs, as the values that a form gives; tables say how many rows they have."""
    posted = MultiDict({name: value for name, value in answers.items() if isinstance(value, str)})
    for field in form:
        rows = [name.split(".")[2] for name in posted if name.startswith(f"isian.{field.id}.") and name.count(".") == 3]
        if rows:
            posted[f"isian.{field.id}.baris"] = str(max(map(int, rows)) + 1)
    return fields.parse(form, posted)


def attachment(db: Connection, folder: Path, type: str) -> Attachment:
    kept = documents.store(io.BytesIO(pdf(type)), f"{type}.pdf", folder / "documents")
    documents.record(db, folder / "documents", kept, OPENING)
    one = File(sha256=kept.sha256, size_bytes=kept.size_bytes, media_type=kept.media_type, name=f"{type}.pdf")
    return Attachment(files=(one,))


@dataclass
class Desk:
    """The office behind its pages."""

    app: Flask
    database: Database
    clock: Clock

    @classmethod
    def at(cls, url: str, folder: Path, **settings: Any) -> Desk:
        database, clock = open_database(url, KEY), Clock()
        app = create_app(
            Settings(data_dir=folder, database_url=url, **settings), database, definitions.rules(database), now=clock
        )
        app.testing = True
        app.jinja_env.bytecode_cache = COMPILED
        return cls(app, database, clock)

    def later(self, **by: float) -> None:
        self.clock.at += timedelta(**by)

    def reader(self, login: str | None = None) -> Reader:
        """Somebody at a browser of their own, signed in where a login is given."""
        reader = Reader(self.app.test_client())
        return reader.sign_in(login) if login else reader

    def instance(self, id: str) -> ProcessInstance:
        with self.database.read() as db:
            found = instances.load(db, id)
        assert found is not None
        return found

    def waiting_at(self, number: int) -> str:
        """The id of the LKjPD that waits at a step since the office was furnished."""
        with self.database.read() as db:
            found = instances.of_year(db, LKJPD, LASEM, 2020 + number)
        assert found is not None
        return found

    def open(self, id: str, number: int) -> Reader:
        reader = self.reader(PERFORMERS[number])
        [task] = self.instance(id).user_tasks
        reader.get(f"/tugas/{id}/{task}")
        return reader

    def complete(self, id: str, number: int, **typed: Any) -> Reader:
        """Do step `number` as its performer, with what it asks for."""
        reader = self.open(id, number)
        reader.send({**ANSWERS[number](reader), **typed}, action="/completion")
        assert reader.status == 200 and "selesai" in reader.text, reader.text
        return reader

    def begin(self, year: int = 2031) -> str:
        """A new LKjPD; its id."""
        reader = self.reader("sekcam").get(f"/proses/mulai/{LKJPD}")
        reader.send(
            {
                **START,
                "isian.tahun_laporan": str(year),
                "berkas.surat_edaran": (io.BytesIO(pdf("se")), "Surat Edaran.pdf"),
            }
        )
        assert reader.status == 200, reader.text
        return reader.path.rsplit("/", 1)[-1]


def file(name: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(pdf(name)), f"{name}.pdf"


def files(*types: str) -> dict[str, Any]:
    return {f"berkas.{type}": file(type) for type in types}


TODAY = "2026-12-07"
START = {
    "isian.status_surat_edaran": "sudah",
    "isian.nomor_surat_edaran": "000.8.6.3/1201",
    "isian.tanggal_surat_edaran": "2026-12-01",
    "isian.tanggal_terima_surat_edaran": "2026-12-04",
}
PERFORMERS = {
    1: "camat",
    2: "sekcam",
    3: "tim1",
    4: "inspektorat",
    5: "tim1",
    6: "sekcam",
    7: "camat",
    8: "tim1",
    9: "tim1",
}


def answers_of_5(reader: Reader | None) -> dict[str, Any]:
    """Every remark is answered: those that the page asks about, or the one of the first round."""
    names = reader.names("/completion") if reader else ["isian.tindak_lanjut.0.hasil"]
    rows = [name for name in names if re.fullmatch(r"isian\.tindak_lanjut\.\d+\.hasil", name)]
    again = {"isian.mengubah_angka": "tidak"} if "isian.mengubah_angka" in names else {}
    return {**dict.fromkeys(rows, "sudah"), **again, "isian.tanggal_cetak": TODAY, **files("rancangan_akhir")}


ANSWERS: Mapping[int, Any] = {
    1: lambda _: {"isian.arahan": "Susun Tim Penyusun LKjPD."},
    2: lambda _: {
        "isian.nomor_sk_tim": "SK 900/12",
        "isian.tanggal_sk_tim": TODAY,
        "isian.susunan_tim.0.pegawai": "tim1",
        "isian.susunan_tim.0.kedudukan": "ketua",
        "isian.susunan_tim.1.pegawai": "tim2",
        "isian.susunan_tim.1.kedudukan": "anggota",
        "isian.jadwal_rapat.0.tanggal": "2026-12-09",
        "isian.jadwal_rapat.0.pukul": "09:00",
        "isian.jadwal_rapat.0.tempat": "Aula Kecamatan",
        "isian.jadwal_rapat.0.acara": "Rapat koordinasi",
        **files("sk_tim", "surat_undangan"),
    },
    3: lambda _: {
        "isian.tanggal_rapat_koordinasi": TODAY,
        "isian.tanggal_rancangan_selesai": TODAY,
        "isian.tanggal_kirim_reviu": TODAY,
        "isian.nomor_pengantar_reviu": "700/1",
        "isian.penanda_tangan_pengantar_reviu": "kepala_pd",
        "isian.cara_kirim_reviu": "langsung",
        **files(
            "bahan_rapat",
            "daftar_hadir",
            "bahan_data",
            "notulen",
            "daftar_pembagian_tugas",
            "rancangan_akhir",
            "surat_pengantar_reviu",
        ),
    },
    4: lambda _: {
        "isian.tanggal_terima_rancangan": TODAY,
        "isian.nomor_lhr": "700/LHR/1",
        "isian.tanggal_lhr": TODAY,
        "isian.ringkasan_reviu": "Disajikan memadai.",
        "isian.ada_catatan_reviu": "ya",
        "isian.catatan_reviu.0.catatan": "Tabel 3.2 tidak menjumlah.",
        "isian.tanggal_kirim_lhr": TODAY,
        **files("lhr"),
    },
    5: answers_of_5,
    6: lambda _: {"isian.paraf_sekretaris": "1", "isian.bentuk_paraf": "basah", "isian.tanggal_paraf": TODAY},
    7: lambda _: {
        "isian.keputusan": "setujui",
        "isian.bentuk_tanda_tangan": "basah",
        "isian.tanggal_tanda_tangan": TODAY,
        **files("dokumen_lkjpd"),
    },
    8: lambda _: {
        "isian.tanggal_kirim_bupati": TODAY,
        "isian.penerima_bupati": "Staf Bagian Umum",
        "isian.tanggal_kirim_bagian_organisasi": TODAY,
        "isian.cara_kirim_bagian_organisasi": "surel",
        "isian.penerima_bagian_organisasi": "Bagian Organisasi",
        "isian.tanggal_unggah_esr": TODAY,
        "isian.tanggal_unggah_sapa_kinerja": TODAY,
        **files(
            "tanda_terima_bupati", "bukti_kirim_bagian_organisasi", "bukti_unggah_esr", "bukti_unggah_sapa_kinerja"
        ),
    },
    9: lambda _: {
        "isian.lokasi_hard_file": "Ruang arsip, rak 2",
        "isian.lokasi_soft_file": "Berkas proses ini",
        "isian.kode_klasifikasi": "000.8.6.3",
        "isian.tanggal_arsip": TODAY,
    },
}


class Reader:
    """A browser without JavaScript and the person before it."""

    def __init__(self, client: FlaskClient):
        self.client = client
        self.response: TestResponse

    def sign_in(self, login: str, password: str = PASSWORD) -> Reader:
        self.get("/masuk")
        return self.send({"nama": login, "sandi": password})

    def get(self, address: str, follow: bool = True, **more: Any) -> Reader:
        self.response = self.client.get(address, follow_redirects=follow, **more)
        return self

    def post(self, address: str, data: Mapping[str, Any], follow: bool = True, **more: Any) -> Reader:
        with_files = any(isinstance(v, (tuple, list)) for v in data.values())
        kind = {"content_type": "multipart/form-data"} if with_files else {}
        self.response = self.client.post(address, data=dict(data), follow_redirects=follow, **kind, **more)
        return self

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def path(self) -> str:
        return self.response.request.path

    @property
    def page(self) -> Any:
        return html.fromstring(self.response.get_data(as_text=True))

    @property
    def text(self) -> str:
        """What is read on the page, white space as one blank."""
        return re.sub(r"\s+", " ", self.page.xpath("string(//main)")).strip()

    def form(self, action: str = "") -> Any:
        """The form whose address ends so, or one of whose buttons goes there; the first in main where none is said."""
        forms = self.page.xpath("//main//form[@method='post']")
        found = [one for one in forms if one.get("action", "").endswith(action)]
        found = found or [
            one for one in forms if any((b.get("formaction") or "").endswith(action) for b in one.iter("button"))
        ]
        assert found, f"no form goes to {action!r} on {self.path}: {self.text[:300]}"
        return found[0]

    def names(self, action: str = "") -> list[str]:
        """The names of the inputs that may be filled in."""
        return [one.get("name") for one in self.form(action).xpath(".//*[@name]")]

    def values(self, action: str = "") -> dict[str, Any]:
        """What the form would send as it stands."""
        found: dict[str, Any] = {}
        for name, value in self.form(action).form_values():
            if name in found:
                before = found[name]
                found[name] = [*(before if isinstance(before, list) else [before]), value]
            else:
                found[name] = value
        return found

    def send(
        self, typed: Mapping[str, Any] | None = None, action: str = "", follow: bool = True, **more: Any
    ) -> Reader:
        """Fill in a form and press the button that goes to `action`."""
        form = self.form(action)
        button = next((b for b in form.iter("button") if action and (b.get("formaction") or "").endswith(action)), None)
        address = (button.get("formaction") if button is not None else None) or form.get("action") or self.path
        values = {**self.values(action), **(typed or {})}
        if button is not None and button.get("name"):
            values[button.get("name")] = button.get("value")
        self.sent = (address, values)
        return self.post(address, values, follow, **more)

    def press(self, name: str, value: str, typed: Mapping[str, Any] | None = None) -> Reader:
        """Press the button with this name and value."""
        [button] = self.page.xpath(f"//button[@name='{name}' and @value='{value}']")
        form = next(button.iterancestors("form"))
        address = button.get("formaction") or form.get("action") or self.path
        return self.post(address, {**self.values(form.get("action") or ""), **(typed or {}), name: value})

    def errors(self) -> list[str]:
        """What the error summary lists."""
        return [re.sub(r"\s+", " ", one.text_content()).strip() for one in self.page.xpath("//*[@id='galat']//li")]

    def messages(self) -> list[str]:
        return [
            re.sub(r"\s+", " ", one.text_content()).strip()
            for one in self.page.xpath("//*[contains(@class,'message')]")
        ]
