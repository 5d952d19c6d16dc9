"""Second factors, recoveries and new bindings that another person of the unit confirms."""
from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def words(*names: str, null: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=null) for name in names]


def upgrade() -> None:
    # Empty: what was changed before this version was nobody's to confirm.
    create("confirmation", ["id"], words("id", "kind", "person", "unit", "subject", "previous", "asked_by", "asked_at",
                                         "state"))
    op.create_index("ix_confirmation_state", "confirmation", ["state"])
    create("factor_requirement", ["person"], words("person"))
    create("announcement", ["confirmation", "person"],
           [*words("confirmation", "person"), *words("known_at", null=True)])
    op.create_index("ix_announcement_person", "announcement", ["person"])
    create("second_factor", ["id"],
           [*words("id", "person", "kind", "name"), *words("secret", "credential", "public_key", null=True),
            sa.Column("last_step", sa.Integer(), nullable=False), *words("created_at"), *words("used_at", null=True)],
           sa.UniqueConstraint("credential", name=op.f("uq_second_factor_credential")))
    op.create_index("ix_second_factor_person", "second_factor", ["person"])
    create("recovery_code", ["person", "code_hash"],
           [*words("person", "code_hash"), *words("used_at", null=True)])
    create("last_sign_in", ["person"], words("person", "at", "method"))
    op.create_index("ix_session_person", "session", ["person"])


def create(name: str, key: Sequence[str], columns: Sequence[sa.Column[str] | sa.Column[int]],
           *constraints: sa.Constraint) -> None:
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")), *constraints)
