"""The harness of the benchmarks, on a size that measures nothing: floor and engine leave the same rows behind."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from benchmarks.two_sends.contender import Opened, Run, measure
from benchmarks.two_sends.floor_messages import Writer
from benchmarks.two_sends.floor_walk import Walk
from benchmarks.two_sends.processes import ENGINE, FLOOR
from benchmarks.two_sends.workload import BASE_URL, MESSAGES_EACH, SIGNING_KEY
from orchestrator.service.rendering.links import LinkSigner

CUSTOMERS = 12


def small(opened: Opened, server: str) -> Run:
    return measure("tried", opened, server=server, customers=CUSTOMERS)


@pytest.mark.services
def test_the_floor_leaves_the_rows_behind_that_the_engine_leaves(postgres_url: str) -> None:
    engine, floor = small(ENGINE, postgres_url), small(FLOOR, postgres_url)

    assert engine.rows["sandbox_inbox"] == CUSTOMERS * MESSAGES_EACH
    assert floor.rows == engine.rows


def test_links_of_the_floor_are_opened_by_the_engine() -> None:
    walk = Walk(
        customer_id=62,
        key="c",
        attributes={"first_name": "Ada"},
        address="a@b.example",
        now=datetime(2026, 3, 3, 12, tzinfo=UTC),
    )
    walk.message_id, walk.state["step"] = 63, "first"
    written = json.loads(Writer().write(walk))
    links = LinkSigner(base_url=BASE_URL, keys=[SIGNING_KEY])

    assert links.read_opt_out(written["opt_out_url"].rpartition("/")[2]) == (62, "*", "upsell", "m_10-11")
    click = written["content"]["links"]["upgrade"]
    assert links.read_click(click.rpartition("/")[2])[:2] == ("m_10-11", "upgrade")
    assert "Hello Ada" in written["content"]["text"]
    assert click in written["content"]["text"]
