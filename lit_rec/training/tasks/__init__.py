"""What depends on what is predicted."""
