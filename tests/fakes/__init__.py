"""Providers played by ourselves: they speak the real protocols, keep state, and can be told to fail."""
