"""Small files of a growth team, for tests that are about steps and not about words.

Each builder gives files as :meth:`TestEngine.publish` takes them: path to text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from textwrap import dedent, indent

Files = dict[str, str]

_NAMED = re.compile(r"\b(?:template|question): *([A-Za-z0-9_]+)")
_WORDS = {
    "email.txt": "---\nsubject: NAME\n---\nNAME, because {{ because }}. {{ sender.name }}, {{ sender.postal_address }}"
    "\n{{ opt_out_url }} {{ preferences_url }}\n",
    "in_app.html": "---\ntitle: NAME\n---\n<p>NAME, because {{ because }}</p>\n",
    "sms.txt": "NAME. Reply STOP to opt out\n",
    "whatsapp.txt": "NAME. Reply STOP to opt out\n",
    "chat.txt": "NAME\n",
}


def playbook_files(
    name: str,
    steps: str,
    *,
    topic: str = "offers",
    enter: str = "{because: it is a test, reentry: {after: 1h}}",
    version: int = 1,
    more: str = "",
) -> Files:
    """A playbook of these ``steps`` (YAML, as they stand below ``steps:``), with plain words on every channel.

    ``enter`` is YAML too; ``more`` are further lines of the file, such as ``goal:``. A template says its own name.
    """
    head = f"playbook: {name}\nversion: {version}\ntitle: {name}\ntopic: {topic}\nenter: {enter}\n"
    body = indent(dedent(steps).strip("\n"), "  ")
    files = {f"{name}/playbook.yaml": f"{head}{dedent(more).strip()}\nsteps:\n{body}\n"}
    for template in _NAMED.findall(steps):
        files |= {
            f"{name}/{template}.{end}": words.replace("NAME", template) for end, words in _WORDS.items()
        }
    return files


def account_files(
    *,
    attributes: Mapping[str, str] | None = None,
    events: Mapping[str, Mapping[str, str]] | None = None,
    policy: str = "",
) -> Files:
    """``policy.yaml`` and ``signals.yaml`` of an account with the topic ``offers`` and no caps and quiet hours.

    ``attributes`` (name to type) and ``events`` (name to properties and their types) are what conditions may name,
    beside ``email``, ``phone``, ``first_name`` and ``session_started``. ``policy`` are further lines of policy.yaml.
    """
    known = {"email": "text", "phone": "text", "first_name": "text", **(attributes or {})}
    heard: dict[str, dict[str, str]] = {"session_started": {}}
    heard |= {name: dict(properties) for name, properties in (events or {}).items()}
    return {
        "policy.yaml": "sender: {name: Test Shop, postal_address: 1 Test Street}\n"
        f"topics: {{offers: {{title: Offers}}}}\n{dedent(policy)}",
        "signals.yaml": f"attributes: {json.dumps(known)}\nevents: {json.dumps(heard)}\n",
    }
