"""(d) Durable workflows of a library, as a contender: needs the extra ``benchmarks``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from time import perf_counter

from benchmarks.harness.children import Child
from benchmarks.harness.scratch import connect
from benchmarks.two_sends.by_hand import wait_until
from benchmarks.two_sends.by_hand_steps import OVER, SCHEMA, load


def missing() -> str | None:
    """Why it cannot take part, or None."""
    return (
        None
        if find_spec("dbos")
        else "dbos is not installed: pip install --constraint constraints.txt '.[benchmarks]'"
    )


class Durable:
    """Processes that run workflows from one queue."""

    def __init__(self, url: str, children: Sequence[Child]) -> None:
        self._url, self._children = url, children
        self._first = 0

    def pids(self) -> Sequence[int]:
        return [child.pid for child in self._children]

    def load(self, first: int, count: int) -> None:
        load(self._url, first, count)
        self._first = first
        self._children[0].order("load", first=first, count=count)
        self._children[0].answer()

    def run(self) -> float:
        """From the first step on: a process notices a new queue within a second, which is not counted."""
        self._children[0].order("go", first=self._first)
        self._children[0].answer()
        wait_until(self._url, f"SELECT EXISTS (SELECT FROM by_hand.history WHERE run_id >= {self._first})")
        began = perf_counter()
        wait_until(self._url, OVER)
        return perf_counter() - began


@contextmanager
def opened(url: str, processes: int) -> Iterator[Durable]:
    with connect(url) as connection:
        connection.execute(SCHEMA)
    with ExitStack() as stack:
        module = "benchmarks.two_sends.durable_worker"
        yield Durable(
            url, [stack.enter_context(Child(module, url, f"worker-{number}")) for number in range(processes)]
        )
