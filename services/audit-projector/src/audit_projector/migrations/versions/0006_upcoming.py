"""Grants that begin later."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Logs so far have no such grant: the new table begins empty."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Read models are rebuilt from the log, never taken back."""
    raise NotImplementedError("drop the schema and rebuild: scrip audit-projector rebuild")
