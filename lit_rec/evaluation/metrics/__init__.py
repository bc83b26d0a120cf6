"""Metrics, and what of their rows a bootstrap draws from."""
