"""Turns a job into the message an adapter hands over: templates rendered, links signed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlsplit

from channels.base import Content, OutboundMessage
from channels.table import traits_of
from orchestrator.ids import MESSAGE, public_id
from orchestrator.language.model import Ask, Call, Handoff, SameAs, Send
from orchestrator.service.delivery.authorise import SendOrder, display_of
from orchestrator.service.rendering.render import Renderer
from orchestrator.service.rendering.survey_questions import render_question

VALID_AT_MOST = 36_000  # seconds a provider may queue a text (Twilio ValidityPeriod)


class LinkWriter(Protocol):
    """What composing needs of :class:`orchestrator.service.rendering.links.LinkSigner`."""

    base_url: str

    def opt_out_url(
        self, customer_id: int, topic: str = "*", *, channel: str = "*", message_id: str | None = None
    ) -> str: ...
    def preferences_url(self, customer_id: int) -> str: ...
    def click_url(self, message_id: str, name: str, target: str) -> str: ...
    def answer_url(self, message_id: str, answer: str | None = None) -> str: ...


@dataclass(kw_only=True)
class MessageLinks:
    """The signed addresses of one message; each is signed once."""

    links: LinkWriter
    customer_id: int
    message_id: str
    topic: str
    track: bool

    @cached_property
    def opt_out_url(self) -> str:
        return self.links.opt_out_url(self.customer_id, self.topic, message_id=self.message_id)

    @property
    def one_click_url(self) -> str:
        """The same page takes the POST of a one-click opt-out (RFC 8058)."""
        return self.opt_out_url

    @cached_property
    def preferences_url(self) -> str:
        return self.links.preferences_url(self.customer_id)

    def click_url(self, name: str, target: str) -> str:
        """By way of us, where we may know who clicked; else straight to the target."""
        return self.links.click_url(self.message_id, name, target) if self.track else target

    def answer_url(self, answer: str) -> str:
        return self.links.answer_url(self.message_id, answer)


def compose(job: SendOrder, renderer: Renderer, links: LinkWriter) -> OutboundMessage:
    """The message of ``job``. Raises RenderFailed when a template cannot be rendered for this customer."""
    message_id = public_id(MESSAGE, job.customer_id, job.message_id)
    own = MessageLinks(
        links=links,
        customer_id=job.customer_id,
        message_id=message_id,
        topic=job.topic,
        track=job.track
        or traits_of(job.channel).in_feed,  # the feed hears of every click without a link of ours
    )
    action = job.published.compiled.step(job.step).action
    return OutboundMessage(
        message_id=message_id,
        customer_id=job.customer_id,
        customer_key=job.customer_key,
        channel=job.channel,
        address=job.address,
        content=_content(job, renderer, own),
        topic=job.topic,
        promotional=job.promotional,
        opt_out_url=own.opt_out_url,
        one_click_url=own.one_click_url,
        list_id=f"{job.topic}.{urlsplit(links.base_url).hostname or 'localhost'}",
        status_url=f"{links.base_url}/webhooks/twilio/status?m={message_id}",
        track=job.track,
        valid_seconds=_valid_seconds(job),
        display=display_of(job),
        kind=job.kind,
        target=_target(action),
        context=_context(job, action),
    )


def _content(job: SendOrder, renderer: Renderer, links: MessageLinks) -> Content:
    key = (job.published.name, job.published.version)
    published = job.published
    action = published.compiled.step(job.step).action
    match action:
        case Ask():
            return render_question(
                renderer,
                key,
                published.templates,
                texts=published.texts,
                channel=job.channel,
                locale=job.locale,
                question=action.question,
                answers=action.answers,
                scale=action.scale,
                comment=action.comment,
                values=job.values,
                links=links,
                because=job.because,
                promotional=job.promotional,
                zone=job.zone,
            )
        case Send() | Handoff():
            return renderer.render(
                key,
                published.templates,
                texts=published.texts,
                base=action.template,
                channel=job.channel,
                locale=job.locale,
                values=job.values,
                links=links,
                because=job.because,
                zone=job.zone,
            )
        case _:
            return Content(text="")


def _target(action: object) -> str | None:
    match action:
        case Handoff():
            return action.to
        case Call():
            return action.function or action.webhook
        case Send():
            return action.to
        case _:
            return None


def _context(job: SendOrder, action: object) -> dict[str, Any]:
    """What a called function or the person who takes over is told, by name."""
    match action:
        case Call():
            return {
                name: job.values.get(value.name) if isinstance(value, SameAs) else value
                for name, value in action.with_
            }
        case Handoff():
            names = ("first_name", "plan", "because")
            told = {name: job.values[name] for name in names if name in job.values}
            return {**told, "playbook": job.published.name, "step": job.step, "customer": job.customer_key}
        case _:
            return {}


def _valid_seconds(job: SendOrder) -> int:
    left = int((job.valid_until - job.authorised_at).total_seconds())
    return max(1, min(VALID_AT_MOST, left))
