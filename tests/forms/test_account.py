"""Akun saya, second factors, confirmations and the security log, as their people meet them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from structlog.testing import capture_logs

from engine import organisation as org
from engine import organise, serve
from engine.commands import Actor
from engine.store import factors
from engine.store import organisation as store
from tests.desk import KEY, LASEM, LKJPD, PASSWORD, Desk, Reader

FIREFOX = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"}


def cookie(reader: Reader) -> str:
    found = reader.client.get_cookie("alur")
    return found.value if found else ""


def with_cookie(site: Desk, value: str) -> Reader:
    reader = site.reader()
    reader.client.set_cookie("alur", value)
    return reader


def token(reader: Reader) -> str:
    return str(reader.page.xpath("//input[@name='csrf_token']/@value")[0])


def enrol(site: Desk, login: str) -> tuple[Reader, str, list[str]]:
    """Somebody enrols an authenticator app by the pages: their browser, its secret, the recovery codes."""
    reader = site.reader(login).get("/akun/kode")
    secret = re.sub(r"\s", "", reader.page.xpath("string(//main//details//code)"))
    reader.send({"kode": code(site, secret), "sandi": PASSWORD})
    return reader, secret, [one.text_content() for one in reader.page.xpath("//main//ol//code")]


def code(site: Desk, secret: str) -> str:
    return pyotp.TOTP(secret).at(site.clock.at)


def reset(site: Desk, person: str) -> str:
    """An administrator makes a slip; the one-time password on it."""
    admin = site.reader("admin").get(f"/pengaturan/orang/{person}/slip")
    admin.send()
    return str(admin.page.xpath("string((//table//code)[2])"))


def banners(reader: Reader) -> str:
    return " ".join(one.text_content() for one in reader.page.xpath("//aside[contains(@class, 'banner')]"))


# Sessions


def test_a_cookie_planted_before_signing_in_is_worth_nothing_after_it(site: Desk) -> None:
    reader = site.reader().get("/masuk")
    planted, old_token = cookie(reader), token(reader)
    reader.send({"nama": "camat", "sandi": PASSWORD})
    assert cookie(reader) != planted
    assert with_cookie(site, planted).get("/proses").path == "/masuk"
    assert reader.post("/keluar", {"csrf_token": old_token}).status == 400, "nor is what protected its forms"
    assert reader.get("/proses").path == "/proses"


def test_a_copied_cookie_is_dead_after_signing_out_and_after_changing_user(site: Desk) -> None:
    for more in ({}, {"ganti": "ya"}):
        reader = site.reader("camat").get("/")
        copied = cookie(reader)
        assert with_cookie(site, copied).get("/proses").path == "/proses"
        reader.post("/keluar", {"csrf_token": token(reader), **more})
        assert reader.path == "/masuk"
        assert with_cookie(site, copied).get("/proses").path == "/masuk"


def test_changing_user_is_one_click_from_any_page(site: Desk) -> None:
    reader = site.reader("camat").get("/proses")
    [form] = reader.page.xpath("//header//form[.//button[@name='ganti']]")
    reader.post(form.get("action"), {**dict(form.form_values()), "ganti": "ya"})
    assert "Silakan masuk sebagai pengguna lain." in reader.text
    reader.send({"nama": "sekcam", "sandi": PASSWORD})
    assert reader.path == "/" and "Sekretaris" in reader.response.text


def test_on_a_shared_computer_a_session_ends_after_minutes_and_elsewhere_after_hours(site: Desk) -> None:
    shared = site.reader().get("/masuk")
    shared.send({"nama": "camat", "sandi": PASSWORD, "bersama": "ya"})
    assert "Max-Age" not in str(shared.response.headers.getlist("Set-Cookie")), "it ends with the browser too"
    own = site.reader("sekcam")
    site.later(minutes=14)
    assert shared.get("/proses").path == "/proses"
    site.later(minutes=16)
    assert shared.get("/proses").path == "/masuk" and own.get("/proses").path == "/proses"


def test_one_sees_where_one_is_signed_in_and_ends_the_others(site: Desk) -> None:
    phone, office, third = site.reader(), site.reader("camat"), site.reader("camat")
    phone.client.environ_base["HTTP_USER_AGENT"] = FIREFOX["User-Agent"]
    phone.sign_in("camat").get("/akun")
    assert "Firefox · Windows" in phone.text and phone.text.count("Peramban ini") == 1
    assert len(phone.page.xpath("//main//form[contains(@action, '/akhiri')]")) == 3, "two others, and all of them"
    phone.send(action=phone.page.xpath("(//main//form)[1]/@action")[0])
    assert "Sesi itu sudah berakhir." in phone.text
    assert [one.get("/proses").path for one in (office, third)].count("/masuk") == 1
    phone.get("/akun").send(action="/masuk-lainnya/akhiri")
    assert office.get("/proses").path == third.get("/proses").path == "/masuk"
    assert phone.get("/proses").path == "/proses"


def test_nobody_ends_a_session_of_somebody_else_but_an_administrator(site: Desk) -> None:
    camat, other = site.reader("camat").get("/akun"), site.reader("sekcam").get("/akun")
    row = site.app.extensions["alur"].database
    with row.read() as db:
        [mine] = [one.id for one in store_sessions(db, "camat")]
    other.post(f"/akun/masuk/{mine[:20]}/akhiri", {"csrf_token": token(other)})
    assert camat.get("/proses").path == "/proses"
    assert other.post("/pengaturan/orang/camat/akhiri-sesi", {"csrf_token": token(other)}).status == 404
    admin = site.reader("admin").get("/pengaturan/orang/camat")
    admin.send(action="/akhiri-sesi")
    assert "keluar dari semua peramban" in admin.text and camat.get("/proses").path == "/masuk"


def store_sessions(db: Any, person: str) -> Any:
    from engine.store import sessions
    return sessions.of_person(db, person)


def test_a_new_password_ends_the_other_sessions_and_renews_this_one(site: Desk) -> None:
    here, there = site.reader("camat").get("/kata-sandi"), site.reader("camat")
    copied = cookie(here)
    here.send({"sandi": PASSWORD, "baru": "sungai mengalir jauh", "ulang": "sungai mengalir jauh"})
    assert here.get("/proses").path == "/proses" and there.get("/proses").path == "/masuk"
    assert with_cookie(site, copied).get("/proses").path == "/masuk"


def test_a_session_that_was_ended_does_not_come_back_by_the_request_that_ended_it(site: Desk) -> None:
    admin = site.reader("admin").get("/pengaturan/orang/admin")
    copied = cookie(admin)
    admin.send(action="/akhiri-sesi")
    assert with_cookie(site, copied).get("/proses").path == "/masuk"
    with site.database.read() as db:
        assert store_sessions(db, "admin") == ()


# Second factors


def test_a_password_that_was_changed_meanwhile_lets_nobody_past_the_second_step(site: Desk) -> None:
    mine, secret, _codes = enrol(site, "camat")
    site.later(minutes=5)
    thief = site.reader().sign_in("camat")
    mine.get("/kata-sandi")
    mine.send({"sandi": PASSWORD, "baru": "sungai mengalir jauh", "ulang": "sungai mengalir jauh"})
    thief.send({"kode": code(site, secret)}, action="/masuk/faktor")
    assert thief.path == "/masuk" and thief.get("/proses").path == "/masuk"


def test_a_code_from_the_phone_is_asked_for_after_the_password_and_nothing_opens_before_it(site: Desk) -> None:
    _, secret, codes = enrol(site, "camat")
    assert len(codes) == 10
    site.later(minutes=5)
    reader = site.reader().sign_in("camat")
    assert "Langkah kedua masuk" in reader.text
    half = cookie(reader)
    assert with_cookie(site, half).get("/proses").path == "/masuk"
    reader.send({"kode": "000000"}, action="/masuk/faktor")
    assert reader.status == 401 and "Kode tidak cocok" in reader.text
    used = code(site, secret)
    reader.send({"kode": used}, action="/masuk/faktor")
    assert reader.path == "/" and cookie(reader) != half
    assert with_cookie(site, half).get("/proses").path == "/masuk", "the session is a new one"
    again = site.reader().sign_in("camat").send({"kode": used}, action="/masuk/faktor")
    assert again.status == 401, "a code that was used is not accepted again"
    again.send({"kode": codes[0]}, action="/masuk/faktor")
    assert again.path == "/"


def test_the_second_factor_is_asked_within_ten_minutes_of_the_first(site: Desk) -> None:
    _, secret, _codes = enrol(site, "camat")
    site.later(minutes=5)
    reader = site.reader().sign_in("camat")
    site.later(minutes=11)
    reader.send({"kode": code(site, secret)}, action="/masuk/faktor")
    assert reader.path != "/" and "Kata sandi" in reader.text


def test_a_form_that_outlived_its_session_goes_on_after_the_second_factor_too(site: Desk) -> None:
    id = site.waiting_at(1)
    _, secret, _codes = enrol(site, "camat")
    [task] = site.instance(id).user_tasks
    site.later(minutes=5)
    reader = site.reader().sign_in("camat").send({"kode": code(site, secret)}, action="/masuk/faktor")
    reader.get(f"/tugas/{id}/{task}")
    site.later(hours=13)
    reader.send({"isian.arahan": "Susun Tim dalam dua hari."}, action="/completion")
    reader.send({"nama": "camat", "sandi": PASSWORD})
    reader.send({"kode": code(site, secret)}, action="/masuk/faktor")
    assert site.instance(id).data["arahan"] == "Susun Tim dalam dua hari."


def test_a_factor_is_removed_and_codes_are_drawn_by_who_knows_the_password(site: Desk) -> None:
    reader, _secret, _codes = enrol(site, "camat")
    reader.get("/akun/kode-pemulihan").send({"sandi": "salah"})
    assert reader.status == 422 and "Kata sandi tidak cocok" in reader.text
    reader.send({"sandi": PASSWORD})
    assert len(reader.page.xpath("//main//ol//code")) == 10
    [address] = reader.get("/akun").page.xpath("//a[contains(@href, '/hapus')]/@href")
    assert site.reader("sekcam").get(address).status == 404
    reader.get(address).send({"sandi": PASSWORD})
    assert "sudah dihapus" in reader.text and site.reader().sign_in("camat").path == "/"


def test_an_administrator_is_asked_to_have_a_second_factor_until_there_is_one(site: Desk) -> None:
    assert "faktor kedua" in banners(site.reader("admin")) and "faktor kedua" not in banners(site.reader("camat"))
    reader, _secret, _codes = enrol(site, "admin")
    assert "faktor kedua" not in banners(reader.get("/"))


def test_who_must_have_a_second_factor_goes_nowhere_without(site: Desk) -> None:
    before = site.reader("camat")
    site.reader("admin").get("/pengaturan/orang/camat/wajib-faktor").send()
    assert before.get("/proses").path == "/masuk", "their sessions ended"
    reader = site.reader("camat")
    assert reader.path == "/akun" and reader.get("/proses").path == "/akun" and "perlu memasang" in banners(reader)
    done, _secret, _codes = enrol(site, "camat")
    assert done.get("/proses").path == "/proses"


# Recovery and confirmations


def test_a_reset_is_told_at_the_next_sign_in_of_the_person_and_of_who_is_above_them(site: Desk) -> None:
    slip = reset(site, "sekcam")
    camat = site.reader("camat")
    assert "Kata sandi Sekretaris Kecamatan Lasem diatur ulang" in banners(camat)
    [known] = camat.page.xpath("//aside//form[contains(@action, '/akun/diketahui/')]")
    camat.post(known.get("action"), dict(known.form_values()))
    assert "diatur ulang" not in banners(camat.get("/"))
    sekcam = site.reader().sign_in("sekcam", slip)
    sekcam.send({"sandi": slip, "baru": "sungai mengalir jauh", "ulang": "sungai mengalir jauh"})
    assert "Kata sandi Anda diatur ulang oleh Administrator" in banners(sekcam)
    assert "tercatat sebagai penyimpangan" in banners(sekcam)
    assert site.reader("tim1").get("/akun").status == 200 and "diatur ulang" not in banners(site.reader("tim1"))


def test_somebody_else_of_the_unit_confirms_a_reset_from_the_inbox(site: Desk) -> None:
    slip = reset(site, "sekcam")
    camat = site.reader("camat").get("/")
    assert "1 perubahan di unit Anda menunggu konfirmasi Anda." in camat.text
    camat.get("/konfirmasi")
    assert "Administrator memberi Sekretaris Kecamatan Lasem kata sandi sementara." in camat.text
    camat.post(*(sent := (camat.page.xpath("(//main//form)[1]/@action")[0], {**camat.values(), "jawaban": "benar"})))
    assert "sudah Anda konfirmasi" in camat.text and "menunggu konfirmasi" not in camat.get("/").text
    assert "sudah dijawab" in camat.post(*sent).text, "a second click is told so"
    sekcam = site.reader().sign_in("sekcam", slip)
    sekcam.send({"sandi": slip, "baru": "sungai mengalir jauh", "ulang": "sungai mengalir jauh"})
    assert "penyimpangan" not in banners(sekcam)


def test_who_is_not_asked_sees_no_question_and_answers_none(site: Desk) -> None:
    reset(site, "sekcam")
    with site.database.read() as db:
        [one] = store.load(db).confirmations
    for login in ("admin", "inspektorat", "auditor", "analis"):
        reader = site.reader(login).get("/konfirmasi")
        assert "Tidak ada yang menunggu" in reader.text
        assert reader.post(f"/konfirmasi/{one}", {"csrf_token": token(reader), "jawaban": "benar"}).status == 404
    reader = site.reader("camat").get("/konfirmasi")
    assert reader.post("/konfirmasi/tidak-ada", {"csrf_token": token(reader), "jawaban": "benar"}).status == 404


def test_one_administrator_cannot_become_the_camat_unseen(site: Desk) -> None:
    with site.database.begin() as db:
        for n, act in enumerate((
            org.Hold(holding="h", position="anggota_tim_penyusun", person="admin", capacity="definitif",
                     valid_from="2026-12-01"),
            org.Bind(key=LKJPD, lane="kepala_pd", unit=LASEM, position="anggota_tim_penyusun",
                     lane_name="Kepala PD"),
        )):
            organise.change(db, KEY, org.Change(id=f"c{n}", at=site.clock(), act=act, actor=Actor(
                person="admin", capacity="administrator", administrator=True)))
    camat = site.reader("camat")
    assert "Anggota Tim Penyusun LKjPD sebagai pelaksana Kepala PD" in banners(camat), "who had it knows"
    camat.get("/konfirmasi")
    [form] = [one for one in camat.page.xpath("//main//form[.//textarea]")
              if "pelaksana" in one.xpath("string(.//button)")]
    address = form.get("action")
    empty = {**dict(form.form_values()), "jawaban": "tidak", "alasan": ""}
    assert camat.post(address, empty).status == 422 and "Alasan belum diisi" in camat.text
    camat.post(address, {**empty, "key": "f" * 32, "alasan": "Saya tidak digantikan siapa pun."})
    assert "tidak berlaku lagi" in camat.text
    with site.database.read() as db:
        assert store.load(db).bindings[LKJPD, "kepala_pd", LASEM].position == "camat_lasem"
    assert "Tidak benar: pelaksana baru" in site.reader("admin").get("/pemberitahuan").text
    history = site.reader("admin").get("/pengaturan/riwayat")
    assert "Camat Lasem menyatakan tidak benar: Anggota Tim Penyusun LKjPD sebagai pelaksana" in history.text


def test_several_changes_are_ticked_and_confirmed_at_once_and_none_is_ticked_before(site: Desk) -> None:
    admin = Actor(person="admin", capacity="administrator", administrator=True)
    with site.database.begin() as db:
        for n, act in enumerate((
            org.Hold(holding="h", position="anggota_tim_penyusun", person="analis", capacity="definitif",
                     basis="SK 1/2026", valid_from="2026-12-01"),
            org.GrantPower(person="tim1", power="pemilik", unit=LASEM),
            org.AssignAudit(assignment="st", person="auditor", number="700/9", units=(LASEM,), years=(2025,),
                            valid_from="2026-12-01", valid_until="2026-12-31"),
        )):
            organise.change(db, KEY, org.Change(id=f"c{n}", at=site.clock(), act=act, actor=admin))
    camat = site.reader("camat")
    assert "3 perubahan wewenang perlu Anda ketahui." in banners(camat), "one banner, whatever there is to know"
    assert "Anggota Tim Penyusun 1 sebagai Pemilik SOP Kantor Kecamatan Lasem, dicatat Adm" in banners(camat)
    [listed] = camat.page.xpath("//aside//form[contains(@action, '/akun/diketahui')]")
    typed = {"csrf_token": token(camat), "perubahan": camat.page.xpath("//aside//input[@name='perubahan']/@value")}
    assert len(typed["perubahan"]) == 3 and len(camat.page.xpath("//aside//form")) == 1
    other = site.reader("sekcam")
    assert other.post("/akun/diketahui", {**typed, "csrf_token": token(other)}).status == 200
    assert "3 perubahan wewenang perlu Anda ketahui." in banners(camat.get("/")), "nobody knows for somebody else"
    camat.post(listed.get("action"), {**typed, "perubahan": [*typed["perubahan"][:2], "tidak-ada"]})
    assert "perlu Anda ketahui" not in banners(camat) and "Surat tugas audit 700/9" in banners(camat)
    camat.get("/konfirmasi")
    boxes = camat.page.xpath("//input[@type='checkbox'][@form='sekaligus']")
    assert len(boxes) == 3 and not any(one.get("checked") for one in boxes)
    for told in ("sebagai Anggota Tim Penyusun LKjPD, sejak 1 Desember 2026. Dasar: SK 1/2026.",
                 "Administrator memberi Anggota Tim Penyusun 1 kuasa Pemilik SOP Kantor Kecamatan Lasem.",
                 "auditor Kantor Kecamatan Lasem, tahun laporan 2025, 1 Desember 2026 sampai 31 Desember 2026."):
        assert told in camat.text
    [form] = camat.page.xpath("//form[@id='sekaligus']")
    hidden = dict(form.form_values())
    assert camat.post("/konfirmasi", {**hidden, "perubahan": []}).status == 422
    assert "Belum ada yang dicentang" in camat.text
    other = site.reader("admin").get("/konfirmasi")
    ids = [one.get("value") for one in boxes]
    assert other.post("/konfirmasi", {"csrf_token": token(other), "perubahan": ids}).status == 404
    assert camat.post("/konfirmasi", {**hidden, "perubahan": [ids[0], "tidak-ada"]}).status == 404, "all or none"
    camat.post("/konfirmasi", {**hidden, "perubahan": ids[:2]})
    assert "2 perubahan sudah Anda konfirmasi" in camat.text
    assert len(camat.page.xpath("//main//section")) == 1 and "Surat tugas audit 700/9 untuk Auditor" in camat.text
    camat.post("/konfirmasi", {**hidden, "perubahan": ids})
    assert "1 perubahan sudah Anda konfirmasi" in camat.text and "2 perubahan sudah dijawab" in camat.text
    with site.database.read() as db:
        assert {one.state for one in store.load(db).confirmations.values()} == {org.RIGHT}


def test_an_administrator_removes_lost_factors_and_that_is_asked_about(site: Desk) -> None:
    enrol(site, "sekcam")
    admin = site.reader("admin").get("/pengaturan/orang/sekcam/lepas-faktor")
    admin.send()
    assert "sudah dilepas" in admin.text
    assert "Faktor kedua Sekretaris Kecamatan Lasem dilepas" in site.reader("camat").get("/konfirmasi").text
    assert "Faktor kedua Anda dilepas oleh Administrator" in banners(site.reader("sekcam"))


def test_the_demo_office_starts_with_nothing_to_confirm(site: Desk) -> None:
    assert "konfirmasi" not in site.reader("camat").get("/").text
    assert banners(site.reader("camat")) == ""


# Administrators


def test_an_administrator_performs_nothing_and_reads_no_document(site: Desk) -> None:
    id = site.waiting_at(7)
    [task] = site.instance(id).user_tasks
    with site.database.read() as db:
        [sha] = set(db.exec_driver_sql(
            "SELECT sha256 FROM document_file WHERE instance = ? AND type = 'lhr'", (id,)).scalars())
    admin, before = site.reader("admin").get(f"/proses/{id}"), site.instance(id)
    assert not [one for one in admin.page.xpath("//main//a/@href") if "/dokumen/" in one or sha in one]
    shown = site.reader("camat").get(f"/proses/{id}")
    links = {one for one in shown.page.xpath("//main//a/@href") if "/dokumen/" in one or sha in one}
    assert links and all(admin.get(one).status == 404 for one in links)
    admin.get("/")
    for act in ("claim", "completion"):  # giving a task back to all is administration, and recorded as such
        admin.post(f"/tugas/{id}/{task}/{act}", {"csrf_token": token(admin), "key": "a" * 32})
        assert site.instance(id) == before, act
        admin.get("/")


def test_no_page_makes_a_person_for_somebody_who_is_not_signed_in(site: Desk) -> None:
    with site.database.read() as db:
        before = store.load(db)
    adapter, anonymous = site.app.url_map.bind("localhost"), site.reader().get("/masuk")
    filled = {"csrf_token": token(anonymous), "name": "Penyusup", "login": "penyusup", "key": "c" * 32}
    tried = 0
    for rule in site.app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or not rule.endpoint.startswith(("admin.", "account.", "door.")):
            continue
        values = dict.fromkeys(rule.arguments, "1")
        try:
            address = adapter.build(rule.endpoint, values, method="POST")
        except ValueError:
            continue
        anonymous.client.post(address, data=filled)
        tried += 1
    with site.database.read() as db:
        assert store.load(db) == before and tried > 30


# What a hostile hand types


def test_anything_in_a_field_of_sign_in_is_refused_and_never_breaks(site: Desk) -> None:
    for n, wild in enumerate(("\0", "\u202e\u200b", "x" * 100_000, "' OR 1=1 --", "\U0001f600" * 50)):
        site.later(minutes=20 * (n + 1))
        for fields in ({"nama": wild, "sandi": "x"}, {"nama": "camat", "sandi": wild}):
            assert site.reader().get("/masuk").send(fields).status == 401, repr(wild[:9])
        reader = site.reader().get("/masuk")
        answer = reader.post("/masuk/kunci", {"csrf_token": token(reader), "jawaban": wild})
        assert answer.status in (401, 429), repr(wild[:9])


# The security log


def test_the_security_log_tells_who_and_from_where_and_nothing_that_was_typed(site: Desk) -> None:
    with capture_logs() as told:
        site.reader().sign_in("camat", "rahasia-yang-salah")
        reader, secret, codes = enrol(site, "camat")
        reader.get("/pengaturan/orang")
        reader.get("/").post("/keluar", {"csrf_token": "palsu"})
        site.later(minutes=5)
        second = site.reader().sign_in("camat")
        second.send({"kode": "123456"}, action="/masuk/faktor")
        second.send({"kode": code(site, secret)}, action="/masuk/faktor")
        second.post("/keluar", {"csrf_token": token(second)})
        slip = reset(site, "sekcam")
        for _ in range(6):
            site.reader().sign_in("tim1", "salah lagi")
        cookies = [cookie(one) for one in (reader, second)]
    lines = [one for one in told if one.get("log") == "alur.security"]
    events = [one["event"] for one in lines]
    assert {"signed_in", "sign_in_failed", "throttled", "factor_enrolled", "second_factor", "second_factor_failed",
            "signed_out", "rights_refused", "csrf_failed", "password_reset"} <= set(events)
    assert all(one["client"] == "127.0.0.1" for one in lines)
    assert [one["person"] for one in lines if one["event"] == "rights_refused"] == ["camat"]
    assert {one["person"] for one in lines if one["event"] == "sign_in_failed"} == {None}
    everything = repr(told)
    for typed in ("rahasia-yang-salah", "salah lagi", "123456", secret, slip, PASSWORD, *codes, *cookies, "palsu"):
        assert typed and typed not in everything
    assert {one["log_level"] for one in lines if one["event"] in ("sign_in_failed", "rights_refused")} == {"warning"}


def test_the_security_log_is_told_whatever_the_level_of_the_log(
        site: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    serve.set_up_log("error")
    site.reader().sign_in("camat", "rahasia-yang-salah")
    site.reader("camat")
    lines = [one for one in capfd.readouterr().err.splitlines() if "log=alur.security" in one]
    assert any("event=sign_in_failed" in one and "level=warning" in one for one in lines)
    assert any("event=signed_in" in one and "level=info" in one for one in lines)


def test_when_somebody_signed_in_last_is_kept(site: Desk) -> None:
    site.reader("camat")
    with site.database.read() as db:
        last = factors.last_signed_in(db, "camat")
    assert last is not None and timedelta(0) <= site.clock.at - last < timedelta(minutes=1)
