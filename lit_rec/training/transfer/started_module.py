"""The LightningModule that LitRec is made from: a new run may begin with the weights of another run's checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning
from lightning.pytorch.loggers import TensorBoardLogger

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.facts import Facts
from lit_rec.errors import option_of
from lit_rec.models.networks.network import Network
from lit_rec.progress import say
from lit_rec.training.checkpoint.checkpoint_file import check_is_file
from lit_rec.training.checkpoint.content import KEY, facts_of, read_checkpoint, tokenizer_of
from lit_rec.training.transfer.same_encoder import check_words, prefix_of
from lit_rec.training.transfer.taken import plain_weights, take

OPTION = "start_from"


class StartedModule(lightning.LightningModule):
    """A LightningModule whose new network takes what fits of a checkpoint; see ``take``."""

    start_from: str | None = None
    bases: Sequence[str] = ()  # where the encoder of such a checkpoint may be, too
    trusted: Sequence[str] = ()  # modules that may register the task of such a checkpoint
    _start_lines: Sequence[str] = ()

    def check_start(self) -> None:
        """Check that the checkpoint is there: the data is read before it is needed.

        Raises:
            CheckpointError: If it is not.
        """
        if self.start_from is not None:
            check_is_file(self.start_from, option_of(self, OPTION))

    def take_start(self, network: Network, facts: Facts) -> None:
        """Take what fits of the checkpoint that is named.

        A Trainer that resumes a run loads all weights of its own checkpoint afterwards.

        Args:
            network: The new network.
            facts: Its Facts.

        Raises:
            CheckpointError: If the checkpoint cannot be read, or its encoder is another one.
        """
        if self.start_from is None:
            return
        option = option_of(self, OPTION)
        checkpoint = read_checkpoint(self.start_from, self.trusted, self.bases, option=option)
        content, where = checkpoint[KEY], f"{option} {self.start_from}"
        weights = plain_weights(checkpoint)
        data: Any = None if self._trainer is None else self._trainer.datamodule  # type: ignore[attr-defined]
        reads = network.backbone is not None and prefix_of(weights) is not None
        if isinstance(data, BehaviorDataModule) and reads:
            check_words(data.tokenizer_files, tokenizer_of(content), where)
        found = take(network, facts, weights, facts_of(content), where)
        self._start_lines = found.lines(self.start_from)

    def on_fit_start(self) -> None:
        """Say what was taken, on the screen and in TensorBoard; not where a run resumes."""
        if not self._start_lines or self.trainer.ckpt_path is not None:
            return
        for line in self._start_lines:
            say(line)
        text = "\n".join(self._start_lines)
        for logger in self.trainer.loggers if self.trainer.is_global_zero else ():
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_text(OPTION, f"```\n{text}\n```")


def without_start(config: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a configuration as a checkpoint holds it: its weights are its own, wherever they began.

    Example:
        >>> without_start({"model": {"start_from": "a.ckpt", "head_rate": 0.1}})
        {'model': {'start_from': None, 'head_rate': 0.1}}
    """
    if config is None or OPTION not in (config.get("model") or {}):
        return config
    return {**config, "model": {**config["model"], OPTION: None}}
