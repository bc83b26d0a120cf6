"""A user's file as a checked Polars table."""
