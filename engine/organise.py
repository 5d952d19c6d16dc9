"""The verbs of the organisation: change it, rebuild its tables, sign in, set passwords.

Every change is one row of the stream `organisation`, written in the transaction of its tables: those verbs take an open
connection in a write transaction, and `key`, that of the journal's MAC. Signing in and changing a password take the
Database: they hold no lock while a password is being hashed, and keep a failed attempt though they refuse it.
"""
from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from uuid import uuid4
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection

from .commands import Actor
from .instance import Refused
from .organisation import (
    STREAM,
    ZONES,
    Change,
    DeactivatePerson,
    Organisation,
    Person,
    SetCredential,
    decide,
    evolve,
    rows,
    wrong,
)
from .store import journal, records
from .store import organisation as store
from .store.database import Database, lock

WINDOW = timedelta(minutes=15)
FAILURES_OF_LOGIN = 5
# One address stands for a whole office behind one line: five mistakes of five people may not shut out the sixth.
FAILURES_OF_CLIENT = 25
TEMPORARY = timedelta(days=7)               # how long a one-time password waits for its first use
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200

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
    organisation = store.load(db)
    sequence, prev, last = journal.head(db, STREAM)
    done = []
    for request in requests:
        found = journal.sequence_of(db, STREAM, request.id)
        if found is not None:
            same_request(db, found, request)
            done.append(Changed(found))
            continue
        if last is not None and request.at < last:
            request = replace(request, at=last, read_at=request.at)
        warnings = decide(organisation, request)
        sequence += 1
        prev = journal.append(db, key, stream=STREAM, sequence=sequence, prev=prev, command_id=request.id,
                              at=request.at, command=request, events=())
        store.put(db, organisation, rows(organisation, request.act))
        if isinstance(request.act, DeactivatePerson):
            store.end_sessions(db, request.act.person)
        organisation, last = evolve(organisation, request.act), request.at
        done.append(Changed(sequence, warnings))
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
        person = store.by_login(db, typed) if typed else None
        # A password typed into the wrong field must not stay readable in a table.
        subject = f"person:{person.id}" if person else f"login:{sha256(typed.encode()).hexdigest()[:32]}"
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
        return len(password) <= LONGEST_PASSWORD and hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
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
                    id: str | None = None, client: str = "", zone: str = "Asia/Jakarta") -> None:
    """Set the password that a person chose.

    session  the id of the session that stays; their others end.
    id       of the form, so that a repeat finds it done.
    Raises Refused: `wrong` (its problem's place is `old` or `new`), `throttled`, `not_yours`.
    """
    with database.begin() as db:
        known, credential = store.person_of(db, person), store.credential_of(db, person)
        if known is None or not known.active or credential is None:
            raise Refused("not_yours", "Kata sandi hanya dapat diganti oleh pemiliknya.")
        repeat = id is not None and journal.sequence_of(db, STREAM, id) is not None
        guess = begin_guess(db, f"person:{person}", client, at, zone)
    if repeat and verify(credential.password_hash, new):
        with database.begin() as db:
            end_guess(db, guess)
        return
    if not verify(credential.password_hash, old):
        raise wrong("old", "Kata sandi lama tidak cocok.")
    problem = weakness(known, old, new)
    password_hash = "" if problem else hasher.hash(new)
    with database.begin() as db:
        end_guess(db, guess)
        if not problem:
            done = change(db, database.key, Change(id=id or uuid4().hex, at=at, act=SetCredential(person=person),
                                                   actor=Actor(person=person)))
            set_password(db, person, password_hash, recorded(db, done.sequence).at, session=session)
    if problem:
        raise wrong("new", problem)


def weakness(person: Person, old: str, new: str) -> str | None:
    """Why a password may not be chosen, None if it may."""
    if len(new) < SHORTEST_PASSWORD:
        return f"Kata sandi baru paling sedikit {SHORTEST_PASSWORD} karakter; yang diketik {len(new)}."
    if len(new) > LONGEST_PASSWORD:
        return f"Kata sandi baru paling banyak {LONGEST_PASSWORD} karakter; yang diketik {len(new)}."
    if new == old:
        return "Kata sandi baru sama dengan yang lama. Pilih yang lain."
    plain = new.casefold()
    if plain in (person.login, person.name.casefold(), person.nip) or len(set(plain)) < 4:
        return "Kata sandi baru terlalu mudah ditebak: jangan memakai nama pengguna, nama, NIP, atau huruf berulang."
    return None


CONSONANTS, VOWELS = "bdgjklmnprst", "aiueo"


def readable_password() -> str:
    """A password that can be read from paper and said aloud: four groups like "kamu-reti-sopa-duna", 47 bits."""
    def group() -> str:
        return "".join(secrets.choice(letters) for letters in (CONSONANTS, VOWELS, CONSONANTS, VOWELS))
    return "-".join(group() for _ in range(4))
