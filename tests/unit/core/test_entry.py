"""Who may begin a playbook: every refusal, re-entry, context, and who is held out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from orchestrator.core.catalogue import Catalogue, PublishedPlaybook
from orchestrator.core.customer_state import CustomerState, EndedEnrollment
from orchestrator.core.entry import (
    StartRefusal,
    context_of_trigger,
    context_problems,
    is_held_out,
    is_known,
    new_enrollment,
    refusal_of,
    triggered,
)
from orchestrator.core.machine.experiment import in_holdout
from orchestrator.core.policies.request import ActiveCooldown
from orchestrator.language.account.policy import AccountPolicy, read_policy
from orchestrator.language.conditions.facts import SignalOccurrence
from orchestrator.language.graph.compile import compile_playbook
from orchestrator.records.consent import Consent
from orchestrator.records.enrollment import Phase
from tests.support.enrollment_driver import DAY, NOON, POLICY, a_customer, playbook

STEPS = """
m: {send: {channel: [email, sms], template: m}, wait: 1d, then: done}
done: {end: done}
"""


def head(enter: str, more: str = "", topic: str = "upsell") -> str:
    return f"playbook: nudge\nversion: 1\ntitle: A nudge\ntopic: {topic}\nenter: {enter}\n{more}"


ONCE_A_MONTH = head("{when: limit_reached, because: full, reentry: {after: 30d}}")


def account_policy() -> AccountPolicy:
    made, problems = read_policy(POLICY)
    assert not problems
    return made


@dataclass
class Door:
    """A customer before the door of one playbook."""

    head: str = ONCE_A_MONTH
    steps: str = STEPS
    key: str = "anna"
    account_key: str | None = None
    paused: bool = False
    erased: bool = False
    past: list[EndedEnrollment] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    cooldowns: list[ActiveCooldown] = field(default_factory=list)
    shadow_cooldowns: list[ActiveCooldown] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    account_holdout: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        compiled = compile_playbook(playbook(self.steps, head=self.head))
        self.published = PublishedPlaybook(
            id=1,
            name="nudge",
            version=1,
            compiled=compiled,
            templates={},
            texts={},
            computed={},
            look_back={},
        )
        self.catalogue = Catalogue(
            versions={1: self.published},
            newest={"nudge": self.published},
            paused=frozenset({"nudge"} if self.paused else ()),
            policy=replace(account_policy(), holdout=self.account_holdout),
        )
        facts = a_customer(**self.attributes)
        facts.key, facts.account_key = self.key, self.account_key
        self.customer = CustomerState(
            customer_id=1, key=self.key, facts=facts, account_id=None, timezone=None, timezone_source=None,
            locale=None, region=None, last_seen_at=None, erased=self.erased, points={}, enrollments={},
            past=self.past, messages={}, inbox=[], consents=self.consents, cooldowns=self.cooldowns,
            shadow_cooldowns=self.shadow_cooldowns, holds=[], hold_ids={}, cap_slots=[], shadow_slots=[], members=[],
            answer_rates={},
        )  # fmt: skip

    def refused(self, **context: Any) -> StartRefusal | None:
        return refusal_of(self.customer, self.published, self.catalogue, context)

    def why(self, **context: Any) -> str | None:
        refusal = self.refused(**context)
        return refusal.reason if refusal else None

    def enter(self, *, end_status: str | None = None, any_sent: bool = True, **context: Any) -> None:
        """A run begins in this very batch, and ends in it when ``end_status`` says how."""
        work = new_enrollment(
            self.customer,
            self.published,
            self.catalogue,
            enrollment_id=1 + len(self.customer.enrollments),
            context=context,
            trigger="product",
            because=None,
            start_key=None,
        )
        if end_status is not None:
            state = replace(
                work.enrollment.state,
                phase=Phase.ENDED,
                ended_at=NOON,
                end_status=end_status,
                any_sent=any_sent,
            )
            work.enrollment = replace(work.enrollment, state=state)
        self.customer.enrollments[work.enrollment.enrollment_id] = work


def had(
    ago: timedelta, *, any_sent: bool = True, reentry_key: str = "", name: str = "nudge"
) -> EndedEnrollment:
    return EndedEnrollment(
        playbook=name, reentry_key=reentry_key, ended_at=NOON - ago, any_sent=any_sent, end_status="done"
    )


def no(channel: str, topic: str = "*", *, ago: timedelta = DAY) -> Consent:
    return Consent(channel=channel, topic=topic, granted=False, basis="express", since=NOON - ago)


def yes(channel: str, topic: str = "*", *, ago: timedelta = DAY) -> Consent:
    return Consent(channel=channel, topic=topic, granted=True, basis="express", since=NOON - ago)


def resting(scope: str, value: str, ends: timedelta = DAY) -> ActiveCooldown:
    return ActiveCooldown(
        scope=scope, scope_value=value, reason="asked for", ends_at=NOON + ends, enrollment_id=None
    )


# --- refusals -------------------------------------------------------------------------------------------------------


def test_nothing_speaks_against_it() -> None:
    assert Door().refused() is None


def test_an_erased_person_and_a_paused_playbook_are_refused() -> None:
    assert Door(erased=True).why() == "erased"
    assert Door(paused=True).why() == "paused"
    assert Door(erased=True, paused=True).why() == "erased"


def test_one_live_run_per_customer_and_playbook() -> None:
    door = Door()
    door.enter()
    assert door.why() == "already_live"
    assert is_known(door.customer, door.published.playbook, {})


@pytest.mark.parametrize(
    ("rule", "past", "reason"),
    [
        ("{after: 30d}", [had(29 * DAY)], "reentry"),
        ("{after: 30d}", [had(30 * DAY)], None),
        ("{after: 30d}", [had(90 * DAY), had(2 * DAY)], "reentry"),
        ("{after: 30d}", [had(2 * DAY, any_sent=False)], None),
        ("{after: 30d}", [had(2 * DAY, name="other")], None),
        ("never", [had(900 * DAY)], "reentry"),
        ("never", [had(DAY, any_sent=False)], None),
        ("never", [], None),
    ],
)
def test_re_entry_counts_from_the_last_end(
    rule: str, past: list[EndedEnrollment], reason: str | None
) -> None:
    door = Door(head(f"{{when: limit_reached, because: full, reentry: {rule}}}"), past=past)
    assert door.why() == reason


@pytest.mark.parametrize(("any_sent", "reason"), [(True, "reentry"), (False, None)])
def test_a_run_that_ended_in_the_same_batch_counts_too(any_sent: bool, reason: str | None) -> None:
    door = Door()
    door.enter(end_status="done", any_sent=any_sent)
    assert door.why() == reason


PER = head("{when: limit_reached, because: full, reentry: {per: order_id}}", "context: {order_id: text}\n")
PER_AFTER = PER.replace("{per: order_id}", "{per: order_id, after: 30d}")


def test_re_entry_per_key() -> None:
    assert Door(PER, past=[had(900 * DAY, reentry_key="A")]).why(order_id="A") == "reentry"
    assert Door(PER, past=[had(900 * DAY, reentry_key="A")]).why(order_id="B") is None
    assert Door(PER_AFTER, past=[had(31 * DAY, reentry_key="A")]).why(order_id="A") is None
    assert Door(PER_AFTER, past=[had(29 * DAY, reentry_key="A")]).why(order_id="A") == "reentry"
    door = Door(PER)
    door.enter(order_id="A")
    assert door.why(order_id="A") == "already_live"
    assert door.why(order_id="B") is None


@pytest.mark.parametrize(
    ("consents", "reason"),
    [
        ([no("*")], "opted_out"),
        ([no("*", "upsell")], "opted_out"),
        ([no("*", "events")], None),
        ([no("email"), no("sms")], "opted_out"),
        ([no("email")], None),
        ([no("email", "upsell"), no("sms", "upsell")], "opted_out"),
        ([no("*", ago=2 * DAY), yes("email", "upsell")], None),
        ([no("*"), yes("email", "upsell", ago=2 * DAY)], "opted_out"),
        ([no("*", "tracking")], None),
    ],
)
def test_who_opted_out_on_every_channel_is_refused(consents: list[Consent], reason: str | None) -> None:
    assert Door(consents=consents).why() == reason


def test_a_service_notice_asks_neither_consent_nor_cooldown() -> None:
    service = ONCE_A_MONTH.replace("topic: upsell", "topic: service")
    assert Door(service, consents=[no("*")], cooldowns=[resting("everything", "*")]).why() is None


def test_a_playbook_that_only_tells_colleagues_stops_at_a_withdrawal_for_every_channel() -> None:
    steps = "h: {handoff: {to: crm, template: b}, then: done}\ndone: {end: done}"
    assert Door(steps=steps, consents=[no("*")]).why() == "opted_out"
    assert Door(steps=steps, consents=[no("email")]).why() is None


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (resting("everything", "*"), "cooldown"),
        (resting("topic", "upsell"), "cooldown"),
        (resting("topic", "events"), None),
        (resting("playbook", "nudge"), "cooldown"),
        (resting("playbook", "other"), None),
        (resting("everything", "*", timedelta()), None),
    ],
)
def test_a_cooldown_refuses_new_starts_of_its_scope(rest: ActiveCooldown, reason: str | None) -> None:
    assert Door(cooldowns=[rest]).why() == reason


def test_a_rest_of_the_holdout_holds_nobody_else() -> None:
    rest = resting("everything", "*")
    assert Door(shadow_cooldowns=[rest]).why() is None
    everyone_held_out = ONCE_A_MONTH + "holdout: 100%\n"
    assert Door(everyone_held_out, shadow_cooldowns=[rest]).why() == "cooldown"


# --- context --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("text", ["", "x"], [1, True, None, ["x"]]),
        ("number", [1, 1.5, Decimal("2.5"), -3], ["1", True, float("nan"), None]),
        ("money", [0, 9.99], ["9.99", False]),
        ("percent", [0.8, 1], ["80%"]),
        ("flag", [True, False], [1, "true"]),
        ("date", ["2026-11-27", date(2026, 11, 27)], ["tomorrow", "2026-13-01", 20261127]),
        ("time", ["2026-11-27T10:00:00+00:00", datetime(2026, 11, 27, tzinfo=UTC)], ["10:00", 5]),
        ("list", [[], ["a"], ("a",)], ["a", {"a": 1}]),
    ],
)
def test_context_has_the_declared_type(kind: str, good: list[Any], bad: list[Any]) -> None:
    made = Door(head("{when: limit_reached, because: full, reentry: never}", f"context: {{x: {kind}}}\n"))
    for value in good:
        assert context_problems(made.published.playbook, {"x": value}) == []
    for value in bad:
        assert context_problems(made.published.playbook, {"x": value}) != []
        assert made.why(x=value) == "context"


def test_every_problem_of_a_context_is_told_at_once() -> None:
    text = "context: {order_id: text, total: money}\n"
    door = Door(head("{when: limit_reached, because: full, reentry: never}", text))
    refusal = door.refused(total="9", colour="red")
    assert refusal is not None
    assert refusal.reason == "context"
    assert refusal.why == (
        "context has no 'colour'; declared are order_id, total; "
        "context needs 'order_id' (text); context 'total' should be money, got str"
    )


def test_a_trigger_brings_what_is_declared_and_no_more() -> None:
    door = Door(PER)
    properties = {"order_id": "A", "total": 9, "event_key": "x"}
    assert context_of_trigger(door.published.playbook, properties) == {"order_id": "A"}
    assert door.why(order_id="A", event_key="x") == "context", "only a calendar tells events"


CALENDAR = head(
    "{calendar: [tax], ahead: 31d, because: soon, reentry: {per: event_key}}",
)


def test_a_run_of_a_calendar_needs_to_know_which_event() -> None:
    compiled_like = Door(CALENDAR)
    assert compiled_like.why(event_key="tax:2026", event_starts="2026-07-01") is None
    assert compiled_like.why() == "context"


def test_a_context_is_kept_as_json() -> None:
    door = Door(
        head("{when: limit_reached, because: full, reentry: never}", "context: {d: date, n: number}\n")
    )
    door.enter(d=date(2026, 7, 1), n=Decimal("2.50"))
    enrollment = next(iter(door.customer.enrollments.values())).enrollment
    assert enrollment.context == {"d": "2026-07-01", "n": 2.5}


# --- triggers -------------------------------------------------------------------------------------------------------


def test_a_trigger_asks_the_condition_and_says_why() -> None:
    text = head(
        "{when: limit_reached, if: {any: [{health: {less_than: 40}, because: low}, "
        "{seats: {at_least: 5}, because: big}]}, reentry: never}"
    )
    for attributes, answer in (
        ({"health": 10, "seats": 9}, (True, "low")),
        ({"health": 90, "seats": 9}, (True, "big")),
        ({"health": 90}, (False, None)),
        ({}, (False, None)),
    ):
        door = Door(text, attributes=attributes)
        assert triggered(door.customer, door.published, {}, happened("limit_reached")) == answer


def test_without_a_condition_the_entry_says_why() -> None:
    door = Door()
    assert triggered(door.customer, door.published, {}) == (True, "full")


def test_a_condition_sees_the_context_of_the_trigger() -> None:
    text = head(
        "{when: limit_reached, if: {total: {more_than: 0}, because: waiting}, reentry: never}",
        "context: {total: money}\n",
    )
    door = Door(text)
    assert triggered(door.customer, door.published, {"total": 5})[0]
    assert not triggered(door.customer, door.published, {"total": 0})[0]


def happened(name: str, **properties: Any) -> SignalOccurrence:
    return SignalOccurrence(name=name, occurred_at=NOON, properties=properties)


def test_an_own_signal_starts_the_playbook_only_when_it_is_one() -> None:
    text = head(
        "{when: big, because: big, reentry: never}",
        "signals: {big: {event: limit_reached, where: {total: {at_least: 100}}}}\n",
    )
    door = Door(text)
    assert triggered(door.customer, door.published, {}, happened("limit_reached", total=150))[0]
    assert not triggered(door.customer, door.published, {}, happened("limit_reached", total=5))[0]
    assert not triggered(door.customer, door.published, {}, happened("paid", total=150))[0]


# --- who is held out ------------------------------------------------------------------------------------------------

KEYS = [f"customer-{n}" for n in range(400)]


def test_a_share_is_held_out_and_always_the_same() -> None:
    text = ONCE_A_MONTH + "holdout: 10%\n"
    doors = {key: Door(text, key=key) for key in KEYS}
    out = {
        key
        for key, door in doors.items()
        if is_held_out(door.customer, door.published.playbook, door.catalogue)
    }
    assert 0.05 < len(out) / len(KEYS) < 0.16
    assert out == {key for key in KEYS if in_holdout(key, "nudge", Decimal("0.1"))}


def test_the_accounts_own_share_is_held_out_of_everything() -> None:
    out = {
        key
        for key, door in {key: Door(key=key, account_holdout=Decimal("0.1")) for key in KEYS}.items()
        if is_held_out(door.customer, door.published.playbook, door.catalogue)
    }
    assert out == {key for key in KEYS if in_holdout(key, "*", Decimal("0.1"))}


def test_one_per_account_hashes_the_account() -> None:
    text = head(
        "{when: limit_reached, because: full, reentry: never, one_per: {account: [owner, admin]}}",
        "holdout: 50%\n",
    )
    for account in ("acme", "initech", "hooli", "umbrella"):
        doors = [Door(text, key=key, account_key=account) for key in KEYS[:5]]
        for door in doors:
            door.enter()
        runs = [work.enrollment for door in doors for work in door.customer.enrollments.values()]
        assert {enrollment.subject for enrollment in runs} == {account}
        assert {enrollment.held_out for enrollment in runs} == {in_holdout(account, "nudge", Decimal("0.5"))}
    lonely = Door(text)
    lonely.enter()
    assert next(iter(lonely.customer.enrollments.values())).enrollment.subject == "anna"


def test_a_start_by_the_product_gives_the_entrys_reason() -> None:
    door = Door(PER)
    door.enter(order_id="A")
    enrollment = next(iter(door.customer.enrollments.values())).enrollment
    assert (enrollment.because, enrollment.reentry_key, enrollment.trigger, enrollment.entered_at) == (
        "full",
        "A",
        "product",
        NOON,
    )
    assert enrollment.state.visit == 0
