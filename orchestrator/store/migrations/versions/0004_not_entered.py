"""Signals that did not start a playbook, counted.

A new table alone: running processes of the revision before go on, and count nothing.

Revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "not_entered",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("playbook", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "playbook", "trigger", "reason", name="pk_not_entered"),
        postgresql_with={"fillfactor": 75},
    )


def downgrade() -> None:
    op.drop_table("not_entered")
