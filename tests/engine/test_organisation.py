"""The organisation: what may not be, who may do what on a day, a stream that rebuilds its tables, signing in."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, delete, func, select, update

from engine import import_csv, organise, seed
from engine.commands import Actor
from engine.instance import Refused
from engine.organisation import (
    Act,
    AddPerson,
    AddPosition,
    AddUnit,
    AllowUnit,
    AskConfirmation,
    AssignAudit,
    AuditScope,
    Bind,
    Change,
    ChangePerson,
    ChangePosition,
    ChangeUnit,
    ConfirmReading,
    DeactivatePerson,
    DisallowUnit,
    EndAudit,
    EndHolding,
    GrantPower,
    Hold,
    Organisation,
    ReactivatePerson,
    RevokePower,
    SetCredential,
    SetSetting,
    Unbind,
    WithdrawReading,
    decide,
    evolve,
    local_date,
)
from engine.store import journal, schema
from engine.store import organisation as store
from engine.store.database import Database, migrate, open_database
from engine.store.prepared import heard
from tests.conftest import PostgreSQL

KEY = bytes(range(32))
AT = datetime(2027, 1, 4, 2, 0, tzinfo=UTC)  # Monday 09.00 WIB
MONDAY = date(2027, 1, 4)
LKJPD, LASEM = "penyusunan_lkjpd", "kecamatan_lasem"
CONFIRMED = ConfirmReading(
    key=LKJPD, unit=LASEM, subject="hari", value="kerja", basis="Perpres 21/2023", dated="2023-04-12"
)
SYSTEM = Actor(person="sistem", capacity="sistem")
ADMIN = Actor(person="admin", administrator=True)


QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORDS = {login: f"sandi {login} uji" for login, *_ in seed.PEOPLE}


@pytest.fixture(autouse=True)
def a_quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2id with the least work: what is tested here is not how long it takes to guess."""
    monkeypatch.setattr(organise, "hasher", QUICK)
    organise.unknown_hash.cache_clear()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with empty tables."""
    database = open_database(database_url, KEY)
    migrate(database)
    yield database
    database.close()


def furnish(url: str) -> None:
    """Make the demo office, with the passwords above."""
    database = open_database(url, KEY)
    migrate(database)
    with database.begin() as db:
        organise.change_all(db, KEY, [asked(act, actor=SYSTEM) for act in seed.acts()])
        for login, password in PASSWORDS.items():
            organise.set_password(db, login, QUICK.hash(password), AT)
    database.close()


@pytest.fixture(scope="module")
def sqlite_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("office") / "alur.db"
    furnish(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql_office(postgresql: PostgreSQL) -> str:
    furnish(postgresql.create("organisation"))
    return "organisation"


@pytest.fixture(params=[pytest.param(one, marks=pytest.mark.database) for one in ("sqlite", "postgresql")])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of this test's own, with the demo office: a copy of one that was furnished once."""
    with ExitStack() as until_the_end:
        if request.param == "sqlite":
            shutil.copy(request.getfixturevalue("sqlite_office"), tmp_path / "alur.db")
            url = f"sqlite:///{tmp_path / 'alur.db'}"
        else:
            copy = request.getfixturevalue("postgresql").copy(request.getfixturevalue("postgresql_office"))
            url = until_the_end.enter_context(copy)
        database = open_database(url, KEY)
        yield database
        database.close()


numbers = iter(range(10**9))


def asked(act: Act, at: datetime = AT, actor: Actor = ADMIN, id: str = "") -> Change:
    return Change(id=id or f"c{next(numbers)}", at=at, actor=actor, act=act)


def do(database: Database, *acts: Act, at: datetime = AT) -> list[organise.Changed]:
    with database.begin() as db:
        return organise.change_all(db, KEY, [asked(act, at) for act in acts])


def surat_tugas(**other: Any) -> AssignAudit:
    """A surat tugas for the auditor, with something else in it."""
    good: dict[str, Any] = {"assignment": "st9", "person": "auditor", "number": "700/9", "units": (LASEM,),
                            "valid_from": "2027-01-04", "valid_until": "2027-01-08"}
    return AssignAudit(**{**good, **other})


def demo() -> Organisation:
    """The demo office as a value, without a database."""
    organisation = Organisation()
    for act in seed.acts():
        decide(organisation, asked(act, actor=SYSTEM))
        organisation = evolve(organisation, act)
    return organisation


def after(*acts: Act) -> Organisation:
    organisation = demo()
    for act in acts:
        decide(organisation, asked(act))
        organisation = evolve(organisation, act)
    return organisation


def refusal(organisation: Organisation, act: Act, actor: Actor = ADMIN) -> Refused:
    with pytest.raises(Refused) as caught:
        decide(organisation, asked(act, actor=actor))
    return caught.value


def plh(**other: object) -> Hold:
    """The Sekretaris as Plh. of the Camat for a week."""
    return replace(
        Hold(
            holding="plh1",
            position="camat_lasem",
            person="sekcam",
            capacity="plh",
            basis="800/1/2027",
            valid_from="2027-01-04",
            valid_until="2027-01-08",
        ),
        **other,
    )


# What may not be


@pytest.mark.parametrize(
    ("act", "place", "says"),
    [
        (plh(basis=""), "basis", "nomor surat perintah"),
        (plh(capacity="plt", basis=""), "basis", "nomor surat perintah"),
        (plh(valid_until=None), "valid_until", "tanggal berakhir"),
        (plh(valid_until="2027-01-03"), "valid_until", "lebih awal"),
        (plh(valid_from="2027-02-30"), "valid_from", "bukan tanggal"),
        (plh(valid_from="4/1/2027"), "valid_from", "bukan tanggal"),
        (plh(capacity="pjs"), "capacity", "definitif, Plh., atau Plt."),
        (plh(position="bupati"), "position", "tidak ada"),
        (plh(person="nobody"), "person", "tidak ada"),
        (plh(person="camat"), "person", "sudah memegang"),
        (plh(position="anggota_tim_penyusun"), "capacity", "banyak orang"),
        (
            Hold(holding="h", position="camat_lasem", person="sekcam", capacity="definitif", valid_from="2027-06-01"),
            "valid_from",
            "sudah mempunyai pemegang definitif",
        ),
        (
            Hold(
                holding="h",
                position="anggota_tim_penyusun",
                person="tim1",
                capacity="definitif",
                valid_from="2027-06-01",
            ),
            "person",
            "sudah memegang",
        ),
        (AddPerson(person="x1", name="Anggota", login="ab"), "login", "3 sampai 40"),
        (AddPerson(person="x1", name="Anggota", login="Anggota 1"), "login", "3 sampai 40"),
        (AddPerson(person="x1", name="Anggota", login="camat"), "login", "sudah dipakai Camat Lasem"),
        (AddPerson(person="x1", name="Anggota", login="199001012015011001"), "login", "tidak boleh berupa NIP"),
        (AddPerson(person="x1", name="Anggota", login="anggota", nip="123"), "nip", "18 angka"),
        (AddPerson(person="x1", name="Anggota", login="anggota", email="di-sini"), "email", "tidak lengkap"),
        (AddPerson(person="x1", name="", login="anggota"), "name", "belum diisi"),
        (AddPerson(person="x1", name="Ang\u202egota", login="anggota"), "name", "tidak terlihat"),
        (AddPerson(person="timer", name="Anggota", login="anggota"), "person", "tidak dapat menjadi"),
        (AddPerson(person="camat", name="Anggota", login="anggota"), "person", "sudah ada"),
        (ChangePerson(person="nobody", name="Anggota", login="anggota"), "person", "tidak ada"),
        (AddUnit(unit="x", name="Kantor Kecamatan LASEM"), "name", "sudah ada"),
        (AddUnit(unit="X y", name="Kecamatan Pancur"), "unit", "huruf kecil"),
        (AddUnit(unit="x", name="Kecamatan Pancur", zone="Europe/Berlin"), "zone", "tidak dikenal"),
        (AddUnit(unit="x", name="Kecamatan Pancur", parent="nowhere"), "parent", "tidak ada"),
        (ChangeUnit(unit=LASEM, name="Kantor Kecamatan Lasem", parent=LASEM), "parent", "tidak boleh unit itu sendiri"),
        (AddPosition(position="x", unit="nowhere", name="Kepala"), "unit", "tidak ada"),
        (AddPosition(position="x", unit=LASEM, name="Camat Lasem"), "name", "sudah ada di unit ini"),
        (ChangePosition(position="anggota_tim_penyusun", name="Anggota Tim", many=False), "many", "beberapa pemegang"),
        (
            Bind(key=LKJPD, lane="kepala_pd", unit=LASEM, position="pemeriksa_inspektorat"),
            "position",
            "bukan Kantor Kecamatan",
        ),
        (Bind(key=LKJPD, lane="kepala_pd", unit=LASEM, position="bupati"), "position", "tidak ada"),
        (GrantPower(person="camat", power="raja"), "power", "administrator atau auditor"),
        (GrantPower(person="camat", power="administrator", unit=LASEM), "unit", "seluruh aplikasi"),
        (GrantPower(person="analis", power="verifikator"), "person", "sudah mempunyai"),
        (surat_tugas(person="nobody"), "person", "tidak ada"),
        (surat_tugas(number=" "), "number", "belum diisi"),
        (surat_tugas(number="700/001/2026 (contoh)"), "number", "sudah dicatat"),
        (surat_tugas(units=()), "units", "belum dipilih"),
        (surat_tugas(units=(LASEM, "nowhere")), "units", "tidak ada"),
        (surat_tugas(units=(LASEM, LASEM)), "units", "dua kali"),
        (surat_tugas(years=(26,)), "years", "empat angka"),
        (surat_tugas(years=(2026, 2026)), "years", "masing-masing sekali"),
        (surat_tugas(valid_until="2027-01-03"), "valid_until", "lebih awal"),
        (surat_tugas(valid_until=""), "valid_until", "bukan tanggal"),
        (EndAudit(assignment="nothing", valid_until="2027-01-04"), "assignment", "tidak ada"),
        (EndAudit(assignment="surat_tugas_auditor", valid_until="2024-12-31"), "valid_until", "sehari sebelum"),
        (EndAudit(assignment="surat_tugas_auditor", valid_until="2031-01-01"), "valid_until", "surat tugas baru"),
        (RevokePower(person="admin", power="administrator"), "person", "administrator terakhir"),
        (DeactivatePerson(person="admin"), "person", "administrator terakhir"),
        (DeactivatePerson(person="camat"), "last_day", "masih memegang Camat Lasem"),
        (ReactivatePerson(person="camat"), "person", "masih aktif"),
        (EndHolding(holding="camat_camat_lasem", valid_until="2024-12-31"), "valid_until", "sehari sebelum"),
        (AllowUnit(key=LKJPD, unit="nowhere"), "unit", "tidak ada"),
        (AllowUnit(key=LKJPD, unit=LASEM, facts={"nomor": "1"}), "nomor", "bukan nama fakta"),
        (SetSetting(name="theme", value="dark"), "name", "tidak dikenal"),
        (replace(CONFIRMED, basis=" "), "basis", "belum diisi"),
        (replace(CONFIRMED, dated="2017-13-01"), "dated", "bukan tanggal"),
        (replace(CONFIRMED, unit="nowhere"), "unit", "tidak ada"),
    ],
)
def test_what_may_not_be_is_refused_at_its_field_with_a_sentence(act: Act, place: str, says: str) -> None:
    refused = refusal(demo(), act)
    assert [one.place for one in refused.problems] == [place]
    assert says in str(refused)


def test_a_reading_is_confirmed_with_its_basis_and_can_be_withdrawn() -> None:
    one = after(CONFIRMED, replace(CONFIRMED, basis="Perbup 46/2017"))
    assert one.readings[LKJPD, LASEM, "hari"].basis == "Perbup 46/2017"
    undo = WithdrawReading(key=LKJPD, unit=LASEM, subject="hari", reason="Keliru")
    assert evolve(one, undo).readings == {}
    assert refusal(demo(), undo).code == "unknown"
    assert [one.place for one in refusal(one, replace(undo, reason="")).problems] == ["reason"]


def test_an_end_later_than_the_recorded_one_needs_a_new_holding() -> None:
    refused = refusal(after(plh()), EndHolding(holding="plh1", valid_until="2027-02-01"))
    assert "8 Januari 2027" in str(refused)


def test_two_people_cannot_act_for_the_same_position_at_once() -> None:
    refused = refusal(
        after(plh()),
        plh(holding="plt1", capacity="plt", person="tim1", valid_from="2027-01-08", valid_until="2027-02-01"),
    )
    assert "sudah mempunyai pelaksana harian atau pelaksana tugas" in str(refused)


def test_a_plt_may_follow_the_day_after_a_plh_ended() -> None:
    organisation = after(
        plh(), plh(holding="plt1", capacity="plt", person="tim1", valid_from="2027-01-09", valid_until="2027-02-01")
    )
    assert organisation.holdings["plt1"].capacity == "plt"


def test_a_holding_that_never_held_stands_in_nobodys_way() -> None:
    organisation = after(
        plh(), EndHolding(holding="plh1", valid_until="2027-01-03"), plh(holding="plh2", person="tim1")
    )
    assert organisation.holdings["plh1"].holds("2027-01-04") is False
    assert organisation.holdings["plh2"].holds("2027-01-04") is True


@pytest.mark.parametrize(("until", "warned"), [("2027-04-03", False), ("2027-04-04", True)])
def test_a_plt_of_more_than_three_months_is_allowed_with_a_warning(until: str, warned: bool) -> None:
    warnings = decide(demo(), asked(plh(capacity="plt", valid_until=until)))
    assert ["tiga bulan" in one for one in warnings] == [True] * warned


def test_three_months_from_the_end_of_november_end_with_february() -> None:
    assert decide(demo(), asked(plh(capacity="plt", valid_from="2027-11-30", valid_until="2028-02-28"))) == ()


def test_a_position_of_the_parent_unit_may_perform_a_lane() -> None:
    organisation = after(
        AddUnit(unit="seksi", name="Seksi Pemerintahan", parent=LASEM),
        Bind(key=LKJPD, lane="kepala_pd", unit="seksi", position="camat_lasem"),
    )
    assert organisation.bindings[LKJPD, "kepala_pd", "seksi"].position == "camat_lasem"


def test_another_offices_lane_may_be_performed_by_any_units_position() -> None:
    organisation = after(
        Unbind(key=LKJPD, lane="inspektorat", unit=LASEM),
        Bind(key=LKJPD, lane="inspektorat", unit=LASEM, position="pemeriksa_inspektorat", other_office=True),
    )
    assert organisation.bindings[LKJPD, "inspektorat", LASEM].position == "pemeriksa_inspektorat"


def test_units_cannot_stand_in_a_circle() -> None:
    organisation = after(AddUnit(unit="a", name="A", parent=LASEM), AddUnit(unit="b", name="B", parent="a"))
    assert refusal(organisation, ChangeUnit(unit="a", name="A", parent="b")).problems[0].place == "parent"


def test_deactivating_with_a_last_day_ends_what_is_still_held_and_nothing_else() -> None:
    organisation = after(plh(), DeactivatePerson(person="sekcam", last_day="2027-01-06"))
    assert organisation.people["sekcam"].active is False
    assert {one.id: one.valid_until for one in organisation.holdings.values() if one.valid_until} == {
        "plh1": "2027-01-06",
        "sekcam_sekretaris_kecamatan_lasem": "2027-01-06",
    }


def test_a_holding_that_begins_after_the_last_day_never_held() -> None:
    organisation = after(
        plh(valid_from="2027-02-01", valid_until="2027-02-05"), DeactivatePerson(person="sekcam", last_day="2027-01-06")
    )
    assert organisation.holdings["plh1"].valid_until == "2027-01-31"


def test_an_administrator_can_leave_once_there_is_another() -> None:
    organisation = after(
        GrantPower(person="sekcam", power="administrator"), RevokePower(person="admin", power="administrator")
    )
    assert organisation.administrators() == ["sekcam"]


def test_an_inactive_administrator_does_not_count_as_the_other_one() -> None:
    organisation = after(GrantPower(person="auditor", power="administrator"), DeactivatePerson(person="auditor"))
    assert "administrator terakhir" in str(refusal(organisation, RevokePower(person="admin", power="administrator")))


@pytest.mark.parametrize(
    "actor",
    [
        Actor(person="camat"),
        Actor(person="camat", administrator=True, capacity="sistem"),
        Actor(person="nobody"),
    ],
    ids=["a person", "a person who says he is the system", "nobody"],
)
def test_only_an_active_administrator_changes_the_organisation(actor: Actor) -> None:
    assert refusal(demo(), AddUnit(unit="x", name="X"), actor).code == "not_yours"


def test_a_person_sets_their_own_password_but_nobody_elses() -> None:
    assert decide(demo(), asked(SetCredential(person="camat"), actor=Actor(person="camat"))) == ()
    assert refusal(demo(), SetCredential(person="sekcam"), Actor(person="camat")).code == "not_yours"


@pytest.mark.parametrize(
    ("zone", "expected"), [("Asia/Jakarta", date(2027, 1, 4)), ("Asia/Jayapura", date(2027, 1, 5))]
)
def test_the_date_is_that_of_the_units_zone(zone: str, expected: date) -> None:
    assert local_date(datetime(2027, 1, 4, 16, 30, tzinfo=UTC), zone) == expected


# The stream and its tables

LIFE: tuple[Act, ...] = (
    AddUnit(unit="seksi", name="Seksi Pemerintahan", parent=LASEM),
    ChangeUnit(unit="seksi", name="Seksi Tata Pemerintahan"),
    AddPosition(position="kasi", unit="seksi", name="Kepala Seksi"),
    ChangePosition(position="kasi", name="Kepala Seksi Tapem"),
    AddPerson(
        person="p9", name="Kepala Seksi", login="kasi", nip="199001012015011001", rank="Penata", email="k@lasem.go.id"
    ),
    ChangePerson(person="p9", name="Kepala Seksi Tapem", login="kasi2", nip=None),
    Hold(holding="h9", position="kasi", person="p9", capacity="definitif", basis="SK 1", valid_from="2026-01-01"),
    plh(),
    EndHolding(holding="plh1", valid_until="2027-01-06", reason="Camat kembali lebih awal"),
    Bind(key=LKJPD, lane="baru", unit=LASEM, position="camat_lasem", lane_name="Lane Baru"),
    Unbind(key=LKJPD, lane="baru", unit=LASEM),
    Bind(
        key=LKJPD,
        lane="kepala_pd",
        unit=LASEM,
        position="sekretaris_kecamatan_lasem",
        lane_name="Kepala Perangkat Daerah",
    ),
    GrantPower(person="p9", power="auditor"),
    GrantPower(person="auditor", power="auditor", unit=LASEM),
    RevokePower(person="auditor", power="auditor", unit=LASEM),
    AssignAudit(assignment="st1", person="p9", number="700/2", units=(LASEM, "seksi"), years=(2025, 2026),
                valid_from="2027-01-01", valid_until="2027-01-31", basis="PKPT 2027"),
    EndAudit(assignment="st1", valid_until="2027-01-15", reason="Selesai lebih awal"),
    AllowUnit(key=LKJPD, unit="seksi", facts={"sop.nomorSop": "000.8.3.3/1"}),
    DisallowUnit(key=LKJPD, unit="seksi"),
    AllowUnit(key=LKJPD, unit=LASEM, facts={"sop.disahkanOleh": "Camat Lasem"}),
    DeactivatePerson(person="p9", last_day="2027-01-05", reason="Pindah"),
    ReactivatePerson(person="p9"),
    CONFIRMED,
    ConfirmReading(key=LKJPD, unit=LASEM, subject="langkah_8", value="tim_penyusun", basis="SK 3", dated="2026-12-01"),
    WithdrawReading(key=LKJPD, unit=LASEM, subject="langkah_8", reason="Keliru"),
)


def tables(db: Connection) -> dict[str, list[tuple[object, ...]]]:
    """Everything that stands in the organisation's tables, sorted."""
    return {
        table.name: sorted((tuple(row) for row in db.execute(select(table))), key=str)
        for table, _, _ in store.TABLES.values()
    }


def test_every_act_is_one_row_and_the_tables_can_be_rebuilt_from_them(office: Database) -> None:
    do(office, *LIFE)
    with office.read() as db:
        recorded = [organise.recorded(db, row).act for row in range(1, journal.head(db, "organisation")[0] + 1)]
    assert [one for one in recorded[len(seed.acts()):] if not isinstance(one, AskConfirmation)] == list(LIFE)
    with office.begin() as db:
        stood = tables(db)
        assert organise.rebuild(db) == store.load(db)
        assert tables(db) == stood


def test_tables_that_somebody_tampered_with_are_as_they_were_after_a_rebuild(office: Database) -> None:
    with office.begin() as db:
        stood = tables(db)
        db.execute(update(schema.binding).values(position="camat_lasem"))
        db.execute(delete(schema.power))
        organise.rebuild(db)
        assert tables(db) == stood


def test_settings_of_other_streams_outlive_a_rebuild(office: Database) -> None:
    with office.begin() as db:
        db.execute(schema.setting.insert().values(name="key_fingerprint", value="ab12"))
        organise.rebuild(db)
        found = db.execute(
            select(schema.setting.c.value).where(schema.setting.c.name == "key_fingerprint")
        ).scalar_one()
    assert found == "ab12"


def test_the_fold_in_memory_equals_the_tables(office: Database) -> None:
    do(office, *LIFE)
    with office.read() as db:
        assert replace(store.load(db), confirmations={}) == after(*LIFE), "what is asked about them is told elsewhere"


def test_names_stand_beside_the_journal_and_passwords_nowhere_in_it(database: Database) -> None:
    with database.begin() as db:
        passwords = [password for _, _, password in seed.seed_office(db, KEY, AT)]
        organise.change(
            db,
            KEY,
            asked(
                AddPerson(
                    person="p9",
                    name="Kepala Seksi Trantib",
                    login="kasi.trantib",
                    nip="199001012015011001",
                    email="trantib@lasem.go.id",
                )
            ),
        )
        bodies = b"".join(bytes(body) for body in db.execute(select(schema.journal.c.body)).scalars())
        values = b"".join(bytes(value) for value in db.execute(select(schema.journal_value.c.value)).scalars())
        hashes = list(db.execute(select(schema.credential.c.password_hash)).scalars())
    for personal in (b"Kepala Seksi Trantib", b"kasi.trantib", b"199001012015011001", b"trantib@lasem.go.id"):
        assert personal not in bodies
        assert personal in values
    for secret in (*(one.encode() for one in passwords), *(one.encode() for one in hashes)):
        assert secret not in bodies + values
    assert len(hashes) == len(seed.PEOPLE)
    assert all(one.startswith("$argon2id$") for one in hashes)


def test_an_erased_person_stays_somebody_after_a_rebuild(office: Database) -> None:
    do(office, AddPerson(person="p9", name="Kepala Seksi", login="kasi", nip="199001012015011001"))
    with office.begin() as db:
        added = journal.head(db, "organisation")[0]
        db.execute(update(schema.journal_value).where(schema.journal_value.c.sequence == added).values(value=None))
        organise.rebuild(db)
        person = store.person_of(db, "p9")
    assert person is not None
    assert (person.name, person.login, person.nip) == ("(nama dihapus)", "dihapus-p9", None)


def test_a_repeat_gives_its_first_row_and_changes_nothing(office: Database) -> None:
    request = asked(AddUnit(unit="pancur", name="Kantor Kecamatan Pancur"), id="same")
    with office.begin() as db:
        first = organise.change(db, KEY, request)
    with office.begin() as db:
        again = organise.change(db, KEY, replace(request, at=AT + timedelta(minutes=1)))
        head = journal.head(db, "organisation")[0]
    assert (again.sequence, head) == (first.sequence, first.sequence)


def test_the_same_id_for_something_else_is_refused(office: Database) -> None:
    with office.begin() as db:
        organise.change(db, KEY, asked(AddUnit(unit="pancur", name="Kantor Kecamatan Pancur"), id="same"))
    with pytest.raises(Refused) as caught, office.begin() as db:
        organise.change(db, KEY, asked(AddUnit(unit="sluke", name="Kantor Kecamatan Sluke"), id="same"))
    assert caught.value.code == "other"


def test_of_several_changes_none_is_made_when_one_is_refused(office: Database) -> None:
    with pytest.raises(Refused):
        do(office, AddUnit(unit="pancur", name="Kantor Kecamatan Pancur"), AddUnit(unit="pancur", name="Lagi"))
    with office.read() as db:
        assert store.unit_of(db, "pancur") is None
        assert journal.head(db, "organisation")[0] == len(seed.acts())


def test_time_in_the_stream_never_goes_back(office: Database) -> None:
    sequence = do(office, AddUnit(unit="pancur", name="Kantor Kecamatan Pancur"), at=AT - timedelta(hours=1))[
        0
    ].sequence
    with office.read() as db:
        recorded = organise.recorded(db, sequence)
    assert (recorded.at, recorded.read_at) == (AT, AT - timedelta(hours=1))


def test_eight_administrators_at_once_write_eight_rows_one_after_another(office: Database) -> None:
    failures: list[BaseException] = []
    together = threading.Barrier(8)

    def add(number: int) -> None:
        try:
            together.wait()
            do(office, AddUnit(unit=f"unit{number}", name=f"Unit {number}"))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failures == []
    with office.read() as db:
        assert journal.head(db, "organisation")[0] == len(seed.acts()) + 8
        assert [entry.sequence for entry in journal.read(db, "organisation")] == list(range(1, len(seed.acts()) + 9))


# Authority


def lanes(database: Database, person: str, on: date = MONDAY, reading: bool = False) -> list[tuple[str, str]]:
    with database.read() as db:
        ask = store.reads if reading else store.performs
        return [(right.lane, right.capacity) for right in ask(db, person, LKJPD, LASEM, on)]


def test_performs_says_lane_position_capacity_and_basis(office: Database) -> None:
    with office.read() as db:
        assert store.performs(db, "camat", LKJPD, LASEM, MONDAY) == (
            store.Right(
                lane="kepala_pd",
                position="camat_lasem",
                position_name="Camat Lasem",
                unit=LASEM,
                capacity="definitif",
                basis="SK Bupati Rembang (contoh)",
            ),
        )
        assert store.performs(db, "inspektorat", LKJPD, LASEM, MONDAY)[0].unit == "inspektorat_daerah"
        assert store.performs(db, "admin", LKJPD, LASEM, MONDAY) == ()
        assert store.performs(db, "camat", LKJPD, "bagian_organisasi", MONDAY) == ()
        assert store.performs(db, "camat", "other_process", LASEM, MONDAY) == ()


def test_a_holding_counts_from_its_first_day_to_its_last(office: Database) -> None:
    do(office, plh())
    sekretaris = ("sekretaris_pd", "definitif")
    assert lanes(office, "sekcam", date(2027, 1, 3)) == [sekretaris]
    assert lanes(office, "sekcam", date(2027, 1, 4)) == [("kepala_pd", "plh"), sekretaris]
    assert lanes(office, "sekcam", date(2027, 1, 8)) == [("kepala_pd", "plh"), sekretaris]
    assert lanes(office, "sekcam", date(2027, 1, 9)) == [sekretaris]


def test_while_a_plh_acts_the_definitive_holder_only_reads(office: Database) -> None:
    do(office, plh())
    assert lanes(office, "camat") == []
    assert lanes(office, "camat", reading=True) == [("kepala_pd", "definitif")]
    assert lanes(office, "camat", date(2027, 1, 9)) == [("kepala_pd", "definitif")]
    with office.read() as db:
        assert store.who_performs(db, LKJPD, "kepala_pd", LASEM, MONDAY) == ("sekcam",)
        assert store.who_performs(db, LKJPD, "kepala_pd", LASEM, date(2027, 1, 9)) == ("camat",)
        assert [(one.lane, one.only_reads) for one in store.serves(db, "camat", MONDAY)] == [("kepala_pd", True)]
        acting = store.holder_now(db, "camat_lasem", MONDAY)
        assert acting is not None
        assert (acting.person, acting.capacity, acting.basis) == ("sekcam", "plh", "800/1/2027")
        assert store.positions_of(db, "camat", MONDAY) == ()


def test_a_position_of_many_is_performed_by_all_of_them(office: Database) -> None:
    with office.read() as db:
        assert store.who_performs(db, LKJPD, "tim_penyusun", LASEM, MONDAY) == ("tim1", "tim2")


def test_an_unbound_lane_is_performed_by_nobody(office: Database) -> None:
    do(office, Unbind(key=LKJPD, lane="kepala_pd", unit=LASEM))
    assert lanes(office, "camat") == []
    with office.read() as db:
        assert store.who_performs(db, LKJPD, "kepala_pd", LASEM, MONDAY) == ()


def test_a_deactivated_person_performs_nothing(office: Database) -> None:
    do(office, DeactivatePerson(person="tim1", last_day="2027-12-31"))
    assert lanes(office, "tim1") == []
    with office.read() as db:
        assert store.who_performs(db, LKJPD, "tim_penyusun", LASEM, MONDAY) == ("tim2",)


def test_authority_costs_one_statement(office: Database) -> None:
    with heard(office.engine) as said, office.read() as db:
        store.performs(db, "camat", LKJPD, LASEM, MONDAY)
    assert len(said) == 1


def test_people_and_units_are_found(office: Database) -> None:
    do(office, ChangePerson(person="camat", name="Camat Lasem", login="camat", nip="198001012005011001"))
    with office.read() as db:
        by_nip = store.by_login(db, "198001012005011001")
        assert by_nip is not None
        assert by_nip == store.person_of(db, "camat") == store.by_login(db, "camat")
        assert store.by_login(db, "nobody") is None
        assert store.names(db, ["camat", "timer", None]) == {"camat": "Camat Lasem"}
        assert store.position_names(db, ["camat_lasem"]) == {"camat_lasem": "Camat Lasem"}
        assert [one.person for one in store.people_of_unit(db, LASEM, MONDAY)] == [
            "tim1",
            "tim2",
            "camat",
            "pengelola1",
            "pengelola2",
            "penerima",
            "sekcam",
        ]
        assert [(one.unit, one.facts) for one in store.units_that_may_start(db, LKJPD)] == [(LASEM, {})]
        assert [(one.power, one.unit) for one in store.powers(db, "analis")] == [("verifikator", "")]
        assert [one.number for one in store.assignments(db, "auditor")] == ["700/001/2026 (contoh)"]
        assert store.is_administrator(db, "admin")
        assert not store.is_administrator(db, "camat")
        unit = store.unit_of_position(db, "camat_lasem")
        assert unit is not None
        assert (unit.id, unit.government) == (LASEM, "Kabupaten Rembang")


# Surat tugas audit


def scopes(database: Database, person: str, at: datetime) -> list[AuditScope]:
    with database.read() as db:
        return list(store.audits(db, person, at))


def test_a_surat_tugas_holds_from_its_first_to_its_last_day_where_its_unit_is_and_ends_by_itself(
    office: Database,
) -> None:
    do(
        office,
        AddUnit(unit="timur", name="Kantor Timur", zone="Asia/Jayapura"),
        surat_tugas(person="camat", units=(LASEM, "timur"), years=(2026,)),
    )

    def where(*at: int) -> list[str]:
        return [one.unit for one in scopes(office, "camat", datetime(2027, 1, *at, tzinfo=UTC))]

    assert where(3, 14, 59) == []
    assert where(3, 15, 0) == ["timur"]  # midnight there, 22.00 in Lasem
    assert where(3, 17, 0) == [LASEM, "timur"]
    assert where(8, 14, 59) == [LASEM, "timur"]
    assert where(8, 15, 0) == [LASEM]
    assert where(8, 17, 0) == []


def test_an_ended_surat_tugas_and_an_inactive_auditor_open_nothing(office: Database) -> None:
    do(office, surat_tugas(person="analis"))
    assert [one.number for one in scopes(office, "analis", AT)] == ["700/9"]
    do(office, EndAudit(assignment="st9", valid_until="2027-01-03", reason="Keliru"))
    assert scopes(office, "analis", AT) == []
    do(office, DeactivatePerson(person="auditor"))
    assert scopes(office, "auditor", AT) == []


def test_the_old_power_auditor_opens_its_unit_without_an_end(office: Database) -> None:
    do(office, GrantPower(person="sekcam", power="auditor", unit=LASEM), GrantPower(person="tim1", power="auditor"))
    later = datetime(2090, 1, 1, tzinfo=UTC)
    assert scopes(office, "sekcam", later) == [AuditScope(unit=LASEM)]
    assert scopes(office, "tim1", later) == [AuditScope(unit="")]


def test_without_a_year_of_report_an_instance_belongs_to_the_year_in_which_it_started_there() -> None:
    scope = AuditScope(unit=LASEM, years=(2027,), number="700/9")
    eve = datetime(2026, 12, 31, 16, 59, tzinfo=UTC)
    assert not scope.covers(LASEM, None, eve)
    assert scope.covers(LASEM, None, eve + timedelta(minutes=1))  # 1 January, 00.00 WIB
    assert scope.covers(LASEM, 2027, eve) and not scope.covers(LASEM, 2026, eve + timedelta(days=9))
    assert not scope.covers("inspektorat_daerah", 2027, eve)


# Imports


def planned(kind: str, text: str, organisation: Organisation | None = None) -> import_csv.Plan:
    ids = (f"n{number}" for number in range(1000))
    rows = import_csv.read(kind, text)
    return import_csv.plan(organisation or demo(), kind, rows, actor=ADMIN, at=AT, id="i", new_id=lambda: next(ids))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_units_are_read_whatever_separates_their_columns(separator: str) -> None:
    lines = ["ID,Nama,Induk", "seksi,Seksi Pemerintahan,kecamatan_lasem", ",,", "sub,Subseksi,seksi"]
    plan = planned("unit", "\ufeff" + "\r\n".join(lines).replace(",", separator))
    assert [change.act for change in plan.changes] == [
        AddUnit(unit="seksi", name="Seksi Pemerintahan", parent=LASEM),
        AddUnit(unit="sub", name="Subseksi", parent="seksi"),
    ]
    assert [(line.number, line.state) for line in plan.lines] == [(2, "baru"), (4, "baru")]


def test_a_column_that_a_file_does_not_have_changes_nothing() -> None:
    plan = planned("unit", "id,nama\nkecamatan_lasem,Kecamatan Lasem\n")
    assert [change.act for change in plan.changes] == [
        ChangeUnit(unit=LASEM, name="Kecamatan Lasem", government="Kabupaten Rembang")
    ]
    assert plan.lines[0].details == ("nama: Kantor Kecamatan Lasem → Kecamatan Lasem",)


def test_positions_are_added_and_changed() -> None:
    plan = planned(
        "jabatan",
        "id,unit,nama,banyak\nkasi,kecamatan_lasem,Kepala Seksi,\nanggota_tim_penyusun,kecamatan_lasem,Anggota,ya\n",
    )
    assert [change.act for change in plan.changes] == [
        AddPosition(position="kasi", unit=LASEM, name="Kepala Seksi"),
        ChangePosition(position="anggota_tim_penyusun", name="Anggota", many=True),
    ]


def test_people_get_their_positions_in_the_same_file() -> None:
    text = "nama_pengguna,nama,nip,jabatan,mulai,dasar\n"
    text += "Tapem,Kepala Seksi,'19900101 201501 1 001,anggota_tim_penyusun,4/1/2027,SK 1\n"
    assert [change.act for change in planned("orang", text).changes] == [
        AddPerson(person="n0", name="Kepala Seksi", login="tapem", nip="199001012015011001"),
        Hold(
            holding="n1",
            position="anggota_tim_penyusun",
            person="n0",
            capacity="definitif",
            valid_from="2027-01-04",
            basis="SK 1",
        ),
    ]


def test_what_was_imported_is_the_same_when_it_is_imported_again() -> None:
    text = import_csv.template("unit").replace("kecamatan_pancur", "pancur")
    first = planned("unit", text)
    again = planned("unit", text, after(*(change.act for change in first.changes)))
    assert [line.state for line in again.lines] == ["sama"]
    assert again.changes == ()


@pytest.mark.parametrize(
    ("kind", "row", "says"),
    [
        ("unit", "seksi,,", "nama: Nama unit belum diisi."),
        ("unit", "seksi,Seksi,nowhere", "induk: Unit induk “nowhere” tidak ada."),
        ("unit", "seksi,Seksi,,,lebih", "lebih banyak kolom"),
        ("jabatan", "kasi,nowhere,Kepala,", "nowhere"),
        ("jabatan", "camat_lasem,inspektorat_daerah,Camat,", "tidak dapat dipindahkan"),
        ("jabatan", "kasi,kecamatan_lasem,Kepala,mungkin", "banyak: isi “ya”"),
        ("orang", "tapem,Kepala Seksi,1.99001E+17,,", "dibulatkan"),
        ("orang", "tapem,Kepala Seksi,,bupati,2027-01-04", "jabatan: “bupati” tidak ada"),
        ("orang", "tapem,Kepala Seksi,,anggota_tim_penyusun,kemarin", "mulai: tanggal mulai"),
        (
            "orang",
            "tapem,Kepala Seksi,,camat_lasem,2027-01-04",
            "mulai: Camat Lasem sudah mempunyai pemegang definitif",
        ),
    ],
)
def test_a_wrong_line_says_its_column_and_leaves_nothing_to_be_done(kind: str, row: str, says: str) -> None:
    headings = {
        "unit": "id,nama,induk",
        "jabatan": "id,unit,nama,banyak",
        "orang": "nama_pengguna,nama,nip,jabatan,mulai",
    }
    plan = planned(kind, f"{headings[kind]}\n{row}\n")
    assert plan.lines[0].state == "galat"
    assert says in plan.lines[0].details[0]
    assert plan.changes == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "kosong"),
        ("id,nama\n", "hanya berisi nama kolom"),
        ("nama\nSeksi\n", "kolom id tidak ada"),
        ("id,nama,warna\nx,y,z\n", "kolom warna tidak dikenal"),
        ("id,nama,nama\nx,y,z\n", "kolom nama ada dua kali"),
        ('id,nama\nx,"y\n', "tidak dapat dibaca"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_what_is_missing(text: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        import_csv.read("unit", text)


def test_a_file_from_an_older_excel_is_read_and_a_workbook_is_not() -> None:
    assert import_csv.text_of("nama\nKafé".encode("cp1252")) == "nama\nKafé"
    with pytest.raises(Refused, match="bukan CSV"):
        import_csv.text_of(b"PK\x03\x04\x00\x00")
    with pytest.raises(Refused, match="terlalu besar"):
        import_csv.text_of(b"x" * (import_csv.MOST_BYTES + 1))


# The demo office


def test_the_demo_office_is_made_once(database: Database) -> None:
    written: list[object] = []
    with database.begin() as db:
        made = seed.seed_office(db, KEY, AT, written.extend)
    with database.begin() as db:
        assert seed.seed_office(db, KEY, AT, written.extend) == []
        assert journal.head(db, "organisation")[0] == len(seed.acts())
        assert (
            db.execute(select(schema.setting.c.value).where(schema.setting.c.name == "demonstration")).scalar() == "yes"
        )
    assert written == made
    assert [login for _, login, _ in made] == [
        "camat",
        "sekcam",
        "tim1",
        "tim2",
        "inspektorat",
        "penerima",
        "pengelola1",
        "pengelola2",
        "analis",
        "admin",
        "auditor",
    ]
    assert len({password for _, _, password in made}) == len(made)


def test_an_office_whose_passwords_could_not_be_written_is_not_made(database: Database) -> None:
    def full(_: object) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"), database.begin() as db:
        seed.seed_office(db, KEY, AT, full)
    with database.read() as db:
        assert journal.head(db, "organisation")[0] == 0


def test_every_lane_of_the_demo_office_has_somebody(office: Database) -> None:
    with office.read() as db:
        assert {lane: store.who_performs(db, LKJPD, lane, LASEM, MONDAY) for lane, _, _, _ in seed.LANES} == {
            "kepala_pd": ("camat",),
            "sekretaris_pd": ("sekcam",),
            "tim_penyusun": ("tim1", "tim2"),
            "inspektorat": ("inspektorat",),
            "pemulai": ("penerima",),
        }


# Signing in

OUR_HASHER = organise.hasher  # before any test made it quick


def test_the_real_hash_is_argon2id_with_the_memory_that_rfc_9106_asks_for() -> None:
    assert OUR_HASHER.type.name == "ID"
    assert (OUR_HASHER.time_cost, OUR_HASHER.memory_cost) >= (3, 64 * 1024)


def attempt(database: Database, login: str, password: str, at: datetime = AT, client: str = "10.0.0.1") -> str:
    """The id of who signed in, or the code of the refusal."""
    try:
        return organise.sign_in(database, login, password, at, client).person.id
    except Refused as refused:
        return refused.code


def failures_kept(database: Database) -> int:
    with database.read() as db:
        return db.execute(select(func.count()).select_from(schema.attempt)).scalar_one()


def test_signing_in_by_login_or_nip(office: Database) -> None:
    do(office, ChangePerson(person="camat", name="Camat Lasem", login="camat", nip="198001012005011001"))
    assert attempt(office, " Camat ", PASSWORDS["camat"]) == "camat"
    assert attempt(office, "198001012005011001", PASSWORDS["camat"]) == "camat"
    assert attempt(office, "camat", PASSWORDS["sekcam"]) == "wrong"
    assert attempt(office, "nobody", PASSWORDS["camat"]) == "wrong"
    assert attempt(office, "", "") == "wrong"


def test_wrong_login_and_wrong_password_are_told_the_same(office: Database) -> None:
    said = set()
    for login in ("camat", "nobody"):
        with pytest.raises(Refused) as caught:
            organise.sign_in(office, login, "wrong", AT, "10.0.0.1")
        said.add(str(caught.value))
    assert len(said) == 1


def test_five_failures_make_a_login_wait_until_the_first_is_a_quarter_of_an_hour_old(office: Database) -> None:
    for minute in range(5):
        assert attempt(office, "camat", "wrong", AT + timedelta(minutes=minute), f"10.0.0.{minute}") == "wrong"
    with pytest.raises(Refused) as caught:
        organise.sign_in(office, "camat", PASSWORDS["camat"], AT + timedelta(minutes=5), "10.0.0.9")
    assert caught.value.code == "throttled"
    assert caught.value.at == AT + timedelta(minutes=15)
    assert "pukul 09.15 WIB, 10 menit lagi" in str(caught.value)
    assert attempt(office, "sekcam", PASSWORDS["sekcam"], AT + timedelta(minutes=5), "10.0.0.9") == "sekcam"
    assert attempt(office, "camat", PASSWORDS["camat"], AT + timedelta(minutes=15, seconds=1)) == "camat"


def test_an_unknown_login_is_throttled_too(office: Database) -> None:
    assert [attempt(office, "nobody", "x") for _ in range(6)] == ["wrong"] * 5 + ["throttled"]


def test_one_address_that_tries_many_logins_is_made_to_wait(office: Database) -> None:
    with office.begin() as db:
        for _ in range(organise.FAILURES_OF_CLIENT):
            store.add_failure(db, "client:10.0.0.1", AT)
    assert attempt(office, "camat", PASSWORDS["camat"], client="10.0.0.1") == "throttled"
    assert attempt(office, "camat", PASSWORDS["camat"], client="10.0.0.2") == "camat"


def test_signing_in_forgets_the_failures_before_it(office: Database) -> None:
    for _ in range(4):
        attempt(office, "camat", "wrong")
    assert attempt(office, "camat", PASSWORDS["camat"]) == "camat"
    assert [attempt(office, "camat", "wrong") for _ in range(6)] == ["wrong"] * 5 + ["throttled"]


def test_parallel_guesses_count_one_another(office: Database) -> None:
    answers: list[str] = []
    together = threading.Barrier(10)

    def guess() -> None:
        together.wait()
        answers.append(attempt(office, "camat", "wrong"))

    threads = [threading.Thread(target=guess) for _ in range(10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers) == ["throttled"] * 5 + ["wrong"] * 5


def test_failures_of_yesterday_are_dropped(office: Database) -> None:
    attempt(office, "camat", "wrong")
    assert failures_kept(office) == 2
    attempt(office, "sekcam", "wrong", AT + timedelta(days=2))
    assert failures_kept(office) == 2


def test_a_deactivated_person_cannot_sign_in_and_is_signed_out(office: Database) -> None:
    with office.begin() as db:
        for number, person in enumerate(("tim1", "tim2")):
            db.execute(
                schema.session.insert().values(
                    id=f"s{number}", person=person, data="{}", created_at="", seen_at="", expires_at=""
                )
            )
    do(office, DeactivatePerson(person="tim1", last_day="2027-01-04"))
    assert attempt(office, "tim1", PASSWORDS["tim1"]) == "wrong"
    with office.read() as db:
        assert db.execute(select(schema.session.c.person)).scalars().all() == ["tim2"]


def test_an_old_hash_is_made_anew_at_sign_in(office: Database) -> None:
    older = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash("kata sandi lama")
    with office.begin() as db:
        store.put_credential(db, "camat", older, AT, temporary=False)
    assert attempt(office, "camat", "kata sandi lama") == "camat"
    with office.read() as db:
        credential = store.credential_of(db, "camat")
    assert credential is not None
    assert not organise.hasher.check_needs_rehash(credential.password_hash)
    assert attempt(office, "camat", "kata sandi lama") == "camat"


# Passwords


def reset(database: Database, person: str, id: str, at: datetime = AT, by: Actor = ADMIN) -> str:
    with database.begin() as db:
        return organise.reset_password(db, KEY, id=id, person=person, by=by, at=at)


def test_a_reset_gives_a_one_time_password_that_must_be_changed(office: Database) -> None:
    slip = reset(office, "camat", "r1")
    assert attempt(office, "camat", PASSWORDS["camat"]) == "wrong"
    assert organise.sign_in(office, "camat", slip, AT, "10.0.0.1").temporary is True
    organise.change_password(office, "camat", slip, "kopi pagi di lasem", AT)
    signed_in = organise.sign_in(office, "camat", "kopi pagi di lasem", AT, "10.0.0.1")
    assert (signed_in.person.id, signed_in.temporary) == ("camat", False)


def test_a_reset_forgets_failures_and_ends_sessions(office: Database) -> None:
    for _ in range(5):
        attempt(office, "camat", "wrong")
    with office.begin() as db:
        db.execute(
            schema.session.insert().values(id="s", person="camat", data="{}", created_at="", seen_at="", expires_at="")
        )
    assert attempt(office, "camat", reset(office, "camat", "r1")) == "camat"
    with office.read() as db:
        assert db.execute(select(schema.session.c.id)).all() == []


def test_a_slip_asked_for_twice_is_one_row_and_the_last_one_printed_opens(office: Database) -> None:
    first, second = reset(office, "camat", "r1"), reset(office, "camat", "r1", AT + timedelta(seconds=1))
    assert attempt(office, "camat", first) == "wrong"
    assert attempt(office, "camat", second) == "camat"
    with office.read() as db:
        assert journal.head(db, "organisation")[0] == len(seed.acts()) + 2, "the reset, and the question about it"


def test_a_used_slip_is_not_made_again(office: Database) -> None:
    organise.change_password(office, "camat", reset(office, "camat", "r1"), "kopi pagi di lasem", AT)
    with pytest.raises(Refused) as caught:
        reset(office, "camat", "r1")
    assert caught.value.code == "other"
    assert attempt(office, "camat", "kopi pagi di lasem") == "camat"


def test_a_slip_of_last_week_no_longer_opens(office: Database) -> None:
    slip = reset(office, "camat", "r1")
    assert attempt(office, "camat", slip, AT + timedelta(days=7, seconds=1)) == "wrong"
    assert attempt(office, "camat", slip, AT + timedelta(days=7)) == "camat"


def test_only_an_administrator_resets_a_password(office: Database) -> None:
    with pytest.raises(Refused) as caught:
        reset(office, "camat", "r1", by=Actor(person="sekcam"))
    assert caught.value.code == "not_yours"
    assert attempt(office, "camat", PASSWORDS["camat"]) == "camat"


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("pendek", "paling sedikit 10"),
        ("x" * 201, "paling banyak 200"),
        ("Camat Lasem", "mudah ditebak"),
        ("aaaaaaaaaaab", "mudah ditebak"),
        ("Password-2026!", "sering dipakai"),
        ("Kecamatan Lasem 1", "unit"),
        ("pernah dicuri orang", "pernah bocor"),
    ],
)
def test_a_weak_password_is_refused_at_its_field(office: Database, new: str, says: str) -> None:
    with pytest.raises(Refused) as caught:
        organise.change_password(office, "camat", PASSWORDS["camat"], new, AT, stolen="pernah dicuri orang".__eq__)
    assert [one.place for one in caught.value.problems] == ["new"]
    assert says in str(caught.value)
    assert attempt(office, "camat", PASSWORDS["camat"]) == "camat"


def test_a_password_is_changed_only_by_who_knows_the_old_one_and_not_by_trying(office: Database) -> None:
    codes = []
    for _ in range(6):
        with pytest.raises(Refused) as caught:
            organise.change_password(office, "camat", "wrong", "kopi pagi di lasem", AT)
        codes.append(caught.value.code)
    assert codes == ["wrong"] * 5 + ["throttled"]


def test_changing_a_password_ends_the_other_sessions_and_a_repeat_is_done_already(office: Database) -> None:
    with office.begin() as db:
        for id in ("mine", "other"):
            db.execute(
                schema.session.insert().values(
                    id=id, person="camat", data="{}", created_at="", seen_at="", expires_at=""
                )
            )
    for _ in range(2):
        organise.change_password(office, "camat", PASSWORDS["camat"], "kopi pagi di lasem", AT, "mine", id="form1")
    with office.read() as db:
        assert db.execute(select(schema.session.c.id)).scalars().all() == ["mine"]
        assert journal.head(db, "organisation")[0] == len(seed.acts()) + 1
