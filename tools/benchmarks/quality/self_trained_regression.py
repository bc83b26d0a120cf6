"""The closed form that knows what `SelfTraining` knows: logistic regression, trained on its own sure labels too.

Of Banking77, with the rows that configs/banking77_few.yaml has in each draw. C, the least probability of a label that
is believed and the number of rounds were chosen without test rows (docs/notes/labels.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lit_rec.data.arrays import Float32s, Int64s
from lit_rec.data.readers.labelled_texts import LabelledTextReader
from lit_rec.data.splits.few_labels import FewLabelsSplit
from lit_rec.models.linear.softmax_regression import (
    FittedRegression,
    logistic_regression,
    softmax,
)
from tools.benchmarks.quality.active_learning import vectors_of

_PENALTY = 30.0  # C
_SURE = 0.3
_ROUNDS = 3


def self_trained_accuracies(folder: Path, draws: Sequence[int]) -> list[float]:
    """Return the accuracy on test rows in each draw.

    Args:
        folder: Of Banking77.
        draws: Seeds of ``FewLabelsSplit``.
    """
    files = str(folder / "train.csv"), {"label": "category"}
    read = LabelledTextReader(
        *files, test_texts=str(folder / "test.csv"), label_names="text"
    ).read()
    rows = read.behaviors.join(read.items, on="item_id", maintain_order="left")
    names = sorted(rows["label"].unique())
    label = rows["label"].replace_strict(names, range(len(names))).to_numpy().astype(np.int64)
    vectors = vectors_of(rows["text"].to_list())
    found = []
    for draw in draws:
        part = FewLabelsSplit(seed=draw).assign(read.behaviors).to_numpy()
        labelled, left, test = (np.flatnonzero(part == name) for name in ("train", "shown", "test"))
        fitted = self_trained(vectors[labelled], label[labelled], vectors[left], len(names))
        said = (vectors[test] @ fitted.weights + fitted.bias).argmax(1)
        found.append(float((said == label[test]).mean()))
    return found


def self_trained(
    labelled: Float32s, label: Int64s, unlabelled: Float32s, labels: int
) -> FittedRegression:
    """Return logistic regression on rows with a label and those of whose label it is sure.

    Args:
        labelled: ``[n, d]``.
        label: ``[n]``, from 0 to ``labels`` - 1.
        unlabelled: ``[m, d]``.
        labels: How many labels there are.
    """
    of_label = np.eye(labels)
    fitted = logistic_regression(labelled, of_label[label], (_PENALTY,))
    for _ in range(_ROUNDS):
        prob = softmax(unlabelled @ fitted.weights + fitted.bias)
        sure = prob.max(1) >= _SURE
        # all of them count as much as all rows with a label, or less
        each = min(len(label) / max(int(sure.sum()), 1), 1.0)
        counts = np.concatenate([of_label[label], each * of_label[prob.argmax(1)[sure]]])
        fitted = logistic_regression(
            np.concatenate([labelled, unlabelled[sure]]), counts, (_PENALTY,)
        )
    return fitted
