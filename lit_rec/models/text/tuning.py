"""Which parameters of a pretrained encoder are trained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from lit_rec.errors import ConfigError, option_of

# names of the list of layers: BERT and similar models, ModernBERT, DistilBERT, GPT-2, T5
_LAYER_LISTS = ("encoder.layer", "layers", "transformer.layer", "h", "encoder.block")
_LAST_NORMS = ("norm", "ln_f", "final_norm", "encoder.final_layer_norm")


def encoder_layers(model: nn.Module) -> nn.ModuleList:
    """Return the encoder's layers, lowest first; they are found by its structure.

    Raises:
        ConfigError: If the encoder is of no known structure.
    """
    modules = dict(model.named_modules())
    for name in _LAYER_LISTS:
        found = modules.get(name)
        if isinstance(found, nn.ModuleList):
            return found
    raise ConfigError(
        f"{type(model).__name__} keeps its layers in none of {', '.join(_LAYER_LISTS)}",
        where="LayerTuning",
        rule="tuning inside the layers needs an encoder of a known structure",
        remedy="use FullTuning or FrozenTuning for this encoder",
    )


class Tuning(ABC):
    """A choice of trained parameters.

    ``apply`` is all that most need. A tuning that changes what is trained while the run goes on also has
    ``begin_training``, ``after_step`` and ``end_training``; one that adds to the loss has ``penalty``; and one that has
    to remember something has ``training_state`` and ``restore_training``. See ``AdaLoraTuning``.

    Example:
        >>> class BiasTuning(Tuning):
        ...     def apply(self, model: nn.Module) -> None:
        ...         for name, parameter in model.named_parameters():
        ...             parameter.requires_grad_(name.endswith("bias"))
        >>> encoder = nn.Linear(2, 2)
        >>> BiasTuning().apply(encoder)
        >>> encoder.weight.requires_grad, encoder.bias.requires_grad
        (False, True)
    """

    @property
    def added_tokens(self) -> int:
        """By how many tokens a text becomes longer within the encoder."""
        return 0

    @abstractmethod
    def apply(self, model: nn.Module) -> None:
        """Set ``requires_grad`` on every parameter of the encoder."""

    def frozen_parts(self, model: nn.Module) -> list[nn.Module]:
        """Return the parts that stay in evaluation mode while the rest is trained: their dropout is off.

        Call it after ``apply``. By default the whole encoder where nothing of it is trained, otherwise nothing.
        """
        return [] if _is_trained(model) else [model]

    def frozen_layers(self, model: nn.Module) -> list[nn.Module]:
        """Return the lowest layers that are frozen, together with all that is before them; lowest first.

        Call it after ``apply``, where only a part of the encoder is trained. The output of the last of them may be
        cached while training.
        """
        return []

    def begin_training(self, model: nn.Module, steps: int) -> None:  # noqa: B027  (most have nothing to do)
        """Prepare for a run; called before the first step, also of a resumed run.

        Args:
            model: The encoder.
            steps: Number of optimizer steps from the beginning to the end.
        """

    def penalty(self, model: nn.Module) -> Tensor | None:
        """Return what is added to the loss of each optimizer step, a scalar; None: nothing.

        It depends on weights alone, and must be equal on all processes. Its gradient is added once a step, after those
        of all micro-batches, and before gradients are clipped. It is not in the losses that are shown.
        """
        return None

    def after_step(self, model: nn.Module, step: int) -> None:  # noqa: B027
        """Follow an optimizer step.

        Gradients are still there, averaged over processes: all processes have to do the same.

        Args:
            model: The encoder, with its new weights.
            step: The number of the step, counted from 1; resumed runs go on counting.
        """

    def end_training(self, model: nn.Module, step: int) -> str | None:
        """Return what the user should know at the end of a run, in a line; None: nothing.

        Args:
            model: The encoder.
            step: How many optimizer steps were made.
        """
        return None

    def training_state(self) -> dict[str, Tensor]:
        """Return what a resumed run needs beside the weights, by name."""
        return {}

    def restore_training(self, state: Mapping[str, Any]) -> None:  # noqa: B027
        """Go on from ``training_state``; called after ``begin_training`` of a resumed run.

        Args:
            state: From a checkpoint, which may be damaged: tensors on the CPU, of any names and shapes.
        """


class FullTuning(Tuning):
    """Train every parameter, or all but the word vectors.

    Word vectors of an encoder of many languages are most of its parameters: 96 of 118 million of multilingual-e5-small,
    for which AdamW holds 0.8 GB beside their gradients. Only those of words in the data would be trained.

    Args:
        freeze_embeddings: Whether word vectors stay as they were pretrained.

    Example:
        >>> encoder = nn.Linear(2, 2)
        >>> FullTuning().apply(encoder)
        >>> encoder.weight.requires_grad, FullTuning().frozen_parts(encoder)
        (True, [])
    """

    def __init__(self, freeze_embeddings: bool = False) -> None:
        self.freeze_embeddings = freeze_embeddings

    def apply(self, model: nn.Module) -> None:
        """Train all, or all but the word vectors."""
        model.requires_grad_(True)
        if self.freeze_embeddings:
            model.get_input_embeddings().requires_grad_(False)  # type: ignore[operator]


class FrozenTuning(Tuning):
    """Train none: the encoder stays as it was pretrained, its dropout off.

    Example:
        >>> encoder = nn.Linear(2, 2)
        >>> FrozenTuning().apply(encoder)
        >>> encoder.weight.requires_grad, FrozenTuning().frozen_parts(encoder)
        (False, [Linear(in_features=2, out_features=2, bias=True)])
    """

    def apply(self, model: nn.Module) -> None:
        """Train none."""
        model.requires_grad_(False)


class LayerTuning(Tuning):
    """Train something in the layers, or in the top ones alone; what is below them is frozen, its dropout off.

    Args:
        layers: In how many of the top layers; in all by default.

    Raises:
        ConfigError: If ``layers`` is below 1 or above the number the encoder has, or the encoder is of no known
            structure; ``apply`` checks it.

    Example:
        >>> class TopBiasTuning(LayerTuning):
        ...     def apply(self, model: nn.Module) -> None:
        ...         model.requires_grad_(False)
        ...         for layer in self.tuned_layers(model):
        ...             layer.bias.requires_grad_(True)
        >>> encoder = nn.ModuleDict({"layers": nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])})
        >>> TopBiasTuning(layers=1).apply(encoder)
        >>> [name for name, parameter in encoder.named_parameters() if parameter.requires_grad]
        ['layers.1.bias']
    """

    def __init__(self, layers: int | None = None) -> None:
        self.layers = layers

    def tuned_layers(self, model: nn.Module) -> list[nn.Module]:
        """Return the layers in which something is trained, lowest first.

        Raises:
            ConfigError: As the class says.
        """
        found = list(encoder_layers(model))
        if self.layers is None:
            return found
        if not 1 <= self.layers <= len(found):
            raise ConfigError(
                f"{self.layers} layers of an encoder that has {len(found)}",
                where=option_of(self, "layers"),
                rule=f"1 to {len(found)}",
                remedy="FrozenTuning trains none and FullTuning trains all",
            )
        return found[len(found) - self.layers :]

    def frozen_parts(self, model: nn.Module) -> list[nn.Module]:
        """Return the lower layers, and frozen parts outside all layers: embeddings, and the dropout after them."""
        layers = encoder_layers(model)
        inside = set(layers.modules())
        outside = [
            module
            for module in model.modules()
            if module not in inside and layers not in module.modules() and not _is_trained(module)
        ]
        return [*outside, *self.frozen_layers(model)]

    def frozen_layers(self, model: nn.Module) -> list[nn.Module]:
        """Return the layers below the tuned ones."""
        if self.layers is None:
            return []
        layers = encoder_layers(model)
        return list(layers[: len(layers) - self.layers])


class TopLayersTuning(LayerTuning):
    """Train the top layers; embeddings and lower layers stay as they were pretrained, their dropout off.

    Args:
        layers: How many of the top layers are trained.

    Raises:
        ConfigError: If ``layers`` is below 1 or above the number the encoder has, or the encoder is of no known
            structure; ``apply`` checks it.

    Example:
        >>> encoder = nn.ModuleDict({"layers": nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])})
        >>> TopLayersTuning(layers=1).apply(encoder)
        >>> [name for name, parameter in encoder.named_parameters() if parameter.requires_grad]
        ['layers.1.weight', 'layers.1.bias']
    """

    def __init__(self, layers: int) -> None:
        super().__init__(layers)

    def apply(self, model: nn.Module) -> None:
        """Train the top layers, and the norm after them."""
        layers = self.tuned_layers(model)
        model.requires_grad_(False)
        for layer in layers:
            layer.requires_grad_(True)
        for norm in last_norms(model):
            norm.requires_grad_(True)


def last_norms(model: nn.Module) -> list[nn.Module]:
    """Return the norm after the last layer; none where the layers have their own."""
    return [module for name, module in model.named_modules() if name in _LAST_NORMS]


def _is_trained(module: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in module.parameters())
