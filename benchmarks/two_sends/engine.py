"""(a) This engine: a process that drains until a wave is over.

``python -m benchmarks.two_sends.engine URL SETTINGS``, the settings as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from sqlalchemy import text

from benchmarks.harness.children import serve
from benchmarks.harness.scratch import IDLE
from benchmarks.two_sends import workload
from orchestrator.bootstrap import build_engine
from orchestrator.engine import Engine
from orchestrator.telemetry import configure

_AGAIN, _AGAIN_AT_MOST = (
    0.002,
    0.05,
)  # seconds, when what is left is on the wire or in another process's hands


def main() -> int:
    configure(level="error")
    engine = build_engine(workload.settings(sys.argv[1], **json.loads(sys.argv[2])))
    try:
        serve({"wave": lambda: wave(engine)})
    finally:
        engine.close()
    return 0


def wave(engine: Engine) -> dict[str, Any]:
    """Drain until nothing is due, whoever of several processes does the last of it."""
    messages, again = 0, _AGAIN
    while True:
        drained = engine.drain()
        messages += drained.messages
        if drained.customers or drained.messages:
            again = _AGAIN
            continue
        with engine.database.connect() as connection:
            if connection.execute(text(IDLE)).scalar_one():
                return {"messages": messages}
        time.sleep(again)
        again = min(2 * again, _AGAIN_AT_MOST)


if __name__ == "__main__":
    sys.exit(main())
