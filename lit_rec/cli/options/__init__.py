"""How the words and the YAML of a command are read."""
