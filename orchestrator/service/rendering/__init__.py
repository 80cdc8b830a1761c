"""Templates and values become what the customer sees."""
