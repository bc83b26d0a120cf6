"""Prefix tuning: learned keys and values that each token can attend to, before those of the text."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from lit_rec.errors import ConfigError
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.text.adapters.reparametrised import LearnedVectors, normal
from lit_rec.models.text.tuning import LayerTuning
from lit_rec.ranges import count

# name of the attention function among those of transformers
_ATTENTION = "lit_rec_prefix"
_watched = threading.local()


class Prefix(nn.Module):
    """Keys and values of one layer.

    Args:
        tokens: How many, P.
        heads: Heads of keys and values, H.
        width: Width of a head, D.
        hidden: Hidden units of a network that makes them; None: they are learned themselves.
    """

    def __init__(self, tokens: int, heads: int, width: int, hidden: int | None) -> None:
        super().__init__()
        self._shape = (tokens, 2, heads, width)
        numbers = 2 * heads * width
        self.learned = LearnedVectors(
            normal(tokens, numbers if hidden is None else heads * width), hidden, numbers
        )

    def before(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values ``[B, H, T, D]`` with those of the prefix in front: ``[B, H, P + T, D]``."""
        # [P, 2, H, D] -> [2, 1, H, P, D]
        ours = self.learned().view(self._shape).permute(1, 2, 0, 3).unsqueeze(1).to(key.dtype)
        first, second = ours.expand(-1, len(key), -1, -1, -1)
        return torch.cat([first, key], 2), torch.cat([second, value], 2)


class PrefixTuning(LayerTuning):
    """Train keys and values that stand before those of each text, in each layer; the encoder itself is frozen.

    Li & Liang, 2021 (https://arxiv.org/abs/2101.00190). The text keeps its length and positions. It wants a rate of
    1e-3 to 1e-2. For encoders whose attention is one of transformers' exchangeable functions: BERT, RoBERTa,
    DistilBERT, ModernBERT, GPT-2, Qwen2 and similar ones; not DeBERTa-v2, MPNet and T5.

    Args:
        tokens: How many keys and values.
        hidden: Hidden units of a network for each layer that makes them, as in the paper; None: they are learned
            themselves.
        layers: In how many of the top layers; in all by default. What is below may be cached.

    Raises:
        ConfigError: If ``tokens`` or ``hidden`` is below 1, the encoder's attention takes no prefix, or as
            ``LayerTuning`` does.

    Example:
        >>> from lit_rec.models.text.backbone import model_of_config
        >>> sizes = {"hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 2, "num_attention_heads": 1}
        >>> model = model_of_config({"model_type": "bert", "vocab_size": 9, **sizes})
        >>> PrefixTuning(tokens=3, layers=1).apply(model)  # 3 keys and 3 values of width 4
        >>> sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        24
    """

    def __init__(
        self, tokens: int = 20, hidden: int | None = None, layers: int | None = None
    ) -> None:
        super().__init__(layers)
        self.tokens = count(self, "tokens", tokens)
        self.hidden = None if hidden is None else count(self, "hidden", hidden)

    def apply(self, model: nn.Module) -> None:
        """Freeze the encoder, and put a prefix into the attention of its layers."""
        inside = {module for layer in self.tuned_layers(model) for module in layer.modules()}
        model.requires_grad_(False)
        try:
            _exchange_attention(model)
            found = _attentions(model)
            for module, heads, width in found:
                if module in inside:
                    module.add_module("prefix", Prefix(self.tokens, heads, width, self.hidden))
            _attentions(model)  # with the prefix: what cannot take it fails here
        except (
            Exception
        ) as error:  # attention of a family may fail in any way on more keys than it expects
            if next(model.parameters()).is_meta:  # a pass needs numbers: says nothing of the family
                raise
            found, reason = [], f" ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
        else:
            reason = ""
        if not found:
            raise ConfigError(
                f"the attention of {type(model).__name__} takes no prefix{reason}",
                where="PrefixTuning",
                rule="an encoder whose attention is an exchangeable function of transformers, such as BERT",
                remedy="use PromptTuning, LoraTuning or BottleneckTuning, which take this encoder",
            )


def _exchange_attention(model: Any) -> None:
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(_ATTENTION, _with_prefix)
    AttentionMaskInterface.register(_ATTENTION, sdpa_mask)
    model.set_attn_implementation(_ATTENTION)


def _with_prefix(
    module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **options: Any
) -> Any:
    """Compute attention as transformers does, with the module's prefix before keys and values."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if (watched := getattr(_watched, "found", None)) is not None:
        watched.append((module, key.shape[1], key.shape[3]))
    prefix = getattr(module, "prefix", None)
    if prefix is not None:
        if mask is None and options.get("is_causal", getattr(module, "is_causal", False)):
            length = query.shape[2]
            mask = torch.ones(length, length, dtype=torch.bool, device=query.device).tril()[
                None, None
            ]
        key, value = prefix.before(key, value)
        if mask is not None:  # True or 0: every token sees the prefix
            seen = True if mask.dtype == torch.bool else 0.0
            mask = nn.functional.pad(mask, (key.shape[2] - mask.shape[3], 0), value=seen)
    return sdpa_attention_forward(module, query, key, value, mask, **options)


def _attentions(model: nn.Module) -> list[tuple[nn.Module, int, int]]:
    """Return the modules that call the attention function, each with its heads and their width, found by a pass."""
    device = next(model.parameters()).device
    ids = torch.arange(2, device=device).view(1, 2)  # ids that every vocabulary has
    with evaluation_mode(model), torch.no_grad(), _watching() as found:
        model(input_ids=ids, attention_mask=torch.ones_like(ids))
    return found


@contextmanager
def _watching() -> Iterator[list[tuple[nn.Module, int, int]]]:
    _watched.found = []
    try:
        yield _watched.found
    finally:
        _watched.found = None
