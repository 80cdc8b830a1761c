"""What becomes of a message: each fate a provider may deal it, and what waits, gives way or is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from channels.base import OutboundMessage, ReceiptKind, SendStatus
from orchestrator.errors import StartRefused
from orchestrator.records.intake import Track
from tests.support.engine import EVIDENCE, NOON, TEMPLATES, Scene, one_message, playbook

TELLING = playbook(
    "offer",
    """\
  say:
    send: {channel: email, template: note}
    wait: 2d
    then: {bounced: bounced, failed: failed, not_sent: not_sent, no_response: nothing}
  bounced: {end: bounced}
  failed: {end: failed}
  not_sent: {end: not_sent}
  nothing: {end: nothing}
""",
)
ONE_A_WEEK = "caps:\n  - {at_most: 1, within: 7d}\n"


@pytest.fixture
def offered(scene: Scene) -> Scene:
    scene.publish_playbooks(TELLING)
    scene.person()
    scene.start("anna", "offer")
    return scene


def test_a_refusal_is_final_and_gives_the_place_back(offered: Scene) -> None:
    offered.provider_fails("email", SendStatus.REFUSED, code="400")
    offered.drain()
    assert offered.messages() == [("say", "email", "refused")]
    assert offered.path("anna") == ["say:failed", "failed"]
    assert offered.value("SELECT count(*) FROM cap_slots") == 0


def test_a_refused_address_is_not_used_again(offered: Scene) -> None:
    offered.provider_fails("email", SendStatus.REFUSED, code="550", mark_address=True)
    offered.drain()
    assert offered.path("anna") == ["say:bounced", "bounced"]
    assert offered.value("SELECT invalid_reason FROM contact_points WHERE channel = 'email'") == "550"


def test_a_try_later_waits_longer_each_time_and_ends_in_one_sending(offered: Scene) -> None:
    offered.provider_fails("email", SendStatus.TRY_AGAIN, times=4)
    waits = []
    for _ in range(4):
        before = offered.clock.now
        offered.drain()
        due = offered.engine.next_due()
        assert due is not None
        waits.append((due - before).total_seconds())
        assert offered.value("SELECT count(*) FROM cap_slots") == 0
        offered.clock.move_to(due)
    offered.drain()
    assert offered.messages() == [("say", "email", "sent")]
    assert all(15 * 2**n <= wait <= 30 * 2**n for n, wait in enumerate(waits)), waits
    assert offered.value("SELECT attempt FROM messages") == 5
    assert offered.value("SELECT handed_at FROM messages") == offered.clock.now


def test_the_provider_says_when_to_try_again(offered: Scene) -> None:
    offered.provider_fails("email", SendStatus.TRY_AGAIN, times=1, retry_after=90)
    offered.drain()
    assert offered.engine.next_due() == NOON + timedelta(seconds=90)
    offered.let_pass(seconds=90)
    assert offered.messages() == [("say", "email", "sent")]


def test_a_try_later_without_end_fails_at_last(offered: Scene) -> None:
    offered.provider_fails("email", SendStatus.TRY_AGAIN)
    offered.let_pass(days=1)
    assert offered.messages() == [("say", "email", "refused")]
    assert offered.path("anna") == ["say:failed", "failed"]
    assert len(offered.given) == 6


def test_an_uncertain_one_is_settled_by_a_callback_and_counts_meanwhile(offered: Scene) -> None:
    offered.provider_fails("email", SendStatus.UNCERTAIN)
    offered.drain()
    assert offered.messages() == [("say", "email", "uncertain")]
    assert offered.value("SELECT count(*) FROM cap_slots") == 1
    offered.let_pass(minutes=10)
    offered.provider_reports("anna", ReceiptKind.DELIVERED)
    offered.drain()
    assert offered.messages() == [("say", "email", "sent")]
    offered.let_pass(days=3)
    assert offered.path("anna") == ["say:no_response", "nothing"]
    assert len(offered.given) == 1


def test_an_uncertain_one_nobody_speaks_of_is_abandoned_never_sent_again(offered: Scene) -> None:
    offered.provider_fails("email", SendStatus.UNCERTAIN, times=1)
    offered.let_pass(hours=2)
    assert offered.messages() == [("say", "email", "abandoned")]
    assert offered.value("SELECT count(*) FROM cap_slots") == 1, "it may have been sent: it counts"
    offered.let_pass(days=3)
    assert offered.path("anna") == ["say:no_response", "nothing"]
    assert len(offered.given) == 1


def test_a_very_late_callback_proves_even_an_abandoned_one(offered: Scene) -> None:
    offered.provider_fails("email", SendStatus.UNCERTAIN, times=1)
    offered.let_pass(hours=2)
    offered.provider_reports("anna", ReceiptKind.DELIVERED)
    offered.drain()
    assert offered.messages() == [("say", "email", "sent")]


def test_an_opt_out_at_the_provider_reaches_our_ledger_and_other_walks(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer", "sms"), one_message("other", "sms", more="priority: 10\n"))
    scene.person()
    scene.start("anna", "offer")
    scene.start("anna", "other")
    scene.provider_fails("sms", SendStatus.OPTED_OUT, code="21610", times=1)
    scene.drain()
    last = scene.rows("SELECT action, channel, method FROM consent_ledger ORDER BY id DESC LIMIT 1")
    assert last == [("revoked", "sms", "provider_sync")]
    assert sorted(status for _, _, status in scene.messages()) in (
        ["refused", "sent"],
        ["refused", "withdrawn"],
    )
    scene.skip(days=3)
    scene.drain()
    assert scene.value("SELECT count(*) FROM timers") == 0


def test_a_template_that_fails_is_the_outcome_failed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        TEMPLATES, "note.email.txt", TEMPLATES["note.email.txt"] + "{{ first_name | default(1/0) }}"
    )
    try:
        scene.publish_playbooks(TELLING)
    except Exception:  # noqa: BLE001 - the check may see it first; then the template is spoilt behind its back
        monkeypatch.undo()
        scene.publish_playbooks(TELLING)
        scene.execute(
            "UPDATE playbooks SET templates = replace(templates::text, 'plans', '{{ 1/0 }}')::jsonb"
        )
    scene.person()
    scene.start("anna", "offer")
    scene.drain()
    assert scene.path("anna") == ["say:failed", "failed"]
    assert scene.value("SELECT code FROM messages") == "template"
    assert scene.given == []


def test_an_adapter_that_raises_leaves_its_message_uncertain_and_the_others_sent(scene: Scene) -> None:
    scene.publish_playbooks(TELLING)
    for key in ("anna", "bea", "cleo"):
        scene.person(key)
        scene.start(key, "offer")

    def breaks(message: OutboundMessage) -> None:
        if message.customer_key == "bea":
            raise RuntimeError

    scene.outbox.channels["email"].before = breaks
    scene.drain()
    statuses = {key: scene.messages(key)[0][2] for key in ("anna", "bea", "cleo")}
    assert statuses == {"anna": "sent", "bea": "uncertain", "cleo": "sent"}


def test_who_dies_at_the_hand_over_leaves_it_uncertain_after_the_lease(offered: Scene) -> None:
    class Killed(BaseException):
        pass

    def dies(_: OutboundMessage) -> None:
        raise Killed

    offered.outbox.channels["email"].before = dies
    with pytest.raises(Killed):
        offered.drain()
    offered.outbox.channels["email"].before = None
    assert offered.messages() == [("say", "email", "handing_over")]
    offered.let_pass(seconds=59)
    assert offered.messages() == [("say", "email", "handing_over")]
    offered.let_pass(seconds=2)
    assert offered.messages() == [("say", "email", "uncertain")]
    offered.let_pass(days=3)
    assert offered.messages() == [("say", "email", "abandoned")]
    assert len(offered.given) == 1


def test_patience_ends_what_a_cap_holds_back(scene: Scene) -> None:
    scene.publish_playbooks(
        TELLING.replace("offer", "first"),
        TELLING.replace("template: note}", "template: note, patience: 1d}"),
        policy=ONE_A_WEEK + "rests: {ignored: 1h}\n",
    )
    scene.person()
    scene.start("anna", "first")
    scene.drain()
    scene.start("anna", "offer")
    scene.let_pass(days=2)
    assert scene.path("anna", playbook="offer") == ["say:not_sent", "not_sent"]
    assert scene.value("SELECT ended_at FROM enrollments WHERE playbook = 'offer'") == NOON + timedelta(
        days=1
    )
    assert len(scene.given) == 1


def test_a_capped_message_goes_out_when_there_is_room(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("first"),
        one_message("second", patience="10d"),
        policy=ONE_A_WEEK + "rests: {ignored: 1h}\n",
    )
    scene.person()
    scene.start("anna", "first")
    scene.drain()
    scene.start("anna", "second")
    scene.let_pass(days=9)
    handed = [row.handed_at for row in scene.rows("SELECT handed_at FROM messages ORDER BY id")]
    assert handed == [NOON, NOON + timedelta(days=7)]


def test_when_capped_skip_does_not_wait(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("first"), one_message("second", when_capped="skip"), policy=ONE_A_WEEK
    )
    scene.person()
    scene.start("anna", "first")
    scene.drain()
    scene.start("anna", "second")
    scene.drain()
    assert scene.messages()[1][2] == "not_sent"
    assert scene.reasons()[1] == "frequency_cap"


def test_when_capped_a_fallback_channel_speaks(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("first"),
        one_message("second", when_capped="{fallback: in_app}"),
        policy="caps:\n  - {at_most: 1, within: 7d, channel: email}\n",
    )
    scene.person()
    scene.start("anna", "first")
    scene.drain()
    scene.start("anna", "second")
    scene.drain()
    assert scene.spoken() == [("anna", "email"), ("anna", "in_app")]
    assert scene.messages()[1] == ("say", "in_app", "sent")


def test_of_a_list_of_channels_the_first_that_may_speak_does(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer", "[sms, email, in_app]"))
    scene.person("anna", phone=None)
    scene.start("anna", "offer")
    scene.drain()
    assert scene.messages() == [("say", "email", "sent")]


def test_of_a_list_of_channels_the_first_that_may_speak_later_waits(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("offer", "[sms, email]"),
        policy='quiet_hours: {email: {from: "10:00", until: "20:00"}}\n',
    )
    scene.person("anna", phone=None)
    scene.start("anna", "offer")
    scene.let_pass(hours=9)
    assert scene.value("SELECT sent_at FROM messages") == NOON + timedelta(hours=8)


@pytest.mark.parametrize(
    "channel", ["channel: [email, in_app]", "channel: email, when_capped: {fallback: in_app}"]
)
def test_what_waits_for_several_channels_leaves_by_the_one_that_opens_first(
    scene: Scene, channel: str
) -> None:
    """Email is full for a week, longer than the message is patient; in the product it is only night."""
    scene.publish_playbooks(
        one_message("first"),
        one_message("second").replace("channel: email", channel),
        policy="caps:\n  - {at_most: 1, within: 7d, channel: email}\n"
        'quiet_hours: {in_app: {from: "10:00", until: "20:00"}}\n',
    )
    scene.person()
    scene.start("anna", "first")
    scene.drain()
    scene.start("anna", "second")
    scene.let_pass(days=1)
    handed = scene.rows("SELECT channel, handed_at FROM messages WHERE playbook = 'second'")
    assert [tuple(row) for row in handed] == [("in_app", NOON + timedelta(hours=8))]


def test_preferred_is_the_channel_the_customer_answers_on(scene: Scene) -> None:
    steps = (
        "  say: {send: {channel: preferred, among: [email, in_app], template: note}, wait: 1d, then: done}\n"
        "  done: {end: finished}\n"
    )
    scene.publish_playbooks(one_message("modal", "in_app", wait="1d"), playbook("offer", steps))
    for key in ("anna", "bea"):
        scene.person(key)
        scene.start(key, "modal")
    scene.drain()
    scene.respond("anna", "clicked")
    scene.drain()
    scene.let_pass(days=15)
    for key in ("anna", "bea"):
        scene.engine.track([Track(key=key, event="session_started")])
        scene.start(key, "offer")
    scene.drain()
    assert scene.messages("anna")[-1][1] == "in_app"
    assert scene.messages("bea")[-1][1] == "email"


def test_preferred_without_a_list_is_among_the_channels_the_template_has_words_for(scene: Scene) -> None:
    """Given words for sms alone, nobody gets an email that cannot be written."""
    steps = "  say: {send: {channel: preferred, template: short}, wait: 1d, then: done}\n  done: {end: finished}\n"
    file = scene.folder / "offer" / "short.sms.txt"
    file.parent.mkdir(parents=True)
    file.write_text("A short note. Reply STOP to opt out\n")
    scene.publish_playbooks(playbook("offer", steps))
    scene.person()
    scene.start("anna", "offer")
    scene.drain()
    assert scene.messages() == [("say", "sms", "sent")]


def test_the_last_place_goes_to_the_more_important(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("small", more="priority: 10\n"),
        one_message("big", more="priority: 90\n"),
        policy=ONE_A_WEEK,
    )
    scene.person()
    scene.start("anna", "small")
    scene.start("anna", "big")
    scene.drain()
    assert [scene.value("SELECT playbook FROM messages WHERE status = 'sent'")] == ["big"]
    assert len(scene.given) == 1


def test_room_that_opens_goes_to_the_more_important_even_if_it_came_later(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("first"),
        one_message("small", patience="20d", more="priority: 10\n"),
        one_message("big", patience="20d", more="priority: 90\n"),
        policy=ONE_A_WEEK + "rests: {ignored: 1h}\n",
    )
    scene.person()
    scene.start("anna", "first")
    scene.drain()
    scene.start("anna", "small")
    scene.let_pass(days=3)
    scene.start("anna", "big")
    scene.let_pass(days=5)
    assert [
        row.playbook for row in scene.rows("SELECT playbook FROM messages WHERE status = 'sent' ORDER BY id")
    ] == [
        "first",
        "big",
    ]


def test_the_held_out_walk_the_same_way_and_hear_nothing(scene: Scene) -> None:
    scene.publish_playbooks(
        TELLING.replace("topic: upsell", "topic: upsell\nholdout: 100%"),
        one_message("other"),
        policy=ONE_A_WEEK,
    )
    scene.person()
    walk = scene.start("anna", "offer")
    assert walk.held_out
    scene.drain()
    assert scene.messages() == [("say", "email", "held_out")]
    assert scene.value("SELECT shadow FROM cap_slots") is True
    scene.start("anna", "other")
    scene.drain()
    assert scene.messages()[-1][2] == "sent", "a shadow takes no real place"
    scene.let_pass(days=3)
    assert scene.path("anna", playbook="offer") == ["say:no_response", "nothing"]
    assert scene.spoken() == [("anna", "email")]


def test_what_became_stale_is_not_said(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("offer", stale_after="2h"),
        policy='quiet_hours: {email: {from: "10:00", until: "20:00"}}\n',
    )
    scene.person()
    scene.start("anna", "offer")
    scene.let_pass(hours=9)
    assert scene.messages() == [("say", "email", "not_sent")]
    assert scene.reasons() == ["stale"]
    assert scene.value("SELECT why FROM verdicts WHERE policy = 'stale'") == "planned more than 2h ago"


def test_a_hold_is_asked_again_when_it_closes(scene: Scene) -> None:
    """Given a hold that may last for weeks, when its signal closes it, then the message leaves at once."""
    scene.publish_playbooks(
        one_message("offer"),
        policy="holds:\n  open: {title: a ticket, opened_by: ticket_opened, closed_by: ticket_closed, longest: 30d}\n",
    )
    scene.person()
    scene.engine.track([Track(key="anna", event="ticket_opened")])
    scene.start("anna", "offer")
    scene.let_pass(hours=5)
    assert scene.given == []
    scene.engine.track([Track(key="anna", event="ticket_closed")])
    scene.drain()
    assert scene.messages() == [("say", "email", "sent")]


def test_a_failing_provider_is_left_alone_and_uses_no_attempts(scene: Scene) -> None:
    scene.publish_playbooks(TELLING)
    keys = scene.people(12)
    for key in keys:
        scene.start(key, "offer")
    scene.provider_fails("email", SendStatus.UNCERTAIN)
    scene.engine.deliver(limit=5)
    assert len(scene.given) == 5
    scene.engine.deliver(limit=5)
    assert len(scene.given) == 5, "the breaker is open"
    assert scene.value("SELECT count(*) FROM messages WHERE status = 'planned' AND attempt = 0") == 7
    scene.provider_heals("email")
    scene.let_pass(minutes=1)
    assert scene.value("SELECT count(*) FROM messages WHERE status = 'sent'") == 7


def test_consent_that_a_channel_needs_is_asked_for(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer", "sms"))
    scene.person()
    scene.opted_out("anna", channel="sms")
    scene.engine.opt_in("anna", channel="sms", topic="cross_sell", evidence=EVIDENCE)
    with pytest.raises(StartRefused):
        scene.start("anna", "offer")
    scene.skip(seconds=1)
    scene.engine.opt_in("anna", channel="sms", topic="upsell", evidence=EVIDENCE)
    scene.start("anna", "offer")
    scene.drain()
    assert scene.spoken() == [("anna", "sms")]
