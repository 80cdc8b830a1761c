"""One guardrail a file; the order in which they are asked is the list in orchestrator.core.policies.order."""
