"""Encoders side by side: size, speed, memory, and what plain regression makes of their vectors."""
