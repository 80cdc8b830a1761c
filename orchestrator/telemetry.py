"""What the engine says about itself: one table of events, and the one place that turns an event into a log line.

An event is a stable name with a closed set of fields (:data:`EVENTS`); :func:`emit` refuses anything else, so no
address, body or secret can slip into a log by accident. Log lines go to stderr: JSON in production, words on a
terminal. Lines of other libraries pass the same processors and are redacted.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["json", "console"]
Level = Literal["debug", "info", "warning", "error"]

# name, level, fields. Fields are ids, counts, words and seconds; customers appear by row id, never by key.
_TABLE: tuple[tuple[str, Level, str], ...] = (
    ("process.started", "info", "role version database broker clock_rate"),
    ("process.stopping", "info", "role reason"),
    ("database.started", "info", "kind seconds joined"),
    ("database.stopped", "info", "kind seconds"),
    ("database.migrated", "info", "revision previous seconds"),
    ("database.unavailable", "warning", "error attempt retry_in"),
    ("broker.unavailable", "warning", "error dropped"),
    ("broker.silent", "warning", "seconds"),
    ("redis.unavailable", "warning", "error used_for"),
    ("http.request", "info", "method route status seconds request_id"),
    ("http.failed", "error", "method route error request_id"),
    ("batch.advanced", "debug", "customers steps planned seconds"),
    ("batch.delivered", "debug", "claimed sent deferred dropped refused uncertain seconds provider"),
    ("batch.failed", "error", "task customers error"),
    ("customer.parked", "error", "customer_id error"),
    ("customer.skipped", "warning", "customer_id seconds"),
    ("enrollment.started", "debug", "customer_id enrollment_id playbook version"),
    ("enrollment.refused", "debug", "customer_id playbook reason"),
    ("enrollment.parked", "error", "customer_id enrollment_id playbook version step error"),
    ("enrollments.migrated", "info", "playbook source target moved withdrawn seconds"),
    ("step.stopped", "error", "playbook version step failures walked"),
    ("message.uncertain", "warning", "message_id channel provider code"),
    ("message.abandoned", "warning", "message_id channel provider"),
    ("message.refused", "info", "message_id channel provider code"),
    ("provider.slow", "warning", "provider seconds"),
    ("provider.breaker_opened", "error", "provider failures until"),
    ("provider.breaker_closed", "info", "provider"),
    ("provider.limited", "warning", "provider retry_after"),
    ("webhook.received", "debug", "source facts new unknown"),
    ("webhook.refused", "warning", "source reason"),
    ("signals.taken", "debug", "taken repeated refused"),
    ("opt_out.recorded", "info", "customer_id channel topic way cancelled withdrawn"),
    ("consents.imported", "info", "taken repeated refused"),
    ("consents.expired", "info", "expired"),
    ("history.pruned", "info", "table rows seconds"),
    ("customer.erased", "info", "customer_id providers seconds"),
    ("erasure.failed", "warning", "customer_id channel provider detail"),
    ("sweep.done", "debug", "nudged settled rolled_up seconds"),
    ("scan.done", "info", "playbook matched started seconds"),
    ("clock.changed", "warning", "rate previous"),
    ("playbook.published", "info", "playbook version content_hash"),
    ("secret_key.made", "info", "path"),
)
EVENTS = {name: (level, frozenset(fields.split())) for name, level, fields in _TABLE}

_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.:/-])\+\d[\d ()-]{6,18}\d(?![\w-])")
_URL_SECRET = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)(?P<user>[^\s/@:]*):[^\s/@]+@", re.IGNORECASE)
_SIGNED_PATH = re.compile(
    r"(/[upca]/)[\w.~=-]{8,}"
)  # links of opt-out, preferences and clicks are keys in themselves
_SECRET_NAME = re.compile(r"(?i)(secret|password|token|api_?key|authorization|signature|cookie)")


def redact(text: str) -> str:
    """Addresses, phone numbers, passwords in URLs and signed links, each replaced by what it was."""
    text = _URL_SECRET.sub(r"\g<scheme>\g<user>:***@", text)
    text = _SIGNED_PATH.sub(r"\1<token>", text)
    text = _EMAIL.sub("<email>", text)
    return _PHONE.sub("<phone>", text)


def emit(event: str, **fields: Any) -> None:
    """Log one event of the table. An unknown event or field is a mistake in the program, not in its input."""
    level, allowed = EVENTS[event]
    unknown = fields.keys() - allowed
    if unknown:
        msg = f"event {event!r} has no field {sorted(unknown)}; its fields are {sorted(allowed)}"
        raise TypeError(msg)
    structlog.stdlib.get_logger("orchestrator").log(_LEVELS[level], event, **fields)


def configure(*, format: Format | None = None, level: Level = "info") -> None:  # noqa: A002 - the word of the setting
    """Set up logging for this process. Without ``format``: console on a terminal, else JSON."""
    chosen = format or ("console" if sys.stderr.isatty() else "json")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact_event,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if chosen == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for chatty in ("transitions", "httpx", "httpcore", "urllib3", "twilio", "python_http_client"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True  # http.request tells it, without query strings
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor: redacts every text of a line, however deep, and blanks values whose name says secret."""
    for key, value in event.items():
        if not key.startswith("_"):
            event[key] = _redact_value(key, value)
    return event


def _redact_value(key: str, value: Any) -> Any:
    if _SECRET_NAME.search(key) and isinstance(value, str):
        return "***"
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, BaseException):
        return redact(f"{type(value).__name__}: {value}")
    if isinstance(value, MutableMapping):
        return {name: _redact_value(str(name), part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redact_value(key, part) for part in value]
    return value


_LEVELS: dict[Level, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
