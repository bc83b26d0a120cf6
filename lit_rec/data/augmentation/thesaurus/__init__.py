"""Where synonyms come from."""
