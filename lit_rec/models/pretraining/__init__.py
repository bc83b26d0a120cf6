"""Networks that learn from texts alone."""
