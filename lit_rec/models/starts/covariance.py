"""How alike a user's ratings of two items are: the covariance of a Gaussian process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

# Where fitting begins: MovieLens 100K, fold u1, whose ratings have this variance. Numbers are in its units, except
# those that multiply inner products of factors, which are in units of ratings themselves.
_VARIANCE = 1.27


@dataclass(frozen=True)
class Points:
    """Ratings, or candidates, of B rows, n each: what is known of them beside the ratings.

    Shape:
        regressors: ``[B, n, k]``, factors in whose terms a user's taste has independent parts of variance 1.
        texts: ``[B, n, F, d]``, each field of norm 1. seconds: ``[B, n]``, on any clock, NaN where unknown.
    """

    regressors: Tensor
    texts: Tensor
    seconds: Tensor

    def of_rows(self, rows: slice | Tensor) -> Points:
        """Return the points of some rows."""
        return Points(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


class Covariance(nn.Module):
    """``k(a, b) = c + (s + sum_t u_t e_t) x_a . x_b + sum_t (m_t + v_t g) e_t + w g + sum_f (w_f g_f + l_f cos_f)``.

    ``x`` are the factors; ``e_t = exp(-|seconds between| / t)``, for each time t of a fixed list;
    ``cos_f`` is the cosine of the texts of field f, ``g_f = exp(h_f (cos_f - 1))``, and g is the product over the
    fields. So a user has a level, a taste in factors and in texts, and moods; moods and taste change by themselves, at
    several speeds, and similar items share what neither explains. Each term is a covariance, and so is their sum. All
    numbers but the times are fitted.

    A rating also has noise of its own: ``noise + spread * s_a``, with ``s_a`` what is not known of its item's factors.

    Args:
        seconds: The times; none: time does not count.
        text_fields: F; 0: texts do not count.
        variance: Of the ratings.

    Reference:
        Rasmussen & Williams 2006, Gaussian processes for machine learning, https://gaussianprocess.org/gpml, chapter 4.

    Example:
        >>> covariance = Covariance(seconds=(60.0,), text_fields=0, variance=1.27)
        >>> points = Points(torch.zeros(1, 3, 1), torch.zeros(1, 3, 0, 1), torch.tensor([[0.0, 60.0, torch.nan]]))
        >>> found = covariance(points, points)[0]
        >>> bool(found[0, 0] > found[0, 1] > found[0, 2])  # the same time, a minute later, unknown
        True
    """

    times: Tensor

    def __init__(self, seconds: Sequence[float], text_fields: int, variance: float) -> None:
        super().__init__()
        self.text_fields = text_fields
        unit = variance / _VARIANCE
        times, both = len(seconds), bool(text_fields)
        self.register_buffer("times", torch.tensor([float(t) for t in seconds]))
        start = {
            "constant": torch.tensor(0.001 * unit),
            "taste": torch.tensor(0.9),
            "mood": torch.full((times,), 0.035 * unit),
            "taste_then": torch.full((times,), 0.04),
            "alike_then": torch.full((times * both,), 0.06 * unit),
            "taste_field": torch.full((text_fields,), 0.02 * unit),
            "alike": torch.full((int(both),), 0.05 * unit),
            "alike_field": torch.full((text_fields,), 0.05 * unit),
            "sharpness": torch.full((text_fields,), 3.5),
            "noise": torch.tensor(0.5 * unit),
            "spread": torch.tensor(0.6),
        }
        # fitted in closed form, before training: an optimizer of the run must not see them
        self.log = nn.ParameterDict(
            {name: nn.Parameter(value.log(), requires_grad=False) for name, value in start.items()}
        )

    def forward(self, a: Points, b: Points) -> Tensor:
        """Return ``[B, n, m]`` of points ``[B, n]`` and ``[B, m]``."""
        value = {name: log.exp() for name, log in self.log.items()}
        inner = a.regressors @ b.regressors.transpose(1, 2)
        total: Tensor = value["constant"] + value["taste"] * inner
        both = None
        if self.text_fields:
            both, cosine = torch.ones_like(inner), torch.einsum("bnfd,bmfd->fbnm", a.texts, b.texts)
            for field in range(self.text_fields):
                alike = torch.exp(value["sharpness"][field] * (cosine[field] - 1))
                both, total = both * alike, total + value["alike_field"][field] * alike
                total = total + value["taste_field"][field] * cosine[field]
            total = total + value["alike"] * both
        apart = (a.seconds.unsqueeze(2) - b.seconds.unsqueeze(1)).abs().nan_to_num(torch.inf)
        apart = apart.to(
            inner.dtype
        )  # a clock's own numbers need more digits than what lies between
        for place, time in enumerate(self.times):
            scale = value["mood"][place] + value["taste_then"][place] * inner
            if both is not None:
                scale = scale + value["alike_then"][place] * both
            total = total + scale * torch.exp(-apart / time)
        return total

    def noise(self, spread: Tensor) -> Tensor:
        """Return the variance of the noise of each rating, given what is not known of its item ``[B, n]``."""
        variance: Tensor = self.log["noise"].exp() + self.log["spread"].exp() * spread
        return variance
