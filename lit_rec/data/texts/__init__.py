"""From columns to tokens."""
