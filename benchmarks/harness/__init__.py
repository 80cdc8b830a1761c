"""What every part of the benchmarks stands on: scratch databases, child processes, processor time, figures."""
