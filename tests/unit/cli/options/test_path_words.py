"""Whatever a folder is called, its name reaches the parser as text."""

import inspect
import re
from pathlib import Path
from typing import get_type_hints

import lightning
import pytest
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from lit_rec.cli.options.path_words import _PATHS, paths_like_lists
from lit_rec.data import readers
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.readers.reader import Reader

ODD = ["[1, 2]", "[abc]", "{x: 1}", "/abs/{x: 1}/y", "x: y", "- a", "[a]\n", '{"é": 1}']
PLAIN = ["br[x]", "a=b", "-dash", "a::b", "1", "a #b", "[1", "*al", "@x", "%", ""]


@pytest.mark.parametrize("name", ODD + PLAIN)
def test_names_that_yaml_would_read_otherwise(name):
    words = [f"--data.cache_folder={name}", "--trainer.logger.save_dir", name]
    assert paths_like_lists(words) == ([name, name] if name in ODD else [])


def test_other_options_are_read_by_yaml():
    words = ["fit", "-c", "[1, 2]", "--data.text.columns=[title]", "--trainer.devices", "[0]"]
    assert paths_like_lists(words) == []


def test_options_that_are_no_paths_are_not_taken_for_some():
    """Of readers, data and loggers: an option of that name is a list or a mapping nowhere."""
    for path in Path(readers.__file__).parent.glob("*.py"):
        __import__(f"lit_rec.data.readers.{path.stem}")
    kinds, seen = [BehaviorDataModule, TensorBoardLogger, CSVLogger, Reader], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__() if kind is not BehaviorDataModule else []
        hints = get_type_hints(kind.__init__)
        for name in _PATHS & hints.keys():
            assert not re.search("list|dict|Sequence|Mapping", str(hints[name])), (kind, name)
            seen.add(name)
    trainer = inspect.signature(lightning.Trainer).parameters
    assert seen | {"dirpath"} | (_PATHS & trainer.keys()) == _PATHS
