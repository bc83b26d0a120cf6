"""Changes to the folder of an encoder: its configuration, its tokenizer, its weights, and code added to it."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from random import Random
from typing import Any

from attacks.tree_changes import change, tricky
from attacks.watch import CANARY

_JSON = ("config.json", "tokenizer.json", "tokenizer_config.json")
_CODE = f"import {CANARY}\n\n\nclass Model({CANARY}.Canary):\n    pass\n"


class _Harmful:
    """A value whose unpickling would call something."""

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def __reduce__(self) -> Any:
        return exec, (f"open({self._mark!r}, 'w'); import {CANARY}",)


def changed_encoder(chance: Random, source: Path, target: Path, outside: Path) -> str:
    """Write a changed folder of an encoder, and say what was changed.

    Args:
        chance: Draws the change.
        source: An intact folder.
        target: The folder to make.
        outside: Where harmful values would leave a mark.
    """
    shutil.copytree(source, target)
    how = chance.choice(
        [_values, _values, _values, _bytes, _bytes, _code, _pickles, _index, _sizes, _files]
    )
    return how(chance, target, outside)


def _values(chance: Random, folder: Path, outside: Path) -> str:
    name = chance.choice(_JSON)
    tree = json.loads((folder / name).read_text())
    did = "; ".join(change(chance, tree) for _ in range(chance.choice([1, 1, 3])))
    (folder / name).write_text(json.dumps(tree, default=str))
    return f"{name}: {did}"


def _bytes(chance: Random, folder: Path, outside: Path) -> str:
    path = chance.choice(sorted(folder.iterdir()))
    content = bytearray(path.read_bytes())
    at = chance.randrange(len(content))
    how = chance.choice(["flip", "cut", "empty", "insert", "head"])
    if how == "flip":
        content[at] ^= 1 << chance.randrange(8)
    elif how == "cut":
        del content[at:]
    elif how == "empty":
        content.clear()
    elif how == "insert":
        content[at:at] = bytes(chance.choices(range(256), k=10))
    else:
        content[:16] = bytes(chance.choices(range(256), k=16))
    path.write_bytes(content)
    return f"{path.name}: {how} at {at}"


def _code(chance: Random, folder: Path, outside: Path) -> str:
    """Name code of the folder, in each of the places where transformers would look for it."""
    (folder / "modeling_harm.py").write_text(_CODE)
    (folder / f"{CANARY}_inside.py").write_text(_CODE)
    name = chance.choice(["config.json", "tokenizer_config.json"])
    tree = json.loads((folder / name).read_text())
    tree["auto_map"] = {
        kind: chance.choice(
            ["modeling_harm.Model", f"{folder}--modeling_harm.Model", f"{CANARY}_inside.Model"]
        )
        for kind in ("AutoConfig", "AutoModel", "AutoTokenizer", "AutoModelForMaskedLM")
    }
    if name == "tokenizer_config.json":
        tree["auto_map"]["AutoTokenizer"] = ["modeling_harm.Model", "modeling_harm.Model"]
    if chance.random() < 0.5:
        tree["model_type"] = chance.choice(["harm", "bert", ""])
        tree["trust_remote_code"] = True
    (folder / name).write_text(json.dumps(tree))
    return f"{name}: auto_map {tree['auto_map']}"


def _pickles(chance: Random, folder: Path, outside: Path) -> str:
    """Store the weights as a pickle that would call something."""
    (folder / "model.safetensors").unlink()
    name = chance.choice(
        ["pytorch_model.bin", "tf_model.h5", "training_args.bin", "adapter_model.bin"]
    )
    (folder / name).write_bytes(pickle.dumps(_Harmful(f"{outside}/mark")))
    return f"{name}: a pickle"


def _index(chance: Random, folder: Path, outside: Path) -> str:
    """Store the weights in parts, one of them elsewhere."""
    weights = folder / "model.safetensors"
    part = chance.choice(
        ["../part.safetensors", f"{outside}/part.safetensors", "", ".", "part.bin", 7, None]
    )
    if isinstance(part, str) and part.endswith(".safetensors"):
        shutil.copy(weights, folder / part)
    weights.unlink()
    index = {"metadata": tricky(chance), "weight_map": {"embeddings.word_embeddings.weight": part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, default=str))
    return f"index: a part is {part!r}, metadata {str(index['metadata'])[:40]!r}"


def _sizes(chance: Random, folder: Path, outside: Path) -> str:
    tree = json.loads((folder / "config.json").read_text())
    name = chance.choice(sorted(name for name, value in tree.items() if isinstance(value, int)))
    tree[name] = chance.choice([10**6, 10**9, 10**12, 2**63, -1, 0, 1, 10**30])
    (folder / "config.json").write_text(json.dumps(tree))
    return f"config.json: {name} is {tree[name]}"


def _files(chance: Random, folder: Path, outside: Path) -> str:
    """Remove a file, or put something else in its place."""
    path = chance.choice(sorted(folder.iterdir()))
    path.unlink()
    how = chance.choice(["nothing", "a folder", "a link to itself", "a link to nothing", "a pipe"])
    if how == "a folder":
        path.mkdir()
    elif how == "a link to itself":
        path.symlink_to(path)
    elif how == "a link to nothing":
        path.symlink_to(outside / "nothing")
    elif how == "a pipe":
        os.mkfifo(path)
    return f"{path.name}: {how} in its place"
