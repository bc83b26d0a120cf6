"""SASRec of RecTools, as many epochs as are best on validation rows, and shorter sequences.

Otherwise it is as `rectools_sasrec`. Sequences are cut to the newest 20 items, which 99 % of the pasts of Amazon
Scientific have at most, because RecTools pads all of them to the longest. Training goes on until nDCG@10 of validation
rows has not risen for three epochs, at most for 12.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator

import numpy as np
import pytorch_lightning
import torch
from rectools import Columns
from rectools.models import SASRecModel

from tools.benchmarks.peers.exchange import Array, Line, Timed, answer
from tools.benchmarks.peers.fits.rectools_rows import dataset, recommended, scores_of

_LONGEST = 20
_MOST_EPOCHS = 12
_PATIENCE = 3


def lines(rows: dict[str, Array]) -> Iterator[Line]:
    """Yield the best epoch."""
    torch.set_num_threads(1)
    train = dataset(rows["train_user"], rows["train_item"])
    pytorch_lightning.seed_everything(0, verbose=False)
    model = SASRecModel(deterministic=True, session_max_len=_LONGEST)
    fit, choice, best, reached = Timed(), Timed(), 0, -1.0
    weights, seconds = {}, 0.0
    for epoch in range(1, _MOST_EPOCHS + 1):
        with fit:
            model.fit_partial(train, min_epochs=1, max_epochs=1)
        with choice:
            value = _validation_ndcg(model, rows)
        print(f"epoch {epoch}: nDCG@10 {value:.4f} on validation rows", flush=True)
        if value > reached:
            best, reached, seconds = epoch, value, fit.seconds
            weights = copy.deepcopy(model.torch_model.state_dict())
        if epoch == best + _PATIENCE:
            break
    model.torch_model.load_state_dict(weights)
    with Timed() as predict:
        predicted = scores_of(model, rows)
    spent = choice.seconds + fit.seconds - seconds
    options = {"epochs": best, "session_max_len": _LONGEST}
    yield Line("rectools_sasrec", predicted, seconds, predict.seconds, spent, options)


def _validation_ndcg(model: SASRecModel, rows: dict[str, Array]) -> float:
    """Return the mean nDCG@10 of the validation rows among items that are not in their past."""
    target, gain = rows["val_target"], 0.0
    for found in recommended(model, rows, "val", k=10, filter_viewed=True):
        hit = found[found[Columns.Item].to_numpy() == target[found[Columns.User].to_numpy()]]
        gain += float((1 / np.log2(1 + hit[Columns.Rank])).sum())
    return gain / len(target)


if __name__ == "__main__":
    answer(lines, sys.argv[1:])
