"""Pictures of predictions, for TensorBoard."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lit_rec.data.arrays import Float32s

_CELLS = 40  # cells of a picture in each direction
_FONT, _LINE, _TICK = 13, 18, 5  # pixels
_NAME, _SHORTEST = 20, 6  # characters of a tick's name


def density(
    predicted: npt.NDArray[np.floating[Any]],
    true: npt.NDArray[np.floating[Any]],
    low: float,
    high: float,
) -> Float32s:
    """Return a picture ``[H, W]`` from 0 to 1: true ratings on the x axis, predicted ones on the y axis.

    Each column is divided by its largest cell.

    Args:
        predicted: ``[R]``.
        true: ``[R]``.
        low: The smallest rating.
        high: The largest.
    """
    edges = np.linspace(low, high if high > low else low + 1, _CELLS + 1)
    counts, _, _ = np.histogram2d(predicted, true, bins=[edges, edges])
    picture = counts / np.maximum(counts.max(0, keepdims=True), 1)
    upright: Float32s = picture[::-1].astype(np.float32)
    return np.kron(upright, np.ones((8, 8), np.float32))


def confusion(
    predicted: npt.NDArray[np.integer[Any]], true: npt.NDArray[np.integer[Any]], labels: int
) -> Float32s:
    """Return the confusion matrix ``[K, K]``; each row of a true label sums to 1, or is 0 without such labels.

    Example:
        >>> confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
        [[0.5, 0.5], [0.0, 1.0]]
    """
    counts = np.bincount(true * labels + predicted, minlength=labels * labels).reshape(labels, -1)
    shares: Float32s = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return shares.astype(np.float32)


def enlarged(table: Float32s, least: int = 320) -> Float32s:
    """Return a table as a picture of at least ``least`` pixels in each direction."""
    side = max(-(-least // len(table)), 1)
    return np.kron(table, np.ones((side, side), np.float32))


def framed(
    picture: Float32s,
    across: tuple[str, Sequence[str]],
    down: tuple[str, Sequence[str]],
    *,
    bands: bool = False,
) -> npt.NDArray[np.uint8]:
    """Return a picture with axes: their names, ticks and the names of these.

    Args:
        picture: ``[H, W]`` from 0 to 1.
        across: Name of the x axis, and the names of its ticks from left to right.
        down: Name of the y axis, and the names of its ticks from top to bottom.
        bands: Whether a tick stands for a band, as of a label, and not for a point; the first point is the edge.

    Returns:
        ``[H + below, W + beside, 3]``, black on white around the picture.

    Example:
        >>> framed(np.zeros((320, 320), np.float32), ("true", ["1", "5"]), ("predicted", ["5", "1"])).shape[2]
        3
    """
    from PIL import Image, ImageDraw, ImageFont  # only training draws

    font = ImageFont.load_default(_FONT)
    height, width = picture.shape
    # few names are shortened to fit; of many, those that would cover another are left out
    room = int(width / max(len(across[1]), 1) / _FONT * 2)
    room = _NAME if room < _SHORTEST else room
    ticks = [
        [_drawable(name, place, longest) for place, name in enumerate(names)]
        for (_, names), longest in ((across, min(room, _NAME)), (down, _NAME))
    ]
    beside = int(max(map(font.getlength, ticks[1]), default=0)) + 2 * _LINE + _TICK
    right = int(max(map(font.getlength, ticks[0]), default=0)) // 2 + _TICK
    sheet = Image.new("RGB", (beside + width + right, _LINE + height + 2 * _LINE + _TICK), "white")
    inside = Image.fromarray((picture.clip(0, 1) * 255).astype(np.uint8))
    sheet.paste(inside.convert("RGB"), (beside, _LINE))
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((beside - 1, _LINE - 1, beside + width, _LINE + height), outline="black")
    bottom = _LINE + height
    last = -np.inf
    for name, x in zip(ticks[0], _places(len(ticks[0]), width, bands=bands), strict=True):
        half = font.getlength(name) / 2
        if x - half <= last:  # it would cover the one before it
            continue
        last = x + half + _TICK
        draw.line((beside + x, bottom, beside + x, bottom + _TICK), fill="black")
        draw.text((beside + x, bottom + _TICK), name, "black", font, anchor="ma")
    last = -np.inf
    for name, y in zip(ticks[1], _places(len(ticks[1]), height, bands=bands), strict=True):
        if y - _FONT / 2 <= last:
            continue
        last = y + _FONT / 2
        draw.line((beside - _TICK, _LINE + y, beside, _LINE + y), fill="black")
        draw.text((beside - _TICK - 2, _LINE + y), name, "black", font, anchor="rm")
    draw.text((beside + width / 2, bottom + _TICK + _LINE), across[0], "black", font, anchor="ma")
    title = Image.new("RGB", (height, _LINE), "white")
    ImageDraw.Draw(title).text((height / 2, 0), down[0], "black", font, anchor="ma")
    sheet.paste(title.rotate(90, expand=True), (0, _LINE))
    return np.asarray(sheet)


def _places(ticks: int, size: int, *, bands: bool) -> list[float]:
    if bands:
        return [size * (place + 0.5) / ticks for place in range(ticks)]
    return [size * place / max(ticks - 1, 1) for place in range(ticks)]


def _drawable(name: str, place: int, longest: int) -> str:
    """Return a name in the letters that the font has, at most ``longest``; its place where none is left.

    Example:
        >>> _drawable("café", 3, 20), _drawable("新闻", 3, 20), _drawable("international", 3, 8)
        ('cafe', '3', 'interna.')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().strip()
    plain = plain or str(place)
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}."
