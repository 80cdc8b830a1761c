"""What is known about a customer beyond single events."""
