"""What each process of the crowd does, again and again, until its time is over."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine as Database
from sqlalchemy import text

from channels.base import Channel, OutboundMessage, SendResult, SendStatus
from orchestrator import telemetry
from orchestrator.bootstrap import build_engine
from orchestrator.clock import monotonic
from orchestrator.engine import Engine
from orchestrator.errors import OrchestratorError, StartRefused, Unavailable
from orchestrator.ids import parse_public_id
from orchestrator.records.consent import ConsentFact
from orchestrator.records.intake import Track
from tests.faults.stress_guards import Guard, take_away, widen_the_seam
from tests.faults.stress_judge import RATE
from tests.faults.stress_ledger import business_now
from tests.support.engine import EVIDENCE, settings_of

Role = Literal["worker", "product", "leaver"]
Scope = tuple[str, str]  # channel and topic
Deed = tuple[str, Callable[[], int]]  # its name, and how often it was done
_BATCH = 20  # half of the customers at most: no process ever has them all
_PAUSE = 0.1  # seconds before whole groups are spoken of: a flood would leave no processor for anything else
_TAKEN = text(
    "INSERT INTO stress_taken (customer_id, message_id, channel) VALUES (:customer, :message, :channel)"
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one process is to do: it is ``number`` of the ``of`` processes of its role. ``all_of`` is how many take part
    at all; nobody begins before they are there.

    ``over`` is a file that ends the work when it appears. ``wide`` widens the seam in which a missing guard shows.
    """

    role: Role
    number: int
    of: int
    database_url: str
    keys: list[str]
    started: list[str]  # playbooks that the product starts
    scopes: tuple[Scope, ...]  # what is withdrawn and granted
    seconds: float
    all_of: int
    over: Path
    without: Guard | None = None
    wide: bool = False


def child(part: Part) -> Counter[str]:
    """One process: its deeds in turn until the time is over; what it did, by name."""
    telemetry.configure(level="error")
    if part.wide:
        widen_the_seam(part.number, part.of)
    if part.without is not None:
        take_away(part.without)
    made: list[Engine] = []
    engine = build_engine(
        settings_of(part.database_url, send_threads=4, clock_rate=RATE),
        channels=lambda inner: Taking(inner=inner, database=lambda: made[0].database),
    )
    made.append(engine)
    hands = _DEEDS[part.role](engine, part)
    _meet(engine.database, part)
    ends = monotonic() + part.seconds
    with ThreadPoolExecutor(len(hands)) as pool:
        done = sum(pool.map(lambda deeds: _do(deeds, part, ends), hands), Counter[str]())
    engine.close()
    return done


def _do(deeds: Sequence[Deed], part: Part, ends: float) -> Counter[str]:
    done: Counter[str] = Counter()
    for name, deed in cycle(deeds):
        if monotonic() >= ends or part.over.exists():
            break
        try:
            done[name] += deed()
        except (StartRefused, Unavailable) as error:
            done[f"{name}: {type(error).__name__}"] += 1
        except OrchestratorError as error:
            if part.without is None:
                raise
            done[f"{name}: {type(error).__name__}"] += 1  # whose guard is gone may well stumble
    return done


def _meet(database: Database, part: Part) -> None:
    """Wait until every process is here: importing takes longer than many a test."""
    with database.begin() as connection:
        connection.execute(text("INSERT INTO stress_ready VALUES (:role)"), {"role": part.role})
    ends = monotonic() + 90
    here = 0
    while monotonic() < ends:
        with database.connect() as connection:
            here = connection.execute(text("SELECT count(*) FROM stress_ready")).scalar_one()
        if here >= part.all_of:
            return
        time.sleep(0.02)
    msg = f"expected {part.all_of} processes, {here} came"
    raise TimeoutError(msg)


# --- the roles: the deeds of each of their threads ------------------------------------------------------------------


def _worker(engine: Engine, _: Part) -> list[list[Deed]]:
    """Walks and hands over, as the runner and the Celery tasks do; batches are small, so that all meet all."""

    def advancing() -> int:
        return engine.advance(limit=_BATCH).customers

    def delivering() -> int:
        return engine.deliver(limit=_BATCH).messages

    return [
        [("walks moved", advancing), ("messages handed over", delivering)] * 20 + [("swept", engine.sweep)]
    ]


def _product(engine: Engine, part: Part) -> list[list[Deed]]:
    """Starts playbooks by name, and sends the signals that start the others."""

    def starting(key: str, name: str) -> Callable[[], int]:
        def deed() -> int:
            engine.start_playbook(key, name)
            return 1

        return deed

    def tracking(some: list[str]) -> Callable[[], int]:
        def deed() -> int:
            time.sleep(_PAUSE)
            return engine.track([Track(key=key, event="limit_reached") for key in some]).taken

        return deed

    deeds: list[Deed] = []
    for name in part.started:
        for at in range(0, len(part.keys), 10):
            some = part.keys[at : at + 10]
            deeds.append(("signals", tracking(some)))
            deeds += [("starts", starting(key, name)) for key in some]
    return [deeds]


def _leaver(engine: Engine, part: Part) -> list[list[Deed]]:
    """Everybody leaves and comes back. Whoever waits for a lock takes no processor, so several do at once."""
    one_by_one = _leaving(engine, part)
    quarter = len(one_by_one) // 4
    return [
        *(one_by_one[at * quarter :] + one_by_one[: at * quarter] for at in range(4)),
        _importing(engine, part),
    ]


def _leaving(engine: Engine, part: Part) -> list[Deed]:
    """People leave one by one, a few are away at a time, each time by another scope."""

    def leaving(key: str, scope: Scope) -> Callable[[], int]:
        def deed() -> int:
            engine.opt_out(key, channel=scope[0], topic=scope[1], evidence=EVIDENCE)
            return 1

        return deed

    def returning(key: str, scope: Scope) -> Callable[[], int]:
        def deed() -> int:
            engine.opt_in(key, channel=scope[0], topic=scope[1], evidence=EVIDENCE)
            return 1

        return deed

    deeds: list[Deed] = []
    for scope in part.scopes:
        for some in _groups(part.keys, 5):
            deeds += [("opt-outs", leaving(key, scope)) for key in some]
            deeds += [("opt-ins", returning(key, scope)) for key in some]
    return deeds


def _importing(engine: Engine, part: Part) -> list[Deed]:
    """Withdrawals and grants as another system reports them, ten people in one transaction, the last people first."""

    def importing(some: list[str], scope: Scope, action: Literal["granted", "revoked"]) -> Callable[[], int]:
        def deed() -> int:
            time.sleep(_PAUSE)
            at = business_now(engine.database)
            facts = [
                ConsentFact(
                    key=key,
                    action=action,
                    occurred_at=at,
                    evidence=EVIDENCE,
                    channel=scope[0],
                    topic=scope[1],
                )
                for key in some
            ]
            return engine.import_consents(facts).taken

        return deed

    deeds: list[Deed] = []
    for scope in part.scopes:
        for some in reversed(_groups(part.keys, 10)):
            deeds.append(("opt-outs imported", importing(some, scope, "revoked")))
            deeds.append(("opt-ins imported", importing(some, scope, "granted")))
    return deeds


def _groups(keys: list[str], size: int) -> list[list[str]]:
    return [keys[at : at + size] for at in range(0, len(keys), size)]


_DEEDS: dict[Role, Callable[[Engine, Part], list[list[Deed]]]] = {
    "worker": _worker,
    "product": _product,
    "leaver": _leaver,
}


# --- the provider ---------------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Taking:
    """A provider that writes down what it takes, and now and then is busy, refuses, knows of an opt-out, or loses its
    answer."""

    inner: Channel
    database: Callable[[], Database]
    turn: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.name, self.provider = self.inner.name, self.inner.provider

    def send(self, message: OutboundMessage) -> SendResult:
        outcome = hashlib.sha256(f"{message.message_id}:{next(self.turn)}".encode()).digest()[0]
        if outcome < 8:
            return SendResult(
                result=SendStatus.TRY_AGAIN, provider=self.provider, code="busy", retry_after=0.02
            )
        if outcome < 16:
            return SendResult(result=SendStatus.REFUSED, provider=self.provider, code="refused")
        if outcome < 18 and self.name == "email":
            return SendResult(result=SendStatus.OPTED_OUT, provider=self.provider, code="unsubscribed")
        public = parse_public_id(message.message_id)
        values = {"customer": public.customer_id, "message": public.row_id, "channel": self.name}
        with self.database().begin() as connection:
            connection.execute(_TAKEN, values)
        if outcome < 24:
            return SendResult(result=SendStatus.UNCERTAIN, provider=self.provider, code="answer_lost")
        return SendResult(
            result=SendStatus.SENT, provider=self.provider, provider_id=f"taken-{message.message_id}"
        )
