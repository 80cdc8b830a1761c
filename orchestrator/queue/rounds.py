"""What an error means to a loop that must go on: a task, the runner's threads, a worker's own sweep.

Nothing that one round raises ends the loop: the work lies in PostgreSQL, and the next round finds it there.

===========================================  =========================================================================
what is raised                               what is told
===========================================  =========================================================================
an outage, a statement out of time           ``database.unavailable``
a lock that did not come                     ``batch.failed``: somebody else is at work
Celery's, kombu's, amqp's: no broker         ``broker.unavailable``: the sweep makes up for wake-ups that are lost
redis': no Redis                             ``redis.unavailable``: each process counts for itself
anything else                                ``batch.failed``
===========================================  =========================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from orchestrator.errors import Contended, Unavailable
from orchestrator.telemetry import emit

Result = TypeVar("Result")

_BROKER = (
    "celery",
    "kombu",
    "amqp",
    "vine",
    "billiard",
)  # by name: a process without a broker imports none of them
_REDIS = ("redis",)


def guarded(task: str, call: Callable[[], Result]) -> tuple[bool, Result | None]:
    """Whether ``call`` went well, and what it answered."""
    try:
        return True, call()
    except Exception as error:  # noqa: BLE001 - whatever it is, the next round may succeed
        tell(error, task=task)
        return False, None


def tell(error: Exception, *, task: str) -> None:
    """Log what ended a round of ``task``."""
    kind = type(error).__name__
    library = _library(error)
    if isinstance(error, Unavailable) and not isinstance(error, Contended):
        emit("database.unavailable", error=kind)
    elif library in _BROKER:
        emit("broker.unavailable", error=kind, dropped=0)
    elif library in _REDIS:
        emit("redis.unavailable", error=kind, used_for=task)
    else:
        emit("batch.failed", task=task, customers=0, error=kind)


def _library(error: Exception) -> str:
    """The library an error is of: the first of its classes that is not Python's own."""
    for base in type(error).__mro__:
        library = base.__module__.partition(".")[0]
        if library != "builtins":
            return library
    return "builtins"
