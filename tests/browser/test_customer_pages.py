"""The customer pages on a phone without JavaScript, and with nothing but a keyboard."""

from __future__ import annotations

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from orchestrator.store.customers import find
from tests.browser.chromium import another_page, complaints
from tests.web.served import Web

pytestmark = pytest.mark.browser


def customer_id(web: Web) -> int:
    with web.engine.database.connect() as connection:
        found = find(connection, "anna")
    assert found is not None
    return found.id


def consents(web: Web) -> list[tuple[str, str, bool]]:
    known = web.client.get("/v1/customers/anna", headers=web.key).json()
    return [(row["channel"], row["topic"], row["granted"]) for row in known["consents"]]


def fits(chrome: Chrome) -> bool:
    """Whether nothing sticks out to the right."""
    body = chrome.find_element(By.TAG_NAME, "main")
    return body.size["width"] <= chrome.get_window_size()["width"]


def test_two_touches_stop_the_messages_without_javascript(web: Web, offered: str, phone: Chrome) -> None:
    phone.get(web.engine.links.opt_out_url(customer_id(web), "upsell"))
    assert fits(phone)
    button = phone.find_element(By.TAG_NAME, "button")
    assert button.size["height"] >= 44
    with another_page(phone):
        button.click()
    assert "You will get no more of this" in phone.find_element(By.TAG_NAME, "h1").text
    assert "A bigger plan" in phone.find_element(By.TAG_NAME, "main").text
    assert consents(web) == [("*", "upsell", False)]
    assert phone.get_cookies() == []


def test_preferences_are_changed_by_keyboard_alone(web: Web, anna: str, chrome: Chrome) -> None:
    chrome.get(web.engine.links.preferences_url(customer_id(web)))
    assert complaints(chrome) == []
    chrome.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    chrome.switch_to.active_element.send_keys(Keys.SPACE)  # the first topic
    for _ in range(30):
        focused = chrome.switch_to.active_element
        if focused.tag_name == "button":
            break
        focused.send_keys(Keys.TAB)
    with another_page(chrome):
        chrome.switch_to.active_element.send_keys(Keys.ENTER)
    assert "Saved" in chrome.find_element(By.CSS_SELECTOR, "[role=status]").text
    assert consents(web) == [("*", "upsell", False)]


def test_a_page_reloaded_after_saving_shows_the_new_state(web: Web, anna: str, phone: Chrome) -> None:
    url = web.engine.links.preferences_url(customer_id(web))
    phone.get(url)
    phone.find_element(By.CSS_SELECTOR, "input[value=sms]").click()
    with another_page(phone):
        phone.find_element(By.CSS_SELECTOR, "button.main").click()
    phone.get(url)
    assert not phone.find_element(By.CSS_SELECTOR, "input[value=sms]").is_selected()
    assert phone.find_element(By.CSS_SELECTOR, "input[value=email]").is_selected()


def test_stopping_everything_takes_one_touch_on_the_preference_page(
    web: Web, offered: str, phone: Chrome
) -> None:
    phone.get(web.engine.links.preferences_url(customer_id(web)))
    with another_page(phone):
        phone.find_element(By.CSS_SELECTOR, "button.stop").click()
    assert consents(web) == [("*", "*", False)]
