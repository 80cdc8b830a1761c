"""The deployed system under faults: services and processes of its own, a crowd that uses it, and a judge.

``python -m tests.faults`` runs it; docs/how-to/try-faults.md tells how.
"""
