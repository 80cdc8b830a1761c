"""The channels that need no provider: the sandbox, the feed and called functions."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from channels.base import SendStatus
from channels.function import FunctionCall, FunctionChannel, TryAgainError
from channels.in_app import InAppChannel
from channels.sandbox import SandboxChannel, ScriptedResult
from tests.channels.build import outgoing


class TestSandbox:
    @pytest.mark.parametrize(
        "result", [SendStatus.REFUSED, SendStatus.TRY_AGAIN, SendStatus.OPTED_OUT, SendStatus.UNCERTAIN]
    )
    def test_it_fails_as_it_is_told(self, result: SendStatus) -> None:
        handed = SandboxChannel("email", fates=[ScriptedResult(result=result, retry_after=3)]).send(
            outgoing("email")
        )
        assert handed.result is result
        assert handed.code == f"sandbox_{result}"
        assert handed.retry_after == (3 if result is SendStatus.TRY_AGAIN else None)

    def test_rules_choose_by_channel_and_address_and_wear_out(self) -> None:
        channel = SandboxChannel("email")
        channel.fail(ScriptedResult(result=SendStatus.REFUSED, address="*@bad.test", mark_address=True))
        channel.fail(ScriptedResult(result=SendStatus.TRY_AGAIN, channel="sms"))
        channel.fail(ScriptedResult(result=SendStatus.UNCERTAIN, address="ada@*", times=1))
        ada, bad = outgoing("email"), outgoing("email", address="x@bad.test")
        assert [channel.send(ada).result for _ in range(2)] == [SendStatus.UNCERTAIN, SendStatus.SENT]
        assert channel.send(bad).mark_address
        channel.heal()
        assert channel.send(bad).result is SendStatus.SENT


class TestInApp:
    def test_open_pages_are_told(self) -> None:
        told: list[tuple[int, str]] = []
        channel = InAppChannel(publish=lambda customer, message: told.append((customer, message)))
        assert channel.send(outgoing("in_app")).result is SendStatus.SENT
        assert told == [(7, "m_1")]

    def test_a_push_that_fails_costs_nothing(self) -> None:
        def publish(customer_id: int, message_id: str) -> None:
            raise ConnectionError(f"{customer_id} {message_id}")

        handed = InAppChannel(publish=publish).send(outgoing("in_app"))
        assert (handed.result, handed.detail) == (SendStatus.SENT, "live push failed")


class TestFunction:
    message = outgoing("call", kind="call", target="coupon", context={"percent": 10})

    def test_a_function_is_told_who_and_what_and_its_answer_comes_back(self) -> None:
        calls: list[FunctionCall] = []

        def coupon(call: FunctionCall) -> dict[str, object]:
            calls.append(call)
            return {"code": "X1", "percent": call.arguments["percent"]}

        handed = FunctionChannel({"coupon": coupon}).send(self.message)
        assert handed.answer == {"code": "X1", "percent": 10}
        assert calls == [FunctionCall(key="m_1", customer="ada", arguments={"percent": 10})]

    def test_no_answer_is_an_empty_one(self) -> None:
        assert FunctionChannel({"coupon": lambda _: None}).send(self.message).answer == {}

    def test_a_function_that_raises_is_refused_without_its_words(self) -> None:
        def coupon(call: FunctionCall) -> None:
            raise ValueError(f"no coupon for {call.customer}")

        handed = FunctionChannel({"coupon": coupon}).send(self.message)
        assert (handed.result, handed.code) == (SendStatus.REFUSED, "ValueError")
        assert "ada" not in repr(handed)

    def test_a_function_may_ask_to_be_called_again(self) -> None:
        def coupon(_: FunctionCall) -> None:
            raise TryAgainError(30)

        handed = FunctionChannel({"coupon": coupon}).send(self.message)
        assert (handed.result, handed.retry_after) == (SendStatus.TRY_AGAIN, 30)

    @pytest.mark.parametrize("answer", [7, "x", ["x"], {"x": object()}, {"x": float("nan")}])
    def test_an_answer_that_json_cannot_hold_is_refused(self, answer: object) -> None:
        anything: Any = answer
        handed = FunctionChannel({"coupon": lambda _: anything}).send(self.message)
        assert (handed.result, handed.code) == (SendStatus.REFUSED, "bad_answer")

    def test_an_unknown_function_is_waited_for_alerts_and_names_the_known(self) -> None:
        handed = FunctionChannel({"a": lambda _: None}).send(self.message)
        assert (handed.result, handed.untried, handed.alert) == (SendStatus.TRY_AGAIN, True, True)
        assert handed.detail == "no function 'coupon' is registered; known are a"

    def test_functions_out_of_time_leave_doubt_and_cannot_take_all_threads(self) -> None:
        release = threading.Event()
        channel = FunctionChannel({"coupon": lambda _: {"late": release.wait(10)}}, seconds=0.05, places=2)
        assert [channel.send(self.message).result for _ in range(2)] == [SendStatus.UNCERTAIN] * 2
        assert channel.send(self.message).code == "all_places_taken"
        release.set()
        while (
            channel.send(self.message).result is not SendStatus.SENT
        ):  # a place comes free as soon as one ends
            pass
