"""The real engine on a virtual clock and a database of its own: what a story about the services needs, and no more.

A :class:`Scene` publishes small playbooks, brings people in, lets time pass, and tells what was really handed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from channels.base import OutboundMessage
from channels.recording import Outbox
from orchestrator.bootstrap import build_engine
from orchestrator.clock import VirtualClock
from orchestrator.engine import Engine
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.intake import Identify, Track
from orchestrator.settings import Settings
from orchestrator.store.coordination.clock import Clock
from orchestrator.testing import TestEngine

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


@dataclass(kw_only=True, repr=False)
class Scene(TestEngine):
    """The kit's engine in mode ``manual``, with the tests' own shop and a look into the tables."""

    def publish_playbooks(self, *playbooks: str, policy: str = "", signals: str = SIGNALS) -> None:
        """Publish these playbook files; ``policy`` is added to a policy without caps, holds and quiet hours."""
        files = {"policy.yaml": POLICY + policy, "signals.yaml": signals}
        for one in playbooks:
            name = one.split("\n", 1)[0].removeprefix("playbook: ")
            files[f"{name}/playbook.yaml"] = one
            files |= {f"{name}/{template}": words for template, words in TEMPLATES.items()}
        self.publish(files)

    def person(self, key: str = "anna", **traits: Any) -> str:
        """Somebody reachable everywhere, who was in the product just now and said yes to texts."""
        number = 100_000 + sum(ord(letter) * 31**place for place, letter in enumerate(key)) % 900_000
        known = {"email": f"{key}@shop.example", "phone": f"+491511{number}", "timezone": "UTC"}
        self.engine.identify([Identify(key=key, traits=known | traits)])
        self.engine.track([Track(key=key, event="session_started")])
        self.engine.advance()
        self.opted_in(key, channel="sms")
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

    @property
    def given(self) -> list[OutboundMessage]:
        """What adapters were given, in order, whatever they answered."""
        return [one.message for one in self.outbox.hand_overs]

    def spoken(self, key: str | None = None) -> list[tuple[str, str]]:
        """(customer, channel) of every hand-over to an adapter, in order."""
        return [
            (one.customer_key, one.channel) for one in self.given if key is None or one.customer_key == key
        ]

    # --- the tables -------------------------------------------------------------------------------------------------

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.engine.database.connect() as connection:
            return list(connection.execute(text(statement), values).all())

    def value(self, statement: str, **values: Any) -> Any:
        with self.engine.database.connect() as connection:
            return connection.execute(text(statement), values).scalar()

    def execute(self, statement: str, **values: Any) -> None:
        with self.engine.database.begin() as connection:
            connection.execute(text(statement), values)

    def messages(self, key: str = "anna") -> list[tuple[str, str, str]]:
        """(step, channel, status) of everything planned for a person, in order."""
        return [(one.step, one.channel, one.status) for one in self.why(key)]

    def reasons(self, key: str = "anna") -> list[str | None]:
        """The stored word for why each message is in the state it is in."""
        found = self.rows(
            "SELECT m.reason FROM messages m JOIN customers c ON c.id = m.customer_id WHERE c.key = :key ORDER BY m.id",
            key=key,
        )
        return [row.reason for row in found]


def settings_of(database_url: str, **more: Any) -> Settings:
    return Settings(
        env="test", secret_keys=(SecretStr("k" * 40),), database_url=SecretStr(database_url), **more
    )


def open_scene(database_url: str, folder: Path, *, start: datetime = NOON, **settings: Any) -> Scene:
    """A scene at ``start``, with nothing published."""
    made = settings_of(database_url, **settings)
    return Scene.open(database_url, start=start, folder=folder, settings=made, mode="manual")


def unheard(engine: Engine, clock: VirtualClock, folder: Path) -> Scene:
    """A scene over an engine whose adapters nobody listens to."""
    return Scene(engine=engine, clock=clock, outbox=Outbox(lambda: clock.now), folder=folder, mode="manual")


def real_engine(database_url: str, *, clock: Clock | None = None, **more: Any) -> Engine:
    """An engine as it runs in production, threads and the database's clock included."""
    return build_engine(settings_of(database_url, **more), clock=clock)
