"""What completed runs of each tool cost: how many of them cost how much."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Counts the runs that are there already."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Read models are rebuilt from the log, never taken back."""
    raise NotImplementedError("drop the schema and rebuild: scrip audit-projector rebuild")
