"""Words that no single language owns: what networks answer, signs that say stop, and manners around a word."""

from __future__ import annotations

from typing import Final

PROVIDER_WORDS: Final = frozenset(
    {"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"}
    | {"START", "YES", "UNSTOP", "HELP", "INFO"}
)

STOP_SIGNS: Final = ("🛑", "🚫", "⛔", "🖕", "🔕", "📵")

POLITE: Final = """
    please, pls, plz, thanks, thank you, thx, now, asap, immediately, hi, hello, hey, ok, okay, sorry,
    just, bitte, danke, jetzt, sofort, hallo, nein, por favor, porfavor, gracias, hola, ya, obrigado,
    obrigada, ja, por gentileza, svp, stp, merci, s il vous plait, sil vous plait, sil te plait,
    bonjour, per favore, grazie, alsjeblieft, alstublieft, aub, graag, dank u, bedankt, ermee, prosze,
    dziekuje, lutfen, tesekkurler, пожалуйста, спасибо, будь ласка, tack, tak, takk, kiitos, prosim,
    dekuji, te rog, va rog, kerem, xin, lam on, tolong, mohon, po, من فضلك, رجاء, شكرا, תודה, בבקשה,
    कृपया, 请, 請, 谢谢, 謝謝
"""
