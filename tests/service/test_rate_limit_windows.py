"""What every window promises, whoever counts: never more than the rate in any stretch of its seconds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from orchestrator.rate_limits import redis_client
from orchestrator.rate_limits import windows as rates
from orchestrator.rate_limits.limiter import Limiter, make_limiter
from orchestrator.rate_limits.provider_rates import parse_provider_rates
from orchestrator.rate_limits.redis_windows import RedisWindows
from orchestrator.rate_limits.windows import OwnWindows, Rate, Windows
from tests.support.machine_time import MachineTime
from tests.support.redis_server import RedisServer
from tests.support.services import free_port

TEN_A_MINUTE = Rate(amount=10, seconds=60)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> MachineTime:
    return MachineTime(monkeypatch)


@pytest.fixture(params=["own", "redis", "both"])
def windows(request: pytest.FixtureRequest, machine: MachineTime) -> Windows:
    if request.param == "own":
        return OwnWindows(machine.monotonic)
    url: str = request.getfixturevalue("redis_url")
    return RedisWindows(url) if request.param == "redis" else make_limiter(url, now=machine.monotonic)


def test_what_is_over_the_rate_is_told_when_to_come_again(windows: Windows) -> None:
    first = windows.take(TEN_A_MINUTE, "a", 4)
    assert (first.count, first.again_in) == (4, 0.0)
    second = windows.take(TEN_A_MINUTE, "a", 40)
    assert second.count == 6
    third = windows.take(TEN_A_MINUTE, "a", 1)
    assert third.count == 0
    assert 59 < third.again_in <= 60
    assert 59 < second.again_in <= 60
    assert windows.take(TEN_A_MINUTE, "b", 10).count == 10, "another key has windows of its own"


def test_a_window_moves_and_never_turns_at_once(windows: Windows, machine: MachineTime) -> None:
    """Fixed windows would let twenty pass within the second half of one minute and the first half of the next."""
    assert windows.take(TEN_A_MINUTE, "a", 2).count == 2
    machine.pass_(50)
    assert windows.take(TEN_A_MINUTE, "a", 10).count == 8
    machine.pass_(10.5)
    late = windows.take(TEN_A_MINUTE, "a", 10)
    assert late.count == 2, "only what is a minute old makes room"
    assert 49 < late.again_in < 50
    machine.pass_(50)
    assert windows.take(TEN_A_MINUTE, "a", 10).count == 8


def test_what_was_not_used_is_there_for_others(windows: Windows, machine: MachineTime) -> None:
    windows.take(TEN_A_MINUTE, "a", 3)
    taken = windows.take(TEN_A_MINUTE, "a", 7)
    taken.give_back(5)
    assert windows.take(TEN_A_MINUTE, "a", 10).count == 5
    machine.pass_(61)
    windows.take(TEN_A_MINUTE, "a", 10)
    taken.give_back(2)
    assert windows.take(TEN_A_MINUTE, "a", 1).count == 0, "what is over cannot be given back"


def test_the_library_keeps_one_timestamp_a_token_in_a_list_with_the_newest_first(
    redis_url: str, machine: MachineTime
) -> None:
    """Giving back trims this list: what it holds is the library's affair, so a version that changes it fails here."""
    windows = RedisWindows(redis_url)
    windows.take(TEN_A_MINUTE, "a", 2)
    machine.pass_(1)
    taken = windows.take(TEN_A_MINUTE, "a", 3)
    with redis.Redis.from_url(redis_url) as client:
        (key,) = client.keys()
        assert key == b"orchestrator:rates/a/10/60/second"
        before = [float(at) for at in client.lrange(key, 0, -1)]
        assert len(before) == 5
        assert before == sorted(before, reverse=True)
        taken.give_back(3)
        assert [float(at) for at in client.lrange(key, 0, -1)] == before[3:]


def test_a_crowd_gets_the_rate_and_not_one_more(windows: Windows) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: windows.take(TEN_A_MINUTE, "a", 3).count, range(40)))
    assert sum(taken) == 10


def test_processes_with_one_redis_share_one_rate(redis_url: str) -> None:
    limiters = [make_limiter(redis_url) for _ in range(3)]
    first, second, third = (limiter.take(TEN_A_MINUTE, "a", 4) for limiter in limiters)
    assert [first.count, second.count, third.count] == [4, 4, 2]
    first.give_back(4)
    second.give_back(4)
    assert limiters[2].take(TEN_A_MINUTE, "a", 10).count == 8, (
        "its own count knows what it did not get before"
    )


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    events: list[str] = []
    monkeypatch.setattr(redis_client, "emit", lambda event, **_: events.append(event))
    return events


def test_a_redis_that_stops_costs_no_token_and_is_told_of_once(
    redis_server: RedisServer, machine: MachineTime, told: list[str]
) -> None:
    limiter = make_limiter(redis_server.url, now=machine.monotonic)
    other = make_limiter(redis_server.url, now=machine.monotonic)
    assert limiter.take(TEN_A_MINUTE, "a", 4).count == 4
    redis_server.kill()
    assert limiter.take(TEN_A_MINUTE, "a", 10).count == 6, "by its own count, which goes on"
    assert limiter.take(TEN_A_MINUTE, "a", 10).count == 0
    for _ in range(3):
        machine.pass_(20)
        limiter.take(TEN_A_MINUTE, "b", 1)
    assert told == ["redis.unavailable"]

    redis_server.start()
    machine.pass_(60)
    assert limiter.take(TEN_A_MINUTE, "a", 7).count == 7
    assert other.take(TEN_A_MINUTE, "a", 7).count == 3, "shared again"
    redis_server.kill()
    limiter.take(TEN_A_MINUTE, "b", 1)
    assert told == ["redis.unavailable"] * 2, "another outage"


def test_what_is_given_back_to_a_redis_that_is_gone_fails_nobody(
    redis_server: RedisServer, told: list[str]
) -> None:
    taken = make_limiter(redis_server.url).take(TEN_A_MINUTE, "a", 4)
    redis_server.kill()
    taken.give_back(4)
    assert told == ["redis.unavailable"]


def test_a_frozen_redis_is_waited_for_once_and_not_long(redis_server: RedisServer, told: list[str]) -> None:
    limiter = make_limiter(redis_server.url)
    with redis_server.frozen():
        began = rates.monotonic()
        assert sum(limiter.take(TEN_A_MINUTE, "a").count for _ in range(30)) == 10
        assert rates.monotonic() - began < 5, "not for each of thirty"
    assert told == ["redis.unavailable"]


def test_a_redis_that_was_never_there_leaves_the_count_of_the_process(told: list[str]) -> None:
    limiter = make_limiter(f"redis://127.0.0.1:{free_port()}/0")
    assert [limiter.take(TEN_A_MINUTE, "a", 6).count for _ in range(3)] == [6, 4, 0]
    assert told == ["redis.unavailable"]


def test_a_process_forgets_the_windows_used_longest_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_KEYS", 3)
    limiter = Limiter()
    for key in ("a", "b", "c", "a", "d"):
        limiter.take(TEN_A_MINUTE, key, 6)
    assert limiter.take(TEN_A_MINUTE, "a", 10).count == 0
    assert limiter.take(TEN_A_MINUTE, "b", 10).count == 10


@pytest.mark.parametrize(
    ("text", "amount", "seconds"),
    [("x=100/second", 100, 1), (" x = 30 per 2 minutes ", 30, 120), ("x=5000/hour", 5000, 3600)],
)
def test_a_rate_is_written_in_words(text: str, amount: int, seconds: int) -> None:
    (found,) = parse_provider_rates(text)
    assert (found.provider, found.rate) == ("x", Rate(amount=amount, seconds=seconds))


def test_everything_wrong_with_the_rates_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="expected provider=amount") as caught:
        parse_provider_rates(
            "a, b=1/fortnight, c=0/second, d=1/second;2/minute, e=1/second, e=2/second, =1/second"
        )
    said = str(caught.value)
    for wrong in (
        "'a'",
        "'b=1/fortnight'",
        "'c=0/second'",
        "'d=1/second;2/minute'",
        "'e' is named twice",
        "'=1/second'",
    ):
        assert wrong in said
