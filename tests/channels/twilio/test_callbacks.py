from __future__ import annotations

import hashlib
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from channels.base import Receipt, ReceiptKind
from channels.errors import BadSignatureError
from channels.twilio.callbacks import parse_conversation, parse_inbound, parse_status, verify
from tests.channels import build
from tests.channels.receiver import Receiver
from tests.fakes.provider import FakeProvider
from tests.fakes.signing import twilio_signature

TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
STATUS_URL = "https://hooks.example.test/webhooks/twilio/status?m=m_1"


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def status(**fields: str) -> Receipt:
    body = form(MessageSid="SM1", To="+14155550101", **fields)
    (receipt,) = parse_status(body, STATUS_URL, received_at=build.NOON).receipts
    return receipt


def inbound(text: str, **fields: str) -> tuple[Receipt, ...]:
    body = form(MessageSid="SM9", From="+14155550101", To="+15005550006", Body=text, **fields)
    return parse_inbound(body, received_at=build.NOON).receipts


class TestSignature:
    """The published examples of the signature, by their figures."""

    CALL: ClassVar = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }

    def test_the_published_example_verifies(self) -> None:
        verify(form(**self.CALL), {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, URL, TOKEN)

    def test_our_fakes_signature_is_the_published_one(self) -> None:
        assert twilio_signature(TOKEN, URL, list(self.CALL.items())) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="

    def test_the_published_example_with_a_repeated_field_verifies(self) -> None:
        pairs = [
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ]
        signature = "IK+Dwps556ElfBT0I3Rgjkr1wJU="
        verify(urlencode(pairs).encode(), {"X-Twilio-Signature": signature}, URL, TOKEN)
        assert twilio_signature(TOKEN, URL, pairs) == signature

    def test_the_published_example_of_a_json_body_verifies_and_its_body_counts(self) -> None:
        body = b'{"property": "value", "boolean": true}'
        url = f"{URL}&bodySHA256={hashlib.sha256(body).hexdigest()}"
        headers = {"X-Twilio-Signature": "a9nBmqA0ju/hNViExpshrM61xv4="}
        verify(body, headers, url, TOKEN)
        with pytest.raises(BadSignatureError):
            verify(body + b" ", headers, url, TOKEN)

    def test_blank_values_and_spaces_count(self) -> None:
        pairs = [("Body", "  two  "), ("Empty", "")]
        headers = {"X-Twilio-Signature": twilio_signature(TOKEN, URL, pairs)}
        verify(urlencode(pairs).encode(), headers, URL, TOKEN)
        with pytest.raises(BadSignatureError):
            verify(b"Body=two", headers, URL, TOKEN)

    @pytest.mark.parametrize("signature", [None, "", "nonsense", "é", "RSOYDt4T1cUTdK1PDd93/VVr8B9="])
    def test_nonsense_is_refused_and_never_raises_anything_else(self, signature: str | None) -> None:
        headers = {} if signature is None else {"X-Twilio-Signature": signature}
        with pytest.raises(BadSignatureError):
            verify(form(**self.CALL), headers, URL, TOKEN)

    @pytest.mark.parametrize(
        "url", ["https://mycompany.com/myapp.php", "https://host:port/", "", "https://[::1"]
    )
    def test_another_url_does_not_fit(self, url: str) -> None:
        with pytest.raises(BadSignatureError):
            verify(form(**self.CALL), {"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, url, TOKEN)

    def test_the_caller_does_not_choose_the_algorithm(self) -> None:
        signature = RequestValidator(TOKEN).compute_signature(URL, self.CALL, "HMAC_SHA256")
        headers = {
            "X-Twilio-Signature": signature,
            "X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256",
        }
        with pytest.raises(BadSignatureError):
            verify(form(**self.CALL), headers, URL, TOKEN)
        verify(form(**self.CALL), headers, URL, TOKEN, algorithm="HMAC_SHA256")


def test_a_status_the_provider_fires_verifies_and_names_our_message(
    provider: FakeProvider, receiver: Receiver
) -> None:
    url = receiver.url + "/status?m=m_1"
    sent = build.sms(provider).send(build.outgoing("sms", status_url=url))
    assert provider.fire_status("m_1", "delivered") == 200
    (got,) = receiver.got
    verify(got.body, got.headers, got.url, provider.auth_token)
    (receipt,) = parse_status(got.body, got.url, received_at=build.NOON).receipts
    assert (receipt.kind, receipt.message_id) == (ReceiptKind.DELIVERED, "m_1")
    assert receipt.provider_id == sent.provider_id
    assert receipt.source_id == f"{sent.provider_id}:delivered"

    provider.fire_status("m_1", "delivered", corrupt=True)
    with pytest.raises(BadSignatureError):
        verify(receiver.got[1].body, receiver.got[1].headers, got.url, provider.auth_token)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("accepted", ReceiptKind.PROGRESS),
        ("queued", ReceiptKind.PROGRESS),
        ("sending", ReceiptKind.PROGRESS),
        ("sent", ReceiptKind.PROGRESS),
        ("DELIVERED", ReceiptKind.DELIVERED),
        ("read", ReceiptKind.OPENED),
        ("failed", ReceiptKind.FAILED),
        ("undelivered", ReceiptKind.FAILED),
        ("canceled", ReceiptKind.FAILED),
    ],
)
def test_a_status_becomes_its_word(name: str, word: ReceiptKind) -> None:
    assert status(MessageStatus=name).kind is word


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("30003", ReceiptKind.FAILED),
        ("30008", ReceiptKind.FAILED),
        ("30005", ReceiptKind.BOUNCED),
        ("30006", ReceiptKind.BOUNCED),
        ("30007", ReceiptKind.BLOCKED),
        ("30004", ReceiptKind.BLOCKED),
        ("21610", ReceiptKind.OPTED_OUT),
        ("63014", ReceiptKind.OPTED_OUT),
        ("12345", ReceiptKind.FAILED),
    ],
)
def test_a_failure_says_what_its_code_means(code: str, word: ReceiptKind) -> None:
    receipt = status(MessageStatus="undelivered", ErrorCode=code)
    assert (receipt.kind, receipt.code) == (word, code)


def test_a_code_of_a_message_that_arrived_means_nothing() -> None:
    assert status(MessageStatus="delivered", ErrorCode="30005").kind is ReceiptKind.DELIVERED
    assert status(MessageStatus="delivered", ErrorCode="0").code is None


def test_whatsapp_numbers_lose_their_prefix_and_keep_their_channel() -> None:
    body = form(MessageSid="SM1", To="whatsapp:+14155550101", MessageStatus="read")
    (receipt,) = parse_status(body, STATUS_URL, received_at=build.NOON).receipts
    assert (receipt.channel, receipt.address) == ("whatsapp", "+14155550101")


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", form(MessageSid="SM1"), form(MessageSid="S", MessageStatus="odd")]
)
def test_a_status_that_cannot_be_read_is_a_problem(body: bytes) -> None:
    parsed = parse_status(body, STATUS_URL, received_at=build.NOON)
    assert (len(parsed.receipts), len(parsed.problems)) == (0, 1)


def test_stop_is_an_opt_out_that_the_provider_has_answered() -> None:
    (receipt,) = inbound("Stop")
    assert receipt.kind is ReceiptKind.OPTED_OUT
    assert (receipt.address, receipt.channel, receipt.text) == ("+14155550101", "sms", "Stop")
    assert receipt.detail["answered_by_provider"] == "true"


def test_a_revocation_in_free_words_is_an_opt_out_that_nobody_has_answered() -> None:
    (receipt,) = inbound("please stop texting me")
    assert receipt.kind is ReceiptKind.OPTED_OUT
    assert "answered_by_provider" not in receipt.detail
    assert receipt.detail["matched"]


def test_the_providers_label_comes_before_our_own_reading() -> None:
    (receipt,) = inbound("no gracias amigo", OptOutType="STOP")
    assert (receipt.kind, receipt.code) == (ReceiptKind.OPTED_OUT, "STOP")


def test_a_yes_that_the_provider_took_for_a_start_stays_an_answer_too() -> None:
    words = [receipt.kind for receipt in inbound("Yes", OptOutType="START")]
    assert words == [ReceiptKind.OPTED_IN, ReceiptKind.REPLIED]
    assert [receipt.kind for receipt in inbound("Yes")] == [ReceiptKind.REPLIED]
    assert [receipt.kind for receipt in inbound("START", OptOutType="START")] == [ReceiptKind.OPTED_IN]


def test_other_words_are_replies_and_a_pressed_button_is_kept() -> None:
    (receipt,) = inbound("Too expensive", ButtonPayload="price")
    assert (receipt.kind, receipt.text) == (ReceiptKind.REPLIED, "Too expensive")
    assert receipt.detail["button"] == "price"
    assert inbound("help")[0].kind is ReceiptKind.HELP


def test_an_inbound_message_the_provider_fires_verifies(provider: FakeProvider, receiver: Receiver) -> None:
    provider.fire_inbound(receiver.url + "/in", "+14155550101", "¡Alto! 🛑", opt_out_type="STOP")
    (got,) = receiver.got
    verify(got.body, got.headers, got.url, provider.auth_token)
    (receipt,) = parse_inbound(got.body, received_at=build.NOON).receipts
    assert (receipt.kind, receipt.text) == (ReceiptKind.OPTED_OUT, "¡Alto! 🛑")


class TestConversation:
    def read(self, receiver: Receiver, provider: FakeProvider, **facts: Any) -> tuple[Receipt, ...]:
        got = receiver.got[-1]
        verify(got.body, got.headers, got.url, provider.auth_token)
        return parse_conversation(got.body, received_at=build.NOON, **facts).receipts

    def test_a_reply_names_the_conversation_that_the_send_gave(
        self, provider: FakeProvider, receiver: Receiver
    ) -> None:
        sent = build.chat(provider).send(build.outgoing("chat"))
        provider.fire_conversation(
            receiver.url + "/chat", "onMessageAdded", "m_1", Author="ada", Body="tell me more"
        )
        (receipt,) = self.read(receiver, provider)
        assert (receipt.kind, receipt.text, receipt.address) == (ReceiptKind.REPLIED, "tell me more", "ada")
        assert receipt.provider_id == sent.provider_id

    def test_our_own_echo_is_not_news(self, provider: FakeProvider, receiver: Receiver) -> None:
        build.chat(provider).send(build.outgoing("chat"))
        provider.fire_conversation(receiver.url + "/chat", "onMessageAdded", "m_1", Author="team", Body="hi")
        assert self.read(receiver, provider) == ()
        assert len(self.read(receiver, provider, own_author="other")) == 1

    def test_an_opt_out_counts_in_a_chat_too(self, provider: FakeProvider, receiver: Receiver) -> None:
        build.chat(provider).send(build.outgoing("chat"))
        provider.fire_conversation(
            receiver.url + "/chat", "onMessageAdded", "m_1", Author="ada", Body="stop messaging me"
        )
        assert self.read(receiver, provider)[0].kind is ReceiptKind.OPTED_OUT

    def test_a_closed_conversation_names_our_message(
        self, provider: FakeProvider, receiver: Receiver
    ) -> None:
        build.chat(provider).send(build.outgoing("chat"))
        provider.fire_conversation(
            receiver.url + "/chat", "onConversationStateUpdated", "m_1", StateTo="closed"
        )
        (receipt,) = self.read(receiver, provider)
        assert (receipt.kind, receipt.message_id) == (ReceiptKind.CLOSED, "m_1")

    def test_a_delivery_is_known_by_message_participant_and_status(self) -> None:
        fields = {"EventType": "onDeliveryUpdated", "ConversationSid": "CH1", "MessageSid": "IM1"}
        body = form(**fields, ParticipantSid="MB1", Status="read")
        (receipt,) = parse_conversation(body, received_at=build.NOON).receipts
        assert (receipt.kind, receipt.source_id) == (ReceiptKind.OPENED, "onDeliveryUpdated:IM1:MB1:read")

    def test_events_without_news_give_nothing_and_garbage_gives_a_problem(self) -> None:
        joined = parse_conversation(
            form(EventType="onParticipantAdded", ConversationSid="CH1"), received_at=build.NOON
        )
        assert (joined.receipts, joined.problems) == ((), ())
        assert len(parse_conversation(b"\x00=&&", received_at=build.NOON).problems) == 1


@given(st.binary(max_size=200))
def test_no_body_breaks_a_reader(body: bytes) -> None:
    parse_status(body, STATUS_URL, received_at=build.NOON)
    parse_inbound(body, received_at=build.NOON)
    parse_conversation(body, received_at=build.NOON)
