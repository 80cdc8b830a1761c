"""Commands that run or look after processes: serve, worker, beat, doctor, db."""
