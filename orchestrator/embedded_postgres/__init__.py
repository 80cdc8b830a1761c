"""A real PostgreSQL in the data folder, for one machine, without installing anything."""
