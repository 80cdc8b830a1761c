"""A small shop to test pages with: one playbook on four channels, written as a growth team would."""

from __future__ import annotations

from pathlib import Path

POLICY = """
sender: {name: Test Shop, postal_address: 1 Test Street}
topics:
  upsell: {title: Offers for a bigger plan}
  events: {title: Tips for busy seasons}
  service: {title: Notices about your account, promotional: false}
holds:
  open_ticket: {title: a support ticket is open, opened_by: support_ticket_opened, closed_by: support_ticket_closed}
reachable: {in_app: 14d}
"""
SIGNALS = """
attributes: {email: text, phone: text, first_name: text, plan: text}
events: {session_started: {}, support_ticket_opened: {}, support_ticket_closed: {}, plan_upgraded: {}}
"""
OFFER = """
playbook: offer
version: 1
title: A bigger plan
topic: upsell
enter: {because: your team has grown, reentry: {after: 1d}}
steps:
  modal:
    send: {channel: in_app, template: modal, as: modal}
    wait: 12h
    then: {clicked: done, dismissed: mail, no_response: mail}
  mail:
    send: {channel: email, template: mail}
    wait: 2d
    then: {clicked: done, opened_no_click: done, no_response: done}
  done: {end: finished}
"""
SURVEY = """
playbook: survey
version: 1
title: A question
topic: service
enter: {because: we would like to know, reentry: {after: 1d}}
steps:
  why:
    ask:
      channel: email
      question: What stopped you?
      answers: {price: Too expensive, boss: "I need an approval"}
      comment: Anything else?
      saves: reason
    wait: 5d
    then: {answered: done, no_response: done}
  done: {end: finished}
"""
TEXT = """
playbook: text
version: 1
title: A text
topic: upsell
enter: {because: your trial ends, reentry: {after: 1d}}
steps:
  sms:  {send: {channel: sms, template: note}, wait: 2d, then: {clicked: done, replied: done, no_response: done}}
  done: {end: finished}
"""
FILES = {
    "policy.yaml": POLICY,
    "signals.yaml": SIGNALS,
    "offer/playbook.yaml": OFFER,
    "offer/modal.in_app.html": (
        "---\ntitle: Your team has grown\nbutton: See the plans\n"
        "button_url: {{ link('plans', 'https://shop.example/plans') }}\n---\n"
        "<p>You see this because {{ because }}.</p><p>More <strong>seats</strong> for everyone.</p>\n"
    ),
    "offer/mail.email.txt": (
        "---\nsubject: A plan for a bigger team\n---\nHello {{ first_name | default('there') }},\n"
        "you get this because {{ because }}.\n\n{{ link('plans', 'https://shop.example/plans') }}\n\n"
        "No more of this: {{ opt_out_url }}\nChoose: {{ preferences_url }}\n"
        "{{ sender.name }}, {{ sender.postal_address }}\n"
    ),
    "offer/mail.email.html": (
        "---\nsubject: A plan for a bigger team\n---\n"
        '<!doctype html><html lang="en"><head><title>Plans</title><style>h1 { color: #2f5d50 }</style></head><body>'
        "<h1>A plan for a bigger team</h1><p>You get this because {{ because }}.</p>"
        "<p><a href=\"{{ link('plans', 'https://shop.example/plans') }}\">Compare the plans</a></p>"
        '<p><a href="{{ opt_out_url }}">No more of this</a> <a href="{{ preferences_url }}">Choose</a></p>'
        "<p>{{ sender.name }}, {{ sender.postal_address }}</p></body></html>\n"
    ),
    "survey/playbook.yaml": SURVEY,
    "text/playbook.yaml": TEXT,
    "text/note.sms.txt": "Your trial ends: {{ link('plans', 'https://shop.example/plans') }} Reply STOP to opt out\n",
}


def write_folder(folder: Path) -> Path:
    """The shop's playbook folder, written to disk."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
