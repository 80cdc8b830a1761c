"""Imported once by the process that commands are forked from."""

from __future__ import annotations

from tests.acceptance.forked import read_everything

read_everything()
