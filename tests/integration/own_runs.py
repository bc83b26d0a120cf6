"""Runs by configurations that a test writes itself, on the made-up tables.

They have batches of 16 rows, 10 steps an epoch, and metrics as CSV.
"""

import copy
import csv
import json
import random
import socket
from contextlib import closing
from pathlib import Path

import polars as pl
import torch
import yaml

from tests.warm_processes import WarmProcess

from . import several_commands

CHECKPOINT = "lit_rec.training.callbacks.run_folder.RunCheckpoint"
CSV_LOGGER = "lightning.pytorch.loggers.CSVLogger"


def part(class_path, **options):
    """A part of a configuration."""
    return {"class_path": class_path, "init_args": options}


def configuration(workplace, *, last_every_n_steps=None, callbacks=(), **trainer):
    """The configuration of a run of three epochs, as it would stand in a YAML."""
    config = yaml.safe_load((workplace / "config.yaml").read_text())
    config["data"]["init_args"] |= {
        "reader": part(
            "lit_rec.data.readers.plain.TableReader",
            behaviors=f"{workplace}/my/behaviors.csv",
            items=f"{workplace}/my/items.csv",
        ),
        "encoder": f"{workplace}/checkpoints/assets/all-MiniLM-L6-v2",
        "text": part("lit_rec.data.texts.template.TextTemplate", columns=["title", "genres"]),
        "history": part("lit_rec.data.history.histories.TrainingHistory"),
        "cache_folder": f"{workplace}/cache",
        "batch_size": 16,
    }
    config["trainer"] |= {
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "max_epochs": 3,
        "logger": part(CSV_LOGGER, save_dir="runs", name="run", flush_logs_every_n_steps=1),
        "callbacks": [part(CHECKPOINT, last_every_n_steps=last_every_n_steps), *callbacks],
    }
    config["trainer"] |= trainer
    return config


def uneven(workplace, **trainer):
    """A configuration on 323 rows for training, 187 to validate and 193 to test, which no batch divides.

    A tenth has no rating. The network and its histories are without chance.
    """
    config = configuration(workplace, **trainer)
    data = config["data"]["init_args"]
    data["reader"]["init_args"]["behaviors"] = str(_uneven_table(workplace / "my/uneven.csv"))
    data["split"] = part("lit_rec.data.splits.splits.GivenSplit")
    data["history"] = part("lit_rec.data.history.histories.PastHistory")
    data["eval_batch_size"] = 8
    return with_dropout(config, 0.0)


def with_dropout(config, share):
    """The same configuration with dropout, or without."""
    config = copy.deepcopy(config)
    network = config["model"]["network"]["init_args"]
    item_encoder = network["item_encoder"]["init_args"]
    item_encoder["ids"]["init_args"]["dropout"] = share
    item_encoder["backbone"]["init_args"]["dropout"] = share
    network["head"]["init_args"] = {"dropout": share}
    return config


def _uneven_table(path):
    chance = random.Random(0)
    parts = ["train"] * 323 + ["val"] * 187 + ["test"] * 193
    pairs = chance.sample([(f"u{user}", item) for user in range(30) for item in range(1, 38)], 703)
    rows = [
        (user, str(item), None if chance.random() < 0.1 else chance.randint(1, 5), 60 * time, part)
        for time, ((user, item), part) in enumerate(zip(pairs, parts, strict=True))
    ]
    names = ["user_id", "item_id", "rating", "timestamp", "split"]
    pl.DataFrame(rows, schema=names, orient="row").write_csv(path)
    return path


def write(config, path):
    """Write a configuration as YAML."""
    path.write_text(yaml.safe_dump(config))
    return path


def checkpoint(folder, name="last"):
    """Load a checkpoint of a run."""
    return torch.load(folder / f"{name}.ckpt", weights_only=True)


def difference(one, other):
    """Return the largest difference between the weights of two checkpoints."""
    one, other = one["state_dict"], other["state_dict"]
    assert one.keys() == other.keys()
    return max(float((one[name].double() - other[name].double()).abs().max()) for name in one)


def logged(folder):
    """Return what CSVLogger wrote: (metric, step) -> value."""
    found = {}
    for path in sorted(folder.glob("metrics*.csv"), key=lambda p: (len(p.name) < 13, p.name)):
        for row in csv.DictReader(path.read_text().splitlines()):
            named = {name: value for name, value in row.items() if value and "/" in name}
            found |= {(name, int(row["step"])): float(value) for name, value in named.items()}
    return found


def vectors_of(rec):
    """Return the vectors of a Recommender's catalogue."""
    return rec._state.scores._vectors.take(torch.arange(len(rec.item_ids)))


def without_vectors(path, bare, **config):
    """Write a copy of a checkpoint without the catalogue's vectors and with other data options; return its path."""
    content = torch.load(path, weights_only=True)
    content["lit_rec"]["catalogue"]["vectors"] = None
    content["lit_rec"]["config"]["data"]["init_args"] |= config
    torch.save(content, bare)
    return bare


def run_apart(commands, folder, *, seconds):
    """Run commands in two processes; return the metrics of each command, and what both wrote to stderr."""
    path, program = folder / "metrics.json", Path(several_commands.__file__)
    script = f"""
import runpy, sys
sys.path.insert(0, {str(program.parent)!r})
runpy.run_path({str(program)!r}, run_name="__main__")
"""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    # as a cluster sets it, so that Lightning starts no process itself: test_stopping has it do so
    cluster = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    started = [
        WarmProcess(
            *(script, json.dumps(commands), path),
            folder=folder,
            env={**cluster, "NODE_RANK": "0", "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    ended = [process.end(seconds) for process in started]
    said = "".join(done.stderr for done in ended)
    assert [done.returncode for done in ended] == [0, 0], said[-3000:]
    return json.loads(path.read_text()), said
