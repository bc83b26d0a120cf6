"""One measurement of tools/benchmark scale, in a process of its own; its last line is JSON.

python -m tools.benchmarks.scale.process rows FOLDER STEPS | prepare FOLDER | step FOLDER ENCODER BATCH_SIZE
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import lightning
import torch

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder
from tools.benchmarks.scale.model import made_up_data, two_tower

_GIB = 2**30
_WARM_UP = 256  # rows


def rows(folder: str, steps: str) -> dict[str, float]:
    """Prepare a table and train some steps; return the seconds of both, and the peak memory in GiB."""
    data = made_up_data(Path(folder), "csv", 256)
    begun = time.perf_counter()
    data.prepare_data()
    prepared = time.perf_counter()
    clock = _Clock()
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_steps=int(steps),
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        callbacks=[clock],
    )
    trainer.fit(two_tower("small", MeanUserEncoder), datamodule=data)
    return {
        "prepare": prepared - begun,
        "start of fit": clock.begun - prepared,
        "steps": clock.ended - clock.begun,
        "peak": _peak() / _GIB,
    }


class _Clock(lightning.Callback):
    """Record when the steps began and ended."""

    begun = ended = 0.0

    def on_train_start(self, *_: object) -> None:
        self.begun = time.perf_counter()

    def on_train_end(self, *_: object) -> None:
        self.ended = time.perf_counter()


def prepare(folder: str) -> dict[str, float]:
    """Write the files that the steps read."""
    made_up_data(Path(folder), "parquet", 1).prepare_data()
    return {}


def step(folder: str, encoder: str, batch_size: str) -> dict[str, float]:
    """Train a step of 256 rows and one of ``batch_size``.

    Return the peak above the memory before the network was built, and the number of items.
    """
    small, data = (
        made_up_data(Path(folder), "parquet", size) for size in (_WARM_UP, int(batch_size))
    )
    for one in (small, data):
        one.setup("fit")
        one.facts  # noqa: B018
    idle = _now()
    module = two_tower(encoder, AdditiveAttentionUserEncoder)
    module.facts = data.facts
    module.configure_model()
    train = _trained(module)
    # the first step makes the optimizer's moments, which stay in memory for all later steps
    train(small)
    items = train(data)
    return {"above": (_peak() - idle) / _GIB, "items": items}


def _trained(module: lightning.LightningModule) -> Callable[[BehaviorDataModule], int]:
    network, optimizer = module.built().train(), module.new_optimizer()

    def train(data: BehaviorDataModule) -> int:
        batch = next(iter(data.train_dataloader()))
        total, count = module.objective(network(batch), batch.target)
        (total / count).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return len(batch.items.vocab_row)

    return train


def _peak() -> int:
    """Return the most memory that this process has held, in bytes."""
    status = _status()
    if status is None:
        # in bytes on a Mac; includes what the parent held when it started this process
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return status["VmHWM"]


def _now() -> int:
    """Return the memory that this process holds, in bytes."""
    status = _status()
    return _peak() if status is None else status["VmRSS"]


def _status() -> dict[str, int] | None:
    path = Path("/proc/self/status")
    if not path.exists():
        return None
    lines = (line.partition(":") for line in path.read_text().splitlines())
    return {name: int(text.split()[0]) * 1024 for name, _, text in lines if text.endswith("kB")}


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    word, *options = sys.argv[1:]
    print(json.dumps({"rows": rows, "prepare": prepare, "step": step}[word](*options)))
