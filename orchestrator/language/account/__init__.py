"""The account's files: policy.yaml, signals.yaml, calendar.yaml."""
