"""Lists of items for every user."""
