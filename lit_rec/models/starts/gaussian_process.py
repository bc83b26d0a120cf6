"""GaussianProcessStart: what the user's own ratings say of an item, in closed form."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import torch
from torch import Tensor, nn

from lit_rec.data.arrays import Bools, Float32s, Float64s, Int64s
from lit_rec.data.batches.batch import HistorySlots, RecBatch
from lit_rec.data.facts import Facts
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.requirements import needs_target
from lit_rec.models.row_blocks import length_groups, rows_per_block, slots_of
from lit_rec.models.starts.covariance import Covariance, Points
from lit_rec.models.starts.factors import MANY_ROWS, Factors, fit_factors
from lit_rec.models.starts.posterior import by_first, by_past, weights, with_noise
from lit_rec.models.starts.rated_rows import RatedRows, Stretches, batches, padded
from lit_rec.models.starts.text_quality import directions, levels_by_text
from lit_rec.ranges import count

_DAY = 86_400.0
_UNKNOWN = -1e9  # in place of NaN, which differs from itself
_UNSEEN = 1e4  # noise of a rating that says nothing: twenty thousand times that of others
_PARTS = 4  # of the users: training rows are predicted from factors of the other parts
# Fitting the covariance: stretches a step, the most rows of each, steps, and the rate of Adam at the first step
_STRETCHES, _ROWS, _STEPS, _RATE = 64, 300, 16, 0.2
_NUMBERS = 4_000_000  # held at once


class GaussianProcessStart(nn.Module):
    """A Gaussian process for each user: ratings of a history predict a rating, by how alike and how near they are.

    An item has a level and factors, fitted to the training rows by variational Bayes. Beyond that the ratings of one
    user are normal with the covariance of ``Covariance``: of the factors, of frozen texts, and of the time between. The
    posterior mean given the row's history is the prediction, so it holds for users whom training never saw; an item
    whom it never saw has the level and factors of the ordinary row, and its texts. The numbers of the covariance are
    those by which training rows are best predicted by the other rows of their user, or by the earlier ones where
    histories are in order.

    A network that begins here learns what is left. A training row must not be known to what it is predicted by: factors
    are fitted four times more, each time without a fourth of the users, whose rows are then predicted by them, each
    from other rows of its user, as many as a history holds. These predictions are computed once, before training.

    Args:
        facts: Facts of the data.
        text_width: Width of a text vector; 0: no text is read.
        rank: Factors of an item beside its bias.
        draws: How often factors are fitted, each time from other random ones: the covariance is the mean over these.
            With more than two million training rows they are fitted once.
        components: Principal components of each text field that are read.
        seconds: Times after which moods have faded to a third. Without the short ones, ratings of one sitting count
            like any others; with none, time does not count.
        text_levels: Whether an item's level begins at what its text says of it, by ridge regression on 128 components
            of each field, where that predicts other items. It helps where items have few ratings each, or none.

    Raises:
        ConfigError: If the data's task is not ``rating``, ``rank``, ``draws`` or ``components`` is below 1, or a time
            is not above 0.

    Reference:
        Rasmussen & Williams 2006, Gaussian processes for machine learning, https://gaussianprocess.org/gpml. Lim & Teh
        2007, Variational Bayesian approach to movie rating prediction, KDD Cup and Workshop.

    Example:
        >>> start = GaussianProcessStart(Facts.example(), text_width=0, rank=2, draws=1)
        >>> start.of_items(torch.empty(3, 1, 0), torch.tensor([1, 2, 0])).shape  # level, spread, three regressors
        torch.Size([3, 5])
    """

    items: Tensor
    texts: Tensor
    centre: Tensor
    components: Tensor
    quality: Tensor
    levels: Tensor

    def __init__(
        self,
        facts: Facts,
        text_width: int,
        rank: int = 8,
        draws: int = 3,
        components: int = 32,
        seconds: Sequence[float] = (3.0, 30.0, 300.0, 5000.0, 86_400.0, 2_592_000.0),
        text_levels: bool = False,
    ) -> None:
        super().__init__()
        needs_target(type(self).__name__, facts, RatingTarget, "leave it out")
        if any(not 0 < time < float("inf") for time in seconds):
            raise ConfigError(
                f"{list(seconds)} holds a time that is not above 0",
                where=option_of(self, "seconds"),
                rule="seconds above 0",
                remedy="leave it out, or give [86400, 2592000] for moods of days and months alone",
            )
        self.rank, self.seconds = count(self, "rank", rank), tuple(seconds)
        self.draws = count(self, "draws", draws)
        self.fields = len(facts.fields) if text_width else 0
        self.width = count(self, "components", components)
        self.covariance = Covariance(self.seconds, self.fields, 1.0)
        # level, spread, regressors; the first row is for items that training never saw
        begun = torch.zeros(len(facts.item_ids) + 1, 2 + draws * (rank + 1))
        begun[:, 0] = facts.score_start
        self.register_buffer("items", begun)
        # of items that training saw, as they were before it: an encoder that is trained does not move the closed form
        self.register_buffer("texts", torch.zeros(len(begun), self.fields * components))
        self.register_buffer("centre", torch.zeros(self.fields, text_width))
        self.register_buffer("components", torch.zeros(self.fields, text_width, components))
        self.text_levels = text_levels and self.fields > 0
        if self.text_levels:
            self.register_buffer("quality", torch.zeros(self.fields, text_width))
            # of items that training saw: by the texts alone, of all training rows, and of those without each part
            self.register_buffer("levels", torch.zeros(1 + _PARTS, len(begun)))
        # how much of the head's own prediction counts; none at the start
        self.share = nn.Parameter(torch.tensor(0.0))
        self._parts: Float32s | None = None  # the table of items of each part
        self._of_row = torch.empty(0)  # of each row of Prepared, where it trains and has a rating

    @property
    def columns(self) -> int:
        """How many numbers of an item the table of items holds for this part."""
        return self.items.shape[1] + self.fields * self.width

    @property
    def knows_rows(self) -> bool:
        """Whether the training rows are predicted already: a training step then needs nothing of their items."""
        return self.training and len(self._of_row) > 0

    def calibrate(self, texts: Tensor) -> None:
        """Measure centre and principal components of the text vectors ``[N, F, W]`` of training items."""
        for field in range(self.fields):
            vectors = texts[:, field].double()
            centred = vectors - vectors.mean(0)
            found = torch.linalg.svd(centred, full_matrices=False).Vh[: self.width].T
            self.centre[field] = vectors.mean(0)
            self.components[field].zero_()[:, : found.shape[1]] = found

    def of_items(self, texts: Tensor, vocab_row: Tensor) -> Tensor:
        """Return what the table of items holds ``[N, columns]``.

        Args:
            texts: ``[N, F, W]``, the vectors of the items' texts.
            vocab_row: ``[N]`` int64, 0 for items that training never saw.
        """
        own = self.items[vocab_row]
        if not self.fields:
            return own
        known = (vocab_row > 0).unsqueeze(1)
        found = torch.where(known, self.texts[vocab_row], self._projected(texts))
        if self.text_levels:  # levels of known items hold it
            own = own.clone()
            said = torch.einsum("nfw,fw->n", directions(texts, self.centre), self.quality)
            own[:, 0] += torch.where(known[:, 0], 0.0, said)
        return torch.cat([own, found], 1)

    def _projected(self, texts: Tensor) -> Tensor:
        """Return principal components of norm 1 of texts ``[N, F, W]``: ``[N, F * width]``."""
        found = torch.einsum("nfw,fwd->nfd", texts.float() - self.centre, self.components)
        return nn.functional.normalize(found, dim=2).flatten(1)

    @torch.no_grad()
    def forward(self, columns: Tensor, batch: RecBatch) -> Tensor:
        """Return predictions ``[B, C]``: of training rows as computed before training, of others by their histories.

        Args:
            columns: ``[N, columns]`` of the batch's items; not read where ``knows_rows``.
            batch: The rows.
        """
        if self.knows_rows:
            self._of_row = self._of_row.to(batch.row.device)
            return self._of_row[batch.row].unsqueeze(1)
        history, asked = batch.history, batch.candidates.item_index
        found = columns.new_zeros(asked.shape)
        # rows side by side often have the same history, whose weights are the same at any time
        new = torch.nonzero(~same_as_before(history))[:, 0]
        weight = self._weights(columns, slots_of(history, new))  # [G, H]
        every = torch.arange(len(batch), device=new.device)
        of_row = torch.searchsorted(new, every, right=True) - 1
        numbers = history.mask.shape[1] * asked.shape[1]
        for some in torch.split(every, rows_per_block(_NUMBERS, numbers)):
            _, _, points = self._seen(columns, slots_of(history, some))
            now = torch.zeros_like(asked[some], dtype=points.seconds.dtype)
            level, _, own = self._points(columns[asked[some]], now)
            shared = self.covariance(own, points)  # [b, C, H]
            found[some] = level + (shared @ weight[of_row[some]].unsqueeze(2)).squeeze(2)
        return found

    def fit(self, rows: RatedRows, texts: Tensor, vocab_row: Tensor) -> None:
        """Fit items and covariance to the training rows.

        Args:
            rows: The training rows.
            texts: ``[N, F, W]``, the vectors of the texts of all training items.
            vocab_row: ``[N]`` int64, of these items.
        """
        if self.fields:
            self.texts[vocab_row] = self._projected(texts)
        everybody = np.ones(int(rows.user.max()) + 1, bool)
        if self.text_levels:
            part = _part_of(rows)
            of_rows = [_known_rows(rows, part != one) for one in range(_PARTS)]
            ratings = [_known_rows(rows, everybody), *of_rows]
            found = levels_by_text(ratings, texts, self.centre, vocab_row, len(self.items))
            for buffer, values in zip((self.levels, self.quality), found, strict=True):
                buffer.copy_(values)
        self.items.copy_(torch.from_numpy(self._table(rows, everybody, 0)))
        variance = max(float(np.var(rows.rating)), 1e-6)
        fitted = copy.deepcopy(Covariance(self.seconds, self.fields, variance))
        fitted.requires_grad_(True)
        optimizer = torch.optim.Adam(fitted.parameters(), _RATE)
        rng, stretches = np.random.default_rng(0), rows.stretches(_ROWS)
        with torch.enable_grad():
            for step in range(_STEPS):
                optimizer.param_groups[0]["lr"] = _RATE * (1 - step / _STEPS)
                optimizer.zero_grad()
                chosen = stretches.take(rng.permutation(len(stretches.begin))[:_STRETCHES])
                total = int((chosen.length - chosen.context).sum())
                for some in batches(chosen.length, _NUMBERS):
                    error, _, asked = self._errors(fitted, rows, chosen.take(some))
                    torch.autograd.backward(error[asked].square().sum() / total)
                optimizer.step()
        self.covariance.load_state_dict(fitted.state_dict())

    @torch.no_grad()
    def predict_rows(self, rows: RatedRows, total: int) -> None:
        """Predict the training rows, each without itself and from factors that do not know its user.

        Args:
            rows: The training rows.
            total: How many rows ``Prepared`` has.
        """
        stretches = rows.stretches()
        # a row without a rating has no loss, but NaN would reach the gradients
        found, covariance = np.zeros(total, np.float32), copy.deepcopy(self.covariance).cpu()
        for some in batches(stretches.length, _NUMBERS):
            error, place, asked = self._errors(covariance, rows, stretches.take(some))
            predicted = place[asked.numpy()]
            found[rows.row[predicted]] = rows.rating[predicted] - error[asked].numpy()
        self._of_row, self._parts = torch.from_numpy(found), None

    def _weights(self, columns: Tensor, history: HistorySlots) -> Tensor:
        """Return the weight of each rating of some histories ``[G, H]``, 0 where there is none."""
        found = columns.new_zeros(history.mask.shape)
        for rows, longest in length_groups(history.mask.sum(1).clamp(min=1)):
            for some in torch.split(rows, rows_per_block(_NUMBERS, longest * longest)):
                part = slots_of(history, some)
                short = HistorySlots(
                    **{f.name: getattr(part, f.name)[:, :longest] for f in fields(part)}
                )
                level, spread, points = self._seen(columns, short)
                known = short.mask & ~short.rating.isnan()
                residual = torch.where(known, short.rating - level, 0.0)
                total = with_noise(self.covariance, points, spread, known)
                found[some, :longest] = weights(total, residual) * known
        return found

    def _seen(self, columns: Tensor, history: HistorySlots) -> tuple[Tensor, Tensor, Points]:
        """Return level, spread and points of what is in histories."""
        return self._points(columns[history.item_index], -history.age_days * _DAY)

    def _points(self, columns: Tensor, seconds: Tensor) -> tuple[Tensor, Tensor, Points]:
        """Return level and spread ``[B, n]``, and the points, of items' columns ``[B, n, columns]``."""
        factors = self.items.shape[1]
        texts = columns[..., factors:].reshape(*columns.shape[:2], self.fields, self.width)
        return columns[..., 0], columns[..., 1], Points(columns[..., 2:factors], texts, seconds)

    def _errors(
        self, covariance: Covariance, rows: RatedRows, stretches: Stretches
    ) -> tuple[Tensor, Int64s, Tensor]:
        """Return ratings minus predictions ``[B, n]``, their rows, and which of them are asked for."""
        place, mask = padded(stretches.begin, stretches.length)
        user = rows.user[stretches.begin]
        item = rows.item[place]
        own = torch.from_numpy(self._crossed(rows)[_part_of(rows)[user][:, None], item])
        seconds = torch.from_numpy(rows.seconds[place])
        level, spread, points = self._points(torch.cat([own, self.texts.cpu()[item]], 2), seconds)
        known = torch.from_numpy(mask)
        rating = torch.from_numpy(rows.rating[place]).float()
        residual = torch.where(known, rating - level, 0.0)
        total = with_noise(covariance, points, spread, known)
        if rows.counts is not None:
            total = total + torch.diag_embed(
                torch.from_numpy(np.where(rows.counts[place], 0.0, _UNSEEN)).float()
            )
        if rows.past is None:
            said = by_first(total, residual, rows.others)
        else:
            left_out = stretches.begin - np.searchsorted(rows.user, user)  # earlier rows
            past = np.maximum(rows.past[place] - left_out[:, None], 0)
            said = by_past(total, residual, torch.from_numpy(past))
        asked = mask & (np.arange(mask.shape[1]) >= stretches.context[:, None])
        return residual - said, place, torch.from_numpy(asked)

    def _crossed(self, rows: RatedRows) -> Float32s:
        """Return the tables of items of the parts ``[_PARTS, V + 1, m]``, each without its part of the users."""
        if self._parts is None:
            part = _part_of(rows)
            self._parts = np.stack(
                [self._table(rows, part != one, 1 + one) for one in range(_PARTS)]
            )
        return self._parts

    def _table(self, rows: RatedRows, users: Bools, place: int) -> Float32s:
        """Return level, spread and regressors of the items ``[V + 1, m]`` by the rows of some users.

        Args:
            rows: The training rows.
            users: Which users' rows count.
            place: Of these in ``levels``.
        """
        user, item, rating = _known_rows(rows, users)
        levels = np.zeros(len(self.items))
        if self.text_levels:
            levels = self.levels[place].cpu().double().numpy()
            rating = rating - levels[item]
        found = [
            _item_table(
                fit_factors(user, item, rating, len(users), len(self.items), self.rank, seed=seed)
            )
            for seed in range(self.draws if len(rating) <= MANY_ROWS else 1)
        ]
        found *= self.draws // len(found)  # one, repeated, is its own mean
        level_and_spread = np.mean([table[:, :2] for table in found], 0)
        level_and_spread[:, 0] += levels
        regressors = [table[:, 2:] / self.draws**0.5 for table in found]
        return np.hstack([level_and_spread, *regressors])


def same_as_before(history: HistorySlots) -> Tensor:
    """Return whether a row has the same ratings, as far apart in time, as the row before it ``[B]``.

    Example:
        >>> item, age = torch.tensor([[0, 1], [0, 1], [0, 2]]), torch.tensor([[3.0, 2.0], [4.0, 3.0], [3.0, 2.0]])
        >>> none = torch.zeros(3, 2, dtype=torch.int64)
        >>> same_as_before(HistorySlots(item, item >= 0, torch.ones(3, 2), none, age, none))
        tensor([False,  True, False])
    """
    apart = (history.age_days - history.age_days[:, :1]).nan_to_num(_UNKNOWN)
    rating = history.rating.nan_to_num(_UNKNOWN)
    same = torch.ones(max(len(rating) - 1, 0), dtype=torch.bool, device=rating.device)
    for values, tolerance in (
        (history.item_index, 0.0),
        (history.mask.int(), 0.0),
        (rating, 0.0),
        (apart, 1e-3),
    ):
        same &= ((values[1:] - values[:-1]).abs() <= tolerance).all(1)
    return nn.functional.pad(same, (1, 0))[: len(rating)]


def _known_rows(rows: RatedRows, users: Bools) -> tuple[Int64s, Int64s, Float64s]:
    """Return user, item and rating of the rows of some users, or of all where these have none."""
    user, item, rating = rows.of_users(users)
    return (user, item, rating) if len(user) else (rows.user, rows.item, rows.rating)


def _part_of(rows: RatedRows) -> Int64s:
    """Return the part of each user code."""
    return np.random.default_rng(0).integers(0, _PARTS, int(rows.user.max()) + 1)


def _item_table(found: Factors) -> Float32s:
    """Return level, spread and regressors of the items, given factors.

    The level is what the ordinary user gives. The spread is the variance of a rating by what is not known of the item's
    factors. Regressors are factors, 1 the first, in whose terms users' deviations have variance 1 and are independent.
    """
    size = found.items.mean.shape[1]
    factors, known = found.items.mean, found.known
    upper = np.triu_indices(size)
    spread = np.zeros((len(factors), size, size))
    spread[:, *upper] = found.items.spread
    spread[:, upper[1], upper[0]] = found.items.spread
    # of an item without ratings, what is not known is how items differ as well
    spread[~known] = spread[known].mean(0) + np.cov(factors[known].T, ddof=0)
    regressors = factors.copy()
    regressors[:, 0] = 1.0
    taste, deviation = found.users.mean, np.linalg.inv(found.users.precision)
    # the item's bias plus its factors times those of the user, whose bias comes beside
    second = (deviation + np.outer(taste, taste))[1:, 1:]
    unknown = spread[:, 0, 0] + 2 * spread[:, 0, 1:] @ taste[1:]
    unknown = unknown + np.einsum("iab,ab->i", spread[:, 1:, 1:], second)
    level = found.mean + factors[:, 0] + regressors @ taste
    independent = regressors @ np.linalg.cholesky(deviation)
    return np.column_stack([level, unknown.clip(min=0), independent]).astype(np.float32)
