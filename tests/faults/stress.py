"""A crowd of processes at the same customers at once: they plan, hand over, start, opt out and in, as the caps change.

Playbooks go round and round with short waits, so that everybody is put to the policies all the time, and caps leave
room for few. The engine is the real one, and so is PostgreSQL; only the providers are ours.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import cycle
from pathlib import Path

from orchestrator.clock import monotonic
from orchestrator.language.model import Cap
from orchestrator.language.moments import Duration
from orchestrator.records.intake import Identify, Track
from tests.faults.stress_guards import Guard
from tests.faults.stress_judge import RATE, Verdict, judge
from tests.faults.stress_ledger import Limit, in_force
from tests.faults.stress_roles import Part, Role, Scope, child
from tests.faults.stress_tries import overlaps, tries
from tests.support.engine import Scene, playbook

POLICY_STAYS = 4.0  # seconds
HOUR = timedelta(hours=1)
ALWAYS = (  # these do not change
    Limit(at_most=3, within=2 * HOUR, channel="email"),
    Limit(at_most=4, within=3 * HOUR, topic="cross_sell"),
)
LOOSE = (Limit(at_most=2, within=HOUR), Limit(at_most=8, within=8 * HOUR), *ALWAYS)
STRICT = (Limit(at_most=1, within=HOUR), Limit(at_most=5, within=8 * HOUR), *ALWAYS)

SCOPES: tuple[Scope, ...] = (
    ("email", "*"),
    ("email", "upsell"),
    ("*", "upsell"),
    ("in_app", "*"),
    ("email", "cross_sell"),
    ("*", "*"),
)
KINDS = (("email", "upsell"), ("[email, in_app]", "cross_sell"), ("[email, in_app]", "upsell"))
STARTED = tuple(f"offer{number}" for number in range(4))
TRIGGERED = tuple(f"reaction{number}" for number in range(16))


def names(many: int, *, after: int = 0) -> list[str]:
    return [f"p{number:05}" for number in range(after, after + many)]


def round_and_round(
    name: str, channel: str, topic: str, *, priority: int = 50, triggered: bool = False
) -> str:
    """A playbook that says the same thing again and again, a hundred times."""
    when = "when: limit_reached, " if triggered else ""
    enter = f"enter: {{{when}because: x, reentry: {{after: 10min}}}}\n"
    steps = (
        f"  say:   {{send: {{channel: {channel}, template: note, patience: 2d}}, wait: 10min, at_most: 100,"
        " then: {no_response: say, not_sent: pause, exhausted: done}}\n"
        "  pause: {wait: 10min, then: say}\n"
        "  done:  {end: finished}\n"
    )
    return playbook(name, steps, topic=topic, more=f"priority: {priority}\n{enter}")


NOTICE = round_and_round("notice", "[email, in_app]", "service", triggered=True)


def playbooks() -> list[str]:
    """Offers that the product starts, reactions to a signal, and a notice that obeys no cap but every opt-out."""
    made = []
    for at, name in enumerate((*STARTED, *TRIGGERED)):
        channel, topic = KINDS[at % len(KINDS)]
        made.append(round_and_round(name, channel, topic, priority=10 * at, triggered=name in TRIGGERED))
    return [*made, NOTICE]


def populate(scene: Scene, keys: list[str]) -> None:
    """Everybody is known and in the product; from then on an hour passes in a second."""
    engine = scene.engine
    engine.identify(
        [Identify(key=key, traits={"timezone": "UTC", "email": f"{key}@shop.example"}) for key in keys]
    )
    engine.track([Track(key=key, event="session_started") for key in keys])
    scene.drain()
    engine.set_clock_rate(RATE)


def all_leave(scene: Scene, keys: list[str]) -> None:
    """Nothing more happens to these people."""
    for key in keys:
        scene.opted_out(key)


def publish(scene: Scene, limits: tuple[Limit, ...], *books: str) -> None:
    """These playbooks, under these caps."""
    with in_force(scene.engine.database, limits):
        scene.publish_playbooks(*books, policy=policy(limits))


def change_caps(scene: Scene, limits: tuple[Limit, ...]) -> None:
    """Other caps; of the playbooks only the notice is read anew, for reading all of them takes a processor a while."""
    publish(replace(scene, folder=scene.folder.with_name("caps")), limits, NOTICE)


def policy(limits: tuple[Limit, ...]) -> str:
    lines = []
    for limit in limits:
        only = {"channel": limit.channel, "topic": limit.topic}
        named = "".join(f", {name}: {outcome}" for name, outcome in only.items() if outcome)
        lines.append(f"  - {{at_most: {limit.at_most}, within: {_hours(limit)}h{named}}}\n")
    return f"caps:\n{''.join(lines)}" + "rests: {ignored: 10min}\n"


def caps(limits: tuple[Limit, ...]) -> tuple[Cap, ...]:
    """The same as the invariants ask for them."""
    return tuple(
        Cap(
            at_most=limit.at_most,
            within=Duration(count=_hours(limit), unit="h"),
            channel=limit.channel,
            topic=limit.topic,
        )
        for limit in limits
    )


def _hours(limit: Limit) -> int:
    return limit.within // HOUR


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Who takes part, and how long: until ``enough`` says so, at most for ``seconds``.

    ``policies`` are published in turn; without any the one in force stays.
    """

    roles: tuple[Role, ...]
    keys: list[str]
    seconds: float
    scopes: tuple[Scope, ...] = SCOPES
    policies: tuple[tuple[Limit, ...], ...] = ()
    enough: Callable[[Verdict], bool] | None = None
    without: Guard | None = None
    wide: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    verdict: Verdict
    tries: Counter[str]
    done: Counter[str]
    overlaps: int

    def __str__(self) -> str:
        """What was measured, for whoever reads a failure or asks how much was tried."""
        lines = [f"{self.tries.total():,} tries, {self.verdict}, {self.overlaps:,} overlaps"]
        for title, counted in (("tries", self.tries), ("done", self.done)):
            lines.append(
                f"{title}: " + ", ".join(f"{outcome} {many:,}" for outcome, many in sorted(counted.items()))
            )
        return "\n".join(lines)


def stress(scene: Scene, url: str, crowd: Crowd) -> Counter[str]:
    """All processes at once; what they did, by name."""
    over = scene.folder.with_name("over")
    scene.execute("TRUNCATE stress_ready")
    parts = [
        Part(
            role=role,
            number=crowd.roles[:at].count(role),
            of=crowd.roles.count(role),
            database_url=url,
            keys=crowd.keys,
            started=list(STARTED),
            scopes=crowd.scopes,
            seconds=crowd.seconds,
            all_of=len(crowd.roles),
            over=over,
            without=crowd.without,
            wide=crowd.wide,
        )
        for at, role in enumerate(crowd.roles)
    ]
    done: Counter[str] = Counter()
    with ProcessPoolExecutor(len(parts), mp_context=multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(child, part) for part in parts]
        _meanwhile(scene, crowd, running, over)
        for one in running:
            done.update(one.result(timeout=1))
    return done


def measured(scene: Scene, done: Counter[str]) -> Result:
    """Everything that was stamped since the ledger was laid."""
    database = scene.engine.database
    return Result(verdict=judge(database), tries=tries(database), done=done, overlaps=overlaps(database))


def _meanwhile(scene: Scene, crowd: Crowd, running: list[Future[Counter[str]]], over: Path) -> None:
    """The caps are lowered and raised again and again; and somebody looks whether it is enough."""
    ends = monotonic() + crowd.seconds + 120
    policies = cycle(crowd.policies)
    pause = POLICY_STAYS if crowd.policies else 0.5
    while monotonic() < ends and wait(running, timeout=pause).not_done:
        if crowd.policies:
            change_caps(scene, next(policies))
        if crowd.enough is not None and crowd.enough(judge(scene.engine.database)):
            over.touch()
