"""Log lines carry events of one table and no address, body or secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from orchestrator import telemetry


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_event_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure(format="json")
    telemetry.emit("message.refused", message_id="m_g-7", channel="email", provider="sendgrid", code="550")
    (line,) = _lines(capsys)
    assert line.pop("timestamp")
    assert line == {
        "event": "message.refused",
        "level": "info",
        "message_id": "m_g-7",
        "channel": "email",
        "provider": "sendgrid",
        "code": "550",
    }


def test_an_event_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure(format="json", level="warning")
    telemetry.emit("sweep.done", skipped=1)
    assert _lines(capsys) == []


def test_a_field_outside_the_table_is_refused() -> None:
    with pytest.raises(TypeError, match=r"event 'message.refused' has no field \['address'\]"):
        telemetry.emit("message.refused", address="ann@mail.org")


def test_lines_of_libraries_are_redacted_too(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure(format="json")
    try:
        raise ValueError("cannot reach ann@mail.org")
    except ValueError:
        logging.getLogger("library").exception(
            "to %s", "+49 170 1234567", extra={"token": "abc", "many": ["a@b.co"]}
        )
    (line,) = _lines(capsys)
    assert line["event"] == "to <phone>"
    assert line["token"] == "***"
    assert line["many"] == ["<email>"]
    assert "ann@mail.org" not in str(line["exception"])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ann.o+x@mail.example.org failed", "<email> failed"),
        ("call +1 (555) 010-0199 now", "call <phone> now"),
        ("postgresql://user:pw@db:5432/o", "postgresql://user:***@db:5432/o"),
        ("redis://:pw@host/0", "redis://:***@host/0"),
        ("GET /u/eyJhIjoxfQ.abc-def?x=1", "GET /u/<token>?x=1"),
        ("2026-11-27T08:00:00+01:00 m_g-7 took 1200", "2026-11-27T08:00:00+01:00 m_g-7 took 1200"),
    ],
)
def test_redaction_replaces_what_is_personal_and_nothing_else(text: str, shown: str) -> None:
    assert telemetry.redact(text) == shown
