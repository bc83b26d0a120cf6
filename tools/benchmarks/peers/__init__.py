"""Other libraries on the same rows: tools/benchmark peers."""
