"""Checkpoints that hold only what was trained: the rest of the encoder is read from the folder that the run began with.

Such a checkpoint may come from a stranger. What it names is read only if it is a folder of this machine, as any folder
of an encoder is: no code in it is run, and no name of a hub is looked up. Its weights are used only if they have the
fingerprint of those of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from lit_rec.errors import CheckpointError, ConfigError, LitRecError, option_of
from lit_rec.models.text.backbone import pretrained_model
from lit_rec.training.checkpoint.values import EntryError, entries, mapping_of, text, texts

ENTRY = "base"
RULE = entries({"folders": texts(low=1), "fingerprint": text, "names": mapping_of(text)})
_STATES = ("state_dict", "current_model_state")  # the second of an averaging callback
_OPTION = "RunCheckpoint.adapters_only"
_SHOWN = 12  # characters of a fingerprint


def left_out(module: nn.Module) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Return what a checkpoint of a module can do without.

    Args:
        module: A LitRec, whose network is built.

    Returns:
        Names in its state dict, each with the name in the encoder's own folder; and weights by the latter.
    """
    backbone = _backbone(module)
    if backbone is None:
        return {}, {}
    inside = next(name for name, part in module.named_modules() if part is backbone)
    kept, weights = backbone.kept_weights(), backbone.state_dict()
    return (
        {f"{inside}.{name}": plain for name, plain in kept.items()},
        {plain: weights[name] for name, plain in kept.items()},
    )


def check_base(module: nn.Module) -> str:
    """Check that the weights of a run's encoder can be read again, and return their fingerprint.

    Raises:
        ConfigError: If the encoder is from no folder, its folder gives other weights, or all of it is trained.
    """
    backbone, (names, weights) = _backbone(module), left_out(module)
    folder, fingerprint = None if backbone is None else backbone.folder, _hash(weights)
    if backbone is None:
        problem, remedy = "there is no encoder", ""
    elif not names:
        problem = "nothing of the encoder is frozen"
        remedy = f"set {option_of('PretrainedBackbone', 'tuning')} to LoraTuning"
    elif folder is None:
        problem = "the encoder is not from a folder of this machine"
        remedy = (
            "save it once (hf download NAME --local-dir FOLDER), and set "
            f"{option_of('PretrainedBackbone', 'name')} to the folder"
        )
    elif _weights_of(folder, fingerprint, set(weights)) is None:
        problem = f"'{folder}' gives other weights each time: some are missing there"
        remedy = "name a folder that save_pretrained wrote, with all weights"
    else:
        return fingerprint
    raise ConfigError(
        problem,
        where=_OPTION,
        rule="an encoder from a folder of which most is frozen, and which stays there: checkpoints do not hold it",
        remedy=f"{remedy}, or leave {_OPTION} out" if remedy else f"leave {_OPTION} out",
    )


def leave_out(
    checkpoint: dict[str, Any], content: dict[str, Any], module: Any, fingerprint: str
) -> None:
    """Remove from a checkpoint what is in the encoder's folder.

    Args:
        checkpoint: What Lightning saves; changed in place.
        content: lit_rec's entry in it; changed in place.
        module: The LitRec.
        fingerprint: From ``check_base``.
    """
    names, _ = left_out(module)
    for state in _STATES:
        if state in checkpoint:
            held = checkpoint[state]
            checkpoint[state] = {name: held[name] for name in held if name not in names}
    folder = module.built().backbone.folder
    content[ENTRY] = {
        "folders": list(dict.fromkeys([str(folder), str(Path(folder).resolve())])),
        "fingerprint": fingerprint,
        "names": names,
    }


def complete(
    checkpoint: dict[str, Any],
    content: Any,
    where: str,
    *,
    bases: str | Sequence[str] = (),
    module: nn.Module | None = None,
) -> None:
    """Put the weights of the encoder's folder into a checkpoint; one that holds them already is not changed.

    Args:
        checkpoint: The result of ``torch.load``; changed in place.
        content: lit_rec's entry in it.
        where: The checkpoint as the user named it.
        bases: Folders to look in first.
        module: A LitRec whose encoder may have these weights already.

    Raises:
        CheckpointError: If no folder has these weights, or the entry is wrong.
    """
    base = content.get(ENTRY) if isinstance(content, dict) else None
    if base is None:
        return
    try:
        RULE(base, ENTRY)
    except EntryError as error:
        raise error.error(where) from error
    weights = _found(base, where, bases, module)
    for state in _STATES:
        if isinstance(held := checkpoint.get(state), dict):
            checkpoint[state] = {**held, **{n: weights[p] for n, p in base["names"].items()}}


def _found(
    base: Mapping[str, Any], where: str, bases: str | Sequence[str], module: nn.Module | None
) -> dict[str, Tensor]:
    wanted, names = base["fingerprint"], set(base["names"].values())
    own = {} if module is None else left_out(module)[1]
    if names <= own.keys() and _hash(own := {n: own[n] for n in names}) == wanted:
        return own
    tried = []
    named = [bases] if isinstance(bases, str) else bases
    for name in dict.fromkeys([*named, *base["folders"]]):
        if not _is_folder(name):
            tried.append(f"'{name}' is no folder, seen from {Path.cwd()}")
            continue
        try:
            found = _weights_of(name, wanted, names)
        except LitRecError as error:
            tried.append(f"'{name}' holds no encoder: {error.problem}")
            continue
        if found is not None:
            return found
        tried.append(f"'{name}' holds an encoder with other weights")
    raise CheckpointError(
        f"it holds only what was trained, and its encoder (fingerprint {wanted[:_SHOWN]}) is not here",
        where=where,
        details=tried,
        rule=f"the folder of the encoder that the run began with: '{base['folders'][0]}'",
        remedy="bring that folder back, or name another place of it: --base FOLDER (in Python base=FOLDER)",
    )


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):  # a name with a zero byte is not a path
        return False


def _weights_of(folder: str | Path, fingerprint: str, names: set[str]) -> dict[str, Tensor] | None:
    """Return these weights of an encoder's folder; None if their fingerprint is another."""
    held = pretrained_model(str(folder)).state_dict()
    if not names <= held.keys():
        return None
    found = {name: held[name] for name in names}
    return found if _hash(found) == fingerprint else None


def _backbone(module: Any) -> Any:
    return module.built().backbone


def _hash(weights: Mapping[str, Tensor]) -> str:
    from lit_rec.vectors.fingerprint import weights_hash  # noqa: PLC0415  (with FSDP, which takes long)

    return weights_hash(weights)
