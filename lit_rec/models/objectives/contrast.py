"""ContrastiveCrossEntropy: cross-entropy of labels, and texts of one label near each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from lit_rec.data.batches.batch import RecBatch
from lit_rec.errors import ConfigError
from lit_rec.models.objectives.score import CrossEntropy, TextScores
from lit_rec.processes import Gather, gather_from_all
from lit_rec.ranges import count, positive

_LOW = -1e9  # a score whose probability is 0


class ContrastiveCrossEntropy(CrossEntropy):
    r"""Cross-entropy of K labels, plus a supervised contrastive loss of the texts' vectors.

    The contrastive loss of a row with unit vector ``z`` is the mean, over the other rows ``p`` of its label in the
    step, of :math:`-\ln \frac{\exp(z \cdot z_p / \tau)}{\sum_{a} \exp(z \cdot z_a / \tau)}`, where ``a`` are all
    other rows of the step, on all processes. It is 0 for a row that is alone with its label. Logged losses of
    validation and test rows are cross-entropies alone.

    It helps most where each label has few texts: a pair of texts says more about the encoder than a text and its label.

    Args:
        contrast: Weight of the contrastive loss.
        temperature: What cosines are divided by.
        rows_per_label: Rows of one label that stand together in the order of an epoch, which is random otherwise: with
            many labels a random batch would have few rows of the same label.
        class_weights: As in ``CrossEntropy``. They weigh both losses.
        label_smoothing: As in ``CrossEntropy``.

    Raises:
        ConfigError: If ``contrast`` or ``temperature`` is not above 0, ``rows_per_label`` is below 2, or an option of
            ``CrossEntropy`` is wrong.

    Reference:
        Khosla et al. 2020, Supervised contrastive learning, https://arxiv.org/abs/2004.11362, equation 2. Gunel et al.
        2021, Supervised contrastive learning for pre-trained language model fine-tuning,
        https://arxiv.org/abs/2011.01403 (beside cross-entropy).

    Example:
        >>> objective = ContrastiveCrossEntropy(temperature=1.0)
        >>> vectors, label = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0, 1])
        >>> objective.contrasts(vectors, label, torch.arange(3)).abs()  # log(1 + e^-1) twice; the third is alone
        tensor([0.3133, 0.3133, 0.0000])
    """

    def __init__(
        self,
        contrast: float = 1.0,
        temperature: float = 0.1,
        rows_per_label: int = 2,
        class_weights: Literal["balanced"] | Sequence[float] | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(class_weights, label_smoothing)
        self.contrast = positive(self, "contrast", contrast)
        self.temperature = positive(self, "temperature", temperature)
        self._rows_per_label = count(self, "rows_per_label", rows_per_label, 2)
        self.gather: Gather = gather_from_all

    @property
    def rows_per_label(self) -> int:
        """How many rows of one label stand together."""
        return self._rows_per_label

    def bind_network(self, network: str, *, has_text_vectors: bool) -> None:
        """Check that the network gives the vectors that are compared.

        Raises:
            ConfigError: If it does not.
        """
        if not has_text_vectors:
            raise ConfigError(
                f"{type(self).__name__} compares texts, and {network} predicts labels of users' behaviors",
                where=type(self).__name__,
                rule="TextClassifier, whose rows are texts",
                remedy="use CrossEntropy",
            )

    def losses_of(self, outputs: Tensor | TextScores, batch: RecBatch) -> tuple[Tensor, Tensor]:
        """Return the sum of both losses, and the sum of the weights."""
        total, weights = super().losses_of(outputs, batch)
        if not isinstance(outputs, TextScores):
            raise ValueError(
                "bind_network has to be called: this network gives no vectors of texts"
            )
        known = batch.target.mask[:, 0]
        label = batch.target.value[:, 0].masked_fill(~known, -1)
        with torch.autocast(outputs.vectors.device.type, enabled=False):
            losses = self.contrasts(outputs.vectors.float(), label, batch.row)
        if self.weight is not None:
            losses = losses * self.weight.to(losses.device)[label.clamp(min=0)]
        return total + self.contrast * losses.sum(), weights

    def contrasts(self, vectors: Tensor, label: Tensor, row: Tensor) -> Tensor:
        """Return the contrastive loss of each row ``[B]``.

        Args:
            vectors: ``[B, D]``.
            label: ``[B]`` int64; -1 where it is not known: such a row is compared with none.
            row: ``[B]`` int64, which row each is; distinct on all processes.
        """
        unit = functional.normalize(vectors, dim=-1)
        everyone, labels, rows = self._of_all(unit, label, row)  # [N, D], [N], [N]
        others = (labels >= 0) & (rows != row.unsqueeze(1))  # [B, N]
        same = others & (labels == label.unsqueeze(1))
        # not infinite: a row without others would have NaN as gradient
        scores = (unit @ everyone.T / self.temperature).masked_fill(~others, _LOW)
        log_prob = torch.log_softmax(scores, 1)
        return -(log_prob * same).sum(1) / same.sum(1).clamp(min=1)

    def _of_all(self, unit: Tensor, label: Tensor, row: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return vectors, labels and numbers of the rows of all processes; -1 are the labels of padding."""
        sizes = self.gather(torch.tensor([len(row)], device=row.device))
        more = int(sizes.max()) - len(row)
        codes = functional.pad(torch.stack([label, row]), (0, more), value=-1)  # [2, longest]
        labels, rows = self.gather(codes).transpose(0, 1).flatten(1)
        vectors = functional.pad(unit, (0, 0, 0, more))
        return self.gather(vectors).flatten(0, 1), labels, rows
