"""Reading what playbooks earned."""
