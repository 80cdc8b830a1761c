"""One-click unsubscribe by the letter of RFC 8058: what is on the wire, and what the address does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from orchestrator.bootstrap import build_engine
from orchestrator.errors import StartRefused
from orchestrator.records.intake import Identify
from orchestrator.service.rendering.links import LinkSigner
from orchestrator.settings import Settings
from tests.fakes.provider import FakeProvider
from tests.web.served import Web, serving
from tests.web.shop import FILES, write_folder

FORM = b"List-Unsubscribe=One-Click"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
    "multipart/form-data; boundary=b",
)


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running
    assert running.ledger.violations() == [], "a request broke the provider's own description"


@pytest.fixture
def mailing(settings: Settings, provider: FakeProvider, tmp_path: Path) -> Iterator[Web]:
    """The shop, mailing through the real SendGrid adapter; Anna has a mail on its way."""
    given = {
        "sendgrid_api_key": provider.api_key,
        "sendgrid_base_url": provider.url,
        "email_from": "hello@shop.example",
        "public_url": "",
    }
    real = Settings(**(settings.model_dump() | given))
    engine = build_engine(real)
    folder = write_folder(tmp_path / "playbooks")
    offer = FILES["offer/playbook.yaml"]
    start, end = offer.index("  modal:"), offer.index("  mail:")
    (folder / "offer/playbook.yaml").write_text(offer[:start] + offer[end:])
    engine.publish(folder)
    with serving(engine, real) as web:
        engine.identify(
            [Identify(key="anna", traits={"email": "anna@shop.example", "locale": "en", "timezone": "UTC"})]
        )
        web.drain()
        engine.start_playbook("anna", "offer")
        web.drain()
        yield web
    engine.close()


@pytest.fixture
def mail(mailing: Web, provider: FakeProvider) -> dict[str, str]:
    """The headers of her mail, as they were on the wire."""
    (entry,) = provider.ledger.entries("sendgrid")
    (person,) = entry.fields["personalizations"]
    assert set(entry.fields) & {"headers", "asm"} == set(), (
        "each header stands once, and the provider adds none"
    )
    assert entry.fields["tracking_settings"]["subscription_tracking"] == {"enable": False}
    return {str(name): str(value) for name, value in person["headers"].items()}


@pytest.fixture
def address(mail: dict[str, str]) -> str:
    return mail["List-Unsubscribe"].strip("<>")


def post(address: str, content: bytes = FORM, kind: str = URLENCODED, **headers: str) -> httpx.Response:
    """As a mailbox provider does: no cookie, no login, no context, no name."""
    with httpx.Client(trust_env=False) as stranger:
        return stranger.post(address, content=content, headers={"Content-Type": kind, **headers})


def ledger(web: Web) -> list[tuple[str, str, str, str]]:
    with web.engine.database.connect() as connection:
        rows = connection.execute(
            text("SELECT action, channel, topic, method FROM consent_ledger ORDER BY id")
        )
        return [tuple(row) for row in rows]


def test_both_headers_stand_on_the_wire_once_and_exactly(mailing: Web, mail: dict[str, str]) -> None:
    names = [name.lower() for name in mail]
    assert names.count("list-unsubscribe") == names.count("list-unsubscribe-post") == 1
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    header = mail["List-Unsubscribe"]
    assert header == f"<{header.strip('<>')}>"
    assert header.strip("<>").startswith(f"{mailing.settings.base_url}/u/")
    assert header.isascii()
    assert header.isprintable()
    assert len(f"List-Unsubscribe: {header}") < 998
    assert "anna" not in header, "the address says nothing about whose it is"


@pytest.mark.parametrize(
    ("content", "kind"),
    [(FORM, URLENCODED), MULTIPART, (FORM, f"{URLENCODED}; charset=utf-8")],
    ids=["urlencoded", "multipart", "with a charset"],
)
def test_the_post_acts_without_redirect_cookie_or_login(
    mailing: Web, address: str, content: bytes, kind: str
) -> None:
    answer = post(address, content, kind)
    assert answer.status_code == 200
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert ledger(mailing) == [("revoked", "*", "upsell", "one_click")]


def test_repeating_the_post_adds_no_second_row(mailing: Web, address: str) -> None:
    for content, kind in ((FORM, URLENCODED), MULTIPART, (FORM, URLENCODED)):
        assert post(address, content, kind).status_code == 200
    assert len(ledger(mailing)) == 1


def test_the_receipt_names_what_was_stopped(mailing: Web, address: str) -> None:
    receipt = post(address).text
    assert "Offers for a bigger plan" in receipt
    assert "A bigger plan" in receipt
    assert "anna" not in receipt


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_no_other_method_changes_anything(mailing: Web, address: str, method: str) -> None:
    answer = httpx.request(method, address, trust_env=False)
    assert answer.status_code in (200, 405)
    assert ledger(mailing) == []


@pytest.mark.parametrize("tail", ["", "nonsense", "WzEsIioiLCIqIixudWxsXQ.AAAA", "%00", "x" * 5000])
def test_an_unknown_token_gets_a_neutral_page_without_an_address(mailing: Web, tail: str) -> None:
    for answer in (
        post(f"{mailing.settings.base_url}/u/{tail}"),
        httpx.get(f"{mailing.settings.base_url}/u/{tail}"),
    ):
        assert answer.status_code == 404
        assert "@" not in answer.text
        assert "anna" not in answer.text
    assert ledger(mailing) == []


def test_a_token_signed_by_an_older_key_still_opts_out(mailing: Web, address: str) -> None:
    """Keys are changed by putting a new one in front; mails of years ago must still be left."""
    old, new = "s" * 40, "n" * 40
    mailing.engine.links = LinkSigner(base_url=mailing.settings.base_url, keys=(new, old))
    assert post(address).status_code == 200
    assert ledger(mailing) == [("revoked", "*", "upsell", "one_click")]
    mailing.engine.links = LinkSigner(base_url=mailing.settings.base_url, keys=(new,))
    assert post(address).status_code == 404, "a key that is gone signs nothing any more"


def test_a_token_of_another_page_opts_nobody_out(mailing: Web, address: str) -> None:
    for other in (
        mailing.engine.links.preferences_url(1),
        mailing.engine.links.click_url("m_1-1", "x", "https://a.test"),
    ):
        token = other.rsplit("/", 1)[1]
        assert post(f"{mailing.settings.base_url}/u/{token}").status_code == 404
    assert ledger(mailing) == []


def test_after_it_nothing_of_the_topic_is_handed_over(
    mailing: Web, address: str, provider: FakeProvider
) -> None:
    post(address)
    with pytest.raises(StartRefused, match="opted out"):
        mailing.engine.start_playbook("anna", "text")
    mailing.drain()
    assert len(provider.ledger.entries("sendgrid")) == 1
