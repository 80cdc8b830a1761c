"""How the answers of a question read on a channel that shows plain text only."""

from __future__ import annotations

import re

from channels.base import Content


def plain_text(content: Content) -> str:
    """The text with its answers as numbered lines, unless the template already wrote them."""
    if content.choices and not all(words in content.text for _, words in content.choices):
        lines = [f"{number} {words}" for number, (_, words) in enumerate(content.choices, start=1)]
        return "\n".join([content.text.rstrip(), *lines])
    if content.scale is not None:
        low, high = content.scale
        told = all(re.search(rf"(?<!\d){end}(?!\d)", content.text) for end in (low, high))
        return content.text if told else f"{content.text.rstrip()} ({low}-{high})"
    return content.text
