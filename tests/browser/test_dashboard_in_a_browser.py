"""The dashboard as an operator's browser shows it: no page breaks its own content policy."""

from __future__ import annotations

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.browser.chromium import another_page, complaints
from tests.web.served import Web
from tests.web.test_dashboard import PAGES

pytestmark = pytest.mark.browser


def log_in(web: Web, chrome: Chrome) -> None:
    chrome.get(f"{web.settings.base_url}/login?token={web.app.state.sessions.login_token}")


def test_every_page_is_drawn_without_complaint_and_without_sticking_out(
    web: Web, offered: str, chrome: Chrome
) -> None:
    log_in(web, chrome)
    chrome.set_window_size(420, 900)
    for path in PAGES:
        chrome.get(web.settings.base_url + path)
        assert complaints(chrome) == [], path
        wide = chrome.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, path


def test_the_mail_is_drawn_in_its_frame_with_its_own_style(web: Web, offered: str, chrome: Chrome) -> None:
    web.client.post(f"/v1/feed/{offered}/dismissed", headers=web.feed_key("anna")).raise_for_status()
    web.drain()
    log_in(web, chrome)
    chrome.get(f"{web.settings.base_url}/customers/anna/inbox")
    chrome.switch_to.frame(chrome.find_element(By.TAG_NAME, "iframe"))
    heading = chrome.find_element(By.TAG_NAME, "h1")
    assert heading.text == "A plan for a bigger team"
    assert heading.value_of_css_property("color") == "rgba(47, 93, 80, 1)"


def test_a_customer_is_found_from_every_page(web: Web, offered: str, chrome: Chrome) -> None:
    log_in(web, chrome)
    chrome.get(web.settings.base_url + "/engine")
    field = chrome.find_element(By.ID, "find")
    field.send_keys("anna@shop.example")
    with another_page(chrome):
        field.submit()
    with another_page(chrome):
        chrome.find_element(By.LINK_TEXT, "anna").click()
    assert chrome.find_element(By.TAG_NAME, "h1").text == "anna"
