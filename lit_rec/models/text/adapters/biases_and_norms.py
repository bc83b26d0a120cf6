"""Tuning of what an encoder has few numbers of: its biases, or its norms."""

from __future__ import annotations

from torch import nn

from lit_rec.errors import ConfigError
from lit_rec.models.text.tuning import LayerTuning, last_norms


class BitFitTuning(LayerTuning):
    """Train the biases of the layers, those of norms included: about one parameter in a thousand.

    BitFit (Ben Zaken, Ravfogel & Goldberg, 2022, https://arxiv.org/abs/2106.10199). It wants a rate of 1e-4 to 1e-3.

    Args:
        layers: In how many of the top layers; in all by default.

    Raises:
        ConfigError: If the encoder has no biases there, as ModernBERT; or as ``LayerTuning`` does.

    Example:
        >>> encoder = nn.ModuleDict({"layers": nn.ModuleList([nn.Linear(1, 1)])})
        >>> BitFitTuning().apply(encoder)
        >>> [name for name, parameter in encoder.named_parameters() if parameter.requires_grad]
        ['layers.0.bias']
    """

    def apply(self, model: nn.Module) -> None:
        """Train the biases."""
        layers = self.tuned_layers(model)
        model.requires_grad_(False)
        biases = [
            parameter
            for part in (*layers, *last_norms(model))
            for name, parameter in part.named_parameters()
            if name.rpartition(".")[2] == "bias"
        ]
        if not biases:
            raise ConfigError(
                f"{type(model).__name__} has no biases in its layers",
                where="BitFitTuning",
                rule="an encoder whose linear maps or norms have biases",
                remedy="use LayerNormTuning or LoraTuning",
            )
        for bias in biases:
            bias.requires_grad_(True)


class LayerNormTuning(LayerTuning):
    """Train the norms of the layers, weights and biases: about one parameter in a thousand.

    Zhao et al., 2024 (https://arxiv.org/abs/2312.11420). It wants a rate of 1e-4 to 1e-3.

    Args:
        layers: In how many of the top layers; in all by default.

    Raises:
        ConfigError: As ``LayerTuning`` does.

    Example:
        >>> layer = nn.ModuleDict({"map": nn.Linear(1, 1), "norm": nn.LayerNorm(1)})
        >>> encoder = nn.ModuleDict({"layers": nn.ModuleList([layer])})
        >>> LayerNormTuning().apply(encoder)
        >>> [name for name, parameter in encoder.named_parameters() if parameter.requires_grad]
        ['layers.0.norm.weight', 'layers.0.norm.bias']
    """

    def apply(self, model: nn.Module) -> None:
        """Train the norms."""
        layers = self.tuned_layers(model)
        model.requires_grad_(False)
        for part in (*layers, *last_norms(model)):
            for module in part.modules():
                # LayerNorm, and the RMS norms of the families, which have classes of their own
                if "norm" in type(module).__name__.lower():
                    module.requires_grad_(True)
