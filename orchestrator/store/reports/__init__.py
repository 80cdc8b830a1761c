"""Reading for people: timelines, health, views, invariants, exports."""
