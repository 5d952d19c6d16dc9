"""What owners typed into an SOP's table, beside the draft, while nothing can be drawn of it yet."""
from __future__ import annotations

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing yet."""
