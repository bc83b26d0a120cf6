"""HeavyWords: the words of items that few items have, and how similar items are by them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import Items, Texts

MOST = 32  # words of an item
_NUMBERS = 2**24  # that are held at once: bounds the memory, not the result


@dataclass(frozen=True)
class HeavyWords:
    """Up to 32 tokens of each item and their weights; the squares of an item's weights sum to 1, or to 0.

    Shape:
        token: ``[N, 32]`` int32. weight: ``[N, 32]``, 0 where there are fewer.
    """

    token: Tensor
    weight: Tensor

    def similarity(self, others: HeavyWords, tokens: int) -> Tensor:
        """Return the inner products of these items with others ``[N, M]``.

        Args:
            others: M items.
            tokens: Number of tokens that there are.
        """
        found = [self.weight.new_zeros(0, len(others.token))]
        column, width = others.token.long().flatten(), others.token.shape[1]
        step = max(_NUMBERS // max(len(column), tokens), 1)
        for start in range(0, len(self.token), step):
            token, weight = self.token[start : start + step], self.weight[start : start + step]
            spread = weight.new_zeros(len(token), tokens).scatter_add_(1, token.long(), weight)
            shared = spread[:, column].view(len(token), -1, width)
            found.append((shared * others.weight).sum(2))
        return torch.cat(found)


class WordWeights(nn.Module):
    """The weight of each token: the logarithm of the share of items that have it, without its sign.

    How often an item's texts have a token does not count.

    Args:
        tokens: Number of tokens that there are.

    Reference:
        Spärck Jones 1972, A statistical interpretation of term specificity and its application in retrieval,
        https://doi.org/10.1108/eb026526.

    Example:
        >>> nothing = torch.zeros(2, dtype=torch.int64)
        >>> items = Items(torch.tensor([[0], [1]]), nothing, nothing)
        >>> texts = Texts(torch.tensor([7, 8, 7, 9, 9]), torch.tensor([0, 2, 5]))
        >>> weights = WordWeights(tokens=10)
        >>> weights.fit([(texts, items)])
        >>> words = weights.of(texts, items)  # all have 7, so it says nothing
        >>> words.token[:, :2].tolist(), words.weight[:, :2].tolist()
        ([[8, 7], [9, 7]], [[1.0, 0.0], [1.0, 0.0]])
    """

    idf: Tensor

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.register_buffer("idf", torch.zeros(tokens))

    @torch.no_grad()
    def fit(self, parts: Iterable[tuple[Texts, Items]]) -> None:
        """Count how many items have each token.

        Args:
            parts: All items that training knows, in parts, each with its texts.
        """
        having, items = torch.zeros_like(self.idf), 0
        for texts, some in parts:
            _, token = self._distinct(texts, some)
            having += torch.bincount(token, minlength=len(having))
            items += len(some.text_index)
        self.idf.copy_(((items + 1) / (having + 1)).log())

    @torch.no_grad()
    def of(self, texts: Texts, items: Items) -> HeavyWords:
        """Return the heaviest words of items, of all their texts together.

        Args:
            texts: The texts.
            items: N items.
        """
        item, token = self._distinct(texts, items)
        weight = self.idf[token]
        order = weight.argsort(descending=True, stable=True)
        order = order[item[order].argsort(stable=True)]
        item, token, weight = item[order], token[order], weight[order]
        place = torch.arange(len(item), device=item.device) - torch.searchsorted(item, item)
        kept = place < MOST
        of_item = torch.zeros(len(items.text_index), MOST, dtype=torch.int32, device=item.device)
        heavy = self.idf.new_zeros(of_item.shape)
        of_item[item[kept], place[kept]] = token[kept].int()
        heavy[item[kept], place[kept]] = weight[kept]
        return HeavyWords(of_item, nn.functional.normalize(heavy, dim=1))

    def _distinct(self, texts: Texts, items: Items) -> tuple[Tensor, Tensor]:
        """Return the item and the token of each distinct token of each item, by item."""
        text = items.text_index.flatten()
        start, length = texts.offsets[text], texts.offsets.diff()[text]
        item = torch.arange(len(text), device=text.device) // max(items.text_index.shape[1], 1)
        item = item.repeat_interleave(length)
        begins = (length.cumsum(0) - length).repeat_interleave(length)
        place = torch.arange(len(item), device=text.device) - begins
        token = texts.tokens[start.repeat_interleave(length) + place].long()
        both = torch.unique(item * len(self.idf) + token)
        return both // len(self.idf), both % len(self.idf)
