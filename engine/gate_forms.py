"""The gate's rules for forms: what an owner writes as form fields, columns of tables and slots of documents.

They stand behind `gate.of_tree` and before `soundness.py`, which says whether what a form names is there.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, time

from lxml import etree

from .definition import BUILT_IN_NAMES, OWN_TYPES, STOCK_TYPES
from .expressions import RESERVED_NAMES
from .gate import CAMUNDA, YES_NO, Findings, Known, folded, listed, of_properties, place, property_name, quoted

FIELD_TYPES = STOCK_TYPES | OWN_TYPES
COLUMN_TYPES = FIELD_TYPES - {"table", "document"}
_EVERY_FIELD: Known = {
    "sop.kelompok": None, "sop.petunjuk": None, "sop.wajibJika": None, "sop.tampilJika": None, "sop.benarJika": None,
    "sop.pesan": None, "sop.keputusan": YES_NO, "sop.pribadi": YES_NO, "sop.sumber": ("S", "D", "T")}
FIELD_PROPERTIES: Mapping[str, Known] = {
    "table": {
        **_EVERY_FIELD, "sop.barisDari": None, "sop.barisBawaan": None, "sop.barisBawaanJika": None,
        "sop.menunjukTim": None},
    "document": {
        **_EVERY_FIELD, "sop.peran": ("kelengkapan", "output", "bacaan"), "sop.asal": None, "sop.bentuk": None,
        "sop.jumlah": ("1", "banyak"), "sop.versi": ("baru", "sama"), "sop.samaJika": None, "sop.menyusul": None,
        "sop.menyusulJika": None, "sop.dispensasi": YES_NO, "sop.pelampir": None, "sop.teksDari": None},
}
SLOT_FORMS = frozenset({"berkas", "teks", "cetak", "tautan"})
CONSTRAINTS = {                 # and the types they say something about
    "required": FIELD_TYPES, "readonly": FIELD_TYPES,
    "min": frozenset({"long", "decimal", "date"}), "max": frozenset({"long", "decimal", "date"}),
    "minlength": frozenset({"string", "text", "table"}), "maxlength": frozenset({"string", "text", "table"}),
}
# A field's id is a name in expressions, a key of the data document and of objects in the browser.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
NO_NAMES = BUILT_IN_NAMES | RESERVED_NAMES | {
    "typename", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty"}


def of_forms(root: etree._Element, found: Findings) -> None:
    """What is to be said of every form, as written."""
    for form in root.iter(CAMUNDA + "formData"):
        ids: set[str] = set()
        for node in form.iterchildren(CAMUNDA + "formField"):
            id = node.get("id", "")
            if id in ids:
                found.error(place(node),
                    f"Isian {quoted(id)} tertulis dua kali dalam satu formulir. Beri id lain atau hapus salah satu.",
                    f"The field {quoted(id)} is written twice in one form. Give one another id or delete it.")
            ids.add(id)
            for rule in (_field_name, _field_type, _choices, _constraints, _field_properties, _columns, _slot):
                rule(node, found)


def _field_name(node: etree._Element, found: Findings) -> None:
    _name(node, node.get("id", ""), ("isian", "field"), found)
    if not node.get("label", "").strip():
        found.error(place(node), f"Isian {quoted(node.get('id', ''))} tidak mempunyai label. Tulis label yang dibaca "
                                 "pelaksana.",
                    f"The field {quoted(node.get('id', ''))} has no label. Write the label that performers read.")


def _name(node: etree._Element, id: str, what: tuple[str, str], found: Findings) -> None:
    if not _NAME.fullmatch(id):
        found.error(place(node), f"Id {what[0]} {quoted(id)} tidak sah. Pakai huruf latin, angka dan garis bawah, "
                                 "diawali huruf, paling panjang 60.",
                    f"The {what[1]} id {quoted(id)} is not valid. Use Latin letters, digits and underscores, beginning "
                    "with a letter, at most 60 of them.")
    elif id in NO_NAMES:
        found.error(place(node), f"Id {what[0]} {quoted(id)} mempunyai arti sendiri dalam ungkapan. Beri id lain.",
                    f"The {what[1]} id {quoted(id)} has a meaning of its own in expressions. Give it another.")


def _field_type(node: etree._Element, found: Findings) -> None:
    if node.get("type") not in FIELD_TYPES:
        known = ", ".join(sorted(FIELD_TYPES))
        found.error(place(node), f"Jenis isian {quoted(node.get('type', ''))} pada {quoted(node.get('id', ''))} tidak "
                                 f"dikenal. Pakai salah satu: {known}.",
                    f"The type {quoted(node.get('type', ''))} of the field {quoted(node.get('id', ''))} is not known. "
                    f"Use one of: {known}.")


def _choices(node: etree._Element, found: Findings) -> None:
    id, choices = node.get("id", ""), list(node.iterchildren(CAMUNDA + "value"))
    values = [one.get("id", "").strip() for one in choices]
    if node.get("type") != "enum":
        if values:
            found.error(place(node), f"Isian {quoted(id)} mempunyai pilihan tetapi jenisnya bukan enum. Ubah jenisnya "
                                     "atau hapus pilihannya.",
                        f"The field {quoted(id)} has choices but is no enum. Change its type or delete the choices.")
    elif not values or not all(values) or len(set(values)) < len(values):
        found.error(place(node), f"Isian {quoted(id)} memerlukan pilihan yang bernilai dan tidak kembar. Lengkapi "
                                 "daftar pilihannya.",
                    f"The field {quoted(id)} needs choices that have values and are not twins. Complete the list of "
                    "choices.")
    elif len({folded((one.get("name", "") or one.get("id", ""))[:400]) for one in choices}) < len(choices):
        found.error(place(node), f"Isian {quoted(id)} mempunyai dua pilihan dengan tulisan yang sama, sehingga tidak "
                                 "dapat dibedakan. Beri tulisan sendiri.",
                    f"The field {quoted(id)} has two choices that read the same, so that nobody can tell them apart. "
                    "Give each a label of its own.")


def _constraints(node: etree._Element, found: Findings) -> None:
    id, type, names = quoted(node.get("id", "")), node.get("type", ""), set()
    for one in node.iterfind(f"{CAMUNDA}validation/{CAMUNDA}constraint"):
        name, config = one.get("name", ""), one.get("config", "").strip()
        if name in names:
            found.error(place(one), f"Batasan {quoted(name)} pada isian {id} tertulis dua kali. Hapus salah satu.",
                        f"The constraint {quoted(name)} of the field {id} is written twice. Delete one.")
        names.add(name)
        if name not in CONSTRAINTS:
            found.error(place(one), f"Batasan {quoted(name)} pada isian {id} tidak dikenal. Pakai salah satu: "
                                    f"{', '.join(CONSTRAINTS)}.",
                        f"The constraint {quoted(name)} of the field {id} is not known. Use one of: "
                        f"{', '.join(CONSTRAINTS)}.")
        elif type not in CONSTRAINTS[name]:
            found.error(place(one), f"Batasan {quoted(name)} tidak berlaku untuk isian {id} yang berjenis "
                                    f"{quoted(type)}. Hapus batasan itu.",
                        f"The constraint {quoted(name)} says nothing about the field {id} of type {quoted(type)}. "
                        "Delete that constraint.")
        elif not _limit(name, type, config):
            found.error(place(one), f"Batasan {quoted(name)} pada isian {id} bernilai {quoted(config)}, yang tidak "
                                    "dapat dibaca. Tulis angka, tanggal (2027-02-28), atau true/false sesuai "
                                    "batasannya.",
                        f"The constraint {quoted(name)} of the field {id} is {quoted(config)}, which cannot be read. "
                        "Write a number, a date (2027-02-28), or true/false, as the constraint needs.")


def _limit(name: str, type: str, config: str) -> bool:
    if name in ("required", "readonly"):
        return config.casefold() in ("", "true", "false")
    if name in ("minlength", "maxlength"):
        return re.fullmatch(r"[0-9]{1,6}", config) is not None
    return plain_value(type, config)


def plain_value(type: str, text: str) -> bool:
    """Whether a text written in the diagram is a value of this type of field."""
    match type:
        case "long":
            return re.fullmatch(r"-?[0-9]{1,18}", text) is not None
        case "decimal":
            return re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,15})?", text) is not None
        case "boolean":
            return text in ("true", "false")
        case "date" | "time":
            try:
                (date if type == "date" else time).fromisoformat(text)
            except ValueError:
                return False
            return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}:[0-9]{2}", text) is not None
    return type in ("string", "text", "enum", "person")


def _field_properties(node: etree._Element, found: Findings) -> None:
    known = FIELD_PROPERTIES.get(node.get("type", ""), _EVERY_FIELD)
    if node.get("type") == "table":
        known = {**known, **{property_name(one): None for one in _own_properties(node) if _is_column(one)}}
    id = quoted(node.get("id", ""))
    for properties in node.iterchildren(CAMUNDA + "properties"):
        of_properties(properties, lambda: (f"isian {id}", f"the field {id}"), known, found)
    for one in _own_properties(node):
        if one.get("id") and one.get("name") and one.get("id") != one.get("name"):
            found.error(place(one), f"Properti {quoted(one.get('id'))} pada isian {id} juga bernama "
                                    f"{quoted(one.get('name'))}; pemodel membaca yang satu, kami yang lain. Hapus "
                                    "salah "
                                    "satu.",
                        f"The property {quoted(one.get('id'))} of the field {id} is also called "
                        f"{quoted(one.get('name'))}; modelers read the one and we the other. Delete one.")


def _own_properties(node: etree._Element) -> Iterator[etree._Element]:
    yield from node.iterfind(f"{CAMUNDA}properties/{CAMUNDA}property")


def _is_column(property: etree._Element) -> bool:
    return property_name(property).startswith("kolom.")


def _columns(node: etree._Element, found: Findings) -> None:
    """`kolom.ID` of a table: `Label | type | wajib, tidak, baca or wajib jika FEEL | options`."""
    if node.get("type") != "table":
        return
    columns = [one for one in _own_properties(node) if _is_column(one)]
    if not columns:
        found.error(place(node), f"Tabel {quoted(node.get('id', ''))} tidak mempunyai kolom. Tambahkan properti "
                                 "kolom.ID, misalnya kolom.uraian = Uraian | text | wajib.",
                    f"The table {quoted(node.get('id', ''))} has no columns. Add a property kolom.ID, such as "
                    "kolom.uraian = Uraian | text | wajib.")
    for one in columns:
        id = property_name(one).removeprefix("kolom.")
        _name(one, id, ("kolom", "column"), found)
        label, type, need, options = column_parts(one.get("value", ""))
        if not label or type not in COLUMN_TYPES or not _NEED.fullmatch(need):
            known = ", ".join(sorted(COLUMN_TYPES))
            found.error(place(one), f"Kolom {quoted(id)} tidak dapat dibaca. Tulis: Label | jenis | wajib, tidak, baca "
                                    f"atau wajib jika UNGKAPAN | pilihan. Jenis: {known}.",
                        f"The column {quoted(id)} cannot be read. Write: Label | type | wajib, tidak, baca or wajib "
                        f"jika EXPRESSION | options. Types: {known}.")
        elif not _column_options(type, options):
            found.error(place(one), f"Pilihan kolom {quoted(id)} tidak dapat dibaca. Untuk enum tulis "
                                    "ketua=Ketua; anggota=Anggota, untuk jenis lain awal=ISI atau kosong.",
                        f"The options of the column {quoted(id)} cannot be read. For an enum write ketua=Ketua; "
                        "anggota=Anggota, for another type awal=VALUE or nothing.")


_NEED = re.compile(r"(wajib|tidak|baca|wajib\s+jika\s+\S.*)?", re.DOTALL)


def column_parts(value: str) -> tuple[str, str, str, str]:
    """The four parts of a column's description; what is not written is empty, the type then string."""
    label, type, need, options, *_ = ([part.strip() for part in value.split("|", 3)] + [""] * 3)
    return label, type or "string", need, options


def _column_options(type: str, options: str) -> bool:
    if type != "enum":
        return not options or (options.startswith("awal=") and plain_value(type, options.removeprefix("awal=").strip()))
    values = [one.partition("=")[0].strip() for one in options.split(";") if one.strip()]
    return bool(set(values) - {"awal"}) and all(values) and len(set(values)) == len(values)


def _slot(node: etree._Element, found: Findings) -> None:
    if node.get("type") != "document":
        return
    properties = {property_name(one): one.get("value", "").strip() for one in _own_properties(node)}
    id = quoted(node.get("id", ""))
    if not properties.get("sop.peran"):
        found.error(place(node), f"Berkas {id} tidak menyebut perannya. Isi sop.peran: kelengkapan, output atau "
                                 "bacaan.",
                    f"The document {id} does not say its part. Set sop.peran: kelengkapan, output or bacaan.")
    unknown = [one for one in listed(properties.get("sop.bentuk", "")) if one not in SLOT_FORMS]
    if unknown:
        known = ", ".join(sorted(SLOT_FORMS))
        found.error(place(node), f"Bentuk {quoted(unknown[0])} pada berkas {id} tidak dikenal. Pakai: {known}.",
                    f"The form {quoted(unknown[0])} of the document {id} is not known. Use: {known}.")
    if properties.get("sop.menyusulJika") and not properties.get("sop.menyusul"):
        found.error(place(node), f"Berkas {id} mempunyai sop.menyusulJika tanpa sop.menyusul. Sebut tugas yang "
                                 "menjadi batas menyusulnya.",
                    f"The document {id} has sop.menyusulJika without sop.menyusul. Name the user task before which it "
                    "must have followed.")
