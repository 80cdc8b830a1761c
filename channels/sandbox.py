"""The sandbox: keeps what would have been sent, and can be told to fail like a real provider.

It is the default of every channel without keys. What it keeps goes through a port, so the engine can keep it in
its database and show it as the customer would see it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Protocol

from channels.base import Handed, Outgoing, Result


class Keeper(Protocol):
    """Where the sandbox puts what it was given. May be called from several threads; must not raise."""

    def keep(self, message: Outgoing) -> None: ...


class InMemoryKeeper:
    """Keeps messages in a list, for tests and for a run without a database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: list[Outgoing] = []

    def keep(self, message: Outgoing) -> None:
        with self._lock:
            self._messages.append(message)

    @property
    def messages(self) -> tuple[Outgoing, ...]:
        """What was kept, oldest first."""
        with self._lock:
            return tuple(self._messages)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """One rule of failure: for these channels and addresses (shell patterns), answer with this result.

    ``times`` limits how often the rule is used; ``None`` means always. A message that ends ``uncertain`` is kept
    when ``taken`` is True: the provider has it, only its answer was lost.
    """

    result: Result
    channel: str = "*"
    address: str = "*"
    times: int | None = None
    code: str | None = None
    retry_after: float | None = None
    mark_address: bool = False
    taken: bool = True

    def fits(self, message: Outgoing) -> bool:
        return fnmatchcase(message.channel, self.channel) and fnmatchcase(message.address, self.address)


class SandboxChannel:
    """A channel that sends nothing and forgets nothing. The first rule that fits decides; without one: sent."""

    provider = "sandbox"

    def __init__(self, name: str, *, keeper: Keeper, fates: Iterable[Fate] = ()) -> None:
        self.name = name
        self._keeper = keeper
        self._lock = threading.Lock()
        self._rules: list[_Rule] = [_Rule(fate) for fate in fates]

    def fail(self, fate: Fate) -> None:
        """Add a rule; later rules are asked first."""
        with self._lock:
            self._rules.insert(0, _Rule(fate))

    def heal(self) -> None:
        """Forget all rules."""
        with self._lock:
            self._rules.clear()

    def send(self, message: Outgoing) -> Handed:
        fate = self._fate(message)
        if fate is None:
            self._keeper.keep(message)
            provider_id = f"sandbox-{message.message_id}"
            return Handed(result=Result.SENT, provider=self.provider, provider_id=provider_id)
        if fate.result is Result.SENT or (fate.result is Result.UNCERTAIN and fate.taken):
            self._keeper.keep(message)
        again = fate.result is Result.TRY_AGAIN
        return Handed(
            result=fate.result,
            provider=self.provider,
            code=fate.code or f"sandbox_{fate.result}",
            retry_after=fate.retry_after if again else None,
            mark_address=fate.mark_address,
        )

    def _fate(self, message: Outgoing) -> Fate | None:
        with self._lock:
            for rule in self._rules:
                if rule.fate.fits(message) and rule.take():
                    return rule.fate
        return None


class _Rule:
    """A fate and how often it may still be used."""

    def __init__(self, fate: Fate) -> None:
        self.fate = fate
        self._left = fate.times

    def take(self) -> bool:
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0


def from_settings(settings: Mapping[str, Any]) -> SandboxChannel:
    """Build a sandbox: ``name`` is the channel it stands for, ``keeper`` where it puts what it was given."""
    keeper = settings.get("keeper")
    return SandboxChannel(str(settings.get("name") or "sandbox"), keeper=keeper or InMemoryKeeper())
