"""Bottleneck adapters: a small network after each part of a layer, the only thing that is trained."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn

from lit_rec.models.text.adapters.layer_parts import layer_parts, output_width
from lit_rec.models.text.tuning import LayerTuning
from lit_rec.ranges import count


class Bottleneck(nn.Module):
    """Down to a few numbers, GELU, up again, and added to the input; at first it adds 0.

    Args:
        width: Width of a token vector.
        size: Width in the middle.

    Shape:
        ``[..., width]`` -> ``[..., width]``.

    Example:
        >>> import torch
        >>> Bottleneck(4, size=2)(torch.ones(1, 4)).tolist()
        [[1.0, 1.0, 1.0, 1.0]]
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, size), nn.Linear(size, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return the vectors with what was learned added."""
        added: Tensor = self.up(nn.functional.gelu(self.down(vectors)))
        return vectors + added


class BottleneckTuning(LayerTuning):
    """Train a bottleneck in each layer; the encoder itself is frozen.

    Houlsby et al., 2019 (https://arxiv.org/abs/1902.00751): after the attention and after the feed-forward part.
    Pfeiffer et al., 2021 (https://arxiv.org/abs/2005.00247): after the feed-forward part alone. Before the sum with the
    layer's input in both. It wants a rate of 1e-4 to 1e-3. The first pass gives exactly what the encoder gives.

    Args:
        size: Width in the middle of a bottleneck.
        places: ``pfeiffer`` or ``houlsby``.
        layers: In how many of the top layers; in all by default. What is below may be cached.

    Raises:
        ConfigError: If ``size`` is below 1, or as ``LayerTuning`` does.

    Example:
        >>> from lit_rec.models.text.backbone import model_of_config
        >>> sizes = {"hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 2, "num_attention_heads": 1}
        >>> model = model_of_config({"model_type": "bert", "vocab_size": 9, **sizes})
        >>> BottleneckTuning(size=1, layers=1).apply(model)  # 4 + 1 down, 4 + 4 up
        >>> sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        13
    """

    def __init__(
        self,
        size: int = 64,
        places: Literal["pfeiffer", "houlsby"] = "pfeiffer",
        layers: int | None = None,
    ) -> None:
        super().__init__(layers)
        self.size, self.places = count(self, "size", size), places

    def apply(self, model: nn.Module) -> None:
        """Freeze the encoder, and put bottlenecks into its layers."""
        layers = self.tuned_layers(model)
        model.requires_grad_(False)
        for layer in layers:
            parts = layer_parts(layer)
            ends = [parts.feed_forward[-1]]
            if self.places == "houlsby":
                ends.insert(0, parts.attention[-1])
            for name in ends:
                end = layer.get_submodule(name)
                end.add_module("bottleneck", Bottleneck(output_width(end), self.size))
                end.register_forward_hook(_through_bottleneck)


def _through_bottleneck(module: Any, given: object, found: Tensor) -> Tensor:
    # of the module that is called: a hook that held a bottleneck would hold that of the original in a copy
    through: Tensor = module.bottleneck(found)
    return through
