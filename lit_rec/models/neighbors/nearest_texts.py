"""NearestTexts: the known items whose texts are nearest to those of an item that training never saw."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lit_rec.models.text.heavy_words import MOST, HeavyWords, WordWeights

# chosen on validation rows of a draw in which every fifth item was new (docs/notes/next_item.md)
NEAREST = 5
_WORDS = 0.5  # what words count of a similarity; the rest are vectors
_POWER = 8  # of similarities
_SURE = 0.25  # power of the best one: how much less is known of an item that nothing is like
_NUMBERS = 2**24  # that are held at once: bounds the memory, not the result


@dataclass(frozen=True)
class ReadItems:
    """What is read of items to compare them.

    Shape:
        vectors: ``[N, W]`` text vectors of length 1 or 0.
    """

    vectors: Tensor
    words: HeavyWords

    def __len__(self) -> int:
        """Return N."""
        return len(self.vectors)


class NearestTexts(nn.Module):
    """The five known items of nearest texts, by their vectors and by the words that few items have.

    Args:
        items: Number of known items.
        width: Width of an item's joined text vectors.
        tokens: Number of tokens that the encoder knows.

    Example:
        >>> nearest = NearestTexts(items=2, width=2, tokens=10)
        >>> words = HeavyWords(torch.zeros(2, MOST, dtype=torch.int32), torch.zeros(2, MOST))
        >>> nearest.fit(ReadItems(torch.eye(2), words))
        >>> new = HeavyWords(words.token[:1], words.weight[:1])
        >>> row, weight = nearest.of(ReadItems(torch.tensor([[0.6, 0.8]]), new))
        >>> row.tolist(), weight.sum().round(decimals=4)  # the fourth root of 0.8 / 2
        ([[2, 1]], tensor(0.7953))
    """

    vectors: Tensor
    token: Tensor
    token_weight: Tensor

    def __init__(self, items: int, width: int, tokens: int) -> None:
        super().__init__()
        self.words = WordWeights(tokens)
        self.register_buffer("vectors", torch.zeros(items, width))
        self.register_buffer("token", torch.zeros(items, MOST, dtype=torch.int32))
        self.register_buffer("token_weight", torch.zeros(items, MOST))

    @property
    def known(self) -> ReadItems:
        """What is held of the known items."""
        return ReadItems(self.vectors, HeavyWords(self.token, self.token_weight))

    def fit(self, known: ReadItems) -> None:
        """Hold the known items, in the order of the vocabulary."""
        self.vectors.copy_(known.vectors)
        self.token.copy_(known.words.token)
        self.token_weight.copy_(known.words.weight)

    @torch.no_grad()
    def of(self, items: ReadItems) -> tuple[Tensor, Tensor]:
        """Return up to five rows of the vocabulary that represent each item, and their weights, ``[N, 5]`` each."""
        most = min(NEAREST, len(self.vectors))
        row = torch.zeros(len(items), most, dtype=torch.int64, device=self.vectors.device)
        weight = self.vectors.new_zeros(len(items), most)
        step = max(_NUMBERS // max(len(self.vectors), 1), 1)
        for start in range(0, len(items), step):
            part = slice(start, start + step)
            words = HeavyWords(items.words.token[part], items.words.weight[part])
            similarity = (1 - _WORDS) * (items.vectors[part] @ self.vectors.T)
            shared = words.similarity(self.known.words, len(self.words.idf))
            found, at = similarity.add_(shared, alpha=_WORDS).topk(most)
            found = found.clamp(min=0)
            best, found = found[:, :1] ** _SURE, found**_POWER
            row[part] = at + 1
            weight[part] = best * found / found.sum(1, keepdim=True).clamp(min=1e-12)
        return row, weight
