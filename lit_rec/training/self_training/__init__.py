"""Self-training: rows without a label train with labels that a teacher is sure of."""
