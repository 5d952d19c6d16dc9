"""Pindahkan, as an owner without JavaScript meets it: the table, the mapping, going over, coming back, who may."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine import drafting, migrate, organise
from engine import organisation as org
from engine.commands import Actor, ClaimUserTask, SuspendProcessInstance
from engine.deploy import SYSTEM, deploy
from engine.handle import Request, handle
from engine.store import definitions, instances, moves, records, schema
from forms import migration, processes
from tests.desk import DIAGRAMS, LASEM, LKJPD, Desk, Reader

PAGE = f"/perancang/sop/{LKJPD}/pindahkan"
FILE = DIAGRAMS / LKJPD / f"{LKJPD}.bpmn"
ADMIN = Actor(person="admin", capacity="administrator", administrator=True)


def drawn(*edits: tuple[str, str]) -> bytes:
    """Another LKjPD: step 3 has a longer norm, and step 7 is another one in all that is recognised."""
    text = FILE.read_text()
    for before, now in (("P20D", "P25D"), ("Memeriksa dan menandatangani", "Mengesahkan"), *edits):
        assert before in text, before
        text = text.replace(before, now)
    text = re.sub(r'(?<=[">])langkah_7(?=["<])', "pengesahan", text)
    text = re.sub(
        r'(<bpmn:userTask id="pengesahan".*?)<camunda:formField id="catatan',
        r'\1<camunda:formField id="cat',
        text,
        flags=re.DOTALL,
    )
    return text.replace("PT120M", "PT60M").encode()


def deployed(desk: Desk, data: bytes, reason: str = "Versi 2") -> str:
    with desk.database.begin() as db:
        return deploy(db, desk.database.key, data, actor=SYSTEM, reason=reason, at=desk.clock()).version.sha256


def rules(desk: Desk) -> Any:
    return desk.app.extensions["alur"].rules


def ask(desk: Desk, id: str, who: str, act: Any) -> None:
    with desk.database.begin() as db:
        request = Request(id=f"uji-{desk.clock().isoformat()}", act=act, person=who, at=desk.clock())
        handle(db, rules(desk), desk.database.key, id, [request])


def change(desk: Desk, *acts: org.Act) -> None:
    with desk.database.begin() as db:
        organise.change_all(
            db,
            desk.database.key,
            [org.Change(id=f"{n}-{desk.clock().isoformat()}", at=desk.clock(), actor=ADMIN, act=act)
             for n, act in enumerate(acts)],
        )


def table(reader: Reader) -> dict[str, tuple[str, str]]:
    """Title -> (what would become of it, why or what changes) of the table's rows."""
    found = {}
    for row in reader.page.xpath("//table[contains(@class,'migrating')]/tbody/tr"):
        title, outcome, why = (re.sub(r"\s+", " ", one.text_content()).strip() for one in row.xpath("td")[-3:])
        found[title[: len("LKjPD Tahun 2021")]] = (outcome[1:].strip(), why)
    return found


def boxes(reader: Reader, name: str = "pilih") -> list[str]:
    return [str(one) for one in reader.page.xpath(f"//input[@name='{name}']/@value")]


def finish(reader: Reader) -> Reader:
    """Press on until it is done, as one does without JavaScript."""
    for _ in range(40):
        if not reader.page.xpath("//form[@data-goes-on]"):
            return reader
        reader.send()
    raise AssertionError("it never ends")


def version_of(desk: Desk, id: str) -> int:
    with desk.database.read() as db:
        version = definitions.of_bytes(db, desk.instance(id).definition)
    assert version is not None
    return version.version


def test_the_table_says_of_each_what_would_become_of_it_and_touches_nobody(site: Desk) -> None:
    owing = site.waiting_at(4)
    ask(site, owing, "admin", SuspendProcessInstance(reason="Pejabat berganti"))
    before = {step: site.instance(site.waiting_at(step)) for step in range(1, 10)}
    deployed(site, drawn())
    reader = site.reader("pengelola1").get(PAGE)
    rows = table(reader)
    assert reader.status == 200 and len(rows) == 9 and "Belum ada yang diubah" in reader.text
    assert {title: outcome for title, (outcome, _) in rows.items() if outcome != "Pindah dengan sendirinya"} == {
        "LKjPD Tahun 2027": "Perlu pemetaan"}
    assert "langkah 7" in rows["LKjPD Tahun 2027"][1].lower()
    assert "Batas waktu:" in rows["LKjPD Tahun 2023"][1] and "→" in rows["LKjPD Tahun 2023"][1]
    assert rows["LKjPD Tahun 2021"][1] == "Tidak ada yang berubah bagi pelaksana."
    assert "ditangguhkan" in reader.text and "1 berkas berubah langkah, pelaksana, atau tanggalnya" in reader.text
    assert {step: site.instance(site.waiting_at(step)) for step in range(1, 10)} == before
    few = reader.get(f"{PAGE}?ke=2&hasil=mapping")
    assert list(table(few)) == ["LKjPD Tahun 2027"]
    assert table(reader.get(f"{PAGE}?ke=2&unit=inspektorat_daerah")) == {}
    there = table(reader.get(f"{PAGE}?ke=1"))
    assert {outcome for outcome, _ in there.values()} == {"Sudah di sana"}
    assert "Yang berlaku sekarang versi 2, bukan versi 1." in reader.text
    assert reader.get(f"{PAGE}?ke=7").status == 404 and reader.get(PAGE.replace(LKJPD, "lain")).status == 404


def test_a_mapping_stands_in_the_address_and_the_table_is_rehearsed_with_it(site: Desk) -> None:
    deployed(site, drawn())
    reader = site.reader("pengelola1").get(f"{PAGE}?ke=2")
    [choice] = reader.page.xpath("//select[@name='peta.langkah_7']")
    labels = [one.text_content() for one in choice.iter("option")]
    assert labels[0] == "belum dipilih" and 'Langkah 7 "Mengesahkan"' in labels and len(labels) == 10
    mapped = reader.get(f"{PAGE}?ke=2&peta.langkah_7=pengesahan")
    outcome, why = table(mapped)["LKjPD Tahun 2027"]
    assert outcome == "Pindah dengan sendirinya" and "→ langkah 7, Mengesahkan" in why
    [chosen] = mapped.page.xpath("//select[@name='peta.langkah_7']/option[@selected]")
    assert chosen.get("value") == "pengesahan"
    # An open step that has its own counterpart may be given another one.
    other = reader.get(f"{PAGE}?ke=2&peta.langkah_7=pengesahan&peta.langkah_6=langkah_5")
    assert "langkah 5" in table(other)["LKjPD Tahun 2026"][1]
    wrong = reader.get(f"{PAGE}?ke=2&peta.langkah_77=pengesahan")
    assert wrong.status == 200 and "langkah_77" in wrong.text and len(table(wrong)) == 9
    senseless = table(reader.get(f"{PAGE}?ke=2&peta.langkah_7=akhir_disampaikan"))
    assert senseless["LKjPD Tahun 2027"][0] == "Tetap pada versinya"
    too_many = "&".join(f"peta.x{n}=y" for n in range(201))
    assert reader.get(f"{PAGE}?ke=2&{too_many}").status == 400


def test_all_that_move_go_over_with_the_mapping_some_at_a_time(site: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "TOGETHER", 4)
    to = deployed(site, drawn())
    ids = {step: site.waiting_at(step) for step in range(1, 10)}
    [task] = site.instance(ids[3]).user_tasks.values()
    if task.owner is None:
        ask(site, ids[3], "tim1", ClaimUserTask(user_task=task.number))
    reader = site.reader("pengelola1").get(f"{PAGE}?ke=2&peta.langkah_7=pengesahan")
    reader.send({"alasan": "Versi 2 disahkan", "cara": "semua"}, action="/pindahkan")
    assert "0 dari 9 berkas" in reader.text and all(version_of(site, id) == 1 for id in ids.values())
    address = reader.path
    reader.send()
    assert "4 dari 9 berkas" in reader.text
    assert sorted(version_of(site, id) for id in ids.values()) == [1] * 5 + [2] * 4
    # The browser was closed: the table says so, and the page goes on where it was.
    table_ = site.reader("pengelola2").get(PAGE)
    assert "Pemindahan ke versi 2 belum selesai: 4 dari 9 berkas." in table_.text
    done = finish(site.reader("pengelola2").get(address))
    assert "9 berkas sudah dipindahkan." in done.text
    assert "Dijalankan ulang dari catatannya: 9 dari 9 berkas sama." in done.text
    assert all(site.instance(id).definition == to for id in ids.values())
    [moved] = site.instance(ids[7]).user_tasks.values()
    assert moved.element == "pengesahan"
    [kept] = site.instance(ids[3]).user_tasks.values()
    assert kept.owner == "tim1" and kept.number == task.number
    assert "belum selesai" not in site.reader("pengelola1").get(PAGE).text
    again = site.reader("pengelola1")
    assert "9 dari 9 berkas" in again.get(address).text and not again.page.xpath("//form[@data-goes-on]")


def test_only_what_is_ticked_goes_over_and_comes_back(site: Desk) -> None:
    deployed(site, drawn())
    one, other = site.waiting_at(1), site.waiting_at(2)
    reader = site.reader("pengelola1").get(f"{PAGE}?ke=2")
    ticked = [box for box in boxes(reader) if box.startswith((one, other))]
    assert len(ticked) == 2 and len(boxes(reader)) == 8
    form: dict[str, Any] = {"pilih": ticked, "alasan": "Dua dahulu", "cara": "dicentang"}
    finish(reader.send(form, action="/pindahkan"))
    assert "2 berkas sudah dipindahkan." in reader.text
    assert [version_of(site, site.waiting_at(step)) for step in range(1, 10)] == [2, 2, *[1] * 7]
    site.complete(other, 2)                         # somebody works on the second one
    reader.get(f"{PAGE}?ke=2")
    assert [box.partition(".")[0] for box in boxes(reader, "balik")] == [one]
    reader.send({"balik": boxes(reader, "balik"), "cara": "dicentang"}, action="/kembalikan")
    assert reader.status == 422 and "Tuliskan alasannya." in reader.text
    [box] = reader.page.xpath("//input[@name='balik']")
    assert box.get("checked") is not None           # what was ticked is kept
    finish(reader.send({"alasan_kembali": "Keliru memilih", "cara": "dicentang"}, action="/kembalikan"))
    assert "1 berkas sudah dikembalikan." in reader.text
    assert (version_of(site, one), version_of(site, other)) == (1, 2)


def test_what_is_missing_is_said_and_what_was_typed_is_kept(site: Desk) -> None:
    deployed(site, drawn())
    reader = site.reader("pengelola1").get(f"{PAGE}?ke=2&peta.langkah_7=pengesahan")
    reader.send({"alasan": "Versi 2 disahkan", "cara": "dicentang"}, action="/pindahkan")
    assert reader.status == 422 and "Belum ada berkas yang dipilih" in reader.text
    assert reader.values("/pindahkan")["alasan"] == "Versi 2 disahkan"
    assert reader.values("/pindahkan")["peta.langkah_7"] == "pengesahan"
    reader.send({"alasan": " ", "pilih": boxes(reader)[:1], "cara": "dicentang"}, action="/pindahkan")
    assert reader.status == 422 and "Tuliskan alasannya." in reader.text
    assert reader.page.xpath("//input[@name='pilih'][@checked]")[0].get("value") == boxes(reader)[0]
    reader.send({"alasan": "x" * 501, "cara": "semua"}, action="/pindahkan")
    assert reader.status == 422 and "paling banyak 500" in reader.text
    with site.database.read() as db:
        assert moves.under_way(db, LKJPD) == ()


def test_one_that_went_elsewhere_since_its_box_was_drawn_is_refused_and_stops_no_other(site: Desk) -> None:
    deployed(site, drawn())
    reader = site.reader("pengelola1").get(f"{PAGE}?ke=2")
    ids = [box.partition(".")[0] for box in boxes(reader)[:2]]
    three = deployed(site, drawn(("P10D", "P11D")), "Versi 3")
    migrate.apply(site.database, rules(site), ids[:1], three, person="pengelola2", reason="Versi 3", at=site.clock())
    form: dict[str, Any] = {"pilih": boxes(reader)[:2], "alasan": "Versi 2", "cara": "dicentang"}
    finish(reader.send(form, action="/pindahkan"))
    assert "sejak dipilih" in reader.text and "1 berkas sudah dipindahkan. 1 tidak" in reader.text
    assert [version_of(site, id) for id in ids] == [3, 2]


def test_the_same_form_twice_is_one_run(site: Desk) -> None:
    deployed(site, drawn())
    reader = site.reader("pengelola1").get(f"{PAGE}?ke=2")
    reader.send({"alasan": "Versi 2", "cara": "semua"}, action="/pindahkan")
    address, (where, values) = reader.path, reader.sent
    reader.post(where, values)
    assert reader.path == address
    reader.post(where, {**values, "alasan": "Lain"})
    assert reader.status == 422 and "isian lain" in reader.text
    with site.database.read() as db:
        assert len(moves.under_way(db, LKJPD)) == 1


def test_owners_and_administrators_may_and_for_others_there_is_no_such_page(site: Desk) -> None:
    deployed(site, drawn())
    form: dict[str, Any] = {"alasan": "Versi 2", "cara": "semua", "ke": "2", "key": "kunci-uji-1"}
    run = site.reader("pengelola1").get(f"{PAGE}?ke=2").send(form, action="/pindahkan").path
    for who in ("camat", "sekcam", "tim1", "analis", "auditor"):
        reader = site.reader(who)
        assert reader.get(PAGE).status == 404, who
        assert reader.get(run).status == 404, who
        for address in (PAGE, PAGE.replace("pindahkan", "kembalikan"), run):
            token = reader.get("/kata-sandi").values()["csrf_token"]
            assert reader.post(address, {**form, "csrf_token": token}).status == 404, (who, address)
    assert all(version_of(site, site.waiting_at(step)) == 1 for step in range(1, 10))
    assert site.reader("admin").get(PAGE).status == 200
    change(site, org.RevokePower(person="pengelola1", power=org.OWNER, unit=LASEM))
    assert site.reader("pengelola1").get(run).status == 404
    finish(site.reader("pengelola2").get(run))
    assert [version_of(site, site.waiting_at(step)) for step in range(1, 10)] == [2] * 6 + [1] + [2] * 2


def test_instances_of_units_that_are_not_the_owners_are_counted_and_not_shown(site: Desk) -> None:
    deployed(site, drawn())
    with site.database.begin() as db:               # the process is another unit's, which owns this one
        db.execute(schema.instance.update().where(schema.instance.c.id == site.waiting_at(5)).values(
            unit="inspektorat_daerah"))
    reader = site.reader("pengelola1").get(f"{PAGE}?ke=2")
    assert len(table(reader)) == 8 and "1 berkas milik unit lain tidak diperlihatkan di sini." in reader.text
    whole = site.reader("admin").get(f"{PAGE}?ke=2")
    assert len(table(whole)) == 9
    whole.send({"alasan": "Versi 2", "cara": "semua"}, action="/pindahkan")
    assert site.reader("pengelola1").get(whole.path).status == 404      # a run that holds what is not theirs


def test_nobody_goes_over_before_the_day_of_a_version(site: Desk) -> None:
    to = deployed(site, drawn())
    with site.database.begin() as db:
        db.execute(schema.definition.update().where(schema.definition.c.sha256 == to).values(holds_from="2027-01-04"))
    reader = site.reader("pengelola1").get(f"{PAGE}?ke=2")
    assert "Versi 2 baru berlaku mulai" in reader.text and len(table(reader)) == 9 and boxes(reader) == []
    assert "versi 1" in reader.get(PAGE).page.xpath("string(//h1)")     # what holds now is what one is asked about


def test_a_draft_is_only_shown(site: Desk) -> None:
    with site.database.begin() as db:
        draft = drafting.begin(db, drawn(), unit=LASEM, person="pengelola1", at=site.clock())
        broken = drafting.begin(db, FILE.read_bytes().replace(b'attachedToRef="langkah_6"', b'attachedToRef="x"'),
                                unit=LASEM, person="pengelola1", at=site.clock())
    reader = site.reader("pengelola1").get(f"/perancang/rancangan/{draft.id}/pindahkan")
    rows = table(reader)
    assert rows["LKjPD Tahun 2027"][0] == "Perlu pemetaan" and len(rows) == 9
    assert boxes(reader) == [] and not reader.page.xpath("//main//form[@method='post']")
    mapped = reader.get(f"/perancang/rancangan/{draft.id}/pindahkan?peta.langkah_7=pengesahan")
    assert table(mapped)["LKjPD Tahun 2027"][0] == "Pindah dengan sendirinya"
    said = reader.get(f"/perancang/rancangan/{broken.id}/pindahkan")
    assert said.status == 200 and "masih mengandung kesalahan" in said.text
    for who, status in (("analis", 200), ("camat", 200), ("admin", 200), ("tim1", 404)):    # who judges it may look
        assert site.reader(who).get(f"/perancang/rancangan/{draft.id}/pindahkan").status == status, who
    assert reader.get("/perancang/rancangan/tidak-ada/pindahkan").status == 404
    with site.app.test_request_context(), site.database.read() as db:
        found = migration.summary(db, LKJPD, rules(site).definition(site.instance(site.waiting_at(1)).definition))
    assert found == migrate.Summary(moves=0, mapping=0, stays=0, there=9)


def test_the_diagrams_of_a_mapping_are_the_stored_bytes(site: Desk) -> None:
    to = deployed(site, drawn())
    reader = site.reader("pengelola1").get(f"{PAGE}?ke=2")
    sources = reader.page.xpath("//*[@data-map-old]/@data-src | //*[@data-map-new]/@data-src")
    assert [reader.client.get(one).get_data() for one in sources] == [FILE.read_bytes(), drawn()]
    assert site.reader("tim1").get(f"{PAGE}/diagram/{to}.bpmn").status == 404
    assert reader.get(f"{PAGE}/diagram/{'0' * 64}.bpmn").status == 404


def test_the_history_names_the_versions_and_leads_who_designs_to_what_changed(site: Desk) -> None:
    id = site.waiting_at(3)
    assert "SOP versi 1" in site.reader("camat").get(f"/proses/{id}").text
    deployed(site, drawn())
    newer = site.reader("admin").get(f"/proses/{id}")
    assert "SOP versi 2 sudah berlaku; berkas ini masih memakai versi 1." in newer.text
    assert newer.page.xpath(f"//main//a[@href='{PAGE}?ke=2']")
    assert "sudah berlaku" not in site.reader("tim1").get(f"/proses/{id}").text     # nothing that they could do
    reader = site.reader("pengelola1").get(f"{PAGE}?ke=2")
    box = [one for one in boxes(reader) if one.startswith(id)]
    finish(reader.send({"pilih": box, "alasan": "Versi 2", "cara": "dicentang"}, action="/pindahkan"))
    said = site.reader("camat").get(f"/proses/{id}")
    assert "Pengelola SOP 1 (pemilik SOP) memindahkan berkas proses ini dari versi 1 ke versi 2." in said.text
    [link] = said.page.xpath("//main//a[contains(@href,'/banding')]/@href")
    assert site.reader("camat").get(link).status == 200
    assert not site.reader("tim1").get(f"/proses/{id}").page.xpath("//main//a[contains(@href,'/banding')]")
    assert "SOP versi 2" in said.text
    reader.get(f"{PAGE}?ke=2").send({"alasan_kembali": "Keliru", "cara": "semua"}, action="/kembalikan")
    finish(reader)
    back = site.reader("camat").get(f"/proses/{id}").text
    assert "mengembalikan berkas proses ini dari versi 2 ke versi 1. Alasan: Keliru." in back


def test_an_instance_that_cannot_be_read_stays_and_says_so(site: Desk) -> None:
    deployed(site, drawn())
    with site.database.begin() as db:
        db.execute(schema.instance.update().where(schema.instance.c.id == site.waiting_at(5)).values(state=b"{"))
    reader = site.reader("admin").get(f"{PAGE}?ke=2")
    assert table(reader)["LKjPD Tahun 2025"][0] == "Tetap pada versinya"
    assert "tidak dapat dibaca" in table(reader)["LKjPD Tahun 2025"][1]
    with site.database.read() as db:
        assert instances.load(db, site.waiting_at(4)) is not None


def test_bytes_that_were_published_again_have_the_number_of_their_time(site: Desk) -> None:
    first = site.instance(site.waiting_at(1)).definition
    deployed(site, drawn())
    before = site.clock()
    with site.database.begin() as db:
        row = dict(db.execute(schema.definition.select().where(schema.definition.c.version == 1)).one()._mapping)
        db.execute(schema.definition.insert().values(
            **{**row, "version": 3, "deployed_at": records.instant(site.clock())}))
    with site.database.read() as db:
        number = processes.version_numbers(db, LKJPD)
    assert (number(first, before), number(first, site.clock()), number("0" * 64, before)) == ("1", "3", "")
    rows = table(site.reader("pengelola1").get(f"{PAGE}?ke=3"))
    assert {outcome for outcome, _ in rows.values()} == {"Sudah di sana"}


def test_only_who_may_take_them_over_is_led_there_once_there_is_another_version(site: Desk) -> None:
    sop = f"/perancang/sop/{LKJPD}"
    people = (("pengelola1", 1), ("admin", 1), ("analis", 0), ("camat", 0))

    def led(who: str) -> int:
        page = site.reader(who).get(sop)
        assert page.status == 200
        return len(page.page.xpath("//main//a[contains(@href,'/pindahkan')]"))

    assert [led(who) for who, _ in people] == [0, 0, 0, 0]
    deployed(site, drawn())
    assert [led(who) for who, _ in people] == [count for _, count in people]
