"""A crowd whose walks are started while things break, by a product that keeps asking until it is answered."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from orchestrator.bootstrap import build_engine
from orchestrator.errors import StoreError
from orchestrator.records.intake import Identify
from tests.support.installation import Installation


def names(count: int) -> list[str]:
    return [f"customer{number:03}" for number in range(count)]


@contextmanager
def arriving(installation: Installation, customers: Sequence[str], *, seconds: float) -> Iterator[None]:
    """Everybody is started in the background, evenly over ``seconds``; on leaving all of them have been."""
    failures: list[BaseException] = []

    def product() -> None:
        engine = build_engine(installation.settings)
        try:
            pause = threading.Event()
            for customer in customers:
                _insist(lambda customer=customer: _start(engine, customer))  # type: ignore[misc]
                pause.wait(seconds / len(customers))
        except BaseException as error:  # noqa: BLE001 - told to the test below
            failures.append(error)
        finally:
            engine.close()

    thread = threading.Thread(target=product, name="product")
    thread.start()
    yield
    thread.join(60)
    assert not thread.is_alive(), "the product is still waiting for an answer"
    assert failures == []


def outcome(seed: int, number: int, *, low: float, high: float) -> float:
    """A number between ``low`` and ``high``, the same for the same seed."""
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return low + (high - low) * int.from_bytes(digest[:4], "big") / 2**32


def _start(engine: object, customer: str) -> None:
    engine.identify(  # type: ignore[attr-defined]
        [Identify(key=customer, traits={"email": f"{customer}@example.test"}, source_id=f"known:{customer}")]
    )
    engine.start_playbook(customer, "two_mails", key=f"offer:{customer}")  # type: ignore[attr-defined]


def _insist(call: object) -> None:
    """A product repeats what it was not answered; keys make the repetition harmless."""
    ends = time.monotonic() + 30
    while True:
        try:
            call()  # type: ignore[operator]
            return
        except StoreError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)
