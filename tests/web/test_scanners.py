"""Mail scanners fetch every address of a mail, by GET and HEAD, under any name: nobody leaves, nobody has clicked."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import text

from orchestrator.store import sandbox
from tests.web.served import BROWSER, Web

SCANNERS = (
    "Barracuda Sentinel (EE)",
    "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
    "Mozilla/4.0 (compatible; ms-office; MSOffice 16) Microsoft Office Existence Discovery",
    "python-requests/2.32",
    "",
    BROWSER,  # the worst of them: a real browser's name
)
_URL = re.compile(r"https?://[^\s\"'<>]+")


@pytest.fixture
def mailed(web: Web, offered: str) -> list[str]:
    """Anna dismissed the modal and has just been mailed: every address in headers, HTML and text of that mail."""
    web.client.post(
        f"/v1/messages/{offered}/respond", headers=web.key, json={"word": "dismissed"}
    ).raise_for_status()
    web.drain()
    with web.engine.database.connect() as connection:
        (kept,) = sandbox.inbox(connection, "anna", channel="email")
    content = dict(kept.content["content"])
    one_click = kept.content["one_click_url"]
    found = _URL.findall(f"<{one_click}> {content['text']} {html.unescape(str(content['html']))}")
    ours = sorted({url for url in found if url.startswith(web.settings.base_url)})
    assert {url.removeprefix(web.settings.base_url)[:3] for url in ours} == {"/u/", "/p/", "/c/"}
    return ours


def entries(web: Web, kind: str) -> list[dict[str, object]]:
    found = web.client.get("/v1/customers/anna/timeline", headers=web.key).json()["entries"]
    return [entry for entry in found if entry["kind"] == kind]


def codes(web: Web) -> list[str]:
    """Why each click was not believed, as the raw receipts keep it."""
    with web.engine.database.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT kind, data->>'code' AS code FROM receipts WHERE source_id LIKE 'link:%' ORDER BY code"
            )
        ).all()
    assert {row.kind for row in rows} <= {"clicked_by_machine"}
    return [row.code for row in rows]


def long_ago(web: Web, span: str = "1 hour") -> None:
    """The mail went out some time ago, and what was fetched was fetched some time ago."""
    with web.engine.database.begin() as connection:
        for column in ("sent_at", "handed_at", "planned_at"):
            connection.execute(
                text(f"UPDATE messages SET {column} = {column} - CAST(:span AS interval)"), {"span": span}
            )
        connection.execute(
            text("UPDATE seen_sources SET received_at = received_at - CAST(:span AS interval)"),
            {"span": span},
        )


@pytest.mark.parametrize("name", SCANNERS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_fetching_every_address_right_after_delivery_changes_nothing(
    web: Web, mailed: list[str], method: str, name: str
) -> None:
    for url in mailed:
        assert web.client.request(method, url, headers={"User-Agent": name}).status_code in (200, 302)
    web.drain()
    assert entries(web, "consent") == []
    assert [entry for entry in entries(web, "response") if entry["data"]["outcome"] == "clicked"] == []  # type: ignore[index]
    known = web.client.get("/v1/customers/anna", headers=web.key).json()
    assert known["playbooks"][0]["step"] == "mail", "her walk still listens"
    assert len(codes(web)) == 1, "the raw click is kept"


def test_each_click_that_is_not_believed_says_why(web: Web, mailed: list[str]) -> None:
    (link,) = (url for url in mailed if "/c/" in url)
    web.client.head(link)
    web.client.get(link, headers={"Sec-Purpose": "prefetch"})
    web.client.get(link, headers={"User-Agent": "Mimecast"})
    web.client.get(link, headers={"User-Agent": ""})
    web.client.get(link)
    web.client.get(link)
    web.drain()
    assert codes(web) == [
        "machine: fetched ahead",
        "machine: named itself a scanner",
        "machine: only asked for the head",
        "suspect: no browser named",
        "suspect: within seconds of sending",
    ]


def test_a_person_who_clicks_later_is_believed_whatever_a_scanner_did_before(
    web: Web, mailed: list[str]
) -> None:
    (link,) = (url for url in mailed if "/c/" in url)
    web.client.get(link)
    web.drain()
    long_ago(web)
    web.client.get(link)
    web.drain()
    assert [entry["data"]["outcome"] for entry in entries(web, "response")][-1] == "clicked"  # type: ignore[index]


def test_links_followed_all_at_once_are_suspect_from_the_second_on(web: Web, mailed: list[str]) -> None:
    """The first of them cannot be told from a person's; it counts, and the others add nothing to it."""
    long_ago(web)
    with web.engine.database.connect() as connection:
        (kept,) = sandbox.inbox(connection, "anna", channel="email")
    links = [
        web.engine.links.click_url(kept.message_id, name, "https://shop.example/plans")
        for name in ("plans", "prices", "help")
    ]
    for link in links:
        web.client.get(link)
    web.drain()
    assert codes(web) == ["suspect: several links at once"] * 2
