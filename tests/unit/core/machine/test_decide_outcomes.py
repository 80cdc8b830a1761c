"""The closed table of outcomes: what moves at once, what is judged at the end, what an unnamed word becomes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels.table import BUILT_IN
from channels.traits import AT_ONCE, ChannelTraits
from orchestrator.core.machine.commands import WithdrawMessage
from orchestrator.core.machine.events import DeliveryOutcome, Responded, Settled
from orchestrator.records.enrollment import Phase
from tests.support.enrollment_driver import DAY, HOUR, NOON, EnrollmentDriver, folded


def send(channel: str, then: str, more: str = "") -> str:
    ends = "\n".join(
        f"{name}: {{end: {name}}}"
        for name in ("hit", "sorry", "talked", "told", "lost", "gone", "seen", "opened", "dark", "rest")
        if f": {name}" in then or f": {name}" in more
    )
    return f"""
m:
  send: {{channel: {channel}, template: m}}
  wait: 2d
  then: {then}
{ends}
"""


AT_ONCE_CASES = [(row.name, outcome) for row in BUILT_IN for outcome in row.at_once]


@pytest.mark.parametrize(("channel", "outcome"), AT_ONCE_CASES)
def test_a_named_word_of_the_channel_moves_at_once(channel: str, outcome: str) -> None:
    driver = EnrollmentDriver(send(channel, f"{{{outcome}: hit, no_response: rest}}")).send(channel)
    driver.respond(outcome)
    assert driver.path() == [f"m:{outcome}"]
    assert driver.at == "end:hit"


@pytest.mark.parametrize("channel", BUILT_IN, ids=lambda row: row.name)
def test_a_word_of_another_channel_moves_nobody(channel: ChannelTraits) -> None:
    named = [outcome for outcome in channel.at_once if outcome != "failed"]
    others = set(AT_ONCE) - set(channel.at_once)
    driver = EnrollmentDriver(send(channel.name, f"{{{named[0]}: hit, no_response: rest}}")).send(
        channel.name
    )
    for outcome in sorted(others):
        driver.respond(outcome)
    assert (driver.at, driver.phase) == ("m", Phase.LISTENING)


@pytest.mark.parametrize(
    ("outcome", "then", "path"),
    [
        ("bounced", "{not_sent: gone, no_response: rest}", "end:gone"),
        ("bounced", "{failed: lost, no_response: rest}", "end:rest"),
        ("failed", "{not_sent: gone, no_response: rest}", "end:gone"),
        ("failed", "{no_response: rest}", "end:rest"),
        ("negative", "{replied: talked, no_response: rest}", "end:talked"),
        ("negative", "{answered: told, no_response: rest}", "end:told"),
        ("negative", "{no_response: rest}", "end:rest"),
        ("negative", "{negative: sorry, replied: talked, no_response: rest}", "end:sorry"),
        ("replied", "{negative: sorry, no_response: rest}", "m"),
        ("clicked", "{replied: talked, no_response: rest}", "m"),
        ("answered", "{replied: talked, no_response: rest}", "m"),
        ("opened", "{opened_no_click: opened, no_response: rest}", "m"),
    ],
)
def test_what_an_unnamed_word_becomes(outcome: str, then: str, path: str) -> None:
    driver = EnrollmentDriver(send("email", then)).send()
    driver.respond(outcome)
    assert driver.at == path


def test_a_closed_chat_that_nobody_named_is_no_response_at_once() -> None:
    driver = EnrollmentDriver(send("chat", "{replied: talked, no_response: rest}")).send("chat")
    driver.respond("closed", "bored")
    assert driver.at == "end:rest"
    assert driver.customer.now == NOON


@pytest.mark.parametrize(
    ("channel", "words", "tracked", "end"),
    [
        ("email", (), True, "rest"),
        ("email", ("opened",), True, "opened"),
        ("email", ("opened_by_machine",), True, "dark"),
        ("email", ("opened_by_machine", "opened"), True, "opened"),
        ("email", (), False, "dark"),
        ("email", ("opened",), False, "rest"),
        ("email", ("opened", "clicked"), True, "rest"),
        ("email", ("clicked",), False, "rest"),
    ],
)
def test_an_email_is_judged_when_the_wait_ends(
    channel: str, words: tuple[str, ...], tracked: bool, end: str
) -> None:
    then = "{opened_no_click: opened, unknown: dark, no_response: rest}"
    driver = EnrollmentDriver(send(channel, then)).send(channel, tracked=tracked)
    for outcome in words:
        driver.respond(outcome)
        assert driver.at == "m"
    driver.wake()
    assert driver.at == f"end:{end}"
    assert driver.customer.now == NOON + 2 * DAY


@pytest.mark.parametrize("channel", ["in_app", "whatsapp", "chat"])
@pytest.mark.parametrize(("words", "end"), [((), "rest"), (("seen",), "seen"), (("seen", "clicked"), "rest")])
def test_seen_without_doing_anything(channel: str, words: tuple[str, ...], end: str) -> None:
    driver = EnrollmentDriver(send(channel, "{seen_no_action: seen, no_response: rest}")).send(channel)
    for outcome in words:
        driver.respond(outcome)
    driver.wake()
    assert driver.at == f"end:{end}"


def test_unknown_that_nobody_named_is_no_response_at_the_end_and_not_before() -> None:
    driver = EnrollmentDriver(send("email", "{opened_no_click: opened, no_response: rest}")).send(
        tracked=False
    )
    driver.after(DAY).respond("opened_by_machine")
    assert driver.at == "m"
    driver.wake()
    assert (driver.at, driver.customer.now) == ("end:rest", NOON + 2 * DAY)


@pytest.mark.parametrize(
    "channel", [row for row in BUILT_IN if len(row.judged) > 1], ids=lambda row: row.name
)
def test_the_most_specific_word_is_judged_first(channel: ChannelTraits) -> None:
    first = channel.judged[0]
    driver = EnrollmentDriver(send(channel.name, f"{{{first}: hit, no_response: rest}}")).send(channel.name)
    driver.respond({"seen_no_action": "seen", "opened_no_click": "opened"}[first])
    driver.wake()
    assert driver.at == "end:hit"


def test_an_open_of_somebody_held_out_is_never_unknown() -> None:
    then = "{unknown: dark, no_response: rest}"
    driver = EnrollmentDriver(send("email", then), held_out=True)
    driver.settle(DeliveryOutcome.HELD_OUT)
    driver.wake()
    assert driver.at == "end:rest"


# --- links, answers and closing reasons -----------------------------------------------------------------------------


def test_links_are_told_apart_by_name() -> None:
    then = "{clicked: {book: hit, else: seen}, no_response: rest}"
    for link, end in (("book", "hit"), ("terms", "seen"), (None, "seen")):
        driver = EnrollmentDriver(send("email", then)).send()
        driver.respond("clicked", link)
        assert driver.at == f"end:{end}"


def test_a_link_that_nobody_named_moves_nobody() -> None:
    driver = EnrollmentDriver(send("email", "{clicked: {book: hit}, no_response: rest}")).send()
    driver.respond("clicked", "terms")
    assert driver.at == "m"
    driver.wake()
    assert driver.at == "end:rest"


# --- before the send ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "then", "end"),
    [
        (DeliveryOutcome.NOT_SENT, "{not_sent: gone, no_response: rest}", "gone"),
        (DeliveryOutcome.NOT_SENT, "{no_response: rest}", "rest"),
        (DeliveryOutcome.BOUNCED, "{bounced: hit, no_response: rest}", "hit"),
        (DeliveryOutcome.FAILED, "{failed: lost, not_sent: gone, no_response: rest}", "lost"),
    ],
)
def test_what_became_of_the_hand_over_is_followed_at_once(
    outcome: DeliveryOutcome, then: str, end: str
) -> None:
    driver = EnrollmentDriver(send("email", then))
    driver.settle(outcome)
    assert driver.at == f"end:{end}"
    assert driver.customer.now == NOON


def test_patience_bounds_every_deferral() -> None:
    driver = EnrollmentDriver(send("email", "{not_sent: gone, no_response: rest}"))
    assert driver.phase is Phase.UNSENT
    assert driver.due == NOON + 3 * DAY
    driver.wake()
    assert driver.at == "end:gone"
    assert [one.reason for one in driver.all(WithdrawMessage)] == ["patience is over"]


def test_the_wait_counts_from_the_hand_over_and_then_from_the_sending() -> None:
    driver = EnrollmentDriver(send("email", "{no_response: rest}")).after(5 * HOUR)
    driver.hand_over()
    assert (driver.phase, driver.due) == (Phase.HANDED, NOON + 5 * HOUR + 2 * DAY)
    driver.after(HOUR).settle(DeliveryOutcome.SENT)
    assert (driver.phase, driver.due) == (Phase.LISTENING, NOON + 6 * HOUR + 2 * DAY)


def test_a_result_told_twice_does_not_move_the_wait() -> None:
    driver = EnrollmentDriver(send("email", "{no_response: rest}")).send()
    driver.after(HOUR).settle(DeliveryOutcome.SENT)
    assert driver.due == NOON + 2 * DAY


def test_a_hand_over_that_is_to_be_tried_again_keeps_its_patience() -> None:
    driver = EnrollmentDriver(send("email", "{no_response: rest}")).after(HOUR)
    driver.hand_over()
    driver.settle(DeliveryOutcome.TRY_AGAIN)
    assert (driver.phase, driver.due) == (Phase.UNSENT, NOON + 3 * DAY)


def test_an_abandoned_message_may_have_gone_out_and_is_listened_for() -> None:
    driver = EnrollmentDriver(send("email", "{clicked: hit, no_response: rest}"))
    driver.hand_over()
    driver.after(HOUR).settle(DeliveryOutcome.ABANDONED)
    assert (driver.at, driver.due) == ("m", NOON + 2 * DAY)
    driver.respond("clicked")
    assert driver.at == "end:hit"


def test_an_answer_may_come_before_the_result_of_the_hand_over() -> None:
    driver = EnrollmentDriver(send("email", "{clicked: hit, no_response: rest}"))
    driver.hand_over()
    driver.respond("clicked")
    driver.tell(Settled(visit=1, outcome=DeliveryOutcome.SENT, at=NOON, channel="email"))
    assert driver.path() == ["m:clicked"]
    assert driver.state.any_sent


# --- late -----------------------------------------------------------------------------------------------------------

TWO = """
one: {send: {channel: email, template: m}, wait: 1d, then: {clicked: two, replied: two, no_response: two}}
two: {send: {channel: email, template: n}, wait: 2d, then: {clicked: hit, no_response: rest}}
brief: {handoff: {to: crm, template: b}, then: rest}
hit: {end: hit}
rest: {end: rest}
"""


def late(more: str = "at_any_step: {call_booked: brief}") -> EnrollmentDriver:
    driver = EnrollmentDriver(TWO, more).send()
    driver.wake()
    driver.send()
    assert (driver.at, driver.visit) == ("two", 2)
    return driver


def test_a_late_answer_is_recorded_and_moves_nobody() -> None:
    driver = late()
    decision = driver.respond("clicked", visit=1)
    assert (driver.at, driver.visit) == ("two", 2)
    assert [one.event for one in decision.entries] == ["late_response"]
    assert driver.state.heard == {}


def test_a_late_answer_moves_when_at_any_step_names_it() -> None:
    driver = late("at_any_step: {replied: brief}")
    driver.respond("replied", visit=1)
    assert driver.at == "brief"


SURVEY = """
why:  {ask: {channel: email, question: Why, answers: {price: Price, boss: Boss}, saves: reason}, wait: 1d, then: rest}
rest: {wait: 9d, then: done}
done: {end: done}
"""


def asked_long_ago(steps: str = SURVEY) -> EnrollmentDriver:
    driver = EnrollmentDriver(steps).send()
    driver.wake()
    assert driver.at == "rest"
    return driver


def test_a_late_answer_is_kept_and_moves_nobody() -> None:
    driver = asked_long_ago()
    decision = driver.respond("answered", "price", visit=1, step="why")
    assert (driver.at, [one.event for one in decision.entries]) == ("rest", ["late_response"])
    assert (driver.state.answers, driver.state.saved) == ({"why": "price"}, {"reason": "price"})
    assert folded(driver.journal) == driver.state


def test_the_first_answer_to_a_question_stays() -> None:
    driver = asked_long_ago()
    driver.respond("answered", "price", visit=1, step="why")
    driver.respond("answered", "boss", visit=1, step="why")
    assert (driver.state.answers, driver.state.saved) == ({"why": "price"}, {"reason": "price"})


def test_an_ended_run_keeps_a_late_answer_and_nothing_else() -> None:
    driver = asked_long_ago()
    driver.wake()
    assert driver.at == "end:done"
    ended = driver.state
    driver.respond("clicked", visit=1, step="why")
    assert driver.state == ended
    driver.respond("answered", "boss", visit=1, step="why")
    assert driver.state == replace(ended, answers={"why": "boss"}, saved={"reason": "boss"})


def test_who_waits_for_an_answer_goes_on_when_it_comes_late() -> None:
    waiting = "rest: {wait_until: {answer.why: price}, wait: 9d, then: {met: thanks, no_response: done}}"
    driver = asked_long_ago(
        SURVEY.replace("rest: {wait: 9d, then: done}", waiting) + "thanks: {end: thanks}\n"
    )
    driver.respond("answered", "price", visit=1, step="why")
    assert driver.at == "end:thanks"


def test_a_late_no_is_at_least_a_reply() -> None:
    driver = late("at_any_step: {replied: brief}")
    driver.respond("negative", visit=1)
    assert driver.at == "brief"


def test_a_late_bounce_is_no_reason_to_move() -> None:
    driver = late("at_any_step: {not_sent: brief}")
    driver.respond("bounced", visit=1)
    assert driver.at == "two"


def test_an_answer_to_a_message_that_was_never_sent_is_late() -> None:
    driver = EnrollmentDriver(send("email", "{clicked: hit, no_response: rest}"))
    driver.tell(Responded(visit=driver.visit, outcome="clicked", occurred_at=NOON))
    assert driver.at == "m"
    assert driver.journal[-1].event == "late_response"
