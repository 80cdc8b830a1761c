"""What a withdrawal reads and writes: contact points, ledger, planned messages, and nothing else."""
