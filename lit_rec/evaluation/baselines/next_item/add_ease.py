"""Which options of AddEase predict held-out training rows best: for the baseline, and for a model that begins there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from lit_rec.evaluation.baselines.next_item.climb import climb
from lit_rec.evaluation.baselines.next_item.options import RECENCIES, Options
from lit_rec.evaluation.baselines.next_item.trial import Trial
from lit_rec.models.neighbors.add_ease import AddEase
from lit_rec.models.neighbors.item_tables import ItemTable, recency_weights

BEGUN: Options = {"penalty": 100.0, "text_weight": 10.0, "recency": 0.8}
PENALTIES = (3.0, 10.0, 30.0, 60.0, 100.0, 200.0, 500.0, 1000.0)
_ORDERS = (0.8, 1.0)  # recencies
TEXT_WEIGHTS = (0.0, 1.0, 3.0, 10.0, 20.0, 40.0, 100.0)


def chosen_add_ease(
    trial: Trial, vectors: Tensor | None, whole: bool, given: Options | None = None
) -> Options:
    """Return the options with the best nDCG@10 of held-out rows: penalty, then weight of texts, then recency.

    Penalty and weight are changed step by step, from 100 and 10, as long as it gets better; with the better of two
    recencies, 0.8 and 1, because the best penalty depends on whether the order of behaviors counts.

    Args:
        trial: The held-out rows.
        vectors: ``[I, D]`` text vectors of the trial's items; None: there is no text.
        whole: The form that will be used; see ``AddEase``.
        given: Options that are not chosen.

    Example:
        >>> import numpy as np
        >>> import torch
        >>> from lit_rec.models.neighbors.baskets import Baskets
        >>> nobody = torch.zeros(0, 1, dtype=torch.int64)
        >>> baskets = Baskets(np.array([0]), np.array([0]), items=2)
        >>> trial = Trial(baskets, nobody, nobody.bool(), nobody[:, 0], np.arange(2))
        >>> chosen_add_ease(trial, None, whole=True, given={"penalty": 7.0})  # nothing could be held out
        {'penalty': 7.0, 'text_weight': 0.0, 'recency': 0.8}
    """
    options = BEGUN | ({} if vectors is not None else {"text_weight": 0.0}) | (given or {})
    if not len(trial.target):
        return options
    form, free = AddEase(trial.baskets, vectors, whole=whole), set(BEGUN) - set(given or {})

    def figure(penalty: float, text_weight: float) -> float:
        table = form.table(penalty, text_weight)
        return by_recency(trial, table, (options["recency"],))[0]

    if "recency" in free:  # whether order says anything; how much it does is chosen at the end
        table = form.table(options["penalty"], options["text_weight"])
        found = by_recency(trial, table, _ORDERS)
        options["recency"] = _ORDERS[found.index(max(found))]
    if "penalty" in free:
        weight = options["text_weight"]
        options["penalty"] = climb(PENALTIES, options["penalty"], lambda p: figure(p, weight))
    if "text_weight" in free and vectors is not None:
        penalty = options["penalty"]
        options["text_weight"] = climb(
            TEXT_WEIGHTS, options["text_weight"], lambda weight: figure(penalty, weight)
        )
    if "recency" in free:
        table = form.table(options["penalty"], options["text_weight"])
        found = by_recency(trial, table, RECENCIES)
        options["recency"] = RECENCIES[found.index(max(found))]
    return options


def by_recency(trial: Trial, table: ItemTable, recencies: Sequence[float]) -> list[float]:
    """Return the nDCG@10 of held-out rows by a table, for each recency."""
    weights = [recency_weights(trial.mask, recency) for recency in recencies]

    def scores_of(rows: slice) -> Iterator[Tensor]:
        for weight in weights:
            yield table.scores(trial.history[rows], weight[rows])

    return trial.ndcg_of_each(scores_of)
