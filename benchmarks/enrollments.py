"""How far the engine is from what PostgreSQL alone would allow.

    python -m benchmarks.enrollments [--customers 2000] [--rounds 3]

The *engine* starts an enrollment for every customer, plans an email and hands it to the sandbox. The *floor* writes the
rows that are left behind (enrollments, timers, journal, messages, verdicts, cap slots) with one statement per table and
batch, decides nothing and asks nobody. The answer is the ratio of both, smallest, middle and largest of the rounds:
seconds depend on the machine, the ratio much less. It works in a scratch database on the server of
``ORCHESTRATOR_DATABASE_URL`` (or the embedded one) and drops it at the end.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text

from orchestrator.bootstrap import build_engine
from orchestrator.cli.opening import database_url
from orchestrator.clock import VirtualClock, monotonic
from orchestrator.engine import Engine
from orchestrator.records.intake import Identify, Track
from orchestrator.settings import Settings, load_settings
from orchestrator.store.scratch import scratch_database
from orchestrator.telemetry import configure

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
FILES = {
    "policy.yaml": 'sender: {name: Bench, postal_address: "1 Example Street"}\ntopics: {upsell: {title: Offers}}\n'
    "caps: [{at_most: 3, within: 7d}]\n",
    "signals.yaml": "attributes: {email: text}\nevents: {used: {}}\n",
    "offer/playbook.yaml": "playbook: offer\nversion: 1\ntitle: Offer\ntopic: upsell\n"
    "enter: {when: used, because: you use it, reentry: {after: 30d}}\nsteps:\n"
    "  say: {send: {channel: email, template: hi}, wait: 2d, then: {clicked: done, no_response: done}}\n"
    "  done: {end: finished}\n",
    "offer/hi.email.txt": "---\nsubject: Hello\n---\nHello. {{ opt_out_url }} {{ preferences_url }} {{ sender.name }}, "
    "{{ sender.postal_address }}\n",
}
WRITTEN = (
    "enrollments",
    "timers",
    "journal",
    "messages",
    "verdicts",
    "cap_slots",
    "sandbox_inbox",
    "receipts",
)


def main() -> int:
    asked = argparse.ArgumentParser(description="The engine beside its floor.")
    asked.add_argument("--customers", type=int, default=2000)
    asked.add_argument("--rounds", type=int, default=3)
    wanted = asked.parse_args()
    configure(level="error")
    ratios = [_round(wanted.customers) for _ in range(wanted.rounds)]
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    print(f"engine / floor over {wanted.rounds} rounds: {low:.1f} {middle:.1f} {high:.1f} (min, median, max)")
    return 0


def _round(customers: int) -> float:
    with scratch_database(database_url(load_settings())) as url, tempfile.TemporaryDirectory() as folder:
        engine = _engine(url, Path(folder))
        for first in range(0, customers, 500):
            keys = [f"c{number}" for number in range(first, min(first + 500, customers))]
            engine.identify([Identify(key=key, traits={"email": f"{key}@bench.example"}) for key in keys])
            engine.track([Track(key=key, event="used") for key in keys])
        began = monotonic()
        drained = engine.drain()
        taken = monotonic() - began
        floor = _floor(engine, batch=engine.settings.batch_size)
        engine.close()
    print(
        f"{drained.messages} messages: engine {taken:.2f} s ({drained.messages / taken:.0f}/s), floor {floor:.2f} s"
    )
    return taken / floor


def _engine(url: str, folder: Path) -> Engine:
    for name, words in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(words, encoding="utf-8")
    settings = Settings(
        database_url=SecretStr(url), secret_keys=(SecretStr("benchmarks sign with this key alone"),)
    )
    engine = build_engine(settings, clock=VirtualClock(NOON))
    engine.publish(folder)
    return engine


def _floor(engine: Engine, *, batch: int) -> float:
    """Write the same rows once more into twins of the tables, a statement per table and batch."""
    with engine.database.begin() as connection:
        for table in WRITTEN:
            connection.execute(text(f"CREATE TABLE floor_{table} (LIKE {table} INCLUDING ALL)"))
        last = connection.execute(text("SELECT max(id) FROM customers")).scalar_one()
    began = monotonic()
    for first in range(1, last + 1, batch):
        with engine.database.begin() as connection:
            for table in WRITTEN:
                words = f"INSERT INTO floor_{table} SELECT * FROM {table} WHERE customer_id BETWEEN :first AND :end"
                connection.execute(text(words), {"first": first, "end": first + batch - 1})
    return monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
