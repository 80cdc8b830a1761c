"""Providers are given no more than their rate, over all processes, and nothing is lost by waiting for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.base import Channel, OutboundMessage, SendResult, SendStatus
from orchestrator.bootstrap import build_engine
from orchestrator.clock import monotonic, system_now
from orchestrator.core.customer_state import CustomerState
from orchestrator.engine import Engine
from orchestrator.records.intake import Track
from orchestrator.service.delivery import deliver, turn
from orchestrator.service.delivery import provider_gates as gates
from orchestrator.service.delivery.authorise import AuthorisedSend
from orchestrator.settings import parse_provider_rates
from tests.support.engine import NOON, Scene, one_message, open_scene, playbook, settings_of
from tests.support.machine_time import MachineTime
from tests.support.redis_server import RedisServer
from tests.support.statements import counted

MINUTE = timedelta(minutes=1)
ONE_A_WEEK = "caps:\n  - {at_most: 1, within: 7d}\nrests: {ignored: 1h}\n"
STATUSES = "SELECT count(*) FROM messages WHERE status = :status"


@contextmanager
def limited(database_url: str, folder: Path, rates: str) -> Iterator[Scene]:
    scene = open_scene(database_url, folder, provider_rates=parse_provider_rates(rates))
    yield scene
    assert scene.violations() == []
    scene.engine.close()


@pytest.fixture
def scene(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    """Every channel but the feed is a sandbox here, and the sandbox takes three a minute."""
    with limited(database_url, tmp_path / "playbooks", "sandbox=3/minute") as opened:
        yield opened


def offer_to_all(scene: Scene, count: int, channel: str = "email") -> list[str]:
    scene.publish_playbooks(one_message("offer", channel))
    keys = scene.people(count)
    for key in keys:
        scene.start(key, "offer")
    return keys


def left_at(scene: Scene) -> list[float]:
    """Minutes from noon at which messages were handed over."""
    handed = scene.rows("SELECT handed_at FROM messages WHERE handed_at IS NOT NULL ORDER BY handed_at")
    return [(row.handed_at - NOON) / MINUTE for row in handed]


# --- one process, on a clock that moves when told ---


def test_what_finds_no_token_waits_untouched_and_leaves_as_the_window_moves(scene: Scene) -> None:
    offer_to_all(scene, 8)
    scene.drain()
    assert len(scene.given) == 3
    waiting = scene.rows("SELECT attempt, reason, give_up_at FROM messages WHERE status = 'planned'")
    assert [(row.attempt, row.reason) for row in waiting] == [(0, None)] * 5
    assert scene.engine.next_due() == NOON + MINUTE

    scene.let_pass(minutes=10)
    assert left_at(scene) == [0, 0, 0, 1, 1, 1, 2, 2]
    assert scene.value("SELECT max(attempt) FROM messages") == 1


def test_no_stretch_of_a_minute_sees_more_than_the_rate(scene: Scene) -> None:
    """Given two messages at 0:00 and a crowd at 0:40, then the crowd gets one, and two more at 1:00."""
    scene.publish_playbooks(one_message("offer"))
    early, crowd = scene.people(10)[:2], scene.people(10)[2:]
    for key in early:
        scene.start(key, "offer")
    scene.drain()
    assert len(scene.given) == 2
    scene.skip(seconds=40)
    for key in crowd:
        scene.start(key, "offer")
    scene.let_pass(minutes=10)
    minutes = left_at(scene)
    assert len(minutes) == 10
    assert all(later - earlier > 0.99999 for earlier, later in zip(minutes, minutes[3:], strict=False))
    assert minutes[2] < 1, "the third token was free at once"
    assert minutes[-1] < 3.1, "and none was lost on the way"


def test_the_rate_of_one_provider_does_not_slow_another(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"), one_message("modal", "in_app"))
    keys = scene.people(300)
    for key in keys:
        scene.start(key, "mail")
    scene.drain()
    scene.skip(seconds=61)
    for key in keys[-20:]:
        scene.start(key, "modal")

    def left() -> tuple[int, int]:
        channels = [channel for _, channel in scene.spoken()]
        return channels.count("email"), channels.count("in_app")

    assert left() == (3, 0)
    scene.engine.deliver(limit=20)
    assert left() == (6, 17), "three mails have tokens and fill no batch"
    scene.engine.deliver(limit=20)
    assert left() == (6, 20)


def test_who_waits_keeps_its_place_from_less_important_messages(scene: Scene) -> None:
    """A cap of one: the offer in the feed could leave now, the mail has no token and is more important."""
    scene.publish_playbooks(
        one_message("big", more="priority: 90\n"),
        one_message("small", "in_app", more="priority: 10\n", patience="20d"),
        one_message("filler"),
        policy=ONE_A_WEEK,
    )
    for key in scene.people(3):
        scene.start(key, "filler")
    scene.drain()
    scene.person("anna")
    scene.start("anna", "small")
    scene.start("anna", "big")
    scene.drain()
    assert scene.spoken("anna") == []
    scene.let_pass(days=3)
    assert scene.spoken("anna") == [("anna", "email")]


def test_a_notice_that_takes_no_place_keeps_none_while_it_waits(scene: Scene) -> None:
    steps = (
        "  say:  {send: {channel: email, template: note}, wait: 2d, then: done}\n  done: {end: finished}\n"
    )
    scene.publish_playbooks(
        playbook("notice", steps, topic="service", more="priority: 90\n"),
        one_message("small", "in_app", more="priority: 10\n"),
        one_message("filler"),
        policy=ONE_A_WEEK,
    )
    for key in scene.people(3):
        scene.start(key, "filler")
    scene.drain()
    scene.person("anna")
    scene.start("anna", "small")
    scene.start("anna", "notice")
    scene.drain()
    assert scene.spoken("anna") == [("anna", "in_app")]


def test_who_waits_longest_leaves_first(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"))
    keys = scene.people(7)
    for key in reversed(keys):
        scene.start(key, "offer")
        scene.skip(seconds=1)
    due = "SELECT c.key, d.due_at FROM dispatch d JOIN customers c ON c.id = d.customer_id ORDER BY c.key"
    before = [tuple(row) for row in scene.rows(due)]
    scene.engine.deliver()
    after = [tuple(row) for row in scene.rows(due)]
    waiting = [row for row in after if row[0] not in {key for key, _ in scene.spoken()}]
    assert len(waiting) == 4
    assert set(waiting) <= set(before), "who was looked at and had to wait did not go to the end"


def test_a_token_that_a_policy_left_unused_goes_to_the_next(scene: Scene) -> None:
    """Three people's remaining were opened after their mail was planned: their tokens serve three others at once."""
    scene.publish_playbooks(
        one_message("offer"),
        policy="holds:\n  open: {title: a ticket, opened_by: ticket_opened, longest: 30d}\n",
    )
    keys = scene.people(6)
    for key in keys:
        scene.start(key, "offer")
    scene.engine.track([Track(key=key, event="ticket_opened") for key in keys[:3]])
    scene.engine.deliver(limit=3)
    assert scene.given == []
    scene.engine.deliver(limit=3)
    assert {key for key, _ in scene.spoken()} == set(keys[3:])


def test_a_token_whose_mark_grew_old_before_the_call_is_given_back(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: MachineTime
) -> None:
    with crowd(database_url, tmp_path, engines=1, rate="sandbox=3/minute") as installed:
        installed.offer_to(3)
        monkeypatch.setattr(deliver, "AUTHORISED_FOR", -1.0)
        installed.engines[0].deliver()
        installed.engines[0].delivery.settle(10)
        assert installed.statuses() == {"planned": 3}
        monkeypatch.setattr(deliver, "AUTHORISED_FOR", 2.0)
        time.sleep(2 * deliver.NOT_CALLED_AGAIN_IN)
        installed.deliver_all()
        assert installed.statuses() == {"sent": 3}


def test_a_batch_that_fails_gives_its_tokens_back(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = offer_to_all(scene, 3)
    real = turn.authorise_messages

    def fails(customer: CustomerState, *rest: Any) -> list[AuthorisedSend]:
        authorised = real(customer, *rest)
        if customer.key == keys[0]:
            raise ValueError
        return authorised

    monkeypatch.setattr(turn, "authorise_messages", fails)
    scene.engine.deliver()
    assert {key for key, _ in scene.spoken()} == set(keys[1:])
    monkeypatch.undo()
    scene.execute("DELETE FROM parked")
    scene.drain()
    assert len(scene.given) == 3, "the third token of the minute was not lost"


def test_a_refused_message_has_used_its_token(scene: Scene) -> None:
    """The provider was asked: that is what it counts."""
    offer_to_all(scene, 5)
    scene.provider_fails("email", SendStatus.REFUSED, code="400")
    scene.drain()
    assert len(scene.given) == 3


def test_a_rate_costs_one_look_more_whatever_the_size(database_url: str, tmp_path: Path) -> None:
    def price(rates: str, people: slice) -> int:
        with limited(database_url, tmp_path / "playbooks", rates) as scene:
            scene.publish_playbooks(one_message("offer"))
            for key in scene.people(42)[people]:
                scene.start(key, "offer")
            with counted(scene.engine.database) as statements:
                scene.engine.deliver()
            return len([one for one in statements if "FROM playbooks" not in one])

    unlimited = price("twilio=1/second", slice(0, 1))
    assert price("sandbox=1000/second", slice(1, 2)) == unlimited + 1
    assert price("sandbox=1000/second", slice(2, 42)) == unlimited + 1


def test_being_limited_is_told_once_a_minute_and_not_for_every_message(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(gates, "emit", lambda event, **_: told.append(event))
    offer_to_all(scene, 12)
    scene.drain()
    scene.drain()
    assert told == ["provider.limited"]
    scene.let_pass(minutes=9)
    assert told == ["provider.limited"] * 3


# --- many processes, on the machine's time ---


class Crowd:
    """Engines as so many processes have them, each with its own connections, and what the provider saw."""

    def __init__(self, database_url: str, folder: Path, *, engines: int, rate: str, **settings: Any) -> None:
        self.seen: list[str] = []
        self._scene = open_scene(database_url, folder, start=system_now())
        self._scene.publish_playbooks(one_message("offer"))
        rates = parse_provider_rates(rate)
        self.engines = [
            build_engine(
                settings_of(database_url, provider_rates=rates, batch_size=20, **settings),
                channels=self._watched,
            )
            for _ in range(engines)
        ]

    def offer_to(self, count: int) -> None:
        for key in self._scene.people(count):
            self._scene.start(key, "offer")

    def deliver_all(self) -> None:
        """Every engine until it finds nothing to do, all at once."""

        with ThreadPoolExecutor(len(self.engines)) as pool:
            list(pool.map(Engine.drain, self.engines))

    def statuses(self) -> dict[str, int]:
        return {
            row.status: row.count
            for row in self._scene.rows("SELECT status, count(*) AS count FROM messages GROUP BY status")
        }

    def attempts(self) -> int:
        return int(self._scene.value("SELECT sum(attempt) FROM messages"))

    def close(self) -> None:
        for engine in (self._scene.engine, *self.engines):
            engine.close()

    def _watched(self, inner: Channel) -> Channel:
        return _Watched(inner, self.seen)


class _Watched:
    def __init__(self, inner: Channel, seen: list[str]) -> None:
        self.name, self.provider, self._inner, self._seen = inner.name, inner.provider, inner, seen

    def send(self, message: OutboundMessage) -> SendResult:
        self._seen.append(message.message_id)
        return self._inner.send(message)


@contextmanager
def crowd(database_url: str, folder: Path, **more: Any) -> Iterator[Crowd]:
    made = Crowd(database_url, folder / "playbooks", **more)
    yield made
    made.close()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> MachineTime:
    return MachineTime(monkeypatch)


def test_engines_that_deliver_together_share_one_rate(
    database_url: str, tmp_path: Path, redis_server: RedisServer, machine: MachineTime
) -> None:
    with crowd(
        database_url, tmp_path, engines=3, rate="sandbox=10/minute", redis_url=redis_server.url
    ) as installed:
        installed.offer_to(34)
        for minute, seen in enumerate((10, 20, 30, 34)):
            installed.deliver_all()
            assert len(installed.seen) == seen, f"in minute {minute}"
            assert installed.statuses().get("planned", 0) == 34 - seen
            assert installed.attempts() == seen, "waiting is no attempt"
            machine.pass_(59)
            installed.deliver_all()
            assert len(installed.seen) == seen, "a minute is not over before its end"
            machine.pass_(1.5)
        assert len(set(installed.seen)) == 34


def test_a_redis_that_stops_in_the_middle_fails_no_message_and_each_process_holds_the_rate(
    database_url: str, tmp_path: Path, redis_server: RedisServer, machine: MachineTime
) -> None:
    with crowd(
        database_url, tmp_path, engines=2, rate="sandbox=10/minute", redis_url=redis_server.url
    ) as installed:
        installed.offer_to(60)
        installed.deliver_all()
        assert len(installed.seen) == 10
        redis_server.kill()
        installed.deliver_all()
        assert len(installed.seen) <= 20, "at worst each process has given its provider ten this minute"
        machine.pass_(61)
        before = len(installed.seen)
        installed.deliver_all()
        assert len(installed.seen) == before + 20
        redis_server.start()
        machine.pass_(61)
        before = len(installed.seen)
        installed.deliver_all()
        assert len(installed.seen) == before + 10, "one rate again"
        assert set(installed.statuses()) <= {"planned", "sent"}


def test_one_process_without_redis_holds_the_rate(
    database_url: str, tmp_path: Path, machine: MachineTime
) -> None:
    with crowd(database_url, tmp_path, engines=1, rate="sandbox=10/minute") as installed:
        installed.offer_to(25)
        for seen in (10, 20, 25):
            installed.deliver_all()
            installed.deliver_all()
            assert len(installed.seen) == seen
            machine.pass_(60.5)


def test_a_redis_that_does_not_answer_holds_no_message_up(
    database_url: str, tmp_path: Path, redis_server: RedisServer
) -> None:
    with (
        crowd(
            database_url, tmp_path, engines=1, rate="sandbox=10/minute", redis_url=redis_server.url
        ) as installed,
        redis_server.frozen(),
    ):
        installed.offer_to(3)
        began = monotonic()
        installed.deliver_all()
        assert installed.statuses() == {"sent": 3}
        assert monotonic() - began < 5
