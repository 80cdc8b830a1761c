"""Two playbooks that fight for the same places: three channels, waits of seconds, caps that bind, a cooldown.

Business time runs 600 times as fast, so half an hour of waiting is three seconds. The caps' windows are longer than
any run, so they can be counted without a clock.
"""

from __future__ import annotations

from pathlib import Path

from tests.faults.harness.records import Limit

CLOCK_RATE = 600
PLAYBOOKS = ("offer", "news")
STARTED_BY = {"offer": "team_grew", "news": "news_came"}
LIMITS = (Limit(at_most=4), Limit(at_most=1, channel="email"))

_FILES = {
    "policy.yaml": """
sender: {name: Test Shop, postal_address: 1 Test Street}
topics: {upsell: {title: Offers}, news: {title: News}}
caps:
  - {at_most: 4, within: 30d}
  - {at_most: 1, within: 30d, channel: email}
needs_consent: [sms]
patience: 12h
rests: {ignored: 30min}
""",
    "signals.yaml": """
attributes: {email: text, phone: text, first_name: text}
events: {team_grew: {}, news_came: {}}
""",
    "offer/playbook.yaml": """
playbook: offer
version: 1
title: An email, an SMS, a chat, then a rest
topic: upsell
priority: 60
enter: {when: [team_grew], because: your team has grown, reentry: {after: 90d}}
steps:
  mail:
    send: {channel: email, template: mail, when_capped: skip}
    wait: 40min
    then: {clicked: text, opened_no_click: text, no_response: text, not_sent: text}
  text:
    send: {channel: sms, template: text, when_capped: skip}
    wait: 40min
    then: {clicked: talk, no_response: talk, not_sent: talk}
  talk:
    send: {channel: chat, template: talk, when_capped: skip}
    wait: 20min
    then: {clicked: rest, replied: rest, no_response: rest, not_sent: rest}
  rest: {cooldown: 40min, then: done}
  done: {end: no_conversion}
""",
    "offer/mail.email.txt": """---
subject: Room for your team
---
Hello {{ first_name | default('there') }}, your team has grown. See https://app.example.test/pricing

Stop these mails: {{ opt_out_url }}
""",
    "offer/text.sms.txt": "Hello, your plan has room. Reply STOP to end.\n",
    "offer/talk.chat.txt": "Hello {{ first_name | default('there') }}, may I show you more?\n",
    "news/playbook.yaml": """
playbook: news
version: 1
title: An email and an SMS
topic: news
priority: 40
enter: {when: [news_came], because: there is news, reentry: {after: 90d}}
steps:
  mail:
    send: {channel: email, template: mail, when_capped: skip}
    wait: 30min
    then: {clicked: text, opened_no_click: text, no_response: text, not_sent: text}
  text:
    send: {channel: sms, template: text, when_capped: skip}
    wait: 30min
    then: {clicked: done, no_response: done, not_sent: done}
  done: {end: finished}
""",
    "news/mail.email.txt": """---
subject: News
---
News for {{ first_name | default('you') }}.

Stop: {{ opt_out_url }}
""",
    "news/text.sms.txt": "News. Reply STOP to end.\n",
}


def write(folder: Path) -> Path:
    for name, content in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder
