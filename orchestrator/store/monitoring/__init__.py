"""Figures about the work: counted by the sweep, told by processes, read by pages, ``doctor`` and Prometheus."""
