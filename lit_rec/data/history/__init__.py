"""Which earlier rows a row sees."""
