"""What one email costs in the adapter alone, beside the same bytes over bare HTTP: processor time of this process.

``python -m benchmarks.over_http.adapter SETTINGS`` (JSON). Bare HTTP is one kept connection a thread, the request made
once; the adapter builds the SDK's request, sends it and reads the answer.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from benchmarks.harness.children import cpu_seconds, serve
from benchmarks.two_sends import workload
from channels.base import Content, OutboundMessage, SendStatus
from orchestrator.bootstrap import build_engine
from orchestrator.telemetry import configure

_local = threading.local()


def main() -> int:
    configure(level="error")
    told: dict[str, Any] = json.loads(sys.argv[1])
    engine = build_engine(workload.settings("postgresql://127.0.0.1/none", **told))  # nothing is asked of it
    channel = engine.delivery.channel_for("email")
    body = json.dumps(channel.mail(message(0))).encode()  # type: ignore[attr-defined]
    host = urlsplit(told["sendgrid_base_url"]).netloc
    headers = {"Authorization": f"Bearer {told['sendgrid_api_key']}", "Content-Type": "application/json"}

    def by_adapter(number: int) -> None:
        found = channel.send(message(number))
        assert found.result is SendStatus.SENT, found

    def bare(_: int) -> None:
        connection = getattr(_local, "connection", None)
        if connection is None:
            connection = _local.connection = http.client.HTTPConnection(host, timeout=20)
        connection.request("POST", "/v3/mail/send", body=body, headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 202, answer.status

    serve(
        {
            "adapter": lambda threads, count: timed(by_adapter, threads, count),
            "bare": lambda threads, count: timed(bare, threads, count),
        }
    )
    return 0


def timed(send: Callable[[int], None], threads: int, count: int) -> dict[str, float]:
    """Milliseconds of processor time a send, after each thread has connected."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(send, range(4 * threads)))
        before = cpu_seconds()
        list(pool.map(send, range(count)))
        return {"ms": 1e3 * (cpu_seconds() - before) / count}


def message(number: int) -> OutboundMessage:
    link = f"{workload.BASE_URL}/u/{'x' * 90}"
    text = f"Hello Ada,\n\n{'what the larger plan adds ' * 12}\n{workload.BASE_URL}/c/{'y' * 120}\n{link}\n"
    return OutboundMessage(
        message_id=f"m_{number + 1}-1",
        customer_id=number + 1,
        customer_key=f"c{number}",
        channel="email",
        address=f"c{number}@bench.example",
        content=Content(text=text, header={"subject": "What the larger plan adds"}),
        topic=workload.TOPIC,
        promotional=True,
        opt_out_url=link,
        one_click_url=link,
        list_id="upsell.shop.example",
        valid_seconds=36_000,
    )


if __name__ == "__main__":
    sys.exit(main())
