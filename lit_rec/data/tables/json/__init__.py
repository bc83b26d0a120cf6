"""JSON objects as a table."""
