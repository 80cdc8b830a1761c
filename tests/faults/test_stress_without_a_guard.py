"""The crowd with one guard taken away breaks the law that this guard keeps: so the story of the whole crowd can fail.

Each crowd stops at the first breach. Some have the seam widened in which the lock is missed; that alone breaks nothing.
"""

from __future__ import annotations

from dataclasses import replace

from tests.faults.stress import HOUR, Crowd, measured, names, populate, publish, round_and_round, stress
from tests.faults.stress_ledger import Limit
from tests.support.engine import Scene

KEYS = names(20)
OFFERS = [f"offer{number}" for number in range(4)]
PATIENT = 40.0  # seconds in which a breach must show; most take one or two
CAPPED = Crowd(
    roles=("worker", "worker"), keys=KEYS, seconds=PATIENT, enough=lambda verdict: verdict.over_caps > 0
)
LEAVING = Crowd(
    roles=("worker", "leaver"),
    keys=KEYS,
    seconds=PATIENT,
    scopes=(("email", "*"),),
    enough=lambda verdict: verdict.after_leaving > 0,
)


def begin(scene: Scene, *limits: Limit) -> None:
    """Everybody walks four playbooks, of which each speaks by email or else in the product."""
    publish(scene, limits, *(round_and_round(name, "[email, in_app]", "upsell") for name in OFFERS))
    populate(scene, KEYS)
    for key in KEYS:
        for name in OFFERS:
            scene.start(key, name)


def test_caps_break_without_the_lock(scene: Scene, database_url: str) -> None:
    """Two processes count the places at once and each takes the last one, for another message of the customer."""
    begin(scene, Limit(at_most=1, within=HOUR))
    result = measured(scene, stress(scene, database_url, replace(CAPPED, without="lock", wide=True)))
    assert result.verdict.over_caps > 0, str(result)


def test_caps_break_without_the_second_check(scene: Scene, database_url: str) -> None:
    """Messages that were planned while there was room for any one of them all go out."""
    begin(scene, Limit(at_most=1, within=HOUR))
    result = measured(scene, stress(scene, database_url, replace(CAPPED, without="second check")))
    assert result.verdict.over_caps > 0, str(result)


def test_opt_outs_break_without_the_lock(scene: Scene, database_url: str) -> None:
    """A hand-over is decided, the opt-out is committed, the hand-over is authorised.

    Only the channel is withdrawn: a withdrawal that ends the walk writes a line of its journal, as the hand-over does,
    and the key of the journal stops most of these even without a lock.
    """
    begin(scene, Limit(at_most=100, within=HOUR))
    result = measured(scene, stress(scene, database_url, replace(LEAVING, without="lock", wide=True)))
    assert result.verdict.after_leaving > 0, str(result)


def test_opt_outs_break_without_the_second_check(scene: Scene, database_url: str) -> None:
    """A message that was planned by email goes out by email, though the customer left that channel since.

    What may go nowhere else is withdrawn by the opt-out itself, in its own transaction. So the second check is needed
    where another channel is left: the message stays planned, and is asked again which way it may go.
    """
    begin(scene, Limit(at_most=1, within=HOUR))
    result = measured(scene, stress(scene, database_url, replace(LEAVING, without="second check")))
    assert result.verdict.after_leaving > 0, str(result)


def test_the_widened_seam_alone_breaks_nothing(scene: Scene, database_url: str) -> None:
    """What the crowds without a lock break is not broken by the time they are given for it."""
    begin(scene, Limit(at_most=1, within=HOUR))
    crowd = Crowd(
        roles=("worker", "worker", "leaver"), keys=KEYS, seconds=5, scopes=LEAVING.scopes, wide=True
    )
    result = measured(scene, stress(scene, database_url, crowd))
    assert result.verdict.violations == 0, str(result)
    assert result.verdict.taken > 0, str(result)
