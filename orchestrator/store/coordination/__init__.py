"""What processes agree on through the database: what time it is, who runs, which request was answered."""
