"""What a checkpoint holds, how it is checked, and what of it may be replaced."""
