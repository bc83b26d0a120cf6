"""Whatever a folder is called, its name reaches the parser as text."""

import inspect
import re
from pathlib import Path
from typing import get_type_hints

import lightning
import pytest
import yaml
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from lit_rec.data import readers
from lit_rec.data.behavior_data import BehaviorDataModule
from lit_rec.data.readers.reader import Reader
from lit_rec.training.path_words import _PATHS, with_paths_as_text

ODD = ["[1, 2]", "[abc]", "{x: 1}", "/abs/{x: 1}/y", "x: y", "- a", "[a]\n", '{"é": 1}']
PLAIN = ["br[x]", "a=b", "-dash", "a::b", "1", "a #b", "[1", "*al", "@x", "%", ""]


@pytest.mark.parametrize("name", ODD + PLAIN)
def test_a_name_is_text_or_as_it_was(name):
    joined, _, apart = with_paths_as_text(
        [f"--data.cache_folder={name}", "--trainer.logger.save_dir", name]
    )
    assert joined == f"--data.cache_folder={apart}"
    assert apart == name if name in PLAIN else yaml.safe_load(apart) == name


def test_other_options_stay():
    words = ["fit", "-c", "[1, 2]", "--data.text.columns=[title]", "--trainer.devices", "[0]"]
    assert with_paths_as_text(words) == words


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
