"""The judge: which law was broken, from the provider's ledger, the database's rows and what the crowd was answered.

It shares no code with the engine, and believes nobody: what was taken is known by the provider, what was promised by
the answers, and what the engine thinks by its rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tests.faults.harness.records import Call, Evidence, Message, MessageKey

LAWS = {
    "doubled": "a message was taken twice",
    "repeated": "a message that may have been taken was called for again",
    "invented": "the provider was given what is no message, or one is said to be sent that it never took",
    "lost": "what was taken, answered or promised is not in the database",
    "over_cap": "more was taken than a cap allows",
    "late": "a call began more than two seconds after a withdrawal was answered",
    "not_ended": "an enrollment did not come to its end",
    "unsettled": "a message's fate stayed open",
    "parked": "somebody was set aside",
    "invariant": "rows break an invariant",
    "withdrawal_refused": "a withdrawal was not taken in while PostgreSQL answered",
}
WITHIN = 2.0  # seconds: what was authorised before a withdrawal may begin so long after it
HELD_UP = "providers still"  # the network holds bytes back: a call began before the provider saw it
AROUND_AN_OUTAGE = 10.0  # seconds in which a withdrawal may meet what an outage left behind
_OPEN = ("planned", "handing_over", "uncertain")
_MAY_HAVE_LEFT = ("sent", "handing_over", "uncertain", "abandoned")


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    law: str
    about: str

    def __str__(self) -> str:
        return f"{self.law}: {self.about}"


def judge(evidence: Evidence) -> list[Violation]:
    """Every violation found."""
    books = _Books(evidence)
    found: list[tuple[str, str]] = [
        *_twice(books),
        *_invented(books),
        *_lost(books),
        *_over_caps(books),
        *_late(books),
        *_open(books),
        *(("parked", one) for one in evidence.parked),
        *(("invariant", one) for one in evidence.invariants),
        *_refused(evidence),
    ]
    return [Violation(law=law, about=about) for law, about in found]


def summary(evidence: Evidence) -> dict[str, object]:
    """Figures of a run."""
    books = _Books(evidence)
    return {
        "customers": len({customer for customer, _ in evidence.expected}),
        "enrollments": len(evidence.enrollments),
        "messages": len(evidence.messages),
        "calls": len(evidence.calls),
        "taken": len(books.taken),
        "status": dict(Counter(message.status for message in evidence.messages)),
        "withdrawals": len(evidence.withdrawals),
        "within_two_seconds": sum(1 for _, after in books.after_withdrawals if after <= WITHIN),
        "longest_after_withdrawal": round(
            max((after for _, after in books.after_withdrawals), default=0.0), 2
        ),
        "met_faults": dict(Counter(call.fault for call in evidence.calls if call.fault)),
    }


class _Books:
    """The evidence by message."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.messages: Mapping[MessageKey, Message] = {one.key: one for one in evidence.messages}
        self.calls: dict[MessageKey, list[Call]] = defaultdict(list)
        self.strange: list[Call] = []
        for call in sorted(evidence.calls, key=lambda one: one.place):
            if call.message is not None and call.message in self.messages:
                self.calls[call.message].append(call)
            else:
                self.strange.append(call)
        self.taken = {key for key, calls in self.calls.items() if any(call.taken for call in calls)}

    @cached_property
    def after_withdrawals(self) -> Sequence[tuple[Call, float]]:
        """Calls of what a withdrawal covers that began after its answer, taken or not, and how long after."""
        by_customer = defaultdict(list)
        for one in self.evidence.withdrawals:
            by_customer[one.customer_id].append(one)
        found: list[tuple[Call, float]] = []
        for key, calls in self.calls.items():
            answers = [one.answered for one in by_customer.get(key[0], ()) if one.covers(self.messages[key])]
            found += [
                (call, call.began - min(answers)) for call in calls if answers and call.began > min(answers)
            ]
        return found


Found = Iterator[tuple[str, str]]


def _twice(books: _Books) -> Found:
    for key, calls in books.calls.items():
        times = sum(call.taken for call in calls)
        if times > 1:
            yield "doubled", f"message {key} was taken {times} times"
        elif blind := next((one for one in calls[:-1] if one.taken or not one.caller_knows), None):
            yield "repeated", f"message {key} met {blind.fault or 'a taken call'} and was called for again"


def _invented(books: _Books) -> Found:
    for call in books.strange:
        yield "invented", f"{call.service} was given {call.message} for {call.to}, which is no message"
    for key, message in books.messages.items():
        if (
            message.status == "sent"
            and message.channel in books.evidence.over_http
            and key not in books.taken
        ):
            yield "invented", f"message {key} is said to be sent by {message.channel}, nobody took it"


def _lost(books: _Books) -> Found:
    for key in books.taken:
        message = books.messages[key]
        if message.status not in _MAY_HAVE_LEFT:
            yield "lost", f"message {key} was taken and is {message.status} ({message.reason})"
    for key in books.evidence.told & books.taken:
        if (status := books.messages[key].status) != "sent":
            yield "lost", f"message {key} arrived, as its provider told, and is {status}"
    known = {(one.customer, one.playbook) for one in books.evidence.enrollments}
    for customer, playbook in books.evidence.expected:
        if (customer, playbook) not in known:
            yield "lost", f"{customer} was started in {playbook} and is not in it"


def _over_caps(books: _Books) -> Found:
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for key in books.taken:
        counts[key[0]][books.messages[key].channel] += 1
    for limit in books.evidence.limits:
        for customer_id, by_channel in counts.items():
            many = by_channel.total() if limit.channel is None else by_channel[limit.channel]
            if many > limit.at_most:
                of = limit.channel or "all"
                yield "over_cap", f"customer {customer_id} got {many} of {of}, {limit.at_most} are allowed"


def _late(books: _Books) -> Found:
    held_up = [span for span in books.evidence.spans if span.what == HELD_UP]
    for call, after in books.after_withdrawals:
        on_the_wire = any(span.began <= call.began <= span.ended + 1.0 for span in held_up)
        if after > WITHIN and not on_the_wire:
            yield "late", f"message {call.message} began {after:.2f} s after a withdrawal that covers it"


def _open(books: _Books) -> Found:
    for one in books.evidence.enrollments:
        if not one.ended:
            yield "not_ended", f"{one.customer} in {one.playbook}"
    for key, message in books.messages.items():
        if message.status in _OPEN:
            yield "unsettled", f"message {key} is {message.status} ({message.reason})"


def _refused(evidence: Evidence) -> Found:
    for one in evidence.refused:
        excused = any(
            span.began - 1.0 <= one.asked <= span.ended + AROUND_AN_OUTAGE for span in evidence.spans
        )
        if not excused:
            yield "withdrawal_refused", f"by {one.door}: {one.answer}"
