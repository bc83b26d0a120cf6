"""Linear maps of an encoder's layer by what they are for, found by structure: families name them differently."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import nn

from lit_rec.errors import ConfigError

Targets = Literal["all", "attention"]


class LayerParts(NamedTuple):
    """Names of the linear maps within a layer, in their order there.

    Attributes:
        attention: Of the attention; the last one is its output.
        feed_forward: Of the feed-forward part; the last one is its output.
    """

    attention: tuple[str, ...]
    feed_forward: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.attention, *self.feed_forward)

    @property
    def keys_and_values(self) -> tuple[str, ...]:
        """Those that make keys and values, or queries too where one map makes all three."""
        return tuple(
            name
            for name in self.attention[:-1]
            if not name.rpartition(".")[2].startswith(("q", "pos"))
        )


def layer_parts(layer: nn.Module) -> LayerParts:
    """Return the linear maps of a layer.

    Args:
        layer: A layer of BERT, RoBERTa, DistilBERT, DeBERTa-v2, ModernBERT, MPNet, GPT-2, Qwen2, T5 and similar ones.

    Raises:
        ConfigError: If the layer has no attention or no feed-forward part of linear maps.

    Example:
        >>> from lit_rec.models.text.backbone import model_of_config
        >>> from lit_rec.models.text.tuning import encoder_layers
        >>> sizes = {"hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
        >>> model = model_of_config({"model_type": "bert", "vocab_size": 9, **sizes})
        >>> parts = layer_parts(encoder_layers(model)[0])
        >>> parts.feed_forward, parts.keys_and_values
        (('intermediate.dense', 'output.dense'), ('attention.self.key', 'attention.self.value'))
    """
    names = [name for name, module in layer.named_modules() if is_linear(module)]
    attention = tuple(name for name in names if "att" in name.lower())
    feed_forward = tuple(name for name in names if name not in attention)
    if not attention or not feed_forward:
        raise ConfigError(
            f"{type(layer).__name__} has no linear maps of "
            + ("attention" if not attention else "a feed-forward part"),
            where="tuning",
            rule="a layer with attention and a feed-forward part",
            remedy="use FullTuning, TopLayersTuning or FrozenTuning for this encoder",
        )
    return LayerParts(attention, feed_forward)


def is_linear(module: nn.Module) -> bool:
    """Return whether a module is a linear map: ``nn.Linear``, or the one of GPT-2, which is stored transposed."""
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


def output_width(linear: nn.Module) -> int:
    """Return the width of what a linear map returns."""
    weight = linear.weight
    return int(weight.shape[0] if isinstance(linear, nn.Linear) else weight.shape[1])  # type: ignore[index]
