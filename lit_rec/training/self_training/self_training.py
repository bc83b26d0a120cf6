"""SelfTraining: rows without a label train with the labels of which an averaged teacher is sure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor

from lit_rec import ranges
from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.batch import RecBatch, Target
from lit_rec.data.batches.collator import BatchRows
from lit_rec.data.batches.variants import VariantCollator
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.linear.softmax_regression import sampled
from lit_rec.models.networks.network import Network
from lit_rec.training.closed_forms import SupposedLabels
from lit_rec.training.guards.guard import Guard, refuse_sharded
from lit_rec.training.self_training.drawn_rows import DrawnRows
from lit_rec.training.self_training.teacher import Teacher, changing_weights

_OWN_DRAWS = 2  # after a batch's seed


class SelfTraining(Guard):
    """Let rows without a label join the batches, with the label that a teacher gives them, where it is sure of one.

    Each step draws rows without a label, each once before any comes again. The teacher, whose weights are averages of
    those of the trained network, reads them as they are. Rows whose most probable label has at least the probability
    ``confidence`` then count like rows with that label, in every loss. Augmentation and other guards change what the
    trained network reads of them. Unlabelled are the training rows without a label and, in data without users, the rows
    that ``FewLabelsSplit`` leaves out, whose labels are not read. An epoch is one pass over the rows with a label.

    ``train/pseudo_labels`` is the share of the drawn rows of which the teacher was sure, by epoch. Label smoothing
    lowers probabilities, and so does a contrastive loss; where few rows are taken, lower ``confidence``.

    Args:
        confidence: Least probability of a label that is believed.
        ratio: How many rows are drawn for each row with a label; 0: none.
        start_epoch: The first epoch, from 0, in which rows are drawn.
        decay: Share of the teacher's weights that stays in each step.

    Raises:
        ConfigError: If an option is out of range. When a run begins, if no label is predicted, every row has a label,
            or the encoder is divided among processes.

    Reference:
        Lee 2013, Pseudo-label. Tarvainen & Valpola 2017, https://arxiv.org/abs/1703.01780 (averaged teacher). Sohn et
        al. 2020, FixMatch, https://arxiv.org/abs/2001.07685 (confident labels of plain texts, learned on changed ones).

    Example:
        >>> SelfTraining(confidence=0.95, ratio=2.0).ratio
        2.0
    """

    adds_rows = True

    def __init__(
        self,
        confidence: float = 0.9,
        ratio: float = 1.0,
        start_epoch: int = 1,
        decay: float = 0.99,
    ) -> None:
        self.confidence = ranges.share(self, "confidence", confidence)
        self.ratio = ranges.not_negative(self, "ratio", ratio)
        self.start_epoch = ranges.count(self, "start_epoch", start_epoch, 0)
        self.decay = ranges.share(self, "decay", decay)
        self._teacher = Teacher(decay, type(self).__name__)
        self._place = (0, 0)  # epoch, and batch in it
        self._counted = {"epoch": 0, "drawn": 0, "sure": 0}

    @property
    def reads_unlabelled(self) -> bool:
        """Whether the data should leave rows without a label to this, instead of putting them into batches."""
        return self.ratio > 0

    def check(self, trainer: lightning.Trainer, network: Network) -> None:
        """Find the rows without a label.

        Raises:
            ConfigError: As the class says.
        """
        data: BehaviorDataModule = trainer.datamodule  # type: ignore[attr-defined]
        if not data.facts.target.has_labels:
            raise ConfigError(
                f"SelfTraining, but the data asks for a {data.task.replace('_', ' ')}",
                where=type(self).__name__,
                rule="labels are predicted",
                remedy=f"leave SelfTraining out, or set {option_of(BehaviorDataModule, 'task')} to label",
            )
        refuse_sharded(self, trainer)
        rows = data.unlabelled_rows()
        if self.ratio and not len(rows):
            raise ConfigError(
                f"every one of {len(data.prepared.rows_of('train')):,} training rows has a label",
                where=type(self).__name__,
                rule="training rows without a label",
                remedy=f"leave SelfTraining out, or add rows whose label is empty to the training rows of "
                f"{option_of(BehaviorDataModule, 'reader')}",
            )
        self._trainer, self._network = trainer, network
        self._drawn = DrawnRows(rows, data.seed)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Let the teacher begin with the network's weights, or go on; batches hold what the network needs by now."""
        self._teacher.begin(self._network)
        data: BehaviorDataModule = trainer.datamodule  # type: ignore[attr-defined]
        self._plain = data.collator(with_texts=True)
        variants = data.variants
        self._varied = self._plain if variants is None else VariantCollator(self._plain, variants)

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: Any, batch: RecBatch, batch_idx: int
    ) -> None:
        """Note the place of the step, which decides what is drawn."""
        self._place = trainer.current_epoch, batch_idx

    def changed(self, batch: RecBatch) -> RecBatch:
        """Return the batch, and behind its rows those that the teacher is sure of."""
        if not self.ratio or self._place[0] < self.start_epoch:
            return batch
        rows = self._rows_for(batch)
        sure, label = self._labels(rows, batch.row.device)
        self._count(len(rows), int(sure.sum()), batch.row.device)
        if not sure.any():
            return batch
        return self._joined(batch, rows[sure.cpu().numpy()], label[sure])

    def supposed_labels(self, module: Any, most: int) -> SupposedLabels:
        """Return the rows without a label whose most probable label a module, not its teacher, is sure of.

        Args:
            module: The LitRec.
            most: How many rows are read at most, drawn by a fixed seed.
        """
        data: BehaviorDataModule = self._trainer.datamodule  # type: ignore[attr-defined]
        rows = self._drawn.rows[sampled(len(self._drawn.rows), most)]
        found = [np.zeros((0, len(data.facts.labels)), np.float32)]
        with evaluation_mode(module.built()):
            for start in range(0, len(rows), data.eval_batch_size):
                some = BatchRows(rows[start : start + data.eval_batch_size])
                scores = module.built()(self._plain(some).to(module.device))
                found.append(module.predictions(scores.float())[:, 0].cpu().numpy())
        probability = np.concatenate(found)
        sure = probability.max(1) >= self.confidence
        return SupposedLabels(rows[sure], probability.argmax(1)[sure].astype(np.int64))

    def after_step(self, step: int) -> None:
        """Let the teacher follow."""
        self._teacher.follow(self._network, step)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Log the share of the drawn rows that the teacher was sure of."""
        counted = self._counted
        if counted["drawn"] and counted["epoch"] == trainer.current_epoch:
            share = counted["sure"] / counted["drawn"]
            pl_module.log("train/pseudo_labels", share, on_epoch=True, sync_dist=True, batch_size=1)

    def copied(self, network: Network) -> Iterable[Tensor]:
        """Return what the teacher averages."""
        return changing_weights(network).values()

    def state_dict(self) -> dict[str, Any]:
        """Return the teacher's weights, and what the present epoch has counted."""
        return {**self._teacher.state_dict(), "counted": dict(self._counted)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take those of the resumed run."""
        self._teacher.load_state_dict(state_dict)
        self._counted |= {n: int(v) for n, v in state_dict.get("counted", {}).items()}

    def _rows_for(self, batch: RecBatch) -> Int64s:
        """Draw the rows of this step and process."""
        trainer = self._trainer
        data: BehaviorDataModule = trainer.datamodule  # type: ignore[attr-defined]
        epoch, place = self._place
        step = (epoch - self.start_epoch) * int(trainer.num_training_batches) + place
        most = self._as_many_for(data.batch_size)
        first = (step * trainer.world_size + trainer.global_rank) * most
        return self._drawn.at(first, min(self._as_many_for(len(batch)), most))

    def _as_many_for(self, rows: int) -> int:
        return max(round(self.ratio * rows), 1)

    def _labels(self, rows: Int64s, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return which rows ``[n]`` the teacher is sure of, and the most probable label of each ``[n]``."""
        if not len(rows):
            nothing = torch.zeros(0, dtype=torch.int64, device=device)
            return nothing.bool(), nothing
        scores = self._teacher.scores(self._network, self._plain(BatchRows(rows)).to(device))
        module: Any = self._trainer.lightning_module
        best, label = module.predictions(scores.float())[:, 0].max(-1)  # [n, K] -> [n]
        return best >= self.confidence, label

    def _joined(self, batch: RecBatch, rows: Int64s, label: Tensor) -> RecBatch:
        """Return a batch of its rows and others, collated together: each distinct text is in it once."""
        data: BehaviorDataModule = self._trainer.datamodule  # type: ignore[attr-defined]
        together = np.concatenate([batch.row.cpu().numpy(), rows])
        seed = (data.seed, *self._place, self._trainer.global_rank, _OWN_DRAWS)
        found = self._varied(BatchRows(together, seed)).to(batch.row.device)
        # not the targets of the table: it may know the label of a row that was left out
        value = torch.cat([batch.target.value, label.unsqueeze(1).to(batch.target.value.dtype)])
        known = torch.cat([batch.target.mask, torch.ones_like(label, dtype=torch.bool)[:, None]])
        return replace(found, target=Target(value, known))

    def _count(self, drawn: int, sure: int, device: torch.device) -> None:
        """Count what all processes drew in this epoch."""
        if self._trainer.world_size > 1:
            both = torch.tensor([drawn, sure], device=device)
            torch.distributed.all_reduce(both)
            drawn, sure = both.tolist()
        if self._counted["epoch"] != self._place[0]:
            self._counted = {"epoch": self._place[0], "drawn": 0, "sure": 0}
        self._counted["drawn"] += drawn
        self._counted["sure"] += sure
