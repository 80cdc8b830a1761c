"""Every error this library raises, in one tree.

::

    OrchestratorError
    ├── SettingsError          the environment is wrong; all problems at once
    ├── DefinitionError        a playbook, policy or signals file is wrong; all problems at once
    │   └── PlaybookError      one playbook cannot be published, loaded or migrated
    ├── InputError             a value given by a caller is wrong, with its JSON path
    ├── BadToken               a link or feed token is not one of ours, or is over its time
    ├── NotFound               the customer, playbook, message ... asked for does not exist
    ├── Conflict               what is asked for contradicts what is stored
    ├── StartRefused           start_playbook said no, with the reason
    ├── StoreError             PostgreSQL refused or could not be reached
    │   ├── Unavailable        not reachable, or too busy: trying again may help
    │   │   ├── Contended      a lock did not come in time, or a transaction lost to another
    │   │   ├── TimedOut       a statement took longer than it may
    │   │   └── ErasureIncomplete  a provider could not be told to forget a person: repeat the erasure
    │   ├── ValueRefused       a value cannot be stored or read, whenever it is tried
    │   ├── SchemaMismatch     this release and the database's schema do not fit
    │   └── EmbeddedError      the embedded PostgreSQL could not be started or stopped
    └── AdapterError           a channel is not configured or was built wrongly

A message says what was expected, what came and what to do. Facts are attributes; the cause is chained. Errors of
libraries never leave ``channels/`` and ``store/``. Messages carry no address, body or secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.records.enrollment import StartRefusalReason


class OrchestratorError(Exception):
    """The root: ``except OrchestratorError`` catches whatever this library raises on purpose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing wrong in a file, printed as ``path:line:column: message``. Lines and columns count from 1."""

    path: str
    message: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part)
        return f"{place}: {self.message}"


class SettingsError(OrchestratorError):
    """The process does not start: ``problems`` lists everything wrong with its environment."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("settings:" + "".join(f"\n  - {problem}" for problem in self.problems))


class DefinitionError(OrchestratorError):
    """Something a growth team wrote is wrong: ``problems`` lists all of it, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PlaybookError(DefinitionError):
    """One playbook cannot be published, loaded or migrated."""


class InputError(OrchestratorError):
    """A caller's value is wrong. ``path`` says which, as a JSON path: ``$.traits.renews_at``."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}")


class BadToken(OrchestratorError):
    """A signed link or feed token was not made by us, was made for something else, or is over its time."""


class NotFound(OrchestratorError):
    """``what`` (customer, playbook, message ...) with the key ``key`` does not exist."""

    def __init__(self, what: str, key: str) -> None:
        self.what = what
        self.key = key
        super().__init__(f"no {what} {key!r}")


class Conflict(OrchestratorError):
    """What is asked for contradicts what is stored, such as changed content under a published version."""


class StartRefused(OrchestratorError):
    """``start_playbook`` said no. ``reason`` never changes its name, ``detail`` is what a support person reads."""

    def __init__(self, reason: StartRefusalReason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


class StoreError(OrchestratorError):
    """PostgreSQL refused a statement, or something stored is not what the engine wrote."""


class Unavailable(StoreError):
    """PostgreSQL cannot be reached, or is too busy for now: the same call may succeed later."""


class Contended(Unavailable):
    """A customer's lock did not come in time, or the transaction lost to another: nobody's fault, and about this call
    alone. Others need not wait for it."""


class TimedOut(Unavailable):
    """A statement took longer than it may: a fault of the batch, and of a customer alone when it is about one."""


class ErasureIncomplete(Unavailable):
    """``failed`` providers could not be told to forget a person, who hears no more but is not erased yet."""

    def __init__(self, failed: Iterable[str]) -> None:
        self.failed = tuple(failed)
        super().__init__(
            f"not told to forget: {', '.join(self.failed)}; nothing is sent any more. Erase again to tell them, or "
            "anyway to go on without them"
        )


class ValueRefused(StoreError):
    """A value cannot be stored or read, whenever it is tried: the fault of the customer whose it is."""


class SchemaMismatch(StoreError):
    """This release and the database's schema do not fit: nobody's fault who is in it. Migrate, or run the release that
    fits."""


class EmbeddedError(StoreError):
    """The embedded PostgreSQL could not be started or stopped."""


class AdapterError(OrchestratorError):
    """A channel is named that is not configured, or an adapter could not be built from its settings."""
