"""Merging: what adapters learned goes into the encoder's own weights, which is then a plain encoder again."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import nn

from lit_rec.models.text.backbone import model_of_config


class UnmergeableError(Exception):
    """Adapters of a method that has no plain weights which do the same."""


@torch.no_grad()
def merge_adapters(model: nn.Module) -> None:
    """Put the adapters of peft into the weights of an encoder, in place: its keys are those of the plain encoder.

    Nothing is trained afterwards. An encoder without such adapters is not changed.

    Args:
        model: The encoder.

    Raises:
        UnmergeableError: If the method of peft cannot be merged; the encoder is then as it was, or partly merged.

    Example:
        >>> from lit_rec.models.text.adapters.peft_tuning import LoraTuning
        >>> sizes = {"hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
        >>> model = model_of_config({"model_type": "bert", "vocab_size": 9, **sizes})
        >>> plain = set(model.state_dict())
        >>> LoraTuning(rank=1).apply(model)
        >>> added = len(set(model.state_dict()) - plain)
        >>> merge_adapters(model)
        >>> added, set(model.state_dict()) == plain
        (24, True)
    """
    found = [(name, module) for name, module in model.named_modules() if _is_adapter(module)]
    for name, adapter in found:
        try:
            adapter.merge()
        except Exception as error:  # each method of peft has its own reasons
            reason = " ".join(str(error).split())[:160]
            raise UnmergeableError(f"{type(error).__name__}: {reason}") from error
        parent, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, adapter.get_base_layer())
    if found:
        model.requires_grad_(False)


def has_adapters(names: Any) -> bool:
    """Return whether weights of these names hold adapters of peft.

    Example:
        >>> has_adapters(["layer.0.dense.weight"]), has_adapters(["layer.0.dense.base_layer.weight"])
        (False, True)
    """
    return any(".base_layer." in name for name in names)


def added_weights(model: nn.Module) -> list[str]:
    """Return names of weights that a plain encoder of the same configuration has not, such as those of a bottleneck.

    Args:
        model: An encoder of transformers.
    """
    config: Any = model.config
    plain = json.loads(config.to_json_string(use_diff=False))
    with torch.device("meta"):
        known = model_of_config(plain).state_dict().keys()
    return [name for name in model.state_dict() if name not in known]


def _is_adapter(module: Any) -> bool:
    # by its home, so that nothing is imported where no adapter is
    of_peft = any(kind.__module__.startswith("peft.") for kind in type(module).__mro__)
    return of_peft and hasattr(module, "get_base_layer") and hasattr(module, "merge")
