"""The real engine on a virtual clock, with a crowd that behaves."""
