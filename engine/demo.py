"""The demo office at work: a process instance in every interesting state, so that no page is empty.

Everything is done through the real verbs by the people of `seed`, at instants of the past (`Request.at`); what was due
on the way has fired. The LKjPD is one for each year, so each state has a year of its own: what waits belongs to years
long gone, the newest is fresh, the last two are finished. Made once: what is there already is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from . import calendars, handle
from .calendars import Calendar
from .commands import (
    Act,
    AddComment,
    AskExtension,
    AttachDocument,
    Attachment,
    CancelProcessInstance,
    ClaimUserTask,
    CompleteUserTask,
    File,
    GrantExtension,
    OweRequirement,
    Promise,
    RecordValues,
    RefuseExtension,
    StartProcessInstance,
    SuspendProcessInstance,
)
from .handle import Request
from .instance import RUNNING, ProcessInstance, Refused
from .rules import Rules
from .seed import KECAMATAN, KEY, SINCE
from .store import documents, instances, organisation
from .store.database import Database, lock

NAMESPACE = UUID("5b0f8a0e-1c53-5c0b-9a54-2f3f0a5c7d10")  # of the demo's command ids

CAMAT, SEKCAM, TIM1, TIM2, INSPEKTORAT, PENERIMA = "camat", "sekcam", "tim1", "tim2", "inspektorat", "penerima"


def fill(database: Database, rules: Rules, folder: Path, at: datetime) -> list[str]:
    """The ids of the process instances that were made; [] where all of them were there before.

    database  of a demonstration, with the demo office and the LKjPD in it.
    folder    where documents lie.
    at        the instant at which the office stands then, aware; everything happened before it.
    Raises Refused where the database is no demonstration, or the office lacks what a start needs.
    """
    made = []
    shelf = Shelf(folder)
    with database.read() as db:
        must_be_demonstration(db)
        opening = handle.opening(db, KEY, KECAMATAN, data={}, at=at)
    for tale in tales(at):
        with database.begin() as db:
            lock(db, "demo")
            desk = Desk(db, database.key, rules, shelf, opening, tale)
            if desk.may_be_made():
                desk.tell()
                made.append(desk.id)
    return made


def must_be_demonstration(db: Connection) -> None:
    setting = organisation.load(db).settings.get("demonstration")
    if setting is None or setting.value != "yes":
        raise Refused("wrong", "Basis data ini menyimpan berkas sungguhan; contoh hanya dibuat di basis data peragaan.")


# What happens

Do = Callable[["Desk"], None]


@dataclass(frozen=True, kw_only=True)
class Tale:
    """One instance: what is done, and how much working time passes before each act and after the last."""

    name: str  # part of its command ids: never to be changed
    year: int  # tahun laporan
    acts: Sequence[tuple[str, Do]]  # (working time since the act before, what is done); the first is the start
    idle: str  # working time from the last act to `by`
    by: datetime

    def starts_at(self, calendar: Calendar) -> datetime:
        path = [(duration, calendar) for duration, _ in self.acts[1:]] + [(self.idle, calendar)]
        return calendars.latest_start(path, self.by)


def tales(at: datetime) -> list[Tale]:
    """What there is to tell at an instant, the newest year first."""
    last = last_deadline(at)

    def tale(
        name: str, year: int, *acts: tuple[str, Do], idle: str = "PT3H", by: datetime = at, start: Do = begin
    ) -> Tale:
        return Tale(name=name, year=year, acts=(("PT0M", start), *acts), idle=idle, by=by)

    return [
        tale("dibatalkan", last + 1, ("PT40M", cancel), idle="P6D"),
        tale("baru", last + 1, idle="PT10M"),
        tale(
            "selesai_terlambat",
            last,
            *LATE,
            *REVIEW,
            *ONE_RETURN,
            *SIGNED,
            *SENT,
            by=datetime(last + 1, 3, 18, 5, tzinfo=UTC),
        ),
        tale(
            "selesai_tepat_waktu", last - 1, *DRAFTED, *REVIEW, *SIGNED, *SENT, by=datetime(last, 2, 20, 5, tzinfo=UTC)
        ),
        tale("langkah_2", last - 2, DIRECTED, idle="PT6H"),
        tale("langkah_2_surat_edaran_menyusul", last - 3, DIRECTED, idle="P1D", start=begin_owing),
        tale("langkah_3", last - 4, *BEGUN, ("PT2H", claim_draft), ("P4D", meet), idle="P6D"),
        tale("langkah_3_terlambat", last - 5, *BEGUN, ("PT2H", claim_draft), ("P23D", ask_for_data), idle="P1D"),
        tale("langkah_4", last - 6, *DRAFTED, idle="P4D"),
        tale("langkah_5", last - 7, *DRAFTED, ("P7D", review_with_notes), idle="P1D"),
        tale("langkah_6", last - 8, *DRAFTED, *REVIEW, idle="PT4H"),
        tale("langkah_7", last - 9, *DRAFTED, *REVIEW, ("PT5H", initial_it), idle="PT50M"),
        tale("dikembalikan_satu_kali", last - 10, *DRAFTED, *REVIEW, *RETURN, idle="P1D"),
        tale(
            "dikembalikan_dua_kali",
            last - 11,
            *DRAFTED,
            *REVIEW,
            *ONE_RETURN,
            *RETURN,
            ("P1D", repair_again),
            ("PT3H", initial_it),
        ),
        tale(
            "langkah_8_dokumen_menyusul",
            last - 12,
            *DRAFTED,
            *REVIEW,
            ("PT5H", initial_it),
            ("PT1H", sign_and_owe),
            idle="PT5H",
        ),
        tale("langkah_9_bukti_menyusul", last - 13, *DRAFTED, *REVIEW, *SIGNED, ("PT6H", deliver_and_owe), idle="PT2H"),
        tale("atas_nama_inspektorat", last - 14, *DRAFTED, ("P8D", review_on_behalf), idle="PT7H"),
        tale("ditangguhkan", last - 15, *BEGUN, ("P3D", suspend), idle="P5D"),
        tale("perpanjangan_diminta", last - 16, *DRAFTED, ("P7D", review_with_notes), ("P3D", ask_for_time)),
        tale("perpanjangan_diberikan", last - 17, *BEGUN, ("P18D", ask_for_time), ("P1D", give_time), idle="P2D"),
        tale(
            "perpanjangan_ditolak",
            last - 18,
            *DRAFTED,
            *REVIEW,
            *RETURN,
            ("P4D", ask_for_time),
            ("PT4H", refuse_time),
        ),
    ]


def last_deadline(at: datetime) -> int:
    """The newest year whose deadline, the end of February of the next, is over."""
    local = at.astimezone(ZoneInfo("Asia/Jakarta"))
    return local.year - 1 if local.month > 2 else local.year - 2


# Who sits there


class Shelf:
    """Small real documents, stored once for each kind."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.stored: dict[str, documents.StoredFile] = {}

    def take(self, db: Connection, label: str, at: datetime) -> documents.StoredFile:
        if label not in self.stored:
            self.stored[label] = documents.store(BytesIO(pdf(f"Contoh dokumen: {label}")), "contoh.pdf", self.folder)
        documents.record(db, self.folder, self.stored[label], at)
        return self.stored[label]


@dataclass
class Desk:
    """One tale while it is told: the instance, the instant, and the hands that do it."""

    db: Connection
    key: bytes
    rules: Rules
    shelf: Shelf
    opening: StartProcessInstance
    tale: Tale
    at: datetime = field(init=False)
    asked: int = field(init=False, default=0)
    calendar: Calendar = field(init=False)

    def __post_init__(self) -> None:
        self.calendar = self.rules.calendar(self.opening.calendars[""])
        self.at = self.tale.starts_at(self.calendar)

    @property
    def id(self) -> str:
        return str(uuid5(handle.NAMESPACE, self.command_id(1)))

    def command_id(self, number: int) -> str:
        return str(uuid5(NAMESPACE, f"{self.tale.name}/{number}"))

    @property
    def instance(self) -> ProcessInstance:
        found = instances.load(self.db, self.id)
        assert found is not None, "the tale has begun"
        return found

    @property
    def year(self) -> int:
        return self.tale.year

    @property
    def today(self) -> str:
        return self.day(0)

    def day(self, after: int) -> str:
        """ISO date of a working day, so many days from now or the next beyond."""
        day = self.at.astimezone(ZoneInfo(self.calendar.zone)).date() + timedelta(days=after)
        while after and not self.calendar.hours(day):
            day += timedelta(days=1 if after > 0 else -1)
        return day.isoformat()

    def may_be_made(self) -> bool:
        """Whether it was not made before, nobody has taken its year, and the people were already there."""
        taken = instances.of_year(self.db, KEY, KECAMATAN, self.year)
        return instances.load(self.db, self.id) is None and taken is None and self.today >= SINCE

    def tell(self) -> None:
        for duration, act in self.tale.acts:
            if self.asked:
                self.pass_time(calendars.due_at(duration, self.at, self.calendar))
            act(self)
        self.pass_time(self.tale.by)

    def pass_time(self, until: datetime) -> None:
        """What is due until then fires at its own instant, as the worker would have done."""
        while self.instance.status == RUNNING:
            due = sorted((one.due_at, one.number) for one in self.instance.timers.values() if one.due_at <= until)
            if not due:
                break
            due_at, number = due[0]
            handle.fire(
                self.db, self.rules, self.key, self.id, number, due_at, max(due_at, self.instance.last_at or due_at)
            )
        self.at = max(until, self.instance.last_at or until)

    def ask(self, person: str, act: Act, on_behalf_of: str | None = None) -> None:
        self.asked += 1
        request = Request(id=self.command_id(self.asked), act=act, person=person, on_behalf_of=on_behalf_of, at=self.at)
        if self.asked == 1:
            handle.start(self.db, self.rules, self.key, request)
        else:
            handle.handle(self.db, self.rules, self.key, self.id, [request])

    def task(self, step: int) -> int:
        return next(one.number for one in self.instance.user_tasks.values() if one.element == f"langkah_{step}")

    def paper(self, document: str) -> Attachment:
        label = self.rules.definition(self.opening.definition).fields[document].label
        stored = self.shelf.take(self.db, label, self.at)
        name = f"{document.replace('_', '-')}-{self.year}.pdf"
        return Attachment(
            files=(File(sha256=stored.sha256, size_bytes=stored.size_bytes, media_type=stored.media_type, name=name),)
        )

    def attach(self, person: str, step: int, *which: str, on_behalf_of: str | None = None) -> None:
        for document in which:
            act = AttachDocument(document=document, attachment=self.paper(document), user_task=self.task(step))
            self.ask(person, act, on_behalf_of)

    def owe(self, person: str, step: int, document: str, days: int, reason: str) -> None:
        promise = Promise(document=document, promised=self.day(days), reason=reason)
        self.ask(person, OweRequirement(user_task=self.task(step), promise=promise))

    def complete(self, person: str, step: int, data: Mapping[str, Any], on_behalf_of: str | None = None) -> None:
        self.ask(person, CompleteUserTask(user_task=self.task(step), data=data), on_behalf_of)


# The acts, in the order of the SOP


def begin(desk: Desk, attached: bool = True) -> None:
    data: dict[str, Any] = {"tahun_laporan": desk.year, "status_surat_edaran": "sudah" if attached else "belum"}
    promise = Promise(document="surat_edaran", promised=desk.day(14), reason="Surat Edaran Bupati belum diterima.")
    if attached:
        data |= {
            "nomor_surat_edaran": f"100.3.4.2/{2800 + desk.year % 100}/{desk.year}",
            "tanggal_surat_edaran": desk.day(-4),
            "tanggal_terima_surat_edaran": desk.today,
        }
    attachments = {"surat_edaran": desk.paper("surat_edaran")} if attached else {}
    desk.ask(
        PENERIMA, replace(desk.opening, data=data, attachments=attachments, promises=() if attached else (promise,))
    )


def direct(desk: Desk) -> None:
    desk.complete(
        CAMAT,
        1,
        {
            "arahan": f"Susun Tim Penyusun LKjPD dan siapkan rancangan LKjPD Tahun {desk.year}.",
            "sifat_disposisi": "segera",
        },
    )


def form_team(desk: Desk) -> None:
    desk.attach(SEKCAM, 2, "sk_tim", "surat_undangan")
    desk.complete(
        SEKCAM,
        2,
        {
            "nomor_sk_tim": f"000.8.6.3/{desk.year % 100 + 20}/{desk.year}",
            "tanggal_sk_tim": desk.today,
            "susunan_tim": [
                {"pegawai": {"id": SEKCAM}, "jabatan": "Sekretaris Kecamatan", "kedudukan": "ketua"},
                {
                    "pegawai": {"id": TIM1},
                    "jabatan": "Kepala Subbagian Program dan Keuangan",
                    "kedudukan": "sekretaris",
                },
                {"pegawai": {"id": TIM2}, "jabatan": "Pengelola Data Kinerja", "kedudukan": "anggota"},
            ],
            "jadwal_rapat": [
                {
                    "tanggal": desk.day(2),
                    "pukul": "09:00",
                    "tempat": "Ruang rapat Kecamatan Lasem",
                    "acara": "Rapat koordinasi persiapan penyusunan LKjPD",
                }
            ],
        },
    )


def claim_draft(desk: Desk) -> None:
    desk.ask(TIM1, ClaimUserTask(user_task=desk.task(3)))


def meet(desk: Desk) -> None:
    desk.attach(TIM1, 3, "bahan_rapat", "daftar_hadir", "notulen")
    desk.ask(TIM1, RecordValues(user_task=desk.task(3), data={"tanggal_rapat_koordinasi": desk.day(-1)}))
    desk.ask(TIM2, AddComment(text="Data kinerja Seksi Pelayanan Umum menyusul hari Kamis.", user_task=desk.task(3)))


def ask_for_data(desk: Desk) -> None:
    desk.ask(
        SEKCAM, AddComment(text="Batas waktu telah lewat. Mohon data yang ada diolah dahulu.", user_task=desk.task(3))
    )


def draft(desk: Desk) -> None:
    desk.attach(
        TIM1,
        3,
        "bahan_rapat",
        "daftar_hadir",
        "bahan_data",
        "notulen",
        "daftar_pembagian_tugas",
        "rancangan_akhir",
        "surat_pengantar_reviu",
    )
    desk.complete(
        TIM1,
        3,
        {
            "tanggal_rapat_koordinasi": desk.day(-14),
            "tanggal_rancangan_selesai": desk.day(-1),
            "tanggal_kirim_reviu": desk.today,
            "nomor_pengantar_reviu": f"000.8.6.3/{desk.year % 100}/{desk.year + 1}",
            "penanda_tangan_pengantar_reviu": "kepala_pd",
            "cara_kirim_reviu": "aplikasi",
        },
    )


def reviewed(desk: Desk, notes: bool) -> dict[str, Any]:
    found = {
        "tanggal_terima_rancangan": desk.instance.data["tanggal_kirim_reviu"],
        "nomor_lhr": f"700.1.2.1/{desk.year % 100 + 30}/{desk.year + 1}",
        "tanggal_lhr": desk.day(-1),
        "ada_catatan_reviu": "ya" if notes else "tidak",
        "tanggal_kirim_lhr": desk.today,
        "ringkasan_reviu": "Laporan perlu diperbaiki sesuai catatan."
        if notes
        else "Laporan telah disajikan sesuai ketentuan.",
    }
    if notes:
        found["catatan_reviu"] = [
            {
                "bagian": "Bab III, halaman 21",
                "catatan": "Capaian indikator kedua tidak sama dengan perjanjian kinerja.",
                "saran": "Samakan dengan data kinerja triwulan IV.",
            },
            {"bagian": "Bab IV", "catatan": "Rencana tindak lanjut belum menyebut penanggung jawab."},
        ]
    return found


def review(desk: Desk, notes: bool = False, person: str = INSPEKTORAT, on_behalf_of: str | None = None) -> None:
    desk.attach(person, 4, "lhr", on_behalf_of=on_behalf_of)
    desk.complete(person, 4, reviewed(desk, notes), on_behalf_of)


def review_with_notes(desk: Desk) -> None:
    review(desk, notes=True)


def review_on_behalf(desk: Desk) -> None:
    review(desk, person=SEKCAM, on_behalf_of="inspektorat_daerah")


def pass_on(desk: Desk) -> None:
    desk.complete(TIM2, 5, {"tanggal_cetak": desk.today})


def initial_it(desk: Desk) -> None:
    desk.complete(
        SEKCAM,
        6,
        {
            "paraf_sekretaris": True,
            "bentuk_paraf": "basah",
            "tanggal_paraf": desk.today,
            "catatan_sekretaris": "Angka capaian telah saya cocokkan.",
        },
    )


def give_back(desk: Desk) -> None:
    desk.complete(
        CAMAT,
        7,
        {
            "keputusan": "kembalikan",
            "koreksi": [
                {
                    "bagian": "Kata pengantar",
                    "koreksi": "Sebutkan Peraturan Bupati yang berlaku, bukan yang telah dicabut.",
                },
                {"bagian": "Bab III, halaman 23", "koreksi": f"Grafik capaian belum memuat tahun {desk.year - 1}."},
            ],
        },
    )


def repair_again(desk: Desk) -> None:
    desk.attach(TIM2, 5, "rancangan_akhir")
    desk.complete(
        TIM2,
        5,
        {
            "tindak_lanjut": [{"hasil": "sudah", "halaman": "i"}, {"hasil": "sudah", "halaman": "23"}],
            "mengubah_angka": "tidak",
            "tanggal_cetak": desk.today,
        },
    )


def signed(desk: Desk) -> dict[str, Any]:
    return {"keputusan": "setujui", "bentuk_tanda_tangan": "basah", "tanggal_tanda_tangan": desk.today}


def sign(desk: Desk) -> None:
    desk.attach(CAMAT, 7, "dokumen_lkjpd")
    desk.complete(CAMAT, 7, signed(desk))


def sign_and_owe(desk: Desk) -> None:
    desk.owe(CAMAT, 7, "dokumen_lkjpd", 2, "Naskah bertanda tangan sedang dipindai Tim.")
    desk.complete(CAMAT, 7, signed(desk))


PROOFS = ("tanda_terima_bupati", "bukti_kirim_bagian_organisasi", "bukti_unggah_esr", "bukti_unggah_sapa_kinerja")


def delivered(desk: Desk) -> dict[str, Any]:
    return {
        "tanggal_kirim_bupati": desk.today,
        "penerima_bupati": "Staf Tata Usaha Bupati",
        "tanggal_kirim_bagian_organisasi": desk.today,
        "cara_kirim_bagian_organisasi": "srikandi",
        "penerima_bagian_organisasi": "Bagian Organisasi Setda Kabupaten Rembang",
        "tanggal_unggah_esr": desk.today,
        "tanggal_unggah_sapa_kinerja": desk.today,
    }


def deliver(desk: Desk) -> None:
    desk.attach(TIM1, 8, *PROOFS)
    desk.complete(TIM1, 8, delivered(desk))


def deliver_and_owe(desk: Desk) -> None:
    desk.attach(TIM1, 8, *PROOFS[:2])
    for proof in PROOFS[2:]:
        desk.owe(TIM1, 8, proof, 3, "Tangkapan layar menunggu verifikasi aplikasi.")
    desk.complete(TIM1, 8, delivered(desk))


def archive(desk: Desk) -> None:
    desk.complete(
        TIM2,
        9,
        {
            "lokasi_hard_file": f"Ruang arsip, lemari 2, rak 1, boks {desk.year % 100}",
            "lokasi_soft_file": "Berkas proses ini",
            "kode_klasifikasi": "000.8.6.3",
            "tanggal_arsip": desk.today,
        },
    )


def cancel(desk: Desk) -> None:
    desk.ask(CAMAT, CancelProcessInstance(reason="Dimulai dua kali; yang satu ini dibatalkan."))


def suspend(desk: Desk) -> None:
    desk.ask(CAMAT, SuspendProcessInstance(reason="Menunggu petunjuk Bagian Organisasi tentang format baru."))


def ask_for_time(desk: Desk) -> None:
    """Five days more for the Tim's step, whichever it stands at."""
    (task,) = desk.instance.user_tasks.values()
    assert task.late_at is not None, "the steps in days have a limit"
    later = calendars.due_at("P5D", max(task.late_at, desk.at), desk.calendar)
    until = later.astimezone(ZoneInfo(desk.calendar.zone)).date().isoformat()
    reason = "Data kinerja dari dua seksi belum lengkap."
    desk.ask(TIM1, AskExtension(user_task=task.number, until=until, reason=reason))


def give_time(desk: Desk) -> None:
    (task,) = desk.instance.user_tasks
    desk.ask(CAMAT, GrantExtension(user_task=task, reason="Gunakan waktunya untuk mencocokkan angka capaian."))


def refuse_time(desk: Desk) -> None:
    (task,) = desk.instance.user_tasks
    reason = "Koreksinya sedikit dan tenggat penyampaian sudah dekat."
    desk.ask(CAMAT, RefuseExtension(user_task=task, reason=reason))


def begin_owing(desk: Desk) -> None:
    begin(desk, attached=False)


DIRECTED = ("PT15M", direct)
BEGUN = (DIRECTED, ("P1D", form_team))
DRAFTED = (*BEGUN, ("P12D", draft))
LATE = (*BEGUN, ("PT2H", claim_draft), ("P24D", draft))
REVIEW = (("P7D", review), ("P1D", pass_on))
RETURN = (("PT5H", initial_it), ("PT1H", give_back))
ONE_RETURN = (*RETURN, ("P2D", repair_again))
SIGNED = (("PT5H", initial_it), ("PT1H", sign))
SENT = (("PT6H", deliver), ("PT1H", archive))


def pdf(text: str) -> bytes:
    """A whole PDF of one page that says `text`. The same text gives the same bytes."""
    said = text.encode("cp1252", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    content = b"BT /F1 16 Tf 72 740 Td (" + said + b") Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    )
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(
        out
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, len(out))
    )
