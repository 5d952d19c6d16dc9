"""The first tables, and the triggers that keep the journal append only."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# What an administrator's slip or a stray statement could do to the journal is refused by the database itself. Whoever
# owns the database can drop a trigger: against that stand the hashes and the MAC, not these.
SQLITE = """
CREATE TRIGGER journal_not_changed BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'The journal is append only: no row is changed.'); END;

CREATE TRIGGER journal_not_deleted BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'The journal is append only: no row is deleted.'); END;

CREATE TRIGGER journal_not_replaced BEFORE INSERT ON journal
WHEN EXISTS (SELECT 1 FROM journal WHERE stream = NEW.stream AND sequence = NEW.sequence)
  OR EXISTS (SELECT 1 FROM journal WHERE stream = NEW.stream AND command_id = NEW.command_id)
BEGIN SELECT RAISE(ABORT, 'The journal is append only: this sequence or command is taken.'); END;

CREATE TRIGGER journal_value_only_erased BEFORE UPDATE ON journal_value
WHEN NEW.value IS NOT NULL OR NEW.stream <> OLD.stream OR NEW.sequence <> OLD.sequence OR NEW.path <> OLD.path
  OR NEW.salt <> OLD.salt
BEGIN SELECT RAISE(ABORT, 'A value of the journal can be erased and not changed otherwise.'); END;

CREATE TRIGGER journal_value_not_deleted BEFORE DELETE ON journal_value
BEGIN SELECT RAISE(ABORT, 'The journal is append only: no value is deleted; it can be erased.'); END;

CREATE TRIGGER journal_value_not_replaced BEFORE INSERT ON journal_value
WHEN EXISTS (SELECT 1 FROM journal_value WHERE stream = NEW.stream AND sequence = NEW.sequence AND path = NEW.path)
BEGIN SELECT RAISE(ABORT, 'The journal is append only: this value is there already.'); END;
"""

POSTGRESQL = """
CREATE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The journal is append only: % on % is refused.', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER journal_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();

CREATE TRIGGER journal_value_not_deleted BEFORE DELETE OR TRUNCATE ON journal_value
FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();

CREATE TRIGGER journal_value_only_erased BEFORE UPDATE ON journal_value FOR EACH ROW
WHEN (NEW.value IS NOT NULL OR NEW.stream <> OLD.stream OR NEW.sequence <> OLD.sequence OR NEW.path <> OLD.path
      OR NEW.salt <> OLD.salt)
EXECUTE FUNCTION journal_refuse();

ALTER TABLE journal ENABLE ALWAYS TRIGGER journal_not_changed;
ALTER TABLE journal_value ENABLE ALWAYS TRIGGER journal_value_not_deleted;
ALTER TABLE journal_value ENABLE ALWAYS TRIGGER journal_value_only_erased;
"""


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "sequence", name=op.f("pk_journal")),
        sa.UniqueConstraint("stream", "command_id", name=op.f("uq_journal_stream_command_id")),
    )
    op.create_table(
        "journal_value",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("stream", "sequence", "path", name=op.f("pk_journal_value")),
    )
    op.create_table(
        "definition",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("deployed_at", sa.Text(), nullable=False),
        sa.Column("deployed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("canonical_sha256", sa.Text(), nullable=False),
        sa.Column("meaning_sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", "version", name=op.f("pk_definition")),
        sa.UniqueConstraint("key", "sha256", name=op.f("uq_definition_key_sha256")),
    )
    op.create_table(
        "definition_unit",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "unit", name=op.f("pk_definition_unit")),
    )
    op.create_table(
        "calendar",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_calendar")),
    )
    op.create_table(
        "calendar_unit",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit", name=op.f("pk_calendar_unit")),
    )
    op.create_table(
        "instance",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("deadline_at", sa.Text(), nullable=True),
        sa.Column("marking", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index("ix_instance_unit", "instance", ["unit", "status"])
    op.create_index(
        "uq_instance_year", "instance", ["key", "unit", "year"], unique=True,
        sqlite_where=sa.text("status <> 'cancelled' AND year IS NOT NULL"),
        postgresql_where=sa.text("status <> 'cancelled' AND year IS NOT NULL"),
    )
    op.create_table(
        "user_task",
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("norm_at", sa.Text(), nullable=True),
        sa.Column("late_at", sa.Text(), nullable=True),
        sa.Column("escalate_at", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("instance", "number", name=op.f("pk_user_task")),
    )
    op.create_index("ix_user_task_lane", "user_task", ["unit", "key", "lane", "late_at"])
    op.create_index("ix_user_task_owner", "user_task", ["owner"])
    op.create_table(
        "timer",
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("due_at", sa.Text(), nullable=False),
        sa.Column("user_task", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("instance", "number", name=op.f("pk_timer")),
        sa.ForeignKeyConstraint(
            ["instance", "user_task"], ["user_task.instance", "user_task.number"],
            name=op.f("fk_timer_instance_user_task_user_task"), ondelete="CASCADE",
        ),
    )
    op.create_index("ix_timer_due_at", "timer", ["due_at"])
    op.create_index("ix_timer_user_task", "timer", ["instance", "user_task"])
    op.create_table(
        "team",
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("instance", "lane", "person", name=op.f("pk_team")),
    )
    op.create_index("ix_team_person", "team", ["person"])
    op.create_table(
        "document",
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("user_task", sa.Integer(), nullable=True),
        sa.Column("element", sa.Text(), nullable=True),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("attached_at", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("instance", "type", "version", "sequence", name=op.f("pk_document")),
    )
    op.create_table(
        "document_file",
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("instance", "type", "version", "sequence", "place", name=op.f("pk_document_file")),
    )
    op.create_index("ix_document_file_sha256", "document_file", ["sha256"])
    op.create_table(
        "blob",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "draft",
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("user_task", sa.Integer(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("instance", "user_task", "person", name=op.f("pk_draft")),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    op.create_index("ix_session_expires_at", "session", ["expires_at"])
    op.create_table(
        "attempt",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "at", "number", name=op.f("pk_attempt")),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("government", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
    )
    op.create_table(
        "position",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("many", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_position")),
        sa.ForeignKeyConstraint(
            ["unit"], ["unit.id"],
            name=op.f("fk_position_unit_unit"),
        ),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("nip", sa.Text(), nullable=True),
        sa.Column("rank", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("login", name=op.f("uq_person_login")),
    )
    op.create_index("uq_person_nip", "person", ["nip"], unique=True)
    op.create_table(
        "credential",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.Column("temporary", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_credential")),
    )
    op.create_table(
        "holding",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holding")),
    )
    op.create_index("ix_holding_person", "holding", ["person"])
    op.create_index("ix_holding_position", "holding", ["position"])
    op.create_table(
        "binding",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "lane", "unit", name=op.f("pk_binding")),
    )
    op.create_table(
        "power",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("power", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person", "power", "unit", name=op.f("pk_power")),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )
    for statement in (SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL).split("\n\n"):
        op.execute(sa.text(statement))
