"""From the model back to YAML, Python, JSON, and the schemas of editors."""
