"""Wrong options, on the command line and in a configuration; see ``message`` for the form of what is said."""

import pytest

from .conftest import lit_rec, message, options

pytestmark = pytest.mark.filterwarnings("default")

NETWORK = "--model.network.init_args"

# name -> (options, what the message must hold)
OPTIONS = {
    "absent behaviors": (["--data.reader.behaviors=nowhere.csv"], "nowhere.csv"),
    "absent items": (["--data.reader.items=nowhere.csv"], "nowhere.csv"),
    "behaviors is a folder": (["--data.reader.behaviors=/tmp"], "/tmp"),
    "column not in the file": (["--data.reader.behavior_columns={rating: stars}"], "stars"),
    "text column not in the items": (["--data.text.columns=[titel]"], "titel"),
    "label without column": (["--data.text.labels={plot: 'Plot: '}"], "plot"),
    "typo in an option": (["--data.batchsize=3"], "batchsize"),
    "typo in a nested option": ([f"{NETWORK}.item_encoder.init_args.widht=3"], "widht"),
    "typo in a class": ([f"{NETWORK}.head=lit_rec.models.heads.value_heads.DotHaed"], "DotHaed"),
    "a class of another kind": (
        ["--data.history=lit_rec.data.splits.splits.TimeSplit"],
        "TimeSplit",
    ),
    "text for a number": (["--data.batch_size=many"], "many"),
    "no rows in a batch": (["--data.batch_size=0"], "0"),
    "fewer workers than none": (["--data.num_workers=-1"], "data.num_workers: -1"),
    "seed below nothing": (["--data.seed=-1"], "data.seed: -1"),
    "negative rate": (["--model.head_rate=-1"], "-1"),
    "no history": (["--data.history.max_length=0"], "0"),
    "share above 1": (["--data.split.validation=1.5"], "1.5"),
    "shares above 1 together": (["--data.split.validation=0.6", "--data.split.test=0.6"], "0.6"),
    "no given split": (["--data.split=lit_rec.data.splits.splits.GivenSplit"], "GivenSplit"),
    "no given history": (
        ["--data.history=lit_rec.data.history.histories.GivenHistory"],
        "GivenHistory",
    ),
    "unknown event": (
        [
            "--data.history.where={class_path: lit_rec.data.history.histories.Where, init_args: {events: [buy]}}"
        ],
        "buy",
    ),
    "absent encoder": (["--data.encoder=./nowhere"], "nowhere"),
    "too few tokens": (["--data.max_tokens=2"], "2"),
    "warm-up of everything": (["--model.schedule.warmup_fraction=1.0"], "1.0"),
    "too many layers": (
        [
            f"{NETWORK}.item_encoder.init_args.backbone.init_args.tuning=lit_rec.models.text.tuning.TopLayersTuning",
            f"{NETWORK}.item_encoder.init_args.backbone.init_args.tuning.init_args.layers=9",
        ],
        "9",
    ),
    "cache below a file": (["--data.cache_folder=/proc/version/cache"], "/proc/version/cache"),
    "runs below a file": (
        ["--trainer.logger.init_args.save_dir=/proc/version/runs"],
        "/proc/version",
    ),
    "logger that is not installed": (
        ["--trainer.logger=lightning.pytorch.loggers.CometLogger"],
        "CometLogger cannot be built (",
    ),
    "absent resume": (["--ckpt_path=nowhere.ckpt"], "nowhere.ckpt"),
    "unknown precision": (["--trainer.precision=7-bit"], "7-bit"),
    "everything in float64": (["--trainer.precision=64-true"], "trainer.precision: '64-true'"),
    "everything in bfloat16": (["--trainer.precision=bf16-true"], "trainer.precision: 'bf16-true'"),
    "everything in float16": (["--trainer.precision=16-true"], "trainer.precision: '16-true'"),
    "rate that is no number": (["--model.head_rate=.nan"], "nan"),
    "choice that there is not": (["--data.predict_part=future"], "train, val, test, all"),
    "class without its path": (
        [f"{NETWORK}.item_encoder.init_args.pooling=MeanPoolin"],
        "MeanPoolin",
    ),
    "class not in its module": (
        ["--data.reader=lit_rec.data.readers.movielens.Nope"],
        "has no attribute 'Nope'",
    ),
    "word of no option": (["extra"], "'extra'"),
    "seed as text": (["--seed_everything=soon"], "soon"),
    "no devices": (["--trainer.devices=0"], "devices='0'"),
    "unknown accelerator": (["--trainer.accelerator=quantum"], "quantum"),
    "unknown strategy": (["--trainer.strategy=foo"], "foo"),
    "steps below nothing": (["--trainer.max_steps=-7"], "-7"),
    "misspelt metric": (
        [
            "--trainer.callbacks+=lightning.pytorch.callbacks.EarlyStopping",
            "--trainer.callbacks.monitor=val/rsme",
        ],
        "did you mean 'val/rmse'?",
    ),
    "metric that nobody logs": (
        [
            "--trainer.callbacks+=lightning.pytorch.callbacks.ModelCheckpoint",
            "--trainer.callbacks.monitor=ndcg",
        ],
        "'ndcg'",
    ),
    "metric that nobody logs, to stop by": (
        [
            "--trainer.callbacks+=lightning.pytorch.callbacks.EarlyStopping",
            "--trainer.callbacks.monitor=ndcg",
        ],
        "val/loss, val/rmse, val/mae",
    ),
    "metric that is not there without validation": (
        ["--trainer.limit_val_batches=0"],
        "train/loss, train/loss_step.",
    ),
    "rate that diverges": (["--model.head_rate=1e30"], "gradient_clip_val"),
    "encoder of the hub while offline": (
        ["--data.encoder=somebody/nope"],
        "'somebody/nope' is no folder here, and this machine is offline (HF_HUB_OFFLINE is set)",
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_wrong_option(name, workplace, capsys):
    words, value = OPTIONS[name]
    assert value in message(capsys, "fit", *options(workplace), *words)


def test_wrong_first_words(tmp_path, capsys):
    assert "`lit-rec fit`" in message(capsys, "fti")
    assert "no checkpoint" in message(capsys, "test")
    assert "nowhere.yaml" in message(capsys, "fit", "-c", "nowhere.yaml")
    assert "no checkpoint" in message(capsys, "validate")
    assert "--config nowhere.yaml" in message(capsys, "fit", "--config=nowhere.yaml")
    assert "this is a folder" in message(capsys, "fit", "-c", tmp_path)
    assert "--config" in message(capsys, "fit", "-c")
    assert "--ckpt_path" in message(capsys, "test", "--ckpt_path")
    for name, content in (
        ("tab", b"data:\n\tx: 1\n"),
        ("list", b"- 1\n"),
        ("open", b"data: {a: 1\n"),
        ("empty", b""),
        ("latin", b"data: caf\xe9\n"),
    ):
        path = tmp_path / f"{name}.yaml"
        path.write_bytes(content)
        assert f"{name}.yaml" in message(capsys, "fit", "-c", path)
        assert f"{name}.yaml" in message(capsys, "fit", f"--config={path}")


def test_wrong_names_within_a_configuration(tmp_path, workplace, capsys):
    text = (workplace / "config.yaml").read_text()
    path = tmp_path / "wrong.yaml"
    path.write_text(text.replace("${data.init_args.encoder}", "${data.init_args.encodr}"))
    assert "data.init_args.encodr" in message(capsys, "fit", "-c", path)
    path.write_text(f"{text}\nmodle:\n  x: 1\n")
    assert "did you mean 'model'?" in message(capsys, "fit", "-c", path)


def test_fit_without_a_configuration(capsys):
    assert "data" in message(capsys, "fit")


OWN_CALLBACK = """
from lightning.pytorch.callbacks import Callback

class Own(Callback):
    def on_validation_epoch_end(self, trainer, pl_module):
        pl_module.log("own/bias", 1.0)
"""


def test_metric_of_a_callback_of_ones_own(tmp_path, workplace, capsys, monkeypatch):
    (tmp_path / "own_callback.py").write_text(OWN_CALLBACK)
    monkeypatch.syspath_prepend(tmp_path)

    def words(monitor):
        stop = "--trainer.callbacks+=lightning.pytorch.callbacks.EarlyStopping"
        own = "--trainer.callbacks+=own_callback.Own"
        named = f"--trainer.callbacks.monitor={monitor}"
        return "fit", *options(workplace), stop, named, own, "--trainer.max_epochs=1"

    lit_rec(*words("own/bias"))
    assert "did you mean 'own/bias'?" in message(capsys, *words("own/bais"))
