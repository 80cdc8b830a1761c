"""What is written back in further languages of Europe.

:mod:`channels.optout_keywords.patterns` explains the patterns.
"""

from __future__ import annotations

from channels.optout_keywords.patterns import Lexicon

SCANDINAVIAN = Lexicon(
    name="swedish, danish, norwegian",
    idle="""
        tack, snälla, vänligen, nu, tak, venligst, takk, vennligst, hej, hei, genast, gerne, gärna,
        straks, også
    """,
    alone="""
        stoppa, stopp, sluta, avsluta, avregistrera, avmeld, afmeld, afmelding, slut, slutt, avslutt,
        slett, slet, stoppe, avbryt, fel nummer, forkert nummer, feil nummer, fjern, ta bort, frameld,
        hold op
    """,
    lists={
        "thing": """
            sms*, meddelande*, besked, beskeder, melding, meldinger, reklam*, mail*, epost, mejl, spam
        """,
        "do": "skicka*, sms*, skriv*, send*, kontakt*, ring*, mejla, maila, störa, forstyr*",
        "not": "inte, ikke, aldrig, aldri",
    },
    spare=("sluta|stopp|stop|slutt {not}", "{not} sluta|stoppe|stop|avregistrera|afmelde|slutte|stoppa"),
    stop=(
        "sluta|slutt|stoppe|stoppa .. {do}|{thing}|höra|høre",
        "stop|stopp|hold med|op .. {do}|{thing}",
        (
            "ta|tag|fjern|slet|slett|radera|slette|meld|stryk bort? mig|meg|mitt|mit|dette|mina|mine "
            "nummer|från|fra|af|av|$"
        ),
        "avregistrera|afmeld|avmeld|avanmäl|framelde|avmelde|afmelde mig|meg|$",
        "inga|inget|ingen {not}? fler*|flere|mer|mere? {thing}",
        "{not} . {do} mer|mere|{thing}|mig|meg|til|igen|igjen|flere|fler",
        "{do} {not}",
        "vill|vil|ønsker|önskar {not} .. {thing}|kontaktes|kontaktas",
        "fel|forkert|feil nummer|person !på|i",
        "låt|lad|la mig|meg . fred|ifred|vara|være",
        "återkallar|tilbagekalder|trekker|trækker . samtycke|samtykke",
        "från|fra er|din|deres|jeres lista|liste",
        "detta|dette|det är|er spam",
    ),
    start=("starta|börja|begynn|tilmeld|påmeld|anmäl igen|igjen?",),
    help="hjälp, hjælp, hjelp",
)

FINNISH = Lexicon(
    name="finnish, estonian",
    idle="kiitos, ole hyvä, nyt, heti, pliis, enää, minulle, mulle, olkaa hyvä",
    alone="""
        lopeta, lopettakaa, peruuta, peru, seis, riittää, poista, poistakaa, väärä numero, lõpeta,
        eemalda, roskapostia
    """,
    spare=("älä|älkää lopet*", "en halua peruuttaa|lopettaa"),
    stop=(
        "älä|älkää lähet*|laita*|soita*|häirit*|viesti*|tekst*|kirjoit*|ottako|ota",
        "lopet* . viesti*|viest*|lähet*|häir*",
        "poista* . numero*|minut|listal*|tieto*",
        "väärä numero|henkilö !lasku*",
        "väärään numeroon",
        "en halua|tahdo|tarvitse . viest*|mainok*|tekstar*|mainont*",
        "ei enempää|lisää? viestejä|mainoksia|tekstareita",
        "jätä*|jättäkää minut? rauhaan",
        "perun|peruutan suostum*",
        "ärge|ära saatke|saada|kirjutage|kirjuta",
        "vale number",
    ),
    start=("aloita|jatka|tilaa",),
    help="apua, apu, abi, ohje",
)

POLISH = Lexicon(
    name="polish",
    idle="""
        proszę, prosze, dziękuję, teraz, już, natychmiast, dzień dobry, więcej, nigdy, tych, mi,
        żadnych, bardzo, się, sobie
    """,
    alone="""
        koniec, rezygnuję, rezygnacja, wypisz, wypisać, anuluj, dość, dosyć, przestań, przestańcie,
        zatrzymaj, usuń, wyłącz, odsubskrybuj, wyrejestruj, zły numer, pomyłka, zakończ, spadaj,
        spadajcie, odwal, odwalcie
    """,
    lists={
        "thing": "sms*, wiadomo*, reklam*, mail*, spam*, powiadomie*, ofert*, telefonow",
        "do": """
            pisz*, pisać, wysyła*, kontaktowa*, kontaktuj*, dzwon*, przysyła*, nęka*, przesyła*, smsowa*
        """,
    },
    spare=(
        "nie przesta*",
        "nie chcę wypis*|rezygnowa*|przesta*|anulow*",
        "nie wypisuj*",
        "nie dostaj*|otrzymuj*|mam {thing}",
    ),
    stop=(
        "wypisz*|wypisa*|wyrejestr*|usuń*|wykreśl*|skreśl* mnie|nas|z",
        "mnie . wypisać|usunąć|wykreślić",
        "usuń*|usunięcie|usunąć|skasuj*|wykasuj*|wykreśl* mój|mojego|tego|ten|moje|numer* numer*|dane|$",
        "chcę wypisać|zrezygnować",
        "rezygnuję",
        "nie do? mnie? {do}",
        "nie chcę|życzę|zgadzam|potrzebuję|wyrażam .. {thing}|otrzymywa*|dostawa*|zgody|kontakt*",
        "przesta* .. {do}|{thing}",
        "przestań|przestańcie $",
        "dość|dosyć|koniec {thing}",
        "bez|zero {thing}",
        "zły|błędny|pomylony numer !faktury|konta|zamówienia|na",
        "to nie jest . numer",
        "pomyłka|pomylił*|pomylili* $|zły|numer*",
        "cofam|wycofuję|odwołuję zgod*",
        "nie wyrażałem|wyrażałam|dawałem zgod*",
        "daj*|zostaw* mnie|nam? w? spokój|spokoju",
        "odczep*|odwal*|spierda*|wypierda*",
        "to jest spam|nękanie",
        "zgłosz* .. uodo|uke|policj*|prokurat*",
        "z listy|bazy",
    ),
    start=("wznów|zapisz|rozpocznij mnie?",),
    help="pomoc, pomocy, pomóż",
)

CZECH = Lexicon(
    name="czech, slovak",
    idle="prosím, prosim, díky, děkuji, teď, už, dobrý den, ihned, vic, více, mi, nám",
    alone="""
        odhlásit, zrušit, zrušte, přestaňte, přestaň, konec, dost, odhlaste, odhlásiť, zrušiť,
        prestaňte, koniec, špatné číslo, omyl, vymazat, smazat, ukončit
    """,
    spare=("nepřestávejte|neprestávajte|neodhlašujte|neodhlašovat", "nechci se? odhlásit|zrušit"),
    stop=(
        (
            "neposílejte|nepište|nevolejte|neposielajte|nepíšte|nekontaktujte|neotravujte|"
            "neobtěžujte|nezasílejte|nepiš|neposílej|nezasílat"
        ),
        "odhlás*|odhlaste mě|ma|nás|se|sa|z|odběr",
        "nechci|nepřeji|nechcem|neželám . sms|zprávy|správy|dostávat|reklamy|dostávať",
        "přesta*|presta* . psát|posílat|písať|posielať|otravovat|$",
        "žádné|žiadne další|ďalšie? zprávy|sms|správy|reklamy",
        "špatné|nesprávné|zlé|chybné|cizí číslo !fakt*|účt*",
        "smaž*|vymaž*|odstraň*|vyřaď* mé|moje|mě|mne|ma číslo|z|ze|$",
        "dejte|dajte mi? pokoj",
        "odvolávám souhlas|súhlas",
    ),
    start=("začít|obnovit|přihlásit|začať|prihlásiť",),
    help="nápověda, pomoc",
)

RUSSIAN = Lexicon(
    name="russian, ukrainian",
    idle="""
        пожалуйста, спасибо, сейчас, уже, немедленно, больше, мне, нам, нас, сюда, прошу, вас, будь
        ласка, більше, мені, никогда, вы, здравствуйте, эти, этот, наконец, пж, плиз, плз, всё, все
    """,
    alone="""
        стоп, отписаться, отписка, отпиши, отпишите, отпишись, отмена, хватит, отстаньте, отстань,
        отвали, отвалите, прекратите, удалить, удали, спам, достаточно, перестаньте, завершить, конец,
        отказ, отказаться, не беспокоить, відписатися, відписка, зупинити, зупиніть, досить, скасувати,
        отключить, отключите, ошиблись, прекрати, перестань
    """,
    lists={
        "thing": """
            смс*, сообщени*, рассыл*, реклам*, спам*, уведомлени*, повідомлен*, розсил*, писем, письма,
            звон*
        """,
        "do": """
            пиши*, писать, присыла*, шли*, слать, звони*, звонить, отправля*, беспокой*, пишіть,
            надсила*, дзвоні*, турбу*, тревож*, смсь*, контактир*, рассыла*
        """,
        "end": """
            стоп, хватит, прекрати*, перестан*, кончай*, заканчивай*, завязывай*, досить, припин*, годі,
            довольно
        """,
    },
    spare=(
        "не прекраща*|останавлив*|перестав*|отписыв*|удаля*|припиня*",
        "не надо|нужно|хочу отписыв*|удалять|прекращ*|отказыв*",
        "как отменить|отписать*|удалить|отключить",
        "не приход*|получаю|работа*",
    ),
    stop=(
        "{end} мне|меня|мене|до? {do}|{thing}",
        "отпишите|отпиши|отписать",
        "хочу|как|нужно отписаться",
        "отписаться от",
        "не надо|нужно|стоит? до|на|мне? меня|мене? {do}",
        "не номер|телефон . больше",
        "не хочу|желаю|нужны|нужна|интересуют|бажаю|давал|давала . {thing}|получать|отримувати|согласи*",
        "никаких|без {thing}",
        (
            "удал*|сотри*|уберите|убери|вычеркн*|исключ*|видал* мой|мої|мій|меня|мене? номер*|"
            "телефон|данные|меня|мене|из"
        ),
        "из|з вашей|вашої|этой? базы|списк*|рассылк*|бази|розсилк*",
        "ошиб*|помил* номер*",
        "неправильный|неверный|чужой|неправильний номер !сч*|заказ*|карт*|договор*",
        "не тот|мой номер",
        "не туда попали|пишете|звоните",
        "отзыва*|отзов*|відклика* . соглас*|разреш*|згод*",
        "отстан*|отвал*|отвян*|отъеб*|отцеп*|заеб*|достали|задолбал*",
        "иди|идите|пошел|пошли|пошёл на|нах*|в",
        "это спам",
        "буду|напишу жаловаться|жалоб*",
        "жалоба|жалобу|заявление в|на . фас|прокуратур*|полици*|суд|вас|ркн",
        "оставьте|оставь|залиште меня|мене в покое|спокої",
        "отключите|выключите|отмените {thing}",
    ),
    start=("старт|подписаться|возобновить|начать|підписатися|подпишите",),
    help="помощь, справка, помогите, допомога, хелп, инфо, информация, нужна помощь",
)

ROMANIAN = Lexicon(
    name="romanian",
    idle="vă rog, te rog, mulțumesc, acum, bună, imediat, rog",
    alone="""
        dezabonare, dezabonează, oprește, opriți, anulare, anulează, renunț, gata, ajunge, destul,
        șterge, număr greșit
    """,
    spare=("nu mă|te|vă? dezabon*|opri*",),
    stop=(
        "dezabon*",
        "nu mai|îmi|imi|ne|mă mai? trimit*|scri*|contact*|suna*|deranj*",
        "nu vreau|doresc să? mai? mesaje*|sms*|primesc|publicitate|reclame",
        "opriți|încetați|opreste|terminați cu|să? mesaje*|sms*",
        "număr*|persoană greșit*",
        "ați|ai greșit numărul|persoana",
        "șterge*|scoate*|elimina* mă|din? numărul|lista|listă|datele",
        "lăsați|lasă mă|ma în|in pace",
        "retrag consimț*|acord*",
    ),
    start=("abonare|reia|începe",),
    help="ajutor",
)

HUNGARIAN = Lexicon(
    name="hungarian",
    idle="kérem, kérlek, köszönöm, most, azonnal, többet, több, soha, már, szépen, nekem",
    alone="""
        leiratkozás, leiratkozom, leiratkozni, állj, elég, törlés, lemondás, rossz szám, téves, téves
        szám, befejezni, állítsák le
    """,
    spare=("ne hagy* abba",),
    stop=(
        "leiratkoz*",
        "ne írj*|írjon*|küldj*|hívj*|zavarj*|keress*|küldjön*|írogass*|küldözgess*|smsezz*",
        "nem kérek|akarok|szeretnék . sms*|üzenet*|értesítés*|reklám*",
        "rossz|téves szám|telefonszám|hívás",
        "töröl* . szám*|adat*|engem|listá*",
        "hagyj* abba|békén",
        "visszavon* . hozzájárul*|enged*",
    ),
    start=("feliratkozás",),
    help="segítség, súgó",
)

GREEK = Lexicon(
    name="greek",
    idle="παρακαλώ, ευχαριστώ, τώρα, άλλα, πια, ξανά, αμέσως, μου, μας",
    alone="""
        διακοπή, σταματήστε, στοπ, τέλος, ακύρωση, διαγραφή, σταμάτα, απεγγραφή, λάθος αριθμός, αρκετά,
        φτάνει, λάθος
    """,
    spare=("μη|μην|δεν σταματ*",),
    stop=(
        "σταματ* .. μηνύμα*|στέλν*|sms",
        "μη|μην στέλν*|στείλ*|γράφ*|ενοχλ*|επικοινων*|καλ*",
        "δεν θέλω . μηνύμα*|sms|λαμβάν*|διαφημ*",
        "όχι|καθόλου μηνύμα*|sms|διαφημ*",
        "διαγρά*|αφαιρ*|βγάλ* . αριθμό|λίστα*|τηλέφωνο|με",
        "λάθος αριθμ*|άτομο|νούμερο !τιμολ*",
        "ανακαλώ . συγκατάθεσ*|συναίνεσ*",
        "αφήστε|άσε|αφησε με ήσυχ*",
    ),
    start=("έναρξη|εγγραφή|ξεκινήστε",),
    help="βοήθεια, πληροφορίες",
)

CATALAN = Lexicon(
    name="catalan",
    idle="si us plau, sisplau, gràcies, ja, ara, hola",
    alone="atura, atureu, prou, baixa, pareu, cancel la, aturar, número equivocat, doneu me de baixa",
    stop=(
        "prou de? missatges|sms|publicitat",
        "no em|menvieu|mescriviu mes|envieu|escriviu|truqueu|contacteu",
        "no menvieu|mescriviu|menviis",
        "no vull .. missatges|sms|rebre|publicitat",
        "deixeu|pareu|atureu de . envi*|escriu*|molestar",
        "numero equivocat|erroni",
        "de baixa",
        "esborr*|elimin*|traieu|treieu el? meu|de numero|la",
    ),
)
