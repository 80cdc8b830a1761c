"""The exit codes of every command, the same everywhere.

==== ===============================================================================================
 0   done, nothing wrong
 1   the answer is no: problems found, refused, not there, an invariant broken
 2   the command line or the settings are wrong; nothing was done
 3   PostgreSQL, the broker or a port cannot be had: the same command may succeed later
 4   a defect of this program; its traceback appears with ORCHESTRATOR_LOG_LEVEL=debug
130  interrupted
==== ===============================================================================================
"""

from __future__ import annotations

from enum import IntEnum

from orchestrator import errors


class Exit(IntEnum):
    DONE = 0
    NO = 1
    USAGE = 2
    UNREACHABLE = 3
    DEFECT = 4
    INTERRUPTED = 130


TABLE = (
    "Exit codes: 0 done; 1 the answer is no (problems found, refused, not there); 2 wrong command line or settings; "
    "3 the database or broker cannot be reached; 4 a defect of this program; 130 interrupted."
)


def code_of(error: BaseException) -> Exit:
    """Which code an error ends the process with."""
    match error:
        case errors.Unavailable() | errors.EmbeddedError():
            return Exit.UNREACHABLE
        case errors.SettingsError() | errors.AdapterError():
            return Exit.USAGE
        case errors.OrchestratorError():
            return Exit.NO
        case KeyboardInterrupt():
            return Exit.INTERRUPTED
        case _:
            return Exit.DEFECT
