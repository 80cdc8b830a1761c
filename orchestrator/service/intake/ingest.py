"""Takes in profile facts, signals and answers: validated, appended to inboxes, each once; nobody is locked.

A batch keeps its good items whatever is wrong with the others, and says of each refused one what and where.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar, get_args

from channels.table import channel_table
from orchestrator.errors import InputError, NotFound
from orchestrator.ids import MESSAGE, new_key, parse_public_id
from orchestrator.records.inbox import InboxItem
from orchestrator.records.intake import (
    Identify,
    IngestReport,
    Refused,
    ReportedResponse,
    ResponseOutcome,
    Track,
)
from orchestrator.service.context import ServiceContext
from orchestrator.service.intake.validate import (
    checked_event,
    checked_id,
    checked_text,
    checked_traits,
    problem_with_key,
)
from orchestrator.telemetry import emit

IngestItem = TypeVar("IngestItem", Identify, Track)

_FORGOTTEN = "the person asked to be forgotten"
RESPONSE_OUTCOMES: frozenset[str] = frozenset(get_args(ResponseOutcome))


def identify(services: ServiceContext, items: Sequence[Identify]) -> IngestReport:
    """Profile facts about people and accounts. Account traits are merged at once and told to the members."""
    kept, refused = _sifted(items, checked_traits)
    good = list(kept.values())
    if not good:
        return _told("identify", IngestReport(taken=0, repeated=0, refused=refused))
    with services.store.begin() as transaction:
        now = transaction.instants().business
        people = [item for item in good if not item.account]
        accounts = [item for item in good if item.account]
        named = {str(item.traits["account"]) for item in people if item.traits.get("account")}
        account_ids = transaction.customers.ensure_accounts(named | {item.key for item in accounts}, now)
        ids = transaction.customers.ensure({item.key for item in people}, now)
        forgotten = transaction.customers.forgotten(
            {address for item in people for _, address in _addresses(item)}
        )
        gone = _gone(kept, ids, forgotten)
        transaction.customers.merge_accounts([(account_ids[item.key], item.traits) for item in accounts])
        members = transaction.customers.members({item.key for item in accounts})
        arrivals = [
            InboxItem(
                customer_id=ids[item.key],
                kind="identify",
                source_id=_source(item.source_id, "identify"),
                occurred_at=item.occurred_at or now,
                data=_profile(item, account_ids, forgotten),
            )
            for item in people
            if item.key in ids
        ]
        arrivals += [
            InboxItem(
                customer_id=member,
                kind="identify",
                source_id=_source(item.source_id, "account"),
                occurred_at=item.occurred_at or now,
                data={"traits": {}, "account_traits": dict(item.traits)},
            )
            for item in accounts
            for member in members[item.key]
        ]
        new = transaction.inbox.append(arrivals, now)
    return _told(
        "identify",
        IngestReport(
            taken=new + len(accounts), repeated=len(arrivals) - new, refused=_in_order(refused, gone)
        ),
    )


def track(services: ServiceContext, items: Sequence[Track]) -> IngestReport:
    """Signals about people, or about accounts: those go to every member, and so do goals that count per account."""
    kept, refused = _sifted(items, checked_event)
    good = list(kept.values())
    if not good:
        return _told("track", IngestReport(taken=0, repeated=0, refused=refused))
    with services.store.begin() as transaction:
        now = transaction.instants().business
        account_goals = transaction.catalogue().account_goals
        people = [item for item in good if not item.account]
        ids = transaction.customers.ensure({item.key for item in people}, now)
        members = transaction.customers.members({item.key for item in good if item.account})
        gone = _gone(kept, ids)
        shared = {ids[item.key] for item in people if item.event in account_goals and item.key in ids}
        colleagues = transaction.customers.colleagues(shared)
        arrivals: list[InboxItem] = []
        for item in good:
            source = _source(item.source_id, "track")
            if item.account:
                arrivals += [_signal(member, item, source, now, account=True) for member in members[item.key]]
            elif item.key in ids:
                arrivals.append(_signal(ids[item.key], item, source, now))
                if item.event in account_goals:
                    arrivals += [
                        _signal(other, item, source, now, account=True, goal_only=True)
                        for other in colleagues.get(ids[item.key], ())
                    ]
        new = transaction.inbox.append(arrivals, now)
    report = IngestReport(taken=new, repeated=len(arrivals) - new, refused=_in_order(refused, gone))
    return _told("track", report)


def respond(services: ServiceContext, answer: ReportedResponse) -> bool:
    """Append an answer to the inbox. False if this source was heard before.

    Raises InputError for a malformed id or an outcome that is none of :data:`RESPONSE_OUTCOMES`, NotFound for a
    message of a customer there is not.
    """
    message = parse_public_id(answer.message_id, prefix=MESSAGE)
    if answer.outcome not in RESPONSE_OUTCOMES:
        known = ", ".join(sorted(RESPONSE_OUTCOMES))
        raise InputError("$.outcome", f"expected one of {known}; got {answer.outcome[:40]!r}")
    if answer.source_id is not None:
        checked_id(answer.source_id, "$.source_id")
    data = {
        "message_id": message.row_id,
        "outcome": answer.outcome,
        "detail": checked_text(answer.detail, "$.detail"),
        "comment": checked_text(answer.comment, "$.comment"),
    }
    source = f"{answer.message_id}:{answer.outcome}:{answer.detail or ''}"
    with services.store.begin() as transaction:
        now = transaction.instants().business
        if not transaction.messages.exists(message.customer_id, message.row_id):
            raise NotFound("message", answer.message_id)
        arrival = InboxItem(
            customer_id=message.customer_id,
            kind="response",
            source_id=_source(answer.source_id or source, "response"),
            occurred_at=answer.at or now,
            data={name: value for name, value in data.items() if value is not None},
        )
        return transaction.inbox.append([arrival], now) == 1


def _told(kind: str, report: IngestReport) -> IngestReport:
    emit(
        "signals.taken",
        kind=kind,
        taken=report.taken,
        repeated=report.repeated,
        refused=len({one.index for one in report.refused}),
    )
    return report


def _sifted(
    items: Sequence[IngestItem], check: Callable[[IngestItem], IngestItem]
) -> tuple[dict[int, IngestItem], tuple[Refused, ...]]:
    """The good items by their place in the batch, and what is wrong with the others."""
    good: dict[int, IngestItem] = {}
    refused: list[Refused] = []
    for index, item in enumerate(items):
        wrong = problem_with_key(item.key)
        if wrong is not None:
            refused.append(Refused(index=index, path="$.key", problem=wrong))
            continue
        try:
            good[index] = check(item)
        except InputError as error:
            refused.append(Refused(index=index, path=error.path, problem=error.message))
    return good, tuple(refused)


def _gone(
    kept: Mapping[int, Identify] | Mapping[int, Track],
    ids: Mapping[str, int],
    forgotten: Collection[str] = (),
) -> list[Refused]:
    """Facts about people who asked to be forgotten: nobody of their key is made again, their addresses are left out."""
    found: list[Refused] = []
    for index, item in kept.items():
        if item.account:
            continue
        if item.key not in ids:
            found.append(Refused(index=index, path="$.key", problem=_FORGOTTEN))
        elif isinstance(item, Identify):
            found += [
                Refused(index=index, path=f"$.traits.{name}", problem=f"{_FORGOTTEN}; this was left out")
                for name, address in _addresses(item)
                if address in forgotten
            ]
    return found


def _addresses(item: Identify) -> list[tuple[str, str]]:
    return [
        (name, item.traits[name])
        for name in channel_table().address_traits
        if isinstance(item.traits.get(name), str)
    ]


def _in_order(*refused: Sequence[Refused]) -> tuple[Refused, ...]:
    return tuple(sorted((one for some in refused for one in some), key=lambda one: one.index))


def _profile(item: Identify, account_ids: Mapping[str, int], forgotten: Collection[str]) -> dict[str, object]:
    left_out = {"account", *(name for name, address in _addresses(item) if address in forgotten)}
    traits = {name: value for name, value in item.traits.items() if name not in left_out}
    data: dict[str, object] = {"traits": traits}
    if item.traits.get("account"):
        data["account_id"] = account_ids[str(item.traits["account"])]
    return data


def _signal(customer_id: int, item: Track, source: str, now: datetime, **marks: bool) -> InboxItem:
    data: dict[str, object] = {"name": item.event, "properties": dict(item.properties), **marks}
    return InboxItem(
        customer_id=customer_id,
        kind="signal",
        source_id=source,
        occurred_at=min(item.occurred_at or now, now),
        data=data,
    )


def _source(given: str | None, kind: str) -> str:
    return f"{kind}:{given}" if given is not None else f"{kind}:{new_key()}"
