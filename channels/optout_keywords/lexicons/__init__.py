"""What people write back, one lexicon a language: data for :mod:`channels.optout_keywords.classify`.

Words that every language borrows ("stop", "unsubscribe", "sms") are read by the English lexicon, which is asked first.
"""

from __future__ import annotations

from typing import Final

from channels.optout_keywords.lexicons import asia, europe
from channels.optout_keywords.lexicons.dutch import DUTCH
from channels.optout_keywords.lexicons.english import ENGLISH
from channels.optout_keywords.lexicons.french import FRENCH
from channels.optout_keywords.lexicons.german import GERMAN
from channels.optout_keywords.lexicons.italian import ITALIAN
from channels.optout_keywords.lexicons.portuguese import PORTUGUESE
from channels.optout_keywords.lexicons.spanish import SPANISH
from channels.optout_keywords.patterns import Lexicon

LEXICONS: Final[tuple[Lexicon, ...]] = (
    *(ENGLISH, SPANISH, FRENCH, GERMAN, PORTUGUESE, ITALIAN, DUTCH),
    *(europe.SCANDINAVIAN, europe.FINNISH, europe.POLISH, europe.CZECH, europe.RUSSIAN, europe.ROMANIAN),
    *(europe.HUNGARIAN, europe.GREEK, europe.CATALAN),
    *(asia.TURKISH, asia.ARABIC, asia.HEBREW, asia.HINDI, asia.VIETNAMESE, asia.MALAY, asia.TAGALOG),
    *(asia.CHINESE, asia.JAPANESE, asia.KOREAN, asia.THAI),
)
