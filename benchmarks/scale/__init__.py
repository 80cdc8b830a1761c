"""What the engine's repeated work costs while ten thousand, a hundred thousand or a million wait."""
