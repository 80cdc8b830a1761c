"""The in-app feed."""
