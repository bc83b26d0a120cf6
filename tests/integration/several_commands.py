"""Run commands one after the other and write the metrics of each as JSON, for tests that need own processes."""

import json
import shutil
import sys
from pathlib import Path

import torch
from lightning.pytorch.callbacks import Callback

from lit_rec.cli.main import quieten
from lit_rec.cli.predict_cli import PredictCLI
from lit_rec.cli.rec_cli import RecCLI, run


class KeepEachLast(Callback):
    """Before each step, copy the run's last.ckpt to one whose name says after how many steps that is."""

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        last = Path(trainer.checkpoint_callback.dirpath, "last.ckpt")
        if trainer.is_global_zero and last.is_file():
            shutil.copy(last, last.with_name(f"after_{trainer.global_step}.ckpt"))


class OwnShare(Callback):
    """Log which share of the encoder's trained weights this process has."""

    def on_train_epoch_start(self, trainer, pl_module):
        weights = [w for w in pl_module.network.backbone.parameters() if w.requires_grad]
        own = sum(getattr(w, "_local_tensor", w).numel() for w in weights)
        pl_module.log("encoder/own_share", own / sum(w.numel() for w in weights))


class Apart(Callback):
    """Log how far the weights of processes are apart after an epoch."""

    def on_train_epoch_end(self, trainer, pl_module):
        flat = torch.cat([w.detach().flatten() for w in pl_module.network.parameters()])
        of_all = pl_module.all_gather(flat)
        pl_module.log("weights/apart", (of_all - flat).abs().max())


class OwnItems(Callback):
    """Log how many items this process encodes for a validation."""

    def on_fit_start(self, trainer, pl_module):
        self._count = 0

        def count(encoder, given, vectors):
            self._count += len(vectors)

        pl_module.network.item_encoder.register_forward_hook(count)

    def on_validation_epoch_start(self, trainer, pl_module):
        self._count = 0

    def on_validation_epoch_end(self, trainer, pl_module):
        pl_module.log("encoder/own_items", float(self._count))


def run_all(commands):
    """Return what callbacks saw of each command's metrics, and whether this is the first process."""
    found = []
    for words in commands:
        given = [str(word) for word in words]
        trainer = run(given, PredictCLI if given[0] == "predict" else RecCLI).trainer
        found.append({name: float(value) for name, value in trainer.callback_metrics.items()})
    return found, trainer.is_global_zero


if __name__ == "__main__":
    quieten()
    metrics, first = run_all(json.loads(sys.argv[1]))
    if first:
        Path(sys.argv[2]).write_text(json.dumps(metrics))
