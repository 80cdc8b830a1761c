"""Every way a provider can fail, at every remote channel: which result it becomes. No error of a library escapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from channels.base import Channel, SendResult, SendStatus
from tests.channels import build
from tests.fakes.provider import FakeProvider

QUICK = 1.0  # seconds that a call may take where nobody answers
PATIENT = 20.0  # and where somebody does, however busy the machine


@dataclass(frozen=True, kw_only=True)
class Case:
    fault: str
    result: SendStatus
    taken: bool
    code: str | None = None
    alert: bool = False
    retry_after: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.fault, *map(str, self.facts.values())])


COMMON = [
    Case(
        fault="rate_limit",
        result=SendStatus.TRY_AGAIN,
        taken=False,
        retry_after=17.0,
        facts={"retry_after": 17},
    ),
    Case(fault="rate_limit", result=SendStatus.TRY_AGAIN, taken=False),
    Case(fault="unavailable", result=SendStatus.TRY_AGAIN, taken=False, retry_after=5.0),
    Case(fault="error", result=SendStatus.UNCERTAIN, taken=False),
    Case(fault="error", result=SendStatus.UNCERTAIN, taken=False, facts={"status": 503}),
    Case(fault="error", result=SendStatus.UNCERTAIN, taken=False, facts={"status": 504}),
    Case(fault="error_after_accept", result=SendStatus.UNCERTAIN, taken=True),
    Case(fault="refuse", result=SendStatus.REFUSED, taken=False),
    Case(fault="refuse", result=SendStatus.REFUSED, taken=False, alert=True, facts={"status": 401}),
    Case(fault="refuse", result=SendStatus.REFUSED, taken=False, alert=True, facts={"status": 403}),
    Case(fault="refuse", result=SendStatus.REFUSED, taken=False, facts={"status": 404}),
    Case(fault="too_large", result=SendStatus.REFUSED, taken=False),
    Case(fault="redirect", result=SendStatus.REFUSED, taken=False, alert=True),
    Case(fault="garbage", result=SendStatus.UNCERTAIN, taken=True),
    Case(fault="hang", result=SendStatus.UNCERTAIN, taken=False, code="timeout"),
    Case(fault="hang_after_accept", result=SendStatus.UNCERTAIN, taken=True, code="timeout"),
    Case(fault="reset", result=SendStatus.UNCERTAIN, taken=False, code="connection_lost"),
    Case(fault="reset_after_accept", result=SendStatus.UNCERTAIN, taken=True, code="connection_lost"),
]


def channel_of(name: str, provider: FakeProvider, *, total: float = PATIENT) -> Channel:
    if name == "email":
        return build.email(provider, total=total)
    if name == "chat":
        return build.chat(provider, total=total)
    return build.sms(provider, name=name, total=total)


SERVICE = {"email": "sendgrid", "sms": "twilio", "whatsapp": "twilio", "chat": "conversations"}
SENDS = {"email": "send_mail", "sms": "send_message", "whatsapp": "send_message", "chat": "send_message"}


@pytest.mark.parametrize("case", COMMON, ids=str)
@pytest.mark.parametrize("name", SERVICE)
def test_a_fault_becomes_its_result(name: str, case: Case, provider: FakeProvider) -> None:
    provider.faults.add(kind=case.fault, service=SERVICE[name], operation=SENDS[name], **case.facts)
    total = QUICK if case.fault.startswith("hang") else PATIENT
    handed = channel_of(name, provider, total=total).send(build.outgoing(name))

    assert handed.result is case.result, handed
    assert handed.alert is case.alert
    assert handed.retry_after == case.retry_after
    assert handed.code is not None
    assert case.code in (None, handed.code)
    assert bool(provider.ledger.sends()) is case.taken
    attempts = [entry for entry in provider.ledger.entries() if entry.operation == SENDS[name]]
    assert len(attempts) == 1, "a send is never repeated by the channel itself"


@pytest.mark.parametrize("name", ["sms", "email"])
def test_an_answer_that_trickles_in_ends_with_the_time_limit(name: str, provider: FakeProvider) -> None:
    provider.faults.add(kind="error_after_accept", service=SERVICE[name])
    provider.faults.add(kind="trickle", service=SERVICE[name], seconds=0.1)
    channel = channel_of(name, provider, total=QUICK if name == "sms" else PATIENT)
    assert channel.send(build.outgoing(name)).result is SendStatus.UNCERTAIN
    # An email's success has no body that could trickle; a message's has some hundred bytes.
    handed = channel.send(build.outgoing(name))
    assert handed.result is (SendStatus.SENT if name == "email" else SendStatus.UNCERTAIN)


CODES = [
    (20003, 401, SendStatus.REFUSED, False, True),
    (20429, 429, SendStatus.TRY_AGAIN, False, False),
    (21211, 400, SendStatus.REFUSED, True, False),
    (21408, 400, SendStatus.REFUSED, False, True),
    (21610, 400, SendStatus.OPTED_OUT, False, False),
    (21611, 429, SendStatus.TRY_AGAIN, False, False),
    (21612, 400, SendStatus.REFUSED, False, False),
    (21614, 400, SendStatus.REFUSED, True, False),
    (21635, 400, SendStatus.REFUSED, True, False),
    (30034, 400, SendStatus.REFUSED, False, True),
    (63003, 400, SendStatus.REFUSED, True, False),
    (63014, 400, SendStatus.OPTED_OUT, False, False),
    (63016, 400, SendStatus.REFUSED, False, True),
    (63018, 429, SendStatus.TRY_AGAIN, False, False),
    (99999, 400, SendStatus.REFUSED, False, False),  # a code nobody knows yet
    (99999, 500, SendStatus.UNCERTAIN, False, False),
    (21610, 500, SendStatus.UNCERTAIN, False, False),  # a known word out of a broken server proves nothing
]


@pytest.mark.parametrize("case", CODES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_a_twilio_code_becomes_its_result(
    case: tuple[int, int, SendStatus, bool, bool], provider: FakeProvider
) -> None:
    code, status, result, mark, alert = case
    provider.faults.add(kind="refuse", service="twilio", status=status, code=code, message="no: +14155550101")
    handed = build.sms(provider).send(build.outgoing("sms"))
    assert (handed.result, handed.mark_address, handed.alert) == (result, mark, alert)
    assert handed.code == str(code)
    assert handed.detail is not None
    assert "4155550101" not in handed.detail, "providers repeat addresses in their words; we do not keep them"


def test_a_number_that_said_stop_to_the_provider_teaches_our_ledger(
    provider: FakeProvider, receiver: Any
) -> None:
    channel = build.sms(provider)
    assert channel.send(build.outgoing("sms")).result is SendStatus.SENT
    provider.fire_inbound(receiver.url, "+14155550101", "STOP")
    assert channel.send(build.outgoing("sms")).result is SendStatus.OPTED_OUT
    provider.fire_inbound(receiver.url, "+14155550101", "START")
    assert channel.send(build.outgoing("sms")).result is SendStatus.SENT


def test_a_bad_number_is_marked_by_the_provider_itself(provider: FakeProvider) -> None:
    handed = build.sms(provider).send(build.outgoing("sms", address="12"))
    assert (handed.result, handed.mark_address, handed.code) == (SendStatus.REFUSED, True, "21211")


def test_a_bad_email_address_is_marked(provider: FakeProvider) -> None:
    handed = build.email(provider).send(build.outgoing("email", address="ada@"))
    assert (handed.result, handed.mark_address, handed.code) == (SendStatus.REFUSED, True, "bad_address")
    assert "ada@" not in (handed.detail or "")


def test_wrong_credentials_alert_whoever_runs_the_system(provider: FakeProvider) -> None:
    email, sms = build.email(provider), build.sms(provider)
    provider.sendgrid.api_key = provider.auth_token = "changed"
    for channel, name in ((email, "email"), (sms, "sms")):
        handed: SendResult = channel.send(build.outgoing(name))
        assert (handed.result, handed.alert) == (SendStatus.REFUSED, True)


def test_a_rate_limit_without_retry_after_is_read_from_the_reset_header() -> None:
    from channels.outcome import pause_asked

    date = "Mon, 05 Jan 2026 12:00:00 GMT"
    at_noon = int(build.NOON.timestamp())
    assert pause_asked({"x-ratelimit-reset": str(at_noon + 42), "date": date}) == 42.0
    assert pause_asked({"x-ratelimit-reset": str(at_noon - 42), "date": date}) == 0.0
    assert pause_asked({"retry-after": "Mon, 05 Jan 2026 12:01:00 GMT", "date": date}) == 60.0
    assert pause_asked({"retry-after": "86400"}) == 3600.0, "no provider may silence a channel for a day"
    assert pause_asked({"retry-after": "soon", "date": date}) is None
    assert pause_asked({"x-ratelimit-reset": str(at_noon)}) is None, (
        "without a Date there is nothing to compare"
    )
