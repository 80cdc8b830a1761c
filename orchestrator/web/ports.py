"""What the web process asks of the engine: the facade's verbs, each its own transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Engine as Database

from channels.base import Receipt
from orchestrator.clock import Clock
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.service.intake.feed import Feed
from orchestrator.service.rendering.links import LinkSigner
from orchestrator.service.values import (
    ConsentEvidence,
    ConsentFact,
    ConsentHistory,
    Enrollment,
    ErasureReceipt,
    Identify,
    IngestReport,
    OptOutReceipt,
    Preferences,
    Track,
)


class Facade(Protocol):
    """The engine, as web handlers see it. ``customer`` is always the product's own key."""

    @property
    def engine(self) -> Database: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def links(self) -> LinkSigner: ...
    @property
    def policy(self) -> AccountPolicy: ...
    @property
    def nudge(self) -> Callable[[], None]:
        """Wakes whoever moves things; never raises, never blocks for more than a second."""
        ...

    def identify(self, items: Sequence[Identify]) -> IngestReport: ...
    def track(self, items: Sequence[Track]) -> IngestReport: ...
    def start_playbook(
        self,
        customer: str,
        name: str,
        *,
        context: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Enrollment:
        """Raises StartRefused, NotFound, InputError."""
        ...

    def respond(
        self,
        message_id: str,
        word: str,
        *,
        detail: str | None = None,
        comment: str | None = None,
        source_id: str | None = None,
        at: datetime | None = None,
    ) -> bool:
        """False: this answer was given before. Raises NotFound, InputError."""
        ...

    def feed(self, customer_id: int, *, limit: int) -> Feed:
        """What this customer may see in the product now, newest first."""
        ...

    def receive(self, receipts: Sequence[Receipt]) -> IngestReport: ...
    def opt_out(
        self,
        customer: str,
        *,
        channel: str = "*",
        topic: str = "*",
        evidence: ConsentEvidence,
        source_id: str | None = None,
    ) -> OptOutReceipt: ...
    def opt_in(
        self,
        customer: str,
        *,
        channel: str = "*",
        topic: str = "*",
        evidence: ConsentEvidence,
        source_id: str | None = None,
    ) -> None: ...
    def snooze(self, customer: str, until: datetime) -> None: ...
    def end_snooze(self, customer: str) -> None: ...
    def preferences(self, customer: str) -> Preferences: ...
    def import_consents(self, items: Sequence[ConsentFact]) -> IngestReport: ...
    def consents(self, customer: str) -> ConsentHistory: ...
    def erase(self, customer: str, *, anyway: bool = False) -> ErasureReceipt:
        """Raises ErasureIncomplete when a provider could not be told and not ``anyway``."""
        ...

    def export(self, customer: str) -> dict[str, Any]: ...
