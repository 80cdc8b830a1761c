"""What a person means who writes back: stop, start, help, or something to be answered."""
