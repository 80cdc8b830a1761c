"""The verbs of the engine; each owns its transaction."""
