from __future__ import annotations

import json
from datetime import timedelta

import pytest

from channels.base import SendStatus
from channels.errors import BadChannelError, BadSignatureError
from channels.http_transport import public_only
from channels.webhook import WebhookChannel, sign, verify_signature
from tests.channels import build
from tests.channels.receiver import Receiver


def test_a_receiver_can_prove_who_sent_it_and_drop_repeats(receiver: Receiver) -> None:
    handed = build.webhook().send(build.outgoing("webhook", address=receiver.url + "/hook?x=1"))
    assert handed.result is SendStatus.SENT
    (got,) = receiver.got
    assert got.path == "/hook?x=1"
    assert got.headers["idempotency-key"] == "m_1"
    verify_signature(got.body, got.headers["orchestrator-signature"], [build.SECRET], now=build.NOON)
    body = json.loads(got.body)
    assert (body["message_id"], body["customer"], body["text"]) == ("m_1", "ada", build.CONTENT.text)


def test_a_forged_an_old_and_a_mangled_request_are_told_apart_from_a_good_one() -> None:
    body = b'{"a": 1}'
    good = sign(body, ["old", "new"], build.NOON)
    verify_signature(body, good, ["new"], now=build.NOON)
    verify_signature(body, good, ["other", "old"], now=build.NOON + timedelta(seconds=299))
    for given, secrets, now in (
        (body + b" ", ["new"], build.NOON),
        (body, ["guess"], build.NOON),
        (body, [], build.NOON),
        (body, ["new"], build.NOON + timedelta(seconds=301)),
        (body, ["new"], build.NOON - timedelta(seconds=301)),
    ):
        with pytest.raises(BadSignatureError):
            verify_signature(given, good, secrets, now=now)
    for header in (None, "", "v1=abc", "t=1", "t=x,v1=y", f"t=1,{good}", "t=99999999999999,v1=é"):
        with pytest.raises(BadSignatureError):
            verify_signature(body, header, ["new"], now=build.NOON)


def test_a_call_brings_its_answer_back(receiver: Receiver) -> None:
    receiver.answer = lambda: (200, {}, b'{"coupon": "X1"}')
    message = build.outgoing("webhook", kind="call", target="make_coupon", address=receiver.url)
    assert build.webhook().send(message).answer == {"coupon": "X1"}


@pytest.mark.parametrize("answer", [b"<html>", b"[1]", b"7", b"\xff"])
def test_a_call_whose_answer_cannot_be_read_may_have_been_done(receiver: Receiver, answer: bytes) -> None:
    receiver.answer = lambda: (200, {}, answer)
    handed = build.webhook().send(build.outgoing("webhook", kind="call", address=receiver.url))
    assert (handed.result, handed.answer) == (SendStatus.UNCERTAIN, None)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (201, SendStatus.SENT),
        (204, SendStatus.SENT),
        (302, SendStatus.REFUSED),
        (404, SendStatus.REFUSED),
        (408, SendStatus.UNCERTAIN),
        (429, SendStatus.TRY_AGAIN),
        (500, SendStatus.UNCERTAIN),
        (502, SendStatus.UNCERTAIN),
    ],
)
def test_a_status_becomes_its_result(receiver: Receiver, status: int, result: SendStatus) -> None:
    receiver.answer = lambda: (status, {"Location": receiver.url + "/else", "Retry-After": "3"}, b"")
    handed = build.webhook().send(build.outgoing("webhook", address=receiver.url))
    assert handed.result is result
    assert len(receiver.got) == 1, "a redirect is never followed"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.test/hook",
        "https://user:pass@example.test/",
        "ftp://127.0.0.1/",
        "https://",
        "nonsense",
        "http://127.0.0.1.evil.test/",
        "https://[::1",
        "https://example.test:port/",
    ],
)
def test_only_https_or_hosts_named_by_the_operator_are_called(url: str) -> None:
    handed = build.webhook().send(build.outgoing("webhook", address=url))
    assert (handed.result, handed.alert) == (SendStatus.REFUSED, True)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.1", "[::1]", "169.254.169.254", "0.0.0.0"]
)
def test_our_own_network_is_out_of_reach(host: str) -> None:
    handed = build.webhook(hosts=()).send(build.outgoing("webhook", address=f"https://{host}:1/"))
    assert (handed.result, handed.code) == (SendStatus.REFUSED, "private_address")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
        ("fe80::1%eth0", False),
        ("224.0.0.1", False),
    ],
)
def test_the_guard_knows_private_addresses_in_every_dress(address: str, public: bool) -> None:
    assert public_only(address) is public


def test_a_slow_receiver_leaves_doubt(receiver: Receiver) -> None:
    from threading import Event

    never = Event()
    receiver.answer = lambda: (never.wait(0.6), (200, {}, b""))[1]
    handed = build.webhook(seconds=0.2).send(build.outgoing("webhook", address=receiver.url))
    assert (handed.result, handed.code) == (SendStatus.UNCERTAIN, "timeout")


def test_a_webhook_without_a_secret_is_refused() -> None:
    with pytest.raises(BadChannelError, match="secret"):
        WebhookChannel(secrets=[], now=lambda: build.NOON)
