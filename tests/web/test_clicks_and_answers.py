"""Links that lead on, and questions that are answered on a page."""

from __future__ import annotations

import pytest

from orchestrator.store import sandbox
from tests.web.served import Web


def mail(web: Web, customer: str) -> dict[str, object]:
    with web.engine.database.connect() as connection:
        kept = sandbox.inbox(connection, customer, channel="email")
    return dict(kept[0].content["content"])


def responses(web: Web) -> list[str]:
    entries = web.client.get("/v1/customers/anna/timeline", headers=web.key).json()["entries"]
    return [entry["data"]["outcome"] for entry in entries if entry["kind"] == "response"]


@pytest.fixture
def plans(web: Web, offered: str) -> str:
    """The link of the modal's button."""
    item = web.client.get("/v1/feed", headers=web.feed_key("anna")).json()["items"][0]
    return str(item["button"]["url"])


def test_a_click_is_recorded_and_leads_on(web: Web, plans: str) -> None:
    answer = web.client.get(plans)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/plans")
    web.drain()
    assert responses(web) == ["clicked"]
    assert (
        web.client.get("/v1/customers/anna", headers=web.key).json()["playbooks"][0]["end_status"]
        == "finished"
    )


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", {"User-Agent": "Barracuda Sentinel (EE)"}),
    ],
)
def test_whatever_only_looks_ahead_is_led_on_and_moves_nobody(
    web: Web, plans: str, method: str, headers: dict[str, str]
) -> None:
    answer = web.client.request(method, plans, headers=headers)
    assert answer.headers["location"] == "https://shop.example/plans"
    web.drain()
    assert "clicked" not in responses(web)
    assert web.client.get("/v1/customers/anna", headers=web.key).json()["playbooks"][0]["step"] == "modal"


def test_nobody_can_make_a_link_that_leads_elsewhere(web: Web, plans: str) -> None:
    token = plans.rsplit("/", 1)[1]
    for forged in (f"/c/{token[:-2]}xx", f"/c/{token}x", "/c/https://evil.example"):
        answer = web.client.get(forged)
        assert answer.status_code == 404
        assert "location" not in answer.headers


def test_the_link_of_an_erased_customer_still_leads_on(web: Web, plans: str) -> None:
    web.client.delete("/v1/customers/anna", headers=web.key).raise_for_status()
    assert web.client.get(plans).headers["location"] == "https://shop.example/plans"


@pytest.fixture
def asked(web: Web, anna: str) -> dict[str, object]:
    web.client.post("/v1/playbooks/survey/start", headers=web.key, json={"customer": anna}).raise_for_status()
    web.drain()
    return mail(web, anna)


def answer_link(content: dict[str, object]) -> str:
    text = str(content["text"])
    return next(word for word in text.split() if "/a/" in word)


def test_an_answer_counts_when_it_is_sent_not_when_the_page_is_opened(
    web: Web, asked: dict[str, object]
) -> None:
    link = answer_link(asked)
    page = web.client.get(link)
    assert "What stopped you?" in page.text
    assert 'value="price" required checked' in page.text
    assert "Anything else?" in page.text
    web.client.head(link)
    web.drain()
    assert responses(web) == []

    done = web.client.post(link, data={"answer": "boss", "comment": "next quarter"})
    assert "Thank you" in done.text
    web.drain()
    assert responses(web) == ["answered"]
    assert (
        web.client.get("/v1/customers/anna", headers=web.key).json()["playbooks"][0]["end_status"]
        == "finished"
    )


def test_an_answer_that_was_not_offered_is_asked_again(web: Web, asked: dict[str, object]) -> None:
    again = web.client.post(answer_link(asked), data={"answer": "<script>"})
    assert again.status_code == 200
    assert "<form" in again.text
    assert "<script>" not in again.text
    web.drain()
    assert responses(web) == []
