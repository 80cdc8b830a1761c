"""The opt-out page and its links, as mailbox providers, scanners and people use them."""

from __future__ import annotations

import pytest

from tests.web.served import Web

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def consents(web: Web) -> list[tuple[str, str, bool]]:
    known = web.client.get("/v1/customers/anna", headers=web.key).json()
    return [(row["channel"], row["topic"], row["granted"]) for row in known["consents"]]


@pytest.fixture
def link(web: Web, offered: str) -> str:
    with web.engine.database.connect() as connection:
        from orchestrator.store.customers import find

        anna = find(connection, "anna")
    assert anna is not None
    return str(web.engine.links.opt_out_url(anna.id, "upsell", message_id=offered))


def test_looking_changes_nothing(web: Web, link: str) -> None:
    for method in ("GET", "HEAD", "GET"):
        assert web.client.request(method, link).status_code == 200
    assert consents(web) == []


def test_the_page_is_one_button_in_the_readers_language_without_script_or_cookie(web: Web, link: str) -> None:
    page = web.client.get(link)
    assert page.text.count("<button") == 1
    assert "<script" not in page.text
    assert "Offers for a bigger plan" in page.text
    assert "set-cookie" not in page.headers
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
def test_a_one_click_post_of_a_mailbox_provider_acts_without_redirect_or_cookie(
    web: Web, link: str, encoding: str
) -> None:
    how = (
        {"data": ONE_CLICK}
        if encoding == "urlencoded"
        else {"files": {"List-Unsubscribe": (None, "One-Click")}}
    )
    answer = web.client.post(link, **how)  # type: ignore[arg-type]
    assert answer.status_code == 200
    assert answer.history == []
    assert "set-cookie" not in answer.headers
    assert consents(web) == [("*", "upsell", False)]


def test_the_button_acts_and_the_receipt_shows_what_was_stopped(web: Web, link: str) -> None:
    receipt = web.client.post(link, data={"confirm": "1"})
    assert receipt.status_code == 200
    assert "Offers for a bigger plan" in receipt.text
    assert "A bigger plan" in receipt.text  # the playbook that ended, by its title
    feed = web.client.get("/v1/feed", headers=web.feed_key("anna")).json()
    assert feed["items"] == []


def test_pressing_twice_is_harmless_and_says_so(web: Web, link: str) -> None:
    web.client.post(link, data={"confirm": "1"})
    again = web.client.post(link, data={"confirm": "1"})
    assert again.status_code == 200
    assert "had stopped this before" in again.text
    assert consents(web) == [("*", "upsell", False)]


def test_a_post_that_says_nothing_does_nothing(web: Web, link: str) -> None:
    assert web.client.post(link).status_code == 200
    assert web.client.post(link, data={"x": "1"}).status_code == 200
    assert consents(web) == []


def test_a_broken_link_says_so_and_names_nobody(web: Web, link: str) -> None:
    for broken in (link[:-3], "/u/nonsense", link.replace("/u/", "/p/")):
        for method in ("GET", "POST"):
            answer = web.client.request(method, broken, data=ONE_CLICK if method == "POST" else None)
            assert answer.status_code in (404, 422)
            assert "anna" not in answer.text
            assert "text/html" in answer.headers["content-type"]
    assert consents(web) == []


def test_the_link_of_an_erased_customer_says_there_is_nothing_to_stop(web: Web, link: str) -> None:
    web.client.delete("/v1/customers/anna", headers=web.key).raise_for_status()
    for answer in (web.client.get(link), web.client.post(link, data=ONE_CLICK)):
        assert answer.status_code == 200
        assert "hold no data" in answer.text


def test_the_page_speaks_german_to_a_german_browser_when_the_customers_language_is_unknown(web: Web) -> None:
    web.client.post("/v1/identify", headers=web.key, json={"userId": "bernd", "traits": {"plan": "team"}})
    web.drain()
    with web.engine.database.connect() as connection:
        from orchestrator.store.customers import find

        bernd = find(connection, "bernd")
    assert bernd is not None
    url = web.engine.links.opt_out_url(bernd.id, "upsell")
    page = web.client.get(url, headers={"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"})
    assert '<html lang="de">' in page.text
    assert "abbestellen" in page.text
