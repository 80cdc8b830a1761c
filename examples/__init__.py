"""Examples that run: each prints what it claims."""
