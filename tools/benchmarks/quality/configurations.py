"""How good the configurations of the project are: tools/benchmark quality NAME.

They are trained, chosen on validation rows, and tested once. Each name is one configuration over several seeds or
folds, or several variants (lines) of one configuration. A figure's value is the mean over the runs. Its low and high
are the means of the ends of the runs' 95 % intervals (users drawn); this is never narrower than the interval of the
mean. If each run tests other users, the errors of the runs are taken as independent: the distance of an end from the
mean is the root of the sum of the runs' squared distances, divided by their number. Every finished run stays on the
disk, so a second call goes on where the first was interrupted, and only shows runs that are finished.

Lines are shown one by one, each with its seconds and its validation curve; validation rows decide which is the best.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from lit_rec.evaluation.report.report import Report, ReportRow
from tools.benchmarks.data_folder import check_data
from tools.benchmarks.quality.guards import guarded_runs
from tools.benchmarks.quality.planted_catalogue import planted_tables
from tools.benchmarks.quality.runs import Run, curve_of, report_of
from tools.benchmarks.quality.side_by_side import side_by_side
from tools.benchmarks.quality.tuning_lines import LINES
from tools.benchmarks.quality.tuning_methods import DRAWS, WAYS

_ENCODER = "--model.network.init_args.item_encoder"
_IDS_ALONE = (
    f"{_ENCODER}=lit_rec.models.items.id_item_encoder.IdItemEncoder",
    f"{_ENCODER}.init_args.width=128",  # the same width as with text
    "--model.network.init_args.neighbors=null",  # SASRec
    "--trainer.max_epochs=30",
)
_RANKS = tuple(
    f"{convention}{metric}{compared}"
    for convention in ("", "masked_")
    for metric in ("recall@10", "ndcg@10")
    for compared in ("", "_difference")
)


@dataclass(frozen=True)
class Quality:
    """What is trained, and which figures are shown of it.

    Args:
        needs: A file that the data folder has to hold; None: the tables are made up, or lie in the project.
        metrics: Metrics of the report.
        runs: Makes the runs from the data folder, or from one for made-up tables.
        curve: The metric on validation rows by which lines are compared, if the runs are lines.
        higher: Whether higher values of the curve are better.
        ways: Whether the runs are draws of several ways, named ``WAY/DRAW``, which are shown side by side.
        draws: Whether each run draws the users that it tests.
        slices: Slices of the report that are shown.
    """

    needs: str | None
    metrics: tuple[str, ...]
    runs: Callable[[Path], list[Run]]
    curve: str | None = None
    higher: bool = False
    ways: bool = False
    draws: bool = False
    slices: tuple[str, ...] = ("all",)


def measure(name: str, data: Path, folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    A value that the report does not have is None.

    Args:
        name: Name of the benchmark.
        data: Folder that holds the data.
        folder: Folder of the runs.
        quick: One run of three steps, to see that it works; its figures mean nothing.

    Raises:
        ConfigError: If the data is missing.
    """
    quality = QUALITY[name]
    if quality.needs is not None:
        check_data(data, quality.needs)
    runs = quality.runs(folder / name / "tables" if quality.needs is None else data)
    if quick:
        few = ("--trainer.max_epochs", "1", "--trainer.limit_train_batches", "3")
        # some validate only after their last epoch
        few += ("--trainer.check_val_every_n_epoch", "1")
        runs = [Run(f"quick_{run.name}", run.config, run.words + few) for run in runs[:1]]
    found = [report_of(run, folder / name) for run in runs]
    if quality.curve is not None:
        curves = [curve_of(run, folder / name, quality.curve) for run in runs]
        return _lines(name, quality, runs, found, curves)
    if quality.ways:
        return side_by_side(name, runs, found, folder / name)
    seconds = sum(spent for _, spent in found)
    return [
        _mean(f"{name}: {model}{of_slice}", metric, rows, seconds, draws=quality.draws)
        for metric, shown, of_slice in _shown(quality)
        for model, rows in _by_model([report for report, _ in found], metric, shown).items()
    ]


def _lines(
    name: str,
    quality: Quality,
    runs: list[Run],
    found: list[tuple[Report, float]],
    curves: list[list[float]],
) -> list[dict[str, Any]]:
    """Return each line's figures, seconds and curve; then the baselines, which are the same for every line."""
    sign = -1 if quality.higher else 1
    best = min(range(len(runs)), key=lambda place: min(sign * value for value in curves[place]))
    rows = []
    for place, (run, (report, seconds), curve) in enumerate(zip(runs, found, curves, strict=True)):
        title = f"{name}: {run.name}{', best on validation rows' * (place == best)}"
        for metric, shown, of_slice in _shown(quality):
            ours = _by_model([report], metric, shown).get("lit_rec", [])
            rows += [_mean(f"{title}{of_slice}", metric, [row], seconds) for row in ours]
        rows.append(_plain(title, "seconds", seconds, seconds))
        rows += [
            _plain(title, f"{quality.curve}, epoch {epoch}", value, seconds)
            for epoch, value in enumerate(curve, 1)
        ]
    report, seconds = found[best]
    return rows + [
        _mean(f"{name}: {model}{of_slice}", metric, of_model, seconds)
        for metric, shown, of_slice in _shown(quality)
        for model, of_model in _by_model([report], metric, shown).items()
        if model != "lit_rec"
    ]


def _shown(quality: Quality) -> list[tuple[str, str, str]]:
    """Return what is shown of a report: a metric, a slice, and what names the slice in a row."""
    names = [(shown, "" if shown == "all" else f", {shown}") for shown in quality.slices]
    return [(metric, *name) for name in names for metric in quality.metrics]


def _by_model(reports: list[Report], metric: str, shown: str = "all") -> dict[str, list[ReportRow]]:
    """Return each model's figures on the rows of a slice, one per run."""
    found: dict[str, list[ReportRow]] = {}
    for report in reports:
        for row in report.rows:
            if row.metric == metric and row.slice == shown:
                found.setdefault(row.model, []).append(row)
    return found


def _mean(
    name: str, metric: str, rows: list[ReportRow], seconds: float, *, draws: bool = False
) -> dict[str, Any]:
    values = [row.value for row in rows]
    value = None if None in values else fmean(v for v in values if v is not None)

    def mean(end: str) -> float | None:
        ends = [getattr(row, end) for row in rows]
        if value is None or None in ends:
            return None
        if not draws:
            return fmean(ends)
        away = math.hypot(*(e - v for e, v in zip(ends, values, strict=True))) / len(rows)
        return value - away if end == "low" else value + away

    return {
        "name": name,
        "metric": metric,
        "value": value,
        **{end: mean(end) for end in ("low", "high")},
        "seeds": len(rows),
        "seconds": seconds,
    }


def _plain(name: str, metric: str, value: float, seconds: float) -> dict[str, Any]:
    ends = {"low": None, "high": None}
    return {"name": name, "metric": metric, "value": value, **ends, "seeds": 1, "seconds": seconds}


def _seeds(config: str, count: int, *words: str) -> list[Run]:
    return [
        Run(f"seed_{s}", config, (*words, "--seed_everything", f"{s}", "--data.seed", f"{s}"))
        for s in range(count)
    ]


def _scientific(
    *words: str,
    config: str = "configs/scientific.yaml",
    seeds: int = 3,
    slices: tuple[str, ...] = ("all", "seen_1_4"),
) -> Quality:
    def runs(data: Path) -> list[Run]:
        folder = f"--data.reader.folder={data / 'amazon-scientific'}"
        return _seeds(config, seeds, folder, *words)

    return Quality("amazon-scientific/Scientific.train.inter", _RANKS, runs, slices=slices)


def _large_catalogue(folder: Path) -> list[Run]:
    behaviors, items = planted_tables(folder)
    words = (
        f"--data.reader.behaviors={behaviors}",
        f"--data.reader.items={items}",
        "--data.split=LeaveLastOutSplit",
        "--model.objective.init_args.negatives=BatchNegatives",
        "--trainer.max_epochs=2",
    )
    return _seeds("configs/own_events.yaml", 1, *words)


def banking77_files(data: Path) -> list[str]:
    """Return the options that name the files of Banking77."""
    return [
        f"--data.reader.{option}={data / 'banking77' / file}"
        for option, file in (("texts", "train.csv"), ("test_texts", "test.csv"))
    ]


def _banking77(data: Path) -> list[Run]:
    return _seeds("configs/banking77.yaml", 3, *banking77_files(data))


def banking77_few(data: Path) -> list[Run]:
    """Return runs of five draws of ten training texts of each label; all test the same rows."""
    config, files = "configs/banking77_few.yaml", banking77_files(data)
    drawn = [f"--data.split.init_args.seed={s}" for s in range(5)]
    runs = _seeds(config, len(drawn), *files)
    return [Run(f"draw_{s}", config, (*run.words, drawn[s])) for s, run in enumerate(runs)]


def _tuning_methods(data: Path) -> list[Run]:
    return [
        Run(f"{way}/{draw.name}", draw.config, (*draw.words, *words))
        for way, words in WAYS.items()
        for draw in banking77_few(data)[:DRAWS]
    ]


def _movielens(data: Path, fold: str, seeds: int) -> list[Run]:
    words = (f"--data.reader.folder={data / 'ml-100k'}", f"--data.reader.fold={fold}")
    return _seeds("configs/movielens_u1.yaml", seeds, *words)


def _movielens_no_clock(data: Path) -> list[Run]:
    """Return a run that does not know what was rated in the same sitting."""
    network = "--model.network.init_args"
    words = (
        f"{network}.head=NeighborhoodHead",
        f"{network}.start.init_args.seconds=[86400, 2592000]",
    )
    same = _movielens(data, "u1", 1)[0]
    return [Run(same.name, same.config, (*same.words, *words))]


def _folds(data: Path) -> list[Run]:
    folds = {fold: _movielens(data, fold, 1)[0] for fold in ("u1", "u2", "u3", "u4", "u5")}
    return [Run(fold, run.config, run.words) for fold, run in folds.items()]


def _tuning(data: Path) -> list[Run]:
    return _lines_of_u1(data, **LINES)


def _tuning_of_new_items(data: Path) -> list[Run]:
    """Return runs without the closed form, which reads frozen texts alone; a step reads the items of its batch."""
    words = (
        f"--data.reader.folder={data / 'amazon-scientific'}",
        "--model.network.init_args.neighbors=null",
        "--model.objective.init_args.negatives=BatchNegatives",
        "--model.encoder_rate=2e-5",
    )
    config = "configs/scientific_new_items.yaml"
    return [Run(name, config, (*words, *line)) for name, line in LINES.items()]


def _gradients(data: Path) -> list[Run]:
    """Return runs of full tuning through a quarter of a step's texts, to compare with `full` of ml100k-tuning."""
    quarter = (*LINES["full"], f"{_ENCODER}.init_args.gradient_share=0.25")
    history = "--data.history.init_args"
    together = (f"{history}.together=true", f"{history}.keep=0.35")
    return _lines_of_u1(data, quarter=quarter, quarter_drawn_together=(*quarter, *together))


def _lines_of_u1(data: Path, **lines: tuple[str, ...]) -> list[Run]:
    same = _movielens(data, "u1", 1)[0]
    return [Run(line, same.config, (*same.words, *words)) for line, words in lines.items()]


def _new_items(data: Path) -> list[Run]:
    folder = data / "ml-100k"
    words = (f"--data.reader.folder={folder}", f"--data.reader.plots={folder / 'plots.json'}")
    return _seeds("configs/movielens_new_items.yaml", 1, *words)


def _cold_users(data: Path) -> list[Run]:
    """Return runs of three draws of users, without draw 0, whose test rows were read during development."""
    folder = f"--data.reader.folder={data / 'ml-100k'}"
    draws = {f"draw_{s}": (folder, "--data.split.init_args.seed", f"{s}") for s in (1, 2, 3)}
    config = "configs/movielens_cold_users.yaml"
    return [Run(name, config, words) for name, words in draws.items()]


_RATINGS = ("rmse", "rmse_difference", "mae")

QUALITY = {
    "scientific": _scientific(),
    "scientific-ids": _scientific(*_IDS_ALONE),
    "scientific-new-items": _scientific(
        config="configs/scientific_new_items.yaml", seeds=1, slices=("new_items", "known_items")
    ),
    "scientific-tuning": Quality(
        "amazon-scientific/Scientific.train.inter",
        _RANKS,
        _tuning_of_new_items,
        curve="val/ndcg@10",
        higher=True,
        slices=("new_items", "known_items"),
    ),
    "large-catalogue": Quality(None, _RANKS, _large_catalogue),
    "banking77": Quality(
        "banking77/train.csv", ("accuracy", "accuracy_difference", "macro_f1"), _banking77
    ),
    "banking77-few": Quality(
        "banking77/train.csv", ("accuracy", "accuracy_difference", "macro_f1"), banking77_few
    ),
    "tuning-methods": Quality("banking77/train.csv", ("accuracy",), _tuning_methods, ways=True),
    # the quickstart's own data
    "guards": Quality(None, ("rmse",), lambda folder: guarded_runs(), ways=True),
    "ml100k-u1": Quality("ml-100k/u1.base", _RATINGS, lambda data: _movielens(data, "u1", 3)),
    "ml100k-u1-no-clock": Quality("ml-100k/u1.base", _RATINGS, _movielens_no_clock),
    "ml100k-tuning": Quality("ml-100k/u1.base", _RATINGS, _tuning, curve="val/rmse"),
    "ml100k-gradients": Quality("ml-100k/u1.base", _RATINGS, _gradients, curve="val/rmse"),
    "ml100k-new-items": Quality("ml-100k/plots.json", _RATINGS, _new_items),
    "ml100k-cold-users": Quality("ml-100k/u.data", _RATINGS, _cold_users, draws=True),
    "ml100k-folds": Quality("ml-100k/u1.base", _RATINGS, _folds),
}
