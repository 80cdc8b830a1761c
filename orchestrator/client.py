"""The product's Python surface: module-level verbs over one engine that is opened at the first call.

The library never starts a worker or a database of its own: ``ORCHESTRATOR_DATABASE_URL`` says where the engine
lives, and workers elsewhere walk the customers.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.engine import Engine
from orchestrator.errors import InputError, SettingsError
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.enrollment import Enrollment
from orchestrator.records.intake import Identify, Track
from orchestrator.records.preferences import OptOutReceipt
from orchestrator.settings import load_settings

_lock = threading.Lock()
_opened: list[Engine] = []


def connect(engine: Engine | None = None) -> Engine:
    """The engine behind the verbs of this module. Give one to use it instead (tests do)."""
    from orchestrator.bootstrap import build_engine  # noqa: PLC0415 - authors of playbooks import no providers

    with _lock:
        if engine is not None:
            _opened[:] = [engine]
        elif not _opened:
            settings = load_settings()
            if settings.database_url is None:
                raise SettingsError(
                    ["ORCHESTRATOR_DATABASE_URL is needed: the product never starts a database"]
                )
            _opened.append(build_engine(settings))
        return _opened[0]


def start_playbook(
    customer: str, name: str, *, context: Mapping[str, Any] | None = None, key: str | None = None
) -> Enrollment:
    """Begin playbook ``name`` for ``customer``; the same ``key`` gives the same enrollment.

    Raises NotFound, InputError, and StartRefused with the reason.
    """
    return connect().start_playbook(customer, name, context=context, key=key)


def identify(customer: str, traits: Mapping[str, Any], *, source_id: str | None = None) -> None:
    """Profile facts: email, phone, timezone, locale, region, account, and any attribute. Raises InputError."""
    report = connect().identify([Identify(key=customer, traits=traits, source_id=source_id)])
    for refused in report.refused:
        raise InputError(refused.path, refused.problem)


def track(
    customer: str,
    event: str,
    properties: Mapping[str, Any] | None = None,
    *,
    source_id: str | None = None,
    occurred_at: datetime | None = None,
) -> bool:
    """One signal. False if its ``source_id`` was taken before. Raises InputError."""
    item = Track(
        key=customer,
        event=event,
        properties=properties or {},
        source_id=source_id,
        occurred_at=occurred_at,
    )
    report = connect().track([item])
    for refused in report.refused:
        raise InputError(refused.path, refused.problem)
    return report.taken == 1


def respond(
    message_id: str, outcome: str, *, detail: str | None = None, source_id: str | None = None
) -> bool:
    """What a customer did with a message. False if it was heard before. Raises InputError, NotFound."""
    return connect().respond(message_id, outcome, detail=detail, source_id=source_id)


def opt_out(customer: str, *, channel: str = "*", topic: str = "*", source: str = "product") -> OptOutReceipt:
    """Never speak to the customer again about ``topic`` on ``channel``; what was stopped. Raises NotFound."""
    return connect().opt_out(
        customer, channel=channel, topic=topic, evidence=ConsentEvidence(method="api", source=source)
    )


def opt_in(customer: str, *, channel: str = "*", topic: str = "*", source: str = "product") -> None:
    """The customer agreed again, to exactly this. Raises NotFound."""
    connect().opt_in(
        customer, channel=channel, topic=topic, evidence=ConsentEvidence(method="api", source=source)
    )
