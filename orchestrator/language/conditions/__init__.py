"""Conditions and moments answered for one customer, and what must be loaded before."""
