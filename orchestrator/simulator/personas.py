"""How kinds of people react to messages: one row a persona, probabilities per channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from channels.table import traits_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What happens to one message of a channel. Each share is of those who got as far as the one before it."""

    notices: float  # sees it in the product, opens the email, reads the SMS
    clicks: float
    dismisses: float = 0.0
    replies: float = 0.0
    answers: float = 0.5  # a question asked, once noticed
    opts_out: float = 0.0  # by the message's link, or STOP
    complains: float = 0.0  # "this is spam", or a refusal in words
    after: timedelta = timedelta(hours=3)  # mean time until it is noticed


@dataclass(frozen=True, kw_only=True, slots=True)
class Persona:
    """One kind of person. ``sessions`` are visits a week; ``converts`` of those who clicked, ``alone`` of the rest."""

    name: str
    share: float
    sessions: float
    power: float  # how hard the product is used, 0 to 1
    converts: float
    alone: float
    in_app: Reading
    email: Reading
    sms: Reading
    chat: Reading

    def reading(self, channel: str) -> Reading:
        """A channel nobody described reads like email."""
        habit = traits_of(channel).reads_like
        match habit:
            case "in_app":
                return self.in_app
            case "email":
                return self.email
            case "sms":
                return self.sms
            case "chat":
                return self.chat
            case _:
                assert_never(habit)


def _hours(number: float) -> timedelta:
    return timedelta(hours=number)


PERSONAS: tuple[Persona, ...] = (
    Persona(
        name="eager", share=0.15, sessions=6, power=0.95, converts=0.35, alone=0.05,
        in_app=Reading(notices=0.90, clicks=0.40, dismisses=0.30, answers=0.6, after=_hours(2)),
        email=Reading(notices=0.60, clicks=0.30, replies=0.05, answers=0.5, opts_out=0.004, after=_hours(5)),
        sms=Reading(notices=0.90, clicks=0.25, replies=0.08, opts_out=0.01, after=_hours(1)),
        chat=Reading(notices=0.80, clicks=0.25, replies=0.35, after=_hours(1)),
    ),
    Persona(
        name="busy", share=0.35, sessions=4, power=0.7, converts=0.22, alone=0.03,
        in_app=Reading(notices=0.70, clicks=0.15, dismisses=0.55, answers=0.3, after=_hours(5)),
        email=Reading(notices=0.45, clicks=0.14, replies=0.03, answers=0.3, opts_out=0.010, complains=0.001,
                      after=_hours(9)),
        sms=Reading(notices=0.85, clicks=0.15, replies=0.05, opts_out=0.02, after=_hours(2)),
        chat=Reading(notices=0.50, clicks=0.12, replies=0.20, after=_hours(4)),
    ),
    Persona(
        name="careful", share=0.25, sessions=2.5, power=0.45, converts=0.15, alone=0.02,
        in_app=Reading(notices=0.60, clicks=0.10, dismisses=0.45, answers=0.4, after=_hours(8)),
        email=Reading(notices=0.55, clicks=0.10, replies=0.06, answers=0.35, opts_out=0.015, complains=0.002,
                      after=_hours(14)),
        sms=Reading(notices=0.80, clicks=0.10, replies=0.05, opts_out=0.03, after=_hours(3)),
        chat=Reading(notices=0.45, clicks=0.08, replies=0.15, after=_hours(6)),
    ),
    Persona(
        name="silent", share=0.17, sessions=0.8, power=0.25, converts=0.08, alone=0.01,
        in_app=Reading(notices=0.35, clicks=0.04, dismisses=0.30, answers=0.1, after=_hours(20)),
        email=Reading(notices=0.18, clicks=0.05, answers=0.1, opts_out=0.010, complains=0.002, after=_hours(26)),
        sms=Reading(notices=0.60, clicks=0.05, opts_out=0.02, after=_hours(8)),
        chat=Reading(notices=0.20, clicks=0.03, replies=0.05, after=_hours(12)),
    ),
    Persona(
        name="weary", share=0.08, sessions=2, power=0.5, converts=0.06, alone=0.01,
        in_app=Reading(notices=0.65, clicks=0.03, dismisses=0.85, answers=0.1, complains=0.03, after=_hours(4)),
        email=Reading(notices=0.40, clicks=0.02, replies=0.03, answers=0.1, opts_out=0.12, complains=0.02,
                      after=_hours(8)),
        sms=Reading(notices=0.80, clicks=0.02, replies=0.04, opts_out=0.25, complains=0.02, after=_hours(2)),
        chat=Reading(notices=0.40, clicks=0.02, replies=0.10, complains=0.05, after=_hours(5)),
    ),
)  # fmt: skip

BY_NAME = {persona.name: persona for persona in PERSONAS}
