"""What owners typed into an SOP's table, beside the draft, while nothing can be drawn of it yet."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("definition_draft", sa.Column("unfinished", sa.Integer(), nullable=False,
                                                server_default=sa.text("0")))
    op.add_column("definition_draft_revision", sa.Column("sheet", sa.Text(), nullable=False,
                                                         server_default=sa.text("''")))
