"""Checks of an encoder's files: no code of its own, no weights from elsewhere, no impossible size."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lit_rec.errors import ConfigError

Problem = tuple[str, str, str]  # name of the entry, what it holds, the rule

_MOST_LAYERS = 1_000
_MOST_LABELS = 100_000
_LARGEST = 2**31
_LONGEST_JSON = 50_000_000  # bytes
_DEEPEST = 40
_SLACK = 100_000_000
_ATTENTIONS = (None, "eager", "sdpa")  # others may be downloaded from a hub
_REFUSED = {
    "auto_map": "an architecture of transformers: code that comes with an encoder is not run",
    "quantization_config": "weights that are not quantized",
    "use_timm_backbone": "an encoder whose weights are its own",
    "use_pretrained_backbone": "an encoder whose weights are its own",
}
_SIZES = frozenset({"dim", "hidden_dim", "n_embd", "n_head", "n_layer"})  # of DistilBERT and GPT-2
_OPTION = "PretrainedBackbone.name"


def encoder_problem(config: Mapping[str, Any]) -> Problem | None:
    """Return what is refused in an encoder's configuration: the entry, its value, the rule; None if nothing is.

    Args:
        config: Plain values, as in config.json.

    Example:
        >>> encoder_problem({"model_type": "bert", "hidden_size": 16})
        >>> encoder_problem({"model_type": "bert", "num_hidden_layers": 10**9})
        ('num_hidden_layers', '1000000000', 'at most 1,000 layers')
    """
    if not isinstance(config.get("model_type"), str):
        return "model_type", repr(config.get("model_type"))[:60], "the name of an architecture"
    for name, value in _entries(config):
        if problem := _problem(name.rpartition(".")[2], value):
            return name, repr(value)[:60], problem
    return None


def check_encoder_folder(folder: Path) -> None:
    """Refuse a folder whose files make transformers run code, read files elsewhere, or build an impossible size.

    Raises:
        ConfigError: If so, naming the file and the entry.
    """
    if (folder / "adapter_config.json").exists():
        raise ConfigError(
            f"the folder '{folder}' holds an adapter (adapter_config.json), which names another encoder to load",
            where=_OPTION,
            rule="a whole encoder: config.json and weights",
            remedy="merge the adapter into its encoder (merge_and_unload of peft) and save that",
        )
    if not (folder / "config.json").is_file():
        near = next(iter(sorted(folder.glob("*/config.json"))), None)
        raise ConfigError(
            f"the folder '{folder}' has no config.json; it holds {sorted(p.name for p in folder.iterdir())[:5]}",
            where=_OPTION,
            rule="a folder that save_pretrained wrote: config.json and weights",
            remedy=f"name {near.parent}" if near else "name the folder that holds config.json",
        )
    problem = encoder_problem(_read(folder / "config.json"))
    if problem is not None:
        name, found, rule = problem
        raise ConfigError(
            f"'{folder / 'config.json'}' holds {name}: {found}",
            where=_OPTION,
            rule=rule,
            remedy=f"use another encoder, or correct {name} in config.json if it is not needed",
        )
    for index in sorted(folder.glob("*.index.json")):
        names = _read(index).get("weight_map")
        for file in names.values() if isinstance(names, dict) else [names]:
            if not isinstance(file, str) or Path(file).name != file:
                raise ConfigError(
                    f"'{index}' names a file {str(file)[:60]!r}",
                    where=_OPTION,
                    rule="weights lie in the encoder's own folder",
                    remedy="copy the whole folder again",
                )


def most_numbers(folder: Path) -> int:
    """Return how many numbers an encoder may have, from the size of the weight files in its folder.

    A number takes at least a byte, and is counted twice: when the encoder is built, and when its weights are read. The
    slack is for a damaged, shorter file: its error is to say that it is damaged.
    """
    files = [path for kind in ("*.safetensors", "*.bin") for path in folder.glob(kind)]
    return 2 * sum(path.stat().st_size for path in files if path.is_file()) + _SLACK


def _read(path: Path) -> dict[str, Any]:
    found: Any = None
    try:
        reason = f"{path.stat().st_size:,} bytes"
        if path.stat().st_size <= _LONGEST_JSON:
            found = json.loads(path.read_text(encoding="utf-8"))
            reason = f"a {type(found).__name__}"
    except (OSError, ValueError, RecursionError) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:80]}"
    if not isinstance(found, dict):
        raise ConfigError(
            f"'{path}' cannot be read ({reason})",
            where=_OPTION,
            rule="a mapping in JSON, as save_pretrained writes it",
            remedy="copy the encoder's folder again",
        )
    return found


def _entries(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of a mapping's entries, and of the mappings inside it."""
    waiting: list[tuple[str, Mapping[str, Any], int]] = [("", config, 0)]
    while waiting:
        before, held, depth = waiting.pop()
        for key, value in held.items():
            name = f"{before}.{key}" if before else str(key)
            yield name, value
            if isinstance(value, dict) and depth < _DEEPEST:
                waiting.append((name, value, depth + 1))


def _problem(name: str, value: Any) -> str | None:
    if name in _REFUSED and value:
        return _REFUSED[name]
    if name.endswith("attn_implementation") or name.endswith("experts_implementation"):
        return None if value in _ATTENTIONS else "eager or sdpa"
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return _number_problem(name, value)


def _number_problem(name: str, value: int) -> str | None:
    # 0 is valid for some, such as DeBERTa's type_vocab_size; heads below 0 would fail only at the first text
    if value < 0 and (name.endswith(("_size", "_heads", "_layers")) or name in _SIZES):
        return "no size below 0"
    if "layer" in name and value > _MOST_LAYERS:
        return f"at most {_MOST_LAYERS:,} layers"
    if name == "num_labels" and value > _MOST_LABELS:
        return f"at most {_MOST_LABELS:,} labels"
    return None if abs(value) <= _LARGEST else f"at most {_LARGEST:,}"
