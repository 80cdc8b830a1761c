"""The scenarios by name: which system, which faults, and what is looked at besides the laws."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias

from tests.faults.harness import actions
from tests.faults.harness.actions import Action
from tests.faults.harness.chance import Chance
from tests.faults.harness.records import Call, MessageKey
from tests.faults.harness.rig import Rig, wait_for

Figures: TypeAlias = dict[str, Any]
Script: TypeAlias = Callable[["Play"], Figures]


@dataclass(kw_only=True)
class Play:
    """What a script has: the rig, its chance, how long it may last, and where it says what is wrong."""

    rig: Rig
    chance: Chance
    seconds: float
    over: Callable[[], bool]
    """Whether everybody came to an end: then faults meet nobody."""
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """``system`` is given to the rig."""

    about: str
    script: Script
    customers: int = 300
    seconds: float = 40.0
    system: Mapping[str, Any] = field(default_factory=dict)
    withdrawals: bool = True
    parks: bool = False
    """Whether two kills may meet the same customer: such customers are parked and let go by hand."""


def repeated(*some: Action, pause: tuple[float, float], longest: float = 15.0) -> Script:
    """These faults by chance, one after the other, for as long as the play lasts."""

    def script(play: Play) -> Figures:
        ends = time.monotonic() + play.seconds
        done = 0
        while time.monotonic() < ends and not play.over():
            time.sleep(play.chance.number(*pause))
            play.chance.choice(some)(play.rig, play.chance, longest)
            done += 1
        return {"faults": done}

    return script


def everything(play: Play) -> Figures:
    """Three sequences of faults at once: of processes, of services, of providers."""
    done = {"processes": 0, "services": 0, "providers": 0}
    broken: list[BaseException] = []
    ends = time.monotonic() + play.seconds

    def sequence(name: str, some: Sequence[Action], pause: tuple[float, float]) -> None:
        chance = play.chance.part(name)
        try:
            while time.monotonic() < ends and not broken:
                time.sleep(chance.number(*pause))
                chance.choice(some)(play.rig, chance, max(2.0, min(60.0, ends - time.monotonic())))
                done[name] += 1
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            broken.append(error)

    threads = [
        threading.Thread(
            target=sequence, args=(name, _fitting(play.rig, some), pause), name=name, daemon=True
        )
        for name, some, pause in (
            ("processes", actions.OF_PROCESSES, (1.0, 6.0)),
            ("services", actions.OF_SERVICES, (3.0, 12.0)),
            ("providers", actions.OF_PROVIDERS, (2.0, 8.0)),
        )
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(play.seconds + 180)
    if broken:
        raise broken[0]
    return done


def _fitting(rig: Rig, some: Sequence[Action]) -> tuple[Action, ...]:
    return tuple(one for one in some if actions.applies(rig, one))


# --- what one fault leaves behind -----------------------------------------------------------------------------------

MARKED_AT_MOST = 16
FILED_WITHIN = 2.0  # seconds after an answer, while PostgreSQL is there


def kill_and_count(play: Play) -> Figures:
    """After a kill: uncertain is what was on the wire, and at most 16 that were marked and never begun."""
    rig, kills = play.rig, []
    rig.provider_meets({"kind": "slow", "seconds": 0.3})
    known: set[MessageKey] = set()
    ends = time.monotonic() + play.seconds
    while time.monotonic() < ends and len(kills) < 8 and not play.over():
        if wait_for(partial(_at_work, rig, known), seconds=15) is None:
            break
        time.sleep(play.chance.number(0, 0.5))
        with rig.span("kill worker"):
            at = time.monotonic()
            rig.workers[0].kill()
            time.sleep(0.5)
            left, calls = rig.uncertain() - known, {call.message: call for call in rig.calls()[0]}
            begun = [calls[key] for key in left if key in calls]
            unfiled = [
                call for call in begun if call.answered is not None and call.answered < at - FILED_WITHIN
            ]
            never = len(left) - len(begun)
            kills.append({"on_the_wire": len(begun), "never_begun": never})
            if never > MARKED_AT_MOST:
                play.wrong.append(f"a kill left {never} messages marked and never begun")
            if unfiled:
                play.wrong.append(
                    f"a kill took {len(unfiled)} answers that were older than {FILED_WITHIN:g} s"
                )
            known = known | left
            rig.workers[0] = rig.worker()
    rig.provider_meets()
    if not kills:
        play.wrong.append("no kill met a hand-over")
    return {
        "kills": len(kills),
        "on_the_wire_max": max((one["on_the_wire"] for one in kills), default=0),
        "never_begun_max": max((one["never_begun"] for one in kills), default=0),
    }


def _at_work(rig: Rig, known: set[MessageKey]) -> bool:
    return bool(rig.ready_workers()) and len(rig.uncertain() - known) >= 4


LOCKS_FALL_WITHIN = 5.0
SLACK = 2.5  # seconds for a machine that is slow to look
_OLD = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'orchestrator'
AND xact_start < :at AND backend_xid IS NOT NULL"""


def freeze_in_a_batch(play: Play) -> Figures:
    """A worker that is stopped in the middle of a batch: its locks fall within five seconds, others go on."""
    rig = play.rig
    held: list[float] = []
    ends = time.monotonic() + play.seconds
    tries = 0
    while time.monotonic() < ends and len(held) < 3 and not play.over():
        ready = rig.ready_workers()
        if not ready:
            time.sleep(0.2)
            continue
        tries += 1
        time.sleep(play.chance.number(0.05, 0.3))
        worker = rig.workers[play.chance.choice(ready)]
        with rig.span("freeze worker"):
            worker.freeze()
            began = time.monotonic()
            try:
                at = rig.value("SELECT clock_timestamp()")
                time.sleep(0.6)  # what others had begun is over by then
                if at is None or not rig.value(_OLD, at=at):
                    continue
                fell = wait_for(partial(_locks_fell, rig, at), seconds=20)
                held.append(time.monotonic() - began)
                if fell is None or held[-1] > LOCKS_FALL_WITHIN + SLACK:
                    play.wrong.append(f"a stopped worker held its locks for {held[-1]:.1f} s")
                if wait_for(partial(_others_go_on, play, began + 1), seconds=20) is None:
                    play.wrong.append("nobody went on while a worker was stopped")
            finally:
                worker.thaw()
    return {"caught": len(held), "tries": tries, "held_s_max": round(max(held, default=0.0), 1)}


def _locks_fell(rig: Rig, at: object) -> bool:
    return rig.value(_OLD, at=at) == 0


def _others_go_on(play: Play, since: float) -> bool:
    return bool(play.rig.taken(since)) or play.over()


def answers_while_postgres_is_away(play: Play) -> Figures:
    """Providers answer what is on the wire while the database is away: the answers are kept and filed."""
    return _away_with_answers(play, min(play.seconds, 180.0))


def _away_with_answers(play: Play, away: float) -> Figures:
    rig = play.rig
    rig.provider_meets(
        {"kind": "rate_limit", "delay": 4.0, "share": 0.4},
        {"kind": "slow", "seconds": 4.0},
    )
    on_the_wire = partial(_on_the_wire, rig, time.monotonic())
    if wait_for(lambda: len(on_the_wire()) >= 6, seconds=60) is None:
        play.wrong.append("nothing was on the wire")
    with rig.span("postgres away"), rig.postgres.away():
        gone = time.monotonic()
        time.sleep(5.0)
        rig.provider_meets()
        time.sleep(max(0.0, away - 5.0))
        back = time.monotonic()
    answered = [one for one in rig.calls()[0] if one.answered is not None and gone < one.answered < back]
    taken = {one.message for one in answered if one.taken}
    refused = {one.message for one in answered if not one.taken}
    took = wait_for(partial(_filed, rig, taken, refused), seconds=45)
    if took is None:
        play.wrong.append(
            f"answers were not filed: taken {_states(rig, taken)}, refused {_states(rig, refused)}"
        )
    receipts = rig.shop.rows("SELECT DISTINCT customer_id, message_id FROM receipts")
    if without := taken - {(row.customer_id, row.message_id) for row in receipts}:
        play.wrong.append(f"{len(without)} answers have no receipt")
    if not taken:
        play.wrong.append("nothing was answered while PostgreSQL was away")
    return {
        "away_s": round(away),
        "answered_away": len(answered),
        "filed_after_s": None if took is None else round(took, 1),
    }


def _on_the_wire(rig: Rig, since: float) -> list[Call]:
    return [call for call in rig.calls()[0] if call.began >= since and call.answered is None]


def _states(rig: Rig, of: Collection[MessageKey | None]) -> Figures:
    rows = rig.shop.rows("SELECT customer_id, id, status FROM messages")
    return dict(Counter(row.status for row in rows if (row.customer_id, row.id) in of))


def _filed(rig: Rig, taken: Collection[MessageKey | None], refused: Collection[MessageKey | None]) -> bool:
    """What was taken is sent; what was refused is known not to be open because of that call."""
    return set(_states(rig, taken)) <= {"sent"} and not set(_states(rig, refused)) & {
        "handing_over",
        "uncertain",
    }


SILENT_AT_MOST = 8.0  # seconds: two of silence, one until the next sweep, the rest for a machine that is busy


def broker_lost(lose: Sequence[Action]) -> Script:
    """A broker that goes away costs two seconds: the longest silence of the providers while people are due."""

    def script(play: Play) -> Figures:
        rig, silences = play.rig, []
        ends = time.monotonic() + play.seconds
        while time.monotonic() < ends and not play.over():
            time.sleep(play.chance.number(2.0, 4.0))
            before = len(rig.spans)
            play.chance.choice(lose)(rig, play.chance, 15.0)
            time.sleep(4.0)
            ended = time.monotonic()
            silences += [_longest_silence(rig, span.began, ended) for span in rig.spans[before:]]
        if silences and max(silences) > SILENT_AT_MOST and not play.over():
            play.wrong.append(f"nothing was sent for {max(silences):.1f} s around an outage of the broker")
        return {"outages": len(silences), "silence_s_max": round(max(silences, default=0.0), 1)}

    return script


def _longest_silence(rig: Rig, began: float, ended: float) -> float:
    instants = sorted(call.began for call in rig.calls()[0] if began <= call.began <= ended)
    marks = [began, *instants, ended]
    return max(later - earlier for earlier, later in pairwise(marks))


def calm(play: Play) -> Figures:
    del play
    return {}


_FEW: tuple[Action, ...] = (
    actions.flush_redis, actions.kill_child, actions.freeze_worker, actions.MIXED, actions.kill_worker,
)  # fmt: skip


def one_after_the_other(play: Play) -> Figures:
    """One of each kind, short: what the gate can afford."""
    figures = _away_with_answers(play, 6.0)
    for action in _FEW:
        time.sleep(play.chance.number(0.2, 0.6))
        action(play.rig, play.chance, 3.0)
    return figures | {"faults": len(_FEW) + 1}


SCENARIOS: dict[str, Scenario] = {
    "calm": Scenario(about="no fault at all, two beats and two workers", script=calm, seconds=20),
    "short": Scenario(
        about="a few faults of each kind, one after the other",
        script=one_after_the_other, customers=60, seconds=20, parks=True,
        system={"clock_rate": 1200, "concurrency": 1, "beats": 1},
    ),
    "answers": Scenario(
        about="providers answer while PostgreSQL is away",
        script=answers_while_postgres_is_away, customers=60, seconds=60, system={"workers": 1, "concurrency": 1},
        withdrawals=False,
    ),
    "kill-count": Scenario(
        about="kill -9 during hand-overs, and what it leaves uncertain",
        script=kill_and_count, system={"workers": 1, "concurrency": 1}, customers=600, parks=True,
    ),
    "killed-workers": Scenario(
        about="kill -9 of whole workers", script=repeated(actions.kill_worker, pause=(0.4, 3.0)), parks=True
    ),
    "killed-children": Scenario(
        about="kill -9 of pool processes", script=repeated(actions.kill_child, pause=(0.2, 1.2)), parks=True
    ),
    "stopped-in-a-batch": Scenario(
        about="SIGSTOP in the middle of a batch: locks fall, others go on",
        script=freeze_in_a_batch, customers=600,
    ),
    "stopped-workers": Scenario(
        about="SIGSTOP of all workers in turn, for 2.5 to 14 s",
        script=repeated(actions.freeze_worker, pause=(0.2, 1.5)),
    ),
    "redis-flushed": Scenario(
        about="FLUSHALL again and again", script=repeated(actions.flush_redis, pause=(0.5, 3.0))
    ),
    "redis-away": Scenario(
        about="Redis killed or frozen for up to 15 s",
        script=broker_lost((actions.redis_away, actions.freeze_redis)), seconds=60,
    ),
    "rabbitmq": Scenario(
        about="four workers on RabbitMQ: kills, and a broker that refuses or stands still",
        script=repeated(
            actions.kill_worker, actions.broker_refuses, actions.broker_still, pause=(1.0, 4.0)
        ),
        system={"broker": "rabbitmq", "workers": 4, "concurrency": 1}, seconds=60, parks=True,
    ),
    "rabbitmq-away": Scenario(
        about="RabbitMQ refuses or stands still for up to 15 s",
        script=broker_lost((actions.broker_refuses, actions.broker_still)),
        system={"broker": "rabbitmq", "concurrency": 1}, seconds=60,
    ),
    "postgres-restarts": Scenario(
        about="PostgreSQL stopped at once and started",
        script=repeated(actions.restart_postgres, pause=(2.0, 6.0)),
    ),
    "postgres-away": Scenario(
        about="PostgreSQL away for up to a minute",
        script=repeated(actions.postgres_away, pause=(3.0, 8.0), longest=60.0), seconds=90,
    ),
    "postgres-frozen": Scenario(
        about="PostgreSQL frozen for up to 8 s", script=repeated(actions.freeze_postgres, pause=(2.0, 5.0))
    ),
    "connections-cut": Scenario(
        about="every backend terminated again and again",
        script=repeated(actions.cut_connections, pause=(0.5, 2.0)),
    ),
    "rate-limits": Scenario(
        about="429 and 503 with and without Retry-After", script=repeated(actions.RATE_LIMITS, pause=(0.5, 1.0))
    ),
    "server-errors": Scenario(
        about="500, the message taken or not", script=repeated(actions.ERRORS, pause=(0.5, 1.0))
    ),
    "mixed-answers": Scenario(
        about="500, resets, garbage, hangs, 429, slow", script=repeated(actions.MIXED, pause=(0.5, 1.0))
    ),
    "hanging-email": Scenario(
        about="three of ten emails are never answered", script=repeated(actions.HANGS, pause=(0.5, 1.0))
    ),
    "no-connection": Scenario(
        about="providers refuse connections, or take them and stand still",
        script=repeated(actions.providers_refuse, actions.providers_still, actions.RESETS, pause=(1.0, 4.0)),
    ),
    "slow-providers": Scenario(
        about="calls of 3 and 9 seconds", script=repeated(actions.SLOW, pause=(0.5, 1.0))
    ),
    "without-a-broker": Scenario(
        about="the web process works alone, killed now and then",
        script=repeated(actions.kill_web, actions.restart_postgres, actions.MIXED, pause=(2.0, 6.0)),
        system={"broker": "none"}, parks=True,
    ),
    "random": Scenario(
        about="faults of processes, services and providers at once, by chance",
        script=everything, seconds=120, customers=600, parks=True,
    ),
    "random-rabbitmq": Scenario(
        about="the same on RabbitMQ",
        script=everything, seconds=120, customers=600, system={"broker": "rabbitmq", "concurrency": 1}, parks=True,
    ),
}  # fmt: skip
