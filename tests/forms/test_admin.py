"""Pengaturan, as an administrator uses it: pages, forms sent twice, imports with a preview, a slip shown once."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from lxml import html
from werkzeug.test import TestResponse

from engine import organise, seed
from engine.commands import Actor
from engine.deploy import seed_definitions
from engine.organisation import Bind, Change
from engine.settings import Settings
from engine.store import definitions, journal
from engine.store import organisation as store
from engine.store.database import Database, migrate, open_database
from forms import create_app

KEY = bytes(range(32))
AT = datetime(2027, 1, 4, 2, 0, tzinfo=UTC)  # Monday 09.00 WIB
MONDAY = date(2027, 1, 4)
LKJPD, LASEM = "penyusunan_lkjpd", "kecamatan_lasem"
DIAGRAMS = Path(__file__).parents[2] / "bpmn"


@pytest.fixture(autouse=True)
def a_quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2id with the least work: what is tested here is not how long it takes to guess."""
    monkeypatch.setattr(organise, "hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    organise.unknown_hash.cache_clear()


class Browser:
    """A browser without JavaScript: follows links, fills in forms by the names of their inputs."""

    def __init__(self, client: FlaskClient, login: str, password: str):
        self.client = client
        self.get("/masuk")
        self.send({"nama": login, "sandi": password})

    def get(self, address: str) -> TestResponse:
        self.response = self.client.get(address, follow_redirects=True)
        return self.response

    @property
    def page(self) -> Any:
        return html.fromstring(self.response.get_data(as_text=True))

    @property
    def text(self) -> str:
        """What is read on the page, white space as one blank."""
        return re.sub(r"\s+", " ", self.page.xpath("string(//main)")).strip()

    def form(self, action: str | None = None) -> dict[str, Any]:
        """The address and the values of the page's form (the first in main, or the one with this action)."""
        forms = self.page.xpath("//main//form[@method='post']")
        found = next(one for one in forms if action is None or one.get("action", "").endswith(action))
        here = self.response.request
        return {"address": found.get("action") or here.full_path.rstrip("?"), "values": dict(found.form_values())}

    def send(self, typed: dict[str, Any] | None = None, action: str | None = None) -> TestResponse:
        """Fill in the page's form and send it."""
        form = self.form(action)
        self.sent = (form["address"], {**form["values"], **(typed or {})})
        return self.send_again()

    def send_again(self) -> TestResponse:
        """The very same form once more, as a double click does."""
        self.response = self.client.post(self.sent[0], data=self.sent[1], follow_redirects=True)
        return self.response


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = open_database(database_url, KEY)
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def passwords(database: Database) -> dict[str, str]:
    with database.begin() as db:
        seed_definitions(db, KEY, DIAGRAMS, AT)
        return {login: password for _, login, password in seed.seed_office(db, KEY, AT)}


@pytest.fixture
def app(database: Database, passwords: dict[str, str], tmp_path: Path) -> Any:
    app = create_app(Settings(data_dir=tmp_path), database, definitions.rules(database), now=lambda: AT)
    app.testing = True
    return app


@pytest.fixture
def desk(app: Any, passwords: dict[str, str]) -> Browser:
    return Browser(app.test_client(), "admin", passwords["admin"])


def newest(database: Database) -> int:
    with database.read() as db:
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
    *("/kuasa", "/kuasa/baru", f"/kuasa/auditor/auditor/cabut?unit={LASEM}", "/impor", "/impor/orang/contoh.csv"),
    *("/riwayat", "/riwayat?sampai=5"),
)


def test_only_administrators_see_these_pages(app: Any, desk: Browser, passwords: dict[str, str]) -> None:
    for login, expected in (("admin", 200), ("camat", 404), ("auditor", 404)):
        visitor = Browser(app.test_client(), login, passwords[login])
        assert {one: visitor.get(f"/pengaturan{one}").status_code for one in PAGES} == dict.fromkeys(PAGES, expected)
    for one in (
        "/orang/nobody",
        "/jabatan/x",
        "/unit/x",
        f"/pelaksana/{LKJPD}/{LASEM}/x",
        "/pemegang?waktu=x",
        "/impor/x/contoh.csv",
    ):
        assert desk.get(f"/pengaturan{one}").status_code == 404


def test_a_person_is_added_given_a_position_and_a_slip_and_signs_in(
    app: Any, desk: Browser, database: Database
) -> None:
    desk.get("/pengaturan/orang/baru")
    desk.send({"name": "Kepala Seksi Tapem", "login": "tapem", "nip": "199001012015011001"})
    assert "Kepala Seksi Tapem sudah ditambahkan" in desk.text
    assert "Belum ada: belum dapat masuk" in desk.text
    id = desk.response.request.path.rsplit("/", 1)[1]
    desk.get(f"/pengaturan/pemegang/baru?orang={id}")
    desk.send({"position": "anggota_tim_penyusun", "basis": "SK Camat 1/2027"})
    assert "Kepala Seksi Tapem dicatat sebagai Anggota Tim Penyusun LKjPD sejak 4 Januari 2027" in desk.text
    desk.get(f"/pengaturan/orang/{id}/slip")
    desk.send()
    slip = desk.page.xpath("//code/text()")
    assert slip[0] == "tapem"
    assert "Senin, 11 Januari 2027" in desk.text
    newcomer = Browser(app.test_client(), "199001012015011001", slip[1])
    assert newcomer.response.request.path == "/kata-sandi"
    with database.read() as db:
        assert [right.lane for right in store.performs(db, id, LKJPD, LASEM, MONDAY)] == ["tim_penyusun"]
    desk.get(f"/pengaturan/orang/{id}")
    assert slip[1] not in desk.text
    assert "Administrator membuat kata sandi sekali pakai untuk Kepala Seksi Tapem." in desk.text


def test_a_form_sent_twice_is_sent_once(desk: Browser, database: Database) -> None:
    desk.get("/pengaturan/orang/baru")
    desk.send({"name": "Kepala Seksi Tapem", "login": "tapem"})
    address, number = desk.response.request.path, newest(database)
    again = desk.send_again()
    assert (again.status_code, again.request.path, newest(database)) == (200, address, number)


def test_what_is_wrong_stands_at_its_field_and_the_typed_text_stays(desk: Browser, database: Database) -> None:
    number = newest(database)
    desk.get("/pengaturan/orang/baru")
    response = desk.send({"name": "Kepala Seksi Tapem", "login": "camat", "email": "tapem@lasem.go.id"})
    assert response.status_code == 422
    wrong = desk.page.xpath("//div[contains(@class, 'field wrong')]")
    assert [one.xpath(".//input/@name")[0] for one in wrong] == ["login"]
    assert desk.page.xpath("//*[@id='galat']//a/@href") == ["#i-login"]
    field = desk.page.get_element_by_id("i-login")
    assert "sudah dipakai Camat Lasem" in desk.page.get_element_by_id(field.get("aria-describedby").split()[-1]).text
    assert desk.form()["values"]["email"] == "tapem@lasem.go.id"
    assert newest(database) == number
    desk.send({"login": "tapem"})
    assert newest(database) == number + 1


def test_a_plh_is_recorded_with_its_basis_and_replaces_the_definitive_holder(desk: Browser, database: Database) -> None:
    desk.get("/pengaturan/pemegang/baru?jabatan=camat_lasem&kedudukan=plh")
    desk.send({"person": "sekcam", "valid_until": "2027-01-08"})
    assert "nomor surat perintah" in desk.text
    desk.send({"basis": "800/1/2027"})
    assert "dicatat sebagai Plh. Camat Lasem 4 Januari 2027 sampai 8 Januari 2027" in desk.text
    with database.read() as db:
        assert store.who_performs(db, LKJPD, "kepala_pd", LASEM, MONDAY) == ("sekcam",)
    desk.get("/pengaturan")
    assert "Plh. Camat Lasem, Sekretaris Kecamatan Lasem, berakhir Jumat." in desk.text


def test_a_long_plt_is_recorded_with_a_warning(desk: Browser) -> None:
    desk.get("/pengaturan/pemegang/baru?jabatan=camat_lasem&kedudukan=plt")
    desk.send({"person": "sekcam", "valid_until": "2027-06-30", "basis": "800/2/2027"})
    assert desk.page.xpath("//div[contains(@class, 'message warning')]")[0].text_content().count("tiga bulan") == 2


def test_an_unbound_and_a_renamed_lane_ask_for_attention_until_they_are_set(desk: Browser, database: Database) -> None:
    desk.get(f"/pengaturan/pelaksana/{LKJPD}/{LASEM}/kepala_pd/lepas")
    desk.send()
    assert "belum ditetapkan: tidak ada yang dapat mengerjakan." in desk.text
    with database.begin() as db:
        bound = Change(
            id="b1",
            at=AT,
            actor=Actor(person="admin"),
            act=Bind(
                key=LKJPD, lane="sekretaris_pd", unit=LASEM, position="sekretaris_kecamatan_lasem", lane_name="Sekcam"
            ),
        )
        organise.change(db, KEY, bound)
    desk.get("/pengaturan")
    assert "Kepala PD: belum ditetapkan: tidak ada yang dapat mengerjakan." in desk.text
    assert "Sekretaris PD: nama lane berubah dari “Sekcam”" in desk.text
    desk.get(f"/pengaturan/pelaksana/{LKJPD}/{LASEM}/sekretaris_pd")
    desk.send()
    desk.get(f"/pengaturan/pelaksana/{LKJPD}/{LASEM}/kepala_pd")
    options = desk.page.xpath("//select/option/@value")
    assert "camat_lasem" in options
    assert "pemeriksa_inspektorat" not in options
    desk.send({"position": "camat_lasem"})
    assert "Kepala PD untuk Kantor Kecamatan Lasem dikerjakan oleh Camat Lasem." in desk.text
    desk.get("/pengaturan")
    assert "Tidak ada. Setiap lane mempunyai pelaksana" in desk.text


def test_another_unit_gets_the_process_with_its_own_sop_facts(desk: Browser, database: Database) -> None:
    desk.get("/pengaturan/unit/baru")
    desk.send({"name": "Kantor Kecamatan Pancur"})
    assert desk.response.request.path == "/pengaturan/unit/kantor_kecamatan_pancur"
    desk.get(f"/pengaturan/unit/kantor_kecamatan_pancur/proses/{LKJPD}")
    assert "Menurut diagram: 000.8.3.3/03.1 /1/2025" in desk.text
    desk.send({"sop.nomorSop": "000.8.3.3/07/2026"})
    with database.read() as db:
        facts = {one.unit: one.facts for one in store.units_that_may_start(db, LKJPD)}
    assert facts["kantor_kecamatan_pancur"] == {"sop.nomorSop": "000.8.3.3/07/2026"}
    desk.get("/pengaturan/pelaksana")
    assert desk.text.count("belum ditetapkan: tidak ada yang dapat mengerjakan.") == 4


def test_the_last_administrator_stays_and_a_new_one_may_let_the_old_go(desk: Browser) -> None:
    desk.get("/pengaturan/kuasa/admin/administrator/cabut")
    assert desk.send().status_code == 422
    assert "administrator terakhir" in desk.text
    desk.get("/pengaturan/kuasa/baru")
    desk.send({"person": "sekcam", "power": "administrator"})
    assert "Sekretaris Kecamatan Lasem sekarang Administrator." in desk.text
    desk.get("/pengaturan/kuasa/admin/administrator/cabut")
    desk.send()
    assert desk.get("/pengaturan").status_code == 404


def test_a_deactivated_person_is_signed_out(app: Any, desk: Browser, passwords: dict[str, str]) -> None:
    member = Browser(app.test_client(), "tim1", passwords["tim1"])
    assert member.get("/").request.path == "/"
    desk.get("/pengaturan/orang/tim1/nonaktif")
    desk.send({"reason": "Pindah tugas"})
    assert "masih memegang Anggota Tim Penyusun LKjPD" in desk.text
    desk.send({"last_day": "2027-01-04"})
    said = "Administrator menonaktifkan Anggota Tim Penyusun 1. Jabatannya diakhiri pada 4 Januari 2027."
    assert f"{said} Alasan: Pindah tugas." in desk.text
    assert member.get("/").request.path == "/masuk"


# Impor


def file(text: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(text.encode()), "data.csv"


PEOPLE = """nama_pengguna;nama;nip;jabatan;mulai;dasar
camat;Camat Lasem;198001012005011001;;;
tapem;Kepala Seksi Tapem;;anggota_tim_penyusun;4/1/2027;SK Camat 1/2027
trantib;Kepala Seksi Trantib;;anggota_tim_penyusun;2027-01-04;SK Camat 1/2027
sekcam;Sekretaris Kecamatan Lasem;;;;
"""


def test_an_import_is_shown_first_and_then_made_whole(desk: Browser, database: Database) -> None:
    number = newest(database)
    desk.get("/pengaturan/impor")
    desk.send({"berkas": file(PEOPLE)}, action="/orang")
    assert desk.response.status_code == 200
    assert "2 baru, 1 berubah, 1 sama, 0 galat." in desk.text
    assert "nip: (kosong) → 198001012005011001" in desk.text
    assert newest(database) == number
    desk.send()
    assert "Impor selesai: 2 baru, 1 berubah." in desk.text
    assert newest(database) == number + 5
    with database.read() as db:
        assert len(store.who_performs(db, LKJPD, "tim_penyusun", LASEM, MONDAY)) == 4
    desk.send_again()
    assert newest(database) == number + 5
    desk.get("/pengaturan/impor")
    desk.send({"berkas": file(PEOPLE)}, action="/orang")
    assert "0 baru, 0 berubah, 4 sama, 0 galat." in desk.text
    assert "Tidak ada yang perlu disimpan" in desk.text


def test_a_file_with_one_wrong_line_changes_nothing_and_says_which_line(desk: Browser, database: Database) -> None:
    number = newest(database)
    desk.get("/pengaturan/impor")
    desk.send({"berkas": file(PEOPLE + "x;Kepala Seksi;123;;;\ncamat;Camat;;;;\n")}, action="/orang")
    assert desk.response.status_code == 422
    assert [one.text_content() for one in desk.page.xpath("//div[@role='alert']//li")] == [
        "Baris 6: nama_pengguna: Nama pengguna terdiri atas 3 sampai 40 huruf kecil, angka, titik, garis bawah, "
        "atau garis hubung. Contoh: tim1.",
        "Baris 7: “camat” sudah ada pada baris 2. Hapus salah satunya.",
    ]
    assert not desk.page.xpath("//button[contains(., 'Simpan')]")
    assert newest(database) == number


def test_an_import_that_would_no_longer_do_what_was_shown_is_shown_again(desk: Browser, database: Database) -> None:
    desk.get("/pengaturan/impor")
    desk.send({"berkas": file(PEOPLE)}, action="/orang")
    waiting = desk.form()
    desk.get("/pengaturan/orang/camat/ubah")
    desk.send({"nip": "198001012005011001"})
    number = newest(database)
    desk.response = desk.client.post(waiting["address"], data=waiting["values"])
    assert desk.response.status_code == 409
    assert "Periksa pratinjau yang baru ini" in desk.text
    assert newest(database) == number
    desk.send()
    assert newest(database) == number + 4
