"""Wrong inputs as a user would type them: exit code 2, a few lines, the value seen and a remedy, never a traceback."""

import errno
import gzip
import shutil
from pathlib import Path

import pytest

from .conftest import lit_rec, options

pytestmark = pytest.mark.filterwarnings("default")

NETWORK = "--model.network.init_args"


def table(tmp_path, workplace, name, change, ending=".csv"):
    """A changed copy of a table, as the option that names it."""
    text = (workplace / f"my/{name}.csv").read_text()
    path = tmp_path / f"{name}{ending}"
    changed = change(text)
    path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    return f"--data.reader.{name}={path}"


def line(number, new):
    """Replace a line of the file, counted from 1."""

    def change(text):
        lines = text.splitlines()
        lines[number - 1] = new
        return "\n".join(lines) + "\n"

    return change


def same(text):
    return text


# name -> (table, change of the file, ending, what the message must hold)
TABLES = {
    "wrong delimiter": ("behaviors", lambda t: t.replace(",", ";"), ".csv", "';'"),
    "duplicate item id": ("items", line(3, "50,again,1990,Drama"), ".csv", "'50'"),
    "empty item id": ("items", line(3, ",again,1990,Drama"), ".csv", "line 3"),
    "empty user id": ("behaviors", line(5, ",50,3,880000000"), ".csv", "line 5"),
    "NaN rating": ("behaviors", line(5, "405,50,NaN,880000000"), ".csv", "NaN"),
    "rating as text": ("behaviors", line(5, "405,50,good,880000000"), ".csv", "good"),
    "unreadable time": ("behaviors", line(5, "405,50,3,yesterday"), ".csv", "yesterday"),
    "unknown item": ("behaviors", line(5, "405,n7719,3,880000000"), ".csv", "n7719"),
    "latin-1": ("items", lambda t: t.encode() + b"99,caf\xe9,1990,Drama\n", ".csv", "0xe9"),
    "too many columns": ("behaviors", line(5, "405,50,3,880000000,1,2"), ".csv", "line 5"),
    "header only": ("behaviors", lambda t: t.splitlines()[0] + "\n", ".csv", "behaviors.csv"),
    "empty file": ("behaviors", lambda t: "", ".csv", "behaviors.csv"),
    "column twice": ("behaviors", line(1, "user_id,item_id,rating,rating"), ".csv", "rating"),
    "no user column": ("behaviors", line(1, "userId,item_id,rating,timestamp"), ".csv", "userId"),
    "not parquet": ("behaviors", same, ".parquet", "behaviors.parquet"),
    "cut gz": (
        "behaviors",
        lambda t: gzip.compress(t.encode())[:-40],
        ".csv.gz",
        "behaviors.csv.gz",
    ),
    "not gz": ("behaviors", same, ".csv.gz", "behaviors.csv.gz"),
    "not JSON": ("behaviors", lambda t: '{"user_id": 1\n', ".jsonl", "line 1"),
    "unknown ending": ("behaviors", same, ".xlsx", ".xlsx"),
    "too few columns": ("behaviors", line(5, "405,50"), ".csv", "line 5"),
    "infinite rating": ("behaviors", line(5, "405,50,inf,880000000"), ".csv", "inf"),
    "no time in one line": ("behaviors", line(5, "405,50,3,"), ".csv", "line 5"),
    "no ratings": ("behaviors", lambda t: t.replace("rating", "stars"), ".csv", "rating"),
}

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
    "typo in a class": ([f"{NETWORK}.head=lit_rec.models.heads.DotHaed"], "DotHaed"),
    "a class of another kind": (["--data.history=lit_rec.data.splits.TimeSplit"], "TimeSplit"),
    "text for a number": (["--data.batch_size=many"], "many"),
    "no rows in a batch": (["--data.batch_size=0"], "0"),
    "fewer workers than none": (["--data.num_workers=-1"], "data.num_workers: -1"),
    "seed below nothing": (["--data.seed=-1"], "data.seed: -1"),
    "negative rate": (["--model.head_rate=-1"], "-1"),
    "no history": (["--data.history.max_length=0"], "0"),
    "share above 1": (["--data.split.validation=1.5"], "1.5"),
    "shares above 1 together": (["--data.split.validation=0.6", "--data.split.test=0.6"], "0.6"),
    "no given split": (["--data.split=lit_rec.data.splits.GivenSplit"], "GivenSplit"),
    "no given history": (["--data.history=lit_rec.data.histories.GivenHistory"], "GivenHistory"),
    "unknown event": (
        [
            "--data.history.where={class_path: lit_rec.data.histories.Where, init_args: {events: [buy]}}"
        ],
        "buy",
    ),
    "absent encoder": (["--data.encoder=./nowhere"], "nowhere"),
    "too few tokens": (["--data.max_tokens=2"], "2"),
    "warm-up of everything": (["--model.schedule.warmup_fraction=1.0"], "1.0"),
    "too many layers": (
        [
            f"{NETWORK}.item_encoder.init_args.backbone.init_args.tuning=lit_rec.models.tuning.TopLayersTuning",
            f"{NETWORK}.item_encoder.init_args.backbone.init_args.tuning.init_args.layers=9",
        ],
        "9",
    ),
    "cache below a file": (["--data.cache_folder=/proc/version/cache"], "/proc/version/cache"),
    "runs below a file": (
        ["--trainer.logger.init_args.save_dir=/proc/version/runs"],
        "/proc/version",
    ),
    "absent resume": (["--ckpt_path=nowhere.ckpt"], "nowhere.ckpt"),
    "unknown precision": (["--trainer.precision=7-bit"], "7-bit"),
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
    "encoder of the hub while offline": (["--data.encoder=somebody/nope"], "somebody/nope"),
}


def message(capsys, *words):
    """Run, and return the message after checking its form."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        lit_rec(*words)
    assert stop.value.code == 2
    lines = [
        text for text in capsys.readouterr().err.splitlines() if not text.startswith("Seed set")
    ]
    text = "\n".join(lines)
    start = next(place for place, line in enumerate(lines) if line.startswith("lit_rec: "))
    assert len(lines) - start <= 8, text
    assert "Traceback" not in text
    assert "usage:" not in text.lower()
    assert "Try:" in text, text
    return "\n".join(lines[start:])


@pytest.mark.parametrize("name", TABLES)
def test_wrong_table(name, tmp_path, workplace, capsys):
    which, change, ending, value = TABLES[name]
    option = table(tmp_path, workplace, which, change, ending)
    assert value in message(capsys, "fit", *options(workplace), option)


@pytest.mark.parametrize("name", OPTIONS)
def test_wrong_option(name, workplace, capsys):
    words, value = OPTIONS[name]
    assert value in message(capsys, "fit", *options(workplace), *words)


def test_byte_order_mark_is_no_error(tmp_path, workplace):
    option = table(tmp_path, workplace, "behaviors", lambda t: b"\xef\xbb\xbf" + t.encode())
    lit_rec("fit", *options(workplace), option, "--trainer.fast_dev_run=true")


def test_past_history_without_time(tmp_path, workplace, capsys):
    option = table(tmp_path, workplace, "behaviors", lambda t: t.replace("timestamp", "when"))
    split = "--data.split=lit_rec.data.splits.RandomSplit"
    assert "PastHistory" in message(capsys, "fit", *options(workplace), option, split)
    assert "TimeSplit" in message(capsys, "fit", *options(workplace), option)


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


def test_file_of_the_encoder_that_may_not_be_read(tmp_path, workplace, capsys, monkeypatch):
    """What the user reads is not the cache folder, though the cache is being built."""

    def refused(*args):
        raise PermissionError(errno.EACCES, "Permission denied", "encoder/vocab.txt")

    monkeypatch.setattr("lit_rec.data.tokens.TokenStore.build", refused)
    cache = f"--data.cache_folder={tmp_path}/cache"
    text = message(capsys, "fit", *options(workplace), cache)
    assert text.startswith("lit_rec: encoder/vocab.txt: ")
    assert "cache" not in text


def test_disk_full(workplace, capsys, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device", "best.ckpt")

    monkeypatch.setattr("lightning.fabric.plugins.io.torch_io._atomic_save", full)
    text = message(capsys, "fit", *options(workplace), "--trainer.max_epochs=1")
    assert "No space left on device" in text


def test_other_data_on_resume(tmp_path, workplace, run_folder, capsys):
    half = table(tmp_path, workplace, "behaviors", lambda t: "\n".join(t.splitlines()[:100]) + "\n")
    resume = ["--ckpt_path", run_folder / "last.ckpt", "--trainer.max_epochs=9"]
    text = message(capsys, "fit", *options(workplace), half, *resume)
    assert "in the data" in text
    assert "in the checkpoint" in text


def test_encoder_folder_without_configuration(tmp_path, workplace, capsys):
    folder = tmp_path / "encoder"
    shutil.copytree(workplace / "checkpoints/assets/all-MiniLM-L6-v2", folder)
    Path(folder, "config.json").unlink()
    assert str(folder) in message(capsys, "fit", *options(workplace), f"--data.encoder={folder}")
