"""Prompt tuning: learned word vectors before each text."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from lit_rec.models.text.adapters.prompt import Prompt
from lit_rec.models.text.tuning import Tuning
from lit_rec.ranges import count


class PromptTuning(Tuning):
    """Train word vectors that stand before each text, nothing else; the encoder itself is frozen.

    Lester, Al-Rfou & Constant, 2021 (https://arxiv.org/abs/2104.08691); with ``hidden``, the vectors are made by a
    small network, as in P-tuning (Liu et al., 2021, https://arxiv.org/abs/2103.10385). It wants a rate of 1e-2 to 1e-1.
    Texts become longer by ``tokens``; pooling reads the text's own tokens, so the first token is still the text's
    first.

    Args:
        tokens: How many vectors.
        hidden: Hidden units of the network; None: the vectors themselves are learned.

    Raises:
        ConfigError: If ``tokens`` or ``hidden`` is below 1.

    Example:
        >>> from lit_rec.models.text.backbone import model_of_config
        >>> sizes = {"hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 2, "num_attention_heads": 1}
        >>> model = model_of_config({"model_type": "bert", "vocab_size": 9, **sizes})
        >>> PromptTuning(tokens=3).apply(model)
        >>> sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        12
    """

    def __init__(self, tokens: int = 20, hidden: int | None = None) -> None:
        self.tokens = count(self, "tokens", tokens)
        self.hidden = None if hidden is None else count(self, "hidden", hidden)

    @property
    def added_tokens(self) -> int:
        """By how much texts become longer."""
        return self.tokens

    def apply(self, model: Any) -> None:
        """Freeze the encoder, and add the prompt to it."""
        model.requires_grad_(False)
        table = model.get_input_embeddings().weight
        # as in the paper: at the vectors of words
        start = table[torch.randint(len(table), (self.tokens,))]
        model.add_module("prompt", Prompt(start, self.hidden))

    def frozen_parts(self, model: nn.Module) -> list[nn.Module]:
        """Return nothing: dropout is on in all layers."""
        return []
