"""What a form asks: values by their types, conditions of the form, tables that answer tables, documents in slots."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from engine import requirements
from engine.commands import AttachDocument, CompleteUserTask, Erased, OweRequirement, Promise, WaiveRequirement
from engine.definition import Choice, Column, Element, Field, ProcessDefinition, Slot
from engine.expressions import ExpressionError
from engine.instance import Document, Owed, Problem, ProcessInstance
from engine.requirements import accept, doubts, fault, initial, lacking
from tests.story import CAMAT, SEKCAM, TIM1, WIB, Case, definition, file, lkjpd_before

NOON = datetime(2026, 12, 14, 12, 0, tzinfo=WIB)


def form(*fields: Field) -> ProcessDefinition:
    """A process whose one user task has these fields."""
    task = Element(id="task", kind="userTask", lane="staff", form=fields)
    return ProcessDefinition(
        key="k",
        name="K",
        sha256="",
        canonical_sha256="",
        meaning_sha256="",
        elements={"task": task},
        flows={},
        lanes=(),
    )


def taken(
    one: ProcessDefinition, data: dict[str, Any], round: int = 1, **stored: Any
) -> tuple[dict[str, Any], list[str]]:
    """(values as they are stored, the problems as `place: message`)."""
    instance = ProcessInstance(id="one", data=stored)
    values, problems = accept(one, instance, one.elements["task"], 2, round, data, NOON)
    again, none = accept(one, instance, one.elements["task"], 2, round, values, NOON)
    assert problems or (again, none) == (values, ()), "what was accepted is accepted again, and stays the same"
    return values, [f"{one.place}: {one.message}" for one in problems]


def field(type: str, **more: Any) -> Field:
    return Field(**{"id": "x", "label": "Isian", "type": type, **more})


# Values by type


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("string", "satu baris"),
        ("text", "dua\nbaris"),
        ("long", 2026),
        ("long", -1),
        ("boolean", True),
        ("boolean", False),
        ("date", "2026-02-28"),
        ("time", "09:00"),
        ("decimal", "1250.5"),
        ("decimal", "-0.000000000001"),
        ("enum", "a"),
        ("person", {"id": "tim1"}),
        ("person", {"nama": "Pendamping Desa"}),
        ("string", Erased("00")),
        ("date", Erased("00")),
    ],
)
def test_a_value_of_its_type_is_taken(type: str, value: Any) -> None:
    assert fault(type, value, (Choice(value="a", label="A"),)) is None


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("string", "dua\nbaris"),
        ("string", 5),
        ("string", "x" * 20_001),
        ("string", "lonceng\x07"),
        ("text", None),
        ("long", "2026"),
        ("long", 1.5),
        ("long", True),
        ("long", 10**15),
        ("boolean", "ya"),
        ("boolean", 1),
        ("date", "2026-02-30"),
        ("date", "28-02-2026"),
        ("date", "2026-2-8"),
        ("date", "20260208"),
        ("time", "25:00"),
        ("time", "9:00"),
        ("time", "09:00:00"),
        ("decimal", "1,5"),
        ("decimal", "1e5"),
        ("decimal", "NaN"),
        ("decimal", "9" * 31),
        ("decimal", 1.5),
        ("enum", "z"),
        ("enum", ["a"]),
        ("person", "tim1"),
        ("person", {}),
        ("person", {"id": ""}),
        ("person", {"id": "a", "nama": "b"}),
        ("person", {"umur": "5"}),
        ("person", {"nama": "x" * 201}),
    ],
)
def test_a_value_of_another_type_is_told_what_was_expected(type: str, value: Any) -> None:
    message = fault(type, value, (Choice(value="a", label="A"),))
    assert message and message.endswith(".")


@pytest.mark.parametrize(
    ("one", "value", "said"),
    [
        (field("long", minimum="2000"), 1999, "paling sedikit 2000."),
        (field("long", maximum="2100"), 2101, "paling banyak 2100."),
        (field("decimal", minimum="0.5"), "0.49", "paling sedikit 0.5."),
        (field("string", min_length=3), "ab", "paling sedikit 3 karakter."),
        (field("text", max_length=3), "abcd", "paling banyak 3 karakter."),
    ],
)
def test_a_value_beyond_its_limit_is_told_the_limit(one: Field, value: Any, said: str) -> None:
    assert taken(form(one), {"x": value})[1] == [f"x: Isian: {said}"]


@pytest.mark.parametrize("nothing", [None, "", [], {}])
def test_what_is_empty_is_not_given(nothing: Any) -> None:
    assert taken(form(field("string", required=True)), {"x": nothing}) == ({"x": None}, ["x: Isian: belum diisi."])
    assert taken(form(field("string")), {"x": nothing}) == ({"x": None}, [])


def test_a_required_statement_must_be_ticked() -> None:
    one = form(field("boolean", required=True))
    assert taken(one, {"x": False})[1] == taken(one, {})[1] == ["x: Isian: harus dicentang."]
    assert taken(one, {"x": True})[1] == []
    assert taken(form(field("boolean")), {"x": False}) == ({"x": False}, [])


def test_what_the_form_does_not_have_is_not_taken() -> None:
    assert taken(form(field("string")), {"x": "a", "y": "b"})[0] == {"x": "a"}


def test_what_is_only_to_be_read_keeps_its_value() -> None:
    assert taken(form(field("string", readonly=True)), {"x": "diubah"}, x="asli")[0] == {"x": "asli"}


# Conditions of the form

SWITCH = Field(
    id="jenis",
    label="Jenis",
    type="enum",
    choices=(Choice(value="a", label="A"), Choice(value="b", label="B")),
    required=True,
)


def test_required_if_asks_only_when_its_condition_holds() -> None:
    one = form(SWITCH, field("string", required_if='jenis = "a"'))
    assert taken(one, {"jenis": "a"})[1] == ["x: Isian: belum diisi."]
    assert taken(one, {"jenis": "b"})[1] == []


def test_a_hidden_value_is_not_stored_and_not_asked_for() -> None:
    one = form(SWITCH, field("string", shown_if='jenis = "a"', required_if="true"))
    assert taken(one, {"jenis": "b", "x": "rahasia"}) == ({"jenis": "b", "x": None}, [])
    assert taken(one, {"jenis": "a", "x": "terlihat"})[0]["x"] == "terlihat"


def test_what_is_hidden_may_hide_more() -> None:
    one = form(
        SWITCH, Field(id="y", label="Y", type="string", shown_if='x = "isi"'), field("string", shown_if='jenis = "a"')
    )
    assert taken(one, {"jenis": "b", "x": "isi", "y": "rahasia"}) == ({"jenis": "b", "x": None, "y": None}, [])
    assert taken(one, {"jenis": "a", "x": "isi", "y": "terlihat"})[0]["y"] == "terlihat"


def test_a_hidden_value_asks_for_nothing() -> None:
    asking = Field(id="y", label="Y", type="string", required_if='x = "isi"')
    assert taken(form(SWITCH, field("string", shown_if='jenis = "a"'), asking), {"jenis": "b", "x": "isi"})[1] == []


def test_a_condition_without_an_answer_is_an_error_and_not_a_no() -> None:
    with pytest.raises(ExpressionError):
        taken(form(field("string", required_if="nowhere = 1")), {})


def test_valid_if_is_asked_of_given_values_and_says_its_own_message() -> None:
    late = field("date", valid_if="kirim = null or x >= kirim", valid_message="Tidak boleh sebelum dikirim.")
    one = form(Field(id="kirim", label="Kirim", type="date"), late)
    assert taken(one, {"kirim": "2026-12-10", "x": "2026-12-09"})[1] == ["x: Tidak boleh sebelum dikirim."]
    assert taken(one, {"kirim": "2026-12-10", "x": "2026-12-10"})[1] == []
    assert taken(one, {"kirim": "2026-12-10"})[1] == []
    assert taken(
        form(replace(late, valid_message=None), Field(id="kirim", label="Kirim", type="date")),
        {"kirim": "2026-12-10", "x": "2026-12-09"},
    )[1] == ["x: Isian: isian ini tidak sesuai ketentuan."]


def test_valid_if_does_not_speak_of_a_field_that_is_wrong_itself() -> None:
    one = form(Field(id="kirim", label="Kirim", type="date"), field("date", valid_if="x >= kirim"))
    assert taken(one, {"kirim": "kemarin", "x": "2026-12-09"})[1] == [
        "kirim: Kirim: bukan tanggal. Contoh: 2 Februari 2027."
    ]


def test_putaran_tahun_and_berkas_may_be_asked() -> None:
    one = form(field("string", required_if="putaran >= 2"))
    assert taken(one, {}, round=1)[1] == []
    assert taken(one, {}, round=2)[1] == ["x: Isian: belum diisi."]
    known = requirements.names(definition(), ProcessInstance(id="one", year=2026), 5, 3, {"arahan": "x"}, {"lhr": 2})
    assert (known["putaran"], known["tahun"], known["arahan"], known["koreksi"]) == (3, 2026, "x", None)
    assert (known["berkas"]["lhr"], known["berkas"]["notulen"]) == (2, 0)


def test_only_the_named_fields_are_judged_when_values_are_recorded_on_the_way() -> None:
    one = form(field("date"), Field(id="y", label="Y", type="string", required=True))
    values, problems = accept(
        one,
        ProcessInstance(id="one"),
        one.elements["task"],
        2,
        1,
        {"x": "2026-12-01", "y": ""},
        NOON,
        only=frozenset({"x"}),
    )
    assert (values, problems) == ({"x": "2026-12-01"}, ())


# Initial values


@pytest.mark.parametrize(
    ("one", "value"),
    [
        (field("text", initial="Siapkan LKjPD Tahun {tahun}."), "Siapkan LKjPD Tahun 2026."),
        (field("date", initial="=today()"), "2026-12-14"),
        (field("boolean", initial="true"), True),
        (field("boolean", initial="false"), False),
        (field("enum", initial="basah"), "basah"),
        (field("long", initial="=tahun + 1"), 2027),
        (field("string", initial="{kosong}"), ""),
        (field("string"), None),
    ],
)
def test_an_initial_value_is_text_with_fields_filled_in_or_an_expression(one: Field, value: Any) -> None:
    assert initial(one, {"tahun": 2026, "kosong": None}, NOON) == value


def test_the_year_that_is_reported_is_last_year_until_june() -> None:
    year = definition().start.field("tahun_laporan")
    assert year is not None
    assert initial(year, {}, datetime(2027, 6, 30, 12, tzinfo=WIB)) == 2026
    assert initial(year, {}, datetime(2027, 7, 1, 12, tzinfo=WIB)) == 2027


# Tables

TEAM = Field(
    id="tim",
    label="Tim",
    type="table",
    min_length=1,
    max_length=2,
    columns=(
        Column(id="nama", label="Nama", type="person", required=True),
        Column(id="hasil", label="Hasil", type="enum", choices=SWITCH.choices),
        Column(id="sebab", label="Sebab", required_if='hasil = "b"'),
    ),
)


def test_each_cell_is_judged_at_its_place() -> None:
    one = form(TEAM)
    assert taken(one, {"tim": [{"nama": {"id": "a"}}, {"hasil": "z", "nama": "b"}]})[1] == [
        "tim.1.nama: Tim, baris 2, Nama: pilih pegawai atau tuliskan namanya.",
        "tim.1.hasil: Tim, baris 2, Hasil: pilihan ini tidak tersedia.",
    ]
    assert taken(one, {"tim": [{"nama": {"id": "a"}, "hasil": "b"}]})[1] == [
        "tim.0.sebab: Tim, baris 1: Sebab belum diisi."
    ]


def test_a_row_has_all_its_columns() -> None:
    assert taken(form(TEAM), {"tim": [{"nama": {"id": "a"}, "sebab": ""}]})[0] == {
        "tim": [{"nama": {"id": "a"}, "hasil": None, "sebab": None}]
    }


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("dua", "harus berupa daftar baris."),
        ([1], "harus berupa daftar baris."),
        ([{"nama": {"id": "a"}}] * 3, "paling banyak 2 baris."),
        ([{"nama": {"id": "a"}, "umur": "5"}], "baris 1: kolom umur tidak dikenal."),
    ],
)
def test_what_is_no_table_of_this_shape_is_refused(value: Any, said: str) -> None:
    assert any(said in problem for problem in taken(form(TEAM), {"tim": value})[1])


def test_a_table_has_at_most_as_many_rows_as_any_may() -> None:
    one = form(replace(TEAM, max_length=None))
    assert f"paling banyak {requirements.MOST_ROWS} baris" in taken(one, {"tim": [{"nama": {"id": "a"}}] * 301})[1][0]


ANSWERS = Field(
    id="jawab",
    label="Tindak lanjut",
    type="table",
    rows_from=("catatan", "koreksi"),
    required=True,
    columns=(
        Column(id="catatan", label="Catatan", type="text", readonly=True),
        Column(id="hasil", label="Hasil", required=True),
    ),
)
NOTES = [{"bagian": "Bab I", "catatan": "Satu"}, {"bagian": None, "catatan": "Dua"}]


def test_a_table_answers_each_row_of_its_source_no_more_and_no_fewer() -> None:
    one = form(ANSWERS)
    values, problems = taken(one, {"jawab": [{"catatan": "diubah", "hasil": "sudah"}]}, catatan=NOTES)
    assert values == {"jawab": [{"catatan": "Satu", "hasil": "sudah"}, {"catatan": "Dua", "hasil": None}]}
    assert problems == ["jawab.1.hasil: Tindak lanjut, baris 2: Hasil belum diisi."]
    three = [{"hasil": str(n)} for n in range(3)]
    assert len(taken(one, {"jawab": three}, catatan=NOTES)[0]["jawab"]) == 2


def test_later_rounds_answer_the_next_source_whose_column_may_have_its_own_name() -> None:
    values, _ = taken(
        form(ANSWERS),
        {"jawab": [{"hasil": "sudah"}]},
        round=3,
        catatan=NOTES,
        koreksi=[{"bagian": None, "koreksi": "Perbaiki"}],
    )
    assert values == {"jawab": [{"catatan": "Perbaiki", "hasil": "sudah"}]}


def test_nothing_to_answer_is_nothing_to_fill_in() -> None:
    assert taken(form(ANSWERS), {}, catatan=None) == ({"jawab": None}, [])


def test_a_row_is_made_when_nothing_was_typed_but_something_was_attached() -> None:
    koreksi = definition().elements["langkah_7"].field("koreksi")
    case = lkjpd_before(7)
    number = case.task("langkah_7").number
    case = case.when(AttachDocument(document="lembar_koreksi", attachment=file("foto.jpg"), user_task=number), CAMAT)
    case = case.completed("langkah_7", CAMAT, keputusan="kembalikan")
    assert case.instance.data["koreksi"] == [{"bagian": None, "koreksi": "Sesuai Lembar Koreksi terlampir"}]
    assert koreksi is not None and koreksi.filler_row == "Sesuai Lembar Koreksi terlampir"


# Documents


def slot(**more: Any) -> Field:
    required = more.pop("required", True)
    return Field(id="d", label="Dokumen", type="document", required=required, slot=Slot(**{"role": "output", **more}))


def missing(*fields: Field, instance: ProcessInstance | None = None, **values: Any) -> list[str]:
    one = form(*fields)
    return [
        one.message
        for one in lacking(one, instance or ProcessInstance(id="one"), one.elements["task"], 2, 1, values, NOON)
    ]


def test_a_required_document_is_missed_with_what_to_do() -> None:
    assert missing(slot()) == ["Dokumen belum dilampirkan. Lampirkan berkasnya."]
    assert missing(slot(owed_until="later")) == [
        "Dokumen belum dilampirkan. Lampirkan berkasnya, atau nyatakan menyusul dengan alasan dan tanggal."
    ]
    assert missing(slot(role="kelengkapan", origin="langkah_3")) == [
        "Dokumen dari langkah 3 belum ada. Lampirkan berkasnya."
    ]


def test_what_is_only_to_be_read_hidden_or_not_required_is_not_missed() -> None:
    assert (
        missing(slot(role="bacaan"))
        == missing(slot(required=False))
        == missing(replace(slot(), shown_if="1 = 2"))
        == []
    )


def test_a_text_stands_for_a_document_only_where_the_slot_takes_text() -> None:
    source = Field(id="isi", label="Isi", type="text")
    assert missing(source, slot(forms=("teks", "berkas"), text_from="isi"), isi="Perintah") == []
    assert missing(source, slot(forms=("teks", "berkas"), text_from="isi"), isi=None) != []
    assert missing(source, slot(text_from="isi"), isi="Perintah") != []
    assert missing(slot(forms=("teks",))) == []


def attached(user_task: int | None) -> ProcessInstance:
    document = Document(type="d", version=1, attachment=file(), user_task=user_task, element=None, person="p", at=NOON)
    return ProcessInstance(id="one", documents={"d": document})


def test_a_new_version_is_needed_in_this_pass_unless_the_same_may_be_passed_on() -> None:
    assert missing(slot(), instance=attached(2)) == []
    assert missing(slot(), instance=attached(1)) != []
    assert missing(slot(version="sama"), instance=attached(1)) == []
    assert missing(slot(same_if="putaran = 1"), instance=attached(1)) == []
    assert missing(slot(same_if="putaran = 2"), instance=attached(1)) != []
    assert missing(slot(role="kelengkapan"), instance=attached(1)) == []


def promised(case: Case, document: str, who: Any = SEKCAM) -> Case:
    number = max(case.instance.user_tasks)
    return case.when(
        OweRequirement(user_task=number, promise=Promise(document=document, promised="2027-02-28", reason="x")), who
    )


def refusal(case: Case, step: int, who: Any, **data: Any) -> tuple[Problem, ...]:
    return case.refuses(CompleteUserTask(user_task=case.task(f"langkah_{step}").number, data=data), who).problems


def test_an_owed_document_lets_the_task_pass_until_the_one_where_it_must_be_settled() -> None:
    case = lkjpd_before(2)
    number = case.task("langkah_2").number
    case = promised(case, "sk_tim").when(
        AttachDocument(document="surat_undangan", attachment=file(), user_task=number), SEKCAM
    )
    rows = [{"pegawai": {"id": "tim1"}, "kedudukan": "ketua"}, {"pegawai": {"id": "tim2"}, "kedudukan": "anggota"}]
    meeting = [{"tanggal": "2026-12-17", "pukul": "09:00", "tempat": "Aula", "acara": "Rapat"}]
    case = case.completed(
        "langkah_2", SEKCAM, nomor_sk_tim="1", tanggal_sk_tim="2026-12-15", susunan_tim=rows, jadwal_rapat=meeting
    )
    said = [one.message for one in refusal(case, 3, TIM1) if one.place == "sk_tim"]
    assert said == [
        "SK Pembentukan Tim Penyusun LKjPD masih menyusul. Lampirkan berkasnya sebelum langkah ini diselesaikan."
    ]


def test_nothing_is_owed_past_the_last_step() -> None:
    case = lkjpd_before(9)
    owed = Owed(
        document="notulen",
        reason="x",
        promised="2027-02-28",
        until="never",
        user_task=1,
        lane=None,
        person="tim1",
        at=NOON,
    )
    case = replace(case, instance=replace(case.instance, owed={"notulen": owed}))
    assert "notulen" in [one.place for one in refusal(case, 9, TIM1)]


def test_a_condition_of_owing_is_asked_when_the_task_is_completed() -> None:
    case = promised(lkjpd_before(7), "dokumen_lkjpd", CAMAT)
    signed = {"keputusan": "setujui", "tanggal_tanda_tangan": "2027-01-22"}
    problems = refusal(case, 7, CAMAT, **signed, bentuk_tanda_tangan="elektronik")
    assert [one.message for one in problems] == [
        "Dokumen LKjPD (telah ditandatangani) tidak dapat menyusul dengan isian ini. Lampirkan berkasnya."
    ]
    assert case.completed("langkah_7", CAMAT, **signed, bentuk_tanda_tangan="basah").open == ["langkah_8"]


def test_a_waiver_counts_for_this_pass_only() -> None:
    case = lkjpd_before(6, "02_dikembalikan_satu_kali.txt")
    number = case.task("langkah_6").number
    case = case.when(WaiveRequirement(user_task=number, document="rancangan_akhir", reason="x"), CAMAT)
    case = case.completed("langkah_6", SEKCAM, paraf_sekretaris=True, bentuk_paraf="basah", tanggal_paraf="2027-01-22")
    assert case.instance.waived == {}


def test_a_document_made_of_a_wrong_field_is_not_missed_twice() -> None:
    case = lkjpd_before(7)
    assert [one.place for one in refusal(case, 7, CAMAT, keputusan="kembalikan")] == ["koreksi"]


# Doubts


def test_dates_after_today_or_before_the_task_was_open_are_doubted_and_not_refused() -> None:
    one = form(
        field("date"),
        Field(id="y", label="Y", type="date"),
        Field(id="z", label="Z", type="date"),
        Field(id="t", label="T", type="text"),
    )
    opened = datetime(2026, 12, 10, 8, tzinfo=WIB)
    found = doubts(
        one.elements["task"], {"x": "2026-12-15", "y": "2026-12-09", "z": "2026-12-10", "t": "2020-01-01"}, opened, NOON
    )
    assert [(one.place, one.message) for one in found] == [
        ("x", "Isian sesudah hari ini. Periksa kembali bila keliru."),
        ("y", "Y sebelum langkah ini dibuka. Periksa kembali bila keliru."),
    ]
    assert taken(one, {"x": "2026-12-15"})[1] == []
    assert doubts(one.elements["task"], {"x": "bukan tanggal"}, opened, NOON) == ()
