"""README.md of an exported encoder: what it is, how it is used, and the figures of its run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lit_rec import __version__
from lit_rec.data.facts import Facts
from lit_rec.errors import DataError
from lit_rec.evaluation.report.report import Report, ReportRow
from lit_rec.export.sentence_transformers_files import why_not
from lit_rec.export.template_text import template_section
from lit_rec.export.trained_encoder import TrainedEncoder
from lit_rec.export.usage_text import usage_section


def model_card(
    encoder: TrainedEncoder,
    content: Mapping[str, Any],
    facts: Facts,
    *,
    checkpoint: Path,
    name: str,
    base_model: str | None,
) -> str:
    """Return the text of README.md, with YAML front matter and without paths of this machine.

    Args:
        encoder: The exported encoder.
        content: The checkpoint's content.
        facts: Its Facts.
        checkpoint: The checkpoint's file; ``report.json`` may be next to it.
        name: Name of the written folder.
        base_model: Hub name of the encoder before training, if it is known.
    """
    sections = {
        "Use": usage_section(encoder, name),
        "Texts": template_section(encoder.template, encoder.max_tokens),
        "Data": _data(content, facts),
        "Figures": figures_section(checkpoint),
        "Versions": _versions(content),
    }
    parts = [_front_matter(encoder, base_model), f"# {name}", _what(encoder, facts, base_model)]
    parts += [f"## {title}\n\n{text}" for title, text in sections.items()]
    return "\n\n".join(parts) + "\n"


def _front_matter(encoder: TrainedEncoder, base_model: str | None) -> str:
    whole = why_not(encoder) is None
    tags = ["lit_rec", "recommendation", "feature-extraction"]
    tags += ["sentence-transformers", "sentence-similarity"] if whole else []
    lines = [
        f"library_name: {'sentence-transformers' if whole else 'transformers'}",
        f"pipeline_tag: {'sentence-similarity' if whole else 'feature-extraction'}",
        "tags:",
        *(f"- {tag}" for tag in tags),
        # a JSON string is a YAML string
        *([f"base_model: {json.dumps(base_model)}"] if base_model else []),
    ]
    return "\n".join(["---", *lines, "---"])


def _what(encoder: TrainedEncoder, facts: Facts, base_model: str | None) -> str:
    began = f", which began as `{base_model}`" if base_model else ""
    return (
        f"The text encoder ({type(encoder.model).__name__}{began}) of a model that lit_rec trained for the task "
        f"`{facts.task}`. Weights are float32, texts have {encoder.max_tokens} tokens at most."
    )


def _data(content: Mapping[str, Any], facts: Facts) -> str:
    items, users = content["catalogue"]["item_id"], content["users"]["user_id"]
    counts = {"items": f"{len(items):,}", "items with a training row": f"{len(facts.item_ids):,}"}
    if users:
        counts |= {"users": f"{len(users):,}"}
        counts |= {"users with a training row": f"{len(facts.user_ids):,}"}
        counts |= {"behaviors that count in histories": f"{len(content['users']['item']):,}"}
    if facts.label_counts:
        named = zip(facts.labels, facts.label_counts, strict=False)
        counts |= {f"training rows with the label `{label}`": f"{n:,}" for label, n in named}
    elif facts.rating_high > facts.rating_low:
        counts |= {"ratings": f"{facts.rating_low:g} to {facts.rating_high:g}"}
        counts |= {"mean rating of training rows": f"{facts.rating_mean:.4g}"}
    reader = _class_name(content["config"], "reader")
    split = _class_name(content["config"], "split")
    how = [f"read by `{reader}`"] if reader else []
    how += [f"split by `{split}`"] if split else []
    said = [f"The data was {' and '.join(how)}."] if how else []
    return "\n\n".join([*said, "\n".join(f"- {what}: {n}" for what, n in counts.items())])


def _class_name(config: Mapping[str, Any] | None, option: str) -> str | None:
    """Return the class name of a data option, without its module and options, which may hold paths."""
    part = ((config or {}).get("data") or {}).get("init_args", {}).get(option)
    path = part.get("class_path") if isinstance(part, Mapping) else part
    return path.rpartition(".")[2] if isinstance(path, str) and path else None


def _versions(content: Mapping[str, Any]) -> str:
    trained = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    return f"Exported by lit_rec {__version__}. Trained with {trained}."


def figures_section(checkpoint: Path) -> str:
    """Return the section of a model card with the recommender's figures on test rows.

    Args:
        checkpoint: The checkpoint's file; ``lit-rec test`` writes ``report.json`` next to it.
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
            "The whole recommender and plain baselines on test rows, as `lit-rec test` last wrote them in the run's "
            "folder; in brackets 95 % intervals.",
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
