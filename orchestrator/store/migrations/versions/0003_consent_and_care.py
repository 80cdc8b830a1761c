"""What a consent row proves, grants that end, and chores of once a day.

Only columns that may be empty, a small index and a new table: running processes of the revision before go on.

Revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("consent_ledger", sa.Column("wording_version", sa.Text))
    op.add_column("consent_ledger", sa.Column("wording_hash", sa.Text))
    op.add_column("consents", sa.Column("withdrawn_since", INSTANT))
    op.create_index(
        "ix_consents_expires_at",
        "consents",
        ["expires_at"],
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_table(
        "chores",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("begun_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_chores"),
    )


def downgrade() -> None:
    op.drop_table("chores")
    op.drop_index("ix_consents_expires_at", "consents")
    op.drop_column("consents", "withdrawn_since")
    op.drop_column("consent_ledger", "wording_hash")
    op.drop_column("consent_ledger", "wording_version")
