"""Opt-outs: in force from their commit, over everything they name and nothing else; the receipt tells the truth."""

from __future__ import annotations

from datetime import timedelta

import pytest

from channels.base import OutboundMessage, Receipt, ReceiptKind, SendStatus
from orchestrator.errors import InputError, NotFound, StartRefused
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.preferences import StoppedMessage
from tests.support.engine import EVIDENCE, NOON, TEMPLATES, Scene, one_message, playbook

LATE = 'quiet_hours: {email: {from: "10:00", until: "20:00"}}\n'  # whatever is for email waits


def test_everything_stops_over_all_playbooks_and_channels(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("mail"),
        one_message("modal", "in_app"),
        one_message("text", "sms").replace("topic: upsell", "topic: cross_sell"),
        policy=LATE + "waiting: {holds: defer}\n",
    )
    scene.person()
    for name in ("mail", "modal", "text"):
        scene.start("anna", name)
    scene.drain()
    receipt = scene.opted_out("anna")
    assert (receipt.already, receipt.effective_at) == (False, NOON)
    assert receipt.ended_playbooks == ("mail", "modal", "text")
    assert set(receipt.messages) == {
        StoppedMessage(playbook="mail", step="say", channel="email", status="cancelled"),
        StoppedMessage(playbook="modal", step="say", channel="in_app", status="withdrawn"),
    }, "the text was sent and cannot be called back"
    assert scene.value("SELECT withdrawn_at FROM feed_items") == NOON
    scene.drain()
    assert scene.value("SELECT count(*) FROM timers") == 0
    scene.let_pass(days=30)
    assert scene.spoken("anna") == [("anna", "in_app"), ("anna", "sms")]


@pytest.mark.parametrize(
    ("scope", "path", "hint"),
    [
        ({"channel": "emial"}, "$.channel", "did you mean 'email'?"),
        ({"topic": "upsel"}, "$.topic", "did you mean 'upsell'?"),
        ({"channel": "webhook"}, "$.channel", "expected"),
    ],
)
def test_a_slip_in_the_scope_is_refused_and_stops_nothing(
    scene: Scene, scope: dict[str, str], path: str, hint: str
) -> None:
    """A product that believes it opted somebody out of "emial" would go on sending email."""
    scene.publish_playbooks(one_message("mail"), policy=LATE)
    scene.person()
    for say in (scene.engine.opt_out, scene.engine.opt_in):
        with pytest.raises(InputError) as refused:
            say("anna", evidence=EVIDENCE, **scope)
        assert refused.value.path == path
        assert hint in str(refused.value)
    assert scene.value("SELECT count(*) FROM consent_ledger WHERE source = 'tests' AND channel <> 'sms'") == 0
    assert scene.value("SELECT count(*) FROM parked") == 0


def test_a_link_to_a_topic_that_is_no_more_still_works(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    old = ConsentEvidence(method="one_click", source="m_1")
    assert scene.engine.opt_out("anna", topic="spring_sale", evidence=old).already is False
    assert scene.value("SELECT count(*) FROM consents WHERE topic = 'spring_sale' AND NOT granted") == 1


def test_a_channel_that_a_package_adds_can_be_refused(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"), policy="channels: [push]\n")
    scene.person()
    scene.opted_out("anna", channel="push")
    assert "push" in scene.engine.preferences("anna").channels


def test_again_is_harmless_and_says_so(scene: Scene) -> None:
    scene.person()
    assert scene.opted_out("anna").already is False
    again = scene.opted_out("anna")
    assert (again.already, again.messages, again.ended_playbooks) == (True, (), ())
    assert scene.opted_out("anna", channel="email", topic="upsell").already is True
    assert scene.value("SELECT count(*) FROM consent_ledger WHERE action = 'revoked'") == 1


@pytest.mark.parametrize(
    ("opened", "stopped"),
    [
        ({"channel": "email", "topic": "upsell"}, {}),
        ({"channel": "email"}, {"topic": "upsell"}),
        ({"topic": "upsell"}, {"channel": "email"}),
    ],
)
def test_a_no_also_stops_what_a_narrower_yes_had_opened(
    scene: Scene, opened: dict[str, str], stopped: dict[str, str]
) -> None:
    """Given "stop everything" and a yes to a part, a second no that covers the part is news and no repetition."""
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    scene.opted_out("anna")
    scene.skip(minutes=1)
    scene.engine.opt_in("anna", evidence=EVIDENCE, **opened)
    scene.skip(minutes=1)
    assert scene.opted_out("anna", **stopped).already is False
    with pytest.raises(StartRefused, match="opted out"):
        scene.start("anna", "mail")
    assert scene.opted_out("anna", **stopped).already is True


def test_a_repeated_source_is_one_ledger_row(scene: Scene) -> None:
    scene.person()
    scene.opted_out("anna", topic="upsell", source_id="click 1")
    scene.skip(seconds=1)
    scene.engine.opt_in("anna", topic="upsell", evidence=EVIDENCE)
    scene.skip(seconds=1)
    scene.opted_out("anna", topic="upsell", source_id="click 1")
    assert scene.value("SELECT count(*) FROM consent_ledger WHERE action = 'revoked'") == 1


def test_one_channel_stops_and_the_others_go_on(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"), one_message("either", "[email, in_app]"), policy=LATE)
    scene.person()
    scene.start("anna", "mail")
    scene.start("anna", "either")
    scene.drain()
    receipt = scene.opted_out("anna", channel="email")
    assert [(one.playbook, one.status) for one in receipt.messages] == [("mail", "cancelled")]
    assert receipt.ended_playbooks == (), "what becomes of it the playbook decides, as soon as it hears of it"
    scene.drain()
    assert scene.path("anna", playbook="mail") == ["say:not_sent", "finished"]
    assert scene.spoken() == [("anna", "in_app")]


def test_a_channel_only_opt_out_after_sending_is_a_negative_answer(scene: Scene) -> None:
    steps = (
        "  say:  {send: {channel: email, template: note}, wait: 2d, then: {negative: no, no_response: done}}\n"
        "  no:   {end: declined}\n  done: {end: finished}\n"
    )
    scene.publish_playbooks(playbook("mail", steps))
    scene.person()
    scene.start("anna", "mail")
    scene.drain()
    scene.opted_out("anna", channel="email")
    scene.drain()
    assert scene.path("anna") == ["say:negative", "declined"]


def test_a_walk_whose_only_preferred_channel_she_leaves_does_not_wait_for_it(scene: Scene) -> None:
    """Only the template knows that the channel she prefers can be nothing but email."""
    file = scene.folder / "offer" / "short.email.txt"
    file.parent.mkdir(parents=True)
    file.write_text(TEMPLATES["note.email.txt"])
    steps = "  say: {send: {channel: preferred, template: short}, wait: 1d, then: done}\n  done: {end: finished}\n"
    scene.publish_playbooks(playbook("offer", steps), policy=LATE)
    scene.person()
    scene.start("anna", "offer")
    receipt = scene.opted_out("anna", channel="email")
    assert [one.status for one in receipt.messages] == ["cancelled"]
    scene.drain()
    assert scene.path("anna") == ["say:not_sent", "finished"]


def test_a_complaint_reaches_a_person_also_when_she_leaves_right_after_it(scene: Scene) -> None:
    """It is nothing promotional, and nothing is said to her: the opt-out stops the offers alone."""
    complaint = playbook(
        "complaint",
        "  tell: {handoff: {to: crm, template: brief}, wait: 1d, then: done}\n  done: {end: finished}\n",
        topic="service",
        more="context: {from_playbook: text, from_step: text, said: text}\n",
    )
    scene.publish_playbooks(one_message("mail"), complaint, policy="feedback: {negative: complaint}\n")
    scene.person()
    scene.start("anna", "mail")
    scene.drain()
    scene.respond("anna", "negative")
    assert scene.opted_out("anna").ended_playbooks == ("mail",), "it has not heard of the complaint yet"
    scene.drain()
    assert scene.messages() == [("say", "email", "sent"), ("tell", "crm", "sent")]


def test_one_topic_stops_and_the_others_go_on(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("mail"), one_message("cross").replace("topic: upsell", "topic: cross_sell"), policy=LATE
    )
    scene.person()
    scene.start("anna", "mail")
    scene.start("anna", "cross")
    assert scene.opted_out("anna", topic="upsell").ended_playbooks == ("mail",)
    scene.let_pass(days=1)
    assert scene.spoken() == [("anna", "email")]


def test_a_walk_may_say_where_an_opt_out_leads(scene: Scene) -> None:
    steps = (
        "  say:   {send: {channel: email, template: note}, wait: 2d, then: done}\n"
        "  pause: {cooldown: 30d, then: done}\n  done: {end: finished}\n"
    )
    scene.publish_playbooks(playbook("mail", steps, more="at_any_step: {opted_out: pause}\n"), policy=LATE)
    scene.person()
    scene.start("anna", "mail")
    assert scene.opted_out("anna").ended_playbooks == ()
    scene.drain()
    assert scene.step("anna") == "pause"
    scene.let_pass(days=40)
    assert scene.path("anna") == ["say:opted_out", "pause:no_response", "finished"]
    assert scene.given == []


def test_an_unseen_message_that_was_kept_is_hidden_too(scene: Scene) -> None:
    steps = (
        "  show: {send: {channel: in_app, template: note, keep: 7d}, wait: 1h, then: rest}\n"
        "  rest: {wait: 20d, then: done}\n  done: {end: finished}\n"
    )
    scene.publish_playbooks(playbook("modal", steps))
    scene.person()
    scene.start("anna", "modal")
    scene.let_pass(days=1)
    assert scene.step("anna") == "rest"
    receipt = scene.opted_out("anna")
    assert [(one.playbook, one.status) for one in receipt.messages] == [("modal", "withdrawn")]
    assert scene.value("SELECT withdrawn_at FROM feed_items") == scene.clock.now


def test_what_is_on_the_wire_is_told_as_such(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"), one_message("modal", "in_app"))
    scene.person()
    scene.start("anna", "mail")
    scene.provider_fails("email", SendStatus.UNCERTAIN)
    scene.drain()
    receipt = scene.opted_out("anna")
    assert [(one.channel, one.status) for one in receipt.messages] == [("email", "on_the_wire")]
    assert receipt.ended_playbooks == ("mail",)


def test_an_opt_out_while_a_modal_is_being_handed_over_hides_it(scene: Scene) -> None:
    scene.publish_playbooks(one_message("modal", "in_app"))
    scene.person()
    scene.start("anna", "modal")

    def opts_out(_: OutboundMessage) -> None:
        scene.opted_out("anna")

    scene.outbox.channels["in_app"].before = opts_out
    scene.drain()
    assert scene.value("SELECT withdrawn_at FROM feed_items") == NOON
    assert scene.messages() == [("say", "in_app", "sent")]


def test_an_opt_in_opens_only_what_it_names(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"), one_message("modal", "in_app"))
    scene.person()
    scene.opted_out("anna")
    scene.skip(minutes=1)
    scene.engine.opt_in("anna", channel="email", topic="upsell", evidence=EVIDENCE)
    scene.start("anna", "mail")
    with pytest.raises(StartRefused):
        scene.start("anna", "modal")
    scene.drain()
    assert scene.spoken() == [("anna", "email")]
    states = {(one.channel, one.topic): one.granted for one in scene.engine.preferences("anna").states}
    assert states == {("*", "*"): False, ("email", "upsell"): True, ("sms", "*"): True}


@pytest.mark.parametrize("outcome", [ReceiptKind.COMPLAINED, ReceiptKind.OPTED_OUT])
def test_what_a_provider_reports_stops_everyone_at_the_address(scene: Scene, outcome: ReceiptKind) -> None:
    """Two customers share a mailbox; whoever reads it complains about the mail of one."""
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    scene.person("bob", email="anna@shop.example")
    scene.person("carl")
    for key in ("anna", "carl"):
        scene.start(key, "mail")
    scene.drain()
    scene.provider_reports("anna", outcome, channel="email", address="anna@shop.example")
    with pytest.raises(StartRefused, match="opted out"):
        scene.start("bob", "mail")
    scene.drain()
    assert scene.path("anna") == ["say:negative", "finished"]
    assert scene.path("carl") == []


def test_a_yes_that_is_reported_late_does_not_undo_the_no_that_followed_it(scene: Scene) -> None:
    """Providers report in no order: she came back and left again, and the coming back is heard of last."""
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    for outcome, minutes in ((ReceiptKind.OPTED_OUT, 20), (ReceiptKind.OPTED_IN, 10)):
        scene.skip(hours=1)
        scene.engine.receive(
            [
                Receipt(
                    kind=outcome,
                    source="sendgrid",
                    source_id=outcome,
                    occurred_at=NOON + timedelta(minutes=minutes),
                    channel="email",
                    address="anna@shop.example",
                )
            ]
        )
    with pytest.raises(StartRefused, match="opted out"):
        scene.start("anna", "mail")
    scene.skip(hours=1)
    scene.engine.opt_in("anna", channel="email", evidence=EVIDENCE)
    scene.start("anna", "mail")


def test_a_yes_to_everything_takes_back_each_no(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"), one_message("text", "sms"))
    scene.person()
    scene.opted_out("anna", topic="upsell")
    scene.opted_out("anna", channel="sms")
    scene.skip(minutes=1)
    scene.engine.opt_in("anna", evidence=EVIDENCE)
    scene.start("anna", "mail")
    scene.start("anna", "text")
    scene.drain()
    assert len(scene.given) == 2


def test_the_erased_leave_nothing_and_nothing_reaches_them(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"), one_message("modal", "in_app"), policy=LATE)
    scene.person(first_name="Anna")
    scene.start("anna", "mail")
    scene.start("anna", "modal")
    scene.drain()
    scene.engine.erase("anna")
    assert scene.value("SELECT count(*) FROM timers") == 0
    assert scene.value("SELECT withdrawn_at IS NOT NULL AND content = '{}' FROM feed_items") is True
    scene.let_pass(days=30)
    assert scene.spoken() == [("anna", "in_app")]
    with pytest.raises(NotFound):
        scene.engine.erase("anna")
    with pytest.raises(NotFound):
        scene.engine.opt_out("anna", evidence=EVIDENCE)


@pytest.mark.parametrize("channel", ["in_app", "email"])
def test_what_was_on_the_wire_at_an_erasure_leaves_no_copy(scene: Scene, channel: str) -> None:
    """The provider's answer comes after she was forgotten: it is filed without what was said to her."""
    scene.publish_playbooks(one_message("say", channel))
    scene.person(first_name="Anna")

    def forgotten(_: OutboundMessage) -> None:
        scene.engine.erase("anna")

    scene.outbox.channels[channel].before = forgotten
    scene.start("anna", "say")
    scene.drain()
    assert [row.status for row in scene.rows("SELECT status FROM messages")] == ["sent"]
    for table in ("feed_items", "sandbox_inbox"):
        assert scene.value(f"SELECT count(*) FROM {table} WHERE content <> '{{}}'") == 0, table


def test_a_report_without_a_channel_stops_every_channel_and_opens_none(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    scene.start("anna", "mail")
    scene.drain()
    scene.provider_reports("anna", ReceiptKind.OPTED_OUT, channel=None)
    reported = scene.engine.receive(
        [
            Receipt(
                kind=ReceiptKind.OPTED_IN,
                source="acme",
                source_id="acme-1",
                occurred_at=scene.clock.now,
                message_id=scene.message_id("anna"),
            )
        ]
    )
    assert [(one.path, one.problem) for one in reported.refused] == [
        ("$[0].channel", "a yes must name its channel")
    ]
    states = {(one.channel, one.topic): one.granted for one in scene.engine.preferences("anna").states}
    assert states[("*", "*")] is False
