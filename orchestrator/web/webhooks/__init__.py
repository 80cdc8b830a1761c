"""Where providers report."""
