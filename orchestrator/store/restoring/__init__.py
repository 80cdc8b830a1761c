"""What a backup cannot hold: the log of withdrawals outside the database, and what is done after a restore."""
