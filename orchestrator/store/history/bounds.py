"""What keeps each table from growing without end: a bound of its own, or a time for which policy.yaml keeps its rows.

Every table stands here, and a test fails for one that does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """``by`` says how many rows there can be; ``kept`` is the key of ``retention`` that lets them go."""

    by: str
    kept: str | None = None


def _goes_with_its_enrollment(by: str) -> Bound:
    return Bound(by=by, kept="enrollments")


BOUNDS: Mapping[str, Bound] = {
    # who and what there is
    "accounts": Bound(by="one row for each account"),
    "customers": Bound(by="one row for each customer; an erased one is blanked and stays"),
    "contact_points": Bound(by="one row for each customer and channel"),
    "tombstones": Bound(
        by="one row for each key and address of an erased person: they keep the person out for good"
    ),
    "playbooks": Bound(by="one row for each published version"),
    "playbook_states": Bound(by="one row for each playbook"),
    "account_policies": Bound(by="one row for each published content of policy.yaml"),
    # what moves
    "timers": Bound(by="one row for each enrollment in progress"),
    "dispatch": Bound(by="one row for each message that is not settled"),
    "inbox": Bound(
        by="what came in and is not applied yet, seconds old; of a parked customer it waits until the customer is"
        " released or erased"
    ),
    "parked": Bound(by="one row for each customer or enrollment that is set aside, until it is released"),
    # what was done
    "enrollments": _goes_with_its_enrollment(
        "one row for each enrollment; the newest of each playbook stays"
    ),
    "messages": _goes_with_its_enrollment(
        "one row for each visit of a step that speaks; goes with its enrollment"
    ),
    "conversions": _goes_with_its_enrollment("one row for each enrollment at most; goes with it"),
    "cap_slots": _goes_with_its_enrollment("one row for each message at most; goes with its enrollment"),
    "feed_items": _goes_with_its_enrollment("one row for each in-app message; goes with its enrollment"),
    "provider_ids": _goes_with_its_enrollment(
        "one row for each message a provider took; goes with its enrollment"
    ),
    "journal": Bound(
        by="a few rows for each visit of a step; goes with its enrollment at the latest", kept="journal"
    ),
    "verdicts": Bound(
        by="one row for each answer of the policies about a message that differs from the one before; the last one"
        " of each message stays until its enrollment goes",
        kept="verdicts",
    ),
    "receipts": Bound(
        by="one row for each report of a provider, repeated ones once; goes with its enrollment at the latest",
        kept="receipts",
    ),
    "sandbox_inbox": Bound(by="one row for each message to a sandbox", kept="sandbox"),
    "refusals": Bound(
        by="one row for each customer, playbook, trigger and reason: equal ones are counted", kept="refusals"
    ),
    "not_entered": Bound(
        by="one row for each customer, playbook, trigger and reason: equal ones are counted",
        kept="not_entered",
    ),
    "cooldowns": Bound(by="one row for each cooldown that a customer had", kept="cooldowns"),
    "holds": Bound(by="one row for each hold that was open", kept="holds"),
    # what was said from outside
    "signals": Bound(
        by="one row for each signal; the newest of each kind and customer stays", kept="signals"
    ),
    "seen_sources": Bound(by="one row for each fact from outside", kept="seen_sources"),
    "api_requests": Bound(by="one row for each Idempotency-Key", kept="api_requests"),
    "consent_ledger": Bound(
        by="one row for each grant and withdrawal, repeated ones once; the proof of them is kept for good"
    ),
    "consents": Bound(by="one row for each customer, channel and topic"),
    # a restored backup
    "restores": Bound(by="one row for each time the database was put back from a backup"),
    "doubtful_steps": _goes_with_its_enrollment(
        "one row for each enrollment that a restored backup left in doubt; goes with it"
    ),
    "awaiting_withdrawals": Bound(
        by="one row for each withdrawal in the log whose customer a restored backup did not know: it keeps them closed"
    ),
    "unlogged_withdrawals": Bound(by="what the withdrawal log has missed, until it can be written"),
    "withdrawal_log_marks": Bound(by="one row"),
    # the engine itself
    "clock": Bound(by="one row"),
    "chores": Bound(by="one row for each thing done once a day"),
    "batches_in_hand": Bound(
        by="one row for each thread that takes customers; those of dead processes are taken over"
    ),
    "processes": Bound(by="one row for each process that was heard of lately"),
    "work_counters": Bound(by="one row for each figure and its labels"),
    "base_scans": Bound(by="one row for each playbook with a scan, and one for the policy"),
    "counting_passes": Bound(by="one row for each table that is counted"),
    "report_snapshots": Bound(by="one row for each playbook, and a few"),
}
