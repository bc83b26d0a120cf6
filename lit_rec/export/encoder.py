"""export_encoder: from a checkpoint to a folder that transformers and sentence-transformers load."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import try_to_load_from_cache

from lit_rec.data.texts.tokenizer_files import NAMES
from lit_rec.errors import ConfigError, some_of
from lit_rec.export.comparison import largest_difference, sample_texts
from lit_rec.export.model_card import model_card
from lit_rec.export.sentence_transformers_files import (
    POOLING_WEIGHTS,
    mode_of,
    why_not,
    write_pooling_weights,
    write_sentence_transformers,
)
from lit_rec.export.template_text import TEMPLATE_FILE
from lit_rec.export.trained_encoder import TrainedEncoder
from lit_rec.export.transformers_files import write_transformers
from lit_rec.files.new_folder import write_folder
from lit_rec.inference.stored.network import load_module
from lit_rec.training.checkpoint.content import facts_of

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?", re.ASCII)


@dataclass(frozen=True)
class Exported:
    """The result of an export.

    Args:
        folder: The written folder.
        width: Width of a text vector.
        max_tokens: Longest text, special tokens included.
        without: Why sentence-transformers cannot load the folder; None if it can.
        difference: Largest difference between a number of a vector by the folder and by the checkpoint, over sample
            texts of the checkpoint's items.
    """

    folder: Path
    width: int
    max_tokens: int
    without: str | None
    difference: float


def export_encoder(
    path: str | Path,
    output: str | Path,
    *,
    network: Any = None,
    trust: str | Sequence[str] = (),
    overwrite: bool = False,
    base_model: str | None = None,
    base: str | Sequence[str] = (),
) -> Exported:
    """Write the fine-tuned encoder of a checkpoint as a folder of Hugging Face.

    ``AutoModel`` and ``AutoTokenizer`` load it without extra code. ``SentenceTransformer`` loads it if it knows the
    pooling; its vectors equal those of the checkpoint before the recommender's projection. The written files are loaded
    and compared with the checkpoint before the folder is put in place, whole or not at all.

    Args:
        path: A checkpoint that ``lit-rec fit`` or a Trainer with LitRec wrote.
        output: The folder; absent or empty.
        network: The network's factory, if the checkpoint is of a run without a YAML.
        trust: Your own modules that the checkpoint may name, such as ``["my_parts"]``.
        overwrite: Whether the folder of an earlier export is replaced.
        base_model: Hub name of the encoder before training, for the model card; by default the name in the checkpoint's
            configuration, if the hub's cache holds an encoder of that name.
        base: Folders where the encoder before training may be, if the checkpoint holds only what was trained.

    Raises:
        CheckpointError: If the checkpoint is absent, damaged, not of lit_rec, has no configuration and no ``network``
            is given, names what is not trusted, or the written files give other tokens or vectors.
        ConfigError: If its network has no text encoder, ``output`` is not empty or cannot be written, or
            ``base_model`` is not a hub name.

    Example:
        >>> export_encoder("checkpoints/quickstart/version_0/best.ckpt", "film-encoder")  # doctest: +SKIP
        >>> SentenceTransformer("film-encoder").encode(["Heat (1995)"]).shape  # doctest: +SKIP
        (1, 384)
    """
    if base_model is not None and not _HUB_NAME.fullmatch(base_model):
        raise ConfigError(
            f"'{base_model}' is no name of the hub",
            where="--base_model",
            rule="OWNER/NAME",
            remedy="for example sentence-transformers/all-MiniLM-L6-v2, or leave it out",
        )
    path, output = Path(path), Path(output)
    module, content = load_module(path, network, trust, base)
    encoder = TrainedEncoder.of(module, content, f"--ckpt_path {path}")
    base_model = base_model or _hub_name(content["config"])
    without = why_not(encoder)
    texts = sample_texts(encoder.template, content["catalogue"]["columns"])
    differences: list[float] = []

    def write(folder: Path) -> None:
        write_transformers(encoder, folder)
        if without is None:
            write_sentence_transformers(encoder, folder)
        if encoder.pooling is not None and mode_of(encoder.pooling) is None:
            write_pooling_weights(encoder.pooling, folder)
        template = json.dumps(encoder.template, indent=2, ensure_ascii=False)
        (folder / TEMPLATE_FILE).write_text(template + "\n", encoding="utf-8")
        card = model_card(
            *(encoder, content, facts_of(content)),
            checkpoint=path,
            name=output.resolve().name,
            base_model=base_model,
        )
        (folder / "README.md").write_text(card, encoding="utf-8")
        differences.append(largest_difference(folder, encoder, texts))

    check = partial(check_replaced, overwrite=overwrite)
    made = write_folder(output, write, option="--output", may_replace=check)
    return Exported(made, encoder.width, encoder.max_tokens, without, differences[0])


def _hub_name(config: Mapping[str, Any] | None) -> str | None:
    """Return the hub name of the encoder that a run began with; None if it may be a folder's name.

    A name is certainly a hub name only if the hub's cache on this machine holds it.
    """
    name = _pretrained_name((config or {}).get("model"))
    if not isinstance(name, str) or not _HUB_NAME.fullmatch(name) or Path(name).exists():
        return None
    try:
        found = try_to_load_from_cache(name, "config.json")
    except ValueError:  # not a hub name
        return None
    return name if isinstance(found, str) else None


def _pretrained_name(part: Any) -> Any:
    """Return what a configuration calls its pretrained encoder."""
    if not isinstance(part, Mapping):
        return None
    if str(part.get("class_path")).rpartition(".")[2] == "PretrainedBackbone":
        return (part.get("init_args") or {}).get("name")
    return next(filter(None, map(_pretrained_name, part.values())), None)


_OWN = NAMES | {
    *("README.md", "config.json", "modules.json", "1_Pooling", "sentence_bert_config.json"),
    *("config_sentence_transformers.json", TEMPLATE_FILE, POOLING_WEIGHTS),
}
_WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors(\.index\.json)?")


def check_replaced(folder: Path, *, overwrite: bool, stamp: str = TEMPLATE_FILE) -> None:
    """Refuse a folder that is not empty, unless it is an earlier export that the user wants to replace.

    Args:
        folder: The existing folder.
        overwrite: Whether the user wants to replace it.
        stamp: A file that the folder has if such a command wrote it.

    Raises:
        ConfigError: If it is refused, naming the files that would be lost.
    """
    names = sorted(path.name for path in folder.iterdir())
    own = {*_OWN, stamp}
    others = [name for name in names if name not in own and not _WEIGHTS.fullmatch(name)]
    # every export has this file; other folders of encoders do not
    others += [] if stamp in names else names
    if not overwrite:
        problem, remedy = f"the folder holds {some_of(names)}", "name another folder"
        if not others:
            remedy += ", or replace this export: --overwrite (in Python overwrite=True)"
    elif others:
        problem = f"the folder holds what no export wrote: {some_of(dict.fromkeys(others))}"
        remedy = "name another folder, or move these away first"
    else:
        return
    raise ConfigError(
        problem,
        where=f"--output {folder}",
        rule="a folder that is absent or empty, or with --overwrite one of an earlier export",
        remedy=remedy,
    )
