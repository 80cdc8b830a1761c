"""The real engine on a virtual clock and a database of its own: what a story about the services needs, and no more.

A :class:`Scene` publishes small playbooks, brings people in, lets time pass, and tells what was really handed over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from channels.base import Channel, OutboundMessage, Receipt, ReceiptKind, SendResult
from channels.sandbox import SandboxChannel, ScriptedResult
from orchestrator.bootstrap import build_engine
from orchestrator.clock import VirtualClock
from orchestrator.engine import Engine
from orchestrator.ids import MESSAGE, public_id
from orchestrator.language.model import Cap
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.enrollment import Enrollment
from orchestrator.records.intake import Identify, Track
from orchestrator.records.preferences import OptOutReceipt
from orchestrator.settings import Settings
from orchestrator.store.coordination.clock import Clock
from orchestrator.store.reports.invariants import Violation, check_invariants

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)  # a Tuesday
EVIDENCE = ConsentEvidence(method="api", source="tests")

POLICY = """
sender: {name: Test Shop, postal_address: 1 Test Street}
topics:
  upsell: {title: Offers for a bigger plan}
  cross_sell: {title: Offers for add-ons}
  service: {title: Notices about your account, promotional: false}
reachable: {in_app: 14d}
"""
SIGNALS = """
attributes: {email: text, phone: text, first_name: text, plan: text, seats: number, account.tier: text}
events:
  session_started: {}
  limit_reached: {order: text}
  plan_upgraded: {mrr_delta: money}
  ticket_opened: {}
  ticket_closed: {}
"""
_OUT = "{{ opt_out_url }} {{ preferences_url }} {{ sender.name }}, {{ sender.postal_address }}"
TEMPLATES = {
    "note.email.txt": f"---\nsubject: A note\n---\nBecause {{{{ because }}}}: "
    f"{{{{ link('plans', 'https://shop.example/plans') }}}}\n{_OUT}\n",
    "note.in_app.html": "---\ntitle: A note\nbutton: See\n"
    "button_url: {{ link('plans', 'https://shop.example/plans') }}\n"
    "---\n<p>Because {{ because }}</p>\n",
    "note.sms.txt": "A note. Reply STOP to opt out\n",
    "note.chat.txt": "A note\n",
    "brief.crm.txt": "{{ customer.first_name | default('somebody') }} needs a call\n",
}


def playbook(name: str, steps: str, *, topic: str = "upsell", more: str = "", version: int = 1) -> str:
    """A playbook file whose every part but its steps is ordinary."""
    enter = "" if "enter:" in more else "enter: {because: your team has grown, reentry: {after: 1h}}\n"
    return (
        f"playbook: {name}\nversion: {version}\ntitle: {name}\ntopic: {topic}\n{enter}{more}\nsteps:\n{steps}"
    )


def one_message(
    name: str, channel: str = "email", *, wait: str = "2d", more: str = "", **options: Any
) -> str:
    """A playbook that says one thing and ends."""
    extra = "".join(f", {key}: {value}" for key, value in options.items())
    steps = (
        f"  say:  {{send: {{channel: {channel}, template: note{extra}}}, wait: {wait}, then: done}}\n"
        "  done: {end: finished}\n"
    )
    return playbook(name, steps, more=more)


@dataclass(kw_only=True)
class Watched:
    """An adapter that is listened to: what it was given, in order, whatever it answered."""

    inner: Channel
    given: list[OutboundMessage]
    before: Callable[[OutboundMessage], None] | None = None

    def __post_init__(self) -> None:
        self.name, self.provider = self.inner.name, self.inner.provider

    def send(self, message: OutboundMessage) -> SendResult:
        self.given.append(message)
        if self.before is not None:
            self.before(message)
        return self.inner.send(message)


@dataclass(kw_only=True)
class Scene:
    """One installation in a test."""

    engine: Engine
    folder: Path
    clock: VirtualClock
    given: list[OutboundMessage]
    channels: dict[str, Watched] = field(default_factory=dict)

    # --- what growth teams do ---------------------------------------------------------------------------------------

    def publish(self, *playbooks: str, policy: str = "", signals: str = SIGNALS) -> None:
        """Publish these playbook files; ``policy`` is added to a policy without caps, holds and quiet hours."""
        files = {"policy.yaml": POLICY + policy, "signals.yaml": signals}
        for one in playbooks:
            name = one.split("\n", 1)[0].removeprefix("playbook: ")
            files[f"{name}/playbook.yaml"] = one
            files |= {f"{name}/{template}": words for template, words in TEMPLATES.items()}
        for path, words in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(words)
        self.engine.publish(self.folder)

    # --- what the product and people do -----------------------------------------------------------------------------

    def person(self, key: str = "anna", **traits: Any) -> str:
        """Somebody reachable everywhere, who was in the product just now and said yes to texts."""
        number = 100_000 + sum(ord(letter) * 31**place for place, letter in enumerate(key)) % 900_000
        known = {"email": f"{key}@shop.example", "phone": f"+491511{number}", "timezone": "UTC"}
        self.engine.identify([Identify(key=key, traits=known | traits)])
        self.engine.track([Track(key=key, event="session_started")])
        self.engine.advance()
        self.engine.opt_in(key, channel="sms", evidence=EVIDENCE)
        return key

    def people(self, count: int) -> list[str]:
        """Many people with an email address, brought in at once."""
        keys = [f"p{number:03}" for number in range(count)]
        self.engine.identify(
            [Identify(key=key, traits={"email": f"{key}@shop.example", "timezone": "UTC"}) for key in keys]
        )
        self.engine.track([Track(key=key, event="session_started") for key in keys])
        self.engine.drain()
        return keys

    def start(self, customer: str, name: str, **more: Any) -> Enrollment:
        return self.engine.start_playbook(customer, name, **more)

    def respond(self, outcome: str, *, step: str | None = None, key: str = "anna", **more: Any) -> bool:
        """The person answers the latest message of that step."""
        return self.engine.respond(self.message_id(step=step, key=key), outcome, **more)

    def callback(
        self, outcome: ReceiptKind, *, step: str | None = None, key: str = "anna", **more: Any
    ) -> None:
        """The provider tells something about the latest message of that step."""
        message = self.message_id(step=step, key=key)
        given: dict[str, Any] = {
            "source": "sendgrid",
            "source_id": f"{message}:{outcome}",
            "channel": "email",
            "occurred_at": self.clock.now,
        }
        self.engine.receive([Receipt(kind=outcome, message_id=message, **given | more)])

    def opt_out(self, key: str = "anna", **more: Any) -> OptOutReceipt:
        return self.engine.opt_out(key, evidence=EVIDENCE, **more)

    # --- time -------------------------------------------------------------------------------------------------------

    def drain(self) -> None:
        while self.engine.drain().more:
            pass

    def run(self, span: timedelta = timedelta(days=400)) -> None:
        """Let this much time pass, stopping wherever something is due."""
        end = self.clock.now + span
        stuck = 0
        while True:
            self.drain()
            due = self.engine.next_due()
            if due is None or due > end:
                break
            stuck = stuck + 1 if due <= self.clock.now else 0
            assert stuck < 3, f"due since {due} and nobody takes it"
            self.clock.move_to(due)
        self.clock.move_to(end)
        self.drain()

    def pass_time(self, **span: float) -> None:
        """Let time pass in one leap, with nobody at work meanwhile."""
        self.clock.advance(timedelta(**span))

    # --- what can be seen -------------------------------------------------------------------------------------------

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.engine.database.connect() as connection:
            return list(connection.execute(text(statement), values).all())

    def value(self, statement: str, **values: Any) -> Any:
        with self.engine.database.connect() as connection:
            return connection.execute(text(statement), values).scalar()

    def execute(self, statement: str, **values: Any) -> None:
        with self.engine.database.begin() as connection:
            connection.execute(text(statement), values)

    def message_id(self, *, step: str | None = None, key: str = "anna") -> str:
        row = self.rows(
            "SELECT m.customer_id, m.id FROM messages m JOIN customers c ON c.id = m.customer_id"
            " WHERE c.key = :key AND (CAST(:step AS text) IS NULL OR m.step = :step) ORDER BY m.id DESC LIMIT 1",
            key=key,
            step=step,
        )[0]
        return public_id(MESSAGE, row.customer_id, row.id)

    def messages(self, key: str = "anna") -> list[tuple[str, str, str]]:
        """(step, channel, status) of everything planned for a person, in order."""
        found = self.rows(
            "SELECT m.step, m.channel, m.status FROM messages m JOIN customers c ON c.id = m.customer_id"
            " WHERE c.key = :key ORDER BY m.id",
            key=key,
        )
        return [tuple(row) for row in found]

    def reasons(self, key: str = "anna") -> list[str | None]:
        """Why each message is in the state it is in."""
        found = self.rows(
            "SELECT m.reason FROM messages m JOIN customers c ON c.id = m.customer_id WHERE c.key = :key ORDER BY m.id",
            key=key,
        )
        return [row.reason for row in found]

    def path(self, key: str = "anna", playbook: str | None = None) -> list[str]:
        """How a walk went: ``step:word`` for each step left, then the word it ended with."""
        found = self.rows(
            "SELECT j.event, j.step, j.outcome FROM journal j JOIN customers c ON c.id = j.customer_id"
            " JOIN enrollments e ON e.customer_id = j.customer_id AND e.id = j.enrollment_id"
            " WHERE c.key = :key AND (CAST(:playbook AS text) IS NULL OR e.playbook = :playbook)"
            " AND j.event IN ('step_left', 'ended') ORDER BY j.enrollment_id, j.seq",
            key=key,
            playbook=playbook,
        )
        return [f"{row.step}:{row.outcome}" if row.event == "step_left" else row.outcome for row in found]

    def step(self, key: str = "anna", playbook: str | None = None) -> str:
        found: str = self.value(
            "SELECT e.step FROM enrollments e JOIN customers c ON c.id = e.customer_id WHERE c.key = :key"
            " AND (CAST(:playbook AS text) IS NULL OR e.playbook = :playbook) ORDER BY e.id DESC LIMIT 1",
            key=key,
            playbook=playbook,
        )
        return found

    def spoken(self, key: str | None = None) -> list[tuple[str, str]]:
        """(customer, channel) of every hand-over to an adapter, in order."""
        return [
            (one.customer_key, one.channel) for one in self.given if key is None or one.customer_key == key
        ]

    def violations(self, caps: tuple[Cap, ...] = ()) -> list[Violation]:
        with self.engine.database.connect() as connection:
            return check_invariants(connection, caps=caps or self.engine.policy.caps)

    # --- faults -----------------------------------------------------------------------------------------------------

    def fail(self, outcome: ScriptedResult, channel: str = "email") -> None:
        inner = self.channels[channel].inner
        assert isinstance(inner, SandboxChannel), f"{channel} is no sandbox"
        inner.fail(outcome)

    def heal(self, channel: str = "email") -> None:
        inner = self.channels[channel].inner
        assert isinstance(inner, SandboxChannel), f"{channel} is no sandbox"
        inner.heal()


def settings_of(database_url: str, **more: Any) -> Settings:
    return Settings(
        env="test", secret_keys=(SecretStr("k" * 40),), database_url=SecretStr(database_url), **more
    )


def open_scene(database_url: str, folder: Path, *, start: datetime = NOON, **settings: Any) -> Scene:
    """A scene at ``start``, with nothing published."""
    clock = VirtualClock(start)
    given: list[OutboundMessage] = []
    watched: dict[str, Watched] = {}

    def watch(inner: Channel) -> Channel:
        watched[inner.name] = Watched(inner=inner, given=given)
        return watched[inner.name]

    engine = build_engine(settings_of(database_url, **settings), clock=clock, channels=watch)
    return Scene(engine=engine, folder=folder, clock=clock, given=given, channels=watched)


def real_engine(database_url: str, *, clock: Clock | None = None, **more: Any) -> Engine:
    """An engine as it runs in production, threads and the database's clock included."""
    return build_engine(settings_of(database_url, **more), clock=clock)
