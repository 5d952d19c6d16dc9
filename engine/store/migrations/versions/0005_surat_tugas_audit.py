"""Who may audit which units and years, from a day to a day: surat tugas."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # Empty: who had the power auditor before has no surat tugas, and keeps the power until it is taken away.
    op.create_table(
        "audit_assignment",
        *(sa.Column(name, sa.Text(), nullable=False)
          for name in ("id", "person", "number", "units", "years", "valid_from", "valid_until", "basis")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_assignment")),
    )
    op.create_index("ix_audit_assignment_person", "audit_assignment", ["person"])
