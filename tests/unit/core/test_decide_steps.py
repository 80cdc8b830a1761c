"""Every kind of step: what it wants done, what it waits for, how often it is entered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.core.machine.commands import (
    BeginCooldown,
    LiftCooldown,
    PlanMessage,
    SetTraits,
    StartEnrollment,
    WithdrawMessage,
)
from orchestrator.core.machine.events import DeliveryOutcome, Settled, TimerDue
from orchestrator.core.machine.experiment import variant
from orchestrator.language.model import Split
from orchestrator.records.enrollment import Phase
from tests.support.walks import DAY, HOUR, NOON, Stroll, a_customer

ENDS = "\n".join(f"{name}: {{end: {name}}}" for name in ("yes", "no"))

# --- ask ------------------------------------------------------------------------------------------------------------

SCALE = """
nps:
  ask: {channel: email, question: "How likely?", scale: 0-10, saves: score, negative: ["0", "1", "2", "3"]}
  wait: 5d
  then: {answered: {0-6: low, 7-8: middle, 9-10: high}, no_response: low}
low: {end: low}
middle: {end: middle}
high: {end: high}
"""


@pytest.mark.parametrize(
    ("answer", "end"),
    [("0", "low"), ("6", "low"), ("7", "middle"), ("8", "middle"), ("9", "high"), ("10", "high")],
)
def test_a_scale_is_routed_by_ranges_and_saved(answer: str, end: str) -> None:
    stroll = Stroll(SCALE).send()
    stroll.respond("answered", answer)
    assert stroll.at == f"end:{end}"
    assert stroll.state.answers == {"nps": answer}
    assert stroll.state.saved == {"score": answer}


def asking(then: str, more: str = "") -> Stroll:
    steps = f"""
why:
  ask: {{channel: [in_app, email], question: "Why?", answers: {{price: Too dear, later: Later}}, negative: [price]}}
  wait: 5d
  then: {then}
{ENDS}
rest: {{end: rest}}
"""
    return Stroll(steps, more).send("in_app")


@pytest.mark.parametrize(
    ("then", "answer", "end"),
    [
        ("{answered: {price: yes, else: no}, no_response: rest}", "price", "end:yes"),
        ("{answered: {price: yes, else: no}, no_response: rest}", "later", "end:no"),
        ("{answered: yes, negative: no, no_response: rest}", "price", "end:no"),
        ("{answered: yes, negative: no, no_response: rest}", "later", "end:yes"),
        ("{dismissed: yes, clicked: no, no_response: rest}", "price", "end:rest"),
        ("{dismissed: yes, clicked: no, no_response: rest}", "later", "why"),
    ],
)
def test_a_negative_answer_is_negative_where_somebody_listens_for_it(
    then: str, answer: str, end: str
) -> None:
    stroll = asking(then)
    stroll.respond("answered", answer)
    assert stroll.at == end
    assert stroll.state.answers["why"] == answer


def test_a_negative_answer_follows_at_any_step() -> None:
    steps_more = "at_any_step: {negative: no}"
    stroll = asking("{answered: yes, dismissed: rest, no_response: rest}", steps_more)
    stroll.respond("answered", "price")
    assert stroll.path() == ["why:negative"]


# --- handoff --------------------------------------------------------------------------------------------------------


def test_without_a_wait_a_handoff_moves_on_when_it_is_made() -> None:
    stroll = Stroll("h: {handoff: {to: crm, template: b}, then: yes}\nyes: {end: yes}")
    stroll.hand_over("crm")
    assert (stroll.at, stroll.phase) == ("h", Phase.HANDED)
    stroll.tell(TimerDue())
    assert stroll.at == "h", "nobody knows yet whether it was made"
    stroll.settle(DeliveryOutcome.SENT, "crm")
    assert stroll.path() == ["h:no_response"]


def test_a_handoff_that_failed_is_known_to_have_failed() -> None:
    stroll = Stroll(
        f"h: {{handoff: {{to: crm, template: b}}, then: {{failed: no, no_response: yes}}}}\n{ENDS}"
    )
    stroll.hand_over("crm")
    stroll.settle(DeliveryOutcome.FAILED, "crm")
    assert stroll.at == "end:no"


@pytest.mark.parametrize("by_time", [True, False])
def test_a_handoff_nobody_knows_of_moves_on_in_the_end(by_time: bool) -> None:
    stroll = Stroll("h: {handoff: {to: crm, template: b}, then: yes}\nyes: {end: yes}")
    stroll.hand_over("crm")
    if by_time:
        stroll.wake()
        assert stroll.customer.now == NOON + DAY
    else:
        stroll.settle(DeliveryOutcome.ABANDONED, "crm")
    assert stroll.path() == ["h:no_response"]
    assert stroll.state.any_sent


def test_a_handoff_listens_for_its_closing_reason() -> None:
    steps = f"""
h: {{handoff: {{to: chat, template: b}}, wait: 14d, then: {{closed: {{lost: no, else: yes}}, no_response: no}}}}
{ENDS}
"""
    for reason, end in (("lost", "no"), ("won", "yes"), (None, "yes")):
        stroll = Stroll(steps).send("chat")
        stroll.respond("closed", reason)
        assert stroll.at == f"end:{end}"


# --- call -----------------------------------------------------------------------------------------------------------

CALL = f"""
c: {{call: {{function: make_coupon, saves: coupon}}, then: {{done: yes, failed: no}}}}
{ENDS}
"""


def test_a_call_saves_its_answer_and_goes_on() -> None:
    stroll = Stroll(CALL)
    stroll.hand_over("call")
    stroll.settle(DeliveryOutcome.SENT, "call", {"code": "X1"})
    assert stroll.at == "end:yes"
    assert stroll.state.saved == {"coupon": {"code": "X1"}}


@pytest.mark.parametrize(
    "outcome",
    [DeliveryOutcome.FAILED, DeliveryOutcome.ABANDONED, DeliveryOutcome.NOT_SENT, DeliveryOutcome.BOUNCED],
)
def test_a_call_that_came_to_nothing_has_failed(outcome: DeliveryOutcome) -> None:
    stroll = Stroll(CALL)
    stroll.hand_over("call")
    stroll.settle(outcome, "call")
    assert stroll.at == "end:no"


def test_a_call_under_way_is_not_woken_at_once_and_fails_in_the_end() -> None:
    stroll = Stroll(CALL)
    stroll.hand_over("call")
    assert stroll.due == NOON + DAY
    stroll.tell(TimerDue())
    assert stroll.at == "c"
    stroll.wake()
    assert stroll.at == "end:no"
    assert stroll.state.any_sent, "it may have been made"


def test_a_call_nobody_makes_fails_when_patience_is_over() -> None:
    stroll = Stroll(CALL)
    stroll.wake()
    assert stroll.path() == ["c:not_sent"]
    assert stroll.at == "end:no"


# --- the holdout ----------------------------------------------------------------------------------------------------


def test_what_a_held_out_customer_is_spared_is_recorded_and_not_done() -> None:
    steps = """
c: {call: {function: make_coupon, saves: coupon}, then: {done: h, failed: lost}}
h: {handoff: {to: crm, template: b}, then: s}
s: {start: {playbook: seats}, then: m}
m: {send: {channel: email, template: m}, wait: 2d, then: rest}
rest: {cooldown: 7d, then: done}
lost: {end: lost}
done: {end: done}
"""
    stroll = Stroll(steps, held_out=True)
    stroll.settle(DeliveryOutcome.HELD_OUT, "call")
    stroll.settle(DeliveryOutcome.HELD_OUT, "crm")
    stroll.settle(DeliveryOutcome.HELD_OUT)
    assert (stroll.at, stroll.phase, stroll.due) == ("m", Phase.LISTENING, NOON + 2 * DAY)
    assert stroll.path() == ["c:done", "h:no_response", "s:go"]
    assert stroll.all(StartEnrollment) == []
    assert "start_held_out" in [one.event for one in stroll.journal]
    assert stroll.state.any_sent
    assert stroll.state.saved == {}
    stroll.wake()
    assert [one.until for one in stroll.all(BeginCooldown)] == [NOON + 9 * DAY]


# --- start, set, split, choose --------------------------------------------------------------------------------------


def test_start_asks_for_another_run_with_its_context() -> None:
    stroll = Stroll(
        """
s:
  start: {playbook: seats, one_of: [admin, owner], context: {limit: {same_as: seats}, why: full}}
  then: done
done: {end: done}
""",
        customer=a_customer(seats=5),
    )
    assert stroll.wanted == [
        StartEnrollment(playbook="seats", one_of=("admin", "owner"), context={"limit": 5, "why": "full"})
    ]
    assert stroll.at == "end:done"


def test_what_a_step_sets_the_next_step_knows() -> None:
    stroll = Stroll(
        f"""
s: {{set: {{attributes: {{plan: gold}}, add_tags: [vip]}}, then: c}}
c:
  choose:
    - {{if: {{plan: gold, tags: {{contains: vip}}}}, go: yes}}
    - {{go: no}}
{ENDS}
"""
    )
    assert stroll.at == "end:yes"
    assert stroll.wanted == [SetTraits(attributes={"plan": "gold"}, add_tags=("vip",))]
    assert stroll.customer.attributes == {}, "only the shell changes the customer"


def test_a_split_is_sticky_per_subject() -> None:
    steps = f"s: {{split: {{a: 50%, b: 50%}}, then: {{a: yes, b: no}}}}\n{ENDS}"
    seen = set()
    for key in (f"customer-{n}" for n in range(20)):
        first, second = Stroll(steps, subject=key), Stroll(steps, subject=key)
        split = first.compiled.step("s").action
        assert isinstance(split, Split)
        assert first.state.variants == second.state.variants
        assert first.state.variants == {"s": variant(key, "nudge", "s", split.shares)}
        seen.add(first.at)
    assert seen == {"end:yes", "end:no"}


def test_choose_takes_the_first_true_branch_and_else_the_last() -> None:
    steps = """
c:
  choose:
    - {if: {seats: {at_least: 10}}, go: many}
    - {if: {seats: {at_least: 5}}, go: some}
    - {go: few}
many: {end: many}
some: {end: some}
few: {end: few}
"""
    for seats, end in ((12, "many"), (7, "some"), (1, "few"), (None, "few")):
        customer = a_customer() if seats is None else a_customer(seats=seats)
        assert Stroll(steps, customer=customer).at == f"end:{end}"


# --- how often ------------------------------------------------------------------------------------------------------

LOOP = """
m: {send: {channel: email, template: m}, wait: 1d, AT_MOST then: {no_response: gap, exhausted: over}}
gap: {wait: 1d, then: m}
over: {end: over}
"""


@pytest.mark.parametrize(("at_most", "times"), [("", 1), ("at_most: 3,", 3)])
def test_a_message_step_is_entered_once_unless_it_says_otherwise(at_most: str, times: int) -> None:
    stroll = Stroll(LOOP.replace("AT_MOST", at_most))
    while stroll.state.live:
        if stroll.phase is Phase.UNSENT:
            stroll.send()
        stroll.wake()
    assert stroll.planned == ["m"] * times
    assert stroll.at == "end:over"
    assert stroll.path()[-1] == "m:exhausted"
    assert stroll.state.visits["m"] == times


def test_exhausted_that_nobody_named_is_no_response_at_once() -> None:
    stroll = Stroll(
        """
m: {send: {channel: email, template: m}, wait: 1d, then: {clicked: m, no_response: rest}}
rest: {wait: 1d, then: done}
done: {end: done}
"""
    ).send()
    stroll.respond("clicked")
    assert stroll.path() == ["m:clicked", "m:exhausted"]
    assert stroll.at == "rest"
    assert stroll.planned == ["m"]


def test_patience_may_be_a_moment() -> None:
    stroll = Stroll(
        """
m: {send: {channel: email, template: m, patience: next 18:00}, wait: 1d, then: done}
done: {end: done}
"""
    )
    assert [one.give_up_at for one in stroll.all(PlanMessage)] == [NOON + 4 * HOUR]  # 18:00 in Berlin


# --- cooldown -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "value"), [("everything", "*"), ("topic", "upsell"), ("playbook", "nudge")]
)
def test_a_cooldown_rests_its_scope(scope: str, value: str) -> None:
    stroll = Stroll(f"r: {{cooldown: {{for: 21d, scope: {scope}}}, then: done}}\ndone: {{end: done}}")
    assert stroll.wanted == [BeginCooldown(visit=1, scope=scope, scope_value=value, until=NOON + 21 * DAY)]
    assert stroll.due == NOON + 21 * DAY
    stroll.wake()
    assert stroll.path() == ["r:no_response"]
    assert stroll.all(LiftCooldown) == []


RESTING = """
m: {send: {channel: email, template: m}, wait: 1d, then: {clicked: rest, no_response: rest}}
rest: {cooldown: 21d, then: {paid: done, no_response: done}}
brief: {handoff: {to: crm, template: b}, then: done}
quiet: {cooldown: 90d, then: done}
done: {end: done}
"""
RESTING_MORE = """
goal: {event: plan_upgraded, within: 60d}
at_any_step: {call_booked: brief, negative: brief, opted_out: quiet}
"""


def resting() -> Stroll:
    stroll = Stroll(RESTING, RESTING_MORE).send()
    stroll.wake()
    assert stroll.at == "rest"
    return stroll


@pytest.mark.parametrize("signal", ["paid", "call_booked"])
def test_a_named_signal_lifts_the_rest(signal: str) -> None:
    stroll = resting()
    stroll.signal(signal)
    assert stroll.all(LiftCooldown) == [LiftCooldown(visit=2)]


def test_neither_goal_nor_opt_out_nor_a_late_no_lifts_the_rest() -> None:
    bought, gone, angry = resting(), resting(), resting()
    bought.signal("plan_upgraded")
    gone.opt_out()
    angry.respond("negative", visit=1)
    assert (bought.at, gone.at, angry.at) == ("end:converted", "quiet", "brief")
    for stroll in (bought, gone, angry):
        assert stroll.all(LiftCooldown) == []


# --- keep -----------------------------------------------------------------------------------------------------------

KEEP = """
m: {send: {channel: in_app, template: m, keep: 7d}, wait: 1d, then: {dismissed: next, no_response: next}}
next: {wait: 1d, then: done}
done: {end: done}
"""


def test_leaving_hides_what_is_unseen() -> None:
    stroll = Stroll(KEEP.replace(", keep: 7d", "")).send("in_app")
    stroll.wake()
    assert stroll.all(WithdrawMessage) == [
        WithdrawMessage(visit=1, reason="the step was left by no_response", keep_until=None)
    ]


def test_a_kept_message_may_be_seen_a_while_longer() -> None:
    stroll = Stroll(KEEP).send("in_app")
    stroll.wake()
    assert [one.keep_until for one in stroll.all(WithdrawMessage)] == [NOON + 8 * DAY]


def test_what_is_unsent_is_never_kept() -> None:
    stroll = Stroll(KEEP)
    stroll.wake()
    assert [one.keep_until for one in stroll.all(WithdrawMessage)] == [None]


@pytest.mark.parametrize("more", ["", "at_any_step: {opted_out: done}"])
def test_an_opt_out_keeps_nothing(more: str) -> None:
    stroll = Stroll(KEEP, more).send("in_app")
    stroll.opt_out()
    assert not stroll.state.live
    assert [one.keep_until for one in stroll.all(WithdrawMessage)] == [None]


# --- what uses up re-entry ------------------------------------------------------------------------------------------

ONE = "m: {send: {channel: email, template: m}, wait: 1d, then: done}\ndone: {end: done}"


@pytest.mark.parametrize(
    "outcome", [DeliveryOutcome.NOT_SENT, DeliveryOutcome.FAILED, DeliveryOutcome.BOUNCED]
)
def test_a_walk_whose_every_message_was_not_sent_leaves_no_trace(outcome: DeliveryOutcome) -> None:
    stroll = Stroll(ONE)
    stroll.hand_over()
    stroll.settle(outcome)
    assert not stroll.state.live
    assert not stroll.state.any_sent


def test_a_message_on_the_wire_when_the_run_ends_may_have_gone_out() -> None:
    stroll = Stroll(ONE)
    stroll.hand_over()
    stroll.opt_out()
    assert stroll.at == "end:opted_out"
    assert stroll.state.any_sent


def test_a_walk_without_messages_is_used_up_by_walking() -> None:
    stroll = Stroll("s: {set: {add_tags: [seen]}, then: done}\ndone: {end: done}")
    assert stroll.state.any_sent


def test_an_ended_run_absorbs_a_result_that_comes_late() -> None:
    stroll = Stroll(ONE)
    stroll.hand_over()
    stroll.opt_out()
    decision = stroll.tell(
        Settled(visit=1, outcome=DeliveryOutcome.SENT, at=NOON + timedelta(seconds=2), channel="email")
    )
    assert (decision.commands, decision.entries) == ((), ())
