"""Commands that make folders of encoders."""
