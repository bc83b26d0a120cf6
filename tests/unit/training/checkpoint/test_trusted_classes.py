"""The allow-list of checkpoints covers what configurations of lit_rec name, and nothing of other libraries."""

import inspect
import json
import sys
from pathlib import Path
from typing import get_type_hints

import pytest
import torch
import yaml

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.text_datamodule import ItemTextDataModule
from lit_rec.errors import CheckpointError
from lit_rec.training.checkpoint.options import cache_of_checkpoint, is_cache
from lit_rec.training.checkpoint.trusted_classes import (
    _known,
    _leaves,
    check_named,
)
from lit_rec.training.lit_rec import LitRec
from tests.class_names import full_path

ROOT = Path(__file__).parents[4]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))


def _resolved(value):
    """Stored configurations have no interpolation, and full paths."""
    if isinstance(value, dict):
        spec = {"class_path": full_path(value["class_path"])} if "class_path" in value else {}
        return {name: _resolved(entry) for name, entry in value.items()} | spec
    if isinstance(value, list):
        return [_resolved(entry) for entry in value]
    return value.replace("${", "{") if isinstance(value, str) else value


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configurations_are_allowed(path):
    config = _resolved(yaml.safe_load(path.read_text(encoding="utf-8")))
    check_named(config, (), "x.ckpt", model=LitRec)


def test_all_optimizers_of_torch_are_allowed():
    optimizers = [k for k in vars(torch.optim).values() if inspect.isclass(k)]
    assert len(optimizers) > 10
    for kind in optimizers:
        for path in (f"torch.optim.{kind.__name__}", f"{kind.__module__}.{kind.__name__}"):
            optimizer = {"class_path": path, "init_args": {"lr": "1e-05", "foreach": None}}
            check_named({"model": {"optimizer": optimizer}}, (), "x.ckpt", model=LitRec)
    line_search = {"line_search_fn": "strong_wolfe"}
    check_named(_optimizer("torch.optim.LBFGS", line_search), (), "x.ckpt", model=LitRec)


def _optimizer(path, init_args):
    return {"model": {"optimizer": {"class_path": path, "init_args": init_args}}}


def test_every_part_that_a_yaml_can_name_is_allowed_where_an_option_takes_it():
    seen, waiting = set(), [LitRec, BehaviorDataModule, ItemTextDataModule]
    while waiting:
        kind = waiting.pop()
        hints = get_type_hints(kind.__init__)
        for leaf in {leaf for hint in hints.values() for leaf in _leaves(hint)}:
            if not getattr(leaf, "__module__", "").startswith("lit_rec."):
                continue
            for part in {leaf, *_derived(leaf)} - seen:
                assert _known(f"{part.__module__}.{part.__qualname__}", {leaf, str}) is part
                seen.add(part)
                waiting.append(part)
    assert len(seen) > 70


def _derived(kind):
    for derived in kind.__subclasses__():
        # of the modules that every command imports; examples and tests derive more
        if getattr(sys.modules.get(derived.__module__), derived.__name__, None) is derived:
            if derived.__module__.startswith("lit_rec."):
                yield derived
            yield from _derived(derived)


@pytest.mark.parametrize(
    "path",
    [
        "lit_rec.models.networks.two_tower.nn.Module",
        "lit_rec.models.networks.two_tower.torch",
        "lit_rec.cli.rec_cli.tempfile.TemporaryDirectory",
        "lit_rec.models.networks.two_tower.TwoTower.load_state_dict",
        "lit_rec.models.networks.two_tower",
        "lit_rec.nothing.There",
        "lit_rec",
        "TwoTower",
        "",
        ".TwoTower",
        "lit_rec..models",
        "torch.optim.optimizer.warnings",
        "torch.optim.AdamW",
        "lightning.pytorch.demos.boring_classes.BoringModel",
        "torch.nn.Linear",
        "os.system",
        None,
        3,
    ],
)
def test_nothing_else_is(path):
    for spec in ({"class_path": path}, {"class_path": path, "init_args": {}}):
        with pytest.raises(CheckpointError, match="configuration is refused") as refused:
            check_named({"model": {"network": spec}}, (), "x.ckpt", model=LitRec)
        assert "--trust lit_rec" not in str(refused.value)
        assert "--trust torch" not in str(refused.value)


@pytest.mark.parametrize(
    "config",
    [
        *(None, [], "a.yaml", {}, {"model": None}, {"model": "a.yaml"}, {"model": [1]}),
        *({"model": {1: 2}}, {"model": {"network": torch.ones(1)}}, {"model": {"rate": b"1"}}),
        *({"model": {}, "data": 3 + 1j}, {"model": {}, "data": {"class_path": [], "x": 1}}),
    ],
)
def test_what_is_no_configuration_is_refused(config):
    with pytest.raises(CheckpointError, match="is refused"):
        check_named(config, (), "x.ckpt", model=LitRec)


def test_a_list_without_end_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(CheckpointError):
        check_named({"model": {"objective": endless}}, (), "x.ckpt", model=LitRec)


def test_texts_of_the_data_are_free():
    """Names of columns and files are no names of modules."""
    text = {"columns": {"film.title": ["os.path"], "a": "b"}, "separator": "{class_path: x}"}
    data = {
        "class_path": "lit_rec.data.datamodule.BehaviorDataModule",
        "init_args": {
            "encoder": "models.minilm",
            "labels": ["os.system", "no"],
            "text": {"class_path": "lit_rec.data.texts.template.TextTemplate", "init_args": text},
            "reader": {
                "class_path": "lit_rec.data.readers.plain.TableReader",
                "init_args": {"behaviors": "items.csv", "behavior_columns": {"a.b": "c.d"}},
            },
        },
    }
    check_named({"model": {}, "data": data}, (), "x.ckpt", model=LitRec)


def test_a_cache_is_known_by_what_lit_rec_left_in_it(tmp_path):
    mine, other = tmp_path / "mine", tmp_path / "other"
    for folder, content in ((mine, {"key": "k", "files": {}}), (other, {"name": "app"})):
        (folder / "tables-0123").mkdir(parents=True)
        (folder / "tables-0123/manifest.json").write_text(json.dumps(content))
    checkpoint = tmp_path / "run/best.ckpt"
    assert is_cache(mine)
    assert cache_of_checkpoint(str(mine), checkpoint) == str(mine)
    next_to_it = str(tmp_path / "run/.lit_rec_cache")
    for named in (str(other), str(tmp_path), str(tmp_path / "absent"), "a\0b", None, 3, [1]):
        assert cache_of_checkpoint(named, checkpoint) == next_to_it
    assert cache_of_checkpoint(".lit_rec_cache", checkpoint) == ".lit_rec_cache"
