"""The read models of the first release, their roles and who may do what."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything in the current schema."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Read models are rebuilt from the log, never taken back."""
    raise NotImplementedError("drop the schema and rebuild: scrip audit-projector rebuild")
