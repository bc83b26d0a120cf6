"""What a search has found: a table, trials.csv, best.yaml, and a row of TensorBoard's HPARAMS tab for each trial."""

from __future__ import annotations

import csv
import io
import math
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lit_rec.files.atomic import replace_file
from lit_rec.progress import short
from lit_rec.search.space import Space
from lit_rec.search.study import SharedStudy

_SHOWN = 10


class Row(NamedTuple):
    """A trial, as tables show it."""

    trial: int
    value: float | None
    state: str
    seconds: float | None
    validations: int
    reason: str
    options: Mapping[str, Any]


def trial_folder(folder: Path, number: int) -> Path:
    """Return the folder of a trial.

    Args:
        folder: The folder of the search.
        number: The trial's.
    """
    return folder / f"version_{number}"


def rows(study: SharedStudy, space: Space) -> list[Row]:
    """Return all trials, in the order in which they began."""
    return [
        Row(
            trial.number,
            _best_value(trial, max if study.maximises else min),
            trial.state.name.lower(),
            trial.user_attrs.get("seconds"),
            len(trial.intermediate_values),
            str(trial.user_attrs.get("reason", "")),
            {o: space.ranges[o].value(label) for o, label in trial.params.items()},
        )
        for trial in study.trials
    ]


def _best_value(trial: Any, better: Callable[[Iterable[float]], float]) -> float | None:
    """Return the best of a trial's validations; None: it failed."""
    values = trial.intermediate_values.values()
    return better(values) if values and trial.state.name in ("COMPLETE", "PRUNED") else None


def best_first(found: Iterable[Row], *, maximises: bool) -> list[Row]:
    """Return trials by their values, those that were finished first, then pruned ones, then the others."""
    order = {"complete": 0, "pruned": 1}

    def key(row: Row) -> tuple[int, float, int]:
        value = math.inf if row.value is None else (-row.value if maximises else row.value)
        return order.get(row.state, 2), value, row.trial

    return sorted(found, key=key)


def short_names(options: Sequence[str]) -> dict[str, str]:
    """Return the shortest ending of each path that no other has.

    Example:
        >>> short_names(["model.head_rate", "model.network.head.init_args.dropout", "model.ids.init_args.dropout"])
        {'model.head_rate': 'head_rate', 'model.network.head.init_args.dropout': 'head.dropout', \
'model.ids.init_args.dropout': 'ids.dropout'}
    """
    steps = {o: [step for step in o.split(".") if step != "init_args"] for o in options}
    found = {}
    for option, path in steps.items():
        for count in range(1, len(path) + 1):
            name = path[-count:]
            if sum(other[-count:] == name for other in steps.values()) == 1:
                break
        found[option] = ".".join(path[-count:])
    return found


def show(study: SharedStudy, space: Space, monitor: str) -> None:
    """Print the best trials, and how much each option matters."""
    found = best_first(rows(study, space), maximises=study.maximises)
    names = short_names([*space.ranges])
    table = Table("trial", monitor, "state", "s", "options")
    for row in found[:_SHOWN]:
        options = ", ".join(f"{names[o]} {cell(value)}" for o, value in row.options.items())
        table.add_row(
            str(row.trial),
            "-" if row.value is None else short(row.value),
            row.state,
            "-" if row.seconds is None else f"{row.seconds:.0f}",
            Text(row.reason if row.state == "fail" else options),  # brackets are no markup
        )
    console = Console()
    console.print(table)
    if len(found) > _SHOWN:
        console.print(f"and {len(found) - _SHOWN} more in {study.folder / 'trials.csv'}")
    if importances := study.importances():
        shares = ", ".join(f"{names[o]} {share:.2f}" for o, share in importances.items())
        console.print(f"importance: {shares}", highlight=False)


def cell(value: Any) -> str:
    """Return a value as tables show it."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, Mapping):
        return str(value.get("class_path", value))
    return str(value)


def write(study: SharedStudy, space: Space, monitor: str) -> None:
    """Write trials.csv and best.yaml, and remove checkpoints of trials that are not the best.

    Args:
        study: The study.
        space: Its space.
        monitor: The metric that decides; empty where no trial has reported yet.
    """
    _write_table(study.folder / "trials.csv", rows(study, space), [*space.ranges], monitor)
    best = study.best
    if best is not None:
        _write_best(study.folder, best, monitor)
    for trial in study.trials:
        if trial.state.is_finished() and trial is not best:
            for path in trial_folder(study.folder, trial.number).rglob("*.ckpt"):
                path.unlink(missing_ok=True)


def _write_table(path: Path, found: list[Row], options: list[str], monitor: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    first = ("trial", "state", monitor or "value", "seconds", "validations")
    writer.writerow([*first, *options, "reason"])
    for row in found:
        seconds = None if row.seconds is None else round(row.seconds, 1)
        values = [row.options.get(option) for option in options]
        figures = (row.trial, row.state, row.value, seconds, row.validations)
        writer.writerow([*figures, *values, row.reason])
    replace_file(path, lambda work: work.write_text(text.getvalue(), encoding="utf-8", newline=""))


def _write_best(folder: Path, best: Any, monitor: str) -> None:
    whole = trial_folder(folder, best.number) / "config.yaml"
    if not whole.is_file():  # the user has removed it
        return
    path = folder / "best.yaml"
    head = (
        f"# Trial {best.number} of this search: {monitor} {best.value:.6g}.\n"
        f"#   lit-rec fit -c {shlex.quote(str(path))}\n"
    )
    text = head + whole.read_text(encoding="utf-8")
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        replace_file(path, lambda work: work.write_text(text, encoding="utf-8"))


def write_hparams(
    folder: Path, options: Mapping[str, Any], monitor: str, value: float, validations: int
) -> None:
    """Write a trial's row of TensorBoard's HPARAMS tab: its options, and the best value of the metric.

    Args:
        folder: The trial's.
        options: Its values by option.
        monitor: The metric.
        value: Its best value.
        validations: How many there were.
    """
    from torch.utils.tensorboard import SummaryWriter
    from torch.utils.tensorboard.summary import hparams

    plain = {
        name: one if isinstance(one, bool | int | float | str) else str(one)
        for name, one in options.items()
    }
    tag = f"best/{monitor}"
    with SummaryWriter(str(folder)) as writer:
        for summary in hparams(plain, {tag: value}):  # type: ignore[no-untyped-call]
            writer._get_file_writer().add_summary(summary)
        writer.add_scalar(tag, value, validations)
