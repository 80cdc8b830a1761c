"""Providers report: only what they signed counts, and a STOP acts at once."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import httpx
import pytest

from tests.fakes.signing import SendGridSigner, twilio_signature
from tests.web.served import TWILIO_TOKEN, Web


def seconds(web: Web) -> str:
    """Signed now, by the clock the web process compares with."""
    return str(int(web.engine.reports.instants().machine.timestamp()))


def from_twilio(web: Web, path: str, form: dict[str, str], *, token: str = TWILIO_TOKEN) -> httpx.Response:
    signature = twilio_signature(token, web.settings.base_url + path, list(form.items()))
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    return web.client.post(path, content=urlencode(form).encode(), headers=headers)


def inbound(text: str, sid: str = "SM1") -> dict[str, str]:
    return {"MessageSid": sid, "From": "+4915112345678", "To": "+15550001111", "Body": text}


def consents(web: Web, customer: str = "anna") -> list[tuple[str, str, bool]]:
    known = web.client.get(f"/v1/customers/{customer}", headers=web.key).json()
    return [(row["channel"], row["topic"], row["granted"]) for row in known["consents"]]


def test_stop_by_text_opts_out_everybody_with_that_number(web: Web, anna: str) -> None:
    call = {"userId": "twin", "traits": {"phone": "+4915112345678"}}
    web.client.post("/v1/identify", headers=web.key, json=call).raise_for_status()
    web.drain()
    answer = from_twilio(web, "/webhooks/twilio/inbound", inbound("stop texting me please"))
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/xml")
    assert "unsubscribed" in answer.text
    assert consents(web) == [("sms", "*", False)]
    assert consents(web, "twin") == [("sms", "*", False)]


def test_the_providers_own_keyword_is_not_answered_twice(web: Web, anna: str) -> None:
    answer = from_twilio(web, "/webhooks/twilio/inbound", inbound("STOP"))
    assert answer.text.endswith("<Response></Response>")
    assert consents(web) == [("sms", "*", False)]


def test_start_opens_texts_again_and_nothing_else(web: Web, anna: str) -> None:
    web.client.post("/v1/customers/anna/opt-out", headers=web.key, json={}).raise_for_status()
    from_twilio(web, "/webhooks/twilio/inbound", inbound("START"))
    assert ("sms", "*", True) in consents(web)
    assert ("*", "*", False) in consents(web)


def test_help_changes_nothing(web: Web, anna: str) -> None:
    assert from_twilio(web, "/webhooks/twilio/inbound", inbound("HELP")).status_code == 200
    assert consents(web) == []


def test_the_same_callback_twice_is_one_withdrawal(web: Web, anna: str) -> None:
    for _ in range(3):
        assert from_twilio(web, "/webhooks/twilio/inbound", inbound("STOP", sid="SM9")).status_code == 200
    entries = web.client.get("/v1/customers/anna/timeline", headers=web.key).json()["entries"]
    assert sum(entry["kind"] == "consent" for entry in entries) == 1


def test_stop_by_whatsapp_counts_for_who_gave_the_number_as_a_phone(web: Web, anna: str) -> None:
    form = inbound("stop") | {"From": "whatsapp:+4915112345678"}
    assert from_twilio(web, "/webhooks/twilio/inbound", form).status_code == 200
    assert consents(web) == [("whatsapp", "*", False)]


def test_the_ledger_says_whether_a_keyword_or_free_words_were_used(web: Web, anna: str) -> None:
    from_twilio(web, "/webhooks/twilio/inbound", inbound("STOP", sid="SM1"))
    from_twilio(web, "/webhooks/twilio/inbound", inbound("START", sid="SM2"))
    from_twilio(web, "/webhooks/twilio/inbound", inbound("please stop texting me", sid="SM3"))
    entries = web.client.get("/v1/customers/anna/timeline", headers=web.key).json()["entries"]
    methods = [entry["data"]["method"] for entry in entries if entry["kind"] == "consent"]
    assert methods == ["sms_keyword", "sms_keyword", "free_text"]


@pytest.mark.parametrize("path", ["status", "inbound", "conversations"])
def test_what_twilio_did_not_sign_is_refused(web: Web, anna: str, path: str) -> None:
    forged = from_twilio(web, f"/webhooks/twilio/{path}", inbound("STOP"), token="another-token")
    assert forged.status_code == 403
    unsigned = web.client.post(f"/webhooks/twilio/{path}", data=inbound("STOP"))
    assert unsigned.status_code == 403
    assert consents(web) == []


def test_the_signature_covers_the_public_url_with_its_query(web: Web, anna: str) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+4915112345678"}
    assert from_twilio(web, "/webhooks/twilio/status?m=m_1-1", form).status_code == 204
    signature = twilio_signature(
        TWILIO_TOKEN, web.settings.base_url + "/webhooks/twilio/status?m=m_1-1", list(form.items())
    )
    moved = web.client.post(
        "/webhooks/twilio/status?m=m_1-2", data=form, headers={"X-Twilio-Signature": signature}
    )
    assert moved.status_code == 403


def test_a_spam_report_signed_by_sendgrid_opts_out_of_mail(
    web: Web, anna: str, sendgrid: SendGridSigner
) -> None:
    stamp = seconds(web)
    event = {
        "email": "anna@shop.example",
        "timestamp": int(stamp),
        "event": "spamreport",
        "sg_event_id": "e1",
    }
    body = json.dumps([event]).encode() + b"\r\n"
    answer = web.client.post("/webhooks/sendgrid", content=body, headers=sendgrid.headers(body, stamp))
    assert answer.status_code == 204
    assert consents(web) == [("email", "*", False)]


def test_an_event_about_nobody_we_know_does_not_cost_the_others(
    web: Web, anna: str, sendgrid: SendGridSigner
) -> None:
    stamp = seconds(web)
    about = {"timestamp": int(stamp), "event": "spamreport"}
    events = [
        about | {"m": "m_zzzz-1", "sg_event_id": "e1", "email": "x@y.example"},
        about | {"m": "nonsense", "sg_event_id": "e2", "email": "x@y.example"},
        {"event": "who knows"},
        about | {"email": "anna@shop.example", "sg_event_id": "e3"},
    ]
    body = json.dumps(events).encode()
    answer = web.client.post("/webhooks/sendgrid", content=body, headers=sendgrid.headers(body, stamp))
    assert answer.status_code == 204
    assert consents(web) == [("email", "*", False)]


def test_what_sendgrid_did_not_sign_is_refused(web: Web, anna: str, sendgrid: SendGridSigner) -> None:
    stamp = seconds(web)
    body = json.dumps(
        [{"email": "anna@shop.example", "timestamp": int(stamp), "event": "unsubscribe"}]
    ).encode()
    any_sent = body.replace(b"anna", b"anne")
    assert web.client.post("/webhooks/sendgrid", content=body).status_code == 403
    assert (
        web.client.post(
            "/webhooks/sendgrid", content=any_sent, headers=sendgrid.headers(body, stamp)
        ).status_code
        == 403
    )
    other = SendGridSigner()
    assert (
        web.client.post("/webhooks/sendgrid", content=body, headers=other.headers(body, stamp)).status_code
        == 403
    )
    assert consents(web) == []
