"""The cooldowns that enrollments begin and lift."""

from __future__ import annotations

from typing import Literal

from orchestrator.core.customer_state import CustomerState, EnrollmentWork
from orchestrator.core.machine.commands import BeginCooldown
from orchestrator.core.policies.request import ActiveCooldown
from orchestrator.records.cooldown import CooldownRow, LiftedCooldown
from orchestrator.service.messages.recheck import recheck


def begin_cooldown(
    customer: CustomerState,
    work: EnrollmentWork,
    wanted: BeginCooldown,
    reason: Literal["cooldown", "ignored"],
) -> None:
    """It is in force at once; that of a held-out enrollment counts for held-out ones only."""
    shadow = work.enrollment.held_out
    standing = ActiveCooldown(
        scope=wanted.scope,
        scope_value=wanted.scope_value,
        reason=f"{reason} of {work.enrollment.playbook}",
        ends_at=wanted.until,
        enrollment_id=work.enrollment.enrollment_id,
        visit=wanted.visit,
    )
    (customer.shadow_cooldowns if shadow else customer.cooldowns).append(standing)
    customer.new_cooldowns.append(
        CooldownRow(
            customer_id=customer.customer_id,
            scope=wanted.scope,
            scope_value=wanted.scope_value,
            reason=standing.reason,
            enrollment_id=work.enrollment.enrollment_id,
            visit=wanted.visit,
            shadow=shadow,
            starts_at=customer.now,
            ends_at=wanted.until,
        )
    )


def lift_cooldown(customer: CustomerState, work: EnrollmentWork, visit: int) -> None:
    """End the cooldown that this visit began; messages that wait for its end are asked about again."""
    enrollment = work.enrollment.enrollment_id
    for cooldowns in (customer.cooldowns, customer.shadow_cooldowns):
        cooldowns[:] = [one for one in cooldowns if (one.enrollment_id, one.visit) != (enrollment, visit)]
    kept = [row for row in customer.new_cooldowns if (row.enrollment_id, row.visit) != (enrollment, visit)]
    if len(kept) == len(customer.new_cooldowns):
        customer.lifted_cooldowns.append(LiftedCooldown(enrollment_id=enrollment, visit=visit))
    customer.new_cooldowns = kept
    recheck(customer, "cooldown")
