"""Facts with computed values, and the names a template may use."""

from __future__ import annotations

from typing import Any

from orchestrator.core.catalogue import PublishedPlaybook
from orchestrator.core.customer_state import CustomerState, EnrollmentWork
from orchestrator.core.machine.facts import EnrollmentFacts
from orchestrator.language.conditions.computed import WithComputed, json_value
from orchestrator.language.conditions.facts import Facts


def facts_of(facts: Facts, published: PublishedPlaybook) -> Facts:
    """The same facts, answering the version's computed values too."""
    return WithComputed(base=facts, computed=published.computed)


def template_values(customer: CustomerState, work: EnrollmentWork) -> dict[str, Any]:
    """Every name a template of this enrollment may use: attributes, computed values, context and dotted run facts."""
    enrollment = work.enrollment
    state = enrollment.state
    facts = facts_of(EnrollmentFacts(customer=customer.facts, enrollment=enrollment), work.published)
    values: dict[str, Any] = {"tags": list(customer.facts.tags)}
    values.update(customer.facts.attributes)
    values.update({f"account.{name}": value for name, value in customer.facts.account.items()})
    for name in work.published.computed:
        values[name] = json_value(facts.value(name))
    values.update(enrollment.context)
    values.update(state.saved)
    for head, facts_by_step in (
        ("answer", state.answers),
        ("variant", state.variants),
        ("outcome", state.outcomes),
        ("channel", state.channels),
        ("visits", state.visits),
    ):
        values.update({f"{head}.{step}": value for step, value in facts_by_step.items()})
    for offer, row in state.offers.items():
        values.update({f"offer.{offer}.{name}": value for name, value in row.items()})
    values.update({f"playbook.{name}": outcome for name, outcome in customer.facts.playbooks.items()})
    return {name: value for name, value in values.items() if value is not None}
