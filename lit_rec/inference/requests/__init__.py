"""What is asked, as batches."""
