"""Acquirer: which texts of a pool to label next, from a checkpoint alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from lit_rec.data.arrays import Bools, Float64s, Int64s
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.item_inputs import Hashes, input_hashes
from lit_rec.errors import ConfigError, did_you_mean
from lit_rec.inference.acquisition.strategies import (
    NEAR_LABELLED,
    STRATEGIES,
    WITHOUT_LABELS,
    Order,
    Pool,
)
from lit_rec.inference.requests.entries import listed
from lit_rec.inference.requests.frames import is_frame, table_of
from lit_rec.inference.requests.texts import TextEntry
from lit_rec.inference.requests.values import at_least_one
from lit_rec.inference.scores.text_predictions import predicted_texts
from lit_rec.inference.stored.network import LoadedNetwork
from lit_rec.training.checkpoint.content import catalogue_of

DEFAULT = "margin"


@dataclass(frozen=True)
class Acquired:
    """Rows of a pool to label next, the best first, and those that were not considered.

    Args:
        row: Places of the chosen rows, counted from 0.
        score: Why each was chosen, in the strategy's own terms; a larger one says more for a row.
        empty: Rows without a text.
        repeated: Rows with the text of an earlier one.
        labelled: Rows with a text that has a label already: in training, or among those named as labelled.

    Example:
        >>> none = np.empty(0, np.int64)
        >>> found = Acquired(np.array([4, 1]), np.array([0.75, 0.5]), none, none, labelled=np.array([0]))
        >>> pl.DataFrame({"text": list("abcde")})[found.row]["text"].to_list()
        ['e', 'b']
    """

    row: Int64s
    score: Float64s
    empty: Int64s
    repeated: Int64s
    labelled: Int64s


class Acquirer(LoadedNetwork):
    """Choose texts to label next (active learning), with a ``TextClassifier`` that was trained on few of them.

    Texts are read as by ``Classifier``. Equal texts, also those that are equal once they are cut at the longest that
    the network reads, are chosen once. Texts that have a label already are not chosen: those that trained the
    checkpoint, and those that are named.

    Example:
        >>> acquirer = Acquirer.from_checkpoint("checkpoints/intents/version_0/best.ckpt")  # doctest: +SKIP
        >>> pool = pl.read_csv("unlabelled.csv")  # doctest: +SKIP
        >>> pool[acquirer.choose(pool, 100).row].write_csv("to_label.csv")  # doctest: +SKIP
    """

    takes, lacks = "classifier of texts", "is no classifier of texts"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of a text."""
        return self._texts.columns

    def choose(
        self,
        pool: Iterable[TextEntry] | pl.DataFrame,
        count: int,
        strategy: str = DEFAULT,
        *,
        labelled: Iterable[TextEntry] | pl.DataFrame | None = None,
        seed: int = 0,
        where: str = "pool",
        where_labelled: str = "labelled",
    ) -> Acquired:
        """Return the rows to label next, the best first.

        Args:
            pool: Texts without a label: strings, mappings of ``columns``, or a table with these columns.
            count: How many; all that can be chosen, if these are fewer.
            strategy: ``margin``, ``entropy``, ``badge``, ``k_center`` or ``random``: see
                ``lit_rec.inference.acquisition.strategies``.
            labelled: Texts that got a label since the checkpoint was trained.
            seed: Seed of what is drawn: by ``badge``, by ``random``, and the order of equal scores.
            where: The pool's name, for errors.
            where_labelled: The name of ``labelled``, for errors.

        Raises:
            ConfigError: If there is no such strategy, or it needs probabilities of labels and ratings are predicted.
            DataError: If ``count`` is below 1, a table lacks a column, or an entry is neither a text nor a mapping.
        """
        count = at_least_one(count)
        self._check(strategy)
        texts, place, rows = self._read(pool, where)
        known, known_hash = self._labelled(labelled, where_labelled)
        hashes = _hashes(texts)
        has_label = _among(hashes, known_hash)
        _, first = np.unique(hashes, axis=0, return_index=True)
        is_first = np.zeros(len(hashes), bool)
        is_first[first] = True
        kept = np.flatnonzero(is_first & ~has_label)
        order = self._order(_some(texts, kept), known, min(count, len(kept)), strategy, seed)
        return Acquired(
            place[kept[order.place]],
            order.score,
            np.setdiff1d(np.arange(rows), place),
            place[~is_first & ~has_label],
            place[has_label],
        )

    def _order(
        self, texts: Catalogue, known: list[Catalogue], count: int, strategy: str, seed: int
    ) -> Order:
        if not count:
            return Order(np.empty(0, np.int64), np.empty(0))
        vectors, prob = predicted_texts(self._module, self._facts, texts)
        labelled = [vectors[:0]]
        if strategy in NEAR_LABELLED:
            labelled += [predicted_texts(self._module, self._facts, one)[0] for one in known]
        return STRATEGIES[strategy](Pool(prob, vectors, np.concatenate(labelled)), count, seed)

    def _check(self, strategy: str) -> None:
        if strategy not in STRATEGIES:
            raise ConfigError(
                f"'{strategy}' is no strategy",
                where="strategy",
                rule=f"one of {', '.join(STRATEGIES)}",
                remedy=did_you_mean(strategy, STRATEGIES, f"use {DEFAULT}"),
            )
        if not self._facts.labels and strategy not in WITHOUT_LABELS:
            raise ConfigError(
                f"{strategy} compares probabilities of labels, and the model predicts a {self._facts.task}",
                where="strategy",
                rule=f"{' or '.join(WITHOUT_LABELS)}, where no labels are predicted",
                remedy=f"use {WITHOUT_LABELS[0]}",
            )

    def _read(
        self, texts: Iterable[TextEntry] | pl.DataFrame, where: str
    ) -> tuple[Catalogue, Int64s, int]:
        """Return the rows that have a text, their places, and how many rows there are."""
        if is_frame(texts):
            frame = table_of(texts, where=where)
            rendered, place = self._texts.read_with_text(frame, where=where)
            return self._texts.catalogue(rendered), place, len(frame)
        entries: list[Any] = [*listed(texts, where=where)]
        records, places = [], []
        for number, entry in enumerate(entries):
            record = self._texts.record_of(entry) if isinstance(entry, str) else entry
            self._texts.refuse_unknown(record, where=f"{where}, number {number + 1}")
            if values := self._texts.values(record):
                records.append(values)
                places.append(number)
        rendered = self._texts.render(records, where=where)
        return self._texts.catalogue(rendered), np.array(places, np.int64), len(entries)

    def _labelled(
        self, given: Iterable[TextEntry] | pl.DataFrame | None, where: str
    ) -> tuple[list[Catalogue], Hashes]:
        """Return texts that have a label, of training and those that are given, and their hashes."""
        stored = catalogue_of(self._content, self._facts)
        found = [_some(stored, np.flatnonzero(stored.vocab_row))]
        if given is not None:
            found.append(self._read(given, where)[0])
        found = [texts for texts in found if len(texts)]
        return found, np.concatenate([_NO_HASHES, *(_hashes(texts) for texts in found)])


def _some(texts: Catalogue, row: Int64s) -> Catalogue:
    """Return some rows, without ids: what is asked of them depends on their texts and fields alone."""
    fields: Mapping[str, Any] = {name: values[row] for name, values in texts.fields.items()}
    return replace(
        texts, text_of_item=texts.text_of_item[row], vocab_row=np.zeros_like(row), fields=fields
    )


def _hashes(texts: Catalogue) -> Hashes:
    return input_hashes(_some(texts, np.arange(len(texts)))) if len(texts) else _NO_HASHES


_NO_HASHES: Hashes = np.empty((0, 2), np.uint64)


def _among(hashes: Hashes, others: Hashes) -> Bools:
    """Return which rows ``[N]`` are among others ``[M]``."""
    known = set(map(tuple, others.tolist()))
    return np.array([tuple(one) in known for one in hashes.tolist()], bool)
