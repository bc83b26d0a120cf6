"""Word vectors that are learned, before those of each text."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lit_rec.models.text.adapters.reparametrised import LearnedVectors


class Prompt(LearnedVectors):
    """Word vectors that stand before each text; the encoder's output at their places is left out.

    Example:
        >>> prompt = Prompt(torch.ones(3, 4))
        >>> words, mask = prompt.before(torch.zeros(2, 5, 4), torch.ones(2, 5, dtype=torch.long))
        >>> words.shape, mask.shape
        (torch.Size([2, 8, 4]), torch.Size([2, 8]))
    """

    def before(self, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return word vectors ``[P', T, width]`` and their mask ``[P', T]`` with the prompt in front."""
        ours = self().to(words.dtype).expand(len(words), -1, -1)
        return torch.cat([ours, words], 1), torch.cat([mask.new_ones(ours.shape[:2]), mask], 1)

    def __len__(self) -> int:
        return len(self.vectors)


def prompt_of(model: nn.Module) -> Prompt | None:
    """Return the prompt of an encoder; None: it has none."""
    return next((part for part in model.children() if isinstance(part, Prompt)), None)
