"""When a step begins and how long it lasts: anchors that move, zones, clock changes, and what comes too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from orchestrator.core.machine.events import TimerDue
from orchestrator.records.enrollment import Phase
from tests.support.enrollment_driver import DAY, HOUR, NOON, EnrollmentDriver, a_customer

LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # its clocks change by half an hour

SCHEDULED = """
m:
  send: {channel: email, template: m}
  at: 30d before renews_at
  wait: 2d
  then: {missed: late, paid: done, no_response: done}
late: {end: late}
done: {end: done}
"""


def scheduled(renews_at: str | None = "2026-09-15", steps: str = SCHEDULED) -> EnrollmentDriver:
    customer = a_customer() if renews_at is None else a_customer(renews_at=renews_at)
    return EnrollmentDriver(steps, customer=customer)


def test_a_step_waits_for_its_at_in_the_customers_zone() -> None:
    driver = scheduled()
    assert driver.phase is Phase.SCHEDULED
    assert driver.due == datetime(2026, 8, 16, 7, tzinfo=UTC)  # 09:00 in Berlin
    assert driver.planned == []
    driver.wake()
    assert (driver.phase, driver.planned) == (Phase.UNSENT, ["m"])


@pytest.mark.parametrize(
    ("renews_at", "place"),
    [
        (None, "end:late"),  # nothing to anchor on
        ("2026-07-13", "end:late"),  # due 13 June 09:00: more than a day ago
        ("2026-07-15", "m"),  # due today at 09:00
        ("2026-07-14", "end:late"),  # due yesterday at 09:00, 29 hours ago
    ],
)
def test_too_late_is_missed(renews_at: str | None, place: str) -> None:
    assert scheduled(renews_at).at == place


def test_late_says_how_late_is_too_late() -> None:
    patient = SCHEDULED.replace("wait: 2d", "late: 3d\n  wait: 2d")
    assert scheduled("2026-07-13", patient).at == "m"
    assert scheduled("2026-07-12", patient).at == "end:late"
    until_then = SCHEDULED.replace("wait: 2d", "late: renews_at\n  wait: 2d")
    assert scheduled("2026-06-20", until_then).at == "m"
    assert scheduled("2026-06-10", until_then).at == "end:late"


def test_an_engine_that_slept_too_long_misses_the_step() -> None:
    driver = scheduled()
    assert driver.due is not None
    driver.customer.now = driver.due + timedelta(hours=25)
    driver.tell(TimerDue())
    assert driver.at == "end:late"


def test_missed_that_nobody_named_is_no_response() -> None:
    driver = scheduled(None, SCHEDULED.replace("missed: late, ", "").replace("late: {end: late}\n", ""))
    assert driver.path() == ["m:missed"]
    assert driver.at == "end:done"


def test_a_scheduled_step_hears_its_signals() -> None:
    driver = scheduled()
    driver.signal("paid")
    assert driver.path() == ["m:paid"]
    assert driver.wanted == []


def test_an_anchor_moves_with_its_attribute() -> None:
    driver = scheduled()
    driver.profile(renews_at="2026-10-15")
    assert driver.due == datetime(2026, 9, 15, 7, tzinfo=UTC)
    assert driver.journal[-1].event == "moved"


def test_an_anchor_that_moved_while_nobody_looked_is_looked_at_when_due() -> None:
    driver = scheduled()
    driver.customer.attributes["renews_at"] = "2026-10-15"
    driver.wake()
    assert (driver.phase, driver.due) == (Phase.SCHEDULED, datetime(2026, 9, 15, 7, tzinfo=UTC))


def test_an_anchor_that_is_gone_is_missed() -> None:
    driver = scheduled()
    driver.profile(renews_at=None)
    assert driver.at == "end:late"


def test_an_anchor_that_moved_into_the_past_is_due_at_once() -> None:
    driver = scheduled()
    driver.profile(renews_at="2026-07-15")
    driver.tell(TimerDue())
    assert driver.planned == ["m"]


@pytest.mark.parametrize(
    "step",
    [
        "w: {wait_until: 7d after renews_at, then: {missed: late, no_response: done}}",
        "w: {wait: 7d after renews_at, then: {missed: late, no_response: done}}",
    ],
)
def test_every_wait_on_an_anchor_moves_or_is_missed(step: str) -> None:
    steps = f"{step}\nlate: {{end: late}}\ndone: {{end: done}}"
    driver = scheduled("2026-07-01", steps)
    assert driver.due == datetime(2026, 7, 8, 7, tzinfo=UTC)
    driver.profile(renews_at="2026-07-11")
    assert driver.due == datetime(2026, 7, 18, 7, tzinfo=UTC)
    driver.profile(renews_at=None)
    assert driver.at == "end:late"
    assert scheduled(None, steps).at == "end:late"
    assert scheduled("2026-06-01", steps).at == "end:done", "over before it began"


def test_a_listening_wait_on_an_anchor_moves_too() -> None:
    driver = scheduled(
        "2026-07-01",
        "m: {send: {channel: email, template: m}, wait: 1d before renews_at, then: done}\ndone: {end: done}",
    ).send()
    assert driver.due == datetime(2026, 6, 30, 7, tzinfo=UTC)
    driver.profile(renews_at="2026-07-03")
    assert driver.due == datetime(2026, 7, 2, 7, tzinfo=UTC)
    driver.profile(renews_at=None)
    assert (driver.at, driver.due) == ("m", datetime(2026, 7, 2, 7, tzinfo=UTC))


def test_a_signal_is_an_anchor_by_its_latest_time() -> None:
    steps = "w: {wait_until: 21d after trial_started at 09:00, then: {missed: late, no_response: done}}"
    steps += "\nlate: {end: late}\ndone: {end: done}"
    assert EnrollmentDriver(steps).at == "end:late"
    driver = EnrollmentDriver(steps.replace("w: {", "first: {wait: 1d, then: w}\nw: {", 1))
    driver.signal("trial_started")
    driver.wake()
    assert driver.due == datetime(2026, 7, 6, 7, tzinfo=UTC)


def test_an_own_signal_is_an_anchor_too() -> None:
    more = """
context: {order_id: text}
signals: {mine: {event: order_cancelled, where: {order_id: {same_as: order_id}}}}
"""
    head = (
        "playbook: nudge\nversion: 1\ntitle: A\ntopic: upsell\n"
        'enter: {because: "you asked", reentry: {per: order_id}}\n'
    )
    steps = "first: {wait: 2d, then: w}\n"
    steps += "w: {wait_until: 3d after mine, then: {missed: late, no_response: done}}\n"
    steps += "late: {end: late}\ndone: {end: done}"
    driver = EnrollmentDriver(steps, more, head, context={"order_id": "A"})
    driver.signal("order_cancelled", order_id="A")
    driver.after(HOUR).signal("order_cancelled", order_id="B")
    driver.wake()
    assert driver.due == datetime(2026, 6, 18, 7, tzinfo=UTC)


def test_a_context_value_is_an_anchor() -> None:
    head = (
        "playbook: nudge\nversion: 1\ntitle: A\ntopic: upsell\n"
        'enter: {because: "you asked", reentry: never}\n'
    )
    steps = "w: {wait_until: 2d before shown_at at 10:00, then: done}\ndone: {end: done}"
    for shown, due in (
        ("2026-07-01", datetime(2026, 6, 29, 8, tzinfo=UTC)),
        ("2026-07-01T22:30:00+00:00", datetime(2026, 6, 30, 8, tzinfo=UTC)),  # 2 July in Berlin
    ):
        driver = EnrollmentDriver(steps, "context: {shown_at: date}", head, context={"shown_at": shown})
        assert driver.due == due


def test_entry_and_arrival_are_anchors() -> None:
    driver = EnrollmentDriver(
        """
a: {wait: 3d, then: b}
b: {wait_until: 2d after arrival at 09:00, then: c}
c: {wait_until: 30d after entry at 09:00, then: done}
done: {end: done}
"""
    )
    driver.wake()
    assert driver.due == datetime(2026, 6, 20, 7, tzinfo=UTC)
    driver.wake()
    assert driver.due == datetime(2026, 7, 15, 7, tzinfo=UTC)


# --- clock changes --------------------------------------------------------------------------------------------------


def test_days_around_an_anchor_are_calendar_days_over_a_half_hour_change() -> None:
    """On 4 October 2026 the clocks of Lord Howe go from 02:00 to 02:30."""
    customer = a_customer(zone=LORD_HOWE, renews_at="2026-10-05", now=datetime(2026, 9, 1, tzinfo=UTC))
    steps = "w: {wait_until: AT, then: done}\ndone: {end: done}"
    for moment, due in (
        ("2d before renews_at at 09:00", datetime(2026, 10, 2, 22, 30, tzinfo=UTC)),  # +10:30
        ("1d before renews_at at 09:00", datetime(2026, 10, 3, 22, 0, tzinfo=UTC)),  # +11:00
        ("1d before renews_at at 02:15", datetime(2026, 10, 3, 15, 45, tzinfo=UTC)),  # skipped: comes later
    ):
        assert EnrollmentDriver(steps.replace("AT", moment), customer=customer).due == due


def test_an_hour_that_comes_twice_is_the_first_one() -> None:
    """On 5 April 2026 the clocks of Lord Howe go back from 02:00 to 01:30."""
    customer = a_customer(zone=LORD_HOWE, renews_at="2026-04-05", now=datetime(2026, 3, 1, tzinfo=UTC))
    driver = EnrollmentDriver(
        "w: {wait_until: renews_at at 01:45, then: done}\ndone: {end: done}", customer=customer
    )
    assert driver.due == datetime(2026, 4, 4, 14, 45, tzinfo=UTC)


def test_a_waited_day_is_24_hours_over_the_same_night() -> None:
    start = datetime(2026, 10, 3, 12, tzinfo=UTC)
    customer = a_customer(zone=LORD_HOWE, now=start)
    assert (
        EnrollmentDriver("w: {wait: 1d, then: done}\ndone: {end: done}", customer=customer).due == start + DAY
    )


def test_next_morning_is_strictly_later_and_the_customers_own() -> None:
    steps = "w: {wait: next 09:00, then: done}\ndone: {end: done}"
    for now, due in (
        (datetime(2026, 10, 3, 22, 0, tzinfo=UTC), datetime(2026, 10, 4, 22, 0, tzinfo=UTC)),
        (datetime(2026, 10, 3, 21, 59, tzinfo=UTC), datetime(2026, 10, 3, 22, 0, tzinfo=UTC)),
        (datetime(2026, 10, 3, 12, 0, tzinfo=UTC), datetime(2026, 10, 3, 22, 0, tzinfo=UTC)),
    ):
        assert EnrollmentDriver(steps, customer=a_customer(zone=LORD_HOWE, now=now)).due == due


# --- waiting for a condition ----------------------------------------------------------------------------------------

UNTIL = """
w: {wait_until: {health: {at_least: 70}}, wait: 3d, then: {met: fine, no_response: done}}
fine: {end: fine}
done: {end: done}
"""


def test_what_already_is_true_is_met_at_once() -> None:
    driver = EnrollmentDriver(UNTIL, customer=a_customer(health=80))
    assert driver.path() == ["w:met"]
    assert driver.at == "end:fine"


def test_what_comes_true_is_met_at_once() -> None:
    driver = EnrollmentDriver(UNTIL, customer=a_customer(health=10))
    driver.profile(health=60)
    assert driver.at == "w"
    driver.profile(health=75)
    assert driver.at == "end:fine"


def test_the_wait_is_the_time_out_of_a_condition() -> None:
    driver = EnrollmentDriver(UNTIL)
    while driver.state.live:
        driver.wake()
    assert driver.at == "end:done"
    assert driver.customer.now == NOON + 3 * DAY


def test_a_condition_that_time_alone_makes_true_is_met_within_the_hour() -> None:
    steps = UNTIL.replace("{health: {at_least: 70}}", "{renews_at: {in_next: 10d}}")
    driver = EnrollmentDriver(steps, customer=a_customer(renews_at="2026-06-27"))
    while driver.state.live:
        driver.wake()
    assert driver.at == "end:fine"
    assert NOON + timedelta(hours=34) <= driver.customer.now < NOON + timedelta(hours=36)


def test_the_time_out_of_a_condition_may_hang_on_an_anchor() -> None:
    steps = UNTIL.replace("wait: 3d", "wait: 1d before renews_at")
    driver = EnrollmentDriver(steps, customer=a_customer(renews_at="2026-06-30"))
    assert driver.state.timeout_at == datetime(2026, 6, 29, 7, tzinfo=UTC)
    driver.profile(renews_at="2026-07-30")
    assert driver.state.timeout_at == datetime(2026, 7, 29, 7, tzinfo=UTC)


def test_a_condition_is_not_asked_before_its_step_begins() -> None:
    steps = UNTIL.replace("wait: 3d", "at: 1d before renews_at, wait: 3d")
    driver = EnrollmentDriver(steps, customer=a_customer(renews_at="2026-06-30"))
    driver.profile(health=90)
    assert driver.phase is Phase.SCHEDULED
    driver.profile(renews_at="2026-07-30")
    assert driver.due == datetime(2026, 7, 29, 7, tzinfo=UTC)
    driver.wake()
    assert driver.at == "end:fine"


def test_the_steps_own_met_wins_over_a_signal_of_at_any_step() -> None:
    steps = """
w: {wait_until: {call_booked: {times: 1, since: entry}}, wait: 3d, then: {met: fine, no_response: done}}
elsewhere: {end: elsewhere}
fine: {end: fine}
done: {end: done}
"""
    driver = EnrollmentDriver(steps, "at_any_step: {call_booked: elsewhere}")
    driver.after(HOUR).signal("call_booked")
    assert driver.at == "end:fine"


@pytest.mark.parametrize(
    "step",
    [
        "r: {cooldown: {for: 3d after renews_at}, then: c}",
        "r: {wait_until: renews_at, then: c}",
        "r: {wait_until: renews_at, then: {missed: c, no_response: done}}",
    ],
)
def test_a_wait_that_may_be_over_before_it_begins_makes_no_loop_safe(step: str) -> None:
    steps = f"c: {{choose: [{{if: {{seats: 1}}, go: r}}, {{go: done}}]}}\n{step}\ndone: {{end: done}}"
    with pytest.raises(AssertionError, match="a loop without a wait"):
        EnrollmentDriver(steps)
