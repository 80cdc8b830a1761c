"""What is measured, with its name and labels: the one table of figures for Prometheus, pages and ``doctor``.

Figures are of two kinds. *Process figures* (:data:`REGISTRY`) are counters and histograms that a process keeps in
memory and adds to ``work_counters`` every few seconds, so that those of workers reach a scrape too. *Work figures*
(:data:`GAUGES`) say what waits; the sweep counts them. Labels are closed sets or names from code and settings: never a
customer, a message, a playbook or anything an author writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from channels.base import Channel, OutboundMessage, SendResult
from channels.table import channel_names
from orchestrator import telemetry
from orchestrator.clock import monotonic

Sample = tuple[str, tuple[tuple[str, str], ...]]
"""A sample's name and its labels, sorted."""

REGISTRY = CollectorRegistry()
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 10)

EVENTS = Counter(
    "orchestrator_events", "Events, also of those that no log shows", ("event",), registry=REGISTRY
)
BATCH_SECONDS = Histogram(
    "orchestrator_batch_seconds",
    "Seconds a batch took, its commit included",
    ("task",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
LOCK_WAIT_SECONDS = Histogram(
    "orchestrator_lock_wait_seconds",
    "Seconds until the locks on a batch's customers were had",
    buckets=_SECONDS,
    registry=REGISTRY,
)
LOCK_HELD_SECONDS = Histogram(
    "orchestrator_lock_held_seconds",
    "Seconds the locks on a batch's customers were held",
    buckets=_SECONDS,
    registry=REGISTRY,
)
SENDS = Counter(
    "orchestrator_sends",
    "Answers to hand-overs",
    ("channel", "provider", "result"),
    registry=REGISTRY,
)
SEND_SECONDS = Histogram(
    "orchestrator_send_seconds",
    "Seconds one hand-over took",
    ("provider",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
SEND_ALERTS = Counter(
    "orchestrator_send_alerts",
    "Answers that ask for a person: wrong credentials, an unregistered sender",
    ("provider",),
    registry=REGISTRY,
)

FAMILIES: tuple[Counter | Histogram, ...] = (
    EVENTS,
    BATCH_SECONDS,
    LOCK_WAIT_SECONDS,
    LOCK_HELD_SECONDS,
    SENDS,
    SEND_SECONDS,
    SEND_ALERTS,
)

LAG = "orchestrator_lane_lag_seconds"
DUE = "orchestrator_lane_due"
LIVE = "orchestrator_enrollments_live"
WAITING = "orchestrator_messages_waiting"
LAPSED = "orchestrator_hand_overs_lapsed"
HELD = "orchestrator_held"
PARKED = "orchestrator_parked"
RATE = "orchestrator_clock_rate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gauge:
    """A work figure: what it says, and by what."""

    says: str
    labels: tuple[str, ...] = ()


GAUGES: Mapping[str, Gauge] = {
    LAG: Gauge(says="Seconds since the oldest due of a lane became due", labels=("lane", "provider")),
    DUE: Gauge(says="What is due in a lane; counting ends at 10,000", labels=("lane", "provider")),
    LIVE: Gauge(says="Enrollments in progress"),
    WAITING: Gauge(says="Messages that are not settled", labels=("status",)),
    LAPSED: Gauge(says="Hand-overs whose process did not report within its lease"),
    HELD: Gauge(says="Planned messages, by the policy that deferred them last", labels=("policy",)),
    PARKED: Gauge(says="Enrollments and customers set aside", labels=("reason",)),
    RATE: Gauge(says="1 unless this is a rehearsal"),
}
PROCESS_GAUGES: Mapping[str, Gauge] = {
    "orchestrator_database_up": Gauge(says="1 when the database answers"),
    "orchestrator_counted_age_seconds": Gauge(says="Seconds since the work was counted last"),
    "orchestrator_last_batch_age_seconds": Gauge(says="Seconds since any process finished a batch"),
    "orchestrator_processes": Gauge(says="Processes heard of in the last 30 seconds", labels=("role",)),
    "orchestrator_claiming_stopped": Gauge(
        says="Processes that take no work, because it is this build that fails"
    ),
    "orchestrator_breaker_open": Gauge(
        says="Processes whose breaker of a provider is open", labels=("provider",)
    ),
    "orchestrator_rate_used_up": Gauge(
        says="Processes that have no token left of a provider", labels=("provider",)
    ),
    "orchestrator_broker_silent": Gauge(
        says="Workers that hear nothing from the broker and sweep by themselves"
    ),
    "orchestrator_results_waiting": Gauge(says="Answers of providers that are not filed yet"),
}

_BATCHES = {"batch.advanced": "advance", "batch.delivered": "deliver"}
_LIMITED_FOR = 65.0  # seconds: a rate that is used up is told once a minute


@dataclass(kw_only=True)
class _Process:
    """What the events of this process say about it."""

    last_batch: float | None = None
    claiming_stopped: str | None = None
    breakers: dict[str, float] = field(default_factory=dict)  # provider -> open until, monotonic
    limited: dict[str, float] = field(default_factory=dict)
    by_event: dict[str, Counter] = field(default_factory=dict)


_process = _Process()


def seconds_since_last_batch() -> float | None:
    """Machine time since this process finished a batch in which there was somebody; None when it never did."""
    return None if _process.last_batch is None else monotonic() - _process.last_batch


def process_state() -> dict[str, Any]:
    """How this process is doing, as JSON values; :class:`~orchestrator.records.operations.work.ProcessState` is read
    from them."""
    now = monotonic()
    return {
        "claiming_stopped": _process.claiming_stopped,
        "breakers": sorted(name for name, until in list(_process.breakers.items()) if until > now),
        "rates_used_up": sorted(name for name, until in list(_process.limited.items()) if until > now),
    }


def samples() -> dict[Sample, float]:
    """The process figures as they stand."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def measured_send(channel: Channel, message: OutboundMessage) -> SendResult:
    """Hand one message to its adapter; the answer is counted and timed."""
    label = message.channel if message.channel in channel_names() else "handoff"  # authors name those
    began = monotonic()
    result = "broken"
    try:
        answer = channel.send(message)
        result = answer.result.value
    finally:
        SEND_SECONDS.labels(channel.provider).observe(monotonic() - began)
        SENDS.labels(label, channel.provider, result).inc()
    if answer.alert:
        SEND_ALERTS.labels(channel.provider).inc()
    return answer


@contextmanager
def locks_measured() -> Iterator[Callable[[], None]]:
    """Around a transaction that locks customers: the block calls what it is given once the locks are had."""
    began = monotonic()
    had: list[float] = []

    def locked() -> None:
        had.append(monotonic())
        LOCK_WAIT_SECONDS.observe(had[0] - began)

    try:
        yield locked
    finally:
        if had:
            LOCK_HELD_SECONDS.observe(monotonic() - had[0])


def _count(event: str, fields: Mapping[str, Any]) -> None:
    counter = _process.by_event.get(event)
    if counter is None:
        counter = _process.by_event[event] = EVENTS.labels(event)
    counter.inc()
    match event:
        case "batch.advanced" | "batch.delivered":
            _process.last_batch = monotonic()
            BATCH_SECONDS.labels(_BATCHES[event]).observe(fields.get("seconds", 0.0))
        case "claiming.stopped":
            _process.claiming_stopped = str(fields.get("fault", ""))
        case "claiming.resumed":
            _process.claiming_stopped = None
        case "provider.breaker_opened":
            _process.breakers[str(fields["provider"])] = monotonic() + float(fields.get("seconds", 0.0))
        case "provider.breaker_closed":
            _process.breakers.pop(str(fields["provider"]), None)
        case "provider.limited":
            _process.limited[str(fields["provider"])] = monotonic() + _LIMITED_FOR
        case _:
            return


telemetry.listen(_count)
