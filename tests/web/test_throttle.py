"""Who fails too often waits; who shows something valid does not, whatever others did at the same address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import redis
from pydantic import SecretStr
from sqlalchemy import text

from orchestrator.bootstrap import build_engine
from orchestrator.clock import monotonic
from orchestrator.rate_limits.limiter import make_limiter
from orchestrator.rate_limits.windows import Rate
from orchestrator.settings import Settings
from orchestrator.web.middleware import throttle
from orchestrator.web.middleware.throttle import Throttle, network_of
from tests.support.machine_time import MachineTime
from tests.support.redis_server import RedisServer
from tests.support.services import free_port
from tests.web.served import KEY, Web, serving

PASSWORD = "a password of people"
HERE, ELSEWHERE = "198.51.100.7", "203.0.113.9"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A web process behind a proxy on this machine, so that a test can come from any address."""
    proxied = {"trusted_proxies": ("127.0.0.1",), "dashboard_password": SecretStr(PASSWORD)}
    return settings.model_copy(update=proxied)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> MachineTime:
    return MachineTime(monkeypatch)


@pytest.fixture
def web(web: Web, machine: MachineTime) -> Web:
    web.app.state.throttle = Throttle(make_limiter(None, now=machine.monotonic), key="k")
    return web


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make a rate small, so that a test need not ask a hundred times."""

    def make(name: str, amount: int) -> None:
        rate: Rate = getattr(throttle, name)
        monkeypatch.setattr(throttle, name, Rate(amount=amount, seconds=rate.seconds))

    return make


def from_(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def path_of(url: str) -> str:
    return url[url.index("/", len("https://")) :]


def opt_out_path(web: Web, customer_id: int = 1) -> str:
    return path_of(web.engine.links.opt_out_url(customer_id, "upsell"))


def refused(answer: httpx.Response, *, within: int) -> bool:
    """429 with a time to come again."""
    return answer.status_code == 429 and 1 <= int(answer.headers["retry-after"]) <= within


def left_topics(web: Web) -> list[str]:
    with web.engine.database.connect() as connection:
        rows = connection.execute(text("SELECT topic FROM consent_ledger WHERE action = 'revoked'"))
        return [row.topic for row in rows]


# --- links ---


def test_wrong_links_are_answered_ever_the_same_until_there_are_too_many(
    web: Web, anna: str, machine: MachineTime
) -> None:
    doors = ("/u/wrong", "/p/wrong", "/c/wrong", "/a/wrong")
    for number in range(60):
        assert web.client.get(doors[number % 4], headers=from_(HERE)).status_code == 404
    for door in doors:
        answer = web.client.get(door, headers=from_(HERE))
        assert refused(answer, within=60), door
        assert answer.headers["content-type"].startswith("text/html"), "a page: a person may read it"
        assert "Nothing was changed" in answer.text
    assert refused(web.client.post("/u/wrong", headers=from_(HERE), data=ONE_CLICK), within=60)
    assert web.client.get("/u/wrong", headers=from_(ELSEWHERE)).status_code == 404
    machine.pass_(61)
    assert web.client.get("/u/wrong", headers=from_(HERE)).status_code == 404


def test_an_opt_out_is_honoured_where_a_flood_of_wrong_ones_came_from(
    web: Web, anna: str, few: Callable[..., None]
) -> None:
    few("FAILURES", 2)
    for _ in range(5):
        web.client.post("/u/wrong", headers=from_(HERE), data=ONE_CLICK)
    assert web.client.get(opt_out_path(web), headers=from_(HERE)).status_code == 200
    assert web.client.post(opt_out_path(web), headers=from_(HERE), data=ONE_CLICK).status_code == 200
    assert left_topics(web) == ["upsell"]


def test_a_mailbox_provider_posts_for_thousands_from_one_address(web: Web, anna: str) -> None:
    """More posts in a minute than any limit here allows of anything."""
    for _ in range(throttle.FEED_REQUESTS.amount + 10):
        answer = web.client.post(opt_out_path(web), headers=from_(HERE), data=ONE_CLICK)
        assert answer.status_code == 200


def test_a_link_opened_without_end_is_refused_and_still_opts_out(
    web: Web, anna: str, few: Callable[..., None], machine: MachineTime
) -> None:
    few("OPENINGS", 3)
    path = opt_out_path(web)
    opened = [web.client.get(path, headers=from_(HERE)).status_code for _ in range(3)]
    assert opened == [200, 200, 200]
    assert refused(web.client.get(path, headers=from_(HERE)), within=60)
    assert web.client.get(path, headers=from_(ELSEWHERE)).status_code == 200
    for other in (web.engine.links.preferences_url(1), web.engine.links.opt_out_url(1, "service")):
        assert web.client.get(path_of(other), headers=from_(HERE)).status_code == 200, "another link"
    page = web.client.post(path, headers=from_(HERE))
    assert page.status_code == 200, "a post without a word shows the button again, limited or not"
    assert web.client.post(path, headers=from_(HERE), data={"confirm": "1"}).status_code == 200
    assert left_topics(web) == ["upsell"]
    machine.pass_(61)
    assert web.client.get(path, headers=from_(HERE)).status_code == 200


def test_preferences_and_answers_are_limited_in_the_same_way(
    web: Web, offered: str, few: Callable[..., None]
) -> None:
    few("OPENINGS", 1)
    links = web.engine.links
    for path in (path_of(links.preferences_url(1)), path_of(links.answer_url(offered))):
        assert web.client.get(path, headers=from_(HERE)).status_code in (200, 404)
        assert refused(web.client.get(path, headers=from_(HERE)), within=60), path
    stop = web.client.post(path_of(links.preferences_url(1)), headers=from_(HERE), data={"do": "stop_all"})
    assert stop.status_code == 200
    assert left_topics(web) == ["*"]


def test_a_reader_arrives_however_often_a_link_is_clicked(
    web: Web, offered: str, few: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    few("OPENINGS", 2)
    recorded: list[Any] = []
    monkeypatch.setattr(web.engine, "respond", lambda *given, **_: recorded.append(given))
    path = path_of(web.engine.links.click_url(offered, "plans", "https://shop.example/plans"))
    for _ in range(4):
        answer = web.client.get(path, headers=from_(HERE))
        assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/plans")
    assert len(recorded) == 2


# --- keys and feed tokens ---


def test_wrong_keys_are_refused_sooner_and_right_ones_never(
    web: Web, few: Callable[..., None], machine: MachineTime
) -> None:
    few("FAILURES", 5)
    wrong = {"Authorization": "Bearer not-a-key-of-ours", **from_(HERE)}
    assert [web.client.get("/v1/playbooks", headers=wrong).status_code for _ in range(5)] == [401] * 5
    answer = web.client.get("/v1/playbooks", headers=wrong)
    assert refused(answer, within=60)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("too_many_requests")
    assert web.client.get("/v1/playbooks", headers=from_(HERE)).status_code == 429, "no key at all"
    assert web.client.get("/v1/playbooks", headers=web.key | from_(HERE)).status_code == 200
    assert web.client.get("/v1/playbooks", headers=wrong | from_(ELSEWHERE)).status_code == 401
    assert web.client.get("/u/wrong", headers=from_(HERE)).status_code == 404, "links are counted apart"
    machine.pass_(61)
    assert web.client.get("/v1/playbooks", headers=wrong).status_code == 401


@pytest.mark.parametrize("path", ["/v1/feed", "/v1/feed/stream"])
def test_wrong_feed_tokens_are_refused_sooner_and_right_ones_never(
    web: Web, anna: str, path: str, few: Callable[..., None]
) -> None:
    few("FAILURES", 3)
    wrong = {"Authorization": "Bearer wrong", **from_(HERE)}
    assert [web.client.get(path, headers=wrong).status_code for _ in range(3)] == [401] * 3
    assert refused(web.client.get(path, headers=wrong), within=60)
    assert refused(web.client.get(path, headers=from_(HERE)), within=60)
    assert web.client.get("/v1/feed", headers=web.feed_key(anna) | from_(HERE)).status_code == 200


def test_a_feed_asked_for_without_end_is_refused_and_others_at_that_address_are_not(
    web: Web, anna: str, few: Callable[..., None]
) -> None:
    few("FEED_REQUESTS", 3)
    token = web.feed_key(anna) | from_(HERE)
    assert [web.client.get("/v1/feed", headers=token).status_code for _ in range(3)] == [200] * 3
    assert refused(web.client.get("/v1/feed", headers=token), within=60)
    assert refused(web.client.post("/v1/feed/m_1/seen", headers=token), within=60)
    other = {"Authorization": f"Bearer {web.engine.links.feed_token(2)}"}
    assert web.client.get("/v1/feed", headers=other | from_(HERE)).status_code != 429


# --- the dashboard's login ---


def login(web: Web, secret: str, address: str) -> httpx.Response:
    return web.client.post("/login", data={"secret": secret}, headers=from_(address))


def test_who_guesses_at_the_login_waits_even_with_the_right_word(web: Web, machine: MachineTime) -> None:
    assert [login(web, "wrong", HERE).status_code for _ in range(10)] == [401] * 10
    for secret in ("wrong", PASSWORD, KEY):
        assert refused(login(web, secret, HERE), within=300), "else the answer would tell"
    assert refused(web.client.get("/login?token=wrong", headers=from_(HERE)), within=300)
    assert login(web, PASSWORD, ELSEWHERE).status_code == 303
    machine.pass_(301)
    assert login(web, PASSWORD, HERE).status_code == 303


def test_a_crowd_of_guesses_at_once_is_no_way_around(web: Web) -> None:
    with ThreadPoolExecutor(12) as pool:
        found = sorted(pool.map(lambda _: login(web, "wrong", HERE).status_code, range(40)))
    assert found == [401] * 10 + [429] * 30


def test_logins_that_succeed_are_no_guesses(web: Web, few: Callable[..., None]) -> None:
    few("PASSWORD_GUESSES", 3)
    assert {login(web, PASSWORD, HERE).status_code for _ in range(throttle.GUESSES.amount * 2)} == {303}


def test_guesses_from_everywhere_make_the_password_wait_and_no_key(
    web: Web, few: Callable[..., None], machine: MachineTime
) -> None:
    few("PASSWORD_GUESSES", 6)
    for number in range(6):
        assert login(web, "wrong", f"198.51.100.{number}").status_code == 401
    answer = login(web, PASSWORD, ELSEWHERE)
    assert refused(answer, within=300)
    assert "the password waits" in answer.text
    assert login(web, KEY, ELSEWHERE).status_code == 303
    token = web.app.state.sessions.login_token
    assert web.client.get("/login", params={"token": token}, headers=from_(ELSEWHERE)).status_code == 303
    machine.pass_(301)
    assert login(web, PASSWORD, ELSEWHERE).status_code == 303


# --- who is who ---


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_what_its_owner_cannot_change(host: str, network: str) -> None:
    assert network_of(host) == network


def test_one_ipv6_network_is_one_client(web: Web) -> None:
    for number in range(10):
        login(web, "wrong", f"2001:db8:1:2::{number}")
    assert login(web, "wrong", "2001:db8:1:2:ffff::1").status_code == 429
    assert login(web, "wrong", "2001:db8:1:3::1").status_code == 401


def test_a_stranger_cannot_choose_his_address(settings: Settings) -> None:
    """Without a named proxy the header of a stranger says nothing."""
    engine = build_engine(settings)
    with serving(engine, settings.model_copy(update={"trusted_proxies": ()})) as web:
        statuses = [login(web, "wrong", f"198.51.100.{number}").status_code for number in range(12)]
    engine.close()
    assert statuses == [401] * 10 + [429] * 2


# --- several web processes ---


@pytest.fixture
def pair(settings: Settings, redis_server: RedisServer) -> Iterator[list[Web]]:
    with ExitStack() as stack:
        webs = []
        for _ in range(2):
            own = settings.model_copy(
                update={"port": free_port(), "redis_url": SecretStr(redis_server.url), "public_url": ""}
            )
            engine = build_engine(own)
            stack.callback(engine.close)
            webs.append(stack.enter_context(serving(engine, own)))
        yield webs


def test_web_processes_count_together(pair: list[Web]) -> None:
    statuses = [login(pair[number % 2], "wrong", HERE).status_code for number in range(14)]
    assert statuses == [401] * 10 + [429] * 4


def test_redis_learns_no_address_and_no_token(pair: list[Web], redis_server: RedisServer) -> None:
    token = pair[0].engine.links.feed_token(1)
    login(pair[0], "wrong", HERE)
    pair[0].client.get("/u/wrong", headers=from_(HERE))
    pair[0].client.get("/v1/feed", headers={"Authorization": f"Bearer {token}", **from_(HERE)})
    pair[0].client.get(path_of(pair[0].engine.links.preferences_url(1)), headers=from_(HERE))
    with redis.Redis.from_url(redis_server.url) as client:
        keys = " ".join(key.decode() for key in client.scan_iter())
    for kind in ("logins", "failures/links", "feed", "openings"):
        assert f"rates/{kind}" in keys
    assert HERE not in keys
    assert token[:12] not in keys


def test_a_redis_that_is_gone_or_silent_refuses_nobody(pair: list[Web], redis_server: RedisServer) -> None:
    began = monotonic()
    with redis_server.frozen():
        assert login(pair[0], PASSWORD, HERE).status_code == 303
    redis_server.kill()
    for web in pair:
        assert login(web, PASSWORD, HERE).status_code == 303
        assert web.client.get("/u/wrong", headers=from_(HERE)).status_code == 404
    assert monotonic() - began < 10
