"""A web process in a thread: the real application behind a real socket, stopped at the end of the test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from orchestrator.settings import Settings
from orchestrator.web.app import create_app

KEY = "test-key-of-the-product"
READ_KEY = "test-key-that-may-only-read"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"
TWILIO_TOKEN = "12345678901234567890"


@dataclass(frozen=True, kw_only=True)
class Web:
    """What a test holds: the engine, its application, and a client without any credentials."""

    engine: Any
    app: FastAPI
    settings: Settings
    client: httpx.Client

    @property
    def key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {KEY}"}

    def drain(self) -> None:
        """Let the engine do everything that is due now."""
        while self.engine.drain().more:
            pass

    def feed_key(self, customer: str) -> dict[str, str]:
        token = self.client.post(f"/v1/customers/{customer}/feed-token", headers=self.key).json()["token"]
        return {"Authorization": f"Bearer {token}"}

    @contextmanager
    def login(self) -> Iterator[httpx.Client]:
        """A browser that is logged in to the dashboard."""
        with httpx.Client(
            base_url=self.settings.base_url,
            headers={"Accept": "text/html"},
            follow_redirects=True,
            timeout=10,
        ) as browser:
            token = self.app.state.sessions.login_token
            browser.get("/login", params={"token": token}).raise_for_status()
            yield browser


@contextmanager
def serving(engine: Any, settings: Settings) -> Iterator[Web]:
    app = create_app(engine, settings)
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    config = uvicorn.Config(app, host=settings.host, port=settings.port, log_config=None, lifespan="off",
                            timeout_graceful_shutdown=1, proxy_headers=bool(settings.trusted_proxies),
                            forwarded_allow_ips=list(settings.trusted_proxies))  # fmt: skip
    server = Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(20), "the web process did not start"
    with httpx.Client(
        base_url=settings.base_url, headers={"User-Agent": BROWSER}, follow_redirects=False, timeout=20
    ) as client:
        yield Web(engine=engine, app=app, settings=settings, client=client)
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive(), "the web process did not stop"
