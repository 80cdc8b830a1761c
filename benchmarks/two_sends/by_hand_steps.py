"""One step of the playbook as a team writes it by hand: one transaction that locks, asks, renders, sends and moves on.

The tables are as few and as narrow as such a team would make them: no verdicts, no receipts, no timers, no mark before
the call. Used by the Celery tasks and, as transactions of its datasource, by the durable workflows.
"""

from __future__ import annotations

import json
from datetime import timedelta

import jinja2
from itsdangerous import URLSafeSerializer
from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.harness.scratch import connect
from benchmarks.two_sends import workload

STEPS = ("first", "gate", "second", "done")
SCHEMA = """
CREATE SCHEMA by_hand;
CREATE TABLE by_hand.customers (
    id bigint PRIMARY KEY, key text UNIQUE, email text, attributes jsonb, opted_out boolean NOT NULL DEFAULT false);
CREATE TABLE by_hand.runs (
    id bigint PRIMARY KEY, customer_id bigint REFERENCES by_hand.customers, step text NOT NULL, status text NOT NULL,
    updated_at timestamptz NOT NULL);
CREATE TABLE by_hand.sent (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint NOT NULL, run_id bigint NOT NULL,
    step text NOT NULL, content jsonb NOT NULL, at timestamptz NOT NULL, UNIQUE (run_id, step));
CREATE INDEX ON by_hand.sent (customer_id, at);
CREATE TABLE by_hand.history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id bigint NOT NULL, step text NOT NULL, event text NOT NULL,
    at timestamptz NOT NULL);
"""
OVER = "SELECT NOT EXISTS (SELECT FROM by_hand.runs WHERE status <> 'done')"

_RUN = text("""
SELECT r.step, c.id AS customer_id, c.email, c.attributes, c.opted_out, now() AS now
  FROM by_hand.runs r JOIN by_hand.customers c ON c.id = r.customer_id WHERE r.id = :run FOR UPDATE OF c
""")
_USED = text("SELECT count(*) FROM by_hand.sent WHERE customer_id = :customer AND at > :since")
_SENT = text(
    "INSERT INTO by_hand.sent (customer_id, run_id, step, content, at)"
    " VALUES (:customer, :run, :step, CAST(:content AS jsonb), :now)"
)
_MOVED = text("UPDATE by_hand.runs SET step = :step, status = :status, updated_at = :now WHERE id = :run")
_HISTORY = text("INSERT INTO by_hand.history (run_id, step, event, at) VALUES (:run, :step, :event, :now)")

_TEMPLATES = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # plain text
_SUBJECTS = {name: _TEMPLATES.from_string(words) for name, words in workload.SUBJECTS.items()}
_BODIES = {name: _TEMPLATES.from_string(words) for name, words in workload.BODIES.items()}
_SIGNERS = {
    purpose: URLSafeSerializer(workload.SIGNING_KEY, salt=purpose)
    for purpose in ("opt_out", "preferences", "click")
}


def load(url: str, first: int, count: int) -> None:
    """Customers and their runs, each before its first step."""
    with connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY by_hand.customers (id, key, email, attributes) FROM STDIN") as rows:
            for number in range(first, first + count):
                traits = workload.traits(f"c{number:07}")
                rows.write_row((number, f"c{number:07}", traits["email"], json.dumps(traits)))
        with cursor.copy("COPY by_hand.runs (id, customer_id, step, status, updated_at) FROM STDIN") as rows:
            for number in range(first, first + count):
                rows.write_row((number, number, STEPS[0], "waiting", "now"))


def take_step(session: Session, run_id: int) -> bool:
    """Take the step a run stands at; whether there is another."""
    run = session.execute(_RUN, {"run": run_id}).one()
    if run.step in workload.BODIES:
        _send(session, run_id, run)
    further = run.step != STEPS[-1]
    following = STEPS[STEPS.index(run.step) + 1] if further else run.step
    if run.step == "gate" and run.attributes["plan"] != "pro":
        following = STEPS[-1]
    values = {"run": run_id, "step": following, "status": "waiting" if further else "done", "now": run.now}
    session.execute(_MOVED, values)
    session.execute(_HISTORY, {"run": run_id, "step": run.step, "event": "done", "now": run.now})
    return further


def _send(session: Session, run_id: int, run: object) -> None:
    customer: int = run.customer_id  # type: ignore[attr-defined]
    if run.opted_out:  # type: ignore[attr-defined]
        return
    now = run.now  # type: ignore[attr-defined]
    for most, days in workload.CAPS:
        since = {"customer": customer, "since": now - timedelta(days=days)}
        if session.execute(_USED, since).scalar_one() >= most:
            return
    content = json.dumps(_written(customer, run_id, run))
    row = {"customer": customer, "run": run_id, "step": run.step, "content": content, "now": now}  # type: ignore[attr-defined]
    session.execute(_SENT, row)


def _written(customer: int, run_id: int, run: object) -> dict[str, str]:
    step: str = run.step  # type: ignore[attr-defined]

    def signed(purpose: str, *facts: object) -> str:
        return f"{workload.BASE_URL}/{purpose}/{_SIGNERS[purpose].dumps(facts)}"

    values = {
        **run.attributes,  # type: ignore[attr-defined]
        "because": workload.BECAUSE,
        "sender": workload.SENDER,
        "link": lambda name, target: signed("click", run_id, step, name, target),
        "opt_out_url": signed("opt_out", customer, workload.TOPIC),
        "preferences_url": signed("preferences", customer),
    }
    to: str = run.email  # type: ignore[attr-defined]
    return {"to": to, "subject": _SUBJECTS[step].render(values), "text": _BODIES[step].render(values)}
