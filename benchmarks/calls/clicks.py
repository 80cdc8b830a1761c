"""The process that customers' answers come into: what ``orchestrator serve`` is without its pages.

``python -m benchmarks.calls.clicks URL``. The runner of one process works in threads, and the order ``clicks`` reports
clicks from outside of it, one after the other: how long each takes until the next message is handed over.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from benchmarks.harness.children import serve
from benchmarks.two_sends import workload
from channels.base import Channel, OutboundMessage, SendResult
from orchestrator.bootstrap import build_engine
from orchestrator.engine import Engine
from orchestrator.queue.in_process import Runner
from orchestrator.telemetry import configure

PATIENCE = 10.0  # seconds; a click that is not followed by then counts as these


class Watched:
    """A channel that tells when a customer's message was handed over."""

    def __init__(self, inner: Channel, handed: dict[str, tuple[threading.Event, list[float]]]) -> None:
        self._inner, self._handed = inner, handed
        self.name, self.provider = inner.name, inner.provider

    def send(self, message: OutboundMessage) -> SendResult:
        waiting = self._handed.get(message.customer_key)
        if waiting is not None:
            waiting[1].append(time.perf_counter())
            waiting[0].set()
        return self._inner.send(message)


def main() -> int:
    configure(level="error")
    handed: dict[str, tuple[threading.Event, list[float]]] = {}
    engine = build_engine(workload.settings(sys.argv[1]), channels=lambda inner: Watched(inner, handed))
    runner = Runner(engine)
    try:
        serve(
            {
                "start": runner.start,
                "clicks": lambda messages, pause, within: clicks(engine, handed, messages, pause, within),
            }
        )
    finally:
        runner.stop()
        engine.close()
    return 0


def clicks(
    engine: Engine,
    handed: dict[str, tuple[threading.Event, list[float]]],
    messages: list[tuple[str, str]],
    pause: float,
    within: float,
) -> dict[str, Any]:
    """Seconds from the call to the hand-over, for each (customer's key, public id of a message); no new click after
    ``within`` seconds."""
    found: list[float] = []
    ends = time.perf_counter() + within
    for key, message_id in messages:
        if time.perf_counter() > ends:
            break
        event: threading.Event = threading.Event()
        times: list[float] = []
        handed[key] = (event, times)
        began = time.perf_counter()
        engine.respond(message_id, "clicked", detail="upgrade")
        found.append(times[0] - began if event.wait(PATIENCE) else PATIENCE)
        time.sleep(pause)
    return {"seconds": found}


if __name__ == "__main__":
    sys.exit(main())
