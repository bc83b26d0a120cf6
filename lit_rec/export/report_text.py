"""The figures of a run's report.json in Markdown."""

from __future__ import annotations

from pathlib import Path

from lit_rec.errors import DataError
from lit_rec.evaluation.report.report import Report, ReportRow


def figures_section(checkpoint: Path) -> str:
    """Return the part of a model card that says how good the recommender was on test rows.

    Args:
        checkpoint: The file beside which ``lit-rec test`` writes ``report.json``.
    """
    command = f"```\nlit-rec test --ckpt_path {checkpoint.name}\n```"
    path = checkpoint.parent / "report.json"
    untested = f"Not tested yet. This command writes the figures:\n\n{command}"
    try:
        report = Report.read(path)
        is_older = path.stat().st_mtime < checkpoint.stat().st_mtime
    except (DataError, OSError):
        return untested
    if is_older or not report.rows:
        return untested
    return "\n\n".join(
        [
            "Of the whole recommender on test rows beside plain baselines, as `lit-rec test` last wrote them in the "
            "run's folder; in brackets 95 % intervals.",
            f"`{report.main}`, by slice:",
            _by_slice(report),
            "All figures of the recommender on all test rows:",
            _of_model(report),
        ]
    )


def _by_slice(report: Report) -> str:
    rows = [row for row in report.rows if row.metric == report.main]
    slices = list(dict.fromkeys(row.slice for row in rows))
    found = {(row.model, row.slice): row for row in rows}
    heads = [f"{name} ({_count(rows, name):,})" for name in slices]
    models = dict.fromkeys(row.model for row in rows)
    return _table(
        ["model", *heads],
        [[model, *(_cell(found.get((model, name))) for name in slices)] for model in models],
    )


def _count(rows: list[ReportRow], name: str) -> int:
    return next(row.count for row in rows if row.slice == name)


def _of_model(report: Report) -> str:
    first = report.rows[0].model
    rows = [row for row in report.rows if row.model == first and row.slice == "all"]
    return _table(["metric", "value"], [[row.metric, _cell(row)] for row in rows])


def _cell(row: ReportRow | None) -> str:
    if row is None or row.value is None:
        return "-"
    within = "" if row.low is None else f" [{row.low:.4f}, {row.high:.4f}]"
    return f"{row.value:.4f}{within}"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    ruled = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in ruled)
