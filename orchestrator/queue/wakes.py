"""Wake-ups by name, with the task and the queue of each.

A wake-up says "look whether anything is due" and nothing else: no id, no state. A lost one costs a second: the sweep
finds what it would have found.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal, get_args

Wake = Literal["advance", "deliver", "sweep", "scan"]
WAKES: tuple[Wake, ...] = get_args(Wake)
TASKS = MappingProxyType({wake: f"orchestrator.{wake}" for wake in WAKES})
QUEUES: MappingProxyType[Wake, str] = MappingProxyType(
    {
        "advance": "orchestrator.enrollments",
        "deliver": "orchestrator.messages",
        "sweep": "orchestrator.care",
        "scan": "orchestrator.care",
    }
)
