"""Drafts of their own, proposals, pengesahan, withdrawal, yearly evaluation; the position that heads a unit."""
from __future__ import annotations

from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NAMESPACE = UUID("7f2c1f0a-3f0e-5a63-9d51-2f6f3a9c4e10")        # of the ids of drafts that came from files
WORDS = ("unit", "holds_from", "effective", "verified_by", "ratified_by", "number", "dated", "position",
         "ratifier_name", "ratifier_nip", "scan")


def text(*names: str, null: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=null) for name in names]


def upgrade() -> None:
    op.add_column("unit", sa.Column("head", sa.Text(), nullable=True))
    op.create_table(
        "definition_proposal",
        *text("id", "key", "name", "unit", "draft", "sha256", "canonical_sha256", "meaning_sha256", "base"),
        sa.Column("version_before", sa.Integer(), nullable=False),
        *text("reason", "holds_from"),
        sa.Column("cosmetic", sa.Integer(), nullable=False),
        *text("changes", "savers", "state", "proposed_at", "proposed_by", "verified_at", "verified_by", "decided_at",
              "decided_by", "note"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_definition_proposal")),
    )
    op.create_index("ix_definition_proposal_key", "definition_proposal", ["key", "state"])
    op.create_table(
        "definition_withdrawal",
        *text("key"),
        sa.Column("version", sa.Integer(), nullable=False),
        *text("at", "person", "reason"),
        sa.PrimaryKeyConstraint("key", "version", name=op.f("pk_definition_withdrawal")),
    )
    op.create_table(
        "definition_evaluation",
        *text("key"),
        sa.Column("sequence", sa.Integer(), nullable=False),
        *text("dated", "outcome", "note", "at", "person"),
        sa.PrimaryKeyConstraint("key", "sequence", name=op.f("pk_definition_evaluation")),
    )
    op.create_table(
        "definition_draft",
        *text("id", "key", "name", "unit"),
        *text("base", null=True),
        *text("sha256"),
        sa.Column("revision", sa.Integer(), nullable=False),
        *text("origin", "state", "created_at", "created_by", "saved_at", "saved_by", "savers", "file_sha256"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_definition_draft")),
    )
    op.create_index("ix_definition_draft_key", "definition_draft", ["key"])
    op.create_table(
        "definition_draft_revision",
        *text("draft"),
        sa.Column("revision", sa.Integer(), nullable=False),
        *text("saved_at", "saved_by", "sha256"),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("draft", "revision", name=op.f("pk_definition_draft_revision")),
    )
    op.create_table(
        "definition_draft_presence",
        *text("draft", "person", "since", "seen_at"),
        sa.PrimaryKeyConstraint("draft", "person", name=op.f("pk_definition_draft_presence")),
    )
    op.create_table(
        "kept_story",
        *text("key", "name", "instance", "person", "kept_at"),
        sa.PrimaryKeyConstraint("key", "name", name=op.f("pk_kept_story")),
    )
    op.create_table(
        "migration_run",
        *text("id", "key", "definition"),
        sa.Column("undoing", sa.Integer(), nullable=False),
        *text("mapping", "reason", "person", "begun_at"),
        *text("ended_at", null=True),
        *text("instances", "results"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_migration_run")),
    )
    move_drafts(op.get_bind())
    with op.batch_alter_table("definition") as definition:
        definition.drop_constraint(op.f("uq_definition_key_sha256"), type_="unique")   # an old one is published again
        definition.add_column(sa.Column("cosmetic", sa.Integer(), nullable=False, server_default=sa.text("0")))
        for name in WORDS:
            definition.add_column(sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
        definition.add_column(sa.Column("changes", sa.Text(), nullable=False, server_default=sa.text("'[]'")))
    mark_cosmetic(op.get_bind())


def move_drafts(db: sa.Connection) -> None:
    """A changed file waited as version 0 of its key; it waits as a draft now."""
    rows = db.execute(sa.text("SELECT key, sha256, name, deployed_at, bytes FROM definition WHERE version = 0")).all()
    for key, sha256, name, at, data in rows:
        id = uuid5(NAMESPACE, f"{key} {sha256}").hex
        base = db.execute(sa.text("SELECT sha256 FROM definition WHERE key = :key AND version > 0 "
                                  "ORDER BY version DESC LIMIT 1"), {"key": key}).scalar()
        db.execute(
            sa.text("INSERT INTO definition_draft (id, key, name, unit, base, sha256, revision, origin, state, "
                    "created_at, created_by, saved_at, saved_by, savers, file_sha256) VALUES (:id, :key, :name, '', "
                    ":base, :sha256, 1, 'file', 'open', :at, 'sistem', :at, 'sistem', '[]', :sha256)"),
            {"id": id, "key": key, "name": name, "base": base, "sha256": sha256, "at": at})
        db.execute(
            sa.text("INSERT INTO definition_draft_revision (draft, revision, saved_at, saved_by, sha256, bytes) "
                    "VALUES (:id, 1, :at, 'sistem', :sha256, :data)"),
            {"id": id, "at": at, "sha256": sha256, "data": bytes(data)})
    db.execute(sa.text("DELETE FROM definition WHERE version = 0"))


def mark_cosmetic(db: sa.Connection) -> None:
    """A version that means what the one before it meant says so in its row, as it does in its journal."""
    db.execute(sa.text(
        "UPDATE definition SET cosmetic = 1 WHERE EXISTS (SELECT 1 FROM definition AS before WHERE "
        "before.key = definition.key AND before.version = definition.version - 1 AND "
        "before.meaning_sha256 = definition.meaning_sha256)"))
