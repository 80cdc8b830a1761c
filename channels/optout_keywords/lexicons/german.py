"""The German that people write back. :mod:`channels.optout_keywords.patterns` explains the patterns."""

from __future__ import annotations

from channels.optout_keywords.patterns import Lexicon

GERMAN = Lexicon(
    name="german",
    same={
        "nachrichten": "nachricht, msg",
        "email": "e mail, e mails, emails, mails, mail",
        "ihr": "euch",
    },
    idle="""
        bitte, danke, jetzt, sofort, endlich, hallo, mal, doch, umgehend, ab sofort, künftig, zukünftig,
        einfach, guten tag, auch, alle, alles, hiermit, in zukunft, unverzüglich
    """,
    alone="""
        stopp, stoppen, ende, beenden, abmelden, abmeldung, abbestellen, austragen, aufhören, kündigen,
        löschen, entfernen, widerruf, widerrufen, widerspruch, genug, ruhe, schluss, es reicht, reicht,
        raus, aus, weg, abbestellung, spam, verpisst euch, verpiss dich, aufhoeren, loeschen, kuendigen,
        schnauze, halt
    """,
    lists={
        "thing": """
            sms, nachrichten, werbung, email, infos, newsletter, texte, spam, anrufe, angebote,
            benachrichtigungen, meldungen, whatsapp*, reklame, werbenachrichten, werbesms, zusendung*,
            kontakt, kontaktaufnahme
        """,
        "do": """
            schreib*, schick*, send*, kontaktier*, anschreib*, angeschrieben, zusend*, zuschick*,
            anruf*, simsen, textet, ruf*, zu schreiben, zu schicken, zu senden, belästig*, belaestig*,
            nerv*
        """,
        "me": "mich, uns, mir, meine",
        "want": "will, möchte, moechte, wollen, wünsche, wünschen, brauche, mag, wollte, möchten",
        "number": """
            nummer, daten, handynummer, telefonnummer, kontakt, rufnummer, adresse, email, kontaktdaten
        """,
    },
    spare=(
        (
            "nicht|nie|niemals mich|uns? aufhör*|auf|abmelden|stoppen|kündigen|löschen|stop|ab|"
            "austragen|belästig*"
        ),
        "hör*|hoer* sie? nicht auf",
        "nicht|nie .. stop|stopp gesagt",
        "will|möchte|kann mich? nicht .. abmelden|aufhören|austragen|kündigen|abbestellen",
        "melden|meldet|melde sie? mich nicht >",
        "sie nicht belästig*",
        "bekomme|erhalte|kommen|kriege|bekommen|erhalten|gehen .. keine|keinerlei ... mehr|an?",
        "nummer|nummern auf|im|in|der|des rechnung|profil|konto|system|vertrag*",
        "melde mich morgen|später|wieder|bei|nächste*",
    ),
    stop=(
        "stopp $",
        "stop|stopp|stoppt|stoppen mit|sie|die|den|das|eure|ihre|diese? mit|die|der|ihre|eure? {thing}",
        "hör*|hoer* sie|ihr? . auf $|damit|mit|jetzt",
        "hör*|hoer* sie|ihr? . auf , mich|mir|uns? zu? {do}",
        "aufhör*|aufhoer* mit|mir|uns|damit|$",
        "kein|keine|keinen|keinerlei weitere*|mehr|solche|ihre|eure|diese? {thing} $",
        "kein|keine|keinen|keinerlei . {thing} mehr",
        "kein|keine|keinen|keinerlei weitere*|solche|unerwünschte* {thing}",
        "keine|keinerlei . {thing} senden|schicken|zusenden|schreiben",
        "{want} .. kein|keine|keinen|keinerlei .. {thing}",
        "{want} das|dies|diese|so nicht mehr",
        "nicht|nichts|nie mehr|wieder|weiter . {do}|melden",
        "{do} sie|ihr|du? {me}? nicht|nichts|nie mehr|wieder|an|weiter",
        "{do} sie|ihr|du? {me} kein|keine|keinen .. {thing}",
        "{do} {me}? nichts|nie mehr|wieder",
        "abmelden|austragen|abbestellen|abzumelden|abgemeldet|ausgetragen|abbestellt $",
        "abgemeldet|ausgetragen|gelöscht werden $",
        "{me} .. abmelden|austragen|abbestellen|streichen|entfernen|löschen|abgemeldet|ausgetragen",
        "möchte|will|wollen .. ausgetragen|gestrichen|gelöscht|abgemeldet werden",
        "{thing} .. abmelden|abbestellen|stoppen|einstellen|beenden|deaktivieren|kündigen|abstellen|ab $",
        "abbestell* .. {thing}",
        (
            "meld*|trag*|nehm*|nimm|streich*|lösch*|entfern*|lass*|loesch* sie|ihr? mich|uns .. ab|"
            "aus|von|raus"
        ),
        "streich*|lösch*|entfern*|loesch* sie|ihr? mich|uns $",
        "melde mich .. ab",
        "lösch*|entfern*|streich*|loesch*|nehm* sie|ihr? meine|diese|mein . {number}",
        "meine|diese . {number} .. lösch*|entfern*|loesch*|streich*",
        (
            "aus|von der|ihrer|eurer|deiner|dem|ihrem|diesem|dieser . liste|verteiler|datenbank|"
            "kartei|system|bestand"
        ),
        "^ löschen|entfernen|austragen $",
        "falsche|falschen nummer|rufnummer|handynummer|person|telefonnummer !auf|im|in|format|angezeigt",
        "falsch verbunden",
        "in der nummer geirrt|vertan",
        "nicht .. nummer von",
        "nummer gehört nicht|jetzt",
        "nie|nicht .. meine nummer gegeben",
        "hier ist|wohnt nicht|kein|keine frau|herr|familie",
        "hier ist|wohnt nicht|kein|keine . $",
        "sie haben die falsche person",
        "nicht mehr kontaktiert|angeschrieben werden",
        "schluss|genug|ende mit .. {thing}",
        "nicht die|meine nummer",
        "ich bin nicht herr|frau",
        "lass* sie|mich|uns mich|uns|in . ruhe",
        "widerruf*|widersprech* !frist|recht",
        "widerspruch gegen",
        "einwilligung .. zurück*|entzieh*|widerruf*|entzogen",
        "nie|nicht zugestimmt|eingewilligt|angemeldet $",
        "verpiss*|verzieh*",
        "leck* mich|mir",
        "fick*",
        "das|dies ist . spam|belästigung|belaestigung",
        "belästig* mich|uns",
        "zeige|anzeige sie|ihr an|erstatten?",
        "werde|ich sie|ihr anzeigen|melden",
        "anwalt meldet|wird|schreib*|einschalt*",
        "unterlass*",
        "abmahn*",
        "kein interesse .. lösch*",
        "schluss|genug jetzt|damit|mit $",
        "nur per|noch|via email|post",
        "bundesnetzagentur",
    ),
    start=(
        "start|starten|anmelden|anmeldung|fortsetzen wieder?",
        "wieder anmelden|starten",
        "melde* mich|sie wieder|mich an?",
    ),
    help="hilfe, info, hilf mir, helfen sie mir",
)
