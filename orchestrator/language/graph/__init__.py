"""The playbook as a graph and as a compiled state machine."""
