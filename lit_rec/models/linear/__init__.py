"""Linear models fitted in NumPy: the start of heads, and baselines."""
