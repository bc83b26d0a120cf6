"""A network built from what a checkpoint says of it: never larger than the weights that the checkpoint holds for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NoReturn

import lightning
import torch

from lit_rec.data.facts import Facts
from lit_rec.errors import CheckpointError, ConfigError, LitRecError
from lit_rec.models.networks.two_tower import Network
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
# tied and replaced parameters are counted each time that a module takes them
_REGISTERED, _SLACK = 4, 1_000_000


def check_loaded(checkpoint: dict[str, Any], module: Any) -> None:
    """Check that what Lightning has loaded fits what was built here; the file may be another than the one read before.

    Args:
        checkpoint: What ``torch.load`` returned.
        module: A LitRec with its network, which will take the weights.

    Raises:
        CheckpointError: If weights or data differ, naming both values, or an entry is not what it has to be.
    """
    where = f"--ckpt_path {module.trainer.ckpt_path}"
    check_content(checkpoint, where=where)
    check_facts(facts_of(checkpoint[KEY]), module.facts)
    check_stored(checkpoint, module, where)
    if module.trainer.state.fn == "fit":
        check_resumed(checkpoint, module.trainer, module.new_optimizer(), where)


def check_stored(checkpoint: dict[str, Any], module: Any, where: str) -> None:
    """Check that a checkpoint's weights, and its vectors of items, are those of a LitRec's network.

    Raises:
        CheckpointError: If they are not.
    """
    check_weights(checkpoint, module, where=where)
    vectors = checkpoint[KEY]["catalogue"]["vectors"]
    encoder = getattr(module.built(), "item_encoder", None)
    if vectors is None or encoder is None:
        return
    if vectors.shape[1] != encoder.width + 1:
        problem, rule = shown(vectors), f"vectors of {encoder.width + 1}, as the network makes them"
        raise EntryError("catalogue.vectors", problem, rule).error(where)


def network_of(
    factory: Callable[[Facts], Network], facts: Facts, stored: StoredShapes | None
) -> Network:
    """Build a network; under the limits of ``stored`` where a checkpoint brought the Facts and perhaps the factory."""
    return factory(facts) if stored is None else stored.build(lambda: factory(facts))


@dataclass(frozen=True)
class StoredShapes:
    """Shapes of a checkpoint's weights.

    Args:
        shapes: By name, of the network alone.
        where: The checkpoint as the user named it.
    """

    shapes: Mapping[str, tuple[int, ...] | None]
    where: str

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any], where: str) -> StoredShapes:
        """Take the shapes of what ``torch.load`` returned."""
        weights = checkpoint["state_dict"].items()
        own = {n.removeprefix(_PREFIX): shape_of(w) for n, w in weights if n.startswith(_PREFIX)}
        return cls(own, where)

    def build(self, factory: Callable[[], Network]) -> Network:
        """Build the network whose weights these are.

        It is built on the meta device first, where tensors have shapes and no numbers: sizes that the weights do not
        have are refused before memory is taken for them. A part that needs numbers is built once, under the limit of
        all weights together.

        Raises:
            CheckpointError: If the network has other weights, or cannot be built.
            ConfigError: If a part refuses its options.
        """
        try:
            self._try(factory)
            stored = sum(prod(shape or ()) for shape in self.shapes.values())
            with build_limit(_REGISTERED * stored + _SLACK):
                return factory()
        except LitRecError:
            raise
        except Exception as error:  # of any part, with options that nobody looked at
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


class OwnCheckpoints(lightning.LightningModule):
    """Refuse ``load_from_checkpoint``, which builds whatever the ``hyper_parameters`` of a file name, from anybody."""

    @classmethod
    def load_from_checkpoint(cls, *_: Any, **__: Any) -> NoReturn:
        """Refuse.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(
            "Lightning would build what the file names, and does not know its facts and vocabulary",
            where=f"{cls.__name__}.load_from_checkpoint",
            rule="a checkpoint of lit_rec is opened by lit_rec",
            remedy="lit_rec.inference.stored.network.load_module(path), or Recommender.from_checkpoint(path)",
        )
