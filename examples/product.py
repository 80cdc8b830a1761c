"""What a product writes to take part: it says who its customers are, what they do, and starts a playbook.

Run it from the project's folder, after ``orchestrator publish``::

    python examples/product.py customer-42

It needs no server: the library speaks to the database of ``ORCHESTRATOR_DATABASE_URL``. Messages
leave as soon as ``orchestrator worker`` or ``orchestrator serve`` runs.
"""

from __future__ import annotations

import sys

from orchestrator import StartRefused, identify, start_playbook, track


def main(customer: str) -> int:
    # Who it is. Repeating it changes nothing; a trait of None removes it.
    identify(
        customer,
        {
            "first_name": "Ada",
            "email": "ada@customer.example",
            "timezone": "Europe/Vienna",
            "locale": "de-AT",
            "region": "AT",
            "plan": "team",
            "seats": 20,
            "seats_used": 18,
        },
    )
    # What happened. The id makes it count once, however often it is sent.
    track(customer, "session_started", source_id=f"{customer}-session-1")
    track(customer, "usage_reported", {"seats": 20, "seats_used": 18}, source_id=f"{customer}-usage-1")
    # A playbook the product starts by itself. The key makes the call safe to repeat.
    try:
        run = start_playbook(
            customer, "export_limit_modal", context={"export_limit": 500}, key=f"{customer}-export-1"
        )
    except StartRefused as refused:
        print(f"not started ({refused.reason}): {refused.detail}")
        return 1
    print(f"{run.playbook} v{run.version}: {run.id}, in step {run.step}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "customer-42"))
