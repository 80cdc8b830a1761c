"""The one way out to the network: on kept connections, within a time limit, never redirected, honest about doubt.

Providers' libraries bring HTTP clients that wait for ever, follow redirects or mix up threads, and their time
limits count each read, not the call. All adapters therefore speak through a :class:`HttpTransport`. It says the one
thing that decides whether a message may be sent again: whether a request can have left this machine.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import os
import queue
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import certifi

from channels.base import begin
from channels.errors import ForbiddenError, InDoubtError, NotSentError

_ends_at: ContextVar[float | None] = ContextVar("channels_wire_ends_at", default=None)

MAX_ANSWER = 1_000_000  # bytes; more is no answer of a provider
_KEPT = 4.0  # seconds; shorter than servers' own, so that we rarely write into a closed connection

Guard = Callable[[str], bool]
"""Says whether an IP address may be spoken to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpResponse:
    """What came back: the status, the headers with lower-case names, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def public_only(address: str) -> bool:
    """The guard against requests into our own network: only addresses of the public internet pass."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is not None:
            ip = inner
        elif any(ip in network for network in _V4_INSIDE):
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip.is_site_local or ip in _NAT64_LOCAL:
            return False  # what this Python's library may still hold for global
    return ip.is_global and not ip.is_multicast


_V4_INSIDE = (
    ipaddress.ip_network("64:ff9b::/96"),
    ipaddress.ip_network("::/96"),
)  # NAT64, and the oldest form
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """All requests of this thread inside the block end within ``seconds`` together; an outer limit stays."""
    outer, ends = _ends_at.get(), time.monotonic() + seconds
    token = _ends_at.set(ends if outer is None else min(ends, outer))
    try:
        yield
    finally:
        _ends_at.reset(token)


def time_left() -> float:
    """Seconds until the surrounding limit, zero or less when it is over."""
    ends = _ends_at.get()
    return 3600.0 if ends is None else ends - time.monotonic()


def _clip(timeout: float | None = None) -> float:
    left = time_left()
    if left <= 0:
        raise TimeoutError("the time limit of the whole call is over")
    return left if timeout is None else min(timeout, left)


_Place = tuple[str, str, int]  # scheme, host, port


class _Incoming(io.RawIOBase):
    """What comes in on a socket: every read ends with the call's time limit."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self.asked = True  # False: what is already here is enough
        self.ended = False  # the other side sends no more

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if not self.asked:
            return None
        self._socket.settimeout(_clip())
        count = self._socket.recv_into(buffer)
        self.ended = count == 0
        return count


class _Reader(io.BufferedReader):
    """Stays open from answer to answer: ``http.client`` closes what it has read to its end."""

    def close(self) -> None:
        """The connection closes the socket."""


class _Connection:
    """One connection to one place. ``http.client`` writes requests into it and reads answers from it as if it were a
    socket; a request is held until it is complete and leaves in one piece, in time, or not at all.
    """

    def __init__(self, place: _Place, opened: socket.socket) -> None:
        self.place = place
        self.kept_since = 0.0
        self._socket = opened
        self._incoming = _Incoming(opened)
        self._reader = _Reader(self._incoming)
        self._outgoing = bytearray()

    def sendall(self, data: bytes) -> None:
        """A part of the request."""
        self._outgoing += data

    def makefile(self, mode: str) -> io.BufferedReader:
        """Where the answer is read from."""
        del mode
        return self._reader

    def exchange(
        self, method: str, target: str, headers: Mapping[str, bytes], content: bytes | None
    ) -> tuple[HttpResponse, bool]:
        """Send a request and read its answer; and whether the connection can take another one."""
        scheme, host, port = self.place
        writer = http.client.HTTPConnection(host, port)
        writer.default_port = _PORTS[scheme]
        writer.sock = self  # all it needs of a socket is sendall
        self._outgoing.clear()
        try:
            writer.request(method, target, content, headers)
        except (http.client.HTTPException, ValueError) as error:
            raise NotSentError("connect_failed") from error
        # A server may refuse before it has read everything, and close: then the write fails, and its answer is there.
        with _lost_write():
            self._write()
        answer = self._answer(method)
        return _read(answer), answer.status >= 200 and not answer.will_close and not self._has_more()

    def _write(self) -> None:
        begin()
        with memoryview(self._outgoing) as left:
            written = 0
            while written < len(left):
                self._socket.settimeout(_clip())
                written += self._socket.send(left[written:])

    def _answer(self, method: str) -> http.client.HTTPResponse:
        while True:
            answer = http.client.HTTPResponse(self, method=method)  # type: ignore[arg-type]
            answer.begin()
            if self._incoming.ended:
                raise http.client.IncompleteRead(
                    b""
                )  # among the headers, which the library takes for their end
            if answer.status >= 200 or answer.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return answer  # others below 200 announce it

    def _has_more(self) -> bool:
        """Whether something came after the answer: what that belongs to nobody can say."""
        self._incoming.asked = False
        try:
            return bool(self._reader.peek(1))
        finally:
            self._incoming.asked = True

    def stale(self) -> bool:
        """Whether the other side closed it, or said something without being asked."""
        look = select.poll()
        look.register(self._socket, select.POLLIN)
        return bool(look.poll(0))

    def close(self) -> None:
        with suppress(OSError):
            self._socket.close()


@contextmanager
def _lost_write() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise
    except OSError:
        pass


class _Opener:
    """Resolves a name once, asks the guard about each address, and connects to an address it asked about.

    Checking the name first and letting a library resolve it again would leave a gap for a name that changes
    its address in between.
    """

    def __init__(self, connect: float, guard: Guard | None, names: frozenset[str]) -> None:
        self._connect = connect
        self._guard = guard
        self._trusted = names

    def open(self, place: _Place) -> _Connection:
        """A new connection. NotSentError says why there is none."""
        try:
            return _Connection(place, self._open(*place))
        except TimeoutError as error:
            raise NotSentError("connect_timeout") from error
        except (OSError, ValueError) as error:
            raise NotSentError("connect_failed") from error

    def _open(self, scheme: str, host: str, port: int) -> socket.socket:
        addresses = _resolve(host, port, _clip(self._connect))
        if self._guard is not None and host not in self._trusted:
            addresses = [address for address in addresses if self._guard(address)]
            if not addresses:
                raise ForbiddenError("private_address")
        plain = self._first(addresses[:3], port)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if scheme == "http":
                return plain
            plain.settimeout(_clip(self._connect))
            return _tls().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    def _first(self, addresses: list[str], port: int) -> socket.socket:
        problem = OSError("no address")
        for address in addresses:
            try:
                return socket.create_connection((address, port), _clip(self._connect))
            except OSError as error:
                problem = error
        raise problem


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """The addresses behind a name; the system's resolver has no time limit of its own, so it has a thread."""
    try:
        return [str(ipaddress.ip_address(host.strip("[]")))]
    except ValueError:
        pass
    found: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put(list(dict.fromkeys(str(row[4][0]) for row in rows)))
        except (OSError, UnicodeError) as error:
            found.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        answer = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


@cache
def _tls() -> ssl.SSLContext:
    """The one TLS context: to load its certificates takes as long as hundreds of requests."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Connections:
    """The connections of one transport: each is with one call at a time, and kept for the next to the same place.

    Calls beyond ``limit`` wait for one to end; so many connections are open at most, kept ones included.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._closed = False
        self._reset()
        _all.add(self)

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._idle: list[_Connection] = []  # the one kept last is the last
        self._busy = 0

    def __len__(self) -> int:
        return self._busy + len(self._idle)

    @contextmanager
    def room(self, seconds: float) -> Iterator[None]:
        """Room for one call; NotSentError when there is none in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._busy < self._limit, seconds):
                raise NotSentError("connect_timeout")
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify()

    def take(self, place: _Place) -> _Connection | None:
        """A kept connection on which the other side has said nothing since, most likely one that it has not closed."""
        while True:
            with self._changed:
                old, kept = self._expired(), self._kept(place)
                if kept is None and len(self) > self._limit:
                    old.append(self._idle.pop(0))
            for connection in old:
                connection.close()
            if kept is None or not kept.stale():
                return kept
            kept.close()

    def keep(self, connection: _Connection) -> None:
        """For the next call."""
        connection.kept_since = time.monotonic()
        with self._changed:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _kept(self, place: _Place) -> _Connection | None:
        for at in range(len(self._idle) - 1, -1, -1):
            if self._idle[at].place == place:
                return self._idle.pop(at)
        return None

    def _expired(self) -> list[_Connection]:
        last, old = time.monotonic() - _KEPT, []
        while self._idle and self._idle[0].kept_since < last:
            old.append(self._idle.pop(0))
        return old

    def close(self) -> None:
        """Close what is kept; what is with a call is closed when the call ends."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def after_fork(self) -> None:
        """A child must not speak on its parent's connections, nor wait for its parent's threads."""
        idle = self._idle
        self._reset()
        for connection in idle:
            connection.close()  # the child's end of it: the parent's stays open


_all: weakref.WeakSet[_Connections] = weakref.WeakSet()


def _after_fork() -> None:
    for connections in list(_all):
        connections.after_fork()


os.register_at_fork(after_in_child=_after_fork)


class HttpTransport:
    """The way out of one adapter, for all its threads. Connections are kept for a while and go from call to call."""

    def __init__(
        self,
        *,
        total: float = 10.0,
        connect: float = 2.0,
        guard: Guard | None = None,
        trusted_hosts: Iterable[str] = (),
        connections: int = 64,
    ) -> None:
        self.total = total
        self._connect = connect
        self._opener = _Opener(connect, guard, frozenset(trusted_hosts))
        self._connections = _Connections(connections)
        # A wire nobody holds leaves no sockets open.
        self._close = weakref.finalize(self, self._connections.close)

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None = None
    ) -> HttpResponse:
        """One request, one answer. Whatever the network did comes as NotSentError or InDoubtError."""
        place, target = _split(url)
        sent = {name: value.encode() for name, value in headers.items() if name.lower() != "host"}
        with time_limit(self.total), self._connections.room(min(self._connect, max(0.0, time_left()))):
            connection = self._connections.take(place) or self._opener.open(place)
            keep = False
            try:
                answer, keep = connection.exchange(method, target, sent, content)
            except TimeoutError as error:
                raise InDoubtError("timeout") from error
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise InDoubtError("connection_lost") from error
            finally:
                if keep:
                    self._connections.keep(connection)
                else:
                    connection.close()
        return answer

    def close(self) -> None:
        """Close the connections; one that a call is using, when that call ends."""
        self._close()


_PORTS = {"http": 80, "https": 443}


def _split(url: str) -> tuple[_Place, str]:
    """Where a URL leads, and what is asked for there."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise NotSentError("connect_failed") from error
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    return (parts.scheme, parts.hostname or "", port), target


def _read(answer: http.client.HTTPResponse) -> HttpResponse:
    body = b""
    while part := answer.read(65_536):
        body += part
        if len(body) > MAX_ANSWER:
            raise InDoubtError("answer_too_large")
    if answer.length:
        raise InDoubtError("connection_lost")  # it ended before the end it announced
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return HttpResponse(status=answer.status, headers=headers, body=body)
