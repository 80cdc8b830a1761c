"""A process takes at once what it gets done in the time it may hold locks: a busy machine slows it, and no more."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from orchestrator.service.delivery.batch_size import FIRST, LEAST, BatchSize
from tests.support.engine import Scene, one_message

MANY = 40


def test_a_batch_that_is_cut_short_is_followed_by_smaller_ones(scene: Scene) -> None:
    """Reading so many takes longer than the budget: one is reached. Of the few taken next more are."""
    scene.publish_playbooks(one_message("offer"))
    for key in scene.people(MANY):
        scene.start(key, "offer")
    busy = replace(scene.engine.delivery, services=replace(scene.engine.services, budget=0.0))
    taken = [busy.work(limit=500).customers for _ in range(3)]
    assert taken == [MANY, LEAST, LEAST]
    rested = replace(busy, services=replace(scene.engine.services, budget=inf))
    taken = [rested.work(limit=500).customers for _ in range(3)]
    assert taken[:2] == [LEAST, 2 * LEAST]


@pytest.mark.parametrize(
    ("taken", "reached", "then"),
    [
        (FIRST, FIRST, 2 * FIRST),
        (FIRST, FIRST - 1, FIRST // 2),
        (FIRST, 10, 20),
        (FIRST, 1, LEAST),
        (FIRST - 1, FIRST - 1, FIRST),
    ],
)
def test_it_follows_what_was_reached(taken: int, reached: int, then: int) -> None:
    size = BatchSize()
    size.learn(taken=taken, reached=reached)
    assert size.most(10_000) == then
    assert size.most(5) == 5
