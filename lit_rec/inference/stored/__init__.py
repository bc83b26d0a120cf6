"""The parts of a checkpoint that inference uses: network, items and users."""
