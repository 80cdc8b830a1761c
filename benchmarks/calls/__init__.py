"""How long callers wait: a start, a click until the next hand-over, a batch of events."""
