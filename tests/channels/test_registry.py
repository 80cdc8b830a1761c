from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import SecretStr

from channels.base import Channel, OutboundMessage, SendResult, SendStatus
from channels.errors import BadChannelError
from channels.registry import BUILT_IN, GROUP, available, build
from channels.sendgrid.adapter import EmailSendGrid
from channels.twilio.conversations import ChatTwilio
from tests.channels.build import NOON
from tests.fakes.provider import ACCOUNT

SETTINGS: dict[str, Any] = {
    "sendgrid_api_key": "SG.x",
    "email_from": "team@example.test",
    "twilio_account_sid": ACCOUNT,
    "twilio_auth_token": "t",
    "twilio_from": "+15005550006",
    "webhook_secrets": ["s"],
    "now": lambda: NOON,
    "functions": {},
}


class Push:
    """A third party's channel."""

    name = "push"
    provider = "acme"

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    def send(self, message: OutboundMessage) -> SendResult:
        return SendResult(result=SendStatus.SENT, provider=self.provider, provider_id=message.message_id)


@pytest.fixture
def acme() -> Iterator[None]:
    """A package that offers channels, good and bad."""
    module = ModuleType("acme_channels")
    module.__dict__.update(
        push=Push,
        number=7,
        nothing=lambda settings: None,
        nameless=lambda settings: type("Odd", (), {"name": "", "provider": "x", "send": Push.send})(),
        broken=lambda settings: settings["missing"],
    )
    sys.modules["acme_channels"] = module
    yield
    del sys.modules["acme_channels"]


def offered(name: str, value: str) -> list[EntryPoint]:
    return [EntryPoint(name=name, value=value, group=GROUP)]


@pytest.mark.parametrize("name", [point.name for point in BUILT_IN])
def test_every_built_in_channel_comes_through_the_door(name: str) -> None:
    channel = build(name, SETTINGS, installed=[])
    assert isinstance(channel, Channel)
    assert channel.name == name


def test_secrets_that_hide_themselves_are_opened_and_the_providers_own_hosts_stay() -> None:
    defaults = {"twilio_base_url": "https://api.twilio.com", "sendgrid_base_url": "https://api.sendgrid.com"}
    hidden = (
        SETTINGS | defaults | {"twilio_auth_token": SecretStr("t"), "sendgrid_api_key": SecretStr("SG.x")}
    )
    chat = build("chat", hidden, installed=[])
    assert isinstance(chat, ChatTwilio)
    client = chat._clients.get()
    assert client.auth == (ACCOUNT, "t")
    url = "https://conversations.twilio.com/v1/Conversations"
    assert client.http_client.target(url) == url
    email = build("email", hidden, installed=[])
    assert isinstance(email, EmailSendGrid)
    assert email._client().client.request_headers["Authorization"] == "Bearer SG.x"


def test_the_package_declares_the_same_channels() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    declared = project["project"]["entry-points"][GROUP]
    assert declared == {point.name: point.value for point in BUILT_IN}


@pytest.mark.usefixtures("acme")
def test_a_third_party_adds_a_channel_and_gets_the_settings() -> None:
    channel = build("push", SETTINGS, installed=offered("push", "acme_channels:push"))
    assert isinstance(channel, Push)
    assert channel.settings is SETTINGS


@pytest.mark.usefixtures("acme")
def test_a_third_party_may_replace_a_built_in_channel_but_not_fight_over_it() -> None:
    one = offered("email", "acme_channels:push")
    assert available(one)["email"].value == "acme_channels:push"
    with pytest.raises(BadChannelError, match="two packages offer"):
        available([*one, *offered("email", "other_channels:push")])


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("no_such_module:factory", "expected an importable 'module:factory', got 'no_such_module:factory'"),
        ("acme_channels:no_such_factory", "expected an importable"),
        ("acme_channels:number", "to be a factory taking the settings, got a int"),
        ("acme_channels:nothing", "gave a NoneType without name, provider, send; expected an object with"),
        ("acme_channels:nameless", "expected name to be a text, got ''"),
        ("acme_channels:broken", "failed with KeyError: 'missing'"),
    ],
)
def test_a_plug_in_that_cannot_be_used_says_what_was_expected(value: str, words: str) -> None:
    with pytest.raises(BadChannelError) as caught:
        build("push", {}, installed=offered("push", value))
    assert words in str(caught.value)


def test_an_unknown_name_lists_the_known_ones_and_guesses() -> None:
    with pytest.raises(
        BadChannelError, match=r"no channel 'emial'; known are call, chat.*did you mean 'email'"
    ):
        build("emial", SETTINGS, installed=[])


def test_a_built_in_channel_without_its_settings_says_which() -> None:
    with pytest.raises(BadChannelError, match="ORCHESTRATOR_SENDGRID_API_KEY"):
        build("email", {}, installed=[])
