"""The feed asks again when it shows: what came since an item reached it hides it, and only as long as it lasts."""

from __future__ import annotations

import pytest

from orchestrator.records.intake import Identify, Track
from tests.support.engine import SIGNALS, Scene, one_message
from tests.support.statements import counted

FEW_SEATS = "holds:\n  few_seats: {title: few seats, while: {seats: {less_than: 10}}}\n"
TROUBLE = "holds:\n  trouble: {title: trouble, while: {ticket_opened: {times: 2, within: 3d}}}\n"
COMPUTED = SIGNALS + "computed:\n  worries: {type: number, count: ticket_opened, within: 3d}\n"
WORRIED = "holds:\n  worried: {title: worried, while: {worries: {at_least: 2}}}\n"


def card(name: str, **more: str) -> str:
    return one_message(name, "in_app", wait="10d", **more)


def shown(scene: Scene, *, limit: int = 20) -> tuple[list[str], int]:
    """The playbooks whose items anna sees, newest first, and how many of all she may see are unread."""
    customer = scene.value("SELECT id FROM customers WHERE key = 'anna'")
    found = scene.engine.feed(customer, limit=limit)
    return [item.playbook for item in found.items], found.unread


def offer(scene: Scene, *names: str) -> None:
    for name in names:
        scene.start("anna", name)
        scene.drain()
        scene.skip(minutes=1)


def seats(scene: Scene, number: int) -> None:
    scene.engine.identify([Identify(key="anna", traits={"seats": number})])
    scene.drain()


def ticket(scene: Scene) -> None:
    scene.engine.track([Track(key="anna", event="ticket_opened")])
    scene.drain()


def test_a_hold_on_an_attribute_hides_an_item_as_long_as_it_stands(scene: Scene) -> None:
    scene.publish_playbooks(card("offer"), policy=FEW_SEATS)
    scene.person(seats=20)
    offer(scene, "offer")
    assert shown(scene) == (["offer"], 1)
    seats(scene, 3)
    assert shown(scene) == ([], 0)
    seats(scene, 30)
    assert shown(scene) == (["offer"], 1)


def test_a_hold_on_history_ends_by_time_alone(scene: Scene) -> None:
    scene.publish_playbooks(card("offer"), policy=TROUBLE)
    scene.person()
    offer(scene, "offer")
    ticket(scene)
    assert shown(scene) == (["offer"], 1), "one is no trouble yet"
    ticket(scene)
    assert shown(scene) == ([], 0)
    scene.skip(days=3)
    assert shown(scene) == (["offer"], 1)


def test_what_expires_while_it_is_hidden_does_not_come_back(scene: Scene) -> None:
    scene.publish_playbooks(card("offer").replace("wait: 10d", "wait: 1d"), policy=TROUBLE)
    scene.person()
    offer(scene, "offer")
    ticket(scene)
    ticket(scene)
    scene.let_pass(days=4)
    assert shown(scene) == ([], 0)


def test_a_hold_may_stand_on_a_computed_value(scene: Scene) -> None:
    scene.publish_playbooks(card("offer"), policy=WORRIED, signals=COMPUTED)
    scene.person()
    offer(scene, "offer")
    ticket(scene)
    assert shown(scene) == (["offer"], 1)
    ticket(scene)
    assert shown(scene) == ([], 0)


def test_a_hold_hides_its_own_topics_and_never_a_notice(scene: Scene) -> None:
    notice = card("notice").replace("topic: upsell", "topic: service")
    other = card("other").replace("topic: upsell", "topic: cross_sell")
    only_upsell = FEW_SEATS.replace("title: few seats,", "title: few seats, topics: [upsell],")
    scene.publish_playbooks(card("offer"), other, notice, policy=only_upsell)
    scene.person(seats=20)
    offer(scene, "offer", "other", "notice")
    seats(scene, 3)
    assert shown(scene) == (["notice", "other"], 2)


def test_what_is_hidden_takes_no_room_from_what_may_be_seen(scene: Scene) -> None:
    notice = card("notice").replace("topic: upsell", "topic: service")
    scene.publish_playbooks(notice, card("offer"), card("second"), policy=FEW_SEATS)
    scene.person(seats=20)
    offer(scene, "notice", "offer", "second")
    assert shown(scene, limit=1) == (["second"], 3)
    seats(scene, 3)
    assert shown(scene, limit=1) == (["notice"], 1)


def test_what_was_seen_is_not_counted(scene: Scene) -> None:
    scene.publish_playbooks(card("offer"), card("second"), policy=FEW_SEATS)
    scene.person(seats=20)
    offer(scene, "offer", "second")
    scene.execute(
        "UPDATE feed_items SET seen_at = now() WHERE message_id = (SELECT min(message_id) FROM feed_items)"
    )
    assert shown(scene) == (["second", "offer"], 1)


@pytest.mark.parametrize(("policy", "expected"), [("", 6), (FEW_SEATS, 8), (TROUBLE, 9)])
def test_it_takes_as_many_statements_for_one_item_as_for_many(
    scene: Scene, policy: str, expected: int
) -> None:
    scene.publish_playbooks(*(card(f"offer{number}") for number in range(8)), policy=policy)
    scene.person(seats=20)
    counts = []
    for number in range(8):
        offer(scene, f"offer{number}")
        shown(scene)  # what is published is looked at by the clock on the wall
        with counted(scene.engine.database) as statements:
            names, _ = shown(scene)
        assert len(names) == number + 1
        counts.append(len([one for one in statements if "playbook_states" not in one]))
    assert counts == [expected] * 8
