"""Tasks: all that depends on what a run predicts."""
