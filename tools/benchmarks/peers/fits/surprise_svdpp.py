"""SVD++ of scikit-surprise with its defaults: 20 factors, 20 epochs. Nothing is chosen.

One line is fitted on the training rows; as no option needs validation rows, the other is fitted on them, too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
from surprise import Dataset, Reader, SVDpp

from tools.benchmarks.peers.exchange import Array, Line, Timed, answer
from tools.benchmarks.peers.fits.ratings import both_ways


def lines(rows: dict[str, Array]) -> Iterator[Line]:
    """Yield both."""
    for more, user, item, rating in both_ways(rows):
        reader = Reader(rating_scale=(float(rating.min()), float(rating.max())))
        table = pd.DataFrame({"user": user, "item": item, "rating": rating})
        trained = Dataset.load_from_df(table, reader).build_full_trainset()
        with Timed() as fit:
            model = SVDpp(random_state=0).fit(trained)
        tested = zip(rows["test_user"], rows["test_item"], strict=True)
        with Timed() as predict:
            predicted = np.array([model.predict(u, i).est for u, i in tested])
        yield Line(f"surprise_svdpp{more}", predicted, fit.seconds, predict.seconds)


if __name__ == "__main__":
    answer(lines, sys.argv[1:])
