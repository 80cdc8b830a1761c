"""How long a call may take to begin: said by whoever calls an adapter, kept where the first byte leaves.

Between the two an adapter loads its provider's library, resolves a name, waits for a connection or for the processor:
seconds, at times. A message that was allowed to leave must not leave so much later.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from channels.errors import NotSentError

TOO_LATE = "authorisation_aged"
"""The code of a call that did not begin in time."""


@dataclass(kw_only=True, slots=True)
class _Start:
    until: float
    begun: bool = False


_start: ContextVar[_Start | None] = ContextVar("channels_begin_by", default=None)


@contextmanager
def begin_within(seconds: float) -> Iterator[None]:
    """The first request of this thread inside the block begins within ``seconds``, or none of it leaves."""
    token = _start.set(_Start(until=time.monotonic() + seconds))
    try:
        yield
    finally:
        _start.reset(token)


def begin() -> None:
    """The first byte is about to leave; what follows in the same block belongs to a call that has begun.

    Raises NotSentError with the code :data:`TOO_LATE` when it is too late for it.
    """
    start = _start.get()
    if start is None or start.begun:
        return
    if time.monotonic() > start.until:
        raise NotSentError(TOO_LATE)
    start.begun = True
