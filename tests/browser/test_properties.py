"""The properties panel on the real canvas: what an owner changes there the engine reads, and one undo is enough."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

from engine import diagram, drafting
from engine.definition import Field, ProcessDefinition
from engine.store import drafts
from tests.browser.conftest import Served, wait_until
from tests.desk import DIAGRAMS, LASEM

SHIPPED = (DIAGRAMS / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn").read_bytes()


class Canvas:
    """A draft of the LKjPD, open before one of its owners."""

    def __init__(self, served: Served, width: int = 1280, scheme: str = "light", data: bytes = SHIPPED):
        self.served = served
        with served.desk.database.begin() as db:
            self.id = drafting.begin(db, data, unit=LASEM, person="pengelola1", at=served.desk.clock()).id
        self.page: Page = served.person("pengelola1", width=width, scheme=scheme)
        self.page.goto(f"/perancang/rancangan/{self.id}/kanvas")
        wait_until(self.page, "() => Boolean(document.body.dataset.ready)")
        self.panel = self.page.locator("#properti")

    def select(self, id: str) -> None:
        wait_until(self.page, "id => Boolean(window.perancang?.modeler.get('elementRegistry').get(id))", id)
        self.page.evaluate(
            "id => { const { modeler } = window.perancang;"
            " modeler.get('selection').select(modeler.get('elementRegistry').get(id)); }", id)

    def select_nothing(self) -> None:
        self.page.evaluate("() => window.perancang.modeler.get('selection').select([])")

    @property
    def xml(self) -> str:
        text: str = self.page.evaluate(
            "async () => (await window.perancang.modeler.saveXML({ format: true })).xml")
        return text

    @property
    def read(self) -> ProcessDefinition:
        return diagram.read(self.xml.encode())

    def undo(self) -> None:
        self.page.evaluate("() => window.perancang.modeler.get('commandStack').undo()")

    def field(self, label: str) -> Locator:
        """The control with this label, in the panel or in the one field that is open."""
        return self.panel.get_by_label(label, exact=True).first

    def fill(self, label: str, value: str) -> None:
        self.field(label).fill(value)
        self.field(label).blur()

    def choose(self, label: str, value: str) -> None:
        self.field(label).select_option(value)

    def press(self, name: str) -> None:
        self.panel.get_by_role("button", name=name, exact=True).first.click()

    def unfold(self, name: str) -> None:
        button = self.panel.get_by_role("button", name=name).first
        if button.get_attribute("aria-expanded") == "false":
            button.click()

    def within(self, group: str, label: str) -> Locator:
        return self.panel.get_by_role("group", name=group, exact=True).get_by_label(label, exact=True)


@pytest.fixture
def canvas(served: Served) -> Canvas:
    return Canvas(served)


def proved(canvas: Canvas, act: Callable[[], object], meant: Callable[[ProcessDefinition], object]) -> None:
    """An edit is one step: what it means is read, nothing new is found, and one undo gives the very same file."""
    before, steps = canvas.xml, canvas.page.evaluate("() => window.perancang.modeler.get('commandStack')._stackIdx")
    found = {one.message for one in diagram.check(before.encode())}
    act()
    after = canvas.xml
    assert after != before
    assert meant(diagram.read(after.encode()))
    assert {one.message for one in diagram.check(after.encode())} <= found
    canvas.undo()
    assert canvas.page.evaluate("() => window.perancang.modeler.get('commandStack')._stackIdx") == steps
    assert canvas.xml == before


def form_field(definition: ProcessDefinition, element: str, id: str) -> Field:
    found = definition.elements[element].field(id)
    assert found is not None
    return found


def test_what_a_step_says_is_changed_in_the_panel_and_one_undo_takes_it_back(canvas: Canvas) -> None:
    canvas.select("langkah_4")
    step = "langkah_4"
    proved(canvas, lambda: canvas.fill("Uraian", "Menerima rancangan akhir dan mereviu."),
           lambda it: it.elements[step].documentation == "Menerima rancangan akhir dan mereviu.")
    proved(canvas, lambda: canvas.fill("Nama singkat", "Mereviu"), lambda it: it.elements[step].name == "Mereviu")
    proved(canvas, lambda: canvas.fill("Kelengkapan", "Draf LKjPD\nLHR"),
           lambda it: it.elements[step].properties["sop.kelengkapan"] == "Draf LKjPD\nLHR")
    proved(canvas, lambda: canvas.field("Asumsi").check(),
           lambda it: it.elements[step].properties["sop.asumsi"] == "ya")

    # The norm is the timer: number, unit, clock, its name on the drawing and the cell that said the same.
    def lasts(expression: str, unit: str, name: str, cell: str) -> Callable[[ProcessDefinition], bool]:
        def holds(it: ProcessDefinition) -> bool:
            norm = it.norm(step)
            assert norm is not None and norm.timer is not None
            return (norm.id, norm.timer.expression, norm.timer.unit, norm.name,
                    it.elements[step].properties["sop.waktu"]) == ("waktu_4", expression, unit, name, cell)
        return holds

    proved(canvas, lambda: canvas.fill("Angka", "7"), lasts("P7D", "kerja", "7 hari kerja", "7 hari"))
    proved(canvas, lambda: canvas.choose("Satuan", "jam"), lasts("PT10H", "kerja", "10 jam kerja", "10 jam"))
    proved(canvas, lambda: canvas.choose("Dihitung dalam", "kalender"),
           lasts("P10D", "kalender", "10 hari kalender", "10 hari"))

    # Another performer: the box, its timer and its reminder go into that lane, and the reminder to those who perform.
    def moved(it: ProcessDefinition) -> bool:
        norm = it.norm(step)
        assert norm is not None and norm.timer is not None
        return ([it.elements[id].lane for id in (step, "waktu_4", "pengingat_4")] == ["sekretaris_pd"] * 3
                and norm.timer.reminder_to == "sekretaris_pd")

    proved(canvas, lambda: canvas.choose("Pelaksana", "sekretaris_pd"), moved)

    canvas.unfold("Pengingat")
    proved(canvas, lambda: canvas.fill("Perihal", "Reviu LKjPD Tahun {tahun} terlambat"),
           lambda it: it.elements["waktu_4"].timer.subject == "Reviu LKjPD Tahun {tahun} terlambat")  # type: ignore[union-attr]
    proved(canvas, lambda: canvas.within("Yang boleh memperpanjang", "Sekretaris PD").check(),
           lambda it: it.elements["waktu_4"].timer.extended_by == ("kepala_pd", "sekretaris_pd"))  # type: ignore[union-attr]


def test_the_first_norm_of_a_step_draws_its_timer_and_its_end_event(canvas: Canvas) -> None:
    canvas.select("langkah_6")
    whole = canvas.xml
    canvas.press("Hapus waktu")
    assert canvas.read.norm("langkah_6") is None and "pengingat_6" not in canvas.read.elements
    canvas.choose("Satuan", "menit")
    proved(canvas, lambda: canvas.fill("Angka", "45"), lambda it: (
        (it.norm("langkah_6").id, it.norm("langkah_6").timer.expression)  # type: ignore[union-attr]
        == ("waktu_6", "PT45M")
        and [one.target for one in it.outgoing["waktu_6"]] == ["pengingat_6"]
        and it.elements["waktu_6"].lane == it.elements["pengingat_6"].lane == "sekretaris_pd"
        and it.elements["pengingat_6"].name == "Pengingat 6"
        and it.elements["waktu_6"].timer.reminder_to == "sekretaris_pd"))  # type: ignore[union-attr]
    canvas.undo()
    assert canvas.xml == whole


def test_where_a_lane_is_narrow_the_end_event_of_a_new_timer_covers_nothing(canvas: Canvas) -> None:
    canvas.select("langkah_6")
    canvas.press("Hapus waktu")
    canvas.page.evaluate(
        """() => {
            const { modeler } = window.perancang, elements = modeler.get('elementRegistry');
            const task = elements.get('langkah_6'), lane = elements.get('sekretaris_pd');
            const down = lane.y + lane.height - 55 - task.y - task.height;
            modeler.get('modeling').moveElements([ task ], { x: 0, y: down }, task.parent, { autoResize: false });
        }""")
    canvas.select("langkah_6")
    proved(canvas, lambda: canvas.fill("Angka", "2"), lambda it: it.elements["pengingat_6"].lane == "sekretaris_pd")


def test_a_form_is_made_sorted_and_said_in_every_detail(canvas: Canvas) -> None:
    canvas.select("langkah_6")
    ids = [one.id for one in canvas.read.elements["langkah_6"].form]

    def form(it: ProcessDefinition) -> list[str]:
        return [one.id for one in it.elements["langkah_6"].form]

    proved(canvas, lambda: canvas.press("Turunkan isian Bentuk paraf"),
           lambda it: form(it) == [ids[0], ids[2], ids[1], *ids[3:]])
    canvas.unfold("Catatan untuk Kepala PD")
    proved(canvas, lambda: canvas.press("Hapus isian Catatan untuk Kepala PD"),
           lambda it: form(it) == [one for one in ids if one != "catatan_sekretaris"])
    canvas.panel.get_by_role("button", name="Bentuk paraf").first.focus()
    proved(canvas, lambda: canvas.page.keyboard.press("Alt+ArrowUp"), lambda it: form(it)[:2] == [ids[1], ids[0]])

    # A new field; its id is made from its label, and stays free to change.
    canvas.press("Tambah isian")
    assert canvas.field("Label").evaluate("one => one === document.activeElement")
    canvas.fill("Label", "Jumlah halaman")
    at = canvas.read.elements["langkah_6"].form[-1]
    assert (at.id, at.label, at.type) == ("jumlah_halaman", "Jumlah halaman", "string")

    def now(it: ProcessDefinition) -> Field:
        return form_field(it, "langkah_6", "jumlah_halaman")

    proved(canvas, lambda: canvas.fill("Id", "halaman"), lambda it: form(it)[-1] == "halaman")
    canvas.choose("Jenis", "long")
    proved(canvas, lambda: canvas.fill("Paling kecil", "1"), lambda it: now(it).minimum == "1")
    proved(canvas, lambda: canvas.field("Wajib").check(), lambda it: now(it).required)
    proved(canvas, lambda: canvas.fill("Wajib jika", 'bentuk_paraf = "basah"'),
           lambda it: now(it).required_if == 'bentuk_paraf = "basah"')
    proved(canvas, lambda: canvas.fill("Tampil jika", "putaran >= 2"), lambda it: now(it).shown_if == "putaran >= 2")
    proved(canvas, lambda: canvas.fill("Petunjuk", "Tanpa lampiran."), lambda it: now(it).hint == "Tanpa lampiran.")
    proved(canvas, lambda: canvas.fill("Kelompok", "Paraf"), lambda it: now(it).group == "Paraf")
    proved(canvas, lambda: canvas.fill("Nilai awal", "10"), lambda it: now(it).initial == "10")
    canvas.unfold("Lebih lanjut")
    proved(canvas, lambda: canvas.field("Data pribadi").check(), lambda it: now(it).personal)
    proved(canvas, lambda: canvas.choose("Sumber", "D"), lambda it: now(it).source == "D")

    canvas.choose("Jenis", "enum")
    canvas.press("Tambah pilihan")
    proved(canvas, lambda: canvas.fill("Pilihan 2", "Lebih dari seratus"), lambda it: [
        (one.value, one.label) for one in now(it).choices
    ] == [("pilihan_1", "Pilihan 1"), ("lebih_dari_seratus", "Lebih dari seratus")])
    proved(canvas, lambda: canvas.press("Hapus pilihan Pilihan 1"), lambda it: len(now(it).choices) == 1)

    canvas.choose("Jenis", "table")
    canvas.press("Tambah kolom")
    canvas.within("Kolom 2", "Judul kolom").fill("Hasil")
    canvas.page.keyboard.press("Tab")
    proved(canvas, lambda: canvas.within("Kolom 2", "Jenis").select_option("date"),
           lambda it: [(one.id, one.label, one.type, one.required) for one in now(it).columns]
           == [("uraian", "Uraian", "text", True), ("hasil", "Hasil", "date", False)])

    # A paper of an earlier step is the same document here, and comes from there.
    canvas.choose("Pakai berkas dari langkah lain", "lhr")
    slot = form_field(canvas.read, "langkah_6", "lhr").slot
    assert slot is not None and (slot.role, slot.origin) == ("kelengkapan", "langkah_4")

    def lhr(it: ProcessDefinition) -> Field:
        return form_field(it, "langkah_6", "lhr")

    proved(canvas, lambda: canvas.choose("Peran", "bacaan"), lambda it: lhr(it).slot.role == "bacaan")  # type: ignore[union-attr]
    proved(canvas, lambda: canvas.within("Bentuk", "Cetak (disebut tempatnya)").check(),
           lambda it: lhr(it).slot.forms == ("berkas", "cetak"))  # type: ignore[union-attr]
    proved(canvas, lambda: canvas.choose("Boleh menyusul, paling lambat sebelum", "langkah_8"),
           lambda it: lhr(it).slot.owed_until == "langkah_8")  # type: ignore[union-attr]
    proved(canvas, lambda: canvas.within("Pelampir lain", "Tim Penyusun LKjPD").check(),
           lambda it: lhr(it).slot.attachers == ("tim_penyusun",))  # type: ignore[union-attr]


def test_ways_lanes_events_and_the_identity_part_are_changed_each_in_its_place(canvas: Canvas) -> None:
    canvas.select("disetujui")
    proved(canvas, lambda: canvas.fill("Pertanyaan", "Sudah disetujui?"),
           lambda it: it.elements["disetujui"].name == "Sudah disetujui?")
    canvas.select("disetujui_ya")
    proved(canvas, lambda: canvas.fill("Nama", "Setuju"), lambda it: it.flows["disetujui_ya"].name == "Setuju")
    canvas.fill("Syarat", "")
    assert canvas.panel.locator(".error").inner_text() == "Tulis kapan jalan ini diambil."
    canvas.choose("Isi syarat dari pilihan", 'keputusan = "setujui"')
    assert canvas.read.flows["disetujui_ya"].condition == 'keputusan = "setujui"'
    assert canvas.panel.locator(".error").count() == 0

    canvas.select("inspektorat")
    proved(canvas, lambda: canvas.fill("Nama pelaksana", "Inspektorat"), lambda it: it.lanes[3].name == "Inspektorat")
    proved(canvas, lambda: canvas.within("Dicatat oleh", "Kepala PD").check(),
           lambda it: it.lanes[3].recorded_by == ("sekretaris_pd", "tim_penyusun:ketua", "kepala_pd"))
    proved(canvas, lambda: canvas.field("Kantor lain").uncheck(), lambda it: not it.lanes[3].other_office)

    canvas.select("mulai")
    proved(canvas, lambda: canvas.within("Yang boleh memulai", "Tim Penyusun LKjPD").check(),
           lambda it: it.starters == ("sekretaris_pd", "tim_penyusun"))
    canvas.select("tenggat")
    proved(canvas, lambda: canvas.choose("Terpenuhi setelah langkah", "langkah_9"),
           lambda it: it.deadline.satisfied_by == "langkah_9")  # type: ignore[union-attr]
    proved(canvas, lambda: canvas.fill("Tanggal", "=date(tahun_laporan + 1, 4, 1)"),
           lambda it: it.deadline.timer.expression == "=date(tahun_laporan + 1, 4, 1)")  # type: ignore[union-attr]
    canvas.select("waktu_2")
    proved(canvas, lambda: canvas.fill("Angka", "3"), lambda it: (
        it.elements["waktu_2"].timer.expression, it.elements["waktu_2"].name,  # type: ignore[union-attr]
        it.elements["langkah_2"].properties["sop.waktu"]) == ("P3D", "3 hari kerja", "3 hari"))

    canvas.select_nothing()
    proved(canvas, lambda: canvas.fill("Nama SOP", "Penyusunan LKjPD"), lambda it: it.name == "Penyusunan LKjPD")
    proved(canvas, lambda: canvas.fill("Dasar hukum", "Peraturan A.\nPeraturan B."),
           lambda it: it.properties["sop.dasarHukum"].splitlines() == ["Peraturan A.", "Peraturan B."])
    proved(canvas, lambda: canvas.fill("Tanggal efektif", "1 Februari 2025"),
           lambda it: it.properties["sop.tanggalEfektif"] == "1 Februari 2025")

    # An id is read only until it is opened; whatever names the lane names it by its new id.
    canvas.select("inspektorat")
    canvas.unfold("Selebihnya")
    assert canvas.field("Id").get_attribute("readonly") is not None
    canvas.press("Ubah id")
    proved(canvas, lambda: canvas.fill("Id", "inspektorat_daerah"), lambda it: (
        it.elements["langkah_4"].lane == it.elements["waktu_4"].timer.reminder_to  # type: ignore[union-attr]
        == "inspektorat_daerah"))


def test_what_will_not_do_is_said_beside_it_and_stays_as_it_was_typed(canvas: Canvas) -> None:
    canvas.select("disetujui_ya")
    condition = canvas.field("Syarat")
    condition.press_sequentially(" and and")
    wait_until(canvas.page, "() => Boolean(document.querySelector('#properti .error'))")
    said = canvas.panel.locator(".error")
    assert condition.get_attribute("aria-invalid") == "true"
    assert said.get_attribute("id") in (condition.get_attribute("aria-describedby") or "").split()
    assert condition.evaluate("one => one === document.activeElement")
    condition.blur()
    # A draft may have errors: what XML can hold is kept, and the findings say it too.
    assert '=keputusan = "setujui" and and' in canvas.xml and condition.input_value() == 'keputusan = "setujui" and and'
    canvas.undo()
    assert canvas.panel.locator(".error").count() == 0

    # Two elements of one id XML cannot hold: it is said, and the element keeps its own.
    canvas.select("inspektorat")
    canvas.unfold("Selebihnya")
    canvas.press("Ubah id")
    before = canvas.xml
    canvas.fill("Id", "kepala_pd")
    assert "sudah dipakai" in said.inner_text() and canvas.field("Id").input_value() == "kepala_pd"
    assert canvas.xml == before

    # Keys are enough: an undo from the panel is the diagram's, and nobody is thrown back to the top of the page.
    canvas.select("langkah_5")
    canvas.fill("Nomor", "55")
    assert canvas.read.elements["langkah_5"].number == "55"
    canvas.field("Nomor").focus()
    canvas.page.keyboard.press("Control+z")
    assert canvas.read.elements["langkah_5"].number == "5" and canvas.field("Nomor").input_value() == "5"
    assert canvas.field("Nomor").evaluate("one => one === document.activeElement")
    canvas.unfold("Tanggal LKjPD hasil perbaikan dicetak")
    canvas.panel.get_by_role("button", name="Hapus isian", exact=False).first.focus()
    canvas.page.keyboard.press("Enter")
    assert canvas.panel.evaluate("one => one.contains(document.activeElement)")


def test_typed_and_not_yet_left_is_part_of_what_is_saved(canvas: Canvas) -> None:
    canvas.select("langkah_1")
    canvas.field("Keterangan").fill("Melalui SRIKANDI.")
    canvas.page.keyboard.press("Control+s")
    for _ in range(200):
        with canvas.served.desk.database.read() as db:
            stored = drafts.content(db, canvas.id) or b""
        if b"Melalui SRIKANDI." in stored:
            break
        canvas.page.wait_for_timeout(50)
    assert diagram.read(stored).elements["langkah_1"].properties["sop.keterangan"] == "Melalui SRIKANDI."


def test_what_the_panel_does_not_know_is_shown_and_never_lost(served: Served) -> None:
    foreign = SHIPPED.replace(
        b'<camunda:property name="sop.nomor" value="4" />',
        b'<camunda:property name="sop.nomor" value="4" /><camunda:property name="vendor.warna" value="biru" />',
    ).replace(
        b'<camunda:property name="sop.nomor" value="5" />',
        b'<camunda:property name="sop.lama" value="ada" /><camunda:property name="sop.nomor" value="5" />',
    ).replace(b"xmlns:camunda=", b'xmlns:vendor="urn:vendor" xmlns:camunda=', 1).replace(
        b"</camunda:formData>",
        b'</camunda:formData><vendor:catatan isi="dua"><vendor:dalam>x</vendor:dalam></vendor:catatan>')
    canvas = Canvas(served, data=foreign)
    for id, shown in (("langkah_4", "biru"), ("langkah_5", "sop.lama"), ("langkah_5", "vendor:catatan")):
        canvas.select(id)
        canvas.unfold("Selebihnya")
        assert shown in canvas.panel.locator(".sifat-lain").inner_text()
        canvas.fill("Nama singkat", f"Langkah {id}")
        canvas.press("Tambah isian")
    for kept in ('name="vendor.warna" value="biru"', 'name="sop.lama" value="ada"', '<vendor:catatan isi="dua">',
                 "<vendor:dalam>x</vendor:dalam>"):
        assert canvas.xml.count(kept) == foreign.decode().count(kept) > 0


RENAME_EACH = """async xml => {
  const { modeler } = window.perancang;
  await modeler.importXML(xml);
  const written = async () => (await modeler.saveXML({ format: true })).xml;
  const stack = modeler.get('commandStack');
  const before = await written();
  const left = [];
  for (const one of modeler.get('elementRegistry').filter(other => !other.labelTarget && other.parent)) {
    modeler.get('selection').select([ one ]);
    document.querySelectorAll('#properti [aria-expanded=false]').forEach(button => button.click());
    const name = document.querySelector(
      '#properti :is(input[id$="-nama"]:not([id*=jalan]), input[id$="-nama-proses"])');
    name.value = `Baru ${one.id}`;
    name.dispatchEvent(new Event('change'));
    const renamed = await written();
    stack.undo();
    if (renamed === before || await written() !== before) {
      left.push(one.id);
    }
  }
  return left;
}"""


def test_every_element_of_every_diagram_can_be_looked_at_renamed_and_taken_back(canvas: Canvas) -> None:
    for file in sorted((DIAGRAMS.parent / "tests" / "diagrams").glob("*.bpmn")):
        assert canvas.page.evaluate(RENAME_EACH, file.read_text(encoding="utf-8")) == [], file.name


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_panel_is_seen_and_heard_and_shows_the_real_task_page(served: Served, width: int, scheme: str) -> None:
    canvas = Canvas(served, width, scheme)
    canvas.select("langkah_7")
    canvas.unfold("Keputusan")
    canvas.unfold("Pengingat")
    axe = Axe()

    def clean(where: str) -> None:
        found = axe.run(canvas.page, context="#properti").response["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == [], where

    clean("a step")
    panel, drawing = canvas.panel.bounding_box(), canvas.page.locator("#kanvas").bounding_box()
    assert panel and drawing
    if width < 500:
        assert panel["y"] >= drawing["y"] + drawing["height"], "on a phone the panel stands below the canvas"
    wide = canvas.page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    small = canvas.panel.evaluate(
        "panel => [...panel.querySelectorAll('button, select, input:not([type=checkbox]), label.tick')]"
        ".filter(one => one.offsetParent && one.getBoundingClientRect().height < 44).map(one => one.outerHTML)")
    assert small == []
    canvas.press("Lihat tampilan tugas")
    dialog = canvas.page.get_by_role("dialog")
    dialog.get_by_text("Kembalikan untuk diperbaiki").first.wait_for()
    assert "Setujui dan tanda tangani" in dialog.inner_text()
    shown = axe.run(canvas.page, context="dialog").response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in shown] == []
    canvas.page.keyboard.press("Escape")
    again = canvas.panel.get_by_role("button", name="Lihat tampilan tugas")
    assert again.evaluate("one => one === document.activeElement")
    canvas.unfold("Selebihnya")         # and it stays so from element to element
    for id in ("disetujui", "disetujui_ya", "waktu_4", "tenggat", "inspektorat", "mulai", "selesai"):
        canvas.select(id)
        clean(id)
    canvas.select_nothing()
    clean("the SOP")
