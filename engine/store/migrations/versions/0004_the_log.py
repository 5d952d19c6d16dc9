"""The log over all streams, its checkpoints, and the triggers that keep both append only."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# As with the journal: what a slip or a stray statement could do is refused by the database itself. Against who owns the
# database stand the signatures, and the checkpoints that others keep.
SQLITE = """
CREATE TRIGGER journal_waits AFTER INSERT ON journal
BEGIN INSERT INTO log_pending (stream, sequence, refused) VALUES (NEW.stream, NEW.sequence, 0); END;

CREATE TRIGGER log_entry_not_changed BEFORE UPDATE ON log_entry
BEGIN SELECT RAISE(ABORT, 'The log is append only: no row is changed.'); END;

CREATE TRIGGER log_entry_not_deleted BEFORE DELETE ON log_entry
BEGIN SELECT RAISE(ABORT, 'The log is append only: no row is deleted.'); END;

CREATE TRIGGER log_entry_follows BEFORE INSERT ON log_entry
WHEN NEW."index" <> (SELECT coalesce(max("index") + 1, 0) FROM log_entry)
  OR EXISTS (SELECT 1 FROM log_entry WHERE stream = NEW.stream AND sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'The log is append only: this index does not follow, or this row has one.'); END;

CREATE TRIGGER checkpoint_not_changed BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'A checkpoint is never changed.'); END;

CREATE TRIGGER checkpoint_not_deleted BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'A checkpoint is never deleted.'); END;

CREATE TRIGGER checkpoint_not_replaced BEFORE INSERT ON checkpoint
WHEN EXISTS (SELECT 1 FROM checkpoint WHERE size = NEW.size)
BEGIN SELECT RAISE(ABORT, 'A checkpoint is never replaced.'); END;
"""

POSTGRESQL = """
CREATE FUNCTION journal_wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log_pending (stream, sequence, refused) VALUES (NEW.stream, NEW.sequence, 0);
  RETURN NULL;
END $$;

CREATE FUNCTION log_entry_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW."index" <> (SELECT coalesce(max("index") + 1, 0) FROM log_entry) THEN
    RAISE EXCEPTION 'The log is append only: index % does not follow.', NEW."index"
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER journal_waits AFTER INSERT ON journal FOR EACH ROW EXECUTE FUNCTION journal_wait();

CREATE TRIGGER log_entry_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON log_entry
FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();

CREATE TRIGGER log_entry_follows BEFORE INSERT ON log_entry FOR EACH ROW EXECUTE FUNCTION log_entry_follow();

CREATE TRIGGER checkpoint_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint
FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();

ALTER TABLE journal ENABLE ALWAYS TRIGGER journal_waits;
ALTER TABLE log_entry ENABLE ALWAYS TRIGGER log_entry_not_changed;
ALTER TABLE log_entry ENABLE ALWAYS TRIGGER log_entry_follows;
ALTER TABLE checkpoint ENABLE ALWAYS TRIGGER checkpoint_not_changed;
"""


def upgrade() -> None:
    op.create_table(
        "log_entry",
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("subtrees", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_log_entry")),
        sa.UniqueConstraint("stream", "sequence", name=op.f("uq_log_entry_stream_sequence")),
    )
    op.create_table(
        "log_pending",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_pending")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint")),
    )
    # What was written before there was a log: stream by stream, in the order of each.
    op.execute("INSERT INTO log_pending (stream, sequence, refused) "
               "SELECT stream, sequence, 0 FROM journal ORDER BY stream, sequence")
    for statement in (SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL).split("\n\n"):
        op.execute(sa.text(statement))
