"""Uploads in parts, and what the virus scanner said."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for name in ("file", "state", "scanned_at", "finding"):
        op.add_column("blob", sa.Column(name, sa.Text(), nullable=True))
    # What is there was named by its hash, and nobody looked at it.
    op.execute("UPDATE blob SET file = sha256, state = 'unscanned'")
    with op.batch_alter_table("blob") as blob:
        blob.alter_column("file", existing_type=sa.Text(), nullable=False)
        blob.alter_column("state", existing_type=sa.Text(), nullable=False)
    op.create_index("ix_blob_state", "blob", ["state"])
    op.create_table(
        "upload",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "person", "instance")),
        sa.Column("user_task", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("slot", "name", "file", "created_at", "expires_at")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("size_bytes", "received_bytes")),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index("ix_upload_instance", "upload", ["instance"])
    op.create_index("ix_upload_expires_at", "upload", ["expires_at"])
