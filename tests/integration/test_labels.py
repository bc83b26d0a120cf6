"""Labels, from the command line to report and predictions: clicks, classes, cross-encoder, texts without users."""

import json
import re

import polars as pl
import pytest
import torch
import yaml

from lit_rec.errors import ConfigError, DataError
from lit_rec.inference.classifier import Classifier
from lit_rec.inference.recommender import Recommender
from lit_rec.inference.reranker import Reranker

from .conftest import lit_rec, message

pytestmark = pytest.mark.filterwarnings("default")

TWO_TOWERS = "lit_rec.models.networks.TwoTower"
HEADS = "lit_rec.models.heads."


@pytest.fixture(scope="module")
def tables(workplace):
    """The made-up ratings as clicks and as three classes, shown in impressions of four."""
    behaviors = pl.read_csv(workplace / "my/behaviors.csv").sort("user_id", "timestamp")
    rating = pl.col("rating").cast(pl.Float64)
    place = pl.int_range(pl.len()).over("user_id")
    behaviors = behaviors.with_columns(
        click=(rating >= 4).cast(pl.Int8),
        opinion=pl.when(rating >= 4)
        .then(pl.lit("good"))
        .when(rating >= 3)
        .then(pl.lit("so-so"))
        .otherwise(pl.lit("bad")),
        shown=place // 4,
    ).drop("rating")
    behaviors.write_csv(workplace / "my/labels.csv")
    items = pl.read_csv(workplace / "my/items.csv")
    items.with_columns(intent=pl.int_range(pl.len()) % 3).write_csv(workplace / "my/texts.csv")
    return workplace / "my"


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
        config["data"]["class_path"] = "lit_rec.data.item_text_data.ItemTextDataModule"
        reader = {"texts": f"{workplace}/my/texts.csv", "columns": {"label": label}}
        path = "lit_rec.data.readers.labelled_texts.LabelledTextReader"
        options["reader"] = {"class_path": path, "init_args": reader}
        options["split"] = {"class_path": "lit_rec.data.splits.RandomSplit"}
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
    rows = json.loads((folder / "report.json").read_text())["rows"]
    figures = {(r["model"], r["metric"]): r["value"] for r in rows if r["slice"] == "all"}
    return folder, figures, pl.read_parquet(folder / "predictions.parquet")


def decided_by(folder):
    """The metrics, with their modes, that callbacks without a monitor waited for."""
    names = torch.load(folder / "best.ckpt", weights_only=True)["callbacks"]
    found = (re.search(r"'monitor': '(\S+)', 'mode': '(\w+)'", name) for name in names)
    return [match.groups() for match in found if match]


def two_towers(head):
    def network(given):
        init = {**given, "head": {"class_path": HEADS + head}}
        path = "lit_rec.models.candidate_attention.CandidateAttentionUserEncoder"
        init["user_encoder"] = {"class_path": path}
        return {"class_path": TWO_TOWERS, "init_args": init}

    return network


def cross_encoder(given):
    backbone = given["item_encoder"]["init_args"]["backbone"]
    init = {"backbone": backbone, "max_tokens": 48}
    return {"class_path": "lit_rec.models.cross_encoder.CrossEncoder", "init_args": init}


def text_classifier(given):
    item_encoder = given["item_encoder"]
    item_encoder["init_args"].pop("ids", None)
    return {
        "class_path": "lit_rec.models.text_classifier.TextClassifier",
        "init_args": {"item_encoder": item_encoder},
    }


def shown(capsys, *words):
    """What a command prints as JSON."""
    capsys.readouterr()
    lit_rec(*words)
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("network", [two_towers("MLPHead"), cross_encoder], ids=["towers", "cross"])
def test_clicks(workplace, tables, network, request):
    name = f"clicks_{request.node.callspec.id}"
    folder, figures, frame = run(workplace, name, "click", network)
    metrics = {"accuracy", "macro_f1", "log_loss", "auc", "impression_auc", "mrr", "ndcg@10"}
    assert metrics <= {metric for model, metric in figures if model == "lit_rec"}
    assert {"majority", "item_label_frequency", "popularity"} <= {model for model, _ in figures}
    table = pl.read_csv(tables / "labels.csv", infer_schema=False)
    assert frame.select("user_id", "item_id").equals(table.select("user_id", "item_id"))
    positive = (frame["score"] > 0.5).cast(pl.Int8).cast(pl.String)
    assert positive.to_list() == frame["label"].to_list()
    assert decided_by(folder) == [("val/impression_auc", "max")] * 2
    content = torch.load(folder / "best.ckpt", weights_only=True)["lit_rec"]
    assert list(content["facts"]["labels"]) == ["0", "1"]
    assert (content["catalogue"]["vectors"] is None) == (network is cross_encoder)


def test_recommendations_are_sorted_by_the_probability_asked_for(workplace, tables):
    labels = ["good", "so-so", "bad"]
    network = two_towers("ClassificationHead")
    only_good = {"class_path": "lit_rec.data.histories.PastHistory"}
    only_good["init_args"] = {"where": {"labels": ["good"]}}
    folder, _, _ = run(workplace, "asked", "opinion", network, labels=labels, history=only_good)
    rec = Recommender.from_checkpoint(folder / "best.ckpt")
    with pytest.raises(DataError, match="no label is named"):
        rec.recommend(["50"], 3)
    with pytest.raises(DataError, match="'great' is not usable"):
        rec.score(["50"], ["181"], label="great")
    found = [rec.score(["50"], ["181", "172"], label=label) for label in labels]
    assert [sum(of_item) for of_item in zip(*found, strict=True)] == pytest.approx([1.0, 1.0])
    best = rec.recommend(["50"], 40, label="bad")
    assert [r.score for r in best] == sorted((r.score for r in best), reverse=True)
    assert len(best) == 39
    table = pl.read_csv(tables / "labels.csv", infer_schema=False)
    user = table["user_id"][0]
    liked = table.filter((pl.col("user_id") == user) & (pl.col("opinion") == "good"))
    assert [e["item_id"] for e in rec.history_of(user)] == liked["item_id"].to_list()


def test_clicks_are_told_as_probabilities(workplace, tables):
    folder, _, frame = run(workplace, "told", "click", two_towers("DotHead"))
    rec = Recommender.from_checkpoint(folder / "best.ckpt")
    positive = rec.score(["50"], ["181", "172"])
    negative = rec.score(["50"], ["181", "172"], label="0")
    assert [a + b for a, b in zip(positive, negative, strict=True)] == pytest.approx([1.0, 1.0])
    table = pl.read_csv(tables / "labels.csv", infer_schema=False)
    first = (
        table.with_row_index().filter(pl.col("timestamp").cast(pl.Float64) > 0).row(0, named=True)
    )
    alone = rec.score([], [first["item_id"]], user=first["user_id"])
    assert alone[0] == pytest.approx(frame["score"][first["index"]], abs=1e-5)


def test_a_cross_encoder_reranks(workplace, tables, run_folder, capsys):
    """Its scores are those of predict; the command puts the lists of two towers in its order."""
    folder, _, frame = run(workplace, "reranks", "click", cross_encoder)
    path = folder / "best.ckpt"
    with pytest.raises(ConfigError, match="a CrossEncoder has no table of item vectors") as found:
        Recommender.from_checkpoint(path)
    assert "lit_rec.inference.reranker.Reranker" in str(found.value)
    cross = Reranker.from_checkpoint(path)
    rows = pl.read_csv(tables / "labels.csv", infer_schema=False).to_dicts()
    for place in range(0, len(rows), 23):
        row, now = rows[place], float(rows[place]["timestamp"])
        past = [r for r in rows if r["user_id"] == row["user_id"] and r["shown"] != row["shown"]]
        past = [r for r in past if float(r["timestamp"]) < now]
        past = [r["item_id"] for r in sorted(past, key=lambda r: float(r["timestamp"]))]
        score = cross.score(past, [row["item_id"]])
        assert score == pytest.approx([frame["score"][place]], abs=1e-5)

    asked = ["recommend", "--ckpt_path", run_folder / "best.ckpt", "--history", "50,181"]
    reranked = [*asked, "--rerank", path, "--json", "--k", "3"]
    found = [shown(capsys, *reranked, "--pool", pool) for pool in ("5", "1", "100")]
    rec = Recommender.from_checkpoint(run_folder / "best.ckpt")
    for pool, many in zip(found, (5, 3, 100), strict=True):
        best = [one.item_id for one in rec.recommend(["50", "181"], many)]
        expected = cross.rerank(["50", "181"], best, 3)
        assert [one["item_id"] for one in pool] == [one.item_id for one in expected]
        assert [one["score"] for one in pool] == pytest.approx([one.score for one in expected])
        assert all(one["fields"]["title"] for one in pool)
    said = message(capsys, *asked, "--rerank", run_folder / "best.ckpt")
    assert "a TwoTower does not read history and item together" in said


def test_classes(workplace, tables):
    labels = ["good", "so-so", "bad"]
    folder, figures, frame = run(
        workplace, "classes", "opinion", two_towers("ClassificationHead"), labels=labels
    )
    assert figures["lit_rec", "accuracy"] is not None
    assert decided_by(folder) == [("val/accuracy", "max")] * 2
    assert set(frame["label"]) <= set(labels)
    assert frame["probability"].min() >= 1 / 3
    assert "score" not in frame.columns


def test_texts_without_users(workplace, tables):
    folder, figures, frame = run(workplace, "texts", "intent", text_classifier, texts=True)
    assert {"lit_rec", "majority", "frozen_text_knn"} <= {model for model, _ in figures}
    assert "user_id" not in frame.columns
    assert len(frame) == 40
    assert set(frame["label"]) <= {"0", "1", "2"}

    table = pl.read_csv(tables / "texts.csv", infer_schema=False)
    model = Classifier.from_checkpoint(folder / "best.ckpt")
    found = [of_text[0] for of_text in model.classify(table)]
    assert [one.label for one in found] == frame["label"].to_list()
    shares = [one.probability for one in found]
    assert shares == pytest.approx(frame["probability"].to_list(), abs=1e-5)
    alone = [model.classify([row])[0][0] for row in table.select(model.columns).to_dicts()[:5]]
    assert [one.probability for one in alone] == pytest.approx(shares[:5], abs=1e-5)


def test_texts_are_classified_by_a_command(workplace, tables, tmp_path, capsys):
    folder = workplace / "runs/texts/version_0"
    if not folder.exists():
        run(workplace, "texts", "intent", text_classifier, texts=True)
    asked = ["classify", "--ckpt_path", folder / "best.ckpt"]
    model = Classifier.from_checkpoint(folder / "best.ckpt")
    texts = ["a [red] river", "a night of love"]
    words = [word for text in texts for word in ("--text", text)]
    found = shown(capsys, *asked, *words, "--k", "2", "--json")
    assert [one["text"] for one in found] == texts
    expected = [[vars(one) for one in of_text] for of_text in model.classify(texts, 2)]
    assert [one["labels"] for one in found] == expected

    table = pl.read_csv(tables / "texts.csv", infer_schema=False)[:3]
    table.write_csv(tmp_path / "some.csv")
    table.write_ndjson(tmp_path / "some.jsonl")
    of_files = [
        shown(capsys, *asked, "--json", "--file", tmp_path / f"some.{kind}")
        for kind in ("csv", "jsonl")
    ]
    assert of_files[0] == of_files[1]
    assert [one["text"] for one in of_files[0]] == table["title"].to_list()
    expected = [[vars(one) for one in of_text] for of_text in model.classify(table)]
    assert [one["labels"] for one in of_files[0]] == expected

    lit_rec(*asked, *words)
    printed = capsys.readouterr().out
    assert "a [red] river" in printed
    assert f"{model.classify(texts)[0][0].probability:.3f}" in printed


def test_texts_that_cannot_be_classified(workplace, tables, run_folder, tmp_path, capsys):
    folder = workplace / "runs/texts/version_0"
    if not folder.exists():
        run(workplace, "texts", "intent", text_classifier, texts=True)

    def refused(*words, path=folder / "best.ckpt"):
        return message(capsys, "classify", "--ckpt_path", path, *words)

    assert "there is nothing to classify" in refused()
    assert "texts and a file are given" in refused("--text", "a", "--file", "b.csv")
    assert "--text, number 2: '' has no text" in refused("--text", "a", "--text", "")
    assert "k: 0 is too small" in refused("--text", "a", "--k", "0")
    assert "there is no such file" in refused("--text", "a", path=tmp_path / "none.ckpt")
    other = refused("--text", "a", path=run_folder / "best.ckpt")
    assert f"{run_folder / 'best.ckpt'}: a TwoTower is no classifier of texts" in other
    assert "`lit-rec recommend`" in other
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("titel,genres\nred,Drama\n")
    assert f"--file {wrong}: there is no column 'title'; the table has titel" in refused(
        "--file", wrong
    )
    wrong.write_text("title,genres\nred,Drama\n,\n")
    assert f"--file {wrong}, row 2: has no text" in refused("--file", wrong)
    assert "--file" in refused("--file", tmp_path / "absent.csv")


def test_what_does_not_go_together_is_refused_before_training(workplace, tables, capsys):
    with pytest.raises(SystemExit) as ended:
        run(workplace, "wrong", "opinion", two_towers("MLPHead"))
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert "BinaryCrossEntropy, but the data has 3 labels" in message
    assert len(message.strip().splitlines()) <= 8
    assert not list((workplace / "runs").glob("wrong/**/*.ckpt"))
