"""The stamps by which a crowd of processes is judged, put by PostgreSQL itself in the moment of each commit.

Three kinds of facts share one logical clock, ``tick``: a hand-over was authorised (``stress_marks``), somebody spoke
about consent (``stress_consents``), a provider took a message (``stress_taken``). The first two are stamped by triggers
that run at the commit. They take a lock of the ledger's own, which the commit releases: so ticks follow the order of
the commits, whether or not the engine held the customer's lock. None of the engine's verdicts is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine as Database
from sqlalchemy import text

from orchestrator.store.coordination.clock import DatabaseClock

_LEDGER = """
CREATE SEQUENCE stress_tick;
CREATE TABLE stress_ready (role text);

-- at: the instant the engine gives the fact.  opened, stamped: when its transaction began and when it was committed.
-- All three are business time.
CREATE TABLE stress_marks
  (tick bigint, tx xid8, customer_id bigint, message_id bigint, channel text, topic text, at timestamptz,
   opened timestamptz, stamped timestamptz);
-- said: when the person spoke, never later than when it was recorded.
CREATE TABLE stress_consents
  (tick bigint, tx xid8, customer_id bigint, action text, channel text, topic text, said timestamptz, at timestamptz,
   opened timestamptz, stamped timestamptz);
CREATE TABLE stress_taken
  (tick bigint DEFAULT nextval('stress_tick'), customer_id bigint, message_id bigint, channel text);
-- The caps of one policy share began and ended. Without a topic a cap counts every promotional one.
CREATE TABLE stress_caps
  (at_most int, within interval, channel text, topic text, began timestamptz, ended timestamptz);

CREATE FUNCTION stress_business(machine timestamptz) RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
  SELECT business_anchor + (machine - machine_anchor) * rate FROM clock WHERE id = 1 $$;
CREATE FUNCTION stress_mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  PERFORM pg_advisory_xact_lock(4801);
  INSERT INTO stress_marks
  VALUES (nextval('stress_tick'), pg_current_xact_id(), NEW.customer_id, NEW.id, NEW.channel, NEW.topic, NEW.handed_at,
          stress_business(now()), stress_business(clock_timestamp()));
  RETURN NULL; END $$;
CREATE FUNCTION stress_consent() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  PERFORM pg_advisory_xact_lock(4801);
  INSERT INTO stress_consents
  VALUES (nextval('stress_tick'), pg_current_xact_id(), NEW.customer_id, NEW.action, NEW.channel, NEW.topic,
          least(NEW.occurred_at, NEW.recorded_at), NEW.recorded_at,
          stress_business(now()), stress_business(clock_timestamp()));
  RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER stress_mark AFTER UPDATE ON messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.status IN ('handing_over', 'sent') AND NEW.mark <> OLD.mark) EXECUTE FUNCTION stress_mark();
CREATE CONSTRAINT TRIGGER stress_mark_at_once AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.status IN ('handing_over', 'sent') AND NEW.mark > 0) EXECUTE FUNCTION stress_mark();
CREATE CONSTRAINT TRIGGER stress_consent AFTER INSERT ON consent_ledger DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION stress_consent();
"""
_BEGIN = text("INSERT INTO stress_caps VALUES (:at_most, :within, :channel, :topic, :began, '9999-01-01')")
_END = text("UPDATE stress_caps SET ended = :ended WHERE began < :began AND ended = '9999-01-01'")


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most so many messages in any window of this length; of every channel and promotional topic unless named."""

    at_most: int
    within: timedelta
    channel: str | None = None
    topic: str | None = None


def lay_ledger(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text(_LEDGER))


@contextmanager
def in_force(database: Database, limits: tuple[Limit, ...]) -> Iterator[None]:
    """Note the caps of the policy that is published inside, from before it is until its successor is."""
    began = business_now(database)
    with database.begin() as connection:
        connection.execute(
            _BEGIN,
            [
                {
                    "at_most": limit.at_most,
                    "within": limit.within,
                    "channel": limit.channel,
                    "topic": limit.topic,
                    "began": began,
                }
                for limit in limits
            ],
        )
    yield
    with database.begin() as connection:
        connection.execute(_END, {"began": began, "ended": business_now(database)})


def business_now(database: Database) -> datetime:
    with database.connect() as connection:
        return DatabaseClock().read(connection).business
