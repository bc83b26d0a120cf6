"""Other libraries on the rows of a configuration: tools/benchmark peers NAME.

Each peer is fitted on the training rows of the configuration, in a process and an environment of its own, with one
thread and one seed; it never gets the targets of test rows. Files in ``fits/`` say what each one sees and how its
options were chosen. lit_rec measures the predictions, as it measures its own: the same rows, the same pasts, 95 %
intervals over users (texts, where there are none). Seconds are CPU time of the peer's process on one core.

Beside peers stand the strongest baselines of the report, which lit_rec fits again, and lit_rec's own model, if
`tools/benchmark quality` has left a finished run of it in the folder of runs (seed 0 is taken). `..._difference to X`
compares in pairs: above 0, X is better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lit_rec.data.arrays import Float64s
from lit_rec.evaluation.report.measures import DIFFERENCE
from lit_rec.evaluation.report.report import Report, build_report
from lit_rec.evaluation.report.slices import whole
from tools.benchmarks.data_folder import check_data
from tools.benchmarks.peers.exchange import Line
from tools.benchmarks.peers.exported_rows import tested_rows
from tools.benchmarks.peers.kinds import Kind, Labels, NextItems, Ratings
from tools.benchmarks.peers.our_side import predictions_of_run, prepared_data
from tools.benchmarks.peers.peer_runs import Peer, lines_of

_ROOT = Path(__file__).resolve().parents[3]
_ROWS = "rows"  # folder of what is written for peers
_SECONDS = {
    "seconds of choosing options": "choice_seconds",
    "seconds of fitting": "fit_seconds",
    "seconds of predicting": "predict_seconds",
}


@dataclass(frozen=True)
class Case:
    """Rows, and the libraries that are compared on them.

    Args:
        config: The YAML that makes the rows.
        folder: Folder of the reader's files, in the data folder.
        needs: A file in it.
        kind: What is predicted.
        peers: The libraries.
        baselines: Those of the report that stand beside them.
        runs: Names in the table, and runs of ``quality``, as NAME/RUN.
        change: Changes the configuration, given the folder.
    """

    config: str
    folder: str
    needs: str
    kind: type[Kind]
    peers: tuple[Peer, ...]
    baselines: tuple[str, ...]
    runs: Mapping[str, str] = field(default_factory=dict)
    change: Callable[[Path, dict[str, Any]], None] | None = None


def measure(name: str, data: Path, folder: Path, environments: Path) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        name: Name of the case.
        data: Folder that holds the data sets.
        folder: Folder of the runs; those of peers are in ``peers``.
        environments: Folder that holds the peers' environments, or will.

    Raises:
        ConfigError: If the data is missing, or an environment cannot be made.
    """
    case = CASES[name]
    source = data / case.folder
    check_data(data, f"{case.folder}/{case.needs}")
    change = case.change
    behaviors, vectors = prepared_data(
        _ROOT / case.config, source, None if change is None else lambda c: change(source, c)
    )
    own = folder / "peers" / name
    case.kind.export(behaviors, own / _ROWS)
    kind = case.kind(behaviors, tested_rows(behaviors))
    lines = [
        line
        for peer in case.peers
        for line in lines_of(peer, own / _ROWS, own, environments, kind.stored)
    ]
    titles = [_title(line) for line in lines]
    found = {
        of_run: predicted
        for of_run, run in case.runs.items()
        if (predicted := predictions_of_run(folder / run, behaviors, kind.rows)) is not None
    }
    found |= {n: predicted for n, predicted in kind.baselines(vectors) if n in case.baselines}
    found |= {title: line.predicted for title, line in zip(titles, lines, strict=True)}
    return _figures(name, kind, _report(kind, found)) + [
        figure
        for title, line in zip(titles, lines, strict=True)
        for figure in _times(name, title, line)
    ]


def _report(kind: Kind, found: dict[str, Float64s]) -> Report:
    prepared, rows = kind.data.prepared, kind.rows
    user = prepared.user[rows] if kind.data.facts.user_ids else np.arange(len(rows))
    return build_report(
        list(found),
        [kind.measures(list(found.values()))],
        whole(len(rows)),
        np.asarray(user, np.int64),
        np.asarray(prepared.item[rows], np.int64),
    )


def _title(line: Line) -> str:
    """Return a line's name with its options."""
    options = ", ".join(f"{option} {value:g}" for option, value in line.options.items())
    return f"{line.name} ({options})" if options else line.name


def _figures(name: str, kind: Kind, report: Report) -> list[dict[str, Any]]:
    first = report.rows[0].model
    wanted = [*kind.metrics, *(metric + DIFFERENCE for metric in kind.compared)]
    return [
        {
            "name": f"{name}: {row.model}",
            "metric": f"{metric} to {first}" if metric.endswith(DIFFERENCE) else metric,
            **{end: getattr(row, end) for end in ("value", "low", "high")},
            "seeds": 1,
            "seconds": 0.0,
        }
        for metric in wanted
        for row in report.rows
        if row.metric == metric
    ]


def _times(name: str, title: str, line: Line) -> list[dict[str, Any]]:
    total = sum(getattr(line, part) for part in _SECONDS.values())
    parts = {"seconds": total} | {n: getattr(line, part) for n, part in _SECONDS.items()}
    parts = {n: value for n, value in parts.items() if value}  # many have no option to choose
    return [
        {
            "name": f"{name}: {title}",
            "metric": metric,
            "value": value,
            "low": None,
            "high": None,
            "seeds": 1,
            "seconds": total,
        }
        for metric, value in parts.items()
    ]


def _labelled_texts(folder: Path, content: dict[str, Any]) -> None:
    options = content["data"]["init_args"]["reader"]["init_args"]
    del options["folder"]
    options.update(texts=str(folder / "train.csv"), test_texts=str(folder / "test.csv"))


CASES = {
    "scientific": Case(
        "configs/scientific.yaml",
        "amazon-scientific",
        "Scientific.train.inter",
        NextItems,
        (
            Peer("implicit_als"),
            Peer("rectools_sasrec", "peers-rectools"),
            Peer("rectools_sasrec_epochs", "peers-rectools"),
        ),
        ("ease_text",),
        {"lit_rec": "scientific/seed_0"},
    ),
    "ml100k-u1": Case(
        "configs/movielens_u1.yaml",
        "ml-100k",
        "u1.base",
        Ratings,
        (Peer("surprise_svdpp"), Peer("myfm_svdpp")),
        ("blend", "clock_blend"),
        {
            "lit_rec, without the clock": "ml100k-u1-no-clock/seed_0",
            "lit_rec": "ml100k-u1/seed_0",
        },
    ),
    "banking77": Case(
        "configs/banking77.yaml",
        "banking77",
        "train.csv",
        Labels,
        (Peer("sentence_transformers_labels"),),
        ("logistic_regression",),
        {"lit_rec": "banking77/seed_0"},
        _labelled_texts,
    ),
}
