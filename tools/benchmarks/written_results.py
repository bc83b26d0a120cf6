"""Write results as sections of a Markdown file: tools/benchmark KIND NAME --results FILE.

The next run of a benchmark replaces its section.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lit_rec.files.atomic import replace_file

NUMBERS = ("value", "low", "high")
PROCESSOR_SECONDS = "processor seconds of training"  # a row of each way, beside its figures
_HEAD = """\
# Results

Written by `tools/benchmark KIND NAME --results docs/results.md`, one section for each benchmark; \
what a figure means is said in the
files of `tools/benchmarks/` that the benchmarks are named after.
"""


def shown(value: float | None) -> str:
    """Return a figure with four significant digits, or a dash if there is none."""
    return "-" if value is None else f"{value:.4g}"


def write_section(path: Path, title: str, rows: list[dict[str, Any]]) -> None:
    """Write the rows of a benchmark into a file, in place of its earlier section.

    Args:
        path: The file; made if it does not exist.
        title: Title of the benchmark, such as ``quality scientific``.
        rows: name, metric, value, low, high, seeds and seconds.
    """
    text = path.read_text() if path.is_file() else _HEAD
    head, *sections = text.split("\n## ")
    kept = {section.split("\n", 1)[0]: section for section in sections}
    kept[title] = f"{title}\n\n{_lines(title, rows)}"
    whole = "\n## ".join([head, *(kept[name].rstrip("\n") + "\n" for name in sorted(kept))])
    replace_file(path, lambda work: work.write_text(whole))


def _lines(title: str, rows: list[dict[str, Any]]) -> str:
    # lines are separate runs, and have rows for their seconds; ways are several runs each
    of_lines = [row["value"] for row in rows if row["metric"] == "seconds"]
    ways = [row for row in rows if row["metric"] == PROCESSOR_SECONDS]
    if of_lines:
        runs, seconds = len(of_lines), sum(of_lines)
    elif ways:
        runs, seconds = sum(row["seeds"] for row in ways), sum(row["seconds"] for row in ways)
    else:
        runs, seconds = (max(row[of] for row in rows) for of in ("seeds", "seconds"))
    lines = [
        f"`tools/benchmark {title}`: {runs} {'run' if runs == 1 else 'runs'}, {seconds:,.0f} s.",
        "",
        f"| name | metric | {' | '.join(NUMBERS)} |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        figures = " | ".join(shown(row[key]) for key in NUMBERS)
        lines.append(f"| {row['name']} | {row['metric']} | {figures} |")
    return "\n".join(lines)
