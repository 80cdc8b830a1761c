"""The judge of the crowd is shown histories that break one law each, and histories that nearly do: it tells them apart.

They are written into its tables by hand, so no engine has a part in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import Engine, text

from orchestrator.store.sql.connections import make_engine
from tests.faults.stress_judge import KNOWN_FOR, judge
from tests.faults.stress_ledger import lay_ledger
from tests.support.engine import NOON
from tests.support.postgres import Databases

KINDS = ("twice", "unmarked", "after_leaving", "over_caps", "misdated")
NEVER = datetime(9999, 1, 1, tzinfo=NOON.tzinfo)
LONG = timedelta(hours=10)


@dataclass(kw_only=True)
class History:
    """Stamps as the ledger would have put them. Every fact is five minutes after the one before, unless it says so."""

    database: Engine
    now: datetime = NOON
    _ticks: count[int] = field(default_factory=lambda: count(1))

    def mark(
        self,
        message: int,
        *,
        channel: str = "email",
        topic: str = "upsell",
        after: timedelta = timedelta(minutes=5),
        dated: timedelta = timedelta(0),
        taken: bool = True,
        tx: int | None = None,
    ) -> None:
        """A hand-over is authorised, ``after`` the fact before and ``dated`` so much off its commit; and taken."""
        self.now += after
        self._write(
            "stress_marks",
            tx=tx,
            message_id=message,
            channel=channel,
            topic=topic,
            at=self.now + dated,
            stamped=self.now,
        )
        if taken:
            self.take(message, channel=channel)

    def take(self, message: int, *, channel: str = "email") -> None:
        self._write("stress_taken", message_id=message, channel=channel)

    def outcome(
        self,
        action: str,
        channel: str = "*",
        topic: str = "*",
        *,
        said: timedelta = timedelta(0),
        dated: timedelta = timedelta(0),
        after: timedelta = timedelta(minutes=5),
    ) -> None:
        """A word is recorded ``after`` the fact before; it was ``said`` so much earlier or later."""
        self.now += after
        at = self.now + dated
        self._write(
            "stress_consents",
            tx=None,
            action=action,
            channel=channel,
            topic=topic,
            said=at + said,
            at=at,
            stamped=self.now,
        )

    def caps(
        self, *limits: tuple[int, str | None, str | None], began: datetime, ended: datetime = NEVER
    ) -> None:
        """One policy: so many in an hour, by channel, by topic."""
        for at_most, channel, topic in limits:
            self._insert(
                "stress_caps",
                at_most=at_most,
                within=timedelta(hours=1),
                channel=channel,
                topic=topic,
                began=began,
                ended=ended,
            )

    def _write(self, table: str, **values: object) -> None:
        tick = next(self._ticks)
        if "tx" in values:
            values["tx"] = str(values["tx"] or 1000 + tick)
        self._insert(table, tick=tick, customer_id=7, **values)

    def _insert(self, table: str, **values: object) -> None:
        names = ", ".join(values)
        given = ", ".join(f"CAST(:{name} AS xid8)" if name == "tx" else f":{name}" for name in values)
        with self.database.begin() as connection:
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({given})"), values)


@pytest.fixture(scope="module")
def database(databases: Databases) -> Iterator[Engine]:
    with databases.scratch(databases.template()) as url:
        made = make_engine(url, application_name="tests")
        lay_ledger(made)
        yield made
        made.dispose()


@pytest.fixture
def history(database: Engine) -> History:
    with database.begin() as connection:
        connection.execute(text("TRUNCATE stress_marks, stress_consents, stress_taken, stress_caps"))
    return History(database=database)


Story = Callable[[History], None]


def told(*facts: Story) -> Story:
    def story(history: History) -> None:
        for fact in facts:
            fact(history)

    return story


def mark(message: int, **more: object) -> Story:
    return lambda history: history.mark(message, **more)  # type: ignore[arg-type]


def take(message: int, **more: object) -> Story:
    return lambda history: history.take(message, **more)  # type: ignore[arg-type]


def revoked(channel: str = "*", topic: str = "*", **more: object) -> Story:
    return lambda history: history.outcome("revoked", channel, topic, **more)  # type: ignore[arg-type]


def granted(channel: str = "*", topic: str = "*", **more: object) -> Story:
    return lambda history: history.outcome("granted", channel, topic, **more)  # type: ignore[arg-type]


def caps(
    *limits: tuple[int, str | None, str | None], began: datetime = NOON - LONG, ended: datetime = NEVER
) -> Story:
    return lambda history: history.caps(*limits, began=began, ended=ended)


TWO = caps((2, None, None))
LOWERED = told(
    caps((3, None, None), ended=NOON), caps((1, None, None), began=NOON)
)  # from three to one, at noon
ALIKE = told(
    caps((3, None, None), (1, "email", None), ended=NOON),
    caps((2, None, None), (1, "email", None), began=NOON),
)
HOURS = timedelta(hours=3)
NOT_HEARD = KNOWN_FOR - timedelta(minutes=15)
HEARD = KNOWN_FOR + timedelta(minutes=5)

BROKEN: dict[str, tuple[str, int, Story]] = {
    "taken twice": ("twice", 1, told(mark(1), take(1))),
    "taken three times": ("twice", 2, told(mark(1), take(1), take(1))),
    "never authorised": ("unmarked", 1, told(take(1))),
    "authorised afterwards": ("unmarked", 1, told(take(1), mark(1, taken=False))),
    "another message was authorised": ("unmarked", 1, told(mark(1, taken=False), take(2))),
    "another channel was authorised": ("unmarked", 1, told(mark(1, taken=False), take(1, channel="in_app"))),
    "left altogether": ("after_leaving", 1, told(revoked(), mark(1))),
    "left the channel": ("after_leaving", 1, told(revoked("email"), mark(1))),
    "left the topic": ("after_leaving", 1, told(revoked("*", "upsell"), mark(1))),
    "left the topic by the channel": ("after_leaving", 1, told(revoked("email", "upsell"), mark(1))),
    "erased": ("after_leaving", 1, told(lambda history: history.outcome("erased"), mark(1))),
    "left, and the provider refused": ("after_leaving", 1, told(revoked(), mark(1, taken=False))),
    "left between two attempts": ("after_leaving", 1, told(mark(1, taken=False), revoked(), mark(1))),
    "left, and not promotional": ("after_leaving", 1, told(revoked(), mark(1, topic="service"))),
    "left, came back, left": ("after_leaving", 1, told(revoked(), granted(), revoked(), mark(1))),
    "left altogether, came back elsewhere": ("after_leaving", 1, told(revoked(), granted("in_app"), mark(1))),
    "left in particular, a general yes": (
        "after_leaving",
        1,
        told(revoked("email", "upsell"), granted(), mark(1)),
    ),
    "one withdrawal taken back, one not": (
        "after_leaving",
        1,
        told(revoked("email"), revoked("*", "upsell"), granted("email"), mark(1)),
    ),
    "the yes was said before the no": ("after_leaving", 1, told(revoked(), granted(said=-HOURS), mark(1))),
    "yes and no at one instant": (
        "after_leaving",
        1,
        told(revoked(), granted(said=-timedelta(minutes=5)), mark(1)),
    ),
    "two hand-overs after leaving": ("after_leaving", 2, told(revoked(), mark(1), mark(2))),
    "a third in the hour": ("over_caps", 1, told(TWO, mark(1), mark(2), mark(3))),
    "a third and a fourth": ("over_caps", 2, told(TWO, mark(1), mark(2), mark(3), mark(4))),
    "three at one instant": (
        "over_caps",
        1,
        told(TWO, *(mark(one, tx=5, after=timedelta(0)) for one in (1, 2, 3))),
    ),
    "a third that was refused": ("over_caps", 1, told(TWO, mark(1), mark(2), mark(3, taken=False))),
    "a second attempt into a full hour": (
        "over_caps",
        1,
        told(TWO, mark(1, taken=False), mark(2), mark(3), mark(1)),
    ),
    "a second by the channel": ("over_caps", 1, told(caps((1, "email", None)), mark(1), mark(2))),
    "a second of the topic": ("over_caps", 1, told(caps((1, None, "upsell")), mark(1), mark(2))),
    "the narrower of two caps": (
        "over_caps",
        1,
        told(caps((9, None, None), (1, "email", "upsell")), mark(1), mark(2)),
    ),
    "a second long after the cap was lowered": (
        "over_caps",
        1,
        told(LOWERED, mark(1, after=HEARD), mark(2)),
    ),
    "a second by a cap that was not changed": ("over_caps", 1, told(ALIKE, mark(1), mark(2))),
    "a fourth while either policy may hold": (
        "over_caps",
        1,
        told(LOWERED, mark(1), mark(2), mark(3), mark(4)),
    ),
    "dated before the last commit": (
        "misdated",
        1,
        told(mark(1), mark(2, dated=-timedelta(minutes=6))),
    ),
    "dated before the last word": ("misdated", 1, told(granted(), mark(1, dated=-timedelta(minutes=6)))),
    "a word dated before the last hand-over": (
        "misdated",
        1,
        told(mark(1), granted(dated=-timedelta(minutes=6))),
    ),
    "dated after its own commit": ("misdated", 1, told(mark(1, dated=timedelta(seconds=1)))),
}

KEPT: dict[str, Story] = {
    "each once": told(TWO, mark(1), mark(2)),
    "authorised twice, taken once": told(TWO, mark(1, taken=False), mark(1), mark(2)),
    "left afterwards": told(mark(1), revoked()),
    "left by another channel": told(revoked("in_app"), mark(1)),
    "left another topic": told(revoked("*", "cross_sell"), mark(1)),
    "came back": told(revoked(), granted(), mark(1)),
    "came back to just this": told(revoked(), granted("email", "upsell"), mark(1)),
    "left in general and in particular, came back to both": told(
        revoked(), revoked("email", "upsell"), granted("email", "upsell"), mark(1)
    ),
    "the no was said before the yes": told(granted(), revoked(said=-HOURS), mark(1)),
    "a third after the first hour": told(TWO, mark(1), mark(2), mark(3, after=timedelta(minutes=55))),
    "what was refused fills nothing": told(TWO, mark(1), mark(2, taken=False), mark(3)),
    "a notice fills nothing and waits for nothing": told(
        TWO, mark(1), mark(2, topic="service"), mark(3), mark(4, topic="service")
    ),
    "another channel has its own room": told(caps((1, "email", None)), mark(1), mark(2, channel="in_app")),
    "another topic has its own room": told(caps((1, None, "upsell")), mark(1), mark(2, topic="cross_sell")),
    "a second while the lowered cap need not be known": told(LOWERED, mark(1), mark(2, after=NOT_HEARD)),
    "several of one transaction": told(TWO, mark(1, tx=5), mark(2, tx=5, dated=-timedelta(minutes=5))),
    "dated by the clock it read": told(mark(1), mark(2, dated=-timedelta(minutes=4))),
}


@pytest.mark.parametrize(("kind", "times", "story"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_seen_as_what_it_is(history: History, kind: str, times: int, story: Story) -> None:
    story(history)
    verdict = asdict(judge(history.database))
    assert {one: verdict[one] for one in KINDS if verdict[one]} == {kind: times}


@pytest.mark.parametrize("story", KEPT.values(), ids=KEPT)
def test_what_is_nearly_broken_is_not(history: History, story: Story) -> None:
    story(history)
    verdict = judge(history.database)
    assert verdict.violations == 0, verdict


def test_each_customer_is_judged_alone(history: History) -> None:
    """What one of two did is no excuse and no fault of the other."""
    told(TWO, mark(1), mark(2), revoked())(history)
    with history.database.begin() as connection:
        connection.execute(text("UPDATE stress_consents SET customer_id = 8"))
    mark(3, topic="service")(history)
    assert judge(history.database).violations == 0


def test_every_kind_is_shown() -> None:
    assert {kind for kind, _, _ in BROKEN.values()} == set(KINDS)
