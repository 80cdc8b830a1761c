"""The words of the customer pages, by language. Every language has every word; a test proves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from channels.table import channel_table

DEFAULT = "en"

CATALOGUE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "all_channels": "every channel",
        "all_topics": "everything",
        "already": "You had stopped this before. It stays stopped.",
        "answer_again": "You answered this before. A new answer replaces nothing; thank you all the same.",
        "answer_choose": "Choose an answer",
        "answer_closed": "This question is closed. Thank you for your interest.",
        "answer_comment": "Would you like to add something?",
        "answer_send": "Send answer",
        "answer_thanks": "Thank you. Your answer has arrived.",
        "answer_title": "Your answer",
        "bad_link_text": "Perhaps it was cut off on its way. Please open it again from the message.",
        "bad_link_title": "This link does not work",
        "busy_text": "Nothing was changed. Please try again in a moment.",
        "busy_title": "We cannot answer just now",
        "channels_title": "By which way?",
        "effective": "In force since {day}.",
        "everything_button": "Stop everything",
        "everything_text": "No offers, no tips, no questions, on any channel. "
        "What you need for your contract still comes.",
        "everything_title": "No messages at all",
        "gone_text": "We hold no data about you and send you nothing.",
        "gone_title": "Nothing to stop",
        "off": "off",
        "on": "on",
        "preferences_link": "Choose in detail what we send you",
        "preferences_text": "Switch off what you do not want, and save.",
        "preferences_title": "What may we send you?",
        "receipt_cancelled": "stopped before it was sent",
        "receipt_effect": "What left in the two seconds before may still arrive.",
        "receipt_ended": "These series have ended for you:",
        "receipt_none": "Nothing was waiting to be sent.",
        "receipt_on_the_wire": "was being sent at this very moment and may still arrive",
        "receipt_stopped": "These messages were stopped:",
        "receipt_title": "Done. You will get no more of this.",
        "receipt_what": "Stopped: {topic}, on {channel}.",
        "receipt_withdrawn": "taken back before you saw it",
        "save": "Save",
        "saved": "Saved. This is what we do from now on.",
        "saved_nothing": "Nothing was changed.",
        "scale_hint": "{low} means not at all, {high} means very much.",
        "sms_help": "You get these texts because you use our product. Reply STOP to end them, START to get them again.",
        "sms_started": "You will get our texts again. Reply STOP to end them.",
        "sms_stopped": "You are unsubscribed and will get no more texts from us. Reply START to get them again.",
        "snooze_30": "One month",
        "snooze_7": "One week",
        "snooze_90": "Three months",
        "snooze_end": "End the break",
        "snooze_text": "We stay silent for a while, then go on as you chose above.",
        "snooze_title": "Take a break",
        "snooze_until": "You are on a break until {day}.",
        "stop_button": "Yes, stop these messages",
        "stop_text": "You will get no more of: {topic}, on {channel}. You do not have to log in.",
        "stop_title": "Stop these messages?",
        "topics_title": "About what?",
        "tracking": "See whether I open messages and follow links",
        "undo_hint": "Changed your mind? You can switch it on again here:",
    },
    "de": {
        "all_channels": "allen Wegen",
        "all_topics": "alles",
        "already": "Das hatten Sie schon abbestellt. Dabei bleibt es.",
        "answer_again": "Diese Frage haben Sie schon beantwortet. Vielen Dank.",
        "answer_choose": "Wählen Sie eine Antwort",
        "answer_closed": "Diese Frage ist abgeschlossen. Danke für Ihr Interesse.",
        "answer_comment": "Möchten Sie etwas dazu sagen?",
        "answer_send": "Antwort senden",
        "answer_thanks": "Vielen Dank. Ihre Antwort ist angekommen.",
        "answer_title": "Ihre Antwort",
        "bad_link_text": "Vielleicht wurde er unterwegs abgeschnitten. "
        "Bitte öffnen Sie ihn noch einmal aus der Nachricht.",
        "bad_link_title": "Dieser Link funktioniert nicht",
        "busy_text": "Es wurde nichts geändert. Bitte versuchen Sie es gleich noch einmal.",
        "busy_title": "Wir können gerade nicht antworten",
        "channels_title": "Auf welchem Weg?",
        "effective": "Gilt seit {day}.",
        "everything_button": "Alles abbestellen",
        "everything_text": "Keine Angebote, keine Tipps, keine Fragen, auf keinem Weg. "
        "Was Sie für Ihren Vertrag brauchen, kommt weiterhin.",
        "everything_title": "Gar keine Nachrichten",
        "gone_text": "Wir haben keine Daten über Sie und senden Ihnen nichts.",
        "gone_title": "Es gibt nichts abzubestellen",
        "off": "aus",
        "on": "an",
        "preferences_link": "Im Einzelnen auswählen, was wir Ihnen senden",
        "preferences_text": "Schalten Sie aus, was Sie nicht möchten, und speichern Sie.",
        "preferences_title": "Was dürfen wir Ihnen senden?",
        "receipt_cancelled": "angehalten, bevor sie gesendet wurde",
        "receipt_effect": "Was in den zwei Sekunden davor hinausging, kann noch ankommen.",
        "receipt_ended": "Diese Reihen sind für Sie beendet:",
        "receipt_none": "Es wartete keine Nachricht auf den Versand.",
        "receipt_on_the_wire": "wurde gerade in diesem Augenblick gesendet und kann noch ankommen",
        "receipt_stopped": "Diese Nachrichten wurden angehalten:",
        "receipt_title": "Erledigt. Davon bekommen Sie nichts mehr.",
        "receipt_what": "Abbestellt: {topic}, auf {channel}.",
        "receipt_withdrawn": "zurückgezogen, bevor Sie sie gesehen haben",
        "save": "Speichern",
        "saved": "Gespeichert. So halten wir es von jetzt an.",
        "saved_nothing": "Es wurde nichts geändert.",
        "scale_hint": "{low} heißt gar nicht, {high} heißt sehr.",
        "sms_help": "Sie erhalten diese SMS als Kunde. STOP beendet sie, START schaltet sie wieder ein.",
        "sms_started": "Sie erhalten unsere SMS wieder. STOP beendet sie.",
        "sms_stopped": "Sie sind abgemeldet und erhalten keine SMS mehr von uns. START schaltet sie wieder ein.",
        "snooze_30": "Einen Monat",
        "snooze_7": "Eine Woche",
        "snooze_90": "Drei Monate",
        "snooze_end": "Pause beenden",
        "snooze_text": "Wir schweigen eine Weile, danach gilt wieder, was Sie oben gewählt haben.",
        "snooze_title": "Eine Pause machen",
        "snooze_until": "Sie haben Pause bis zum {day}.",
        "stop_button": "Ja, diese Nachrichten abbestellen",
        "stop_text": "Sie bekommen dann nichts mehr zu: {topic}, auf {channel}. Sie müssen sich nicht anmelden.",
        "stop_title": "Diese Nachrichten abbestellen?",
        "topics_title": "Worüber?",
        "tracking": "Sehen, ob ich Nachrichten öffne und Links folge",
        "undo_hint": "Anders überlegt? Hier können Sie es wieder einschalten:",
    },
}


class Words:
    """One reader's language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words = CATALOGUE[language]

    def __call__(self, name: str, **facts: object) -> str:
        return self._words[name].format(**facts)

    def channel(self, name: str) -> str:
        if name == "*":
            return self("all_channels")
        row = channel_table().find(name)
        return row.label_in(self.language) if row is not None else name.replace("_", " ")

    def day(self, instant: datetime, zone: str | None = None) -> str:
        local = instant.astimezone(ZoneInfo(zone)) if zone else instant
        return format_date(local, format="long", locale=self.language)


def words_for(locale: str | None, accept_language: str | None) -> Words:
    """The customer's own language when we know it, else the browser's, else English."""
    for wanted in [locale, *preferred(accept_language or "")]:
        language = (wanted or "").replace("_", "-").split("-")[0].lower()
        if language in CATALOGUE:
            return Words(language)
    return Words(DEFAULT)


def preferred(accept_language: str) -> Sequence[str]:
    """``de-AT,en;q=0.5`` in order of liking."""
    liked: list[tuple[float, str]] = []
    for part in accept_language[:500].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            liked.append((float(weight or 1), tag))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(liked, key=lambda pair: -pair[0]) if weight > 0]
