"""The owners' stories run on the real diagram, and a journal prints as a story that runs again and gives the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import process, story
from engine.calendars import six_days
from engine.commands import (
    AddComment,
    AskExtension,
    AttachDocument,
    Attachment,
    CancelProcessInstance,
    ChangeCalendar,
    CompleteUserTask,
    Correct,
    Erased,
    EraseValues,
    File,
    GrantExtension,
    MigrateProcessInstance,
    OweRequirement,
    Promise,
    RaiseIncident,
    ReassignUserTask,
    RefuseExtension,
    ReleaseUserTask,
    ResolveIncident,
    ResumeProcessInstance,
    SettleRequirement,
    SuspendProcessInstance,
    UndoMigration,
    WaiveRequirement,
)
from engine.instance import COMPLETED
from engine.marking import Marking
from tests.story import (
    ADMINISTRATOR,
    CAMAT,
    CLOCK,
    FIVE_DAYS,
    HEAD,
    KETUA,
    LKJPD,
    ROOT,
    SEKCAM,
    STORIES,
    TIM1,
    WIB,
    Case,
    at,
    definition,
    file,
    fresh,
    given,
    lkjpd_before,
    rules,
    somebody,
    variant,
)


def told(text: str, name: str = "cerita.txt") -> story.Told:
    return story.run(text, rules(), definition().sha256, name=name)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_story_goes_as_it_says(path: Path) -> None:
    done = told(path.read_text(), str(path.relative_to(ROOT)))
    assert done.instance.status == COMPLETED
    assert done.expectations >= 10


def test_there_are_the_stories_that_the_owners_asked_for() -> None:
    assert [path.stem[:2] for path in STORIES] == [f"{number:02}" for number in range(1, 17)]


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_story_happens_in_office_hours_and_asks_for_something_in_every_step(path: Path) -> None:
    done = told(path.read_text())
    for step in done.steps:
        if step.command.actor.capacity != "sistem":
            hour = step.command.at.astimezone(WIB).hour
            assert 7 <= hour < 17, step.command
    assert {one.number for one in definition().user_tasks} == {
        definition().elements[event.element].number
        for step in done.steps
        for event in step.events
        if type(event).__name__ == "UserTaskCompleted"
    }


# Printing


def same(case: Case) -> str:
    """The journal of a Case as a story; it runs again and gives the same events, markings and acts."""
    text = story.show(case.steps, case.rules)
    again = story.run(text, case.rules, name="printed")
    for one, two in zip(case.steps, again.steps, strict=True):
        assert two.events == one.events
        assert two.marking == one.marking
        assert two.command.act == one.command.act
        assert two.command.at == one.command.at
        assert (two.command.actor.person, two.command.actor.on_behalf_of) == (
            one.command.actor.person,
            one.command.actor.on_behalf_of,
        )
        drawn = {lane.id for lane in case.definition.lanes}
        assert drawn & set(two.command.actor.lanes) == drawn & set(one.command.actor.lanes)
    return text


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_journal_prints_as_a_story_that_gives_the_same(path: Path) -> None:
    done = told(path.read_text())
    text = same(Case(rules(), definition(), done.instance, done.steps))
    assert text == story.show(story.run(text, rules()).steps, rules())


def test_a_printed_story_uses_the_names_it_is_given() -> None:
    case = lkjpd_before(3)
    text = story.show(
        case.steps, case.rules, {"camat": "Camat Lasem", "tim1": "Anggota (1)", "tim2": "Camat Lasem"}, title="Contoh"
    )
    assert text.startswith("Cerita: Contoh\n")
    assert "    Camat Lasem (camat): Kepala PD\n" in text
    assert "    tim1 (tim1)" in text  # a name that could not be read again, and one that another has
    assert "    tim2 (tim2)" in text
    assert story.run(text, case.rules).instance == replace(case.instance, id="cerita")


def test_every_act_that_a_journal_may_hold_has_words() -> None:
    case = lkjpd_before(3)
    number = case.task("langkah_3").number
    steps: list[tuple[Any, Any]] = [
        (ReleaseUserTask(user_task=number), ADMINISTRATOR),
        (ReassignUserTask(user_task=number, person="tim2", reason="Lebih longgar.\nSampai Jumat."), KETUA),
        (ReassignUserTask(user_task=number, person=None), KETUA),
        (
            OweRequirement(
                user_task=case.task("langkah_3").number,
                promise=Promise(document="surat_edaran", promised="2027-01-20", reason="x"),
            ),
            TIM1,
        ),
        (AddComment(text='Baris satu\n\n  Baris = tiga: "kutipan" | garis', user_task=number), TIM1),
        (AddComment(text="  spasi  "), HEAD_OF_OFFICE),
        (WaiveRequirement(user_task=number, document="notulen", reason="Rapat batal"), CAMAT),
        (AskExtension(user_task=number, until="2027-01-22", reason="Data belum ada"), TIM1),
        (RefuseExtension(user_task=number, reason="Masih cukup waktu"), CAMAT),
        (AskExtension(user_task=number, until="2027-01-22", reason="Data tetap belum ada.\nSudah ditagih."), TIM1),
        (GrantExtension(user_task=number), CAMAT),
        (AskExtension(user_task=number, until="2027-01-29", reason="Sekali lagi"), TIM1),
        (GrantExtension(user_task=number, until="2027-01-26", reason="Tidak lebih lama"), CAMAT),
        (ChangeCalendar(calendars={"": WEEK, "tim_penyusun": WEEK}, reason="Perbup"), ADMINISTRATOR),
        (SuspendProcessInstance(reason="Menunggu petunjuk"), CAMAT),
        (ResumeProcessInstance(reason="Petunjuk sudah ada"), ADMINISTRATOR),
        (RaiseIncident(kind="watchdog", detail="10 detik"), CLOCK),
        (ResolveIncident(incident=1, reason="Diperiksa"), ADMINISTRATOR),
        (
            Correct(
                reason="Salah ketik", data={"nomor_sk_tim": "000/1", "jadwal_rapat": None, "tahun_laporan": "dua ribu"}
            ),
            ADMINISTRATOR,
        ),
        (Correct(reason="Lompat", close=(number,), open=("langkah_9", "langkah_9")), ADMINISTRATOR),
    ]
    held = len(case.steps)
    refused = 0
    for act, who in steps:
        try:
            case = case.when(act, who)
        except story.Refused:
            refused += 1
    assert refused == 1  # surat_edaran is not asked for in step 3
    kinds = [type(step.command.act) for step in case.steps[held:]]
    assert kinds.count(AskExtension) == 3 and kinds.count(GrantExtension) == 2 and ChangeCalendar in kinds
    _, second = sorted(case.instance.user_tasks)
    case = case.when(
        AttachDocument(document="dokumen_lkjpd", attachment=file_of("a b.pdf", 77), user_task=second), TIM1
    )
    case = case.when(CancelProcessInstance(reason="Selesai di sini"), CAMAT)
    text = same(case)
    assert f"langkah 9 #{second}" in text
    assert "    kalender: enam_hari\n    kalender tim_penyusun: enam_hari\n" in text
    assert "maka batas waktu langkah 3: Selasa 26 Januari 2027 16.00\n" in text
    assert "application/pdf, 77 byte, sha256 " + "ab" * 32 in text


def test_a_journal_goes_through_a_migration_and_its_undoing_in_words() -> None:
    edits = (("P20D", "P25D"), ('"Inspektorat Daerah"', '"Inspektorat"'))
    new = variant(LKJPD, *edits, langkah_3="susun", langkah_2="undang", sekretaris_pd="sekretariat")
    mapping = {"langkah_3": "susun", "langkah_2": "undang", "sekretaris_pd": "sekretariat", "waktu_1": ""}
    weeks = {"tim_penyusun": WEEK, "nowhere": WEEK}
    act = MigrateProcessInstance(to=new.sha256, mapping=mapping, calendars=weeks, reason="Versi 2 berlaku.")
    case = lkjpd_before(3).knowing(new)
    held = case.task("langkah_3")
    case = case.when(act, ADMINISTRATOR)
    case = case.when(UndoMigration(reason="Keliru"), ADMINISTRATOR).when(act, ADMINISTRATOR)
    case = case.when(AddComment(text="Dilanjutkan"), somebody("staf", "sekretariat"))
    case = case.when(AddComment(text="Dahulu langkah 2", user_task=case.instance.passed["undang"].user_task), CAMAT)
    case = case.when(ReleaseUserTask(user_task=held.number), ADMINISTRATOR).claimed("susun", TIM1)
    text = same(case)
    assert f"memindahkan proses ke versi {new.sha256}\n    alasan: Versi 2 berlaku.\n" in text
    assert "    petakan langkah_3: susun\n" in text and '    petakan waktu_1 = ""\n' in text
    assert "membatalkan pemindahan versi\n    alasan: Keliru\n" in text


@pytest.mark.parametrize("disposal", [False, True])
def test_a_journal_says_what_was_erased_by_law(disposal: bool) -> None:
    act = EraseValues(request="r1", number="12/PDP/2027", basis="UU 27/2022 Pasal 8", disposal=disposal,
                      values=("1:command.act.data.perihal", "2:command.act.reason"), files=("ab" * 32,))
    text = same(lkjpd_before(3).when(act, somebody("camat", "kepala_pd", capacity="penyetuju")))
    said = "pemusnahan" if disposal else "penghapusan"
    assert f"camat menyetujui {said}\n    permintaan: r1\n    nomor: 12/PDP/2027\n" in text
    assert "    isian: 2:command.act.reason\n    berkas: " + "ab" * 32 in text


def test_a_journal_says_that_an_owner_of_the_sop_migrated_it() -> None:
    new = variant(LKJPD, ("P20D", "P25D"))
    owner = somebody("pengelola", capacity="pemilik")
    text = same(lkjpd_before(3).knowing(new).when(MigrateProcessInstance(to=new.sha256, reason="Versi 2"), owner))
    assert f"pengelola sebagai pemilik memindahkan proses ke versi {new.sha256}\n" in text
    head = somebody("camat", "kepala_pd", capacity="pemilik")       # who performs a lane besides
    text = same(lkjpd_before(3).knowing(new).when(MigrateProcessInstance(to=new.sha256, reason="Versi 2"), head))
    assert "camat sebagai pemilik memindahkan proses" in text


HEAD_OF_OFFICE = somebody("camat", "kepala_pd")
WEEK = six_days().sha256


def file_of(name: Any, size: int) -> Attachment:
    return Attachment(files=(File(sha256="ab" * 32, size_bytes=size, media_type="application/pdf", name=name),))


@pytest.mark.parametrize(
    "attachment",
    [
        Attachment(form="cetak", place="Lemari: rak = 2 | kiri"),
        Attachment(form="tautan", place="https://contoh.invalid/a?b=c#d"),
        Attachment(form="cetak", place="dua\nbaris"),
        file_of("=aneh: nama.pdf", 1),
        file_of("# nama.pdf", 1),
        file_of(" spasi.pdf ", 1),
        Attachment(files=file_of("a.pdf", 1).files + file_of("a.pdf", 2).files),
        file_of(Erased("cd" * 32), 5),
        Attachment(form="cetak", place=Erased("cd" * 32)),  # type: ignore[arg-type]
    ],
)
def test_whatever_lies_in_a_slot_is_printed_exactly(attachment: Attachment) -> None:
    case = lkjpd_before(3, "02_dikembalikan_satu_kali.txt")
    act = AttachDocument(document="bahan_data", attachment=attachment, user_task=case.task("langkah_3").number)
    same(case.when(act, TIM1))


@pytest.mark.parametrize(
    "title",
    [
        "biasa",
        "= bukan JSON",
        '"kutipan"',
        "> bukan kutipan",
        "# bukan catatan",
        "maka selesai",
        "Rabu 1 Januari 2027 07.30  x",
        " spasi",
        "spasi ",
        "tab\tdi tengah",
        "é ñ 漢字 🙂",
        "a: b: c",
        "\\n",
        "lampirkan x: y",
    ],
)
def test_whatever_was_typed_is_printed_exactly(title: str) -> None:
    same(given("three_tasks").completed("write", title=title).completed("read", HEAD, remark=f"{title}\n\n{title}"))


def test_times_of_a_real_journal_have_seconds_and_fractions() -> None:
    case = given("three_tasks")
    when = at("2026-11-23 08.30") + timedelta(seconds=7, microseconds=123456)
    case = case.when(
        CompleteUserTask(user_task=2, data={"title": "Hal"}, done_at=when), when=when + timedelta(microseconds=1)
    )
    text = same(case)
    assert "Senin 23 November 2026 08.30.07.123457  staff-1 menyelesaikan langkah 1" in text
    assert "dikerjakan di luar aplikasi pada Senin 23 November 2026 08.30.07.123456\n" in text


def test_erased_values_stay_erased_in_print() -> None:
    case = given("three_tasks").completed("write", title="Hal").completed("read", HEAD, remark="Rahasia")
    gone = Erased("ef" * 32)
    act = replace(case.steps[2].command.act, data={"remark": gone})
    steps = (*case.steps[:2], replace(case.steps[2], command=replace(case.steps[2].command, act=act)))
    text = same(Case(case.rules, case.definition, case.instance, steps))
    assert '    remark = {"h": "' + "ef" * 32 + '"}' in text


def test_timers_print_as_they_fired() -> None:
    case = given("cycle_reminder").fired("every_hour").fired("every_hour")
    assert "Senin 23 November 2026 09.00  every_hour berbunyi" in same(case)


def test_owed_documents_print_with_their_promise() -> None:
    case = lkjpd_before(2)
    promise = Promise(document="sk_tim", promised="2026-12-21", reason="SK, karena belum, karena lama")
    case = case.when(OweRequirement(user_task=case.task("langkah_2").number, promise=promise), SEKCAM)
    case = case.when(SettleRequirement(document="sk_tim", attachment=file_of("sk.pdf", 3)), SEKCAM)
    assert "    sk_tim: 21 Desember 2026, karena SK, karena belum, karena lama" in same(case)


def test_what_is_handed_in_at_one_instant_is_one_act_of_the_story() -> None:
    case = lkjpd_before(3, "02_dikembalikan_satu_kali.txt")
    number, now = case.task("langkah_3").number, at("2027-01-05 09.00")
    for document, name in (("notulen", "a.pdf"), ("rancangan_akhir", "b.pdf"), ("notulen", "c.pdf")):
        case = case.when(AttachDocument(document=document, attachment=file(name), user_task=number), TIM1, now)
    head = "Selasa 5 Januari 2027 09.00  tim1 melampirkan pada langkah 3\n"
    assert f"{head}    notulen: a.pdf\n    rancangan_akhir: b.pdf\n{head}    notulen: c.pdf\n" in same(case)


def test_the_facts_and_calendars_of_the_unit_are_in_the_heading() -> None:
    facts = {"sop.nomorSop": "000/1", "sop.dasarHukum": "UU 1\nPP 2", "sop.judul": ' "kutip" ', "sop.kosong": ""}
    act = replace(
        given("three_tasks").steps[0].command.act,
        unit_facts=facts,
        calendars={"": FIVE_DAYS, "head": six_days().sha256},
    )
    text = same(fresh(definition("three_tasks")).when(act))
    assert "Kalender: lima_hari\nKalender head: enam_hari\n" in text
    assert 'Ketentuan sop.dasarHukum: "UU 1\\nPP 2"\n' in text


def test_a_journal_without_markings_prints_the_same() -> None:
    """The journal keeps only the hash of a marking."""
    case = lkjpd_before(9, "04_terlambat_dengan_pengingat.txt")
    bare = tuple(replace(step, marking=Marking()) for step in case.steps)
    assert story.show(bare, case.rules) == same(case)


# Reading strictly

GOOD = STORIES[0].read_text()


def wrong(change: Callable[[str], str]) -> str:
    with pytest.raises(story.StoryError) as found:
        told(change(GOOD), "stories/satu.txt")
    return str(found.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "Senin 14 Desember 2026 08.15",
            "Selasa 14 Desember 2026 08.15",
            "tertulis Selasa, tetapi 14 Desember 2026 adalah hari Senin",
        ),
        ("Senin 14 Desember 2026 08.15", "Senin 14 Desember 2026 8:15", "sesudah hari ditulis tanggal dan pukul"),
        ("Senin 14 Desember 2026 08.15", "Minggu 31 Februari 2027 08.15", "bukan waktu yang ada"),
        ("Senin 14 Desember 2026 08.15", "Senin 14 Desember 2026 08.01", "mendahului yang sebelumnya"),
        ("08.15  Camat Lasem mengambil", "08.15  Bupati mengambil", "tidak jelas siapa yang bertindak"),
        (
            "Camat Lasem mengambil langkah 1",
            "Camat Lasem memakan langkah 1",
            "'memakan langkah 1' tidak dikenal; yang dikenal: memulai proses",
        ),
        (
            "Camat Lasem mengambil langkah 1",
            "Camat Lasem mengambil langkah 12",
            "tidak mempunyai langkah '12'; yang ada: 1, 2, 3",
        ),
        (
            "Camat Lasem mengambil langkah 1",
            "Anggota Tim Penyusun 1 mengambil langkah 1",
            "tindakan ini ditolak: Tugas ini dikerjakan oleh Kepala PD",
        ),
        (
            "    arahan: Susun",
            "    arahna: Susun",
            "'arahna' bukan isian di sini; yang dapat diisi: arahan, sifat_disposisi",
        ),
        ("    sifat_disposisi: segera", "    arahan: Dua kali", "'arahan' sudah diisi di atas"),
        ("    sifat_disposisi: segera", "  sifat_disposisi: segera", "menjorok 2 spasi"),
        ("    sifat_disposisi: segera", "    sifat_disposisi segera", "tidak dikenal di sini"),
        ("    sifat_disposisi: segera", "    sifat_disposisi:", "belum ditulis"),
        ("    sifat_disposisi: segera", "    sifat_disposisi = segera", "harus JSON"),
        ("    tahun_laporan: 2026", "    tahun_laporan: dua ribu", "bukan bilangan bulat, misalnya 2026"),
        ("    paraf_sekretaris: ya", "    paraf_sekretaris: sudah", "bukan 'ya' atau 'tidak'"),
        ("tanggal_sk_tim: 15 Desember 2026", "tanggal_sk_tim: 15-12-2026", "bukan tanggal, misalnya 9 Desember 2026"),
        ("| 09.00 |", "| 9 pagi |", "bukan waktu, misalnya 09.00"),
        ("| Anggota Tim Penyusun 2 | 8 Januari 2027", "| Penyusun 2 | 8 Januari 2027", "tidak ada di bawah 'Orang:'"),
        ("| jabatan  ", "| pangkat  ", "tidak mempunyai kolom pangkat; yang ada: pegawai, jabatan, kedudukan"),
        ("| ketua\n", "| ketua | x\n", "mempunyai 4 sel, kolomnya 3"),
        ("    lampirkan sk_tim: ", "    lampirkan surat_tim: ", "'surat_tim' bukan jenis dokumen"),
        (
            "maka langkah 2 terbuka untuk Sekretaris PD",
            "maka langkah 2 terbuka untuk Kepala PD",
            "langkah 2 terbuka untuk Sekretaris PD",
        ),
        ("maka langkah 2 terbuka untuk Sekretaris PD", "maka langkah 3 terbuka", "yang terbuka: langkah 2"),
        (
            "maka langkah 2 terbuka untuk Sekretaris PD",
            "maka langkah 2 terbuka, putaran 2",
            "putaran 1 (pengembalian ke-0)",
        ),
        (
            "maka langkah 2 terbuka untuk Sekretaris PD",
            "maka hari cerah",
            "'maka hari cerah' tidak dikenal; yang dikenal: ditolak",
        ),
        ("maka langkah 2 terbuka untuk Sekretaris PD", "maka ditolak: apa pun", "tindakan ini diterima"),
        ("maka langkah 1 tepat waktu", "maka langkah 1 terlambat", "langkah 1 diselesaikan tepat waktu"),
        ("maka langkah 1 tepat waktu", "maka langkah 4 tepat waktu", "langkah 4 belum pernah diselesaikan"),
        ("maka rancangan_akhir versi 1", "maka rancangan_akhir versi 2", "rancangan_akhir versi 1"),
        ("maka isian koreksi kosong", "maka isian keputusan kosong", "isian keputusan terisi"),
        ("maka isian koreksi kosong", "maka isian keputusan: kembalikan", "isian keputusan: setujui"),
        ("maka tenggat: Senin 1 Maret", "maka tenggat: Selasa 2 Maret", "tenggat: Senin 1 Maret 2027 00.00"),
        ("maka tenggat tidak lagi berjalan", "maka tenggat berbunyi 1 kali", "tenggat telah berbunyi 0 kali"),
        ("maka berkas proses selesai", "maka berkas proses berjalan", "berkas proses selesai"),
        ("maka tidak ada insiden", "maka ada 1 insiden", "ada 0 insiden"),
        ("maka tidak ada insiden", "maka notulen menyusul", "yang menyusul: tidak ada"),
        ("maka tidak ada insiden", "maka notulen didispensasi", "yang didispensasi: tidak ada"),
        ("Proses: penyusunan_lkjpd", "Proses: cuti", "cerita ini tentang 'cuti'"),
        (
            "Kalender: lima_hari",
            "Kalender: tujuh_hari",
            "kalender 'tujuh_hari' tidak dikenal; tulis lima_hari atau enam_hari",
        ),
        ("(camat): Kepala PD", "(camat): Bupati", "'Bupati' bukan jalur diagram ini"),
        ("Proses: ", "Definisi: 00ff\nProses: ", "diagram 00ff tidak dikenal di sini"),
        ("Unit: kecamatan_lasem", "Kantor: kecamatan_lasem", "'Kantor: kecamatan_lasem' tidak dikenal"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_write(old: str, new: str, said: str) -> None:
    assert GOOD.count(old) >= 1, old
    message = wrong(lambda text: text.replace(old, new, 1))
    assert re.match(r"stories/satu\.txt:\d+: ", message)
    assert said in message, message


@pytest.mark.parametrize(
    ("number", "old", "new", "said"),
    [
        (11, "sampai 22 Januari 2027", "sampai 31 Februari 2027", "bukan tanggal, misalnya 9 Desember 2026"),
        (11, "sampai 22 Januari 2027", "sampai Jumat", "meminta perpanjangan langkah N sampai TANGGAL"),
        (
            11,
            "maka waktu baku langkah 3: Senin 18 Januari 2027 15.10",
            "maka waktu baku langkah 3: Senin 18 Januari 2027 15.11",
            "waktu baku langkah 3: Senin 18 Januari 2027 15.10",
        ),
        (11, "maka waktu baku langkah 3: Senin", "maka waktu baku langkah 4: Senin", "langkah 4 tidak terbuka"),
        (
            11,
            "maka permintaan perpanjangan langkah 3 diberikan",
            "maka permintaan perpanjangan langkah 3 ditolak",
            "permintaan perpanjangan langkah 3: diberikan",
        ),
        (
            11,
            "maka waktu_3 berbunyi pada: Jumat 22",
            "maka waktu_3 berbunyi pada: Senin 18",
            "waktu_3 berbunyi pada: Jumat 22 Januari 2027 16.30",
        ),
        (11, "    alasan: Data Seksi Pelayanan Umum baru", "    sebab: Data baru", "ditulis 'alasan: ...'"),
        (16, "    kalender: enam_hari", "    kalender: tujuh_hari", "kalender 'tujuh_hari' tidak dikenal"),
        (16, "    kalender tim_penyusun: enam_hari", "    kalender: enam_hari", "kalender ini sudah disebut di atas"),
        (16, "    kalender: enam_hari", "    minggu: enam_hari", "lalu 'kalender: enam_hari'"),
    ],
)
def test_a_mistake_about_more_time_or_another_calendar_is_told_too(number: int, old: str, new: str, said: str) -> None:
    text = STORIES[number - 1].read_text()
    assert old in text
    with pytest.raises(story.StoryError) as found:
        told(text.replace(old, new, 1))
    assert re.match(r"cerita\.txt:\d+: ", str(found.value)) and said in str(found.value), str(found.value)


def test_the_line_of_a_mistake_is_the_line_in_the_file() -> None:
    changed = GOOD.replace("sifat_disposisi: segera", "sifat: segera")
    line = next(n for n, one in enumerate(changed.splitlines(), 1) if "sifat: segera" in one)
    assert wrong(lambda _: changed).startswith(f"stories/satu.txt:{line}: ")


def test_a_story_without_an_act_and_a_maka_without_one_are_mistakes() -> None:
    assert "tidak berisi satu tindakan pun" in wrong(lambda text: text.split("Senin 14")[0])
    early = GOOD.replace("\nSenin 14 Desember 2026 08.05", "\nmaka langkah 1 terbuka\nSenin 14 Desember 2026 08.05")
    assert "'maka' berdiri sesudah sebuah tindakan" in wrong(lambda _: early)


def test_a_refusal_that_is_expected_changes_nothing() -> None:
    act = "Senin 14 Desember 2026 08.10  Anggota Tim Penyusun 1 mengambil langkah 1\nmaka ditolak: Kepala PD\n"
    place = GOOD.index("Senin 14 Desember 2026 08.15")
    done = told(GOOD[:place] + act + GOOD[place:])
    assert done.instance == told(GOOD).instance


def test_time_goes_by_only_as_far_as_is_said_and_fires_in_order() -> None:
    text = (
        GOOD[: GOOD.index("Rabu 16 Desember 2026 10.00")]
        + "Rabu 3 Maret 2027 08.00  waktu berjalan\nmaka tenggat berbunyi 1 kali\n"
    )
    done = told(text)
    fired = [
        (event.element, step.command.at)
        for step in done.steps
        for event in step.events
        if type(event).__name__ == "TimerFired"
    ]
    assert fired == [("waktu_3", at("2027-01-18 15.10")), ("tenggat", at("2027-03-01 00.00"))]


def test_replaying_is_part_of_running(monkeypatch: pytest.MonkeyPatch) -> None:
    """A heart that would give something else the second time is found by the story itself."""
    numbers = iter(range(10_000))
    honest = process.evolve
    monkeypatch.setattr(
        process, "evolve", lambda instance, step: replace(honest(instance, step), comments=next(numbers))
    )
    assert "memutar ulang cerita ini memberi keadaan lain" in wrong(lambda text: text)
