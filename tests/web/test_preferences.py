"""The preference page: per topic, per channel, a break, everything, and back again."""

from __future__ import annotations

import re

import pytest

from orchestrator.store.customers import find
from tests.web.served import Web

TOPICS = ["upsell", "events", "tracking"]


@pytest.fixture
def link(web: Web, anna: str) -> str:
    with web.engine.database.connect() as connection:
        known = find(connection, anna)
    assert known is not None
    return str(web.engine.links.preferences_url(known.id))


def switches(html: str) -> dict[str, bool]:
    """Each switch of the page, and whether it is on."""
    found = re.findall(r'<input type="checkbox" name="(?:topic|channel)" value="(\w+)"( checked)?>', html)
    return {name: bool(checked) for name, checked in found}


def sent(web: Web, link: str, html: str, **switch: bool) -> str:
    """The form as the page has it, with some switches changed by hand."""
    data: dict[str, list[str]] = {"do": ["save"]}
    for kind in ("topic", "channel"):
        for name, checked in re.findall(
            rf'<input type="checkbox" name="{kind}" value="(\w+)"( checked)?>', html
        ):
            if switch.get(name, bool(checked)):
                data.setdefault(kind, []).append(name)
        data[f"was_{kind}"] = re.findall(rf'name="was_{kind}" value="(\w+)"', html)
    answer = web.client.post(link, data=data)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_everything_is_on_at_first_and_looking_changes_nothing(web: Web, link: str) -> None:
    page = web.client.get(link).text
    assert web.client.head(link).status_code == 200
    assert {name: switches(page)[name] for name in TOPICS} == dict.fromkeys(TOPICS, True)
    assert web.client.get("/v1/customers/anna", headers=web.key).json()["consents"] == []


def test_one_topic_goes_off_and_on_again_without_touching_the_rest(web: Web, link: str) -> None:
    off = sent(web, link, web.client.get(link).text, upsell=False)
    assert switches(off)["upsell"] is False
    assert switches(off)["events"] is True
    on = sent(web, link, off, upsell=True)
    assert switches(on)["upsell"] is True


def test_one_channel_goes_off_alone(web: Web, link: str) -> None:
    page = sent(web, link, web.client.get(link).text, sms=False)
    assert switches(page)["sms"] is False
    assert switches(page)["email"] is True
    assert switches(page)["upsell"] is True


def test_an_old_page_does_not_open_again_what_was_stopped_since(web: Web, link: str) -> None:
    old = web.client.get(link).text
    web.client.post(
        "/v1/customers/anna/opt-out", headers=web.key, json={"topic": "events"}
    ).raise_for_status()
    page = sent(web, link, old, upsell=False)
    assert switches(page)["events"] is False
    assert switches(page)["upsell"] is False


def test_saving_without_a_change_says_so_and_writes_nothing(web: Web, link: str) -> None:
    assert "Nothing was changed" in sent(web, link, web.client.get(link).text)
    assert web.client.get("/v1/customers/anna", headers=web.key).json()["consents"] == []


def test_a_break_is_shown_and_can_be_ended(web: Web, link: str) -> None:
    asleep = web.client.post(link, data={"do": "snooze", "days": "30"})
    assert "on a break until" in asleep.text
    awake = web.client.post(link, data={"do": "wake"})
    assert "on a break until" not in awake.text


def test_stopping_everything_shows_the_receipt_and_switches_all_off(
    web: Web, link: str, offered: str
) -> None:
    receipt = web.client.post(link, data={"do": "stop_all"})
    assert "A bigger plan" in receipt.text
    page = switches(web.client.get(link).text)
    assert not any(page[name] for name in ("upsell", "events", "email", "sms"))


def test_a_form_that_is_not_ours_changes_nothing(web: Web, link: str) -> None:
    for data in ({}, {"do": "everything"}, {"do": "snooze", "days": "9999"}):
        answer = web.client.post(link, data=data)
        assert answer.status_code == 422
        assert "text/html" in answer.headers["content-type"]
    assert web.client.get("/v1/customers/anna", headers=web.key).json()["consents"] == []
