from __future__ import annotations

import socket
import threading
import time

import pytest

from channels.base import TOO_LATE, begin_within
from channels.errors import ForbiddenError, InDoubtError, NotSentError
from channels.http_transport import MAX_ANSWER, public_only, time_left, time_limit
from tests.channels.build import wire
from tests.channels.receiver import Receiver
from tests.fakes.provider import FakeProvider


def test_connections_are_kept_and_shared(provider: FakeProvider) -> None:
    """Ten requests from one thread open one connection: the server sees one client port."""
    out = wire()
    for _ in range(10):
        out.request("GET", provider.url + "/_fake/ledger", headers={})
    assert len(out._connections) == 1
    out.close()


def test_a_name_that_does_not_exist_is_not_sent() -> None:
    with pytest.raises(NotSentError) as caught:
        wire().request("GET", "https://nobody.invalid/", headers={})
    assert caught.value.code == "connect_failed"


def test_a_server_that_does_not_speak_tls_is_not_sent(provider: FakeProvider) -> None:
    with pytest.raises(NotSentError):
        wire().request("POST", provider.url.replace("http:", "https:"), headers={}, content=b"secret")
    assert provider.ledger.entries() == []


def test_an_address_that_never_answers_ends_in_time_as_not_sent() -> None:
    """A listener whose queue is full drops the first packet of every further connection."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        with pytest.raises(NotSentError) as caught:
            wire(0.3).request("GET", f"http://127.0.0.1:{full.getsockname()[1]}/", headers={})
        for one in waiting:
            one.close()
    assert caught.value.code == "connect_timeout"


def test_a_name_that_points_into_our_network_is_caught_at_the_connection(receiver: Receiver) -> None:
    url = receiver.url.replace("127.0.0.1", "localhost")
    with pytest.raises(ForbiddenError):
        wire(guard=public_only).request("GET", url, headers={})
    assert wire(guard=public_only, trusted_hosts=["localhost"]).request("POST", url, headers={}).status == 200


def test_an_answer_without_end_is_cut_off(receiver: Receiver) -> None:
    receiver.answer = lambda: (200, {}, b"x" * (MAX_ANSWER + 100_000))
    with pytest.raises(InDoubtError) as caught:
        wire().request("POST", receiver.url, headers={}, content=b"")
    assert caught.value.code == "answer_too_large"


def test_an_inner_limit_cannot_outlive_an_outer_one() -> None:
    with time_limit(0.5):
        with time_limit(60):
            assert time_left() <= 0.5
        with time_limit(0.1):
            assert time_left() <= 0.1
        assert time_left() > 0.1
    assert time_left() > 60


def test_a_limit_belongs_to_its_thread() -> None:
    seen: list[float] = []
    with time_limit(0.5):
        thread = threading.Thread(target=lambda: seen.append(time_left()))
        thread.start()
        thread.join()
    assert seen[0] > 60


def test_a_call_that_begins_too_late_does_not_leave(provider: FakeProvider) -> None:
    """Not over a new connection, and not over one that is kept."""
    out = wire()
    for _ in range(2):
        with begin_within(-0.001), pytest.raises(NotSentError) as caught:
            out.request("POST", provider.url + "/v3/mail/send", headers={}, content=b"{}")
        assert caught.value.code == TOO_LATE
        assert provider.ledger.entries() == []
        out.request("GET", provider.url + "/_fake/keys", headers={})
    out.close()


def test_a_call_that_began_in_time_goes_on(provider: FakeProvider) -> None:
    """A message may need several requests: the first one decides."""
    out = wire()
    with begin_within(0.2):
        first = out.request("GET", provider.url + "/_fake/keys", headers={})
        time.sleep(0.25)
        second = out.request("GET", provider.url + "/_fake/keys", headers={})
    assert (first.status, second.status) == (200, 200)
    out.close()
