"""FieldSum: from the fields of an item, or of a user, to one vector."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Self

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import Items
from lit_rec.data.fields.field import FittedField
from lit_rec.models.items.field_encoders import LENGTH, field_encoder
from lit_rec.models.items.shared_ridge import shared_components, shared_ridge

_SOME = 2048  # items or users: enough for components, whose computation holds the square of it
_ROUNDING = 1e-3  # of a vector's norm: bfloat16 keeps three digits; different texts differ by more


class FieldSum(nn.Module):
    """``sum_f v_f W_f x_f`` over text fields and others: numbers, categories, vectors.

    The weights v_f are a softmax over all fields, times the root of their number, so that the sum is as long as with
    one field. Each field has its own projection W_f: titles and genres lie in different directions of the encoder's
    space. A text is projected as soon as it is encoded: F short vectors per text are held, not one as wide as the
    encoder.

    Args:
        texts: Number F of text fields.
        text_width: Width of a text vector.
        fields: The other fields, G of them.
        width: Width of the sum, its bias coordinate left out.
        dropout: Share of a text vector's coordinates dropped while training.
        principal: Whether the projections of texts begin as the principal components of the training items' texts, each
            divided by the root of its spread: similar texts are near, and no single direction dominates. Otherwise they
            begin at random.
        balanced: Whether the sum begins as the principal components of all fields together, each counting alike;
            ``principal`` is then ignored. Its norm is then 1 on average, apart from what the width leaves out.
        unit: Whether a text vector is first divided by its length.

    Shape:
        vectors of texts ``[P, text_width]`` -> ``project`` -> ``[P, F, width + 1]`` -> ``forward`` with N items ->
        ``[N, width + 1]`` float32; the last coordinate is a bias.
    """

    centre: Tensor
    spread: Tensor

    def __init__(
        self,
        texts: int,
        text_width: int,
        fields: Sequence[FittedField],
        width: int,
        dropout: float,
        principal: bool = False,
        balanced: bool = False,
        unit: bool = False,
    ) -> None:
        super().__init__()
        self.texts, self.width = texts, width
        self.principal, self.balanced, self.unit = principal, balanced, unit
        self.columns = [field.column for field in fields]
        self.dropout = nn.Dropout(dropout)
        self.weight = nn.Parameter(torch.empty(width + 1, texts * text_width))  # [W_1 ... W_F]
        self.bias = nn.Parameter(torch.zeros(width + 1))
        self.others = nn.ModuleList(field_encoder(field, width + 1) for field in fields)
        self.field_logits = nn.Parameter(torch.zeros(texts + len(fields)))
        # the weight of the only field is 1
        self.field_logits.requires_grad_(len(self.field_logits) > 1)
        # mean and spread of the text vectors before training: they lie in a narrow cone, in which all look alike
        self.register_buffer("centre", torch.zeros(texts, text_width))
        self.register_buffer("spread", torch.ones(texts))
        bound = max(texts * text_width, 1) ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)  # as nn.Linear begins
        nn.init.zeros_(self.weight[-1])
        self._kept: dict[str, tuple[Tensor, Tensor]] = {}

    @property
    def field_weights(self) -> Tensor:
        """v_f ``[F + G]``: how much each field counts, text fields first; they sum to 1."""
        return torch.softmax(self.field_logits, 0)

    def keep(self, name: str, value: Tensor, kept: Tensor) -> None:
        """Keep numbers of a weight through the next ``calibrate``: those of another run belong to what it measured.

        Args:
            name: The weight's name in ``state_dict``.
            value: The weight with these numbers.
            kept: ``value.shape``, bool, which of them are kept.
        """
        self._kept[name] = value, kept

    @torch.no_grad()
    def calibrate(self, vectors: Tensor, has_token: Tensor, items: Items) -> None:
        """Measure each field's mean and spread before training, to centre its vectors and give them norm 4 on average.

        Texts without a token do not count. Where the others differ by no more than rounding, such as those of a single
        item, they are centred and not scaled: that would scale up nothing but noise.

        Args:
            vectors: Vectors of the texts ``[P, text_width]``.
            has_token: ``[P]`` bool, whether a text has a token.
            items: The training items.

        Reference:
            Su et al. 2021, Whitening sentence representations, https://arxiv.org/abs/2103.15316.
        """
        measured = self._scaled(vectors)
        for field, index in enumerate(items.text_index.T):
            of_field = measured[index[has_token[index]]]
            if not len(of_field):
                continue
            self.centre[field] = of_field.mean(0)
            spread = (of_field - self.centre[field]).square().sum(1).mean().sqrt()
            rounding = _ROUNDING * of_field.square().sum(1).mean().sqrt()
            self.spread[field] = torch.where(spread > rounding, spread / LENGTH, 1.0)
            if self.principal:
                centred = (of_field - self.centre[field]) / self.spread[field]
                at = slice(field * of_field.shape[1], (field + 1) * of_field.shape[1])
                self.weight[:-1, at] = principal_projection(centred, self.width)
        for column, encoder in zip(self.columns, self.others, strict=True):
            encoder.calibrate(items.fields[column])  # type: ignore[operator]
        if self.balanced and len(items.vocab_row):
            count = len(items.vocab_row)
            # evenly from the whole catalogue, which may be ordered
            spread_out = torch.arange(0, count, ceil(count / _SOME), device=has_token.device)
            inputs = self._inputs(vectors, has_token, items.take(spread_out))
            self._begin(slice(0, -1), shared_components(inputs, self.width))
        own = self.state_dict()
        for name, (value, kept) in self._kept.items():
            own[name].copy_(torch.where(kept.to(own[name].device), value.to(own[name]), own[name]))
        self._kept = {}

    @torch.no_grad()
    def adding_nothing(self) -> Self:
        """Set all parameters to 0, so that the sum begins as 0, and return itself."""
        for parameter in self.parameters():
            if parameter is not self.field_logits:
                parameter.zero_()
        return self

    def _inputs(self, vectors: Tensor, has_token: Tensor, items: Items) -> list[Tensor]:
        """Return the inputs of each field, ``[N, V_f]``: its outputs are weighted sums of them."""
        centred = self._centred(vectors) * has_token.view(-1, 1, 1)
        inputs = [centred[items.text_index[:, f], f] for f in range(self.texts)]
        others = zip(self.columns, self.others, strict=True)
        return inputs + [encoder.inputs(items.fields[column]) for column, encoder in others]  # type: ignore[operator]

    def _begin(self, at: slice, weights: list[Tensor]) -> None:
        """Begin with these weights of inputs, ``[V_f, n]`` of each field, for the outputs ``at``.

        The weights are those of the sum: each is divided by the weight of its field.
        """
        scale = self.field_weights * len(self.field_logits) ** 0.5
        of_fields = [w / s for w, s in zip(weights, scale, strict=True)]
        if self.texts:
            self.weight[at] = torch.cat(of_fields[: self.texts]).T
        for encoder, w in zip(self.others, of_fields[self.texts :], strict=True):
            encoder.begin(at, w)  # type: ignore[operator]

    def project(self, vectors: Tensor, has_token: Tensor) -> Tensor:
        """Return what each text adds as each field ``[P, F, width + 1]``; a text without a token adds nothing."""
        # without a token pooling gave zeros; centred, these would not be zero
        centred = self.dropout(self._centred(vectors)) * has_token.view(-1, 1, 1)
        weight = self.weight.view(self.width + 1, self.texts, vectors.shape[1])
        return torch.einsum("pfd,ofd->pfo", centred, weight)

    def _centred(self, vectors: Tensor) -> Tensor:
        """Return the texts' vectors, centred and scaled as each of the fields ``[P, F, D]``."""
        return (self._scaled(vectors).unsqueeze(1) - self.centre) / self.spread.unsqueeze(1)

    def _scaled(self, vectors: Tensor) -> Tensor:
        """Return vectors ``[P, D]`` of length 1, if these are wanted."""
        return nn.functional.normalize(vectors, dim=-1) if self.unit else vectors

    def unit_texts(self, vectors: Tensor, has_token: Tensor, items: Items) -> Tensor:
        """Return the items' centred text vectors, each field of length ``F ** -0.5``, joined ``[N, F * D]``."""
        unit = nn.functional.normalize(self._centred(vectors), dim=2) * has_token.view(-1, 1, 1)
        fields = [unit[items.text_index[:, f], f] for f in range(self.texts)]
        joined: Tensor = torch.cat(fields, 1) / max(self.texts, 1) ** 0.5
        return joined

    @torch.no_grad()
    def begin_biases(
        self,
        vectors: Tensor,
        has_token: Tensor,
        items: Items,
        biases: Tensor,
        weights: Tensor,
        penalty: float,
    ) -> None:
        """Begin with the biases that ridge regression on the fields predicts, not 0. Call it after ``calibrate``.

        Args:
            vectors: Vectors of the texts ``[P, text_width]``.
            has_token: ``[P]`` bool, whether a text has a token.
            items: The training items.
            biases: ``[N]``, of their ratings.
            weights: ``[N]``, how much each of them counts.
            penalty: Of ``shared_ridge``.
        """
        inputs = self._inputs(vectors, has_token, items)
        constant, found = shared_ridge(inputs, biases, weights, penalty)
        self.bias[-1] = constant
        self._begin(slice(-1, None), [w.unsqueeze(1) for w in found])

    def forward(self, projected: Tensor, items: Items) -> Tensor:
        """Return the weighted sum of the fields of each item.

        Args:
            projected: From ``project``.
            items: The items.
        """
        scale = self.field_weights * len(self.field_logits) ** 0.5  # [F + G]
        total = self.bias.expand(len(items.vocab_row), -1)
        for field in range(self.texts):
            total = total + scale[field] * projected[items.text_index[:, field], field]
        for place, (column, encoder) in enumerate(zip(self.columns, self.others, strict=True)):
            total = total + scale[self.texts + place] * encoder(items.fields[column])
        return total


def principal_projection(vectors: Tensor, width: int) -> Tensor:
    """Return a projection ``[width, D]`` onto principal components, each divided by the root of its spread.

    Vectors keep their length on average. If the vectors have fewer components, the rest project to 0.

    Args:
        vectors: ``[n, D]``, centred.
        width: How many components.

    Reference:
        Su et al. 2021, Whitening sentence representations, https://arxiv.org/abs/2103.15316; theirs divides by the
        spread itself, which makes the last component as large as the first.

    Example:
        >>> principal_projection(torch.tensor([[4.0, 0.0], [-4.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), 2).abs()
        tensor([[0.9220, 0.0000],
                [0.0000, 1.8439]])
    """
    _, spread, components = torch.linalg.svd(vectors, full_matrices=False)
    real = int((spread > 1e-6 * spread[:1].clamp(min=1e-30)).sum())
    rows = min(width, real)
    found = vectors.new_zeros(width, vectors.shape[1])
    found[:rows] = components[:rows] / spread[:rows].sqrt().unsqueeze(1)
    length = (vectors @ found.T).square().sum().sqrt()
    return found * (vectors.square().sum().sqrt() / length.clamp(min=1e-30))
