"""tools/benchmark quality active-learning: how many labels each strategy of `lit-rec acquire` saves, on Banking77.

It begins with two labelled rows of each of the 77 labels. In each round a strategy chooses 154 rows of the pool, which
get their labels, until there are 770 (ten for each label, on average). The classifier is logistic regression on unit
vectors of the frozen encoder: what `LinearHead` begins at. A tenth of the training rows is not in the pool and
validates; the default strategy was chosen there. Random choice goes on to 2,310 labels. `labels saved` of a strategy is
how many labels random choice needs for the strategy's test accuracy at 770, minus 770: read off the line between its
rounds, draw by draw. Intervals are Student's over draws of the first labelled rows, of the validation rows and of all
that is random in a strategy.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from lit_rec.data.arrays import Float32s, Float64s, Int64s
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.facts import Facts
from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.data.texts.tokens import TokenStore
from lit_rec.files.atomic import replace_file
from lit_rec.inference.acquisition.strategies import STRATEGIES, Pool
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.linear.softmax_regression import logistic_regression, softmax
from lit_rec.models.text.backbone import PretrainedBackbone
from lit_rec.models.text.tuning import FrozenTuning
from tools.benchmarks.data_folder import check_data
from tools.benchmarks.quality.draws import row_of_draws

_ENCODER = "checkpoints/assets/all-MiniLM-L6-v2"
_FIRST, _ROUNDS, _LONG = 2, 5, 15  # rows of each label, rounds, and rounds of random choice
_PENALTY = (
    100.0  # C, of 10, 30 and 100 the best with random choice, on validation rows of other draws
)
_DRAWS, _QUICK = 10, 2


@dataclass(frozen=True)
class Texts:
    """All rows of Banking77: vectors ``[N, D]`` of length 1, labels ``[N]``, and how many of the first train."""

    vectors: Float32s
    label: Int64s
    train: int

    @property
    def labels(self) -> int:
        """Return K."""
        return int(self.label.max()) + 1


def measure(data: Path, runs: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return accuracies of each strategy after each round, and the labels that it saves.

    Args:
        data: Folder of the data sets.
        runs: Where the vectors of the texts are stored.
        quick: Whether there are two draws instead of ten.
    """
    check_data(data, "banking77/train.csv")
    texts = banking77(data / "banking77", runs / "active-learning")
    draws, curves, seconds = range(_QUICK if quick else _DRAWS), {}, {}
    for name in STRATEGIES:
        started, rounds = time.perf_counter(), _LONG if name == "random" else _ROUNDS
        curves[name] = np.array([curve(texts, name, draw, rounds) for draw in draws])
        seconds[name] = time.perf_counter() - started
    return table(curves, seconds, step=_FIRST * texts.labels)


def table(
    curves: Mapping[str, Float64s],
    seconds: Mapping[str, float],
    step: int,
    *,
    name: str = "active-learning",
    rounds: int = _ROUNDS,
) -> list[dict[str, Any]]:
    """Return the rows of the table.

    Args:
        curves: ``[draws, rounds, 2]`` by strategy: accuracy on validation and test rows after each round. Rounds behind
            those that all strategies have are shown by the last one.
        seconds: By strategy.
        step: Labels of a round.
        name: Of the benchmark.
        rounds: Rounds that all strategies have.
    """
    rows = []
    for strategy, found in curves.items():
        figures = {
            f"test accuracy, {(place + 1) * step} labels": found[:, place, 1]
            for place in sorted({*range(rounds), found.shape[1] - 1})
        }
        last = rounds - 1
        figures[f"validation accuracy, {rounds * step} labels"] = found[:, last, 0]
        if strategy != "random":
            gain = found[:, last, 1] - curves["random"][:, last, 1]
            figures[f"test accuracy - random, {rounds * step} labels"] = gain
            reached, random = found[:, last, 1], curves["random"][:, :, 1]
            # where random choice never gets there, its last round counts
            more = ", or more" * bool((reached > random.max(1)).any())
            figures[f"labels saved at {rounds * step}{more}"] = saved(reached, random, rounds, step)
        rows += [
            row_of_draws(f"{name}: {strategy}", metric, list(of), seconds[strategy])
            for metric, of in figures.items()
        ]
    return rows


def saved(reached: Float64s, random: Float64s, rounds: int, step: int) -> Float64s:
    """Return how many more labels random choice needs than ``rounds * step`` for the accuracy of each draw.

    Args:
        reached: ``[draws]``, accuracies after these rounds.
        random: ``[draws, R]``, accuracies of random choice after each of its rounds.
        rounds: How many rounds.
        step: Labels of a round.
    """
    labels = step * np.arange(1, random.shape[1] + 1)
    # an accuracy counts as reached from the first round that has it
    rising = np.maximum.accumulate(random, axis=1) + 1e-9 * np.arange(random.shape[1])
    needed = [np.interp(one, of, labels) for one, of in zip(reached, rising, strict=True)]
    return np.array(needed) - rounds * step


def curve(texts: Texts, strategy: str, draw: int, rounds: int) -> Float64s:
    """Return accuracy on validation and test rows after each round, ``[rounds, 2]``."""
    drawn = np.random.default_rng(draw).permutation(texts.train)
    validation, pool = np.split(drawn, [texts.train // 10])
    test = np.arange(texts.train, len(texts.label))
    chosen = first_of_each(texts.label[pool], _FIRST)
    labelled, left = pool[chosen], np.delete(pool, chosen)
    step, found = len(labelled), []
    for number in range(rounds):
        counts = np.eye(texts.labels)[texts.label[labelled]]
        fitted = logistic_regression(texts.vectors[labelled], counts, (_PENALTY,))

        def prob(rows: Int64s, weights: Float32s, bias: Float32s) -> Float32s:
            return softmax(texts.vectors[rows] @ weights + bias)

        says = partial(prob, weights=fitted.weights, bias=fitted.bias)
        found.append(
            [(says(rows).argmax(1) == texts.label[rows]).mean() for rows in (validation, test)]
        )
        if number + 1 < rounds:
            offered = Pool(says(left), texts.vectors[left], texts.vectors[labelled])
            place = STRATEGIES[strategy](offered, step, 1000 * draw + number).place
            labelled, left = np.append(labelled, left[place]), np.delete(left, place)
    return np.array(found)


def first_of_each(label: Int64s, count: int) -> Int64s:
    """Return the places of the first ``count`` rows of each label."""
    frame = pl.DataFrame({"label": label, "place": np.arange(len(label))})
    kept = frame.group_by("label", maintain_order=True).head(count)
    return kept["place"].sort().to_numpy()


def banking77(folder: Path, stored: Path) -> Texts:
    """Return the texts with their vectors, which are computed once."""
    parts = [pl.read_csv(folder / f"{name}.csv") for name in ("train", "test")]
    rows = pl.concat(parts)
    names = sorted(rows["category"].unique())
    label = rows["category"].replace_strict(names, range(len(names)), return_dtype=pl.Int64)
    key = sha256("\n".join(rows["text"]).encode()).hexdigest()[:16]
    path = stored / f"vectors_{key}.npy"
    if not path.is_file():
        made = vectors_of(rows["text"].to_list())
        replace_file(path, lambda work: _save(work, made))
    return Texts(np.load(path), label.to_numpy(), len(parts[0]))


def _save(path: Path, vectors: Float32s) -> None:
    with path.open("wb") as file:
        np.save(file, vectors)


@torch.no_grad()
def vectors_of(texts: Sequence[str]) -> Float32s:
    """Return the frozen encoder's mean token vectors of texts, of length 1: ``[N, D]``."""
    files = TokenizerFiles.load(_ENCODER, option="the encoder of the benchmark")
    store = TokenStore.build([*texts], files.open(), 64)
    count = np.arange(len(texts))
    catalogue = Catalogue(store, count[:, None], np.zeros_like(count))
    facts = Facts.example("label", max_tokens=64, special=files.special_tokens())
    backbone = partial(PretrainedBackbone, name=_ENCODER, tuning=FrozenTuning())
    encoder = ItemEncoder(facts, backbone).eval()
    blocks = np.split(count, range(2000, len(count), 2000))
    found = torch.cat([encoder.encode_texts(catalogue.take(block)[0]) for block in blocks])
    unit: Float32s = torch.nn.functional.normalize(found, dim=1).numpy()
    return unit
