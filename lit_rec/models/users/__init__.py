"""A history as a vector."""
