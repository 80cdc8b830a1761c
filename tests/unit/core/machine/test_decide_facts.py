"""What conditions see of the run itself: answers, variants, outcomes, channels, visits, offers and saved values."""

from __future__ import annotations

import pytest

from orchestrator.core.machine.commands import SetTraits, StartEnrollment
from orchestrator.core.machine.events import DeliveryOutcome
from orchestrator.core.machine.facts import EnrollmentFacts
from tests.support.enrollment_driver import DAY, HOUR, EnrollmentDriver, a_customer

ENDS = "yes: {end: yes}\nother: {end: other}"


def chosen(condition: str) -> str:
    return f"c:\n  choose:\n    - {{if: {condition}, go: yes}}\n    - {{go: other}}\n{ENDS}"


@pytest.mark.parametrize(
    ("condition", "end"),
    [
        ("{answer.why: price}", "yes"),
        ("{answer.why: later}", "other"),
        ("{outcome.why: answered}", "yes"),
        ("{outcome.m: answered}", "other"),
        ("{channel.why: in_app}", "yes"),
        ("{channel.why: email}", "other"),
        ("{visits.why: {at_least: 1}}", "yes"),
        ("{visits.m: {at_least: 1}}", "other"),
        ("{visits.m: 0}", "yes"),
        ("{reason: price}", "yes"),
        ("{playbook.seats: ended}", "yes"),
        ("{playbook.power: never}", "yes"),
        ("{playbook.nudge: live}", "yes"),
    ],
)
def test_a_choice_sees_what_the_run_knows(condition: str, end: str) -> None:
    steps = f"""
g: {{choose: [{{if: {{seats: {{more_than: 0}}}}, go: m}}, {{go: why}}]}}
m: {{send: {{channel: email, template: m}}, wait: 1d, then: c}}
why:
  ask: {{channel: [in_app, email], question: Why, answers: {{price: Dear, later: Later}}, saves: reason}}
  wait: 5d
  then: {{answered: c, no_response: other}}
{chosen(condition)}
"""
    customer = a_customer()
    customer.playbooks.update({"seats": "ended", "nudge": "live"})
    driver = EnrollmentDriver(steps, customer=customer).send("in_app")
    driver.respond("answered", "price")
    assert driver.at == f"end:{end}"


def test_what_a_step_was_left_by_is_the_word_and_not_where_it_fell_back_to() -> None:
    driver = EnrollmentDriver(
        "m: {send: {channel: email, template: m}, wait: 1d, then: c}\n" + chosen("{outcome.m: bounced}")
    )
    driver.settle(DeliveryOutcome.BOUNCED)
    assert driver.at == "end:yes"


def test_a_variant_is_a_fact() -> None:
    steps = "s: {split: {a: 50%, b: 50%}, then: {a: c, b: c}}\n" + chosen("{variant.s: a}")
    for key in ("anna", "bert", "carl", "dora"):
        driver = EnrollmentDriver(steps, subject=key)
        assert driver.at == ("end:yes" if driver.state.variants["s"] == "a" else "end:other")


# --- offers ---------------------------------------------------------------------------------------------------------

OFFERS = """
offers:
  discount: [{if: {region: [DE, AT]}, percent: 10, currency: EUR}, {percent: 12.5, currency: USD}]
  gift: [{if: {plan: gold}, item: mug}]
"""


def offer(driver: EnrollmentDriver, name: str) -> object:
    return EnrollmentFacts(customer=driver.customer, enrollment=driver.enrollment).value(f"offer.{name}")


def test_an_offer_is_its_first_true_row_frozen_at_first_use() -> None:
    steps = """
m: {send: {channel: email, template: m}, wait: 1d, then: n}
n: {send: {channel: email, template: n}, wait: 1d, then: done}
done: {end: done}
"""
    driver = EnrollmentDriver(steps, OFFERS, customer=a_customer(region="DE")).send()
    assert (offer(driver, "discount.percent"), offer(driver, "discount.currency")) == (10, "EUR")
    assert offer(driver, "gift.item") is None
    driver.profile(region="US", plan="gold")
    driver.wake()
    assert offer(driver, "discount.currency") == "EUR"
    assert offer(driver, "gift.item") is None, "no row was true when it was first used"


def test_an_offer_nobody_used_yet_is_not_frozen() -> None:
    steps = """
c: {choose: [{if: {seats: {at_least: 1}}, go: w}, {go: w}]}
w: {wait: 1d, then: m}
m: {send: {channel: email, template: m}, wait: 1d, then: done}
done: {end: done}
"""
    driver = EnrollmentDriver(steps, OFFERS, customer=a_customer(region="DE"))
    assert driver.state.offers == {}
    driver.profile(region="US")
    driver.wake()
    assert (offer(driver, "discount.percent"), offer(driver, "discount.currency")) == (12.5, "USD")


def test_a_condition_on_an_offer_is_its_first_use() -> None:
    driver = EnrollmentDriver(
        chosen("{offer.discount.currency: EUR}"), OFFERS, customer=a_customer(region="AT")
    )
    assert driver.at == "end:yes"
    assert set(driver.state.offers) == {"discount"}


def test_an_offer_is_known_to_what_a_step_sets_and_starts() -> None:
    steps = """
s: {set: {attributes: {plan: {same_as: offer.discount.currency}}}, then: t}
t: {start: {playbook: seats, context: {percent: {same_as: offer.discount.percent}}}, then: done}
done: {end: done}
"""
    driver = EnrollmentDriver(steps, OFFERS, customer=a_customer(region="DE"))
    assert driver.wanted == [
        SetTraits(attributes={"plan": "EUR"}),
        StartEnrollment(playbook="seats", one_of=(), context={"percent": 10}),
    ]


# --- context and own signals ----------------------------------------------------------------------------------------


def test_an_own_signal_is_one_event_of_many() -> None:
    more = """
context: {order_id: text}
signals: {mine: {event: order_cancelled, where: {order_id: {same_as: order_id}}}}
"""
    steps = (
        "m: {send: {channel: email, template: m}, wait: 1d, then: {mine: yes, no_response: other}}\n" + ENDS
    )
    driver = EnrollmentDriver(steps, more, context={"order_id": "A"}).send()
    driver.signal("order_cancelled", order_id="B")
    assert driver.at == "m"
    driver.signal("order_cancelled", order_id="A")
    assert driver.path() == ["m:mine"]


def test_since_entry_does_not_count_what_let_her_in() -> None:
    steps = "w: {wait: 1d, then: c}\n" + chosen("{limit_reached: {times: 1, since: entry}}")
    once = EnrollmentDriver(steps)
    once.signal("limit_reached")
    once.wake()
    assert once.at == "end:other"
    twice = EnrollmentDriver(steps)
    twice.signal("limit_reached")
    twice.after(HOUR).signal("limit_reached")
    twice.customer.now += DAY
    twice.wake()
    assert twice.at == "end:yes"
