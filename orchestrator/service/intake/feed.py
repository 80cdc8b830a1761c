"""A customer's in-app feed: what may be seen now, and what the customer did with it."""

from __future__ import annotations

from orchestrator.core.catalogue import Catalogue
from orchestrator.core.feed_visibility import Guards, may_be_seen
from orchestrator.core.policies.request import OpenHold
from orchestrator.core.standing_holds import standing_holds
from orchestrator.core.template_values import facts_of
from orchestrator.errors import InputError, NotFound
from orchestrator.ids import MESSAGE, parse_public_id
from orchestrator.language.conditions.requirements import LookBack, merge
from orchestrator.records.feed import Feed, FeedAction, FeedItem
from orchestrator.records.intake import ReportedResponse
from orchestrator.service.context import ServiceContext
from orchestrator.service.intake import ingest
from orchestrator.service.ports import Transaction

LOOKED_AT = 200  # items: more are never asked about at once, whatever may be hidden among them


def feed(services: ServiceContext, customer_id: int, *, limit: int) -> Feed:
    """What may be shown now; the number of statements does not depend on the number of items."""
    with services.store.begin() as transaction:
        now = transaction.instants().business
        found = transaction.feed.items(customer_id, now, most=LOOKED_AT)
        if not found:
            return Feed(items=(), unread=0)
        catalogue = _knowing(transaction, found)
        guards = transaction.feed.guards(customer_id, now, catalogue, look_back=_look_back(catalogue, found))
    standing = _standing(catalogue, found, guards)
    seen = [item for item in found if may_be_seen(item, guards, standing.get(item.playbook_id, ()), now)]
    return Feed(items=tuple(seen[:limit]), unread=sum(item.seen_at is None for item in seen))


def report(
    services: ServiceContext,
    customer_id: int,
    message_id: str,
    action: FeedAction,
    *,
    detail: str | None,
    comment: str | None,
) -> bool:
    """What the customer did with an item; each thing counts once, False for one that was known.

    The item is marked at once: the page must not show it again on its next look, which may come before the response
    is applied. Raises NotFound, also for an item of somebody else, and InputError.
    """
    try:
        public = parse_public_id(message_id, prefix=MESSAGE)
    except InputError as error:
        raise NotFound("message", message_id[:40]) from error
    if public.customer_id != customer_id:
        raise NotFound("message", message_id[:40])
    if action == "answered" and detail is None:
        raise InputError("$.detail", "expected the key of the answer")
    with services.store.begin() as transaction:
        transaction.feed.mark(customer_id, public.row_id, action, transaction.instants().business)
    which = f":{detail or ''}" if action == "clicked" else ""
    response = ReportedResponse(
        message_id=message_id,
        outcome=action,
        detail=detail,
        comment=comment,
        source_id=f"feed:{message_id}:{action}{which}",
    )
    return ingest.respond(services, response)


def _knowing(transaction: Transaction, items: list[FeedItem]) -> Catalogue:
    """The catalogue, looked at anew if it does not know an item's version yet."""
    catalogue = transaction.catalogue()
    if all(item.playbook_id in catalogue.versions for item in items):
        return catalogue
    return transaction.catalogue(at_once=True)


def _look_back(catalogue: Catalogue, items: list[FeedItem]) -> LookBack | None:
    """The history that holds on conditions need, computed values included; None when no hold stands on a condition."""
    if not any(rule.while_ is not None for rule in catalogue.policy.holds):
        return None
    needed = dict(catalogue.holds_look_back)
    for playbook_id in {item.playbook_id for item in items if item.promotional} & catalogue.versions.keys():
        for event, span in catalogue.versions[playbook_id].look_back.items():
            merge(needed, event, span)
    return needed


def _standing(catalogue: Catalogue, items: list[FeedItem], guards: Guards) -> dict[int, list[OpenHold]]:
    """By version: what a computed value means is part of the version that uses it."""
    if guards.facts is None:
        return {}
    return {
        playbook_id: standing_holds(catalogue.policy, facts_of(guards.facts, catalogue.versions[playbook_id]))
        for playbook_id in {item.playbook_id for item in items} & catalogue.versions.keys()
    }
