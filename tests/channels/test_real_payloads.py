"""Shapes in which SendGrid's events really come: optional fields, odd ids, several types for one field.

Every value here is invented; the shapes are those that public parsers of these events had to learn.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from channels.base import Receipt, ReceiptKind
from channels.sendgrid.callbacks import parse
from tests.channels import build

AT = int(build.NOON.timestamp())
GIVEN = "Qm3vT7xWRb-u0aKc_91LpA"  # as the send's answer gave it
LONG = f"{GIVEN}.filter0219p1mdw1.20311.58A7C1D24F.0"
SMTP_ID = f"<{GIVEN}@ismtpd0011p1sjc2.example.net>"

SHAPES: dict[str, tuple[dict[str, Any], ReceiptKind]] = {
    "processed": ({"event": "processed", "smtp-id": SMTP_ID, "pool": {"name": "main", "id": 7}}, ReceiptKind.PROGRESS),
    "delivered": (
        {"event": "delivered", "smtp-id": SMTP_ID, "response": "250 2.0.0 OK", "ip": "192.0.2.7", "tls": 1},
        ReceiptKind.DELIVERED,
    ),
    "deferred, its attempt a text": (
        {"event": "deferred", "response": "throttled", "attempt": "3"}, ReceiptKind.PROGRESS
    ),
    "deferred, its attempt a number": ({"event": "deferred", "attempt": 3, "ip": "192.0.2.7"}, ReceiptKind.PROGRESS),
    "bounce": (
        {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 no such user", "tls": 1},
        ReceiptKind.BOUNCED,
    ),
    "bounce with its class": (
        {"event": "bounce", "type": "bounce", "bounce_classification": "Invalid Address"}, ReceiptKind.BOUNCED
    ),
    "bounce that only blocks": ({"event": "bounce", "type": "blocked", "status": "4.0.0"}, ReceiptKind.BLOCKED),
    "bounce without a status": ({"event": "bounce", "type": "bounce", "status": ""}, ReceiptKind.BOUNCED),
    "open": ({"event": "open", "useragent": "Mozilla/5.0 (X11) Firefox/130", "ip": "192.0.2.7"}, ReceiptKind.OPENED),
    "open that says it is a person's": (
        {"event": "open", "useragent": "Mozilla/5.0 (X11) Firefox/130", "sg_machine_open": False,
         "sg_content_type": "html"},
        ReceiptKind.OPENED,
    ),
    "open by a proxy": (
        {"event": "open", "useragent": "Mozilla/5.0 (X11) Firefox/130", "sg_machine_open": True},
        ReceiptKind.OPENED_BY_MACHINE,
    ),
    "open without a browser": ({"event": "open"}, ReceiptKind.OPENED),
    "click": (
        {"event": "click", "url": "https://shop.example/plans?a=1&b=2", "url_offset": {"index": 2, "type": "html"},
         "useragent": "Mozilla/5.0 (Macintosh) AppleWebKit/605"},
        ReceiptKind.CLICKED,
    ),
    "spam report": ({"event": "spamreport"}, ReceiptKind.COMPLAINED),
    "unsubscribe": ({"event": "unsubscribe"}, ReceiptKind.OPTED_OUT),
    "unsubscribe from a group": (
        {"event": "group_unsubscribe", "asm_group_id": 12, "useragent": "x", "ip": "192.0.2.7", "url": "https://a.test"},
        ReceiptKind.OPTED_OUT,
    ),
    "back into a group": ({"event": "group_resubscribe", "asm_group_id": 12}, ReceiptKind.OPTED_IN),
    "dropped": ({"event": "dropped", "reason": "Unsubscribed Address", "status": "5.0.0"}, ReceiptKind.OPTED_OUT),
}  # fmt: skip


def one(**facts: Any) -> Receipt:
    common = {
        "email": "Ada@Example.test",
        "timestamp": AT,
        "sg_event_id": "e1",
        "sg_message_id": LONG,
        "m": "m_1-1",
    }
    event = {name: value for name, value in (common | facts).items() if value is not None}
    parsed = parse(json.dumps([event]).encode() + b"\r\n", topics={12: "upsell"})
    assert parsed.problems == ()
    (receipt,) = parsed.receipts
    return receipt


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_one_fact_about_our_message(shape: str) -> None:
    facts, word = SHAPES[shape]
    receipt = one(**facts)
    assert (receipt.kind, receipt.message_id, receipt.provider_id) == (word, "m_1-1", GIVEN)
    assert (receipt.occurred_at, receipt.source_id, receipt.address) == (build.NOON, "e1", "ada@example.test")


@pytest.mark.parametrize("category", ["offers", ["offers", "spring"], [], None, {"a": 1}, 7])
def test_a_category_is_a_text_a_list_or_absent_and_never_matters(category: Any) -> None:
    assert one(event="delivered", category=category).message_id == "m_1-1"


def test_a_drop_names_the_machine_and_not_the_mail_so_our_own_id_counts() -> None:
    """The provider never gave such a mail an id: what stands there is a host that many mails share."""
    dropped = one(
        event="dropped", reason="Bounced Address", sg_message_id="filter0107p1las1.8221.58B01C7743.0"
    )
    assert dropped.message_id == "m_1-1"
    assert dropped.provider_id is None


def test_a_late_bounce_without_any_id_is_about_the_address() -> None:
    bounce = one(event="bounce", type="bounce", sg_message_id=None, m=None)
    assert (bounce.message_id, bounce.provider_id, bounce.address) == (None, None, "ada@example.test")


def test_without_our_id_the_prefix_of_the_providers_finds_the_mail() -> None:
    assert one(event="delivered", m=None).provider_id == GIVEN


@pytest.mark.parametrize("first", ["_", "-", "a"])
def test_an_id_may_begin_with_a_dash_or_an_underscore(first: str) -> None:
    given = first + GIVEN[1:]
    assert one(event="open", sg_message_id=f"{given}.recvd-6f9c-x-1-66A0-1.0").provider_id == given


def test_our_argument_may_stand_among_strangers_own_fields() -> None:
    receipt = one(
        event="delivered", customer={"deep": [1]}, send_at=0, nlvx_campaign_id=9, marketing_campaign_id="x"
    )
    assert receipt.message_id == "m_1-1"


@pytest.mark.parametrize("stamp", [AT, float(AT), str(AT)])
def test_seconds_may_be_a_number_or_a_text(stamp: Any) -> None:
    assert one(event="delivered", timestamp=stamp).occurred_at == build.NOON


def test_what_is_about_the_account_and_not_about_a_mail_is_reported_and_costs_nothing() -> None:
    status = {
        "event": "account_status_change",
        "type": "compliance_suspend",
        "timestamp": AT,
        "sg_event_id": "e2",
    }
    good = {"event": "delivered", "timestamp": AT, "sg_event_id": "e3", "m": "m_1-1"}
    parsed = parse(json.dumps([status, good]).encode())
    assert [receipt.source_id for receipt in parsed.receipts] == ["e3"]
    assert [problem.index for problem in parsed.problems] == [0]
