"""The harness of the benchmarks, on a size that measures nothing: floor and engine leave the same rows behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.harness.report import Table, bar, spread, write
from benchmarks.harness.scratch import connect, pass_days
from benchmarks.two_sends import workload
from benchmarks.two_sends.contender import measure, row_counts
from benchmarks.two_sends.engine import wave
from benchmarks.two_sends.floor import Floor
from benchmarks.two_sends.floor_messages import Writer
from benchmarks.two_sends.floor_walk import Walk
from benchmarks.two_sends.processes import FLOOR, WAVES
from orchestrator.bootstrap import build_engine
from orchestrator.service.rendering.links import LinkSigner

CUSTOMERS = 12


@pytest.mark.services
def test_the_floor_leaves_the_rows_behind_that_the_engine_leaves(database_url: str, tmp_path: Path) -> None:
    engine = build_engine(workload.settings(database_url))
    workload.publish(engine, tmp_path)

    def rows_of(work: Callable[[], object], first: int) -> dict[str, int]:
        workload.load(engine, first, CUSTOMERS)
        before = row_counts(database_url)
        for _ in range(WAVES):
            work()
            pass_days(database_url, workload.WAIT_DAYS + 0.1)
        return {table: count - before[table] for table, count in row_counts(database_url).items()}

    by_engine = rows_of(lambda: wave(engine), 0)
    with connect(database_url, autocommit=False) as connection:
        by_floor = rows_of(Floor(connection).wave, CUSTOMERS)
    engine.close()

    assert by_engine["sandbox_inbox"] == CUSTOMERS * workload.MESSAGES_EACH
    assert by_floor == by_engine


@pytest.mark.services
def test_a_contender_is_measured_in_a_process_of_its_own(postgres_url: str) -> None:
    found = measure("floor", FLOOR, server=postgres_url, customers=4)

    assert found.messages == found.rows["sandbox_inbox"] == 8
    assert found.rate > 0
    assert found.worker_cpu >= 0


def test_links_of_the_floor_are_opened_by_the_engine() -> None:
    now = datetime(2026, 3, 3, 12, tzinfo=UTC)
    walk = Walk(customer_id=62, key="c", attributes={"first_name": "Ada"}, address="a@b.example", now=now)
    walk.message_id, walk.state["step"] = 63, "first"
    written = json.loads(Writer().write(walk))
    links = LinkSigner(base_url=workload.BASE_URL, keys=[workload.SIGNING_KEY])

    assert links.read_opt_out(written["opt_out_url"].rpartition("/")[2]) == (62, "*", "upsell", "m_10-11")
    click = written["content"]["links"]["upgrade"]
    assert links.read_click(click.rpartition("/")[2])[:2] == ("m_10-11", "upgrade")
    assert "Hello Ada" in written["content"]["text"]
    assert click in written["content"]["text"]


def test_results_tell_the_median_and_the_spread(tmp_path: Path) -> None:
    assert spread([3.0, 1.0, 2.0], 1) == "2.0 (1.0–3.0)"
    assert spread([1234.0]) == "1,234"
    table = Table(
        title="Speed", columns=["what", "rate"], rows=[["a", "1"]], bars=[bar("a", [1.0])], unit="1/s"
    )

    written = write([table], {"Python": "3"}, "python -m benchmarks", tmp_path)

    assert "| a | 1 |" in written[0].read_text(encoding="utf-8")
    assert json.loads(written[1].read_text(encoding="utf-8"))["tables"][0]["bars"][0]["value"] == 1.0
