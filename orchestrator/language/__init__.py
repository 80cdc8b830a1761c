"""The playbook language: one model, two faces."""
