"""A playbook for process tests: one email, and for those who click it a second one."""

from __future__ import annotations

from pathlib import Path

_FILES = {
    "policy.yaml": """
sender: {name: Test Shop, postal_address: 1 Test Street}
topics: {upsell: {title: Offers for a bigger plan}}
""",
    "signals.yaml": """
attributes: {email: text, first_name: text}
events: {session_started: {}}
""",
    "two_mails/playbook.yaml": """
playbook: two_mails
version: 1
title: An offer, and details for those who want them
topic: upsell
enter: {because: your team has grown, reentry: {after: 90d}}
steps:
  offer:
    send: {channel: email, template: offer}
    wait: WAIT
    then: {clicked: details, opened_no_click: silent, no_response: silent}
  details:
    send: {channel: email, template: details}
    wait: 1h
    then: {clicked: done, opened_no_click: done, no_response: done}
  done:   {end: finished}
  silent: {end: no_conversion}
""",
    "two_mails/offer.email.txt": """---
subject: Room for your team
---
Hello {{ first_name | default('there') }}, your team has grown. See https://app.example.test/pricing

Stop these mails: {{ opt_out_url }}
""",
    "two_mails/details.email.txt": """---
subject: The details
---
Here they are.

Stop these mails: {{ opt_out_url }}
""",
}


def write(folder: Path, *, wait: str = "12h") -> Path:
    """Write the playbook's folder; ``wait`` is how long the first email listens."""
    for name, content in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.replace("WAIT", wait))
    return folder
