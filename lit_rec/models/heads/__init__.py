"""User and item as a score."""
