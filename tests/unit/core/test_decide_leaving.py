"""What leads out of every step: the goal, opt-outs, the reason that is gone, and at_any_step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.core.machine.commands import PlanMessage, RecordConversion, WithdrawMessage
from orchestrator.core.machine.events import BeforeHandOver, DeliveryOutcome, Erased, Signalled, Stopped
from orchestrator.records.enrollment import Phase
from tests.support.walks import DAY, HOUR, NOON, Stroll, a_customer

STEPS = """
m: {send: {channel: CHANNEL, template: m}, wait: 2d, then: {negative: sorry, not_sent: unsent, no_response: gap}}
gap: {wait: 5d, then: {paid: done, no_response: rest}}
rest: {cooldown: 21d, then: done}
sorry: {end: sorry}
unsent: {end: unsent}
done: {end: done}
"""
GOAL = "goal: {event: plan_upgraded, within: 30d, value: mrr_delta}\n"


def walk(more: str = "", channel: str = "email", **attributes: object) -> Stroll:
    return Stroll(STEPS.replace("CHANNEL", channel), more, customer=a_customer(**attributes))  # type: ignore[arg-type]


# --- the goal -------------------------------------------------------------------------------------------------------


def test_the_goal_ends_the_walk_with_its_value() -> None:
    stroll = walk(GOAL).send()
    stroll.after(HOUR).signal("plan_upgraded", mrr_delta=49.5)
    assert stroll.at == "end:converted"
    assert stroll.all(RecordConversion) == [
        RecordConversion(event="plan_upgraded", at=NOON + HOUR, value=49.5)
    ]
    assert stroll.all(WithdrawMessage)[0].keep_until is None


@pytest.mark.parametrize(
    ("offset", "counts"),
    [
        (timedelta(), True),
        (30 * DAY, True),
        (30 * DAY + timedelta(seconds=1), False),
        (-timedelta(seconds=1), False),
    ],
)
def test_the_goal_counts_from_entry_within_its_time(offset: timedelta, counts: bool) -> None:
    stroll = walk(GOAL).send()
    stroll.after(max(offset, timedelta()))
    stroll.tell(Signalled(name="plan_upgraded", occurred_at=NOON + offset, properties={}))
    assert (stroll.at == "end:converted") is counts


def test_an_ended_walk_converts_once_and_no_more() -> None:
    stroll = walk(GOAL).send()
    stroll.opt_out()
    assert stroll.at == "end:opted_out"
    stroll.after(DAY).signal("plan_upgraded", mrr_delta=10)
    stroll.after(DAY).signal("plan_upgraded", mrr_delta=20)
    assert [one.value for one in stroll.all(RecordConversion)] == [10.0]
    assert (stroll.at, stroll.state.ended_at) == ("end:opted_out", NOON)
    assert stroll.state.converted_at == NOON + DAY


def test_a_held_out_customer_converts_alike() -> None:
    stroll = Stroll(STEPS.replace("CHANNEL", "email"), GOAL, held_out=True)
    stroll.settle(DeliveryOutcome.HELD_OUT)
    stroll.after(DAY).signal("plan_upgraded", mrr_delta=10)
    assert stroll.at == "end:converted"


def test_the_goal_may_be_a_signal_of_the_playbooks_own() -> None:
    more = """
context: {order_id: text}
signals: {bought: {event: plan_upgraded, where: {order_id: {same_as: order_id}}}}
goal: {event: bought, within: 30d}
"""
    stroll = Stroll(STEPS.replace("CHANNEL", "email"), more, context={"order_id": "A"})
    stroll.signal("plan_upgraded", order_id="B")
    assert stroll.at == "m"
    stroll.signal("plan_upgraded", order_id="A")
    assert stroll.at == "end:converted"


# --- opting out -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", ["*", "upsell"])
@pytest.mark.parametrize("phase", [Phase.UNSENT, Phase.HANDED, Phase.LISTENING, Phase.WAITING])
def test_an_opt_out_ends_the_walk_wherever_it_is(topic: str, phase: Phase) -> None:
    stroll = walk()
    if phase is Phase.HANDED:
        stroll.hand_over()
    if phase in (Phase.LISTENING, Phase.WAITING):
        stroll.send()
    if phase is Phase.WAITING:
        stroll.wake()
    assert stroll.phase is phase
    stroll.opt_out(topic=topic)
    assert stroll.at == "end:opted_out"
    assert len(stroll.all(WithdrawMessage)) == 1


def test_an_opt_out_of_another_topic_concerns_nobody_here() -> None:
    stroll = walk()
    decision = stroll.opt_out(topic="events")
    assert (stroll.at, decision.commands, decision.entries) == ("m", (), ())


@pytest.mark.parametrize(
    ("channel", "carried", "sent", "end"),
    [
        ("email", "email", False, "end:unsent"),
        ("email", "email", True, "end:sorry"),
        ("[email, sms]", "email", False, "m"),
        ("[email, sms]", "email", True, "end:sorry"),
        ("[sms, email]", "sms", True, "m"),
        ("sms", "sms", False, "m"),
        ("preferred", "email", False, "m"),
        ("preferred, among: [email, sms]", "email", False, "m"),
        ("preferred, among: [email]", "email", False, "end:unsent"),
    ],
)
def test_an_opt_out_of_email_alone(channel: str, carried: str, sent: bool, end: str) -> None:
    stroll = walk(channel=channel)
    if sent:
        stroll.send(carried)
    stroll.opt_out(channel="email")
    assert stroll.at == end
    if stroll.state.live and not sent:
        assert stroll.all(WithdrawMessage) == []


def test_an_opt_out_of_a_channel_leaves_a_hand_over_to_a_colleague_alone() -> None:
    stroll = Stroll("h: {handoff: {to: chat, template: b}, wait: 3d, then: done}\ndone: {end: done}").send(
        "chat"
    )
    stroll.opt_out(channel="chat")
    assert stroll.at == "h"


OPTING_OUT = """
m: {send: {channel: email, template: m}, wait: 2d, then: later}
later: {wait: 5d, then: n}
n: {send: {channel: email, template: n}, wait: 2d, then: done}
tell: {handoff: {to: crm, template: b}, wait: 7d, then: pause}
pause: {cooldown: 90d, then: done}
done: {end: done}
"""


def test_an_opt_out_may_be_led_to_steps_that_cannot_speak_and_stays_there() -> None:
    stroll = Stroll(OPTING_OUT, "at_any_step: {opted_out: tell, call_booked: tell}").send()
    stroll.opt_out()
    assert stroll.at == "tell"
    stroll.opt_out(topic="upsell")
    assert stroll.at == "tell", "the colleague is still told"
    stroll.send("crm")
    stroll.wake()
    rest = stroll.due
    stroll.after(DAY).opt_out()
    assert (stroll.at, stroll.due) == ("pause", rest), "no second rest"


def test_an_opt_out_ends_the_walk_when_its_step_is_used_up() -> None:
    steps = OPTING_OUT.replace("wait: 7d, then: pause", "then: pause")
    steps = steps.replace("wait: 2d, then: later", "wait: 2d, then: {call_booked: tell, no_response: later}")
    stroll = Stroll(steps, "at_any_step: {opted_out: tell, paid: later}").send()
    stroll.signal("call_booked")
    stroll.send("crm")
    assert stroll.at == "pause"
    stroll.signal("paid")
    assert stroll.at == "later"
    stroll.opt_out()
    assert stroll.at == "end:opted_out", "from here it would have spoken again"


def test_erasure_ends_the_walk() -> None:
    stroll = walk()
    stroll.tell(Erased())
    assert stroll.at == "end:erased"


def test_a_stop_ends_the_walk_and_says_why() -> None:
    stroll = walk()
    stroll.tell(Stopped(why="she took another offer"))
    assert stroll.at == "end:stopped"
    assert [one.reason for one in stroll.all(WithdrawMessage)] == ["she took another offer"]


# --- the reason is gone ---------------------------------------------------------------------------------------------

LEAVE = "leave: {health: {at_least: 70}}"


def test_leave_is_asked_when_a_step_starts() -> None:
    assert walk(LEAVE, health=90).at == "end:left"
    assert walk(LEAVE, health=90).planned == []
    stroll = walk(LEAVE, health=10).send()
    stroll.profile(health=90)
    assert stroll.at == "m", "what was said may still be answered"
    stroll.wake()
    assert (stroll.at, stroll.path()) == ("end:left", ["m:no_response"])


def test_leave_is_asked_before_a_hand_over() -> None:
    stroll = walk(LEAVE, health=10)
    stroll.tell(BeforeHandOver(visit=1))
    assert stroll.at == "m"
    stroll.profile(health=90)
    stroll.tell(BeforeHandOver(visit=1))
    assert stroll.at == "end:left"
    assert len(stroll.all(WithdrawMessage)) == 1


def test_leave_is_asked_when_a_scheduled_step_begins() -> None:
    stroll = Stroll(
        """
m: {send: {channel: email, template: m}, at: 7d after entry, wait: 1d, then: done}
done: {end: done}
""",
        LEAVE,
    )
    stroll.profile(health=90)
    assert stroll.phase is Phase.SCHEDULED
    stroll.wake()
    assert (stroll.at, stroll.planned) == ("end:left", [])


def test_an_end_keeps_its_own_word_though_the_reason_is_gone() -> None:
    stroll = Stroll("s: {set: {attributes: {health: 90}}, then: done}\ndone: {end: finished}", LEAVE)
    assert stroll.at == "end:finished"


# --- at_any_step ----------------------------------------------------------------------------------------------------

ANY = """
m: {send: {channel: email, template: m}, wait: 2d, then: {call_booked: own, no_response: gap}}
gap: {wait: 5d, then: done}
brief: {handoff: {to: crm, template: b}, wait: 7d, then: rest}
rest: {cooldown: 7d, then: gap2}
gap2: {wait: 1d, then: done}
own: {wait: 1d, then: done}
done: {end: done}
"""
BOOKED = "at_any_step: {call_booked: brief, replied: brief}"


def test_the_steps_own_then_wins() -> None:
    stroll = Stroll(ANY, BOOKED).send()
    stroll.signal("call_booked")
    assert stroll.at == "own"


def test_a_signal_leads_away_from_a_step_that_does_not_name_it() -> None:
    stroll = Stroll(ANY, BOOKED).send()
    stroll.wake()
    stroll.signal("call_booked")
    assert stroll.path()[-1] == "gap:call_booked"
    assert stroll.at == "brief"


def test_at_any_step_fires_neither_in_its_target_nor_towards_one_that_is_used_up() -> None:
    stroll = Stroll(ANY, BOOKED).send()
    stroll.respond("replied")
    assert stroll.at == "brief"
    stroll.signal("call_booked")
    assert (stroll.at, stroll.visit) == ("brief", 2)
    stroll.send("crm")
    stroll.wake()
    stroll.signal("call_booked")
    assert stroll.at == "rest"
    assert [one.step for one in stroll.all(PlanMessage)] == ["m", "brief"]


def test_a_word_reaches_its_own_step_before_what_any_step_says_of_it() -> None:
    steps = ANY.replace("call_booked: own, ", "clicked: own, ")
    stroll = Stroll(steps, "at_any_step: {clicked: brief}").send()
    stroll.respond("clicked")
    assert stroll.at == "own"


def test_of_two_names_for_one_event_the_one_of_the_step_wins() -> None:
    more = """
context: {order_id: text}
signals: {mine: {event: order_cancelled, where: {order_id: {same_as: order_id}}}}
at_any_step: {mine: brief}
"""
    steps = ANY.replace("call_booked: own", "order_cancelled: own")
    stroll = Stroll(steps, more, context={"order_id": "A"}).send()
    stroll.signal("order_cancelled", order_id="A")
    assert stroll.at == "own"
