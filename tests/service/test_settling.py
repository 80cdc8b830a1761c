"""Whatever became of its provider, a message that may have been sent is settled in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from channels.base import SendResult, SendStatus
from orchestrator.records.message import MessageStatus
from tests.support.engine import Scene, one_message

ONE_A_WEEK = "caps: [{at_most: 1, within: 7d}]\nrests: {ignored: 1h}\n"


def gone(scene: Scene) -> None:
    """The provider's keys were taken out of the settings: no channel is carried by it."""
    scene.execute("UPDATE dispatch SET provider = 'gone'")
    scene.execute("UPDATE messages SET provider = 'gone'")


def without_tokens(scene: Scene) -> None:
    scene.engine.delivery.gates.rates = _NoTokens()


def open_breaker(scene: Scene) -> None:
    asked_for_patience = SendResult(result=SendStatus.TRY_AGAIN, provider="sandbox", retry_after=3600.0)
    scene.engine.delivery.gates.report(asked_for_patience)
    assert not scene.engine.delivery.gates.may_call("sandbox")


class _NoTokens:
    def __contains__(self, provider: str) -> bool:
        return True

    def take(self, provider: str, wanted: int) -> _None:
        return _None()


class _None:
    count, again_in = 0, 3600.0

    def give_back(self, unused: int) -> None:
        pass


@pytest.mark.parametrize("trouble", [gone, without_tokens, open_breaker])
@pytest.mark.parametrize("status", ["uncertain", "handing_over"])
def test_what_may_have_been_sent_is_settled_in_time(
    scene: Scene, trouble: Callable[[Scene], None], status: MessageStatus
) -> None:
    scene.publish_playbooks(one_message("offer"), one_message("other"), policy=ONE_A_WEEK)
    scene.person()
    scene.provider_fails("email", SendStatus.UNCERTAIN, times=1)
    scene.start("anna", "offer")
    scene.drain()
    scene.execute("UPDATE messages SET status = :status", status=status)
    trouble(scene)
    scene.skip(minutes=59)
    scene.drain()
    assert scene.messages() == [("say", "email", status)], "until then its provider may still speak of it"
    for _ in range(2):
        scene.skip(minutes=61)
        scene.drain()
    assert scene.messages() == [("say", "email", "abandoned")]
    assert scene.value("SELECT count(*) FROM dispatch") == 0
    assert scene.value("SELECT count(*) FROM cap_slots") == 1, "it may have been sent: it counts"


@pytest.mark.parametrize("trouble", [gone, without_tokens, open_breaker])
def test_a_virtual_clock_finds_the_instant_at_which_it_is_settled(
    scene: Scene, trouble: Callable[[Scene], None]
) -> None:
    scene.publish_playbooks(one_message("offer"))
    scene.person()
    scene.provider_fails("email", SendStatus.UNCERTAIN, times=1)
    scene.start("anna", "offer")
    scene.drain()
    trouble(scene)
    assert scene.engine.next_due() == scene.now + timedelta(hours=1)
    scene.let_pass(minutes=61)
    assert scene.messages() == [("say", "email", "abandoned")]
