"""Whom a process had in hand when it was killed: taken up alone, and parked when a second process died of her."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from orchestrator.service.enrollment import crash_recovery as interrupted
from orchestrator.store import parked
from tests.support.engine import Scene, one_message


class Killed(BaseException):
    """As near to ``kill -9`` as one process can come: nothing catches it, and nothing after it is written."""


@pytest.fixture
def crowd(scene: Scene) -> Scene:
    scene.publish_playbooks(one_message("mail"))
    for key in ("anna", "bea", "cleo"):
        scene.person(key)
        scene.start(key, "mail")
    return scene


def deadly(scene: Scene, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever decides about this customer is killed."""
    from orchestrator.core.policies import order as policy

    def kills(question: object) -> None:
        if question.address == f"{key}@shop.example":  # type: ignore[attr-defined]
            raise Killed

    quiet = next(one for one in policy.ORDER if one.name == "quiet_hours")
    monkeypatch.setattr(quiet, "verdict", kills)


def work(scene: Scene) -> bool:
    """One process sweeps, then drains, until it is killed; the next may come when its silence is long enough."""
    try:
        scene.engine.sweep()
        scene.drain()
    except Killed:
        scene.execute("UPDATE batches_in_hand SET process = process || ' dead' WHERE customer_ids <> '{}'")
        scene.skip(seconds=interrupted.UNHEARD_FOR.total_seconds() + 1)
        return False
    return True


def set_aside(scene: Scene) -> list[tuple[str, str]]:
    with scene.engine.database.connect() as connection:
        return [(one.customer_key, one.reason) for one in parked.listed(connection)]


def in_hand(scene: Scene) -> int:
    count: int = scene.value("SELECT coalesce(sum(cardinality(customer_ids)), 0) FROM batches_in_hand")
    return count


def test_who_kills_twice_is_parked_and_the_others_go_on(
    crowd: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly(crowd, "bea", monkeypatch)
    assert not work(crowd), "the first process dies with all three in hand"
    assert not work(crowd), "the second takes each alone, and dies of her"
    assert work(crowd)
    assert set_aside(crowd) == [("bea", "process_died")]
    assert sorted(crowd.spoken()) == [("anna", "email"), ("cleo", "email")]
    assert in_hand(crowd) == 0


def test_an_innocent_one_is_taken_up_and_not_parked(crowd: Scene) -> None:
    """Given a process that an operator killed, everybody in its hand goes on, and once."""
    with crowd.engine.database.begin() as connection:
        ids = [row.id for row in connection.execute(text("SELECT id FROM customers ORDER BY id"))]
    crowd.execute(
        "INSERT INTO batches_in_hand (process, customer_ids, beat_at) VALUES ('gone', :ids, :at)",
        ids=ids,
        at=crowd.clock.now,
    )
    assert crowd.engine.sweep() == 0, "it may still be at work"
    crowd.skip(seconds=11)
    assert crowd.engine.sweep() == 3
    crowd.drain()
    assert set_aside(crowd) == []
    assert sorted(crowd.spoken()) == [("anna", "email"), ("bea", "email"), ("cleo", "email")]


def test_who_holds_the_locks_is_alive_however_long_it_takes(crowd: Scene) -> None:
    ids = [row.id for row in crowd.rows("SELECT id FROM customers ORDER BY id")]
    crowd.execute(
        "INSERT INTO batches_in_hand (process, customer_ids, beat_at) VALUES ('slow', :ids, :at)",
        ids=ids,
        at=crowd.clock.now,
    )
    crowd.skip(minutes=5)
    with crowd.engine.database.begin() as slow:
        slow.execute(text("SELECT FROM customers ORDER BY id FOR NO KEY UPDATE"))
        assert crowd.engine.sweep() == 0
    assert crowd.engine.sweep() >= 3


def test_nobody_is_in_hand_between_batches_and_idle_rows_go(crowd: Scene) -> None:
    crowd.drain()
    assert crowd.value("SELECT count(*) FROM batches_in_hand") > 0
    assert in_hand(crowd) == 0
    crowd.let_pass(hours=2)
    crowd.execute("UPDATE batches_in_hand SET beat_at = beat_at - interval '3 hours'")
    crowd.engine.sweep()
    assert crowd.value("SELECT count(*) FROM batches_in_hand") == 0
