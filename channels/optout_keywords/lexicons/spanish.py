"""The Spanish that people write back. :mod:`channels.optout_keywords.patterns` explains the patterns."""

from __future__ import annotations

from channels.optout_keywords.patterns import Lexicon

SPANISH = Lexicon(
    name="spanish",
    same={
        "mensajes": "msjs, msj, mensages, mensaje, mjs, mensajitos",
        "que": "q",
        "email": "correo electronico, e mail, correos, correo, emails, mails, mail",
    },
    idle="""
        por favor, porfavor, porfa, gracias, ya, ahora, hola, ahora mismo, inmediatamente, de una vez,
        mucho, tanto
    """,
    alone="""
        alto, para, pare, paren, parar, parad, baja, cancelar, cancela, basta, fin, salir, eliminar,
        borrar, detener, terminar, remover, no mas, suficiente, anular, no molestar, spam, acoso,
        desuscribir, quitar, cancelar suscripcion, eliminarme, borrarme, no quiero nada, dejenme, dejame
    """,
    lists={
        "end": """
            para, paren, pare, parad, parar, deja, dejen, deje, dejad, dejar, detengan, detenga, cesen,
            dejame, dejenme
        """,
        "send": """
            mand*, envi*, escrib*, contact*, molest*, llam*, text*, spam*, fastidi*, jod*, fregar,
            chingar, joder, marcar, insist*, remit*, acos*, recib*
        """,
        "do": """
            mande, manden, mandes, mandeis, mandar, mandarme, envie, envien, envies, enviar, enviarme,
            escriba, escriban, escribas, escribir, escribirme, contacte, contacten, contactes,
            contactar, contactarme, moleste, molesten, molestes, molestar, molestarme, llame, llamen,
            llames, llamar, llamarme, textee, texteen, jodan, jodas, fastidien, remitan, marquen,
            marque, insistan, frieguen, chinguen
        """,
        "thing": """
            mensajes, sms, texto*, publicidad, spam, notificacion*, promocion*, propaganda, anuncio*,
            email, alerta*, aviso*, ofertas, whatsapp*, llamadas, contacto, comunicacion*
        """,
        "out": "quit*, elimin*, borr*, sac*, saq*, remuev*, remover, retir*, suprim*, tach*",
        "outme": """
            quitenme, quiteme, quitame, quitarme, eliminenme, elimineme, eliminame, borrenme, borreme,
            borrame, borrarme, saquenme, saqueme, sacame, sacarme, remuevanme, retirenme, retireme,
            desuscrib*, desinscrib*, tachenme
        """,
        "leaveme": "darme, darnos, dame, deme, denme, darse, dese, date, dense, me doy, denos",
        "consent": "consentimiento, autorizacion, permiso",
        "want": """
            quiero, deseo, me interesa, me interesa mas, queremos, deseamos, quisiera, autorizo,
            autorice, acepto, pedi, solicite, me interesan
        """,
    },
    spare=(
        "no|sin|nunca {end}|{outme}|cancel*|borren|quiten|eliminen >",
        (
            "no|nunca puedo|podemos|pude|quiero|quise|queremos|pedi|dije . {end}|{outme}|{leaveme}|"
            "cancelar|salir|baja|stop >"
        ),
        "no me den|des|saquen|quiten|borren|eliminen|cancelen >",
        "dar|doy de baja a|al|un|una|el|la !suscripcion",
        "de baja por|laboral|medica",
        "{thing} en|de|del mi|plan|la|su",
        "no me|nos lleg*|aparec*|funcion*",
        "numero|telefono . equivocado|incorrecto|erroneo en",
    ),
    stop=(
        "alto $",
        "{end} de|con me? {send}|{thing}",
        "{end} de .. *rme|*rnos",
        "{end} de ..... {thing}",
        "^ parar|pare|paren {thing}",
        "salirme|salir|sacarme de la|su|esta lista",
        "no|nunca|sin doy|di|he|tienen dado? mi? {consent}",
        "ya no tiene|usa|es este|el numero|telefono|celular",
        "es de una|un nina|nino|menor",
        "no me|nos|lo .. {do}",
        "no|nunca|jamas|ni mas? {do}",
        "no vuelva*|volver|volvais a {do}",
        "no {want} que .. {do}|vuelv*",
        "no {want} ... {thing}|recibir",
        "no {want} saber|nada|esto|eso|estos|este",
        "no {want} ser",
        "no|ningun|ni .. mas {thing}",
        "no {thing} $|mas",
        "basta de|con .. {thing}",
        "{want} ser eliminad*|removid*|borrad*|quitad*",
        "^ paren|pare $",
        "{outme}",
        "{leaveme}|dar de baja !un|una|al|el",
        "quiero|solicito|pido|deseo .. baja $|de|del",
        "baja mi|este|del|de|mis numero|servicio|lista|datos",
        "salir de la|su|esta lista",
        "cancel* ... {thing}",
        "{out} .. mi|este|mis numero|telefono|contacto|celular|movil|dato|datos|cel",
        "{out} de la|su|tu|esta|sus lista|listas|base",
        "numero|persona|telefono . equivocad*|incorrect*|erroneo|errado !en|de|na",
        "equivoc* de numero|telefono|persona",
        "este|ese no es . el|mi|su numero|telefono",
        "numero no es|pertenece de|a",
        "revoc*|retiro|cancelo . {consent}",
        "no|sin|nunca di|he|tienen . {consent}",
        "no autoric*|autorizo",
        "nunca|no me suscrib*|registr*|inscrib*",
        "dej* me? en paz",
        "dejame|dejenme|dejeme tranquil*|quiet*",
        "voy a bloque*",
        "bloque* mi|este numero|telefono",
        "no es mi numero|telefono",
        "se|te equivoc* $",
        "ya no jodan|frieguen|chinguen|marquen",
        "no utilicen|usen este|mi numero",
        "a la mierda|verga|chingada",
        "al carajo|diablo",
        "tomar por culo",
        "voy|vamos a demandar*|denunciar*|reportar*",
        "denunciare|demandare|reportare",
        "es|esto .. spam|acoso",
        "solo|unicamente por? email",
    ),
    start=(
        (
            "alta|iniciar|comenzar|empezar|reanudar|suscribir|suscribirme|suscribirse|reactivar "
            "otra? vez? mensajes?"
        ),
        "empezar|iniciar|comenzar|reanudar|reactivar de? nuevo? los? mensajes",
        "quiero volver? a? recibir los? mensajes otra|de? vez|nuevo?",
        "suscribirme otra|de vez|nuevo",
    ),
    help="ayuda, ayúdame, ayúdenme, auxilio, información",
)
