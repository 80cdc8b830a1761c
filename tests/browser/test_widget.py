"""The widget in a product's page: shown, dismissed by one click or a key, harmless with hostile content."""

from __future__ import annotations

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from sqlalchemy import update

from orchestrator.store.sql.tables import feed_items
from tests.browser.chromium import complaints
from tests.web.served import Web

pytestmark = pytest.mark.browser


def open_product(web: Web, chrome: Chrome) -> None:
    """The host page with the widget, as an operator opens it for one customer."""
    chrome.get(f"{web.settings.base_url}/login?token={web.app.state.sessions.login_token}")
    chrome.get(f"{web.settings.base_url}/customers/anna/product")


def shown(chrome: Chrome, selector: str) -> list[WebElement]:
    hosts = chrome.find_elements(By.TAG_NAME, "orchestrator-feed")
    return hosts[0].shadow_root.find_elements(By.CSS_SELECTOR, selector) if hosts else []


def until_shown(chrome: Chrome, selector: str) -> WebElement:
    """Waits until it is there and has faded in."""

    def visible() -> list[WebElement]:
        return [element for element in shown(chrome, selector) if element.is_displayed()]

    found: list[WebElement] = WebDriverWait(chrome, 15).until(lambda _: visible())
    return found[0]


def until_gone(chrome: Chrome, selector: str) -> None:
    WebDriverWait(chrome, 15).until(lambda _: not shown(chrome, selector))


def step(web: Web) -> str:
    web.drain()
    return str(web.client.get("/v1/customers/anna", headers=web.key).json()["playbooks"][0]["step"])


def test_a_modal_is_shown_and_one_click_dismisses_it_for_good(web: Web, offered: str, chrome: Chrome) -> None:
    open_product(web, chrome)
    modal = until_shown(chrome, "dialog[open]")
    assert modal.find_element(By.CSS_SELECTOR, "h2").text == "Your team has grown"
    assert modal.aria_role == "dialog"
    assert modal.accessible_name == "Your team has grown"
    close = modal.find_element(By.CSS_SELECTOR, "button.close")
    assert close.accessible_name == "Dismiss"
    close.click()
    until_gone(chrome, "dialog")
    WebDriverWait(chrome, 15).until(lambda _: step(web) == "mail")
    chrome.refresh()
    assert shown(chrome, "dialog") == []
    assert complaints(chrome) == []


def test_escape_dismisses_it_too(web: Web, offered: str, chrome: Chrome) -> None:
    open_product(web, chrome)
    until_shown(chrome, "dialog[open]")
    chrome.switch_to.active_element.send_keys(Keys.ESCAPE)
    until_gone(chrome, "dialog")
    WebDriverWait(chrome, 15).until(lambda _: step(web) == "mail")


def test_the_button_leads_through_a_signed_link(web: Web, offered: str, chrome: Chrome) -> None:
    open_product(web, chrome)
    button = until_shown(chrome, "a.main")
    assert button.text == "See the plans"
    assert f"{web.settings.base_url}/c/" in str(button.get_attribute("href"))


def test_what_is_seen_is_told_once(web: Web, offered: str, chrome: Chrome) -> None:
    open_product(web, chrome)
    until_shown(chrome, "dialog[open]")

    def seen() -> bool:
        return bool(web.client.get("/v1/feed", headers=web.feed_key("anna")).json()["items"][0]["seen"])

    WebDriverWait(chrome, 15).until(lambda _: seen())


def test_an_item_that_comes_later_appears_by_itself(web: Web, anna: str, chrome: Chrome) -> None:
    open_product(web, chrome)
    assert shown(chrome, "dialog") == []
    web.client.post("/v1/playbooks/offer/start", headers=web.key, json={"customer": anna}).raise_for_status()
    web.drain()
    until_shown(chrome, "dialog[open]")


def test_an_opt_out_takes_it_off_the_open_page(web: Web, offered: str, chrome: Chrome) -> None:
    open_product(web, chrome)
    until_shown(chrome, "dialog[open]")
    web.client.post("/v1/customers/anna/opt-out", headers=web.key, json={}).raise_for_status()
    until_gone(chrome, "dialog")


@pytest.mark.parametrize("display", ["banner", "sidebar", "inbox"])
def test_the_other_displays_show_and_dismiss_alike(
    web: Web, offered: str, chrome: Chrome, display: str
) -> None:
    with web.engine.database.begin() as connection:
        connection.execute(update(feed_items).values(display=display))
    open_product(web, chrome)
    if display == "inbox":
        bell = until_shown(chrome, "button.bell")
        assert bell.text == "Messages (1)"
        bell.click()
    card = until_shown(chrome, "article" if display == "inbox" else f"section.{display}")
    assert "Your team has grown" in card.text
    card.find_element(By.CSS_SELECTOR, "button.close").click()
    until_gone(chrome, "article" if display == "inbox" else f"section.{display}")
    WebDriverWait(chrome, 15).until(lambda _: step(web) == "mail")


def test_a_question_is_answered_with_a_remark(web: Web, offered: str, chrome: Chrome) -> None:
    with web.engine.database.begin() as connection:
        content = connection.execute(feed_items.select()).one().content
        content["content"] |= {
            "choices": [["price", "Too expensive"], ["boss", "I need an approval"]],
            "html": None,
        }
        content["content"]["header"] = {"title": "What stopped you?", "comment": "Anything else?"}
        connection.execute(update(feed_items).values(content=content))
    open_product(web, chrome)
    modal = until_shown(chrome, "dialog[open]")
    price, boss = modal.find_elements(By.CSS_SELECTOR, "button.answer")
    price.click()
    boss.click()
    assert (price.get_attribute("aria-pressed"), boss.get_attribute("aria-pressed")) == ("false", "true")
    modal.find_element(By.CSS_SELECTOR, "textarea").send_keys("next quarter")
    modal.find_element(By.CSS_SELECTOR, "button.send").click()
    until_gone(chrome, "dialog")
    web.drain()
    entries = web.client.get("/v1/customers/anna/timeline", headers=web.key).json()["entries"]
    assert "answered" in [entry["data"].get("outcome") for entry in entries if entry["kind"] == "response"]


def test_hostile_content_does_nothing(web: Web, offered: str, chrome: Chrome) -> None:
    hostile = (
        '<p>Hello</p><script>document.title = "owned"</script><img src=x onerror="document.title=\'owned\'">'
        "<a href=\"javascript:document.title='owned'\">click</a><svg onload=\"document.title='owned'\"></svg>"
        '<iframe srcdoc="<script>parent.document.title=1</script>"></iframe><p style="position:fixed">style</p>'
    )
    with web.engine.database.begin() as connection:
        content = connection.execute(feed_items.select()).one().content
        content["content"]["html"] = hostile
        content["content"]["header"]["button_url"] = "javascript:document.title='owned'"
        content["content"]["header"]["title"] = "<b>title</b>"
        connection.execute(update(feed_items).values(content=content))
    open_product(web, chrome)
    modal = until_shown(chrome, "dialog[open]")
    assert "Hello" in modal.text
    assert modal.find_element(By.CSS_SELECTOR, "h2").text == "<b>title</b>"
    for selector in ("script", "svg", "iframe", "[onerror]", "[style]", "a[href^=javascript]", "a.main"):
        assert shown(chrome, f"dialog {selector}") == [], selector
    assert "owned" not in chrome.title
