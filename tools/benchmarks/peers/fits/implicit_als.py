"""ALS of implicit: factors, regularization and alpha chosen on validation rows.

It is fitted on the training rows; a tested user's factors are computed from the whole past (``recalculate_user``), the
validation row included. It knows no order.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

from tools.benchmarks.peers.exchange import Array, Line, Timed, answer
from tools.benchmarks.peers.fits.next_item import row_of_entry, unseen_ndcg

GRID = {
    "factors": (256, 512),
    "regularization": (30.0, 100.0, 300.0),
    "alpha": (40.0, 100.0, 300.0),
}
_AT_ONCE = 1024


def lines(rows: dict[str, Array]) -> Iterator[Line]:
    """Yield the best of the grid."""
    items = int(rows["items"])
    train = _table(rows["train_user"], rows["train_item"], items)
    validation = _histories(rows, "val", items)
    grid = [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]
    found, past = [], (row_of_entry(rows["val_offsets"]), rows["val_history"])
    with Timed() as choice:
        for options in grid:
            scores = _scores(_fitted(train, options), validation)
            found.append(unseen_ndcg(scores, rows["val_target"], *past))
            print(options, f"nDCG@10 {found[-1]:.4f} on validation rows", flush=True)
    best = grid[int(np.argmax(found))]
    with Timed() as fit:
        model = _fitted(train, best)
    with Timed() as predict:
        predicted = _scores(model, _histories(rows, "test", items))
    yield Line("implicit_als", predicted, fit.seconds, predict.seconds, choice.seconds, best)


def _fitted(train: csr_matrix, options: dict[str, Any]) -> AlternatingLeastSquares:
    model = AlternatingLeastSquares(**options, random_state=0, num_threads=1)
    model.fit(train, show_progress=False)
    return model


def _scores(model: AlternatingLeastSquares, histories: csr_matrix) -> Array:
    """Return the scores ``[R, I]`` of rows by their histories."""
    rows = np.arange(histories.shape[0])
    found = [
        model.recalculate_user(rows[start : start + _AT_ONCE], histories[start : start + _AT_ONCE])
        @ model.item_factors.T
        for start in range(0, len(rows), _AT_ONCE)
    ]
    return np.concatenate(found).astype(np.float32)


def _histories(rows: dict[str, Array], part: str, items: int) -> csr_matrix:
    offsets = rows[f"{part}_offsets"]
    return _table(row_of_entry(offsets), rows[f"{part}_history"], items, len(offsets) - 1)


def _table(row: Array, item: Array, items: int, size: int | None = None) -> csr_matrix:
    """Return who had what, 1 however often."""
    shape = (int(row.max()) + 1 if size is None else size, items)
    table = csr_matrix((np.ones(len(row), np.float32), (row, item)), shape=shape)
    table.data[:] = 1  # repeated entries were added up
    return table


if __name__ == "__main__":
    answer(lines, sys.argv[1:])
