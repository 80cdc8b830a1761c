"""The closed table of outcomes: which words each kind of step can hear, and what an unnamed one becomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, assert_never, cast

from channels.table import channel_names, traits_of
from channels.traits import AT_ONCE, JUDGED
from orchestrator.language.model import (
    ACTIONS,
    Action,
    Ask,
    Call,
    Choose,
    Cooldown,
    End,
    FallbackChannel,
    Handoff,
    Send,
    Set,
    Split,
    Start,
    Wait,
)
from orchestrator.language.moments import Moment

Kind = Literal[
    "send", "ask", "handoff", "call", "wait", "cooldown", "choose", "split", "set", "start", "end"
]  # fmt: skip

NO_RESPONSE = "no_response"
MET = "met"
GO = "go"  # the word by which set and start, which hear nothing, are left
BEFORE_SEND = ("missed", "exhausted", "not_sent")

MESSAGE_OUTCOMES: frozenset[str] = frozenset((*AT_ONCE, *JUDGED, *BEFORE_SEND))
LEDGER_OUTCOME = "opted_out"  # not an outcome of a message, but at_any_step may name it
RESERVED_OUTCOMES = MESSAGE_OUTCOMES | {"done", MET, LEDGER_OUTCOME}

# Where a word that nobody named goes next; at the end of every chain stands no_response.
_FALLBACK: dict[str, tuple[str, ...]] = {
    "bounced": ("not_sent", NO_RESPONSE),
    "failed": ("not_sent", NO_RESPONSE),
    "not_sent": (NO_RESPONSE,),
    "missed": (NO_RESPONSE,),
    "exhausted": (NO_RESPONSE,),
    "closed": (NO_RESPONSE,),
    "negative": ("replied", "answered", NO_RESPONSE),
    "unknown": (NO_RESPONSE,),
}

END_STATUSES = ("no_conversion", "handed_over", "declined", "finished", "stopped", "left")
SPEAKING = ("send", "ask", "handoff", "call")  # entered once per run unless at_most says otherwise


_KINDS: Mapping[type[Action], Kind] = {block: cast("Kind", key) for key, block in ACTIONS.items()}


def kind_of(action: Action) -> Kind:
    """The step's kind, named as the author names its action; a wait of either form is ``wait``."""
    return "wait" if isinstance(action, Wait) else _KINDS[type(action)]


def chain(outcome: str) -> tuple[str, ...]:
    """``outcome`` and what it becomes, in turn, while nobody named it."""
    return (outcome, *_FALLBACK.get(outcome, ()))


def channels_of(action: Action) -> tuple[str, ...]:
    """Every channel a message step may end up on; empty for the steps that send nothing."""
    if not isinstance(action, Send | Ask):
        return ()
    named = channel_names() if action.channel == ("preferred",) and not _among(action) else ()
    chosen = named or (_among(action) if action.channel == ("preferred",) else action.channel)
    fallback = fallback_of(action)
    return tuple(dict.fromkeys((*chosen, *([fallback] if fallback else []))))


def fallback_of(action: Action) -> str | None:
    """The channel that speaks when a cap holds the message back; None: none does."""
    capped = action.when_capped if isinstance(action, Send | Ask) else None
    return capped.channel if isinstance(capped, FallbackChannel) else None


def _among(action: Send | Ask) -> tuple[str, ...]:
    return action.among if isinstance(action, Send) else ()


def heard_at_once(kind: Kind, channel: str | None, *, tells_condition: bool = False) -> tuple[str, ...]:
    """The words that move such a step as soon as they are known, in their order when simultaneous."""
    match kind:
        case "send" | "ask":
            return traits_of(channel).at_once
        case "handoff":
            return ("closed", "failed")
        case "call":
            return ("done", "failed")
        case "wait":
            return (MET,) if tells_condition else ()
        case _:
            return ()


def heard_at_end(kind: Kind, channel: str | None) -> tuple[str, ...]:
    """The words judged when such a step's wait is over, most specific first."""
    match kind:
        case "send" | "ask":
            return traits_of(channel).judged
        case "handoff" | "wait" | "cooldown":
            return (NO_RESPONSE,)
        case _:
            return ()


def obligatory(action: Action) -> tuple[str, ...]:
    """The words a step must name, and the ones that ``then: step`` stands for."""
    match action:
        case Send() | Ask() | Handoff() | Cooldown():
            return (NO_RESPONSE,)
        case Wait():
            waits_for_condition = action.until is not None and not isinstance(action.until, Moment)
            return (MET, NO_RESPONSE) if waits_for_condition else (NO_RESPONSE,)
        case Call():
            return ("done", "failed")
        case Split():
            return tuple(name for name, _ in action.shares)
        case Set() | Start():
            return (GO,)
        case Choose() | End():
            return ()
        case _:
            assert_never(action)


def words_of(action: Action) -> tuple[str, ...]:
    """Every word (signals apart) that such a step may name in ``then``."""
    kind = kind_of(action)
    words: list[str] = []
    for channel in channels_of(action) or (None,):
        words.extend(heard_at_once(kind, channel, tells_condition=MET in obligatory(action)))
        words.extend(heard_at_end(kind, channel))
    words.extend(obligatory(action))
    if kind in SPEAKING:
        words.extend(BEFORE_SEND if kind != "call" else ("missed", "exhausted"))
    elif kind in ("wait", "cooldown", "set", "start"):
        words.append("missed")
    return tuple(dict.fromkeys(words))
