"""Signing in and out, sessions, and what happens to a form whose session is over."""

from __future__ import annotations

import hashlib
import re
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs
from werkzeug.routing import AnyConverter

from engine import organise
from engine.settings import Settings
from engine.store.database import Unavailable
from engine.store.schema import session as session_table
from forms import POLICY, TRUSTED_TYPES, create_app
from tests.desk import PASSWORD, QUICK_HASH, Desk, Reader

pytestmark = pytest.mark.database


def cookie_of(reader: Reader) -> str:
    """The session cookie that the browser holds."""
    found = reader.client.get_cookie("alur")
    return found.value if found else ""


def rows(site: Desk) -> list[Any]:
    with site.database.read() as db:
        return list(db.execute(select(session_table).order_by(session_table.c.id)))


def test_a_wrong_password_says_nothing_about_which_word_was_wrong(site: Desk) -> None:
    known = site.reader().get("/masuk").send({"nama": "camat", "sandi": "salah-sama-sekali"})
    unknown = site.reader().get("/masuk").send({"nama": "bukan-siapa", "sandi": "salah-sama-sekali"})
    assert known.status == unknown.status == 401
    assert known.text == unknown.text and "Nama pengguna atau kata sandi tidak cocok." in known.text


def test_guessing_is_slowed_down_and_the_page_says_until_when(site: Desk) -> None:
    for _ in range(5):
        site.reader().get("/masuk").send({"nama": "camat", "sandi": "salah-sama-sekali"})
    reader = site.reader().sign_in("camat")
    assert reader.status == 429 and "Terlalu banyak percobaan" in reader.text
    site.later(minutes=16)
    assert site.reader().sign_in("camat").path == "/"


def test_the_session_gets_another_name_at_sign_in_and_the_planted_one_is_dead(site: Desk) -> None:
    reader = site.reader().get("/masuk")
    planted = cookie_of(reader)
    reader.send({"nama": "camat", "sandi": PASSWORD})
    assert planted and cookie_of(reader) != planted
    thief = site.reader()
    thief.client.set_cookie("alur", planted)
    assert thief.get("/").path == "/masuk"


def test_a_cookie_copied_before_signing_out_opens_nothing_after(site: Desk) -> None:
    reader = site.reader("camat").get("/")
    copied = cookie_of(reader)
    reader.post("/keluar", {"csrf_token": reader.page.xpath("//input[@name='csrf_token']/@value")[0], "ganti": "ya"})
    assert "Silakan masuk sebagai pengguna lain." in reader.text
    thief = site.reader()
    thief.client.set_cookie("alur", copied)
    assert thief.get("/").path == "/masuk"


def test_the_database_holds_no_cookie(site: Desk) -> None:
    reader = site.reader("camat")
    assert cookie_of(reader) not in repr(rows(site))
    assert [row.person for row in rows(site)] == ["camat"]


def test_a_session_ends_when_nobody_clicks_and_after_its_longest_day(site: Desk) -> None:
    idle = site.reader("camat")
    site.later(hours=12, minutes=1)
    assert idle.get("/").path == "/masuk"
    busy = site.reader("camat")
    for _ in range(5):
        site.later(hours=11)
        busy.get("/")
    assert busy.path == "/masuk", "two days are the most, however busy"


def test_looking_at_pages_writes_the_session_at_most_once_a_minute(site: Desk) -> None:
    reader = site.reader("camat").get("/")
    before = rows(site)
    for _ in range(5):
        reader.get("/proses")
    assert rows(site) == before
    site.later(minutes=2)
    reader.get("/proses")
    assert rows(site) != before


def test_a_temporary_password_opens_nothing_but_the_page_that_changes_it(site: Desk) -> None:
    with site.database.begin() as db:
        organise.set_password(db, "tim1", QUICK_HASH.hash("sekali-pakai"), site.clock(), temporary=True)
    reader = site.reader().sign_in("tim1", "sekali-pakai")
    assert reader.path == "/kata-sandi" and reader.get("/proses").path == "/kata-sandi"
    reader.send({"sandi": "sekali-pakai", "baru": "sungai mengalir jauh", "ulang": "sungai mengalir"})
    assert reader.status == 422 and "tidak sama" in reader.text
    reader.send({"sandi": "sekali-pakai", "baru": "sungai mengalir jauh", "ulang": "sungai mengalir jauh"})
    assert reader.path == "/" and "Kata sandi Anda sudah diganti." in reader.text
    assert site.reader().sign_in("tim1", "sungai mengalir jauh").path == "/"


def test_signing_out_tells_the_browser_to_forget_what_it_keeps_of_us(site: Desk) -> None:
    for more in ({}, {"ganti": "ya"}):
        reader = site.reader("camat")
        token = reader.page.xpath("string(//form[contains(@action, '/keluar')]//input[@name='csrf_token']/@value)")
        left = reader.post("/keluar", {"csrf_token": token, **more}, follow=False)
        assert left.status == 303 and left.response.headers["Clear-Site-Data"] == '"storage"'
    assert "Clear-Site-Data" not in site.reader("camat").response.headers


def test_a_common_a_stolen_and_ones_own_password_are_refused_with_the_reason_and_the_old_one_stays(
    site: Desk, folder: Path
) -> None:
    stolen = folder / "stolen.txt"
    hashes = sorted(hashlib.sha1(one.encode()).hexdigest().upper() for one in ("pernah dicuri orang", "dan satu lagi"))
    stolen.write_text("".join(f"{one}:3\n" for one in hashes))
    desk = Desk.at(f"sqlite:///{site.database.engine.url.database}", folder, breached_passwords_file=stolen)
    reader = desk.reader("camat").get("/kata-sandi")
    for new, why in (
        ("password2026", "paling sering dipakai"),
        ("Camat Lasem 2026", "nama pengguna, nama, NIP, jabatan, unit"),
        ("pernah dicuri orang", "pernah bocor"),
        ("a" * 900_000, "paling banyak 200"),
    ):
        reader.send({"sandi": PASSWORD, "baru": new, "ulang": new})
        assert reader.status == 422 and why in reader.text and new not in reader.text
    assert "terpasang" in desk.reader("admin").get("/pengaturan/kesehatan").text
    stolen.write_text("rusak\n" * 9)  # nobody is kept from choosing one, and it is said
    with capture_logs() as told:
        reader.send({"sandi": PASSWORD, "baru": "sungai mengalir jauh", "ulang": "sungai mengalir jauh"})
    assert "Kata sandi Anda sudah diganti." in reader.text
    assert [one["log_level"] for one in told if one["event"] == "breached_passwords_unreadable"] == ["warning"]
    health = desk.reader("admin").get("/pengaturan/kesehatan").text
    assert "diterima tanpa dicocokkan dengannya" in health
    desk.database.engine.dispose()


def test_the_page_that_was_wanted_comes_after_signing_in_and_no_other_site(site: Desk) -> None:
    reader = site.reader().get("/proses?keadaan=running")
    assert reader.path == "/masuk"
    reader.send({"nama": "camat", "sandi": PASSWORD})
    assert reader.path == "/proses"
    for elsewhere in ("//jahat.example", "https://jahat.example", "/\\jahat.example"):
        fresh = site.reader().get("/masuk")
        fresh.send({"nama": "camat", "sandi": PASSWORD, "lanjut": elsewhere}, follow=False)
        assert fresh.response.headers["Location"] == "/"


# A form that outlives its session


def expired(site: Desk) -> tuple[str, Reader]:
    """A filled-in task that is sent after its session ended: the instance, and the sign-in page that came."""
    id = site.waiting_at(1)
    reader = site.open(id, 1)
    site.later(hours=13)
    reader.send({"isian.arahan": "Susun Tim dalam dua hari."}, action="/completion")
    return id, reader


def test_a_form_sent_after_its_session_goes_on_when_the_same_person_signs_in(site: Desk) -> None:
    id, reader = expired(site)
    assert reader.status == 401 and "Isian Anda tidak hilang" in reader.text
    key = reader.values()["bawa.key"]
    reader.send({"nama": "camat", "sandi": "salah"})
    assert reader.status == 401 and reader.values()["bawa.key"] == key, "a mistyped password loses nothing"
    reader.send({"nama": "camat", "sandi": PASSWORD})
    assert "Langkah 1 selesai." in reader.text, reader.text
    assert site.instance(id).data["arahan"] == "Susun Tim dalam dua hari."
    assert reader.get("/proses").path == "/proses", "and they stay signed in"


def test_a_form_does_not_go_on_when_another_person_signs_in(site: Desk) -> None:
    id, reader = expired(site)
    reader.send({"nama": "sekcam", "sandi": PASSWORD})
    assert "Anda masuk sebagai orang lain" in reader.text
    assert "arahan" not in site.instance(id).data


def test_a_form_that_we_did_not_draw_is_not_carried_over_a_sign_in(site: Desk) -> None:
    id = site.waiting_at(1)
    [task] = site.instance(id).user_tasks
    forged = {"isian.arahan": "Dari situs lain", "key": "a" * 32, "oleh": "palsu"}
    reader = site.reader().post(f"/tugas/{id}/{task}/completion", forged)
    reader.send({"nama": "camat", "sandi": PASSWORD})
    assert "arahan" not in site.instance(id).data


def test_a_page_from_before_signing_in_again_elsewhere_is_sent_with_one_more_press(site: Desk) -> None:
    id = site.waiting_at(1)
    reader = site.open(id, 1)
    old = reader.values("/completion")
    [address] = reader.page.xpath("//form[@id='tugas']/@action")
    reader.get("/").post("/keluar", {"csrf_token": reader.page.xpath("//input[@name='csrf_token']/@value")[0]})
    reader.sign_in("camat")
    reader.post(address, {**old, "isian.arahan": "Tetap ada."})
    assert reader.status == 400 and "Kirim sekali lagi" in reader.text
    reader.send()
    assert site.instance(id).data["arahan"] == "Tetap ada."


def test_a_form_without_our_token_changes_nothing(site: Desk) -> None:
    id = site.waiting_at(1)
    [task] = site.instance(id).user_tasks
    answer = site.reader("camat").post(f"/tugas/{id}/{task}/completion", {"isian.arahan": "x", "key": "b" * 32})
    assert answer.status == 400 and site.instance(id).user_tasks


def test_a_request_from_another_site_is_refused(site: Desk) -> None:
    reader = site.reader("camat").get("/")
    token = reader.page.xpath("//input[@name='csrf_token']/@value")[0]
    answer = reader.post("/keluar", {"csrf_token": token}, headers={"Origin": "https://jahat.example"})
    assert answer.status == 403 and cookie_of(reader)


# What every answer says


def test_every_page_asks_who_it_is_before_it_says_anything(site: Desk) -> None:
    adapter = site.app.url_map.bind("localhost")
    # An agenda is asked for by calendar programs, which cannot sign in: its address is the secret. What a printed SOP
    # points to is for whoever holds the paper.
    open_to_all = {"static", "door.sign_in", "door.sign_out", "door.alive", "door.ready", "notices.agenda_of",
                   "verification.sop", "verification.file", "verification.checkpoint",
                   # The office's own accounts: the way to the provider and back; nothing where none is set.
                   "federation.start", "federation.back", "federation.leave"}
    filler = {"uuid": "00000000-0000-4000-8000-000000000000", "int": 1, "string": "x", "default": "x", "path": "x"}
    asked = 0
    for rule in site.app.url_map.iter_rules():
        if rule.endpoint in open_to_all:
            continue
        values = {
            name: min(converter.items) if isinstance(converter, AnyConverter) else filler[
                converter.__class__.__name__.replace("Converter", "")
                .lower()
                .replace("unicode", "default")
                .replace("integer", "int")
            ]
            for name, converter in rule._converters.items()
        }
        address = adapter.build(rule.endpoint, values, method=sorted(rule.methods - {"HEAD", "OPTIONS"})[0])
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            answer = site.app.test_client().open(address, method=method)
            assert answer.status_code in (302, 401), f"{method} {address} answered {answer.status_code}"
            assert b"masuk" in answer.data.lower() or "/masuk" in answer.headers.get("Location", "")
            asked += 1
    assert asked > 25


def test_every_answer_says_what_a_browser_may_do_with_it(site: Desk) -> None:
    reader = site.reader("camat")
    for address in ("/masuk", "/", "/proses", "/tidak-ada", "/healthz", "/readyz", "/static/alur.css"):
        headers = reader.get(address, follow=False).response.headers
        assert headers["Content-Security-Policy"] == POLICY + TRUSTED_TYPES, address
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cache-Control"] == ("no-cache" if address.startswith("/static") else "no-store")


def test_a_static_file_with_its_hash_may_be_kept_forever(site: Desk) -> None:
    reader = site.reader().get("/masuk")
    [sheet] = reader.page.xpath("//head/link[@rel='stylesheet']/@href")
    assert "immutable" in reader.get(sheet).response.headers["Cache-Control"]


def test_the_cookie_is_the_strictest_that_the_address_allows(site: Desk, tmp_path: Path) -> None:
    plain = SimpleCookie(site.reader().get("/masuk").response.headers["Set-Cookie"])["alur"]
    assert plain["httponly"] and plain["samesite"] == "Lax" and plain["path"] == "/" and not plain["secure"]
    secure = create_app(
        Settings(data_dir=tmp_path, url="https://alur.example.go.id"), site.database, site.app.extensions["alur"].rules
    )
    answer = secure.test_client().get("/masuk", base_url="https://alur.example.go.id")
    assert re.match(r"__Host-alur=[\w-]{43}; Secure; HttpOnly; Path=/; SameSite=Lax", answer.headers["Set-Cookie"])
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_administrators_are_told_that_the_line_is_plain(site: Desk) -> None:
    assert "tanpa https" in site.reader("admin").get("/").response.text
    assert "tanpa https" not in site.reader("camat").get("/").response.text


def test_whether_the_server_is_there_can_be_asked(site: Desk) -> None:
    assert site.reader().get("/healthz").response.json == {"alive": True}
    assert site.reader().get("/readyz").response.json["ready"] is True
    with site.database.begin() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = 'lain'")
    assert site.reader().get("/readyz").status == 503


# Wrong turns


def test_a_page_that_is_not_there_says_where_to_go(site: Desk) -> None:
    reader = site.reader("camat").get("/tidak-ada")
    assert reader.status == 404 and "Mungkin alamatnya keliru" in reader.text and "Ke Kotak Tugas" in reader.text


def test_our_own_mistake_gives_a_number_and_tells_nothing_else(site: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = site.reader("camat")
    site.app.testing = False
    site.app.config["PROPAGATE_EXCEPTIONS"] = False
    site.app.view_functions["processes.listed"] = lambda: 1 / 0
    reader.get("/proses")
    assert reader.status == 500 and re.search(r"Nomor: [0-9A-F]{8}", reader.text)
    assert "ZeroDivisionError" not in reader.response.text


def test_a_file_that_is_too_large_says_how_large_it_may_be(site: Desk) -> None:
    site.app.config["MAX_CONTENT_LENGTH"] = 1000
    id = site.waiting_at(1)
    reader = site.open(id, 1)
    reader.send({"isian.arahan": "x" * 2000}, action="/completion")
    assert reader.status == 413 and "paling besar 25 MB" in reader.text


def test_a_database_that_does_not_answer_is_said_in_words(site: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = site.reader("camat")

    def gone(_self: object) -> None:
        raise Unavailable("database_unreachable", "PostgreSQL does not answer.", "Check that it runs.")

    monkeypatch.setattr(type(site.database), "read", gone)
    reader.get("/")
    assert reader.status == 503 and "Aplikasi sedang tidak dapat melayani" in reader.text
    assert "PostgreSQL" not in reader.response.text
    monkeypatch.undo()
    assert reader.get("/").path == "/", "and nobody was signed out by it"
