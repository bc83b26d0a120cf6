"""``lit-rec tune``, and the trials that it starts."""
