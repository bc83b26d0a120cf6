"""The content of a checkpoint: how it is made, read and checked."""

from __future__ import annotations

import platform
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.item_inputs import input_hashes
from lit_rec.data.facts import Facts
from lit_rec.data.tables.column_values import shown_columns
from lit_rec.data.texts.template import TextTemplate
from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.data.texts.tokens import TokenStore
from lit_rec.data.training_facts import vocabulary_rows
from lit_rec.errors import CheckpointError
from lit_rec.training.checkpoint.base_weights import complete
from lit_rec.training.checkpoint.checkpoint_file import check_is_file
from lit_rec.training.checkpoint.content_schema import check_checkpoint
from lit_rec.training.checkpoint.former_paths import current_paths
from lit_rec.training.checkpoint.trust import import_task
from lit_rec.training.checkpoint.values import is_whole, shown
from lit_rec.vectors.store import CheckpointVectors, KnownVectors

if TYPE_CHECKING:
    from lit_rec.data.datamodule import BehaviorDataModule


KEY = "lit_rec"
FORMAT = 3
_LIBRARIES = ("torch", "lightning", "transformers", "tokenizers", "polars", "numpy")


def checkpoint_content(
    data: BehaviorDataModule,
    facts: Facts,
    vectors: Mapping[str, Any],
    config: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return what is stored in a checkpoint under ``KEY``.

    Args:
        data: The datamodule of the run.
        facts: The network's Facts, with the encoder's configuration.
        vectors: The result of ``VectorTables.saved``; if it is empty, vectors are computed on loading.
        config: The resolved configuration as plain values, if the run has one.
    """
    prepared, catalogue = data.prepared, data.catalogue
    return {
        "format": FORMAT,
        "versions": {"python": platform.python_version()} | {n: version(n) for n in _LIBRARIES},
        "config": config,
        "facts": facts.to_plain(),
        "tokenizer": dict(data.tokenizer_files.files),
        "template": _template(data.text),
        "profile_template": None if data.user_text is None else _template(data.user_text),
        "history_length": data.history.max_length,
        "catalogue": {
            "item_id": prepared.items["item_id"].to_list(),
            "columns": shown_columns(
                prepared.items, (name for name in prepared.items.columns if name != "item_id")
            ),
            **_entries(catalogue),
            **{"vectors": None, **vectors},
        },
        "users": _users(data),
        "profiles": None if data.profiles is None else _entries(data.profiles),
    }


def _template(template: TextTemplate) -> dict[str, Any]:
    return {
        "columns": {name: list(columns) for name, columns in template.fields.items()},
        "labels": template.labels,
        "separator": template.separator,
        # absent where there is none, so that earlier versions read the file
        **({"prefix": template.prefix} if template.prefix else {}),
    }


def _entries(catalogue: Catalogue) -> dict[str, Any]:
    """Return the tokens and fields that the vectors of a catalogue, or of profiles, are computed from."""
    return {
        "tokens": torch.from_numpy(np.array(catalogue.store.tokens)),
        "offsets": torch.from_numpy(np.array(catalogue.store.offsets)),
        "text_of_item": torch.from_numpy(catalogue.text_of_item.copy()),
        "fields": {
            name: torch.from_numpy(np.array(values)) for name, values in catalogue.fields.items()
        },
    }


def _users(data: BehaviorDataModule) -> dict[str, Any]:
    """Return all behaviors that count in histories, by user, so that `recommend --user` needs no table."""
    prepared = data.prepared
    counts = data.history.where.mask(prepared)
    until = np.concatenate([[0], np.cumsum(counts)])
    return {
        "user_id": list(prepared.user_ids),
        "events": list(prepared.events),
        "labels": list(prepared.labels),
        "offsets": torch.from_numpy(until[prepared.offsets]),
        **{
            name: torch.from_numpy(np.array(getattr(prepared, name)[counts]))
            for name in ("item", "rating", "event", "timestamp", "label")
        },
    }


def read_checkpoint(
    path: str | Path,
    trust: str | Sequence[str] = (),
    base: str | Sequence[str] = (),
    *,
    whole: bool = True,
    option: str = "--ckpt_path",
) -> dict[str, Any]:
    """Read a checkpoint to the CPU, without running code from it.

    Args:
        path: The file.
        trust: Modules that may be imported for the checkpoint's task, where it is not known.
        base: Folders where the encoder may be, if the checkpoint holds only what was trained.
        whole: Whether the weights of that encoder are added.
        option: How the user named the file, for errors.

    Raises:
        CheckpointError: If the file is absent, damaged or not written by lit_rec, an entry is wrong, or its encoder is
            not found.
        ConfigError: If ``trust`` holds something that is not the name of a module.
    """
    path = Path(path)
    where = f"{option} {path}"
    check_is_file(path, option)
    checkpoint: dict[str, Any] = read_values(path, where)
    check_content(checkpoint, where=where, trust=trust)
    if whole:
        complete(checkpoint, checkpoint[KEY], where, bases=base)
    with suppress(RecursionError):  # endless lists, which are refused where they are used
        checkpoint[KEY]["config"] = current_paths(checkpoint[KEY]["config"])
    return checkpoint


def check_content(checkpoint: Any, *, where: str, trust: str | Sequence[str] = ()) -> None:
    """Check a loaded checkpoint, except the state of training.

    Args:
        checkpoint: The result of ``torch.load``.
        where: The checkpoint as the user named it.
        trust: Modules that may be imported for the checkpoint's task, where it is not known.

    Raises:
        CheckpointError: If lit_rec did not write it, or an entry is wrong.
    """
    content = checkpoint.get(KEY) if isinstance(checkpoint, dict) else None
    if not isinstance(content, dict) or "format" not in content:
        held = isinstance(checkpoint, dict)
        found = sorted(str(name)[:60] for name in checkpoint)[:5] if held else shown(checkpoint)
        raise CheckpointError(
            f"this was not written by lit_rec; it holds {found}",
            where=where,
            rule=f"a checkpoint with the entry '{KEY}'",
            remedy="name a best.ckpt or last.ckpt that `lit-rec fit` wrote",
        )
    if not is_whole(content["format"]) or content["format"] != FORMAT:
        raise CheckpointError(
            f"its format is {shown(content['format'])}",
            where=where,
            rule=f"format {FORMAT}, which this version of lit_rec reads",
            remedy="use the version of lit_rec that wrote it, or train again",
        )
    if isinstance(facts := content.get("facts"), dict):
        import_task(facts.get("task"), trust, where)
    check_checkpoint(checkpoint, KEY, where=where)


def facts_of(content: dict[str, Any]) -> Facts:
    """Return the Facts of a checkpoint's content."""
    return Facts.from_plain(content["facts"])


def tokenizer_of(content: dict[str, Any]) -> TokenizerFiles:
    """Return the tokenizer of a checkpoint's content."""
    return TokenizerFiles(content["tokenizer"])


def catalogue_of(content: dict[str, Any], facts: Facts) -> Catalogue:
    """Return the catalogue of a checkpoint's content."""
    entry = content["catalogue"]
    return _catalogue(entry, vocabulary_rows(facts.item_ids, entry["item_id"]))


def profiles_of(content: dict[str, Any], facts: Facts) -> Catalogue | None:
    """Return the users' profiles of a checkpoint's content, in the order of its users."""
    entry = content["profiles"]
    ids = content["users"]["user_id"]
    return None if entry is None else _catalogue(entry, vocabulary_rows(facts.user_ids, ids))


def _catalogue(entry: dict[str, Any], vocab_row: Int64s) -> Catalogue:
    store = TokenStore(entry["tokens"].numpy(), entry["offsets"].numpy())
    fields = {name: values.numpy() for name, values in entry["fields"].items()}
    return Catalogue(store, entry["text_of_item"].numpy(), vocab_row, fields)


def vectors_of_checkpoint(content: dict[str, Any]) -> CheckpointVectors | None:
    """Return the catalogue's vectors of a checkpoint's content; None if it holds none."""
    entry = content["catalogue"]
    if entry["vectors"] is None or "maker" not in entry:
        return None
    inputs = input_hashes(catalogue_of(content, facts_of(content)))
    return CheckpointVectors(entry["maker"], KnownVectors(inputs, entry["vectors"]))


def read_values(path: Path, where: str) -> Any:
    """Return the values in a file of ``torch.save``, on the CPU.

    Args:
        path: The file.
        where: The file as the user named it.

    Raises:
        CheckpointError: If it cannot be read.
    """
    try:
        _check_archive(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files raise anything from OSError to UnicodeDecodeError
        others = [p for p in sorted(path.parent.glob("*.ckpt")) if p != path]
        raise CheckpointError(
            f"the file of {path.stat().st_size:,} bytes cannot be read ({type(error).__name__})",
            where=where,
            rule="a whole checkpoint written by lit_rec",
            remedy="copy it again, or use another checkpoint"
            + (f", such as {others[0]}" if others else ""),
        ) from error


def _check_archive(path: Path) -> None:
    """Refuse a file that is larger in memory than on disk: torch.save neither compresses nor duplicates data."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise zipfile.BadZipFile("compressed entries")
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise zipfile.BadZipFile("entries that are longer than the file")
