"""Logs of a resumed run, in the folder of the run that it resumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.utilities import rank_zero_only


def continue_logs(loggers: Any, folder: Path) -> list[Any]:
    """Have loggers that number their runs go on in ``folder``, where it is one of theirs and no other version is named.

    A logger that another save_dir or name was chosen for begins a run of its own there.

    Args:
        loggers: What is configured as ``trainer.logger``.
        folder: Where the checkpoint lies.

    Returns:
        The options whose version was set; to be taken back before the configuration is saved, for a new run by it shall
        not be written into the folder of this one.
    """
    changed = []
    for logger in loggers if isinstance(loggers, list) else [loggers]:
        options = getattr(logger, "init_args", None)
        if options is None or any(n not in options for n in ("save_dir", "name", "version")):
            continue
        of_experiment = Path(options["save_dir"] or "", options["name"] or "").resolve()
        if options["version"] is None and of_experiment == folder.resolve().parent:
            options["version"] = folder.name
            changed.append(options)
    if changed:
        _put_aside(folder / "metrics.csv")
    return changed


@rank_zero_only
def _put_aside(metrics: Path) -> None:
    """Rename what CSVLogger would delete when it begins."""
    if metrics.is_file():
        number = sum(1 for _ in metrics.parent.glob("metrics.*.csv"))
        metrics.rename(metrics.with_name(f"metrics.{number}.csv"))
