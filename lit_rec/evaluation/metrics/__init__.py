"""Metrics, and their bootstrap intervals."""
