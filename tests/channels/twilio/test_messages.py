from __future__ import annotations

from dataclasses import replace

import pytest

from channels.base import Content, SendStatus
from channels.errors import BadChannelError, UnmappedHostError
from channels.http_transport import HttpTransport
from channels.twilio.client import MappedHttpClient, TwilioClients
from channels.twilio.messages import SmsTwilio
from tests.channels import build
from tests.fakes.provider import ACCOUNT, FakeProvider

SERVICE = "MG" + "a" * 32


def fields(provider: FakeProvider) -> dict[str, str]:
    return provider.ledger.entries("twilio")[-1].fields


def test_a_message_carries_its_callback_and_its_time_limit(provider: FakeProvider) -> None:
    build.sms(provider).send(build.outgoing("sms", valid_seconds=900))
    assert fields(provider) == {
        "To": "+14155550101",
        "From": "+15005550006",
        "Body": build.CONTENT.text,
        "StatusCallback": "https://hooks.example.test/webhooks/twilio/status?m=m_1",
        "ValidityPeriod": "900",
    }


@pytest.mark.parametrize(("asked", "given"), [(0, "1"), (90_000, "36000")])
def test_the_time_limit_stays_what_the_provider_accepts(
    provider: FakeProvider, asked: int, given: str
) -> None:
    build.sms(provider).send(build.outgoing("sms", valid_seconds=asked))
    assert fields(provider)["ValidityPeriod"] == given


def test_a_messaging_service_takes_the_place_of_a_sender(provider: FakeProvider) -> None:
    assert build.sms(provider, sender=SERVICE).send(build.outgoing("sms")).result is SendStatus.SENT
    assert fields(provider)["MessagingServiceSid"] == SERVICE
    assert "From" not in fields(provider)


def test_whatsapp_speaks_with_prefixes_and_with_approved_templates(provider: FakeProvider) -> None:
    channel = build.sms(provider, name="whatsapp")
    assert channel.send(build.outgoing("whatsapp")).result is SendStatus.SENT
    assert (fields(provider)["To"], fields(provider)["From"]) == (
        "whatsapp:+14155550101",
        "whatsapp:+15005550006",
    )
    header = {"content_sid": "HX" + "b" * 32, "content_variables": '{"1": "Ada"}'}
    assert channel.send(build.outgoing("whatsapp", header=header)).result is SendStatus.SENT
    assert fields(provider)["ContentSid"] == "HX" + "b" * 32
    assert fields(provider)["ContentVariables"] == '{"1": "Ada"}'
    assert "Body" not in fields(provider)


def test_a_question_shows_its_answers_by_number(provider: FakeProvider) -> None:
    question = Content(text="What stopped you?", choices=(("price", "Too expensive"), ("later", "Not now")))
    build.sms(provider).send(build.outgoing("sms", content=question))
    assert fields(provider)["Body"] == "What stopped you?\n1 Too expensive\n2 Not now"
    written = replace(question, text="Too expensive (1) or Not now (2)?")
    build.sms(provider).send(build.outgoing("sms", content=written))
    assert fields(provider)["Body"] == written.text


def test_a_scale_says_where_it_begins_and_ends(provider: FakeProvider) -> None:
    channel = build.sms(provider)
    channel.send(build.outgoing("sms", content=Content(text="How likely are you to stay?", scale=(0, 10))))
    assert fields(provider)["Body"] == "How likely are you to stay? (0-10)"
    channel.send(build.outgoing("sms", content=Content(text="From 0 to 10, how likely?", scale=(0, 10))))
    assert fields(provider)["Body"] == "From 0 to 10, how likely?"


def test_a_text_too_long_is_refused_before_the_provider_hears_of_it(provider: FakeProvider) -> None:
    handed = build.sms(provider).send(build.outgoing("sms", text="x" * 1601))
    assert (handed.result, handed.code) == (SendStatus.REFUSED, "too_long")
    assert provider.ledger.entries() == []


def test_a_host_without_a_base_url_is_never_called(provider: FakeProvider) -> None:
    clients = TwilioClients(
        account_sid=ACCOUNT, auth_token="t", base_url={"conversations": provider.url}, wire=build.wire()
    )
    channel = SmsTwilio(account_sid=ACCOUNT, auth_token="t", sender="+15005550006", clients=clients)
    handed = channel.send(build.outgoing("sms"))
    assert (handed.result, handed.code, handed.alert) == (SendStatus.REFUSED, "not_configured", True)
    assert provider.ledger.entries() == []


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (
            "https://api.twilio.com/2010-04-01/Accounts.json",
            "http://127.0.0.1:1/base/2010-04-01/Accounts.json",
        ),
        ("https://api.dublin.ie1.twilio.com/x?a=1", "http://127.0.0.1:1/base/x?a=1"),
        ("https://lookups.twilio.com/x", None),
        ("https://evil.test/x", None),
    ],
)
def test_hosts_are_mapped_by_their_first_label(url: str, target: str | None) -> None:
    client = MappedHttpClient(wire=HttpTransport(), bases={"api": "http://127.0.0.1:1/base/"})
    if target is not None:
        assert client.target(url) == target
        return
    with pytest.raises(UnmappedHostError):
        client.target(url)


@pytest.mark.parametrize(
    "url", ["https://api.evil.test/x", "https://lookups.twilio.com/x", "https://apitwilio.com/x"]
)
def test_without_base_urls_only_twilios_own_hosts_pass(url: str) -> None:
    client = MappedHttpClient(wire=HttpTransport())
    assert client.target("https://api.twilio.com/x") == "https://api.twilio.com/x"
    with pytest.raises(UnmappedHostError):
        client.target(url)


def test_missing_settings_are_named() -> None:
    with pytest.raises(BadChannelError, match="ORCHESTRATOR_TWILIO_ACCOUNT_SID"):
        SmsTwilio(account_sid="", auth_token="x", sender="+15005550006")
    with pytest.raises(BadChannelError, match="ORCHESTRATOR_TWILIO_FROM"):
        SmsTwilio(account_sid=ACCOUNT, auth_token="x", sender="")
