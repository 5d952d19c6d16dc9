"""Erasing personal values, legal holds, retention and disposal."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# As since 0001, and besides: the salt of an erased value goes with it (to nothing else than nothing), and why it was
# erased is said once.
CHANGED = """NEW.value IS NOT NULL OR NEW.stream <> OLD.stream OR NEW.sequence <> OLD.sequence OR NEW.path <> OLD.path
  OR (NEW.salt <> OLD.salt AND length(NEW.salt) <> 0)
  OR (OLD.erased IS NOT NULL AND (NEW.erased IS NULL OR NEW.erased <> OLD.erased))"""
SQLITE = f"""
DROP TRIGGER journal_value_only_erased;

CREATE TRIGGER journal_value_only_erased BEFORE UPDATE ON journal_value
WHEN {CHANGED}
BEGIN SELECT RAISE(ABORT, 'A value of the journal can be erased and not changed otherwise.'); END;
"""
POSTGRESQL = f"""
DROP TRIGGER journal_value_only_erased ON journal_value;

CREATE TRIGGER journal_value_only_erased BEFORE UPDATE ON journal_value FOR EACH ROW
WHEN ({CHANGED})
EXECUTE FUNCTION journal_refuse();

ALTER TABLE journal_value ENABLE ALWAYS TRIGGER journal_value_only_erased;
"""


def upgrade() -> None:
    op.add_column("journal_value", sa.Column("erased", sa.Text(), nullable=True))
    for statement in (SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL).split("\n\n"):
        op.execute(sa.text(statement))
    op.create_table(
        "legal_hold",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "scope", "instance", "unit")),
        sa.Column("year", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False)
          for name in ("number", "basis", "since", "placed_at", "placed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
