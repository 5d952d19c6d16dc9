"""The SOP's facts out of a process definition: what the printed document says, cell by cell.

Verbatim: nothing is corrected here, not even a spelling. Named as the document names its boxes. Knows no XML.
Source: the form of a Standar Operasional Prosedur Administrasi Pemerintahan (PermenPANRB 35/2012).
"""
from __future__ import annotations

import re
from dataclasses import dataclass

from .definition import Element, ProcessDefinition

_DURATION = re.compile(r"P(?:([0-9]+)D)?(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?)?")


@dataclass(frozen=True, kw_only=True)
class SopStep:
    """A row of the SOP's table: one user task."""
    element: str                # BPMN id
    number: str                 # sop.nomor
    uraian: str                 # bpmn:documentation, else the name
    lane: str                   # id of the lane
    pelaksana: str              # name of the lane
    kelengkapan: str
    waktu: str                  # sop.waktu ("20 menit"), else the timer in words
    output: str
    keterangan: str
    assumption: bool            # sop.asumsi=ya: the document does not say it, and the owner is asked


@dataclass(frozen=True, kw_only=True)
class Sop:
    """The identity part and the steps. A box that the diagram leaves out is "" or ()."""
    key: str                    # of the process
    sha256: str                 # of the diagram's bytes
    pemerintah: str
    unit: str
    nomor_sop: str
    tanggal_pembuatan: str
    tanggal_revisi: str
    tanggal_pengesahan: str
    tanggal_efektif: str
    disahkan_oleh: str
    nama_sop: str               # sop.namaSop, else the name of the process
    dasar_hukum: tuple[str, ...]
    kualifikasi_pelaksana: tuple[str, ...]
    keterkaitan: tuple[str, ...]
    peralatan_perlengkapan: tuple[str, ...]
    peringatan: tuple[str, ...]
    pencatatan_dan_pendataan: tuple[str, ...]
    pelaksana: tuple[str, ...]  # names of the lanes, in drawing order: the document's columns
    steps: tuple[SopStep, ...]  # in the SOP's order


def facts(definition: ProcessDefinition) -> Sop:
    """The SOP that a definition carries."""
    texts = {name: definition.properties.get(name, "").strip() for name in definition.properties}
    return Sop(
        key=definition.key,
        sha256=definition.sha256,
        pemerintah=texts.get("sop.pemerintah", ""),
        unit=texts.get("sop.unit", ""),
        nomor_sop=texts.get("sop.nomorSop", ""),
        tanggal_pembuatan=texts.get("sop.tanggalPembuatan", ""),
        tanggal_revisi=texts.get("sop.tanggalRevisi", ""),
        tanggal_pengesahan=texts.get("sop.tanggalPengesahan", ""),
        tanggal_efektif=texts.get("sop.tanggalEfektif", ""),
        disahkan_oleh=texts.get("sop.disahkanOleh", ""),
        nama_sop=texts.get("sop.namaSop", "") or definition.name,
        dasar_hukum=items(texts.get("sop.dasarHukum", "")),
        kualifikasi_pelaksana=items(texts.get("sop.kualifikasiPelaksana", "")),
        keterkaitan=items(texts.get("sop.keterkaitan", "")),
        peralatan_perlengkapan=items(texts.get("sop.peralatanPerlengkapan", "")),
        peringatan=items(texts.get("sop.peringatan", "")),
        pencatatan_dan_pendataan=items(texts.get("sop.pencatatanDanPendataan", "")),
        pelaksana=tuple(lane.name for lane in definition.lanes),
        steps=tuple(_step(definition, one) for one in definition.user_tasks),
    )


def items(text: str) -> tuple[str, ...]:
    """The items of a box that lists some: one a line."""
    return tuple(one.strip() for one in text.splitlines() if one.strip())


def in_words(duration: str) -> str:
    """ "2 hari", "120 menit", "1 hari 2 jam": a duration as the SOP writes it; "" for what is none."""
    found = _DURATION.fullmatch(duration)
    parts = zip(found.groups(), ("hari", "jam", "menit"), strict=True) if found else ()
    return " ".join(f"{int(number)} {word}" for number, word in parts if number)


def norm(definition: ProcessDefinition, element: Element) -> str:
    """The Mutu Baku Waktu of a user task as drawn: the duration of its non-interrupting boundary timer, "" if none."""
    timers = (one.timer for one in definition.boundary_events[element.id] if not one.interrupting)
    return next((timer.expression for timer in timers if timer and timer.kind == "duration"), "")


def _step(definition: ProcessDefinition, element: Element) -> SopStep:
    texts = {name: value.strip() for name, value in element.properties.items()}
    lane = definition.lane(element.lane)
    return SopStep(
        element=element.id,
        number=element.number,
        uraian=element.documentation or element.name,
        lane=element.lane or "",
        pelaksana=lane.name if lane else "",
        kelengkapan=texts.get("sop.kelengkapan", ""),
        waktu=texts.get("sop.waktu", "") or in_words(norm(definition, element)),
        output=texts.get("sop.output", ""),
        keterangan=texts.get("sop.keterangan", ""),
        assumption=texts.get("sop.asumsi", "").casefold() == "ya",
    )
