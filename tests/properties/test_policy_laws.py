"""Laws of the guardrails that hold for any customer, any history, any order of rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.caps import room_at, rules_for
from orchestrator.core.consent.scope import covers, in_force
from orchestrator.core.policies.order import ORDER, ask
from orchestrator.core.policies.request import (
    ActiveCooldown,
    Allow,
    CapSlot,
    Defer,
    Drop,
    HoldOut,
    OpenHold,
    PolicyRequest,
)
from orchestrator.core.zones import phone_zones
from orchestrator.language.model import Cap
from orchestrator.language.moments import Duration
from orchestrator.records.consent import Consent
from tests.support.effort import examples
from tests.support.policy_requests import AUCKLAND, BERLIN, NEW_YORK, NOON, a_question, silence

CHANNELS = ("in_app", "email", "sms", "whatsapp", "chat", "webhook")
TOPICS = ("upsell", "events", "service")
PATIENCE = timedelta(days=3)

hours = st.integers(-24 * 30, 24 * 30).map(lambda count: NOON + timedelta(hours=count))
past = st.integers(0, 24 * 60).map(lambda count: NOON - timedelta(minutes=count * 30))
spans = st.builds(
    lambda count, unit: Duration(count=count, unit=unit), st.integers(1, 9), st.sampled_from("hdw")
)
consents = st.builds(
    Consent,
    channel=st.sampled_from(("*", *CHANNELS)),
    topic=st.sampled_from(("*", *TOPICS)),
    granted=st.booleans(),
    basis=st.sampled_from(("express", "soft_opt_in")),
    since=past,
    expires_at=st.none() | hours,
)
cooldowns = st.builds(
    ActiveCooldown,
    scope=st.sampled_from(("everything", "topic", "playbook")),
    scope_value=st.sampled_from(("", *TOPICS, "power_user_upsell")),
    reason=st.just("ignored"),
    ends_at=hours,
    enrollment_id=st.none() | st.integers(6, 8),
)
holds = st.builds(
    OpenHold,
    name=st.sampled_from(("open_ticket", "purchase")),
    opened_at=past,
    ends_at=st.none() | hours,
    topics=st.sets(st.sampled_from(TOPICS), max_size=2).map(frozenset),
)
places = st.builds(CapSlot, handed_at=hours, channel=st.sampled_from(CHANNELS), topic=st.sampled_from(TOPICS))
caps = st.builds(
    Cap,
    at_most=st.integers(0, 4),
    within=spans,
    channel=st.none() | st.sampled_from(CHANNELS),
    topic=st.none() | st.sampled_from(TOPICS),
)
clocks = st.times().map(lambda at: f"{at:%H:%M}")
quiet = st.builds(silence, st.sampled_from(CHANNELS), clocks, clocks)
zones = st.lists(st.sampled_from((BERLIN, NEW_YORK, AUCKLAND)), max_size=3, unique=True).map(tuple)


def some(values: st.SearchStrategy[Any], most: int = 4) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=most).map(tuple)


questions = st.builds(
    a_question,
    channel=st.sampled_from(CHANNELS),
    kind=st.sampled_from(("send", "ask", "handoff", "call")),
    topic=st.sampled_from(TOPICS),
    promotional=st.booleans(),
    held_out=st.booleans(),
    give_up_at=hours,
    when_capped=st.sampled_from(("defer", "skip")),
    erased=st.integers(0, 9).map(lambda roll: roll == 9),
    goal_met=st.integers(0, 9).map(lambda roll: roll == 9),
    reason_gone=st.integers(0, 9).map(lambda roll: roll == 9),
    address=st.sampled_from(("somebody@example.org", "somebody@example.org", None)),
    address_invalid=st.sampled_from((None, None, None, "it bounced")),
    last_seen_at=st.none() | past,
    region=st.sampled_from((None, "DE", "US")),
    zones=zones,
    zone_source=st.sampled_from(("profile", "account", None)),
    consents=some(consents),
    cooldowns=some(cooldowns, 2),
    holds=some(holds, 1),
    cap_slots=some(places, 8),
    caps=some(caps, 2),
    quiet=some(quiet, 2),
    needs_consent=st.sampled_from((frozenset[str](), frozenset({"sms", "whatsapp"}))),
)


@settings(max_examples=examples(500), deadline=None)
@given(questions)
def test_every_verdict_is_readable_repeatable_and_looks_ahead(question: PolicyRequest) -> None:
    verdict = ask(question)

    assert verdict == ask(question)
    assert verdict.why.strip()
    assert verdict.policy in {"all", *(policy.name for policy in ORDER)}
    assert "somebody@example.org" not in f"{verdict.why}{verdict.inputs}"
    if isinstance(verdict, Defer):
        assert verdict.until > question.now


@settings(max_examples=examples(300), deadline=None)
@given(questions, st.randoms(use_true_random=False))
def test_the_order_of_rows_is_without_meaning(question: PolicyRequest, shuffle: Any) -> None:
    def shuffled(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(shuffle.sample(rows, len(rows)))

    other = replace(
        question,
        consents=shuffled(question.consents),
        cap_slots=shuffled(question.cap_slots),
        holds=shuffled(question.holds),
    )
    first, second = ask(question), ask(other)

    assert type(first) is type(second)
    assert first.policy == second.policy
    if isinstance(first, Defer) and isinstance(second, Defer):
        assert first.until == second.until


@settings(max_examples=examples(400), deadline=None)
@given(questions, st.sampled_from([(True, True), (True, False), (False, True), (False, False)]))
def test_an_opt_out_wins_over_everything_said_before(
    question: PolicyRequest, wide: tuple[bool, bool]
) -> None:
    """Whatever else is true: after a withdrawal that covers it, no message goes to the customer."""
    withdrawal = Consent(
        channel="*" if wide[0] else question.channel,
        topic="*" if wide[1] else question.topic,
        granted=False,
        basis="express",
        since=NOON,
    )
    message = replace(question, kind="send", consents=(*question.consents, withdrawal))

    verdict = ask(message)

    assert isinstance(verdict, Drop)
    assert verdict.policy in ("erased", "opted_out")


@given(st.lists(consents, max_size=6), st.sampled_from(CHANNELS), st.sampled_from(TOPICS))
def test_a_yes_is_in_force_only_if_it_names_what_each_no_took(
    rows: list[Consent], channel: str, topic: str
) -> None:
    row = in_force(rows, channel, topic, NOON)

    alive = [one for one in rows if one.expires_at is None or one.expires_at > NOON]
    about = [one for one in alive if covers(one.channel, one.topic, channel, topic)]
    if row is None:
        assert not about
        return
    assert row in about
    for no in (one for one in about if not one.granted):
        answered = any(
            yes.granted and yes.since > no.since and covers(no.channel, no.topic, yes.channel, yes.topic)
            for yes in about
        )
        assert answered or not row.granted


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40 * 60), st.sampled_from(CHANNELS[:3]), st.sampled_from(TOPICS)),
                min_size=1, max_size=60),
       st.lists(caps.filter(lambda cap: cap.at_most > 0), min_size=1, max_size=3))  # fmt: skip
def test_caps_hold_for_any_sequence_of_wishes(wishes: list[tuple[int, str, str]], rules: list[Cap]) -> None:
    """Send whenever the caps have room, else wait for the instant they give: no window ever holds more."""
    sent: list[CapSlot] = []
    now = NOON
    for minutes, channel, topic in wishes:
        now += timedelta(minutes=minutes)
        mine = rules_for(channel, topic, rules)
        while (
            room := max((at for at in (room_at(now, sent, cap) for cap in mine) if at), default=now)
        ) > now:
            too_early = room - timedelta(microseconds=1)
            assert any(room_at(too_early, sent, cap) != too_early for cap in mine)
            now = room
        sent.append(CapSlot(handed_at=now, channel=channel, topic=topic))

    for cap in rules:
        taken = [at.handed_at for at in sent if cap in rules_for(at.channel, at.topic, [cap])]
        for end in taken:
            assert len([at for at in taken if end - cap.within.span < at <= end]) <= cap.at_most


@given(questions, some(places, 12), caps)
def test_one_more_place_never_makes_room_earlier(
    question: PolicyRequest, taken: tuple[CapSlot, ...], cap: Cap
) -> None:
    before = room_at(question.now, taken, cap)
    after = room_at(question.now, (*taken, *question.cap_slots), cap)

    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert before <= after


@settings(max_examples=examples(200), deadline=None)
@given(questions)
def test_the_held_out_are_recorded_at_the_very_instant_others_are_spoken_to(question: PolicyRequest) -> None:
    treated, held = ask(replace(question, held_out=False)), ask(replace(question, held_out=True))

    if isinstance(treated, Allow):
        assert isinstance(held, HoldOut)
    else:
        assert held == treated


def test_a_deferred_message_asked_again_in_time_is_allowed_in_the_end() -> None:
    """Night, a full cap and a rest, one after the other: each answer leads on, and the last is yes."""
    question = a_question(
        channel="sms",
        zones=phone_zones("+493012345678"),
        zone_source="phone",
        cooldowns=(
            ActiveCooldown(
                scope="topic", scope_value="upsell", reason="ignored", ends_at=NOON + timedelta(hours=10)
            ),
        ),
        quiet=(silence("sms", "20:00", "09:00"),),
        caps=(Cap(at_most=1, within=Duration(count=2, unit="d")),),
        cap_slots=(CapSlot(handed_at=NOON - timedelta(days=1), channel="email", topic="events"),),
    )
    asked: list[tuple[str, datetime]] = []
    while isinstance(verdict := ask(question), Defer):
        asked.append((verdict.policy, verdict.until))
        question = replace(question, now=verdict.until)

    assert isinstance(verdict, Allow)
    assert asked == [
        ("cooldown", NOON + timedelta(hours=10)),
        ("quiet_hours", NOON + timedelta(hours=20)),
        ("frequency_cap", NOON + timedelta(hours=24)),
    ]
