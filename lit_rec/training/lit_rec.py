"""LitRec: the LightningModule around an encoder and its heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from lightning.pytorch.cli import OptimizerCallable
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim import Optimizer
from torchmetrics import MeanMetric, MetricCollection

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.plan import BatchPlan
from lit_rec.data.facts import Facts
from lit_rec.models.networks.network import Network
from lit_rec.models.objectives.ranking import RankingObjective
from lit_rec.models.objectives.score import Objective
from lit_rec.ranges import not_negative
from lit_rec.tasks.registry import task_of
from lit_rec.training.callbacks.monitors import settle_monitors
from lit_rec.training.checkpoint.content import KEY, checkpoint_content, vectors_of_checkpoint
from lit_rec.training.checkpoint.guarded_module import MemoryExplained, OwnCheckpoints
from lit_rec.training.checkpoint.network import StoredShapes, check_loaded, network_of
from lit_rec.training.closed_forms import predict_training_rows
from lit_rec.training.first_look import check_vocabulary, look_before_training
from lit_rec.training.guards.guarded_module import GuardedModule
from lit_rec.training.guards.training_pass import training_pass
from lit_rec.training.memory import explains_memory
from lit_rec.training.optimizer import RATES, check_rates, fused_on_cpu, parameter_groups
from lit_rec.training.precision import check_precision
from lit_rec.training.random_state import of_all_ranks, random_state, restore_random_state
from lit_rec.training.schedules import LinearSchedule, Schedule, planned_steps
from lit_rec.training.steps import evaluated_ranks, evaluated_scores
from lit_rec.training.strategies.clipped_module import ClippedModule
from lit_rec.training.strategies.sharded_encoder import check_strategy, reduce_gradients, shard
from lit_rec.training.target_weights import TargetWeights
from lit_rec.training.transfer.started_module import StartedModule, without_start
from lit_rec.training.tuned.tuned_module import TunedModule
from lit_rec.training.vector_share import choose_vector_share
from lit_rec.vectors.encode import item_table
from lit_rec.vectors.evaluation_tables import VectorTables, vector_tables
from lit_rec.vectors.nearest_items import nearest_items
from lit_rec.vectors.store import CheckpointVectors


class LitRec(
    OwnCheckpoints, MemoryExplained, ClippedModule, GuardedModule, TunedModule, StartedModule
):
    """Train and evaluate a network on batches of behaviors.

    The network gets its sizes from the data's ``Facts``, not from options. Training encodes each distinct item of a
    batch once; evaluation encodes the catalogue once.

    Args:
        network: Builds the network from Facts; in Python, a ``functools.partial``.
        objective: The objective that is minimised; by default squared error for ratings, cross-entropy for labels, and
            a softmax over the training items for the next item.
        encoder_rate: Learning rate of the encoder.
        head_rate: Learning rate of everything else.
        encoder_decay: Weight decay of the encoder (none on biases and norms).
        head_decay: Weight decay of everything else (none on biases and scales).
        schedule: Learning rates by optimizer step; by default linear decay after a warm-up of 10 %.
        optimizer: Optimizer of the parameter groups; AdamW by default.
        layer_decay: Learning rate of each layer of the encoder, by that of the layer above it; word vectors are below
            the lowest. All have ``encoder_rate`` by default. See Howard & Ruder 2018, https://arxiv.org/abs/1801.06146.
        r_drop: Strength of R-Drop: each step passes its batch twice, with other dropout, and also minimises how far the
            two predictions differ. See ``training_pass``. None by default.
        start_from: A checkpoint of another run, on other data perhaps: a new run begins with what fits of its weights.
            What is not taken is shown. A run that is resumed does not read it.

    Raises:
        ConfigError: If a rate, a decay or ``r_drop`` is negative, or ``layer_decay`` is not above 0 and up to 1.

    Example:
        >>> network = functools.partial(  # doctest: +SKIP
        ...     TwoTower, item_encoder=IdItemEncoder, user_encoder=MeanUserEncoder, head=DotHead
        ... )
        >>> module = LitRec(network, head_rate=3e-3)  # doctest: +SKIP
        >>> data = BehaviorDataModule(reader, encoder, text)  # doctest: +SKIP
        >>> lightning.Trainer(max_epochs=3).fit(module, data)  # doctest: +SKIP
    """

    def __init__(
        self,
        network: Callable[[Facts], Network],
        objective: Objective | None = None,
        encoder_rate: float = 2e-5,
        head_rate: float = 1e-3,
        encoder_decay: float = 0.01,
        head_decay: float = 0.01,
        schedule: Schedule | None = None,
        optimizer: OptimizerCallable = torch.optim.AdamW,
        layer_decay: float = 1.0,
        r_drop: float = 0.0,
        start_from: str | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(
            ignore=["network", "objective", "schedule", "optimizer", "start_from"]
        )
        check_rates(self, self.hparams)
        not_negative(self, "r_drop", r_drop)
        self._factory, self.objective, self.start_from = network, objective, start_from
        self._schedule, self._optimizer = schedule or LinearSchedule(), optimizer
        self.facts: Facts | None = None
        self.loaded_step: int | None = None  # of the checkpoint that was read
        self._stored: StoredShapes | None = None  # of the checkpoint that the facts are from
        self.network: Network | None = None
        self._train_loss, self._val_loss, self._test_loss = MeanMetric(), MeanMetric(), MeanMetric()
        self.run_config: dict[str, Any] | None = None
        self._target_weights = TargetWeights()
        # random state and loss of each process of the resumed run
        self._restored: list[dict[str, Any]] = []
        self._tables: VectorTables | None = None
        self._checkpoint_vectors: CheckpointVectors | None = None

    def setup(self, stage: str) -> None:
        """Refuse precisions and strategies that lit_rec does not support.

        Raises:
            ConfigError: If the Trainer's precision is neither float32 nor a mixed one, or its strategy divides weights
                in an unsupported way.
        """
        check_precision(self.trainer)
        check_strategy(self.trainer)

    def configure_model(self) -> None:
        """Build the network, once, from the checkpoint's Facts or the datamodule's."""
        if self.network is None:
            if self.facts is None:
                self.facts = self.trainer.datamodule.facts  # type: ignore[attr-defined]
            self.network = network_of(self._factory, self.facts, self._stored)
            if self._stored is None:
                self.take_start(self.network, self.facts)
            shard(self.network, self._trainer)
            gives = self.network.gives
            self.objective = self.objective or task_of(self.facts).default_objective(gives)
            self.objective.bind(self.facts, gives)
            name, has_vectors = type(self.network).__name__, self.network.has_text_vectors
            self.objective.bind_network(name, has_text_vectors=has_vectors)
        data = None if self._trainer is None else self.trainer.datamodule  # type: ignore[attr-defined]
        # another data set may have impressions that the previous one had not
        facts = self._known()
        task = task_of(facts)
        self._val_metrics, self._test_metrics = (
            MetricCollection(dict(task.metrics(facts, data, part)), prefix=f"{part}/")
            for part in ("val", "test")
        )
        if data is not None:
            check_vocabulary(self.network, data)
            nearest = nearest_items(self.network, self.new_network, data, self.trainer)
            data.follow(replace(self.batch_plan(), nearest=nearest))
            if self.trainer.state.fn == "fit":
                settle_monitors(self.trainer, task, self._val_metrics.keys())

    def batch_plan(self) -> BatchPlan:
        """Return what network and objective need in batches."""
        network, objective = self.built(), self.objective
        if not isinstance(objective, RankingObjective):
            together = self._bound().rows_per_label
            return BatchPlan(network.has_item_table, rows_per_label=together)
        return BatchPlan(network.has_item_table, network.gives_positions, objective.negatives)

    def restore(self, facts: Facts, shapes: StoredShapes | None) -> None:
        """Use a checkpoint's Facts to build the network, not those of the present data.

        Args:
            facts: Facts of the checkpoint.
            shapes: Shapes of its weights, which are checked before the network is built.
        """
        self.facts, self._stored = facts, shapes

    def record(self, config: dict[str, Any]) -> None:
        """Store the configuration that this module was built from in checkpoints."""
        self.run_config = config

    def built(self) -> Network:
        """Return the network.

        Raises:
            ValueError: Before ``configure_model``.
        """
        if self.network is None:
            raise ValueError("the network is built by configure_model, once Facts are known")
        return self.network

    def new_optimizer(self) -> Optimizer:
        """Return a new optimizer of the parameter groups."""
        network, rates = self.built(), {n: self.hparams[n] for n in (*RATES, "layer_decay")}
        return fused_on_cpu(self._optimizer(parameter_groups(network, network.backbone, **rates)))

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Return the optimizer, and a schedule that advances by optimizer step."""
        optimizer = self.new_optimizer()
        steps = planned_steps(self.trainer)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: self._schedule.factor(step, steps)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    @explains_memory
    def training_step(self, batch: RecBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch; guards may change its passes."""
        return self.guards.loss(self, batch, batch_idx)

    def loss_of(self, batch: RecBatch, *, first: bool = True) -> Tensor:
        """Return the loss of a training pass, for the backward pass.

        Args:
            batch: The batch.
            first: Whether it is the step's first pass over it: that one is logged, and counts its targets.
        """
        passed = training_pass(self.built(), self._bound(), batch, self.hparams["r_drop"])
        if not first:
            return self._target_weights.again(passed.minimised, self.trainer)
        self._log_loss("train", passed.total, passed.count, len(batch))
        loss, shown = self._target_weights.losses(passed.minimised, passed.count, self.trainer)
        self.log("train/loss_step", shown, prog_bar=True, batch_size=len(batch))
        return loss

    @explains_memory
    def validation_step(self, batch: RecBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch, and log loss and metrics."""
        return self._evaluated(batch, "val", self._val_metrics)

    @explains_memory
    def test_step(self, batch: RecBatch, batch_idx: int) -> Tensor:
        """Return the predictions of a batch for the report, and log loss and metrics."""
        self._evaluated(batch, "test", self._test_metrics)
        return self.last_predictions

    @explains_memory
    def predict_step(self, batch: RecBatch, batch_idx: int) -> Tensor:
        """Return ratings ``[B, C]`` in the range of the training ratings, or probabilities ``[B, C, K]``."""
        return self.predictions(self.scores(batch))

    def scores(self, batch: RecBatch) -> Tensor:
        """Return scores ``[B, C]``, or ``[B, C, K]`` for class scores.

        Item vectors are looked up in the vector tables if there are any, else the batch is encoded.
        """
        network = self.built()
        if self.training or self._tables is None:
            encoded: Tensor = network(batch)
            return encoded
        item_vectors, profiles = self._tables.look_up(batch)
        users = network.encode_users(item_vectors, batch, profiles)
        return network.score(users, item_vectors, batch)

    def predictions(self, scores: Tensor) -> Tensor:
        """Return the predictions as a user sees them: see ``Task.predictions``."""
        facts = self._known()
        return task_of(facts).predictions(scores, facts, self.built().gives)

    def _evaluated(self, batch: RecBatch, part: str, metrics: MetricCollection) -> Tensor:
        network, objective, facts = self.built(), self._bound(), self._known()
        if isinstance(objective, RankingObjective):
            found = evaluated_ranks(objective, network, batch, self._tables)
        else:
            given = self.scores(batch), batch, task_of(facts), facts, network.gives
            found = evaluated_scores(objective, *given)
        loss = self._log_loss(part, found.total, found.count, len(batch))
        self.last_predictions = predicted = found.predicted.detach()
        known = batch.target.mask  # [B, C]
        impression = batch.impression.unsqueeze(1).expand_as(known)[known]
        metrics.update(predicted[known], batch.target.value[known], impression=impression)
        self.log_dict(metrics, batch_size=len(batch), prog_bar=True)
        return loss

    def _log_loss(self, part: str, total: Tensor, count: Tensor, rows: int) -> Tensor:
        """Update the logged mean loss of a part, and return the loss of the batch."""
        mean = {"train": self._train_loss, "val": self._val_loss, "test": self._test_loss}[part]
        # a mean of batch means would give rows unequal weights
        loss: Tensor = total.detach() / count.float().clamp(min=1e-9)
        mean.update(loss, count)
        self.log(f"{part}/loss", mean, on_step=False, on_epoch=True, batch_size=rows)
        return loss

    def _bound(self) -> Objective:
        if self.objective is None:
            raise ValueError("there is no objective before configure_model")
        return self.objective

    def _known(self) -> Facts:
        if self.facts is None:
            raise ValueError("there are no Facts before configure_model")
        return self.facts

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Average gradients over processes where needed, and weigh micro-batches by their targets."""
        reduce_gradients(self.trainer, optimizer)
        self._target_weights.weigh(optimizer, self.trainer.accumulate_grad_batches)
        super().on_before_optimizer_step(optimizer)

    def new_network(self, facts: Facts, *, pretrained: bool = False) -> Network:
        """Return a new network; ``pretrained`` loads the pretrained encoder even if Facts hold its configuration."""
        return self._factory(replace(facts, backbone=None) if pretrained else facts)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the content that inference needs, and the state of all random generators."""
        backbone = self.built().backbone
        plain = None if backbone is None else backbone.config_plain()
        facts = replace(self._known(), backbone=plain)
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        tables, weights = self._tables, checkpoint["state_dict"]
        vectors = {} if tables is None else tables.saved(weights, self.built())
        checkpoint[KEY] = checkpoint_content(data, facts, vectors, without_start(self.run_config))
        # the mean loss so far of an unfinished epoch
        sums = {} if self.trainer.is_last_batch else self._train_loss.metric_state
        loss = {name: torch.as_tensor(value).cpu() for name, value in sums.items()}
        checkpoint["ranks"] = of_all_ranks({"chance": random_state(), "train_loss": loss})
        # the configuration is under KEY; Lightning would silently put these over the user's options
        checkpoint.pop("hyper_parameters", None)
        super().on_save_checkpoint(checkpoint)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Compare the checkpoint's Facts and weights with those of the network built here.

        Raises:
            CheckpointError: If they differ, naming both values, or an entry has a wrong type.
        """
        step = checkpoint.get("global_step")  # one that is none is refused where a run goes on
        self.loaded_step = step if isinstance(step, int) else 0
        if KEY not in checkpoint or self.facts is None:
            return
        super().on_load_checkpoint(checkpoint)
        check_loaded(checkpoint, self)
        if self.trainer.state.fn == "fit":
            self._restored = checkpoint.get("ranks", [])
        else:
            self._checkpoint_vectors = vectors_of_checkpoint(checkpoint[KEY])

    @explains_memory
    def on_fit_start(self) -> None:
        """Encode frozen texts, and calibrate a new network: see ``look_before_training``."""
        look_before_training(self.built(), self.trainer, self.device)
        super().on_fit_start()

    @explains_memory
    def on_train_start(self) -> None:
        """Predict the training rows by what the network begins at, and restore what a resumed run has.

        That is sampler, random state and mean loss; a process that the checkpoint did not have starts from the
        beginning.
        """
        predict_training_rows(self.built(), self.trainer.datamodule)  # type: ignore[attr-defined]
        super().on_train_start()
        # Lightning restores loaders when it opens them, but counting the steps has opened them before
        self.trainer.fit_loop._load_combined_loader_states()
        restored, self._restored = self._restored[self.global_rank :], []
        if restored:
            restore_random_state(restored[0]["chance"])
            for name, value in restored[0]["train_loss"].items():
                setattr(self._train_loss, name, value.to(self.device))

    @explains_memory
    def item_table(self, catalogue: Catalogue, rows: Int64s | None = None) -> Tensor:
        """Encode the catalogue, or some rows, in evaluation mode: ``[I, D]`` float32 on this module's device."""
        return item_table(self.built(), catalogue, self.device, self._trainer, rows)

    @property
    def last_table(self) -> Tensor | None:
        """The catalogue's vectors ``[I, D]`` of the last evaluation; None before any, or without a table."""
        return None if self._tables is None else self._tables.items

    @explains_memory
    def _renew_tables(self) -> None:
        if self.built().has_item_table:
            self._tables = vector_tables(self, self.trainer, self._checkpoint_vectors)

    @explains_memory
    def on_validation_epoch_start(self) -> None:
        """Encode the catalogue, if items are looked up in a table; while training, choose what vectors count."""
        self._renew_tables()
        if self.trainer.state.fn == "fit":
            self._tables = choose_vector_share(self, self.trainer, self._tables)

    def on_test_epoch_start(self) -> None:
        """Encode the catalogue, if items are looked up in a table."""
        self._renew_tables()

    on_predict_epoch_start = on_test_epoch_start
