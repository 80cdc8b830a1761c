"""Plain words from markup, and letters that fit a text message."""

from __future__ import annotations

import html
import re

import nh3

_LINKS = re.compile(
    r"<a\b[^>]*?\bhref\s*=\s*(?:\"([^\"]*)\"|'([^']*)')[^>]*>(.*?)</a>", re.IGNORECASE | re.DOTALL
)
_BREAKS = re.compile(r"<br\b[^>]*>|</(?:p|div|h[1-6]|li|tr|ul|ol|table)>", re.IGNORECASE)
_BULLETS = re.compile(r"<li\b[^>]*>", re.IGNORECASE)

# What a word processor or a locale writes, and a text message would pay for with half its length.
_NARROW = str.maketrans(
    {
        "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2026": "...",
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"',
    }
)  # fmt: skip


def plain(markup: str) -> str:
    """The words of a page, one block a line, with the address of each link after its words."""
    spelled = _LINKS.sub(lambda found: f"{found.group(3)} ({found.group(1) or found.group(2) or ''})", markup)
    spaced = _BREAKS.sub("\n", _BULLETS.sub("- ", re.sub(r"\s+", " ", spelled)))
    words = html.unescape(nh3.clean(spaced, tags=set(), clean_content_tags={"script", "style", "title"}))
    lines = (" ".join(line.split()) for line in words.split("\n"))
    return "\n".join(line for line in lines if line)


def narrow(text: str) -> str:
    """Typographic marks as the plain ones of the GSM alphabet; letters are never touched."""
    return text.translate(_NARROW)
