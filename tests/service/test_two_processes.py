"""Many threads, few customers, one PostgreSQL: caps and opt-outs hold whoever comes first.

The mutations at the end take one guard away and expect the same crowd to break the law: so the first test can fail.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from channels.base import OutboundMessage
from orchestrator.clock import monotonic
from orchestrator.core.customer_state import CustomerState
from orchestrator.core.policies.request import Allow
from orchestrator.errors import StartRefused, Unavailable
from orchestrator.service.context import Batch
from orchestrator.service.delivery import authorise as handing
from orchestrator.service.delivery import turn as turns
from orchestrator.service.enrollment.apply_timers import apply_timers
from orchestrator.store.batch import claim
from orchestrator.store.reports.invariants import check_invariants
from orchestrator.store.withdrawals.stop import PostgresWithdrawals
from tests.support.engine import EVIDENCE, Scene, one_message, open_scene

CUSTOMERS = 12
CAP = "caps:\n  - {at_most: 2, within: 7d}\nrests: {ignored: 1h}\n"
NAMES = tuple(f"offer{number}" for number in range(5))


class Crowd:
    """Workers that advance and deliver, starters, and people who opt out, all at once until nothing is left."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.ticks = count()
        self.handed: dict[str, list[int]] = defaultdict(list)
        self.left: dict[str, int] = {}
        scene.outbox.channels["email"].before = self._note

    def _note(self, message: OutboundMessage) -> None:
        self.handed[message.customer_key].append(next(self.ticks))

    def _work(self, deed: Callable[[], Any], starting: threading.Event) -> None:
        ends = monotonic() + 10
        busy = True
        while monotonic() < ends and (busy or starting.is_set()):
            with suppress(Unavailable):
                busy = deed().customers > 0

    def play(self, keys: list[str]) -> None:
        starting = threading.Event()
        starting.set()

        def start() -> None:
            for name in NAMES:
                for key in keys:
                    with suppress(StartRefused):
                        self.scene.engine.start_playbook(key, name)
            starting.clear()

        def leave() -> None:
            for key in keys[::3]:
                self.scene.engine.opt_out(key, evidence=EVIDENCE)
                self.left[key] = next(self.ticks)

        engine = self.scene.engine
        deeds: list[Callable[[], Any]] = [lambda: engine.advance(limit=5), lambda: engine.deliver(limit=5)]
        with ThreadPoolExecutor(6) as pool:
            futures = [pool.submit(deed) for deed in (start, leave)]
            futures += [pool.submit(self._work, deed, starting) for deed in deeds * 2]
            for future in futures:
                future.result(30)
        self.scene.drain()


@pytest.fixture
def crowd(database_url: str, tmp_path: Path) -> Iterator[Crowd]:
    scene = open_scene(database_url, tmp_path / "playbooks")
    scene.publish_playbooks(*(one_message(name) for name in NAMES), policy=CAP)
    yield Crowd(scene)
    scene.engine.close()


def test_no_cap_is_broken_and_nobody_is_spoken_to_after_leaving(crowd: Crowd) -> None:
    keys = crowd.scene.people(CUSTOMERS)
    crowd.play(keys)
    for key in keys:
        handed = crowd.handed[key]
        if key in crowd.left:
            assert len(handed) <= 2
        else:
            assert len(handed) == 2, f"{key} got {len(handed)}"
    assert crowd.scene.violations() == []
    authorised_late = crowd.scene.rows(
        "SELECT m.id FROM messages m JOIN consent_ledger l ON l.customer_id = m.customer_id"
        " WHERE l.action = 'revoked' AND m.status = 'planned'"
    )
    assert authorised_late == []
    with crowd.scene.engine.database.connect() as connection:
        doubled = connection.execute(
            text(
                "SELECT message_id FROM receipts WHERE kind = 'sent' GROUP BY message_id HAVING count(*) > 1"
            )
        ).all()
    assert doubled == []


def test_no_hand_over_is_authorised_after_an_opt_out(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The opt-out commits after the claim looked, and before the lock is granted: the narrowest gap there is."""
    assert _spoken_after_leaving(scene, monkeypatch) == []


def test_without_the_policies_at_hand_over_somebody_is_spoken_to(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = open_scene(database_url, tmp_path / "playbooks")
    scene.publish_playbooks(*(one_message(name) for name in NAMES), policy=CAP)
    scene.person()
    for name in NAMES:
        scene.start("anna", name)
    monkeypatch.setattr(
        handing, "ask_policies", lambda _, __, message, ___, **____: (message.channel, Allow())
    )
    scene.drain()
    assert len(scene.given) > 2
    assert {one.invariant for one in scene.violations()} >= {"cap_is_kept"}
    scene.engine.close()


def test_without_the_lock_a_cap_is_broken(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers hold the same customer, each having counted before the other wrote."""
    for locks, over in ((True, False), (False, True)):
        scene = open_scene(database_url, tmp_path / f"playbooks{locks}")
        scene.publish_playbooks(
            *(one_message(name) for name in NAMES), policy=CAP.replace("at_most: 2", "at_most: 1")
        )
        key = "anna" if locks else "bea"
        scene.person(key)
        scene.start(key, NAMES[0])
        scene.start(key, NAMES[1])
        scene.execute("UPDATE dispatch SET due_at = due_at")  # both are due now
        if not locks:
            unlocked = text(str(claim.DUE).replace("FOR NO KEY UPDATE SKIP LOCKED", ""))
            monkeypatch.setattr(claim, "DUE", unlocked)
        broken = _two_workers_at_once(scene, monkeypatch, apart=not locks)
        assert broken is over
        scene.engine.close()


def _two_workers_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch, *, apart: bool) -> bool:
    """Both have laid the customer out before either saves; ``apart``: each sees only one of her messages."""
    both = threading.Barrier(2)
    turn = count()

    def meeting(customer: CustomerState, batch: Batch) -> None:
        apply_timers(customer, batch)
        keep = next(turn)
        if keep > 1:
            return  # a batch that failed, repeated
        with suppress(threading.BrokenBarrierError):
            both.wait(2)
        if apart:
            for index, message in enumerate(sorted(customer.messages.values(), key=lambda one: one.id)):
                if index % 2 != keep:
                    message.due_at = batch.now + timedelta(days=1)

    with monkeypatch.context() as patch:
        patch.setattr(turns, "apply_timers", meeting)
        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(scene.engine.deliver) for _ in range(2)]:
                with suppress(Unavailable):
                    future.result(30)
    with scene.engine.database.connect() as connection:
        found = check_invariants(connection, caps=scene.engine.policy.caps)
    return any(one.invariant == "cap_is_kept" for one in found)


def _spoken_after_leaving(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    scene.publish_playbooks(one_message("offer"))
    scene.person()
    scene.start("anna", "offer")
    holding, released = threading.Event(), threading.Event()
    real = PostgresWithdrawals.lock_key

    def opting_out() -> None:
        scene.opted_out("anna")

    def slow(self: PostgresWithdrawals, key: str) -> int | None:
        locked = real(self, key)
        holding.set()
        assert released.wait(10)
        return locked

    monkeypatch.setattr(PostgresWithdrawals, "lock_key", slow)
    with ThreadPoolExecutor(2) as pool:
        leaving = pool.submit(opting_out)
        assert holding.wait(10)
        assert scene.engine.deliver().messages == 0, "her row is locked by the opt-out: she is passed over"
        released.set()
        leaving.result(10)
    scene.drain()
    return scene.spoken()
