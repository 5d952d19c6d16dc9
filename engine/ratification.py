"""The verbs of pengesahan: a draft is proposed, verified by another, ratified by the head of its unit; and withdrawn.

Every act is one row of the stream `definition/KEY`; `rows` says what it changes, for the tables and for whoever reads
the stream again (`told`). Three people at least stand behind a change of meaning: who proposes, who verifies, who
ratifies. A change of the drawing alone takes a second owner. All verbs take a connection in a write transaction, raise
Refused and leave it to the caller to roll back.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection

from . import diagram, drafting
from .commands import Actor, Attachment, private
from .definition import DiagramError, ProcessDefinition
from .instance import Refused
from .organisation import CAPACITIES, DEFINITIVE, OWNER, VERIFIER, local_date, said, text, wrong
from .organisation import dated as in_words
from .store import database as databases
from .store import definitions, documents, drafts, journal, organisation, records
from .store import proposals as store
from .store.definitions import ACTIVE, Change, DefinitionDeployed, DeployDefinition, Evaluation, Version, Withdrawal
from .store.proposals import PROPOSED, RATIFIED, RECALLED, RETURNED, VERIFIED
from .store.proposals import WAITING as WAITING
from .store.proposals import Proposal as Proposal

NAMESPACE = UUID("b6f0c1f2-5f0c-5c51-8a3f-6d2f1a7e9b40")        # of the ids of proposals
OUTCOMES = ("tetap", "diubah", "dicabut")   # of a yearly evaluation
LONGEST_NUMBER, LONGEST_REASON = 120, 2000  # characters


# What the stream records

@dataclass(frozen=True, kw_only=True)
class ProposeDefinition:
    proposal: str
    draft: str
    unit: str
    name: str
    sha256: str
    canonical_sha256: str
    meaning_sha256: str
    size_bytes: int
    base: str
    version_before: int
    holds_from: str
    cosmetic: bool
    savers: tuple[str, ...]
    reason: str = private()
    changes: tuple[Mapping[str, Any], ...] = private(whole=True, default=())
    type: str = field(default="ProposeDefinition", init=False)


@dataclass(frozen=True, kw_only=True)
class VerifyProposal:
    proposal: str
    note: str = private(default="")
    type: str = field(default="VerifyProposal", init=False)


@dataclass(frozen=True, kw_only=True)
class ReturnProposal:
    proposal: str
    reason: str = private()
    type: str = field(default="ReturnProposal", init=False)


@dataclass(frozen=True, kw_only=True)
class RecallProposal:
    proposal: str
    type: str = field(default="RecallProposal", init=False)


@dataclass(frozen=True, kw_only=True)
class RatifyProposal:
    """Pengesahan; the actor says in what capacity. What stands here fills the identity boxes of the printed SOP."""
    proposal: str
    number: str
    dated: str                              # ISO date
    holds_from: str                         # ISO date
    position: str                           # as printed: "Plh. Camat Lasem"
    name: str = private()
    nip: str = private(default="")
    scan: Attachment | None = None
    type: str = field(default="RatifyProposal", init=False)


@dataclass(frozen=True, kw_only=True)
class ApproveLayout:
    proposal: str
    type: str = field(default="ApproveLayout", init=False)


@dataclass(frozen=True, kw_only=True)
class AttachSignedSheet:
    """The signed paper of the newest version came after its pengesahan; said again, it is replaced."""
    version: int
    scan: Attachment
    type: str = field(default="AttachSignedSheet", init=False)


@dataclass(frozen=True, kw_only=True)
class WithdrawDefinition:
    """Cabut SOP: no new starts of any version up to this one."""
    version: int
    reason: str = private()
    type: str = field(default="WithdrawDefinition", init=False)


@dataclass(frozen=True, kw_only=True)
class EvaluateDefinition:
    dated: str                              # ISO date
    outcome: str                            # one of OUTCOMES
    note: str = private(default="")
    type: str = field(default="EvaluateDefinition", init=False)


Act = (DeployDefinition | ProposeDefinition | VerifyProposal | ReturnProposal | RecallProposal | RatifyProposal
       | ApproveLayout | WithdrawDefinition | EvaluateDefinition | AttachSignedSheet)
ACTS: Mapping[str, type] = {one.__name__: one for one in (
    DeployDefinition, ProposeDefinition, VerifyProposal, ReturnProposal, RecallProposal, RatifyProposal, ApproveLayout,
    WithdrawDefinition, EvaluateDefinition, AttachSignedSheet)}
Row = Version | Proposal | Withdrawal | Evaluation


def rows(key: str, act: Act, *, person: str, at: datetime, sequence: int, proposal: Proposal | None,
         newest: Version | None) -> tuple[Row, ...]:
    """What an act puts into the tables. proposal: the one it names; newest: the newest version then. Judges nothing."""
    now = records.instant(at)
    number = newest.version + 1 if newest else 1
    match act:
        case DeployDefinition():
            cosmetic = newest is not None and newest.meaning_sha256 == act.meaning_sha256
            version = Version(
                key=key, version=number, sha256=act.sha256, name=act.name, status=ACTIVE, deployed_at=now,
                deployed_by=person, reason=said(act.reason, ""), canonical_sha256=act.canonical_sha256,
                meaning_sha256=act.meaning_sha256, cosmetic=cosmetic, unit=act.unit, changes=said(act.changes) or ())
            return (definitions.carried_on(version, newest) if newest and cosmetic else version,)
        case ProposeDefinition():
            return (Proposal(
                id=act.proposal, key=key, name=act.name, unit=act.unit, draft=act.draft, sha256=act.sha256,
                canonical_sha256=act.canonical_sha256, meaning_sha256=act.meaning_sha256, base=act.base,
                version_before=act.version_before, reason=said(act.reason, ""), holds_from=act.holds_from,
                cosmetic=act.cosmetic, changes=said(act.changes) or (), savers=act.savers, state=PROPOSED,
                proposed_at=now, proposed_by=person),)
        case WithdrawDefinition():
            return (Withdrawal(key=key, version=act.version, at=now, person=person, reason=said(act.reason, "")),)
        case AttachSignedSheet():
            assert newest is not None and newest.version == act.version, "only the newest version takes a paper"
            return (replace(newest, scan=act.scan),)
        case EvaluateDefinition():
            return (Evaluation(key=key, sequence=sequence, dated=act.dated, outcome=act.outcome,
                               note=said(act.note, ""), at=now, person=person),)
    assert proposal is not None, "every other act names a proposal"
    decided = replace(proposal, decided_at=now, decided_by=person)
    match act:
        case VerifyProposal():
            return (replace(proposal, state=VERIFIED, verified_at=now, verified_by=person, note=said(act.note, "")),)
        case ReturnProposal():
            return (replace(decided, state=RETURNED, note=said(act.reason, "")),)
        case RecallProposal():
            return (replace(decided, state=RECALLED),)
    version = Version(
        key=key, version=number, sha256=proposal.sha256, name=proposal.name, status=ACTIVE, deployed_at=now,
        deployed_by=proposal.proposed_by, reason=proposal.reason, canonical_sha256=proposal.canonical_sha256,
        meaning_sha256=proposal.meaning_sha256, unit=proposal.unit, changes=proposal.changes,
        holds_from=proposal.holds_from, verified_by=proposal.verified_by or person,
        cosmetic=newest is not None and newest.meaning_sha256 == proposal.meaning_sha256)
    if isinstance(act, ApproveLayout):
        assert newest is not None, "only what means the same as a version before it is cosmetic"
        version = definitions.carried_on(version, newest)
    else:
        version = replace(
            version, holds_from=act.holds_from, effective=act.holds_from, ratified_by=person, number=act.number,
            dated=act.dated, position=act.position, ratifier_name=said(act.name, "(nama dihapus)"),
            ratifier_nip=said(act.nip, ""), scan=act.scan)
    return version, replace(decided, state=RATIFIED, version=number)


# Look

proposal = store.get                        # (db, id) -> Proposal | None
proposals = store.listed                    # (db, key=None, states=None) -> tuple of Proposal
content = store.content                     # (db, id) -> bytes


# Who may

May = tuple[bool, str]                      # whether, and in Indonesian why not


def may_verify(db: Connection, person: str, proposal: Proposal) -> May:
    """Whether somebody may verify a proposal now: Bagian Organisasi, and none of those who drew or proposed it."""
    if proposal.cosmetic:
        return False, "Perubahan tata letak cukup disetujui pemilik SOP lain; tidak perlu diverifikasi."
    if proposal.state != PROPOSED:
        return False, _not_waiting(proposal)
    if not organisation.has_power(db, person, VERIFIER, proposal.unit):
        return False, "Verifikasi dilakukan oleh verifikator (Bagian Organisasi)."
    if person == proposal.proposed_by or person in proposal.savers:
        return False, "Anda ikut menyusun atau mengusulkan rancangan ini, jadi verifikasi dilakukan orang lain."
    return True, ""


def may_ratify(db: Connection, person: str, proposal: Proposal, on: date | None = None) -> May:
    """Whether somebody may ratify a proposal now: the head of its unit today (a Plh. or Plt. in that capacity), who
    neither proposed nor verified it. on: today in the unit's zone, else by the database's clock."""
    if proposal.cosmetic:
        return False, "Perubahan tata letak cukup disetujui pemilik SOP lain; tidak perlu disahkan lagi."
    if proposal.state == PROPOSED:
        return False, "Usulan ini belum diverifikasi Bagian Organisasi."
    if proposal.state != VERIFIED:
        return False, _not_waiting(proposal)
    head = organisation.head_of(db, proposal.unit, on or _today(db, proposal.unit))
    if head is None:
        return False, "Kepala unit ini belum ditetapkan. Administrator mengaturnya di Pengaturan, Unit."
    if head.person != person:
        return False, f"Pengesahan dilakukan oleh {_titled(head)}."
    if person == proposal.verified_by:
        return False, "Anda yang memverifikasi usulan ini, jadi pengesahan dilakukan orang lain, misalnya Plh."
    if person == proposal.proposed_by:
        return False, "Anda yang mengusulkan rancangan ini, jadi pengesahan dilakukan orang lain, misalnya Plh."
    return True, ""


def may_approve_layout(db: Connection, person: str, proposal: Proposal) -> May:
    """Whether somebody may approve a change of the drawing: an owner who neither drew nor proposed it."""
    if not proposal.cosmetic:
        return False, "Usulan ini mengubah isi SOP, jadi perlu diverifikasi dan disahkan."
    if proposal.state != PROPOSED:
        return False, _not_waiting(proposal)
    if not organisation.has_power(db, person, OWNER, proposal.unit):
        return False, "Perubahan tata letak disetujui oleh pemilik SOP unit ini."
    if person == proposal.proposed_by or person in proposal.savers:
        return False, "Anda ikut menyusun rancangan ini, jadi persetujuan diberikan pemilik SOP lain."
    return True, ""


def may_send_back(db: Connection, person: str, proposal: Proposal, on: date | None = None) -> May:
    """Whether somebody may send a waiting proposal back: who could decide on it, now or after the next step."""
    if proposal.state not in WAITING:
        return False, _not_waiting(proposal)
    if person == proposal.proposed_by:
        return False, "Usulan Anda sendiri dapat Anda tarik kembali."
    power = OWNER if proposal.cosmetic else VERIFIER
    head = organisation.head_of(db, proposal.unit, on or _today(db, proposal.unit))
    if organisation.has_power(db, person, power, proposal.unit) or (head and head.person == person):
        return True, ""
    return False, ("Usulan dikembalikan oleh pemilik SOP lain atau kepala unit." if proposal.cosmetic else
                   "Usulan dikembalikan oleh verifikator atau kepala unit.")


def may_withdraw(db: Connection, person: str, key: str, on: date | None = None) -> May:
    """Whether somebody may withdraw an SOP: the head of the unit that keeps it."""
    unit = definitions.home(db, key)
    if unit is None:
        return False, "SOP ini belum pernah diberlakukan."
    if definitions.withdrawn(db, key):
        return False, "SOP ini sudah dicabut."
    head = organisation.head_of(db, unit, on or _today(db, unit)) if unit else None
    if head is None:
        return False, "Kepala unit SOP ini belum ditetapkan. Administrator mengaturnya di Pengaturan, Unit."
    return (True, "") if head.person == person else (False, f"SOP dicabut oleh {_titled(head)}.")


def may_attach_sheet(db: Connection, person: str, version: Version, on: date | None = None) -> May:
    """Whether somebody may attach the signed paper of a version: an owner, or the head of the unit that ratified it."""
    if not version.ratified_by:
        return False, "Versi ini tidak disahkan di aplikasi ini, jadi tidak mempunyai lembar pengesahan."
    newest = definitions.newest(db, version.key)
    if newest is None or newest.version != version.version:
        return False, "Lembar pengesahan hanya dapat dilampirkan pada versi terbaru."
    if organisation.has_power(db, person, OWNER, version.unit) or (
            version.unit in organisation.heads(db, person, on or _today(db, version.unit))):
        return True, ""
    return False, "Lembar pengesahan dilampirkan oleh pemilik SOP atau kepala unit."


def may_evaluate(db: Connection, person: str, key: str, on: date | None = None) -> May:
    """Whether somebody may record a yearly evaluation: an owner, a verifier or the head of the unit that keeps it."""
    unit = definitions.home(db, key)
    if unit is None:
        return False, "SOP ini belum pernah diberlakukan."
    if any(organisation.has_power(db, person, power, unit) for power in (OWNER, VERIFIER)) or (
            unit and unit in organisation.heads(db, person, on or _today(db, unit))):
        return True, ""
    return False, "Evaluasi dicatat oleh pemilik SOP, verifikator, atau kepala unit."


def waiting_for(db: Connection, person: str, on: date | None = None) -> tuple[Proposal, ...]:
    """The proposals that somebody may verify, ratify or approve now. on: today, else by the database's clock."""
    return tuple(one for one in proposals(db, states=WAITING)
                 if may_verify(db, person, one)[0] or may_approve_layout(db, person, one)[0]
                 or may_ratify(db, person, one, on)[0])


STATES = {PROPOSED: "menunggu verifikasi", VERIFIED: "menunggu pengesahan", RETURNED: "sudah dikembalikan",
          RECALLED: "sudah ditarik kembali", RATIFIED: "sudah disahkan"}


def _not_waiting(proposal: Proposal) -> str:
    return f"Usulan ini {STATES[proposal.state]}. Muat ulang halaman."


def _must(may: May, state_changed: bool = False) -> None:
    if not may[0]:
        raise Refused("not_open" if state_changed else "not_yours", may[1])


def _titled(one: organisation.Staff) -> str:
    """"Camat Lasem", "Plh. Camat Lasem"."""
    return one.position_name if one.capacity == DEFINITIVE else f"{CAPACITIES[one.capacity]} {one.position_name}"


def _today(db: Connection, unit: str, at: datetime | None = None) -> date:
    return local_date(at or databases.now(db), definitions.zone_of(db, unit))


# Propose

def propose(db: Connection, mac_key: bytes, draft_id: str, *, person: str, reason: str, holds_from: date, at: datetime,
            command_id: str, compared_with: str | None = None, signed_in_by: str = "web") -> Proposal:
    """Put a draft forward. It cannot be changed until it was sent back or recalled; errors of the gate refuse it.

    holds_from     from which day new starts are to run it; not past.
    compared_with  the SHA-256 of the version that the proposer was shown the differences to: asked for where another
                   version came out since the draft was begun, so that nobody undoes what he has not seen.
    Raises Refused: `not_yours`, `unknown`, `proposed`, `incomplete`, `wrong`, `same` (nothing changed), `waiting`
    (another proposal of this SOP), `overtaken`, `other`; DiagramError with the findings.
    """
    again = proposal(db, _id_of(command_id))
    if again is not None:
        return _same_proposal(again, person, draft_id, reason, holds_from)
    draft = drafting.found(db, draft_id)
    if not drafting.may_edit(db, person, draft):
        raise drafting.not_an_owner()
    definitions.lock_key(db, draft.key)
    if not drafts.set_state(db, draft_id, before=drafts.OPEN, state=drafts.PROPOSED):
        now = drafting.found(db, draft_id)
        assert now.state == drafts.PROPOSED, "a draft is open or proposed"
        again = proposal(db, _id_of(command_id))        # the same click twice: the first was a moment quicker
        if again is not None:
            return _same_proposal(again, person, draft_id, reason, holds_from)
        raise Refused("proposed", "Rancangan ini sudah diusulkan. Muat ulang halaman.")
    held = drafting.found(db, draft_id)
    data = drafts.content(db, draft_id)
    assert data is not None, "a draft has bytes"
    if held.key != draft.key:
        raise Refused("conflict", "Rancangan ini baru saja diubah. Muat ulang halaman, lalu periksa lagi.")
    if held.unfinished:
        raise Refused("incomplete", "Tabel SOP rancangan ini memuat isian yang belum dapat digambar, jadi yang akan "
                                    "diusulkan bukan yang Anda ketik. Lengkapi atau buang isian itu di Tabel SOP.")
    definition = diagram.read(data)
    newest = definitions.newest(db, definition.key)
    if newest and held.base != newest.sha256 and compared_with != newest.sha256 and held.sha256 != newest.sha256:
        raise Refused("overtaken", f"Versi {newest.version} terbit sesudah rancangan ini dimulai. Periksa perbedaannya "
                                   "dengan versi itu, agar tidak ada perubahan yang terhapus, lalu usulkan.")
    unit = held.unit
    if not unit:
        raise _without_unit()
    home = definitions.home(db, definition.key)
    if home is not None and (home != unit if home else not organisation.has_power(db, person, OWNER, "")):
        raise Refused("not_yours", f"SOP dengan id proses “{definition.key}” dimiliki unit lain. Beri rancangan ini "
                                   "id proses lain, atau mintalah pemilik SOP unit itu mengusulkannya.")
    return _propose(db, mac_key, definition, data, draft=draft_id, unit=unit, savers=drafts.savers(db, draft_id),
                    person=person, reason=reason, holds_from=holds_from, at=at, command_id=command_id,
                    signed_in_by=signed_in_by)


def again(db: Connection, mac_key: bytes, key: str, version: int, *, person: str, reason: str, holds_from: date,
          at: datetime, command_id: str, signed_in_by: str = "web") -> Proposal:
    """Go back: an old version's bytes as a new proposal. Raises as `propose` does."""
    repeated = proposal(db, _id_of(command_id))
    if repeated is not None:
        return _same_proposal(repeated, person, "", reason, holds_from)
    definitions.lock_key(db, key)
    data = definitions.export(db, key, version)
    if data is None:
        raise Refused("unknown", f"Versi {version} tidak ada. Pilih dari daftar.")
    unit = definitions.home(db, key) or ""
    if not drafting.may_edit(db, person, unit):
        raise drafting.not_an_owner()
    if not unit:
        raise _without_unit()
    return _propose(db, mac_key, diagram.read(data), data, draft="", unit=unit, savers=(), person=person,
                    reason=reason, holds_from=holds_from, at=at, command_id=command_id, signed_in_by=signed_in_by)


def _propose(db: Connection, mac_key: bytes, definition: ProcessDefinition, data: bytes, *, draft: str, unit: str,
             savers: Iterable[str], person: str, reason: str, holds_from: date, at: datetime, command_id: str,
             signed_in_by: str) -> Proposal:
    """Judge and record a proposal of bytes that the gate let through. The caller holds `lock_key`."""
    key, newest = definition.key, definitions.newest(db, definition.key)
    today = _today(db, unit, at)
    _filled(reason, "reason", "Alasan perubahan")
    if holds_from < today:
        raise wrong("holds_from", f"Tanggal berlaku {in_words(holds_from.isoformat())} sudah lewat. Pilih hari ini "
                                  "atau sesudahnya.")
    withdrawn = definitions.withdrawn(db, key)
    if newest and newest.canonical_sha256 == definition.canonical_sha256 and not withdrawn:
        raise Refused("same", f"Tidak ada yang berubah terhadap versi {newest.version}, jadi tidak ada yang diusulkan.")
    if proposals(db, key, WAITING):
        raise Refused("waiting", "SOP ini sudah mempunyai usulan yang menunggu. Selesaikan, kembalikan, atau tarik "
                                 "usulan itu dahulu.")
    changed = definitions.changes_since(db, newest, data)
    act = ProposeDefinition(
        proposal=_id_of(command_id), draft=draft, unit=unit, name=definition.name, sha256=definition.sha256,
        canonical_sha256=definition.canonical_sha256, meaning_sha256=definition.meaning_sha256, size_bytes=len(data),
        base=newest.sha256 if newest else "", version_before=newest.version if newest else 0,
        holds_from=holds_from.isoformat(), savers=tuple(sorted({*savers, person})), reason=reason.strip(),
        changes=changed,
        # What was withdrawn comes back by a pengesahan only, though it means what it meant.
        cosmetic=newest is not None and not withdrawn and newest.meaning_sha256 == definition.meaning_sha256)
    _, made = _record(db, mac_key, key, act, _actor(db, person, today, signed_in_by), at, command_id,
                      definition=definition.sha256, data=data)
    assert isinstance(made[0], Proposal)
    return made[0]


def _id_of(command_id: str) -> str:
    return uuid5(NAMESPACE, command_id).hex


def _same_proposal(before: Proposal, person: str, draft: str, reason: str, holds_from: date) -> Proposal:
    if (before.proposed_by, before.draft, before.reason, before.holds_from) != (
            person, draft, reason.strip(), holds_from.isoformat()):
        raise _other()
    return before


# Decide

def verify(db: Connection, mac_key: bytes, proposal_id: str, *, person: str, note: str = "", at: datetime,
           command_id: str, signed_in_by: str = "web") -> Proposal:
    """A second person found the proposal right. Raises Refused: `not_yours`, `not_open`, `unknown`, `other`."""
    one = _locked(db, proposal_id)
    act = VerifyProposal(proposal=one.id, note=note.strip())
    if _repeated(db, one.key, command_id, act, person):
        return one
    text(act.note, "note", "Catatan", LONGEST_REASON, required=False)
    _must(may_verify(db, person, one), one.state != PROPOSED)
    return _decided(db, mac_key, one, act, _actor(db, person, _today(db, one.unit, at), signed_in_by), at, command_id)


def send_back(db: Connection, mac_key: bytes, proposal_id: str, *, person: str, reason: str, at: datetime,
              command_id: str, signed_in_by: str = "web") -> Proposal:
    """The proposal is not right yet: its draft is open again. Raises Refused as `verify`, `wrong` without a reason."""
    one = _locked(db, proposal_id)
    act = ReturnProposal(proposal=one.id, reason=reason.strip())
    if _repeated(db, one.key, command_id, act, person):
        return one
    today = _today(db, one.unit, at)
    _must(may_send_back(db, person, one, today), one.state not in WAITING)
    _filled(reason, "reason", "Alasan pengembalian")
    return _reopened(db, _decided(db, mac_key, one, act, _actor(db, person, today, signed_in_by), at, command_id))


def recall(db: Connection, mac_key: bytes, proposal_id: str, *, person: str, at: datetime, command_id: str,
           signed_in_by: str = "web") -> Proposal:
    """Who proposed takes it back: its draft is open again. Raises Refused as `verify`."""
    one = _locked(db, proposal_id)
    act = RecallProposal(proposal=one.id)
    if _repeated(db, one.key, command_id, act, person):
        return one
    if one.state not in WAITING:
        raise Refused("not_open", _not_waiting(one))
    if person != one.proposed_by:
        raise Refused("not_yours", "Usulan ditarik kembali oleh yang mengusulkannya. Verifikator atau kepala unit "
                                   "dapat mengembalikannya.")
    actor = _actor(db, person, _today(db, one.unit, at), signed_in_by)
    return _reopened(db, _decided(db, mac_key, one, act, actor, at, command_id))


def ratify(db: Connection, mac_key: bytes, proposal_id: str, *, person: str, number: str, dated: date,
           holds_from: date | None = None, scan: Attachment | None = None, at: datetime, command_id: str,
           signed_in_by: str = "web") -> Version:
    """Pengesahan by the head of the unit: the proposal is the next version.

    number      of the SOP; with `dated`, the head's position and name it fills that unit's identity boxes, never the
                bytes.
    dated       of the signature; not in the future.
    holds_from  from which day new starts run it; None: as proposed, or today where that is past.
    scan        the signed paper; its files are stored and recorded already (`documents`).
    Raises Refused: `not_yours`, `not_open`, `wrong`, `overtaken` (another version came out meanwhile), `unknown`,
    `other`.
    """
    one = _locked(db, proposal_id)
    prior = journal.sequence_of(db, definitions.stream(one.key), command_id)
    today = _today(db, one.unit, at)
    begins = holds_from or max(date.fromisoformat(one.holds_from), today)
    head = organisation.head_of(db, one.unit, today)
    if prior is not None:
        asked = {"proposal": one.id, "number": number.strip(), "dated": dated.isoformat()}
        return _ratified_before(db, one, prior, person, "RatifyProposal", asked)
    _must(may_ratify(db, person, one, today), one.state != VERIFIED)
    assert head is not None, "may_ratify asked for one"
    text(number.strip(), "number", "Nomor SOP", LONGEST_NUMBER)
    if dated > today:
        raise wrong("dated", f"Tanggal pengesahan {in_words(dated.isoformat())} belum tiba. Isi tanggal "
                             "penandatanganan.")
    if begins < today:
        raise wrong("holds_from", f"Tanggal berlaku {in_words(begins.isoformat())} sudah lewat. Pilih hari ini atau "
                                  "sesudahnya.")
    _scanned(db, scan)
    known = organisation.person_of(db, person)
    assert known is not None, "the head is a person"
    act = RatifyProposal(proposal=one.id, number=number.strip(), dated=dated.isoformat(), holds_from=begins.isoformat(),
                         position=_titled(head), name=known.name, nip=known.nip or "", scan=scan)
    actor = _heading(head, one.unit, signed_in_by)
    return _made(db, mac_key, one, act, actor, at, command_id)


def approve_layout(db: Connection, mac_key: bytes, proposal_id: str, *, person: str, at: datetime, command_id: str,
                   signed_in_by: str = "web") -> Version:
    """A second owner found that only the drawing changed: the proposal is the next version, ratified as the one before
    it was. Raises Refused as `ratify`, `withdrawn` where the SOP was withdrawn meanwhile."""
    one = _locked(db, proposal_id)
    prior = journal.sequence_of(db, definitions.stream(one.key), command_id)
    if prior is not None:
        return _ratified_before(db, one, prior, person, "ApproveLayout", {"proposal": one.id})
    _must(may_approve_layout(db, person, one), one.state != PROPOSED)
    if definitions.withdrawn(db, one.key):
        raise Refused("withdrawn", "SOP ini sudah dicabut. Usulkan lagi, agar pemberlakuannya disahkan kepala unit.")
    actor = _actor(db, person, _today(db, one.unit, at), signed_in_by)
    return _made(db, mac_key, one, ApproveLayout(proposal=one.id), actor, at, command_id)


def _scanned(db: Connection, scan: Attachment | None) -> None:
    if scan is None:
        return
    if scan.form != "berkas" or not scan.files:
        raise wrong("scan", "Pindaian SOP yang ditandatangani berupa berkas. Unggah PDF atau fotonya.")
    for file in scan.files:
        if documents.recorded(db, file.sha256) is None:
            raise wrong("scan", "Pindaian ini tidak tersimpan utuh. Unggah sekali lagi.")


def _made(db: Connection, mac_key: bytes, one: Proposal, act: RatifyProposal | ApproveLayout, actor: Actor,
          at: datetime, command_id: str) -> Version:
    """Record the version that a proposal becomes; its draft is gone."""
    newest = definitions.newest(db, one.key)
    if (newest.version if newest else 0) != one.version_before:
        raise Refused("overtaken", "Versi lain diterapkan sesudah usulan ini dibuat, jadi perubahan yang diperiksa "
                                   "bukan lagi yang akan terjadi. Kembalikan usulan ini agar diusulkan ulang.")
    data = content(db, one.id)
    try:
        definition = diagram.read(data)
    except DiagramError as error:           # of a gate that has become stricter since
        problem = next(each.message for each in error.findings if each.severity == "error")
        raise Refused("wrong", f"Diagram ini tidak lagi dapat diberlakukan: {problem}") from error
    cosmetic = newest is not None and newest.meaning_sha256 == definition.meaning_sha256
    event = DefinitionDeployed(version=one.version_before + 1, cosmetic=cosmetic)
    _, made = _record(db, mac_key, one.key, act, actor, at, command_id, (event,), one, definition.sha256, data)
    drafts.forget(db, one.draft)
    for other in drafts.of_files(db, one.key):
        if other.sha256 == one.sha256:
            drafts.forget(db, other.id)
    version = made[0]
    assert isinstance(version, Version)
    return version


def _ratified_before(db: Connection, one: Proposal, sequence: int, person: str, type: str,
                     asked: Mapping[str, str]) -> Version:
    """The version that this command made already. Raises Refused (`other`) where it asked for something else."""
    entry = next(journal.read(db, definitions.stream(one.key), after=sequence - 1))
    act = entry.command["act"]
    if act["type"] != type or entry.command["actor"]["person"] != person or any(
            act[name] != value for name, value in asked.items()):
        raise _other()
    return next(each for each in definitions.versions(db, one.key) if each.version == entry.events[0]["version"])


def _locked(db: Connection, proposal_id: str) -> Proposal:
    """The proposal as it stands, with its key locked."""
    one = proposal(db, proposal_id)
    if one is None:
        raise Refused("unknown", "Usulan ini tidak ada.")
    definitions.lock_key(db, one.key)
    again = proposal(db, proposal_id)
    assert again is not None, "no proposal is ever deleted"
    return again


def _decided(db: Connection, mac_key: bytes, one: Proposal, act: Act, actor: Actor, at: datetime,
             command_id: str) -> Proposal:
    _, made = _record(db, mac_key, one.key, act, actor, at, command_id, before=one, definition=one.sha256)
    assert isinstance(made[0], Proposal)
    return made[0]


def _reopened(db: Connection, one: Proposal) -> Proposal:
    if one.draft:
        drafts.set_state(db, one.draft, before=drafts.PROPOSED, state=drafts.OPEN)
    return one


# Withdraw, evaluate

def withdraw(db: Connection, mac_key: bytes, key: str, *, person: str, reason: str, at: datetime, command_id: str,
             signed_in_by: str = "web") -> Withdrawal:
    """Cabut SOP, by the head of the unit that keeps it: nobody starts it any more, what runs goes on to its end. Only a
    newly ratified version brings it back. Raises Refused: `not_yours`, `unknown`, `withdrawn`, `wrong`, `other`."""
    definitions.lock_key(db, key)
    newest = definitions.newest(db, key)
    if newest is None:
        raise Refused("unknown", "SOP ini belum pernah diberlakukan.")
    before = definitions.withdrawn(db, key)
    act = WithdrawDefinition(version=newest.version, reason=reason.strip())
    if before and _repeated(db, key, command_id, act, person):
        return before
    if before:
        raise Refused("withdrawn", "SOP ini sudah dicabut.")
    unit = definitions.home(db, key) or ""
    today = _today(db, unit, at)
    _must(may_withdraw(db, person, key, today))
    _filled(reason, "reason", "Alasan pencabutan")
    head = organisation.head_of(db, unit, today)
    assert head is not None, "may_withdraw asked for one"
    actor = _heading(head, unit, signed_in_by)
    _, made = _record(db, mac_key, key, act, actor, at, command_id, definition=newest.sha256)
    assert isinstance(made[0], Withdrawal)
    return made[0]


def attach_sheet(db: Connection, mac_key: bytes, key: str, version: int, *, person: str, scan: Attachment, at: datetime,
                 command_id: str, signed_in_by: str = "web") -> Version:
    """The signed paper of the newest version, where it came after the pengesahan; another one replaces it, and the
    stream keeps both. Raises Refused: `not_yours`, `unknown`, `wrong`, `other`."""
    definitions.lock_key(db, key)
    newest = definitions.newest(db, key)
    if newest is None or newest.version != version:
        raise Refused("unknown", "Lembar pengesahan hanya dapat dilampirkan pada versi terbaru. Muat ulang halaman.")
    act = AttachSignedSheet(version=version, scan=scan)
    if _repeated(db, key, command_id, act, person):
        return newest
    today = _today(db, newest.unit, at)
    _must(may_attach_sheet(db, person, newest, today))
    _scanned(db, scan)
    _, made = _record(db, mac_key, key, act, _actor(db, person, today, signed_in_by), at, command_id,
                      definition=newest.sha256)
    assert isinstance(made[0], Version)
    return made[0]


def evaluated(db: Connection, mac_key: bytes, key: str, *, person: str, dated: date, outcome: str, note: str = "",
              at: datetime, command_id: str, signed_in_by: str = "web") -> Evaluation:
    """A yearly evaluation took place. Raises Refused: `not_yours`, `unknown`, `wrong`, `other`.

    outcome  tetap | diubah | dicabut: what the evaluation asks for; nothing follows from it by itself.
    """
    definitions.lock_key(db, key)
    newest = definitions.newest(db, key)
    if newest is None:
        raise Refused("unknown", "SOP ini belum pernah diberlakukan.")
    act = EvaluateDefinition(dated=dated.isoformat(), outcome=outcome, note=note.strip())
    repeated = _repeated(db, key, command_id, act, person)
    if repeated:
        return next(one for one in definitions.evaluations(db, key) if one.sequence == repeated)
    today = _today(db, definitions.home(db, key) or "", at)
    _must(may_evaluate(db, person, key, today))
    if dated > today:
        raise wrong("dated", f"Tanggal evaluasi {in_words(dated.isoformat())} belum tiba.")
    if outcome not in OUTCOMES:
        raise wrong("outcome", f"Hasil evaluasi belum dipilih. Yang ada: {', '.join(OUTCOMES)}.")
    text(act.note, "note", "Catatan", LONGEST_REASON, required=False)
    _, made = _record(db, mac_key, key, act, _actor(db, person, today, signed_in_by), at, command_id,
                      definition=newest.sha256)
    assert isinstance(made[0], Evaluation)
    return made[0]


# Recording

def _record(db: Connection, mac_key: bytes, key: str, act: Act, actor: Actor, at: datetime, command_id: str,
            events: tuple[DefinitionDeployed, ...] = (), before: Proposal | None = None, definition: str | None = None,
            data: bytes | None = None) -> tuple[int, tuple[Row, ...]]:
    """Write one row of the stream and what it changes; its sequence, and those values. data: the bytes, where they are
    new to a table."""
    sequence, prev, last = journal.head(db, definitions.stream(key))
    at = max(at, last) if last else at
    made = rows(key, act, person=actor.person, at=at, sequence=sequence + 1, proposal=before,
                newest=definitions.newest(db, key))
    journal.append(db, mac_key, stream=definitions.stream(key), sequence=sequence + 1, prev=prev, command_id=command_id,
                   at=at, command=Change(id=command_id, at=at, actor=actor, act=act), events=events,
                   definition=definition)
    for one in made:
        match one:
            case Version():
                if data is None:            # one that there is already: its paper came
                    definitions.put_scan(db, one)
                else:
                    definitions.put(db, one, data)
            case Proposal() if before is None:
                assert data is not None, "a proposal has bytes"
                store.add(db, one, data)
            case Proposal():
                store.put(db, one)
            case Withdrawal():
                definitions.put_withdrawal(db, one)
            case Evaluation():
                definitions.put_evaluation(db, one)
    return sequence + 1, made


def _repeated(db: Connection, key: str, command_id: str, act: Act, person: str) -> int | None:
    """The row that this very command wrote already, None if it is new. Raises Refused (`other`) for another use of its
    id."""
    sequence = journal.sequence_of(db, definitions.stream(key), command_id)
    if sequence is None:
        return None
    entry = next(journal.read(db, definitions.stream(key), after=sequence - 1))
    if entry.command["actor"]["person"] != person or _act_of(entry.command["act"]) != act:
        raise _other()
    return sequence


def _other() -> Refused:
    return Refused("other", "Formulir ini sudah pernah dikirim dengan isian lain. Muat ulang halaman, lalu ulangi.")


def _without_unit() -> Refused:
    return Refused("wrong", "SOP ini belum mempunyai unit pemilik, jadi tidak ada yang dapat mengesahkannya. Unduh "
                            "diagramnya, impor sebagai rancangan baru milik suatu unit, lalu usulkan.")


def _filled(reason: str, place: str, label: str) -> None:
    if not reason.strip():
        raise wrong(place, f"{label} belum diisi. Tulis mengapa.")
    if len(reason) > LONGEST_REASON:
        raise wrong(place, f"{label} terlalu panjang: {len(reason)} karakter, paling banyak {LONGEST_REASON}.")


def _actor(db: Connection, person: str, on: date, signed_in_by: str) -> Actor:
    """The person in the first position that they hold on a day."""
    for one in organisation.positions_of(db, person, on):
        unit = organisation.unit_of_position(db, one.position)
        return Actor(person=person, position=one.position, unit=unit.id if unit else None, capacity=one.capacity,
                     basis=one.basis or None, signed_in_by=signed_in_by)
    return Actor(person=person, signed_in_by=signed_in_by)


def _heading(head: organisation.Staff, unit: str, signed_in_by: str) -> Actor:
    """The head of a unit, in the capacity in which they act today."""
    return Actor(person=head.person, position=head.position, unit=unit, capacity=head.capacity,
                 basis=head.basis or None, signed_in_by=signed_in_by)


# Proving it again

@dataclass(frozen=True, kw_only=True)
class Told:
    """What the stream of an SOP says, from its first row on."""
    versions: tuple[Version, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()


def told(db: Connection, key: str, mac_key: bytes | None = None) -> Told:
    """The tables of an SOP as its stream gives them, each row checked against its hash (and seal, with the key).

    Raises records.RecordError at the first row that does not agree. A name is "" where an older row did not record it.
    """
    versions: list[Version] = []
    waiting: dict[str, Proposal] = {}
    withdrawals: list[Withdrawal] = []
    evaluations: list[Evaluation] = []
    for entry in journal.read(db, definitions.stream(key), key=mac_key):
        act = _act_of(entry.command["act"])
        made = rows(key, act, person=entry.command["actor"]["person"], at=entry.at, sequence=entry.sequence,
                    proposal=waiting.get(getattr(act, "proposal", "")), newest=versions[-1] if versions else None)
        for one in made:
            match one:
                case Version() if versions and versions[-1].version == one.version:
                    versions[-1] = one
                case Version():
                    versions.append(one)
                case Proposal():
                    waiting[one.id] = one
                case Withdrawal():
                    withdrawals.append(one)
                case Evaluation():
                    evaluations.append(one)
    return Told(versions=tuple(versions), proposals=tuple(waiting.values()), withdrawals=tuple(withdrawals),
                evaluations=tuple(evaluations))


def _act_of(shape: Mapping[str, Any]) -> Act:
    kind = ACTS.get(shape["type"])
    if kind is None:
        raise records.RecordError(f"{shape['type']} is no act on a definition.")
    act: Act = records.decode(kind, {name: value for name, value in shape.items() if name != "type"})
    return act
