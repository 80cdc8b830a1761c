"""What one worker process holds: its engine and its publisher, made when first needed and after a fork never shared.

Celery's parent process loads the tasks and forks; connections made before the fork would be used by two processes.
So nothing here exists until a task asks for it.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

from orchestrator.bootstrap import build_engine
from orchestrator.engine import Engine
from orchestrator.queue.publisher import Publisher
from orchestrator.settings import Settings, load_settings


@dataclass(kw_only=True)
class _Held:
    pid: int
    settings: Settings
    engine: Engine | None = None
    publisher: Publisher | None = None


_lock = threading.Lock()
_held: _Held | None = None


def settings() -> Settings:
    return _mine().settings


def engine() -> Engine:
    held = _mine()
    with _lock:
        if held.engine is None:
            held.engine = build_engine(held.settings)
        return held.engine


def publisher() -> Publisher:
    held = _mine()
    with _lock:
        if held.publisher is None:
            held.publisher = Publisher(held.settings)
        return held.publisher


def _mine() -> _Held:
    global _held  # noqa: PLW0603 - the one place of this process
    held = _held
    if held is None or held.pid != os.getpid():
        held = _held = _Held(pid=os.getpid(), settings=load_settings())
    return held
