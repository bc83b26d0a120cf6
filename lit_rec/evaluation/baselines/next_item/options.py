"""Which options of the baselines predict held-out training rows best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, product
from operator import itemgetter

import torch
from torch import Tensor

from lit_rec.evaluation.baselines.next_item.climb import climb
from lit_rec.evaluation.baselines.next_item.item_knn import item_knn_table
from lit_rec.evaluation.baselines.next_item.text import text_table
from lit_rec.evaluation.baselines.next_item.trial import Trial
from lit_rec.models.neighbors.ease import ease_table
from lit_rec.models.neighbors.item_tables import ItemTable, recency_weights

# the first of each is taken where nothing can be held out, and of equals
RECENCIES = (0.8, 1.0, 0.9, 0.7, 0.5)
SHRINKAGES = (10.0, 1.0, 30.0, 100.0, 300.0)
PENALTIES = (100.0, 10.0, 30.0, 60.0, 200.0, 500.0, 1000.0)
POWERS = (3.0, 1.0, 2.0, 5.0)
TEXT_WEIGHTS = (0.05, 0.01, 0.02, 0.1, 0.2, 0.5)

Options = dict[str, float]
Ease = Callable[[float], ItemTable]
_Tried = tuple[float, Options]  # nDCG@10 of held-out rows, and the options that gave it


def chosen_options(
    trial: Trial,
    vectors: Tensor | None,
    powers: Sequence[float] | None = None,
    ease: Ease | None = None,
) -> dict[str, Options]:
    """Return the options of ``item_knn``, ``ease``, ``text_knn`` and ``ease_text`` with the best nDCG@10.

    The penalty of ``ease_text`` is searched from that of ``ease``, with the recency that is best for EASE alone; then
    the best recency for both is taken.

    Args:
        trial: The held-out rows.
        vectors: ``[I, D]`` text vectors of the trial's items; None: the last two are left out.
        powers: Powers of cosines; None: ``POWERS``.
        ease: From a penalty to the table of EASE among the trial's items, in the form that will be used; None: the
            whole table.

    Example:
        >>> import numpy as np
        >>> from lit_rec.models.neighbors.baskets import Baskets
        >>> nobody = torch.zeros(0, 1, dtype=torch.int64)
        >>> baskets = Baskets(np.array([0]), np.array([0]), items=2)
        >>> trial = Trial(baskets, nobody, nobody.bool(), nobody[:, 0], np.arange(2))
        >>> chosen_options(trial, None)  # nothing could be held out
        {'item_knn': {'shrinkage': 10.0, 'recency': 0.8}, 'ease': {'penalty': 100.0, 'recency': 0.8}}
    """
    search = _Search(trial, vectors, POWERS if powers is None else powers, ease)
    found = {"item_knn": search.item_knn(), **search.both_eases()}
    if vectors is not None:
        found["text_knn"] = search.text_knn()
    return found


class _Search:
    """Tries the options of each baseline on the held-out rows.

    Args:
        trial: The held-out rows.
        vectors: ``[I, D]`` text vectors of the trial's items; None: there is no text.
        powers: Powers of cosines.
        ease: From a penalty to the table of EASE; None: the whole table.
    """

    def __init__(
        self, trial: Trial, vectors: Tensor | None, powers: Sequence[float], ease: Ease | None
    ) -> None:
        self._trial = trial
        self._together = trial.baskets.together()
        self._ease = ease or (lambda penalty: ease_table(self._together.clone(), penalty))
        self._weights = {recency: recency_weights(trial.mask, recency) for recency in RECENCIES}
        self._text = {}
        if vectors is not None:
            self._text = {power: text_table(vectors, power) for power in powers}

    def item_knn(self) -> Options:
        """Return the best shrinkage and recency."""
        return _best(
            each
            for shrinkage in SHRINKAGES
            for each in self._by_recency(
                item_knn_table(self._together.clone(), shrinkage), {"shrinkage": shrinkage}
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
        """Return the best options of ``ease`` and ``ease_text``."""
        alone = {
            penalty: self._by_recency(self._ease(penalty), {"penalty": penalty})
            for penalty in PENALTIES
        }
        found = {"ease": _best(chain.from_iterable(alone.values()))}
        if not self._text:
            return found
        beside_text: list[_Tried] = []

        def figure(penalty: float) -> float:
            recency = _best(alone[penalty])["recency"]
            options = {"penalty": penalty, "recency": recency}
            tried = self._with_text(self._ease(penalty), options)
            beside_text.extend(tried)
            return max(tried, key=itemgetter(0))[0]

        climb(sorted(PENALTIES), found["ease"]["penalty"], figure)
        found["ease_text"] = self._recency_with_text(_best(beside_text))
        return found

    def _by_recency(self, table: ItemTable, options: Options) -> list[_Tried]:
        def scores_of(rows: slice) -> Iterator[Tensor]:
            for recency in RECENCIES:
                yield self._scores(table, recency, rows)

        found = self._trial.ndcg_of_each(scores_of)
        tried = [{**options, "recency": recency} for recency in RECENCIES]
        return list(zip(found, tried, strict=True))

    def _with_text(self, table: ItemTable, options: Options) -> list[_Tried]:
        def scores_of(rows: slice) -> Iterator[Tensor]:
            scores = self._scores(table, options["recency"], rows)
            for text in self._text.values():
                by_text = self._scores(text, options["recency"], rows)
                for times in TEXT_WEIGHTS:
                    yield torch.add(scores, by_text, alpha=times)

        found = self._trial.ndcg_of_each(scores_of)
        pairs = product(self._text, TEXT_WEIGHTS)
        tried = [{"text_weight": times, "power": power, **options} for power, times in pairs]
        return list(zip(found, tried, strict=True))

    def _recency_with_text(self, best: Options) -> Options:
        """Return the options with the best recency; that of before, if none is better."""
        table, text = self._ease(best["penalty"]), self._text[best["power"]]
        recencies = (best["recency"], *RECENCIES)

        def scores_of(rows: slice) -> Iterator[Tensor]:
            for recency in recencies:
                by_text = self._scores(text, recency, rows)
                yield self._scores(table, recency, rows).add_(by_text, alpha=best["text_weight"])

        found = self._trial.ndcg_of_each(scores_of)
        tried = [{**best, "recency": recency} for recency in recencies]
        return _best(zip(found, tried, strict=True))

    def _scores(self, table: ItemTable, recency: float, rows: slice) -> Tensor:
        return table.scores(self._trial.history[rows], self._weights[recency][rows])


def _best(tried: Iterable[_Tried]) -> Options:
    """Return the options of the largest value, the first of equals."""
    return max(tried, key=itemgetter(0))[1]
