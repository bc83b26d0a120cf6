"""README.md of an exported encoder: what it is, how it is used, and how well its run did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lit_rec import __version__
from lit_rec.data.facts import Facts
from lit_rec.export.report_text import figures_section
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
    """Return the text of README.md, with YAML front matter; no path of this machine stands in it.

    Args:
        encoder: What is written.
        content: The checkpoint's content.
        facts: Its Facts.
        checkpoint: The file, beside which ``report.json`` may lie.
        name: Name of the folder that is written.
        base_model: Name on the hub of the encoder before training, where it is known.
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
        # a text of JSON is one of YAML
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
    how += [f"parted by `{split}`"] if split else []
    said = [f"The data was {' and '.join(how)}."] if how else []
    return "\n\n".join([*said, "\n".join(f"- {what}: {n}" for what, n in counts.items())])


def _class_name(config: Mapping[str, Any] | None, option: str) -> str | None:
    """Return the class of an option of the data, without its module and options, which may name paths."""
    part = ((config or {}).get("data") or {}).get("init_args", {}).get(option)
    path = part.get("class_path") if isinstance(part, Mapping) else part
    return path.rpartition(".")[2] if isinstance(path, str) and path else None


def _versions(content: Mapping[str, Any]) -> str:
    trained = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    return f"Exported by lit_rec {__version__}. Trained with {trained}."
