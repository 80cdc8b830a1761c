"""The French that people write back. :mod:`channels.optout_keywords.patterns` explains the patterns."""

from __future__ import annotations

from channels.optout_keywords.patterns import Lexicon

FRENCH = Lexicon(
    name="french",
    same={
        "messages": "msg, msgs, message",
        "texto": "txt",
        "ne me": "ne m",
        "email": "e mail, emails, e mails, mails, courriel, courriels",
    },
    idle="""
        svp, s il vous plait, sil vous plait, sil te plait, stp, immediatement, maintenant, bonjour, de
        suite, desormais, jamais, surtout, des, merci bien
    """,
    alone="""
        arret, arrete, arreter, arretez, fin, annuler, resilier, retirer, supprimer, stopper, ca suffit,
        suffit, assez, spam, quitter, cessez, degage, degagez, desactiver, laissez moi, laisse moi,
        stoppez, stoppe, annuler l abonnement, annuler labonnement, plus rien, plus de messages, plus
        rien merci, au revoir stop
    """,
    lists={
        "end": "arret, arrete, arreter, arretez, cesse, cesser, cessez, stoppez, stopper, stop",
        "send": """
            envoyer, envoi, envois, envoie, ecrire, contacter, deranger, harceler, spammer, appeler,
            embeter, emmerder, solliciter, relancer, menvoyer, mecrire, mappeler, membeter, memmerder,
            texter
        """,
        "do": """
            envoyez, envoyer, envoie, envoyes, ecrivez, ecrire, ecris, contactez, contacter, contacte,
            derangez, deranger, derange, textez, appelez, appeler, appelle, sollicitez, solliciter,
            recontactez, recontacter, importunez, menvoyez, mecrivez, mappelez, mecris, menvoie,
            mecrire, menvoyer, mappeler, menvoyes
        """,
        "thing": """
            messages, sms, texto*, pub, pubs, publicite*, spam, email, mail, notification*, promo*,
            alertes, offres, demarchage, prospection, sollicitation*, newsletter*
        """,
        "out": "supprim*, retir*, enlev*, effac*, ray*, radi*, otez, sortez",
        "leave": "desabonn*, desinscri*",
        "consent": "consentement, accord, autorisation, permission",
    },
    spare=(
        "ne|n vous|me|te|pas|plus? {end}|{leave} >",
        "narretez|narrete|narretes|narreter pas >",
        "n arret*|ai|a pas|jamais >",
        "nai|na jamais|pas dit|demande|voulu stop >",
        "ne veux|souhaite|peux|puis pas|plus me|m|nous|den? {end}|{leave}|passer",
        "impossible|comment|peut d|darreter|de|on? {end}",
        "comment je|puis? {end}",
        "arret|arrets maladie|bus|tram|metro|cardiaque",
        "arret|arrets de|du travail|bus|tram|metro",
        "messages|sms|textos dans|inclus|restant*",
        "ne|n recois|recoit|recevons|ai|recu .. {thing}",
    ),
    stop=(
        (
            "^ merci? d? arrete|arretez|arreter|darreter|cessez|stoppez tout|tous|ca|cela|avec|"
            "immediatement? $"
        ),
        "merci|priere|veuillez|faut|voulez|pouvez|pourriez d|de|vous? . darreter|cesser $",
        "{end}|darreter d|de|les|la|vos|ces|avec|aux|a|au|l|tous|toutes .. {send}|{thing}",
        "stop {thing}",
        "ne|nous|me . {do} plus|pas|rien|jamais|aucun",
        "nenvoyez|necrivez|nappelez|nenvoie|mecrivez|menvoyez|mappelez plus|pas|rien|jamais",
        "plus|pas me|m|de|nous? me|m? {do}|contact*",
        "ne plus . {do}|recevoir|etre",
        (
            "veux|souhaite|desire|voudrais|aimerais plus|pas|ne . recevoir|vos|de|etre|aucun .. "
            "{thing}|contact*|sollicit*"
        ),
        "ne? veux|souhaite|desire plus|pas recevoir|rien|cela|ca|de ca",
        "{out} de|d la|votre|vos|cette liste|listes|base",
        "^ plus|pas|aucun|zero de? {thing} $",
        "plus aucun {thing}",
        "{leave}",
        "resili*|annul* .. {thing} $",
        "{out} moi|nous",
        "{out} mon|ce|mes|notre|le . numero|nom|contact|coordonnees|donnees|tel|portable",
        "{out} de|des vos? liste*",
        "etre|suis .. {out}|desinscrit|desabonne|raye",
        "oubliez|oublie moi|nous",
        "nutilisez|utilisez plus ce|mon numero",
        "me|nous {out} de|des|du",
        "de la|votre|vos|ta|cette|toutes .. liste|listes|base|fichier de diffusion|$",
        "mauvais|faux numero|interlocuteur !de|sur",
        "vous|tu . tromp* de|d",
        "erreur de|d numero|personne|destinataire",
        "pas le bon|mon numero",
        "pas le numero de|d",
        "retire|revoque|annule .. {consent}",
        "pas|jamais donne . {consent}",
        "oppose|moppose a|au|aux . prospection|demarchage|utilisation|sollicitation*|publicite",
        "refuse .. {thing}",
        "suis|ai pas|jamais inscrit*|abonne|consenti $|a",
        "fich*|fout* moi|nous la|le paix|camp",
        "laissez|laisse moi|nous tranquille",
        "casse|cassez toi|vous",
        "faire foutre",
        "harcelement",
        "porter|porte|deposer plainte",
        "vais|allons vous|te signaler|denoncer|poursuivre",
        "liste ne pas appeler",
        "du|un|est spam",
        "cnil",
        "ras le bol|cul",
        "demande|prie d|de|darreter {end}?",
        "comment darreter|arreter|stopper|bloquer ces|vos|les {thing}",
        "desactiv*|coup*|bloqu*|arretez|stoppez le|les|ces|vos {thing}",
        "jamais|rien demande . recevoir|$",
        "avez|as pas mon|notre {consent}",
        "numero nest|est plus|pas celui|a|au",
        "marre de|d .. {thing}|{send}",
        "uniquement|seulement par email|mail",
    ),
    start=(
        (
            "reprendre|demarrer|debut|recommencer|abonner|commencer|reabonner|reabonnez|reabonnement|"
            "reactiver moi?"
        ),
        "je veux|souhaite|voudrais recevoir les|vos|des? sms|messages a|de? nouveau?",
        "reprenez|reprendre les|vos sms|messages",
    ),
    help="aide, aidez moi, aide moi, info, infos, renseignement",
)
