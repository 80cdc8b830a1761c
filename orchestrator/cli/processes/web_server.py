"""Runs the web process, with the work beside it where no broker is set, until it is told to stop."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import uvicorn
from fastapi import FastAPI

from orchestrator.engine import Engine
from orchestrator.errors import Unavailable
from orchestrator.queue.heartbeat import Heartbeat
from orchestrator.queue.in_process import Runner
from orchestrator.settings import Settings
from orchestrator.telemetry import emit
from orchestrator.web.app import create_app

_SWITCH = 0.001
"""Seconds a thread computes before another may: with forty at work and Python's five milliseconds, a withdrawal would
wait a fifth of a second after each answer of the database."""


def free_port(host: str, wanted: int) -> int:
    """``wanted`` when nobody listens there, else any free one."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable(f"no port can be had on {host}")


def serve(engine: Engine, settings: Settings, *, started: Callable[[FastAPI], None]) -> None:
    """Serve until Ctrl-C or SIGTERM. ``started`` is called with the application once it listens."""
    sys.setswitchinterval(_SWITCH)
    app = create_app(engine, settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        timeout_graceful_shutdown=5,
    )

    def listening() -> None:
        emit("process.started", role="web", **settings.told())
        started(app)

    server = _Server(config, listening)
    runner = Runner(engine) if settings.broker is None else None

    def tell() -> None:
        engine.report("web", works=runner is not None and runner.working)

    with _ended_in_order(), Heartbeat(tell, engine.reporter.leave), runner or nullcontext():
        server.run()
        emit("process.stopping", role="web", reason="told to stop" if server.started else "port taken")
    if not server.started:
        raise Unavailable(f"{settings.host}:{settings.port} is taken; choose another with ORCHESTRATOR_PORT")


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM ends the server and not the process: uvicorn raises it again afterwards, when work is still under way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._listening()


def login_url(app: FastAPI, settings: Settings) -> str:
    """The link that opens the dashboard while this process runs."""
    return f"{settings.base_url}/login?token={app.state.sessions.login_token}"
