"""Files that are whole or not there: written, cached, locked, counted."""
