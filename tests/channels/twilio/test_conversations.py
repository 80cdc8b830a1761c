from __future__ import annotations

import json

import pytest

from channels.base import SendStatus
from channels.twilio.conversations import ChatTwilio
from tests.channels import build
from tests.fakes.provider import FakeProvider


def test_a_message_opens_a_conversation_of_its_own(provider: FakeProvider) -> None:
    handed = build.chat(provider).send(build.outgoing("chat"))
    (said,) = provider.conversations.messages("m_1")
    assert (said["author"], said["body"]) == ("team", build.CONTENT.text)
    assert json.loads(said["attributes"]) == {"m": "m_1"}
    assert handed.provider_id == provider.conversations.conversation("m_1")["sid"]


@pytest.mark.parametrize("step", ["post_conversation", "post_participant"])
@pytest.mark.parametrize(
    "fault", ["hang_after_accept", "garbage", "error_after_accept", "reset_after_accept"]
)
def test_doubt_before_the_message_is_no_doubt_and_a_second_try_speaks_once(
    provider: FakeProvider, step: str, fault: str
) -> None:
    channel = build.chat(provider, total=1.0 if fault.startswith("hang") else 20.0)
    provider.faults.add(kind=fault, service="conversations", operation=step)
    assert channel.send(build.outgoing("chat")).result is SendStatus.TRY_AGAIN
    assert channel.send(build.outgoing("chat")).result is SendStatus.SENT
    assert len(provider.conversations.messages("m_1")) == 1


def test_a_message_that_got_through_before_is_not_said_again(provider: FakeProvider) -> None:
    channel = build.chat(provider, total=1.0)
    provider.faults.add(kind="hang_after_accept", service="conversations", operation="send_message")
    assert channel.send(build.outgoing("chat")).result is SendStatus.UNCERTAIN
    assert channel.send(build.outgoing("chat")).result is SendStatus.SENT
    assert len(provider.conversations.messages("m_1")) == 1


def test_a_customer_can_have_one_thread_for_everything(provider: FakeProvider) -> None:
    channel = build.chat(provider, thread_per="customer")
    first = channel.send(build.outgoing("chat", message_id="m_1"))
    second = channel.send(build.outgoing("chat", message_id="m_2"))
    assert first.provider_id == second.provider_id
    assert len(provider.conversations.messages("customer-7")) == 2


def test_a_phone_number_joins_through_our_own_number(provider: FakeProvider) -> None:
    assert build.chat(provider).send(build.outgoing("chat", address="+14155550101")).result is SendStatus.SENT
    joined = next(one for one in provider.ledger.entries() if one.operation == "post_participant")
    assert joined.fields == {
        "MessagingBinding.Address": "+14155550101",
        "MessagingBinding.ProxyAddress": "+15005550006",
    }


def test_a_hand_over_briefs_the_agent_and_says_nothing_to_the_customer(provider: FakeProvider) -> None:
    message = build.outgoing(
        "chat", kind="handoff", target="customer_success", text="Ask about seats.", context={"mrr": 900}
    )
    assert build.chat(provider).send(message).result is SendStatus.SENT
    assert provider.conversations.messages("m_1") == []
    brief = json.loads(provider.conversations.conversation("m_1")["attributes"])
    assert brief["brief"] == "Ask about seats."
    assert (brief["target"], brief["context"], brief["m"]) == ("customer_success", {"mrr": 900}, "m_1")


def test_all_calls_of_one_send_share_one_time_limit(provider: FakeProvider) -> None:
    provider.faults.add(kind="slow", service="conversations", seconds=0.3, times=None)
    handed = build.chat(provider, total=0.5).send(build.outgoing("chat"))
    assert (handed.result, handed.code) == (SendStatus.TRY_AGAIN, "timeout")
    assert provider.ledger.sends() == []


def test_an_account_with_several_services_speaks_through_the_chosen_one(provider: FakeProvider) -> None:
    service = "IS" + "c" * 32
    channel = ChatTwilio(
        account_sid=provider.account_sid,
        auth_token=provider.auth_token,
        service_sid=service,
        clients=build.clients(provider),
    )
    assert channel.send(build.outgoing("chat")).result is SendStatus.SENT
    assert all(one.path.startswith(f"/v1/Services/{service}/") for one in provider.ledger.entries())
    assert len(provider.conversations.messages("m_1")) == 1
