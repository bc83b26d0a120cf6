"""Classifier: labels or ratings of texts, from a checkpoint alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lit_rec.data.arrays import Float32s
from lit_rec.data.targets.label import LabelTarget
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.data.targets.target_rule import TargetRule
from lit_rec.errors import ConfigError
from lit_rec.inference.requests.texts import TextEntry
from lit_rec.inference.requests.values import at_least_one
from lit_rec.inference.scores.text_predictions import predicted_texts
from lit_rec.inference.stored.network import LoadedNetwork


@dataclass(frozen=True)
class Classification:
    """A label of a text, and its probability.

    Example:
        >>> found = [Classification("card_arrival", 0.75), Classification("lost_card", 0.125)]  # of one text
        >>> found[0].label, sum(one.probability for one in found)
        ('card_arrival', 0.875)
    """

    label: str
    probability: float


class Classifier(LoadedNetwork):
    """Predict labels or ratings of texts with a ``TextClassifier``.

    A text is a string, which is read as the first column of the checkpoint's text template, or a mapping of the
    template's columns (``columns``). A Polars table with these columns can be given too. Long texts are cut as in
    training. Equal texts are encoded once, and a prediction does not depend on other texts of the call. Many threads
    may use one Classifier.

    Example:
        >>> intents = Classifier.from_checkpoint("checkpoints/banking77/version_0/best.ckpt")  # doctest: +SKIP
        >>> intents.classify(["Where is my card?"], k=3)  # doctest: +SKIP
    """

    takes, lacks = "classifier of texts", "is no classifier of texts"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of a text."""
        return self._texts.columns

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that a text can have, in the order of training; empty for a model of ratings."""
        return self._facts.labels

    def classify(
        self, texts: Iterable[TextEntry] | pl.DataFrame, k: int = 1, *, where: str = "texts"
    ) -> list[list[Classification]]:
        """Return the k most probable labels of each text, most probable first.

        Args:
            texts: Any number of texts.
            k: Number of labels; all of them if there are fewer.
            where: The argument's name, for errors.

        Raises:
            ConfigError: If the model predicts ratings.
            DataError: If a text is empty, or has columns that the model does not know, or a table lacks one.
        """
        k = at_least_one(k)
        self._needs(LabelTarget, "rate")
        prob = self._predicted(texts, where)
        best = np.argsort(-prob, axis=1, kind="stable")[:, :k]
        names = self._facts.labels
        return [
            [Classification(names[label], float(of_text[label])) for label in labels]
            for labels, of_text in zip(best, prob, strict=True)
        ]

    def rate(
        self, texts: Iterable[TextEntry] | pl.DataFrame, *, where: str = "texts"
    ) -> list[float]:
        """Return the rating of each text, within the range of the training ratings.

        Args:
            texts: Any number of texts.
            where: The argument's name, for errors.

        Raises:
            ConfigError: If the model predicts labels.
            DataError: As ``classify`` does.
        """
        self._needs(RatingTarget, "classify")
        return [float(rating) for rating in self._predicted(texts, where)]

    def _needs(self, target: type[TargetRule], other: str) -> None:
        if not isinstance(self._facts.target, target):
            raise ConfigError(
                f"the model predicts a {self._facts.task}",
                where=type(self).__name__,
                rule="`classify` is for models of labels, `rate` for models of ratings",
                remedy=f"call {other}",
            )

    def _predicted(self, texts: Iterable[TextEntry] | pl.DataFrame, where: str) -> Float32s:
        """Return probabilities ``[N, K]``, or ratings ``[N]``; texts that are equal in all fields are encoded once."""
        rendered = self._texts.read(texts, where=where)
        if not len(rendered):
            return np.empty((0, len(self._facts.labels)), np.float32)
        catalogue = self._texts.catalogue(rendered)
        place = np.arange(len(catalogue))
        if not catalogue.fields:
            distinct, place = np.unique(catalogue.text_of_item, axis=0, return_inverse=True)
            unseen = np.zeros(len(distinct), np.int64)
            catalogue = replace(catalogue, text_of_item=distinct, vocab_row=unseen)
        _, predicted = predicted_texts(self._module, self._facts, catalogue)
        return predicted[place.reshape(-1)]
