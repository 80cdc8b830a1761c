"""The Italian that people write back. :mod:`channels.optout_keywords.patterns` explains the patterns."""

from __future__ import annotations

from channels.optout_keywords.patterns import Lexicon

ITALIAN = Lexicon(
    name="italian",
    same={
        "messaggi": "messaggio, msg, messagi",
        "non": "nn",
        "email": "e mail, mail",
    },
    idle="""
        per favore, grazie, ora, subito, adesso, ciao, salve, immediatamente, per cortesia, gentilmente,
        buongiorno, cortesemente
    """,
    alone="""
        basta, ferma, fermare, fermati, fermatevi, cancella, cancellami, cancellatemi, cancellazione,
        annulla, annullare, disiscrivi, disiscrivimi, disiscrizione, disdetta, disdire, rimuovi,
        rimuovimi, smettila, smettetela, fine, elimina, eliminami, basta cosi, spam, disattiva, revoca,
        esci, cancellare, rimuovere, annulla iscrizione, non scrivere
    """,
    lists={
        "send": """
            mand*, invi*, scriv*, contatt*, disturb*, chiam*, rompere, assill*, telefon*, tormentar*,
            spam*, stressar*
        """,
        "do": """
            mandatemi, mandarmi, mandarci, mandate, mandare, inviatemi, inviarmi, inviate, inviare,
            scrivetemi, scrivermi, scrivete, scrivere, contattatemi, contattarmi, contattate,
            contattare, chiamatemi, chiamarmi, chiamate, disturbate, disturbatemi, disturbarmi,
            disturbare, rompete, inviateci, scriveteci, contattateci
        """,
        "formal": """
            scriva, contatti, disturbi, chiami, scrivete, contattate, disturbate, chiamate, telefoni
        """,
        "thing": """
            messaggi, sms, pubblicita, spam, notifiche, promozioni, promo, email, avvisi, offerte,
            comunicazioni, newsletter, whatsapp, pubblicitari
        """,
        "outme": """
            cancellami, cancellatemi, cancellarmi, rimuovimi, rimuovetemi, rimuovermi, toglimi,
            toglietemi, togliermi, eliminami, eliminatemi, eliminarmi, disiscriv*, cancellateci,
            toglieteci, depennatemi, levatemi, disiscrizione
        """,
        "out": "cancell*, rimuov*, togli*, togliete, elimin*, lev*",
        "consent": "consenso, autorizzazione, permesso",
    },
    spare=(
        "non|mai|senza smett*|ferm*|{outme}|cancell*|disiscriv*|toglie*|rimuov* >",
        (
            "non riesco|voglio|posso|vorrei|volevo|voglia a? smett*|ferm*|cancell*|disiscriv*|"
            "{outme}|perdere >"
        ),
        "non|mai ho|detto . stop|smett*",
        "non ricevo|arriv*|ricevuto|riceviamo >",
        "{thing} nel|inclusi|rimast*|del mio|piano",
        "numero sbagliato in|sulla|nella|di",
    ),
    stop=(
        "stop {thing}",
        "stop alla|alle|agli|ai|con {thing}",
        "voglio|vorrei|desidero essere {out}|tolto|rimosso|cancellato",
        "non autorizz*|acconsent* questi|queste|l|a|il|i|voi|$",
        "smettetela|smettila|piantatela|piantala|finitela|finiscila",
        "smett* di|con .. {send}|{thing}",
        "^ smettete|smetti|smetta $",
        "basta|finitela|piantatela con|di|coi? . {thing}|questi|scriv*|mand*|romp*",
        "non {do} !dimenticat*",
        "non mi|ci {formal}",
        "non mi|ci mandi|mandate|invii|inviate piu|altri|altre|messaggi|sms|nulla|niente|questi",
        (
            "non voglio|vogliamo|desidero|intendo|gradisco|desideriamo|accetto piu? . ricever*|"
            "{thing}|nulla|niente|questi|queste"
        ),
        "non ... piu {thing}",
        "niente|nessun|no|mai piu? {thing}",
        "{outme}",
        "annull*|disdi*|disattiv*|blocc*|revoc*|cancell* .. iscrizione|{thing}",
        "{out} .. mio|questo|miei numero|nome|contatto|dati|cellulare|telefono",
        "dalla|da|dalle vostra|vostre|tua|questa lista|liste|database|elenco",
        "{outme}|{out} dalla lista",
        "numero|persona sbagliat*|errat*",
        "sbagliat* numero|persona",
        "non e piu? . numero di",
        "non voglio|desidero|vorrei piu? essere",
        "dimenticat* mi|il mio|questo numero?",
        "non sono il|la signor*|proprietari*",
        "revoc*|ritiro|ritir* .. {consent}",
        "non|mai ho|abbiamo? mai? dato|il|mio? .. {consent}",
        "non|mai mi? sono|mai mai? iscritt*|registrat*",
        "lasci* in pace",
        "lasciatemi|lasciami|lasciateci stare|in",
        "vaffanculo|fanculo|cagare",
        "avete|mi|hai rotto|stufato|scocciato|stancato",
        "vi denuncio|querelo|segnalo",
        "denuncio|denuncero|garante privacy|per|vi?",
        "e|questo|questa spam|molestia|stalking",
        "solo|soltanto per|via? email",
        "mi oppongo",
    ),
    start=(
        "inizia|iniziare|riprendi|iscrivimi|riattiva|ricomincia|riprendere|iscriviti messaggi?",
        "voglio ricevere di? nuovo? i? messaggi .",
    ),
    help="aiuto, info, informazioni, aiutami, aiutatemi",
)
