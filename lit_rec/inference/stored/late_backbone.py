"""LateBackbone: a stored text encoder that is built when the first text comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

from lit_rec.data.facts import Facts
from lit_rec.models.text.backbone import Backbone
from lit_rec.training.checkpoint.network import StoredShapes
from lit_rec.training.checkpoint.weights import shape_of

_BUILDING = Lock()  # many threads may bring their first text at once


class LateBackbone(Backbone):
    """A text encoder with a checkpoint's weights, built when it is first asked for more than its sizes.

    Building an encoder takes seconds, of which most are imports. Stored vectors of a catalogue need none. The encoder
    is no submodule of this, so it has no place in a state dict.

    Args:
        facts: Facts of the checkpoint, with the encoder's configuration.
        backbone: Builds the encoder.

    Example:
        >>> from dataclasses import replace
        >>> from functools import partial
        >>> from lit_rec.models.text.backbone import ConfiguredBackbone
        >>> options = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
        >>> options |= {"intermediate_size": 4, "model_type": "bert"}
        >>> facts = replace(Facts.example(), backbone=options)
        >>> late = LateBackbone(facts, partial(ConfiguredBackbone, model_type="bert", options={}))
        >>> late.width, late.tokens, len(late.state_dict())
        (4, 9, 0)
    """

    def __init__(self, facts: Facts, backbone: Callable[[Facts], Backbone]) -> None:
        nn.Module.__init__(self)
        self._facts, self._factory = facts, backbone
        self._weights: Mapping[str, Tensor] = {}
        self._where = ""
        self._like = torch.empty(0)  # on the device where the encoder will be
        self._found: list[Backbone] = []  # a list: an attribute would be a submodule

    def load_later(self, weights: Mapping[str, Tensor], where: str) -> None:
        """Take the weights that the encoder will get.

        Args:
            weights: By names of the encoder's state dict.
            where: What the checkpoint is called in errors.
        """
        self._weights, self._where = weights, where

    @property
    def width(self) -> int:
        """Width of a token vector."""
        return int((self._facts.backbone or {})["hidden_size"])

    @property
    def tokens(self) -> int:
        """Number of tokens that the encoder has a vector for."""
        return int((self._facts.backbone or {})["vocab_size"])

    @property
    def encoder(self) -> Backbone:
        """The encoder.

        Raises:
            CheckpointError: If its weights are not those of the checkpoint.
        """
        with _BUILDING:
            if not self._found:
                self._found.append(self._built())
        return self._found[0]

    def _built(self) -> Backbone:
        shapes = {name: shape_of(weight) for name, weight in self._weights.items()}
        encoder: Any = StoredShapes(shapes, self._where).build(lambda: self._factory(self._facts))  # type: ignore[arg-type, return-value]
        encoder.load_state_dict(self._weights)
        self._weights = {}
        found: Backbone = encoder.to(self._like.device).eval()
        return found

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> LateBackbone:
        """Move the encoder, or remember where it has to be."""
        self._like = fn(self._like)
        for encoder in self._found:
            encoder._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def train(self, mode: bool = True) -> LateBackbone:
        """Change nothing: a stored encoder is in evaluation mode."""
        return self

    @property
    def config(self) -> Any:
        """Configuration of the encoder."""
        return self.encoder.config

    @property
    def has_border(self) -> bool:
        """As the encoder's."""
        return self.encoder.has_border

    def border_states(self, *args: Any, **options: Any) -> Tensor:
        """Return the encoder's."""
        return self.encoder.border_states(*args, **options)

    def words(self, *args: Any, **options: Any) -> Any:
        """Return the encoder's."""
        return self.encoder.words(*args, **options)

    def forward(self, *args: Any, **options: Any) -> Tensor:
        """Return the encoder's token vectors."""
        found: Tensor = self.encoder(*args, **options)
        return found
