"""Timings as ratios: each run measures the engine beside a floor, on the same database, in the same minute."""
