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
from tests.support.enrollment_driver import DAY, HOUR, NOON, EnrollmentDriver, a_customer

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
    driver = EnrollmentDriver(SCALE).send()
    driver.respond("answered", answer)
    assert driver.at == f"end:{end}"
    assert driver.state.answers == {"nps": answer}
    assert driver.state.saved == {"score": answer}


def asking(then: str, more: str = "") -> EnrollmentDriver:
    steps = f"""
why:
  ask: {{channel: [in_app, email], question: "Why?", answers: {{price: Too dear, later: Later}}, negative: [price]}}
  wait: 5d
  then: {then}
{ENDS}
rest: {{end: rest}}
"""
    return EnrollmentDriver(steps, more).send("in_app")


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
    driver = asking(then)
    driver.respond("answered", answer)
    assert driver.at == end
    assert driver.state.answers["why"] == answer


def test_a_negative_answer_follows_at_any_step() -> None:
    steps_more = "at_any_step: {negative: no}"
    driver = asking("{answered: yes, dismissed: rest, no_response: rest}", steps_more)
    driver.respond("answered", "price")
    assert driver.path() == ["why:negative"]


# --- handoff --------------------------------------------------------------------------------------------------------


def test_without_a_wait_a_handoff_moves_on_when_it_is_made() -> None:
    driver = EnrollmentDriver("h: {handoff: {to: crm, template: b}, then: yes}\nyes: {end: yes}")
    driver.hand_over("crm")
    assert (driver.at, driver.phase) == ("h", Phase.HANDED)
    driver.tell(TimerDue())
    assert driver.at == "h", "nobody knows yet whether it was made"
    driver.settle(DeliveryOutcome.SENT, "crm")
    assert driver.path() == ["h:no_response"]


def test_a_handoff_that_failed_is_known_to_have_failed() -> None:
    driver = EnrollmentDriver(
        f"h: {{handoff: {{to: crm, template: b}}, then: {{failed: no, no_response: yes}}}}\n{ENDS}"
    )
    driver.hand_over("crm")
    driver.settle(DeliveryOutcome.FAILED, "crm")
    assert driver.at == "end:no"


@pytest.mark.parametrize("by_time", [True, False])
def test_a_handoff_nobody_knows_of_moves_on_in_the_end(by_time: bool) -> None:
    driver = EnrollmentDriver("h: {handoff: {to: crm, template: b}, then: yes}\nyes: {end: yes}")
    driver.hand_over("crm")
    if by_time:
        driver.wake()
        assert driver.customer.now == NOON + DAY
    else:
        driver.settle(DeliveryOutcome.ABANDONED, "crm")
    assert driver.path() == ["h:no_response"]
    assert driver.state.any_sent


def test_a_handoff_listens_for_its_closing_reason() -> None:
    steps = f"""
h: {{handoff: {{to: chat, template: b}}, wait: 14d, then: {{closed: {{lost: no, else: yes}}, no_response: no}}}}
{ENDS}
"""
    for reason, end in (("lost", "no"), ("won", "yes"), (None, "yes")):
        driver = EnrollmentDriver(steps).send("chat")
        driver.respond("closed", reason)
        assert driver.at == f"end:{end}"


# --- call -----------------------------------------------------------------------------------------------------------

CALL = f"""
c: {{call: {{function: make_coupon, saves: coupon}}, then: {{done: yes, failed: no}}}}
{ENDS}
"""


def test_a_call_saves_its_answer_and_goes_on() -> None:
    driver = EnrollmentDriver(CALL)
    driver.hand_over("call")
    driver.settle(DeliveryOutcome.SENT, "call", {"code": "X1"})
    assert driver.at == "end:yes"
    assert driver.state.saved == {"coupon": {"code": "X1"}}


@pytest.mark.parametrize(
    "outcome",
    [DeliveryOutcome.FAILED, DeliveryOutcome.ABANDONED, DeliveryOutcome.NOT_SENT, DeliveryOutcome.BOUNCED],
)
def test_a_call_that_came_to_nothing_has_failed(outcome: DeliveryOutcome) -> None:
    driver = EnrollmentDriver(CALL)
    driver.hand_over("call")
    driver.settle(outcome, "call")
    assert driver.at == "end:no"


def test_a_call_under_way_is_not_woken_at_once_and_fails_in_the_end() -> None:
    driver = EnrollmentDriver(CALL)
    driver.hand_over("call")
    assert driver.due == NOON + DAY
    driver.tell(TimerDue())
    assert driver.at == "c"
    driver.wake()
    assert driver.at == "end:no"
    assert driver.state.any_sent, "it may have been made"


def test_a_call_nobody_makes_fails_when_patience_is_over() -> None:
    driver = EnrollmentDriver(CALL)
    driver.wake()
    assert driver.path() == ["c:not_sent"]
    assert driver.at == "end:no"


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
    driver = EnrollmentDriver(steps, held_out=True)
    driver.settle(DeliveryOutcome.HELD_OUT, "call")
    driver.settle(DeliveryOutcome.HELD_OUT, "crm")
    driver.settle(DeliveryOutcome.HELD_OUT)
    assert (driver.at, driver.phase, driver.due) == ("m", Phase.LISTENING, NOON + 2 * DAY)
    assert driver.path() == ["c:done", "h:no_response", "s:go"]
    assert driver.all(StartEnrollment) == []
    assert "start_held_out" in [one.event for one in driver.journal]
    assert driver.state.any_sent
    assert driver.state.saved == {}
    driver.wake()
    assert [one.until for one in driver.all(BeginCooldown)] == [NOON + 9 * DAY]


# --- start, set, split, choose --------------------------------------------------------------------------------------


def test_start_asks_for_another_run_with_its_context() -> None:
    driver = EnrollmentDriver(
        """
s:
  start: {playbook: seats, one_of: [admin, owner], context: {limit: {same_as: seats}, why: full}}
  then: done
done: {end: done}
""",
        customer=a_customer(seats=5),
    )
    assert driver.wanted == [
        StartEnrollment(playbook="seats", one_of=("admin", "owner"), context={"limit": 5, "why": "full"})
    ]
    assert driver.at == "end:done"


def test_what_a_step_sets_the_next_step_knows() -> None:
    driver = EnrollmentDriver(
        f"""
s: {{set: {{attributes: {{plan: gold}}, add_tags: [vip]}}, then: c}}
c:
  choose:
    - {{if: {{plan: gold, tags: {{contains: vip}}}}, go: yes}}
    - {{go: no}}
{ENDS}
"""
    )
    assert driver.at == "end:yes"
    assert driver.wanted == [SetTraits(attributes={"plan": "gold"}, add_tags=("vip",))]
    assert driver.customer.attributes == {}, "only the shell changes the customer"


def test_a_split_is_sticky_per_subject() -> None:
    steps = f"s: {{split: {{a: 50%, b: 50%}}, then: {{a: yes, b: no}}}}\n{ENDS}"
    seen = set()
    for key in (f"customer-{n}" for n in range(20)):
        first, second = EnrollmentDriver(steps, subject=key), EnrollmentDriver(steps, subject=key)
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
        assert EnrollmentDriver(steps, customer=customer).at == f"end:{end}"


# --- how often ------------------------------------------------------------------------------------------------------

LOOP = """
m: {send: {channel: email, template: m}, wait: 1d, AT_MOST then: {no_response: gap, exhausted: over}}
gap: {wait: 1d, then: m}
over: {end: over}
"""


@pytest.mark.parametrize(("at_most", "times"), [("", 1), ("at_most: 3,", 3)])
def test_a_message_step_is_entered_once_unless_it_says_otherwise(at_most: str, times: int) -> None:
    driver = EnrollmentDriver(LOOP.replace("AT_MOST", at_most))
    while driver.state.live:
        if driver.phase is Phase.UNSENT:
            driver.send()
        driver.wake()
    assert driver.planned == ["m"] * times
    assert driver.at == "end:over"
    assert driver.path()[-1] == "m:exhausted"
    assert driver.state.visits["m"] == times


def test_exhausted_that_nobody_named_is_no_response_at_once() -> None:
    driver = EnrollmentDriver(
        """
m: {send: {channel: email, template: m}, wait: 1d, then: {clicked: m, no_response: rest}}
rest: {wait: 1d, then: done}
done: {end: done}
"""
    ).send()
    driver.respond("clicked")
    assert driver.path() == ["m:clicked", "m:exhausted"]
    assert driver.at == "rest"
    assert driver.planned == ["m"]


def test_patience_may_be_a_moment() -> None:
    driver = EnrollmentDriver(
        """
m: {send: {channel: email, template: m, patience: next 18:00}, wait: 1d, then: done}
done: {end: done}
"""
    )
    assert [one.give_up_at for one in driver.all(PlanMessage)] == [NOON + 4 * HOUR]  # 18:00 in Berlin


# --- cooldown -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "value"), [("everything", "*"), ("topic", "upsell"), ("playbook", "nudge")]
)
def test_a_cooldown_rests_its_scope(scope: str, value: str) -> None:
    driver = EnrollmentDriver(
        f"r: {{cooldown: {{for: 21d, scope: {scope}}}, then: done}}\ndone: {{end: done}}"
    )
    assert driver.wanted == [BeginCooldown(visit=1, scope=scope, scope_value=value, until=NOON + 21 * DAY)]
    assert driver.due == NOON + 21 * DAY
    driver.wake()
    assert driver.path() == ["r:no_response"]
    assert driver.all(LiftCooldown) == []


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


def resting() -> EnrollmentDriver:
    driver = EnrollmentDriver(RESTING, RESTING_MORE).send()
    driver.wake()
    assert driver.at == "rest"
    return driver


@pytest.mark.parametrize("signal", ["paid", "call_booked"])
def test_a_named_signal_lifts_the_rest(signal: str) -> None:
    driver = resting()
    driver.signal(signal)
    assert driver.all(LiftCooldown) == [LiftCooldown(visit=2)]


def test_neither_goal_nor_opt_out_nor_a_late_no_lifts_the_rest() -> None:
    bought, gone, angry = resting(), resting(), resting()
    bought.signal("plan_upgraded")
    gone.opt_out()
    angry.respond("negative", visit=1)
    assert (bought.at, gone.at, angry.at) == ("end:converted", "quiet", "brief")
    for driver in (bought, gone, angry):
        assert driver.all(LiftCooldown) == []


# --- keep -----------------------------------------------------------------------------------------------------------

KEEP = """
m: {send: {channel: in_app, template: m, keep: 7d}, wait: 1d, then: {dismissed: next, no_response: next}}
next: {wait: 1d, then: done}
done: {end: done}
"""


def test_leaving_hides_what_is_unseen() -> None:
    driver = EnrollmentDriver(KEEP.replace(", keep: 7d", "")).send("in_app")
    driver.wake()
    assert driver.all(WithdrawMessage) == [
        WithdrawMessage(visit=1, reason="the step was left by no_response", keep_until=None)
    ]


def test_a_kept_message_may_be_seen_a_while_longer() -> None:
    driver = EnrollmentDriver(KEEP).send("in_app")
    driver.wake()
    assert [one.keep_until for one in driver.all(WithdrawMessage)] == [NOON + 8 * DAY]


def test_what_is_unsent_is_never_kept() -> None:
    driver = EnrollmentDriver(KEEP)
    driver.wake()
    assert [one.keep_until for one in driver.all(WithdrawMessage)] == [None]


@pytest.mark.parametrize("more", ["", "at_any_step: {opted_out: done}"])
def test_an_opt_out_keeps_nothing(more: str) -> None:
    driver = EnrollmentDriver(KEEP, more).send("in_app")
    driver.opt_out()
    assert not driver.state.live
    assert [one.keep_until for one in driver.all(WithdrawMessage)] == [None]


# --- what uses up re-entry ------------------------------------------------------------------------------------------

ONE = "m: {send: {channel: email, template: m}, wait: 1d, then: done}\ndone: {end: done}"


@pytest.mark.parametrize(
    "outcome", [DeliveryOutcome.NOT_SENT, DeliveryOutcome.FAILED, DeliveryOutcome.BOUNCED]
)
def test_a_walk_whose_every_message_was_not_sent_leaves_no_trace(outcome: DeliveryOutcome) -> None:
    driver = EnrollmentDriver(ONE)
    driver.hand_over()
    driver.settle(outcome)
    assert not driver.state.live
    assert not driver.state.any_sent


def test_a_message_on_the_wire_when_the_run_ends_may_have_gone_out() -> None:
    driver = EnrollmentDriver(ONE)
    driver.hand_over()
    driver.opt_out()
    assert driver.at == "end:opted_out"
    assert driver.state.any_sent


def test_a_walk_without_messages_is_used_up_by_walking() -> None:
    driver = EnrollmentDriver("s: {set: {add_tags: [seen]}, then: done}\ndone: {end: done}")
    assert driver.state.any_sent


def test_an_ended_run_absorbs_a_result_that_comes_late() -> None:
    driver = EnrollmentDriver(ONE)
    driver.hand_over()
    driver.opt_out()
    decision = driver.tell(
        Settled(visit=1, outcome=DeliveryOutcome.SENT, at=NOON + timedelta(seconds=2), channel="email")
    )
    assert (decision.commands, decision.entries) == ((), ())
