"""The parts of a checkpoint that inference uses: network and users."""
