"""Figures as lines on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lit_rec.training.tuned.run_sizes import RunSizes

_PARTS = ("train", "val", "test")
_BAR = 30  # characters of the longest bar


def data_lines(figures: dict[str, Any]) -> str:
    """Return the figures of the data as text: a block of lines for each kind."""
    return _blocks(
        ("data", _data(figures)),
        ("cleaning", _cleaning(figures["cleaning"])),
        (figures["target"].get("of", f"{figures['target']['task']}s"), _target(figures["target"])),
        ("histories", _histories(figures["histories"])),
        ("texts", _texts(figures["texts"])),
        ("fields", _fields(figures["fields"])),
    )


def model_lines(figures: dict[str, Any]) -> str:
    """Return the figures of the model and of time, and the warnings, as text."""
    warnings = (("warning", [text]) for text in figures["warnings"])
    return _blocks(("model", _model(figures["model"])), ("time", _time(figures["time"])), *warnings)


def _blocks(*blocks: tuple[str, Iterable[str]]) -> str:
    return "\n".join(
        f"{'' if place else title:<11}{line}".rstrip()
        for title, block in blocks
        for place, line in enumerate(block)
    )


def _data(figures: dict[str, Any]) -> Iterator[str]:
    data, slices = figures["data"], figures["slices"]
    span = f", {data['first']} to {data['last']}" if data["first"] else ""
    yield (
        f"{data['behaviors']:,} behaviors of {data['users']:,} users "
        f"with {data['items']:,} of {data['catalogue']:,} items{span}"
    )
    names = [name for name in slices["val"] if name != "all"]
    rows: list[Sequence[str]] = [("part", "behaviors", "users", "items", *names)]
    for part, counts in data["parts"].items():
        of_slices = [f"{slices[part][name]:,}" if part in slices else "" for name in names]
        rows.append(
            (part, *(f"{counts[c]:,}" for c in ("behaviors", "users", "items")), *of_slices)
        )
    yield from _aligned(rows)


def _cleaning(cleaning: dict[str, Any]) -> Iterator[str]:
    for step in cleaning["dropped"]:
        example = f", such as {step['example']}" if step["example"] else ""
        what = f"{step['dropped']:,} of {step['of']:,} {step['of_what']} {step['done']}"
        yield f"{step['rule']}: {what}{example}"
    if not cleaning["dropped"]:
        yield "nothing dropped"


def _target(target: dict[str, Any]) -> Iterator[str]:
    mean = f", mean {target['mean']:.2f}" if "mean" in target else ""
    yield f"of the training rows{mean}"
    bars = target["histogram"]
    total, most = sum(bar["count"] for bar in bars), max(bar["count"] for bar in bars)
    shown = bars[:12]
    for row, bar in zip(
        _aligned([(b["value"], f"{b['count']:,}", percent(b["count"] / total)) for b in shown]),
        shown,
        strict=True,
    ):
        yield f"{row}  {'▇' * round(_BAR * bar['count'] / most)}"
    if len(bars) > len(shown):
        yield f"... and {len(bars) - len(shown)} more"


def _histories(histories: dict[str, Any]) -> Iterator[str]:
    longest = histories["max_length"]
    yield f"{histories['rule']}: earlier behaviors that a row can see; max_length {longest} keeps the newest"
    rows: list[Sequence[str]] = [("part", "median", "90 %", "max", "empty", "cut")]
    for part in _PARTS:
        found = histories[part]
        if found is not None:
            lengths = (f"{found[name]:,g}" for name in ("median", "p90", "max"))
            rows.append((part, *lengths, percent(found["empty"]), percent(found["cut"])))
    yield from _aligned(rows)


def _texts(texts: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{texts['items']:,} items, {texts['distinct']:,} distinct texts; "
        f"{percent(texts['without_text'])} of the items have none"
    )
    if len(texts["fields"]) > 1:
        yield "empty: " + ", ".join(f"{n} {percent(v)}" for n, v in texts["fields"].items())
    unknown = {name: field["unknown"] for name, field in texts["by_field"].items()}
    if any(unknown.values()):
        shown = ", ".join(f"{name} {percent(share)}" for name, share in unknown.items())
        yield f"tokens that the encoder does not know: {shown}"
    tokens = texts["tokens"]
    yield (
        f"tokens: median {tokens['median']:,.0f}, 90 % {tokens['p90']:,.0f}, "
        f"99 % {tokens['p99']:,.0f}, max {tokens['max']:,.0f}; "
        f"max_tokens {texts['max_tokens']} cuts {percent(texts['cut_texts'])} of the texts, "
        f"{percent(texts['cut_tokens'])} of the tokens"
    )


def _fields(fields: list[dict[str, Any]]) -> Iterator[str]:
    rows: list[Sequence[str]] = [("of", "field", "kind", "size", "empty")]
    for field in fields:
        size = f"{field['size']:,} {field['of_what']}"
        rows.append((field["of"], field["name"], field["kind"], size, percent(field["empty"])))
    yield from _aligned(rows) if fields else ()


def _model(model: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{_millions(model['parameters'])} parameters, {_millions(model['trained'])} of them trained; "
        f"encoder {_millions(model['encoder'])}, {_millions(model['encoder_trained'])} trained"
    )
    sizes = RunSizes(model["optimizer_bytes"], model["checkpoint_bytes"])
    yield sizes.line(model["trained"], model["parameters"])


def _time(figures: dict[str, Any]) -> Iterator[str]:
    if not figures:
        yield "no step is left to train"
        return
    yield (
        f"{figures['step_seconds']:.3g} s a step (median of {figures['steps_measured']}) "
        f"on {figures['device']} in {figures['precision']}, "
        f"{figures['steps_per_epoch']:,} steps an epoch; about {figures['validation_seconds']:.3g} s a validation"
    )
    if figures["minutes"] is None:
        yield "no end is set (trainer.max_epochs)"
    else:
        epochs = f"{figures['epochs']:g} epoch{'s' * (figures['epochs'] != 1)}"
        yield f"about {_span(figures['minutes'])} for {epochs}, {figures['steps']:,} steps"
    if figures["peak_memory_bytes"] is not None:
        what = "this process" if figures["device"] == "cpu" else "the GPU"
        yield f"{figures['peak_memory_bytes'] / 1e9:.2f} GB of {what}'s memory at the most"


def _aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows with aligned cells: the first column to the left, others to the right."""
    rows = list(rows)
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def percent(value: float) -> str:
    """Return a share with one decimal."""
    return f"{100 * value:.1f} %"


def _span(minutes: float) -> str:
    if minutes < 1.5:
        return f"{60 * minutes:.2g} seconds"
    return f"{minutes:.3g} minutes" if minutes < 90 else f"{minutes / 60:.3g} hours"


def _millions(count: int) -> str:
    return f"{count / 1e6:,.1f} M" if count >= 1e6 else f"{count:,}"
