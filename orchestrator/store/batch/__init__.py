"""One batch of customers: claimed, loaded, built, saved."""
