"""The diagram of the SOP, judged without our own code: by the SOP's facts, by the BPMN 2.0 schema, by arithmetic on its
drawing, and by tools that others wrote (bpmn-moddle, bpmnlint, bpmn-elements, feelin).

The small diagrams of `tests/diagrams/` pass the same gates, so that what the engine is tested with is BPMN too.
"""
from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lxml import etree

from engine import diagram
from tests.node import HERE as NODE
from tests.node import ask

ROOT = Path(__file__).parent.parent
LKJPD = ROOT / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn"
SMALL = sorted((ROOT / "tests" / "diagrams").glob("*.bpmn"))
DIAGRAMS = [LKJPD, *SMALL]
SOP = json.loads((ROOT / "tests" / "data" / "sop-penyusunan-lkjpd.json").read_text(encoding="utf-8"))
STEPS = SOP["langkah"]

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"
NAMESPACES = {
    "bpmn": BPMN[1:-1], "camunda": CAMUNDA[1:-1], "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC", "di": "http://www.omg.org/spec/DD/20100524/DI",
}
TREE = etree.parse(LKJPD)
by_name = pytest.mark.parametrize("path", DIAGRAMS, ids=lambda path: path.stem)
by_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: f"langkah_{step['no']}")


def find(path: str, tree: Any = TREE) -> list[Any]:
    return tree.xpath(path, namespaces=NAMESPACES)


def element(id: str) -> Any:
    (found,) = find(f"//bpmn:process//*[@id='{id}']")
    return found


def properties(node: Any) -> dict[str, str]:
    """The camunda:properties of an element or a form field, in their order."""
    own = "camunda:properties/camunda:property"
    found = find(f"{own} | bpmn:extensionElements/{own}", node)
    return {one.get("name") or one.get("id"): one.get("value") for one in found}


def form(id: str) -> dict[str, Any]:
    found = find("bpmn:extensionElements/camunda:formData/camunda:formField", element(id))
    return {one.get("id"): one for one in found}


def is_document(field: Any) -> bool:
    return field.get("type") == "document"


def lane_of() -> dict[str, str]:
    return {one.text: lane.get("id") for lane in find("//bpmn:lane") for one in find("bpmn:flowNodeRef", lane)}


# --- Every fact of the SOP -------------------------------------------------------------------------------------------

IDENTITY = {
    "pemerintah": "sop.pemerintah", "unit": "sop.unit", "nomor_sop": "sop.nomorSop",
    "tanggal_pembuatan": "sop.tanggalPembuatan", "tanggal_revisi": "sop.tanggalRevisi",
    "tanggal_pengesahan": "sop.tanggalPengesahan", "disahkan_oleh": "sop.disahkanOleh", "nama_sop": "sop.namaSop",
    "dasar_hukum": "sop.dasarHukum", "kualifikasi_pelaksana": "sop.kualifikasiPelaksana",
    "keterkaitan": "sop.keterkaitan", "peralatan_perlengkapan": "sop.peralatanPerlengkapan",
    "peringatan": "sop.peringatan", "pencatatan_dan_pendataan": "sop.pencatatanDanPendataan",
}
LANES = ["kepala_pd", "sekretaris_pd", "tim_penyusun", "inspektorat"]


@pytest.mark.parametrize("fact", [one for one in SOP if one not in ("pelaksana", "langkah")])
def test_the_identity_part_stands_in_the_process_verbatim(fact):
    expected = SOP[fact] if isinstance(SOP[fact], str) else "\n".join(SOP[fact])
    assert properties(find("//bpmn:process")[0])[IDENTITY[fact]] == expected


def test_the_process_says_nothing_that_the_identity_part_does_not():
    said = properties(find("//bpmn:process")[0])
    assert said.pop("sop.judulBerkas") == "LKjPD"       # how the office calls what one run makes
    assert list(said) == [IDENTITY[one] for one in SOP if one in IDENTITY]


def test_the_lanes_are_the_sops_columns_in_its_order():
    drawn = [(one.get("id"), one.get("name")) for one in find("//bpmn:lane")]
    assert drawn == list(zip(LANES, SOP["pelaksana"], strict=True))


@by_step
def test_a_step_stands_in_its_user_task_cell_by_cell(step):
    task = element(f"langkah_{step['no']}")
    said = properties(task)
    assert task.tag == BPMN + "userTask"
    assert find("string(bpmn:documentation)", task) == step["uraian"]
    assert SOP["pelaksana"][LANES.index(lane_of()[task.get("id")])] == step["pelaksana"]
    assert said == {
        "sop.nomor": str(step["no"]),
        "sop.kelengkapan": step["kelengkapan"],
        "sop.waktu": step["waktu"],
        "sop.output": step["output"],
        "sop.keterangan": step["keterangan"],
        **({"sop.asumsi": "ya"} if step["pelaksana_asumsi"] else {}),
    }


@by_step
def test_the_mutu_baku_waktu_is_a_timer_that_leaves_its_user_task_open(step):
    n = step["no"]
    timer = element(f"waktu_{n}")
    amount, unit = step["waktu"].split()
    assert timer.tag == BPMN + "boundaryEvent"
    assert (timer.get("attachedToRef"), timer.get("cancelActivity")) == (f"langkah_{n}", "false")
    assert timer.get("name") == f"{amount} {unit} kerja"
    assert find("string(bpmn:timerEventDefinition/bpmn:timeDuration)", timer) == step["waktu_iso"]
    assert element(f"pengingat_{n}").get("name") == f"Pengingat {n}"


def test_there_are_nine_user_tasks_nine_boundary_timers_and_nothing_forgotten():
    kinds = Counter(etree.QName(one).localname for one in find("//bpmn:process/*[@id]"))
    assert kinds == {
        "laneSet": 1, "startEvent": 1, "userTask": 9, "boundaryEvent": 9, "endEvent": 10, "exclusiveGateway": 2,
        "subProcess": 1, "sequenceFlow": 22,
    }


def test_the_flow_is_the_sops_flow_with_one_way_back():
    flows = {(one.get("sourceRef"), one.get("targetRef")): one for one in find("//bpmn:process/bpmn:sequenceFlow")}
    assert set(flows) == {
        ("mulai", "langkah_1"), ("langkah_1", "langkah_2"), ("langkah_2", "langkah_3"), ("langkah_3", "langkah_4"),
        ("langkah_4", "gabung"), ("gabung", "langkah_5"), ("langkah_5", "langkah_6"), ("langkah_6", "langkah_7"),
        ("langkah_7", "disetujui"), ("disetujui", "langkah_8"), ("disetujui", "gabung"),
        ("langkah_8", "langkah_9"), ("langkah_9", "selesai"),
        *((f"waktu_{n}", f"pengingat_{n}") for n in range(1, 10)),
    }
    conditional = {
        ends: (one.get("name"), find("string(bpmn:conditionExpression)", one))
        for ends, one in flows.items() if len(one)
    }
    assert conditional == {
        ("disetujui", "langkah_8"): ("Ya", '=keputusan = "setujui"'),
        ("disetujui", "gabung"): ("Tidak", '=keputusan = "kembalikan"'),
    }


def test_neither_answer_is_the_default_and_the_merge_asks_nothing():
    assert element("disetujui").get("name") == "Disetujui?"
    assert element("disetujui").get("default") is None
    assert element("gabung").get("name") is None


def test_the_deadline_is_the_end_of_february_of_the_year_after_and_disturbs_nobody():
    deadline = element("tenggat")
    assert (deadline.get("triggeredByEvent"), deadline.get("name")) == ("true", "Tenggat penyampaian")
    assert properties(deadline)["sop.tenggatUntuk"] == "langkah_8"
    assert find("string(bpmn:startEvent/@isInterrupting)", deadline) == "false"
    expression = find("string(bpmn:startEvent/bpmn:timerEventDefinition/bpmn:timeDate)", deadline)
    assert expression.startswith("=")
    data = [{"tahun_laporan": year} for year in (2026, 2027)]
    answers = ask("feel.mjs", [{"expression": expression[1:], "data": one} for one in data])
    assert [one["value"] for one in answers] == [{"date": "2027-03-01"}, {"date": "2028-03-01"}]


PLACEHOLDERS = {
    "n", "tahun", "unit", "mulai", "batas", "lewat", "sisa", "tenggat", "belum_disampaikan", "pelaksana", "tautan",
}


@pytest.mark.parametrize("id", [*(f"waktu_{n}" for n in range(1, 10)), "tenggat"])
def test_a_reminder_says_what_it_is_about_and_goes_to_whom_it_concerns(id):
    said = properties(element(id))
    words = set(re.findall(r"\{(.*?)\}", said["sop.pengingat"]))
    to, copy = said["sop.kepada"].split(), said.get("sop.tembusan", "").split()
    assert "tahun" in words and words <= PLACEHOLDERS
    assert to and set(to + copy) <= set(LANES) and not set(to) & set(copy)
    if id != "tenggat":
        assert to == [lane_of()[element(id).get("attachedToRef")]]
        assert copy == (["kepala_pd"] if to[0] in ("sekretaris_pd", "inspektorat") else ["sekretaris_pd"])


@pytest.mark.parametrize("n", range(1, 10))
def test_a_step_in_days_warns_before_it_is_due_and_can_be_extended_by_a_superior(n):
    said = properties(element(f"waktu_{n}"))
    in_days = n in (2, 3, 4, 5, 6, 8)
    assert ("sop.pengingatSebelum" in said, "sop.perpanjangan" in said) == (in_days, in_days)
    performer = lane_of()[f"langkah_{n}"]
    assert performer not in said.get("sop.perpanjangan", "").split()
    above = "kepala_pd" if n in (2, 6) else "inspektorat" if n == 4 else "sekretaris_pd"
    assert (said["sop.atasan"], said.get("sop.atasanTembusan")) == (above, "kepala_pd" if n == 4 else None)
    assert said.get("sop.kabarKembaliKepada") == ("sekretaris_pd" if n == 5 else None)
    for name in ("sop.perihal", "sop.pengingatSebelum", "sop.pengingatAtasan", "sop.kabarKembali"):
        assert set(re.findall(r"\{(.*?)\}", said.get(name, ""))) <= PLACEHOLDERS


def test_another_office_is_recorded_for_by_the_secretary_or_the_head_of_the_team():
    (inspektorat,) = find("//bpmn:lane[@id='inspektorat']")
    assert properties(inspektorat) == {"sop.kantorLain": "ya", "sop.dicatatOleh": "sekretaris_pd tim_penyusun:ketua"}
    assert properties(element("mulai")) == {"sop.pemulai": "sekretaris_pd"}


# --- The forms -------------------------------------------------------------------------------------------------------

# Of each form the fields, then the document slots: * must be filled in, ? only on a condition.
FORMS = {
    "mulai": """tahun_laporan* status_surat_edaran* nomor_surat_edaran? tanggal_surat_edaran?
        tanggal_terima_surat_edaran? nomor_agenda | surat_edaran* lembar_disposisi""",
    "langkah_1": """arahan* sifat_disposisi | surat_edaran* lembar_disposisi* perintah_tertulis*""",
    "langkah_2": """nomor_sk_tim* tanggal_sk_tim* susunan_tim* jadwal_rapat* nomor_undangan
        | sk_tim* perintah_tertulis surat_undangan*""",
    "langkah_3": """tanggal_rapat_koordinasi* pembagian_tugas? tanggal_rancangan_selesai* tanggal_kirim_reviu*
        nomor_pengantar_reviu* penanda_tangan_pengantar_reviu* cara_kirim_reviu*
        | bahan_rapat* daftar_hadir* bahan_data* notulen* daftar_pembagian_tugas* rancangan_akhir*
        surat_pengantar_reviu*""",
    "langkah_4": """tanggal_terima_rancangan* nomor_lhr* tanggal_lhr* ringkasan_reviu* ada_catatan_reviu*
        catatan_reviu? tanggal_kirim_lhr*
        | rancangan_akhir* formulir_lhr surat_pengantar_reviu bahan_data lhr* pernyataan_telah_direviu""",
    "langkah_5": """tindak_lanjut? mengubah_angka? tanggal_cetak* | lhr* lembar_koreksi? rancangan_akhir*""",
    "langkah_6": """paraf_sekretaris* bentuk_paraf* tanggal_paraf* catatan_sekretaris | rancangan_akhir*""",
    "langkah_7": """keputusan* bentuk_tanda_tangan? tanggal_tanda_tangan? koreksi?
        | rancangan_akhir* lhr dokumen_lkjpd? lembar_koreksi?""",
    "langkah_8": """tanggal_kirim_bupati* penerima_bupati* nomor_pengantar_bupati tanggal_kirim_bagian_organisasi*
        cara_kirim_bagian_organisasi* penerima_bagian_organisasi* tanggal_unggah_esr* nomor_bukti_esr
        tanggal_unggah_sapa_kinerja* nomor_bukti_sapa_kinerja
        | dokumen_lkjpd* tanda_terima_bupati* bukti_kirim_bagian_organisasi* bukti_unggah_esr*
        bukti_unggah_sapa_kinerja*""",
    "langkah_9": """lokasi_hard_file* lokasi_soft_file* kode_klasifikasi* nomor_berkas tanggal_arsip*
        | dokumen_lkjpd*""",
}


@pytest.mark.parametrize("id", FORMS)
def test_a_form_asks_these_fields_and_these_documents(id):
    def need(field: Any) -> str:
        required = bool(find("camunda:validation/camunda:constraint[@name='required']", field))
        return "*" if required else "?" if "sop.wajibJika" in properties(field) else ""

    fields, slots = (part.split() for part in FORMS[id].split("|"))
    asked = [(name + need(one), is_document(one)) for name, one in form(id).items()]
    assert asked == [(one, False) for one in fields] + [(one, True) for one in slots]


def test_a_field_stands_in_one_form_only_and_says_where_it_comes_from():
    ids = [name for id in FORMS for name, one in form(id).items() if not is_document(one)]
    assert len(ids) == len(set(ids))
    for id in FORMS:
        for one in form(id).values():
            assert properties(one)["sop.sumber"] in ("S", "D", "T")
            assert one.get("label") == one.get("label").strip() != ""


def test_a_document_that_comes_from_a_step_was_made_there():
    made: dict[str, set[str]] = {}
    for id in FORMS:
        slots = {name: properties(one) for name, one in form(id).items() if is_document(one)}
        for name, said in slots.items():
            origin = said.get("sop.asal")
            if origin in ("mulai", "langkah"):
                made.setdefault(name, set()).add("mulai" if origin == "mulai" else id)
            elif said["sop.peran"] == "output":
                made.setdefault(name, set()).add(id)
    for id in FORMS:
        for name, one in form(id).items():
            origin = properties(one).get("sop.asal", "langkah")
            if is_document(one) and origin != "langkah":
                assert origin in made[name], f"{id}: {name} is said to come from {origin}, which does not make it"


def test_what_may_be_owed_is_settled_at_a_later_step_and_proofs_are_never_waived():
    order = list(FORMS)
    owed = {}
    unwaivable = set()
    for id in FORMS:
        for name, one in form(id).items():
            said = properties(one)
            if "sop.menyusul" in said:
                assert order.index(said["sop.menyusul"]) > order.index(id)
                owed[name] = said["sop.menyusul"]
            if said.get("sop.dispensasi") == "tidak":
                unwaivable.add(name)
    proofs = {"tanda_terima_bupati", "bukti_kirim_bagian_organisasi", "bukti_unggah_esr", "bukti_unggah_sapa_kinerja"}
    assert owed == {
        "surat_edaran": "langkah_3", "sk_tim": "langkah_3", "dokumen_lkjpd": "langkah_8",
        **dict.fromkeys(proofs, "langkah_9"),
    }
    assert unwaivable == {"lhr", "dokumen_lkjpd", *proofs}


def team(*kedudukan: str) -> list[dict[str, str]]:
    return [{"kedudukan": one} for one in kedudukan]


# Data beside the empty form, and what the expression then gives.
ASKED = [
    ("mulai", "nomor_surat_edaran", "wajibJika", {"status_surat_edaran": "sudah"}, True),
    ("mulai", "nomor_surat_edaran", "wajibJika", {"status_surat_edaran": "belum"}, False),
    ("mulai", "tanggal_terima_surat_edaran", "benarJika",
     {"tanggal_surat_edaran": {"date": "2026-12-02"}, "tanggal_terima_surat_edaran": {"date": "2026-12-01"}}, False),
    ("mulai", "tanggal_terima_surat_edaran", "benarJika",
     {"tanggal_surat_edaran": {"date": "2026-12-01"}, "tanggal_terima_surat_edaran": {"date": "2026-12-01"}}, True),
    ("langkah_2", "susunan_tim", "benarJika", {"susunan_tim": team("ketua", "anggota")}, True),
    ("langkah_2", "susunan_tim", "benarJika", {"susunan_tim": team("ketua", "sekretaris")}, False),
    ("langkah_2", "susunan_tim", "benarJika", {"susunan_tim": team("ketua", "ketua", "anggota")}, False),
    ("langkah_2", "susunan_tim", "benarJika", {"susunan_tim": team("anggota", "anggota")}, False),
    ("langkah_3", "pembagian_tugas", "wajibJika", {}, True),
    ("langkah_3", "pembagian_tugas", "wajibJika", {"berkas": {"daftar_pembagian_tugas": 1}}, False),
    ("langkah_3", "tanggal_kirim_reviu", "benarJika",
     {"tanggal_rancangan_selesai": {"date": "2027-01-20"}, "tanggal_kirim_reviu": {"date": "2027-01-19"}}, False),
    ("langkah_4", "tanggal_terima_rancangan", "benarJika",
     {"tanggal_kirim_reviu": {"date": "2027-01-20"}, "tanggal_terima_rancangan": {"date": "2027-01-20"}}, True),
    ("langkah_4", "catatan_reviu", "wajibJika", {"ada_catatan_reviu": "ya"}, True),
    ("langkah_4", "catatan_reviu", "tampilJika", {"ada_catatan_reviu": "tidak"}, False),
    ("langkah_5", "tindak_lanjut", "wajibJika", {"ada_catatan_reviu": "tidak"}, False),
    ("langkah_5", "tindak_lanjut", "wajibJika", {"ada_catatan_reviu": "ya"}, True),
    ("langkah_5", "tindak_lanjut", "wajibJika", {"ada_catatan_reviu": "tidak", "putaran": 2}, True),
    ("langkah_5", "mengubah_angka", "wajibJika", {}, False),
    ("langkah_5", "mengubah_angka", "wajibJika", {"putaran": 2}, True),
    ("langkah_5", "lembar_koreksi", "wajibJika", {"putaran": 3}, True),
    ("langkah_5", "rancangan_akhir", "samaJika", {"ada_catatan_reviu": "tidak"}, True),
    ("langkah_5", "rancangan_akhir", "samaJika", {"ada_catatan_reviu": "ya"}, False),
    ("langkah_5", "rancangan_akhir", "samaJika", {"ada_catatan_reviu": "tidak", "putaran": 2}, False),
    ("langkah_6", "paraf_sekretaris", "benarJika", {"paraf_sekretaris": False}, False),
    ("langkah_6", "paraf_sekretaris", "benarJika", {"paraf_sekretaris": True}, True),
    ("langkah_7", "dokumen_lkjpd", "wajibJika", {"keputusan": "setujui"}, True),
    ("langkah_7", "dokumen_lkjpd", "wajibJika", {"keputusan": "kembalikan"}, False),
    ("langkah_7", "dokumen_lkjpd", "menyusulJika", {"bentuk_tanda_tangan": "basah"}, True),
    ("langkah_7", "dokumen_lkjpd", "menyusulJika", {"bentuk_tanda_tangan": "elektronik"}, False),
    ("langkah_7", "tanggal_tanda_tangan", "tampilJika", {"keputusan": "kembalikan"}, False),
    ("langkah_7", "koreksi", "tampilJika", {"keputusan": "setujui"}, False),
    ("langkah_7", "koreksi", "tampilJika", {"keputusan": "kembalikan"}, True),
    ("langkah_7", "koreksi", "wajibJika", {"keputusan": "kembalikan"}, True),
    ("langkah_7", "koreksi", "wajibJika", {"keputusan": "setujui"}, False),
    ("langkah_7", "koreksi", "wajibJika", {"keputusan": "kembalikan", "berkas": {"lembar_koreksi": 1}}, False),
    ("langkah_7", "koreksi", "barisBawaanJika", {"keputusan": "kembalikan", "berkas": {"lembar_koreksi": 1}}, True),
    ("langkah_7", "koreksi", "barisBawaanJika", {"keputusan": "kembalikan"}, False),
]


def nothing_filled_in() -> dict[str, Any]:
    """What an expression sees before anything was typed: every field null, no file attached, round 1."""
    fields = {name: one for id in FORMS for name, one in form(id).items()}
    attached = {name: 0 for name, one in fields.items() if is_document(one)}
    typed = {name: None for name in fields if name not in attached}
    return {**typed, "berkas": attached, "putaran": 1, "tahun": 2026}


def test_every_condition_of_the_forms_holds_when_it_should_and_only_then():
    questions = []
    for id, field, name, data, _ in ASKED:
        expression = properties(form(id)[field])[f"sop.{name}"]
        assert expression.startswith("=")
        start = nothing_filled_in()
        berkas = start["berkas"] | data.get("berkas", {})
        questions.append({"expression": expression[1:], "data": start | data | {"berkas": berkas}})
    given = [one["value"] for one in ask("feel.mjs", questions)]
    wrong = [(case, value) for case, value in zip(ASKED, given, strict=True) if value is not case[-1]]
    assert wrong == []


def test_no_condition_of_the_forms_is_left_unasked():
    # By its words: a date beside a number asks the same as the number, what is shown often what is required.
    said = {
        text for id in FORMS for one in form(id).values() for name, text in properties(one).items()
        if name.startswith("sop.") and name.endswith("Jika")
    }
    assert said == {properties(form(id)[field])[f"sop.{name}"] for id, field, name, *_ in ASKED}


def test_the_year_reported_is_last_year_until_june_and_this_year_after():
    expression = form("mulai")["tahun_laporan"].get("defaultValue")
    days = ["2027-01-04T08:00:00", "2027-06-30T08:00:00", "2027-07-01T08:00:00", "2027-12-31T08:00:00"]
    answers = ask("feel.mjs", [{"expression": expression[1:], "at": day} for day in days])
    assert [one["value"] for one in answers] == [2026, 2026, 2027, 2027]


@pytest.mark.parametrize(("hasil", "asked"), [("sudah", False), ("sebagian", True), ("tidak", True)])
def test_a_correction_that_was_not_made_is_explained(hasil, asked):
    label, type, need = properties(form("langkah_5")["tindak_lanjut"])["kolom.penjelasan"].split(" | ")
    assert (label, type) == ("Penjelasan", "text")
    (answer,) = ask("feel.mjs", [{"expression": need.removeprefix("wajib jika "), "data": {"hasil": hasil}}])
    assert answer == {"value": asked, "warnings": []}


# --- The file as BPMN ------------------------------------------------------------------------------------------------

@cache
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(files("SpiffWorkflow.bpmn.parser") / "schema" / "BPMN20.xsd")))


@by_name
def test_the_file_is_valid_against_the_bpmn_20_schema(path):
    assert schema().validate(etree.parse(path)), schema().error_log


@by_name
def test_our_own_reader_takes_it_as_a_process(path):
    assert diagram.read(path.read_bytes()).key == path.stem


def test_our_own_reader_has_nothing_to_say_of_the_sops_diagram():
    assert diagram.check(LKJPD.read_bytes()) == ()


@pytest.fixture(scope="module")
def moddle() -> dict[str, Any]:
    return ask("moddle.mjs", {path.stem: path.read_text(encoding="utf-8") for path in DIAGRAMS})


@by_name
@pytest.mark.parametrize("descriptor", ["bare", "camunda"])
def test_stock_tools_open_it_without_a_warning_and_save_it_unharmed(moddle, path, descriptor):
    seen = moddle[path.stem][descriptor]
    assert seen["warnings"] == []
    assert canonical(etree.fromstring(seen["xml"].encode())) == canonical(etree.parse(path).getroot())


def test_camundas_tools_understand_every_form_field_and_property(moddle):
    understood = moddle[LKJPD.stem]["camunda"]["types"]
    names = [etree.QName(one).localname for one in TREE.iter(CAMUNDA + "*")]
    drawn = Counter(f"camunda:{name[0].upper()}{name[1:]}" for name in names)
    assert understood == drawn


def canonical(root: Any) -> str:
    """C14N without the space between elements: what two writers of the same file agree on."""
    return etree.canonicalize(root, strip_text=True)


@pytest.fixture(scope="module")
def lint() -> dict[str, Any]:
    return ask("lint.mjs", {path.stem: path.read_text(encoding="utf-8") for path in DIAGRAMS})


@by_name
def test_bpmnlints_recommended_rules_find_nothing(lint, path):
    # That inclusive gateways are better not used is advice; these diagrams are there to show that they run.
    assert [one for one in lint[path.stem] if one["rule"] != "no-inclusive-gateway"] == []


# --- A run in another engine -----------------------------------------------------------------------------------------

def walk(path: Path, **question: Any) -> dict[str, Any]:
    return ask("walk.mjs", {"diagram": path.read_text(encoding="utf-8"), **question})


STRAIGHT = [f"langkah_{n}" for n in range(1, 10)]
RETURNED = [*STRAIGHT[:7], *STRAIGHT[4:]]


def test_another_engine_goes_the_straight_path():
    seen = walk(LKJPD, answers={"langkah_7": [{"keputusan": "setujui"}]})
    assert (seen["completed"], seen["user_tasks"], seen["ended"]) == (True, STRAIGHT, ["selesai"])
    assert seen["timers"] == {f"waktu_{step['no']}": step["waktu_iso"] for step in STEPS}


@pytest.mark.parametrize("late", [[], STRAIGHT], ids=["in time", "every step late"])
def test_another_engine_returns_once_from_step_seven_to_step_five(late):
    seen = walk(LKJPD, late=late, answers={"langkah_7": [{"keputusan": "kembalikan"}, {"keputusan": "setujui"}]})
    reminders = [one.replace("langkah", "pengingat") for one in RETURNED] if late else []
    assert (seen["completed"], seen["user_tasks"]) == (True, RETURNED)
    assert seen["ended"] == [*reminders, "selesai"]


def test_another_engine_takes_no_way_on_without_a_decision():
    with pytest.raises(AssertionError, match="<disetujui> no conditional flow taken"):
        walk(LKJPD, answers={"langkah_7": [{"keputusan": None}]})


# parallel_loop is not asked: bpmn-elements too lets a join inside a loop go on before its second branch has come.
@pytest.mark.parametrize(("name", "question", "user_tasks", "ended"), [
    ("three_tasks", {}, ["write", "read", "send"], ["end"]),
    ("approval_loop", {"answers": {"decide": [{"decision": "return"}, {"decision": "approve"}]}},
     ["write", "decide", "write", "decide"], ["end"]),
    ("default_flow", {"answers": {"measure": [{"amount": 5_000_000}]}}, ["measure", "approve"], ["end"]),
    ("default_flow", {"answers": {"measure": [{"amount": 5}]}}, ["measure"], ["end"]),
    ("parallel", {}, ["count", "price"], ["end"]),
    ("nested_parallel", {}, ["write", "judge", "budget", "sign"], ["end"]),
    ("interrupting_timer", {}, ["answer"], ["end"]),
    ("interrupting_timer", {"late": ["answer"]}, ["take_over"], ["taken_over"]),
    ("escalation", {"late": ["answer"]}, ["answer", "look_into"], ["end", "looked_into"]),
    ("waiting_timer", {"answers": {"prepare": [{"publish_on": "2027-03-01"}]}},
     ["prepare", "proofread", "publish"], ["end"]),
])
def test_another_engine_runs_the_small_diagrams_as_meant(name, question, user_tasks, ended):
    seen = walk(ROOT / "tests" / "diagrams" / f"{name}.bpmn", **question)
    assert (seen["completed"], seen["user_tasks"], seen["ended"]) == (True, user_tasks, ended)


# --- The drawing -----------------------------------------------------------------------------------------------------

class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    def holds(self, other: Box) -> bool:
        return self.x <= other.x and self.y <= other.y and other.right <= self.right and other.bottom <= self.bottom

    def meets(self, other: Box) -> bool:
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def touches(self, point: tuple[float, float]) -> bool:
        """The point lies on the border."""
        x, y = point
        on_side = x in (self.x, self.right) and self.y <= y <= self.bottom
        return on_side or (y in (self.y, self.bottom) and self.x <= x <= self.right)


def box(node: Any) -> Box:
    return Box(*(float(node.get(name)) for name in ("x", "y", "width", "height")))


SHAPES = {one.get("bpmnElement"): box(find("dc:Bounds", one)[0]) for one in find("//bpmndi:BPMNShape")}
EDGES = {
    one.get("bpmnElement"): [(float(point.get("x")), float(point.get("y"))) for point in find("di:waypoint", one)]
    for one in find("//bpmndi:BPMNEdge")
}
LABELS = {one.getparent().get("bpmnElement"): box(find("dc:Bounds", one)[0]) for one in find("//bpmndi:BPMNLabel")}
POOL = SHAPES[find("//bpmn:participant")[0].get("id")]
INSIDE = {"tenggat_tiba", "pengingat_tenggat", "tenggat_ke_pengingat"}          # of the event subprocess
NODES = [one for one in SHAPES if one not in LANES and SHAPES[one] is not POOL]
TASKS = [f"langkah_{n}" for n in range(1, 10)]


def segments(id: str) -> Iterator[Box]:
    """The straight pieces of a flow, each as a box without width or height."""
    for (x1, y1), (x2, y2) in pairwise(EDGES[id]):
        yield Box(min(x1, x2), min(y1, y2), abs(x1 - x2), abs(y1 - y2))


def crosses(one: Box, other: Box) -> bool:
    """Unlike `meets`, touching counts: two lines that share a point are not told apart."""
    return one.x <= other.right and other.x <= one.right and one.y <= other.bottom and other.y <= one.bottom


def test_everything_is_drawn_once_and_nothing_else():
    said = {one.get("id") for one in find("//bpmn:process//*[@id] | //bpmn:participant") if one.tag.startswith(BPMN)}
    undrawn = {one.get("id") for one in find("//bpmn:laneSet | //bpmn:timerEventDefinition")}
    drawn = [*SHAPES, *EDGES]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == said - undrawn


def test_the_drawing_fits_one_landscape_page():
    assert all(POOL.holds(one) for one in [*SHAPES.values(), *LABELS.values()])
    assert 1.3 < POOL.width / POOL.height < 2.2 and POOL.width <= 1900 and POOL.height <= 900


def test_the_lanes_are_even_and_fill_the_pool():
    lanes = [SHAPES[one] for one in LANES]
    assert {(one.x, one.width, one.height) for one in lanes} == {(POOL.x + 30, POOL.width - 30, POOL.height / 4)}
    assert [one.y for one in lanes] == [POOL.y + n * POOL.height / 4 for n in range(4)]


def test_the_tasks_are_equal_and_stand_on_a_grid():
    boxes = [SHAPES[one] for one in TASKS]
    assert len({(one.width, one.height) for one in boxes}) == 1
    columns = sorted({one.middle[0] for one in boxes} | {SHAPES["gabung"].middle[0], SHAPES["disetujui"].middle[0]})
    assert len({right - left for left, right in pairwise(columns)}) == 1
    # Read from left to right in the SOP's order, and at the same height in every lane.
    assert [one.middle[0] for one in boxes] == sorted(one.middle[0] for one in boxes)
    assert len({one.y - SHAPES[lane_of()[id]].y for id, one in zip(TASKS, boxes, strict=True)}) == 1


def test_the_timers_and_their_reminders_hang_alike_under_every_task():
    def under(n: int) -> tuple[float, ...]:
        task, timer, end = SHAPES[f"langkah_{n}"], SHAPES[f"waktu_{n}"], SHAPES[f"pengingat_{n}"]
        assert timer.middle[1] == task.bottom and timer.middle[0] == end.middle[0]
        return timer.x - task.x, end.y - task.y, LABELS[f"waktu_{n}"].x - task.x, LABELS[f"waktu_{n}"].y - task.y

    assert len({under(n) for n in range(1, 10)}) == 1


def test_every_element_lies_inside_its_lane_with_its_label():
    lanes = lane_of()
    assert set(lanes) == set(NODES) - INSIDE
    for id in NODES:
        home = SHAPES["tenggat"] if id in INSIDE else SHAPES[lanes[id]]
        assert home.holds(SHAPES[id]), id
        assert id not in LABELS or home.holds(LABELS[id]), id


def test_every_flow_is_orthogonal_and_starts_and_ends_at_its_elements():
    for id, points in EDGES.items():
        flow = element(id)
        assert all((x1 == x2) != (y1 == y2) for (x1, y1), (x2, y2) in pairwise(points)), id
        ends = ((flow.get("sourceRef"), points[0]), (flow.get("targetRef"), points[-1]))
        assert all(SHAPES[end].touches(point) for end, point in ends), id


def test_no_two_flows_meet():
    met = [
        (one, other)
        for one, other in combinations(EDGES, 2) for a in segments(one) for b in segments(other) if crosses(a, b)
    ]
    assert met == []


def test_no_flow_runs_through_an_element():
    for id in EDGES:
        for node in NODES:
            if node == "tenggat" and id in INSIDE:
                continue
            assert not any(SHAPES[node].meets(one) for one in segments(id)), f"{id} runs through {node}"


def test_no_element_covers_another():
    for one, other in combinations(NODES, 2):
        hangs = {one, other} in [{f"langkah_{n}", f"waktu_{n}"} for n in range(1, 10)]
        contains = "tenggat" in (one, other) and {one, other} & INSIDE
        assert hangs or contains or not SHAPES[one].meets(SHAPES[other]), f"{one} covers {other}"


def test_labels_are_clear_of_elements_lines_and_each_other():
    for id, label in LABELS.items():
        others = [other for other in LABELS if other != id and LABELS[other].meets(label)]
        covered = [node for node in NODES if SHAPES[node].meets(label) and not (node == "tenggat" and id in INSIDE)]
        struck = [flow for flow in EDGES if any(crosses(label, one) for one in segments(flow))]
        lanes = [lane for lane in LANES if SHAPES[lane].meets(label) and not SHAPES[lane].holds(label)]
        assert (others, covered, struck, lanes) == ([], [], [], []), id


def test_every_name_has_room_even_in_a_wide_font():
    # DejaVu Sans, the widest of the fonts a plain server falls back to, is at most this wide a letter on average.
    for id, label in LABELS.items():
        lines = textwrap.wrap(element(id).get("name"), int(label.width / 6.2), break_long_words=False)
        assert len(lines) * 13.5 <= label.height and max(len(line) for line in lines) * 6.2 <= label.width, (id, lines)
    for id in TASKS:
        lines = textwrap.wrap(element(id).get("name"), int((SHAPES[id].width - 10) / 7.3), break_long_words=False)
        # Three lines stay clear of the user's head above and the clock below.
        assert len(lines) <= 3 and max(len(line) for line in lines) * 7.3 <= SHAPES[id].width - 10, (id, lines)


def test_a_named_event_gateway_or_flow_has_a_place_for_its_name():
    named = {id for id in [*NODES, *EDGES] if element(id).get("name")} - set(TASKS) - {"tenggat"}
    assert set(LABELS) == named


# --- Where the tools come from ---------------------------------------------------------------------------------------

def test_the_lock_of_the_tools_names_hashes_and_no_addresses():
    text = (NODE / "package-lock.json").read_text(encoding="utf-8")
    packages = {place: one for place, one in json.loads(text)["packages"].items() if place}
    assert len(packages) > 6
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())
    assert "resolved" not in text and "://" not in text


def test_the_tools_are_named_exactly():
    wanted = json.loads((NODE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
