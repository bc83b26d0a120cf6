"""The metrics of ``lit-rec test`` in the TensorBoard log of the run that was tested."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

_EVENTS, _SUFFIX = "events.out.tfevents.*", ".test"


def write_test_scalars(folder: Path, metrics: Mapping[str, Any], step: int) -> None:
    """Write the metrics ``test/...`` into a run's folder, if TensorBoard has a log there.

    Those of an earlier test are replaced.

    Args:
        folder: The folder of the checkpoint.
        metrics: All metrics of the test.
        step: The step of the checkpoint.
    """
    logs = [*folder.glob(_EVENTS)]
    earlier = [path for path in logs if path.name.endswith(_SUFFIX)]
    if len(logs) == len(earlier):
        return
    for path in earlier:
        path.unlink()
    with SummaryWriter(str(folder), filename_suffix=_SUFFIX) as writer:
        for name, value in metrics.items():
            if name.startswith("test/"):
                writer.add_scalar(name, float(value), step)
