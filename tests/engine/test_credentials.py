"""Second factors, and what another person of the unit confirms: one administrator cannot become the Camat unseen."""
from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from engine import credentials, organise, seed
from engine import organisation as org
from engine.commands import Actor
from engine.instance import Refused
from engine.store import factors, journal, notices, office_accounts, schema
from engine.store import organisation as store
from engine.store.database import Database, migrate, open_database
from tests.conftest import PostgreSQL

KEY = bytes(range(32))
AT = datetime(2027, 1, 4, 2, 0, tzinfo=UTC)
ADMIN = Actor(person="admin", capacity="administrator", administrator=True)
LASEM = "kecamatan_lasem"
SITE = credentials.Site("localhost", "http://localhost")
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture(scope="module")
def templates(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo office, once in a file and once in PostgreSQL, to be copied."""
    file = tmp_path_factory.mktemp("credentials") / "alur.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(organise, "hasher", QUICK)
        furnished(f"sqlite:///{file}").close()
        furnished(postgresql.create("credentials")).close()
    return file, "credentials"


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, templates: tuple[Path, str], postgresql: PostgreSQL, tmp_path: Path,
           monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """An office of this test's own; everybody has chosen the password "kata sandi " and their login."""
    monkeypatch.setattr(organise, "hasher", QUICK)
    organise.unknown_hash.cache_clear()
    with ExitStack() as until_the_end:
        if request.param == "sqlite":
            shutil.copy(templates[0], tmp_path / "alur.db")
            url = f"sqlite:///{tmp_path / 'alur.db'}"
        else:
            url = until_the_end.enter_context(postgresql.copy(templates[1]))
        database = open_database(url, KEY)
        yield database
        database.close()


def furnished(url: str) -> Database:
    database = open_database(url, KEY)
    migrate(database)
    with database.begin() as db:
        seed.seed_office(db, KEY, AT)
        for login, *_rest in seed.PEOPLE:
            organise.set_password(db, login, QUICK.hash(f"kata sandi {login}"), AT)
    return database


def do(office: Database, id: str, act: org.Act, by: Actor = ADMIN, at: datetime = AT) -> None:
    with office.begin() as db:
        organise.change(db, KEY, org.Change(id=id, at=at, actor=by, act=act))


def pending(office: Database) -> list[org.Confirmation]:
    with office.read() as db:
        return [one for one in store.load(db).confirmations.values() if one.state == org.PENDING]


def confirmers(office: Database, one: org.Confirmation) -> set[str]:
    with office.read() as db:
        return set(organise.who_confirms(db, one, AT))


def answer(office: Database, by: str, right: bool, reason: str = "") -> None:
    [one] = pending(office)
    with office.begin() as db:
        organise.answer(db, KEY, id=f"jawab-{by}", confirmation=one.id, right=right, reason=reason,
                        by=Actor(person=by), at=AT + timedelta(hours=1))


def told(office: Database) -> set[str]:
    with office.read() as db:
        return set(db.execute(select(schema.notice.c.person).where(
            schema.notice.c.kind == organise.CHANGED)).scalars())


PLH = org.Hold(holding="plh", position="camat_lasem", person="tim1", capacity="plh", basis="SP 1",
               valid_from="2027-01-04", valid_until="2027-01-08")
TO_TIM = org.Bind(key=seed.KEY, lane="kepala_pd", unit=LASEM, position="anggota_tim_penyusun")


# What is asked, of whom

def test_a_new_holder_is_asked_of_the_unit_and_neither_of_them_nor_of_the_administrator(office: Database) -> None:
    do(office, "c1", PLH)
    [one] = pending(office)
    assert (one.kind, one.person, one.unit, one.asked_by) == ("pemegang", "tim1", LASEM, "admin")
    assert confirmers(office, one) == {"camat", "sekcam", "tim2", "penerima", "pengelola1", "pengelola2"}
    assert told(office) >= {"tim1", "camat"}, "the holder, and who had it"


def test_a_new_binding_is_asked_of_those_who_gain_nothing_by_it(office: Database) -> None:
    do(office, "c1", TO_TIM)
    [one] = pending(office)
    assert one.previous == "camat_lasem" and one.kind == "pelaksana"
    assert confirmers(office, one) & {"tim1", "tim2", "admin"} == set()
    assert {"camat", "sekcam"} <= confirmers(office, one) and {"camat", "tim1", "tim2"} <= told(office)


def test_a_reset_is_asked_of_the_unit_and_told_to_the_person_and_who_is_above_them(office: Database) -> None:
    with office.begin() as db:
        organise.reset_password(db, KEY, id="r", person="sekcam", by=ADMIN, at=AT)
    [one] = pending(office)
    assert (one.kind, one.person) == ("kredensial", "sekcam")
    assert "camat" in confirmers(office, one) and not {"sekcam", "admin"} & confirmers(office, one)
    assert told(office) == {"sekcam", "camat"}
    with office.read() as db:
        assert factors.unknown_to(db, "camat") == factors.unknown_to(db, "sekcam") == (one.id,)


def test_the_command_line_is_asked_about_too_and_no_administrator_answers_for_it(office: Database) -> None:
    do(office, "h", org.Hold(holding="h", position="pengelola_sop", person="admin", capacity="definitif",
                             valid_from="2027-01-01"), Actor(person="sistem", capacity=org.SYSTEM, signed_in_by="cli"))
    with office.begin() as db:
        organise.reset_password(db, KEY, id="r", person="camat", at=AT,
                                by=Actor(person="sistem", capacity=org.SYSTEM, signed_in_by="cli"))
    [one] = [one for one in pending(office) if one.kind == "kredensial"]
    assert "sekcam" in confirmers(office, one) and "admin" not in confirmers(office, one)


def test_while_an_office_is_set_up_nobody_is_asked(database_url: str) -> None:
    database = open_database(database_url, KEY)
    migrate(database)
    with database.begin() as db:
        seed.seed_office(db, KEY, AT)
        for login, *_rest in seed.PEOPLE:
            organise.set_password(db, login, QUICK.hash("x"), AT, temporary=True)
    do(database, "c1", PLH)
    assert pending(database) == []
    with database.begin() as db:
        factors.signed_in(db, "sekcam", AT, "oidc")
    do(database, "c2", TO_TIM)
    assert [one.kind for one in pending(database)] == ["pelaksana"], "from the first colleague on"
    database.close()


def test_a_newcomers_first_slip_and_a_repeated_binding_ask_nothing(office: Database) -> None:
    do(office, "p", org.AddPerson(person="baru", name="Pegawai Baru", login="baru"))
    with office.begin() as db:
        organise.reset_password(db, KEY, id="r", person="baru", by=ADMIN, at=AT)
    do(office, "b", org.Bind(key=seed.KEY, lane="kepala_pd", unit=LASEM, position="camat_lasem", lane_name="Kepala"))
    assert pending(office) == []


def test_somebody_without_a_position_is_answered_for_by_another_administrator(office: Database) -> None:
    do(office, "g", org.GrantPower(person="penerima", power="administrator"))
    with office.begin() as db:
        organise.reset_password(db, KEY, id="r", person="auditor", by=ADMIN, at=AT)
    [one] = [one for one in pending(office) if one.kind == "kredensial"]
    assert (one.unit, confirmers(office, one)) == ("", {"penerima"})


@pytest.mark.parametrize("power, unit, of_unit, above", [
    ("administrator", "", LASEM, {"camat"}), ("pemilik", LASEM, LASEM, {"camat"}),
    ("verifikator", "", LASEM, {"camat"})])
def test_a_power_is_asked_about_and_told_to_who_gains_it_and_who_is_above(
        office: Database, power: str, unit: str, of_unit: str, above: set[str]) -> None:
    do(office, "g", org.GrantPower(person="tim1", power=power, unit=unit))
    [one] = pending(office)
    assert (one.kind, one.person, one.subject, one.unit) == ("kuasa", "tim1", f"{power}/{unit}", of_unit)
    assert "sekcam" in confirmers(office, one) and not {"tim1", "admin"} & confirmers(office, one)
    assert told(office) == {"tim1", *above}
    with office.read() as db:
        assert factors.unknown_to(db, "camat") == factors.unknown_to(db, "tim1") == (one.id,)
        [notice] = notices.of_person(db, "tim1")
    assert notice.subject == "Kuasa baru" and "menunggu konfirmasi orang lain" in notice.body


def test_a_surat_tugas_is_asked_of_the_office_that_is_audited_and_told_to_every_head(office: Database) -> None:
    do(office, "a", org.AssignAudit(assignment="st", person="auditor", number="700/1", valid_from="2027-01-01",
                                    valid_until="2027-01-31", units=(LASEM, "bagian_organisasi")))
    [one] = pending(office)
    assert (one.kind, one.person, one.subject, one.unit) == ("surat_tugas", "auditor", "st", LASEM)
    assert "sekcam" in confirmers(office, one) and not {"auditor", "admin"} & confirmers(office, one)
    assert {"auditor", "camat"} <= told(office)
    answer(office, "camat", False, "Tidak ada surat tugas")
    with office.read() as db:
        stood = store.load(db)
        assert stood.assignments["st"].valid_until == "2027-01-03", "what was read until yesterday was read by right"
        assert not [one for one in store.audits(db, "auditor", AT) if one.number == "700/1"]


def test_a_new_administrator_is_told_to_the_others_and_one_without_a_unit_is_answered_for_by_them(
        office: Database) -> None:
    do(office, "g1", org.GrantPower(person="penerima", power="administrator"))
    answer(office, "camat", True)
    do(office, "g2", org.GrantPower(person="auditor", power="administrator"))
    [one] = pending(office)
    assert (one.unit, confirmers(office, one)) == ("", {"penerima"}) and {"auditor", "penerima"} <= told(office)


# The answer

@pytest.mark.parametrize("by", ["admin", "tim1", "inspektorat", "auditor"])
def test_who_is_not_asked_cannot_answer(office: Database, by: str) -> None:
    do(office, "c1", PLH)
    for right in (True, False):
        with pytest.raises(Refused) as caught:
            answer(office, by, right, "sebab")
        assert caught.value.code == "not_yours"
    assert len(pending(office)) == 1


def test_a_change_that_is_right_stays_and_is_asked_no_more(office: Database) -> None:
    do(office, "c1", PLH)
    answer(office, "sekcam", True)
    assert pending(office) == []
    with office.begin() as db:
        assert store.load(db).holdings["plh"].valid_until == "2027-01-08"
        stood = store.load(db)
        assert organise.rebuild(db) == stood, "the confirmations are a shadow of the stream too"


def test_a_holder_who_is_not_right_holds_no_longer_and_administrators_and_the_head_know(office: Database) -> None:
    do(office, "c1", PLH)
    with office.begin() as db:
        db.execute(schema.session.insert().values(id="s", person="tim1", data="{}", created_at="", seen_at="",
                                                  expires_at=""))
    with pytest.raises(Refused) as caught:
        answer(office, "sekcam", False)
    assert [one.place for one in caught.value.problems] == ["reason"]
    answer(office, "sekcam", False, "Camat tidak cuti")
    with office.read() as db:
        assert not store.load(db).holdings["plh"].holds("2027-01-04")
        assert db.execute(select(schema.session.c.id)).all() == []
        subjects = {(one.person, one.subject) for person in ("admin", "camat")
                    for one in notices.of_person(db, person)}
    assert ("admin", "Tidak benar: pemegang jabatan baru") in subjects
    with pytest.raises(Refused):
        with office.begin() as db:
            organise.answer(db, KEY, id="lagi", confirmation="c1-tanya", right=True, by=Actor(person="camat"), at=AT)


def test_a_binding_that_is_not_right_is_as_it_was_before(office: Database) -> None:
    do(office, "c1", TO_TIM)
    answer(office, "sekcam", False, "Keliru")
    with office.read() as db:
        assert store.load(db).bindings[seed.KEY, "kepala_pd", LASEM].position == "camat_lasem"


def test_a_new_binding_that_is_not_right_leaves_the_lane_to_nobody_and_a_newer_one_alone(office: Database) -> None:
    new = org.Bind(key=seed.KEY, lane="baru", unit=LASEM, position="camat_lasem")
    do(office, "c1", new)
    answer(office, "sekcam", False, "Keliru")
    with office.read() as db:
        assert (seed.KEY, "baru", LASEM) not in store.load(db).bindings


def test_a_head_who_is_not_right_is_no_head(office: Database) -> None:
    do(office, "c1", org.SetHead(unit=LASEM, position="sekretaris_kecamatan_lasem"))
    answer(office, "tim1", False, "Keliru")
    with office.read() as db:
        assert store.load(db).units[LASEM].head == "camat_lasem"


def test_a_power_that_is_not_right_is_gone_with_the_sessions_and_one_granted_anew_stays(office: Database) -> None:
    do(office, "g1", org.GrantPower(person="tim1", power="administrator"))
    with office.begin() as db:
        db.execute(schema.session.insert().values(id="s", person="tim1", data="{}", created_at="", seen_at="",
                                                  expires_at=""))
    answer(office, "sekcam", False, "Bukan administrator")
    with office.begin() as db:
        assert store.load(db).administrators() == ["admin"] and not store.is_administrator(db, "tim1")
        assert db.execute(select(schema.session.c.id)).all() == []
        stood = store.load(db)
        assert organise.rebuild(db) == stood
    do(office, "g2", org.GrantPower(person="tim1", power="pemilik", unit=LASEM))
    first = pending(office)[0]
    later = AT + timedelta(hours=2)
    do(office, "r", org.RevokePower(person="tim1", power="pemilik", unit=LASEM), at=later)
    do(office, "g3", org.GrantPower(person="tim1", power="pemilik", unit=LASEM), at=later)
    with office.begin() as db:
        organise.answer(db, KEY, id="x", confirmation=first.id, right=False, reason="Dahulu keliru",
                        by=Actor(person="sekcam"), at=later)
        assert store.has_power(db, "tim1", "pemilik", LASEM)


def test_the_last_administrator_is_not_said_to_be_none(office: Database) -> None:
    do(office, "g", org.GrantPower(person="tim1", power="administrator"))
    do(office, "r", org.RevokePower(person="admin", power="administrator"), Actor(person="tim1"))
    with pytest.raises(Refused, match="administrator terakhir"):
        answer(office, "sekcam", False, "Keliru")
    assert len(pending(office)) == 1


def test_a_reset_that_is_not_right_shuts_everybody_out_of_the_account(office: Database) -> None:
    enrol(office, "sekcam")
    with office.begin() as db:
        office_accounts.link(db, KEY, office_accounts.OfficeAccount("https://masuk", "s1", "sekcam", "S", AT), "tautan")
        slip = organise.reset_password(db, KEY, id="r", person="sekcam", by=ADMIN, at=AT)
    answer(office, "camat", False, "Sekretaris tidak memintanya")
    with pytest.raises(Refused):
        organise.sign_in(office, "sekcam", slip, AT, "10.0.0.1")
    with office.read() as db:
        assert factors.of_person(db, "sekcam") == ()
        assert office_accounts.find(db, "https://masuk", "s1") is None


def test_losing_a_power_and_having_to_show_more_end_the_sessions(office: Database) -> None:
    for act in (org.RevokePower(person="analis", power="verifikator"), org.RequireSecondFactor(person="analis")):
        with office.begin() as db:
            db.execute(schema.session.insert().values(id="s", person="analis", data="{}", created_at="", seen_at="",
                                                      expires_at=""))
        do(office, type(act).__name__, act)
        with office.read() as db:
            assert db.execute(select(schema.session.c.id)).all() == []


def test_nobody_but_the_person_and_an_administrator_changes_a_second_factor(office: Database) -> None:
    for act in (org.EnrolSecondFactor(person="camat", kind="totp"), org.RemoveSecondFactor(person="camat"),
                org.RequireSecondFactor(person="camat")):
        with pytest.raises(Refused) as caught:
            do(office, "x", act, Actor(person="sekcam"))
        assert caught.value.code == "not_yours"


# Second factors

def enrol(office: Database, person: str, secret: str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP") -> tuple[str, ...]:
    return credentials.enrol_totp(office, person, secret, pyotp.TOTP(secret).at(AT), AT, id=f"pasang-{person}").codes


SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(at: datetime) -> str:
    return pyotp.TOTP(SECRET).at(at)


def refused(office: Database, typed: str, at: datetime, person: str = "camat") -> str:
    with pytest.raises(Refused) as caught:
        credentials.verify_code(office, person, typed, at, "10.0.0.1")
    return caught.value.code


def test_a_code_is_accepted_once_and_a_step_to_each_side(office: Database) -> None:
    enrol(office, "camat")
    assert refused(office, code(AT), AT) == "wrong", "the code that enrolled it is used up"
    later = AT + timedelta(minutes=5)
    for off in (-30, 0, 30):
        assert credentials.verify_code(office, "camat", code(later + timedelta(seconds=off)), later, "") == "totp"
    assert refused(office, code(later), later) == "wrong", "what was accepted is not accepted again"
    much = later + timedelta(hours=1)
    assert refused(office, code(much - timedelta(seconds=61)), much) == "wrong"


def test_what_is_no_code_is_refused(office: Database) -> None:
    enrol(office, "camat")
    for n, typed in enumerate(("", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\0" * 6, "\ud800" * 6, "9" * 100_000)):
        assert refused(office, typed, AT + timedelta(hours=n + 1)) == "wrong", repr(typed[:9])


def test_a_recovery_code_is_good_once_and_stands_nowhere_in_clear(office: Database) -> None:
    codes = enrol(office, "camat")
    assert len(set(codes)) == 10
    later = AT + timedelta(minutes=5)
    assert credentials.verify_code(office, "camat", codes[0].upper().replace("-", " "), later, "") == "kode"
    assert refused(office, codes[0], later) == "wrong"
    assert refused(office, codes[1], later, person="sekcam") == "wrong", "they are one person's"
    with office.read() as db:
        assert factors.codes_left(db, "camat") == 9
        rows = str(db.execute(select(schema.recovery_code)).all()) + str(db.execute(select(schema.second_factor)).all())
        bodies = b"".join(bytes(one) for one in db.execute(select(schema.journal.c.body)).scalars()).decode()
    assert SECRET not in rows + bodies and not any(one in rows + bodies for one in codes)


def test_a_sealed_secret_opens_for_its_person_and_its_key_only(office: Database) -> None:
    sealed = credentials.seal(KEY, "camat", SECRET)
    assert credentials.unseal(KEY, "camat", sealed) == SECRET
    assert credentials.unseal(KEY, "sekcam", sealed) is None and credentials.unseal(bytes(32), "camat", sealed) is None
    assert credentials.unseal(KEY, "camat", "") is None
    enrol(office, "camat")
    with office.begin() as db:
        db.execute(update(schema.second_factor).values(secret=credentials.seal(KEY, "sekcam", SECRET)))
    later = AT + timedelta(minutes=5)
    assert refused(office, code(later), later) == "wrong", "a secret moved to another row opens nothing"


def test_codes_are_throttled_as_passwords_are(office: Database) -> None:
    enrol(office, "camat")
    later = AT + timedelta(minutes=5)
    assert [refused(office, "000000", later) for _ in range(7)] == ["wrong"] * 5 + ["throttled"] * 2
    assert refused(office, code(later), later) == "throttled", "the right one too"
    after = later + timedelta(minutes=16)
    assert credentials.verify_code(office, "camat", code(after), after, "10.0.0.1") == "totp"


def test_what_no_authenticator_says_is_refused(office: Database) -> None:
    short = json.dumps({"id": "x", "rawId": "x", "type": "public-key", "response": {}})
    for n, answer in enumerate(("", "[]", "null", "{", "[" * 9_000, "{}", '{"id": "\\u0000"}', '{"id": 7}', short,
                                '{"id": "\\ud800"}', "x" * 30_000)):
        with pytest.raises(Refused) as caught:
            credentials.verify_passkey(office, SITE, answer, b"c" * 32, AT + timedelta(hours=n), "10.0.0.1")
        assert caught.value.code == "wrong"
        with pytest.raises(Refused):
            credentials.enrol_passkey(office, SITE, "camat", answer, b"c" * 32, AT, id="x")


def test_an_administrator_removes_a_lost_factor_and_the_unit_is_asked(office: Database) -> None:
    enrol(office, "camat")
    with office.begin() as db:
        credentials.remove(db, KEY, id="l", person="camat", by=ADMIN, at=AT)
        assert factors.of_person(db, "camat") == () and factors.codes_left(db, "camat") == 0
    assert [(one.kind, one.person) for one in pending(office)] == [("faktor", "camat")]


def test_one_removes_ones_own_factor_without_a_question(office: Database) -> None:
    enrol(office, "camat")
    with office.begin() as db:
        [one] = factors.of_person(db, "camat")
        credentials.remove(db, KEY, id="l", person="camat", by=Actor(person="camat"), at=AT, factor=one.id)
    assert pending(office) == []


# Several processes

RIVAL = """
import sys
from datetime import datetime
from argon2 import PasswordHasher
from engine import credentials, organise
from engine.instance import Refused
from engine.store.database import open_database
organise.hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
url, at = sys.argv[1], datetime.fromisoformat(sys.argv[2])
database = open_database(url, bytes(range(32)))
print("ready", flush=True)
sys.stdin.readline()
told = []
for n in range(4):
    for kind in ("sandi", "kode"):
        try:
            if kind == "sandi":
                organise.sign_in(database, "camat", "salah", at, sys.argv[3])
            else:
                credentials.verify_code(database, "sekcam", "000000", at, sys.argv[3])
        except Refused as refused:
            told.append(f"{kind}:{refused.code}")
database.close()
print(" ".join(told), flush=True)
"""


def test_two_processes_count_the_same_failures(postgresql: PostgreSQL) -> None:
    url = postgresql.create("throttle_" + sha256(b"two").hexdigest()[:8])
    database = furnished(url)
    enrol(database, "sekcam")
    at = (AT + timedelta(minutes=5)).isoformat()
    rivals = [subprocess.Popen([sys.executable, "-c", RIVAL, url, at, f"10.0.0.{n}"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) for n in (1, 2)]
    for one in rivals:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    told = " ".join(one.communicate("go\n", timeout=60)[0] for one in rivals).split()
    assert [told.count(one) for one in ("sandi:wrong", "sandi:throttled", "kode:wrong", "kode:throttled")] == \
        [5, 3, 5, 3], "eight tries of each, by two processes: five are judged"
    database.close()


def test_what_is_recorded_of_second_factors_holds_no_secret(office: Database) -> None:
    enrol(office, "camat")
    with office.read() as db:
        last = organise.recorded(db, journal.head(db, org.STREAM)[0])
    assert isinstance(last.act, org.EnrolSecondFactor) and set(vars(last.act)) == {"person", "kind", "factor"}
