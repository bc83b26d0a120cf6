"""Baselines: plain methods that a model has to beat."""
