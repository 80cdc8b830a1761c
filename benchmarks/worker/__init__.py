"""A real worker, as it is deployed: how large its processes grow, and how fast it catches up."""
