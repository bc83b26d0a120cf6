"""``RunCheckpoint(adapters_only=True)``: checkpoints without the encoder, which is read from its folder."""

import shutil

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from safetensors.torch import load_file, save_file

from lit_rec.errors import CheckpointError
from lit_rec.inference.recommender import Recommender
from lit_rec.inference.stored.network import load_module

from .conftest import lit_rec, message
from .own_runs import checkpoint, part, write
from .test_adapters import LORA, answers, tuned

pytestmark = pytest.mark.filterwarnings("default")
EMA = part("lightning.pytorch.callbacks.EMAWeightAveraging", decay=0.8)


@pytest.fixture(scope="module")
def runs(workplace, tmp_path_factory):
    """The folder of two runs that are equal but for what their checkpoints hold, and of their encoder."""
    folder = tmp_path_factory.mktemp("adapters_only")
    shutil.copytree(workplace / "checkpoints/assets/all-MiniLM-L6-v2", folder / "encoder")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        torch.set_num_threads(1)
        for name in ("whole", "thin"):
            config = tuned(workplace, LORA, callbacks=[EMA], rank=2)
            encoder_of(config)["name"] = "encoder"
            config["trainer"]["logger"]["init_args"]["name"] = name
            config["trainer"]["callbacks"][0]["init_args"]["adapters_only"] = name == "thin"
            lit_rec("fit", "-c", write(config, folder / f"{name}.yaml"))
    return folder


def encoder_of(config):
    """Options of a configuration's backbone."""
    network = config["model"]["network"]["init_args"]
    return network["item_encoder"]["init_args"]["backbone"]["init_args"]


@pytest.fixture
def thin(runs, monkeypatch):
    """A checkpoint that holds only what was trained, seen from the folder that the run was started in."""
    monkeypatch.chdir(runs)
    return runs / "runs/thin/version_0/best.ckpt"


@pytest.fixture
def whole(runs):
    """The checkpoint of the same run that holds everything."""
    return runs / "runs/whole/version_0/best.ckpt"


@pytest.fixture
def moved(runs, thin, tmp_path):
    """The encoder's new folder; its old one is another's now."""
    shutil.move(runs / "encoder", tmp_path / "moved")
    yield tmp_path / "moved"
    shutil.rmtree(runs / "encoder", ignore_errors=True)
    shutil.move(tmp_path / "moved", runs / "encoder")


def test_a_checkpoint_holds_only_what_was_trained(thin, whole):
    held, everything = checkpoint(thin.parent, "best"), checkpoint(whole.parent, "best")
    inside = "network.item_encoder.backbone.model."
    for state in ("state_dict", "current_model_state"):
        mine, all_of_them = held[state], everything[state]
        assert all(torch.equal(mine[name], all_of_them[name]) for name in mine)
        left = {name for name in all_of_them if name not in mine}
        assert left == {
            name
            for name in all_of_them
            if name.startswith(inside) and "lora_" not in name and "pooler" not in name
            and "position_ids" not in name
        }  # fmt: skip
    assert {n for n, m in held["lit_rec"].items()} - {*everything["lit_rec"]} == {"base"}
    pretrained = load_file("encoder/model.safetensors")
    assert set(held["lit_rec"]["base"]["names"].values()) <= pretrained.keys()
    weights = sum(pretrained[name].nbytes for name in held["lit_rec"]["base"]["names"].values())
    # averaged weights and present ones
    assert thin.stat().st_size < whole.stat().st_size - 1.9 * weights


def test_it_answers_evaluates_and_is_exported_as_the_whole_one(thin, whole, tmp_path):
    one, two = (load_module(path)[0].state_dict() for path in (thin, whole))
    assert one.keys() == two.keys()
    for name in one:
        if "pooler" not in name:
            # an average of weights that never change is rounded in each step; those of the folder are not
            torch.testing.assert_close(one[name], two[name], rtol=1e-6, atol=1e-8)
    expected = answers(whole)
    assert answers(thin) == pytest.approx(expected, abs=1e-6)
    scores = []
    for path in (thin, whole):
        lit_rec("predict", "--ckpt_path", path)
        scores.append(pl.read_parquet(path.parent / "predictions.parquet"))
    assert_frame_equal(*scores, abs_tol=1e-6)
    lit_rec("slim", thin, "--output", tmp_path / "slim.ckpt")
    assert "base" not in torch.load(tmp_path / "slim.ckpt", weights_only=True)["lit_rec"]
    lit_rec("export-encoder", "--ckpt_path", thin, "--output", tmp_path / "one")
    lit_rec("export-encoder", "--ckpt_path", whole, "--output", tmp_path / "two")
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    used = [name for name in two if "pooler" not in name]
    assert max(float((one[name] - two[name]).abs().max()) for name in used) < 1e-6
    shutil.rmtree(tmp_path / "one")
    assert answers(tmp_path / "slim.ckpt") == pytest.approx(expected, abs=1e-5)


def test_it_says_which_folder_it_wants(thin, moved, capsys, tmp_path, monkeypatch):
    said = message(capsys, "test", "--ckpt_path", thin)
    assert "it holds only what was trained, and its encoder (fingerprint " in said
    assert "'encoder' is no folder, seen from" in said
    assert "the folder of the encoder that the run began with: 'encoder'" in said
    assert "--base FOLDER" in said
    lit_rec("test", "--ckpt_path", thin, "--base", moved)
    for words in (
        ("recommend", "--user", "405", "--k", "3"),
        ("export-encoder", "--output", "new"),
    ):
        command, *others = words
        assert "--base FOLDER" in message(capsys, command, "--ckpt_path", thin, *others)
    lit_rec("recommend", "--ckpt_path", thin, "--user", "405", "--k", "3", "--base", moved)
    lit_rec("slim", thin, "--base", moved, "--output", tmp_path / "slim.ckpt")
    # another encoder is there now
    monkeypatch.chdir(thin.parents[3])
    shutil.copytree(moved, "encoder")
    weights = load_file("encoder/model.safetensors")
    save_file(
        {n: w + 1e-3 for n, w in weights.items()}, "encoder/model.safetensors", {"format": "pt"}
    )
    with pytest.raises(CheckpointError) as error:
        Recommender.from_checkpoint(thin)
    assert "'encoder' holds an encoder with other weights" in str(error.value)
    assert len(Recommender.from_checkpoint(thin, base=str(moved)).recommend(user="405", k=3)) == 3


def test_a_run_goes_on_with_an_encoder_that_was_moved(thin, moved):
    last = thin.with_name("last.ckpt")
    option = "--model.network.init_args.item_encoder.init_args.backbone.init_args.name"
    lit_rec(
        "fit", "-c", "thin.yaml", "--ckpt_path", last, f"{option}={moved}", "--trainer.max_epochs=2"
    )
    assert checkpoint(thin.parent)["global_step"] == 20


def test_no_hub_is_asked_and_wrong_entries_are_refused(thin, tmp_path, monkeypatch):
    held = checkpoint(thin.parent, "best")
    base = held["lit_rec"]["base"]
    word = next(iter(base["names"].values()))

    def opened(**changed):
        held["lit_rec"]["base"] = {**base, **changed}
        torch.save(held, tmp_path / "strange.ckpt")
        with pytest.raises(CheckpointError) as error:
            load_module(tmp_path / "strange.ckpt")
        return str(error.value)

    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection"))
    assert "'bert-base-uncased' is no folder" in opened(folders=["bert-base-uncased"])
    assert "base.folders" in opened(folders="encoder")
    assert "base.folders" in opened(folders=[])
    assert "base.names" in opened(names={"a": 1})
    assert "an entry 'run'" in opened(run="x")
    assert "with other weights" in opened(fingerprint="0" * 64)
    assert "with other weights" in opened(names={"network.x": "absent"})
    assert "'a\\x00b' is no folder" in opened(folders=["a\0b"])
    assert "network.x is not of the network" in opened(names={**base["names"], "network.x": word})
