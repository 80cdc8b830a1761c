"""The product's HTTP API."""
