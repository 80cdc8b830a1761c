"""A message needs a way to the customer: a usable contact point, or a recent visit for what is shown in the product.

The product itself is the way for in_app and chat, and a webhook has its address in the settings.
"""

from __future__ import annotations

from datetime import timedelta

from channels.table import traits_of
from orchestrator.core.policies.message_kinds import is_to_customer
from orchestrator.core.policies.request import Drop, PolicyRequest

name = "reachable"


def verdict(question: PolicyRequest) -> Drop | None:
    if not is_to_customer(question):
        return None
    missing = _missing(question)
    if missing is None:
        return None
    return Drop(policy=name, why=missing, inputs={"channel": question.channel})


def _missing(question: PolicyRequest) -> str | None:
    channel, traits = question.channel, traits_of(question.channel)
    if question.address_invalid:
        return f"the customer's contact point for {channel} must not be used: {question.address_invalid}"
    if traits.in_feed:
        days = question.in_app_seen_within_days
        if question.last_seen_at is None:
            return "the customer was never seen in the product, so an in-app message would reach nobody"
        if question.last_seen_at < question.now - timedelta(days=days):
            return (
                f"the customer was last seen in the product on {question.last_seen_at:%Y-%m-%d}, "
                f"more than {days} days ago, so an in-app message would reach nobody"
            )
    if not traits.key_reaches and not question.address:
        return f"the customer has no contact point for {channel}"
    return None
