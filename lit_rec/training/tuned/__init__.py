"""What is trained in a run: its size, and the tuning of the encoder that follows the steps."""
