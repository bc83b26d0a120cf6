"""Labels, from the command line to report and predictions: clicks, classes, cross-encoder."""

import polars as pl
import pytest
import torch

from lit_rec.errors import ConfigError, DataError
from lit_rec.inference.recommender import Recommender
from lit_rec.inference.reranker import Reranker

from .conftest import message
from .label_runs import NEIGHBORHOOD, cross_encoder, decided_by, run, shown, two_towers

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize(
    "network", [two_towers(NEIGHBORHOOD), cross_encoder], ids=["towers", "cross"]
)
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
    only_good = {"class_path": "lit_rec.data.history.histories.PastHistory"}
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
    folder, _, frame = run(workplace, "told", "click", two_towers(NEIGHBORHOOD))
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
    # the first row of a user's third impression saw the eight rows before it, with their labels
    table = table.with_row_index()
    user = table.filter(pl.col("shown") == "2")["user_id"][0]
    rows = table.filter(pl.col("user_id") == user)
    asked = rows.row(8, named=True)
    assert rows["timestamp"].cast(pl.Float64).is_unique().all()
    history = rec.history_of(user)[:8]
    assert [entry["label"] for entry in history] == rows["click"][:8].to_list()
    found = rec.score(history, [asked["item_id"]], user=user, timestamp=float(asked["timestamp"]))
    assert found[0] == pytest.approx(frame["score"][asked["index"]], abs=1e-5)
    # an id alone counts as a click
    bare = [entry["item_id"] for entry in history]
    clicked = [{"item_id": id_, "label": "1"} for id_ in bare]
    skipped = [{"item_id": id_, "label": "0"} for id_ in bare]
    of_bare, of_clicked, of_skipped = (rec.score(h, ["181"])[0] for h in (bare, clicked, skipped))
    assert of_bare == of_clicked > of_skipped
    with pytest.raises(DataError, match="the label 'maybe' is not one of"):
        rec.score([{"item_id": "50", "label": "maybe"}], ["181"])


def test_a_cross_encoder_reranks(workplace, tables, run_folder, capsys):
    """Its scores are those of predict; the command puts the lists of two towers in its order."""
    folder, _, frame = run(workplace, "reranks", "click", cross_encoder)
    path = folder / "best.ckpt"
    lists = message(capsys, "predict", "--ckpt_path", path, "--k=3")
    assert "a CrossEncoder has no table of item vectors to choose from" in lists
    with pytest.raises(ConfigError, match="a CrossEncoder has no table of item vectors") as found:
        Recommender.from_checkpoint(path)
    assert "lit_rec.inference.reranker.Reranker" in str(found.value)
    cross = Reranker.from_checkpoint(path)
    rows = pl.read_csv(tables / "labels.csv", infer_schema=False).to_dicts()
    for place in range(0, len(rows), 23):
        row, now = rows[place], float(rows[place]["timestamp"])
        past = [r for r in rows if r["user_id"] == row["user_id"] and r["shown"] != row["shown"]]
        past = [r for r in past if float(r["timestamp"]) < now]
        past = sorted(past, key=lambda r: float(r["timestamp"]))
        past = [{"item_id": r["item_id"], "label": r["click"]} for r in past]
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
    assert "--pool 5: there is no model" in message(capsys, *asked, "--pool", "5")
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


def test_what_does_not_go_together_is_refused_before_training(workplace, tables, capsys):
    with pytest.raises(SystemExit) as ended:
        run(workplace, "wrong", "opinion", two_towers("MLPHead"))
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert "BinaryCrossEntropy, but the data has 3 labels" in message
    assert len(message.strip().splitlines()) <= 8
    assert not list((workplace / "runs").glob("wrong/**/*.ckpt"))
