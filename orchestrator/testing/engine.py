"""The test engine: every verb of the real one, with time that passes when told and channels that reach nobody."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from channels.base import Channel, Receipt, ReceiptKind, SendStatus
from channels.function import CallFunction
from channels.optout_keywords.classify import Meant, classify
from channels.recording import Outbox
from channels.sandbox import SandboxChannel, ScriptedResult
from channels.table import channel_table
from orchestrator.bootstrap import build_rehearsal_engine
from orchestrator.clock import VirtualClock
from orchestrator.engine import Engine
from orchestrator.errors import NotFound
from orchestrator.ids import ENROLLMENT, parse_public_id
from orchestrator.language.account.signals import Vocabulary
from orchestrator.language.folder import load_account
from orchestrator.language.model import Cap
from orchestrator.language.problems import did_you_mean
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.enrollment import Enrollment
from orchestrator.records.intake import Identify, Track
from orchestrator.records.preferences import OptOutReceipt
from orchestrator.records.timeline import Explanation, Timeline
from orchestrator.settings import Settings
from orchestrator.store.reports.invariants import Violation
from orchestrator.store.scratch import copied_database
from orchestrator.testing.sent import SentMessage
from orchestrator.testing.server import server_for_tests

TUESDAY_NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
SCAN_HOUR = 5  # UTC, as the beat of a running system has it
_TRAITS = ("timezone", "locale", "region", "account", "tags")  # beside the addresses of channels
_NEVER = datetime.max.replace(tzinfo=UTC)
_PATIENCE = 3  # looks at one instant before something due there counts as stuck
_MEANT = {
    Meant.STOP: ReceiptKind.OPTED_OUT,
    Meant.START: ReceiptKind.OPTED_IN,
    Meant.HELP: ReceiptKind.HELP,
    Meant.OTHER: ReceiptKind.REPLIED,
}


@dataclass(kw_only=True, repr=False)
class TestEngine:
    """The real engine for one test. Build it with :meth:`scratch`, :meth:`open` or the fixture ``orchestrator_engine``.

    In mode ``inline`` everything that is due at an instant is done at once, after each verb. In mode ``manual`` nothing
    happens before :meth:`drain` or :meth:`let_pass`, for tests of what lies between. ``engine`` is the facade itself.
    """

    __test__: ClassVar[bool] = False  # a name that begins with Test is no test here

    engine: Engine
    clock: VirtualClock
    outbox: Outbox
    folder: Path
    mode: Literal["inline", "manual"] = "inline"
    _opened: ExitStack = field(default_factory=ExitStack)
    _told: int = 0
    _declared: Vocabulary | None = None

    # --- opening ----------------------------------------------------------------------------------------------------

    @classmethod
    @contextmanager
    def scratch(cls, server_url: str | None = None, **options: Any) -> Iterator[Self]:
        """An engine in a new database of this PostgreSQL server, dropped at the end; ``options`` are those of ``open``.

        Without a server: the one that ``ORCHESTRATOR_TEST_DATABASE_URL`` names, else an embedded one, which takes some
        seconds to make. The pytest fixtures make it once and keep it.
        """
        with ExitStack() as stack:
            server = server_url or stack.enter_context(server_for_tests())
            url = stack.enter_context(copied_database(server))
            opened = cls.open(url, **options)
            stack.callback(opened.close)
            yield opened

    @classmethod
    def open(
        cls,
        database_url: str,
        *,
        start: datetime = TUESDAY_NOON,
        folder: Path | None = None,
        settings: Settings | None = None,
        functions: Mapping[str, CallFunction] | None = None,
        adapters: Mapping[str, Channel] | None = None,
        mode: Literal["inline", "manual"] = "inline",
    ) -> Self:
        """An engine on the migrated database at ``database_url``, with the clock at ``start``. Close it at the end.

        ``folder`` is where published texts are written; ``functions`` are what ``call`` steps may name; ``settings``
        give keys of providers, rates and the like: without keys no channel reaches anybody. ``adapters``, by channel,
        are called for real, whatever they do: that is how to test one of your own.
        """
        clock = VirtualClock(start)
        outbox = Outbox(lambda: clock.now)
        engine = build_rehearsal_engine(
            database_url,
            clock=clock,
            outbox=outbox,
            settings=settings,
            functions=functions,
            adapters=adapters,
        )
        opened = ExitStack()
        opened.callback(engine.close)
        files = folder or Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="orchestrator-")))
        return cls(engine=engine, clock=clock, outbox=outbox, folder=files, mode=mode, _opened=opened)

    def close(self) -> None:
        """Let go of connections and files."""
        self._opened.close()

    def __repr__(self) -> str:
        return f"TestEngine({self.now:%Y-%m-%d %H:%M}, {len(self.outbox.hand_overs)} hand-overs, {self.mode})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what growth teams do ---------------------------------------------------------------------------------------

    def publish(self, source: Path | Mapping[str, str]) -> list[tuple[str, int, bool]]:
        """Check and store a folder of playbooks, or files given as relative path to text: (name, version, new).

        Files given before stay, unless given again. Raises DefinitionError with every problem, Conflict.
        """
        folder = source if isinstance(source, Path) else self.folder
        if not isinstance(source, Path):
            for name, text in source.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        published = self.engine.publish(folder)
        self._declared = load_account(folder).vocabulary
        return published

    # --- what the product does --------------------------------------------------------------------------------------

    def customer(self, key: str, **traits: Any) -> str:
        """Bring a customer in, or tell more about one: ``customer("anna", email="anna@shop.example", plan="pro")``.

        ``email``, ``phone``, ``timezone``, ``locale``, ``region``, ``account`` and ``tags`` are the engine's own,
        everything else an attribute. Raises AssertionError with what was refused, and for an attribute that the
        published signals.yaml does not declare: the engine would keep it, and a slip would go unnoticed.
        """
        if self._declared is not None:
            for name in traits:
                declared = (*channel_table().address_traits, *_TRAITS, *self._declared.attribute_named)
                _known(name, declared, "attribute")
        self._taken(self.engine.identify([Identify(key=key, traits=traits)]).refused)
        return key

    def track(self, customer: str, event: str, **properties: Any) -> None:
        """One signal, now. Raises AssertionError with what was refused, and for an event that nobody declared."""
        if self._declared is not None:
            _known(event, self._declared.event_named, "event")
        self._taken(self.engine.track([Track(key=customer, event=event, properties=properties)]).refused)

    def start(self, customer: str, playbook: str, **options: Any) -> Enrollment:
        """Begin a playbook; ``options`` are ``context`` and ``key``. Raises StartRefused with the reason, NotFound."""
        started = self.engine.start_playbook(customer, playbook, **options)
        self._work()
        return started

    # --- what customers do ------------------------------------------------------------------------------------------

    def respond(self, customer: str, outcome: str, *, step: str | None = None, **more: Any) -> bool:
        """The customer answers the latest message (of ``step``); False if this was heard before.

        ``more`` are ``detail``, ``comment`` and ``source_id``. Raises InputError for a word the message cannot hear.
        """
        heard = self.engine.respond(self.message_id(customer, step=step), outcome, **more)
        self._work()
        return heard

    def clicked(self, customer: str, *, step: str | None = None, link: str | None = None) -> None:
        """The customer clicks in the latest message; ``link`` is its name."""
        self.respond(customer, "clicked", step=step, detail=link)

    def dismissed(self, customer: str, *, step: str | None = None) -> None:
        """The customer closes an in-app message."""
        self.respond(customer, "dismissed", step=step)

    def answered(
        self, customer: str, answer: str, *, step: str | None = None, comment: str | None = None
    ) -> None:
        """The customer answers a question by the key of an answer."""
        self.respond(customer, "answered", step=step, detail=answer, comment=comment)

    def replied(self, customer: str, text: str, *, step: str | None = None) -> None:
        """The customer writes back to the latest message. Words that mean STOP are an opt-out, as they are by SMS."""
        self.provider_reports(customer, _MEANT[classify(text).meant], step=step, text=text)

    def opted_out(
        self, customer: str, *, channel: str = "*", topic: str = "*", source_id: str | None = None
    ) -> OptOutReceipt:
        """The customer wants no more messages of this topic on this channel; the receipt says what was stopped."""
        evidence = ConsentEvidence(method="unsubscribe_page", source="test")
        receipt = self.engine.opt_out(
            customer, channel=channel, topic=topic, evidence=evidence, source_id=source_id
        )
        self._work()
        return receipt

    def opted_in(self, customer: str, *, channel: str = "*", topic: str = "*") -> None:
        """The customer agrees to messages: a promotional SMS, for one, needs it."""
        evidence = ConsentEvidence(method="web_form", source="test")
        self.engine.opt_in(customer, channel=channel, topic=topic, evidence=evidence)
        self._work()

    # --- what providers do ------------------------------------------------------------------------------------------

    def provider_reports(
        self, customer: str, kind: ReceiptKind | str, *, step: str | None = None, **facts: Any
    ) -> None:
        """A provider's callback about the latest message: ``delivered``, ``opened``, ``bounced``, ``complained`` ...

        ``facts`` are further fields of :class:`channels.base.Receipt`.
        """
        message = self._latest(customer, step)
        self._told += 1
        given: dict[str, Any] = {
            "source": "test",
            "source_id": f"test-{self._told}",
            "occurred_at": self.clock.now,
            "message_id": message.message_id,
            "channel": message.channel,
        }
        self.engine.receive([Receipt(kind=ReceiptKind(kind), **given | facts)])
        self._work()

    def provider_fails(self, channel: str, result: SendStatus | str = "refused", **rule: Any) -> None:
        """From now on the channel answers ``refused``, ``opted_out``, ``try_again`` or ``uncertain``.

        ``rule`` narrows it, as :class:`channels.sandbox.ScriptedResult` says: ``times=1``, ``address="anna@*"``,
        ``code="21610"``, ``retry_after=60``, ``mark_address=True``.
        """
        self._sandbox(channel).fail(ScriptedResult(result=SendStatus(result), **rule))

    def provider_heals(self, channel: str) -> None:
        """The channel takes everything again."""
        self._sandbox(channel).heal()

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """Business time, UTC."""
        return self.clock.now

    def drain(self) -> None:
        """Do everything that is due now."""
        while self.engine.drain().more:
            pass

    def let_pass(self, span: timedelta = timedelta(), **parts: float) -> None:
        """Let time pass, ``let_pass(days=3, hours=2)``, stopping wherever something is due, as workers would.

        Raises AssertionError when something stays due that nobody takes.
        """
        end = self.clock.now + span + timedelta(**parts)
        scan_at = self._next_scan()
        looks = 0
        self.drain()
        while (stop := min(self.engine.next_due() or _NEVER, scan_at)) <= end:
            looks = looks + 1 if stop <= self.clock.now else 0
            assert looks < _PATIENCE, f"due since {stop} and nobody takes it"
            if self.clock.move_to(stop) >= scan_at:
                while self.engine.scan():
                    self.drain()
                scan_at += timedelta(days=1)
            self.drain()
        self.clock.move_to(end)
        self.drain()

    def skip(self, span: timedelta = timedelta(), **parts: float) -> None:
        """Let time pass in one leap with no worker at work: an outage. What fell due is done afterwards."""
        self.clock.advance(span + timedelta(**parts))
        self._work()

    # --- what can be seen -------------------------------------------------------------------------------------------

    def sent(
        self, customer: str | None = None, *, channel: str | None = None, step: str | None = None
    ) -> list[SentMessage]:
        """What went out so far, in its order: hand-overs to people and calls of functions too."""
        taken = [one for one in self.outbox.hand_overs if one.sent]
        origins = self.engine.reports.message_origins({one.message.message_id for one in taken})
        found = [
            SentMessage(
                customer=one.message.customer_key,
                channel=one.message.channel,
                playbook=origins[one.message.message_id].playbook,
                step=origins[one.message.message_id].step,
                at=one.at,
                message=one.message,
            )
            for one in taken
        ]
        return [
            one
            for one in found
            if customer in (None, one.customer)
            and channel in (None, one.channel)
            and step in (None, one.step)
        ]

    def why(self, customer: str, *, step: str | None = None) -> list[Explanation]:
        """Each message that was planned: its ``status``, the ``policy`` that decided, and ``why`` as a sentence."""
        explained = self.timeline(customer).explanations
        return [one for one in explained if step in (None, one.step)]

    def timeline(self, customer: str) -> Timeline:
        """Everything that happened, as support sees it."""
        try:
            return self.engine.reports.timeline(customer)
        except NotFound:
            msg = f"no customer {customer!r}; bring one in with customer({customer!r}, ...)"
            raise AssertionError(msg) from None

    def story(self, customer: str) -> str:
        """The timeline as text, to print when a test surprises: starts that were refused, verdicts, timers, answers."""
        entries = self.timeline(customer).entries
        return "\n".join(f"{one.at:%Y-%m-%d %H:%M}  {one.words}" for one in entries) or "nothing happened"

    def enrollments(self, customer: str, playbook: str | None = None) -> list[Enrollment]:
        """The customer's enrollments, oldest first, ended ones too."""
        started = [one for one in self.timeline(customer).entries if one.kind == "start"]
        ids = [
            parse_public_id(one.enrollment_id, prefix=ENROLLMENT)
            for one in started
            if one.enrollment_id is not None and playbook in (None, one.playbook)
        ]
        ids.sort(key=lambda one: one.row_id)
        with self.engine.services.store.begin() as transaction:
            return [transaction.enrollments.get(one.customer_id, one.row_id) for one in ids]

    def step(self, customer: str, playbook: str | None = None) -> str:
        """Where the latest enrollment stands, or ended."""
        found = self.enrollments(customer, playbook)
        assert found, f"{customer!r} was never enrolled:\n{self.story(customer)}"
        return found[-1].step

    def path(self, customer: str, playbook: str | None = None) -> list[str]:
        """How the enrollments went: ``step:outcome`` for each step left, then how each ended, if it did."""
        found = [
            one
            for one in self.timeline(customer).entries
            if one.data.get("event") in ("step_left", "ended") and playbook in (None, one.playbook)
        ]
        found.sort(key=lambda one: parse_public_id(one.enrollment_id or "", prefix=ENROLLMENT).row_id)
        return [
            f"{one.step}:{one.data['outcome']}" if one.data["event"] == "step_left" else one.data["outcome"]
            for one in found
        ]

    def message_id(self, customer: str, *, step: str | None = None) -> str:
        """The public id of the latest message that was planned (for ``step``)."""
        return self._latest(customer, step).message_id

    # --- what must hold ---------------------------------------------------------------------------------------------

    def violations(self, caps: tuple[Cap, ...] = ()) -> list[Violation]:
        """What breaks an invariant of the database, with ``caps`` or those of the policy published now."""
        return self.engine.reports.violations(caps or self.engine.policy.caps)

    def assert_invariants(self) -> None:
        """Nothing was sent twice, no cap is broken, nobody waits for ever ...; AssertionError lists what is."""
        found = self.violations()
        assert not found, "\n".join(map(str, found))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _latest(self, customer: str, step: str | None) -> Explanation:
        planned = self.why(customer, step=step)
        wanted = f"of step {step!r} " if step else ""
        assert planned, f"no message {wanted}was planned for {customer!r}:\n{self.story(customer)}"
        return planned[-1]

    def _work(self) -> None:
        if self.mode == "inline":
            self.drain()

    def _taken(self, refused: tuple[Any, ...]) -> None:
        assert not refused, "\n".join(f"{one.path}: {one.problem}" for one in refused)
        self._work()

    def _next_scan(self) -> datetime:
        """When playbooks that enter by a daily scan or a calendar are asked about next, if there are any."""
        if self.mode == "manual":
            return _NEVER
        with self.engine.services.store.begin() as transaction:
            entries = [one.playbook.enter for one in transaction.catalogue().newest.values()]
        if not any(enter.every or enter.calendar for enter in entries):
            return _NEVER
        today = self.clock.now.replace(hour=SCAN_HOUR, minute=0, second=0, microsecond=0)
        return today if today >= self.clock.now else today + timedelta(days=1)

    def _sandbox(self, channel: str) -> SandboxChannel:
        self.engine.delivery.channel_for(
            channel
        )  # a hand-over's target gets its sandbox when first asked for
        inner = self.outbox.channels[channel].inner
        assert isinstance(inner, SandboxChannel), (
            f"{channel} is no sandbox: it has no provider that could fail"
        )
        return inner


def _known(name: str, declared: Collection[str], what: str) -> None:
    hint = did_you_mean(name, declared)
    assert name in declared, f"no {what} {name!r} is declared in signals.yaml{hint}"
