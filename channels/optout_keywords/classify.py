"""What a person means who writes back: stop, start, help, or something to be answered.

A network knows a few words that must stand alone. The law asks for more: a revocation counts in any words that a
reasonable person would read as one, misspelt or in another language. So each language has a lexicon: words that count
when they are the whole body, and patterns of an intent and its object ("take", "me", "off") that count anywhere, once
denials ("don't stop") and talk of other things ("stop by", "stop the export") are taken out. In doubt the answer leans
to *stop*: silence by mistake can be put right, a message against somebody's will cannot.

To begin again takes a body that says nothing else; a "yes" is an answer to a question. How often all this is right is
measured: ``python -m tests.channels.phrases``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from channels.optout_keywords.patterns import words_of
from channels.optout_keywords.read_lexicons import read_lexicons
from channels.optout_keywords.search import Language, plain, without_manners
from channels.optout_keywords.shared_words import PROVIDER_WORDS, STOP_SIGNS


class Meant(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Classified:
    """What was meant, and the word or the pattern that said so: evidence for the consent ledger."""

    meant: Meant
    matched: str | None = None


def classify(body: str) -> Classified:
    """What the body means. Pure; takes any text."""
    words = words_of(body)
    if not words:
        sign = next((sign for sign in STOP_SIGNS if sign in body), None)
        return Classified(meant=Meant.STOP if sign else Meant.OTHER, matched=sign)
    spoken = (whole := plain(body), without_manners(whole))
    views = [(language, language.view(words)) for language in _languages()]
    for meant, said in _BY_THE_WHOLE:
        for language, text in views:
            if matched := said(language, spoken, text):
                return Classified(meant=meant, matched=f"{language.name}: {matched}")
    rests = [(language, text, language.without_spared(text)) for language, text in views]
    # Languages share words: when one understands a denial of them ("don't stop"), it alone is heard.
    deniers = {language.name for language, text, rest in rests if _shared(rest) < _shared(text)}
    for language, _, rest in rests:
        if (not deniers or language.name in deniers) and (matched := language.revokes(rest)):
            return Classified(meant=Meant.STOP, matched=f"{language.name}: {matched}")
    return Classified(meant=Meant.OTHER)


def provider_answers(body: str) -> bool:
    """Whether the network itself has answered: then the body is one of its own words and nothing else."""
    return body.strip().upper() in PROVIDER_WORDS


_BY_THE_WHOLE = (
    (Meant.STOP, Language.ends),
    (Meant.STOP, Language.insists),
    (Meant.START, Language.begins),
    (Meant.HELP, Language.asks),
)


def _shared(text: str) -> int:
    return sum(map(text.count, ("stop", "unsub", "cancel", "remov", "para", "pare")))


@cache
def _languages() -> tuple[Language, ...]:
    """Made at the first text, not at import: it takes half a second."""
    return tuple(Language(lexicon) for lexicon in read_lexicons())
