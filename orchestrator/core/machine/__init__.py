"""The state machine of an enrollment: an event goes in, a decision comes out."""
