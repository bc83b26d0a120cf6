"""Changes to a checkpoint: other values, harmful values, other bytes."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from random import Random
from typing import Any

from attacks.tree_changes import (
    change,
    copied,
    draw_dict,
    draw_place,
    harmful_class,
    harmful_text,
    tricky,
)
from attacks.watch import CANARY


class _Harmful:
    """A value whose unpickling would call something."""

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def __reduce__(self) -> Any:
        return exec, (f"open({self._mark!r}, 'w'); import {CANARY}",)


def changed_checkpoint(chance: Random, source: Path, target: Path, outside: Path) -> str:
    """Write a changed checkpoint, and say what was changed; run this in a child, because it writes with torch.

    Args:
        chance: Draws the change.
        source: An intact checkpoint.
        target: The file to write.
        outside: Where harmful values would leave a mark.
    """
    import torch  # noqa: PLC0415

    tree = copied(torch.load(source, map_location="cpu", weights_only=True))
    how = chance.choice(
        [_plain, _plain, _plain, _tensors, _tensors, _class, _class, _text, _names, _harmful]
    )
    did = how(chance, tree, outside)
    if chance.random() < 0.3:
        did += f"; {_plain(chance, tree, outside)}"
    torch.save(tree, target)
    return did


def changed_bytes(chance: Random, source: Path, target: Path, outside: Path) -> str:
    """Write a checkpoint with other bytes, and say which."""
    content = bytearray(source.read_bytes())
    how = chance.choice(["flip", "flip", "cut", "insert", "zero", "member", "pickle", "text"])
    at = chance.randrange(len(content))
    if how == "flip":
        for _ in range(chance.choice([1, 1, 3, 100])):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif how == "cut":
        del content[at:]
    elif how == "insert":
        content[at:at] = bytes(chance.choices(range(256), k=chance.choice([1, 100])))
    elif how == "zero":
        content[at : at + 1000] = bytes(1000)
    elif how == "member":
        content = bytearray(_other_members(chance, bytes(content), outside))
    elif how == "pickle":
        content = bytearray(
            pickle.dumps({"state_dict": {}, "lit_rec": _Harmful(f"{outside}/mark")})
        )
    else:
        content = bytearray(
            chance.choice([b"", b"PK", b"\x80\x02.", b"hello\n", b"{}", bytes(4096)])
        )
    target.write_bytes(content)
    return f"bytes: {how} at {at}"


def _plain(chance: Random, tree: Any, outside: Path) -> str:
    part = chance.choice(["lit_rec", "lit_rec", "lit_rec", "any"])
    return f"{part}: {change(chance, tree['lit_rec'] if part == 'lit_rec' else tree)}"


def _tensors(chance: Random, tree: Any, outside: Path) -> str:
    """Change a tensor, wherever it lies."""
    import torch  # noqa: PLC0415

    for _ in range(1000):
        place = draw_place(chance, tree if chance.random() < 0.4 else tree["lit_rec"])
        if isinstance(place.value, torch.Tensor):
            how = chance.choice(list(_TENSORS))
            try:
                place.put(_TENSORS[how](chance, place.value))
            except (RuntimeError, TypeError, IndexError, ValueError) as error:
                place.put(None)
                how = f"None, for {how} is not possible ({type(error).__name__})"
            return f"tensor {place}: {how}"
    raise RuntimeError("no tensor was found")


def _at(chance: Random, tensor: Any, value: Any) -> Any:
    """Put a value at one random place."""
    found = tensor.clone().flatten()
    found[chance.randrange(len(found))] = value
    return found.reshape(tensor.shape)


def _as(name: str) -> Any:
    def cast(chance: Random, tensor: Any) -> Any:
        import torch  # noqa: PLC0415

        return tensor.to(getattr(torch, name))

    return cast


_TENSORS: dict[str, Any] = {
    "nan": lambda c, t: _at(c, t, float("nan")),
    "inf": lambda c, t: _at(c, t, float("inf")),
    "minus": lambda c, t: _at(c, t, -1),
    "large": lambda c, t: _at(c, t, 2**30),
    "reversed": lambda c, t: t.flip(0),
    "cut": lambda c, t: t[: len(t) // 2],
    "longer": lambda c, t: __import__("torch").cat([t, t]),
    "empty": lambda c, t: t[:0],
    "flat": lambda c, t: t.flatten()[None, None],
    "scalar": lambda c, t: t.flatten()[0],
    "list": lambda c, t: t.tolist(),
    "wide": lambda c, t: t.flatten()[:1].expand(1 << 40),
    "sparse": lambda c, t: t.to_sparse(),
    "meta": lambda c, t: t.to("meta"),
    "zeros": lambda c, t: t * 0,
    "transposed": lambda c, t: t.T,
    **{
        name: _as(name)
        for name in ("float64", "float16", "int64", "int8", "uint8", "bool", "complex64")
    },
}


def _class(chance: Random, tree: Any, outside: Path) -> str:
    """Name a harmful class somewhere in the configuration, also where any value is allowed."""
    found = harmful_class(chance, outside)
    holder, path = draw_dict(chance, tree["lit_rec"]["config"])
    keys = [*holder, "extra", "profiler", "plugins", "config", "quantization_config"]
    if chance.random() < 0.4 and "class_path" in holder:
        holder.update(found)
        return f"class of {'.'.join(map(str, path))} -> {found}"
    key = chance.choice(keys)
    holder[key] = chance.choice([found, [found], found["class_path"], {"a": found}])
    return f"{'.'.join(map(str, (*path, key)))} -> {found}"


def _text(chance: Random, tree: Any, outside: Path) -> str:
    """Put an interpolation or a path into a text of the configuration."""
    text = harmful_text(chance, outside)
    for _ in range(1000):
        place = draw_place(chance, tree["lit_rec"]["config"])
        if isinstance(place.value, str) or place.value is None:
            place.put(text)
            return f"{place} -> {text}"
    raise RuntimeError("no text was found")


def _names(chance: Random, tree: Any, outside: Path) -> str:
    """Give a file of the tokenizer another name."""
    files = tree["lit_rec"]["tokenizer"]
    name = chance.choice(
        [
            f"{outside}/mark",
            f"../../{outside.name}/mark",
            "../mark",
            *(
                "",
                ".",
                "..",
                "/",
                "a/b",
                "a\x00b",
                "x" * 300,
                "tokenizer.py",
                "tokenization_x.py",
                7,
                "C:\\x",
            ),
        ]
    )
    old = chance.choice(list(files))
    files[name] = files[old] if chance.random() < 0.5 else files.pop(old)
    return f"tokenizer file {old} also or only as {str(name)[:60]!r}"


def _harmful(chance: Random, tree: Any, outside: Path) -> str:
    """Use the entries from which Lightning itself builds classes."""
    call = chance.choice([f"{CANARY}.call", "os.system", "subprocess.Popen", "builtins.exec"])
    how = chance.choice(["hyper_parameters", "datamodule", "name", "class"])
    if how == "hyper_parameters":
        tree["hyper_parameters"] = {
            "_instantiator": call,
            "_class_path": call,
            "args": str(outside),
        }
    elif how == "datamodule":
        tree["datamodule_hyper_parameters"] = {"_instantiator": call}
        tree["datamodule_hparams_by_key"] = tricky(chance)
    elif how == "name":
        tree["hparams_name"] = call
        tree["hparams_type"] = {"class_path": call}
    else:
        tree["lit_rec"]["config"]["model"] = {
            "class_path": call,
            "init_args": {"path": str(outside)},
        }
    return f"{how} names {call}"


def _other_members(chance: Random, content: bytes, outside: Path) -> bytes:
    """Change the members of a checkpoint's archive."""
    result = io.BytesIO()
    how = chance.choice(["rename", "drop", "pickle", "add", "large"])
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(result, "w") as target:
        members = source.namelist()
        chosen = chance.choice(members)
        for name in members:
            data = source.read(name)
            if how == "pickle" and name.endswith("data.pkl"):
                data = pickle.dumps({"lit_rec": _Harmful(f"{outside}/mark")}, protocol=2)
            if name != chosen or how not in ("rename", "drop"):
                target.writestr(name, data)
            elif how == "rename":
                target.writestr(f"../../{outside.name}/mark", data)
        if how == "add":
            target.writestr(f"{outside}/mark", b"x")
        if how == "large":
            target.writestr("archive/data/9999", bytes(1 << 24), zipfile.ZIP_DEFLATED)
    return result.getvalue()
