"""The English that people write back. :mod:`channels.optout_keywords.patterns` explains the patterns."""

from __future__ import annotations

from channels.optout_keywords.patterns import Lexicon

ENGLISH = Lexicon(
    name="english",
    same={
        "you": "u, ya, yall, you all, you guys, you people",
        "your": "ur, youre",
        "text": "txt, txet, tex, rext, textt",
        "texts": "txts, text messages, text message",
        "texting": "txting, txtng, textin, txtin, text messaging",
        "message": "msg, mesg",
        "messages": "msgs, mssgs",
        "messaging": "msging, messagin",
        "email": "e mail",
        "emails": "e mails",
        "dont": "do not, dnt, don t, donot",
        "didnt": "did not, didn t",
        "cant": "can not, cannot, unable to",
        "wont": "will not, would not, wouldnt",
        "couldnt": "could not",
        "shouldnt": "should not",
        "doesnt": "does not",
        "isnt": "is not, isn t, aint",
        "want to": "wanna",
        "number": "nbr, num, phone number, cell number, mobile number, phone no",
        "phone": "cell, cellphone, cell phone, mobile",
        "remove": "rmv, remov",
        "remove me": "removeme, remove mee",
        "opt out": "optingout, optuot, ootp out, opt oit, optou, opr out",
        "wrong number": "wrongnumber, wrong numb, wrong no, wrong nr",
        "delete": "delet, delte, dlete",
        "im": "i am, i m",
        "with": "w",
        "no more": "nomore, no further, no additional, no future, no other, zero more",
        "this is": "thats, that is",
        "anymore": "any more",
        "stop": "st0p, 5top, stahp, stp, stopit",
        "pleasestop stop": "please stop, pls stop, plz stop, pleas stop",
    },
    idle="""
        please, pls, plz, plss, plse, pleas, kindly, just, yes, yeah, yep, nope, nah, ugh, already,
        immediately, asap, really, ever, even, fucking, fuckin, fking, effing, freaking, damn, goddamn,
        bloody, the fuck, the hell, tf, bro, man, dude, sir, madam, thanks, thank you, thx, hi, hello,
        hey, ok, okay, omg, ffs, so, also, then, actually, simply, still, guys, altogether, completely,
        fully, forever, permanently, anyway, sorry, seriously, at once, for the love of god, good
        morning, respectfully
    """,
    spelt="""
        stop, unsubscribe, texting, sending, messaging, messages, message, contacting, contact, remove,
        cancel, number, wrong
    """,
    distinct="""
        shop, step, steps, slop, stow, strop, stomp, stops, estop, ship, swop, spot, spots, stoop,
        setup, shops, sloop, stout, stoup, scop, testing, spending, lending, bending, tending, mending,
        pending, vending, sensing, resending, seeding, massage, massages, messaged, passage, remote,
        removed, remover, removal, remodel, cancer, chancel, canceled, cancels, cancelled, numbers,
        numbed, slumber, contract, contracts, contracting, contacts, contacted, subscribe, resubscribe,
        taxing, exiting, nesting, taming, sanding, sinking, imaging, sealing, selling, seating, tasting,
        nummer, cancela, cancele
    """,
    alone="""
        stop, stop all, stop1, stop2, end, quit, cancel, revoke, stopall, remove, delete, leave, end
        all, cancel all, cancel me, cancel everything, end this, end it, quit it, quit this, enough,
        block, blocked, block me, reported, report, spam, scam, harassment, mute, turn off, dnd,
        stop2end, stop to end, report junk, no text, no texts, no message, no messages, sms stop, text
        stop, reply stop, out, off, cease, desist, discontinue, arret, terminate, abort, exit, halt, can
        you not, please no, no one asked, fu, f u, delete me, forget me, stfu, shut up, unregister, end
        subscription, turn this off
    """,
    lists={
        "stop": """
            stop, stopping, quit, quitting, cease, discontinue, halt, refrain from, desist from, knock
            off, lay off
        """,
        "end": """
            stop*, quit*, cease*, end, ending, cancel*, unsub*, opt out, opted out, opt me, opting out,
            remov*, delete, take, block*, leave
        """,
        "not": """
            dont, didnt, never, cant, wont, couldnt, shouldnt, doesnt, isnt, arent, not, without,
            havent, hasnt, no need to, no reason to, no plans to
        """,
        "aux": """
            i, you, we, want, wanted, wish, mean, meant, plan, need, intend, like, think, dare, ask,
            asked, say, said, try, let me, let us, have, to, be, going, get it, make it, about, saying,
            planning, thinking, looking
        """,
        "talk": """
            text*, messag*, sms*, spam*, email*, mail*, contact, contacting, call, calls, calling,
            pitch*, upsell*, sales, selling, notif*, alert*, promo*, ad, ads, advert*, market*,
            newsletter*, solicit*, bother*, bug, bugging, pester*, harass*, annoy*, blast*, ping,
            pinging, communicat*, offers, reminders, disturb*, whatsapp*, blowing up, nagging, tips,
            phoning, ringing me, reaching out
        """,
        "rubbish": "stuff, crap, junk, shit, bs, bullshit, nonsense, garbage",
        "thing": """
            text, texts, texting, messag*, sms, spam, email*, mail, mails, notification*, alert, alerts,
            promo*, ad, ads, advert*, offers, marketing, newsletter*, phone calls, calls,
            communication*, reminders, solicit*, upsell*, contact
        """,
        "these": "this, these, those, it, them, that, anything, everything, all",
        "this": "this, these, those, them, any, any of these, any of this, all of this, all this",
        "number": """
            number, phone, contact, contacts, name, info, information, details, line, digits, address,
            email, contact info
        """,
        "list": """
            list, lists, text list, mailing list, mailing lists, distribution list, marketing list, call
            list, database, data base, system, records, contacts, sms, texts, messages, mailings,
            marketing, files, directory, thread
        """,
        "erase": """
            remove, removing, delete, erase, strike, scratch, cross, unlist, purge, wipe, exclude,
            eliminate
        """,
        "move": "take, get, pull, let, scratch, cross, drop, kick, remove",
        "forget": """
            remove, delete, erase, drop, lose, loose, forget, strike, take, wipe, purge, suppress,
            blacklist, flag, mark, scrub, disconnect, deactivate
        """,
        "leave": """
            unsubscribe, unsubscribed, unsubscribing, unsubscribes, unsub, unsubs, unscribe,
            desubscribe, un subscribe, optout, opt out, opted out, opting out, opt put, op out, oput
            out, opt me out, opt us out, deregister, unenroll, sign me off, sign me out
        """,
        "people": """
            customer*, client*, user*, friend*, contact, contacts, subscriber*, recipient*, people,
            they, someone, somebody, member*, lead, leads, he, she
        """,
        "about": """
            rate, rates, page, link, links, form, button, language, clause, list, lists, option, header,
            feature, handling, process, is, works, a, an, the, someone, somebody, user*, customer*,
            contact*, people, recipient*
        """,
        "refuse": """
            dont, never, no longer, not to, shouldnt, may not, must not, no need to, dont need to, dont
            have to
        """,
        "reach": """
            text, message, contact, email, hmu, hit me up, reach out, sms, write, write to, bother, bug,
            spam, harass, disturb, ping, notify, ring, solicit, reply to, reach out to, hit up,
            whatsapp, annoy, phone, speak to, talk to, blow up
        """,
        "later": """
            before, until, till, til, while, during, today, tonight, tomorrow, at, after, when, if,
            later, back, yet, now, right now, rn, because, unless, about, the, a, in, between, for, my,
            our
        """,
        "unwilling": """
            dont want, dont wish, dont need, dont like, dont care for, dont accept, dont do, dont use,
            dont appreciate, didnt want, didnt ask for, didnt request, didnt sign up for, never asked
            for, never wanted, never requested, never signed up for, no longer want, no longer wish, no
            longer need, no longer interested in, not interested in, not want, hate, tired of, sick of,
            fed up with, done with, enough of, enough with, had enough of, refuse, object to, not ok
            with, dont consent to, zero interest in, nobody wants, no one wants, nobody asked for, no
            one asked for, dont enjoy, no interest in, didnt subscribe to, opposed to
        """,
        "neversigned": """
            never signed up, didnt sign up, never subscribed, didnt subscribe, never consented, dont
            consent, didnt consent, havent consented, never agreed to get, never agreed to receive,
            never opted in, didnt opt in, never joined your list, never agreed, didnt agree, dont
            remember signing up, dont recall signing up, dont remember subscribing
        """,
        "texts": """
            texts, sms, texting, smses, your messages, these messages, your texts, those messages, this
            spam, your spam
        """,
        "against": """
            stop, quit, cease, no more, without, dont want, didnt want, dont need, hate, sick of, tired
            of, enough, rid of, unwanted, against, done with, remove me, mute, cancel, opt, out of,
            object
        """,
        "consent": "consent, permission, authorization, authorisation, approval",
        "law": """
            fcc, ftc, attorney general, police, bbb, authorities, ico, better business bureau, cops,
            carrier, regulator, data protection
        """,
        "lawyer": "lawyer*, attorney*, solicitor*, legal counsel",
        "adjective": """
            working, right, good, fair, fun, funny, great, helpful, correct, true, urgent, clear,
            enough, cool, bad, possible, nice, important, it, what, the, a, an, how, for, easy,
            acceptable, over, done, happening, new, my, mine, accepted, showing, available, accurate,
            here, there, ok, normal, ready, on, in, as, that, sustainable
        """,
        "product": """
            export*, import*, sync*, upload*, download*, backup*, job, jobs, task, tasks, timer,
            campaign*, workflow*, automation*, recording*, recorder, video, server*, instance*, process,
            deploy*, migration*, build, run, runs, loop, script, query, trial, renewal, auto, bill*,
            charge*, charging, invoic*, payment*, transaction*, transfer*, subscription, plan, order*,
            meeting*, demo, appointment*, account, seat*, service, app, rollout, project*, test, tests,
            user*, watermark, banner, button*, popup*, crashing, losing, logging, kicking, freezing,
            working, using, showing, loading, renewing, song, music, email campaign*, message queue*
        """,
    },
    firm=(
        "didnt i|we say|tell|ask|text|reply ... stop",
        "why dont|cant|wont|didnt|havent you ... stop",
        "part of stop",
        "discontinue service|services to|for|on",
        "but|so|then|now stop $",
        "mark|flag|set|list me|us|this ... as|to opted|opt|dont|no",
        "stop|{leave} doesnt|dont|isnt|didnt|not|wont work*|working",
        "getting|receiving ... after ... stop|{leave}",
        "site|website|link|page|app .. wont|doesnt|cant|didnt let? me? {leave}",
        "how many times ..... stop",
        "if you dont|wont stop|quit|cease",
        (
            "you wont|never|dont|cant stop|quit texting|messaging|sending|spamming|contacting|"
            "calling|bothering"
        ),
        "i|it cant|couldnt|wont|tried let? me? to? {leave} $|from",
        "how|what|where|way ... stop|end getting|receiving|these|those",
        "how do|can|could|would|to|does i|we|one|you? stop {this} {thing}? $",
        "how do|can|could|would|to|does i|we|one|you? stop the|your? {thing} $",
        "rather|prefer|like|want|wish you not|didnt|dont|stop|wouldnt to? {reach}|call",
        "cancel|end .. text|texts|sms|message subscription|service",
        "cancel|end|stop .. subscription|subscriptions to|for .. {thing}",
        "when will|are you|these|those . stop|stopping {talk}|{this}",
    ),
    spare=(
        # a stop denied, asked about, or taken back
        "{not} {aux}~ remov*|take|delete|unsub* >",
        "{not} {aux}~ {end}",
        "never mind|about|the .. {end}",
        "ignore|disregard|kidding|joking|joke|lied ... {end}",
        "was|were|am|did|got|why i|we|you|it ... {leave}",
        "did|do|does|have|has you|we|it|they stop*",
        "if|when|once|whether|should i|you|we|it|they .. stop*|{leave}",
        "why|did|does|will|would|have|has|where|when it|they|he|she|the|my|our .. stop*",
        "why do|did|does|have|has .... stop*",
        "what|how does|do|is|about stop|quit|{leave} >",
        "is|does|do {leave}",
        "have|need to {leave} to|before|first",
        # somebody else's
        "{people}|who ... {leave}",
        (
            "{people} . said|says|say|texted|replied|reply|replies|wrote|sent|texts . stop|quit "
            "texting|messaging? me?"
        ),
        "{people} ... stop|quit texting|messaging? me?",
        "did|was|am|have|why|when i|we . removed|taken|deleted|opted",
        "who said|asked|told ... stop",
        "a|an|the|your|our|my|any|as|with|handle|manage|record|include|track|count {leave}",
        "{leave} {about}",
        "{leave} of|from the|my|our|dental|annual|beta|trial !{list}|{thing}",
        (
            "{stop} by|in|over|at|sign|signs|watch|light|lights|loss|losses|error|code|date|time|gap|"
            "motion|words|word|is"
        ),
        # a stop that is a place, a thing, a word
        "stop , button|key|sign|icon",
        (
            "the|a|bus|full|pit|truck|next|first|last|non|rest|final|each|red|press|pressed|hit|"
            "click|clicked|shop|one|my stop"
        ),
        "stop the presses",
        "how|help .... stop it",
        # a stop of something in the product, a text that did not come
        "{stop}|cancel|end the|my|our|a|an|this|that|all|any|scheduled|running? . {product}",
        (
            "remove|take|delete|get me|us as|from|off|out .. team|workspace|project|account|admin|"
            "role|plan|invoice|beta|waitlist"
        ),
        "messages|texts|sms left|included|remaining|in|available|per",
        "{thing} in|inside the|your|our app|dashboard|product|portal|settings",
        (
            "dont|didnt|never|havent|not|no longer|isnt|arent|doesnt|hasnt . get|getting|got|gotten|"
            "receive|receiving|received|see|seeing >"
        ),
        "no {thing} received|came|yet|coming|in|arriv*|showing|since|going",
        "to miss|lose|skip >",
        (
            "{texts} arent|isnt|dont|didnt|never|not|wont|havent|limit|per|balance|credits|through|"
            "feature|channel|api|campaign*"
        ),
        "have|has|had|are|is|there|got|get|getting|receive|receiving|see|we no more|{thing}",
        "have|has|had|got|there enough",
        "i|we|it|he|she|that|system|export|invoice . the|a|my wrong",
        # a wish about the hour, the way, or the words
        "you|they|we never|didnt|cant {reach}|call",
        "why|if you|i|we dont|didnt|cant|never {reach}|call",
        "would|could|did|i never|not {reach}|call",
        "{refuse} {reach}|call me|us? , text|email|instead",
        "text|email me|us? , {refuse} call",
        "{refuse} {reach}|call me|us? on weekend*|sunday*|saturday*|monday*|friday*|holiday*",
        "{law}|tcpa compliant|compliance",
        "comply|complies|compliant|compliance with .. {law}|tcpa|gdpr",
        "go away message",
        "turn|switch|shut off .. {thing} for|in >",
        "{stop} asking me|us? for|to log|sign|enter|verify|my",
        "call me|us? , {refuse} text|message",
        "to fuck|piss off",
    ),
    stop=(
        "{leave}",
        # stop, and what
        "{stop} .... {talk}",
        "{stop} .. {rubbish}",
        "^ stop it|that|this|these|those|them|all|everything? now|right|anymore? $",
        (
            "^ stop it|that|this|these|them|all? i|im|ill|you|we|or|before|because|cause|bc|no|not|"
            "wrong|who|dont|if"
        ),
        "{stop} asking|trying|pushing|offering|nagging",
        "^ stop with",
        "{stop} *ing|*in up? my line|phone|number|inbox|dms",
        "{stop} *ing to me|us",
        "stop remove|unsubscribe|delete",
        "^ stop #",
        "^ .. stop $",
        "pleasestop stop $|it|this|that|these|them|all|everything|now|right",
        "want|need|like|ask*|told|tell|beg*|way|how|said|im|you to? stop|quit $",
        "to stop getting|receiving|having|these|those|{texts}",
        "appreciate|great|glad|nice .. if ... stopped",
        "stop|quit|cease|desist|discontinue {this}|it $",
        "^ cease|desist|discontinue|unsubscribe $",
        "{stop} the? send|sending !the|my|our|_|invoice*|receipts|reports",
        "{stop} *ing me|us $|with|about|at|or|and|every|all|on|anymore|now|so",
        "{stop} *ing my phone|number",
        "i|ive|ill|already|also said|asked|told|replied|texted|typed|sent|wrote|say .. stop",
        "times|time . stop $",
        "stop or|and|before remove|delete|dont|ill|i|we|im|else|take|never|leave|block",
        "want|need|make|wish|get|can|could ... {thing}|{this}|it to? stop|end",
        "cancel|end .. {thing}",
        "cancel|end|mute|silence {this} $",
        "{thing}|{this} have|has|need|needs|must|gotta|got to? stop|end",
        "what .. i .. to stop|end $|{this}|{thing}|getting|receiving",
        "rid of {this}|the|your .. {thing}",
        "rid of {this} $",
        "{against} ..... {texts}",
        # take me off
        "{erase} me|us|myself !as|a|an|the",
        "{erase} from|this $",
        "{erase} from my|this|our|your? .. {list}",
        "{erase}|{forget} my|this|our|his|her {number} !list|format|field|column",
        "{erase}|{forget} number|phone",
        "{erase} .... my|incl|including number|phonenumber",
        "put|add my|this|me|us number? on|to your? dont|suppression|blacklist|block|blocked",
        "{move} me|us off !the|of",
        "me|us off|odd|of of? your|this|the|all . {list}",
        "{erase}|take|drop|lose phonenumber",
        "^ remove|delete it $",
        "opt .. number|phone|me out",
        "want|like|need|let out of this|these|it|here|all",
        "want|get {this} .. off|gone",
        "{move} me|us out $",
        "{move} me|us|my|this|the number|phone|name? of? off|out|from of? your|this|the|all|any .. {list}",
        "{move} my|this number|phone|name|digits .. off|out|from",
        "^ take off $",
        "^ i|we? want|need|let me? off|out $",
        "i|we|me|like|want|wish|ask|number to? be|get removed|excluded|taken|deleted|stopped",
        "to be|get removed|deleted $",
        "to be|get removed|deleted from|off your|this|all .. {list}",
        "request*|want|need .. removal",
        "interested|no|spam|number remove|delete $",
        "off of? your|this|these|all|any . {list}",
        "off of? the? text|sms|mailing|marketing|call|spam|email {list}",
        "remove|delete|take|erase ... from|off your|this|these|all .. {list}",
        # do not write to me
        "{refuse} text|contact|message|disturb|bother|spam|harass|sms|solicit $",
        "^ {refuse} send|call $",
        "{refuse} {reach} me|us|here|again|anymore|this|people|with|no|it|phonenumber !{later}",
        "{refuse} call me|us|here|this $|again|anymore|or|nor|and|number|phone|line|on",
        "{refuse} {reach}|call my|our|his|her personal|private|work|business? phone|number|line",
        "{refuse} use this|my .. number|phone",
        "{refuse} include|add me|us|my|this",
        "not {reach} me|us|this",
        "on dnd|dnc",
        "bother|text|message|annoy|spam someone|somebody else",
        "why are|do|you|is|keep .. sending|texting|messaging {thing}|me|us",
        "{refuse} {reach}|call or|and|nor {reach}|call",
        (
            "{refuse} send|sending me|us|it? any|anymore|more|these|this|your|such|those|{rubbish}|"
            "anything|{thing}|again|nothing"
        ),
        "{refuse} send me|us $",
        "{refuse} keep|continue texting|messaging|sending|contacting|emailing",
        "to|prefer no {texts} $",
        "^ one|any? more|anymore|another {thing} .. i|ill|im|my|we",
        "dont call|contact|text . list|registry",
        "suppression list",
        "as dont contact|text|call",
        "withhold|terminate|suspend|discontinue|cease .. {thing}|communication*",
        "leave list|group",
        "unwanted|unsolicited|uninvited {thing}",
        "{thing} .. unwanted|unsolicited|unwelcome",
        "want nothing to do",
        "aint? nobody|noone|one asked|wants . {these}|{thing}|your",
        "nobody|noone|one at|here .. wants",
        "on dont call|contact|disturb",
        "dnc list|registry",
        "this is a|an|my .. minor*|child*|kid*|work phone|number",
        "texting|messaging a|an|my .. year|child|kid|minor|old",
        # not wanted, never agreed
        "{unwilling} !to .. {thing}",
        "{unwilling} to? be? get|receive|getting|receiving ... {thing}|{this}|from|{rubbish}",
        "{unwilling} to? be? hear|have|see|be|being .. {thing}|from|contact*|text*|messag*|called",
        "{unwilling} !need|like {this} anymore|again? $",
        (
            "rather|prefer not to? be|get|receive|have|getting|receiving|having ... {thing}|contact*|"
            "text*|messag*|these"
        ),
        "{neversigned} to|for? your|any|receive|get|{these}|{thing}",
        "{neversigned} $",
        "^ im? no longer interested",
        "{refuse} be? contacted|texted|messaged|solicited",
        "want|get no .. {thing}",
        "revok*|withdraw*|rescind*|retract*|cancel*|take .. {consent}",
        "{consent} .. revoked|withdrawn|denied|rescinded|removed",
        "you dont|didnt|never|do|no longer? longer? have|got|get my|our? {consent}",
        "dont|never|didnt authori*|allow*|permit* you|this|your|these|any|anyone",
        "never|didnt|dont give|gave|given .. {consent}",
        "no more . {thing}|{this}|of",
        "^ but? no more $",
        "^ no texts|text|texting|sms|spam|promo*|marketing|advert* $",
        "^ no promo*|spam|marketing|ads|advert*|solicit*",
        "not another|one|single|a more? single? {thing}",
        "enough already|with|of the|these|this|your",
        "^ this? is? enough {thing}",
        "^ enough is enough",
        "turn|switch|shut these|this|those|them|the|your .. off",
        "turn|switch|shut off these|this|those|them|the|my|all|your? .. texts|text|sms|messages",
        "turn|switch|shut off these|this|those|them|your? $|{thing}|{rubbish} !for|in",
        "disable|deactivate|mute|silence|suspend these|this|your|the|all|text|sms? {thing} !for|in|of",
        "email|mail only|not|no|instead text*|of",
        "^ email only $",
        "by|via|to email|mail only",
        "rather|prefer you? email",
        "use email from|instead|please|only",
        "text|texting|sms isnt a|the good|best|right way",
        "only contact|reach|email|write|message me|us? by|via|through|on email",
        "contact me|us by|via email only|not|instead",
        "only|use|want email|mail only|not|please|$",
        "instead of text*|sms|messag*",
        "not by text|sms|phone",
        "only want|need|send|accept ... {thing}|order|orders|invoices|receipts|updates",
        # somebody else's number
        (
            "wrong number|person|phone|guy|recipient|human !of|format|on|in|for|plan|shows|is|column|"
            "type|error"
        ),
        "not the|my|a|his|her right|correct|his|her? number|phone",
        "this isnt|wasnt ... number|phone anymore|now? $",
        "^ this isnt|wasnt !{adjective} . $",
        "doesnt|dont|longer|not have|has|own|use this number|phone",
        "number|phone .. reassigned|belongs|recycled",
        "new owner|user|holder|person of|at|with this|the number|phone",
        "by that name",
        "never heard of",
        "doesnt|dont|longer live|lives here",
        "not the person|one you|your",
        "number|phone changed owner*|hands",
        "i got this number|phone",
        "number isnt|not|longer his|hers|theirs|mine",
        "longer at|on|has|have|using|owns this number|phone",
        "changed his|her|their number",
        "had this number|phone",
        "no . at|on|with this number|phone",
        "looking for someone|somebody else",
        "not who|what you|your think|want|need|looking",
        "^ this is not me $",
        "^ this isnt me $",
        "who gave|given you .. number|info|details",
        "where|how did|do|have you get|got|have .. number|info|details",
        "why are|do|r you keep? texting|text|messaging|message|contacting|sending|bothering me|us",
        "there|theres is? no|nobody . here",
        "husband|wife|father|mother|son|daughter|he|she died|passed|dead",
        "deceased",
        "passed away",
        "owner .... passed|died",
        # threats and anger
        "i|ill|im|will|gonna sue|suing you|your|if|$",
        "tcpa|canspam",
        "can spam violation|act|law",
        "file|filing .. with the? {law}",
        "number .. been reported|blocked",
        "sue|suing you",
        "complain*|report* .... {law}",
        "i|ill|im|we|will call*|contact*|tell* . {law}",
        "violat* .. law|tcpa|act|rights|rules|regulations|gdpr",
        "under|per the? tcpa",
        "my|our|an|a {lawyer} will|is|are|be . contact*|call*|touch|sue|suing",
        "call|calling|contact* my|our {lawyer}",
        "from my|our {lawyer}",
        "breaking|against the law",
        "report* .. 7726",
        "cease . desist",
        "legal action",
        "harass* me|us",
        "this is .. harass*|spam*|illegal",
        "^ spam|scam|harassment $",
        "spamming me|us",
        "report|reported|reporting you|your|number",
        "report|reported|reporting as|this|it|for|to? . spam|phishing|junk|scam|number",
        "block|blocking|blocked you|your|this? number|sender|you",
        "blocked and|or reported|deleted",
        "fuck|fuk|fck|fk|f|eff|piss|bugger|sod|naff|buzz off",
        "fuck|screw|f|fk|fuk you $",
        "go fuck|screw|f|fk yourself",
        "go to hell",
        "^ get|go lost|away",
        "leave me|us|this . alone|be",
        "get|stay|keep off|out|outta of? my phone|line|inbox|face|messages|texts|dms",
        "{stop} *ing|*in on|with my phone",
        "object to ...... marketing|{thing}",
        "who . is this|it .. stop $",
        "every day with . {thing}",
        "keep .. to yourself|yourselves",
        "f k off",
        "kiss off",
        "kick rocks",
    ),
    start=(
        "start|restart|resume|unstop sending|texting|texts|messages|messaging|all? again?",
        "start|restart|resume the|my|your texts|messages again?",
        "i|we? want the|your|my texts|messages again|back",
        "un stop",
        (
            "start|resume|begin sending|texting|messaging me|my? messages|texts|number|phone|"
            "notifications? again?"
        ),
        "subscribe|resubscribe me|us? again?",
        "re subscribe me?",
        "opt me? back? in",
        "optin",
        "opt in again",
        "opt in to texts|messages|sms",
        "sign me back? up again?",
        "add|put me back on|to? the|your? list?",
        "you can|may? text|message me again",
        "text|message me again",
        (
            "i|we|id want|like|need to? start|get|getting|receive|receiving|opt|have back? receiving|"
            "getting? in|your|the? texts|messages|sms? again?"
        ),
        "can|could i get|have texts|messages again",
        "i|id want|like back in",
        "turn|switch texts|messages? back? on texts|messages?",
        "re enable texts|messages",
        "i changed my mind , start|unstop|resubscribe ...",
        "unstop my number|phone",
        "start again",
    ),
    help="help, help me, help me info, info, information, more info, more information, help info, helpp, hlep, hepl",
)
