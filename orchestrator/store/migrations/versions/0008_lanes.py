"""Lanes of the inbox, and messages that wait for a place apart from those that wait to be settled.

Rolling: both columns have defaults that are right for what running processes of the revision before write, and those
processes read neither. They find due messages a little slower, by the provider alone.

Revision: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("inbox", sa.Column("lane", sa.SmallInteger, nullable=False, server_default=sa.text("1")))
    op.create_index("ix_inbox_lane_id", "inbox", ["lane", "id"])
    op.add_column(
        "dispatch", sa.Column("handed", sa.Boolean, nullable=False, server_default=sa.text("false"))
    )
    op.create_index(
        "ix_dispatch_ready", "dispatch", ["provider", "handed", sa.text("(GREATEST(due_at, free_at))")]
    )
    op.drop_index("ix_dispatch_provider_due_at", table_name="dispatch")


def downgrade() -> None:
    op.create_index("ix_dispatch_provider_due_at", "dispatch", ["provider", "due_at"])
    op.drop_index("ix_dispatch_ready", table_name="dispatch")
    op.drop_column("dispatch", "handed")
    op.drop_index("ix_inbox_lane_id", table_name="inbox")
    op.drop_column("inbox", "lane")
