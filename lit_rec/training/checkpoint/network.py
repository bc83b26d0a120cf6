"""Build a network from a checkpoint, never larger than the checkpoint's weights, and check that both agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch

from lit_rec.data.facts import Facts
from lit_rec.errors import CheckpointError, LitRecError
from lit_rec.models.networks.network import ItemNetwork, Network
from lit_rec.models.text.build_limit import TooLargeError, build_limit
from lit_rec.training.checkpoint.content import KEY, check_content, facts_of
from lit_rec.training.checkpoint.resumed_state import check_resumed
from lit_rec.training.checkpoint.values import EntryError, shown
from lit_rec.training.checkpoint.weights import (
    check_facts,
    check_weights,
    other_network,
    other_weights,
    shape_of,
)

_PREFIX = "network."
# weights that are rows of another one, unlike all others
_PLACES = {
    f"{_PREFIX}neighbors.index": f"{_PREFIX}neighbors.value",
    f"{_PREFIX}neighbors.nearest.token": f"{_PREFIX}neighbors.nearest.words.idf",
}
# tied and replaced parameters are counted each time that a module registers them
_REGISTERED, _SLACK = 4, 1_000_000


def check_loaded(checkpoint: dict[str, Any], module: Any) -> None:
    """Check that the checkpoint that Lightning loaded fits the network: the file may differ from the one read before.

    Args:
        checkpoint: The result of ``torch.load``.
        module: A LitRec with its network, which will load the weights.

    Raises:
        CheckpointError: If weights or data differ, naming both values, or an entry is wrong.
    """
    where = f"--ckpt_path {module.trainer.ckpt_path}"
    check_content(checkpoint, where=where)
    check_facts(facts_of(checkpoint[KEY]), module.facts)
    check_stored(checkpoint, module, where)
    if module.trainer.state.fn == "fit":
        check_resumed(checkpoint, module.trainer, module.new_optimizer(), where)


def check_stored(checkpoint: dict[str, Any], module: Any, where: str) -> None:
    """Check that a checkpoint's weights and item vectors fit a LitRec's network.

    Raises:
        CheckpointError: If they are not.
    """
    check_weights(checkpoint, module, where=where)
    _check_places(checkpoint["state_dict"], where)
    vectors = checkpoint[KEY]["catalogue"]["vectors"]
    network = module.built()
    if vectors is None or not isinstance(network, ItemNetwork):
        return
    if vectors.shape[1] != network.table_width:
        problem, rule = (
            shown(vectors),
            f"vectors of {network.table_width}, as the network makes them",
        )
        raise EntryError("catalogue.vectors", problem, rule).error(where)


def _check_places(weights: Mapping[str, torch.Tensor], where: str) -> None:
    """Check that neighbors are rows of the vocabulary, and words those of the encoder's."""
    for name, of in _PLACES.items():
        place = weights.get(name)
        if place is None or not place.numel() or of not in weights:
            continue
        low, high, rows = int(place.min()), int(place.max()), len(weights[of])
        if low < 0 or high >= rows:
            problem = f"row {low if low < 0 else high}"
            raise EntryError(name, problem, f"rows from 0 to {rows - 1}").error(where)


def network_of(
    factory: Callable[[Facts], Network], facts: Facts, stored: StoredShapes | None
) -> Network:
    """Build a network; if its Facts are from a checkpoint, within the limits of the ``stored`` shapes."""
    return factory(facts) if stored is None else stored.build(lambda: factory(facts))


@dataclass(frozen=True)
class StoredShapes:
    """Shapes of a checkpoint's weights.

    Args:
        shapes: Shapes by name, only of the network.
        where: The checkpoint as the user named it.
    """

    shapes: Mapping[str, tuple[int, ...] | None]
    where: str

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any], where: str) -> StoredShapes:
        """Return the shapes of a checkpoint that ``torch.load`` returned."""
        weights = checkpoint["state_dict"].items()
        own = {n.removeprefix(_PREFIX): shape_of(w) for n, w in weights if n.startswith(_PREFIX)}
        return cls(own, where)

    def build(self, factory: Callable[[], Network]) -> Network:
        """Build the network that has these weights.

        It is first built on the meta device, where tensors have shapes and no numbers. Wrong sizes are refused before
        memory is allocated. A part that needs numbers is built once, within the limit of all weights together.

        Raises:
            CheckpointError: If the network has other weights, or cannot be built.
            ConfigError: If a part refuses its options.
        """
        return self._built(factory, tried=True)

    def build_at_once(self, factory: Callable[[], Network]) -> Network:
        """Build the network without the meta device, of which PyTorch takes a second to prepare.

        Wrong sizes are refused while memory is allocated. Compare the weights before you load them.

        Raises:
            CheckpointError: If the network is larger than its weights, or cannot be built.
            ConfigError: If a part refuses its options.
        """
        return self._built(factory, tried=False)

    def _built(self, factory: Callable[[], Network], *, tried: bool) -> Network:
        try:
            if tried:
                self._try(factory)
            stored = sum(prod(shape or ()) for shape in self.shapes.values())
            with build_limit(_REGISTERED * stored + _SLACK):
                return factory()
        except LitRecError:
            raise
        except Exception as error:  # any part may fail by options that nobody checked
            raise self._unbuilt(error) from error

    def _try(self, factory: Callable[[], Network]) -> None:
        try:
            with torch.device("meta"), build_limit():
                network = factory()
        except (LitRecError, TooLargeError):
            raise
        except Exception:
            return
        here = {name: shape_of(weight) for name, weight in network.state_dict().items()}
        if problems := other_weights(self.shapes, here):
            raise other_network([_PREFIX + problem for problem in problems], self.where)

    def _unbuilt(self, error: Exception) -> CheckpointError:
        reason = " ".join(str(error).split())[:160]
        return CheckpointError(
            f"its network cannot be built here ({type(error).__name__}: {reason})",
            where=self.where,
            rule="a network of the sizes that its weights have",
            remedy="use the file as `lit-rec fit` wrote it, with the same version of lit_rec",
        )
