"""Runs on the made-up ratings as labels, an epoch each: clicks, classes, texts without users."""

import json
import re

import polars as pl
import torch
import yaml

from lit_rec.evaluation.report.schema import problems

from .conftest import lit_rec

TWO_TOWERS = "lit_rec.models.networks.two_tower.TwoTower"
HEADS = "lit_rec.models.heads.value_heads."
NEIGHBORHOOD = "lit_rec.models.heads.neighborhood.NeighborhoodHead"


def run(workplace, name, label, network, *, texts=False, **data):
    """Fit an epoch, test, predict; return the run's folder, the report's rows by metric and the predictions."""
    config = yaml.safe_load((workplace / "config.yaml").read_text())
    options = config["data"]["init_args"]
    encoder = f"{workplace}/checkpoints/assets/all-MiniLM-L6-v2"
    options |= {"encoder": encoder, "cache_folder": f"{workplace}/cache", "task": "label", **data}
    options["batch_size"] = 32
    options["text"]["init_args"]["columns"] = ["title", "genres"]
    reader = options["reader"]["init_args"]
    reader |= {"behaviors": f"{workplace}/my/labels.csv", "items": f"{workplace}/my/items.csv"}
    columns = reader.setdefault("behavior_columns", {}) or {}
    reader["behavior_columns"] = columns | {"label": label, "impression_id": "shown"}
    if texts:
        config["data"]["class_path"] = "lit_rec.data.text_datamodule.ItemTextDataModule"
        reader = {"texts": f"{workplace}/my/texts.csv", "columns": {"label": label}}
        path = "lit_rec.data.readers.labelled_texts.LabelledTextReader"
        options["reader"] = {"class_path": path, "init_args": reader}
        options["split"] = {"class_path": "lit_rec.data.splits.splits.RandomSplit"}
        options.pop("history", None)
    encoder_of = config["model"]["network"]["init_args"]["item_encoder"]
    encoder_of["init_args"]["backbone"]["init_args"]["name"] = encoder
    config["model"]["network"] = network(config["model"]["network"]["init_args"])
    config["trainer"] |= {"max_epochs": 1, "accelerator": "cpu", "enable_progress_bar": False}
    config["trainer"]["logger"]["init_args"] |= {"save_dir": f"{workplace}/runs", "name": name}
    names = ("run_folder.RunCheckpoint", "early_stopping.RunEarlyStopping")
    config["trainer"]["callbacks"] = [{"class_path": f"lit_rec.training.{n}"} for n in names]
    written = workplace / f"{name}.yaml"
    written.write_text(yaml.safe_dump(config))
    torch.set_num_threads(1)
    lit_rec("fit", "-c", written)
    folder = workplace / "runs" / name / "version_0"
    lit_rec("test", "--ckpt_path", folder / "best.ckpt")
    lit_rec("predict", "--ckpt_path", folder / "best.ckpt", "--data.predict_part", "all")
    report = json.loads((folder / "report.json").read_text())
    assert [*problems(report)] == []
    rows = report["rows"]
    figures = {(r["model"], r["metric"]): r["value"] for r in rows if r["slice"] == "all"}
    return folder, figures, pl.read_parquet(folder / "predictions.parquet")


def decided_by(folder):
    """The metrics, with their modes, that callbacks without a monitor waited for."""
    names = torch.load(folder / "best.ckpt", weights_only=True)["callbacks"]
    found = (re.search(r"'monitor': '(\S+)', 'mode': '(\w+)'", name) for name in names)
    return [match.groups() for match in found if match]


def two_towers(head):
    def network(given):
        init = {**given, "head": {"class_path": head if "." in head else HEADS + head}}
        path = "lit_rec.models.users.candidate_attention.CandidateAttentionUserEncoder"
        init["user_encoder"] = {"class_path": path}
        return {"class_path": TWO_TOWERS, "init_args": init}

    return network


def cross_encoder(given):
    backbone = given["item_encoder"]["init_args"]["backbone"]
    init = {"backbone": backbone, "max_tokens": 48}
    return {"class_path": "lit_rec.models.networks.cross_encoder.CrossEncoder", "init_args": init}


def text_classifier(given):
    item_encoder = given["item_encoder"]
    item_encoder["init_args"].pop("ids", None)
    return {
        "class_path": "lit_rec.models.networks.text_classifier.TextClassifier",
        "init_args": {"item_encoder": item_encoder},
    }


def shown(capsys, *words):
    """What a command prints as JSON."""
    capsys.readouterr()
    lit_rec(*words)
    return json.loads(capsys.readouterr().out.splitlines()[-1])
