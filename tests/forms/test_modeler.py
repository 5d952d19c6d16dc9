"""The canvas's endpoints: who may, what is stored, two people on one draft, what is too large or no diagram at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import diagram, drafting, gate
from engine.definition import Finding
from engine.store import definitions, drafts
from tests.desk import DIAGRAMS, LASEM, LKJPD, Desk

SHIPPED = (DIAGRAMS / LKJPD / f"{LKJPD}.bpmn").read_bytes()
CHANGED = SHIPPED.replace(b'name="Melakukan reviu"', b'name="Mereviu"')
BROKEN = SHIPPED.replace(b'targetRef="langkah_7"', b'targetRef="langkah_70"')
ADDRESSES = ("kanvas", "isi", "hadir", "unduh", "simpanan")


def begin(desk: Desk, data: bytes = SHIPPED) -> str:
    with desk.database.begin() as db:
        version = definitions.newest(db, LKJPD)
        base = version.sha256 if version else None
        return drafting.begin(db, data, unit=LASEM, person="pengelola1", at=desk.clock(), base=base).id


def stored(desk: Desk, id: str) -> tuple[int, bytes]:
    with desk.database.read() as db:
        draft, data = drafts.get(db, id), drafts.content(db, id)
    assert draft is not None and data is not None
    return draft.revision, data


class Canvas:
    """The page of a draft, opened by somebody, and what its script asks the server."""

    def __init__(self, desk: Desk, id: str, login: str = "pengelola1"):
        self.reader = desk.reader(login)
        self.root = f"/perancang/rancangan/{id}"
        self.reader.get(f"{self.root}/kanvas")
        assert self.reader.status == 200, self.reader.text
        [root] = self.reader.page.xpath("//*[@id='perancang']/@data-page")
        self.page: dict[str, Any] = json.loads(root)

    def send(self, address: str, method: str = "POST", **more: Any) -> Any:
        headers = {"X-CSRFToken": self.page["csrf"], **more.pop("headers", {})}
        return self.reader.client.open(address, method=method, headers=headers, **more)

    def save(self, data: bytes, revision: int | None = 1) -> Any:
        match = {} if revision is None else {"If-Match": f'"{revision}"'}
        return self.send(f"{self.root}/isi", "PUT", data=data, content_type="application/xml", headers=match)

    def findings(self, data: bytes) -> Any:
        return self.send(f"{self.root}/temuan", data=data, content_type="application/xml")

    def check(self, expression: Any, element: str = "", **more: Any) -> Any:
        asked = {"expression": expression, "element": element, "id": self.page["id"], **more}
        return self.send("/perancang/ungkapan", json=asked)

    def preview(self, data: bytes, element: str) -> Any:
        return self.send(f"{self.root}/pratinjau", json={"xml": data.decode(), "element": element})


def said(findings: list[Finding] | tuple[Finding, ...]) -> list[dict[str, Any]]:
    return [{"severity": f.severity, "element": f.element, "line": f.line, "message": f.message} for f in findings]


def test_an_owner_opens_reads_and_saves_a_draft(desk: Desk) -> None:
    id = begin(desk)
    canvas = Canvas(desk, id)
    assert canvas.page["readonly"] is False and canvas.page["revision"] == 1
    read = canvas.reader.client.get(canvas.page["urls"]["isi"])
    assert (
        read.data == SHIPPED and read.headers["ETag"] == '"1"' and "attachment" in read.headers["Content-Disposition"]
    )
    answer = canvas.save(CHANGED)
    assert answer.status_code == 200
    assert {key: answer.json[key] for key in ("revision", "saved_by", "mine", "findings")} == {
        "revision": 2,
        "saved_by": "Pengelola SOP 1",
        "mine": True,
        "findings": said(diagram.check(CHANGED)),
    }
    assert stored(desk, id) == (2, CHANGED)
    assert canvas.save(CHANGED, 2).json["revision"] == 2, "the same bytes again change nothing"
    assert canvas.reader.client.get(canvas.page["urls"]["unduh"]).data == CHANGED


def test_a_draft_with_errors_is_saved_and_its_errors_are_those_of_deployment(desk: Desk) -> None:
    id = begin(desk)
    canvas = Canvas(desk, id)
    wrong = said(diagram.check(BROKEN))
    assert any(one["severity"] == "error" for one in wrong)
    assert canvas.findings(BROKEN).json == {"findings": wrong}
    assert stored(desk, id) == (1, SHIPPED), "to ask is not to save"
    assert canvas.save(BROKEN).json["findings"] == wrong
    assert stored(desk, id) == (2, BROKEN)


def test_of_two_who_save_one_revision_the_second_is_told_who_was_quicker(desk: Desk) -> None:
    id = begin(desk)
    one, two = Canvas(desk, id), Canvas(desk, id, "pengelola2")
    assert one.save(CHANGED).status_code == 200
    mine = SHIPPED.replace(b'name="Melakukan reviu"', b'name="Memeriksa"')
    answer = two.save(mine)
    assert answer.status_code == 409
    assert (answer.json["revision"], answer.json["saved_by"], answer.json["mine"]) == (2, "Pengelola SOP 1", False)
    assert stored(desk, id) == (2, CHANGED)
    kept = two.send(f"{two.root}/isi", data=mine, content_type="application/xml")
    assert kept.status_code == 201 and kept.json["address"] == f"/perancang/rancangan/{kept.json['id']}/kanvas"
    assert stored(desk, kept.json["id"])[1] == mine and stored(desk, id) == (2, CHANGED)
    with desk.database.read() as db:
        assert drafts.savers(db, kept.json["id"]) == {"pengelola1", "pengelola2"}, "who drew it may not verify it"


def test_who_else_has_the_draft_open_is_told_and_what_is_stored(desk: Desk) -> None:
    id = begin(desk)
    one, two = Canvas(desk, id), Canvas(desk, id, "pengelola2")
    assert one.reader.client.get(f"{one.root}/hadir").json["others"] == []
    one.save(CHANGED)
    here = two.reader.client.get(f"{two.root}/hadir").json
    assert [other["name"] for other in here["others"]] == ["Pengelola SOP 1"]
    assert (here["person"], here["revision"], here["saved_by"]) == ("pengelola2", 2, "Pengelola SOP 1")
    desk.later(minutes=1)
    assert two.reader.client.get(f"{two.root}/hadir").json["others"] == []


def test_only_designers_enter_and_only_owners_of_the_unit_change(site: Desk) -> None:
    id = begin(site)
    for login in ("camat", "analis", "admin"):  # the head of the unit, the verifier, the administrator: they look
        looks = Canvas(site, id, login)
        assert looks.page["readonly"] is True
        assert looks.save(CHANGED).status_code == 403
        assert looks.send(f"{looks.root}/isi", data=CHANGED, content_type="application/xml").status_code == 403
        assert looks.findings(SHIPPED).status_code == 200
    for login in ("tim1", "penerima"):
        reader = site.reader(login)
        for what in ADDRESSES:
            assert reader.get(f"/perancang/rancangan/{id}/{what}").status == 404, (login, what)
    nobody = site.app.test_client()
    asked = nobody.get(f"/perancang/rancangan/{id}/isi", headers={"Sec-Fetch-Mode": "cors"})
    assert asked.status_code == 401, "the script is told, and not sent to the sign-in page"
    assert stored(site, id) == (1, SHIPPED)


def test_a_change_without_the_key_of_the_session_is_refused(site: Desk) -> None:
    id = begin(site)
    canvas = Canvas(site, id)
    for key in ("", "lain"):
        canvas.page["csrf"] = key
        assert canvas.save(CHANGED).status_code == 400
        assert canvas.findings(CHANGED).status_code == 400
    assert stored(site, id) == (1, SHIPPED)
    assert canvas.reader.client.get(f"{canvas.root}/hadir").json["csrf"], "the next look brings the key"


def test_a_save_says_what_it_began_from(site: Desk) -> None:
    canvas = Canvas(site, begin(site))
    assert canvas.save(CHANGED, None).status_code == 428
    for match in ('"satu"', "*", '"1", "2"', '"99999999999999999999"'):
        answer = canvas.send(
            f"{canvas.root}/isi", "PUT", data=CHANGED, content_type="application/xml", headers={"If-Match": match}
        )
        assert answer.status_code == 428, match


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"bukan XML",
        b"<html/>",
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
        b"<a>" * 100 + b"</a>" * 100,
        b"\x00\xff\xfe",
        b"<a " + b"b='c' " * 100 + b"/>",
    ],
    ids=["nothing", "text", "html", "entity", "deep", "bytes", "attributes"],
)
def test_what_is_no_diagram_that_we_open_is_refused_with_its_findings(site: Desk, data: bytes) -> None:
    canvas = Canvas(site, begin(site))
    answer = canvas.save(data)
    if answer.status_code == 200:  # XML that we open, without a process: a draft may be that
        assert answer.json["findings"]
    else:
        assert answer.status_code == 422 and answer.json["findings"] and answer.json["message"]
    assert canvas.findings(data).json["findings"]
    assert canvas.preview(data if data.isascii() else b"", "langkah_1").status_code == 422


def test_more_than_a_diagram_may_have_is_not_even_read(site: Desk) -> None:
    id = begin(site)
    canvas = Canvas(site, id)
    large = SHIPPED + b" " * gate.MOST_BYTES
    assert canvas.save(large).status_code == 413
    assert canvas.findings(large).status_code == 413
    assert canvas.preview(large, "langkah_1").status_code == 413
    assert stored(site, id) == (1, SHIPPED)


def test_an_expression_is_judged_while_it_is_typed(site: Desk) -> None:
    canvas = Canvas(site, begin(site))
    for right in ('=keputusan = "setujui"', "putaran >= 2", "berkas.lhr = 1 and tahun > 2020"):
        assert canvas.check(right, "disetujui_ya").json == {"ok": True, "message": ""}, right
    wrong = {
        "": "masih kosong",
        "=keputusan = ": "belum lengkap",
        "keputusan == 1": "mulai huruf ke-",
        'keputusann = "setujui"': "Mungkin maksudnya",
        "lhr = 1": "berkas.lhr",
        "berkas.tidak_ada = 1": "bukan berkas",
        "putaran + 1": "menghasilkan angka",
        "keputusan": "menghasilkan teks",
        "x" * 5000: "terlalu panjang",
        "(" * 2000: "",
    }
    for source, words in wrong.items():
        answer = canvas.check(source, "disetujui_ya").json
        assert answer["ok"] is False and words in answer["message"], (source[:40], answer)
    assert canvas.check("putaran + 1", "langkah_1").json["ok"] is True, "only the condition of a flow must be yes or no"
    assert canvas.check('baru = "a"', "disetujui_ya").json["ok"] is False
    assert canvas.check('baru = "a"', "disetujui_ya", names=["baru"]).json["ok"] is True, "drawn, and not stored yet"
    assert canvas.check(7).status_code == 400
    assert canvas.send("/perancang/ungkapan", data=b"{", content_type="application/json").status_code == 400
    assert canvas.send("/perancang/ungkapan", json={"expression": "1", "id": "tidak-ada"}).status_code == 404


def test_the_preview_is_the_form_of_the_task_as_it_is_drawn_now(site: Desk) -> None:
    canvas = Canvas(site, begin(site))
    drawn = SHIPPED.replace(b'label="Tanggal LHR"', b'label="Tanggal &lt;b&gt;laporan&lt;/b&gt;"')
    assert drawn != SHIPPED
    answer = canvas.preview(drawn, "langkah_4")
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    element = diagram.reread(SHIPPED).elements["langkah_4"]
    assert "Tanggal &lt;b&gt;laporan&lt;/b&gt;" in text and "<b>" not in text
    assert text.count('name="isian.') >= 1 and "<form" not in text and "<button" not in text
    for field in element.form:
        assert field.label in text or field.label == "Tanggal LHR", field.label
    assert canvas.preview(SHIPPED, "mulai").status_code == 200
    for other in ("disetujui", "tidak_ada", ""):
        answer = canvas.preview(SHIPPED, other)
        assert answer.status_code == 422 and answer.json["message"], other
    half = SHIPPED.replace(b'value="=ada_catatan_reviu = &quot;ya&quot;"', b'value="=ada_catatan_reviu = "')
    assert half != SHIPPED and canvas.preview(half, "langkah_4").status_code == 422


def test_older_revisions_are_looked_at_downloaded_and_brought_back(desk: Desk) -> None:
    id = begin(desk)
    canvas = Canvas(desk, id)
    canvas.save(CHANGED)
    reader = canvas.reader.get(f"{canvas.root}/simpanan")
    assert "Simpanan ke-2 (terbaru)" in reader.text and "Pengelola SOP 1" in reader.text
    older = Canvas(desk, id)
    older.reader.get(f"{canvas.root}/kanvas?simpanan=1")
    [page] = older.reader.page.xpath("//*[@id='perancang']/@data-page")
    assert json.loads(page)["readonly"] is True
    assert older.reader.client.get(json.loads(page)["urls"]["isi"]).data == SHIPPED
    assert older.reader.client.get(f"{canvas.root}/unduh?simpanan=1").data == SHIPPED
    for missing in ("kanvas?simpanan=9", "unduh?simpanan=9", "isi?simpanan=9"):
        assert older.reader.get(f"{canvas.root}/{missing}").status == 404
    reader.get(f"{canvas.root}/simpanan").press("simpanan", "1")
    assert reader.status == 200 and "dipulihkan sebagai simpanan ke-3" in reader.text
    assert stored(desk, id) == (3, SHIPPED)
    late = canvas.send(f"{canvas.root}/simpanan", data={"simpanan": "2", "dibaca": "2"}, follow_redirects=True)
    assert "sudah menyimpan rancangan ini" in late.get_data(as_text=True)
    assert stored(desk, id) == (3, SHIPPED)


def test_a_proposed_draft_can_only_be_looked_at(site: Desk) -> None:
    id = begin(site)
    with site.database.begin() as db:
        assert drafts.set_state(db, id, before=drafts.OPEN, state=drafts.PROPOSED)
    canvas = Canvas(site, id)
    assert canvas.page["readonly"] is True and canvas.page["proposed"] is True
    assert "sedang diusulkan" in canvas.reader.text
    answer = canvas.save(CHANGED)
    assert answer.status_code == 403 and "diusulkan" in answer.json["message"]
    assert stored(site, id) == (1, SHIPPED)
    assert canvas.send(f"{canvas.root}/isi", data=CHANGED, content_type="application/xml").status_code == 201


def test_the_head_of_a_draft_names_its_state_and_its_pages(site: Desk) -> None:
    canvas = Canvas(site, begin(site))
    tabs = canvas.reader.page.xpath("//nav[@class='tabs']/a/text()")
    assert tabs == ["Tabel SOP", "Kanvas", "Periksa", "Simpanan"]
    assert canvas.reader.page.xpath("//nav[@class='tabs']/a[@aria-current]/text()") == ["Kanvas"]
    assert "sama dengan versi 1" in canvas.reader.text
    canvas.save(CHANGED)
    assert "berbeda dari versi 1" in canvas.reader.get(f"{canvas.root}/simpanan").text
