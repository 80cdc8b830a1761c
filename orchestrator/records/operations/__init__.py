"""What whoever runs the engine is told: how the work stands, and which fault there is."""
