"""What a checkpoint brings along."""
