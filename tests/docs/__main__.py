"""Writes the generated parts of the documentation, and the list of blocks that are not run."""

from __future__ import annotations

import sys

from tests.docs.pages import ROOT, paths, read
from tests.docs.running import write_not_run
from tests.docs.tables import renew

for changed in renew():
    sys.stdout.write(f"{changed.relative_to(ROOT)}\n")
write_not_run([block for path in paths() for block in read(path).blocks])
