"""An engine that leads customers through expansion playbooks.

Three groups of names, each loaded when first asked for, so that a playbook file needs no database library:

- the verbs of a product (``start_playbook``, ``identify``, ``track``, ``respond``, ``opt_out``, ``opt_in``) and the
  engine behind them (``connect``), with every value they take or give back and every error they raise;
- what authors of playbooks write: ``Playbook``, ``Step`` and their kin;
- :mod:`orchestrator.testing`, a package of its own: tests of playbooks and of products.

What is not listed here may move without notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.lazy import lazy_names

if TYPE_CHECKING:
    from orchestrator.client import (
        connect,
        identify,
        opt_in,
        opt_out,
        respond,
        start_playbook,
        track,
    )
    from orchestrator.engine import (
        Engine,
    )
    from orchestrator.errors import (
        AdapterError,
        BadToken,
        Conflict,
        Contended,
        DefinitionError,
        EmbeddedError,
        ErasureIncomplete,
        InputError,
        NotFound,
        OrchestratorError,
        PlaybookError,
        SchemaMismatch,
        SettingsError,
        StartRefused,
        StoreError,
        TimedOut,
        Unavailable,
        ValueRefused,
    )
    from orchestrator.language.author import (
        Ask,
        Branch,
        Call,
        Choose,
        Cooldown,
        End,
        Enter,
        Goal,
        Handoff,
        OwnName,
        Playbook,
        Send,
        Set,
        Split,
        Start,
        Step,
        WaitUntil,
        all_of,
        any_of,
        at_least_of,
        not_,
        where,
    )
    from orchestrator.records.consent import (
        Consent,
        ConsentEntry,
        ConsentEvidence,
        ConsentFact,
        ConsentHistory,
        ConsentInForce,
    )
    from orchestrator.records.drain import (
        Drained,
    )
    from orchestrator.records.enrollment import (
        Enrollment,
        StartRefusalReason,
    )
    from orchestrator.records.erasure import (
        ErasureReceipt,
        ProviderForgot,
    )
    from orchestrator.records.feed import (
        Feed,
        FeedItem,
    )
    from orchestrator.records.intake import (
        Identify,
        IngestReport,
        Refused,
        ResponseOutcome,
        Track,
    )
    from orchestrator.records.preferences import (
        OptOutReceipt,
        Preferences,
        StoppedMessage,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "orchestrator.client": (
                "connect",
                "identify",
                "opt_in",
                "opt_out",
                "respond",
                "start_playbook",
                "track",
            ),
            "orchestrator.engine": ("Engine",),
            "orchestrator.errors": (
                "AdapterError",
                "BadToken",
                "Conflict",
                "Contended",
                "DefinitionError",
                "EmbeddedError",
                "ErasureIncomplete",
                "InputError",
                "NotFound",
                "OrchestratorError",
                "PlaybookError",
                "SchemaMismatch",
                "SettingsError",
                "StartRefused",
                "StoreError",
                "TimedOut",
                "Unavailable",
                "ValueRefused",
            ),
            "orchestrator.records.consent": (
                "Consent",
                "ConsentEntry",
                "ConsentEvidence",
                "ConsentFact",
                "ConsentHistory",
                "ConsentInForce",
            ),
            "orchestrator.records.drain": ("Drained",),
            "orchestrator.records.enrollment": (
                "Enrollment",
                "StartRefusalReason",
            ),
            "orchestrator.records.erasure": (
                "ErasureReceipt",
                "ProviderForgot",
            ),
            "orchestrator.records.feed": (
                "Feed",
                "FeedItem",
            ),
            "orchestrator.records.intake": (
                "Identify",
                "IngestReport",
                "Refused",
                "ResponseOutcome",
                "Track",
            ),
            "orchestrator.records.preferences": (
                "OptOutReceipt",
                "Preferences",
                "StoppedMessage",
            ),
            "orchestrator.language.author": (
                "Ask",
                "Branch",
                "Call",
                "Choose",
                "Cooldown",
                "End",
                "Enter",
                "Goal",
                "Handoff",
                "OwnName",
                "Playbook",
                "Send",
                "Set",
                "Split",
                "Start",
                "Step",
                "WaitUntil",
                "all_of",
                "any_of",
                "at_least_of",
                "not_",
                "where",
            ),
        },
    )

__all__ = [
    "AdapterError",
    "Ask",
    "BadToken",
    "Branch",
    "Call",
    "Choose",
    "Conflict",
    "Consent",
    "ConsentEntry",
    "ConsentEvidence",
    "ConsentFact",
    "ConsentHistory",
    "ConsentInForce",
    "Contended",
    "Cooldown",
    "DefinitionError",
    "Drained",
    "EmbeddedError",
    "End",
    "Engine",
    "Enrollment",
    "Enter",
    "ErasureIncomplete",
    "ErasureReceipt",
    "Feed",
    "FeedItem",
    "Goal",
    "Handoff",
    "Identify",
    "IngestReport",
    "InputError",
    "NotFound",
    "OptOutReceipt",
    "OrchestratorError",
    "OwnName",
    "Playbook",
    "PlaybookError",
    "Preferences",
    "ProviderForgot",
    "Refused",
    "ResponseOutcome",
    "SchemaMismatch",
    "Send",
    "Set",
    "SettingsError",
    "Split",
    "Start",
    "StartRefusalReason",
    "StartRefused",
    "Step",
    "StoppedMessage",
    "StoreError",
    "TimedOut",
    "Track",
    "Unavailable",
    "ValueRefused",
    "WaitUntil",
    "all_of",
    "any_of",
    "at_least_of",
    "connect",
    "identify",
    "not_",
    "opt_in",
    "opt_out",
    "respond",
    "start_playbook",
    "track",
    "where",
]
