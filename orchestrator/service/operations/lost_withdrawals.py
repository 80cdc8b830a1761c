"""Withdrawals of the time that a restored database does not know: from the log outside it, and from providers."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from channels.base import ListsSuppressions, SuppressionList
from orchestrator.core.consent.scope import ANY
from orchestrator.errors import InputError, OrchestratorError
from orchestrator.records.consent import ConsentEvidence, ConsentFact
from orchestrator.records.intake import Refused
from orchestrator.records.restore import (
    LogContents,
    LoggedWithdrawal,
    Progress,
    RestoreState,
    SuppressionAnswer,
)
from orchestrator.service.consent.ledger import ImportedFacts, read_back
from orchestrator.service.context import ServiceContext
from orchestrator.service.intake.validate import checked_address

KEYS_AT_ONCE = 2000
SLACK = timedelta(hours=1)  # clocks of hosts differ, and a dump takes a while
LISTED_WITHIN = 60.0  # seconds for a provider's list
_FROM_LOG = ConsentEvidence(method="restored_log", source="withdrawal log", actor="restored")
_FROM_PROVIDER = ConsentEvidence(method="provider_sync", source="suppression list", actor="restored")

Erase = Callable[[str], object]
"""Forgets the customer of a key, and tells the providers."""


def what_is_missing(log: LogContents | None, restore: RestoreState) -> str | None:
    """Why the log cannot be relied on to be whole; None when it can."""
    if log is None or not log.files:
        return "there is no withdrawal log"
    numbers = {mark.number: mark.at for mark in log.marks}
    if not numbers:
        return "the withdrawal log has no marks: it was not written by this software's processes"
    since = restore.since or restore.until
    first = min(numbers.values())
    if first > since + SLACK:
        return f"the withdrawal log begins at {first:%Y-%m-%d %H:%M} UTC, after the backup"
    after = sorted(number for number, at in numbers.items() if at >= since)
    for low, high in pairwise(after):
        if high != low + 1:
            return f"marks {low + 1} to {high - 1} are in no file: a host's log is missing, or could not be written"
    last = max(log.marks, key=lambda mark: mark.number)
    if last.unlogged:
        return f"{last.unlogged} withdrawals waited to be written when the last mark was made"
    return None


def entries_since(log: LogContents | None, restore: RestoreState) -> list[LoggedWithdrawal]:
    """Those since the backup, each once, the oldest first."""
    since = (restore.since or restore.until) - SLACK
    found: dict[tuple[str, ...], LoggedWithdrawal] = {}
    for entry in sorted(log.withdrawals if log is not None else (), key=lambda one: one.recorded_at):
        if entry.recorded_at >= since:
            said = (entry.kind, entry.customer, entry.channel, entry.topic, entry.occurred_at.isoformat())
            found.setdefault(said, entry)
    return list(found.values())


def read_log_back(
    services: ServiceContext,
    restore: RestoreState,
    entries: Sequence[LoggedWithdrawal],
    erase: Erase,
    progress: Progress,
) -> tuple[int, list[Refused]]:
    """Each to the customer of its key; where nobody bears the key, to everybody reached at its addresses. How many
    were in the ledger before, and what could not be stored."""
    if not entries:
        return 0, []
    wanted: dict[str, list[LoggedWithdrawal]] = defaultdict(list)
    for entry in entries:
        wanted[entry.customer].append(entry)
    people = _by_key(services, set(wanted), progress)
    unknown = [entry for entry in entries if entry.customer not in people]
    theirs: dict[int, list[LoggedWithdrawal]] = defaultdict(list)
    keys: dict[int, str] = {}
    for hashed, (customer_id, key) in people.items():
        keys[customer_id] = key
        theirs[customer_id] += [entry for entry in wanted[hashed] if entry.kind == "revoked"]
    for customer_id, key, entry in _by_address(services, [one for one in unknown if one.kind == "revoked"]):
        keys[customer_id] = key
        theirs[customer_id].append(entry)
    new, known, refused = _apply(services, theirs, keys)
    forgotten = _forget(entries, people, erase, refused)
    with services.store.begin() as transaction:
        transaction.restores.bury([entry for entry in entries if entry.kind == "erased"])
        awaiting = transaction.restores.await_people([one for one in unknown if one.kind == "revoked"])
        numbers = {"withdrawn": new, "erased": forgotten, "awaiting": awaiting}
        transaction.restores.add(restore.id, numbers)
    return known, refused


def _by_key(services: ServiceContext, hashes: set[str], progress: Progress) -> dict[str, tuple[int, str]]:
    """The customers whose key has one of these hashes: id and key."""
    found: dict[str, tuple[int, str]] = {}
    with services.store.begin() as transaction:
        total = transaction.restores.count_customers()
    after = done = 0
    while len(found) < len(hashes):
        with services.store.begin() as transaction:
            some = transaction.restores.keys(after=after, limit=KEYS_AT_ONCE)
        if not some:
            break
        found |= {hashed: (customer_id, key) for customer_id, key, hashed in some if hashed in hashes}
        after, done = some[-1][0], done + len(some)
        progress("customers", min(done, total), total)
    return found


def _by_address(
    services: ServiceContext, entries: Sequence[LoggedWithdrawal]
) -> Iterator[tuple[int, str, LoggedWithdrawal]]:
    """Everybody reached at an address of these entries, with the entry as far as it concerns that address."""
    wanted: dict[str, list[LoggedWithdrawal]] = defaultdict(list)
    for entry in entries:
        for _, hashed in entry.addresses:
            wanted[hashed].append(entry)
    after = (0, "")
    while wanted:
        with services.store.begin() as transaction:
            some = transaction.restores.addresses(after=after, limit=KEYS_AT_ONCE)
        if not some:
            return
        for customer_id, key, channel, hashed in some:
            for entry in wanted.get(hashed, ()):
                scope = channel if entry.channel == ANY else entry.channel
                yield customer_id, key, _narrowed(entry, scope)
        after = (some[-1][0], some[-1][2])


def _narrowed(entry: LoggedWithdrawal, channel: str) -> LoggedWithdrawal:
    """Of another person at the same address: what was said about this channel."""
    return LoggedWithdrawal(
        kind=entry.kind,
        channel=channel,
        topic=entry.topic,
        method=entry.method,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        customer=entry.customer,
    )


def _apply(
    services: ServiceContext, theirs: Mapping[int, Sequence[LoggedWithdrawal]], keys: Mapping[int, str]
) -> tuple[int, int, list[Refused]]:
    """Through the ledger: how many were new, how many known before, and what could not be stored."""
    with services.store.begin() as transaction:
        said = transaction.restores.said_no(list(theirs))
    facts: dict[int, ImportedFacts] = {}
    known = number = 0
    for customer_id, some in theirs.items():
        new = [one for one in some if (customer_id, one.channel, one.topic, one.occurred_at) not in said]
        known += len(some) - len(new)
        for one in new:
            facts.setdefault(customer_id, {})[number] = _fact(keys[customer_id], one)
            number += 1
    taken, refused = read_back(services, facts)
    return taken, known + number - taken - len(refused), refused


def _fact(key: str, entry: LoggedWithdrawal) -> ConsentFact:
    told = f"{entry.customer}:{entry.channel}:{entry.topic}:{entry.occurred_at.isoformat()}"
    return ConsentFact(
        key=key,
        action="revoked",
        occurred_at=entry.occurred_at,
        evidence=_FROM_LOG,
        channel=entry.channel,
        topic=entry.topic,
        source_id=f"restored:{hashlib.sha256(told.encode()).hexdigest()[:32]}",
    )


def _forget(
    entries: Sequence[LoggedWithdrawal],
    people: Mapping[str, tuple[int, str]],
    erase: Erase,
    refused: list[Refused],
) -> int:
    """People who were forgotten since the backup are forgotten again."""
    hashes = dict.fromkeys(entry.customer for entry in entries if entry.kind == "erased")
    count = 0
    for index, hashed in enumerate(one for one in hashes if one in people):
        try:
            erase(people[hashed][1])
            count += 1
        except OrchestratorError as error:
            refused.append(
                Refused(index=index, path="$", problem=f"could not be erased ({type(error).__name__})")
            )
    return count


# --- providers -------------------------------------------------------------------------------------------------------


def ask_providers(
    services: ServiceContext, restore: RestoreState, channels: Iterable[ListsSuppressions]
) -> tuple[list[SuppressionAnswer], list[Refused]]:
    answers: list[SuppressionAnswer] = []
    refused: list[Refused] = []
    since = (restore.since or restore.until) - SLACK
    for channel in channels:
        name, provider = getattr(channel, "name", ""), getattr(channel, "provider", "")
        told = channel.suppressions(since=since, seconds=LISTED_WITHIN)
        new, failed = _suppressed(services, name, told)
        refused += failed
        with services.store.begin() as transaction:
            transaction.restores.add(restore.id, {"withdrawn": new})
        answers.append(
            SuppressionAnswer(
                provider=provider, asked=True, done=told.done, addresses=len(told.entries), detail=told.detail
            )
        )
    return answers, refused


def _suppressed(services: ServiceContext, channel: str, told: SuppressionList) -> tuple[int, list[Refused]]:
    """Whoever is reached at a suppressed address hears nothing on that channel any more."""
    addresses: dict[tuple[str, str], datetime] = {}
    for entry in told.entries:
        try:
            addresses[channel, checked_address(channel, entry.address, "$.address")] = entry.at
        except InputError:
            continue  # no address of anybody here
    with services.store.begin() as transaction:
        reached = transaction.customers.by_address(list(addresses))
        now = transaction.instants().business
    facts: dict[int, ImportedFacts] = {}
    number = 0
    for pair, customer_ids in reached.items():
        for customer_id in customer_ids:
            at = min(addresses[pair], now)
            told_id = hashlib.sha256(f"{pair[1]}:{at.isoformat()}".encode()).hexdigest()[:32]
            facts.setdefault(customer_id, {})[number] = ConsentFact(
                key="",
                action="revoked",
                occurred_at=at,
                evidence=_FROM_PROVIDER,
                channel=channel,
                source_id=f"suppression:{told_id}",
                address=pair[1],
            )
            number += 1
    return read_back(services, facts)
