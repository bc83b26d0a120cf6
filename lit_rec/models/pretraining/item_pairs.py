"""ItemPairs: the loss of finding, by texts, the item that came after another."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.models.items.item_encoder import ItemEncoder


class ItemPairs(nn.Module):
    """Cross-entropy of a row's item among the items of the batch's rows, given an item of the row's history.

    An item is known by its texts alone: the vectors of its fields, each of length 1, summed. Cosines are divided by the
    temperature. Frequent items are compared more often, so the log probability of being compared is taken off. What the
    row's history holds is no negative. How far apart the two items may lie is the length of the history: 3, say. While
    training, the earlier item is drawn from the history; otherwise it is the last one. The history may as well hold the
    items of nearest texts, of which the last is the nearest.

    Args:
        facts: Facts of the data. Without the frequencies of items, all are equally frequent.
        temperature: Cosines are divided by it.

    Shape:
        A batch of B rows -> ``[B]`` float32, 0 for rows without an earlier item, the others weighed so that the mean
        over all rows is the mean over these.

    Reference:
        Barkan & Koenigstein 2016, Item2vec, https://arxiv.org/abs/1603.04259 (items beside each other). Yi et al. 2019,
        Sampling-bias-corrected neural modeling, https://doi.org/10.1145/3298689.3346996 (frequency of negatives).

    Example:
        >>> ItemPairs(Facts.example("pretraining", item_log_frequency=(-0.7, -0.7)), 0.1).log_frequency.tolist()
        [-0.699999988079071, -0.699999988079071, -0.699999988079071]
    """

    log_frequency: Tensor | None

    def __init__(self, facts: Facts, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature
        by_row = None
        if facts.item_log_frequency:
            known = torch.tensor(facts.item_log_frequency)
            # by row of the vocabulary; an item that training never saw is as rare as the rarest
            by_row = torch.cat([known.min()[None], known])
        self.register_buffer("log_frequency", by_row, False)

    def forward(self, encoder: ItemEncoder, batch: RecBatch) -> Tensor:
        """Return the losses.

        Args:
            encoder: Encodes the texts.
            batch: The rows.
        """
        after, before = batch.candidates.item_index[:, 0], self._before(batch)
        rows = torch.nonzero((before >= 0) & (before != after))[:, 0]
        texts, place = self._texts(encoder, batch, torch.cat([after[rows], before[rows]]))
        losses = torch.zeros(len(batch), device=after.device)
        if not len(rows):
            return losses * texts.sum()
        with torch.autocast(after.device.type, enabled=False):
            unit = functional.normalize(texts.float(), dim=1)
            vectors = functional.normalize(unit[place].sum(1), dim=1)  # [N, W]
            found = self._of_pairs(vectors, batch, rows, before[rows])
        return losses.index_add(0, rows, found) * (len(batch) / len(rows))

    def _of_pairs(self, vectors: Tensor, batch: RecBatch, rows: Tensor, before: Tensor) -> Tensor:
        """Return the loss of each of some rows ``[n]``, given the item before ``[n]``."""
        after = batch.candidates.item_index[rows, 0]
        compared, place = torch.unique(after, return_inverse=True)
        logits = vectors[before] @ vectors[compared].T / self.temperature
        if self.log_frequency is not None:
            share = self.log_frequency[batch.items.vocab_row[compared]].exp()
            # that one of so many rows has the item
            logits -= torch.log(-torch.expm1(len(rows) * torch.log1p(-share.clamp(max=1 - 1e-6))))
        row, slot = torch.nonzero(batch.history.mask[rows], as_tuple=True)
        seen = torch.zeros(len(rows), len(vectors), dtype=torch.bool, device=rows.device)
        seen[row, batch.history.item_index[rows][row, slot]] = True
        seen = seen[:, compared].scatter(1, place.unsqueeze(1), False)
        return functional.cross_entropy(
            logits.masked_fill(seen, -torch.inf), place, reduction="none"
        )

    def _before(self, batch: RecBatch) -> Tensor:
        """Return an earlier item of each row ``[B]``, -1 where there is none."""
        behaviors = batch.history.mask.sum(1)
        slot = behaviors - 1
        if self.training:
            slot = (torch.rand(len(batch)).to(behaviors.device) * behaviors).long()
        found = batch.history.item_index.gather(1, slot.clamp(min=0)[:, None])[:, 0]
        return found.where(behaviors > 0, -1)

    def _texts(self, encoder: ItemEncoder, batch: RecBatch, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return the vectors of some items' texts ``[P', W]``, and where among them each item has its own ``[N, F]``.

        With no item one text is read all the same: a process that has no gradient would keep others waiting.
        """
        if not len(items):
            items = batch.candidates.item_index[:1, 0]
        read = torch.zeros(len(batch.texts), dtype=torch.bool, device=items.device)
        read[batch.items.text_index[items]] = True
        place = (read.cumsum(0) - 1).clamp(min=0)[batch.items.text_index]
        return encoder.encode_texts(batch.texts.where(read)), place
