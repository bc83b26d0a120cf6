"""Heads that predict a value from one user and one item: an inner product, a small network, a linear layer."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.data.targets.label import LabelTarget
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.heads.head import Head, beside
from lit_rec.models.linear.softmax_regression import INVERSE_PENALTIES, logistic_regression
from lit_rec.models.requirements import needs_target
from lit_rec.processes import is_first, tensor_of_first
from lit_rec.ranges import count, share


class DotHead(Head):
    """Start + biases + scale times the inner product of user and item.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        scale: Factor of the inner product at the start (learned).

    Reference:
        Koren, Bell & Volinsky 2009, Matrix factorization techniques, https://doi.org/10.1109/MC.2009.263.

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import request_batch
        >>> facts = Facts.example()
        >>> user, items = torch.tensor([[1.0, 2.0, 0.5]]), torch.tensor([[3.0, 1.0, 0.25], [0.0, 0.0, -1.0]])
        >>> batch = request_batch([], rows=np.array([0, 1]), user_row=0, now=None)  # both items are candidates
        >>> DotHead(facts, width=2)(user, items, batch).tolist()  # 3 + 0.5 + 0.25 + (3 + 2), 3 + 0.5 - 1 + 0
        [[8.75, 2.5]]
    """

    def __init__(self, facts: Facts, width: int, scale: float = 1.0) -> None:
        super().__init__(facts, width)
        self.scale = nn.Parameter(torch.tensor(float(scale)))

    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores."""
        candidates = item_vectors[batch.candidates.item_index]  # [B, C, width + 1]
        product = (candidates[..., :-1] * beside(users)[..., :-1]).sum(-1)  # [B, C]
        return self.biases(users, candidates) + self.scale * product

    def queries(self, users: Tensor) -> Tensor | None:
        """Return the scaled user and a 1, which the item's bias is multiplied with."""
        return torch.cat([self.scale * users[..., :-1], torch.ones_like(users[..., -1:])], -1)


class _PairHead(Head):
    """A small network on ``[u, i, u * i, |u - i|]``; its last layer begins at zero."""

    def __init__(
        self, facts: Facts, width: int, outputs: int, hidden: int = 64, dropout: float = 0.2
    ) -> None:
        super().__init__(facts, width)
        share(self, "dropout", dropout)
        count(self, "hidden", hidden)
        self.hidden = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(4 * width, hidden), nn.GELU(), nn.Dropout(dropout)
        )
        self.last = nn.Linear(hidden, outputs)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def features(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the inputs of the last linear layer, ``[B, C, hidden]``."""
        item = item_vectors[batch.candidates.item_index, :-1]  # [B, C, width]
        user = beside(users)[..., :-1].expand_as(item)
        pair = torch.cat([user, item, user * item, (user - item).abs()], -1)
        features: Tensor = self.hidden(pair)
        return features


class MLPHead(_PairHead):
    """Start + biases + a small network on ``[u, i, u * i, |u - i|]``; its last layer begins at zero.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        hidden: Width of the hidden layer.
        dropout: Share of the hidden layer's inputs and outputs dropped while training.

    Raises:
        ConfigError: If ``hidden`` is below 1, or ``dropout`` is not from 0 to 1.

    Reference:
        He et al. 2017, Neural collaborative filtering, https://arxiv.org/abs/1708.05031.

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import request_batch
        >>> facts = Facts.example()
        >>> user, items = torch.tensor([[1.0, 2.0, 0.5]]), torch.tensor([[3.0, 1.0, 0.25], [0.0, 0.0, -1.0]])
        >>> batch = request_batch([], rows=np.array([0, 1]), user_row=0, now=None)  # both items are candidates
        >>> scores = MLPHead(facts, width=2)(user, items, batch)
        >>> scores.tolist()  # before training mean and biases alone: 3 + 0.5 + 0.25, 3 + 0.5 - 1
        [[3.75, 2.5]]
    """

    def __init__(self, facts: Facts, width: int, hidden: int = 64, dropout: float = 0.2) -> None:
        super().__init__(facts, width, 1, hidden, dropout)

    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores."""
        candidates = item_vectors[batch.candidates.item_index]
        learned: Tensor = self.last(self.features(users, item_vectors, batch)).squeeze(-1)
        return self.biases(users, candidates) + learned


class RegressionHead(MLPHead):
    """``MLPHead`` for ratings alone.

    Raises:
        ConfigError: If the data's task is not ``rating``, or as for ``MLPHead``.

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import request_batch
        >>> facts = Facts.example()
        >>> batch = request_batch([], rows=np.array([0, 1]), user_row=0, now=None)
        >>> RegressionHead(facts, width=2, hidden=8).features(torch.zeros(1, 3), torch.zeros(2, 3), batch).shape
        torch.Size([1, 2, 8])
    """

    def __init__(self, facts: Facts, width: int, hidden: int = 64, dropout: float = 0.2) -> None:
        needs_target("RegressionHead", facts, RatingTarget)
        super().__init__(facts, width, hidden, dropout)


class ClassificationHead(_PairHead):
    """Scores of K labels: a linear layer on item and user vector, and a small network on ``[u, i, u * i, |u - i|]``.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        hidden: Width of the hidden layer.
        dropout: Share of the hidden layer's inputs and outputs dropped while training.

    Shape:
        ``[B, C, K]`` float32.

    Raises:
        ConfigError: If the data's task is not ``label``, ``hidden`` is below 1, or ``dropout`` is not from 0 to 1.

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import request_batch
        >>> facts = Facts.example("label", labels=("no", "so", "yes"))
        >>> batch = request_batch([], rows=np.array([0, 1]), user_row=0, now=None)
        >>> ClassificationHead(facts, width=2)(torch.zeros(1, 3), torch.zeros(2, 3), batch).shape
        torch.Size([1, 2, 3])
    """

    gives = "class_scores"

    def __init__(self, facts: Facts, width: int, hidden: int = 64, dropout: float = 0.2) -> None:
        needs_target("ClassificationHead", facts, LabelTarget)
        super().__init__(facts, width, len(facts.labels), hidden, dropout)
        self.linear = nn.Linear(2 * width, len(facts.labels))

    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores of the labels."""
        item = item_vectors[batch.candidates.item_index, :-1]  # [B, C, width]
        both = torch.cat([beside(users)[..., :-1].expand_as(item), item], -1)
        learned: Tensor = self.last(self.features(users, item_vectors, batch))
        scores: Tensor = self.linear(both) + learned
        return scores


class LinearHead(Head):
    """A linear layer on the item's vector alone: for texts without a user.

    Args:
        facts: Facts of the data: K scores for labels, one for ratings.
        width: Width of item vectors, the bias coordinate left out.
        dropout: Share of the vector's coordinates dropped while training.
        begin: What the layer is before training: ``random``, or the ``logistic_regression`` of the training rows'
            labels on the item vectors. Its penalty is chosen by 5-fold cross-validation: the largest whose loss is
            within one standard error of the smallest. The first step then starts from what the pretrained encoder
            knows, and its gradients do not destroy that.

    Shape:
        ``[B, C, K]`` float32 for labels, ``[B, C]`` for ratings.

    Raises:
        ConfigError: If ``dropout`` is not from 0 to 1, or ``begin`` is ``logistic_regression`` for ratings.

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import request_batch
        >>> facts = Facts.example("label", labels=("no", "so", "yes"))
        >>> batch = request_batch([], rows=np.array([0, 1]), user_row=0, now=None)
        >>> LinearHead(facts, width=2)(torch.zeros(1, 3), torch.zeros(2, 3), batch).shape
        torch.Size([1, 2, 3])
    """

    def __init__(
        self,
        facts: Facts,
        width: int,
        dropout: float = 0.1,
        begin: Literal["random", "logistic_regression"] = "random",
    ) -> None:
        super().__init__(facts, width)
        if begin not in ("random", "logistic_regression") or (
            begin != "random" and not facts.labels
        ):
            raise ConfigError(
                f"{begin}, and the data asks for a {facts.task}",
                where=option_of(self, "begin"),
                rule="random, or logistic_regression where labels are predicted",
                remedy=f"leave it out, or set {option_of('BehaviorDataModule', 'task')} to label",
            )
        self.looks_at_labels = begin == "logistic_regression"
        self.inverse_penalty: float | None = None  # of the regression; None: it will be chosen
        self.dropout = nn.Dropout(share(self, "dropout", dropout))
        self.gives = "class_scores" if facts.labels else "scores"
        self.linear = nn.Linear(width, len(facts.labels) or 1)

    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores."""
        item = item_vectors[batch.candidates.item_index, :-1]  # [B, C, width]
        scores: Tensor = self.linear(self.dropout(item))
        return scores if self.gives == "class_scores" else self.start + scores.squeeze(-1)

    @torch.no_grad()
    def begin_at_labels(self, item_vectors: Tensor, counts: Tensor) -> None:
        """Become the logistic regression of the labels, the same on every process.

        The penalty is chosen the first time.
        """
        labelled = counts.sum(1) > 0
        fitted = None
        if is_first():
            vectors = item_vectors[labelled, :-1].float().cpu().numpy()
            of_each = counts[labelled].double().cpu().numpy()
            known = self.inverse_penalty
            options = INVERSE_PENALTIES if known is None else (known,)
            # of almost equal penalties the largest leaves most to learn, and few labels hardly tell them apart
            found = logistic_regression(vectors, of_each, options, careful=True)
            self.inverse_penalty = found.inverse_penalty
            fitted = torch.from_numpy(np.vstack([found.weights, found.bias]))
        layer = tensor_of_first(fitted, item_vectors.device)  # [width + 1, K]
        self.linear.weight.copy_(layer[:-1].T)
        self.linear.bias.copy_(layer[-1])
