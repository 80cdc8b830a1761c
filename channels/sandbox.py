"""The sandbox: sends nothing, and can be told to fail like a real provider.

It is the default of every channel without keys. The engine keeps what it took in its database, with
the answer, and shows it as the customer would see it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from channels.base import OutboundMessage, SendResult, SendStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptedResult:
    """One rule of failure: for these channels and addresses (shell patterns), answer with this result.

    ``times`` limits how often the rule is used; ``None`` means always.
    """

    result: SendStatus
    channel: str = "*"
    address: str = "*"
    times: int | None = None
    code: str | None = None
    retry_after: float | None = None
    mark_address: bool = False

    def fits(self, message: OutboundMessage) -> bool:
        return fnmatchcase(message.channel, self.channel) and fnmatchcase(message.address, self.address)


class SandboxChannel:
    """A channel that sends nothing. The first rule that fits decides; without one: sent."""

    provider = "sandbox"

    def __init__(self, name: str, *, fates: Iterable[ScriptedResult] = ()) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._rules: list[_Rule] = [_Rule(outcome) for outcome in fates]

    def fail(self, outcome: ScriptedResult) -> None:
        """Add a rule; later rules are asked first."""
        with self._lock:
            self._rules.insert(0, _Rule(outcome))

    def heal(self) -> None:
        """Forget all rules."""
        with self._lock:
            self._rules.clear()

    def send(self, message: OutboundMessage) -> SendResult:
        outcome = self._fate(message)
        if outcome is None:
            provider_id = f"sandbox-{message.message_id}"
            return SendResult(result=SendStatus.SENT, provider=self.provider, provider_id=provider_id)
        again = outcome.result is SendStatus.TRY_AGAIN
        return SendResult(
            result=outcome.result,
            provider=self.provider,
            code=outcome.code or f"sandbox_{outcome.result}",
            retry_after=outcome.retry_after if again else None,
            mark_address=outcome.mark_address,
        )

    def _fate(self, message: OutboundMessage) -> ScriptedResult | None:
        with self._lock:
            for rule in self._rules:
                if rule.outcome.fits(message) and rule.take():
                    return rule.outcome
        return None


class _Rule:
    """A fate and how often it may still be used."""

    def __init__(self, outcome: ScriptedResult) -> None:
        self.outcome = outcome
        self._left = outcome.times

    def take(self) -> bool:
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0


def from_settings(settings: Mapping[str, Any]) -> SandboxChannel:
    """Build a sandbox; ``name`` is the channel it stands for."""
    return SandboxChannel(str(settings.get("name") or "sandbox"))
