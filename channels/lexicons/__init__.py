"""What people write back, one lexicon a language: data for :mod:`channels.keywords`.

Words that every language borrows ("stop", "unsubscribe", "sms") are read by the English lexicon, which is asked first.
"""

from __future__ import annotations

from typing import Final

from channels.keyword_patterns import Lexicon
from channels.lexicons import asia, europe
from channels.lexicons.dutch import DUTCH
from channels.lexicons.english import ENGLISH
from channels.lexicons.french import FRENCH
from channels.lexicons.german import GERMAN
from channels.lexicons.italian import ITALIAN
from channels.lexicons.portuguese import PORTUGUESE
from channels.lexicons.spanish import SPANISH

LEXICONS: Final[tuple[Lexicon, ...]] = (
    *(ENGLISH, SPANISH, FRENCH, GERMAN, PORTUGUESE, ITALIAN, DUTCH),
    *(europe.SCANDINAVIAN, europe.FINNISH, europe.POLISH, europe.CZECH, europe.RUSSIAN, europe.ROMANIAN),
    *(europe.HUNGARIAN, europe.GREEK, europe.CATALAN),
    *(asia.TURKISH, asia.ARABIC, asia.HEBREW, asia.HINDI, asia.VIETNAMESE, asia.MALAY, asia.TAGALOG),
    *(asia.CHINESE, asia.JAPANESE, asia.KOREAN, asia.THAI),
)
