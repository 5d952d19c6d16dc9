"""Open incidents as a list, and what the invariants found."""
from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def words(*names: str, null: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=null) for name in names]


def upgrade() -> None:
    incident = op.create_table(
        "incident", *words("instance"), sa.Column("number", sa.Integer(), nullable=False), *words("kind"),
        *words("element", null=True), *words("detail", "raised_at"),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("instance", "number", name=op.f("pk_incident")))
    op.create_table(
        "invariant_look", *words("slice", "cursor", "looked_at", "began_at"), *words("ended_at", null=True),
        sa.Column("looked", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("slice", name=op.f("pk_invariant_look")))
    op.create_table(
        "invariant_finding", *words("invariant", "subject", "slice", "detail", "since", "seen_at"),
        sa.PrimaryKeyConstraint("invariant", "subject", name=op.f("pk_invariant_finding")))
    # The incidents that are open already. A state that cannot be read is found by the first round of the invariants.
    instance = sa.table("instance", sa.column("id", sa.Text()), sa.column("state", sa.LargeBinary()),
                        sa.column("status", sa.Text()))
    found = op.get_bind().execute(sa.select(instance.c.id, instance.c.state).where(
        instance.c.status.in_(("running", "suspended")))).all()
    rows = []
    for id, state in found:
        try:
            unresolved = json.loads(bytes(state)).get("incidents", {})
            rows += [{"instance": id, "number": int(number), "kind": one["kind"], "element": one["element"],
                      "detail": one["detail"], "raised_at": instant(one["at"]), "sequence": 0}
                     for number, one in unresolved.items()]
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    if rows:
        op.bulk_insert(incident, rows)


def instant(text: str) -> str:
    """The journal's own form of an instant, from a state's, which leaves zeros away."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<6}Z"
