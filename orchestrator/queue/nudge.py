"""The nudge: tells whoever moves things that something is due, and never waits nor fails its caller.

With a broker, :func:`make_nudge` publishes from a thread of its own: a broker that is refused, frozen or slow costs
the caller nothing. Without one it wakes the runner of this process, if there is one.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Callable
from typing import Protocol

from orchestrator.queue.wakes import Wake
from orchestrator.settings import Settings

FAREWELL = 1.0  # seconds a process that ends waits for its last nudge to leave
REST = 0.02  # seconds between two wake-ups of a process that cannot know what others have published


class LocalWake:
    """The nudge without a broker: an event that the runner of this process waits for."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def __call__(self) -> None:
        self.event.set()


class Sender(Protocol):
    """What a :class:`RemoteWake` publishes through; :class:`orchestrator.queue.publisher.Publisher` is one."""

    @property
    def coalesces(self) -> bool: ...
    def wake(self, wake: Wake, /) -> bool: ...
    def close(self) -> None: ...


class RemoteWake:
    """The nudge with a broker. Nudges that come while one is being published are one nudge afterwards.

    The thread starts with the first nudge, and anew in a process forked later. A process that ends waits for its last
    nudge to leave, one second at most.
    """

    _thread: threading.Thread | None
    _sender: Sender | None

    def __init__(self, make_sender: Callable[[], Sender]) -> None:
        self._make_sender = make_sender
        self._begin()
        _nudges.add(self)

    def __call__(self) -> None:
        if self._pid != os.getpid():
            self._begin()
        with self._changed:
            self._asked += 1
            if self._thread is None and not self._over:
                self._thread = threading.Thread(target=self._publish, name="nudge", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    @property
    def sender(self) -> Sender | None:
        """The publisher of this process, once it was needed: it counts what was published and what was dropped."""
        return self._sender

    def flush(self, seconds: float = FAREWELL) -> bool:
        """Wait until every nudge so far has been published or given up; False when that takes longer."""
        if self._pid != os.getpid() or self._thread is None:
            return True
        with self._changed:
            asked = self._asked
            return self._changed.wait_for(lambda: self._done >= asked, timeout=seconds)

    def close(self, seconds: float = FAREWELL) -> None:
        """Publish what is left and end the thread, in ``seconds`` at most. Later nudges are left to the sweep."""
        self.flush(seconds)
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._asked = self._done = 0
        self._over = False
        self._thread = None
        self._sender = None

    def _publish(self) -> None:
        sender = self._sender = self._make_sender()
        rest = 0.0 if sender.coalesces else REST
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked > self._done or self._over)
                if self._over:
                    break
                asked = self._asked
            sender.wake("advance")  # which wakes the delivery in its turn
            with self._changed:
                self._done = asked
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._over, timeout=rest)
        sender.close()


_nudges: weakref.WeakSet[RemoteWake] = weakref.WeakSet()


def make_nudge(settings: Settings) -> LocalWake | RemoteWake:
    """The nudge that the settings ask for."""
    if settings.broker is None:
        return LocalWake()

    from orchestrator.queue.publisher import Publisher  # noqa: PLC0415 - without a broker Celery is never loaded

    return RemoteWake(lambda: Publisher(settings))


@atexit.register
def _say_farewell() -> None:
    for nudge in list(_nudges):
        nudge.flush()
