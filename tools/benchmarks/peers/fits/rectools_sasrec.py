"""SASRec of RecTools with all its defaults: softmax, two blocks, 256 factors, three epochs, sequences padded to 100.

It is fitted on the training rows and recommends from the whole past of a tested row, the validation row included.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytorch_lightning
import torch
from rectools.models import SASRecModel

from tools.benchmarks.peers.exchange import Array, Line, Timed, answer
from tools.benchmarks.peers.fits.rectools_rows import dataset, scores_of


def lines(rows: dict[str, Array]) -> Iterator[Line]:
    """Yield the defaults."""
    torch.set_num_threads(1)
    train = dataset(rows["train_user"], rows["train_item"])
    pytorch_lightning.seed_everything(0, verbose=False)
    model = SASRecModel(deterministic=True)
    with Timed() as fit:
        model.fit(train)
    with Timed() as predict:
        predicted = scores_of(model, rows)
    yield Line("rectools_sasrec", predicted, fit.seconds, predict.seconds)


if __name__ == "__main__":
    answer(lines, sys.argv[1:])
