"""Files that are complete or absent: written, cached, locked, counted."""
