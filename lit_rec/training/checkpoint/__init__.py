"""The content of a checkpoint, its checks, and the options that a user may replace."""
