"""Translation models, and what they have translated."""
