"""The dashboard: closed to strangers, true to the database, and safe against forged forms and hostile content."""

from __future__ import annotations

import re

import httpx
import pytest
from sqlalchemy import text

from tests.web.served import KEY, READ_KEY, Web

PAGES = ["/", "/playbooks/offer", "/customers", "/customers/anna", "/customers/anna/inbox", "/customers/anna/product",
         "/held-back", "/engine"]  # fmt: skip


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', page.text)
    assert found, "the page has no form of ours"
    return found.group(1)


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_every_page_leads_to_the_login(web: Web, path: str) -> None:
    answer = web.client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("secret", [KEY, READ_KEY])
def test_an_api_key_opens_it(web: Web, secret: str) -> None:
    answer = web.client.post("/login", data={"secret": secret})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert secret not in cookie
    assert web.client.get("/").status_code == 200


def test_a_wrong_key_or_a_forged_cookie_opens_nothing(web: Web) -> None:
    assert web.client.post("/login", data={"secret": "wrong"}).status_code == 401
    assert web.client.get("/login", params={"token": "wrong"}).status_code == 401
    forged = web.client.get("/", headers={"Cookie": "orchestrator_session=WyJtZSIsdHJ1ZSwieCJd.x.y"})
    assert forged.status_code == 303


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_without_script_or_style_of_its_own(web: Web, offered: str, path: str) -> None:
    with web.login() as browser:
        page = browser.get(path)
    assert page.status_code == 200
    assert not re.search(r"<script(?! src=)", page.text)
    assert " style=" not in page.text
    assert " onclick=" not in page.text
    assert page.text.count("<h1") == 1


def test_the_list_counts_who_walks_now(web: Web, offered: str) -> None:
    with web.login() as browser:
        page = browser.get("/").text
    row = page[page.index("A bigger plan") :]
    assert re.search(r'<td class="number">1</td>\s*<td class="number">1</td>', row)


def test_the_playbook_page_draws_the_machine_with_its_head_counts(web: Web, offered: str) -> None:
    with web.login() as browser:
        page = browser.get("/playbooks/offer").text
    assert "<svg" in page
    assert "modal" in page


def test_the_story_tells_each_verdict_in_words_and_can_be_narrowed(web: Web, offered: str) -> None:
    with web.login() as browser:
        page = browser.get("/customers/anna").text
        narrowed = browser.get("/customers/anna?kind=signal").text
    assert "entered &#39;offer&#39;" in page
    assert "signal &#39;session_started&#39;" in narrowed
    assert "entered &#39;offer&#39;" not in narrowed


def test_the_inbox_shows_her_mail_in_a_sandboxed_frame(web: Web, offered: str) -> None:
    web.client.post(f"/v1/feed/{offered}/dismissed", headers=web.feed_key("anna")).raise_for_status()
    web.drain()
    with web.login() as browser:
        inbox = browser.get("/customers/anna/inbox").text
        frame = re.search(r'<iframe [^>]*src="([^"]+)" sandbox="([^"]+)"', inbox)
        assert frame, "no mail in the inbox"
        mail = browser.get(frame.group(1))
    assert "allow-scripts" not in frame.group(2)
    assert "allow-same-origin" not in frame.group(2)
    assert "A plan for a bigger team" in mail.text
    policy = mail.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "script-src" not in policy


def test_customers_are_found_by_key_account_and_address(web: Web, anna: str) -> None:
    with web.login() as browser:
        for wanted in ("ann", "anna@shop.example", "ANNA@shop.example"):
            assert "/customers/anna" in browser.get("/customers", params={"q": wanted}).text, wanted
        for wanted in ("nna", "%", "_nna", "<script>"):
            page = browser.get("/customers", params={"q": wanted}).text
            assert "/customers/anna" not in page, wanted
            assert "<script>" not in page


def test_what_a_customer_is_called_is_never_markup(web: Web) -> None:
    key = '<img src=x onerror="alert(1)">'
    web.client.post(
        "/v1/identify", headers=web.key, json={"userId": key, "traits": {"plan": key}}
    ).raise_for_status()
    web.drain()
    with web.login() as browser:
        for path in ("/customers", f"/customers/{key}"):
            page = browser.get(path)
            assert page.status_code == 200
            assert "<img" not in page.text


def test_a_playbook_is_paused_and_resumed_by_forms_of_ours_alone(web: Web, anna: str) -> None:
    with web.login() as browser:
        token = csrf(browser.get("/playbooks/offer"))
        assert browser.post("/playbooks/offer/pause", data={"reason": "x"}).status_code == 403
        assert browser.post("/playbooks/offer/pause", data={"csrf": "0" * 64}).status_code == 403
        page = browser.post("/playbooks/offer/pause", data={"csrf": token, "reason": "prices change"})
        assert "prices change" in page.text
        refused = web.client.post("/v1/playbooks/offer/start", headers=web.key, json={"customer": anna})
        assert refused.status_code == 409
        browser.post("/playbooks/offer/resume", data={"csrf": token})
        started = web.client.post("/v1/playbooks/offer/start", headers=web.key, json={"customer": anna})
        assert started.status_code == 201


def test_a_key_that_may_only_read_may_look_and_not_change(web: Web) -> None:
    with httpx.Client(
        base_url=web.settings.base_url, headers={"Accept": "text/html"}, follow_redirects=True
    ) as reader:
        page = reader.post("/login", data={"secret": READ_KEY})
        token = csrf(page)
        assert reader.post("/playbooks/offer/pause", data={"csrf": token}).status_code == 403
        assert reader.post("/logout", data={"csrf": token}).status_code == 200
        assert "Log in" in reader.get("/").text


def test_writing_back_as_the_customer_is_heard_like_a_real_text(web: Web, anna: str) -> None:
    with web.login() as browser:
        token = csrf(browser.get("/customers/anna/inbox"))
        form = {"csrf": token, "channel": "sms", "text": "STOP"}
        assert browser.post("/customers/anna/inbox/reply", data=form).status_code == 200
    consents = web.client.get("/v1/customers/anna", headers=web.key).json()["consents"]
    assert [(row["channel"], row["granted"]) for row in consents] == [("sms", False)]


def test_a_clock_that_runs_fast_is_shown_on_every_page(web: Web, anna: str) -> None:
    with web.engine.database.begin() as connection:
        connection.execute(
            text(
                "UPDATE clock SET business_anchor = clock_timestamp(), machine_anchor = clock_timestamp(), rate = 3600"
            )
        )
    with web.login() as browser:
        for path in PAGES:
            assert "Rehearsal." in browser.get(path).text, path


def test_a_missing_thing_is_a_page_for_people(web: Web) -> None:
    with web.login() as browser:
        for path in ("/playbooks/nope", "/customers/nobody", "/customers/nobody/inbox/m_1-1", "/nowhere"):
            answer = browser.get(path)
            assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (404, "text/html")


TROUBLE = """
    INSERT INTO parked SELECT id, 0, 'ValueError', 'x', now() FROM customers WHERE key = 'anna';
    INSERT INTO processes (process, role, version, started_at, beat_at, last_batch_at, state)
    VALUES ('a:1', 'worker', '1.2', now(), now(), now(), '{"works": true, "breakers": ["sandbox"]}');
    UPDATE dispatch SET due_at = due_at - interval '2 hours', free_at = free_at - interval '2 hours';
"""


def test_the_engine_page_names_what_needs_somebody_and_leads_to_the_runbook(web: Web, anna: str) -> None:
    web.client.post("/v1/playbooks/offer/start", headers=web.key, json={"customer": anna}).raise_for_status()
    while web.engine.advance().customers:
        pass
    with web.engine.database.begin() as connection:
        connection.exec_driver_sql(TROUBLE)
    with web.login() as browser:
        page = browser.get("/engine").text
        assert re.search(r"Parked</strong>: ValueError: 1", page)
        assert "<code>docs/runbook/parked.md</code>" in page
        assert "breaker of sandbox" in page.lower()
        assert re.search(r"<code>a:1</code>.*1\.2", page)
        wiki = {"runbook_url": "https://wiki.shop.example/runbook"}
        web.app.state.settings = web.settings.model_copy(update=wiki)
        assert '<a href="https://wiki.shop.example/runbook/parked.md">' in browser.get("/engine").text
