"""The tables. The journal is the truth; every other table is a shadow of it, or of a file, or of a session.

Instants are text, `YYYY-MM-DDTHH:MM:SS.ffffffZ`: the same bytes as in the journal, the same order in both databases.
SQL stands in this folder and nowhere else.
"""
from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(naming_convention={
    "ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s"})


def words(*names: str, null: bool = False, default: str | None = None) -> list[Column[str]]:
    said = None if default is None else text(default)
    return [Column(name, Text, nullable=null, server_default=said) for name in names]


# The truth. Append only: triggers refuse UPDATE, DELETE and INSERT OR REPLACE (store/migrations).
journal = Table("journal", metadata, *words("stream"), Column("sequence", Integer, nullable=False),
                *words("command_id"), *(Column(name, LargeBinary, nullable=False) for name in ("body", "hash", "mac")),
                PrimaryKeyConstraint("stream", "sequence"), UniqueConstraint("stream", "command_id"))
# Values beside the body: personal data and free text. `value` is NULL once it was erased and `salt` empty, so that
# nobody can guess it back from the salted hash in the body, which stays; `erased` says why (commands.Erased).
journal_value = Table("journal_value", metadata, *words("stream"), Column("sequence", Integer, nullable=False),
                      *words("path"), Column("salt", LargeBinary, nullable=False), Column("value", LargeBinary),
                      Column("erased", Text), PrimaryKeyConstraint("stream", "sequence", "path"))

# The log: every committed journal row of all streams has one index in it, without a gap (store/ledger.py). Append only,
# as the journal is. subtrees: the hashes of the perfect subtrees of the Merkle tree that this row completed.
log_entry = Table("log_entry", metadata, Column("index", Integer, nullable=False, autoincrement=False),
                  *words("stream"), Column("sequence", Integer, nullable=False),
                  *(Column(name, LargeBinary, nullable=False) for name in ("hash", "subtrees")),
                  PrimaryKeyConstraint("index"), UniqueConstraint("stream", "sequence"))
# Journal rows that wait for their index: a trigger of the journal puts them here, in the transaction that writes them.
# refused: 1 of a row that is not as our key sealed it, or does not follow; it gets no index.
log_pending = Table("log_pending", metadata, Column("id", Integer, nullable=False), *words("stream"),
                    Column("sequence", Integer, nullable=False), Column("refused", Integer, nullable=False),
                    PrimaryKeyConstraint("id"))
# Signed checkpoints of the log, as the bytes that were signed and given away. Append only.
checkpoint = Table("checkpoint", metadata, Column("size", Integer, nullable=False, autoincrement=False),
                   Column("root", LargeBinary, nullable=False), *words("note", "at"), PrimaryKeyConstraint("size"))

# Definitions and calendars, by their SHA-256. Shadows of the streams definition/KEY and calendar/ID.
definition = Table("definition", metadata, *words("sha256", "key"), Column("version", Integer, nullable=False),
                   *words("name", "status", "deployed_at", "deployed_by", "reason"),
                   *words("canonical_sha256", "meaning_sha256"),
                   Column("bytes", LargeBinary, nullable=False),        # exactly as uploaded
                   Column("cosmetic", Integer, nullable=False, server_default=text("0")),
                   *words("unit", "holds_from", "effective", "verified_by", "ratified_by", "number", default="''"),
                   *words("dated", "position", "ratifier_name", "ratifier_nip", default="''"),
                   *words("changes", default="'[]'"),                   # JSON, each as changes.to_json
                   *words("scan", default="''"),                        # JSON of an Attachment: the signed paper
                   PrimaryKeyConstraint("key", "version"))
# Diagrams put forward for pengesahan, with their bytes. state: proposed | verified | returned | recalled | ratified.
definition_proposal = Table(
    "definition_proposal", metadata, *words("id", "key", "name", "unit", "draft", "sha256", "canonical_sha256"),
    *words("meaning_sha256", "base"), Column("version_before", Integer, nullable=False), *words("reason", "holds_from"),
    Column("cosmetic", Integer, nullable=False), *words("changes", "savers", "state", "proposed_at", "proposed_by"),
    *words("verified_at", "verified_by", "decided_at", "decided_by", "note"),
    Column("version", Integer, nullable=False), Column("bytes", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id"))
Index("ix_definition_proposal_key", definition_proposal.c.key, definition_proposal.c.state)
# No version up to this one is started any more; and when an SOP was looked at, as it must be each year.
definition_withdrawal = Table("definition_withdrawal", metadata, *words("key"),
                              Column("version", Integer, nullable=False), *words("at", "person", "reason"),
                              PrimaryKeyConstraint("key", "version"))
definition_evaluation = Table("definition_evaluation", metadata, *words("key"),
                              Column("sequence", Integer, nullable=False), *words("dated", "outcome", "note", "at"),
                              *words("person"), PrimaryKeyConstraint("key", "sequence"))
# Diagrams being drawn: no facts. savers: JSON, everybody who ever saved. file_sha256: of the file it came from, or "".
definition_draft = Table("definition_draft", metadata, *words("id", "key", "name", "unit"), *words("base", null=True),
                         *words("sha256"), Column("revision", Integer, nullable=False),
                         *words("origin", "state", "created_at", "created_by", "saved_at", "saved_by", "savers"),
                         *words("file_sha256"),
                         Column("unfinished", Integer, nullable=False, server_default=text("0")),
                         PrimaryKeyConstraint("id"))
Index("ix_definition_draft_key", definition_draft.c.key)
definition_draft_revision = Table("definition_draft_revision", metadata, *words("draft"),
                                  Column("revision", Integer, nullable=False),
                                  *words("saved_at", "saved_by", "sha256"),
                                  Column("bytes", LargeBinary, nullable=False),
                                  Column("sheet", Text, nullable=False, server_default=text("''")),
                                  PrimaryKeyConstraint("draft", "revision"))
definition_draft_presence = Table("definition_draft_presence", metadata, *words("draft", "person", "since", "seen_at"),
                                  PrimaryKeyConstraint("draft", "person"))
# Finished instances that owners keep as stories for their drafts. Only which: the text is told from the journal each
# time, so that nothing personal is copied out of it.
kept_story = Table("kept_story", metadata, *words("key", "name", "instance", "person", "kept_at"),
                   PrimaryKeyConstraint("key", "name"))
# Migrations of many instances that are under way, so that a closed browser or a crash loses none; no facts, those stand
# in the instances' own journals. undoing: 1 of one that gives back. instances, results: JSON (store/moves.py).
migration_run = Table("migration_run", metadata, *words("id", "key", "definition"),
                      Column("undoing", Integer, nullable=False), *words("mapping", "reason", "person", "begun_at"),
                      *words("ended_at", null=True), *words("instances", "results"), PrimaryKeyConstraint("id"))
# Which unit may start which process, and that unit's own data over it (sop.nomorSop, dates, ratifier), JSON.
definition_unit = Table("definition_unit", metadata, *words("key", "unit", "facts"),
                        PrimaryKeyConstraint("key", "unit"))
calendar = Table("calendar", metadata, *words("sha256", "name"), Column("body", LargeBinary, nullable=False),
                 PrimaryKeyConstraint("sha256"))
calendar_unit = Table("calendar_unit", metadata, *words("unit", "sha256"), PrimaryKeyConstraint("unit"))

# Process instances. `state` is all that `decide` needs besides the marking, JSON; the other columns are for lists.
instance = Table("instance", metadata, *words("id", "key", "definition", "unit"), Column("year", Integer),
                 *words("status", "title"), Column("sequence", Integer, nullable=False),
                 Column("head", LargeBinary, nullable=False), *words("last_at", "started_at"),
                 *words("ended_at", "deadline_at", null=True),
                 Column("marking", LargeBinary, nullable=False), Column("state", LargeBinary, nullable=False),
                 PrimaryKeyConstraint("id"), postgresql_with={"fillfactor": "70"})
Index("uq_instance_year", instance.c.key, instance.c.unit, instance.c.year, unique=True,
      sqlite_where=text("status <> 'cancelled' AND year IS NOT NULL"),
      postgresql_where=text("status <> 'cancelled' AND year IS NOT NULL"))
Index("ix_instance_unit", instance.c.unit, instance.c.status)

# Open user tasks and running timers: what the inbox and the worker ask for.
user_task = Table("user_task", metadata, *words("instance"), Column("number", Integer, nullable=False),
                  *words("key", "unit", "element", "name", "lane", "opened_at"),
                  Column("round", Integer, nullable=False),
                  *words("norm_at", "late_at", "escalate_at", "owner", "claimed_at", "asked_until", null=True),
                  PrimaryKeyConstraint("instance", "number"))
Index("ix_user_task_lane", user_task.c.unit, user_task.c.key, user_task.c.lane, user_task.c.late_at)
Index("ix_user_task_owner", user_task.c.owner)
# A boundary timer goes with its user task: one statement less on every completion.
timer = Table("timer", metadata, *words("instance"), Column("number", Integer, nullable=False),
              *words("element", "due_at"), Column("user_task", Integer), PrimaryKeyConstraint("instance", "number"),
              ForeignKeyConstraint(["instance", "user_task"], ["user_task.instance", "user_task.number"],
                                   ondelete="CASCADE"))
Index("ix_timer_user_task", timer.c.instance, timer.c.user_task)
Index("ix_timer_due_at", timer.c.due_at)
team = Table("team", metadata, *words("instance", "lane", "person", "role"),
             PrimaryKeyConstraint("instance", "lane", "person"))
Index("ix_team_person", team.c.person)

# Documents: versions of a type in an instance; the bytes are files named by SHA-256 under the data folder.
document = Table("document", metadata, *words("instance", "type"), Column("version", Integer, nullable=False),
                 Column("sequence", Integer, nullable=False), Column("user_task", Integer),
                 *words("element", null=True), *words("form", "attached_at", "person"),
                 PrimaryKeyConstraint("instance", "type", "version", "sequence"))
document_file = Table("document_file", metadata, *words("instance", "type"),
                      Column("version", Integer, nullable=False), Column("sequence", Integer, nullable=False),
                      Column("place", Integer, nullable=False), *words("sha256", "media_type"),
                      Column("size_bytes", Integer, nullable=False),
                      PrimaryKeyConstraint("instance", "type", "version", "sequence", "place"))
Index("ix_document_file_sha256", document_file.c.sha256)
# file: the random name of its file. state: unscanned | scanning | clean | quarantined; finding: what the scanner found,
# or why it could not look.
blob = Table("blob", metadata, *words("sha256", "media_type", "stored_at"),
             Column("size_bytes", Integer, nullable=False), *words("file", "state"),
             *words("scanned_at", "finding", null=True), PrimaryKeyConstraint("sha256"))
Index("ix_blob_state", blob.c.state)

# Not facts: what somebody is still typing, and who is signed in.
draft = Table("draft", metadata, *words("instance"), Column("user_task", Integer, nullable=False),
              *words("person", "data", "saved_at"), PrimaryKeyConstraint("instance", "user_task", "person"))
session = Table("session", metadata, *words("id"), *words("person", null=True),
                *words("data", "created_at", "seen_at", "expires_at"),
                PrimaryKeyConstraint("id"))     # id: SHA-256 of the cookie, hex
Index("ix_session_expires_at", session.c.expires_at)
attempt = Table("attempt", metadata, *words("subject", "at"), Column("number", Integer, nullable=False),
                PrimaryKeyConstraint("subject", "at", "number"))    # failed sign-ins, for the throttle

# The organisation: shadows of the stream `organisation`.
unit = Table("unit", metadata, *words("id", "name", "zone"), *words("parent", "government", "head", null=True),
             PrimaryKeyConstraint("id"))
position = Table("position", metadata, *words("id", "unit", "name"), Column("many", Integer, nullable=False),
                 PrimaryKeyConstraint("id"), ForeignKeyConstraint(["unit"], ["unit.id"]))
person = Table("person", metadata, *words("id", "name", "login"), *words("nip", "rank", "email", null=True),
               Column("active", Integer, nullable=False), PrimaryKeyConstraint("id"), UniqueConstraint("login"))
Index("uq_person_nip", person.c.nip, unique=True)
credential = Table("credential", metadata, *words("person", "password_hash", "changed_at"),
                   Column("temporary", Integer, nullable=False), PrimaryKeyConstraint("person"))
# capacity: definitif | plh | plt; dates inclusive
holding = Table("holding", metadata, *words("id", "position", "person", "capacity", "basis", "valid_from"),
                *words("valid_until", null=True), PrimaryKeyConstraint("id"))
Index("ix_holding_person", holding.c.person)
Index("ix_holding_position", holding.c.position)
binding = Table("binding", metadata, *words("key", "lane", "unit", "position"),
                PrimaryKeyConstraint("key", "lane", "unit"))
# power: administrator (unit "" = of the whole installation) | auditor, pemilik, verifikator (of a unit, "" = of all)
power = Table("power", metadata, *words("person", "power", "unit"), PrimaryKeyConstraint("person", "power", "unit"))

# A surat tugas audit. units: JSON list of unit ids; years: JSON list of years of report, [] = all; dates inclusive
audit_assignment = Table("audit_assignment", metadata,
                         *words("id", "person", "number", "units", "years", "valid_from", "valid_until", "basis"),
                         PrimaryKeyConstraint("id"))
Index("ix_audit_assignment_person", audit_assignment.c.person)

# How a unit reads what the SOP leaves open, once it was confirmed. subject: "hari", or an element of assumed performer.
reading = Table("reading", metadata, *words("key", "unit", "subject", "value", "basis", "dated"),
                PrimaryKeyConstraint("key", "unit", "subject"))

# Finished passes of user tasks, and how far each instance's journal was read for them (`name`: by which reader). Made
# by the worker from the journal, never inside a completion. working_minutes: from when its work could begin to its end,
# in its lane's calendar; returned: whether the Step that finished it opened some user task again.
finished_pass = Table("finished_pass", metadata, *words("instance"), Column("number", Integer, nullable=False),
                      *words("key", "unit", "element", "lane"), Column("round", Integer, nullable=False),
                      *words("opened_at", "ended_at"), Column("working_minutes", Integer, nullable=False),
                      Column("waiting_minutes", Integer), Column("processing_minutes", Integer),
                      Column("late", Integer, nullable=False), Column("returned", Integer, nullable=False),
                      PrimaryKeyConstraint("instance", "number"))
Index("ix_finished_pass_key", finished_pass.c.key, finished_pass.c.element)
projection = Table("projection", metadata, *words("name", "instance"), Column("sequence", Integer, nullable=False),
                   PrimaryKeyConstraint("name", "instance"))

# What people are told, and how. id: uuid5 of what it is about, so that nothing is told twice.
notice = Table("notice", metadata, *words("id", "instance"), Column("user_task", Integer),
               *words("kind", "person", "about_at", "subject", "body", "created_at"), *words("seen_at", null=True),
               *words("mail"), *words("mail_after", "sent_at", null=True), Column("tries", Integer, nullable=False),
               PrimaryKeyConstraint("id"))
Index("ix_notice_person", notice.c.person, notice.c.created_at)
Index("ix_notice_mail", notice.c.mail, notice.c.mail_after)
Index("ix_notice_instance", notice.c.instance, notice.c.user_task)
digest = Table("digest", metadata, *words("person", "day", "sent_at"), PrimaryKeyConstraint("person", "day"))
# mail: langsung | ringkasan | tidak
preference = Table("preference", metadata, *words("person", "mail", "changed_at"), PrimaryKeyConstraint("person"))
# An agenda that a calendar program reads without signing in; the secret itself is kept nowhere.
feed = Table("feed", metadata, *words("person", "secret_sha256", "created_at"), *words("read_at", null=True),
             PrimaryKeyConstraint("person"), UniqueConstraint("secret_sha256"))

# For example demonstration = yes.
setting = Table("setting", metadata, *words("name", "value"), PrimaryKeyConstraint("name"))

# Legal holds that hold now: a shadow of the stream `retention`, which every way to delete a record asks.
# scope: instance | unit (with its year of report, or all of them) | all
legal_hold = Table("legal_hold", metadata, *words("id", "scope", "instance", "unit"), Column("year", Integer),
                   *words("number", "basis", "since", "placed_at", "placed_by"), PrimaryKeyConstraint("id"))

# Uploads in parts, for bad lines: how far each is, and for whom and where it is meant. Gone after a day.
# file: its name under documents/parts; sha256: of what it became, once it was kept.
upload = Table("upload", metadata, *words("id", "person", "instance"), Column("user_task", Integer, nullable=False),
               *words("slot", "name", "file", "created_at", "expires_at"),
               Column("size_bytes", Integer, nullable=False), Column("received_bytes", Integer, nullable=False),
               *words("sha256", null=True), PrimaryKeyConstraint("id"))
Index("ix_upload_instance", upload.c.instance)
Index("ix_upload_expires_at", upload.c.expires_at)

# Second factors, recoveries, confirmations.
# Shadows of the stream `organisation`. kind: kredensial | faktor | pemegang | pelaksana | kepala; subject: what it is
# about (a person, a holding, KEY/LANE/POSITION, a position); previous: the position before, or "";
# state: menunggu | benar | tidak_benar
confirmation = Table("confirmation", metadata,
                     *words("id", "kind", "person", "unit", "subject", "previous", "asked_by", "asked_at", "state"),
                     PrimaryKeyConstraint("id"))
Index("ix_confirmation_state", confirmation.c.state)
factor_requirement = Table("factor_requirement", metadata, *words("person"), PrimaryKeyConstraint("person"))
# To whom a change is told when they sign in, until they say that they know; no fact.
announcement = Table("announcement", metadata, *words("confirmation", "person"), *words("known_at", null=True),
                     PrimaryKeyConstraint("confirmation", "person"))
Index("ix_announcement_person", announcement.c.person)
# No facts either. kind: totp (secret: sealed with a key of the installation's; last_step: the newest accepted) |
# passkey (credential: its id, public_key: COSE, both base64url; last_step: its signature counter)
second_factor = Table("second_factor", metadata, *words("id", "person", "kind", "name"),
                      *words("secret", "credential", "public_key", null=True),
                      Column("last_step", Integer, nullable=False), *words("created_at"),
                      *words("used_at", null=True), PrimaryKeyConstraint("id"), UniqueConstraint("credential"))
Index("ix_second_factor_person", second_factor.c.person)
recovery_code = Table("recovery_code", metadata, *words("person", "code_hash"), *words("used_at", null=True),
                      PrimaryKeyConstraint("person", "code_hash"))
# When somebody signed in last, by whatever way: who never did cannot confirm anything yet.
last_sign_in = Table("last_sign_in", metadata, *words("person", "at", "method"), PrimaryKeyConstraint("person"))
Index("ix_session_person", session.c.person)

# Open incidents of process instances, for the administrators' list: a shadow of the instances' own state. sequence: of
# the journal row that raised it, 0 of one from before this table.
incident = Table("incident", metadata, *words("instance"), Column("number", Integer, nullable=False), *words("kind"),
                 *words("element", null=True), *words("detail", "raised_at"),
                 Column("sequence", Integer, nullable=False), PrimaryKeyConstraint("instance", "number"))
# What the worker looks at again and again, a slice at a time, and what it found wrong; no facts, both are found again.
# slice: open | closed (instances) | log | whole; cursor: behind what the next look begins; looked: things in this
# round; ended_at: of the last whole round.
invariant_look = Table("invariant_look", metadata, *words("slice", "cursor", "looked_at", "began_at"),
                       *words("ended_at", null=True), Column("looked", Integer, nullable=False),
                       PrimaryKeyConstraint("slice"))
invariant_finding = Table("invariant_finding", metadata, *words("invariant", "subject", "slice", "detail", "since"),
                          *words("seen_at"), PrimaryKeyConstraint("invariant", "subject"))

# Signing in with the office's own accounts: which account of which provider (its `issuer` and `subject`) is a person's.
# name: what the provider called them when it was linked, for the person to know it by; it decides nothing.
office_account = Table("office_account", metadata, *words("issuer", "subject", "person", "name", "linked_at"),
                       PrimaryKeyConstraint("issuer", "subject"), UniqueConstraint("issuer", "person"))
Index("ix_office_account_person", office_account.c.person)
