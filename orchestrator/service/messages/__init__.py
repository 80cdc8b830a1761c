"""One message of a customer while it is ours: planned, asked about, put off, withdrawn, settled."""
