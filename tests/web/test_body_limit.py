"""A client that sends its body drop by drop is let go of, and costs the others nothing meanwhile."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from orchestrator.clock import monotonic
from orchestrator.web.middleware import body_limit as limits
from tests.web.served import KEY, Web

BODY = b'{"userId": "anna", "event": "session_started"}'


def begun(web: Web, path: str = "/v1/track") -> socket.socket:
    """A connection whose request is promised and not sent."""
    connection = socket.create_connection((web.settings.host, web.settings.port), timeout=10)
    connection.sendall(
        f"POST {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    )
    return connection


def answer_on(connection: socket.socket) -> str:
    """Everything until the other side hangs up."""
    heard = b""
    while part := connection.recv(4096):
        heard += part
    return heard.decode()


@pytest.mark.parametrize("path", ["/v1/track", "/u/x", "/webhooks/sendgrid", "/login"])
def test_a_body_that_never_comes_is_answered_with_408(
    web: Web, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SECONDS", 0.3)
    with begun(web, path) as connection:
        connection.sendall(BODY[:5])
        head, _, body = answer_on(connection).partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 408")
    assert "connection: close" in head.lower()
    assert "urn:orchestrator:problem:too_slow" in body


def test_a_byte_now_and_then_buys_no_time(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SECONDS", 0.5)
    sent = 0
    with begun(web) as connection:
        connection.settimeout(0.05)
        began = monotonic()
        heard = b""
        while not heard and monotonic() - began < 10:
            connection.sendall(BODY[sent : sent + 1])
            sent += 1
            try:
                heard = connection.recv(4096)
            except TimeoutError:
                continue
    assert heard.startswith(b"HTTP/1.1 408")
    assert sent < len(BODY), "it was let go of before it had said everything"


def test_many_slow_ones_hold_up_nobody(web: Web, anna: str) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(begun(web)) for _ in range(100)]
        assert web.client.get("/healthz").status_code == 200
        quick = web.client.post("/v1/track", json={"userId": "anna", "event": "here"}, headers=web.key)
        assert quick.status_code == 200
        last = slow[-1]
        last.sendall(BODY)
        last.settimeout(10)
        assert last.recv(4096).startswith(b"HTTP/1.1 200"), "who is slow and not too slow is served"
