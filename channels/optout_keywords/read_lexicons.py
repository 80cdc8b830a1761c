"""Reads the lexicons: data for :mod:`channels.optout_keywords.classify`, one TOML file a language in ``lexicons/``.

A new language is a file there and its name here. Words that every language borrows ("stop", "unsubscribe", "sms") are
read by the English lexicon, which is asked first.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Final

from channels.optout_keywords.patterns import Lexicon

LANGUAGES: Final = (
    *("english", "spanish", "french", "german", "portuguese", "italian", "dutch"),
    *("scandinavian", "finnish", "polish", "czech", "russian", "romanian", "hungarian", "greek", "catalan"),
    *("turkish", "arabic", "hebrew", "hindi", "vietnamese", "malay", "tagalog"),
    *("chinese", "japanese", "korean", "thai"),
)
"""In the order in which they are asked."""


def read_lexicons() -> tuple[Lexicon, ...]:
    """All of them, read anew: whoever asks often keeps the answer."""
    folder = files("channels.optout_keywords") / "lexicons"
    return tuple(
        Lexicon(**tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8")))
        for language in LANGUAGES
    )
