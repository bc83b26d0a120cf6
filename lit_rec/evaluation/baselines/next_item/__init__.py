"""Baselines of the next item: what an item says of the others, in closed form."""
