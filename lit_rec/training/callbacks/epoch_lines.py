"""EpochLines: a line for each epoch, and on a terminal one bar of what runs now."""

from __future__ import annotations

import math
import time
from typing import Any

import lightning
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.text import Text

from lit_rec.progress import clock, epoch_line, say, short
from lit_rec.tasks.registry import task_of

_SECONDS = 0.2  # between two readings of the loss, which a GPU would have to wait for


class EpochLines(ProgressBar):
    """Print a line for each epoch: its loss, the metric that decides, the learning rate, the time that is left.

    All other metrics go to the loggers. On a terminal a bar shows what runs now, and is removed when it has ended; in
    a file there are only the lines.

    Example:
        >>> EpochLines().progress is None  # the bar is there while a run is
        True
    """

    def __init__(self) -> None:
        super().__init__()
        self.progress: Progress | None = None
        self.is_disabled = False
        self._task: TaskID | None = None
        self._inner: TaskID | None = None  # a validation within an epoch
        self._read = 0.0
        self._loss = ""
        self._rate: float | None = None
        self._validated = False  # in this epoch

    def disable(self) -> None:
        """Show nothing, as on other processes than the first."""
        self.is_disabled = True

    def enable(self) -> None:
        """Show bar and lines again."""
        self.is_disabled = False

    def print(self, *words: Any, **options: Any) -> None:
        """Print above the bar."""
        if not self.is_disabled:
            say(" ".join(map(str, words)))

    # training

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Start the clock and the bar."""
        self._started, self._first_step = time.monotonic(), trainer.global_step
        self._begin()

    def on_train_epoch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Show a new epoch."""
        self._validated = False
        self._task = self._show(
            f"epoch {_place(trainer)}", self.total_train_batches, self._task, done=_batches(trainer)
        )

    def on_train_batch_start(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Keep the rate of this step: after it, the schedule has moved on, at the end to 0."""
        groups = (group["lr"] for one in trainer.optimizers for group in one.param_groups)
        self._rate = max(map(float, groups), default=None)

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Show a step."""
        if self.progress is None or self._task is None:
            return
        if time.monotonic() - self._read >= _SECONDS:
            self._loss = f"loss {short(outputs['loss'])}"
            self._read = time.monotonic()
        left = f"left {clock(self._left(trainer))}"
        self.progress.update(self._task, completed=batch_idx + 1, figures=f"{self._loss}  {left}")

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Print the line of the epoch."""
        names = {"loss": "train/loss"}
        name = deciding_metric(trainer, pl_module)
        if name is not None and (self._validated or not name.startswith("val/")):
            names[name] = name
        logged = trainer.callback_metrics
        figures = {name: short(logged[of]) for name, of in names.items() if of in logged}
        if self._rate is not None:
            figures["rate"] = f"{self._rate:.1e}"
        self.print(epoch_line(_place(trainer), figures, clock(self._left(trainer))))

    def on_train_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Remove the bar, and say how long it took and what is best."""
        self._end()
        took = clock(time.monotonic() - self._started)
        for callback in trainer.checkpoint_callbacks:
            score = getattr(callback, "best_model_score", None)
            if score is not None:
                self.print(f"best {getattr(callback, 'monitor', '')} {short(score)}  after {took}")
                self.print(f"checkpoint: {getattr(callback, 'best_model_path', '')}")
                return
        self.print(f"ended after {took}")

    def _left(self, trainer: lightning.Trainer) -> float:
        """Return the seconds that are left; infinite where the run has no end, or no step was taken."""
        done, total = trainer.global_step - self._first_step, trainer.estimated_stepping_batches
        if not done:
            return math.inf
        return (time.monotonic() - self._started) / done * max(total - trainer.global_step, 0)

    # evaluation

    def on_validation_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Show a validation, within the epoch's bar where there is one."""
        self._begin()

    def on_test_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Show a test."""
        self.print("testing the model")
        self._begin()

    def on_predict_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Show a prediction."""
        self._begin()

    def on_validation_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Show the batches, once their number is known."""
        self._begin_batches("validating", "total_val_batches_current_dataloader", dataloader_idx)

    def on_test_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Show the batches, once their number is known."""
        self._begin_batches("testing", "total_test_batches_current_dataloader", dataloader_idx)

    def on_predict_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Show the batches, once their number is known."""
        self._begin_batches(
            "predicting", "total_predict_batches_current_dataloader", dataloader_idx
        )

    def on_validation_batch_end(
        self,
        trainer: Any,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Show a batch."""
        self._advance(batch_idx)

    def on_test_batch_end(
        self,
        trainer: Any,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Show a batch."""
        self._advance(batch_idx)

    def on_predict_batch_end(
        self,
        trainer: Any,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Show a batch."""
        self._advance(batch_idx)

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Hide it."""
        self._hide()
        self._validated = True
        if trainer.state.fn != "fit":
            self._end()

    def on_test_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Remove the bar: the report follows."""
        self._end()

    def on_predict_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Remove the bar."""
        self._end()

    def on_exception(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        exception: BaseException,
    ) -> None:
        """Remove the bar before the error is shown."""
        self._end()

    # the bar

    def _begin(self) -> None:
        console = Console()
        if self.progress is not None or self.is_disabled or not console.is_terminal:
            return
        columns = (TextColumn("{task.description}"), BarColumn(16), MofNCompleteColumn())
        self.progress = Progress(*columns, _Figures(), console=console, transient=True)
        self.progress.start()

    def _end(self) -> None:
        if self.progress is not None:
            self.progress.stop()
        self.progress = self._task = self._inner = None
        self.reset_dataloader_idx_tracker()

    def _show(self, what: str, total: float, task: TaskID | None, done: int = 0) -> TaskID | None:
        if self.progress is None:
            return None
        known = None if math.isinf(total) else total
        if task is None:
            return self.progress.add_task(what, total=known, completed=done, figures="")
        self.progress.update(task, description=what, total=known, completed=done, visible=True)
        return task

    def _begin_batches(self, what: str, total: str, dataloader_idx: int) -> None:
        if not self.is_disabled and self.has_dataloader_changed(dataloader_idx):
            self._inner = self._show(what, getattr(self, total), self._inner)

    def _advance(self, batch_idx: int) -> None:
        if self.progress is not None and self._inner is not None:
            self.progress.update(self._inner, completed=batch_idx + 1)

    def _hide(self) -> None:
        if self.progress is not None and self._inner is not None:
            self.progress.update(self._inner, visible=False)
        self.reset_dataloader_idx_tracker()


class _Figures(ProgressColumn):
    """What a task says beside its bar; tasks of others say nothing."""

    def render(self, task: Task) -> Text:
        return Text(task.fields.get("figures", ""))


def deciding_metric(trainer: lightning.Trainer, module: Any) -> str | None:
    """Return the metric by which the best checkpoint is chosen, else the task's; None: none is logged."""
    names = [getattr(one, "monitor", None) for one in trainer.checkpoint_callbacks]
    facts = getattr(module, "facts", None)
    names += [f"val/{name}" for name in task_of(facts).deciding] if facts is not None else []
    return next((name for name in names if name in trainer.callback_metrics), None)


def _place(trainer: lightning.Trainer) -> str:
    number, last = trainer.current_epoch + 1, trainer.max_epochs
    return f"{number}" if last is None or last < 0 else f"{number}/{last}"


def _batches(trainer: lightning.Trainer) -> int:
    """Return the batches of this epoch that a resumed run has behind it."""
    return int(trainer.fit_loop.epoch_loop.batch_progress.current.ready)
