"""Pages cost the same with a million customers: kept reports, and indexes for what people look up.

Rolling: a new table and new indexes; running processes of the revision before do not know them.

Revision: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "report_snapshots",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("made_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("body", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_report_snapshots"),
    )
    for table in ("customers", "accounts"):
        op.create_index(f"ix_{table}_key_prefix", table, ["key"], postgresql_ops={"key": "text_pattern_ops"})
    op.create_index("ix_parked_at", "parked", ["at"])


def downgrade() -> None:
    op.drop_index("ix_parked_at", table_name="parked")
    for table in ("accounts", "customers"):
        op.drop_index(f"ix_{table}_key_prefix", table_name=table)
    op.drop_table("report_snapshots")
