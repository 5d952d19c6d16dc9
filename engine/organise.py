"""The verbs of the organisation: change it, rebuild its tables, sign in, set passwords.

Every change is one row of the stream `organisation`, written in the transaction of its tables: those verbs take an open
connection in a write transaction, and `key`, that of the journal's MAC. Signing in and changing a password take the
Database: they hold no lock while a password is being hashed, and keep a failed attempt though they refuse it.
"""
from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection

from . import passwords
from .commands import Actor
from .instance import Refused
from .organisation import (
    ADMINISTRATOR,
    ASSIGNMENT,
    AUDITOR,
    CREDENTIAL,
    FACTOR,
    HEAD,
    HOLDER,
    OWNER,
    PERFORMER,
    POWER,
    STREAM,
    VERIFIER,
    ZONES,
    AskConfirmation,
    Change,
    Confirmation,
    ConfirmChange,
    DeactivatePerson,
    DisputeChange,
    Organisation,
    Person,
    RequireSecondFactor,
    RevokePower,
    SetCredential,
    acting,
    asked_about,
    confirmers,
    decide,
    evolve,
    listed,
    local_date,
    rows,
    superiors,
    wrong,
)
from .store import factors, journal, notices, office_accounts, records
from .store import organisation as store
from .store.database import Database, lock

WINDOW = timedelta(minutes=15)
FAILURES_OF_LOGIN = 5
# One address stands for a whole office behind one line: five mistakes of five people may not shut out the sixth.
FAILURES_OF_CLIENT = 25
TEMPORARY = timedelta(days=7)               # how long a one-time password waits for its first use

TOLD = UUID("3b6f6f0c-7f0a-5a3b-9a39-6a3a0f6a5e11")     # of notices about a change, by what is told and to whom
CHANGED = "perubahan_wewenang"              # the kind of those notices
SUBJECTS = {CREDENTIAL: "Kata sandi diatur ulang", FACTOR: "Faktor kedua diatur ulang",
            HOLDER: "Pemegang jabatan baru", PERFORMER: "Pelaksana baru", HEAD: "Kepala unit baru",
            POWER: "Kuasa baru", ASSIGNMENT: "Surat tugas audit baru"}
POWER_NAMES = {ADMINISTRATOR: "administrator", AUDITOR: "auditor", OWNER: "pemilik SOP", VERIFIER: "verifikator SOP"}

hasher = PasswordHasher()                   # argon2id, RFC 9106's second recommendation (64 MiB)


# Changing

@dataclass(frozen=True)
class Changed:
    """The row that a change wrote, and what the person who asked should look at."""
    sequence: int
    warnings: tuple[str, ...] = ()


def change(db: Connection, key: bytes, request: Change) -> Changed:
    """Carry out one change: judge it, record it, write its tables. A repeat gives the sequence of its first time.

    Raises Refused: `not_yours`, `unknown`, `wrong`; `other` when the id was used for something else.
    """
    return change_all(db, key, (request,))[0]


def change_all(db: Connection, key: bytes, requests: Iterable[Change]) -> list[Changed]:
    """Carry out several changes in order, each judged against what the ones before it left."""
    lock(db, STREAM)
    writing = _Writing(db, key)
    done = []
    for request in requests:
        found = journal.sequence_of(db, STREAM, request.id)
        if found is not None:
            same_request(db, found, request)
            done.append(Changed(found))
            continue
        before = writing.organisation
        row = writing.append(request)
        done.append(Changed(row.sequence, row.warnings))
        asked = asked_about(before, row.request)
        if asked is not None and writing.is_asked(asked):
            writing.append(replace(row.request, id=asked.confirmation, act=asked, read_at=None))
            announce(db, writing.organisation, asked, row.request.at)
    return done


class _Recorded(NamedTuple):
    sequence: int
    warnings: tuple[str, ...]
    request: Change                         # with the instant at which it was recorded


class _Writing:
    """The stream being written: the organisation as its newest row leaves it."""

    def __init__(self, db: Connection, key: bytes):
        self.db, self.key = db, key
        self.organisation = store.load(db)
        self.sequence, self.prev, self.last = journal.head(db, STREAM)
        self.settled: frozenset[str] | None = None

    def append(self, request: Change) -> _Recorded:
        if self.last is not None and request.at < self.last:
            request = replace(request, at=self.last, read_at=request.at)
        before, act = self.organisation, request.act
        warnings = decide(before, request)
        self.sequence, self.last = self.sequence + 1, request.at
        self.prev = journal.append(self.db, self.key, stream=STREAM, sequence=self.sequence, prev=self.prev,
                                   command_id=request.id, at=request.at, command=request, events=())
        store.put(self.db, before, rows(before, act))
        self.organisation = evolve(before, act)
        # Who lost something, or must show more than before, does not go on in a session that began before it.
        if isinstance(act, DeactivatePerson | RevokePower) or (isinstance(act, RequireSecondFactor) and act.required):
            store.end_sessions(self.db, act.person)
        elif isinstance(act, DisputeChange):
            withdraw(self.db, self.key, before.confirmations[act.confirmation], request)
        return _Recorded(self.sequence, warnings, request)

    def is_asked(self, asked: AskConfirmation) -> bool:
        """Whether somebody is there to be asked. While an office is being set up nobody has signed in yet, so there is
        nobody to ask and nobody to be passed off as; from the first colleague on each change is asked about, whether
        it came by a page, by a file or by the command line."""
        if self.settled is None:
            self.settled = factors.settled(self.db)
        if asked.kind in (CREDENTIAL, FACTOR) and asked.person not in self.settled:
            return False                    # a newcomer's first slip: nobody could have acted in their name before
        asked_at = records.moment(asked.asked_at)
        return bool(confirmers(self.organisation, asked, asked_at) & self.settled)


def withdraw(db: Connection, key: bytes, asked: Confirmation, request: Change) -> None:
    """A change is not right: whoever it let in is out. After a reset that was none of theirs, a person's password,
    second factors and linked account of the office are void too, until they get a new slip."""
    if asked.kind in (CREDENTIAL, FACTOR):
        store.remove_credential(db, asked.person)
        factors.remove(db, asked.person)
        office_accounts.unlink_all(db, key, asked.person, request.actor, request.at, request.id)
    if asked.person:
        store.end_sessions(db, asked.person)


def announce(db: Connection, organisation: Organisation, asked: AskConfirmation, at: datetime) -> None:
    """Tell whom a change concerns, as a notice and at their next sign-in: who gains, who had it, and who is above."""
    def named(id: str) -> str:
        return organisation.people[id].name if id in organisation.people else "Baris perintah server"

    gains, had, above = concerned(organisation, asked, at)
    by, unit = named(asked.asked_by), organisation.units[asked.unit].name if asked.unit in organisation.units else ""
    position = asked.subject.split("/")[-1]
    if asked.kind == HOLDER:
        held = organisation.holdings[asked.subject]
        what = f"{by} mencatat {named(held.person)} sebagai pemegang {organisation.positions[held.position].name}"
    elif asked.kind in (PERFORMER, HEAD):
        name = organisation.positions[position].name
        what = f"{by} menetapkan {name} sebagai {'kepala' if asked.kind == HEAD else 'pelaksana baru untuk'} {unit}"
    elif asked.kind == POWER:
        power, of = asked.subject.split("/")
        over = "" if power == ADMINISTRATOR else f" {organisation.units[of].name if of else 'semua unit'}"
        what = f"{by} memberi {named(asked.person)} kuasa {POWER_NAMES[power]}{over}"
    elif asked.kind == ASSIGNMENT:
        one = organisation.assignments[asked.subject]
        units = listed(organisation.units[id].name for id in one.units)
        what = f"{by} mencatat surat tugas audit {one.number} untuk {named(asked.person)}: {units}"
    else:
        thing = "kata sandi" if asked.kind == CREDENTIAL else "faktor kedua"
        what = f"{by} mengatur ulang {thing} {named(asked.person)}"
    told = (gains | had | above) - {asked.asked_by}
    factors.announce(db, asked.confirmation, told)
    ways = notices.readers(db, told, local_date(at, "Asia/Jakarta"))
    _notify(db, organisation, asked.confirmation, told, ways, at, SUBJECTS[asked.kind],
            f"{what}. Perubahan ini menunggu konfirmasi "
            f"{'orang lain dari unit yang sama' if asked.unit else 'administrator lain'}.",
            "Bila tidak benar, segera beri tahu atasan Anda.")


def _notify(db: Connection, organisation: Organisation, about: str, told: Iterable[str],
            ways: Mapping[str, notices.Reader], at: datetime, subject: str, what: str, then: str) -> None:
    """A notice for each of these people, and a mail for who wants mail at once."""
    def mail(one: str) -> str:
        return "waits" if one in ways and ways[one].email and ways[one].mail == notices.AT_ONCE else "none"

    notices.put(db, [notices.Notice(
        id=str(uuid5(TOLD, f"{about}/{one}")), instance="", user_task=None, kind=CHANGED, person=one, about_at=at,
        subject=subject, created_at=at, body=f"Yth. {organisation.people[one].name},\n\n{what}\n\n{then}",
        mail=mail(one), mail_after=at) for one in told])


def concerned(organisation: Organisation, asked: AskConfirmation, at: datetime) \
        -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """(who gains by a change or whose it is, who had it before, who is above them)."""
    if asked.kind == HOLDER:
        held = organisation.holdings[asked.subject]
        position = organisation.positions[held.position]
        others = [one for one in organisation.holdings.values()
                  if one.position == position.id and one.id != held.id and one.valid_from <= held.valid_from]
        latest = max((one.valid_from for one in others), default="")
        had = frozenset(one.person for one in others if one.valid_from == latest) if not position.many else frozenset()
        gains = frozenset({held.person})
    elif asked.kind in (PERFORMER, HEAD):
        gains = acting(organisation, asked.subject.split("/")[-1], at)
        had = acting(organisation, asked.previous, at) if asked.previous in organisation.positions else frozenset()
    else:
        gains, had = frozenset({asked.person}), frozenset()
    units = organisation.assignments[asked.subject].units if asked.kind == ASSIGNMENT else (asked.unit,)
    above = frozenset().union(*(superiors(organisation, unit, min(gains, default=""), at) for unit in units))
    if asked.kind == POWER and asked.subject == f"{ADMINISTRATOR}/":
        above |= frozenset(organisation.administrators()) - gains
    return gains, had, above


def asked(db: Connection, confirmation: str) -> Confirmation | None:
    """What was asked about a change, answered or not; None where nothing was."""
    return store.load(db).confirmations.get(confirmation)


def who_confirms(db: Connection, one: Confirmation, at: datetime) -> frozenset[str]:
    """Ids of those who may say whether a change is right, as the organisation stands now."""
    return confirmers(store.load(db), one, at)


def answer(db: Connection, key: bytes, *, id: str, confirmation: str, right: bool, reason: str = "", by: Actor,
           at: datetime) -> Changed:
    """A change is right; or it is not, and then it holds no longer, and administrators and the head are told.

    Raises Refused: `not_yours` (who may not say so), `wrong` (answered already, or without a reason).
    """
    lock(db, STREAM)
    organisation = store.load(db)
    one = organisation.confirmations.get(confirmation)
    if one is None:
        raise Refused("unknown", "Perubahan ini tidak menunggu konfirmasi.")
    zone = organisation.units[one.unit].zone if one.unit in organisation.units else "Asia/Jakarta"
    yesterday = (local_date(at, zone) - timedelta(days=1)).isoformat()
    act = (ConfirmChange(confirmation=confirmation) if right
           else DisputeChange(confirmation=confirmation, last_day=yesterday, reason=reason))
    done = change(db, key, Change(id=id, at=at, actor=by, act=act))
    if not right:
        told = {*organisation.administrators(), *superiors(organisation, one.unit, by.person, at)} - {by.person}
        who = organisation.people[by.person].name
        ways = notices.readers(db, told, local_date(at, zone))
        _notify(db, organisation, one.id + "/tidak", told, ways, at, f"Tidak benar: {SUBJECTS[one.kind].lower()}",
                f"{who} menyatakan perubahan ini tidak benar: {SUBJECTS[one.kind].lower()}"
                f"{f' ({organisation.people[one.person].name})' if one.person in organisation.people else ''}. "
                "Perubahan itu tidak berlaku lagi.", "Periksa riwayatnya pada Pengaturan.")
    return done


def recorded(db: Connection, sequence: int) -> Change:
    """The change that a row of the stream records."""
    entry = next(journal.read(db, STREAM, after=sequence - 1))
    change: Change = records.decode(Change, entry.command)
    return change


def same_request(db: Connection, sequence: int, request: Change) -> None:
    before = recorded(db, sequence)
    if before.act != request.act or before.actor.person != request.actor.person:
        raise Refused("other", "Perintah ini sudah pernah dipakai untuk hal lain. Muat ulang halaman, lalu ulangi.")


def rebuild(db: Connection) -> Organisation:
    """Empty the tables and refill them from the stream; what stands in them then. Credentials are no facts and stay.

    Raises records.RecordError at the first row that does not agree with its hash.
    """
    lock(db, STREAM)
    organisation = Organisation()
    for entry in journal.read(db, STREAM):
        organisation = evolve(organisation, records.decode(Change, entry.command).act)
    store.refill(db, organisation)
    return organisation


# Signing in

@dataclass(frozen=True)
class SignedIn:
    person: Person
    temporary: bool                         # a one-time password: they must choose their own first


def sign_in(database: Database, login_or_nip: str, password: str, at: datetime, client: str,
            zone: str = "Asia/Jakarta") -> SignedIn:
    """The person who signs in, by login or NIP.

    client  the address that asks; failures count for it and for the login, within 15 minutes.
    zone    in which the message says until when to wait; `Refused.at` is the same as an instant.
    Raises Refused: `wrong`, or `throttled` after too many failures.
    """
    typed = login_or_nip.strip().lower()
    with database.begin() as db:
        # What no login can hold (NUL, halves of characters) is not asked of a database that cannot hold it either.
        person = store.by_login(db, typed) if typed.isprintable() and len(typed) <= 200 and typed else None
        # A password typed into the wrong field must not stay readable in a table.
        hidden = sha256(typed.encode("utf-8", "replace")).hexdigest()[:32]
        subject = f"person:{person.id}" if person else f"login:{hidden}"
        guess = begin_guess(db, subject, client, at, zone)
        credential = store.credential_of(db, person.id) if person else None
    # Outside any transaction, since it takes long; and the same work for a login that does not exist.
    matches = verify(credential.password_hash if credential else unknown_hash(), password)
    if person is None or credential is None or not matches or not person.active:
        raise Refused("wrong", "Nama pengguna atau kata sandi tidak cocok. Periksa keduanya, lalu coba lagi.")
    if credential.temporary and at - records.moment(credential.changed_at) > TEMPORARY:
        raise Refused("wrong", "Kata sandi sekali pakai ini sudah lewat 7 hari. Mintalah yang baru kepada "
                               "administrator.")
    newer = hasher.hash(password) if hasher.check_needs_rehash(credential.password_hash) else None
    with database.begin() as db:
        end_guess(db, guess)
        if newer:
            store.rehash(db, person.id, credential.password_hash, newer)
    return SignedIn(person, credential.temporary)


Guess = tuple[tuple[str, datetime, int], ...]


def begin_guess(db: Connection, subject: str, client: str, at: datetime, zone: str) -> Guess:
    """Record that a password is about to be tried, as a failure until `end_guess` takes it back.

    Recorded before it is judged, so that parallel guesses count one another. Raises Refused (`throttled`).
    """
    subjects = ((subject, FAILURES_OF_LOGIN), (f"client:{client}", FAILURES_OF_CLIENT))
    waits = []
    for one, most in subjects:
        lock(db, f"sign in {one}")
        failures = store.failures(db, one, at - WINDOW)
        if len(failures) >= most:
            waits.append(failures[most - 1] + WINDOW)
    if waits:
        until = max(waits)
        minutes = -(-int((until - at).total_seconds()) // 60)
        clock = f"{until.astimezone(ZoneInfo(zone)):%H.%M} {ZONES.get(zone, zone)}"
        raise Refused("throttled", f"Terlalu banyak percobaan masuk yang gagal. Coba lagi pukul {clock}, "
                                   f"{minutes} menit lagi.", at=until)
    store.forget_old_failures(db, at - timedelta(days=1))
    return tuple((one, at, store.add_failure(db, one, at)) for one, _ in subjects)


def end_guess(db: Connection, guess: Guess) -> None:
    """The guess was right: the failures of its login are forgotten, of its client only this one."""
    (subject, _, _), (client, at, number) = guess
    store.forget_failures(db, subject)
    store.forget_failure(db, client, at, number)


def verify(password_hash: str, password: str) -> bool:
    try:
        return len(password) <= passwords.LONGEST and hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


@cache
def unknown_hash() -> str:
    return hasher.hash(secrets.token_hex(16))


# Passwords

def must_change_password(db: Connection, person: str) -> bool:
    """Whether the person signed in with a one-time password and must choose their own first."""
    credential = store.credential_of(db, person)
    return credential is not None and credential.temporary


def reset_password(db: Connection, key: bytes, *, id: str, person: str, by: Actor, at: datetime) -> str:
    """A one-time password for a person, to be printed once; it must be changed at the next sign-in.

    Their sessions end. A repeat with the same id draws another, as long as the first was not used: only a hash is kept.
    Raises Refused: `not_yours`, `unknown`, `wrong`, `other`.
    """
    request = Change(id=id, at=at, actor=by, act=SetCredential(person=person, temporary=True))
    before = journal.sequence_of(db, STREAM, id)
    done = change(db, key, request)
    password = readable_password()
    password_hash = hasher.hash(password)
    set_at = recorded(db, done.sequence).at
    if before is not None:
        credential = store.credential_of(db, person)
        if credential is None or not credential.temporary or credential.changed_at != records.instant(set_at):
            raise Refused("other", "Slip ini sudah dibuat dan kata sandinya sudah diganti. Buat slip baru "
                                      "bila masih perlu.")
    set_password(db, person, password_hash, set_at, temporary=True)
    return password


def set_password(db: Connection, person: str, password_hash: str, at: datetime, temporary: bool = False,
                 session: str | None = None) -> None:
    """Keep the hash of a password whose SetCredential was recorded; their sessions but `session` end."""
    store.put_credential(db, person, password_hash, at, temporary)
    store.forget_failures(db, f"person:{person}")
    store.end_sessions(db, person, keep=session)


def change_password(database: Database, person: str, old: str, new: str, at: datetime, session: str | None = None, *,
                    id: str | None = None, client: str = "", zone: str = "Asia/Jakarta",
                    stolen: Callable[[str], bool] | None = None) -> None:
    """Set the password that a person chose.

    session  the id of the session that stays; their others end.
    id       of the form, so that a repeat finds it done.
    stolen   whether a password is known to have been stolen somewhere; None: nobody knows.
    Raises Refused: `wrong` (its problem's place is `old` or `new`), `throttled`, `not_yours`.
    """
    with database.begin() as db:
        known, credential = store.person_of(db, person), store.credential_of(db, person)
        if known is None or not known.active or credential is None:
            raise Refused("not_yours", "Kata sandi hanya dapat diganti oleh pemiliknya.")
        repeat = id is not None and journal.sequence_of(db, STREAM, id) is not None
        guess = begin_guess(db, f"person:{person}", client, at, zone)
        own = _belongings(store.load(db), person)
    if repeat and verify(credential.password_hash, new):
        with database.begin() as db:
            end_guess(db, guess)
        return
    if not verify(credential.password_hash, old):
        raise wrong("old", "Kata sandi lama tidak cocok.")
    problem = weakness(known, old, new, own, stolen)
    password_hash = "" if problem else hasher.hash(new)
    with database.begin() as db:
        end_guess(db, guess)
        if not problem:
            done = change(db, database.key, Change(id=id or uuid4().hex, at=at, act=SetCredential(person=person),
                                                   actor=Actor(person=person)))
            set_password(db, person, password_hash, recorded(db, done.sequence).at, session=session)
    if problem:
        raise wrong("new", problem)


def weakness(person: Person, old: str, new: str, own: Iterable[str] = (),
             stolen: Callable[[str], bool] | None = None) -> str | None:
    """Why a password may not be chosen, None if it may.

    own     texts beside login, name and NIP that are the person's: positions, units.
    stolen  whether a password is known to have been stolen somewhere; None: nobody knows.
    """
    if new == old:
        return "Kata sandi baru sama dengan yang lama. Pilih yang lain."
    problem = passwords.weakness(new, (person.login, person.name, person.nip or "", *own))
    if problem is None and stolen is not None and stolen(new):
        return ("Kata sandi baru pernah bocor dari layanan lain, sehingga dicoba lebih dahulu oleh siapa pun yang "
                "menebak. Pilih yang lain, dan ganti juga di tempat lain yang memakainya.")
    return problem


def _belongings(organisation: Organisation, person: str) -> list[str]:
    """The names of the positions that somebody was ever given, and of their units."""
    held = [organisation.positions[one.position] for one in organisation.holdings.values() if one.person == person]
    return [name for one in held for name in (one.name, organisation.units[one.unit].name)]


CONSONANTS, VOWELS = "bdgjklmnprst", "aiueo"


def readable_password() -> str:
    """A password that can be read from paper and said aloud: four groups like "kamu-reti-sopa-duna", 47 bits."""
    def group() -> str:
        return "".join(secrets.choice(letters) for letters in (CONSONANTS, VOWELS, CONSONANTS, VOWELS))
    return "-".join(group() for _ in range(4))
