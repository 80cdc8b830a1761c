"""The faults that ``doctor`` and the dashboard name. Each has a page in the runbook, under its own name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# name -> what to do, in a sentence; docs/runbook/NAME.md says the rest
FAULTS: Mapping[str, str] = {
    "database-away": "bring PostgreSQL back; nothing is lost meanwhile",
    "schema": "run `orchestrator db upgrade`, or start the release that fits",
    "definition-unreadable": "start the release that published it, or publish a version this release can read",
    "nobody-works": "start workers and beat, or `orchestrator serve` without a broker",
    "lane-behind": "look which lane it is, then whether workers work, wait for locks or for a provider",
    "claiming-stopped": "read the reason, then go back to the release before or mend the schema; nobody is set aside",
    "breaker-open": "look at the provider's status page; its messages wait, other channels go on",
    "rate-used-up": "wait, or raise ORCHESTRATOR_PROVIDER_RATES if the provider allows more",
    "provider-credentials": "set the provider's key; what it refused for that is not sent again",
    "uncertain-messages": "wait for the provider's callbacks; look whether its webhook reaches you",
    "parked": "put the cause right, then release them on the page Engine",
    "results-waiting": "look at PostgreSQL: answers are kept in the workers and filed when it takes them",
    "locks-held": "look at the batch's playbook functions and at PostgreSQL's load",
    "broker-silent": "bring the broker back; workers sweep by themselves meanwhile",
    "clock": "set the machines' clocks by NTP; in production ORCHESTRATOR_CLOCK_RATE must be 1",
    "database-limits": "raise max_connections, or lower ORCHESTRATOR_POOL_SIZE and --concurrency",
    "statistics-missing": "run ANALYZE, and switch autovacuum on",
    "restored-backup": "run `orchestrator restored`: this database was put back from a backup",
    "withdrawal-log": "make room on the log's disk; withdrawals wait in the database and are written to it then",
    "long-transactions": "end the transaction that holds the others up, or the report that runs on the primary",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing looked at. ``ok`` is None for a fact that is neither good nor bad; ``fault`` is what it is called when
    it is bad."""

    about: str
    ok: bool | None
    words: str
    fault: str | None = None

    @property
    def page(self) -> str | None:
        """The page of the runbook, when somebody should look."""
        return f"docs/runbook/{self.fault}.md" if self.fault and self.ok is False else None

    @property
    def advice(self) -> str | None:
        """What to do, in a sentence, when somebody should look."""
        return FAULTS[self.fault] if self.fault and self.ok is False else None
