"""The pages that customers reach from a message."""
