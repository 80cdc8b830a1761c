"""Equal refusals count up, a message remembers the address it was handed to, and who joins an account is found by it.

Columns that may be empty or have a default, and an index: running processes of the revision before go on, write one row
a refusal, and remember no address.

Revision: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("refusals", sa.Column("last_at", TIMESTAMP(timezone=True)))
    op.add_column("refusals", sa.Column("count", sa.Integer, nullable=False, server_default=sa.text("1")))
    op.add_column("messages", sa.Column("address_hash", sa.Text))
    op.create_index(
        "ix_inbox_joined_account",
        "inbox",
        [sa.text("(data->>'account_id')")],
        postgresql_where=sa.text("data ? 'account_id'"),
    )


def downgrade() -> None:
    op.drop_index("ix_inbox_joined_account", table_name="inbox")
    op.drop_column("messages", "address_hash")
    op.drop_column("refusals", "count")
    op.drop_column("refusals", "last_at")
