"""Everything that comes from outside: facts, signals, answers, provider callbacks."""
