"""What the signed ids of links lead to: a customer, a message, and what is known about a click on one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, select, text

from orchestrator.clock import Instants
from orchestrator.errors import InputError, NotFound
from orchestrator.ids import MESSAGE, PublicId, parse_public_id
from orchestrator.records.links import AskedMessage, ClickFacts
from orchestrator.store.sql.tables import customers, messages, playbooks


def customer_key(connection: Connection, customer_id: int) -> str:
    """The product's key of this customer. Raises NotFound; also for an erased one."""
    statement = select(customers.c.key).where(customers.c.id == customer_id, customers.c.erased_at.is_(None))
    key: str | None = connection.execute(statement).scalar_one_or_none()
    if key is None:
        raise NotFound("customer", "of this link")
    return key


def customer_id(connection: Connection, key: str) -> int:
    """The id that signed links carry. Raises NotFound."""
    statement = select(customers.c.id).where(customers.c.key == key, customers.c.erased_at.is_(None))
    found: int | None = connection.execute(statement).scalar_one_or_none()
    if found is None:
        raise NotFound("customer", key)
    return found


def asked_message(connection: Connection, message_id: str) -> AskedMessage:
    """Raises NotFound, also for an id that no message ever had."""
    public = _parsed(message_id)
    row = connection.execute(
        select(customers.c.locale, messages.c.step, playbooks.c.definition, playbooks.c.texts)
        .join(customers, customers.c.id == messages.c.customer_id)
        .join(playbooks, playbooks.c.id == messages.c.playbook_id)
        .where(
            messages.c.customer_id == public.customer_id,
            messages.c.id == public.row_id,
            customers.c.erased_at.is_(None),
        )
    ).first()
    if row is None:
        raise NotFound("message", message_id[:40])
    return AskedMessage(customer_locale=row.locale, step=row.step, definition=row.definition, texts=row.texts)


_CLICK_FACTS = text("""
SELECT m.channel, m.handed_at IS NULL OR coalesce(m.sent_at, m.handed_at) > :soon AS just_sent,
       EXISTS (SELECT FROM seen_sources s WHERE s.customer_id = m.customer_id AND s.received_at > :lately
                  AND (starts_with(s.source_id, :by_person) AND s.source_id <> :by_person || :name
                    OR starts_with(s.source_id, :by_machine)
                       AND NOT starts_with(s.source_id, :by_machine || :name || ':'))) AS another_link
  FROM messages m WHERE m.customer_id = :customer AND m.id = :message
""")


def click_facts(
    connection: Connection,
    message_id: str,
    name: str,
    *,
    now: Instants,
    at_once: timedelta,
    too_soon: timedelta,
) -> ClickFacts:
    """What is known about a click on the link ``name`` of a message. Raises NotFound.

    ``just_sent``: it went out within ``too_soon``; ``another_link``: another link of it was followed within
    ``at_once``. Both spans are machine time.
    """
    public = _parsed(message_id)
    row = connection.execute(
        _CLICK_FACTS,
        {
            "customer": public.customer_id,
            "message": public.row_id,
            "name": name,
            "by_person": f"response:click:{message_id}:",
            "by_machine": f"link:click:{message_id}:",
            "soon": now.business - too_soon * now.rate,
            "lately": now.business - at_once * now.rate,
        },
    ).first()
    if row is None:
        raise NotFound("message", message_id[:40])
    return ClickFacts(
        at=now.business, channel=row.channel, just_sent=row.just_sent, another_link=row.another_link
    )


def playbook_titles(connection: Connection, names: Sequence[str]) -> list[str]:
    """How the newest published version of each playbook calls itself, in the given order."""
    if not names:
        return []
    statement = (
        select(playbooks.c.name, playbooks.c.definition["title"].astext)
        .where(playbooks.c.name.in_(names))
        .order_by(playbooks.c.name, playbooks.c.version)
    )
    titles = {name: title for name, title in connection.execute(statement) if title}
    return [titles.get(name, name) for name in names]


def _parsed(message_id: str) -> PublicId:
    try:
        return parse_public_id(message_id, prefix=MESSAGE)
    except InputError as error:
        raise NotFound("message", message_id[:40]) from error
