"""A text as a vector: the encoder, how it is pooled, and what of it is trained."""
