"""What an enrollment does not hear while it is parked, or its version cannot be read, is kept with it.

Rolling: the column is empty for enrollments that go on, and processes of the revision before never read it.

Revision: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("enrollments", sa.Column("missed", JSONB))


def downgrade() -> None:
    op.drop_column("enrollments", "missed")
