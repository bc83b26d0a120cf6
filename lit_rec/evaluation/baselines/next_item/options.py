"""Which options of the baselines predict held-out training rows best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter

import torch
from torch import Tensor

from lit_rec.evaluation.baselines.next_item.baseline import recency_weights
from lit_rec.evaluation.baselines.next_item.ease import ease_table
from lit_rec.evaluation.baselines.next_item.item_knn import item_knn_table
from lit_rec.evaluation.baselines.next_item.item_tables import DenseTable
from lit_rec.evaluation.baselines.next_item.text import text_table
from lit_rec.evaluation.baselines.next_item.trial import Trial

# the first of each is taken where nothing can be held out, and of equals
RECENCIES = (0.8, 1.0, 0.9, 0.7, 0.5)
SHRINKAGES = (10.0, 1.0, 3.0, 30.0, 100.0)
PENALTIES = (100.0, 10.0, 30.0, 60.0, 200.0, 500.0, 1000.0)
POWERS = (3.0, 1.0, 2.0, 5.0)
TEXT_WEIGHTS = (0.05, 0.01, 0.02, 0.1, 0.2, 0.5)

Options = dict[str, float]
_Tried = tuple[float, Options]  # nDCG@10 of held-out rows, and the options that gave it


def chosen_options(trial: Trial, vectors: Tensor | None) -> dict[str, Options]:
    """Return the options of ``item_knn``, ``ease``, ``text_knn`` and ``ease_text`` with the best nDCG@10.

    ``ease_text`` has the recency that is best for EASE alone of the same penalty, and then the best for both.

    Args:
        trial: The held-out rows.
        vectors: ``[I, D]`` text vectors of the trial's items; None: the last two are left out.

    Example:
        >>> import numpy as np
        >>> from lit_rec.evaluation.baselines.next_item.baskets import Baskets
        >>> nobody = torch.zeros(0, 1, dtype=torch.int64)
        >>> baskets = Baskets(np.array([0]), np.array([0]), items=2)
        >>> trial = Trial(baskets, nobody, nobody.bool(), nobody[:, 0], np.arange(2))
        >>> chosen_options(trial, None)  # nothing could be held out
        {'item_knn': {'shrinkage': 10.0, 'recency': 0.8}, 'ease': {'penalty': 100.0, 'recency': 0.8}}
    """
    search = _Search(trial, vectors)
    found = {"item_knn": search.item_knn(), **search.both_eases()}
    if vectors is not None:
        found["text_knn"] = search.text_knn()
    return found


class _Search:
    """Tries the options of each baseline on the held-out rows.

    Args:
        trial: The held-out rows.
        vectors: ``[I, D]`` text vectors of the trial's items; None: there is no text.
    """

    def __init__(self, trial: Trial, vectors: Tensor | None) -> None:
        self._trial = trial
        self._together = trial.baskets.together()
        self._weights = {recency: recency_weights(trial.mask, recency) for recency in RECENCIES}
        self._text = {}
        if vectors is not None:
            self._text = {power: text_table(vectors, power) for power in POWERS}
        self._scores_by_text: dict[tuple[float, float], Tensor] = {}

    def item_knn(self) -> Options:
        """Return the best shrinkage and recency."""
        return _best(
            each
            for shrinkage in SHRINKAGES
            for each in self._by_recency(
                item_knn_table(self._together, shrinkage), {"shrinkage": shrinkage}
            )
        )

    def text_knn(self) -> Options:
        """Return the best power and recency."""
        return _best(
            each
            for power, table in self._text.items()
            for each in self._by_recency(table, {"power": power})
        )

    def both_eases(self) -> dict[str, Options]:
        """Return the best options of ``ease`` and ``ease_text``, from one table of each penalty."""
        alone: list[_Tried] = []
        beside_text: list[_Tried] = []
        for penalty in PENALTIES:
            table = ease_table(self._together, penalty)
            of_penalty = list(self._by_recency(table, {"penalty": penalty}))
            alone += of_penalty
            recency = _best(of_penalty)["recency"]
            scores = table.scores(self._trial.history, self._weights[recency])
            beside_text += self._with_text(scores, {"penalty": penalty, "recency": recency})
        found = {"ease": _best(alone)}
        if self._text:
            found["ease_text"] = self._recency_with_text(_best(beside_text))
        return found

    def _by_recency(self, table: DenseTable, options: Options) -> Iterator[_Tried]:
        for recency, weight in self._weights.items():
            scores = table.scores(self._trial.history, weight)
            yield self._trial.ndcg(scores), {**options, "recency": recency}

    def _with_text(self, scores: Tensor, options: Options) -> Iterator[_Tried]:
        for power in self._text:
            by_text = self._by_text(power, options["recency"])
            for times in TEXT_WEIGHTS:
                both = torch.add(scores, by_text, alpha=times)
                yield self._trial.ndcg(both), {"text_weight": times, "power": power, **options}

    def _recency_with_text(self, best: Options) -> Options:
        """Return the options with the best recency; that of before, if none is better."""
        table = ease_table(self._together, best["penalty"])
        tried: list[_Tried] = []
        for recency in (best["recency"], *RECENCIES):
            scores = table.scores(self._trial.history, self._weights[recency])
            scores.add_(self._by_text(best["power"], recency), alpha=best["text_weight"])
            tried.append((self._trial.ndcg(scores), {**best, "recency": recency}))
        return _best(tried)

    def _by_text(self, power: float, recency: float) -> Tensor:
        """Return the scores ``[R, I]`` by text, kept for the next penalty."""
        key = power, recency
        if key not in self._scores_by_text:
            weight = self._weights[recency]
            self._scores_by_text[key] = self._text[power].scores(self._trial.history, weight)
        return self._scores_by_text[key]


def _best(tried: Iterable[_Tried]) -> Options:
    """Return the options of the largest value, the first of equals."""
    return max(tried, key=itemgetter(0))[1]
