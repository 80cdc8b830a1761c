"""Every table, its keys and the reason for its shape.

Three rules run through all of them:

* Each unique key of a customer's rows begins with ``customer_id``, so that they can be partitioned by its hash.
* Columns that change on a wide row (``enrollments``, ``messages``, ``customers``) are in no index and in no partial
  index's predicate, so their updates stay heap-only. What must be *found* by time lives in narrow tables:
  ``timers``, ``dispatch``, ``inbox``, ``cap_slots``.
* Append-only tables (``journal``, ``verdicts``, ``receipts``, ``signals``, ``consent_ledger``) hold references,
  words and numbers, never contact points or message bodies. (``signals.properties`` are the product's own facts.)

``messages.channel`` and the like are text, not database enums: plug-ins add channels.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

INSTANT = TIMESTAMP(timezone=True)
EMPTY_OBJECT = text("'{}'::jsonb")
EMPTY_LIST = text("'[]'::jsonb")
HOT: dict[str, Any] = {"postgresql_with": {"fillfactor": 75}}

enrollment_ids = Sequence("enrollment_ids", metadata=metadata, cache=1000)
message_ids = Sequence("message_ids", metadata=metadata, cache=1000)
inbox_ids = Sequence("inbox_ids", metadata=metadata, cache=1)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(), primary_key=True)


# --- people ---------------------------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("key", Text, nullable=False, unique=True),
    Column("attributes", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("created_at", INSTANT, nullable=False),
    Index("ix_accounts_key_prefix", "key", postgresql_ops={"key": "text_pattern_ops"}),
)

customers = Table(
    "customers",
    metadata,
    _id(),
    Column("key", Text, nullable=False, unique=True),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), index=True),
    Column("attributes", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("tags", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("timezone", Text),
    Column("timezone_source", Text),  # profile, device, phone, account
    Column("locale", Text),
    Column("region", Text),
    Column("last_seen_at", INSTANT),  # in the product: what makes in_app reachable
    Column("erased_at", INSTANT),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Index("ix_customers_key_prefix", "key", postgresql_ops={"key": "text_pattern_ops"}),
    **HOT,
)

contact_points = Table(
    "contact_points",
    metadata,
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("channel", Text, nullable=False),  # whose address it is: a row of channels.table
    Column("address", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("invalid_reason", Text),
    Column("created_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("customer_id", "channel"),
    Index("ix_contact_points_address", "channel", "address"),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("key_hash", Text, primary_key=True),  # keyed hash of a key or an address; nothing else is kept
    Column("erased_at", INSTANT, nullable=False),
)

# --- definitions ----------------------------------------------------------------------------------------------------

playbooks = Table(
    "playbooks",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("definition", JSONB, nullable=False),
    Column("templates", JSONB, nullable=False),
    Column("texts", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("vocabulary", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("functions", JSONB, nullable=False, server_default=EMPTY_LIST),
    Column("published_at", INSTANT, nullable=False),
    UniqueConstraint("name", "version"),
)

playbook_states = Table(  # apart from the immutable versions: what operators switch
    "playbook_states",
    metadata,
    Column("name", Text, primary_key=True),
    Column("paused_at", INSTANT),
    Column("paused_reason", Text),
)

account_policies = Table(
    "account_policies",
    metadata,
    _id(),
    Column("content_hash", Text, nullable=False, unique=True),
    Column("definition", JSONB, nullable=False),
    Column("published_at", INSTANT, nullable=False),
)

# --- walks ----------------------------------------------------------------------------------------------------------

enrollments = Table(
    "enrollments",
    metadata,
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("playbook_id", BigInteger, ForeignKey("playbooks.id"), nullable=False),
    Column("playbook", Text, nullable=False),
    Column("reentry_key", Text, nullable=False, server_default=text("''")),  # reentry per: the object's value
    Column("start_key", Text),  # the caller's idempotency key
    Column("entered_at", INSTANT, nullable=False),
    Column("held_out", Boolean, nullable=False),
    Column("because", Text),
    Column("context", JSONB, nullable=False),
    Column("trigger", Text, nullable=False),
    # what moves: one JSON state folded by the journal, mirrored in a few plain columns for people who query
    Column("step", Text, nullable=False),
    Column("visit", Integer, nullable=False),
    Column("state", JSONB, nullable=False),
    Column("rev", Integer, nullable=False),
    Column("step_entered_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("end_status", Text),
    Column("missed", JSONB),  # events it did not hear while it was waiting; NULL for nearly all
    PrimaryKeyConstraint("customer_id", "id"),
    Index(
        "uq_enrollments_start_key", "customer_id", "playbook", "start_key",
        unique=True, postgresql_where=text("start_key IS NOT NULL"),
    ),
    **HOT,
)  # fmt: skip

timers = Table(  # exactly one row for every live enrollment: law 6
    "timers",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("enrollment_id", BigInteger, nullable=False),
    Column("playbook", Text, nullable=False),
    Column("reentry_key", Text, nullable=False),
    Column("visit", Integer, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("customer_id", "enrollment_id"),
    UniqueConstraint("customer_id", "playbook", "reentry_key"),  # one live run per customer, playbook and key
    Index("ix_timers_due_at", "due_at"),
    **HOT,
)

journal = Table(
    "journal",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("enrollment_id", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("event", Text, nullable=False),
    Column("step", Text),
    Column("visit", Integer),
    Column("outcome", Text),
    Column("to_step", Text),
    Column("data", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    PrimaryKeyConstraint("customer_id", "enrollment_id", "seq"),
)

refusals = Table(  # starts that were refused, and why: a refusal is not a failure and not nothing
    "refusals",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("id", BigInteger, Identity(), nullable=False),
    Column("playbook", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("trigger", Text, nullable=False),
    Column("at", INSTANT, nullable=False),  # the first of those that are equal: playbook, trigger and reason
    Column("last_at", INSTANT),
    Column("count", Integer, nullable=False, server_default=text("1")),
    PrimaryKeyConstraint("customer_id", "id"),
)

not_entered = (
    Table(  # signals that did not start a playbook they may start, and why: counted, for they come often
        "not_entered",
        metadata,
        Column("customer_id", BigInteger, nullable=False),
        Column("playbook", Text, nullable=False),
        Column("trigger", Text, nullable=False),
        Column("reason", Text, nullable=False),  # condition, colleague
        Column("first_at", INSTANT, nullable=False),
        Column("last_at", INSTANT, nullable=False),
        Column("count", Integer, nullable=False),
        PrimaryKeyConstraint("customer_id", "playbook", "trigger", "reason"),
        **HOT,
    )
)

# --- messages -------------------------------------------------------------------------------------------------------

messages = Table(
    "messages",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("enrollment_id", BigInteger, nullable=False),
    Column("playbook_id", BigInteger, nullable=False),
    Column("playbook", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("visit", Integer, nullable=False),
    Column("kind", Text, nullable=False),  # send, ask, handoff, call
    Column("channels", ARRAY(Text), nullable=False),  # as written, in order of preference
    Column("channel", Text, nullable=False),  # the one chosen so far
    Column("provider", Text),
    Column("topic", Text, nullable=False),
    Column("promotional", Boolean, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("held_out", Boolean, nullable=False),
    Column("planned_at", INSTANT, nullable=False),
    Column("give_up_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT),  # in-app: keep, or the end of the listening time
    # what moves, only forward
    Column("status", Text, nullable=False),
    Column("reason", Text),  # why it was not sent, or why it was withdrawn
    Column("attempt", SmallInteger, nullable=False, server_default=text("0")),
    Column("mark", Integer, nullable=False, server_default=text("0")),  # of the hand-over: never goes back
    Column("handed_at", INSTANT),
    Column("sent_at", INSTANT),
    Column("settled_at", INSTANT),
    Column("provider_id", Text),
    Column("address_hash", Text),  # keyed, of the address it was handed to: a bounce is about that one
    Column("code", Text),
    Column("responses", JSONB, nullable=False, server_default=EMPTY_OBJECT),  # outcome -> first instant
    PrimaryKeyConstraint("customer_id", "id"),
    UniqueConstraint("customer_id", "enrollment_id", "visit"),
    CheckConstraint(
        "status IN ('planned', 'handing_over', 'sent', 'held_out', 'uncertain', 'abandoned', 'not_sent', "
        "'withdrawn', 'refused')",
        name="status",
    ),
    **HOT,
)

dispatch = Table(  # exactly one row for every unsettled message: law 6
    "dispatch",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("provider", Text, nullable=False),
    Column("due_at", INSTANT, nullable=False),  # business time: not before
    Column("free_at", INSTANT, nullable=False),  # machine time: end of lease or back-off, time to settle
    Column(
        "handed", Boolean, nullable=False, server_default=text("false")
    ),  # waits to be settled, for no place
    PrimaryKeyConstraint("customer_id", "message_id"),
    # What is not free yet stands behind what is, whatever its due_at.
    Index("ix_dispatch_ready", "provider", "handed", text("(GREATEST(due_at, free_at))")),
    **HOT,
)

receipts = Table(
    "receipts",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("occurred_at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("data", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    PrimaryKeyConstraint("customer_id", "message_id", "source_id"),
)

provider_ids = Table(  # a callback that carries only the provider's id finds its message here
    "provider_ids",
    metadata,
    Column("provider_id", Text, primary_key=True),
    Column("customer_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("asked", Text, nullable=False),  # planned, hand_over
    Column("channel", Text, nullable=False),
    Column("policy", Text, nullable=False),  # the one that decided; 'all' when every one allowed
    Column("verdict", Text, nullable=False),  # allow, defer, drop, hold_out
    Column("until", INSTANT),
    Column("why", Text, nullable=False),
    Column("inputs", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("first_at", INSTANT, nullable=False),
    Column("last_at", INSTANT, nullable=False),
    Column("count", Integer, nullable=False, server_default=text("1")),
    PrimaryKeyConstraint("customer_id", "message_id", "seq"),
)

cap_slots = Table(  # one place under the caps, reserved at hand-over and given back when the provider refused
    "cap_slots",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("handed_at", INSTANT, nullable=False),
    Column("channel", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("shadow", Boolean, nullable=False),  # a held-out message takes a place only among shadows
    PrimaryKeyConstraint("customer_id", "message_id"),
    Index("ix_cap_slots_customer_id_handed_at", "customer_id", "handed_at"),
)

feed_items = Table(
    "feed_items",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("display", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("shown_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT),
    Column("seen_at", INSTANT),
    Column("clicked_at", INSTANT),
    Column("dismissed_at", INSTANT),
    Column("answered_at", INSTANT),
    Column("withdrawn_at", INSTANT),
    PrimaryKeyConstraint("customer_id", "message_id"),
    **HOT,
)

sandbox_inbox = Table(  # what the sandbox channels would have sent, kept to be looked at
    "sandbox_inbox",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("customer_id", "message_id"),
)

# --- what comes from outside ----------------------------------------------------------------------------------------

inbox = Table(  # appended without a lock, applied by whoever holds the customer's lock: law 7
    "inbox",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # signal, identify, receipt, response, start, consider, policy
    Column("occurred_at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("lane", SmallInteger, nullable=False, server_default=text("1")),  # records.inbox.Lane
    PrimaryKeyConstraint("customer_id", "id"),
    Index("ix_inbox_id", "id"),
    Index("ix_inbox_lane_id", "lane", "id"),
    Index(  # who will belong to an account once their inbox is applied
        "ix_inbox_joined_account", text("(data->>'account_id')"), postgresql_where=text("data ? 'account_id'")
    ),
)

seen_sources = Table(  # makes each outside fact count once, by the id its source gave it
    "seen_sources",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("customer_id", "source_id"),
)

signals = Table(
    "signals",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("occurred_at", INSTANT, nullable=False),
    Column("id", BigInteger, nullable=False),  # the inbox id it came in under: order of processing
    Column("received_at", INSTANT, nullable=False),
    Column("properties", JSONB, nullable=False),
    PrimaryKeyConstraint("customer_id", "name", "occurred_at", "id"),
)

# --- consent, rests, holds ------------------------------------------------------------------------------------------

consent_ledger = Table(
    "consent_ledger",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("id", BigInteger, Identity(), nullable=False),
    Column("source_id", Text, nullable=False),  # idempotency
    Column("action", Text, nullable=False),  # granted, confirmed, revoked, expired, erased
    Column("channel", Text, nullable=False),  # '*' means every channel
    Column("topic", Text, nullable=False),  # '*' means every topic; 'tracking' is a purpose of its own
    Column("address_hash", Text),
    Column("basis", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("wording", Text),
    Column("wording_locale", Text),
    Column("wording_version", Text),  # as the form or campaign names it
    Column("wording_hash", Text),  # of the wording itself, whatever it calls itself
    Column("sender", Text),
    Column("jurisdiction", Text),
    Column("evidence", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("expires_at", INSTANT),
    Column("actor", Text, nullable=False),
    Column("occurred_at", INSTANT, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("customer_id", "id"),
    UniqueConstraint("customer_id", "source_id"),
)

consents = Table(  # the present state, derived from the ledger
    "consents",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("basis", Text, nullable=False),
    Column("ledger_id", BigInteger, nullable=False),
    Column("since", INSTANT, nullable=False),
    Column("expires_at", INSTANT),
    Column("withdrawn_since", INSTANT),  # a no of the same pair that stands again when this grant ends
    PrimaryKeyConstraint("customer_id", "channel", "topic"),
    Index("ix_consents_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)

cooldowns = Table(
    "cooldowns",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("id", BigInteger, Identity(), nullable=False),
    Column("scope", Text, nullable=False),  # everything, topic, playbook
    Column("scope_value", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("enrollment_id", BigInteger),
    Column("visit", Integer),
    Column("shadow", Boolean, nullable=False),  # set by a held-out run: holds nobody else
    Column("starts_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
    Column("lifted_at", INSTANT),
    PrimaryKeyConstraint("customer_id", "id"),
)

holds = Table(
    "holds",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("id", BigInteger, Identity(), nullable=False),
    Column("name", Text, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT),  # its longest
    Column("closed_at", INSTANT),
    PrimaryKeyConstraint("customer_id", "id"),
)

# --- what was earned ------------------------------------------------------------------------------------------------

conversions = Table(
    "conversions",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("enrollment_id", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("value", Double),
    Column("message_id", BigInteger),  # last touch
    Column("held_out", Boolean, nullable=False),
    PrimaryKeyConstraint("customer_id", "enrollment_id"),
)

# --- the engine itself ----------------------------------------------------------------------------------------------

clock = Table(  # business time = business_anchor + (machine - machine_anchor) * rate
    "clock",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("business_anchor", INSTANT, nullable=False),
    Column("machine_anchor", INSTANT, nullable=False),
    Column("rate", Double, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

batches_in_hand = Table(
    "batches_in_hand",
    metadata,
    Column("process", Text, primary_key=True),
    Column("customer_ids", ARRAY(BigInteger), nullable=False),
    Column("beat_at", INSTANT, nullable=False),  # machine time
    Column("crash_counts", JSONB, nullable=False, server_default=EMPTY_OBJECT),
)

parked = Table(
    "parked",
    metadata,
    Column("customer_id", BigInteger, nullable=False),
    Column("enrollment_id", BigInteger, nullable=False),  # 0: the whole customer
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("customer_id", "enrollment_id"),
    Index("ix_parked_at", "at"),
)

work_counters = Table(  # figures for pages, doctor and Prometheus: whoever asks reads them and counts nothing
    "work_counters",
    metadata,
    Column("metric", Text, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("value", Double, nullable=False),
    Column("counted_at", INSTANT, nullable=False),  # machine time
    PrimaryKeyConstraint("metric", "labels"),
    **HOT,
)

counting_passes = Table(  # large tables are counted a stretch of blocks at a time: where each pass stands
    "counting_passes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("block", BigInteger, nullable=False),
    Column("so_far", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("moved_at", INSTANT, nullable=False),  # machine time
    **HOT,
)

report_snapshots = Table(  # reports over a large base: made now and then, read by pages
    "report_snapshots",
    metadata,
    Column("name", Text, primary_key=True),
    Column("made_at", INSTANT, nullable=False),  # machine time
    Column("seconds", Double, nullable=False),
    Column("body", JSONB, nullable=False),
)

base_scans = Table(  # questions to the whole base, and how far each came
    "base_scans",
    metadata,
    Column("name", Text, primary_key=True),  # policy, playbook:<name>
    Column("mark", Text, nullable=False),  # the day, or when it was begun: another one begins anew
    Column("after_id", BigInteger, nullable=False),  # the last customer who was asked
    Column("open", Boolean, nullable=False),
)

processes = Table(  # who is there, and how each is doing: told every few seconds
    "processes",
    metadata,
    Column("process", Text, primary_key=True),
    Column("role", Text, nullable=False),  # web, worker
    Column("version", Text, nullable=False),
    Column("started_at", INSTANT, nullable=False),
    Column("beat_at", INSTANT, nullable=False),  # machine time
    Column("last_batch_at", INSTANT),
    Column("state", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    **HOT,
)

chores = Table(  # what is done once a day, by whoever comes first
    "chores",
    metadata,
    Column("name", Text, primary_key=True),
    Column("begun_at", INSTANT, nullable=False),  # business time
)

api_requests = Table(  # the answer given to an Idempotency-Key, replayed for 24 h
    "api_requests",
    metadata,
    Column("api_key", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("request_hash", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("api_key", "idempotency_key"),
)

# --- a restored backup ----------------------------------------------------------------------------------------------

restores = (
    Table(  # this database was put back from a backup: what is not known, and how far that is dealt with
        "restores",
        metadata,
        _id(),
        Column(
            "since", INSTANT
        ),  # business time of the dump; None: found by the log's marks, and nobody has said yet
        Column("until", INSTANT, nullable=False),  # what happened up to here may be lost
        Column("found_by", Text, nullable=False),  # mark, person
        Column("sequences_moved_at", INSTANT),
        Column("next_customer", BigInteger, nullable=False, server_default=text("0")),
        Column("enrollments_done_at", INSTANT),
        Column("finished_at", INSTANT),  # from then on the work goes on
        Column("promotion_held", Boolean, nullable=False),
        Column("accepted_by", Text),  # who accepted what is lost, by name
        Column("accepted_at", INSTANT),
        Column("report", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    )
)

doubtful_steps = (
    Table(  # steps whose message a restored enrollment may have sent before: it is not sent again
        "doubtful_steps",
        metadata,
        Column("customer_id", BigInteger, nullable=False),
        Column("enrollment_id", BigInteger, nullable=False),
        Column("steps", ARRAY(Text), nullable=False),
        PrimaryKeyConstraint("customer_id", "enrollment_id"),
    )
)

awaiting_withdrawals = (
    Table(  # withdrawals read from the log whose customer a restored database does not know
        "awaiting_withdrawals",
        metadata,
        Column("identity_hash", Text, nullable=False),  # keyed hash of a key or an address
        Column("channel", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("occurred_at", INSTANT, nullable=False),
        PrimaryKeyConstraint("identity_hash", "channel", "topic", "occurred_at"),
    )
)

unlogged_withdrawals = (
    Table(  # committed while the log outside could not be written; the sweep makes up for it
        "unlogged_withdrawals",
        metadata,
        _id(),
        Column("entry", JSONB, nullable=False),  # hashes, words and instants
        Column("at", INSTANT, nullable=False),
    )
)

withdrawal_log_marks = Table(  # counts up and is written to the log: a database that counts less was put back
    "withdrawal_log_marks",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
