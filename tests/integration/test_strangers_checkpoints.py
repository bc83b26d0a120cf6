"""A checkpoint runs no code and writes nowhere, whatever its configuration names."""

import shutil
import sys

import pytest
import torch
import yaml

from lit_rec import errors
from lit_rec.inference.recommender import Recommender
from lit_rec.inference.reranker import Reranker
from lit_rec.inference.stored.network import load_module
from lit_rec.training.lit_rec import LitRec

from .conftest import lit_rec, message, options
from .strangers import BOOM, POPEN, configured, part, refusal, words_of

pytestmark = pytest.mark.filterwarnings("default")


def _backbone(value):
    def change(config):
        part(config, "item_encoder")["init_args"]["backbone"] = configured(value)

    return change


def _option(value, *names):
    """Give an option of the network another value."""

    def change(config):
        part(config, *names[:-1])["init_args"][names[-1]] = value

    return change


def _set(section, **values):
    return lambda config: config[section].update(values)


# what is named -> how, in the model
HOSTILE = {
    "in any value": (_backbone({"hidden_size": POPEN}), "subprocess.Popen"),
    "in a list of any": (_backbone({"a": [[BOOM]]}), "canary.Boom"),
    "as text of any": (_backbone('{"a": {"class_path": "canary.Boom"}}'), "class_path"),
    "as text in any": (_backbone({"a": '{"class_path": "canary.Boom"}'}), "class_path"),
    "as escaped text in any": (
        _backbone({"a": '{"class_p\\u0061th": "canary.Boom"}'}),
        "u0061",
    ),
    "of any, by a dotted key": (_backbone({"a.class_path": "canary.Boom"}), "a.class_path"),
    "network": (_set("model", network={"class_path": "canary.Boom"}), "canary.Boom"),
    "network as text": (_set("model", network="canary.Boom"), "canary.Boom"),
    "factory as text": (_option("canary.boom", "item_encoder", "pooling"), "canary.boom"),
    "file of options": (_option("canary.yaml", "item_encoder", "pooling"), "canary.yaml"),
    "head": (_option(BOOM, "head"), "canary.Boom"),
    "objective": (_set("model", objective=BOOM), "canary.Boom"),
    "schedule": (_set("model", schedule=[BOOM]), "canary.Boom"),
    "optimizer": (_set("model", optimizer=BOOM), "canary.Boom"),
    "optimizer as text": (_set("model", optimizer="canary.boom"), "canary.boom"),
    "rate of the optimizer": (
        lambda config: config["model"]["optimizer"]["init_args"].update(lr="canary.boom"),
        "canary.boom",
    ),
    "dotted key": (lambda c: c["model"].update({"network.class_path": "canary.Boom"}), "network.c"),
    "rest of the options": (
        lambda c: part(c, "head").update(dict_kwargs={"a": BOOM}),
        "canary.Boom",
    ),
    "another library's class in ours": (
        lambda c: part(c, "head").update(class_path="lit_rec.models.text.backbone.AutoModel"),
        "AutoModel",
    ),
    "another module's function in ours": (
        lambda c: part(c, "head").update(class_path="lit_rec.files.cache.shutil.rmtree"),
        "shutil.rmtree",
    ),
    "our class at a wrong place": (
        lambda c: part(c, "head").update(
            class_path="lit_rec.training.callbacks.run_folder.RunCheckpoint"
        ),
        "RunCheckpoint",
    ),
    "something of the environment": (_option("${oc.env:HOME}", "head", "dropout"), "oc.env:HOME"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_model_of_a_stranger_names_nothing(name, strange, canary, capsys, workplace):
    change, shown = HOSTILE[name]
    path = strange(change)
    for command in ("recommend", "test"):
        text = refusal(capsys, command, path, workplace)
        assert "configuration is refused" in text
        assert shown in text
    assert not canary.sings


@pytest.mark.parametrize("command", ["classify", "validate", "predict", "fit", "check"])
@pytest.mark.parametrize("name", ["in a list of any", "optimizer as text"])
def test_no_command_runs_what_a_stranger_names(name, command, strange, canary, capsys, workplace):
    text = refusal(capsys, command, strange(HOSTILE[name][0]), workplace)
    assert "strange.ckpt" in text or "model." in text
    assert not canary.sings


@pytest.mark.parametrize("kind", [Recommender.from_checkpoint, Reranker.from_checkpoint])
def test_nothing_is_run_from_python_either(kind, strange, canary):
    for change, _ in HOSTILE.values():
        with pytest.raises(errors.CheckpointError, match="configuration is refused"):
            kind(strange(change))
    assert not canary.sings


def test_lightning_builds_nothing_that_a_file_names(strange, canary, capsys, workplace):
    def change(checkpoint):
        checkpoint["hyper_parameters"] = {
            "_instantiator": "lightning.pytorch.cli.instantiate_module",
            "_class_path": "canary.Boom",
            "network": BOOM,
        }

    path = strange(change, of_all=True)
    with pytest.raises(errors.ConfigError, match="load_module"):
        LitRec.load_from_checkpoint(path)
    for command in ("validate", "fit"):
        assert "hyper_parameters" in refusal(capsys, command, path, workplace)
    assert not canary.sings


DATA = {
    "reader": (BOOM, "canary.Boom"),
    "item_fields": ([BOOM], "canary.Boom"),
    "user_fields": (["canary.boom"], "canary.boom"),
    "history": ("canary.yaml", "canary.yaml"),
    "split": ({"where": BOOM}, "canary.Boom"),
    "encoder": ("${oc.env:HOME}", "oc.env:HOME"),
}


@pytest.mark.parametrize("option", DATA)
def test_data_of_a_stranger_name_nothing(option, strange, canary, capsys, workplace):
    value, shown = DATA[option]
    path = strange(lambda c: c["data"]["init_args"].update({option: value}))
    assert shown in refusal(capsys, "test", path, workplace)
    assert not canary.sings
    for data in ("canary.yaml", BOOM):
        path = strange(lambda c, data=data: c.update(data=data))
        assert "canary" in refusal(capsys, "validate", path, workplace)
    assert not canary.sings


def test_trainer_of_a_stranger_runs_and_writes_nothing(strange, canary, capsys, tmp_path):
    (tmp_path / "word").write_text("class_path: canary.Boom\n")
    logger = {
        "class_path": "lightning.pytorch.loggers.CSVLogger",
        "init_args": {"save_dir": str(tmp_path / "elsewhere")},
    }
    path = strange(
        lambda c: c["trainer"].update(
            logger=logger,
            profiler="simple",
            callbacks=[BOOM],
            plugins=["canary.boom", BOOM],
            strategy=BOOM,
            accelerator="word",
            default_root_dir=str(tmp_path / "elsewhere"),
            model_registry="elsewhere",
            max_time={"days": BOOM},
            **{"logger.class_path": "canary.Boom"},
        )
    )
    before = set(tmp_path.rglob("*"))
    lit_rec("validate", "--ckpt_path", path, "--trainer.accelerator=cpu")
    assert not canary.sings
    assert {p.name for p in tmp_path.rglob("*")} <= {p.name for p in before} | {"metrics.json"}


def test_cache_of_a_stranger_is_no_place_to_write(strange, tmp_path, workplace, capsys):
    victim = tmp_path / "victim"
    (victim / "vectors" / "holiday").mkdir(parents=True)
    (victim / "manifest.json").write_text('{"key": 1}')

    def change(checkpoint):
        checkpoint["lit_rec"]["config"]["data"]["init_args"]["cache_folder"] = str(victim)
        checkpoint["lit_rec"]["catalogue"] = {
            **checkpoint["lit_rec"]["catalogue"],
            "vectors": None,
        }

    path = strange(change, of_all=True)
    before = sorted(victim.rglob("*"))
    lit_rec("recommend", "--ckpt_path", path, "--history", "50")
    lit_rec("validate", "--ckpt_path", path)
    assert sorted(victim.rglob("*")) == before
    assert (tmp_path / ".lit_rec_cache").is_dir()  # next to the checkpoint


def test_cache_of_the_run_is_used_without_words(run_folder, workplace, tmp_path):
    lit_rec("validate", "--ckpt_path", run_folder / "best.ckpt")
    assert not (run_folder / ".lit_rec_cache").exists()
    assert not (tmp_path / ".lit_rec_cache").exists()


def test_any_value_is_never_built(canary, capsys, workplace, tmp_path):
    """Also of the user's own YAML: what an option takes as it is, its class does with as it likes."""
    config = yaml.safe_load((workplace / "config.yaml").read_text())
    part(config, "item_encoder")["init_args"]["backbone"] = configured({"hidden_size": POPEN})
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    text = message(capsys, "check", "-c", tmp_path / "mine.yaml", *options(workplace)[2:])
    assert "no encoder can be built from 'bert'" in text
    assert not canary.sings


def test_a_run_that_goes_on_deletes_nothing_of_others(run_folder, tmp_path, workplace):
    folder, victim = tmp_path / "theirs/own_data/version_0", tmp_path / "victim.ckpt"
    shutil.copytree(run_folder, folder)
    victim.touch()
    checkpoint = torch.load(folder / "last.ckpt", weights_only=True)
    (state,) = (s for name, s in checkpoint["callbacks"].items() if "RunCheckpoint" in name)
    state["last_model_path"] = f"{folder}/../../../victim.ckpt"
    torch.save(checkpoint, folder / "last.ckpt")
    alone = '--trainer.callbacks=[{"class_path": "lit_rec.training.callbacks.run_folder.RunCheckpoint"}]'
    more = [
        "--trainer.max_epochs=9",
        f"--trainer.logger.init_args.save_dir={tmp_path}/theirs",
        alone,
    ]  # early stopping might be of another opinion
    lit_rec("fit", "--ckpt_path", folder / "last.ckpt", *options(workplace), *more)
    assert torch.load(folder / "last.ckpt", weights_only=True)["epoch"] > checkpoint["epoch"]
    assert victim.exists()


OWN = """\
from lit_rec.models.heads.neighborhood import NeighborhoodHead


class OwnHead(NeighborhoodHead):
    pass


def own_pooling(width: int) -> "MeanPooling":
    return MeanPooling(width)


from lit_rec.models.text.pooling import MeanPooling
"""


def test_own_module_is_named_once_it_is_trusted(strange, canary, capsys, workplace, tmp_path):
    (tmp_path / "my_parts.py").write_text(OWN)

    def change(config):
        part(config, "head").update(class_path="my_parts.OwnHead")
        part(config, "item_encoder")["init_args"]["pooling"] = "my_parts.own_pooling"

    path = strange(change)
    for command in ("recommend", "test", "predict"):
        text = refusal(capsys, command, path, workplace)
        assert "my_parts." in text
        assert "--trust my_parts" in text
    with pytest.raises(errors.CheckpointError, match=r"trust=\['my_parts'\]"):
        load_module(path)
    assert "my_parts" not in sys.modules
    module, _ = load_module(path, trust="my_parts")
    assert type(module.built().head).__module__ == "my_parts"
    recommender = Recommender.from_checkpoint(path, trust=["other", "my_parts"])
    assert recommender.recommend(["50"], 3)
    for command in ("recommend", "validate", "predict"):
        lit_rec(*words_of(command, path, workplace), "--trust", "my_parts")
    mine = ["--model.network.item_encoder.pooling=my_parts.own_pooling"]
    mine += ["--model.network.head.class_path=my_parts.OwnHead"]
    lit_rec(*words_of("fit", path, workplace), "--trust=my_parts", *mine)


def test_trust_covers_a_module_and_no_other(strange, canary, capsys, workplace, tmp_path):
    (tmp_path / "my_parts.py").write_text(OWN)

    def both(config):
        part(config, "head").update(class_path="my_parts.OwnHead")
        config["model"]["optimizer"] = BOOM

    path = strange(both)
    for trusted in ("my_parts", "can", "my_parts.canary", "canary.Boom.x"):
        words = words_of("recommend", path, workplace)
        assert "--trust" in message(capsys, *words, "--trust", trusted)
    assert not canary.sings
    for wrong in ("my parts", "a/b.py", "", "x..y"):
        text = message(capsys, *words_of("test", path, workplace), "--trust", wrong)
        assert f"'{wrong}' is no name of a module" in text
