"""levels_by_text: how good items are by their texts alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lit_rec.data.arrays import Float64s, Int64s

_PENALTIES = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
_PARTS = 5  # of the items: each is predicted from the others
_COMPONENTS = 128  # of each text field
_ITEMS = 50_000  # that are learned from at most
_USER = 5.0  # a user's mean is shrunk as by so many ratings of the mean


def levels_by_text(
    known: Sequence[tuple[Int64s, Int64s, Float64s]],
    texts: Tensor,
    centre: Tensor,
    vocab_row: Tensor,
    rows: int,
) -> tuple[Tensor, Tensor]:
    """Return the levels of items by their texts, as each of some sets of ratings has them, and how a text is read.

    Of more than 50,000 items, as many are drawn to learn from.

    Args:
        known: G sets of ratings, each ``(user, item, rating)`` of ``[R]``; an item is a row of the vocabulary.
        texts: ``[N, F, W]``, vectors of the texts of all training items.
        centre: ``[F, W]``, their mean.
        vocab_row: ``[N]`` int64, of these items.
        rows: Number of rows of the vocabulary, V + 1.

    Returns:
        Levels ``[G, V + 1]``, and the weights ``[F, W]`` by which the first set's come from ``directions``.

    Example:
        >>> item = np.arange(1, 41)
        >>> ratings = np.zeros(40, np.int64), item, 3.0 + np.where(item % 2, 1.0, -1.0)
        >>> texts = torch.where(torch.arange(1, 41) % 2 == 1, 8.0, -2.0).reshape(40, 1, 1)
        >>> levels, weights = levels_by_text([ratings], texts, texts.mean(0), torch.arange(1, 41), 41)
        >>> levels[0, :3].numpy().round(1).tolist(), weights.numpy().round(1).tolist()
        ([0.0, 1.0, -1.0], [[1.0]])
    """
    chosen = torch.arange(len(texts))
    if len(texts) > _ITEMS:
        drawn = np.random.default_rng(0).permutation(len(texts))[:_ITEMS]
        chosen = torch.from_numpy(np.sort(drawn))
    away = directions(texts[chosen], centre).double().cpu()  # [n, F, W]
    axes = [principal_axes(of_field, _COMPONENTS) for of_field in away.unbind(1)]
    read = np.hstack(
        [of_field.numpy() @ a for of_field, a in zip(away.unbind(1), axes, strict=True)]
    )
    place = np.full(rows, -1)
    place[vocab_row[chosen].cpu().numpy()] = np.arange(len(chosen))
    quality = []
    for user, item, rating in known:
        kept = place[item] >= 0
        weights = quality_weights(user[kept], place[item[kept]], rating[kept], read)
        of_field = zip(axes, np.split(weights, len(axes)), strict=True)
        quality.append(np.stack([axis @ own for axis, own in of_field]))
    found = torch.from_numpy(np.stack(quality)).float().to(texts.device)  # [G, F, W]
    levels = torch.zeros(len(known), rows, device=texts.device)
    for some in torch.split(torch.arange(len(texts)), _ITEMS):
        said = torch.einsum("nfw,gfw->gn", directions(texts[some], centre), found)
        levels[:, vocab_row[some]] = said
    return levels, found[0]


def directions(texts: Tensor, centre: Tensor) -> Tensor:
    """Return vectors of texts ``[N, F, W]`` from their centre ``[F, W]``, with norm 1."""
    return functional.normalize(texts.float() - centre, dim=2)


def quality_weights(user: Int64s, item: Int64s, rating: Float64s, texts: Float64s) -> Float64s:
    """Return the weights of a ridge regression of ratings on items' texts, 0 where texts tell nothing of other items.

    What is regressed is a rating's distance from the mean and from its user's own. The penalty is the one by which
    items are predicted best from other items, since an item's own ratings are better known than by its text. If that
    saves less of the squared error than its standard error over items, texts are taken to tell nothing.

    Args:
        user: ``[R]``.
        item: ``[R]``.
        rating: ``[R]``.
        texts: ``[I, D]``, of all items.

    Returns:
        ``[D]``.

    Example:
        >>> item = np.arange(40)
        >>> texts = np.where(item % 2, 1.0, -1.0)[:, None]
        >>> quality_weights(np.zeros(40, np.int64), item, 3 + texts[:, 0], texts).round(1).tolist()
        [1.0]
        >>> quality_weights(np.zeros(40, np.int64), item, np.full(40, 3.0), texts).tolist()
        [0.0]
    """
    mean = rating.mean()
    of_user = np.bincount(user, rating - mean) / (np.bincount(user) + _USER)
    count = np.bincount(item, minlength=len(texts)).astype(np.float64)
    residual = rating - mean - of_user[user]
    total = np.bincount(item, residual, minlength=len(texts)).astype(np.float64)
    known = np.flatnonzero(count)
    part = np.random.default_rng(0).integers(0, _PARTS, len(texts))[known]
    saved = np.zeros((len(_PENALTIES), len(texts)))  # of an item's squared error without texts
    for one in range(_PARTS):
        held = known[part == one]
        for place, weights in enumerate(_fitted(known[part != one], texts, count, total)):
            said = texts[held] @ weights
            saved[place, held] = 2 * said * total[held] - count[held] * said**2
    best = int(saved.sum(1).argmax())
    if saved[best].sum() <= np.sqrt(len(known)) * saved[best, known].std():
        return np.zeros(texts.shape[1])
    return _fitted(known, texts, count, total)[best]


def principal_axes(vectors: Tensor, count: int) -> Float64s:
    """Return the directions in which vectors are longest ``[W, count]``; zeros where there are no more.

    Args:
        vectors: ``[N, W]`` float64, from their centre.
        count: How many.

    Example:
        >>> principal_axes(torch.tensor([[0.0, 2.0], [0.0, -2.0], [1.0, 0.0]]).double(), 1).round(1).ravel().tolist()
        [0.0, 1.0]
    """
    found = torch.linalg.eigh(vectors.T @ vectors).eigenvectors.flip(1)[:, :count].numpy()
    signs = np.sign(found[np.abs(found).argmax(0), np.arange(found.shape[1])])  # LAPACKs differ
    axes = np.zeros((vectors.shape[1], count))
    axes[:, : found.shape[1]] = found * signs
    return axes


def _fitted(items: Int64s, texts: Float64s, count: Float64s, total: Float64s) -> list[Float64s]:
    """Return the weights with each penalty, fitted on some items."""
    of_some = texts[items]
    gram, moment = of_some.T @ (of_some * count[items, None]), of_some.T @ total[items]
    ridge = np.eye(len(gram))
    return [np.asarray(np.linalg.solve(gram + p * ridge, moment), float) for p in _PENALTIES]
