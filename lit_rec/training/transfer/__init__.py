"""Transfer: a new run that begins with the weights of another run's checkpoint."""
