"""Search of options with Optuna: the space, the shared study, and what came out."""
