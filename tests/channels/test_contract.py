"""What every channel promises, asked of every channel."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from channels.base import TOO_LATE, Channel, OutboundMessage, SendResult, SendStatus, begin_within
from tests.channels import build
from tests.channels.receiver import Receiver
from tests.fakes.provider import FakeProvider

NAMES = ["email", "sms", "whatsapp", "chat", "in_app", "sandbox", "webhook", "call"]
REMOTE = ["email", "sms", "whatsapp", "chat", "webhook"]
NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens


@pytest.fixture(params=NAMES)
def pair(
    request: pytest.FixtureRequest, provider: FakeProvider, receiver: Receiver
) -> tuple[Channel, OutboundMessage]:
    return build.every_channel(provider, receiver.url)[request.param]


def unreachable(name: str, provider: FakeProvider) -> tuple[Channel, OutboundMessage]:
    channels: dict[str, Channel] = {
        "email": build.email(provider, base_url=NOBODY),
        "sms": build.sms(provider, base_url=NOBODY),
        "whatsapp": build.sms(provider, name="whatsapp", base_url=NOBODY),
        "chat": build.chat(provider, base_url=NOBODY),
        "webhook": build.webhook(),
    }
    facts = {"address": NOBODY} if name == "webhook" else {}
    return channels[name], build.outgoing(name, **facts)


def test_a_channel_is_a_channel(pair: tuple[Channel, OutboundMessage]) -> None:
    channel, _ = pair
    assert isinstance(channel, Channel)
    assert channel.name
    assert channel.provider


def test_a_good_message_is_sent_and_says_by_whom(pair: tuple[Channel, OutboundMessage]) -> None:
    channel, message = pair
    handed = channel.send(message)
    assert handed.result is SendStatus.SENT, handed
    assert handed.provider == channel.provider
    assert handed.provider_id
    assert handed.retry_after is None
    assert not handed.alert
    assert not handed.mark_address


def test_many_threads_share_one_channel_and_nobody_gets_anothers_answer(
    pair: tuple[Channel, OutboundMessage], provider: FakeProvider
) -> None:
    channel, message = pair
    status_url = "https://hooks.example.test/s?m="
    messages = [
        build.outgoing(
            message.channel,
            message_id=f"m_{number}",
            address=message.address,
            kind=message.kind,
            target=message.target,
            status_url=f"{status_url}m_{number}",
        )
        for number in range(40)
    ]
    start = threading.Barrier(8)

    def send_some(part: list[OutboundMessage]) -> list[tuple[str, SendResult]]:
        start.wait()
        return [(one.message_id, channel.send(one)) for one in part]

    with ThreadPoolExecutor(8) as pool:
        parts = pool.map(send_some, [messages[at::8] for at in range(8)])
        handed = dict(pair for part in parts for pair in part)

    assert {one.result for one in handed.values()} == {SendStatus.SENT}
    assert len({one.provider_id for one in handed.values()}) == 40
    for entry in provider.ledger.sends():
        assert entry.message_id is not None
        assert handed[entry.message_id].provider_id == entry.provider_id


@pytest.mark.parametrize("name", REMOTE)
def test_without_a_connection_nothing_was_sent_and_it_may_be_tried_again(
    name: str, provider: FakeProvider
) -> None:
    channel, message = unreachable(name, provider)
    handed = channel.send(message)
    assert (handed.result, handed.code) == (SendStatus.TRY_AGAIN, "connect_failed")
    assert provider.ledger.entries() == []


@pytest.mark.parametrize("name", REMOTE)
def test_no_address_and_no_text_stands_in_what_may_be_logged(name: str, provider: FakeProvider) -> None:
    channel, message = unreachable(name, provider)
    words = repr(channel.send(message))
    assert message.content.text not in words
    assert name == "webhook" or message.address not in words


@pytest.mark.parametrize("name", REMOTE)
def test_a_call_that_would_begin_too_late_asks_nothing_and_blames_nobody(
    name: str, provider: FakeProvider, receiver: Receiver
) -> None:
    channel, message = build.every_channel(provider, receiver.url)[name]
    with begin_within(-0.001):
        handed = channel.send(message)
    assert (handed.result, handed.code, handed.untried) == (SendStatus.TRY_AGAIN, TOO_LATE, True)
    assert provider.ledger.entries() == []
