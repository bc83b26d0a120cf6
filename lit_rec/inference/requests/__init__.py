"""Requests: from ids, texts and mappings to batches."""
