"""Tables, and PostgreSQL's own tricks with names."""
