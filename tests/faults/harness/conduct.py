"""One scenario from the first process to the verdict: bounded, told while it runs, nothing left behind."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.errors import OrchestratorError
from orchestrator.store.reports.invariants import check_invariants
from tests.faults.harness.chance import Chance
from tests.faults.harness.crowd import Crowd
from tests.faults.harness.judge import Violation, judge, summary
from tests.faults.harness.playbooks import LIMITS
from tests.faults.harness.records import Enrollment, Evidence, Message, MessageKey
from tests.faults.harness.rig import Rig, wait_for
from tests.faults.harness.scenarios import Play, Scenario

END_WITHIN = 240.0  # seconds after the last fault, for everybody
TOLD_WITHIN = 30.0
SETTLED_WITHIN = 60.0
EVERY = 5.0  # seconds between two lines of progress


@dataclass(kw_only=True)
class Result:
    """What a scenario gave."""

    scenario: str
    seed: int
    seconds: float
    figures: dict[str, Any]
    violations: list[Violation] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.violations

    def as_dict(self) -> dict[str, Any]:
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "ok": self.ok,
            "violations": dict(Counter(one.law for one in self.violations)),
            **self.figures,
            "examples": [str(one) for one in self.violations[:20]],
        }


def conduct(
    name: str,
    scenario: Scenario,
    *,
    folder: Path,
    seed: int,
    seconds: float | None = None,
    customers: int | None = None,
    rabbitmq_url: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Result:
    """Run it. Everybody arrives in the first three quarters of the time the faults last."""
    began = time.monotonic()
    seconds = scenario.seconds if seconds is None else seconds
    customers = scenario.customers if customers is None else customers
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # the database server may run as another user
    say(f"{name}: {scenario.about}; seed {seed}, {customers} customers, faults for {seconds:.0f} s")
    with Rig(folder, rabbitmq_url=rabbitmq_url, **scenario.system) as rig:
        crowd = Crowd(
            rig, customers=customers, seconds=seconds * 0.75, seed=seed, withdrawals=scenario.withdrawals
        )
        play = Play(
            rig=rig,
            chance=Chance(seed, name),
            seconds=seconds,
            over=lambda: crowd.all_started(within=0) and rig.live() == 0,
        )
        with _told(rig, crowd, say, began), crowd:
            figures = scenario.script(play)
            faults_end = time.monotonic()
            if not crowd.all_started(within=END_WITHIN):
                play.wrong.append(f"not everybody was started: {crowd.failures or 'no answer'}")
            released = _end(rig, release=scenario.parks)
            figures["end_after_s"] = round(time.monotonic() - faults_end, 1)
            figures |= released
        play.wrong += [f"the crowd stumbled: {error!r}" for error in crowd.failures]
        say(f"{name}: settling what is uncertain")
        told = settle(rig, figures)
        evidence = gather(rig, crowd, told)
        doctor = rig.shop.command("doctor", "--invariants")
        figures["doctor"] = doctor.returncode
        violations = judge(evidence)
        violations += [Violation(law="scenario", about=one) for one in play.wrong]
        if not violations and doctor.returncode != 0:
            violations.append(Violation(law="invariant", about=f"doctor: {doctor.stdout[-1500:]}"))
        figures |= summary(evidence) | _crowd_figures(crowd) | _faults(rig)
    return Result(
        scenario=name, seed=seed, seconds=time.monotonic() - began, figures=figures, violations=violations
    )


def _end(rig: Rig, *, release: bool) -> dict[str, Any]:
    """Wait until everybody came to an end. Whom two kills met is parked: let go by hand, as an operator would."""
    ends = time.monotonic() + END_WITHIN
    released = 0
    while time.monotonic() < ends and rig.live() != 0:
        time.sleep(0.3)
        if release and rig.value("SELECT count(*) FROM parked WHERE reason = 'process_died'"):
            with contextlib.suppress(SQLAlchemyError, OrchestratorError):
                released += rig.release_parked("process_died")
    return {"released": released} if released else {}


def settle(rig: Rig, figures: dict[str, Any]) -> frozenset[MessageKey]:
    """Providers tell, late, what they took; what nobody tells of is given up once its hour is over.

    The messages they told of. Chat has no callback that would tell.
    """
    uncertain = rig.uncertain()
    taken = [call for call in rig.calls()[0] if call.taken and call.message in uncertain]
    events = [["delivered", rig.public(call.message)] for call in taken if call.service == "sendgrid"]
    told: set[MessageKey] = set()
    with contextlib.suppress(httpx.HTTPError):
        if events:
            rig.fire("fire/sendgrid", url=f"{rig.shop.url}/webhooks/sendgrid", events=events)
        for call in taken:
            if call.service == "twilio":
                rig.fire("fire/twilio/status", message=rig.public(call.message), status="delivered")
    told |= {call.message for call in taken if call.message and call.service in ("sendgrid", "twilio")}
    wait_for(lambda: not rig.uncertain() & told, seconds=TOLD_WITHIN)
    figures["uncertain"] = len(uncertain)
    figures["told"] = len(told)
    figures["given_up"] = len(rig.uncertain())
    if wait_for(lambda: _given_up(rig), seconds=SETTLED_WITHIN) is None:
        figures["open"] = [str(tuple(row)) for row in rig.shop.rows(_OPEN)]
    return frozenset(told)


def _given_up(rig: Rig) -> bool:
    """Let the hour of what is uncertain be over. Again and again: what was being handed over is uncertain first, and
    has its hour then."""
    with rig.shop.database.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE dispatch d SET free_at = clock_timestamp() - interval '1 s', due_at = least(due_at, now())"
            " FROM messages m WHERE m.customer_id = d.customer_id AND m.id = d.message_id"
            " AND m.status IN ('uncertain', 'handing_over') AND d.free_at > clock_timestamp()"
        )
    time.sleep(1.0)
    return not rig.uncertain()


_OPEN = """
SELECT m.customer_id, m.id, m.status, d.provider, d.due_at <= now() AS due, d.free_at - clock_timestamp() AS free_in,
  EXISTS (SELECT FROM parked p WHERE p.customer_id = m.customer_id) AS parked,
  (SELECT count(*) FROM inbox i WHERE i.customer_id = m.customer_id) AS inbox
FROM messages m LEFT JOIN dispatch d ON d.customer_id = m.customer_id AND d.message_id = m.id
WHERE m.status IN ('uncertain', 'handing_over') LIMIT 10"""


def gather(rig: Rig, crowd: Crowd, told: frozenset[MessageKey]) -> Evidence:
    rows = rig.shop.rows
    with rig.shop.database.connect() as connection:
        broken = [str(one) for one in check_invariants(connection)]
    return Evidence(
        calls=rig.calls()[0],
        messages=[
            Message(
                customer_id=row.customer_id,
                id=row.id,
                status=row.status,
                reason=row.reason,
                channel=row.channel,
                topic=row.topic,
            )
            for row in rows("SELECT customer_id, id, status, reason, channel, topic FROM messages")
        ],
        enrollments=[
            Enrollment(customer=row.key, playbook=row.playbook, ended=row.ended)
            for row in rows(
                "SELECT c.key, e.playbook, e.ended_at IS NOT NULL AS ended"
                " FROM enrollments e JOIN customers c ON c.id = e.customer_id"
            )
        ],
        expected=tuple(crowd.product.started),
        limits=LIMITS,
        withdrawals=tuple(crowd.people.withdrawn),
        refused=tuple(crowd.people.refused),
        spans=tuple(rig.spans),
        told=told,
        parked=[
            f"{row.key}: {row.reason} {row.detail[-300:]}"
            for row in rows(
                "SELECT c.key, p.reason, p.detail FROM parked p JOIN customers c ON c.id = p.customer_id"
            )
        ],
        invariants=broken,
    )


def _crowd_figures(crowd: Crowd) -> dict[str, Any]:
    waited = sorted(crowd.people.waited)
    return {
        "product_refused": dict(crowd.product.answers.most_common(4)),
        "withdrawal_s_p99": round(waited[int(len(waited) * 0.99)], 2) if waited else None,
        "withdrawals_repeated": len(crowd.people.refused),
    }


def _faults(rig: Rig) -> dict[str, Any]:
    return {"spans": dict(Counter(span.what for span in rig.spans))}


@contextmanager
def _told(rig: Rig, crowd: Crowd, say: Callable[[str], None], began: float) -> Iterator[None]:
    """A line of progress every few seconds."""
    over = threading.Event()

    def tell() -> None:
        after = taken = 0
        while not over.wait(EVERY):
            rig.tend()
            with contextlib.suppress(httpx.HTTPError):
                calls, after = rig.calls(after)
                taken += len(calls)
            live, uncertain = rig.value("SELECT count(*) FROM enrollments WHERE ended_at IS NULL"), rig.value(
                "SELECT count(*) FROM messages WHERE status IN ('handing_over', 'uncertain')"
            )  # fmt: skip
            say(
                f"  {time.monotonic() - began:5.0f} s  started {len(crowd.product.started):5}  calls {taken:6}"
                f"  live {'-' if live is None else live:>5}  uncertain {'-' if uncertain is None else uncertain:>4}"
                f"  withdrawn {len(crowd.people.withdrawn):4}  {rig.now}"
            )

    thread = threading.Thread(target=tell, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)
