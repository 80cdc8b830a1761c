"""How the ways to say *stop* are written down, one lexicon a language, and made into searches.

A pattern is words with blanks between them, looked for within a clause of a folded text:

=======================  ================================================================
``stop|quit``            one of these words
``messag*``, ``*ing``    a word that begins, ends so
``{talk}``               an entry of the lexicon's list ``talk``; it may be several words
``please|now?``          one of these words, or none
``want|to~``             up to four of these words
``.``, ``..``, ...       up to one, two, ... words of any kind
``!by|in``               the next word is none of these
``#``                    a number
``^``, ``$``             the clause begins, ends here
``,``                    the clause may end here
``>``                    and all the rest of the clause
=======================  ================================================================

No pattern looks further than a few words, so the time is linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

CLAUSE_END: Final = "."
"""The word that stands in a folded text where a clause ends."""

PHONE_NUMBER: Final = "phonenumber"
"""The word that stands for the digits of one."""

LONGEST: Final = 2_000
"""Letters that are read: more than an SMS can hold."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lexicon:
    """What people of one language write back. Lists of words are one string, with commas."""

    name: str
    same: Mapping[str, str] = field(default_factory=dict)
    """A word, and other ways to write it."""
    idle: str = ""
    """Words that may stand anywhere and change nothing."""
    spelt: str = ""
    """Words that are known by most of their letters ..."""
    distinct: str = ""
    """... but these are words of their own."""
    alone: str = ""
    """Revocations when they are the whole body; everyday words otherwise."""
    lists: Mapping[str, str] = field(default_factory=dict)
    firm: Sequence[str] = ()
    """Revocations that look like a denial of one; searched first."""
    spare: Sequence[str] = ()
    """What is no revocation though it holds such words; taken out before ``stop`` is searched."""
    stop: Sequence[str] = ()
    start: Sequence[str] = ()
    """Searched only as the whole body."""
    help: str = ""
    """Calls for the standard help text when they are the whole body; anything longer is for a person to answer."""
    spaced: bool = True
    """False where no blanks stand between words: then each ``.`` of a gap stands for three letters."""


def fold(text: str) -> str:
    """Lower case, without accents, vowel points and apostrophes: people leave them out."""
    flat = unicodedata.normalize("NFKD", text).casefold()
    flat = unicodedata.normalize("NFC", _MARKS.sub("", flat))
    return flat.translate(_PLAIN)


def words_of(text: str) -> list[str]:
    """The folded words of a text, :data:`CLAUSE_END` after each clause. "Stop stop" is "stop"."""
    flat = _DRAWN_OUT.sub(r"\1", fold(text[:LONGEST])[:LONGEST])  # one sign may unfold to many letters
    flat = _PHONE.sub(f" {PHONE_NUMBER} ", flat).replace("#", " number ").replace("&", " and ")
    if _LETTER_BY_LETTER.match(flat):
        flat = "".join(char for char in flat if char.isalnum())
    words = [found[0] if found["word"] else CLAUSE_END for found in _WORD_OR_BREAK.finditer(flat)]
    return once_each([*words, CLAUSE_END])


def once_each(words: Iterable[str]) -> list[str]:
    """The words without repetitions one after the other, and without an end where nothing has begun."""
    kept: list[str] = []
    for word in words:
        if word != (kept[-1] if kept else CLAUSE_END):
            kept.append(word)
    return kept


def entries(words: str) -> list[str]:
    """The members of a list written as one string."""
    return [" ".join(entry.split()) for entry in words.split(",") if entry.strip()]


class Compiler:
    """Makes the patterns of one lexicon into regular expressions."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lists = lexicon.lists
        self._spaced = lexicon.spaced
        self._blank = " " if lexicon.spaced else ""

    def anywhere(self, pattern: str) -> re.Pattern[str]:
        """The pattern within a text of folded words, each followed by a blank where blanks are written."""
        return re.compile(("(?<![^ ])" if self._spaced else "") + self._pieces(pattern))

    def whole(self, pattern: str) -> re.Pattern[str]:
        """The pattern as everything that a text says."""
        return re.compile(rf"\A{self._pieces(pattern)}(?:\.{self._blank})?\Z")

    def _pieces(self, pattern: str) -> str:
        return "".join(self._piece(item) for item in pattern.split())

    def _piece(self, item: str) -> str:
        signs = {
            "^": rf"(?:^|(?<=\.{self._blank}))",
            ",": rf"(?:\.{self._blank})?",
            ">": "[^.]*",
            "#": rf"\d+{self._blank}",
        }
        if item in signs:
            return signs[item]
        if not item.strip("."):
            return rf"(?:[^ .]+ ){{0,{len(item)}}}?" if self._spaced else f"[^.]{{0,{3 * len(item)}}}?"
        one = "|".join(self._word(word) for word in item.strip("!?~").split("|"))
        if item.startswith("!"):
            return f"(?!{one})"
        return f"(?:{one})" + {"?": "?", "~": "{0,4}"}.get(item[-1], "")

    def _word(self, word: str) -> str:
        if word.startswith("{"):
            return "|".join(self._word(entry) for entry in entries(self._lists[word.strip("{}")]))
        if word == "$":
            return r"(?=\.|$)"
        known = re.escape(" ".join(fold(part) for part in word.strip("*").split()))
        rest = "[^ .]*"
        return f"{rest * word.startswith('*')}{known}{rest * word.endswith('*')}{self._blank}"


_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670'`\u00b4\u02bc\u2018\u2019]"
)
_PLAIN = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ى": "ي", "ة": "ه"})
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")  # "stoooop"
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d(?:[ ().-]{0,2}\d){6,14}(?!\w)")
_LETTER_BY_LETTER = re.compile(r"\W*(?:[a-z][\W_]+){2,}[a-z]\W*\Z")
_VOWEL_SIGNS = "\u0900-\u0903\u093a-\u094f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"  # \w leaves them out
_WORD_OR_BREAK = re.compile(
    rf"(?P<word>(?:[^\W_]|[{_VOWEL_SIGNS}])+)"
    rf"|[^\w\s{_VOWEL_SIGNS}/%*+~@\"“”«»„-]"  # quotes and slashes stand within a clause
    r"|[\r\n]+|(?<=\s)-+(?=\s)"
)
