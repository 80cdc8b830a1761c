"""The one way out to the network: pooled, within a total time limit, never redirected, honest about doubt.

Providers' libraries bring HTTP clients that wait for ever, follow redirects or mix up threads, and their time
limits count each read, not the call. All adapters therefore speak through a :class:`HttpTransport`. It says the one
thing that decides whether a message may be sent again: whether a request can have left this machine.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore

from channels.base import begin
from channels.errors import ForbiddenError, InDoubtError, NotSentError

_ends_at: ContextVar[float | None] = ContextVar("channels_wire_ends_at", default=None)

MAX_ANSWER = 1_000_000  # bytes; more is no answer of a provider

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


def _clip(timeout: float | None, error: type[Exception]) -> float:
    left = time_left()
    if left <= 0:
        raise error("the time limit of the whole call is over")
    return left if timeout is None else min(timeout, left)


class _LimitedStream(httpcore.NetworkStream):
    """A connection whose every read and write ends with the call's time limit, and whose first write is in time."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _clip(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        begin()
        self._inner.write(buffer, _clip(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = _clip(timeout, httpcore.ConnectTimeout)
        return _LimitedStream(self._inner.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _GuardedBackend(httpcore.NetworkBackend):
    """Resolves a name once, asks the guard about each address, and connects to an address it asked about.

    Checking the name first and letting a library resolve it again would leave a gap for a name that changes
    its address in between.
    """

    def __init__(self, guard: Guard | None, names: frozenset[str]) -> None:
        self._guard = guard
        self._trusted = names
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = _resolve(host, port, _clip(timeout, httpcore.ConnectTimeout))
        if self._guard is not None and host not in self._trusted:
            addresses = [address for address in addresses if self._guard(address)]
            if not addresses:
                raise ForbiddenError("private_address")
        problem: Exception = httpcore.ConnectError("no address")
        for address in addresses[:3]:
            limit = _clip(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(address, port, limit, local_address, socket_options)
                return _LimitedStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
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
        raise httpcore.ConnectTimeout("the name was not resolved in time") from None
    if isinstance(answer, OSError):
        raise httpcore.ConnectError("the name does not resolve") from answer
    return answer


class HttpTransport:
    """A pool of connections shared by all threads of one adapter."""

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
        self._timeouts = {"connect": connect, "read": total, "write": total, "pool": connect}
        self._pool = httpcore.ConnectionPool(
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=4.0,  # shorter than servers' own: we rarely write into a closed connection
            retries=0,
            network_backend=_GuardedBackend(guard, frozenset(trusted_hosts)),
        )
        self._close = weakref.finalize(self, self._pool.close)  # a wire nobody holds leaves no sockets open

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None = None
    ) -> HttpResponse:
        """One request, one answer. Whatever the network did comes as NotSentError or InDoubtError."""
        sent = [(name.encode(), value.encode()) for name, value in headers.items() if name.lower() != "host"]
        extensions = {"timeout": self._timeouts}
        try:
            with (
                time_limit(self.total),
                self._pool.stream(
                    method, url, headers=sent, content=content, extensions=extensions
                ) as response,
            ):
                return _read(response)
        except (httpcore.ConnectTimeout, httpcore.PoolTimeout) as error:
            raise NotSentError("connect_timeout") from error
        except (httpcore.ConnectError, httpcore.UnsupportedProtocol, httpcore.LocalProtocolError) as error:
            raise NotSentError("connect_failed") from error
        except httpcore.TimeoutException as error:
            raise InDoubtError("timeout") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise InDoubtError("connection_lost") from error

    def close(self) -> None:
        self._close()


def _read(response: httpcore.Response) -> HttpResponse:
    body = b""
    for part in response.iter_stream():
        body += part
        if len(body) > MAX_ANSWER:
            raise InDoubtError("answer_too_large")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    return HttpResponse(status=response.status, headers=headers, body=body)
