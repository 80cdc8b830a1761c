"""Tests of playbooks, and of products that use them: the real engine on a virtual clock, in a database of its own.

::

    from pathlib import Path
    from orchestrator.testing import TestEngine

    with TestEngine.scratch() as engine:
        engine.publish(Path("playbooks"))
        engine.customer("anna", email="anna@customer.example")
        engine.start("anna", "welcome")
        engine.let_pass(days=3)
        assert [one.step for one in engine.sent("anna")] == ["hello", "mail"]

With pytest the fixture ``orchestrator_engine`` gives one to each test (:mod:`orchestrator.testing.plugin`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.lazy import lazy_names

if TYPE_CHECKING:
    from orchestrator.clock import VirtualClock
    from orchestrator.testing.builders import account_files, playbook_files
    from orchestrator.testing.engine import TestEngine
    from orchestrator.testing.sent import SentMessage
    from orchestrator.testing.server import embedded_server
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "orchestrator.clock": ("VirtualClock",),
            "orchestrator.testing.builders": ("account_files", "playbook_files"),
            "orchestrator.testing.engine": ("TestEngine",),
            "orchestrator.testing.sent": ("SentMessage",),
            "orchestrator.testing.server": ("embedded_server",),
        },
    )

__all__ = [
    "SentMessage",
    "TestEngine",
    "VirtualClock",
    "account_files",
    "embedded_server",
    "playbook_files",
]
