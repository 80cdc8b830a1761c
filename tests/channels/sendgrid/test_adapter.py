from __future__ import annotations

import re
from typing import Any

import pytest

from channels.base import Content, SendStatus
from channels.errors import BadChannelError
from channels.sendgrid.adapter import EmailSendGrid, list_headers, with_preheader, without_click_tracking
from tests.channels import build
from tests.fakes.provider import FakeProvider


def sent(provider: FakeProvider, **facts: Any) -> dict[str, Any]:
    """The request body as the provider read it."""
    assert build.email(provider).send(build.outgoing("email", **facts)).result is SendStatus.SENT
    return provider.ledger.entries("sendgrid")[-1].fields


def test_one_mail_goes_to_one_person_and_carries_only_our_id(provider: FakeProvider) -> None:
    mail = sent(provider)
    (person,) = mail["personalizations"]
    assert person["to"] == [{"email": "ada@example.test"}]
    assert person["custom_args"] == {"m": "m_1"}
    assert mail["from"] == {"email": "team@example.test", "name": "The team"}
    assert mail["subject"] == "Nearly full"
    assert [part["type"] for part in mail["content"]] == ["text/plain", "text/html"]


def test_a_promotional_mail_can_be_left_with_one_click(provider: FakeProvider) -> None:
    (person,) = sent(provider)["personalizations"]
    assert person["headers"] == {
        "List-Unsubscribe": f"<{build.OPT_OUT}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": "<upsell.example.test>",
    }


def test_a_mail_that_promotes_nothing_has_no_list_headers(provider: FakeProvider) -> None:
    (person,) = sent(provider, promotional=False)["personalizations"]
    assert "headers" not in person


def test_a_header_that_would_break_the_mail_is_left_out() -> None:
    assert "List-Unsubscribe" not in list_headers(build.outgoing(one_click_url="https://a.test/u/\r\nBcc: x"))
    assert "List-Unsubscribe" not in list_headers(
        build.outgoing(one_click_url="https://a.test/u/" + "x" * 999)
    )
    assert "List-Unsubscribe" not in list_headers(build.outgoing(one_click_url="mailto:leave@example.test"))


@pytest.mark.parametrize("track", [True, False])
def test_tracking_follows_consent_and_opt_out_stays_ours(provider: FakeProvider, track: bool) -> None:
    settings = sent(provider, track=track)["tracking_settings"]
    assert settings["open_tracking"]["enable"] is track
    assert settings["click_tracking"]["enable"] is track
    assert settings["subscription_tracking"]["enable"] is False


def test_links_by_which_one_leaves_are_never_tracked() -> None:
    body = (
        '<A class="x" HREF="https://go.example.test/u/opaque-token-1234">leave</A>'
        '<a href="https://go.example.test/p/opaque-token-5678?x=1&amp;y=2">choose</a>'
        '<a href="https://app.example.test/pricing">prices</a>'
        '<a clicktracking="off" href="https://go.example.test/u/opaque-token-1234">leave</a>'
    )
    marked = re.findall(r"<a[^>]*>", without_click_tracking(body, []), re.IGNORECASE)
    assert [tag.lower().count("clicktracking") for tag in marked] == [1, 1, 0, 1]
    assert all(
        tag.lower().index("clicktracking") < tag.lower().index("href") for tag in marked if "app" not in tag
    )


def test_the_very_url_of_this_messages_opt_out_is_never_tracked(provider: FakeProvider) -> None:
    url = "https://example.test/leave?t=1&u=2"
    content = Content(
        text="x", html='<a href="https://example.test/leave?t=1&amp;u=2">x</a>', header={"subject": "s"}
    )
    html = sent(provider, opt_out_url=url, content=content)["content"][1]["value"]
    assert html.startswith("<a clicktracking=off href=")


def test_the_preheader_stands_first_and_once() -> None:
    once = with_preheader("<html><body class='x'><p>Hi</p></body></html>", "5 < 6")
    assert once.index("5 &lt; 6") < once.index("<p>")
    assert with_preheader(once, "5 < 6") == once


def test_a_subject_cannot_smuggle_in_a_header(provider: FakeProvider) -> None:
    assert (
        sent(provider, header={"subject": "Hello\r\nBcc: x@example.test"})["subject"]
        == "Hello Bcc: x@example.test"
    )


def test_a_mail_without_a_subject_is_refused_before_the_provider_hears_of_it(provider: FakeProvider) -> None:
    handed = build.email(provider).send(build.outgoing("email", header={}))
    assert (handed.result, handed.code) == (SendStatus.REFUSED, "no_subject")
    assert provider.ledger.entries() == []


def test_missing_settings_are_named() -> None:
    with pytest.raises(BadChannelError, match="ORCHESTRATOR_SENDGRID_API_KEY"):
        EmailSendGrid(api_key="", sender="team@example.test")
    with pytest.raises(BadChannelError, match="ORCHESTRATOR_EMAIL_FROM"):
        EmailSendGrid(api_key="SG.x", sender="")
