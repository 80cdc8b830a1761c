"""What happens on connections that are kept from call to call, against servers that answer byte for byte as written."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from channels import http_transport
from channels.errors import InDoubtError, NotSentError
from tests.channels.build import wire
from tests.fakes.provider import FakeProvider

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSE = b""  # in place of an answer: the connection ends


@contextmanager
def server(*connections: list[bytes]) -> Iterator[str]:
    """Each connection in turn answers its requests with these bytes, one by one, and closes after the last."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answers in connections:
            opened, _ = listening.accept()
            with opened:
                for answer in answers:
                    got = b""
                    while b"\r\n\r\n" not in got:
                        if not (part := opened.recv(65_536)):
                            break
                        got += part
                    opened.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/x?y=1"
    finally:
        listening.close()
        thread.join(5)


def test_a_connection_the_server_closed_is_not_written_to() -> None:
    with server([OK], [OK]) as url:
        out = wire()
        assert out.request("POST", url, headers={}, content=b"1").body == b"ok"
        time.sleep(0.05)  # the server's end arrives
        assert out.request("POST", url, headers={}, content=b"2").body == b"ok"
        out.close()


@pytest.mark.parametrize("late", [0.0, 0.05])
def test_what_follows_an_answer_is_nobodys_answer(late: float) -> None:
    other = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"
    with server([OK + other, CLOSE], [OK]) as url:
        out = wire()
        for _ in range(2):
            assert out.request("POST", url, headers={}, content=b"1").body == b"ok"
            time.sleep(late)
        out.close()


def test_an_announcement_is_not_the_answer() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    with server([hints + OK, OK]) as url:
        out = wire()
        assert out.request("POST", url, headers={}, content=b"1").status == 200
        assert out.request("POST", url, headers={}, content=b"2").body == b"ok"
        out.close()


def test_an_answer_in_chunks_is_read_to_its_end() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"
    with server([chunked, OK]) as url:
        out = wire()
        assert [out.request("GET", url, headers={}).body for _ in range(2)] == [b"ok", b"ok"]
        out.close()


@pytest.mark.parametrize(
    "answer",
    [
        CLOSE,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"no HTTP at all\r\n\r\n",
    ],
)
def test_an_answer_that_is_none_leaves_doubt(answer: bytes) -> None:
    with server([answer]) as url:
        with pytest.raises(InDoubtError) as caught:
            wire().request("POST", url, headers={}, content=b"1")
        assert caught.value.code == "connection_lost"


def test_an_answer_given_before_the_request_was_read_counts() -> None:
    """A gateway that refuses a large body closes while we still write."""
    refused = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with server([refused]) as url:
        assert wire().request("POST", url, headers={}, content=b"x" * 20_000_000).status == 413


def test_calls_beyond_the_limit_wait_and_do_not_leave(provider: FakeProvider) -> None:
    provider.faults.add(kind="slow", seconds=1.0)
    out = wire(connections=1)
    out._connect = 0.1
    first = threading.Thread(
        target=lambda: out.request("POST", provider.url + "/v3/mail/send", headers={}, content=b"{}")
    )
    first.start()
    while not len(out._connections):
        time.sleep(0.005)
    with pytest.raises(NotSentError) as caught:
        out.request("GET", provider.url + "/_fake/keys", headers={})
    assert caught.value.code == "connect_timeout"
    first.join()
    provider.ledger.clear()
    out.close()


def test_kept_connections_count_towards_the_limit() -> None:
    with server([OK, OK]) as one, server([OK, OK]) as two:
        out = wire(connections=1)
        for url in (one, two):
            assert out.request("GET", url, headers={}).status == 200
            assert len(out._connections) == 1
        out.close()


def test_a_connection_kept_for_too_long_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_transport, "_KEPT", 0.05)
    with server([OK, OK]) as one, server([OK, OK]) as two:
        out = wire()
        out.request("GET", one, headers={})
        time.sleep(0.1)
        out.request("GET", two, headers={})
        assert len(out._connections) == 1
        out.close()


def test_a_child_process_opens_its_own_connection(provider: FakeProvider) -> None:
    out = wire()
    url = provider.url + "/_fake/keys"
    out.request("GET", url, headers={})
    child = os.fork()
    if child == 0:
        own = len(out._connections) == 0 and out.request("GET", url, headers={}).status == 200
        os._exit(0 if own else 1)
    assert os.waitpid(child, 0)[1] == 0
    kept = len(out._connections)
    assert out.request("GET", url, headers={}).status == 200
    assert (kept, len(out._connections)) == (1, 1), "the parent's stays open"
    out.close()


def test_a_closed_transport_keeps_nothing(provider: FakeProvider) -> None:
    out = wire()
    out.request("GET", provider.url + "/_fake/keys", headers={})
    out.close()
    assert len(out._connections) == 0
    out.request("GET", provider.url + "/_fake/keys", headers={})
    assert len(out._connections) == 0


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("ftp://127.0.0.1/", {}),
        ("http://127.0.0.1:port/", {}),
        ("{}/a b", {}),
        ("{}/x", {"Subject": "a\r\nBcc: b"}),
    ],
)
def test_a_request_that_cannot_be_written_is_not_sent(
    url: str, headers: dict[str, str], provider: FakeProvider
) -> None:
    with pytest.raises(NotSentError) as caught:
        wire().request("POST", url.format(provider.url), headers=headers, content=b"1")
    assert caught.value.code == "connect_failed"
    assert provider.ledger.entries() == []


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    key, certificate = own_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    got: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        opened, _ = listening.accept()
        with opened, contextlib.suppress(OSError), context.wrap_socket(opened, server_side=True) as secure:
            got.append(secure.recv(1000))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        with pytest.raises(NotSentError) as caught:
            wire().request(
                "POST", f"https://127.0.0.1:{listening.getsockname()[1]}/", headers={}, content=b"1"
            )
        thread.join()
    assert caught.value.code == "connect_failed"
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
    assert got in ([], [b""])


def own_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2999, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    (folder / "certificate.pem").write_bytes(made.public_bytes(pem))
    return folder / "key.pem", folder / "certificate.pem"
