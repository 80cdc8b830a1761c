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
from orchestrator.records.intake import Identify, ResponseOutcome, Track
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
    """Begin playbook ``name`` for ``customer``, who is made if unknown; the same ``key`` gives the same enrollment.

    ``context`` are values that the playbook declares under ``context:``. Raises StartRefused, whose ``reason`` is
    ``already_live``, ``context``, ``cooldown``, ``erased``, ``not_published``, ``opted_out``, ``paused`` or
    ``reentry``; NotFound for a playbook nobody published; InputError; Unavailable when PostgreSQL does not answer, as
    every verb here does.
    """
    return connect().start_playbook(customer, name, context=context, key=key)


def identify(customer: str, traits: Mapping[str, Any], *, source_id: str | None = None) -> None:
    """Profile facts about a customer, who is made if unknown. A trait of None is removed; others stay as they were.

    ``email``; ``phone`` and ``whatsapp`` (E.164: ``+49...``); ``chat``; ``timezone`` (``Europe/Berlin``); ``locale``
    (``de-AT``); ``region`` (``DE``, ``US-CA``); ``account`` (the account's key); ``tags`` (a list); every other name is
    an attribute, to be declared in signals.yaml before a playbook may use it. ``source_id`` makes it count once.
    Raises InputError with the path of the trait.
    """
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
    """One signal, now or at ``occurred_at``. False if its ``source_id`` was taken before. Raises InputError."""
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
    message_id: str, outcome: ResponseOutcome, *, detail: str | None = None, source_id: str | None = None
) -> bool:
    """What a customer did with a message (``m_...``). False if it was heard before.

    ``outcome`` is ``seen``, ``opened``, ``clicked``, ``dismissed``, ``answered``, ``replied``, ``closed`` or
    ``negative``. ``detail`` is the name of the link that was clicked, or the key of the answer that was given. Raises
    InputError for another outcome, NotFound for a message there is not.
    """
    return connect().respond(message_id, outcome, detail=detail, source_id=source_id)


def opt_out(customer: str, *, channel: str = "*", topic: str = "*", source: str = "product") -> OptOutReceipt:
    """Never speak to the customer again about ``topic`` on ``channel``; the receipt says what was stopped.

    ``channel`` is ``in_app``, ``email``, ``sms``, ``whatsapp``, ``chat``, one that a package added, or ``*`` for all.
    ``topic`` is one of policy.yaml, ``tracking`` (opens and clicks are no longer followed), or ``*``. ``source`` is
    where the customer said so: a page, a form. Raises InputError for a channel or topic there is not, NotFound.
    """
    return connect().opt_out(
        customer, channel=channel, topic=topic, evidence=ConsentEvidence(method="api", source=source)
    )


def opt_in(customer: str, *, channel: str = "*", topic: str = "*", source: str = "product") -> None:
    """The customer agreed again, to exactly this; words and errors are those of :func:`opt_out`."""
    connect().opt_in(
        customer, channel=channel, topic=topic, evidence=ConsentEvidence(method="api", source=source)
    )
