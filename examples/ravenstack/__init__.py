"""RavenStack's data through four playbooks; see README.md."""
