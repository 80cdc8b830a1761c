"""The web process under test: a real engine on a database of its own, a real application, real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.bootstrap import build_engine
from orchestrator.settings import Settings
from tests.fakes.signing import SendGridSigner
from tests.support.services import free_port
from tests.web.served import KEY, READ_KEY, TWILIO_TOKEN, Web, serving
from tests.web.shop import write_folder


@pytest.fixture(scope="session")
def sendgrid() -> SendGridSigner:
    return SendGridSigner()


@pytest.fixture
def settings(database_url: str, tmp_path: Path, sendgrid: SendGridSigner) -> Settings:
    return Settings(
        env="test",
        port=free_port(),
        database_url=database_url,
        data_dir=tmp_path / "data",
        api_keys=f"shop:{KEY}:product+read+operate+erase analyst:{READ_KEY}:read",
        secret_keys="s" * 40,
        sendgrid_webhook_public_key=sendgrid.public_key,
        twilio_auth_token=TWILIO_TOKEN,
        allowed_origins="https://app.shop.example",
    )


@pytest.fixture
def web(settings: Settings, tmp_path: Path) -> Iterator[Web]:
    engine = build_engine(settings)
    engine.publish(write_folder(tmp_path / "playbooks"))
    with serving(engine, settings) as served:
        yield served
    engine.close()


@pytest.fixture
def anna(web: Web) -> str:
    """A customer with an address on every channel, seen in the product a moment ago."""
    traits = {"email": "anna@shop.example", "phone": "+4915112345678", "locale": "en", "timezone": "UTC"}
    web.client.post(
        "/v1/batch",
        headers=web.key,
        json={
            "batch": [
                {"type": "identify", "userId": "anna", "traits": traits},
                {"type": "track", "userId": "anna", "event": "session_started"},
            ]
        },
    ).raise_for_status()
    web.drain()
    return "anna"


@pytest.fixture
def offered(web: Web, anna: str) -> str:
    """Anna walks the playbook `offer`: its modal is in her feed. Gives the message's id."""
    web.client.post("/v1/playbooks/offer/start", headers=web.key, json={"customer": anna}).raise_for_status()
    web.drain()
    items = web.client.get("/v1/feed", headers=web.feed_key(anna)).json()["items"]
    return str(items[0]["id"])
