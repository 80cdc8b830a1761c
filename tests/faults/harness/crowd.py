"""Who uses the installation: a product that starts people, people who withdraw, providers that call back.

Each insists until it is answered, as a product, a mailbox provider and SendGrid do. What was answered is promised.
"""

from __future__ import annotations

import contextlib
import heapq
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.faults.harness.chance import Chance, fate
from tests.faults.harness.playbooks import STARTED_BY
from tests.faults.harness.records import Call, MessageKey, Refused, Withdrawal
from tests.faults.harness.rig import Rig, insist

AT_ONCE = 20  # customers of one batch call
LEAVES = 0.33  # of those who get a mail
AFTER = (0.0, 0.3, 1.0, 2.0, 3.9, 4.0, 4.2, 5.0, 8.0)  # seconds; the second message comes after three to four
DOORS = ("one_click", "one_click", "api", "stop", "complaint")


class Crowd:
    """The three at work, from entering to leaving. ``customers`` arrive evenly over ``seconds``."""

    def __init__(
        self, rig: Rig, *, customers: int, seconds: float, seed: int, first: int = 0, withdrawals: bool = True
    ) -> None:
        self.rig = rig
        self.stop = threading.Event()
        self.failures: list[BaseException] = []
        self.product = Product(rig, self.stop, customers=customers, seconds=seconds, first=first)
        self.people = People(rig, self.stop, seed=seed, share=LEAVES if withdrawals else 0.0)
        self.callbacks = Callbacks(rig, self.stop, seed=seed)
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)
            for name, work in (
                ("product", self.product.run),
                ("people", self.people.run),
                ("callbacks", self.callbacks.run),
            )
        ]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(60)

    def all_started(self, *, within: float) -> bool:
        """Whether everybody has been started; waits ``within`` seconds for it."""
        self._threads[0].join(within)
        return not self._threads[0].is_alive() and not self.failures

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told at the end of the run
            self.failures.append(error)


class Product:
    """Makes customers known, brings their consents, starts them: most by events, one in ten by a call."""

    def __init__(
        self, rig: Rig, stop: threading.Event, *, customers: int, seconds: float, first: int
    ) -> None:
        self._rig, self._stop = rig, stop
        self._keys = [f"c{number:06}" for number in range(first, first + customers)]
        self._seconds = seconds
        self.started: list[tuple[str, str]] = []
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        groups = [self._keys[at : at + AT_ONCE] for at in range(0, len(self._keys), AT_ONCE)]
        for group in groups:
            began = time.monotonic()
            self._bring(group)
            if self._stop.wait(max(0.0, self._seconds / len(groups) - (time.monotonic() - began))):
                return

    def _bring(self, group: list[str]) -> None:
        known = [
            {"type": "identify", "userId": key, "messageId": f"id:{key}", "traits": traits(key)}
            for key in group
        ]
        self._post("/v1/batch", batch=known)
        consents = [
            {
                "customer": key, "action": "granted", "occurred_at": "2026-01-01T00:00:00Z",
                "channel": "sms", "topic": topic, "source": "form",
            }
            for key in group
            for topic in ("upsell", "news")
        ]  # fmt: skip
        self._post("/v1/consents", consents=consents)
        called = [key for key in group if int(key[1:]) % 10 == 0]
        events = [
            {"type": "track", "userId": key, "event": event, "messageId": f"{event}:{key}"}
            for key in group
            for playbook, event in STARTED_BY.items()
            if not (playbook == "offer" and key in called)
        ]
        for key in called:
            self._post("/v1/playbooks/offer/start", customer=key, key=f"start:{key}")
        self._post("/v1/batch", batch=events)
        if not self._stop.is_set():
            self.started += [(key, playbook) for key in group for playbook in STARTED_BY]

    def _post(self, path: str, **body: Any) -> None:
        def once() -> httpx.Response:
            answer = self._rig.shop.http.post(path, json=body)
            if answer.is_success and answer.json().get("success") is False:
                raise AssertionError(f"{path} refused what is well-formed: {answer.text[:500]}")
            return answer

        for failure in insist(once, until=self._stop.is_set):
            self.answers[failure] += 1


def traits(key: str) -> dict[str, str]:
    return {"email": f"{key}@example.test", "phone": phone(key), "first_name": key}


def phone(key: str) -> str:
    return f"+4915{int(key[1:]) + 100_000_000:09d}"


class Ledger:
    """The provider's ledger as it grows: each answered call once."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._after = 0
        self._seen: set[int] = set()

    def new(self) -> Iterator[Call]:
        calls, until = self._rig.calls(self._after)
        open_places = [call.place for call in calls if call.answered is None]
        for call in calls:
            if call.answered is not None and call.place not in self._seen:
                self._seen.add(call.place)
                yield call
        self._after = min(open_places, default=until)
        self._seen = {place for place in self._seen if place >= self._after}


class People:
    """One in three of those who get a mail withdraws, by one of several doors, some at the worst instant."""

    def __init__(self, rig: Rig, stop: threading.Event, *, seed: int, share: float) -> None:
        self._rig, self._stop, self._seed, self._share = rig, stop, seed, share
        self._chance = Chance(seed, "people")
        self._asked: set[int] = set()
        self.withdrawn: list[Withdrawal] = []
        self.refused: list[Refused] = []
        self.waited: list[float] = []

    def run(self) -> None:
        ledger = Ledger(self._rig)
        leaving: list[tuple[float, int, Call]] = []
        while not self._stop.wait(0.1):
            with contextlib.suppress(httpx.HTTPError):
                for call in ledger.new():
                    if self._leaves(call):
                        heapq.heappush(
                            leaving, (time.monotonic() + self._chance.choice(AFTER), call.place, call)
                        )
            while leaving and leaving[0][0] <= time.monotonic() and not self._stop.is_set():
                self._withdraw(heapq.heappop(leaving)[2])

    def _leaves(self, call: Call) -> bool:
        if not (call.taken and call.one_click and call.message) or call.message[0] in self._asked:
            return False
        self._asked.add(call.message[0])
        return fate(self._seed, f"leaves:{call.message[0]}") < self._share

    def _withdraw(self, call: Call) -> None:
        assert call.message is not None
        assert call.one_click is not None
        assert call.to is not None
        door = self._chance.choice(DOORS)
        token = urlsplit(call.one_click).path
        key = call.to.partition("@")[0]
        channel, topic = "*", "*"
        match door:
            case "one_click":
                _, channel, topic, _ = self._rig.links.read_opt_out(token.rpartition("/")[2])
            case "stop":
                channel = "sms"
            case "complaint":
                channel = "email"
        asked = time.monotonic()
        for failure in insist(lambda: self._ask(door, token, key, call), until=self._stop.is_set):
            self.refused.append(Refused(door=door, asked=asked, answer=failure))
            asked = time.monotonic()
        if self._stop.is_set():
            return
        answered = time.monotonic()
        self.waited.append(answered - asked)
        self.withdrawn.append(
            Withdrawal(
                customer_id=call.message[0], channel=channel, topic=topic, door=door, answered=answered
            )
        )

    def _ask(self, door: str, token: str, key: str, call: Call) -> httpx.Response:
        http = self._rig.shop.http
        match door:
            case "one_click":
                return http.post(token, data={"List-Unsubscribe": "One-Click"})
            case "api":
                return http.post(f"/v1/customers/{key}/opt-out", json={})
            case "stop":
                asked = {
                    "url": f"{self._rig.shop.url}/webhooks/twilio/inbound",
                    "sender": phone(key),
                    "body": "STOP",
                }
                return self._rig.fire("fire/twilio/inbound", **asked)
            case _:
                asked = {
                    "url": f"{self._rig.shop.url}/webhooks/sendgrid",
                    "events": [["spamreport", self._rig.public(call.message)]],
                }
                return self._rig.fire("fire/sendgrid", **asked)


class Callbacks:
    """Providers tell what became of most messages: late, out of order, some twice; of the rest nothing is heard."""

    def __init__(self, rig: Rig, stop: threading.Event, *, seed: int) -> None:
        self._rig, self._stop, self._seed = rig, stop, seed
        self.told: set[MessageKey] = set()
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        ledger = Ledger(self._rig)
        while not self._stop.wait(0.5):
            new: list[Call] = []
            with contextlib.suppress(httpx.HTTPError):
                new = [call for call in ledger.new() if call.taken and call.message]
            events = [event for call in new if call.service == "sendgrid" for event in self._events(call)]
            if events:
                self.send_events(sorted(events, key=lambda event: fate(self._seed, str(event))))
            for call in new:
                if call.service == "twilio" and self._fate(call) < 0.4:
                    self.send_status(call)

    def send_events(self, events: list[list[str]]) -> None:
        target = f"{self._rig.shop.url}/webhooks/sendgrid"
        for failure in insist(
            lambda: self._rig.fire("fire/sendgrid", url=target, events=events), until=self._stop.is_set
        ):
            self.answers[failure] += 1

    def send_status(self, call: Call) -> None:
        asked = {"message": self._rig.public(call.message), "status": "delivered"}
        for failure in insist(lambda: self._rig.fire("fire/twilio/status", **asked), until=self._stop.is_set):
            self.answers[failure] += 1

    def _events(self, call: Call) -> list[list[str]]:
        public, luck = self._rig.public(call.message), self._fate(call)
        if luck < 0.2:
            return [["click", public], ["delivered", public], ["click", public]]
        return [["delivered", public]] if luck < 0.7 else []

    def _fate(self, call: Call) -> float:
        return fate(self._seed, f"told:{call.message}")
