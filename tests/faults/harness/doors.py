"""A door in front of a server: TCP passed on, until it is told to refuse, to cut, or to stand still.

A server that is everybody's (a RabbitMQ of this machine) or whose ledger must live on (a fake provider) can so be away
for one installation alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
_CHUNK = 65536


class Door:
    """Listens on a free port of 127.0.0.1 and passes on to ``host:port``, in a thread of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="door", daemon=True)
        self._thread.start()
        self._flowing = self._do(_made(asyncio.Event))
        self._flowing.set()
        self._passing: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self._do(self._open())

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Connections are cut, new ones refused: the host is there, nobody listens."""
        self._do(self._shut())
        try:
            yield
        finally:
            self._do(self._open())

    @contextmanager
    def still(self) -> Iterator[None]:
        """Connections are accepted and nothing passes, in neither direction."""
        self._loop.call_soon_threadsafe(self._flowing.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._flowing.set)

    def close(self) -> None:
        self._do(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port, backlog=256)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        passing = list(self._passing)
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        ours: asyncio.StreamWriter | None = None
        try:
            theirs, ours = await asyncio.open_connection(*self._target)
            done, rest = await asyncio.wait(
                {asyncio.ensure_future(self._pump(reader, ours)), asyncio.ensure_future(self._pump(theirs, writer))},
                return_when=asyncio.FIRST_COMPLETED,
            )  # fmt: skip
            for one in rest:
                one.cancel()
            await asyncio.gather(*done, *rest, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._passing.discard(task)
            for one in (writer, ours):
                if one is not None:
                    one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


async def _made(make: type[T]) -> T:
    return make()
