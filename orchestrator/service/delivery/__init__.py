"""Handing messages over to providers, and filing what became of them."""
