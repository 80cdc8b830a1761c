"""Commands about playbooks."""
