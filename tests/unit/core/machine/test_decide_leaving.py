"""What leads out of every step: the goal, opt-outs, the reason that is gone, and at_any_step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.core.machine.commands import PlanMessage, RecordConversion, WithdrawMessage
from orchestrator.core.machine.events import BeforeHandOver, DeliveryOutcome, Erased, Signalled, Stopped
from orchestrator.records.enrollment import Phase
from tests.support.enrollment_driver import DAY, HOUR, NOON, EnrollmentDriver, a_customer

STEPS = """
m: {send: {channel: CHANNEL, template: m}, wait: 2d, then: {negative: sorry, not_sent: unsent, no_response: gap}}
gap: {wait: 5d, then: {paid: done, no_response: rest}}
rest: {cooldown: 21d, then: done}
sorry: {end: sorry}
unsent: {end: unsent}
done: {end: done}
"""
GOAL = "goal: {event: plan_upgraded, within: 30d, value: mrr_delta}\n"


def walk(more: str = "", channel: str = "email", **attributes: object) -> EnrollmentDriver:
    return EnrollmentDriver(STEPS.replace("CHANNEL", channel), more, customer=a_customer(**attributes))  # type: ignore[arg-type]


# --- the goal -------------------------------------------------------------------------------------------------------


def test_the_goal_ends_the_walk_with_its_value() -> None:
    driver = walk(GOAL).send()
    driver.after(HOUR).signal("plan_upgraded", mrr_delta=49.5)
    assert driver.at == "end:converted"
    assert driver.all(RecordConversion) == [
        RecordConversion(event="plan_upgraded", at=NOON + HOUR, value=49.5)
    ]
    assert driver.all(WithdrawMessage)[0].keep_until is None


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
    driver = walk(GOAL).send()
    driver.after(max(offset, timedelta()))
    driver.tell(Signalled(name="plan_upgraded", occurred_at=NOON + offset, properties={}))
    assert (driver.at == "end:converted") is counts


def test_an_ended_walk_converts_once_and_no_more() -> None:
    driver = walk(GOAL).send()
    driver.opt_out()
    assert driver.at == "end:opted_out"
    driver.after(DAY).signal("plan_upgraded", mrr_delta=10)
    driver.after(DAY).signal("plan_upgraded", mrr_delta=20)
    assert [one.value for one in driver.all(RecordConversion)] == [10.0]
    assert (driver.at, driver.state.ended_at) == ("end:opted_out", NOON)
    assert driver.state.converted_at == NOON + DAY


def test_a_held_out_customer_converts_alike() -> None:
    driver = EnrollmentDriver(STEPS.replace("CHANNEL", "email"), GOAL, held_out=True)
    driver.settle(DeliveryOutcome.HELD_OUT)
    driver.after(DAY).signal("plan_upgraded", mrr_delta=10)
    assert driver.at == "end:converted"


def test_the_goal_may_be_a_signal_of_the_playbooks_own() -> None:
    more = """
context: {order_id: text}
signals: {bought: {event: plan_upgraded, where: {order_id: {same_as: order_id}}}}
goal: {event: bought, within: 30d}
"""
    driver = EnrollmentDriver(STEPS.replace("CHANNEL", "email"), more, context={"order_id": "A"})
    driver.signal("plan_upgraded", order_id="B")
    assert driver.at == "m"
    driver.signal("plan_upgraded", order_id="A")
    assert driver.at == "end:converted"


# --- opting out -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", ["*", "upsell"])
@pytest.mark.parametrize("phase", [Phase.UNSENT, Phase.HANDED, Phase.LISTENING, Phase.WAITING])
def test_an_opt_out_ends_the_walk_wherever_it_is(topic: str, phase: Phase) -> None:
    driver = walk()
    if phase is Phase.HANDED:
        driver.hand_over()
    if phase in (Phase.LISTENING, Phase.WAITING):
        driver.send()
    if phase is Phase.WAITING:
        driver.wake()
    assert driver.phase is phase
    driver.opt_out(topic=topic)
    assert driver.at == "end:opted_out"
    assert len(driver.all(WithdrawMessage)) == 1


def test_an_opt_out_of_another_topic_concerns_nobody_here() -> None:
    driver = walk()
    decision = driver.opt_out(topic="events")
    assert (driver.at, decision.commands, decision.entries) == ("m", (), ())


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
    driver = walk(channel=channel)
    if sent:
        driver.send(carried)
    driver.opt_out(channel="email")
    assert driver.at == end
    if driver.state.live and not sent:
        assert driver.all(WithdrawMessage) == []


def test_an_opt_out_of_a_channel_leaves_a_hand_over_to_a_colleague_alone() -> None:
    driver = EnrollmentDriver(
        "h: {handoff: {to: chat, template: b}, wait: 3d, then: done}\ndone: {end: done}"
    ).send("chat")
    driver.opt_out(channel="chat")
    assert driver.at == "h"


OPTING_OUT = """
m: {send: {channel: email, template: m}, wait: 2d, then: later}
later: {wait: 5d, then: n}
n: {send: {channel: email, template: n}, wait: 2d, then: done}
tell: {handoff: {to: crm, template: b}, wait: 7d, then: pause}
pause: {cooldown: 90d, then: done}
done: {end: done}
"""


def test_an_opt_out_may_be_led_to_steps_that_cannot_speak_and_stays_there() -> None:
    driver = EnrollmentDriver(OPTING_OUT, "at_any_step: {opted_out: tell, call_booked: tell}").send()
    driver.opt_out()
    assert driver.at == "tell"
    driver.opt_out(topic="upsell")
    assert driver.at == "tell", "the colleague is still told"
    driver.send("crm")
    driver.wake()
    rest = driver.due
    driver.after(DAY).opt_out()
    assert (driver.at, driver.due) == ("pause", rest), "no second rest"


def test_an_opt_out_ends_the_walk_when_its_step_is_used_up() -> None:
    steps = OPTING_OUT.replace("wait: 7d, then: pause", "then: pause")
    steps = steps.replace("wait: 2d, then: later", "wait: 2d, then: {call_booked: tell, no_response: later}")
    driver = EnrollmentDriver(steps, "at_any_step: {opted_out: tell, paid: later}").send()
    driver.signal("call_booked")
    driver.send("crm")
    assert driver.at == "pause"
    driver.signal("paid")
    assert driver.at == "later"
    driver.opt_out()
    assert driver.at == "end:opted_out", "from here it would have spoken again"


def test_erasure_ends_the_walk() -> None:
    driver = walk()
    driver.tell(Erased())
    assert driver.at == "end:erased"


def test_a_stop_ends_the_walk_and_says_why() -> None:
    driver = walk()
    driver.tell(Stopped(why="she took another offer"))
    assert driver.at == "end:stopped"
    assert [one.reason for one in driver.all(WithdrawMessage)] == ["she took another offer"]


# --- the reason is gone ---------------------------------------------------------------------------------------------

LEAVE = "leave: {health: {at_least: 70}}"


def test_leave_is_asked_when_a_step_starts() -> None:
    assert walk(LEAVE, health=90).at == "end:left"
    assert walk(LEAVE, health=90).planned == []
    driver = walk(LEAVE, health=10).send()
    driver.profile(health=90)
    assert driver.at == "m", "what was said may still be answered"
    driver.wake()
    assert (driver.at, driver.path()) == ("end:left", ["m:no_response"])


def test_leave_is_asked_before_a_hand_over() -> None:
    driver = walk(LEAVE, health=10)
    driver.tell(BeforeHandOver(visit=1))
    assert driver.at == "m"
    driver.profile(health=90)
    driver.tell(BeforeHandOver(visit=1))
    assert driver.at == "end:left"
    assert len(driver.all(WithdrawMessage)) == 1


def test_leave_is_asked_when_a_scheduled_step_begins() -> None:
    driver = EnrollmentDriver(
        """
m: {send: {channel: email, template: m}, at: 7d after entry, wait: 1d, then: done}
done: {end: done}
""",
        LEAVE,
    )
    driver.profile(health=90)
    assert driver.phase is Phase.SCHEDULED
    driver.wake()
    assert (driver.at, driver.planned) == ("end:left", [])


def test_an_end_keeps_its_own_word_though_the_reason_is_gone() -> None:
    driver = EnrollmentDriver(
        "s: {set: {attributes: {health: 90}}, then: done}\ndone: {end: finished}", LEAVE
    )
    assert driver.at == "end:finished"


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
    driver = EnrollmentDriver(ANY, BOOKED).send()
    driver.signal("call_booked")
    assert driver.at == "own"


def test_a_signal_leads_away_from_a_step_that_does_not_name_it() -> None:
    driver = EnrollmentDriver(ANY, BOOKED).send()
    driver.wake()
    driver.signal("call_booked")
    assert driver.path()[-1] == "gap:call_booked"
    assert driver.at == "brief"


def test_at_any_step_fires_neither_in_its_target_nor_towards_one_that_is_used_up() -> None:
    driver = EnrollmentDriver(ANY, BOOKED).send()
    driver.respond("replied")
    assert driver.at == "brief"
    driver.signal("call_booked")
    assert (driver.at, driver.visit) == ("brief", 2)
    driver.send("crm")
    driver.wake()
    driver.signal("call_booked")
    assert driver.at == "rest"
    assert [one.step for one in driver.all(PlanMessage)] == ["m", "brief"]


def test_a_word_reaches_its_own_step_before_what_any_step_says_of_it() -> None:
    steps = ANY.replace("call_booked: own, ", "clicked: own, ")
    driver = EnrollmentDriver(steps, "at_any_step: {clicked: brief}").send()
    driver.respond("clicked")
    assert driver.at == "own"


def test_of_two_names_for_one_event_the_one_of_the_step_wins() -> None:
    more = """
context: {order_id: text}
signals: {mine: {event: order_cancelled, where: {order_id: {same_as: order_id}}}}
at_any_step: {mine: brief}
"""
    steps = ANY.replace("call_booked: own", "order_cancelled: own")
    driver = EnrollmentDriver(steps, more, context={"order_id": "A"}).send()
    driver.signal("order_cancelled", order_id="A")
    assert driver.at == "own"
