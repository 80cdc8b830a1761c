"""The HTTP doors: product, customers, providers, operators."""
