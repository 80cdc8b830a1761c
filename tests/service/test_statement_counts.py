"""The price of a batch in statements: the same for one customer, ten and two hundred."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.records.drain import Drained
from orchestrator.records.intake import Track
from tests.support.engine import Scene, one_message, playbook
from tests.support.statements import counted

DEFINITIONS = (
    "SELECT (SELECT coalesce(max(id), 0) FROM playbooks)"  # asked by the clock on the wall, not by the batch
)
BLOCK_OF_IDS = "SELECT nextval("  # drawn by the process now and then, for many batches
POLICY = 'caps:\n  - {at_most: 3, within: 7d}\nquiet_hours: {email: {from: "22:00", until: "06:00"}}\n'
MAIL = playbook(
    "mail",
    "  say:  {send: {channel: email, template: note}, wait: 2d, then: next}\n"
    "  next: {send: {channel: in_app, template: note}, wait: 2d, then: done}\n  done: {end: finished}\n",
    more="enter: {when: limit_reached, because: x, reentry: {after: 1d}}\n",
)


def price(scene: Scene, work: Callable[[], Drained], customers: int) -> list[str]:
    with counted(scene.engine.database) as statements:
        done = work()
    assert done.customers == customers
    asked = [statement.strip()[:60] for statement in statements]
    return [statement for statement in asked if not statement.startswith((DEFINITIONS, BLOCK_OF_IDS))]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("signals start walks", 23),
        ("messages are handed over", 43),
        ("waits end", 23),
        ("answers arrive", 26),
    ],
)
def test_a_batch_costs_the_same_whatever_its_size(scene: Scene, stage: str, expected: int) -> None:
    scene.publish_playbooks(MAIL, one_message("other"), policy=POLICY)
    prices: dict[int, list[str]] = {}
    for size, offset in ((1, 0), (10, 1), (200, 11)):
        keys = scene.people(211)[offset : offset + size]
        scene.engine.track([Track(key=key, event="limit_reached") for key in keys])
        if stage == "signals start walks":
            prices[size] = price(scene, scene.engine.advance, size)
            scene.let_pass(days=6)
            continue
        scene.engine.advance()
        if stage == "messages are handed over":
            prices[size] = price(scene, scene.engine.deliver, size)
            scene.let_pass(days=6)
            continue
        scene.engine.deliver()
        if stage == "waits end":
            scene.skip(days=2)
        else:
            for key in keys:
                scene.respond(key, "replied")
        prices[size] = price(scene, scene.engine.advance, size)
        scene.let_pass(days=6)
    assert prices[1] == prices[10] == prices[200]
    assert len(prices[1]) <= expected


def test_an_idle_drain_asks_little(scene: Scene) -> None:
    scene.publish_playbooks(MAIL)
    scene.drain()
    with counted(scene.engine.database) as statements:
        scene.engine.drain()
    assert len(statements) <= 5
