"""What people do with messages: possible for the channel, and the same each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels.base import Content, OutboundMessage, Receipt, ReceiptKind
from orchestrator.simulator.actions import ActOnMessage, OptOut
from orchestrator.simulator.crowd.people import Person, make_crowd
from orchestrator.simulator.crowd.reactions import Reaction, ReceivedMessage, reactions_to
from orchestrator.simulator.seeded_choice import SeededChoice

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
FATES = SeededChoice(11)
PEOPLE = make_crowd(500, fates=FATES, start=NOW)


def a_message(channel: str, *, kind: str = "send", content: Content | None = None) -> OutboundMessage:
    return OutboundMessage(
        message_id="m_1-1",
        customer_id=1,
        customer_key="someone",
        channel=channel,
        address="somewhere",
        content=content or Content(text="Hello", links={"plans": "https://x.example"}),
        topic="upsell",
        promotional=True,
        kind=kind,
    )


def heard_by(person: Person, message: OutboundMessage, **changes: object) -> list[Reaction]:
    heard = replace(ReceivedMessage(person=person, message=message, number=1, at=NOW), **changes)  # type: ignore[arg-type]
    return list(reactions_to(heard, FATES))


def of_everybody(message: OutboundMessage, **changes: object) -> list[Reaction]:
    return [reaction for person in PEOPLE for reaction in heard_by(person, message, **changes)]


def words(reactions: list[Reaction]) -> set[str]:
    return {_said(one.what) for one in reactions}


def _said(what: object) -> str:
    return str(getattr(what, "outcome", None) or getattr(what, "kind", type(what).__name__))


@pytest.mark.parametrize("channel", ["in_app", "email", "sms", "chat"])
def test_a_message_is_met_the_same_way_each_time(channel: str) -> None:
    assert of_everybody(a_message(channel)) == of_everybody(a_message(channel))


@pytest.mark.parametrize("channel", ["in_app", "email", "sms", "chat"])
def test_nobody_reacts_before_the_message(channel: str) -> None:
    assert all(reaction.at > NOW for reaction in of_everybody(a_message(channel)))


def test_in_the_product_people_see_click_dismiss_or_refuse() -> None:
    assert words(of_everybody(a_message("in_app"))) == {"seen", "clicked", "dismissed", "negative"}


def test_email_is_opened_clicked_answered_bounced_refused_and_touched_by_machines() -> None:
    found = [one for number in range(12) for one in of_everybody(a_message("email"), number=number)]
    assert words(found) == {
        "opened", "clicked", "replied", "bounced", "complained", "OptOut", "opened_by_machine", "clicked_by_machine",
    }  # fmt: skip


def test_sms_has_no_opens_and_is_stopped_by_a_word() -> None:
    found = of_everybody(a_message("sms"))
    assert ReceiptKind.OPENED not in words(found)
    stops = [one.what for one in found if isinstance(one.what, Receipt) and one.what.kind == "opted_out"]
    assert stops
    assert all(stop.text for stop in stops)


def test_a_bad_address_bounces_and_nothing_else() -> None:
    person = next(person for person in PEOPLE if person.bad_email)
    (only,) = heard_by(person, a_message("email"))
    assert isinstance(only.what, Receipt)
    assert only.what.kind is ReceiptKind.BOUNCED


def test_an_opt_out_by_link_is_for_the_topic_or_for_everything() -> None:
    outs = [one.what for one in of_everybody(a_message("email")) if isinstance(one.what, OptOut)]
    assert {out.topic for out in outs} == {"upsell", "*"}


def test_a_question_is_answered_with_one_of_its_keys() -> None:
    content = Content(text="Why?", choices=(("price", "Too dear"), ("later", "Not now")))
    answers = [one.what for one in of_everybody(a_message("in_app", kind="ask", content=content))]
    given = {
        answer.detail
        for answer in answers
        if isinstance(answer, ActOnMessage) and answer.outcome == "answered"
    }
    assert given == {"price", "later"}


def test_a_scale_is_answered_within_it() -> None:
    content = Content(text="How likely?", scale=(0, 10))
    answers = [one.what for one in of_everybody(a_message("email", kind="ask", content=content))]
    given = [
        answer.detail
        for answer in answers
        if isinstance(answer, ActOnMessage) and answer.outcome == "answered"
    ]
    assert len(set(given)) > 3
    assert all(0 <= int(score or -1) <= 10 for score in given)


def test_a_hand_over_is_closed_days_later_with_one_of_its_words() -> None:
    found = of_everybody(a_message("crm", kind="handoff"), endings=("lost", "won"))
    assert {one.what.detail for one in found if isinstance(one.what, ActOnMessage)} == {"lost", "won"}
    assert all(one.at >= NOW + timedelta(hours=4) for one in found)


def test_the_next_message_has_another_fate() -> None:
    first, second = (of_everybody(a_message("email"), number=number) for number in (1, 2))
    assert [one.at for one in first] != [one.at for one in second]


def test_only_a_click_tempts() -> None:
    for channel in ("in_app", "email", "sms", "chat"):
        for reaction in of_everybody(a_message(channel)):
            assert reaction.taken == (_said(reaction.what) == "clicked")
