"""What holds for every request: who may call, how much may be sent, how a refusal reads."""

from __future__ import annotations

import base64
import gzip
import json
import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from orchestrator.store import migrate
from tests.web.served import KEY, READ_KEY, Web

TRACK = {"userId": "anna", "event": "session_started"}


def test_without_a_key_nothing_is_done(web: Web) -> None:
    answer = web.client.post("/v1/track", json=TRACK)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "shown", ["Bearer wrong", "Basic %%%", "Basic d3Jvbmc6", "Digest x", f"Bearer {KEY}x"]
)
def test_a_key_that_is_not_ours_opens_nothing(web: Web, shown: str) -> None:
    assert web.client.post("/v1/track", json=TRACK, headers={"Authorization": shown}).status_code == 401


def test_a_key_without_the_scope_is_told_which_one_it_lacks(web: Web) -> None:
    reader = {"Authorization": f"Bearer {READ_KEY}"}
    answer = web.client.post("/v1/track", json=TRACK, headers=reader)
    assert (answer.status_code, answer.json()["needs"]) == (403, "signals")
    assert web.client.delete("/v1/customers/anna", headers=reader).status_code == 403


def test_the_key_may_come_as_the_user_name_as_segment_sdks_send_it(web: Web) -> None:
    basic = base64.b64encode(f"{KEY}:".encode()).decode()
    answer = web.client.post("/v1/track", json=TRACK, headers={"Authorization": f"Basic {basic}"})
    assert answer.status_code == 200


CALLS = {
    "/v1/identify": {"userId": "anna", "traits": {"plan": "team"}},
    "/v1/track": TRACK,
    "/v1/group": {"userId": "anna", "groupId": "acme"},
    "/v1/batch": {"batch": [TRACK | {"type": "track"}], "sentAt": "2026-03-02T09:30:00Z"},
}


@pytest.mark.parametrize("path", CALLS)
def test_the_key_may_come_in_the_body_as_segment_sdks_send_it(web: Web, path: str) -> None:
    call = CALLS[path] | {"writeKey": KEY}
    assert web.client.post(path, json=call).json()["success"] is True
    refused = web.client.post(path, json=call | {"writeKey": READ_KEY})
    assert (refused.status_code, refused.json()["needs"]) == (403, "signals"), (
        "it has the scopes it always has"
    )
    for wrong in (f"{KEY}x", "", 7, None, [KEY], {}):
        assert web.client.post(path, json=call | {"writeKey": wrong}).status_code == 401, wrong
    header = {"Authorization": "Bearer wrong"}
    assert web.client.post(path, json=call, headers=header).status_code == 401, (
        "the header decides where there is one"
    )


def test_a_key_in_the_body_opens_nothing_but_signals(web: Web) -> None:
    for path in ("/v1/playbooks/offer/start", "/v1/customers/anna/opt-out", "/v1/customers/anna/feed-token"):
        assert web.client.post(path, json={"customer": "anna", "writeKey": KEY}).status_code == 401, path


@pytest.mark.parametrize("path", CALLS)
def test_a_page_of_ours_sends_signals_as_the_browser_sdk_does(web: Web, path: str) -> None:
    """Plain text by name, no header of its own, the first letter as address, and an answer the page may read."""
    short = path[: len("/v1/") + 1]
    body = json.dumps(CALLS[path] | {"writeKey": KEY})
    headers = {"Content-Type": "text/plain", "Origin": "https://app.shop.example"}
    answer = web.client.post(short, content=body, headers=headers)
    assert answer.json()["success"] is True
    assert answer.headers["access-control-allow-origin"] == "https://app.shop.example"
    stranger = web.client.post(short, content=body, headers=headers | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in stranger.headers


def test_what_was_said_with_a_key_in_the_body_keeps_no_key(web: Web) -> None:
    web.client.post("/v1/track", json=TRACK | {"writeKey": KEY, "properties": {"a": 1}}).raise_for_status()
    web.drain()
    assert KEY not in web.client.get("/v1/customers/anna/export", headers=web.key).text


def test_all_bad_fields_are_told_at_once_by_their_json_path(web: Web) -> None:
    bad = {"traits": {"x": "\x00"}, "timestamp": "yesterday", "context": {"timezone": 5}}
    answer = web.client.post("/v1/identify", json=bad, headers=web.key)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (422, 422)
    assert {error["path"] for error in problem["errors"]} == {
        "$.userId", "$.traits", "$.timestamp", "$.context.timezone",
    }  # fmt: skip


def test_what_is_no_json_is_a_problem_with_one_path(web: Web) -> None:
    answer = web.client.post(
        "/v1/track", content=b"{not json", headers=web.key | {"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "$"


def test_an_unknown_address_is_a_problem_document_too(web: Web) -> None:
    answer = web.client.get("/v1/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_body_above_the_limit_is_refused_also_in_chunks(web: Web) -> None:
    large = b'{"userId": "anna", "event": "e", "properties": {"x": "' + b"y" * 300_000 + b'"}}'
    headers = web.key | {"Content-Type": "application/json"}
    assert web.client.post("/v1/track", content=large, headers=headers).status_code == 413

    def chunks() -> object:
        for start in range(0, len(large), 10_000):
            yield large[start : start + 10_000]

    try:
        assert web.client.post("/v1/track", content=chunks(), headers=headers).status_code == 413  # type: ignore[arg-type]
    except httpx.WriteError:
        pass  # refused before everything was sent


def test_gzip_is_unpacked_and_a_bomb_is_refused(web: Web) -> None:
    headers = web.key | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    good = gzip.compress(json.dumps(TRACK).encode())
    assert web.client.post("/v1/track", content=good, headers=headers).status_code == 200
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < 100_000
    assert web.client.post("/v1/track", content=bomb, headers=headers).status_code == 413
    assert web.client.post("/v1/track", content=b"not gzip", headers=headers).status_code == 400
    assert web.client.post("/v1/track", content=good[:-4], headers=headers).status_code == 400


def test_every_answer_has_an_id_and_the_security_headers(web: Web) -> None:
    for path in ("/healthz", "/u/x", "/v1/nothing", "/login"):
        headers = web.client.get(path).headers
        assert len(headers["x-request-id"]) == 32
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_health_and_readiness(web: Web) -> None:
    assert web.client.get("/healthz").json() == {"status": "ok"}
    ready = web.client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["database"]) == (200, "ok")


def test_metrics_name_routes_and_never_tokens(web: Web) -> None:
    token = web.engine.links.preferences_url(1).rsplit("/", 1)[1]
    web.client.get(f"/p/{token}")
    page = web.client.get("/metrics").text
    assert 'route="/p/{token}"' in page
    assert token not in page
    assert "orchestrator_database_up 1.0" in page
    assert 'orchestrator_lane_lag_seconds{lane="timers",provider=""} 0.0' in page
    assert 'orchestrator_processes{role="worker"} 0.0' in page


def test_what_all_processes_counted_is_served_with_its_kind(web: Web, offered: str) -> None:
    web.engine.reporter.report("web", works=True)
    families = {
        family.name: family
        for family in text_string_to_metric_families(web.client.get("/metrics").text)
        if family.samples
    }
    assert families["orchestrator_sends"].type == "counter"
    seconds = families["orchestrator_send_seconds"]
    assert seconds.type == "histogram"
    names = {sample.name.removeprefix("orchestrator_send_seconds") for sample in seconds.samples}
    assert names == {"_bucket", "_count", "_sum"}


def test_readiness_says_why_and_requests_are_served_all_the_same(web: Web, anna: str) -> None:
    web.client.post("/v1/track", headers=web.key, json={"userId": anna, "event": "session_started"})
    with web.engine.database.begin() as connection:
        connection.execute(text("UPDATE inbox SET received_at = received_at - interval '5 minutes'"))
    ready = web.client.get("/readyz")
    assert ready.status_code == 503
    assert re.fullmatch(r"signals: due for 30\d s, and no worker is there", ready.json()["checks"]["work"])
    assert web.client.get("/readyz/requests").json() == {
        "status": "ok",
        "checks": {"database": "ok", "schema": "ok"},
    }


def test_an_older_schema_is_not_ready_and_a_newer_one_is(web: Web) -> None:
    def at(revision: str) -> tuple[int, str]:
        with web.engine.database.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
        answer = web.client.get("/readyz")
        return answer.status_code, answer.json()["checks"]["schema"]

    newest = migrate.head()
    try:
        assert at("0005") == (
            503,
            f"at revision 0005, this program needs {newest}; run: orchestrator db upgrade",
        )
        assert at("9999") == (200, "ok")
    finally:
        assert at(newest) == (200, "ok")


def test_only_named_origins_may_read_the_feed_and_nothing_else(web: Web) -> None:
    def allowed(origin: str, path: str) -> str | None:
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization",
        }
        return web.client.options(path, headers=asked).headers.get("access-control-allow-origin")

    assert allowed("https://app.shop.example", "/v1/feed") == "https://app.shop.example"
    assert allowed("https://evil.example", "/v1/feed") is None
    assert allowed("https://app.shop.example", "/v1/customers/anna") is None


def test_the_openapi_document_lists_the_public_surface_with_examples(web: Web) -> None:
    document = web.client.get("/v1/openapi.json").json()
    for path in (
        "/v1/identify", "/v1/track", "/v1/batch", "/v1/playbooks/{name}/start", "/v1/customers/{key}",
        "/v1/customers/{key}/timeline", "/v1/customers/{key}/export", "/v1/messages/{message_id}/respond", "/v1/feed",
        "/v1/feed/stream", "/v1/feed/{message_id}/{did}",
    ):  # fmt: skip
        assert path in document["paths"], path
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            assert operation.get("summary"), (path, verb)
            if path.startswith("/v1/") and "feed" not in path:
                assert operation["security"] == [{"ApiKey": []}], (path, verb)
    body = document["paths"]["/v1/track"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"].get("examples") or body.get("examples") or "examples" in json.dumps(body)


def test_a_process_that_takes_nobody_is_not_ready_and_serves_requests_all_the_same(web: Web) -> None:
    web.engine.services.claiming.stop("KeyError for 9 of 10 customers")
    ready = web.client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["build"]) == (503, "KeyError for 9 of 10 customers")
    assert web.client.get("/readyz/requests").status_code == 200
