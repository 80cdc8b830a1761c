"""The list of guardrails: its order, and that the first objection is the one given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.policies.order import ORDER, ask
from orchestrator.core.policies.request import (
    ActiveCooldown,
    Allow,
    CapSlot,
    Drop,
    HoldOut,
    OpenHold,
    PolicyRequest,
)
from tests.support.policy_requests import NOON, a_cap, a_question, no, silence


def everything_against() -> PolicyRequest:
    return a_question(
        channel="sms",
        address=None,
        erased=True,
        goal_met=True,
        reason_gone=True,
        held_out=True,
        needs_consent=frozenset({"sms"}),
        consents=(no("*", "*"),),
        holds=(OpenHold(name="open_ticket", opened_at=NOON, ends_at=None),),
        cooldowns=(
            ActiveCooldown(
                scope="everything", scope_value="", reason="ignored", ends_at=NOON.replace(month=12)
            ),
        ),
        quiet=(silence("sms", "08:00", "20:00"),),
        caps=(a_cap(1, 7),),
        cap_slots=(CapSlot(handed_at=NOON, channel="email", topic="upsell"),),
    )


# What to mend, in turn, so that the next policy in the list gets its say.
MENDED = (
    ("erased", {"erased": False}),
    ("opted_out", {"consents": ()}),
    ("consent", {"needs_consent": frozenset()}),
    ("reachable", {"address": "+12125550123"}),
    ("goal_met", {"goal_met": False}),
    ("reason_gone", {"reason_gone": False}),
    ("hold", {"holds": ()}),
    ("cooldown", {"cooldowns": ()}),
    ("quiet_hours", {"quiet": ()}),
    ("frequency_cap", {"caps": ()}),
    ("held_out", {"held_out": False}),
)


def test_the_list_reads_as_documented() -> None:
    assert [policy.name for policy in ORDER] == [name for name, _ in MENDED]


def test_each_policy_speaks_only_when_those_before_it_are_content() -> None:
    question = everything_against()
    for name, mending in MENDED:
        verdict = ask(question)
        assert verdict.policy == name
        assert verdict.why
        question = replace(question, **mending)
    assert ask(question) == Allow()


def test_a_message_nothing_speaks_against_is_allowed() -> None:
    assert ask(a_question()) == Allow()


def test_a_shorter_list_asks_only_its_own_policies() -> None:
    assert ask(everything_against(), ORDER[-1:]).policy == "held_out"


@pytest.mark.parametrize("kind", ["send", "ask"])
def test_a_message_that_is_not_promotional_obeys_only_what_protects_the_person(kind: str) -> None:
    service = replace(everything_against(), kind=kind, promotional=False)

    assert ask(service).policy == "erased"
    assert ask(replace(service, erased=False)).policy == "opted_out"
    assert ask(replace(service, erased=False, consents=())).policy == "reachable"
    reachable = replace(service, erased=False, consents=(), address="+12125550123")
    assert isinstance(ask(reachable), HoldOut)
    assert isinstance(ask(replace(reachable, held_out=False)), Allow)


@pytest.mark.parametrize("promotional", [True, False])
def test_a_called_function_obeys_erasure_and_is_only_recorded_for_the_held_out(promotional: bool) -> None:
    call = replace(everything_against(), kind="call", promotional=promotional)

    assert isinstance(ask(call), Drop)
    assert isinstance(ask(replace(call, erased=False)), HoldOut)
    assert isinstance(ask(replace(call, erased=False, held_out=False)), Allow)


def test_a_promotional_handover_is_stopped_by_an_opt_out_on_every_channel_and_not_by_quiet_hours() -> None:
    handoff = replace(everything_against(), kind="handoff", channel="handoff", erased=False)

    assert ask(handoff).policy == "opted_out"
    assert isinstance(ask(replace(handoff, consents=())), HoldOut)


def test_a_handover_to_support_goes_on_after_an_opt_out() -> None:
    complaint = a_question(kind="handoff", channel="handoff", promotional=False, consents=(no("*", "*"),))

    assert isinstance(ask(complaint), Allow)


def test_an_opt_out_of_one_channel_does_not_stop_a_colleague() -> None:
    brief = a_question(kind="handoff", channel="handoff", consents=(no("sms", "*"),))

    assert isinstance(ask(brief), Allow)
