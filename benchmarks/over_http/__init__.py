"""The same playbook with the real SDK, against a fake provider that answers after so many milliseconds."""
