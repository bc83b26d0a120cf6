"""A run that begins with another run's checkpoint, on a catalogue with other ids and columns."""

import json

import polars as pl
import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lit_rec.inference.recommender import Recommender
from lit_rec.training.checkpoint.content import KEY

from .conftest import lit_rec, message, options

pytestmark = pytest.mark.filterwarnings("default")


def figures(folder):
    """The report's rows of the model."""
    rows = json.loads((folder / "report.json").read_text())["rows"]
    return {(r["slice"], r["metric"]): r["value"] for r in rows if r["model"] == "lit_rec"}


@pytest.fixture(scope="module")
def second(workplace, tmp_path_factory):
    """Options for tables with other items, of which a quarter have ids of the first ones, and a column `name`."""
    folder = tmp_path_factory.mktemp("second")
    behaviors, items = (
        pl.read_csv(workplace / f"my/{name}.csv", infer_schema=False)
        for name in ("behaviors", "items")
    )
    ids = items["item_id"].to_list()
    new = {one: one if place % 4 == 0 else f"new{one}" for place, one in enumerate(ids)}
    column = pl.col("item_id").replace_strict(new)
    behaviors.with_columns(column).write_csv(folder / "behaviors.csv")
    items.with_columns(column).rename({"title": "name"}).write_csv(folder / "items.csv")
    return [
        *options(workplace),
        f"--data.reader.behaviors={folder}/behaviors.csv",
        f"--data.reader.items={folder}/items.csv",
        "--data.text.columns=[name, genres]",
        f"--trainer.logger.init_args.save_dir={workplace}/second",
    ]


@pytest.fixture(scope="module")
def begun(second, run_folder, workplace):
    """The folder of a run of no epochs that begins with the fitted one."""
    torch.set_num_threads(1)
    with_start = ["--model.start_from", run_folder / "best.ckpt", "--trainer.max_epochs=0"]
    lit_rec("fit", *second, *with_start)
    return workplace / "second/own_data/version_0"


def test_what_fits_is_taken(begun, run_folder):
    there, here = (
        torch.load(folder / "best.ckpt", weights_only=True) for folder in (run_folder, begun)
    )
    stored, own = there["state_dict"], here["state_dict"]
    for name in own:
        if ".ids." not in name:
            assert torch.equal(own[name], stored[name]), name
    items, before = (held[KEY]["facts"]["item_ids"] for held in (here, there))
    rows = own["network.item_encoder.ids.embedding.weight"][1:]
    known = stored["network.item_encoder.ids.embedding.weight"][1:]
    same = [
        torch.equal(rows[n], known[before.index(i)]) for n, i in enumerate(items) if i in before
    ]
    assert len(same) == 10
    assert all(same)
    assert here[KEY]["config"]["model"]["start_from"] is None
    config = yaml.safe_load((begun / "config.yaml").read_text())
    assert config["model"]["start_from"] == str(run_folder / "best.ckpt")


def test_what_was_taken_is_in_tensorboard(begun):
    events = EventAccumulator(str(begun), {"tensors": 0}).Reload()
    text = events.Tensors("start_from/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "taken in part: item_encoder.ids.embedding.weight (10 of 40 items)" in text
    assert "not taken: item_encoder.ids.start (fitted to the training rows)" in text


def test_zero_shot(begun, run_folder, workplace):
    lit_rec("test", "--ckpt_path", begun / "best.ckpt")
    assert ("all", "rmse") in figures(begun)
    words = ["--model.start_from", run_folder / "best.ckpt", "--trainer.max_epochs=0"]
    place = f"--trainer.logger.init_args.save_dir={workplace}/same"
    lit_rec("fit", *options(workplace), place, *words)
    same, first = (
        torch.load(folder / "best.ckpt", weights_only=True)["state_dict"]
        for folder in (workplace / "same/own_data/version_0", run_folder)
    )
    assert same.keys() == first.keys()
    differ = [name for name in same if not torch.equal(same[name], first[name])]
    assert differ == [], "of the same tables all is as it was"


def test_tables_with_the_same_columns_need_no_run(second, run_folder, tmp_path):
    """A checkpoint is tested with other tables: their ids were never seen."""
    path = next(word for word in second if "second" in word and "items.csv" in word)
    items = pl.read_csv(path.partition("=")[2], infer_schema=False).rename({"name": "title"})
    items.write_csv(tmp_path / "items.csv")
    behaviors = [word for word in second if word.startswith("--data.reader.behaviors")][-1]
    lit_rec("test", "--ckpt_path", run_folder / "best.ckpt")
    before = figures(run_folder)
    files = [behaviors, f"--data.reader.items={tmp_path}/items.csv"]
    lit_rec("test", "--ckpt_path", run_folder / "best.ckpt", *files)
    assert figures(run_folder).keys() == before.keys()
    assert figures(run_folder) != before


def test_a_resumed_run_does_not_begin_again(begun, second, tmp_path, capsys):
    words = ["--model.start_from", tmp_path / "none.ckpt", "--trainer.max_epochs=1"]
    lit_rec("fit", *second, "--ckpt_path", begun / "last.ckpt", *words)
    assert "start_from" not in capsys.readouterr().out
    said = message(capsys, "fit", *second, *words)
    assert f"model.start_from {tmp_path / 'none.ckpt'}: there is no such file" in said


def test_a_checkpoint_that_names_another_one_does_not_read_it(begun, tmp_path):
    """A stranger may have written it: answers and evaluations need its own weights alone."""
    held = torch.load(begun / "best.ckpt", weights_only=True)
    held[KEY]["config"]["model"]["start_from"] = str(tmp_path / "none.ckpt")
    torch.save(held, tmp_path / "best.ckpt")
    found, expected = (
        Recommender.from_checkpoint(folder / "best.ckpt").recommend(user="405", k=3)
        for folder in (tmp_path, begun)
    )
    assert [one.item_id for one in found] == [one.item_id for one in expected]
    lit_rec("validate", "--ckpt_path", tmp_path / "best.ckpt")
