"""Second factors, recoveries and new bindings that another person of the unit confirms."""
from __future__ import annotations

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing yet."""
