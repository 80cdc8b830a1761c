"""The pure heart: what happens next, and may we speak. No I/O, no clock."""
