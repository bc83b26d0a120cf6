"""Scores of a catalogue for users."""
