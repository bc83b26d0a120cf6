"""Lists of recommended items for every user."""
