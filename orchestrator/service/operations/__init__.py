"""What operators and growth teams do to the engine: publish, pause, release."""
