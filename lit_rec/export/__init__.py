"""A checkpoint's text encoder as other libraries read it."""
