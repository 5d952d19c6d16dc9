"""Who signs in through the office's own identity provider."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "office_account",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("issuer", "subject", "person", "name", "linked_at")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_office_account")),
        sa.UniqueConstraint("issuer", "person", name=op.f("uq_office_account_issuer_person")),
    )
    op.create_index("ix_office_account_person", "office_account", ["person"])
