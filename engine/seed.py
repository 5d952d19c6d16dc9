"""The demo office: what an empty installation is filled with, so that a newcomer can sign in and work at once.

Units, positions, people named by their position, holders, bindings and powers, each a row of the stream
`organisation` like any other; the database is marked as a demonstration. It is made once, and never beside real people.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import Connection

from . import organise
from .commands import Actor
from .organisation import (
    ADMINISTRATOR,
    DEFINITIVE,
    OWNER,
    STARTERS,
    STREAM,
    SYSTEM,
    VERIFIER,
    Act,
    AddPerson,
    AddPosition,
    AddUnit,
    AllowUnit,
    AssignAudit,
    Bind,
    Change,
    GrantPower,
    Hold,
    SetCredential,
    SetHead,
    SetSetting,
)
from .store import organisation as store
from .store.database import lock

SignIn = tuple[str, str, str]               # (name, login, password)

KEY = "penyusunan_lkjpd"
KECAMATAN, INSPEKTORAT, BAGIAN_ORGANISASI = "kecamatan_lasem", "inspektorat_daerah", "bagian_organisasi"
GOVERNMENT = "Kabupaten Rembang"
SINCE = "2025-01-02"
NAMESPACE = UUID("0f9a3f0e-93d7-5c55-9d0b-6f1d6b1e4d2a")        # of the demo office's command ids

UNITS = ((KECAMATAN, "Kantor Kecamatan Lasem"), (INSPEKTORAT, "Inspektorat Daerah Kabupaten Rembang"),
         (BAGIAN_ORGANISASI, "Bagian Organisasi Setda Kabupaten Rembang"))
POSITIONS = (                               # id, unit, name, whether many hold it
    ("camat_lasem", KECAMATAN, "Camat Lasem", False),
    ("sekretaris_kecamatan_lasem", KECAMATAN, "Sekretaris Kecamatan Lasem", False),
    ("anggota_tim_penyusun", KECAMATAN, "Anggota Tim Penyusun LKjPD", True),
    ("petugas_penerima_naskah", KECAMATAN, "Petugas Penerima Naskah", False),
    ("pemeriksa_inspektorat", INSPEKTORAT, "Pemeriksa Inspektorat", True),
    ("pengelola_sop", KECAMATAN, "Pengelola SOP", True),
    ("analis_tata_laksana", BAGIAN_ORGANISASI, "Analis Tata Laksana", True),
)
PEOPLE = (                                  # login (and id), name, position, basis
    ("camat", "Camat Lasem", "camat_lasem", "SK Bupati Rembang (contoh)"),
    ("sekcam", "Sekretaris Kecamatan Lasem", "sekretaris_kecamatan_lasem", "SK Bupati Rembang (contoh)"),
    ("tim1", "Anggota Tim Penyusun 1", "anggota_tim_penyusun", "SK Camat Lasem (contoh)"),
    ("tim2", "Anggota Tim Penyusun 2", "anggota_tim_penyusun", "SK Camat Lasem (contoh)"),
    ("inspektorat", "Pemeriksa Inspektorat", "pemeriksa_inspektorat", "SK Bupati Rembang (contoh)"),
    ("penerima", "Petugas Penerima Naskah", "petugas_penerima_naskah", "SK Camat Lasem (contoh)"),
    ("pengelola1", "Pengelola SOP 1", "pengelola_sop", "SK Camat Lasem (contoh)"),
    ("pengelola2", "Pengelola SOP 2", "pengelola_sop", "SK Camat Lasem (contoh)"),
    ("analis", "Analis Tata Laksana", "analis_tata_laksana", "SK Bupati Rembang (contoh)"),
    ("admin", "Administrator", None, ""),
    ("auditor", "Auditor", None, ""),
)
LANES = (                                   # lane, its name as drawn, position, whether another office's
    ("kepala_pd", "Kepala PD", "camat_lasem", False),
    ("sekretaris_pd", "Sekretaris PD", "sekretaris_kecamatan_lasem", False),
    ("tim_penyusun", "Tim Penyusun LKjPD", "anggota_tim_penyusun", False),
    ("inspektorat", "Inspektorat Daerah", "pemeriksa_inspektorat", True),
    (STARTERS, "", "petugas_penerima_naskah", False),
)


def seed_office(db: Connection, key: bytes, at: datetime,
                write_passwords: Callable[[Sequence[SignIn]], None] | None = None) -> list[SignIn]:
    """Make the demo office where nobody is recorded yet; its sign-ins, to be shown once. Otherwise nothing, and [].

    db               a connection in a write transaction.
    key              of the journal's MAC.
    write_passwords  called with the sign-ins before the transaction ends: when it raises, nothing was made.
    """
    lock(db, STREAM)
    if store.load(db).people:
        return []
    actor = Actor(person="sistem", capacity=SYSTEM, signed_in_by="cli")
    requests = [Change(id=str(uuid5(NAMESPACE, str(number))), at=at, actor=actor, act=act)
                for number, act in enumerate(acts())]
    organise.change_all(db, key, requests)
    made = []
    for login, name, _, _ in PEOPLE:
        password = organise.readable_password()
        organise.set_password(db, login, organise.hasher.hash(password), at)
        made.append((name, login, password))
    if write_passwords is not None:
        write_passwords(made)
    return made


def acts() -> list[Act]:
    """What makes the demo office, in order."""
    found: list[Act] = [SetSetting(name="demonstration", value="yes")]
    found += [AddUnit(unit=id, name=name, government=GOVERNMENT) for id, name in UNITS]
    found += [AddPosition(position=id, unit=unit, name=name, many=many) for id, unit, name, many in POSITIONS]
    found += [AddPerson(person=login, name=name, login=login) for login, name, _, _ in PEOPLE]
    found += [GrantPower(person="admin", power=ADMINISTRATOR),
              AssignAudit(assignment="surat_tugas_auditor", person="auditor", number="700/001/2026 (contoh)",
                          units=(KECAMATAN,), valid_from=SINCE, valid_until="2030-12-31"),
              GrantPower(person="pengelola1", power=OWNER, unit=KECAMATAN),
              GrantPower(person="pengelola2", power=OWNER, unit=KECAMATAN),
              GrantPower(person="analis", power=VERIFIER)]
    found += [SetHead(unit=KECAMATAN, position="camat_lasem")]
    found += [Hold(holding=f"{login}_{position}", position=position, person=login, capacity=DEFINITIVE, basis=basis,
                   valid_from=SINCE) for login, _, position, basis in PEOPLE if position]
    found += [Bind(key=KEY, lane=lane, unit=KECAMATAN, position=position, lane_name=name, other_office=other)
              for lane, name, position, other in LANES]
    found.append(AllowUnit(key=KEY, unit=KECAMATAN))
    found += [SetCredential(person=login) for login, _, _, _ in PEOPLE]
    return found
