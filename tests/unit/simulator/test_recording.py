"""A recording plays what was recorded, when it was recorded; people who listen are invented on demand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from channels.base import Content, OutboundMessage
from orchestrator.records.intake import Identify, Track
from orchestrator.simulator.actions import Reached
from orchestrator.simulator.recording import Recording
from orchestrator.simulator.seeded_choice import SeededChoice

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=30)
HOUR = timedelta(hours=1)


def a_signal(hours: int, *, customer: str = "ada", name: str = "used") -> Track:
    return Track(key=customer, event=name, occurred_at=START + hours * HOUR)


def a_message(customer: str) -> Reached:
    message = OutboundMessage(
        message_id=f"m_{customer}",
        customer_id=1,
        customer_key=customer,
        channel="in_app",
        address=customer,
        content=Content(text="Hello"),
        topic="upsell",
        promotional=True,
    )
    return Reached(message=message, playbook="p", step="s", context={}, at=START)


def test_facts_come_in_the_order_of_their_instants() -> None:
    recording = Recording([a_signal(5), a_signal(2), a_signal(9)], start=START, end=END)
    assert recording.next_at() == START + 2 * HOUR
    assert [deed.at for deed in recording.until(START + 6 * HOUR)] == [START + 2 * HOUR, START + 5 * HOUR]
    assert recording.next_at() == START + 9 * HOUR


def test_equal_instants_keep_the_order_of_the_recording() -> None:
    names = ["third", "first", "second"]
    recording = Recording([a_signal(1, name=name) for name in names], start=START, end=END)
    told = [deed.what for deed in recording.until(END)]
    assert [fact.event for fact in told if isinstance(fact, Track)] == names


def test_facts_without_an_instant_are_known_from_the_beginning() -> None:
    recording = Recording([Identify(key="ada", traits={})], start=START, end=END)
    assert recording.next_at() == START


def test_nobody_hears_a_recording() -> None:
    recording = Recording([], start=START, end=END)
    recording.reach([a_message(f"customer-{number}") for number in range(50)])
    assert recording.next_at() is None


def test_invented_people_react_and_stop_at_the_end() -> None:
    recording = Recording([], start=START, end=END, fates=SeededChoice(1))
    recording.reach([a_message(f"customer-{number}") for number in range(50)])
    heard = recording.until(END)
    assert len({deed.customer for deed in heard}) > 10
    assert all(START < deed.at < END for deed in heard)
    assert [deed.at for deed in heard] == sorted(deed.at for deed in heard)
