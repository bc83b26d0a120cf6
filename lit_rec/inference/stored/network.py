"""load_module: rebuild a checkpoint's module; LoadedNetwork: the base of classes that need only a checkpoint."""

from __future__ import annotations

import re
from argparse import ArgumentError
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from jsonargparse import ArgumentParser, set_parsing_settings

from lit_rec.data.facts import Facts
from lit_rec.errors import CheckpointError, ConfigError
from lit_rec.inference.requests.texts import NewTexts
from lit_rec.inference.stored.model import BuiltModule, StoredModel
from lit_rec.models.networks.network import Network
from lit_rec.models.networks.text_classifier import TextClassifier
from lit_rec.models.pretraining.text_pretraining import TextPretraining
from lit_rec.training.checkpoint.content import KEY, facts_of, read_checkpoint
from lit_rec.training.checkpoint.network import StoredShapes, check_stored
from lit_rec.training.checkpoint.trusted_classes import check_named

if TYPE_CHECKING:
    from lit_rec.training.lit_rec import LitRec


def load_module(
    path: str | Path,
    network: Callable[[Facts], Network] | None = None,
    trust: str | Sequence[str] = (),
    base: str | Sequence[str] = (),
) -> tuple[LitRec, dict[str, Any]]:
    """Rebuild the module of a checkpoint, and return it with the checkpoint's content.

    Args:
        path: The file.
        network: The network's factory, if the checkpoint is of a run without a YAML.
        trust: Your own modules that the checkpoint may name, with their submodules. Of other names, only lit_rec and
            optimizers of torch are imported.
        base: Folders where the encoder may be, if the checkpoint holds only what was trained
            (``RunCheckpoint(adapters_only=True)``), beside the one that it names.

    Raises:
        CheckpointError: If the file is absent, damaged, not of lit_rec, has no configuration and no ``network`` is
            given, names what is not trusted, or its weights are not those of its network.
        ConfigError: If ``trust`` holds something that is not the name of a module.
    """
    checkpoint = read_checkpoint(path, trust, base)
    return module_of(checkpoint, path, network, trust), checkpoint[KEY]


def load_for_answers(
    path: str | Path,
    network: Callable[[Facts], Network] | None = None,
    trust: str | Sequence[str] = (),
    base: str | Sequence[str] = (),
) -> tuple[BuiltModule, dict[str, Any]]:
    """Rebuild what answers need of a checkpoint, without Lightning where it is of lit_rec's own parts.

    Arguments and errors are those of ``load_module``.
    """
    checkpoint = read_checkpoint(path, trust, base)
    if network is None and not trust and (model := StoredModel.of(checkpoint, str(path))):
        return model, checkpoint[KEY]
    return module_of(checkpoint, path, network, trust), checkpoint[KEY]


def module_of(
    checkpoint: dict[str, Any],
    path: str | Path,
    network: Callable[[Facts], Network] | None = None,
    trust: str | Sequence[str] = (),
) -> LitRec:
    """Rebuild the module of a checkpoint that ``read_checkpoint`` returned; see ``load_module``."""
    from lit_rec.training.lit_rec import LitRec  # with Lightning, which takes seconds

    content = checkpoint[KEY]
    module = LitRec(network=network) if network else _module_of(content["config"], path, trust)
    module.restore(facts_of(content), StoredShapes.of(checkpoint, str(path)))
    module.configure_model()
    check_stored(checkpoint, module, str(path))
    module.load_state_dict(checkpoint["state_dict"])
    return module


def _module_of(
    config: dict[str, Any] | None, path: str | Path, trust: str | Sequence[str]
) -> LitRec:
    if config is None:
        raise CheckpointError(
            "it holds no configuration, because a run without a YAML wrote it",
            where=str(path),
            rule="the network is built from the configuration, or from a factory",
            remedy="from_checkpoint(path, network=FACTORY)",
        )
    from lit_rec.training.lit_rec import LitRec

    check_named({"model": config.get("model")}, trust, str(path), model=LitRec)
    # if an option takes any value, a mapping is data, also if it names classes
    set_parsing_settings(instantiate_subclass_spec_in_any=False)
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(LitRec, "model")
    try:
        options = parser.parse_object({"model": config["model"]})
    except ArgumentError as error:
        raise CheckpointError(
            f"its network cannot be built here ({_reason(str(error))})",
            where=str(path),
            rule="options that its classes take",
            remedy="use the file as `lit-rec fit` wrote it, with the same version of lit_rec",
        ) from error
    module: LitRec = parser.instantiate(options).model
    return module


def _reason(message: str) -> str:
    found = re.search(r"No module named '[^']+'|module '[^']+' has no attribute '[^']+'", message)
    return found[0] if found else " ".join(message.split())[:160]


# kind of network -> what takes it
_TAKEN_BY = {
    "two towers": "lit_rec.inference.recommender.Recommender, or `lit-rec recommend`",
    "cross-encoder": "lit_rec.inference.reranker.Reranker, or `lit-rec recommend --rerank`",
    "classifier of texts": "lit_rec.inference.classifier.Classifier, or `lit-rec classify`",
    "pretrained encoder": "`lit-rec export-encoder`, whose folder a task's `data.encoder` names,",
}


def kind_of(network: Network) -> str:
    """Return the kind of a network: separate item and user vectors, history and item read together, or texts."""
    if isinstance(network, TextClassifier):
        return "classifier of texts"
    if isinstance(network, TextPretraining):
        return "pretrained encoder"
    return "two towers" if network.has_item_table else "cross-encoder"


class LoadedNetwork:
    """A network that is loaded from a checkpoint alone, without YAML, data folder, encoder folder or internet.

    Args:
        module: The module, built and loaded.
        content: The checkpoint's content.
        where: What the checkpoint is called in errors.

    Raises:
        ConfigError: If the network is of another kind.
    """

    takes: ClassVar[str]
    lacks: ClassVar[str]

    def __init__(self, module: BuiltModule, content: dict[str, Any], where: str = "") -> None:
        network = module.built()
        kind = kind_of(network)
        if kind != self.takes:
            raise ConfigError(
                f"a {type(network).__name__} {self.lacks}",
                where=where or type(self).__name__,
                rule=f"{type(self).__name__} answers from {self.takes}",
                remedy=f"{_TAKEN_BY[kind]} takes this checkpoint",
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
        base: str | Sequence[str] = (),
    ) -> Self:
        """Load a checkpoint.

        Args:
            path: A file that ``lit-rec fit`` or a Trainer with LitRec wrote.
            network: The network's factory, for a checkpoint of a run without a YAML.
            device: Where to compute.
            trust: Your own modules that the checkpoint may name, such as ``["my_parts"]``.
            base: Folders where the encoder may be, if the checkpoint holds only what was trained.

        Raises:
            CheckpointError: If the file is absent, damaged, not of lit_rec, has no configuration and no ``network`` is
                given, or names what is not trusted.
            ConfigError: If its network is of another kind.
        """
        module, content = load_for_answers(path, network, trust, base)
        return cls(module.to(device), content, str(path))
