"""The drill of docs/how-to/restore-a-backup.md, with real processes, a real dump and the providers' own ledger.

A dump is made while messages wait; then everybody is written to, some people opt out by several doors, one is forgotten
and one opts out at the provider; the database is lost, and the dump goes on.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text

from orchestrator.bootstrap import build_engine
from orchestrator.clock import system_now
from orchestrator.embedded_postgres.postgres_binaries import find_programs
from orchestrator.engine import Engine
from orchestrator.ids import MESSAGE, public_id
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.intake import Identify, Track
from orchestrator.settings import Settings, load_settings
from tests.acceptance.cli import run
from tests.fakes.provider import FakeProvider
from tests.support.engine import POLICY, SIGNALS, TEMPLATES, playbook
from tests.support.postgres import Databases

PEOPLE = [f"p{number}" for number in range(12)]
BOOK = playbook(
    "grown",
    "  first:  {send: {channel: email, template: note}, wait: 30d,\n"
    "           then: {clicked: second, no_response: done}}\n"
    "  second: {send: {channel: email, template: note}, wait: 30d, then: done}\n"
    "  done:   {end: finished}\n",
    more="enter: {when: limit_reached, because: your team has grown, reentry: {after: 1h}}\n",
)


def test_the_drill(databases: Databases, tmp_path: Path) -> None:
    with databases.scratch(databases.template()) as lost, FakeProvider() as provider:
        settings = settings_of(lost, provider, tmp_path / "log")
        engine = build_engine(settings)
        publish(engine, tmp_path)
        engine.identify([Identify(key=key, traits={"email": f"{key}@shop.example"}) for key in PEOPLE])
        engine.sweep()  # the log has its first mark
        engine.track([Track(key=key, event="limit_reached", source_id=key) for key in PEOPLE])
        engine.advance()  # everybody's first message is planned
        backed_up_at = system_now()
        dump = pg_dump(lost, tmp_path)

        engine.drain()
        click(engine)
        engine.drain()  # both messages of everybody
        leave(engine, provider)
        before = Counter(taken(provider))
        engine.close()
        assert sorted(before.values()) == [2] * len(PEOPLE)

        with databases.scratch() as restored:
            pg_restore(dump, restored)
            again = settings_of(restored, provider, tmp_path / "log")
            given = environment(restored, provider, tmp_path / "log")
            ran = run("restored", "--since", backed_up_at.isoformat(), "--json", **given)
            assert ran.code == 0, ran.err
            report = ran.json
            engine = build_engine(again)
            engine.track([Track(key=key, event="limit_reached", source_id=key) for key in PEOPLE])
            click(engine)
            engine.sweep()
            engine.drain()

            assert Counter(taken(provider)) == before, "somebody was written to twice"
            assert (report["log"], report["promotion_held"]) == ("read", False)
            assert report["uncertain"] == len(PEOPLE)
            assert report["erased"] == 1
            assert report["suppressions"] == [
                {"provider": "sendgrid", "asked": True, "done": True, "addresses": 2, "detail": None}
            ]
            assert {key for key in PEOPLE[1:6] if may_be_written_to(engine, key)} == {"p4"}
            assert engine.reports.violations(engine.policy.caps) == []
            engine.close()


def leave(engine: Engine, provider: FakeProvider) -> None:
    """p0 is forgotten; p1 to p3 opt out by one door each; p5 does so at the provider, p4 not at all."""
    engine.erase("p0", anyway=True)
    for key, method in (("p1", "unsubscribe_page"), ("p2", "one_click")):
        engine.opt_out(key, evidence=ConsentEvidence(method=method, source="test"))  # type: ignore[arg-type]
    engine.opt_out(
        "p3", channel="email", topic="upsell", evidence=ConsentEvidence(method="agent", source="test")
    )
    now = int(system_now().timestamp())
    provider.sendgrid.suppress("unsubscribes", "P5@shop.example", now)
    provider.sendgrid.suppress("spam_reports", "nobody@elsewhere.example", now)


def may_be_written_to(engine: Engine, key: str) -> bool:
    said = engine.consents(key).in_force
    return any(one.channel == "email" and one.topic == "upsell" and one.may_speak for one in said)


def publish(engine: Engine, folder: Path) -> None:
    files = {"policy.yaml": POLICY, "signals.yaml": SIGNALS, "grown/playbook.yaml": BOOK}
    files |= {f"grown/{name}": words for name, words in TEMPLATES.items()}
    for name, words in files.items():
        path = folder / "books" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words)
    engine.publish(folder / "books")


def click(engine: Engine) -> None:
    """Everybody clicks on the first message they got."""
    with engine.database.connect() as connection:
        rows = connection.execute(text("SELECT customer_id, id FROM messages WHERE step = 'first'")).all()
    for row in rows:
        engine.respond(public_id(MESSAGE, row.customer_id, row.id), "clicked", source_id=f"click {row.id}")


def taken(provider: FakeProvider) -> list[str | None]:
    """Whom SendGrid took a message for, one for each."""
    return [entry.to for entry in provider.ledger.entries() if entry.taken]


def settings_of(url: str, provider: FakeProvider, log: Path) -> Settings:
    return load_settings(
        {f"ORCHESTRATOR_{name}": value for name, value in environment(url, provider, log).items()}
    )


def environment(url: str, provider: FakeProvider, log: Path) -> dict[str, str]:
    return {
        "ENV": "test",
        "DATABASE_URL": url,
        "SECRET_KEYS": "a-signing-key-of-the-drill-that-is-long-enough",
        "SENDGRID_API_KEY": provider.api_key,
        "SENDGRID_BASE_URL": provider.url,
        "EMAIL_FROM": "hello@shop.example",
        "WITHDRAWAL_LOG": str(log),
    }


def pg_dump(url: str, folder: Path) -> Path:
    file = folder / "orchestrator.dump"
    subprocess.run([tool("pg_dump", url), "--format", "custom", "--file", file, plain(url)], check=True)
    return file


def pg_restore(dump: Path, url: str) -> None:
    arguments = ["--exit-on-error", "--no-owner", "--dbname", plain(url), str(dump)]
    subprocess.run([tool("pg_restore", url), *arguments], check=True)


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def tool(name: str, url: str) -> str:
    """PostgreSQL's own program, at least as new as the server."""
    with psycopg.connect(plain(url)) as connection:
        wanted = connection.info.server_version // 10_000
    places = [str(find_programs()), f"/usr/lib/postgresql/{wanted}/bin"]
    found = next((path for place in places if (path := shutil.which(name, path=place))), shutil.which(name))
    if found is None:
        pytest.fail(f"{name} of PostgreSQL {wanted} is needed")
    return found
