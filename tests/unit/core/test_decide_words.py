"""The closed table of outcomes: what moves at once, what is judged at the end, what an unnamed word becomes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels.table import BUILT_IN
from channels.traits import AT_ONCE, ChannelTraits
from orchestrator.core.machine.commands import WithdrawMessage
from orchestrator.core.machine.events import DeliveryOutcome, Responded, Settled
from orchestrator.records.enrollment import Phase
from tests.support.walks import DAY, HOUR, NOON, Stroll, folded


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
    stroll = Stroll(send(channel, f"{{{outcome}: hit, no_response: rest}}")).send(channel)
    stroll.respond(outcome)
    assert stroll.path() == [f"m:{outcome}"]
    assert stroll.at == "end:hit"


@pytest.mark.parametrize("channel", BUILT_IN, ids=lambda row: row.name)
def test_a_word_of_another_channel_moves_nobody(channel: ChannelTraits) -> None:
    named = [outcome for outcome in channel.at_once if outcome != "failed"]
    others = set(AT_ONCE) - set(channel.at_once)
    stroll = Stroll(send(channel.name, f"{{{named[0]}: hit, no_response: rest}}")).send(channel.name)
    for outcome in sorted(others):
        stroll.respond(outcome)
    assert (stroll.at, stroll.phase) == ("m", Phase.LISTENING)


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
    stroll = Stroll(send("email", then)).send()
    stroll.respond(outcome)
    assert stroll.at == path


def test_a_closed_chat_that_nobody_named_is_no_response_at_once() -> None:
    stroll = Stroll(send("chat", "{replied: talked, no_response: rest}")).send("chat")
    stroll.respond("closed", "bored")
    assert stroll.at == "end:rest"
    assert stroll.customer.now == NOON


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
    stroll = Stroll(send(channel, then)).send(channel, tracked=tracked)
    for outcome in words:
        stroll.respond(outcome)
        assert stroll.at == "m"
    stroll.wake()
    assert stroll.at == f"end:{end}"
    assert stroll.customer.now == NOON + 2 * DAY


@pytest.mark.parametrize("channel", ["in_app", "whatsapp", "chat"])
@pytest.mark.parametrize(("words", "end"), [((), "rest"), (("seen",), "seen"), (("seen", "clicked"), "rest")])
def test_seen_without_doing_anything(channel: str, words: tuple[str, ...], end: str) -> None:
    stroll = Stroll(send(channel, "{seen_no_action: seen, no_response: rest}")).send(channel)
    for outcome in words:
        stroll.respond(outcome)
    stroll.wake()
    assert stroll.at == f"end:{end}"


def test_unknown_that_nobody_named_is_no_response_at_the_end_and_not_before() -> None:
    stroll = Stroll(send("email", "{opened_no_click: opened, no_response: rest}")).send(tracked=False)
    stroll.after(DAY).respond("opened_by_machine")
    assert stroll.at == "m"
    stroll.wake()
    assert (stroll.at, stroll.customer.now) == ("end:rest", NOON + 2 * DAY)


@pytest.mark.parametrize(
    "channel", [row for row in BUILT_IN if len(row.judged) > 1], ids=lambda row: row.name
)
def test_the_most_specific_word_is_judged_first(channel: ChannelTraits) -> None:
    first = channel.judged[0]
    stroll = Stroll(send(channel.name, f"{{{first}: hit, no_response: rest}}")).send(channel.name)
    stroll.respond({"seen_no_action": "seen", "opened_no_click": "opened"}[first])
    stroll.wake()
    assert stroll.at == "end:hit"


def test_an_open_of_somebody_held_out_is_never_unknown() -> None:
    then = "{unknown: dark, no_response: rest}"
    stroll = Stroll(send("email", then), held_out=True)
    stroll.settle(DeliveryOutcome.HELD_OUT)
    stroll.wake()
    assert stroll.at == "end:rest"


# --- links, answers and closing reasons -----------------------------------------------------------------------------


def test_links_are_told_apart_by_name() -> None:
    then = "{clicked: {book: hit, else: seen}, no_response: rest}"
    for link, end in (("book", "hit"), ("terms", "seen"), (None, "seen")):
        stroll = Stroll(send("email", then)).send()
        stroll.respond("clicked", link)
        assert stroll.at == f"end:{end}"


def test_a_link_that_nobody_named_moves_nobody() -> None:
    stroll = Stroll(send("email", "{clicked: {book: hit}, no_response: rest}")).send()
    stroll.respond("clicked", "terms")
    assert stroll.at == "m"
    stroll.wake()
    assert stroll.at == "end:rest"


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
    stroll = Stroll(send("email", then))
    stroll.settle(outcome)
    assert stroll.at == f"end:{end}"
    assert stroll.customer.now == NOON


def test_patience_bounds_every_deferral() -> None:
    stroll = Stroll(send("email", "{not_sent: gone, no_response: rest}"))
    assert stroll.phase is Phase.UNSENT
    assert stroll.due == NOON + 3 * DAY
    stroll.wake()
    assert stroll.at == "end:gone"
    assert [one.reason for one in stroll.all(WithdrawMessage)] == ["patience is over"]


def test_the_wait_counts_from_the_hand_over_and_then_from_the_sending() -> None:
    stroll = Stroll(send("email", "{no_response: rest}")).after(5 * HOUR)
    stroll.hand_over()
    assert (stroll.phase, stroll.due) == (Phase.HANDED, NOON + 5 * HOUR + 2 * DAY)
    stroll.after(HOUR).settle(DeliveryOutcome.SENT)
    assert (stroll.phase, stroll.due) == (Phase.LISTENING, NOON + 6 * HOUR + 2 * DAY)


def test_a_result_told_twice_does_not_move_the_wait() -> None:
    stroll = Stroll(send("email", "{no_response: rest}")).send()
    stroll.after(HOUR).settle(DeliveryOutcome.SENT)
    assert stroll.due == NOON + 2 * DAY


def test_a_hand_over_that_is_to_be_tried_again_keeps_its_patience() -> None:
    stroll = Stroll(send("email", "{no_response: rest}")).after(HOUR)
    stroll.hand_over()
    stroll.settle(DeliveryOutcome.TRY_AGAIN)
    assert (stroll.phase, stroll.due) == (Phase.UNSENT, NOON + 3 * DAY)


def test_an_abandoned_message_may_have_gone_out_and_is_listened_for() -> None:
    stroll = Stroll(send("email", "{clicked: hit, no_response: rest}"))
    stroll.hand_over()
    stroll.after(HOUR).settle(DeliveryOutcome.ABANDONED)
    assert (stroll.at, stroll.due) == ("m", NOON + 2 * DAY)
    stroll.respond("clicked")
    assert stroll.at == "end:hit"


def test_an_answer_may_come_before_the_result_of_the_hand_over() -> None:
    stroll = Stroll(send("email", "{clicked: hit, no_response: rest}"))
    stroll.hand_over()
    stroll.respond("clicked")
    stroll.tell(Settled(visit=1, outcome=DeliveryOutcome.SENT, at=NOON, channel="email"))
    assert stroll.path() == ["m:clicked"]
    assert stroll.state.any_sent


# --- late -----------------------------------------------------------------------------------------------------------

TWO = """
one: {send: {channel: email, template: m}, wait: 1d, then: {clicked: two, replied: two, no_response: two}}
two: {send: {channel: email, template: n}, wait: 2d, then: {clicked: hit, no_response: rest}}
brief: {handoff: {to: crm, template: b}, then: rest}
hit: {end: hit}
rest: {end: rest}
"""


def late(more: str = "at_any_step: {call_booked: brief}") -> Stroll:
    stroll = Stroll(TWO, more).send()
    stroll.wake()
    stroll.send()
    assert (stroll.at, stroll.visit) == ("two", 2)
    return stroll


def test_a_late_answer_is_recorded_and_moves_nobody() -> None:
    stroll = late()
    decision = stroll.respond("clicked", visit=1)
    assert (stroll.at, stroll.visit) == ("two", 2)
    assert [one.event for one in decision.entries] == ["late_response"]
    assert stroll.state.heard == {}


def test_a_late_answer_moves_when_at_any_step_names_it() -> None:
    stroll = late("at_any_step: {replied: brief}")
    stroll.respond("replied", visit=1)
    assert stroll.at == "brief"


SURVEY = """
why:  {ask: {channel: email, question: Why, answers: {price: Price, boss: Boss}, saves: reason}, wait: 1d, then: rest}
rest: {wait: 9d, then: done}
done: {end: done}
"""


def asked_long_ago(steps: str = SURVEY) -> Stroll:
    stroll = Stroll(steps).send()
    stroll.wake()
    assert stroll.at == "rest"
    return stroll


def test_a_late_answer_is_kept_and_moves_nobody() -> None:
    stroll = asked_long_ago()
    decision = stroll.respond("answered", "price", visit=1, step="why")
    assert (stroll.at, [one.event for one in decision.entries]) == ("rest", ["late_response"])
    assert (stroll.state.answers, stroll.state.saved) == ({"why": "price"}, {"reason": "price"})
    assert folded(stroll.journal) == stroll.state


def test_the_first_answer_to_a_question_stays() -> None:
    stroll = asked_long_ago()
    stroll.respond("answered", "price", visit=1, step="why")
    stroll.respond("answered", "boss", visit=1, step="why")
    assert (stroll.state.answers, stroll.state.saved) == ({"why": "price"}, {"reason": "price"})


def test_an_ended_run_keeps_a_late_answer_and_nothing_else() -> None:
    stroll = asked_long_ago()
    stroll.wake()
    assert stroll.at == "end:done"
    ended = stroll.state
    stroll.respond("clicked", visit=1, step="why")
    assert stroll.state == ended
    stroll.respond("answered", "boss", visit=1, step="why")
    assert stroll.state == replace(ended, answers={"why": "boss"}, saved={"reason": "boss"})


def test_who_waits_for_an_answer_goes_on_when_it_comes_late() -> None:
    waiting = "rest: {wait_until: {answer.why: price}, wait: 9d, then: {met: thanks, no_response: done}}"
    stroll = asked_long_ago(
        SURVEY.replace("rest: {wait: 9d, then: done}", waiting) + "thanks: {end: thanks}\n"
    )
    stroll.respond("answered", "price", visit=1, step="why")
    assert stroll.at == "end:thanks"


def test_a_late_no_is_at_least_a_reply() -> None:
    stroll = late("at_any_step: {replied: brief}")
    stroll.respond("negative", visit=1)
    assert stroll.at == "brief"


def test_a_late_bounce_is_no_reason_to_move() -> None:
    stroll = late("at_any_step: {not_sent: brief}")
    stroll.respond("bounced", visit=1)
    assert stroll.at == "two"


def test_an_answer_to_a_message_that_was_never_sent_is_late() -> None:
    stroll = Stroll(send("email", "{clicked: hit, no_response: rest}"))
    stroll.tell(Responded(visit=stroll.visit, outcome="clicked", occurred_at=NOON))
    assert stroll.at == "m"
    assert stroll.journal[-1].event == "late_response"
