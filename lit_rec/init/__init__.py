"""A configuration guessed from two tables."""
