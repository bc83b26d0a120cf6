"""config.yaml of a run, as a file and in TensorBoard."""

from __future__ import annotations

from typing import Any

import lightning
from lightning.pytorch.cli import SaveConfigCallback
from lightning.pytorch.loggers import TensorBoardLogger

from lit_rec.files.atomic import replace_file
from lit_rec.training.callbacks.run_folder import forget_foreign_files, run_folder


class RunRecord(SaveConfigCallback):
    """Write config.yaml next to the checkpoints of ``fit`` and show the configuration in TensorBoard."""

    def setup(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Write once, for a run that trains."""
        if stage == "fit":
            self._folder = run_folder(trainer)
            super().setup(trainer, pl_module, stage)

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, pl_module: Any, checkpoint: dict[str, Any]
    ) -> None:
        """Have no callback delete what a checkpoint names, before any of them takes its state."""
        forget_foreign_files(checkpoint.get("callbacks"))

    def save_config(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Write the file, and send the configuration to TensorBoard as text."""
        config = self.config.clone()
        config["ckpt_path"] = (
            None  # a run by this file starts from the beginning, whether or not this one did
        )
        text = self.parser.dump(config, skip_none=False)
        path = self._folder / self.config_filename
        replace_file(path, lambda work: work.write_text(text, encoding="utf-8"))
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                if self.config["ckpt_path"] is not None:
                    text = self.parser.dump(self.config, skip_none=False)
                logger.experiment.add_text("config", f"```yaml\n{text}\n```")
