"""Second factors: codes by time, passkeys and recovery codes; enrolled by their person, asked for at sign-in.

A shared secret is sealed with a key of its own, derived from the installation's key file: who has only the database
reads none. A code is accepted once, a challenge answered once, a recovery code used once. Every try counts as a failure
until it is right, by rows in the database, so that several processes count together (`organise.begin_guess`).
"""
from __future__ import annotations

import hmac
import json
import re
import secrets
from base64 import b32decode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import pyotp
import webauthn
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection
from webauthn.helpers import bytes_to_base64url, options_to_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from . import organise
from .commands import Actor
from .instance import Refused
from .organisation import Change, EnrolSecondFactor, Person, RemoveSecondFactor, wrong
from .store import factors, records
from .store import organisation as store
from .store.database import Database
from .store.factors import PASSKEY, TOTP, Factor

STEP_SECONDS = 30                           # RFC 6238; the step before and the one after are accepted too
RECOVERY_CODES = 10
PASSKEYS_MOST = 10                          # of one person
ANSWER_BYTES_MOST = 20_000                  # of what an authenticator answers
CREDENTIAL = re.compile(r"[A-Za-z0-9_-]{1,1400}")       # base64url of at most 1,023 bytes, as WebAuthn says
ISSUER = "Alur"
WRONG_CODE = "Kode tidak cocok atau sudah dipakai. Tunggu kode berikutnya, lalu coba lagi."
WRONG_KEY = "Kunci sandi tidak cocok. Coba lagi, atau pakai cara lain."


@dataclass(frozen=True)
class Enrolled:
    """A second factor was enrolled; the recovery codes of somebody's first one, to be shown once."""
    codes: tuple[str, ...] = ()


# Codes by time

def new_secret() -> str:
    """A secret for an authenticator app, base32, 160 bits."""
    return pyotp.random_base32(32)


def address_of(person: Person, secret: str) -> str:
    """What a QR code says to an authenticator app: `otpauth://totp/...`."""
    return pyotp.TOTP(secret).provisioning_uri(name=person.login, issuer_name=ISSUER)


def seal(key: bytes, person: str, secret: str) -> str:
    """The secret as it is kept: AES-256-GCM, bound to its person."""
    nonce = secrets.token_bytes(12)
    sealed = AESGCM(_own_key(key)).encrypt(nonce, secret.encode(), person.encode())
    return urlsafe_b64encode(nonce + sealed).decode()


def unseal(key: bytes, person: str, sealed: str) -> str | None:
    """The secret; None where it was not sealed with this key for this person."""
    try:
        data = urlsafe_b64decode(sealed)
        return AESGCM(_own_key(key)).decrypt(data[:12], data[12:], person.encode()).decode()
    except (InvalidTag, NotBase64, ValueError):
        return None


def _own_key(key: bytes) -> bytes:
    return hmac.digest(key, b"alur second factor", "sha256")


def step_of(secret: str, code: str, at: datetime, after: int) -> int | None:
    """The time step whose code this is, of those around an instant that come after a step; None where it is none."""
    typed = "".join(code.split())
    if not (len(typed) == 6 and typed.isascii() and typed.isdigit()):
        return None
    now, right = int(at.timestamp()) // STEP_SECONDS, None
    for step in (now - 1, now, now + 1):    # all of them each time: how long it takes says nothing
        said = pyotp.HOTP(secret).at(step)
        if hmac.compare_digest(said, typed) and step > after:
            right = step
    return right


def enrol_totp(database: Database, person: str, secret: str, code: str, at: datetime, *, id: str, name: str = "",
               client: str = "") -> Enrolled:
    """Enrol an authenticator app, proved by a code of it. Raises Refused: `wrong`, `throttled`, `not_yours`."""
    assert len(b32decode(secret)) >= 20, "the secret is ours"
    with database.begin() as db:
        guess = organise.begin_guess(db, f"factor:{person}", client, at, "Asia/Jakarta")
    step = step_of(secret, code, at, after=0)
    if step is None:
        raise wrong("kode", WRONG_CODE)
    with database.begin() as db:
        organise.end_guess(db, guess)
        return _enrol(db, database.key, Factor(
            id=uuid4().hex, person=person, kind=TOTP, name=_named(name, "Aplikasi kode"),
            secret=seal(database.key, person, secret), credential=None, public_key=None, last_step=step,
            created_at=records.instant(at), used_at=None), at, id)


def _named(name: str, otherwise: str) -> str:
    return "".join(c for c in name if c.isprintable()).strip()[:60] or otherwise


def _enrol(db: Connection, key: bytes, one: Factor, at: datetime, id: str) -> Enrolled:
    first = not factors.of_person(db, one.person)
    organise.change(db, key, Change(id=id, at=at, actor=Actor(person=one.person), act=EnrolSecondFactor(
        person=one.person, kind=one.kind, factor=one.id)))
    factors.put(db, one)
    return Enrolled(_draw_codes(db, one.person, key) if first else ())


# Recovery codes

def new_codes(db: Connection, key: bytes, person: str, at: datetime, id: str) -> tuple[str, ...]:
    """Recovery codes in the place of those that were there; shown once. Raises Refused: `wrong` without a factor."""
    if not factors.of_person(db, person):
        raise Refused("wrong", "Kode pemulihan melengkapi faktor kedua. Pasang faktor kedua dahulu.")
    organise.change(db, key, Change(id=id, at=at, actor=Actor(person=person),
                                    act=EnrolSecondFactor(person=person, kind="kode")))
    return _draw_codes(db, person, key)


def _draw_codes(db: Connection, person: str, key: bytes) -> tuple[str, ...]:
    codes = tuple(organise.readable_password() for _ in range(RECOVERY_CODES))
    factors.put_codes(db, person, (code_hash(key, person, one) for one in codes))
    return codes


def code_hash(key: bytes, person: str, code: str) -> str:
    """How a recovery code is kept. Of 47 drawn bits and under our key, a quick hash is enough."""
    typed = "".join(c for c in code.casefold() if c.isalpha())
    return hmac.digest(_own_key(key), f"{person}/{typed}".encode("utf-8", "replace"), "sha256").hex()


# At sign-in

def verify_code(database: Database, person: str, typed: str, at: datetime, client: str,
                zone: str = "Asia/Jakarta") -> str:
    """What a code proved: `totp` or `kode` (a recovery code, which is used up). Raises Refused: `wrong`, `throttled`.

    Judged in the transaction that uses it up: of two that come with the same code, one gets in.
    """
    with database.begin() as db:
        guess = organise.begin_guess(db, f"factor:{person}", client, at, zone)
    with database.begin() as db:
        for one in factors.of_person(db, person):
            secret = unseal(database.key, person, one.secret) if one.kind == TOTP and one.secret else None
            step = step_of(secret, typed, at, one.last_step) if secret else None
            if step is not None and factors.use(db, one.id, before=one.last_step, step=step, at=at):
                organise.end_guess(db, guess)
                return TOTP
        if factors.use_code(db, person, code_hash(database.key, person, typed), at):
            organise.end_guess(db, guess)
            return "kode"
    raise wrong("kode", WRONG_CODE)


# Passkeys

@dataclass(frozen=True)
class Site:
    """For whom passkeys are made: the public address."""
    host: str                               # the rp id
    origin: str                             # scheme, host and port


def registration(site: Site, person: Person, known: tuple[Factor, ...]) -> tuple[str, bytes]:
    """(the options for a browser as JSON, their challenge) to enrol a passkey."""
    options = webauthn.generate_registration_options(
        rp_id=site.host, rp_name=ISSUER, user_id=person.id.encode(), user_name=person.login,
        user_display_name=person.name, exclude_credentials=_descriptors(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED))
    return options_to_json(options), options.challenge


def _descriptors(known: tuple[Factor, ...]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=_bytes(one.credential)) for one in known if one.credential]


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def enrol_passkey(database: Database, site: Site, person: str, answer: str, challenge: bytes, at: datetime, *,
                  id: str, name: str = "") -> Enrolled:
    """Enrol what an authenticator answered to a challenge. Raises Refused: `wrong`."""
    try:
        found = webauthn.verify_registration_response(
            credential=_parsed(answer), expected_challenge=challenge, expected_rp_id=site.host,
            expected_origin=site.origin)
    except Exception as error:              # whatever a hostile answer does to the library, it proves nothing
        raise wrong("jawaban", WRONG_KEY) from error
    credential = bytes_to_base64url(found.credential_id)
    with database.begin() as db:
        if factors.by_credential(db, credential) is not None:
            raise wrong("jawaban", "Kunci sandi ini sudah terpasang.")
        if len(factors.of_person(db, person)) >= PASSKEYS_MOST:
            raise wrong("jawaban", f"Paling banyak {PASSKEYS_MOST} faktor kedua. Hapus yang tidak dipakai dahulu.")
        return _enrol(db, database.key, Factor(
            id=uuid4().hex, person=person, kind=PASSKEY, name=_named(name, "Kunci sandi"), secret=None,
            credential=credential, public_key=bytes_to_base64url(found.credential_public_key),
            last_step=found.sign_count, created_at=records.instant(at), used_at=None), at, id)


def asking(site: Site, known: tuple[Factor, ...] = ()) -> tuple[str, bytes]:
    """(the options for a browser as JSON, their challenge) to sign in with a passkey: one of these as second factor, or
    (none) whichever the person has, who then must prove themselves to it, since no password was asked."""
    options = webauthn.generate_authentication_options(
        rp_id=site.host, allow_credentials=_descriptors(known) or None,
        user_verification=UserVerificationRequirement.PREFERRED if known else UserVerificationRequirement.REQUIRED)
    return options_to_json(options), options.challenge


def verify_passkey(database: Database, site: Site, answer: str, challenge: bytes, at: datetime, client: str, *,
                   person: str | None = None, zone: str = "Asia/Jakarta") -> Person:
    """Whose passkey answered a challenge.

    person  who must have answered, after their password; None: anybody, and the authenticator must have verified them.
    Raises Refused: `wrong`, `throttled`. A counter that did not go on says that the key was copied: it is refused.
    """
    told = _parsed(answer)
    credential = told["id"] if isinstance(told.get("id"), str) and CREDENTIAL.fullmatch(told["id"]) else ""
    with database.begin() as db:
        one = factors.by_credential(db, credential) if credential else None
        owner = store.person_of(db, one.person) if one else None
        subject = f"factor:{person or (owner.id if owner else 'kunci')}"
        guess = organise.begin_guess(db, subject, client, at, zone)
    if one is None or owner is None or not owner.active or not one.public_key or person not in (None, owner.id):
        raise wrong("jawaban", WRONG_KEY)
    try:
        found = webauthn.verify_authentication_response(
            credential=told, expected_challenge=challenge, expected_rp_id=site.host, expected_origin=site.origin,
            credential_public_key=_bytes(one.public_key), credential_current_sign_count=one.last_step,
            require_user_verification=person is None)
    except Exception as error:              # as above
        raise wrong("jawaban", WRONG_KEY) from error
    with database.begin() as db:
        if not factors.use(db, one.id, before=one.last_step, step=found.new_sign_count, at=at):
            raise wrong("jawaban", WRONG_KEY)
        organise.end_guess(db, guess)
    return owner


def _parsed(answer: str) -> dict[str, Any]:
    """What a browser posted, as JSON of an object. Raises Refused."""
    if len(answer) > ANSWER_BYTES_MOST:
        raise wrong("jawaban", WRONG_KEY)
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise wrong("jawaban", WRONG_KEY) from error
    if not isinstance(told, dict):
        raise wrong("jawaban", WRONG_KEY)
    return told


# Proving oneself again, and removing

def prove_again(database: Database, person: str, password: str, begun_at: datetime | None, at: datetime,
                client: str = "") -> None:
    """Who changes how they sign in proves first who they are: by their password; without one (the office's accounts)
    by having signed in within the last quarter of an hour. Raises Refused: `wrong`, `throttled`."""
    with database.begin() as db:
        credential = store.credential_of(db, person)
        if credential is None:
            if begun_at is not None and at - begun_at <= organise.WINDOW:
                return
            raise wrong("sandi", "Anda sudah lama masuk. Keluar, masuk lagi, lalu ulangi dalam 15 menit.")
        guess = organise.begin_guess(db, f"person:{person}", client, at, "Asia/Jakarta")
    if not organise.verify(credential.password_hash, password):
        raise wrong("sandi", "Kata sandi tidak cocok.")
    with database.begin() as db:
        organise.end_guess(db, guess)


def remove(db: Connection, key: bytes, *, id: str, person: str, by: Actor, at: datetime, factor: str = "") -> None:
    """Remove one's own second factor; or, as an administrator, all that somebody has (""), which another person of the
    unit then confirms. Their sessions end where somebody else did it. Raises Refused: `not_yours`, `unknown`."""
    organise.change(db, key, Change(id=id, at=at, actor=by, act=RemoveSecondFactor(person=person, factor=factor)))
    factors.remove(db, person, factor)
    if by.person != person:
        store.end_sessions(db, person)
