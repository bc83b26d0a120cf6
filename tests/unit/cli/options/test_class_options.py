"""Options that are read from code are those that Python has; and unknown ones are refused with their place."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import lightning
import pytest

import lit_rec
from lit_rec.cli.options.class_options import options_of
from lit_rec.cli.options.first_checks import check_words
from lit_rec.errors import ConfigError

CONFIG = """\
data:
  class_path: BehaviorDataModule
  init_args:
    reader: {class_path: TableReader, init_args: {behaviors: a.csv}}
    split: TimeSplit
model:
  network:
    class_path: TwoTower
    init_args:
      item_encoder: {class_path: ItemEncoder, init_args: {width: 8}}
trainer:
  callbacks:
    - class_path: PrecisionProbe
    - class_path: somebody.Callback
      init_args: {anything: 1}
"""


def classes():
    for info in pkgutil.walk_packages(lit_rec.__path__, "lit_rec."):
        for kind in vars(importlib.import_module(info.name)).values():
            if inspect.isclass(kind) and kind.__module__ == info.name:
                yield kind


def test_options_are_those_of_python():
    told = []
    for kind in classes():
        found = options_of(f"{kind.__module__}.{kind.__name__}")
        if found is not None:
            real = tuple(inspect.signature(kind).parameters)
            # that of a class without __init__
            assert found == (() if real == ("args", "kwargs") else real), kind
            told.append(kind.__name__)
    assert {"BehaviorDataModule", "LitRec", "TwoTower", "TableReader", "FullTuning"} <= {*told}
    trainer = options_of("lightning.pytorch.trainer.trainer.Trainer")
    assert trainer == tuple(inspect.signature(lightning.Trainer).parameters)


def test_a_class_is_known_by_its_name_and_by_former_paths():
    by_name = options_of("DotHead")
    assert by_name is not None
    assert by_name == options_of("lit_rec.models.heads.DotHead")
    assert options_of("NoSuch") is options_of("lit_rec.models.nowhere.DotHead") is None


IN_FILE = [
    ("behaviors: a.csv", "behavors: a.csv", "TableReader has no option 'behavors'", "line 4"),
    ("width: 8", "widht: 8", "ItemEncoder has no option 'widht'", "item_encoder.init_args"),
    ("callbacks:", "callback:", "Trainer has no option 'callback'", "'callbacks'"),
    ("  network:", "  netwrk:", "LitRec has no option 'netwrk'", "'network'"),
    ("PrecisionProbe", "PrecisionProbe\n      init_args: {a: 1}", "has no options", "remove it"),
]


@pytest.mark.parametrize(("text", "wrong", "said", "more"), IN_FILE)
def test_an_unknown_option_in_a_file(text, wrong, said, more, tmp_path):
    (tmp_path / "x.yaml").write_text(CONFIG.replace(text, wrong))
    with pytest.raises(ConfigError) as found:
        check_words("fit", ["-c", str(tmp_path / "x.yaml")])
    assert said in str(found.value)
    assert more in str(found.value)


WORDS = [
    ("--data.batchsize=3", "BehaviorDataModule has no option 'batchsize'"),
    ("--data.init_args.split.init_args.tst=3", "TimeSplit has no option 'tst'"),
    ("--model.network.item_encoder.widht=3", "ItemEncoder has no option 'widht'"),
    ("--trainer.max-epoch=3", "Trainer has no option 'max_epoch'"),
]


@pytest.mark.parametrize(("word", "said"), WORDS)
def test_an_unknown_option_on_the_command_line(word, said, tmp_path):
    (tmp_path / "x.yaml").write_text(CONFIG)
    with pytest.raises(ConfigError) as found:
        check_words("fit", ["-c", str(tmp_path / "x.yaml"), *word.split("=")])
    assert said in str(found.value)
    assert found.value.where == word.partition("=")[0]


RIGHT = [
    ["--data.batch_size=3"],
    ["--data.batch-size", "3"],
    ["--trainer.max_epochs=3"],
    ["--trainer.callbacks+=EarlyStopping", "--trainer.callbacks.monitor=val/loss"],
    # another class has other options
    ["--data.split=RandomSplit", "--data.split.seed=3"],
    ["--data.split.class_path=RandomSplit", "--data.split.init_args.seed=3"],
    ["--data=somebody.Data", "--data.anything=3"],
    ["--model.network.head=CosineHead", "--model.network.head.width=8"],
]


@pytest.mark.parametrize("words", RIGHT)
def test_options_that_are_there(words, tmp_path):
    (tmp_path / "x.yaml").write_text(CONFIG)
    check_words("fit", ["-c", str(tmp_path / "x.yaml"), *words])


def test_each_shipped_configuration_passes(monkeypatch):
    root = Path(lit_rec.__file__).parents[1]
    monkeypatch.chdir(root)
    for path in sorted((root / "configs").glob("*.yaml")):
        check_words("fit", ["-c", str(path)])
