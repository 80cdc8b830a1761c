"""The Portuguese that people write back. :mod:`channels.optout_keywords.patterns` explains the patterns."""

from __future__ import annotations

from channels.optout_keywords.patterns import Lexicon

PORTUGUESE = Lexicon(
    name="portuguese",
    same={
        "mensagem": "mensagens, msg, msgs, mensage, mensagen",
        "nao": "n, num",
        "voces": "vcs, vc",
        "de": "d",
    },
    idle="""
        por favor, pfv, pf, pfvr, obrigado, obrigada, ja, agora, ola, oi, imediatamente, favor, por
        gentileza, olha
    """,
    alone="""
        parar, pare, parem, para, sair, saia, cancelar, cancela, remover, excluir, chega, basta,
        descadastrar, desinscrever, descadastro, apagar, fim, nao quero, anular, encerrar, spam, me
        esquece, parou, desativar, sai fora, bloqueia, bloquear, me tira, me remove, me remova, ja
        chega, basta ja
    """,
    lists={
        "end": "para, pare, parem, parar, deixe, deixem, chega, cessem, basta",
        "send": """
            mand*, envi*, escrev*, contat*, contact*, incomod*, lig*, perturb*, encher, spam*,
            importun*, cham*, receber
        """,
        "do": """
            mande, mandem, manda, mandes, mandar, envie, enviem, envia, enviar, escreva, escrevam,
            escreve, contate, contatem, contacte, contactem, incomode, incomodem, perturbe, perturbem,
            ligue, liguem, chame, chamem, perturba, contatar
        """,
        "thing": """
            mensagem, sms, contato, contatos, ligac*, texto*, publicidade, propaganda*, spam,
            notificac*, promoc*, torpedo*, email*, alerta*, aviso*, anuncio*, oferta*, whats*, zap*
        """,
        "out": """
            tira, tire, tirem, tirar, remova, removam, remover, remove, retira, retire, retirem, exclua,
            excluam, excluir, exclui, apaga, apague, apaguem, apagar, deleta, delete, deletem, risca,
            risque, elimine, eliminem
        """,
        "leave": "descadastr*, desinscr*, dessubscr*",
        "consent": "consentimento, autorizacao, permissao",
        "want": """
            quero, desejo, queremos, autorizei, autorizo, aceito, pedi, solicitei, gostaria, aceitei,
            desejamos
        """,
    },
    spare=(
        "nao|nunca|sem me? {end}|{leave}|sair|cancel*|{out} >",
        "nao|nunca consigo|quero|consegui|queremos|pedi|disse . {end}|{leave}|sair|cancel*|stop >",
        "vou|quero parar de|pra|para trabalhar|almocar|comer",
        "sair do|da app|plano|conta|aplicativo|sistema|sessao|teste",
        "sair mais|as",
        "{thing} no|do|incluid*|restante* meu|plano|pacote",
        "nao recebo|recebi|recebemos|chega*|funciona >",
    ),
    stop=(
        "{end} de|com me? {send}|{thing}|isso",
        "parar {thing}",
        "^ pare|parem|chega $",
        "nao me|nos .. {do}",
        "nao|nunca|jamais mais? {do}",
        "nao {want} . receber|{thing}|isso|nada|estas|essas|ser",
        "nao {want} mais? receber|nada|isso|{thing}|saber",
        "nao .. mais {thing}",
        "sem|nenhuma|chega mais|de? {thing}",
        "^ nao mais|quero $",
        "{leave}",
        "cancel*|anular ... {thing}|inscricao|cadastro|subscricao",
        "nao|nunca entre*|entrem mais? em contato",
        "{want} ser removid*|excluid*|retirad*|descadastrad*",
        "me|nos {out}|esquec* d*|lista|$",
        (
            "{out} .. meu|este|esse|meus numero|contato|contacto|telefone|telemovel|celular|nome|"
            "dados|cadastro"
        ),
        "{out} numero|telefone|contato da|do|dessa|desta",
        "{out} da|dessa|desta|sua . lista|base",
        "sair da|dessa|desta . lista",
        "numero|pessoa errad*|incorret*|equivocad*|trocad* !na|no",
        "este|esse|isso numero? nao e mais? o|de|da|do|meu",
        "nao {want} ser",
        "foi|e por? engano $",
        "e de uma|um crianca|menor",
        "revog*|retir*|cancel* . {consent}",
        "nao|nunca autoriz*|dei . {consent}|isso|isto|$",
        "nunca|nao me? cadastr*|inscrev*|registr*|autoriz* $|nisso|em",
        "deix* me|nos|mim? . em? paz",
        "me|nos deix* em? paz|quieto",
        "foder|fuder|caralho",
        "vou|vamos voces|os|te? denunciar|processar",
        "processar|denunciar voces",
        "procon|anatel",
        "isso|isto e spam|assedio|abuso",
        "so|apenas|somente por email|mail",
    ),
    start=(
        "comecar|iniciar|voltar|retomar|reativar|reiniciar|inscrever",
        "quero voltar|receber a? receber? as? mensagem|sms .",
    ),
    help="ajuda, socorro, informações, informação, me ajuda",
)
