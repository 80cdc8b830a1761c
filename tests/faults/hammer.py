"""Several processes at the same customers at once, and a ledger in PostgreSQL that stamps what they do.

Two sequences of events are stamped by one logical clock, each in the moment of its commit and under the lock that its
transaction still holds: hand-overs that are authorised, and words about consent. A third, what the provider took, is
stamped by the provider itself. The judge reads these tables and none of the engine's own verdicts.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, cycle
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy import Engine as Database

from channels.base import Channel, Handed, Outgoing, Result
from orchestrator.clock import DatabaseClock, monotonic
from orchestrator.core.question import Allow
from orchestrator.core.work import MessageRow, Walker, Work
from orchestrator.errors import OrchestratorError, StartRefused, Unavailable
from orchestrator.ids import parse_public_id
from orchestrator.service import handing
from orchestrator.service.engine import Engine
from orchestrator.service.fold import Fold
from orchestrator.service.values import Track
from orchestrator.store import claim
from orchestrator.store.transactions import PostgresTransaction
from orchestrator.wiring import build_engine
from tests.support.engine import EVIDENCE, settings_of

WITHOUT = "HAMMER_WITHOUT"  # "lock" or "second_check": the guard that a child takes away from itself
RATE = 3600.0  # an hour passes in a second
KNOWN_FOR = timedelta(
    hours=1.25
)  # 1.25 s of machine time: a policy is known half a second late, and slow answers

LEDGER = """
CREATE SEQUENCE hammer_tick;
CREATE TABLE hammer_ready (role text);
CREATE TABLE hammer_marks
  (tick bigint, customer_id bigint, message_id bigint, channel text, topic text, at timestamptz);
CREATE TABLE hammer_words (tick bigint, customer_id bigint, action text, channel text, topic text);
CREATE TABLE hammer_taken (tick bigint DEFAULT nextval('hammer_tick'), customer_id bigint, message_id bigint);
CREATE TABLE hammer_caps (short int, long int, began timestamptz, ended timestamptz);

CREATE FUNCTION hammer_mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO hammer_marks
  VALUES (nextval('hammer_tick'), NEW.customer_id, NEW.id, NEW.channel, NEW.topic, NEW.handed_at);
  RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER hammer_mark AFTER UPDATE ON messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.status = 'handing_over' AND OLD.status IS DISTINCT FROM 'handing_over') EXECUTE FUNCTION hammer_mark();

CREATE FUNCTION hammer_word() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO hammer_words VALUES (nextval('hammer_tick'), NEW.customer_id, NEW.action, NEW.channel, NEW.topic);
  RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER hammer_word AFTER INSERT ON consent_ledger DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION hammer_word();
"""


def lay_ledger(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text(LEDGER))


# --- the children ---


@dataclass(kw_only=True)
class Taking:
    """A provider that writes down what it takes, and now and then loses its answer, refuses, or is busy."""

    inner: Channel
    database: Callable[[], Database]
    turn: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.name, self.provider = self.inner.name, self.inner.provider

    def send(self, message: Outgoing) -> Handed:
        fate = hashlib.sha256(f"{message.message_id}:{next(self.turn)}".encode()).digest()[0]
        if fate < 10:
            return Handed(result=Result.TRY_AGAIN, provider=self.provider, code="busy", retry_after=fate / 10)
        if fate < 16:
            return Handed(result=Result.REFUSED, provider=self.provider, code="refused")
        public = parse_public_id(message.message_id)
        with self.database().begin() as connection:
            connection.execute(
                text("INSERT INTO hammer_taken (customer_id, message_id) VALUES (:customer, :message)"),
                {"customer": public.customer_id, "message": public.row_id},
            )
        if fate < 22:
            return Handed(result=Result.UNCERTAIN, provider=self.provider, code="answer_lost")
        return Handed(result=Result.SENT, provider=self.provider, provider_id=f"taken-{message.message_id}")


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one process is to do: ``role`` may end in a number, ``all_of`` is how many take part."""

    role: str
    database_url: str
    keys: list[str]
    names: list[str]
    seconds: float
    all_of: int


def child(part: Part) -> Counter[str]:
    """One process: does the deeds of its role until the time is over; what it tried, by name."""
    without = os.environ.get(WITHOUT, "")
    role, _, number = part.role.partition(":")
    _mutate(without, int(number or 0))
    made: list[Engine] = []
    engine = build_engine(
        settings_of(part.database_url, send_threads=4),
        channels=lambda inner: Taking(inner=inner, database=lambda: made[0].engine),
    )
    made.append(engine)
    deeds = cycle(_DEEDS[role](engine, part.keys, part.names))
    tried: Counter[str] = Counter()
    _meet(engine.engine, role, part.all_of)
    ends = monotonic() + part.seconds
    while monotonic() < ends:
        name, deed = next(deeds)
        try:
            tried[name] += deed()
        except (StartRefused, Unavailable) as error:
            tried[f"{name}: {type(error).__name__}"] += 1
        except OrchestratorError as error:
            if not without:
                raise
            tried[f"{name}: {type(error).__name__}"] += 1  # whose guard is gone may well stumble
    engine.close()
    return tried


Deed = tuple[str, Callable[[], int]]


def _worker(engine: Engine, _: list[str], __: list[str]) -> list[Deed]:
    def advancing() -> int:
        return engine.advance(limit=20).customers

    def delivering() -> int:
        return engine.deliver(limit=20).messages

    return [("walks moved", advancing), ("messages handed over", delivering)]


def _starter(engine: Engine, keys: list[str], names: list[str]) -> list[Deed]:
    def starting(key: str, name: str) -> Callable[[], int]:
        def deed() -> int:
            engine.start_playbook(key, name)
            return 1

        return deed

    return [("starts", starting(key, name)) for name in names for key in keys]


def _tracker(engine: Engine, keys: list[str], _: list[str]) -> list[Deed]:
    def tracking(some: list[str]) -> Callable[[], int]:
        def deed() -> int:
            time.sleep(0.1)  # a flood of signals would leave no processor for anything else
            return engine.track([Track(key=key, event="limit_reached") for key in some]).taken

        return deed

    return [("signals", tracking(keys[at : at + 10])) for at in range(0, len(keys), 10)]


_SCOPES = (("*", "*"), ("email", "*"), ("*", "upsell"), ("email", "upsell"))


def _leaver(engine: Engine, keys: list[str], _: list[str]) -> list[Deed]:
    """Everybody leaves and comes back, again and again, each time by another door; half of them are away at a time."""

    def leaving(key: str, scope: tuple[str, str]) -> Callable[[], int]:
        def deed() -> int:
            engine.opt_out(key, channel=scope[0], topic=scope[1], evidence=EVIDENCE)
            return 1

        return deed

    def returning(key: str, scope: tuple[str, str]) -> Callable[[], int]:
        def deed() -> int:
            engine.opt_in(key, channel=scope[0], topic=scope[1], evidence=EVIDENCE)
            return 1

        return deed

    deeds: list[Deed] = []
    half = len(keys) // 2
    for scope in _SCOPES:
        for some in (keys[:half], keys[half:]):
            deeds += [("opt-outs", leaving(key, scope)) for key in some]
            deeds += [("opt-ins", returning(key, scope)) for key in some]
    return deeds


_DEEDS: dict[str, Callable[[Engine, list[str], list[str]], list[Deed]]] = {
    "worker": _worker,
    "starter": _starter,
    "tracker": _tracker,
    "leaver": _leaver,
}


def _meet(database: Database, role: str, all_of: int) -> None:
    """Wait until every process is here: importing takes longer than many a test."""
    with database.begin() as connection:
        connection.execute(text("INSERT INTO hammer_ready VALUES (:role)"), {"role": role})
    ends = monotonic() + 90
    here = 0
    while monotonic() < ends:
        with database.connect() as connection:
            here = connection.execute(text("SELECT count(*) FROM hammer_ready")).scalar_one()
        if here >= all_of:
            return
        time.sleep(0.02)
    msg = f"expected {all_of} processes, {here} came"
    raise TimeoutError(msg)


def _mutate(without: str, number: int) -> None:
    """Take one guard away from this process. The seam is widened, so that a bound of seconds is enough.

    Without the lock most that two workers do to one walk is still stopped by a key of the database. What only the lock
    stops is two messages of one customer: so one worker takes the even ones, the other the odd.
    """
    if without == "lock":
        for name in ("_DUE_WALKS", "_DUE_MESSAGES", "_LOCK"):
            unlocked, _, _ = str(getattr(claim, name)).partition("FOR NO KEY UPDATE")
            setattr(claim, name, text(unlocked))
        real = PostgresTransaction.save

        def slowly(self: PostgresTransaction, works: Any, now: datetime) -> None:
            time.sleep(0.05)
            real(self, works, now)

        PostgresTransaction.save = slowly  # type: ignore[method-assign]
        candidates = handing._candidates

        def apart(fold: Fold, work: Work) -> list[MessageRow]:
            return [message for message in candidates(fold, work) if message.id % 2 == number % 2]

        handing._candidates = apart
    elif without == "second_check":

        def allowed(_: Work, __: Walker, message: MessageRow, *___: Any, **____: Any) -> tuple[str, Allow]:
            return message.channel, Allow()

        vars(handing)["judge_message"] = allowed
    elif without:
        msg = f"{WITHOUT}: expected lock or second_check, got {without!r}"
        raise ValueError(msg)


# --- the judge ---

_TAKEN_TWICE = text("""
SELECT customer_id, message_id, count(*) AS times FROM hammer_taken GROUP BY customer_id, message_id HAVING count(*) > 1
""")
# The last authorisation of each message that was really taken, and the last word of its customer before it.
_AFTER_LEAVING = text("""
SELECT m.customer_id, m.message_id, m.tick, w.tick AS left_at
  FROM (SELECT DISTINCT ON (k.customer_id, k.message_id) k.* FROM hammer_marks k
          JOIN hammer_taken t ON t.customer_id = k.customer_id AND t.message_id = k.message_id AND t.tick > k.tick
         ORDER BY k.customer_id, k.message_id, k.tick DESC) m
 CROSS JOIN LATERAL (SELECT * FROM hammer_words w WHERE w.customer_id = m.customer_id AND w.tick < m.tick
                      ORDER BY w.tick DESC LIMIT 1) w
 WHERE w.action = 'revoked' AND w.channel IN ('*', m.channel) AND w.topic IN ('*', m.topic)
""")
_UNMARKED = text("""
SELECT t.customer_id, t.message_id FROM hammer_taken t WHERE NOT EXISTS (
    SELECT FROM hammer_marks k WHERE k.customer_id = t.customer_id AND k.message_id = t.message_id AND k.tick < t.tick)
""")
_SPOKEN = text("""
SELECT t.customer_id, max(k.at) AS at FROM hammer_taken t
  JOIN hammer_marks k ON k.customer_id = t.customer_id AND k.message_id = t.message_id AND k.tick < t.tick
 GROUP BY t.customer_id, t.message_id ORDER BY t.customer_id, max(k.at)
""")
_CAPS = text("SELECT short, long, began, ended FROM hammer_caps ORDER BY began")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was broken, by kind, and how much was looked at."""

    taken: int
    twice: int
    after_leaving: int
    unmarked: int
    over_caps: int

    @property
    def violations(self) -> int:
        return self.twice + self.after_leaving + self.unmarked + self.over_caps


def judge(database: Database, short: timedelta, long: timedelta) -> Verdict:
    """``short`` and ``long`` are the windows of the two caps."""
    with database.connect() as connection:
        spoken = connection.execute(_SPOKEN).all()
        return Verdict(
            taken=len(spoken),
            twice=len(connection.execute(_TAKEN_TWICE).all()),
            after_leaving=len(connection.execute(_AFTER_LEAVING).all()),
            unmarked=len(connection.execute(_UNMARKED).all()),
            over_caps=_over_caps(connection, spoken, short, long),
        )


def _over_caps(connection: Connection, spoken: Any, short: timedelta, long: timedelta) -> int:
    """Messages with which a window ended fuller than any policy allowed that could be in force just then."""
    policies = connection.execute(_CAPS).all()
    by_customer: dict[int, list[datetime]] = {}
    for row in spoken:
        by_customer.setdefault(row.customer_id, []).append(row.at)
    over = 0
    for instants in by_customer.values():
        for at in instants:
            valid = [one for one in policies if one.began <= at <= one.ended + KNOWN_FOR]
            in_short = sum(at - short < other <= at for other in instants)
            in_long = sum(at - long < other <= at for other in instants)
            over += in_short > max(one.short for one in valid) or in_long > max(one.long for one in valid)
    return over


@contextmanager
def in_force(database: Database, short: int, long: int) -> Iterator[None]:
    """Note the policy that is published inside, from before it is until its successor is."""
    before = _business(database)
    with database.begin() as connection:
        connection.execute(
            text("INSERT INTO hammer_caps VALUES (:short, :long, :began, '9999-01-01')"),
            {"short": short, "long": long, "began": before},
        )
    yield
    after = _business(database)
    with database.begin() as connection:
        connection.execute(
            text("UPDATE hammer_caps SET ended = :after WHERE began < :began AND ended > :after"),
            {"after": after, "began": before},
        )


def _business(database: Database) -> datetime:
    with database.connect() as connection:
        return DatabaseClock().read(connection).business
