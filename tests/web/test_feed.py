"""The in-app feed: who may read it, what it shows, and that it shows it live."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from orchestrator.bootstrap import build_engine
from orchestrator.service.delivery.live_push import RedisPush
from orchestrator.service.rendering.links import LinkSigner
from orchestrator.settings import Settings
from tests.web.served import Web, serving
from tests.web.shop import write_folder


def items(web: Web, customer: str = "anna") -> list[dict[str, object]]:
    return list(web.client.get("/v1/feed", headers=web.feed_key(customer)).json()["items"])


def test_an_item_comes_with_everything_the_widget_draws(web: Web, offered: str) -> None:
    (item,) = items(web)
    assert (item["id"], item["display"], item["title"]) == (offered, "modal", "Your team has grown")
    assert "<strong>seats</strong>" in str(item["html"])
    assert item["seen"] is False


def test_a_feed_token_opens_one_feed_and_an_api_key_none(web: Web, offered: str) -> None:
    assert web.client.get("/v1/feed").status_code == 401
    assert web.client.get("/v1/feed", headers=web.key).status_code == 401
    token = web.feed_key("anna")["Authorization"].removeprefix("Bearer ")
    assert web.client.get("/v1/feed", params={"token": token}).status_code == 401, "not from the address"
    old = LinkSigner(base_url="http://x", keys=["s" * 40], now=lambda: 1_000_000).feed_token(1)
    assert web.client.get("/v1/feed", headers={"Authorization": f"Bearer {old}"}).status_code == 401


def test_another_customers_message_looks_like_none(web: Web, offered: str) -> None:
    web.client.post("/v1/identify", headers=web.key, json={"userId": "boris"}).raise_for_status()
    web.drain()
    stranger = web.feed_key("boris")
    assert web.client.post(f"/v1/feed/{offered}/dismissed", headers=stranger).status_code == 404
    assert web.client.post("/v1/feed/m_1-999999/dismissed", headers=stranger).status_code == 404
    assert len(items(web)) == 1


def test_a_dismissed_item_is_gone_at_once_and_moves_the_walk(web: Web, offered: str) -> None:
    key = web.feed_key("anna")
    assert web.client.post(f"/v1/feed/{offered}/dismissed", headers=key).json() == {"recorded": True}
    assert items(web) == []
    assert web.client.post(f"/v1/feed/{offered}/dismissed", headers=key).json() == {"recorded": False}
    web.drain()
    assert web.client.get("/v1/customers/anna", headers=web.key).json()["playbooks"][0]["step"] == "mail"


def test_seeing_it_leaves_it_there(web: Web, offered: str) -> None:
    assert web.client.get("/v1/feed", headers=web.feed_key("anna")).json()["unread"] == 1
    web.client.post(f"/v1/feed/{offered}/seen", headers=web.feed_key("anna")).raise_for_status()
    (item,) = items(web)
    assert item["seen"] is True
    assert web.client.get("/v1/feed", headers=web.feed_key("anna")).json()["unread"] == 0


def test_an_answer_needs_its_key(web: Web, offered: str) -> None:
    answer = web.client.post(f"/v1/feed/{offered}/answered", headers=web.feed_key("anna"), json={})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "$.detail")


@pytest.mark.parametrize(
    ("event", "ending"), [("support_ticket_opened", "support_ticket_closed")], ids=["open ticket"]
)
def test_a_hold_hides_promotion_until_it_ends(web: Web, offered: str, event: str, ending: str) -> None:
    for name, left in ((event, 0), (ending, 1)):
        web.client.post(
            "/v1/track", headers=web.key, json={"userId": "anna", "event": name}
        ).raise_for_status()
        web.drain()
        assert len(items(web)) == left, name


def test_an_opt_out_by_channel_hides_what_is_in_the_feed(web: Web, offered: str) -> None:
    web.client.post(
        "/v1/customers/anna/opt-out", headers=web.key, json={"channel": "in_app"}
    ).raise_for_status()
    assert items(web) == []


def events(response: httpx.Response) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in response.iter_lines():
        if line == "":
            if "event" in event:
                yield event
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


def test_the_stream_begins_with_the_feed_and_tells_each_change(web: Web, offered: str) -> None:
    key = web.feed_key("anna")
    with web.client.stream("GET", "/v1/feed/stream", headers=key) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        told = events(response)
        first = next(told)
        assert [item["id"] for item in json.loads(first["data"])["items"]] == [offered]
        web.client.post(f"/v1/feed/{offered}/dismissed", headers=key)
        second = next(told)
        assert json.loads(second["data"])["items"] == []
        assert second["id"] != first["id"]


def test_a_page_that_comes_back_is_told_only_what_is_new(web: Web, offered: str) -> None:
    key = web.feed_key("anna")
    version = web.client.get("/v1/feed", headers=key).json()["version"]
    with web.client.stream("GET", "/v1/feed/stream", headers=key | {"Last-Event-ID": version}) as response:
        told = events(response)
        web.client.post(f"/v1/feed/{offered}/dismissed", headers=key)
        assert json.loads(next(told)["data"])["items"] == []


def test_without_a_token_there_is_no_stream(web: Web) -> None:
    assert web.client.get("/v1/feed/stream").status_code == 401


@pytest.fixture
def pushed(settings: Settings, redis_url: str, tmp_path: object) -> Iterator[Web]:
    from pathlib import Path

    with_redis = settings.model_copy(update={"redis_url": type(settings.database_url)(redis_url)})  # type: ignore[misc]
    engine = build_engine(with_redis)
    engine.publish(write_folder(Path(str(tmp_path)) / "playbooks"))
    with serving(engine, with_redis) as web:
        yield web
    engine.close()


def test_with_redis_a_push_tells_the_page_long_before_its_next_look(
    pushed: Web, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.web.feed.stream.LOOK_EVERY_WITH_PUSH", 300.0)
    web = pushed
    web.client.post(
        "/v1/batch",
        headers=web.key,
        json={"batch": [{"type": "track", "userId": "anna", "event": "session_started"}]},
    ).raise_for_status()
    web.drain()
    key = web.feed_key("anna")
    with web.client.stream("GET", "/v1/feed/stream", headers=key) as response:
        told = events(response)
        assert json.loads(next(told)["data"])["items"] == []
        web.client.post(
            "/v1/playbooks/offer/start", headers=web.key, json={"customer": "anna"}
        ).raise_for_status()
        web.drain()
        with web.engine.database.connect() as connection:
            from orchestrator.store.customers import find

            anna = find(connection, "anna")
        assert anna is not None
        RedisPush(redis_url)(anna.id, "m_1-1")
        assert len(json.loads(next(told)["data"])["items"]) == 1
