"""JSON objects as a table, one object a line.

``blocks`` has a file as blocks of numbered lines, ``values`` a line as an object. Two readers are built on them,
each for its kind of files:

- ``lines``: a user's own table. Any keys may stand in it, and ``columns`` finds of what kind the values of each are.
  The first wrong line is an error.
- ``records``: an archive of which a few keys are known. Polars reads it, and what it would read in another way than
  ``values`` does is read line by line. Wrong lines are counted, and may be left out.
"""
