"""tools/benchmark quality transfer: train on one catalogue, continue on another, with other items, users and columns.

The sequences of Amazon Scientific are divided: one half of the items with every second user, the other half with the
other users. The first half's items have a column `text`, the second half's a column `title`. Both are trained by
configs/own_events.yaml without closed forms, which would be fitted anew: a transformer over frozen texts. On the second
half three ways are compared, over three seeds: `from scratch`; `zero-shot`, the first half's weights as they are
(`--model.start_from CKPT --trainer.max_epochs 0`); and `continued` from them. nDCG@10 and recall@10 of each user's last
item among all items of the half. Intervals are Student's, over seeds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lit_rec.evaluation.report.report import Report
from tools.benchmarks.data_folder import check_data
from tools.benchmarks.quality.draws import row_of_draws
from tools.benchmarks.quality.runs import Run, report_of

_CONFIG, _SEEDS = "configs/own_events.yaml", (0, 1, 2)
_METRICS = ("ndcg@10", "recall@10")
_FILES = ("test.inter", "text", "item2index")
_WORDS = (
    "--data.split=LeaveLastOutSplit",
    "--model.network.init_args.neighbors=null",
    "--model.network.init_args.repeats=null",
)
_WAYS = {"from scratch": (), "zero-shot": ("--trainer.max_epochs=0",), "continued": ()}


def measure(data: Path, runs: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return the figures of each way on the second half, and how far they are from those of training from scratch.

    Args:
        data: Folder of the data sets.
        runs: Folder of all runs.
        quick: Whether there is one seed of one epoch, to see that it works.
    """
    folder = runs / f"transfer{'_quick' * quick}"
    check_data(data, "amazon-scientific/Scientific.test.inter")
    halves = tables(data / "amazon-scientific", folder / "tables")
    few = ("--trainer.max_epochs=1",) if quick else ()
    found: dict[str, list[tuple[Report, float]]] = {}
    for seed in _SEEDS[:1] if quick else _SEEDS:
        seeded = ("--seed_everything", f"{seed}", "--data.seed", f"{seed}")
        first = Run(f"first_{seed}", _CONFIG, (*_WORDS, *halves[0], *seeded, *few))
        found.setdefault("first half", []).append(report_of(first, folder))
        for way, words in _WAYS.items():
            own = [*_WORDS, *halves[1], *seeded, *few, *words]
            if way != "from scratch":
                own += ["--model.start_from", str(folder / first.name / "version_0/best.ckpt")]
            run = Run(f"{way.replace(' ', '_')}_{seed}", _CONFIG, tuple(own))
            found.setdefault(way, []).append(report_of(run, folder))
    return rows_of(found)


def rows_of(found: dict[str, list[tuple[Report, float]]]) -> list[dict[str, Any]]:
    """Return the rows of the table: means of each way, and its paired differences from training from scratch."""
    rows = []
    for way, reports in found.items():
        seconds = sum(spent for _, spent in reports)
        for metric in _METRICS:
            values = _values(reports, metric)
            rows.append(row_of_draws(f"transfer: {way}", metric, values, seconds))
            if way in _WAYS and way != "from scratch":
                scratch = _values(found["from scratch"], metric)
                apart = [a - b for a, b in zip(values, scratch, strict=True)]
                rows.append(row_of_draws(f"transfer: {way}", f"{metric} - scratch", apart, seconds))
    return rows


def _values(reports: list[tuple[Report, float]], metric: str) -> list[float]:
    found = []
    for report, _ in reports:
        of_all = (row for row in report.rows if row.model == "lit_rec" and row.slice == "all")
        found += [row.value or 0.0 for row in of_all if row.metric == metric]
    return found


def tables(source: Path, folder: Path) -> list[tuple[str, ...]]:
    """Write the tables of both halves, if they are not there, and return the options that name them."""
    test, text, numbers = (source / f"Scientific.{file}" for file in _FILES)
    rows = pl.read_csv(test, separator="\t", infer_schema=False)
    numbered = pl.read_csv(numbers, separator="\t", has_header=False, infer_schema=False)
    texts = pl.read_csv(text, separator="\t", infer_schema=False, quote_char=None)
    texts.columns = ["name", "text"]
    numbered.columns = ["name", "item_id"]
    items = numbered.join(texts, on="name", how="left").select("item_id", "text").fill_null("")
    user, listed, last = rows.columns
    taken = rows.select(
        pl.col(user).alias("user_id"),
        pl.concat_str(listed, last, separator=" ").str.split(" ").alias("item_id"),
    ).explode("item_id")
    taken = taken.with_columns(timestamp=pl.int_range(pl.len()).over("user_id"))
    second = np.random.default_rng(0).random(len(items)) < 0.5
    options = []
    for half, column in enumerate(("text", "title")):
        own = items.filter(pl.Series(second == bool(half))).rename({"text": column})
        users = taken["user_id"].cast(pl.Int64) % 2 == half
        place = folder / column
        if not (place / "items.csv").is_file():
            place.mkdir(parents=True, exist_ok=True)
            kept = taken.filter(users).join(own.select("item_id"), on="item_id")
            kept.sort("user_id", "timestamp").write_csv(place / "behaviors.csv")
            own.write_csv(place / "items.csv")
        files = [f"--data.reader.{name}={place / name}.csv" for name in ("behaviors", "items")]
        options.append((*files, f"--data.text.columns=[{column}]"))
    return options
