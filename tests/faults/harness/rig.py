"""One deployed system with services of its own: PostgreSQL, Redis or RabbitMQ, providers, web, workers, beats."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.bootstrap import build_engine
from orchestrator.errors import InputError
from orchestrator.ids import MESSAGE, parse_public_id, public_id
from orchestrator.service.rendering.links import LinkSigner
from orchestrator.store.migrate import upgrade
from tests.faults.harness import playbooks
from tests.faults.harness.cluster import Cluster
from tests.faults.harness.doors import Door
from tests.faults.harness.records import Call, MessageKey, Span
from tests.support.installation import Installation, Process, Provider, eventually
from tests.support.rabbitmq import own_virtual_host
from tests.support.redis_server import RedisServer

T = TypeVar("T")
READY = "process.started"


class Rig:
    """Everything that runs. Use it in a ``with``; on leaving nothing of it is left but logs."""

    def __init__(
        self,
        folder: Path,
        *,
        broker: str = "redis",
        rabbitmq_url: str | None = None,
        workers: int = 2,
        concurrency: int = 2,
        beats: int = 2,
        clock_rate: int = playbooks.CLOCK_RATE,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self.spans: list[Span] = []
        self.now: str = ""
        self._gone: list[Process] = []
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._concurrency = concurrency
        with contextlib.ExitStack() as opening:
            opening.callback(self._stack.close)
            self._open(broker, rabbitmq_url, {"CLOCK_RATE": clock_rate, **(settings or {})})
            self.web = self.shop.web()
            alone = broker == "none"
            self.workers: list[Process] = [] if alone else [self.worker() for _ in range(workers)]
            self.beats: list[Process] = [] if alone else [self.shop.beat() for _ in range(beats)]
            self.expect_workers()
            opening.pop_all()

    def _open(self, broker: str, rabbitmq_url: str | None, settings: dict[str, Any]) -> None:
        enter, at_end = self._stack.enter_context, self._stack.callback
        self.postgres = Cluster(self.folder)
        at_end(self.postgres.close)
        upgrade(self.postgres.url)
        self.redis: RedisServer | None = None
        self.broker_door: Door | None = None
        broker_url: str | None = None
        if broker == "redis":
            self.redis = RedisServer()
            self.redis.start()
            at_end(self.redis.kill)
            broker_url = self.redis.url
        elif broker == "rabbitmq":
            own = enter(own_virtual_host(rabbitmq_url or "amqp://guest:guest@127.0.0.1:5672//"))
            parts = urlsplit(own)
            self.broker_door = Door(parts.hostname or "127.0.0.1", parts.port or 5672)
            at_end(self.broker_door.close)
            login = f"{parts.username or 'guest'}:{parts.password or 'guest'}"
            broker_url = parts._replace(netloc=f"{login}@127.0.0.1:{self.broker_door.port}").geturl()
        self.provider = Provider(self.folder / "provider.log", "--brief")
        at_end(self.provider.close)
        where = urlsplit(self.provider.url)
        self.provider_door = Door(where.hostname or "127.0.0.1", where.port or 80)
        at_end(self.provider_door.close)
        keys, through = self.provider.keys, f"http://127.0.0.1:{self.provider_door.port}"
        self.shop = Installation(
            self.folder,
            database_url=self.postgres.url,
            broker_url=broker_url,
            provider=self.provider,
            **{
                "SENDGRID_BASE_URL": through,
                "TWILIO_BASE_URL": through,
                "TWILIO_ACCOUNT_SID": keys["account_sid"],
                "TWILIO_AUTH_TOKEN": keys["auth_token"],
                "TWILIO_FROM": "+15005550006",
                **settings,
            },
        )
        at_end(self.shop.close)
        self.shop.publish(playbooks.write(self.folder / "playbooks"))

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.shop.processes:
            process.thaw()
        self._stack.close()

    # --- processes ---------------------------------------------------------------------------------------------------

    def worker(self) -> Process:
        return self.shop.worker("--concurrency", str(self._concurrency))

    def expect_workers(self) -> None:
        for worker in self.workers:
            worker.expect_log(READY, seconds=240)

    def tend(self) -> None:
        """Start again what ended by itself, as a supervisor does: a process that begins while PostgreSQL is away
        ends. What a fault killed is replaced by it within three seconds; asked every five, this sees it once."""
        for running, start in ((self.workers, self.worker), (self.beats, self.shop.beat)):
            for place, process in enumerate(running):
                if process.has_ended() and process in self._gone:
                    running[place] = start()
        self._gone = [process for process in (*self.workers, *self.beats) if process.has_ended()]

    def restart_web(self) -> None:
        ends = time.monotonic() + 240
        while True:
            try:
                self.web = self.shop.web()
                return
            except AssertionError:
                self.shop.processes[-1].kill()
                if time.monotonic() > ends:
                    raise

    def ready_workers(self) -> list[int]:
        """Places in ``workers`` of those that said they are ready."""
        return [place for place, worker in enumerate(self.workers) if worker.has_logged(READY)]

    # --- what happened -----------------------------------------------------------------------------------------------

    @contextmanager
    def span(self, what: str) -> Iterator[None]:
        """A time in which something is away, for the judge and for who watches."""
        began = time.monotonic()
        with self._lock:
            self.now = what
        try:
            yield
        finally:
            with self._lock:
                self.now = ""
                self.spans.append(Span(what=what, began=began, ended=time.monotonic()))

    def provider_meets(self, *rules: dict[str, Any]) -> None:
        """These faults of the providers instead of all others; none: all is well."""
        self.provider.control("faults", rules=[{"times": None, "operation": None} | rule for rule in rules])

    def fire(self, what: str, **asked: Any) -> httpx.Response:
        """Let the provider call back; the answer it got, of the installation."""
        answer = self.provider.control(what, **asked)
        return httpx.Response(answer["status"], request=httpx.Request("POST", "http://callback.test"))

    @cached_property
    def links(self) -> LinkSigner:
        keys = [key.get_secret_value() for key in self.shop.settings.secret_keys]
        return LinkSigner(base_url=self.shop.url, keys=keys)

    @staticmethod
    def public(key: MessageKey | None) -> str:
        assert key is not None
        return public_id(MESSAGE, *key)

    def calls(self, after: int = 0) -> tuple[list[Call], int]:
        """Requests to take a message from a place in the ledger on, and how far was looked."""
        found: list[Call] = []
        while True:
            answer = self.provider.control("calls", after=after)
            found += [_call(row) for row in answer["calls"]]
            if answer["until"] == after:
                return found, after
            after = answer["until"]

    def taken(self, since: float = 0.0) -> list[Call]:
        return [call for call in self.calls()[0] if call.taken and call.began >= since]

    def value(self, statement: str, **values: Any) -> Any:
        """The one value a statement gives; None while the database is away."""
        with contextlib.suppress(SQLAlchemyError):
            return self.shop.rows(statement, **values)[0][0]
        return None

    def live(self) -> int | None:
        return self.value("SELECT count(*) FROM enrollments WHERE ended_at IS NULL")

    def release_parked(self, reason: str) -> int:
        """Let go whoever is parked for this reason, as an operator would; how many."""
        rows = self.shop.rows(
            "SELECT customer_id, enrollment_id FROM parked WHERE reason = :reason", reason=reason
        )
        engine = build_engine(self.shop.settings)
        try:
            return sum(engine.release(row.customer_id, row.enrollment_id) for row in rows)
        finally:
            engine.close()

    def uncertain(self) -> set[MessageKey]:
        """Messages whose fate is open because somebody was about to hand them over."""
        rows = self.shop.rows(
            "SELECT customer_id, id FROM messages WHERE status IN ('handing_over', 'uncertain')"
        )
        return {(row.customer_id, row.id) for row in rows}


def insist(call: Callable[[], httpx.Response], *, until: Callable[[], bool]) -> Iterator[str]:
    """Repeat a request until it is answered with success, or ``until`` says to leave it; yields each failure."""
    while not until():
        try:
            answer = call()
            if answer.is_success:
                return
            yield f"{answer.status_code} {answer.text[:120]}"
        except httpx.HTTPError as error:
            yield type(error).__name__
        time.sleep(0.3)


def wait_for(fact: Callable[[], T], *, seconds: float) -> float | None:
    """How long until ``fact()`` was true; None when it was not within ``seconds``."""
    began = time.monotonic()
    with contextlib.suppress(AssertionError):
        eventually(fact, seconds=seconds)
        return time.monotonic() - began
    return None


def _call(row: Sequence[Any]) -> Call:
    place, service, public, to, fault, taken, status, began, answered, opened, one_click = row
    return Call(
        place=place, service=service, message=_key(public), to=to, fault=fault, taken=taken, status=status,
        began=began if opened is None else opened, answered=answered, one_click=one_click,
    )  # fmt: skip


def _key(public: str | None) -> MessageKey | None:
    with contextlib.suppress(InputError):
        if public is not None:
            found = parse_public_id(public, prefix=MESSAGE)
            return found.customer_id, found.row_id
    return None
