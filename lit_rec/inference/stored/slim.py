"""slim: a checkpoint without the state of training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError
from lit_rec.files.atomic import replace_file
from lit_rec.files.tensor_file import save_tensors
from lit_rec.models.networks.network import Network
from lit_rec.models.text.adapters.merging import UnmergeableError, has_adapters
from lit_rec.training.checkpoint.base_weights import ENTRY
from lit_rec.training.checkpoint.checkpoint_file import check_is_file
from lit_rec.training.checkpoint.content import KEY, read_checkpoint

# what answers and evaluations read, of the entries of Lightning
_STAYS = ("state_dict", KEY, "pytorch-lightning_version", "epoch", "global_step")


@dataclass(frozen=True)
class Slimmed:
    """A slim checkpoint that was written.

    Args:
        path: The new file.
        before: Bytes of the checkpoint.
        after: Bytes of the new file.
        kept: Why adapters are still apart from their encoder; None if there are none.

    Example:
        >>> Slimmed(Path("best.slim.ckpt"), before=300_000_000, after=100_000_000).after
        100000000
    """

    path: Path
    before: int
    after: int
    kept: str | None = None


def slim_name(path: str | Path) -> Path:
    """Return the default name of a slim checkpoint, next to the checkpoint.

    Example:
        >>> slim_name("run/best.ckpt").name
        'best.slim.ckpt'
    """
    return Path(path).with_suffix(".slim.ckpt")


def slim(
    path: str | Path,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    network: Callable[[Facts], Network] | None = None,
    trust: str | Sequence[str] = (),
    base: str | Sequence[str] = (),
) -> Slimmed:
    """Write a checkpoint's weights and catalogue, without optimizer, loops, and a second set of weights.

    Answers and evaluations are those of the checkpoint. No run can resume from the new file. Adapters of peft are
    merged into the encoder, so that the new file needs no peft; scores then differ by rounding. A checkpoint that
    holds only what was trained (``RunCheckpoint(adapters_only=True)``) gets its encoder, and so becomes larger.

    Args:
        path: The checkpoint.
        output: The file to write; by default ``best.slim.ckpt`` next to ``best.ckpt``.
        overwrite: Whether a file of that name is replaced.
        network: The network's factory, if a run without a YAML wrote the checkpoint. It is needed for adapters alone,
            and the new file is then loaded with one that has ``FrozenTuning``.
        trust: Your own modules that the checkpoint may name, such as ``["my_parts"]``.
        base: Folders where the encoder may be, if the checkpoint holds only what was trained.

    Raises:
        CheckpointError: If the checkpoint is absent, damaged, not of lit_rec, or names what is not trusted.
        ConfigError: If ``output`` is there, is the checkpoint itself, or cannot be written.
    """
    check_is_file(path)
    path = Path(path)
    made = slim_name(path) if output is None else Path(output)
    if made.exists() and (made.is_dir() or made.samefile(path)):
        raise ConfigError(
            "this is a folder" if made.is_dir() else "this is the checkpoint itself",
            where=str(made),
            rule="another file, to write",
            remedy=f"name another with --output, such as {path.with_name('small.ckpt')}"
            if slim_name(path).is_dir()
            else f"leave --output out, and {slim_name(path).name} next to the checkpoint is written",
        )
    if made.exists() and not overwrite:
        raise ConfigError(
            "there is already such a file",
            where=str(made),
            rule="no file is replaced unasked",
            remedy="name another with --output, or add --overwrite",
        )
    checkpoint, kept = _merged(read_checkpoint(path, trust, base), path, network, trust)
    content = {name: checkpoint[name] for name in _STAYS if name in checkpoint}
    content[KEY] = {name: held for name, held in checkpoint[KEY].items() if name != ENTRY}
    replace_file(made, partial(save_tensors, content))
    return Slimmed(made, path.stat().st_size, made.stat().st_size, kept)


def _merged(
    checkpoint: dict[str, Any], path: Path, network: Any, trust: str | Sequence[str]
) -> tuple[dict[str, Any], str | None]:
    """Return a checkpoint with merged adapters; where that cannot be, as it is, and why."""
    if not has_adapters(checkpoint["state_dict"]):
        return checkpoint, None
    if checkpoint[KEY]["config"] is None and network is None:
        return checkpoint, "a run without a YAML wrote it; slim(path, network=FACTORY) merges them"
    from lit_rec.inference.stored.merged import (
        merged_checkpoint,
    )  # with Lightning, which takes long

    try:
        return merged_checkpoint(checkpoint, path, network, trust), None
    except UnmergeableError as error:
        return checkpoint, str(error)
