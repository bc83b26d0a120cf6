"""Lightning's loggers for files. No other run shares their folder, and a kill leaves no half-written file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.core.saving import save_hparams_to_yaml
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter
from lightning.pytorch.utilities import rank_zero_only

from lit_rec.files.atomic import replace_file
from lit_rec.training.version_folders import VersionFolders


def make_own(loggers: Iterable[Any], folders: VersionFolders) -> None:
    """Replace TensorBoardLogger and CSVLogger by those of this module.

    Lightning chooses the next free number and makes the folder later, so two runs that start together share one.
    Loggers on remote storage, and subclasses of Lightning's loggers, are not replaced.

    Args:
        loggers: Loggers of a run that trains; they have not chosen a version yet.
        folders: This run's folders; loggers of one experiment share a folder.
    """
    for logger in loggers:
        kind = _OWN.get(type(logger))
        if kind is not None and "://" not in logger.root_dir:
            logger.__class__ = kind
            logger.folders = folders


def _late(name: str) -> str:
    """Return a name for TensorBoard, which sorts by names: losses and metrics have to come first."""
    return f"z_{name}" if name == "epoch" or name.startswith("lr-") else name


def _experiment(logger: TensorBoardLogger | CSVLogger) -> Path:
    """Return the folder that holds the versions, with ``~`` and variables expanded as Lightning does."""
    root = os.path.expanduser(logger.root_dir)
    return Path(os.path.expandvars(root) if isinstance(logger, TensorBoardLogger) else root)


def _is_other() -> bool:
    """Return whether this is not the first process, which chooses the folder for all."""
    return bool(getattr(rank_zero_only, "rank", 0))


class OwnTensorBoardLogger(TensorBoardLogger):
    """TensorBoardLogger that makes its folder when it chooses the number."""

    folders: VersionFolders
    _written: dict[str, Any] | None = None

    def _get_next_version(self) -> int:
        return (
            super()._get_next_version() if _is_other() else self.folders.number(_experiment(self))
        )

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log metrics; epochs and learning rates get names that TensorBoard sorts behind the metrics."""
        super().log_metrics({_late(name): value for name, value in metrics.items()}, step)

    @rank_zero_only
    def save(self) -> None:
        """Write hparams.yaml if options have changed, then write what is in the buffer."""
        folder, options = Path(self.log_dir), dict(self.hparams)
        if folder.is_dir() and options != self._written:
            _write_options(folder / self.NAME_HPARAMS_FILE, options)
            self._written = options
        super().save()


class OwnCSVLogger(CSVLogger):
    """CSVLogger that makes its folder when it chooses the number."""

    folders: VersionFolders

    def _get_next_version(self) -> int:
        return (
            super()._get_next_version() if _is_other() else self.folders.number(_experiment(self))
        )

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The writer of the files."""
        if self._experiment is None:
            self._experiment = _WholeFiles(log_dir=os.path.expanduser(self.log_dir))
        return self._experiment


class _WholeFiles(ExperimentWriter):
    """Write hparams.yaml and metrics.csv so that a kill leaves no half of them."""

    def log_hparams(self, params: dict[str, Any]) -> None:
        """Record options and write them."""
        self.hparams.update(params)
        _write_options(Path(self.log_dir, self.NAME_HPARAMS_FILE), self.hparams)

    def save(self) -> None:
        """Append lines; if a column is new, replace the file."""
        if not self.metrics:
            return
        path = Path(self.metrics_file_path)
        found = path.is_file()
        if self._record_new_keys() or not found:
            text = path.read_bytes().decode() if found else ""
            old = csv.DictReader(io.StringIO(text, newline=""))
            whole = self._lines([*old, *self.metrics], header=True)
            replace_file(path, lambda work: work.write_bytes(whole))
        else:
            _append(path, self._lines(self.metrics, header=False))
        self.metrics = []

    def _lines(self, rows: Iterable[Mapping[str, Any]], *, header: bool) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, fieldnames=self.metrics_keys)
        if header:
            writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()


def _write_options(path: Path, options: Any) -> None:
    replace_file(path, lambda work: save_hparams_to_yaml(str(work.absolute()), options))


def _append(path: Path, lines: bytes) -> None:
    """Append lines in one write; if the disk is full, append none of them."""
    with path.open("ab", buffering=0) as file:
        size = file.tell()
        try:
            written = file.write(lines)
            if written != len(lines):
                file.write(lines[written:])  # raises the reason
        except OSError:
            file.truncate(size)
            raise


_OWN: dict[type, type] = {TensorBoardLogger: OwnTensorBoardLogger, CSVLogger: OwnCSVLogger}
