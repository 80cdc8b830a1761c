"""The fake itself: its control endpoints, its own process, and that its descriptions really judge."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from channels.base import SendStatus
from tests.channels import build
from tests.channels.receiver import Receiver
from tests.fakes import spec
from tests.fakes.provider import ACCOUNT, FakeProvider

ROOT = Path(__file__).parents[2]
needs_descriptions = pytest.mark.skipif(
    spec.folder() is None, reason="no provider-specs under ORCHESTRATOR_SHARED"
)


def test_it_runs_as_a_process_and_is_steered_over_http(receiver: Receiver) -> None:
    command = [sys.executable, "-m", "tests.fakes.provider", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            with httpx.Client(base_url=url, timeout=10) as control:
                keys = control.get("/_fake/keys").json()
                control.post(
                    "/_fake/faults", json={"kind": "rate_limit", "service": "twilio", "retry_after": 2}
                )
                here = FakeProvider.__new__(FakeProvider)
                here.account_sid, here.auth_token = keys["account_sid"], keys["auth_token"]
                channel = build.sms(here, base_url=url)
                assert channel.send(build.outgoing("sms")).result is SendStatus.TRY_AGAIN
                assert control.post("/_fake/stamp", json={"label": "between"}).json()["at"] > 0
                message = build.outgoing("sms", status_url=f"{receiver.url}/s?m=m_1")
                assert channel.send(message).result is SendStatus.SENT
                fired = control.post("/_fake/fire/twilio/status", json={"message": "m_1", "status": "sent"})
                assert fired.json() == {"status": 200}
                ledger = control.get("/_fake/ledger").json()
                assert control.post("/_fake/faults", json={"kind": "nonsense"}).status_code == 400
                assert control.get("/_fake/nonsense").status_code == 404
        finally:
            process.terminate()
    first, second = ledger["entries"]
    assert (first["taken"], second["taken"]) == (False, True)
    assert first["ended_at"] < ledger["stamps"][0]["at"] < second["at"]
    assert ledger["violations"] == []
    assert len(receiver.got) == 1


def test_callbacks_can_be_asked_for_in_advance(provider: FakeProvider, receiver: Receiver) -> None:
    import threading

    came = threading.Semaphore(0)

    def answer() -> tuple[int, dict[str, str], bytes]:
        came.release()
        return 200, {}, b""

    receiver.answer = answer
    provider.auto = {
        "sendgrid": {"url": receiver.url, "events": ["processed", "delivered"]},
        "twilio": {"statuses": ["sent", "delivered"]},
    }
    build.email(provider).send(build.outgoing("email"))
    build.sms(provider).send(build.outgoing("sms", status_url=f"{receiver.url}/s?m=m_1"))
    assert all(came.acquire(timeout=10) for _ in range(3))
    assert [b"MessageStatus=delivered" in got.body for got in receiver.got] == [False, False, True]


@needs_descriptions
@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        (f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", [("Body", "x")], "'To' is a required property"),
        (
            f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
            [("To", "+1"), ("Nope", "x")],
            "unknown field 'Nope'",
        ),
        (
            f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
            [("To", "+1"), ("ValidityPeriod", "x")],
            "expected integer",
        ),
        (
            f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
            [("To", "+1"), ("MessagingServiceSid", "MGx")],
            "MessagingServiceSid",
        ),
        ("/2010-04-01/Accounts/ACx/Messages.json", [("To", "+1")], "path AccountSid"),
        ("/2010-04-01/Nothing.json", [], "no such operation"),
    ],
)
def test_a_request_off_the_providers_description_is_seen(
    path: str, form: list[tuple[str, str]], words: str
) -> None:
    description = spec.load("twilio")
    assert description is not None
    wrong = description.request("POST", path, form=form)
    assert any(words in one for one in wrong), wrong


@needs_descriptions
def test_a_mail_off_the_description_is_seen() -> None:
    description = spec.load("sendgrid")
    assert description is not None
    wrong = description.request(
        "POST", "/v3/mail/send", body={"personalizations": [{"to": "ada"}], "nope": 1}
    )
    assert any("'from' is a required property" in one for one in wrong)
    assert any("is not of type 'array'" in one for one in wrong)
    assert "unknown property 'nope'" in wrong


@needs_descriptions
def test_an_answer_of_the_fake_off_the_description_is_seen() -> None:
    description = spec.load("twilio")
    assert description is not None
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert description.answer("POST", path, 201, {"sid": "XX", "num_segments": 1}) != []
