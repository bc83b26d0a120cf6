"""One file for each peer: it reads rows, fits, and writes predictions. They run in the peers' own environments."""
