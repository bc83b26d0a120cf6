"""LoadedNetwork: what everything that answers from a checkpoint alone is made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from lit_rec.errors import ConfigError
from lit_rec.inference.requests.texts import NewTexts
from lit_rec.inference.stored.loading import load_module
from lit_rec.models.networks.text_classifier import TextClassifier
from lit_rec.models.networks.two_tower import Network
from lit_rec.training.checkpoint.content import facts_of
from lit_rec.training.lit_rec import LitRec

# kind -> the class that answers from it, and its command
_ANSWER = {
    "two towers": ("recommender.Recommender", "lit-rec recommend"),
    "cross-encoder": ("reranker.Reranker", "lit-rec recommend --rerank"),
    "classifier of texts": ("classifier.Classifier", "lit-rec classify"),
}


def kind_of(network: Network) -> str:
    """Return what answers come from: vectors of items and users apart, both read together, or texts without a user."""
    if isinstance(network, TextClassifier):
        return "classifier of texts"
    return "two towers" if network.has_item_table else "cross-encoder"


class LoadedNetwork:
    """A network with what its checkpoint knows: no YAML, no data folder, no encoder folder and no network are needed.

    Args:
        module: The module, built and loaded.
        content: The checkpoint's content.
        where: What the checkpoint is called in errors.

    Raises:
        ConfigError: If the network is of another kind.
    """

    takes: ClassVar[str]
    lacks: ClassVar[str]

    def __init__(self, module: LitRec, content: dict[str, Any], where: str = "") -> None:
        network = module.built()
        kind = kind_of(network)
        if kind != self.takes:
            path, command = _ANSWER[kind]
            raise ConfigError(
                f"a {type(network).__name__} {self.lacks}",
                where=where or type(self).__name__,
                rule=f"{type(self).__name__} answers from {self.takes}",
                remedy=f"lit_rec.inference.{path}, or `{command}`, takes this checkpoint",
            )
        self._module = module.eval()
        self._content = content
        self._facts = facts_of(content)
        self._texts = NewTexts.of_items(content, self._facts)

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path,
        *,
        network: Any = None,
        device: str = "cpu",
        trust: str | Sequence[str] = (),
    ) -> Self:
        """Load a checkpoint.

        Args:
            path: A file that ``lit-rec fit`` or a Trainer with LitRec wrote.
            network: The network's factory, for a checkpoint of a run without a YAML.
            device: Where to compute.
            trust: Modules of your own that the checkpoint may name, such as ``["my_parts"]``.

        Raises:
            CheckpointError: If the file is absent, damaged, not of lit_rec, has no configuration and no ``network`` is
                given, or names what is not trusted.
            ConfigError: If its network is of another kind.
        """
        module, content = load_module(path, network, trust)
        return cls(module.to(device), content, str(path))
