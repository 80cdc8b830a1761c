"""The control endpoints of a fake provider that runs as a process of its own, all under ``/_fake/``.

| call                          | body                                                | gives                        |
|-------------------------------|-----------------------------------------------------|------------------------------|
| GET  keys                     |                                                     | public_key, api_key, account |
| GET  ledger                   |                                                     | entries, stamps, violations  |
| POST calls                    | after: a place in the ledger                        | calls, until                 |
| POST clear                    |                                                     | forgets entries and faults   |
| POST stamp                    | label                                               | at, on the logical clock     |
| POST clock                    | at (unix seconds)                                   | events carry this time       |
| POST faults                   | one fault (see tests.fakes.faults) or {clear: true} |                              |
|                               | or {rules: [faults]}: these instead of all others   |                              |
| POST auto                     | sendgrid: {url, events}, twilio: {statuses}         | callbacks after each send    |
| POST fire/sendgrid            | url, events: [[kind, id, extra?]], corrupt?         | status                       |
| POST fire/twilio/status       | message, status, error_code?, corrupt?              | status                       |
| POST fire/twilio/inbound      | url, sender, body, to?, opt_out_type?               | status                       |
| POST fire/twilio/conversation | url, kind, conversation, fields                     | status                       |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.http import Reply, Request

if TYPE_CHECKING:
    from tests.fakes.provider import FakeProvider

CALL = ("service", "message_id", "to", "fault", "taken", "status", "began", "answered", "opened", "one_click")


class Control:
    """Turns control calls into calls of the provider's own methods."""

    def __init__(self, provider: FakeProvider) -> None:
        self._provider = provider

    def answer(self, request: Request) -> Reply:
        name = request.path.removeprefix("/_fake/").replace("/", "_")
        action = getattr(self, f"_{request.method.lower()}_{name}", None)
        if action is None:
            return Reply(status=404, body={"error": f"no control {request.method} {request.path}"})
        asked = request.json
        try:
            return Reply(status=200, body=action(asked if isinstance(asked, dict) else {}))
        except (KeyError, TypeError, ValueError) as error:
            return Reply(status=400, body={"error": f"{type(error).__name__}: {error}"})

    def _get_keys(self, _: dict[str, Any]) -> dict[str, Any]:
        provider = self._provider
        return {
            "public_key": provider.public_key,
            "api_key": provider.api_key,
            "account_sid": provider.account_sid,
            "auth_token": provider.auth_token,
        }

    def _get_ledger(self, _: dict[str, Any]) -> dict[str, Any]:
        ledger = self._provider.ledger
        return {
            "entries": [entry.as_dict() for entry in ledger.entries()],
            "stamps": [{"at": at, "label": label} for at, label in ledger.stamps()],
            "violations": ledger.violations(),
        }

    def _post_calls(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Requests to take a message as narrow rows, from a place in the ledger on: cheap to ask often."""
        calls, until = self._provider.ledger.calls(after=int(asked.get("after", 0)))
        rows = [[place, *(getattr(entry, name) for name in CALL)] for place, entry in calls]
        return {"calls": rows, "until": until}

    def _post_clear(self, _: dict[str, Any]) -> dict[str, Any]:
        self._provider.ledger.clear()
        self._provider.faults.clear()
        self._provider.auto.clear()
        return {}

    def _post_stamp(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"at": self._provider.ledger.stamp(str(asked["label"]))}

    def _post_clock(self, asked: dict[str, Any]) -> dict[str, Any]:
        at = int(asked["at"])
        self._provider.now = lambda: at
        return {"at": at}

    def _post_faults(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked.get("clear"):
            self._provider.faults.clear()
        elif "rules" in asked:
            self._provider.faults.replace(asked["rules"])
        else:
            self._provider.faults.add(**asked)
        return {}

    def _post_auto(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._provider.auto = asked
        return {}

    def _post_fire_sendgrid(self, asked: dict[str, Any]) -> dict[str, Any]:
        corrupt = bool(asked.get("corrupt"))
        return {"status": self._provider.fire_sendgrid(asked["url"], asked["events"], corrupt=corrupt)}

    def _post_fire_twilio_status(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"status": self._provider.fire_status(asked.pop("message"), asked.pop("status"), **asked)}

    def _post_fire_twilio_inbound(self, asked: dict[str, Any]) -> dict[str, Any]:
        url, sender, body = asked.pop("url"), asked.pop("sender"), asked.pop("body")
        return {"status": self._provider.fire_inbound(url, sender, body, **asked)}

    def _post_fire_twilio_conversation(self, asked: dict[str, Any]) -> dict[str, Any]:
        fields = asked.get("fields", {})
        status = self._provider.fire_conversation(
            asked["url"], asked["kind"], asked["conversation"], **fields
        )
        return {"status": status}
