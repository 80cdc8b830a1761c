"""Celery: wake-ups that carry ids or nothing, never state."""
