"""What a person means who writes back: stop, start, help, or something to be answered.

A network knows a few words that must stand alone. The law asks for more: a revocation counts in any words that a
reasonable person would read as one, misspelt or in another language. So a body is compared whole with the words of
:mod:`channels.keyword_lists`, then searched for phrases. A negation ("don't stop") is taken out before. In doubt the
answer leans to *stop*: silence by mistake can be put right, a message against somebody's will cannot.

To begin again a person must use a word that stands alone: a "yes" is an answer to a question.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from channels.keyword_lists import (
    HELP_WORDS,
    LOOKALIKES,
    NEGATED,
    PHRASES,
    POLITE,
    PROVIDER_WORDS,
    START_WORDS,
    STOP_WORDS,
)


class Meant(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What was meant, and the word or the name of the phrase that said so: evidence for the consent ledger."""

    meant: Meant
    matched: str | None = None


def classify(body: str) -> Heard:
    """What the body means. Pure; takes any text."""
    text = normalise(body[:2000])
    if not text:
        return Heard(meant=Meant.OTHER)
    whole = _without_politeness(text)
    for words, meant in ((_STOP, Meant.STOP), (_START, Meant.START), (_HELP, Meant.HELP)):
        for form in (text, whole):
            if form in words:
                return Heard(meant=meant, matched=form)
    if misspelt := _misspelt(whole):
        return Heard(meant=Meant.STOP, matched=f"like {misspelt}")
    if _SHOUTED.search(body[:2000]):
        return Heard(meant=Meant.STOP, matched="stop, set apart")
    rest = _NEGATED.sub(" ", text)
    for name, pattern in _PHRASES:
        if pattern.search(rest):
            return Heard(meant=Meant.STOP, matched=name)
    return Heard(meant=Meant.OTHER)


def provider_answers(body: str) -> bool:
    """Whether the network itself has answered: then the body is one of its own words and nothing else."""
    return body.strip().upper() in PROVIDER_WORDS


def normalise(text: str) -> str:
    """Lower case, no accents on Latin letters, no punctuation, one space between words; "don't" is "dont"."""
    flat = unicodedata.normalize("NFKD", text).casefold()
    flat = unicodedata.normalize("NFC", _ACCENTS.sub("", flat))
    flat = _APOSTROPHES.sub("", flat)
    flat = "".join(
        char if char.isalnum() or unicodedata.category(char) in ("Mn", "Mc") else " " for char in flat
    )
    flat = _DRAWN_OUT.sub(r"\1", flat)
    return " ".join(flat.split())


_ACCENTS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")  # "stoooop"
_SHOUTED = re.compile(r"^\W*stop\s*[!.,;:\u2026]+(?!\w)|[,.;:!?]\s*(?:please\s+)?stop[\s.!]*$", re.IGNORECASE)
_NEGATED = re.compile(NEGATED)
_PHRASES = tuple((name, re.compile(pattern)) for name, pattern in PHRASES)
_STOP = frozenset(normalise(word) for word in STOP_WORDS)
_START = frozenset(normalise(word) for word in START_WORDS)
_HELP = frozenset(normalise(word) for word in HELP_WORDS)
_POLITE = tuple(normalise(words) for words in POLITE)


def _without_politeness(text: str) -> str:
    """The text without please, thanks and the like at either end."""
    changed = True
    while changed:
        changed = False
        for words in _POLITE:
            if text != words and (text.startswith(words + " ") or text.endswith(" " + words)):
                text = text.removeprefix(words + " ").removesuffix(" " + words)
                changed = True
    return text


def _misspelt(text: str) -> str | None:
    """The word that a single short word was meant to be."""
    if " " in text or not text.isascii() or text in LOOKALIKES or any(char.isdigit() for char in text):
        return None
    if len(text) >= 4 and _distance(text, "stop") <= 1:
        return "stop"
    if len(text) >= 8 and _distance(text, "unsubscribe") <= 2:
        return "unsubscribe"
    return None


def _distance(one: str, two: str) -> int:
    """How many letters are missing, added, changed or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, b in enumerate(two, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
