"""The playbook that every contender walks: an email, a gate on an attribute, a second email.

Each customer asks for it with one event, so that the work lies ready before the clock starts. Every customer passes the
gate and answers nothing, so there are two messages a customer. An email listens for two days; nobody waits for them:
the database's clock is set on between three timed *waves* (the first email, the second, the end), and a wave is over
when nothing is due any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from orchestrator.engine import Engine
from orchestrator.records.intake import Identify, Track
from orchestrator.settings import Settings

MESSAGES_EACH = 2
SIGNING_KEY = "benchmarks-sign-their-links-with-this-key-alone"
BASE_URL = "http://127.0.0.1:8080"
PLAYBOOK = "grow"
TOPIC = "upsell"
EVENT = "limit_reached"
SENDER = {"name": "Example Shop", "postal_address": "1 Example Street, 10115 Berlin"}
CAPS = ((6, 7), (12, 30))  # at most so many messages within so many days
REENTRY_DAYS = 30
WAIT_DAYS = 2  # how long an email listens
REST_DAYS = 14  # promised after two that nobody answered
BECAUSE = "your team has reached the limit of its plan"
TARGET = "https://shop.example/upgrade"
SUBJECTS = {
    "first": "{{ first_name | default('there') }}, there is room for more",
    "second": "What the larger plan adds",
}
_HELLO = "Hello {{ first_name | default('there') }},\n\n"
_LINK = f"{{{{ link('upgrade', '{TARGET}') }}}}\n\n"
_FOOT = (
    "{{ sender.name }}, {{ sender.postal_address }}\n"
    "Stop these: {{ opt_out_url }}\nAll settings: {{ preferences_url }}\n"
)
BODIES = {
    "first": f"{_HELLO}you get this because {{{{ because }}}}. The larger plan has room for everybody: {_LINK}{_FOOT}",
    "second": (
        f"{_HELLO}teams on {{{{ plan | default('your plan') }}}} that grow use the larger plan for three things: more"
        f" seats, one invoice, and support by telephone. See {_LINK}{_FOOT}"
    ),
}
STEPS = f"""\
  first:
    send: {{channel: email, template: first}}
    wait: {WAIT_DAYS}d
    then: {{clicked: gate, opened_no_click: gate, no_response: gate}}
  gate:   {{choose: [{{if: {{plan: pro}}, go: second}}, {{go: done}}]}}
  second:
    send: {{channel: email, template: second}}
    wait: {WAIT_DAYS}d
    then: {{clicked: done, opened_no_click: done, no_response: done}}
  done:   {{end: finished}}
"""


def files() -> Mapping[str, str]:
    """The folder of playbooks, by path."""
    caps = ", ".join(f"{{at_most: {most}, within: {days}d}}" for most, days in CAPS)
    written = {
        "policy.yaml": f'sender: {{name: {SENDER["name"]}, postal_address: "{SENDER["postal_address"]}"}}\n'
        f"topics: {{{TOPIC}: {{title: Offers}}}}\ncaps: [{caps}]\n",
        "signals.yaml": f"attributes: {{email: text, first_name: text, plan: text}}\nevents: {{{EVENT}: {{}}}}\n",
        f"{PLAYBOOK}/playbook.yaml": f"playbook: {PLAYBOOK}\nversion: 1\ntitle: Room to grow\ntopic: {TOPIC}\n"
        f"enter: {{when: {EVENT}, because: {BECAUSE}, reentry: {{after: {REENTRY_DAYS}d}}}}\nsteps:\n{STEPS}",
    }
    for name, body in BODIES.items():
        written[f"{PLAYBOOK}/{name}.email.txt"] = f'---\nsubject: "{SUBJECTS[name]}"\n---\n{body}'
    return written


def settings(database_url: str, **more: object) -> Settings:
    return Settings(
        database_url=SecretStr(database_url),
        secret_keys=(SecretStr(SIGNING_KEY),),
        public_url=BASE_URL,
        **more,
    )  # type: ignore[arg-type]


def publish(engine: Engine, folder: Path) -> None:
    for name, words in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(words, encoding="utf-8")
    engine.publish(folder)


def load(engine: Engine, first: int, count: int) -> None:
    """Make customers number ``first`` to ``first + count - 1`` known, with the event that starts the playbook."""
    for start in range(first, first + count, 500):
        keys = [f"c{number:07}" for number in range(start, min(start + 500, first + count))]
        engine.identify([Identify(key=key, traits=traits(key)) for key in keys])
    engine.drain()
    for start in range(first, first + count, 500):
        keys = [f"c{number:07}" for number in range(start, min(start + 500, first + count))]
        engine.track([Track(key=key, event=EVENT, properties={"seats": 5}) for key in keys])


def traits(key: str) -> dict[str, object]:
    return {"email": f"{key}@bench.example", "first_name": "Ada", "plan": "pro"}
