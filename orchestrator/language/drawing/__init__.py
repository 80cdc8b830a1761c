"""The playbook drawn as its state diagram."""
