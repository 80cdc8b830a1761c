"""Everything that can be known to be wrong with a playbook before it is published."""
