"""``python -m tests.support.system``: does this machine run a PostgreSQL that the second pass of tests can use?"""

from __future__ import annotations

import sys

from tests.support.postgres import system_server

if __name__ == "__main__":
    sys.exit(0 if system_server() else 1)
