"""The command line: a file for each command, and how words and YAML are read."""
