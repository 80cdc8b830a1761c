"""Walks from start to end, one for each way a step is left, and what a late or doubled word may do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels.base import OutboundMessage, Receipt, ReceiptKind
from orchestrator.errors import StartRefused
from orchestrator.ids import MESSAGE, public_id
from orchestrator.records.intake import Identify, Track
from tests.support.engine import NOON, Scene, one_message, playbook

EMAIL = playbook(
    "offer",
    """\
  mail:
    send: {channel: email, template: note}
    wait: 2d
    then:
      {clicked: clicked, replied: replied, negative: negative, bounced: bounced, failed: failed, not_sent: not_sent,
       opened_no_click: opened, unknown: unknown, no_response: nothing}
  clicked: {end: clicked}
  replied: {end: replied}
  negative: {end: negative}
  bounced: {end: bounced}
  failed: {end: failed}
  not_sent: {end: not_sent}
  opened: {end: opened}
  unknown: {end: unknown}
  nothing: {end: nothing}
""",
)
IN_APP = playbook(
    "modal",
    """\
  show:
    send: {channel: in_app, template: note, as: modal}
    wait: 12h
    then: {clicked: clicked, dismissed: dismissed, seen_no_action: seen, no_response: nothing}
  clicked: {end: clicked}
  dismissed: {end: dismissed}
  seen: {end: seen}
  nothing: {end: nothing}
""",
)


def mailed(scene: Scene) -> None:
    scene.publish_playbooks(EMAIL)
    scene.person()
    scene.start("anna", "offer")
    scene.drain()


@pytest.mark.parametrize("outcome", ["clicked", "replied", "negative"])
def test_an_answer_moves_at_once(scene: Scene, outcome: str) -> None:
    mailed(scene)
    scene.respond("anna", outcome)
    scene.drain()
    assert scene.path("anna") == [f"mail:{outcome}", outcome]
    assert scene.clock.now == NOON


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ((), "nothing"),
        ((ReceiptKind.DELIVERED,), "nothing"),
        ((ReceiptKind.OPENED,), "opened"),
        ((ReceiptKind.OPENED_BY_MACHINE,), "unknown"),
        ((ReceiptKind.OPENED_BY_MACHINE, ReceiptKind.OPENED), "opened"),
        ((ReceiptKind.CLICKED_BY_MACHINE,), "nothing"),
        ((ReceiptKind.CLICKED,), "clicked"),
        ((ReceiptKind.BOUNCED,), "bounced"),
        ((ReceiptKind.BLOCKED,), "failed"),
        ((ReceiptKind.FAILED,), "failed"),
        ((ReceiptKind.REPLIED,), "replied"),
    ],
)
def test_what_the_provider_tells_is_judged(scene: Scene, words: tuple[ReceiptKind, ...], end: str) -> None:
    mailed(scene)
    for outcome in words:
        scene.provider_reports("anna", outcome)
    scene.let_pass(days=3)
    assert scene.path("anna")[-1] == end


def test_nobody_who_may_not_be_tracked_is_called_silent(scene: Scene) -> None:
    scene.publish_playbooks(EMAIL)
    scene.person(region="DE")
    scene.start("anna", "offer")
    scene.let_pass(days=3)
    assert scene.path("anna")[-1] == "unknown"
    assert scene.given[0].track is False


@pytest.mark.parametrize(
    ("region", "leads_to"), [("US", "http://127.0.0.1:8080/c/"), ("DE", "https://shop.example/plans")]
)
def test_without_consent_to_tracking_links_do_not_lead_by_way_of_us(
    scene: Scene, region: str, leads_to: str
) -> None:
    """A redirect that knows who clicked is tracking as much as a pixel is."""
    scene.publish_playbooks(EMAIL, one_message("modal", "in_app"))
    scene.person(region=region)
    scene.start("anna", "offer")
    scene.start("anna", "modal")
    scene.drain()
    links = {one.channel: one.content.links["plans"] for one in scene.given}
    assert links["email"].startswith(leads_to)
    assert links["in_app"].startswith("http://127.0.0.1:8080/c/"), "the feed hears of clicks by itself"


@pytest.mark.parametrize(
    ("outcome", "end"), [("clicked", "clicked"), ("dismissed", "dismissed"), ("seen", "seen")]
)
def test_what_a_person_does_in_the_product_is_an_outcome(scene: Scene, outcome: str, end: str) -> None:
    scene.publish_playbooks(IN_APP)
    scene.person()
    scene.start("anna", "modal")
    scene.drain()
    scene.respond("anna", outcome)
    scene.let_pass(days=1)
    assert scene.path("anna")[-1] == end


def test_the_wait_counts_from_the_hand_over(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("offer"), policy='quiet_hours: {email: {from: "10:00", until: "20:00"}}\n'
    )
    scene.person()
    scene.start("anna", "offer")
    scene.let_pass(hours=7, minutes=59)
    assert scene.given == []
    scene.let_pass(hours=1)
    assert scene.value("SELECT sent_at FROM messages") == NOON + timedelta(hours=8)
    scene.let_pass(days=5)
    assert scene.value("SELECT ended_at FROM enrollments") == NOON + timedelta(days=2, hours=8)


def test_a_committed_answer_beats_a_time_out_in_the_same_batch(scene: Scene) -> None:
    mailed(scene)
    scene.skip(days=2, seconds=1)
    scene.respond("anna", "clicked")
    scene.drain()
    assert scene.path("anna") == ["mail:clicked", "clicked"]


def test_an_answer_may_come_before_the_result_of_its_own_sending(scene: Scene) -> None:
    scene.publish_playbooks(EMAIL)
    scene.person()
    scene.start("anna", "offer")

    def clicks_at_once(message: OutboundMessage) -> None:
        scene.engine.respond(message.message_id, "clicked")

    scene.outbox.channels["email"].before = clicks_at_once
    scene.drain()
    assert scene.path("anna") == ["mail:clicked", "clicked"]
    assert scene.messages() == [("mail", "email", "sent")]


def test_a_callback_may_come_before_the_result_of_its_own_sending(scene: Scene) -> None:
    scene.publish_playbooks(EMAIL)
    scene.person()
    scene.start("anna", "offer")
    scene.outbox.channels["email"].before = lambda _: scene.provider_reports("anna", ReceiptKind.DELIVERED)
    scene.drain()
    assert scene.messages() == [("mail", "email", "sent")]
    words = [row.kind for row in scene.rows("SELECT kind FROM receipts ORDER BY kind")]
    assert words == ["delivered", "sent"], "the answer of the sending is kept as well"
    assert scene.value("SELECT provider_id FROM messages") is not None


def test_a_late_answer_is_kept_and_moves_nobody(scene: Scene) -> None:
    mailed(scene)
    scene.let_pass(days=3)
    scene.respond("anna", "clicked")
    scene.drain()
    assert scene.path("anna") == ["mail:no_response", "nothing"]
    assert "clicked" in scene.value("SELECT responses FROM messages")


def test_a_late_answer_named_for_any_step_does_move(scene: Scene) -> None:
    steps = (
        "  mail: {send: {channel: email, template: note}, wait: 1d, then: rest}\n"
        "  rest: {wait: 20d, then: done}\n  back: {end: back}\n  done: {end: finished}\n"
    )
    scene.publish_playbooks(playbook("offer", steps, more="at_any_step: {replied: back}\n"))
    scene.person()
    scene.start("anna", "offer")
    scene.let_pass(days=5)
    scene.respond("anna", "replied", step="mail")
    scene.drain()
    assert scene.path("anna")[-1] == "back"


def test_a_doubled_callback_is_one_receipt(scene: Scene) -> None:
    mailed(scene)
    for _ in range(3):
        scene.provider_reports("anna", ReceiptKind.OPENED, source_id="the same each time")
    scene.drain()
    assert scene.value("SELECT count(*) FROM receipts WHERE kind = 'opened'") == 1


def test_a_callback_about_nobody_does_not_cost_the_others(scene: Scene) -> None:
    mailed(scene)

    def receipt(message: str | None, source: str, **more: Any) -> Receipt:
        return Receipt(
            source="sendgrid",
            source_id=source,
            kind=ReceiptKind.CLICKED,
            occurred_at=NOON,
            message_id=message,
            **more,
        )

    report = scene.engine.receive(
        [
            receipt(public_id(MESSAGE, 999_999, 5), "a"),
            receipt("rubbish", "b"),
            receipt(None, "c", provider_id="unknown"),
            receipt(None, "d"),
            receipt(scene.message_id("anna"), "e"),
        ]
    )
    assert report.taken == 1
    assert [one.index for one in report.refused] == [0, 1, 2, 3]
    scene.drain()
    assert scene.path("anna")[-1] == "clicked"


def test_a_bounce_marks_the_address_until_a_new_one_is_told(scene: Scene) -> None:
    mailed(scene)
    scene.provider_reports("anna", ReceiptKind.BOUNCED, code="550")
    scene.drain()
    assert scene.value("SELECT invalid_reason FROM contact_points WHERE channel = 'email'") == "550"
    assert scene.value("SELECT count(*) FROM cooldowns") == 0, "nobody ignored what she never got"
    scene.skip(hours=2)
    scene.start("anna", "offer")
    scene.drain()
    assert scene.reasons()[-1] == "reachable"
    scene.engine.identify([Identify(key="anna", traits={"email": "new@shop.example"})])
    scene.start("anna", "offer")
    scene.drain()
    assert scene.messages()[-1] == ("mail", "email", "sent")
    assert scene.given[-1].address == "new@shop.example"


def test_a_complaint_is_an_opt_out(scene: Scene) -> None:
    mailed(scene)
    scene.provider_reports("anna", ReceiptKind.COMPLAINED)
    scene.drain()
    ledger = scene.rows("SELECT action, channel, method FROM consent_ledger WHERE action = 'revoked'")
    assert ledger == [("revoked", "email", "spam_report")]
    scene.skip(hours=2)
    with pytest.raises(StartRefused):
        scene.start("anna", "offer")


def test_a_goal_ends_the_walk_and_names_the_message_that_led_to_it(scene: Scene) -> None:
    steps = (
        "  mail:  {send: {channel: email, template: note}, wait: 1d, then: watch}\n"
        "  watch: {wait: 20d, then: done}\n  done: {end: finished}\n"
    )
    scene.publish_playbooks(
        playbook("offer", steps, more="goal: {event: plan_upgraded, within: 30d, value: mrr_delta}\n"),
        one_message("other", "in_app", wait="20d", more="goal: {event: limit_reached, within: 30d}\n"),
    )
    scene.person()
    scene.start("anna", "offer")
    scene.start("anna", "other")
    scene.let_pass(days=5)
    scene.engine.track([Track(key="anna", event="plan_upgraded", properties={"mrr_delta": 49.5})])
    scene.drain()
    assert scene.path("anna", playbook="offer")[-1] == "converted"
    assert scene.path("anna", playbook="other")[-1] == "stopped", (
        "who took one offer is left alone by the others"
    )
    any_sent = scene.rows(
        "SELECT m.step, v.value FROM conversions v LEFT JOIN messages m"
        " ON m.customer_id = v.customer_id AND m.id = v.message_id"
    )
    assert any_sent == [("mail", 49.5)]


def test_a_goal_after_the_end_still_counts_within_its_time(scene: Scene) -> None:
    more = "goal: {event: plan_upgraded, within: 10d}\n"
    scene.publish_playbooks(one_message("offer", wait="1d", more=more))
    scene.person()
    scene.start("anna", "offer")
    scene.let_pass(days=5)
    scene.engine.track([Track(key="anna", event="plan_upgraded")])
    scene.drain()
    assert scene.path("anna") == ["say:no_response", "finished"]
    assert scene.value("SELECT message_id IS NOT NULL FROM conversions") is True
    scene.engine.track([Track(key="anna", event="plan_upgraded")])
    scene.drain()
    assert scene.value("SELECT count(*) FROM conversions") == 1


def test_who_ignored_everything_rests(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"), policy="rests: {ignored: 14d}\n")
    scene.person()
    scene.start("anna", "offer")
    scene.let_pass(days=3)
    assert scene.value("SELECT ends_at FROM cooldowns") == NOON + timedelta(days=16)


def test_nothing_is_ever_due_after_the_end(scene: Scene) -> None:
    mailed(scene)
    scene.let_pass(days=3)
    assert scene.engine.next_due() is None


def test_a_goal_between_the_trigger_and_the_worker_counts(scene: Scene) -> None:
    """Given a worker that comes late, when the offer was taken before it came, then nobody is written to."""
    entry = "enter: {when: limit_reached, because: you were here, reentry: {after: 1h}}\n"
    scene.publish_playbooks(one_message("quick", more=f"{entry}goal: {{event: plan_upgraded, within: 5d}}\n"))
    scene.person()
    early = NOON - timedelta(seconds=6)
    scene.engine.track(
        [
            Track(key="anna", event="limit_reached", occurred_at=early),
            Track(key="anna", event="plan_upgraded", occurred_at=early + timedelta(seconds=5)),
        ]
    )
    scene.drain()
    assert scene.spoken("anna") == []
    assert scene.rows("SELECT end_status FROM enrollments")[0].end_status == "converted"


def test_what_lies_before_the_walk_moves_nobody(scene: Scene) -> None:
    scene.publish_playbooks(
        playbook(
            "patient",
            """\
  idle: {wait: 2d, then: {session_started: seen, no_response: nothing}}
  seen: {end: seen}
  nothing: {end: nothing}
""",
        )
    )
    scene.person()
    scene.start("anna", "patient")
    scene.engine.track([Track(key="anna", event="session_started", occurred_at=NOON - timedelta(days=3))])
    scene.drain()
    assert scene.step("anna") == "idle"


def test_an_enrollment_that_ends_with_a_message_that_cannot_be_planned_ends_once(scene: Scene) -> None:
    """The first message was ignored, the second has no address: one end, and one cooldown after it."""
    steps = (
        "  mail: {send: {channel: email, template: note}, wait: 1d, then: text}\n"
        "  text: {send: {channel: sms, template: note}, wait: 1d, then: done}\n"
        "  done: {end: finished}\n"
    )
    scene.publish_playbooks(playbook("offer", steps))
    scene.person(phone=None)
    scene.start("anna", "offer")
    scene.drain()
    scene.let_pass(days=2)
    assert scene.messages()[-1] == ("text", "sms", "not_sent")
    assert scene.value("SELECT count(*) FROM journal WHERE event = 'ended'") == 1
    assert scene.value("SELECT count(*) FROM cooldowns") == 1
