"""People, definitions and walks, and the clock's one row.

Revision: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

INSTANT = TIMESTAMP(timezone=True)
EMPTY_OBJECT = sa.text("'{}'::jsonb")
EMPTY_LIST = sa.text("'[]'::jsonb")
HOT = {"fillfactor": 75}
SEQUENCES = {"enrollment_ids": 1000, "message_ids": 1000, "inbox_ids": 1}  # name -> cache
TABLES = (
    "accounts",
    "customers",
    "contact_points",
    "tombstones",
    "playbooks",
    "playbook_states",
    "account_policies",
    "enrollments",
    "timers",
    "journal",
    "refusals",
    "conversions",
    "clock",
    "attempting",
    "parked",
    "api_requests",
)


def upgrade() -> None:
    for sequence, cache in SEQUENCES.items():
        op.execute(sa.schema.CreateSequence(sa.Sequence(sequence, cache=cache)))
    _people()
    _definitions()
    _walks()
    _engine()
    op.execute(
        "INSERT INTO clock (id, business_anchor, machine_anchor, rate) "
        "SELECT 1, at, at, 1 FROM (SELECT clock_timestamp() AS at) AS started"
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    for sequence in SEQUENCES:
        op.execute(sa.schema.DropSequence(sa.Sequence(sequence)))


def _people() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("attributes", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("key", name="uq_accounts_key"),
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("account_id", sa.BigInteger),
        sa.Column("attributes", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.Column("tags", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("timezone", sa.Text),
        sa.Column("timezone_source", sa.Text),
        sa.Column("locale", sa.Text),
        sa.Column("region", sa.Text),
        sa.Column("last_seen_at", INSTANT),
        sa.Column("erased_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_customers_account_id"),
        sa.UniqueConstraint("key", name="uq_customers_key"),
        postgresql_with=HOT,
    )
    op.create_index("ix_customers_account_id", "customers", ["account_id"])
    op.create_table(
        "contact_points",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("invalid_reason", sa.Text),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "channel", name="pk_contact_points"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_contact_points_customer_id"),
    )
    op.create_index("ix_contact_points_address", "contact_points", ["channel", "address"])
    op.create_table(
        "tombstones",
        sa.Column("key_hash", sa.Text, nullable=False),
        sa.Column("erased_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_tombstones"),
    )


def _definitions() -> None:
    op.create_table(
        "playbooks",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("definition", JSONB, nullable=False),
        sa.Column("templates", JSONB, nullable=False),
        sa.Column("texts", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.Column("vocabulary", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.Column("functions", JSONB, nullable=False, server_default=EMPTY_LIST),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_playbooks"),
        sa.UniqueConstraint("name", "version", name="uq_playbooks_name_version"),
    )
    op.create_table(
        "playbook_states",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("paused_at", INSTANT),
        sa.Column("paused_reason", sa.Text),
        sa.PrimaryKeyConstraint("name", name="pk_playbook_states"),
    )
    op.create_table(
        "account_policies",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("definition", JSONB, nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account_policies"),
        sa.UniqueConstraint("content_hash", name="uq_account_policies_content_hash"),
    )


def _walks() -> None:
    op.create_table(
        "enrollments",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("playbook_id", sa.BigInteger, nullable=False),
        sa.Column("playbook", sa.Text, nullable=False),
        sa.Column("run_key", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("start_key", sa.Text),
        sa.Column("entered_at", INSTANT, nullable=False),
        sa.Column("held_out", sa.Boolean, nullable=False),
        sa.Column("because", sa.Text),
        sa.Column("context", JSONB, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("visit", sa.Integer, nullable=False),
        sa.Column("state", JSONB, nullable=False),
        sa.Column("rev", sa.Integer, nullable=False),
        sa.Column("step_entered_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("end_word", sa.Text),
        sa.PrimaryKeyConstraint("customer_id", "id", name="pk_enrollments"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_enrollments_customer_id"),
        sa.ForeignKeyConstraint(["playbook_id"], ["playbooks.id"], name="fk_enrollments_playbook_id"),
        postgresql_with=HOT,
    )
    op.create_index(
        "uq_enrollments_start_key",
        "enrollments",
        ["customer_id", "playbook", "start_key"],
        unique=True,
        postgresql_where=sa.text("start_key IS NOT NULL"),
    )
    op.create_table(
        "timers",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("enrollment_id", sa.BigInteger, nullable=False),
        sa.Column("playbook", sa.Text, nullable=False),
        sa.Column("run_key", sa.Text, nullable=False),
        sa.Column("visit", sa.Integer, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "enrollment_id", name="pk_timers"),
        sa.UniqueConstraint(
            "customer_id", "playbook", "run_key", name="uq_timers_customer_id_playbook_run_key"
        ),
        postgresql_with=HOT,
    )
    op.create_index("ix_timers_due_at", "timers", ["due_at"])
    op.create_table(
        "journal",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("enrollment_id", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("step", sa.Text),
        sa.Column("visit", sa.Integer),
        sa.Column("word", sa.Text),
        sa.Column("to_step", sa.Text),
        sa.Column("data", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.PrimaryKeyConstraint("customer_id", "enrollment_id", "seq", name="pk_journal"),
    )
    op.create_table(
        "refusals",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("playbook", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "id", name="pk_refusals"),
    )


def _engine() -> None:
    op.create_table(
        "conversions",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("enrollment_id", sa.BigInteger, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("message_id", sa.BigInteger),
        sa.Column("held_out", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "enrollment_id", name="pk_conversions"),
    )
    op.create_table(
        "clock",
        sa.Column("id", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("business_anchor", INSTANT, nullable=False),
        sa.Column("machine_anchor", INSTANT, nullable=False),
        sa.Column("rate", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clock"),
        sa.CheckConstraint("id = 1", name=op.f("ck_clock_one_row")),
    )
    op.create_table(
        "attempting",
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("customer_ids", ARRAY(sa.BigInteger), nullable=False),
        sa.Column("beat_at", INSTANT, nullable=False),
        sa.Column("strikes", JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.PrimaryKeyConstraint("process", name="pk_attempting"),
    )
    op.create_table(
        "parked",
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("enrollment_id", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "enrollment_id", name="pk_parked"),
    )
    op.create_table(
        "api_requests",
        sa.Column("api_key", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("body", JSONB, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("api_key", "idempotency_key", name="pk_api_requests"),
    )
