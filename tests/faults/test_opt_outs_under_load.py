"""Opt-outs beside a full load: a web process that product and workers keep busy answers every one of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import httpx
import pytest

from orchestrator.service.rendering.links import LinkSigner
from tests.support import two_mails
from tests.support.installation import Installation, Provider, eventually
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.long, pytest.mark.timeout(420)]
CUSTOMERS, OPT_OUTS, PRODUCTS = 3000, 300, 24
BATCH = 250
STARTED_BY_A_SIGNAL = "enter: {when: session_started, because: your team has grown"


@dataclass(kw_only=True)
class Answers:
    """What opt-outs were answered, and how many seconds each took."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def ask(self, http: httpx.Client, path: str, **request: object) -> None:
        began = monotonic()
        answer = http.post(path, **request)  # type: ignore[arg-type]
        self.seconds.append(monotonic() - began)
        self.statuses[answer.status_code] += 1

    def __str__(self) -> str:
        took = sorted(self.seconds)
        shares = {share: took[int(len(took) * share / 100)] * 1000 for share in (50, 95, 99)}
        return ", ".join(f"p{share} {value:.0f} ms" for share, value in shares.items())


@pytest.fixture
def shop(tmp_path: Path, database_url: str, redis_server: RedisServer) -> Iterator[Installation]:
    provider = Provider(tmp_path / "provider.log")
    made = Installation(tmp_path, database_url=database_url, broker_url=redis_server.url, provider=provider)
    folder = two_mails.write(tmp_path / "playbooks")
    playbook = folder / "two_mails" / "playbook.yaml"
    playbook.write_text(
        playbook.read_text().replace("enter: {because: your team has grown", STARTED_BY_A_SIGNAL)
    )
    made.publish(folder)
    made.web()
    made.worker()
    made.beat()
    yield made
    made.close()
    provider.close()


def keys(start: int) -> list[str]:
    return [f"c{number:05}" for number in range(start, min(CUSTOMERS, start + BATCH))]


def brought_in(shop: Installation) -> None:
    """Everybody, each with a signal that begins a playbook: work for minutes."""
    for start in range(0, CUSTOMERS, BATCH):
        people = [
            {"type": "identify", "userId": key, "traits": {"email": f"{key}@shop.example"}}
            for key in keys(start)
        ]
        signals = [{"type": "track", "userId": key, "event": "session_started"} for key in keys(start)]
        shop.http.post("/v1/batch", json={"batch": [*people, *signals]}).raise_for_status()


@contextmanager
def product_at_work(shop: Installation) -> Iterator[None]:
    """The product reports and asks as fast as it is answered, over more connections than the process has."""
    over = threading.Event()

    def works(number: int) -> None:
        with httpx.Client(base_url=shop.url, headers=shop.http.headers, timeout=60) as http:
            while not over.is_set():
                number = (number + 997) % CUSTOMERS
                key = f"c{number:05}"
                event = {"type": "track", "userId": key, "event": "session_started"}
                http.post("/v1/batch", json={"batch": [event] * 20})
                http.get(f"/v1/customers/{key}/timeline")

    crowd = [threading.Thread(target=works, args=(number,)) for number in range(PRODUCTS)]
    for one in crowd:
        one.start()
    try:
        yield
    finally:
        over.set()
        for one in crowd:
            one.join()


def test_every_opt_out_is_answered_beside_a_full_load(shop: Installation) -> None:
    brought_in(shop)
    links = LinkSigner(base_url=shop.url, keys=shop.settings.signing_keys())
    eventually(lambda: len(shop.provider.sent()) > 20, about="mails leave", seconds=150)
    beside_workers, beside_all = Answers(), Answers()

    def opt_outs(answers: Answers, *, first: int) -> None:
        for number in range(first, first + OPT_OUTS // 2):
            customer = 1 + number * 7 % CUSTOMERS
            if number % 3:
                link = links.one_click_url(customer).removeprefix(shop.url)
                answers.ask(shop.http, link, data={"List-Unsubscribe": "One-Click"})
            else:
                answers.ask(shop.http, f"/v1/customers/c{customer:05}/opt-out", json={})

    opt_outs(beside_workers, first=0)
    with product_at_work(shop):
        opt_outs(beside_all, first=OPT_OUTS)
    print(f"beside two busy workers: {beside_workers}; and {PRODUCTS} busy clients: {beside_all}")  # noqa: T201
    assert beside_workers.statuses + beside_all.statuses == Counter({200: len(beside_all.seconds) * 2})
    said = shop.rows(
        "SELECT count(DISTINCT customer_id) AS number FROM consent_ledger WHERE action = 'revoked'"
    )
    assert said[0].number >= OPT_OUTS - 2, "one of each door's customers may have been the other's"
