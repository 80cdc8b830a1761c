"""Invented customers, and what they do."""
