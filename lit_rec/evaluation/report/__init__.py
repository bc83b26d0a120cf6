"""Values with intervals, by slices of the rows."""
