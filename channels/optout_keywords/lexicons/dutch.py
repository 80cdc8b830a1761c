"""The Dutch that people write back. :mod:`channels.optout_keywords.patterns` explains the patterns."""

from __future__ import annotations

from channels.optout_keywords.patterns import Lexicon

DUTCH = Lexicon(
    name="dutch",
    same={
        "berichten": "bericht, berichtjes, berichtje, msg",
        "sms": "smsjes, smsje, smsen",
        "mij": "me, mn",
        "mail": "email, emails, e mail, mails",
    },
    idle="""
        aub, alstublieft, alsjeblieft, graag, svp, nu, hallo, bedankt, dank u, dankjewel, direct,
        onmiddellijk, hier, even, gewoon, s v p, meteen, a u b, per direct, ermee, toch, eens,
        eindelijk, alle, al, beste
    """,
    alone="""
        stoppen, afmelden, uitschrijven, afmelding, verwijderen, opzeggen, annuleren, einde, genoeg,
        beeindigen, ophouden, stop hiermee, spam, verwijder, uitschrijving, klaar ermee, rot op, laat
        maar zitten, hou op, kappen, kap
    """,
    lists={
        "thing": """
            berichten, sms, reclame, mail, spam, notificaties, meldingen, appjes, apps, aanbiedingen,
            advertenties, promo*, whatsapp*, nieuwsbrief, nieuwsbrieven, marketing, reclames,
            telefoontjes
        """,
        "do": """
            stuur, sturen, stuurt, berichten, app, appen, appt, contacteer, contacteren, bel, bellen,
            schrijf, schrijven, benader, benaderen, mail, mailen, texten, verstuur, versturen,
            toesturen, lastigvallen, spammen
        """,
        "want": "wil, wens, willen, hoef, wenst, wou, wilde, wensen",
    },
    spare=(
        "meld|schrijf|haal mij|ons niet >",
        "niet|nooit stop|stoppen|afmelden|af|uit|uitschrijven|ophouden|opzeggen",
        "stop niet >",
        "wil|kan|kon mij|ons? niet|nooit .. stoppen|afmelden|uitschrijven|ophouden|opzeggen",
        "kan|kon|wil|kunnen niet meer? stoppen|zonder",
        "krijg|ontvang|kreeg|ontving|krijgen|ontvangen|komen . geen >",
        "geen {thing} ontvangen|gekregen|gehad",
        "stop de|het|een . !{thing}",
        "berichten in|per mijn|maand|bundel",
        "nummer op|in de|het|mijn",
        "nooit|niet stop gezegd",
    ),
    stop=(
        "stop . {do}|{thing}",
        "stop met mij|ons? {do}|{thing}|deze|dit|die|mij",
        "stoppen met .. {thing}|{do}|dit|deze",
        "{want} .. stoppen",
        "afmelden|uitschrijven|afgemeld|uitgeschreven|uitschrijving $",
        "^ afmelden|uitschrijven|afmelding|uitschrijving",
        "mij .. afmelden|uitschrijven|afgemeld|verwijderen|schrappen",
        "meld|schrijf|haal|verwijder|schrap|gooi mij|ons !niet",
        "meld ik|wij mij? af",
        "haal|verwijder|wis|schrap|delete mijn|dit|deze nummer|gegevens|naam|telefoonnummer",
        "haal|verwijder .. eraf|eruit",
        "van|uit de|jullie|uw|deze|je . lijst|maillijst|verzendlijst|database|bestand|smslijst",
        "geen . {thing} $|meer|sturen|versturen|van",
        "{want} .. geen .. {thing}",
        "{want} dit|deze|ze niet",
        "{want} .. niet|niets|niks meer . ontvangen|dit|deze|van",
        "{do} mij|ons? . geen|niets|niks|niet|nooit meer|{thing}",
        "{do} mij|ons niet|niets|niks|nooit $|meer",
        "niet|niets|nooit|niks meer . {do}",
        "neem geen contact",
        "mijn nummer .. uit|verwijderen|weg",
        "is niet van",
        "val mij|ons niet",
        "niet meer sms|app|bericht*|mail*",
        "niet mijn|het nummer",
        "verkeerd|fout|verkeerde|foute nummer|verbonden|persoon !op|in",
        "niet het|mijn nummer van|$",
        "niet|geen mijn? toestemming",
        "toestemming .. in|ingetrokken|intrekken",
        "nooit|niet aangemeld|ingeschreven $|voor",
        "laat mij|ons .. rust",
        "met rust laten|$",
        "hou*|houd . op $|met|mee",
        "rot|flikker|sodemieter|donder|pleur|tief|kanker op|toch|een",
        "dit is spam|stalking|intimidatie",
        "doe aangifte",
        "alleen|enkel per|via mail|post",
        "maak bezwaar",
        "kap|kappen mee|ermee|hiermee|$",
    ),
    start=(
        "start|starten|aanmelden|hervatten|inschrijven|hervat weer?",
        "weer aanmelden|starten|berichten",
        "meld mij weer? aan",
    ),
    help="hulp, help, info, help mij, help me",
)
