"""Withdrawals are also written outside the database, and a restored backup is dealt with.

New tables alone: running processes of the revision before go on, and write no log.

Revision: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

revision = "0012"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None

INSTANT = TIMESTAMP(timezone=True)
EMPTY_OBJECT = sa.text("'{}'::jsonb")


def upgrade() -> None:
    op.create_table(
        "restores",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("since", INSTANT),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("found_by", sa.Text, nullable=False),
        sa.Column("sequences_moved_at", INSTANT),
        sa.Column("next_customer", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("enrollments_done_at", INSTANT),
        sa.Column("finished_at", INSTANT),
        sa.Column("promotion_held", sa.Boolean, nullable=False),
        sa.Column("accepted_by", sa.Text),
        sa.Column("accepted_at", INSTANT),
        sa.Column("report", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.PrimaryKeyConstraint("id", name="pk_restores"),
    )
    op.create_table(
        "doubtful_steps",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("enrollment_id", sa.BigInteger, nullable=False),
        sa.Column("steps", ARRAY(sa.Text), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "enrollment_id", name="pk_doubtful_steps"),
    )
    op.create_table(
        "awaiting_withdrawals",
        sa.Column("identity_hash", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint(
            "identity_hash", "channel", "topic", "occurred_at", name="pk_awaiting_withdrawals"
        ),
    )
    op.create_table(
        "unlogged_withdrawals",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("entry", JSONB, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unlogged_withdrawals"),
    )
    op.create_table(
        "withdrawal_log_marks",
        sa.Column("id", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_withdrawal_log_marks"),
    )


def downgrade() -> None:
    for table in (
        "withdrawal_log_marks",
        "unlogged_withdrawals",
        "awaiting_withdrawals",
        "doubtful_steps",
        "restores",
    ):
        op.drop_table(table)
