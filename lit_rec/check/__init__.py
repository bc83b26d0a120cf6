"""What a run would meet, before it begins."""
