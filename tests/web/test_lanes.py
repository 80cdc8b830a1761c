"""Withdrawals have threads and connections of their own: they are answered while everybody else waits."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode

import httpx
import pytest
from fastapi.routing import APIRoute

from orchestrator.engine import WITHDRAWAL_THREADS
from orchestrator.web import deps
from orchestrator.web.middleware.lanes import CALLBACKS, LANES, OPT_OUTS, OTHERS, PRIVACY, Lane, lane_of
from tests.fakes.signing import twilio_signature
from tests.web.served import TWILIO_TOKEN, Web

AT_ONCE = 70  # requests of the product: more than there are threads for


def until_nobody_answers(web: Web) -> None:
    while True:
        web.client.get("/healthz", timeout=0.3)


@contextmanager
def overloaded(web: Web) -> Iterator[None]:
    """Every other connection of the process is given out, and every other thread waits ten seconds for one."""
    pool = web.engine.database.pool
    every = pool.size() + pool._max_overflow - pool.checkedout()
    with (
        ExitStack() as taken,
        ThreadPoolExecutor(AT_ONCE) as crowd,
        httpx.Client(
            base_url=web.settings.base_url, limits=httpx.Limits(max_connections=None), timeout=60
        ) as product,
    ):
        for _ in range(every):
            taken.enter_context(web.engine.database.connect())
        for _ in range(AT_ONCE):
            crowd.submit(product.get, "/v1/customers/anna", headers=web.key)
        with pytest.raises(httpx.ReadTimeout):
            until_nobody_answers(web)
        yield
        taken.close()


def stop_by_text(web: Web) -> httpx.Response:
    form = {"MessageSid": "SM1", "From": "+4915112345678", "To": "+15550001111", "Body": "STOP"}
    path = "/webhooks/twilio/inbound"
    signature = twilio_signature(TWILIO_TOKEN, web.settings.base_url + path, list(form.items()))
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    return web.client.post(path, content=urlencode(form).encode(), headers=headers)


def test_every_door_of_a_withdrawal_answers_while_all_other_threads_and_connections_are_busy(
    web: Web, offered: str
) -> None:
    customer, links = web.engine.reports.customer_id("anna"), web.engine.links
    page, preferences = (
        links.opt_out_url(customer, "upsell", message_id=offered),
        links.preferences_token(customer),
    )
    web.client.timeout = httpx.Timeout(5)  # the others wait longer
    with overloaded(web):
        answers = {
            "page": web.client.get(page),
            "one click": web.client.post(page, data={"List-Unsubscribe": "One-Click"}),
            "preferences": web.client.get(f"/p/{preferences}"),
            "everything": web.client.post(f"/p/{preferences}", data={"do": "stop_all"}),
            "text": stop_by_text(web),
            "call": web.client.post(
                "/v1/customers/anna/opt-out", headers=web.key | {"Idempotency-Key": "1"}, json={"topic": "events"}
            ),
            "export": web.client.get("/v1/customers/anna/export", headers=web.key),
            "erasure": web.client.delete("/v1/customers/anna", headers=web.key),
        }  # fmt: skip
    assert {door: answer.status_code for door, answer in answers.items()} == dict.fromkeys(answers, 200)


@pytest.mark.parametrize(
    ("method", "path", "lane"),
    [
        ("POST", "/u/token", OPT_OUTS),
        ("GET", "/p/token", OPT_OUTS),
        ("POST", "/v1/customers/a/b/opt-out", OPT_OUTS),
        ("POST", "/webhooks/sendgrid", CALLBACKS),
        ("GET", "/v1/customers/anna/export", PRIVACY),
        ("DELETE", "/v1/customers/anna", PRIVACY),
        ("GET", "/v1/customers/anna", OTHERS),
        ("POST", "/v1/batch", OTHERS),
    ],
)
def test_a_request_has_its_lane(method: str, path: str, lane: Lane) -> None:
    assert lane_of(method, path) is lane


def test_whatever_uses_the_connections_of_withdrawals_has_threads_of_its_own_and_a_connection_for_each(
    web: Web,
) -> None:
    for route in web.app.routes:
        if not isinstance(route, APIRoute):
            continue
        calls = {one.call for one in route.dependant.dependencies}
        apart = bool(calls & {deps._withdrawals, deps._withdrawals_idempotency})
        for method in route.methods:
            lane = lane_of(method, route.path.replace("{key:path}", "anna"))
            assert (lane is not OTHERS) == apart, (method, route.path)
    assert sum(lane.threads for lane in LANES if lane is not OTHERS) == WITHDRAWAL_THREADS
    pool = web.engine.withdrawals.database.pool
    assert pool.size() + pool._max_overflow == WITHDRAWAL_THREADS  # type: ignore[attr-defined]
