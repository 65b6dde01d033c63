"""What is frozen, and what is owed after a revoke."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Logs so far have neither: the new column and table begin empty."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Read models are rebuilt from the log, never taken back."""
    raise NotImplementedError("drop the schema and rebuild: scrip audit-projector rebuild")
