"""What every table is bounded by, and how history goes that is older than it is kept."""
