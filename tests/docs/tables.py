"""The generated parts of the reference: each a function from the code to Markdown, between two marks of a page.

``python -m tests.docs`` writes them; a test compares what stands there with what the code says now.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from channels.table import BUILT_IN, WITHOUT_ROW
from channels.traits import AT_ONCE, JUDGED, ChannelTraits
from orchestrator import metrics
from orchestrator.cli import commands as command_list
from orchestrator.cli.exits import Exit
from orchestrator.cli.exits import __doc__ as exits_doc
from orchestrator.core.policies.order import ORDER
from orchestrator.language import outcomes
from orchestrator.language.account.calendar import CalendarRow, OwnDates
from orchestrator.language.account.policy import AccountPolicy, ConsentLasts, HoldRule, Topic
from orchestrator.language.account.retention import Retention
from orchestrator.language.account.signals import DeclaredAttribute, WrittenComputed
from orchestrator.language.fields import declared
from orchestrator.language.model import ACTIONS, Ask, Enter, Goal, Playbook, Send, Step, ValueType
from orchestrator.settings import PREFIX, Settings
from orchestrator.store.history.bounds import BOUNDS
from orchestrator.store.reports.invariants import CAP, INVARIANTS
from orchestrator.store.reports.views import VIEWS
from orchestrator.store.sql.tables import metadata
from orchestrator.telemetry import EVENTS
from orchestrator.web import app as web_app
from orchestrator.web.middleware.request_log import HttpMetrics
from tests.channels import phrases
from tests.docs.pages import DOCS, ROOT

_MARK = re.compile(
    r"(?P<open><!-- generated: (?P<name>[\w-]+) -->\n)(?P<body>.*?)(?P<close><!-- end of generated -->)",
    re.DOTALL,
)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def code(words: Iterable[str]) -> str:
    return " ".join(f"`{word}`" for word in words) or "–"


# --- the language ---------------------------------------------------------------------------------------------------


def outcome_table() -> str:
    rows = [(row.name, code(row.at_once), code(row.judged)) for row in BUILT_IN]
    rows.append(("ask", "those of the channel that carried it", "the same"))
    for kind in ("handoff", "call", "wait", "cooldown"):
        heard = outcomes.heard_at_once(kind, None, tells_condition=kind == "wait")  # type: ignore[arg-type]  # closed
        rows.append((kind, code(heard), code(outcomes.heard_at_end(kind, None))))  # type: ignore[arg-type]
    return table(("step", "heard at once, first wins", "judged when the wait ends, first that is true"), rows)


def fallback_table() -> str:
    words = sorted((*AT_ONCE, *JUDGED))
    chains = {word: outcomes.chain(word)[1:] for word in (*words, *outcomes.BEFORE_SEND)}
    return table(
        ("unnamed word", "becomes, in turn"),
        [(f"`{word}`", " → ".join(f"`{one}`" for one in chain)) for word, chain in chains.items() if chain],
    )


def header_table() -> str:
    rows = [(row.name, code(row.header)) for row in BUILT_IN if row.reaches_person]
    return table(
        ("channel", "header fields"), [*rows, ("hand-over (`crm`, `support` ...)", code(WITHOUT_ROW.header))]
    )


def field_table(block: type[object]) -> str:
    return table(("field", "meaning"), [(f"`{one.key}`", one.field.doc) for one in declared(block)])


def action_table() -> str:
    """The actions that need no part of their own in the page."""
    rows = [
        (f"`{action}`", f"`{one.key}`" if len(declared(block)) > 1 else "", one.field.doc)
        for action, block in ACTIONS.items()
        if block not in (Send, Ask)
        for one in declared(block)
    ]
    return table(("action", "field", "meaning"), rows)


def traits_table() -> str:
    """The fields of a channel's row, with what stands below each in its class."""
    tree = ast.parse(inspect.getsource(ChannelTraits))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef))
    rows = []
    for field, note in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(note, ast.Expr):
            default = f"`{ast.unparse(field.value)}`" if field.value is not None else "must be given"
            meaning = " ".join(ast.literal_eval(note.value).split()).replace("``", "`")
            rows.append((f"`{ast.unparse(field.target)}`", meaning, default))
    return table(("field", "meaning", "default"), rows)


def type_list() -> str:
    return code(get_args(ValueType)) + "\n"


# What the settings mean whose names do not say all; the others carry a note of their own in settings.py.
MEANINGS: Mapping[str, str] = {
    "env": "`production` refuses to start without what production needs",
    "host": "where the web process listens",
    "port": "on which port",
    "data_dir": "the embedded PostgreSQL and keys made on first use live here",
    "playbooks": "the folder of playbooks commands work on",
    "log_format": "default: `console` on a terminal, else `json`",
    "log_level": "the least severe line that is written",
    "database_url": "PostgreSQL; unset: the embedded one",
    "broker_url": "Redis or RabbitMQ, carries wake-ups; unset: `serve` does the work itself",
    "redis_url": "rates and breakers over all processes, live push of the feed; default: the broker, when it is Redis",
    "pool_size": "database connections of a process",
    "batch_size": "customers a transaction takes at most",
    "send_threads": "hand-overs at the same time in one process",
    "drain_seconds": "seconds a worker's task goes on before it makes room",
    "clock_rate": "rehearsals only: 3600 makes an hour pass in a second; unset: 1 from the next start on",
    "api_keys": "`name:secret` or `name:secret:scope+scope`, several separated by commas",
    "secret_keys": "keys that sign links, newest first, 32 characters or more each",
    "sendgrid_api_key": "turns the email sandbox into SendGrid",
    "sendgrid_webhook_public_key": "checks SendGrid's event webhook; several separated by commas",
    "sendgrid_base_url": "another address for the same API, such as a proxy",
    "email_from": "the sender's address",
    "email_from_name": "the sender's name",
    "email_reply_to": "where replies go",
    "twilio_account_sid": "turns the SMS, WhatsApp and chat sandboxes into Twilio",
    "twilio_auth_token": "signs requests to Twilio and checks its callbacks",
    "twilio_from": "the number or messaging service that sends",
    "twilio_whatsapp_from": "the WhatsApp sender",
    "twilio_conversations_service_sid": "a Conversations service other than the default one",
    "twilio_base_url": "another address for the same API, such as a proxy",
}


# --- running it -----------------------------------------------------------------------------------------------------


def settings_table() -> str:
    notes = {**MEANINGS, **_attribute_notes(ROOT / "orchestrator" / "settings.py", "Settings")}
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, SecretStr) or default in (None, "", ()):
            shown = "–"
        else:
            shown = f"`{default}`"
        rows.append(
            (f"`{PREFIX}{name.upper()}`", _kind(field.annotation, field.metadata), shown, notes[name])
        )
    return table(("variable", "kind", "default", "meaning"), rows)


def _kind(annotation: Any, limits: Sequence[Any]) -> str:
    text = str(annotation)
    if "Literal" in text:
        return "one of " + code(re.findall(r"'([^']+)'", text))
    word = next(
        (
            shown
            for sign, shown in (
                ("ApiKey", "keys"), ("ProviderRate", "rates"), ("SecretStr, ...", "secrets"), ("SecretStr", "secret"),
                ("tuple[str", "list"),
                ("Path", "folder"), ("float", "number"), ("int", "whole number"), ("str", "text"),
            )
            if sign in text
        ),
        text,
    )  # fmt: skip
    found = [(sign, getattr(limit, sign, None)) for limit in limits for sign in ("ge", "gt", "le")]
    bounds = {sign: value for sign, value in found if value is not None}
    low = (
        f", from {bounds['ge']}"
        if "ge" in bounds
        else f", more than {bounds['gt']}"
        if "gt" in bounds
        else ""
    )
    return word + low + (f" to {bounds['le']}" if "le" in bounds else "")


def _attribute_notes(path: Path, name: str) -> Mapping[str, str]:
    """The strings that stand below a class's fields."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    found: dict[str, str] = {}
    for field, note in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(note, ast.Expr)
            and isinstance(note.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(note.value.value).replace("``", "`").split())
    return found


def command_table() -> str:
    rows = []
    for name, summary in command_list.SUMMARIES.items():
        inner = getattr(command_list.load(name), "commands", {})
        rows.append((f"`{name}`", summary if not inner else f"{summary} {code(sorted(inner))}"))
    return table(("command", "what it does"), rows)


def exit_table() -> str:
    found = {}
    for line in (exits_doc or "").splitlines():
        match = re.fullmatch(r"\s*(\d+)\s{2,}(.+)", line)
        if match:
            found[int(match[1])] = match[2]
    return table(("code", "meaning"), [(f"`{int(one)}`", found[int(one)]) for one in Exit])


def route_table() -> str:
    rows = [
        (f"`{method.upper()} {path}`", operation.get("summary", ""))
        for path, operations in sorted(_api().openapi()["paths"].items())
        for method, operation in sorted(operations.items())
    ]
    return table(("request", "what it does"), rows)


def _api() -> FastAPI:
    app = FastAPI()
    for router in web_app.ROUTERS:
        app.include_router(router)
    return app


# --- what is stored and said ----------------------------------------------------------------------------------------


def database_table() -> str:
    return table(
        ("table", "columns"), [(f"`{one.name}`", code(one.columns.keys())) for one in metadata.sorted_tables]
    )


def growth_table() -> str:
    """What bounds each table, and the key of `retention` that lets its rows go."""
    rows = [
        (f"`{one.name}`", BOUNDS[one.name].by, f"`{kept}`" if (kept := BOUNDS[one.name].kept) else "–")
        for one in sorted(metadata.sorted_tables, key=lambda table: table.name)
    ]
    return table(("table", "rows", "`retention`"), rows)


def view_table() -> str:
    return table(
        (
            "view",
            "one row is",
        ),
        [(f"`{view.name}`", view.about.rstrip(".")) for view in VIEWS],
    )


def event_table() -> str:
    return table(
        ("event", "level", "when", "fields"),
        [(f"`{name}`", one.level, one.when, code(sorted(one.fields))) for name, one in EVENTS.items()],
    )


def metric_table() -> str:
    registry = CollectorRegistry()
    http = HttpMetrics(registry)
    declared = [*metrics.REGISTRY.collect(), *registry.collect()]
    labels = {family._name: family._labelnames for family in (http.requests, http.seconds, http.open)}
    labels |= {family._name: family._labelnames for family in metrics.FAMILIES}
    rows = [
        (
            f"`{one.name}{'_total' if one.type == 'counter' else ''}`",
            one.type,
            one.documentation,
            labels[one.name],
        )
        for one in declared
    ]
    rows += [
        (f"`{name}`", "gauge", one.says, one.labels)
        for name, one in {**metrics.GAUGES, **metrics.PROCESS_GAUGES}.items()
    ]
    return table(
        ("figure", "kind", "says", "by"),
        [(name, kind, says, code(sorted(by))) for name, kind, says, by in rows],
    )


def invariant_table() -> str:
    return table(
        ("invariant", "what always holds"), [(f"`{one.name}`", one.about) for one in (*INVARIANTS, CAP)]
    )


def policy_table() -> str:
    rows = []
    for number, policy in enumerate(ORDER, start=1):
        about = " ".join((policy.__doc__ or "").split("\n\n")[0].split()).partition("; the arithmetic")[0]
        rows.append((str(number), f"`{policy.name}`", about.replace("``", "`")))
    return table(("", "policy", "what it says"), rows)


def revocation_table() -> str:
    head = ("language", "known: heard", "known: false", "unseen: heard", "unseen: false")
    return table(head, phrases.rows())


GENERATED: Mapping[str, Callable[[], str]] = {
    "outcomes": outcome_table,
    "fallbacks": fallback_table,
    "headers": header_table,
    "channel-traits": traits_table,
    "types": type_list,
    "fields-playbook": partial(field_table, Playbook),
    "fields-enter": partial(field_table, Enter),
    "fields-goal": partial(field_table, Goal),
    "fields-step": partial(field_table, Step),
    "fields-send": partial(field_table, Send),
    "fields-ask": partial(field_table, Ask),
    "fields-actions": action_table,
    "fields-policy": partial(field_table, AccountPolicy),
    "fields-topic": partial(field_table, Topic),
    "fields-hold": partial(field_table, HoldRule),
    "fields-consent": partial(field_table, ConsentLasts),
    "fields-retention": partial(field_table, Retention),
    "fields-attribute": partial(field_table, DeclaredAttribute),
    "fields-computed": partial(field_table, WrittenComputed),
    "fields-calendar": partial(field_table, CalendarRow),
    "fields-own-dates": partial(field_table, OwnDates),
    "settings": settings_table,
    "commands": command_table,
    "exit-codes": exit_table,
    "routes": route_table,
    "tables": database_table,
    "growth": growth_table,
    "views": view_table,
    "events": event_table,
    "metrics": metric_table,
    "invariants": invariant_table,
    "policies": policy_table,
    "revocations": revocation_table,
}


def written(text: str) -> list[tuple[str, str]]:
    """The generated parts that a page carries: (name, what stands there)."""
    return [(found["name"], found["body"]) for found in _MARK.finditer(text)]


def renewed(text: str) -> str:
    return _MARK.sub(lambda found: f"{found['open']}\n{GENERATED[found['name']]()}\n{found['close']}", text)


def renew() -> list[Path]:
    """Write every generated part anew; the pages that changed."""
    changed = []
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        new = renewed(text)
        if new != text:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    return changed
