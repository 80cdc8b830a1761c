"""Figures about the work are kept by the sweep and by each process, so that nobody who asks has to count.

New tables alone: running processes of the revision before go on, and report nothing.

Revision: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

INSTANT = TIMESTAMP(timezone=True)
EMPTY_OBJECT = sa.text("'{}'::jsonb")
HOT = {"fillfactor": 75}


def upgrade() -> None:
    op.create_table(
        "work_counters",
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("labels", JSONB, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("counted_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("metric", "labels", name="pk_work_counters"),
        postgresql_with=HOT,
    )
    op.create_table(
        "counting_passes",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("so_far", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.Column("moved_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counting_passes"),
        postgresql_with=HOT,
    )
    op.create_table(
        "processes",
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("beat_at", INSTANT, nullable=False),
        sa.Column("last_batch_at", INSTANT),
        sa.Column("state", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.PrimaryKeyConstraint("process", name="pk_processes"),
        postgresql_with=HOT,
    )


def downgrade() -> None:
    op.drop_table("processes")
    op.drop_table("counting_passes")
    op.drop_table("work_counters")
