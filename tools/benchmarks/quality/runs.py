"""Runs of tools/benchmark quality: each is trained and tested by the command line; an interrupted run goes on.

A run is in `checkpoints/benchmark/NAME/RUN`. `key.json` there records the configuration, the other options, and the
code of lit_rec; if any of them differs, the run begins again. `report.json` in its `version_0` shows that it is done.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lit_rec.evaluation.report.report import Report
from lit_rec.files.atomic import replace_file

# writes at its end the most memory that it held, in GB, and its seconds of processor time
_COMMAND = """\
import json, pathlib, resource, sys
from lit_rec.cli.main import main
try:
    main(sys.argv[1:])
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {{"peak": used.ru_maxrss / 1e6, "processor": used.ru_utime + used.ru_stime}}
    pathlib.Path({used!r}).write_text(json.dumps(found))
"""
_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Run:
    """One training and its test.

    Args:
        name: Name of the run, such as ``seed_0``.
        config: The YAML, relative to the project's root.
        words: Options after it.
    """

    name: str
    config: str
    words: tuple[str, ...] = ()


def report_of(run: Run, folder: Path) -> tuple[Report, float]:
    """Return the report of a run and the seconds that it took; a finished run is read from the disk.

    Args:
        run: The run.
        folder: Folder of the benchmark; the run's folder is in it.
    """
    own = folder / run.name
    version = own / "version_0"
    key = key_of(run)
    if _stored(own).get("key") != key:
        shutil.rmtree(own, ignore_errors=True)
        _store(own, {"key": key, "seconds": 0.0})
    if not (version / "report.json").is_file():
        if not _stored(own).get("is_trained"):
            _train(run, own)
            _store(own, {**_stored(own), "is_trained": True})
        _timed(own, ["test", "--ckpt_path", str(version / "best.ckpt")])
    return Report.read(version / "report.json"), float(_stored(own)["seconds"])


def curve_of(run: Run, folder: Path, metric: str) -> list[float]:
    """Return the values of a metric that a finished run logged, one per validation.

    If a validation was repeated after an interruption, the later value counts.

    Args:
        run: The run, logged by TensorBoard.
        folder: Folder of the benchmark.
        metric: A metric, such as ``val/rmse``.
    """
    events = EventAccumulator(str(folder / run.name / "version_0"), {"scalars": 0}).Reload()
    # files of the same second are read in the order of their names, not of their numbers
    in_time = sorted(events.Scalars(metric), key=lambda event: event.wall_time)
    of_step = {event.step: event.value for event in in_time}
    return [of_step[step] for step in sorted(of_step)]


def peak_of(run: Run, folder: Path) -> float:
    """Return the most memory that a finished run held while it was trained, in GB.

    Args:
        run: The run.
        folder: Folder of the benchmark.
    """
    return float(_stored(folder / run.name)["peak"])


def processor_seconds_of(run: Run, folder: Path) -> float:
    """Return the seconds of processor time of a finished run's training: other work beside it adds little to them.

    Args:
        run: The run.
        folder: Folder of the benchmark.
    """
    return float(_stored(folder / run.name)["processor"])


def _train(run: Run, own: Path) -> None:
    last = own / "version_0" / "last.ckpt"
    logger = "--trainer.logger.init_args."
    place = [f"{logger}save_dir", str(own.parent), f"{logger}name", own.name]
    begun = ["--ckpt_path", str(last)] if last.is_file() else []
    if not begun:
        # events of a run that was interrupted before its first checkpoint
        shutil.rmtree(own / "version_0", ignore_errors=True)
    version = [f"{logger}version", "0"]
    _timed(own, ["fit", "-c", str(_ROOT / run.config), *run.words, *place, *version, *begun])


def _timed(own: Path, words: list[str]) -> None:
    """Run a command of lit-rec; its output goes to the screen and not into the table."""
    started = time.perf_counter()
    used = own / "used"
    subprocess.run(
        [sys.executable, "-c", _COMMAND.format(used=str(used)), *words],
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=sys.stderr,
        check=True,
    )
    stored = _stored(own)
    if words[0] == "fit" and used.is_file():
        found = json.loads(used.read_text())
        stored["peak"] = max(stored.get("peak", 0.0), found["peak"])
        stored["processor"] = stored.get("processor", 0.0) + found["processor"]
    _store(own, {**stored, "seconds": stored["seconds"] + time.perf_counter() - started})


def key_of(run: Run) -> str:
    """Return the key of a run: its configuration, its options, and the code."""
    sources = sorted((_ROOT / "lit_rec").rglob("*.py"))
    content = [(_ROOT / run.config).read_bytes(), *(path.read_bytes() for path in sources)]
    digest = sha256(json.dumps(run.words).encode())
    for part in content:
        digest.update(sha256(part).digest())
    return digest.hexdigest()


def _stored(own: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((own / "key.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def _store(own: Path, content: dict[str, Any]) -> None:
    replace_file(own / "key.json", lambda path: path.write_text(json.dumps(content) + "\n"))
