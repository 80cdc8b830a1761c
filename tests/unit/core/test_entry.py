"""Who may begin a playbook: every refusal, re-entry, context, and who is held out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from orchestrator.core.catalogue import Catalogue, Published
from orchestrator.core.customer_state import PastRun, Work
from orchestrator.core.entry import (
    Refusal,
    context_of_trigger,
    context_problems,
    is_held_out,
    is_known,
    new_walker,
    refusal_of,
    triggered,
)
from orchestrator.core.machine.enrollment import Phase
from orchestrator.core.machine.experiment import in_holdout
from orchestrator.core.policies.request import Consent, Rest
from orchestrator.language.account.policy import AccountPolicy, read_policy
from orchestrator.language.conditions.facts import Happened
from orchestrator.language.graph.compile import compile_playbook
from tests.support.walks import DAY, NOON, POLICY, a_customer, playbook

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
    past: list[PastRun] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    rests: list[Rest] = field(default_factory=list)
    shadow_rests: list[Rest] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    account_holdout: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        compiled = compile_playbook(playbook(self.steps, head=self.head))
        self.published = Published(
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
        self.work = Work(
            customer_id=1, key=self.key, facts=facts, account_id=None, timezone=None, timezone_source=None,
            locale=None, region=None, last_seen_at=None, erased=self.erased, points={}, walkers={},
            past=self.past, messages={}, inbox=[], consents=self.consents, rests=self.rests,
            shadow_rests=self.shadow_rests, holds=[], hold_ids={}, places=[], shadow_places=[], members=[],
            answer_rates={},
        )  # fmt: skip

    def refused(self, **context: Any) -> Refusal | None:
        return refusal_of(self.work, self.published, self.catalogue, context)

    def why(self, **context: Any) -> str | None:
        refusal = self.refused(**context)
        return refusal.reason if refusal else None

    def enter(self, *, end_word: str | None = None, touched: bool = True, **context: Any) -> None:
        """A run begins in this very batch, and ends in it when ``end_word`` says how."""
        walker = new_walker(
            self.work,
            self.published,
            self.catalogue,
            temporary_id=-1 - len(self.work.walkers),
            context=context,
            trigger="product",
            because=None,
            start_key=None,
        )
        if end_word is not None:
            state = replace(
                walker.run.state, phase=Phase.ENDED, ended_at=NOON, end_word=end_word, touched=touched
            )
            walker.run = replace(walker.run, state=state)
        self.work.walkers[walker.run.enrollment_id] = walker


def had(ago: timedelta, *, touched: bool = True, run_key: str = "", name: str = "nudge") -> PastRun:
    return PastRun(playbook=name, run_key=run_key, ended_at=NOON - ago, touched=touched, end_word="done")


def no(channel: str, topic: str = "*", *, ago: timedelta = DAY) -> Consent:
    return Consent(channel=channel, topic=topic, granted=False, basis="express", since=NOON - ago)


def yes(channel: str, topic: str = "*", *, ago: timedelta = DAY) -> Consent:
    return Consent(channel=channel, topic=topic, granted=True, basis="express", since=NOON - ago)


def resting(scope: str, value: str, ends: timedelta = DAY) -> Rest:
    return Rest(scope=scope, scope_value=value, reason="asked for", ends_at=NOON + ends, enrollment_id=None)


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
    assert is_known(door.work, door.published.playbook, {})


@pytest.mark.parametrize(
    ("rule", "past", "reason"),
    [
        ("{after: 30d}", [had(29 * DAY)], "reentry"),
        ("{after: 30d}", [had(30 * DAY)], None),
        ("{after: 30d}", [had(90 * DAY), had(2 * DAY)], "reentry"),
        ("{after: 30d}", [had(2 * DAY, touched=False)], None),
        ("{after: 30d}", [had(2 * DAY, name="other")], None),
        ("never", [had(900 * DAY)], "reentry"),
        ("never", [had(DAY, touched=False)], None),
        ("never", [], None),
    ],
)
def test_re_entry_counts_from_the_last_end(rule: str, past: list[PastRun], reason: str | None) -> None:
    door = Door(head(f"{{when: limit_reached, because: full, reentry: {rule}}}"), past=past)
    assert door.why() == reason


@pytest.mark.parametrize(("touched", "reason"), [(True, "reentry"), (False, None)])
def test_a_run_that_ended_in_the_same_batch_counts_too(touched: bool, reason: str | None) -> None:
    door = Door()
    door.enter(end_word="done", touched=touched)
    assert door.why() == reason


PER = head("{when: limit_reached, because: full, reentry: {per: order_id}}", "context: {order_id: text}\n")
PER_AFTER = PER.replace("{per: order_id}", "{per: order_id, after: 30d}")


def test_re_entry_per_key() -> None:
    assert Door(PER, past=[had(900 * DAY, run_key="A")]).why(order_id="A") == "reentry"
    assert Door(PER, past=[had(900 * DAY, run_key="A")]).why(order_id="B") is None
    assert Door(PER_AFTER, past=[had(31 * DAY, run_key="A")]).why(order_id="A") is None
    assert Door(PER_AFTER, past=[had(29 * DAY, run_key="A")]).why(order_id="A") == "reentry"
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
    assert Door(service, consents=[no("*")], rests=[resting("everything", "*")]).why() is None


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
def test_a_cooldown_refuses_new_starts_of_its_scope(rest: Rest, reason: str | None) -> None:
    assert Door(rests=[rest]).why() == reason


def test_a_rest_of_the_holdout_holds_nobody_else() -> None:
    rest = resting("everything", "*")
    assert Door(shadow_rests=[rest]).why() is None
    everyone_held_out = ONCE_A_MONTH + "holdout: 100%\n"
    assert Door(everyone_held_out, shadow_rests=[rest]).why() == "cooldown"


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
    run = next(iter(door.work.walkers.values())).run
    assert run.context == {"d": "2026-07-01", "n": 2.5}


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
        assert triggered(door.work, door.published, {}, happened("limit_reached")) == answer


def test_without_a_condition_the_entry_says_why() -> None:
    door = Door()
    assert triggered(door.work, door.published, {}) == (True, "full")


def test_a_condition_sees_the_context_of_the_trigger() -> None:
    text = head(
        "{when: limit_reached, if: {total: {more_than: 0}, because: waiting}, reentry: never}",
        "context: {total: money}\n",
    )
    door = Door(text)
    assert triggered(door.work, door.published, {"total": 5})[0]
    assert not triggered(door.work, door.published, {"total": 0})[0]


def happened(name: str, **properties: Any) -> Happened:
    return Happened(name=name, occurred_at=NOON, properties=properties)


def test_an_own_signal_starts_the_playbook_only_when_it_is_one() -> None:
    text = head(
        "{when: big, because: big, reentry: never}",
        "signals: {big: {event: limit_reached, where: {total: {at_least: 100}}}}\n",
    )
    door = Door(text)
    assert triggered(door.work, door.published, {}, happened("limit_reached", total=150))[0]
    assert not triggered(door.work, door.published, {}, happened("limit_reached", total=5))[0]
    assert not triggered(door.work, door.published, {}, happened("paid", total=150))[0]


# --- who is held out ------------------------------------------------------------------------------------------------

KEYS = [f"customer-{n}" for n in range(400)]


def test_a_share_is_held_out_and_always_the_same() -> None:
    text = ONCE_A_MONTH + "holdout: 10%\n"
    doors = {key: Door(text, key=key) for key in KEYS}
    out = {
        key for key, door in doors.items() if is_held_out(door.work, door.published.playbook, door.catalogue)
    }
    assert 0.05 < len(out) / len(KEYS) < 0.16
    assert out == {key for key in KEYS if in_holdout(key, "nudge", Decimal("0.1"))}


def test_the_accounts_own_share_is_held_out_of_everything() -> None:
    out = {
        key
        for key, door in {key: Door(key=key, account_holdout=Decimal("0.1")) for key in KEYS}.items()
        if is_held_out(door.work, door.published.playbook, door.catalogue)
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
        runs = [walker.run for door in doors for walker in door.work.walkers.values()]
        assert {run.subject for run in runs} == {account}
        assert {run.held_out for run in runs} == {in_holdout(account, "nudge", Decimal("0.5"))}
    lonely = Door(text)
    lonely.enter()
    assert next(iter(lonely.work.walkers.values())).run.subject == "anna"


def test_a_start_by_the_product_gives_the_entrys_reason() -> None:
    door = Door(PER)
    door.enter(order_id="A")
    run = next(iter(door.work.walkers.values())).run
    assert (run.because, run.run_key, run.trigger, run.entered_at) == ("full", "A", "product", NOON)
    assert run.state.visit == 0
