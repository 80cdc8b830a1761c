"""The growth team's and the operators' pages."""
