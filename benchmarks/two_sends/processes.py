"""Engine and floor as contenders: the same tables, the same loading, processes that are told to work off a wave."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter

from benchmarks.harness.children import Child, ordered
from benchmarks.harness.scratch import pass_days
from benchmarks.two_sends import workload
from benchmarks.two_sends.contender import Opened
from orchestrator.bootstrap import build_engine
from orchestrator.engine import Engine

WAVES = 3  # the first email, the second, the end


class OnOurTables:
    """Processes of a module that answers ``wave``, over the engine's own tables."""

    def __init__(self, url: str, engine: Engine, children: Sequence[Child]) -> None:
        self._url, self._engine, self._children = url, engine, children

    def pids(self) -> Sequence[int]:
        return [child.pid for child in self._children]

    def load(self, first: int, count: int) -> None:
        workload.load(self._engine, first, count)

    def run(self) -> float:
        """Wave by wave; the days between two of them pass at once, and are not counted."""
        seconds = 0.0
        for _ in range(WAVES):
            began = perf_counter()
            ordered(self._children, "wave")
            seconds += perf_counter() - began
            pass_days(self._url, workload.WAIT_DAYS + 0.1)
        pass_days(self._url, workload.REST_DAYS + workload.REENTRY_DAYS)
        return seconds


@contextmanager
def opened(
    module: str, url: str, processes: int, *, settings: Mapping[str, str] | None = None
) -> Iterator[OnOurTables]:
    """``settings`` are what the processes are told beside their database."""
    with ExitStack() as stack:
        engine = build_engine(workload.settings(url))
        stack.callback(engine.close)
        workload.publish(engine, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        children = [
            stack.enter_context(Child(module, url, json.dumps(settings or {}))) for _ in range(processes)
        ]
        yield OnOurTables(url, engine, children)


ENGINE: Opened = partial(opened, "benchmarks.two_sends.engine")
FLOOR: Opened = partial(opened, "benchmarks.two_sends.floor")
