"""Multinomial logistic regression of labels on text vectors of the pretrained encoder."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Float32s, Float64s, Int64s
from lit_rec.evaluation.arrays import LabelRows, SharedHistory
from lit_rec.evaluation.baselines.labels import LabelBaseline, labels_of_items
from lit_rec.models.linear.softmax_regression import (
    INVERSE_PENALTIES,
    fitted_at_most,
    logistic_regression,
    sampled,
    softmax,
)

_BLOCK = 20_000_000  # numbers held at once: bounds the memory, not the result


class LogisticRegressionBaseline(LabelBaseline):
    r"""Multinomial logistic regression on frozen text vectors, as scikit-learn's ``LogisticRegression`` has it.

    It minimises :math:`\frac{1}{2} \|W\|^2 - C \sum_r \ln \mathrm{softmax}(W x_r + b)_{y_r}` over the training rows
    ``r`` with text vectors ``x`` and labels ``y``. C is the one with the smallest log loss in 5-fold cross-validation.
    Folds are made of items: all rows of an item are in the same one. With fewer than ten items C is 1.

    Items beyond 40 million numbers, or 10^9 products of items, width and labels, are left out by a fixed seed;
    ``chosen`` then has the number of those that are left, ``items``. At a width of 384 these are 104,000 items of two
    labels and 33,000 of 77.

    Args:
        vectors: ``[I, d]`` text vectors of the catalogue, as ``unit_vectors`` returns them.
        inverse_penalties: Values of C to choose from, in rising order.

    Reference:
        Hastie, Tibshirani & Friedman 2009, The Elements of Statistical Learning,
        https://doi.org/10.1007/978-0-387-84858-7, section 4.4.

    Example:
        >>> train = LabelRows(user=np.zeros(4, np.int64), item=np.array([0, 0, 1, 1]), label=np.array([1, 1, 0, 0]))
        >>> baseline = LogisticRegressionBaseline(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]))
        >>> baseline.fit(train, num_items=3, num_labels=2)
        >>> nothing = SharedHistory(np.array([0, 0]), np.empty(0, np.int64), of_row=np.array([0, 0]))
        >>> baseline.predict(np.array([0, 2]), nothing).round(2).tolist()  # item 2 is like neither
        [[0.19, 0.81], [0.5, 0.5]]
    """

    name = "logistic_regression"

    def __init__(
        self, vectors: Float32s | Float64s, inverse_penalties: tuple[float, ...] = INVERSE_PENALTIES
    ) -> None:
        self.unit = np.asarray(vectors, np.float32)  # shared, where it is float32 already
        self.inverse_penalties = inverse_penalties

    def fit(self, train: LabelRows, num_items: int, num_labels: int) -> None:
        """Choose C, then fit all training rows."""
        items, counts = labels_of_items(train, num_labels)
        # drawn here, so that no copy of all vectors is made
        kept = sampled(len(items), fitted_at_most(self.unit.shape[1], num_labels))
        options = self.inverse_penalties
        found = logistic_regression(self.unit[items[kept]], counts[kept], options)
        self.weights, self.bias, self.inverse_penalty = (
            found.weights,
            found.bias,
            found.inverse_penalty,
        )
        self.items, self.is_sampled = found.fitted, found.fitted < len(items)

    def predict(self, item: Int64s, history: SharedHistory) -> Float64s:
        """Return the probabilities that the items' texts have."""
        items, place = np.unique(item, return_inverse=True)
        prob = np.empty((len(items), len(self.bias)))
        step = max(_BLOCK // (self.unit.shape[1] + 1), 1)
        for start in range(0, len(items), step):
            part = slice(start, start + step)
            prob[part] = softmax(self.unit[items[part]] @ self.weights + self.bias)
        return prob[place]

    def chosen(self) -> dict[str, float]:
        """Return C, and the number of items where some are left out."""
        left = {"items": self.items} if self.is_sampled else {}
        return {"C": self.inverse_penalty, **left}
