"""Says who implements what: the one place where services meet the store, the channels and the queue."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import entry_points
from typing import Any

from pydantic import SecretStr

from channels import registry
from channels.base import Channel
from channels.function import CallFunction
from channels.recording import Outbox
from channels.table import channel_names, traits_of
from orchestrator.clock import VirtualClock, monotonic, system_now
from orchestrator.engine import WITHDRAWAL_THREADS, Connections, Engine
from orchestrator.errors import StoreError
from orchestrator.queue.nudge import make_nudge
from orchestrator.rate_limits.breakers import make_breakers
from orchestrator.rate_limits.limiter import make_limiter
from orchestrator.rate_limits.provider_rates import ProviderRates
from orchestrator.service.context import ServiceContext
from orchestrator.service.delivery.deliver import Delivery
from orchestrator.service.delivery.live_push import RedisPush
from orchestrator.service.delivery.provider_gates import ProviderGates
from orchestrator.service.delivery.send_pool import SendPool
from orchestrator.service.operations.monitoring import ProcessReporter
from orchestrator.service.rendering.links import LinkSigner
from orchestrator.service.rendering.render import Renderer
from orchestrator.settings import Settings
from orchestrator.store.coordination.api_requests import ApiRequests
from orchestrator.store.coordination.clock import Clock, DatabaseClock
from orchestrator.store.reports.reader import Reports
from orchestrator.store.restoring.withdrawal_log import WithdrawalLog
from orchestrator.store.sql.connections import make_engine
from orchestrator.store.transactions import PostgresStore

BATCH_SECONDS = 0.15  # since the lock: a customer waits no longer for a batch than for a page
FUNCTIONS = "orchestrator.functions"  # entry points: name = "module:function", what `call` steps may name
_WITHDRAWALS = 8  # connections that stay open; as many more as withdrawals have threads, for a moment
_WITHDRAWAL_LOCK = "10s"  # a batch holds its customers for a quarter of a second, a stopped process for five
_REHEARSAL_KEY = "rehearsals sign their links with this, always"  # they lead nowhere outside of the rehearsal


def build_engine(
    settings: Settings,
    *,
    clock: Clock | None = None,
    channels: Callable[[Channel], Channel] | None = None,
    functions: Mapping[str, CallFunction] | None = None,
    adapters: Mapping[str, Channel] | None = None,
) -> Engine:
    """The engine of these settings. ``settings.database_url`` must be set, and its schema up to date.

    ``channels`` wraps every adapter (a simulation watches them so); ``adapters`` take the place of installed ones, by
    channel; ``functions`` are what ``call`` steps may name, beside the installed entry points. On a
    :class:`VirtualClock` messages are handed over one after the other.
    """
    url = settings.database_url.get_secret_value() if settings.database_url else ""
    virtual = isinstance(clock, VirtualClock)
    machine_seconds = _seconds_of(clock) if isinstance(clock, VirtualClock) else monotonic
    database = make_engine(url, pool_size=1 if virtual else settings.pool_size, pre_ping=not virtual)
    clock = clock or DatabaseClock()
    keys = settings.signing_keys()
    log = None if settings.withdrawal_log is None else WithdrawalLog(settings.withdrawal_log)
    store = PostgresStore(database=database, clock=clock, hash_key=_keyed_hash(keys[-1]), withdrawal_log=log)
    carriers = _Carriers(settings, functions or {}, adapters or {}, channels)
    services = ServiceContext(
        store=store,
        provider_of=lambda name: carriers.channel_for(name).provider,
        budget=None if virtual else BATCH_SECONDS,
    )
    links = LinkSigner(base_url=settings.base_url, keys=keys)
    shared = None if virtual else settings.redis
    limiter = make_limiter(shared, now=machine_seconds)
    delivery = Delivery(
        services=services,
        channel_for=carriers.channel_for,
        renderer=_Renderers(services),
        links=links,
        gates=ProviderGates(
            providers=carriers.providers,
            rates=ProviderRates(settings.provider_rates, limiter),
            breakers=make_breakers(shared, now=machine_seconds),
            now=machine_seconds,
        ),
        url_for=carriers.url_for,
        pool=None if virtual else SendPool(settings.send_threads),
    )

    apart = make_engine(
        url,
        pool_size=_WITHDRAWALS,
        max_overflow=WITHDRAWAL_THREADS - _WITHDRAWALS,
        pre_ping=not virtual,
        session={"lock_timeout": _WITHDRAWAL_LOCK},
    )
    withdrawals = Connections(
        database=apart,
        services=replace(services, store=replace(store, database=apart)),
        reports=Reports(database=apart, clock=clock),
        api_requests=ApiRequests(database=apart, clock=clock),
    )
    engine = Engine(
        settings=settings,
        database=database,
        services=services,
        delivery=delivery,
        links=links,
        functions=carriers.functions,
        reports=Reports(database=database, clock=clock),
        reporter=ProcessReporter(services=services),
        api_requests=ApiRequests(database=database, clock=clock),
        clock_follows=virtual,
        withdrawals=withdrawals,
    )
    if not virtual:
        engine.nudge = make_nudge(settings)
        with suppress(StoreError):  # a database that cannot be reached now is told by the first sweep
            engine.follow_clock_rate()
    return engine


def build_rehearsal_engine(
    database_url: str,
    *,
    clock: VirtualClock,
    outbox: Outbox,
    settings: Settings | None = None,
    functions: Mapping[str, CallFunction] | None = None,
    adapters: Mapping[str, Channel] | None = None,
) -> Engine:
    """The engine of a simulation or a test: one drain at a time, no broker, every hand-over written down in ``outbox``.

    ``settings`` gives what else matters, such as signing keys and the public address of links that are followed.
    The adapters of other packages reach nobody either: the sandbox stands in for all that are not in ``adapters``.
    """
    base = settings or Settings(secret_keys=(SecretStr(_REHEARSAL_KEY),))
    alone = base.model_copy(
        update={
            "database_url": SecretStr(database_url),
            "broker_url": None,
            "redis_url": None,
            "send_threads": 1,
            "withdrawal_log": None,
        }
    )
    ours = {point.name for point in registry.BUILT_IN}
    foreign = {*channel_names(), *registry.available()} - ours
    silent = {name: registry.build("sandbox", {"name": name}, installed=()) for name in foreign}
    return build_engine(
        alone,
        clock=clock,
        channels=outbox.listen,
        functions=functions,
        adapters={**silent, **(adapters or {})},
    )


class _Carriers:
    """The adapters: real where keys are set, else sandboxes. Hand-overs to people go to chat or to the webhook."""

    def __init__(
        self,
        settings: Settings,
        functions: Mapping[str, CallFunction],
        adapters: Mapping[str, Channel],
        wrap: Callable[[Channel], Channel] | None,
    ) -> None:
        known = {point.name: point.load() for point in entry_points(group=FUNCTIONS)}
        self.functions = frozenset({**known, **functions})
        self._settings = settings
        self._webhook_url = settings.webhook_url
        options: dict[str, Any] = {
            **dict(settings),
            "functions": {**known, **functions},
            "now": system_now,
            "publish": RedisPush(settings.redis) if settings.redis else None,
        }
        wrap = wrap or (lambda channel: channel)
        self._wrap = wrap
        offered = registry.available()  # looks through every installed package: once is enough
        self._offered = tuple(offered.values())
        names = dict.fromkeys((*channel_names(), *sorted({*offered, *adapters} - {"sandbox"})))
        self._channels = {name: wrap(adapters.get(name) or self._build(name, options)) for name in names}
        self._sandboxes: dict[str, Channel] = {}

    def channel_for(self, name: str) -> Channel:
        """The adapter of a channel, or of a hand-over's target: ``crm``, ``support`` ..."""
        found = self._channels.get(name)
        if found is not None:
            return found
        if self._webhook_url:
            return self._channels["webhook"]
        if name not in self._sandboxes:
            built = registry.build("sandbox", {"name": name}, installed=self._offered)
            self._sandboxes[name] = self._wrap(built)
        return self._sandboxes[name]

    def providers(self) -> list[str]:
        return sorted({channel.provider for channel in self._channels.values()} | {"sandbox"})

    def url_for(self, name: str) -> str | None:
        """Where webhooks go: hand-overs to people, and the webhook channel itself."""
        if self._webhook_url and (name == "webhook" or name not in self._channels):
            return self._webhook_url
        return None

    def _build(self, name: str, options: Mapping[str, Any]) -> Channel:
        key = traits_of(name).needs_setting
        if key is not None and not getattr(self._settings, key, None):
            return registry.build("sandbox", {**options, "name": name}, installed=self._offered)
        return registry.build(name, options, installed=self._offered)


class _Renderers:
    """One renderer per published policy: sender and booking links are the policy's."""

    def __init__(self, services: ServiceContext) -> None:
        self._ground = services
        self._policy: Any = None
        self._renderer: Renderer | None = None

    def __call__(self) -> Renderer:
        with self._ground.store.begin() as transaction:
            policy = transaction.catalogue().policy
        if self._renderer is None or policy is not self._policy:
            self._policy, self._renderer = policy, Renderer(policy)
        return self._renderer


def _seconds_of(clock: VirtualClock) -> Callable[[], float]:
    """Machine time of a virtual clock: a breaker that waited in real seconds would spoil what must repeat."""
    start = clock.now

    def seconds() -> float:
        return (clock.now - start).total_seconds()

    return seconds


def _keyed_hash(key: str) -> Callable[[str], str]:
    """What stays of an erased person: unreadable without the account's oldest signing key."""
    secret = key.encode()

    def keyed(value: str) -> str:
        return hmac.new(secret, value.encode(), hashlib.sha256).hexdigest()

    return keyed
