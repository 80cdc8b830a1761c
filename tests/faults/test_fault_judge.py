"""The judge of the fault harness finds each kind of violation in a hand-made ledger, and nothing in a clean one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.harness.judge import LAWS, judge
from tests.faults.harness.records import (
    Call,
    Enrollment,
    Evidence,
    Limit,
    Message,
    Refused,
    Span,
    Withdrawal,
)


def call(row: int = 1, **facts: Any) -> Call:
    standard: dict[str, Any] = {
        "place": row,
        "service": "sendgrid",
        "message": (7, row),
        "to": "anna@example.test",
        "fault": None,
        "taken": True,
        "status": 202,
        "began": 100.0 + row,
        "answered": 100.1 + row,
    }
    return Call(**standard | facts)


def message(row: int = 1, **facts: Any) -> Message:
    standard: dict[str, Any] = {
        "customer_id": 7,
        "id": row,
        "status": "sent",
        "reason": None,
        "channel": "email",
        "topic": "upsell",
    }
    return Message(**standard | facts)


def withdrawal(**facts: Any) -> Withdrawal:
    standard: dict[str, Any] = {
        "customer_id": 7,
        "channel": "*",
        "topic": "upsell",
        "door": "one_click",
        "answered": 99.0,
    }
    return Withdrawal(**standard | facts)


CLEAN = Evidence(
    calls=(
        call(1),
        call(2, place=3, began=104.0),
        call(3, place=2, taken=False, fault="rate_limit", status=429),
        call(3, place=4, message=(7, 3), service="twilio", began=105.0),
        call(4, place=5, taken=False, fault="hang", status=None, answered=None),
    ),
    messages=(
        message(1),
        message(2),
        message(3, channel="sms", topic="news"),
        message(4, status="abandoned"),
        message(5, status="not_sent", reason="opted_out"),
    ),
    enrollments=(Enrollment(customer="anna", playbook="offer", ended=True),),
    expected=(("anna", "offer"),),
    limits=(Limit(at_most=3), Limit(at_most=2, channel="email")),
    withdrawals=(
        withdrawal(
            topic="news", channel="email", answered=90.0
        ),  # of a topic nothing was sent about by email
        withdrawal(answered=102.5),  # the second mail began 1.5 s later: authorised before
    ),
    refused=(Refused(door="api", asked=61.0, answer="503"),),
    spans=(Span(what="postgres", began=60.0, ended=65.0),),
    told=frozenset({(7, 1)}),
)

CASES: dict[str, tuple[str, Evidence]] = {
    "taken by two calls": (
        "doubled",
        replace(CLEAN, calls=(*CLEAN.calls, call(1, place=9, began=102.0))),
    ),
    "repeated after an answer that never came": (
        "repeated",
        replace(CLEAN, calls=(*CLEAN.calls, call(4, place=9, taken=False, fault="rate_limit"))),
    ),
    "repeated after a reset": (
        "repeated",
        replace(
            CLEAN,
            calls=(
                call(1, fault="reset", taken=False, answered=None),
                *CLEAN.calls[1:],
                call(1, place=9, began=102.0),
            ),
        ),
    ),
    "an id of nobody": ("invented", replace(CLEAN, calls=(*CLEAN.calls, call(9, message=(8, 9))))),
    "no id": ("invented", replace(CLEAN, calls=(*CLEAN.calls, call(9, message=None)))),
    "said to be sent": ("invented", replace(CLEAN, messages=(*CLEAN.messages, message(8)))),
    "taken and said to be withdrawn": (
        "lost",
        replace(CLEAN, messages=(message(1, status="withdrawn"), *CLEAN.messages[1:])),
    ),
    "arrived and given up": (
        "lost",
        replace(CLEAN, messages=(message(1, status="abandoned"), *CLEAN.messages[1:])),
    ),
    "a start that was answered and forgotten": (
        "lost",
        replace(CLEAN, expected=(*CLEAN.expected, ("bert", "offer"))),
    ),
    "one too many of a channel": ("over_cap", replace(CLEAN, limits=(Limit(at_most=1, channel="email"),))),
    "one too many of all": ("over_cap", replace(CLEAN, limits=(Limit(at_most=2),))),
    "more than two seconds after": ("late", replace(CLEAN, withdrawals=(withdrawal(answered=101.9),))),
    "late, though it was not taken": (
        "late",
        replace(
            CLEAN,
            calls=(call(1, taken=False, fault="rate_limit"), *CLEAN.calls[1:], call(1, place=9, began=140.0)),
            withdrawals=(withdrawal(answered=137.0),),
        ),
    ),
    "still walking": (
        "not_ended",
        replace(CLEAN, enrollments=(Enrollment(customer="anna", playbook="offer", ended=False),)),
    ),
    "nobody knows": ("unsettled", replace(CLEAN, messages=(*CLEAN.messages, message(6, status="uncertain")))),
    "never handed over": ("unsettled", replace(CLEAN, messages=(*CLEAN.messages, message(6, status="planned")))),
    "set aside": ("parked", replace(CLEAN, parked=("anna: process_died",))),
    "rows": ("invariant", replace(CLEAN, invariants=("visit_is_unique: customer 7",))),
    "refused while all was well": (
        "withdrawal_refused",
        replace(CLEAN, refused=(Refused(door="api", asked=80.0, answer="503"),)),
    ),
}  # fmt: skip


def test_a_clean_ledger_has_no_violation() -> None:
    assert judge(CLEAN) == []


@pytest.mark.parametrize("case", CASES)
def test_each_violation_is_found_and_only_it(case: str) -> None:
    law, evidence = CASES[case]
    assert {found.law for found in judge(evidence)} == {law}


def test_every_law_is_tried() -> None:
    assert {law for law, _ in CASES.values()} == set(LAWS)
