"""What the engine says about itself: one table of events, and the one place that turns an event into a log line.

An event is a stable name with a closed set of fields (:data:`EVENTS`); :func:`emit` refuses anything else, so no
address, body or secret can slip into a log by accident. Log lines go to stderr: JSON in production, words on a
terminal. Lines of other libraries pass the same processors and are redacted.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["json", "console"]
Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEvent:
    """What is known of an event: a line carries these fields and no others."""

    level: Level
    fields: frozenset[str]
    when: str


# name, level, fields, when. Fields are ids, counts, words and seconds; customers appear by row id, never by key.
_TABLE: tuple[tuple[str, Level, str, str], ...] = (
    ("process.started", "info", "role version broker clock_rate", "a web process, worker or beat is ready"),
    ("process.stopping", "info", "role reason", "it was told to stop, and by what"),
    (
        "process.untold",
        "warning",
        "error",
        "a process could not tell its figures; it tries again in some seconds",
    ),
    (
        "database.started",
        "info",
        "seconds joined",
        "the embedded PostgreSQL was started, or one that ran was joined",
    ),
    ("database.stopped", "info", "seconds", "the embedded PostgreSQL was stopped"),
    (
        "database.migrated",
        "info",
        "revision previous seconds",
        "the schema moved from one revision to another",
    ),
    (
        "database.unavailable",
        "warning",
        "error",
        "a task or a round of the runner found no database; the next tries again",
    ),
    (
        "broker.unavailable",
        "warning",
        "error dropped",
        "a wake-up could not be published; the sweep makes up for it",
    ),
    ("broker.silent", "warning", "seconds", "no wake-up came for so long; the worker sweeps by itself"),
    (
        "redis.unavailable",
        "warning",
        "error used_for",
        "a count over all processes could not be had; each process counts for itself",
    ),
    ("http.request", "info", "method route status seconds request_id", "a request was answered"),
    (
        "http.failed",
        "error",
        "method route error request_id",
        "a request failed for a reason that is not its own",
    ),
    (
        "batch.advanced",
        "debug",
        "customers enrollments seconds",
        "a batch of due customers was decided and committed",
    ),
    (
        "batch.delivered",
        "debug",
        "customers sent refused uncertain try_again seconds",
        "a batch of messages was handed over and the answers were filed",
    ),
    (
        "batch.failed",
        "error",
        "task customers error",
        "a batch failed and is repeated in halves, down to one customer at a time",
    ),
    ("customer.parked", "error", "customer_id error", "a customer failed alone too and waits for a person"),
    (
        "enrollment.parked",
        "error",
        "customer_id enrollment_id error",
        "an enrollment failed alone too and waits for a person; the customer's others go on",
    ),
    (
        "claiming.stopped",
        "error",
        "fault",
        "too many customers fail alike, or the schema does not fit: this process takes nobody until that is mended",
    ),
    ("claiming.resumed", "warning", "fault", "a batch went well again, and this process takes customers"),
    ("customer.skipped", "warning", "customer_id", "a customer whom batches passed over is taken alone"),
    (
        "enrollment.started",
        "debug",
        "customer_id enrollment_id playbook version",
        "a customer entered a playbook",
    ),
    (
        "enrollment.refused",
        "debug",
        "customer_id playbook reason",
        "a customer may not enter a playbook, and why",
    ),
    (
        "message.uncertain",
        "warning",
        "customer_id message_id channel provider code",
        "nobody knows yet whether the provider has the message",
    ),
    (
        "message.abandoned",
        "warning",
        "customer_id message_id channel provider",
        "the provider never said; the message is not sent again",
    ),
    (
        "message.refused",
        "info",
        "customer_id message_id channel provider code",
        "the provider does not take the message",
    ),
    ("provider.slow", "warning", "provider seconds", "one call took longer than three seconds"),
    (
        "provider.breaker_opened",
        "error",
        "provider failures seconds",
        "a provider failed again and again and is left alone for so many seconds",
    ),
    ("provider.breaker_closed", "info", "provider", "it answers again"),
    (
        "provider.limited",
        "warning",
        "provider retry_after",
        "the rate that was set for a provider is used up; told once a minute",
    ),
    ("webhook.received", "debug", "source facts new unknown", "a provider's signed report was taken"),
    ("webhook.refused", "warning", "source reason", "a report, or a part of one, was not taken"),
    ("signals.taken", "debug", "kind taken repeated refused", "a call reported signals or profile facts"),
    (
        "opt_out.recorded",
        "info",
        "customer_id channel topic method cancelled withdrawn",
        "a customer withdrew consent, and what was stopped by it",
    ),
    ("consents.imported", "info", "taken repeated refused", "consents recorded elsewhere were taken"),
    (
        "withdrawal_log.away",
        "error",
        "entries error",
        "the log outside the database could not be written or read; what was committed waits for it",
    ),
    (
        "database.restored",
        "error",
        "behind",
        "the withdrawal log knows more than the database: a backup was restored, and nothing moves",
    ),
    (
        "restore.done",
        "warning",
        "uncertain withdrawn erased promotion_held",
        "a restored backup was dealt with",
    ),
    ("consents.expired", "info", "expired", "consents ended because their time was over"),
    ("history.pruned", "info", "table rows seconds", "rows older than they are kept were deleted"),
    ("customer.erased", "info", "customer_id providers seconds", "a customer was forgotten"),
    (
        "erasure.failed",
        "warning",
        "customer_id channel provider detail",
        "a provider could not be told to forget a customer",
    ),
    (
        "sweep.done",
        "debug",
        "skipped interrupted seconds",
        "the sweep looked after skipped and interrupted customers",
    ),
    (
        "scan.done",
        "info",
        "playbooks asked seconds",
        "the base was asked about playbooks that enter by a daily scan or a calendar",
    ),
    ("report.failed", "warning", "report error", "a report for the pages of a large base could not be made"),
    ("clock.changed", "warning", "rate previous", "business time passes at another rate from now on"),
    (
        "playbook.unreadable",
        "error",
        "playbook version why",
        "a stored version cannot be read by this release: its enrollments wait for a process that can",
    ),
    ("playbook.published", "info", "playbook version content_hash", "a new version of a playbook was stored"),
    ("secret_key.made", "info", "path", "no key was set, so one was made in the data folder"),
)
EVENTS = {
    name: LogEvent(level=level, fields=frozenset(fields.split()), when=when)
    for name, level, fields, when in _TABLE
}

Listener = Callable[[str, Mapping[str, Any]], None]

_LOGGER = "orchestrator"
_listeners: list[Listener] = []
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
    known = EVENTS[event]
    unknown = fields.keys() - known.fields
    if unknown:
        msg = f"event {event!r} has no field {sorted(unknown)}; its fields are {sorted(known.fields)}"
        raise TypeError(msg)
    for listener in _listeners:
        listener(event, fields)
    number = _LEVELS[known.level]
    if logging.getLogger(_LOGGER).isEnabledFor(
        number
    ):  # else a line nobody reads would still cost its processors
        structlog.stdlib.get_logger(_LOGGER).log(number, event, **fields)


def listen(listener: Listener) -> None:
    """Have ``listener`` called with the name and the fields of every event, also of those that no log shows.

    It must be fast and must not raise: it runs where the event happens.
    """
    if listener not in _listeners:
        _listeners.append(listener)


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
    for chatty in ("transitions", "httpcore", "urllib3", "twilio", "python_http_client"):
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
