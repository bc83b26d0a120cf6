"""Files of a known format: which one it is, and a configuration with its reader."""
