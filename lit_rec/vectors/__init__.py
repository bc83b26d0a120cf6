"""Vectors that are computed once."""
