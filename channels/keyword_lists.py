"""The words and phrases by which people end, begin and ask, as data for :mod:`channels.keywords`.

Words are compared with the whole body. Phrases are patterns over normalised text: lower case, no accents, no
punctuation, no apostrophes.
"""

from __future__ import annotations

PROVIDER_WORDS = frozenset(
    {"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"}
    | {"START", "YES", "UNSTOP", "HELP", "INFO"}
)

STOP_WORDS = (
    # English; several are named by regulation
    *(
        "stop",
        "stop all",
        "stopall",
        "stop it",
        "stop this",
        "stop that",
        "stop now",
        "stop everything",
        "end",
    ),
    *("quit", "cancel", "revoke", "opt out", "optout", "unsubscribe", "unsub", "unsubscribe all", "remove"),
    *("remove me", "stop msgs", "arret", "end all", "cancel all", "opt me out", "stop sms", "stop texts"),
    *("quit it", "end this", "end it", "no more", "make it stop", "block me", "opting out", "cancel texts"),
    *("enough", "end subscription", "leave", "unsubscribe stop"),
    # Spanish, Portuguese
    *(
        "alto",
        "parar",
        "pare",
        "por favor pare",
        "baja",
        "cancelar",
        "darse de baja",
        "dar de baja",
        "no más",
        "basta",
        "detener",
    ),
    *("sair", "remover", "cancelar inscrição", "descadastrar", "desinscrever"),
    # French, Italian
    *("arrêt", "arrêter", "arrêtez", "désabonner", "désinscription", "désinscrire", "annuler", "stop svp"),
    *("ferma", "fermare", "cancella", "cancellami", "disiscrivi", "disiscrivimi", "annulla", "smettila"),
    # German, Dutch, Nordic
    *("stopp", "stoppen", "abmelden", "abbestellen", "austragen", "aufhören", "abmeldung", "ende"),
    *("afmelden", "uitschrijven", "stoppa", "avsluta", "avregistrera", "avmeld", "afmeld", "slutt", "lopeta"),
    # Slavic, Turkish
    *(
        "стоп",
        "отписаться",
        "отписка",
        "отмена",
        "відписатися",
        "wypisz",
        "rezygnuję",
        "zatrzymaj",
        "odhlásit",
    ),
    *("dur", "durdur", "iptal", "ret"),
    # Arabic, Hebrew, Hindi
    *("إيقاف", "ايقاف", "توقف", "الغاء", "إلغاء", "הסר", "הסירו", "עצור", "रोकें", "बंद करो", "बंद"),
    # Chinese, Japanese, Korean
    *(
        "停止",
        "退订",
        "退訂",
        "取消",
        "取消订阅",
        "取消訂閱",
        "停",
        "配信停止",
        "解除",
        "수신거부",
        "중지",
        "그만",
    ),
)

START_WORDS = (
    *("start", "unstop", "subscribe", "resubscribe", "resume", "opt in", "optin", "opt me in", "start again"),
    *("alta", "iniciar", "comenzar", "empezar", "començar", "reprendre", "démarrer", "abonner", "inizia"),
    *("anmelden", "aanmelden", "старт", "подписаться", "başla", "订阅", "訂閱", "開始"),
)

HELP_WORDS = (
    *("help", "info", "help me", "information", "ayuda", "ajuda", "aide", "aiuto", "hilfe", "hulp", "hjälp"),
    *("hjælp", "hjelp", "apua", "pomoc", "помощь", "справка", "допомога", "yardım", "مساعدة", "עזרה", "मदद"),
    *("帮助", "幫助", "ヘルプ", "도움말"),
)

POLITE = (
    *(
        "please",
        "pls",
        "plz",
        "thanks",
        "thank you",
        "thx",
        "now",
        "asap",
        "immediately",
        "hi",
        "hello",
        "hey",
    ),
    *("ok", "okay", "sorry", "just", "bitte", "danke", "por favor", "gracias", "obrigado", "obrigada", "svp"),
    *("merci", "per favore", "grazie", "alsjeblieft", "пожалуйста", "jetzt", "sofort", "ya"),
)

# One letter away from "stop", and words of their own.
LOOKALIKES = frozenset(
    {
        "shop",
        "step",
        "stoop",
        "slop",
        "stow",
        "atop",
        "strop",
        "stomp",
        "stops",
        "estop",
        "stob",
        "ship",
        "swop",
    }
    | {"spot", "stoup", "scop", "setup", "stot", "stoep"}
)

_NEGATION = (
    r"(?:dont|do not|never|didnt|did not|wont|will not|cant|can not|cannot|couldnt|shouldnt|wouldnt|doesnt"
    r"|does not|isnt|not going to|no need to|without|non|no te|no se)"
)
_ENDING = r"(?:stop|unsubscribe|cancel|quit|remove me|take me off|opt out|opt me out|leave)"
NEGATED = (
    rf"\b{_NEGATION} (?:(?:want|wish|plan|mean|like|you|ever|to|need|intend|dare"
    rf"|please|me|us) ){{0,3}}{_ENDING}(?:ping|ting)?\b"
)

_TALK = (
    r"(?:texts?|texting|messages?|messaging|msgs?|msging|txts?|txting|sms|spam|spamming|emails?|emailing|mails?"
    r"|contact|contacting|notifications?|notifying|ads?|promos?|promotions?|promotional|alerts?|calling|calls"
    r"|bothering|bugging|pestering|harassing|harassment|annoying|advertising|marketing|newsletters?)"
)
_THINGS = (
    r"(?:texts?|messages?|msgs?|txts?|sms|spam|emails?|mails?|notifications?|ads?"
    r"|offers?|promos?|promotions?|crap|junk|stuff)"
)
_TO_ME = r"(?:me|us|my (?:phone|number|cell)|this (?:number|phone))"
_NOT_NOW = (
    r"(?! (?:before|until|till|while|during|today|tonight|tomorrow|right now|at"
    r" work|at night|later|when|on weekends|if|back))"
)
_LIST = (
    r"(?:(?:your|this|the|ur|these|all|that|any) )*"
    r"(?:lists?|texts?|messages?|mailings?|mailing list|distribution|marketing"
    r"|sms|database|system|here|it|thread|contacts)"
)

PHRASES = (
    ("stop talking", rf"\b(?:stop|quit|cease|discontinue)(?! by)(?: \w+){{0,2}}? {_TALK}\b"),
    (
        "stop sending",
        rf"\b(?:stop|quit|cease) (?:the )?send(?:ing)? (?:me|us|these|those|this|it|anything|{_THINGS})\b",
    ),
    (
        "do not talk to me",
        (
            r"\b(?:dont|do not|never|no longer|please not) (?:ever )?"
            r"(?:(?:text|message|msg|call|email|write) (?:or|and) )?(?:text|message|msg"
            r"|txt|contact|sms|write|reply|email|bother|spam|call)(?: to)?"
            rf" {_TO_ME}\b(?: again| anymore)?{_NOT_NOW}"
        ),
    ),
    (
        "do not send",
        (
            r"\b(?:dont|do not|never) (?:ever )?send (?:(?:me|us) )?(?:(?:any|anymore|more|these|your|this|such) )*"
            rf"(?:{_THINGS}|anything|anymore|again)\b{_NOT_NOW}"
        ),
    ),
    (
        "take me off",
        (
            r"\b(?:take|remove|delete|drop|get|strike|scratch) (?:me|us|(?:my|this) (?:number|phone"
            rf"|name)) (?:off|from|out of|of) (?:of )?{_LIST}\b"
        ),
    ),
    (
        "take me off, said last",
        (
            r"\b(?:take (?:me|us|(?:my|this) number) off|(?:remove|delete|lose|forget|erase) (?:my"
            r"|this) (?:number|phone|contact))(?: please| now)?(?: from .*)?$"
        ),
    ),
    ("remove me, said last", r"\b(?:please|just|pls|you|to) remove me(?: please| now)?$"),
    (
        "opt out",
        (
            r"\b(?:opt me out|opting out|(?:i|want|wish|like|need|please|let me|choose"
            r"|me)(?: \w+){0,3}? opt(?:ed)? out)\b"
            rf"(?! of (?!(?:(?:your|all|any|the|these|this|it|further|future) ?)+(?:{_THINGS}|list)?$))"
        ),
    ),
    ("opt out of messages", rf"\bopt out of (?:\w+ ){{0,2}}{_THINGS}\b"),
    ("unsubscribe me", r"\bunsubscribe (?:me|us|from|please|now|immediately|this|my (?:number|phone))\b"),
    (
        "want to unsubscribe",
        (
            r"\b(?:i|want|wish|need|please|let me|like|how do i|how can i|how to|trying)(?:"
            r" \w+){0,3}? unsubscribe\b(?! (?:rate|page|link|links|a|the|users?|customers?"
            r"|contacts?|people|someone|my (?!number|phone)))"
        ),
    ),
    (
        "please stop, said last",
        (
            r"\b(?:please|pls|plz|just|now|you|u|asked|said|told you to) (?:to )?stop(?:"
            r" it| this| that)?(?: now| please| already| right now)?$"
        ),
    ),
    (
        "leave me alone",
        r"\b(?:leave (?:me|us) (?:alone|be)|go away|get lost|(?:fuck|piss|bugger|sod|f) off|lose my number)\b",
    ),
    (
        "withdraw consent",
        r"\b(?:revok\w*|withdraw\w*|rescind\w*) (?:\w+ ){0,2}(?:consent|permission|authori[sz]ation)\b",
    ),
    (
        "no more",
        (
            rf"(?<!have )(?<!has )(?<!got )(?<!are )(?<!with )\bno more (?:\w+ ){{0,2}}?(?:{_THINGS}"
            r"|of these|of this|of your)\b(?! (?:left|in my))"
        ),
    ),
    ("enough", rf"\benough (?:with|of) (?:the|these|your|this) (?:\w+ )?{_THINGS}\b"),
    (
        "does not want",
        (
            r"\b(?:dont|do not|no longer|never) (?:want|wish|care|need|like) (?!to (?:miss"
            r"|lose|stop|forget|skip))(?:to )?"
            r"(?:(?:get"
            rf"|receive|getting|receiving|hear|see|have) )?(?:\w+ ){{0,3}}?(?:{_THINGS}"
            r"|from you|texted|messaged|contacted)\b"
        ),
    ),
    (
        "does not want these",
        (
            r"\b(?:dont|do not|no longer) (?:want|wish to (?:get|receive)|want to (?:get"
            r"|receive)) (?:these|those|this|them)"
            r"(?: anymore| any more| any longer)?$"
        ),
    ),
    (
        "how to get out",
        (
            r"\bhow (?:do i|can i|to|do you|do we|can we) (?:\w+ )?(?:opt out$|unsubscribe$"
            r"|(?:get|be) (?:off|removed)\b"
            rf"|(?:stop|end) (?:getting |receiving )?(?:these|those|your|the|all|this) {_THINGS})"
        ),
    ),
    (
        "wants to be off the list",
        rf"\b(?:be|been|get) (?:removed|taken|deleted|unsubscribed|off) (?:off |from |out of |of )*{_LIST}\b",
    ),
    ("cancel messages", r"\b(?:cancel|end) (?:\w+ ){0,4}?(?:texts?|sms|text messages|messages)\b"),
    ("stop, and nothing else", r"^(?:stop ?){2,}$|^stop ?\d{1,2}$"),
    (
        "calls it spam",
        (
            r"\b(?:this is|thats|its) (?:just |all )?spam\b"
            r"|\breport(?:ed|ing)? (?:this |you |it |these )?(?:as |for )?spam\b|\bharass"
        ),
    ),
    (
        "threatens",
        r"\bif (?:you|u) (?:\w+ )?(?:text|message|msg|contact|call|email|write) (?:me|us|this number) again\b",
    ),
    (
        "wants off",
        r"\b(?:want|wants|wanna|need|get me) (?:off|out of) (?:this|the|your|ur) (?:text |sms |mailing )?list\b",
    ),
    ("cease and desist", r"\bcease and desist\b"),
    (
        "never agreed",
        (
            r"\b(?:(?:dont|do not|never|no longer) (?:have|had|gave|give|got) (?:you )?(?:my"
            r" |any )?(?:permission|consent)"
            r"|(?:didnt|did not|never) (?:consent(?:ed)?|agreed?|sign(?:ed)? up|opt(?:ed)? in|subscribed?)"
            r" (?:to|for) (?:this|these|that|it|your|any|get|receive))\b"
        ),
    ),
    ("wrong number", r"\b(?:wrong (?:number|person)|(?:not|isnt) (?:my|the right|his|her) number)\b"),
    (
        "spanish",
        (
            r"\b(?:no (?:me|nos) (?:\w+ )?(?:mand|envi|escrib|contact|molest|llam)\w*"
            r"|(?:deja|dejen|dejad|deje|para|paren|pare) de (?:\w*mand|\w*envi|\w*escrib"
            r"|\w*molest|\w*contact)\w*|no quiero (?:recibir )?(?:mas |sus |estos )*(?:mensajes"
            r"|sms|textos|publicidad)|no mas (?:mensajes|sms|textos)|basta de (?:mensajes"
            r"|sms|textos)|(?:quit|elimin|borr"
            r"|saqu)\w* mi numero|(?:darme|dame|denme|deme|darnos) de baja|borrenme"
            r"|quitenme|eliminenme)\b"
        ),
    ),
    (
        "french",
        (
            r"\b(?:arrete[zr]? (?:de |d|les |vos |tout|ca|avec)\w*|cesse[zr]? de|ne plus"
            r" (?:me |m)?(?:contact|envoy|ecri)\w*|ne m(?:e"
            r" )?(?:\w+ )?(?:envoye|ecrive|contacte|derange|textez)\w*|desabonne\w* moi"
            r"|desinscrive\w* moi|me (?:desabonner|desinscrire)|(?:je )?ne veux plus|plus"
            r" (?:de|aucun) (?:sms|messages?|textos?)|(?:retire|supprime|enleve)[zr]?(?:"
            r" moi| mon numero))\b"
        ),
    ),
    (
        "german",
        (
            r"\b(?:(?:hor|hort|horen sie) (?:\w+ ){0,3}auf|keine (?:\w+ )?(?:sms|nachrichten"
            r"|werbung|mails|emails|infos) mehr|(?:nicht|nichts) mehr (?:\w+ )?(?:schreiben"
            r"|schicken|senden|kontaktieren|anschreiben)|mich (?:\w+ )?(?:abmelden|austragen)"
            r"|(?:melden sie|meldet|melde|tragt|tragen sie) mich (?:\w+ )?(?:ab|aus)|(?:loschen"
            r" sie|loscht|losch|losche) (?:mich|meine nummer)|streichen sie mich|nehmen"
            r" sie mich|nehmt mich|streicht"
            r" mich|lasst mich in ruhe|lassen"
            r" sie mich in ruhe|will (?:\w+ )?keine (?:\w+ )?(?:sms|nachrichten|werbung))\b"
        ),
    ),
    (
        "portuguese",
        (
            r"\b(?:pare[m]? de (?:\w*mand|\w*envi|me)\w*|nao (?:quero|desejo) (?:mais"
            r" )?(?:receber|mensagens|sms)|nao me (?:mand|envi|contat|incomod)\w*|nao"
            r" (?:mande|envie)\w* mais|(?:remov|tir|retir|exclu)\w* meu numero"
            r"|me (?:tire|remova|descadastre)\w*|chega de (?:mensagens|sms))\b"
        ),
    ),
    (
        "italian",
        (
            r"\b(?:smett\w+ di|non (?:mandatemi|inviatemi|scrivetemi|contattatemi|mandarmi"
            r"|scrivermi|inviarmi)|non voglio (?:piu )?(?:ricevere|messaggi|sms)|basta"
            r" (?:messaggi|sms|pubblicita)|(?:cancell|rimuov|toglie|disiscriv)\w*(?:mi"
            r"| il mio numero))\b"
        ),
    ),
    (
        "dutch",
        (
            r"\b(?:stop met|geen (?:\w+ )?(?:berichten|sms|smsjes|reclame|mails) meer"
            r"|niet meer (?:sturen|berichten|smsen)|mij (?:\w+ )?(?:afmelden|uitschrijven)"
            r"|schrijf me uit|meld me af|laat me met rust)\b"
        ),
    ),
    (
        "russian",
        (
            r"(?:не (?:присылайте|пишите|шлите|звоните|беспокойте)|отпишите|удалите мо"
            r"|хватит (?:писать|слать|спам)|прекратите|отстаньте)"
        ),
    ),
    (
        "chinese",
        r"(?:退订|退訂|取消订阅|取消訂閱|(?:不要|别|別|请勿|請勿|勿)再?(?:给我|給我)?(?:发|發|打扰|打擾|联系|聯絡|骚扰|騷擾))",
    ),
    (
        "japanese, korean",
        r"(?:配信(?:を)?停止|送らないで|(?:送信|メール|連絡)(?:を)?(?:やめて|止めて|しないで)|수신\s?거부|보내지\s?마|그만\s?보내)",
    ),
)
