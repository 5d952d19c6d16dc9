"""Element templates for stock Camunda Modeler (Camunda 7), so that its panel shows the SOP's own properties by name.

Made of the gate's table of properties: what the gate reads, the panel offers, with the same values to choose from.
Kept in `bpmn/.camunda/element-templates/`, where the modeler looks beside the diagrams that it opens; `alur definition
templates` writes them anew. Form fields need none: the modeler knows them as Form Data.
"""
from __future__ import annotations

import json
from typing import Any

from .gate import ELEMENT_PROPERTIES

# The template's name and what it is for. A timer's properties stand on the event that carries it.
_TEMPLATES = {
    "process": ("Alur: identitas SOP", "Bagian identitas pada halaman pertama SOP."),
    "lane": ("Alur: pelaksana", "Lane kantor lain, yang dicatat oleh lane lain."),
    "startEvent": ("Alur: mulai", "Siapa yang boleh memulai berkas proses."),
    "userTask": ("Alur: langkah SOP", "Baris tabel SOP: nomor, kelengkapan, output, keterangan."),
    "boundaryEvent": ("Alur: Mutu Baku Waktu", "Batas waktu langkah dan pengingatnya."),
    "intermediateCatchEvent": ("Alur: menunggu", "Waktu tunggu di antara langkah."),
    "subProcess": ("Alur: tenggat", "Tenggat seluruh proses (event subprocess)."),
}
# The label and the hint of each property.
_LABELS = {
    "sop.pemerintah": ("Pemerintah", "Misalnya PEMERINTAH KABUPATEN REMBANG."),
    "sop.unit": ("Unit kerja", ""),
    "sop.nomorSop": ("Nomor SOP", "Setiap unit dapat mengisi nomornya sendiri saat pengesahan."),
    "sop.namaSop": ("Nama SOP", ""),
    "sop.judulBerkas": ("Judul berkas", "Nama setiap berkas proses; boleh memakai {tahun_laporan}."),
    "sop.tanggalPembuatan": ("Tanggal pembuatan", ""),
    "sop.tanggalRevisi": ("Tanggal revisi", ""),
    "sop.tanggalPengesahan": ("Tanggal pengesahan", ""),
    "sop.tanggalEfektif": ("Tanggal efektif", ""),
    "sop.disahkanOleh": ("Disahkan oleh", ""),
    "sop.kantorLain": ("Kantor lain", "Pelaksana dari kantor yang tidak memakai aplikasi ini."),
    "sop.dicatatOleh": ("Dicatat oleh lane", "Id lane yang mencatat untuk kantor lain."),
    "sop.pemulai": ("Yang boleh memulai", "Id lane; kosong: lane tempat mulai digambar."),
    "sop.nomor": ("Nomor langkah", "Angka 1 sampai 999, seperti dalam tabel SOP."),
    "sop.kelengkapan": ("Kelengkapan", "Isi sel tabel SOP, kata demi kata."),
    "sop.waktu": ("Waktu (tertulis)", "Isi sel tabel SOP; yang dihitung adalah timernya."),
    "sop.output": ("Output", "Isi sel tabel SOP, kata demi kata."),
    "sop.keterangan": ("Keterangan", "Isi sel tabel SOP, kata demi kata."),
    "sop.asumsi": ("Asumsi", "Pelaksana langkah ini disimpulkan dari uraiannya."),
    "sop.satuanWaktu": ("Satuan waktu", "kerja: hari dan jam kerja; kalender: hari biasa."),
    "sop.pengingat": ("Isi pengingat", "Disampaikan saat batas waktu tercapai."),
    "sop.kepada": ("Pengingat kepada", "Id lane."),
    "sop.tembusan": ("Tembusan pengingat", "Id lane."),
    "sop.perihal": ("Perihal pengingat", ""),
    "sop.pengingatSebelum": ("Pengingat sebelum batas waktu", ""),
    "sop.pengingatAtasan": ("Pengingat kepada atasan", "Disampaikan saat dua kali batas waktu tercapai."),
    "sop.atasan": ("Atasan", "Id lane."),
    "sop.atasanTembusan": ("Tembusan atasan", "Id lane."),
    "sop.perpanjangan": ("Pemberi perpanjangan", "Id lane yang boleh memberi tambahan waktu."),
    "sop.kabarKembali": ("Kabar pengembalian", "Disampaikan saat langkah ini dikembalikan."),
    "sop.kabarKembaliKepada": ("Kabar pengembalian kepada", "Id lane."),
    "sop.tenggatUntuk": ("Tenggat dipenuhi oleh", "Id user task yang memenuhi tenggat."),
}
# One item a line: the panel's templates have one line only, so that these stay with its Extension Properties.
_LISTS = frozenset({
    "sop.dasarHukum", "sop.kualifikasiPelaksana", "sop.keterkaitan", "sop.peralatanPerlengkapan", "sop.peringatan",
    "sop.pencatatanDanPendataan"})


def templates() -> list[dict[str, Any]]:
    """The element templates, one for each kind of element that carries properties of ours."""
    return [_template(kind) for kind in ELEMENT_PROPERTIES]


def written() -> str:
    """The templates as the file that the modeler reads."""
    return json.dumps(templates(), ensure_ascii=False, indent=2) + "\n"


def _template(kind: str) -> dict[str, Any]:
    name, description = _TEMPLATES[kind]
    return {
        "name": name, "id": f"alur.{kind}", "version": 1, "description": description,
        "appliesTo": [f"bpmn:{kind[0].upper()}{kind[1:]}"],
        "properties": [_property(one, values) for one, values in ELEMENT_PROPERTIES[kind].items()
                       if one not in _LISTS],
    }


def _property(name: str, values: tuple[str, ...] | None) -> dict[str, Any]:
    label, hint = _LABELS[name]
    found: dict[str, Any] = {"label": label}
    if hint:
        found["description"] = hint
    found["type"] = "Dropdown" if values else "String"
    if values:
        found["choices"] = [{"name": one, "value": one} for one in ("", *values)]
    return found | {"binding": {"type": "camunda:property", "name": name}}
