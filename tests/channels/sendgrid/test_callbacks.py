from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Receipt, ReceiptKind
from channels.errors import BadSignatureError
from channels.sendgrid.callbacks import parse, verify
from tests.channels import build
from tests.channels.receiver import Receiver
from tests.fakes.provider import FakeProvider
from tests.fakes.sendgrid import SendGrid

AT = int(build.NOON.timestamp())


def one(**facts: Any) -> Receipt:
    event = {
        "event": "delivered",
        "timestamp": AT,
        "sg_event_id": "e1",
        "m": "m_1",
        "email": "ada@example.test",
    }
    parsed = parse(json.dumps([event | facts]).encode())
    assert parsed.problems == ()
    (receipt,) = parsed.receipts
    return receipt


def test_what_the_provider_fires_verifies_and_reads_back(provider: FakeProvider, receiver: Receiver) -> None:
    sent = build.email(provider).send(build.outgoing("email"))
    kinds = ["processed", "delivered", "open", "machine_open", "click", "scanner_click", "bounce", "blocked"]
    kinds += ["dropped", "spamreport", "unsubscribe", "group_unsubscribe", "group_resubscribe", "deferred"]
    provider.fire_sendgrid(receiver.url, [(kind, "m_1") for kind in kinds])

    (got,) = receiver.got
    now = datetime.fromtimestamp(provider.now(), UTC)
    verify(got.body, got.headers, ["AAAA", provider.public_key], now=now)
    parsed = parse(got.body, topics={7: "upsell"})
    assert parsed.problems == ()
    assert [receipt.kind for receipt in parsed.receipts] == [
        ReceiptKind.PROGRESS,
        ReceiptKind.DELIVERED,
        ReceiptKind.OPENED,
        ReceiptKind.OPENED_BY_MACHINE,
        ReceiptKind.CLICKED,
        ReceiptKind.CLICKED_BY_MACHINE,
        ReceiptKind.BOUNCED,
        ReceiptKind.BLOCKED,
        ReceiptKind.BOUNCED,
        ReceiptKind.COMPLAINED,
        ReceiptKind.OPTED_OUT,
        ReceiptKind.OPTED_OUT,
        ReceiptKind.OPTED_IN,
        ReceiptKind.PROGRESS,
    ]
    assert {receipt.message_id for receipt in parsed.receipts} == {"m_1"}
    assert {receipt.provider_id for receipt in parsed.receipts} == {sent.provider_id}
    assert len({receipt.source_id for receipt in parsed.receipts}) == len(kinds)
    assert [receipt.topic for receipt in parsed.receipts].count("upsell") == 2


class TestSignature:
    fake = SendGrid("key")

    def signed(self, body: bytes = b'[{"a": "\xc3\xa9"}]\r\n') -> tuple[bytes, dict[str, str]]:
        return self.fake.signed(body, AT)

    def refused(self, body: bytes, headers: dict[str, str], now: datetime = build.NOON) -> None:
        with pytest.raises(BadSignatureError):
            verify(body, headers, [self.fake.signer.public_key], now=now)

    def test_a_good_one_passes_whatever_the_case_of_header_names(self) -> None:
        body, headers = self.signed()
        lower = {name.lower(): value for name, value in headers.items()}
        verify(body, lower, [self.fake.signer.public_key], now=build.NOON + timedelta(hours=25))

    def test_the_line_end_of_the_body_is_part_of_it(self) -> None:
        body, headers = self.signed()
        self.refused(body.rstrip(), headers)

    def test_another_key_does_not_fit(self) -> None:
        body, headers = self.signed()
        with pytest.raises(BadSignatureError):
            verify(body, headers, [SendGrid("key").signer.public_key, ""], now=build.NOON)

    def test_another_timestamp_does_not_fit(self) -> None:
        body, headers = self.signed()
        self.refused(body, headers | {"X-Twilio-Email-Event-Webhook-Timestamp": str(AT + 1)})

    @pytest.mark.parametrize("name", ["Signature", "Timestamp"])
    @pytest.mark.parametrize("value", [None, "", "not base64 at all", "é", "AAAA"])
    def test_nonsense_is_refused_and_never_raises_anything_else(self, name: str, value: str | None) -> None:
        body, headers = self.signed()
        full = f"X-Twilio-Email-Event-Webhook-{name}"
        changed = {key: old for key, old in headers.items() if key != full}
        self.refused(body, changed if value is None else changed | {full: value})

    def test_bytes_that_are_no_text_are_refused(self) -> None:
        _, headers = self.signed()
        self.refused(b"\xff\xfe", headers)

    def test_only_an_absurd_age_is_refused(self) -> None:
        body, headers = self.signed()
        self.refused(body, headers, now=build.NOON + timedelta(days=30))


def test_the_published_key_of_the_documentation_is_readable_and_refuses_what_it_did_not_sign() -> None:
    key = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2f"
        "NNRaINXvVpiglSI8eNEc6wEA3F+g=="
    )
    signature = (
        "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
    )
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": "1600112502",
    }
    with pytest.raises(BadSignatureError):
        verify(b"payload", headers, [key], now=datetime.fromtimestamp(1600112502, UTC))


def test_one_bad_event_does_not_cost_the_good_ones() -> None:
    good = {"event": "delivered", "timestamp": AT, "sg_event_id": "e1", "m": "m_1"}
    bad: list[Any] = [
        7,
        None,
        "text",
        [],
        {},
        {"event": "account_status_change", "timestamp": AT},
        {"event": ["delivered"], "timestamp": AT},
        {"event": "delivered", "m": "m_1"},
        {"event": "delivered", "timestamp": "soon", "m": "m_1"},
        {"event": "delivered", "timestamp": 1e300, "m": "m_1"},
        {"event": "delivered", "timestamp": True, "m": "m_1"},
        {"event": "delivered", "timestamp": AT},
    ]
    batch = [item for one_bad in bad for item in (one_bad, good)]
    parsed = parse(json.dumps(batch).encode())
    assert len(parsed.receipts) == len(bad)
    assert [problem.index for problem in parsed.problems] == [2 * at for at in range(len(bad))]


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"7", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_batch_is_one_problem(body: bytes) -> None:
    parsed = parse(body)
    assert parsed.receipts == ()
    assert len(parsed.problems) == 1


def test_a_yes_to_a_group_nobody_mapped_opens_nothing_and_a_no_closes_everything() -> None:
    """The groups of other senders on the account are reported too; what they mean is not ours to guess."""
    events = [
        {"email": "ada@example.test", "timestamp": AT, "event": name, "asm_group_id": 9}
        for name in ("group_resubscribe", "group_unsubscribe")
    ]
    parsed = parse(json.dumps(events).encode(), topics={7: "upsell"})
    assert [(one.kind, one.topic) for one in parsed.receipts] == [(ReceiptKind.OPTED_OUT, None)]
    assert [one.index for one in parsed.problems] == [0]


def test_a_repeated_event_has_the_same_identity_with_and_without_an_id() -> None:
    assert one().source_id == one(tls=1).source_id == "e1"
    nameless = {"sg_event_id": None}
    assert one(**nameless).source_id == one(**nameless).source_id
    assert one(**nameless).source_id != one(**nameless, tls=1).source_id


def test_a_dropped_mail_says_what_the_providers_lists_know() -> None:
    words = {
        "Bounced Address": ReceiptKind.BOUNCED,
        "Unsubscribed Address": ReceiptKind.OPTED_OUT,
        "Spam Reporting Address": ReceiptKind.COMPLAINED,
        "Invalid": ReceiptKind.BOUNCED,
        "Invalid SMTPAPI header": ReceiptKind.FAILED,
        "Spam Content (if Spam Checker app enabled)": ReceiptKind.FAILED,
        "Recipient List over Package Quota": ReceiptKind.FAILED,
    }
    assert {reason: one(event="dropped", reason=reason).kind for reason in words} == words


@pytest.mark.parametrize(
    ("full", "ours"),
    [
        ("sg00000001Qx.recvd-5f-1-1.0", "sg00000001Qx"),
        ("14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0", "14c5d75ce93.dfd.64b469"),
        (
            "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
            "LRzXl_NHStOGhQ4kofSm_A",
        ),
        ("alone", "alone"),
    ],
)
def test_the_providers_id_is_the_one_the_send_gave(full: str, ours: str) -> None:
    assert one(sg_message_id=full).provider_id == ours


def test_clicks_on_many_links_at_once_are_a_machines() -> None:
    def click(link: int, at: int, mail: str = "m_1") -> dict[str, Any]:
        url = f"https://app.example.test/{link}"
        return {
            "event": "click",
            "timestamp": AT + at,
            "m": mail,
            "url": url,
            "sg_event_id": f"{mail}{link}{at}",
        }

    events = [click(1, 0), click(2, 1), click(3, 2), click(4, 60), click(1, 0, "m_2"), click(2, 0, "m_2")]
    words = [receipt.kind for receipt in parse(json.dumps(events).encode()).receipts]
    assert words == [ReceiptKind.CLICKED_BY_MACHINE] * 3 + [ReceiptKind.CLICKED] * 3


def test_text_that_a_database_refuses_is_made_safe() -> None:
    receipt = one(m="m_1\x00", url="https://a.test/\ud800", event="click")
    assert receipt.message_id == "m_1"
    assert receipt.link is not None
    receipt.link.encode()


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_keys = st.sampled_from(
    ["event", "timestamp", "sg_event_id", "sg_message_id", "m", "email", "url", "useragent"]
)
_kinds = st.fixed_dictionaries(
    {"event": st.sampled_from(["open", "click", "dropped", "bounce"]), "timestamp": st.just(AT)}
)


@given(st.lists(st.one_of(_values, st.dictionaries(_keys, _values), _kinds), max_size=5))
def test_every_item_gives_a_fact_or_a_problem(items: list[Any]) -> None:
    parsed = parse(json.dumps(items).encode())
    assert len(parsed.receipts) + len(parsed.problems) == len(items)
