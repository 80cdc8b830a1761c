"""What a rehearsal showed, and what it needs to know while it runs."""
