"""What single pages show: each function reads one page, or one list of it."""
