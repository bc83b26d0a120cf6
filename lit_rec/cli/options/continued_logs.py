"""Continue the logs of a resumed run in the folder of that run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.utilities import rank_zero_only


def continue_logs(loggers: Any, folder: Path) -> list[Any]:
    """Make loggers with numbered versions continue in ``folder``, if it is a version of theirs and none is set.

    A logger with another save_dir or name begins a new version there.

    Args:
        loggers: The value of ``trainer.logger`` in the configuration.
        folder: The folder of the checkpoint.

    Returns:
        The options whose version was set. Unset it before the configuration is saved, so that a new run with that
        configuration does not write into this folder.
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
    """Rename the file that CSVLogger would delete when it begins."""
    if metrics.is_file():
        number = sum(1 for _ in metrics.parent.glob("metrics.*.csv"))
        metrics.rename(metrics.with_name(f"metrics.{number}.csv"))
