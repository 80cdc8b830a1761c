"""One turn of a customer: what came in, what is known of hand-overs, what is due by time, what may be said now.

The order is the law, and each item sees what the one before it did. Nothing here reads or writes the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.core.customer_state import CustomerState
from orchestrator.records.consent import NewConsentRow
from orchestrator.service.context import Batch
from orchestrator.service.delivery.authorise import AuthorisedSend, Compose, authorise_messages
from orchestrator.service.delivery.file_results import CompletedSend, file_answer, keep_local_copy
from orchestrator.service.delivery.provider_gates import Remaining
from orchestrator.service.enrollment.apply_inbox import apply_inbox
from orchestrator.service.enrollment.apply_timers import apply_timers
from orchestrator.service.enrollment.missed import apply_missed


@dataclass(kw_only=True)
class Turns:
    """The turns of one transaction, and what they come to when it is committed.

    ``remaining`` None: nothing is handed over.
    """

    compose: Compose
    remaining: Remaining | None
    moved: int = 0  # enrollments
    reached: set[int] = field(default_factory=set)  # customers whose answers are filed
    authorised: list[AuthorisedSend] = field(default_factory=list)
    withdrawn: list[NewConsentRow] = field(default_factory=list)

    def take(self, customer: CustomerState, batch: Batch, answers: Sequence[CompletedSend] = ()) -> None:
        """The whole turn. Answers are filed whatever else there is time for: the rest keeps its place."""
        apply_missed(customer, batch)
        apply_inbox(customer, batch)
        withdrawn = [row for answer in answers for row in file_answer(customer, answer, batch)]
        authorised: list[AuthorisedSend] = []
        if not (answers and batch.is_over()):
            apply_timers(customer, batch)
            if self.remaining is not None:
                authorised = authorise_messages(customer, self.remaining, self.compose, batch)
        for job in [*(answer.job for answer in answers), *(one for one in authorised if one.settled)]:
            keep_local_copy(customer, job)
        self.moved += sum(work.changed for work in customer.enrollments.values())
        self.authorised += authorised  # not before all went well: a customer whose turn fails is not saved
        self.withdrawn += withdrawn
        self.reached.add(customer.customer_id)

    def file_alone(self, customer: CustomerState, batch: Batch, answers: Sequence[CompletedSend]) -> None:
        """The answers, and nothing that could keep them from being filed."""
        for answer in answers:
            self.withdrawn += file_answer(customer, answer, batch)
            keep_local_copy(customer, answer.job)
