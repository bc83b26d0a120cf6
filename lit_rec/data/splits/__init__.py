"""Which rows are trained on, and which are kept for validation and test."""
