"""Opting out and in, preferences, and the ledger that proves what was said."""
