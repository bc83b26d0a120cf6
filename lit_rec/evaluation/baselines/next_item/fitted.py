"""The baselines of the next item, fitted on the training rows, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from lit_rec.evaluation.baselines.next_item.add_ease import chosen_add_ease
from lit_rec.evaluation.baselines.next_item.baseline import (
    ItemTableBaseline,
    NextItemBaseline,
    PopularityBaseline,
)
from lit_rec.evaluation.baselines.next_item.carried import CarriedTable
from lit_rec.evaluation.baselines.next_item.item_knn import item_knn_neighbors, item_knn_table
from lit_rec.evaluation.baselines.next_item.options import Options, chosen_options
from lit_rec.evaluation.baselines.next_item.text import add_text, text_table
from lit_rec.evaluation.baselines.next_item.trial import Trial
from lit_rec.models.neighbors.add_ease import COMPANIONS as PREDICTED_FROM
from lit_rec.models.neighbors.add_ease import LONGEST, AddEase, is_whole
from lit_rec.models.neighbors.baskets import Baskets
from lit_rec.models.neighbors.ease import ease_neighbors, ease_table
from lit_rec.models.neighbors.item_tables import CosineTable, ItemTable, NeighborTable, SumTable

COMPANIONS = 500
_COUNTS = 10**8  # counts of companions that are held
_LOOKED_UP = 2 * 10**9  # counts that are looked through for equations: bounds time and memory


def fitted_baselines(
    baskets: Baskets, counts: Tensor, trial: Trial, vectors: Tensor | None
) -> Iterator[NextItemBaseline]:
    """Yield ``popularity``, ``item_knn``, ``text_knn``, ``ease``, ``ease_text`` and ``add_ease``.

    They are yielded one at a time because each holds a table of the catalogue; the next one may overwrite it. Up to
    20,000 items they are exact. In a larger catalogue ``item_knn`` has the items that each shares most users with,
    ``ease`` equations of some of these, and the power of cosines is 1; see ``approximated`` of each.

    Args:
        baskets: The training users' items.
        counts: ``[I]`` training rows of each item.
        trial: Held-out rows, on which options are chosen.
        vectors: ``[I, D]`` text vectors; None: those on text are left out.

    Example:
        >>> import numpy as np
        >>> baskets = Baskets.of_rows(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), items=3)
        >>> history, mask, target = np.array([[0]]), np.array([[True]]), np.array([1])
        >>> trial = Trial.of_rows(baskets, history, mask, target)
        >>> found = list(fitted_baselines(baskets, torch.tensor([2, 2, 0]), trial, None))
        >>> [each.name for each in found], found[1].chosen
        (['popularity', 'item_knn', 'ease'], {'shrinkage': 10.0, 'recency': 0.8})
        >>> found[2].scores(torch.tensor([[0]]), torch.tensor([[True]])).argmax(1)
        tensor([1])
    """
    yield PopularityBaseline(counts)
    some = None if vectors is None else vectors[torch.from_numpy(trial.code >= 0)]
    if not is_whole(baskets.items):
        ease = _neighbor_ease(trial.baskets.newest(LONGEST), baskets.items)
        options = chosen_options(trial, some, (1.0,), ease)
        yield from _large(baskets, counts, options, vectors)
        if vectors is not None:
            yield _add_ease(baskets, counts, trial, vectors)
        return
    options = chosen_options(trial, some)
    table = item_knn_table(baskets.together(), options["item_knn"]["shrinkage"])
    yield ItemTableBaseline("item_knn", table, counts, options["item_knn"])
    del table  # before the next one is made
    if vectors is not None:
        table = text_table(vectors, options["text_knn"]["power"])
        yield ItemTableBaseline("text_knn", table, counts, options["text_knn"])
        del table
    table = ease_table(baskets.together(), options["ease"]["penalty"])
    yield ItemTableBaseline("ease", table, counts, options["ease"])
    if vectors is None:
        return
    best = options["ease_text"]
    if best["penalty"] != options["ease"]["penalty"]:
        del table
        table = ease_table(baskets.together(), best["penalty"])
    # whoever took ``ease`` has done with it: its numbers may change
    add_text(table.values, vectors, best["power"], best["text_weight"])
    yield ItemTableBaseline("ease_text", table, counts, best)
    del table
    yield _add_ease(baskets, counts, trial, vectors)


def _add_ease(baskets: Baskets, counts: Tensor, trial: Trial, vectors: Tensor) -> ItemTableBaseline:
    """Return what a model with ``ItemNeighbors`` begins at, with its whole table; new items stand for known ones."""
    known = torch.from_numpy(baskets.counts > 0)
    code = torch.where(known, known.cumsum(0) - 1, -1).numpy()
    form = AddEase(baskets.among(code, int(known.sum())), vectors[known])
    some = vectors[torch.from_numpy(trial.code >= 0)]
    options = chosen_add_ease(trial, some, form.whole)
    about = "" if form.whole else f"each item predicted from some of {PREDICTED_FROM} others"
    table: ItemTable = form.table(options["penalty"], options["text_weight"])
    if not known.all():
        table = CarriedTable(table, known, vectors)
    return ItemTableBaseline("add_ease", table, counts, options, about)


def _large(
    baskets: Baskets, counts: Tensor, options: dict[str, Options], vectors: Tensor | None
) -> Iterator[NextItemBaseline]:
    """Yield what needs no table ``[I, I]``."""
    items = baskets.items
    most, _ = _sizes(items)
    newest = baskets.newest(LONGEST)
    where = f"options of the {len(baskets.counts):,} items' most frequent 5,000; users' newest {LONGEST} items"
    knn = item_knn_neighbors(newest, options["item_knn"]["shrinkage"], most)
    yield ItemTableBaseline(
        "item_knn", knn, counts, options["item_knn"], f"{most} neighbors of each item; {where}"
    )
    del knn
    if vectors is not None:
        near, about = CosineTable(vectors), f"power 1; {where}"
        yield ItemTableBaseline("text_knn", near, counts, options["text_knn"], about)
    of_penalty, neighbors = _neighbor_ease(newest, items), _sizes(items)[1]
    about = f"each item predicted from {neighbors} others; {where}"
    ease = of_penalty(options["ease"]["penalty"])
    yield ItemTableBaseline("ease", ease, counts, options["ease"], about)
    if vectors is None:
        return
    best = options["ease_text"]
    if best["penalty"] != options["ease"]["penalty"]:
        ease = of_penalty(best["penalty"])
    table = SumTable(ease, CosineTable(vectors), best["text_weight"])
    yield ItemTableBaseline("ease_text", table, counts, best, f"power 1; {about}")


def _sizes(items: int) -> tuple[int, int]:
    """Return how many companions of each item are held in a catalogue, and how many of them predict it."""
    most = max(min(COMPANIONS, _COUNTS // items), 1)
    return most, max(min(most, 100, _LOOKED_UP // items // most), 1)


def _neighbor_ease(baskets: Baskets, items: int) -> Callable[[float], NeighborTable]:
    """Return what gives EASE of neighbors by its penalty, as in a catalogue of this number of items."""
    most, neighbors = _sizes(items)
    index, count = baskets.companions(most)
    own = torch.from_numpy(baskets.counts)
    return lambda penalty: ease_neighbors(index, count, own, penalty, neighbors)
