"""Small files of a growth team, for tests that are about steps and not about words.

Each builder gives files as :meth:`TestEngine.publish` takes them: path to text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from textwrap import dedent, indent

from channels.table import channel_table
from channels.traits import ChannelTraits

Files = dict[str, str]

_NAMED = re.compile(r"\b(?:template|question): *([A-Za-z0-9_]+)")


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
            f"{name}/{template}.{row.name}.{ending}": words
            for row in channel_table().rows
            if row.reaches_person
            for ending, words in (_words(row, template),)
        }
    return files


def _words(row: ChannelTraits, template: str) -> tuple[str, str]:
    """The ending of a template that says its own name, and its text with the way out that the channel asks for."""
    if row.in_feed:
        return "html", f"---\ntitle: {template}\n---\n<p>{template}, because {{{{ because }}}}</p>\n"
    if row.mailbox:
        said = (
            f"{template}, because {{{{ because }}}}. {{{{ sender.name }}}}, {{{{ sender.postal_address }}}}"
        )
        way_out = "{{ opt_out_url }} {{ preferences_url }}"
        return "txt", f"---\nsubject: {template}\n---\n{said}\n{way_out}\n"
    way_out = {"stop": ". Reply STOP to opt out", "link": " {{ opt_out_url }}", None: ""}[row.opt_out]
    return "txt", f"{template}{way_out}\n"


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
