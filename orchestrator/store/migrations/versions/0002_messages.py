"""Messages, what comes from outside, consents, rests and holds.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

INSTANT = TIMESTAMP(timezone=True)
EMPTY_OBJECT = sa.text("'{}'::jsonb")
HOT = {"fillfactor": 75}
TABLES = (
    "messages",
    "dispatch",
    "receipts",
    "provider_ids",
    "verdicts",
    "places",
    "feed_items",
    "sandbox_inbox",
    "inbox",
    "seen_sources",
    "signals",
    "consent_ledger",
    "consents",
    "cooldowns",
    "holds",
)


def upgrade() -> None:
    _messages()
    _arrivals()
    _consents()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("enrollment_id", sa.BigInteger, nullable=False),
        sa.Column("playbook_id", sa.BigInteger, nullable=False),
        sa.Column("playbook", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("visit", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("channels", ARRAY(sa.Text), nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("provider", sa.Text),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("promotional", sa.Boolean, nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("held_out", sa.Boolean, nullable=False),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.Column("give_up_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("attempt", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("handed_at", INSTANT),
        sa.Column("sent_at", INSTANT),
        sa.Column("settled_at", INSTANT),
        sa.Column("provider_id", sa.Text),
        sa.Column("code", sa.Text),
        sa.Column("responses", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.PrimaryKeyConstraint("customer_id", "id", name="pk_messages"),
        sa.CheckConstraint(
            "status IN ('planned', 'handing_over', 'sent', 'held_out', 'uncertain', 'abandoned', "
            "'not_sent', 'withdrawn', 'refused')",
            name=op.f("ck_messages_status"),
        ),
        sa.UniqueConstraint(
            "customer_id", "enrollment_id", "visit", name="uq_messages_customer_id_enrollment_id_visit"
        ),
        postgresql_with=HOT,
    )
    op.create_table(
        "dispatch",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("free_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "message_id", name="pk_dispatch"),
        postgresql_with=HOT,
    )
    op.create_index("ix_dispatch_provider_due_at", "dispatch", ["provider", "due_at"])
    op.create_table(
        "receipts",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("word", sa.Text, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("data", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.PrimaryKeyConstraint("customer_id", "message_id", "source_id", name="pk_receipts"),
    )
    op.create_table(
        "provider_ids",
        sa.Column("provider_id", sa.Text, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("provider_id", name="pk_provider_ids"),
    )
    op.create_table(
        "verdicts",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("until", INSTANT),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("inputs", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("count", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.PrimaryKeyConstraint("customer_id", "message_id", "seq", name="pk_verdicts"),
    )
    op.create_table(
        "places",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("handed_at", INSTANT, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("shadow", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "message_id", name="pk_places"),
    )
    op.create_index("ix_places_customer_id_handed_at", "places", ["customer_id", "handed_at"])
    op.create_table(
        "feed_items",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("display", sa.Text, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("shown_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("seen_at", INSTANT),
        sa.Column("clicked_at", INSTANT),
        sa.Column("dismissed_at", INSTANT),
        sa.Column("answered_at", INSTANT),
        sa.Column("withdrawn_at", INSTANT),
        sa.PrimaryKeyConstraint("customer_id", "message_id", name="pk_feed_items"),
        postgresql_with=HOT,
    )
    op.create_table(
        "sandbox_inbox",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "message_id", name="pk_sandbox_inbox"),
    )


def _arrivals() -> None:
    op.create_table(
        "inbox",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("data", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_id", "inbox", ["id"])
    op.create_table(
        "seen_sources",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "source_id", name="pk_seen_sources"),
    )
    op.create_table(
        "signals",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("properties", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "name", "occurred_at", "id", name="pk_signals"),
    )


def _consents() -> None:
    op.create_table(
        "consent_ledger",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("address_hash", sa.Text),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("wording", sa.Text),
        sa.Column("wording_locale", sa.Text),
        sa.Column("sender", sa.Text),
        sa.Column("jurisdiction", sa.Text),
        sa.Column("evidence", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.Column("expires_at", INSTANT),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "id", name="pk_consent_ledger"),
        sa.UniqueConstraint("customer_id", "source_id", name="uq_consent_ledger_customer_id_source_id"),
    )
    op.create_table(
        "consents",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("granted", sa.Boolean, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("ledger_id", sa.BigInteger, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.PrimaryKeyConstraint("customer_id", "channel", "topic", name="pk_consents"),
    )
    op.create_table(
        "cooldowns",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("scope_value", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("enrollment_id", sa.BigInteger),
        sa.Column("visit", sa.Integer),
        sa.Column("shadow", sa.Boolean, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("lifted_at", INSTANT),
        sa.PrimaryKeyConstraint("customer_id", "id", name="pk_cooldowns"),
    )
    op.create_table(
        "holds",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.PrimaryKeyConstraint("customer_id", "id", name="pk_holds"),
    )
