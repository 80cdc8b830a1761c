"""The ``call`` channel: runs a registered Python function with a time limit.

The function is user code. It runs outside every transaction and lock, in a thread of its own; one that does not
come back in time leaves its call *uncertain*, because it may still finish.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from channels.base import OutboundMessage, SendResult, SendStatus
from channels.errors import ChannelError

UNKNOWN_FUNCTION = "unknown_function"
LOOK_AGAIN = 60.0  # seconds until a process may be found that has the function


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionCall:
    """What a called function is told.

    ``key`` is the same for every attempt of one call: a function that acts elsewhere gives it on as its
    idempotency key.
    """

    key: str
    customer: str
    arguments: Mapping[str, Any]


CallFunction = Callable[[FunctionCall], Mapping[str, Any] | None]


class TryAgainError(ChannelError):
    """Raised by a called function that did nothing and may be called again after ``seconds``."""

    def __init__(self, seconds: float | None = None) -> None:
        super().__init__("call again later")
        self.seconds = seconds


class FunctionChannel:
    """Calls functions by name. ``places`` bounds the threads that functions out of time may go on holding."""

    name = "call"
    provider = "function"

    def __init__(
        self, functions: Mapping[str, CallFunction], *, seconds: float = 10.0, places: int = 16
    ) -> None:
        self._functions = functions
        self._seconds = seconds
        self._places = threading.BoundedSemaphore(places)

    def send(self, message: OutboundMessage) -> SendResult:
        function = self._functions.get(message.target or "")
        if function is None:
            known = ", ".join(sorted(self._functions)) or "none"
            detail = f"no function {message.target!r} is registered; known are {known}"
            # Nobody's fault but this installation's: the step waits for a process that has it.
            return self._handed(
                SendStatus.TRY_AGAIN,
                code=UNKNOWN_FUNCTION,
                detail=detail,
                alert=True,
                untried=True,
                retry_after=LOOK_AGAIN,
            )
        if not self._places.acquire(blocking=False):
            return self._handed(SendStatus.TRY_AGAIN, code="all_places_taken", retry_after=self._seconds)
        done: queue.SimpleQueue[SendResult] = queue.SimpleQueue()
        call = FunctionCall(
            key=message.message_id, customer=message.customer_key, arguments=dict(message.context)
        )
        thread = threading.Thread(
            target=self._run, args=(function, call, done), name=f"call-{message.target}", daemon=True
        )
        thread.start()
        try:
            return done.get(timeout=self._seconds)
        except queue.Empty:
            return self._handed(
                SendStatus.UNCERTAIN, code="timeout", detail=f"no answer in {self._seconds:g} s"
            )

    def _run(self, function: CallFunction, call: FunctionCall, done: queue.SimpleQueue[SendResult]) -> None:
        try:
            done.put(self._answer(function, call))
        finally:
            self._places.release()

    def _answer(self, function: CallFunction, call: FunctionCall) -> SendResult:
        try:
            answer = function(call)
        except TryAgainError as error:
            return self._handed(
                SendStatus.TRY_AGAIN, code="try_again", retry_after=error.seconds, about_message=True
            )
        except Exception as error:  # noqa: BLE001  user code: whatever it raises is its answer
            # The words of an error may hold personal data, its class does not.
            return self._handed(SendStatus.REFUSED, code=type(error).__name__, detail="the function raised")
        try:
            plain = json.loads(json.dumps(answer if answer is not None else {}, allow_nan=False))
        except (TypeError, ValueError):
            plain = None
        if not isinstance(plain, dict):
            detail = f"expected a mapping that JSON can hold or None, got {type(answer).__name__}"
            return self._handed(SendStatus.REFUSED, code="bad_answer", detail=detail)
        return self._handed(SendStatus.SENT, provider_id=call.key, answer=plain)

    def _handed(self, result: SendStatus, **facts: Any) -> SendResult:
        return SendResult(result=result, provider=self.provider, **facts)


def from_settings(settings: Mapping[str, Any]) -> FunctionChannel:
    """Build the channel over the engine's registry of functions."""
    return FunctionChannel(settings.get("functions") or {})
