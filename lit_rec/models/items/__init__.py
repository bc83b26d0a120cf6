"""An item as a vector."""
