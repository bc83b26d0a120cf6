"""What is predicted: all that depends on the task of a run."""
