"""Pengaturan, as an administrator uses it: pages, forms sent twice, imports with a preview, a slip shown once."""

from __future__ import annotations

import io
from datetime import date

from engine import organise
from engine.commands import Actor
from engine.organisation import Bind, Change
from engine.store import journal
from engine.store import organisation as store
from forms import session
from tests.desk import KEY, LASEM, LKJPD, OPENING, Desk

MONDAY = date(2026, 12, 7)


def newest(desk: Desk) -> int:
    with desk.database.read() as db:
        return journal.head(db, "organisation")[0]


PAGES = (
    *("", "/orang", "/orang?cari=camat", "/orang/camat", "/orang/baru", "/orang/camat/ubah", "/orang/camat/nonaktif"),
    *(
        "/orang/camat/slip",
        "/jabatan",
        "/jabatan/baru",
        "/jabatan/camat_lasem",
        "/jabatan/camat_lasem/ubah",
        "/pemegang",
    ),
    *("/pemegang?waktu=lalu", "/pemegang/baru?kedudukan=plh", "/pemegang/camat_camat_lasem/akhiri", "/pelaksana"),
    *(
        f"/pelaksana/{LKJPD}/{LASEM}/kepala_pd",
        f"/pelaksana/{LKJPD}/{LASEM}/kepala_pd/lepas",
        "/unit",
        f"/unit/{LASEM}",
    ),
    *("/unit/baru", f"/unit/{LASEM}/ubah", f"/unit/{LASEM}/proses/{LKJPD}", f"/unit/{LASEM}/proses/{LKJPD}/cabut"),
    *("/kuasa", "/kuasa/baru", f"/kuasa/pengelola1/pemilik/{LASEM}/cabut", "/impor", "/impor/orang/contoh.csv"),
    *("/surat-tugas", "/surat-tugas/baru", "/surat-tugas/surat_tugas_auditor/akhiri"),
    *("/riwayat", "/riwayat?sampai=5", f"/unit/{LASEM}/kepala"),
)


def test_only_administrators_see_these_pages(desk: Desk) -> None:
    admin = desk.reader("admin")
    for login, expected in (("admin", 200), ("camat", 404), ("auditor", 404)):
        visitor = desk.reader(login)
        assert {one: visitor.get(f"/pengaturan{one}").status for one in PAGES} == dict.fromkeys(PAGES, expected)
    for one in (
        "/orang/nobody",
        "/jabatan/x",
        "/unit/x",
        f"/pelaksana/{LKJPD}/{LASEM}/x",
        "/pemegang?waktu=x",
        "/impor/x/contoh.csv",
    ):
        assert admin.get(f"/pengaturan{one}").status == 404


def test_a_person_is_added_given_a_position_and_a_slip_and_signs_in(desk: Desk) -> None:
    admin = desk.reader("admin")
    admin.get("/pengaturan/orang/baru")
    admin.send({"name": "Kepala Seksi Tapem", "login": "tapem", "nip": "199001012015011001"})
    assert "Kepala Seksi Tapem sudah ditambahkan" in admin.text
    assert "Belum ada: belum dapat masuk" in admin.text
    id = admin.path.rsplit("/", 1)[1]
    admin.get(f"/pengaturan/pemegang/baru?orang={id}")
    admin.send({"position": "anggota_tim_penyusun", "basis": "SK Camat 1/2027"})
    assert "Kepala Seksi Tapem dicatat sebagai Anggota Tim Penyusun LKjPD sejak 7 Desember 2026" in admin.text
    admin.get(f"/pengaturan/orang/{id}/slip")
    admin.send()
    slip = admin.page.xpath("//code/text()")
    assert slip[0] == "tapem"
    assert "Senin, 14 Desember 2026" in admin.text
    newcomer = desk.reader().sign_in("199001012015011001", slip[1])
    assert newcomer.path == "/kata-sandi"
    with desk.database.read() as db:
        assert [right.lane for right in store.performs(db, id, LKJPD, LASEM, MONDAY)] == ["tim_penyusun"]
    admin.get(f"/pengaturan/orang/{id}")
    assert slip[1] not in admin.text
    assert "Administrator membuat kata sandi sekali pakai untuk Kepala Seksi Tapem." in admin.text


def test_a_form_sent_twice_is_sent_once(desk: Desk) -> None:
    admin = desk.reader("admin")
    admin.get("/pengaturan/orang/baru")
    admin.send({"name": "Kepala Seksi Tapem", "login": "tapem"})
    address, number = admin.path, newest(desk)
    again = admin.post(*admin.sent)
    assert (again.status, again.path, newest(desk)) == (200, address, number)


def test_what_is_wrong_stands_at_its_field_and_the_typed_text_stays(desk: Desk) -> None:
    admin = desk.reader("admin")
    number = newest(desk)
    admin.get("/pengaturan/orang/baru")
    admin.send({"name": "Kepala Seksi Tapem", "login": "camat", "email": "tapem@lasem.go.id"})
    assert admin.status == 422
    wrong = admin.page.xpath("//div[contains(@class, 'field wrong')]")
    assert [one.xpath(".//input/@name")[0] for one in wrong] == ["login"]
    assert admin.page.xpath("//*[@id='galat']//a/@href") == ["#i-login"]
    field = admin.page.get_element_by_id("i-login")
    assert "sudah dipakai Camat Lasem" in admin.page.get_element_by_id(field.get("aria-describedby").split()[-1]).text
    assert admin.values()["email"] == "tapem@lasem.go.id"
    assert newest(desk) == number
    admin.send({"login": "tapem"})
    assert newest(desk) == number + 1


def test_a_plh_is_recorded_with_its_basis_and_replaces_the_definitive_holder(desk: Desk) -> None:
    admin = desk.reader("admin")
    admin.get("/pengaturan/pemegang/baru?jabatan=camat_lasem&kedudukan=plh")
    admin.send({"person": "sekcam", "valid_until": "2026-12-11"})
    assert "nomor surat perintah" in admin.text
    admin.send({"basis": "800/1/2027"})
    assert "dicatat sebagai Plh. Camat Lasem 7 Desember 2026 sampai 11 Desember 2026" in admin.text
    with desk.database.read() as db:
        assert store.who_performs(db, LKJPD, "kepala_pd", LASEM, MONDAY) == ("sekcam",)
    admin.get("/pengaturan")
    assert "Plh. Camat Lasem, Sekretaris Kecamatan Lasem, berakhir Jumat." in admin.text


def test_a_long_plt_is_recorded_with_a_warning(desk: Desk) -> None:
    admin = desk.reader("admin")
    admin.get("/pengaturan/pemegang/baru?jabatan=camat_lasem&kedudukan=plt")
    admin.send({"person": "sekcam", "valid_until": "2027-06-30", "basis": "800/2/2027"})
    assert admin.page.xpath("//div[contains(@class, 'message warning')]")[0].text_content().count("tiga bulan") == 2


def test_an_unbound_and_a_renamed_lane_ask_for_attention_until_they_are_set(desk: Desk) -> None:
    admin = desk.reader("admin")
    admin.get(f"/pengaturan/pelaksana/{LKJPD}/{LASEM}/kepala_pd/lepas")
    admin.send()
    assert "belum ditetapkan: tidak ada yang dapat mengerjakan." in admin.text
    with desk.database.begin() as db:
        bound = Change(
            id="b1",
            at=OPENING,
            actor=Actor(person="admin"),
            act=Bind(
                key=LKJPD, lane="sekretaris_pd", unit=LASEM, position="sekretaris_kecamatan_lasem", lane_name="Sekcam"
            ),
        )
        organise.change(db, KEY, bound)
    admin.get("/pengaturan")
    assert "Kepala PD: belum ditetapkan: tidak ada yang dapat mengerjakan." in admin.text
    assert "Sekretaris PD: nama lane berubah dari “Sekcam”" in admin.text
    admin.get(f"/pengaturan/pelaksana/{LKJPD}/{LASEM}/sekretaris_pd")
    admin.send()
    admin.get(f"/pengaturan/pelaksana/{LKJPD}/{LASEM}/kepala_pd")
    options = admin.page.xpath("//select/option/@value")
    assert "camat_lasem" in options
    assert "pemeriksa_inspektorat" not in options
    admin.send({"position": "camat_lasem"})
    assert "Kepala PD untuk Kantor Kecamatan Lasem dikerjakan oleh Camat Lasem." in admin.text
    admin.get("/pengaturan")
    assert "Kepala PD: " not in admin.text and "nama lane berubah" not in admin.text


def test_another_unit_gets_the_process_with_its_own_sop_facts(desk: Desk) -> None:
    admin = desk.reader("admin")
    admin.get("/pengaturan/unit/baru")
    admin.send({"name": "Kantor Kecamatan Pancur"})
    assert admin.path == "/pengaturan/unit/kantor_kecamatan_pancur"
    admin.get(f"/pengaturan/unit/kantor_kecamatan_pancur/proses/{LKJPD}")
    assert "Menurut diagram: 000.8.3.3/03.1 /1/2025" in admin.text
    admin.send({"sop.nomorSop": "000.8.3.3/07/2026"})
    with desk.database.read() as db:
        facts = {one.unit: one.facts for one in store.units_that_may_start(db, LKJPD)}
    assert facts["kantor_kecamatan_pancur"] == {"sop.nomorSop": "000.8.3.3/07/2026"}
    admin.get("/pengaturan/pelaksana")
    assert admin.text.count("belum ditetapkan: tidak ada yang dapat mengerjakan.") == 4


def test_the_last_administrator_stays_and_a_new_one_may_let_the_old_go(desk: Desk) -> None:
    admin = desk.reader("admin")
    admin.get("/pengaturan/kuasa/admin/administrator/-/cabut")
    assert admin.send().status == 422
    assert "administrator terakhir" in admin.text
    admin.get("/pengaturan/kuasa/baru")
    admin.send({"person": "sekcam", "power": "administrator"})
    assert "Sekretaris Kecamatan Lasem sekarang Administrator." in admin.text
    admin.get("/pengaturan/kuasa/admin/administrator/-/cabut")
    admin.send()
    assert admin.get("/pengaturan").path == "/masuk", "who lost a power does not go on in an old session"


def test_a_unit_has_a_head_and_its_sops_have_owners_and_verifiers(desk: Desk) -> None:
    admin = desk.reader("admin")
    assert "Camat Lasem" in admin.get(f"/pengaturan/unit/{LASEM}").text
    admin.get(f"/pengaturan/unit/{LASEM}/kepala")
    assert "Anggota Tim Penyusun" not in admin.text  # held by many: no head
    admin.send({"position": "sekretaris_kecamatan_lasem"})
    assert "Kepala Kantor Kecamatan Lasem sudah ditetapkan." in admin.text
    assert "menetapkan Sekretaris Kecamatan Lasem sebagai kepala Kantor Kecamatan Lasem." in admin.text
    for power, said in (("pemilik", "Pemilik SOP"), ("verifikator", "Verifikator SOP")):
        admin.get("/pengaturan/kuasa/baru")
        admin.send({"person": "tim1", "power": power, "unit": LASEM})
        assert f"Anggota Tim Penyusun 1 sekarang {said} Kantor Kecamatan Lasem." in admin.text
    with desk.app.app_context(), desk.database.read() as db:
        tim, camat, sekcam = (session.visitor(db, one, OPENING) for one in ("tim1", "camat", "sekcam"))
    assert tim and camat and sekcam
    assert (tim.owner_of, tim.verifier_of, tim.heads, tim.designs) == ((LASEM,), (LASEM,), (), True)
    assert (camat.heads, camat.designs, sekcam.heads) == ((), False, (LASEM,))


def test_a_surat_tugas_is_recorded_shown_and_ended(desk: Desk) -> None:
    admin = desk.reader("admin")
    assert "Auditor: membaca" not in admin.get("/pengaturan/kuasa/baru").text
    admin.get("/pengaturan/surat-tugas/baru")
    admin.send({"person": "analis", "number": "700/15", "years": "26", "valid_until": "2026-12-31", "units": LASEM})
    assert "Tahun laporan ditulis empat angka" in admin.text
    assert admin.page.xpath("//input[@name='number']/@value") == ["700/15"]
    assert admin.page.xpath("//input[@name='units' and @checked]/@value") == [LASEM]
    admin.send({"years": "2026, 2025", "valid_until": "2026-12-31", "units": LASEM})
    assert "Surat tugas 700/15 dicatat untuk Analis Tata Laksana." in admin.text
    assert "Kantor Kecamatan Lasem, tahun laporan 2025, 2026" in admin.text
    assert "berlaku sampai 31 Desember 2026" in admin.text
    assert "mencatat surat tugas audit 700/15 untuk Analis Tata Laksana: Kantor Kecamatan Lasem" in admin.text
    number = newest(desk)
    assert admin.post(*admin.sent).status == 200 and newest(desk) == number
    [address] = [one for one in admin.page.xpath("//main//a/@href") if one.endswith("/akhiri")
                 and "surat_tugas_auditor" not in one]
    admin.get(address)
    admin.send({"valid_until": "2027-01-31"})
    assert "Perpanjangan dicatat sebagai surat tugas baru" in admin.text
    admin.send({"valid_until": "2026-12-06", "reason": "Ditunda"})
    assert "tidak pernah berlaku" in admin.text and "Alasan: Ditunda." in admin.text
    assert "mengakhiri surat tugas audit 700/15" in admin.get("/pengaturan/orang/analis").text
    assert "mengakhiri surat tugas audit 700/15" in admin.get("/pengaturan/riwayat").text


def test_an_auditor_by_surat_tugas_needs_no_position_until_it_has_ended(desk: Desk) -> None:
    admin = desk.reader("admin")
    admin.get("/pengaturan/orang/baru").send({"name": "Auditor Irban", "login": "irban"})
    idle = "Auditor Irban tidak memegang jabatan apa pun"
    assert idle in admin.get("/pengaturan").text
    with desk.database.read() as db:
        [id] = [one.id for one in store.load(db).people.values() if one.login == "irban"]
    admin.get("/pengaturan/surat-tugas/baru")
    admin.send({"person": id, "number": "700/16", "units": LASEM, "valid_until": "2026-12-31"})
    assert idle not in admin.get("/pengaturan").text
    scope = "Auditor menurut surat tugas 700/16: Kantor Kecamatan Lasem, semua tahun laporan"
    assert f"{scope}, berlaku sampai 31 Desember 2026" in admin.get(f"/pengaturan/orang/{id}").text
    assert "menunggu konfirmasi" in admin.get("/pengaturan/surat-tugas").text
    admin.get("/pengaturan/kuasa/baru").send({"person": "tim1", "power": "pemilik", "unit": LASEM})
    assert admin.text.count("(menunggu konfirmasi)") == 1 == admin.get("/pengaturan/orang/tim1").text.count(
        "(menunggu konfirmasi)")
    with desk.database.read() as db:
        [assignment] = [one.id for one in store.load(db).assignments.values() if one.number == "700/16"]
    admin.get(f"/pengaturan/surat-tugas/{assignment}/akhiri").send({"valid_until": "2026-12-06"})
    assert idle in admin.get("/pengaturan").text


def test_what_was_taken_away_is_gone_once_however_often_it_is_asked(desk: Desk) -> None:
    admin = desk.reader("admin")
    with desk.database.begin() as db:
        act = Bind(key=LKJPD, lane="lane_lama", unit=LASEM, position="camat_lasem", lane_name="Lane Lama")
        organise.change(db, KEY, Change(id="b1", at=OPENING, actor=Actor(person="admin"), act=act))
    assert "tidak ada lagi dalam diagram; dapat dilepas." in admin.get("/pengaturan/pelaksana").text
    for address, said in (
        (f"/pelaksana/{LKJPD}/{LASEM}/lane_lama/lepas", "tidak lagi mempunyai pelaksana."),
        (f"/kuasa/pengelola1/pemilik/{LASEM}/cabut", "bukan lagi Pemilik SOP Kantor Kecamatan Lasem."),
        (f"/unit/{LASEM}/proses/{LKJPD}/cabut", "Kantor Kecamatan Lasem tidak lagi dapat memulai"),
    ):
        admin.get(f"/pengaturan{address}")
        assert said in admin.send().text
        number = newest(desk)
        assert admin.post(*admin.sent).status == 200
        assert newest(desk) == number


def test_a_deactivated_person_is_signed_out(desk: Desk) -> None:
    admin = desk.reader("admin")
    member = desk.reader("tim1")
    assert member.get("/").path == "/"
    admin.get("/pengaturan/orang/tim1/nonaktif")
    admin.send({"reason": "Pindah tugas"})
    assert "masih memegang Anggota Tim Penyusun LKjPD" in admin.text
    admin.send({"last_day": "2026-12-07"})
    said = "Administrator menonaktifkan Anggota Tim Penyusun 1. Jabatannya diakhiri pada 7 Desember 2026."
    assert f"{said} Alasan: Pindah tugas." in admin.text
    assert member.get("/").path == "/masuk"


# Impor


def file(text: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(text.encode()), "data.csv"


PEOPLE = """nama_pengguna;nama;nip;jabatan;mulai;dasar
camat;Camat Lasem;198001012005011001;;;
tapem;Kepala Seksi Tapem;;anggota_tim_penyusun;7/12/2026;SK Camat 1/2027
trantib;Kepala Seksi Trantib;;anggota_tim_penyusun;2026-12-07;SK Camat 1/2027
sekcam;Sekretaris Kecamatan Lasem;;;;
"""


def test_an_import_is_shown_first_and_then_made_whole(desk: Desk) -> None:
    admin = desk.reader("admin")
    number = newest(desk)
    admin.get("/pengaturan/impor")
    admin.send({"berkas": file(PEOPLE)}, action="/orang")
    assert admin.status == 200
    assert "2 baru, 1 berubah, 1 sama, 0 galat." in admin.text
    assert "nip: (kosong) → 198001012005011001" in admin.text
    assert "memegang Anggota Tim Penyusun LKjPD sejak 7 Desember 2026" in admin.text
    assert newest(desk) == number
    admin.send()
    assert "Impor selesai: 2 baru, 1 berubah." in admin.text
    assert [admin.get(f"/pengaturan/{one}").text.count("(menunggu konfirmasi)")
            for one in ("pemegang", "jabatan/anggota_tim_penyusun")] == [2, 2]
    assert newest(desk) == number + 7, "five changes, and a question to the unit about each of the two new holders"
    with desk.database.read() as db:
        assert len(store.who_performs(db, LKJPD, "tim_penyusun", LASEM, MONDAY)) == 4
    admin.post(*admin.sent)
    assert newest(desk) == number + 7
    admin.get("/pengaturan/impor")
    admin.send({"berkas": file(PEOPLE)}, action="/orang")
    assert "0 baru, 0 berubah, 4 sama, 0 galat." in admin.text
    assert "Tidak ada yang perlu disimpan" in admin.text


def test_a_file_with_one_wrong_line_changes_nothing_and_says_which_line(desk: Desk) -> None:
    admin = desk.reader("admin")
    number = newest(desk)
    admin.get("/pengaturan/impor")
    admin.send({"berkas": file(PEOPLE + "x;Kepala Seksi;123;;;\ncamat;Camat;;;;\n")}, action="/orang")
    assert admin.status == 422
    assert [one.text_content() for one in admin.page.xpath("//div[@role='alert']//li")] == [
        "Baris 6: nama_pengguna: Nama pengguna terdiri atas 3 sampai 40 huruf kecil, angka, titik, garis bawah, "
        "atau garis hubung. Contoh: tim1.",
        "Baris 7: “camat” sudah ada pada baris 2. Hapus salah satunya.",
    ]
    assert not admin.page.xpath("//button[contains(., 'Simpan')]")
    assert newest(desk) == number


def test_an_import_that_would_no_longer_do_what_was_shown_is_shown_again(desk: Desk) -> None:
    admin = desk.reader("admin")
    admin.get("/pengaturan/impor")
    admin.send({"berkas": file(PEOPLE)}, action="/orang")
    waiting = (admin.form().get("action"), admin.values())
    admin.get("/pengaturan/orang/camat/ubah")
    admin.send({"nip": "198001012005011001"})
    number = newest(desk)
    admin.post(*waiting)
    assert admin.status == 409
    assert "Periksa pratinjau yang baru ini" in admin.text
    assert newest(desk) == number
    admin.send()
    assert newest(desk) == number + 6
