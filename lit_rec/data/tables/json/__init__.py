"""JSON objects as a table, one object a line.

``blocks`` has a file as blocks of numbered lines, ``values`` a line as an object. Two readers are built on them,
each for its kind of files:

- ``lines``: a user's own table. It may have any keys, and ``columns`` finds the kind of each key's values. The first
  wrong line is an error.
- ``records``: an archive in which a few known keys are read. Polars reads it; lines that Polars would read otherwise
  than ``values`` are read one by one. Wrong lines are counted, and may be left out.
"""
