"""PostgreSQL takes no connections for a while: no traceback is shown, readers still arrive, and it heals by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from tests.web.served import Web


@contextmanager
def database_away(server: str, web: Web) -> Iterator[None]:
    plain = make_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
    name = sql.Identifier(str(web.engine.database.url.database))
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(name))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [web.engine.database.url.database],
        )
        try:
            yield
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true").format(name))


@pytest.fixture
def plans(web: Web, offered: str) -> str:
    item = web.client.get("/v1/feed", headers=web.feed_key("anna")).json()["items"][0]
    return str(item["button"]["url"])


def test_every_face_says_so_in_its_own_way_and_all_heals(web: Web, plans: str, postgres_url: str) -> None:
    feed_key = web.feed_key("anna")
    stop = web.engine.links.opt_out_url(1, "upsell")
    track = {"userId": "anna", "event": "session_started"}
    with database_away(postgres_url, web):
        told = web.client.post("/v1/track", headers=web.key, json=track)
        assert (told.status_code, told.headers["content-type"]) == (503, "application/problem+json")
        assert told.headers["retry-after"] == "2"
        page = web.client.post(stop, data={"confirm": "1"})
        assert (page.status_code, page.headers["content-type"].split(";")[0]) == (503, "text/html")
        assert "Nothing was changed" in page.text
        assert web.client.get("/v1/feed", headers=feed_key).status_code == 503
        assert web.client.get("/readyz").status_code == 503
        assert web.client.get("/healthz").status_code == 200
        assert "orchestrator_database_up 0.0" in web.client.get("/metrics").text
        assert web.client.get(plans).headers["location"] == "https://shop.example/plans"
        for answer in (told, page):
            assert "Traceback" not in answer.text
            assert "psycopg" not in answer.text
    assert web.client.get("/readyz").status_code == 200
    assert web.client.post("/v1/track", headers=web.key, json=track).status_code == 200
