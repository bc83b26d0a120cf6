"""What comes next, from the command line to report, lists and recommendations: text and ids, and ids alone."""

import json
import re

import numpy as np
import polars as pl
import pytest
import torch
import yaml

from lit_rec.evaluation.baselines.next_item import trial
from lit_rec.evaluation.metrics.ranks import rank_gains
from lit_rec.evaluation.report.schema import problems
from lit_rec.inference.recommender import Recommender
from lit_rec.tasks.training_baskets import trained_rows, training_baskets
from lit_rec.training import closed_forms, fitted_neighbors
from lit_rec.training.vector_share import NEW_WEIGHTS, RARITIES, REPEAT_WEIGHTS, SHARES

from .conftest import lit_rec, message

pytestmark = pytest.mark.filterwarnings("default")

HEAD = "lit_rec.models.heads.vector_heads.CosineHead"
CAUSAL = "lit_rec.models.users.causal_transformer.CausalTransformerUserEncoder"


@pytest.fixture(scope="module")
def config(workplace, tmp_path_factory):
    """A configuration over events alone: who did what, when; a twentieth of the rows are of another kind."""
    folder = tmp_path_factory.mktemp("next_item")
    table = pl.read_csv(workplace / "my/behaviors.csv").drop("rating")
    table = table.with_columns(event=pl.Series([*["buy"] * 19, "look"] * 10))
    table.write_csv(folder / "events.csv")
    found = yaml.safe_load((workplace / "config.yaml").read_text())
    options = found["data"]["init_args"]
    encoder = f"{workplace}/checkpoints/assets/all-MiniLM-L6-v2"
    options |= {"encoder": encoder, "cache_folder": f"{workplace}/cache", "task": "next_item"}
    options |= {"batch_size": 4, "eval_batch_size": 16}
    options["reader"]["init_args"] |= {
        "behaviors": f"{folder}/events.csv",
        "items": f"{workplace}/my/items.csv",
    }
    options["history"]["init_args"] = {"max_length": 4, "where": {"events": ["buy"]}}
    parts = found["model"]["network"]["init_args"]
    parts["item_encoder"]["init_args"]["width"] = 16
    parts["user_encoder"] = {"class_path": CAUSAL, "init_args": {"layers": 1, "max_length": 4}}
    parts["head"] = {"class_path": HEAD}
    parts["repeats"] = {"class_path": "lit_rec.models.heads.repeat_bias.RepeatBias"}
    # the encoder is trained here, so neighbors are found without texts
    neighbors = {"neighbors": 6, "new_item_weight": None, "repeat_weight": None}
    parts["neighbors"] = {
        "class_path": "lit_rec.models.heads.item_neighbors.ItemNeighbors",
        "init_args": neighbors,
    }
    found["model"] |= {"head_rate": 1e-2, "head_decay": 0.01}
    found["trainer"] |= {"max_epochs": 2, "accelerator": "cpu", "enable_progress_bar": False}
    found["trainer"]["logger"]["init_args"] |= {"save_dir": str(folder / "runs"), "name": "text"}
    names = ("run_folder.RunCheckpoint", "early_stopping.RunEarlyStopping")
    found["trainer"]["callbacks"] = [{"class_path": f"lit_rec.training.{n}"} for n in names]
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(found))
    return path


def run(config, name, *words):
    """Fit, test and predict; return the folder, what the report says of all rows, and the lists."""
    torch.set_num_threads(1)
    lit_rec("fit", "-c", config, f"--trainer.logger.init_args.name={name}", *words)
    folder = config.parent / "runs" / name / "version_0"
    lit_rec("test", "--ckpt_path", folder / "best.ckpt")
    lit_rec("predict", "--ckpt_path", folder / "best.ckpt")
    report = json.loads((folder / "report.json").read_text())
    assert [*problems(report)] == []
    rows = report["rows"]
    figures = {(r["model"], r["metric"]): r["value"] for r in rows if r["slice"] == "all"}
    return folder, figures, pl.read_parquet(folder / "recommendations.parquet")


@pytest.fixture(scope="module")
def text_run(config):
    return run(config, "text")


def test_report_and_monitors(text_run):
    folder, figures, _ = text_run
    closed_forms = ("popularity", "item_knn", "text_knn", "ease", "ease_text", "add_ease")
    assert {model for model, _ in figures} == {"lit_rec", *closed_forms}
    for metric in ("recall@1", "recall@10", "ndcg@10", "mrr@50", "masked_recall@10"):
        assert 0 <= figures["lit_rec", metric] <= 1
    assert figures["lit_rec", "recall@50"] == 1  # there are 40 items
    names = torch.load(folder / "best.ckpt", weights_only=True)["callbacks"]
    found = [re.search(r"'monitor': '(\S+)', 'mode': '(\w+)'", name) for name in names]
    assert [m.groups() for m in found if m] == [("val/masked_ndcg@10", "max")] * 2


def test_evaluation_is_what_a_recommender_says_row_by_row(config, text_run):
    """The report's figures from nothing but the checkpoint's answers, a request at a time."""
    folder, figures, _ = text_run
    rec = Recommender.from_checkpoint(folder / "best.ckpt")
    table = pl.read_csv(config.parent / "events.csv", infer_schema=False)
    table = table.with_columns(pl.col("timestamp").cast(pl.Float64))
    test = table.filter(pl.col("timestamp") > table["timestamp"].sort()[179])
    assert len(test) == 20
    ranks, longest = [], 0
    for row in test.iter_rows(named=True):
        before = table.filter(
            (pl.col("user_id") == row["user_id"])
            & (pl.col("timestamp") < row["timestamp"])
            & (pl.col("event") == "buy")
        )
        history = before.sort("timestamp").select("item_id", "event").rows(named=True)
        longest = max(longest, len(history))  # its newest four are read, all of it was seen
        found = dict(zip(rec.item_ids, rec.score(history, rec.item_ids), strict=True))
        own, seen = found[row["item_id"]], {entry["item_id"] for entry in history}
        if row["event"] == "buy":
            rest = [s for i, s in found.items() if i not in seen or i == row["item_id"]]
            ranks.append([_mean_rank(own, list(found.values())), _mean_rank(own, rest)])
    assert len(ranks) < 20
    assert longest > 4
    for metric, values in rank_gains(np.array(ranks)).items():
        assert figures["lit_rec", metric] == pytest.approx(values.mean(), abs=1e-6), metric


def test_what_vectors_count_is_the_best_on_validation_rows(text_run, tmp_path, capsys):
    """nDCG@10 among unseen items, validated with the chosen share and rarity and with others."""
    folder, _, _ = text_run
    stored = torch.load(folder / "best.ckpt", weights_only=True)
    assert stored["state_dict"]["network.neighbors.recency"] <= 1  # chosen too
    found = {}
    choices_of = (("vector_share", SHARES), ("rarity", RARITIES), ("new_weight", NEW_WEIGHTS))
    choices_of += (("repeat_weight", REPEAT_WEIGHTS),)
    for name, choices in choices_of:
        value = stored["state_dict"][f"network.neighbors.{name}"]
        chosen = float(value)
        assert chosen in torch.tensor(choices).tolist()
        for choice in {chosen, choices[0], choices[-1]}:
            value.fill_(choice)
            torch.save(stored, tmp_path / "other.ckpt")
            capsys.readouterr()
            lit_rec("validate", "--ckpt_path", tmp_path / "other.ckpt")
            shown = re.search(r"val/masked_ndcg@10\W+([\d.]+)", capsys.readouterr().out)
            found[name, choice] = float(shown[1])
        value.fill_(chosen)
        assert found[name, chosen] == max(found.values())
    assert len(set(found.values())) > 1
    # all of a history was seen here, so nothing of it is ranked for what it says of itself
    assert found["repeat_weight", REPEAT_WEIGHTS[0]] == found["repeat_weight", REPEAT_WEIGHTS[-1]]


def _mean_rank(own, scores):
    above = sum(s > own + 1e-6 for s in scores)
    level = sum(abs(s - own) <= 1e-6 for s in scores)
    return above + (level + 1) / 2


def test_predict_writes_the_list_of_every_user(text_run):
    folder, _, frame = text_run
    assert not (folder / "predictions.parquet").exists()
    rec = Recommender.from_checkpoint(folder / "best.ckpt")
    users = torch.load(folder / "best.ckpt", weights_only=True)["lit_rec"]["users"]["user_id"]
    expected = [
        (user, rank, one.item_id, one.score)
        for user in users
        for rank, one in enumerate(rec.recommend(rec.history_of(user), 10, user=user), 1)
    ]
    assert len(expected) > 10 * len(users) // 2
    assert frame.drop("score").rows() == [row[:3] for row in expected]
    np.testing.assert_allclose(frame["score"], [row[3] for row in expected], atol=1e-5)


def test_recommendations(text_run):
    rec = Recommender.from_checkpoint(text_run[0] / "best.ckpt")
    best = rec.recommend(["50", "181"], 5)
    assert len({r.item_id for r in best} - {"50", "181"}) == 5
    assert [r.score for r in best] == sorted((r.score for r in best), reverse=True)
    assert len(rec.recommend(["50", "181", "172", "1", "2", "3"], 3)) == 3
    assert len(rec.recommend([{"title": "red river"}], 3)) == 3
    nobody = [r.score for r in rec.recommend([], 40)]
    assert nobody[0] > nobody[-1] + 0.01, "first rows trained what is said to somebody new"


def test_an_index_is_kept_beside_the_checkpoint(text_run, workplace, run_folder, capsys):
    pytest.importorskip("faiss", reason="faiss, the extra 'index', is not installed")
    words = ("recommend", "--ckpt_path", text_run[0] / "best.ckpt", "--history=50,181", "--json")
    found = []
    for index in ("exact", "approximate", "approximate"):
        capsys.readouterr()
        lit_rec(*words, "--index", index)
        found.append(json.loads(capsys.readouterr().out))
    assert found[0] == found[1] == found[2]
    assert (text_run[0] / "best.index").exists()
    words = ("recommend", "--ckpt_path", run_folder / "best.ckpt", "--user=u1", "--index")
    assert "index: it cannot be used" in message(capsys, *words, "approximate")
    assert "invalid choice: 'none'" in message(capsys, *words, "none")


@pytest.mark.parametrize(
    "words",
    [
        ("--model.network.init_args.item_encoder=IdItemEncoder",),
        ("--model.objective=BPR", "--model.network.init_args.head=InnerProductHead"),
        (
            "--model.objective=ItemSoftmax",
            "--model.objective.init_args.negatives=BatchNegatives",
            "--model.network.init_args.user_encoder=MeanUserEncoder",
        ),
    ],
    ids=["ids", "bpr", "mean"],
)
def test_one_line_makes_another_model(config, words, request):
    folder, figures, _ = run(config, request.node.callspec.id, *words)
    assert figures["text_knn", "ndcg@10"] > 0
    assert len(Recommender.from_checkpoint(folder / "best.ckpt").recommend(["50"], 3)) == 3
    names = torch.load(folder / "best.ckpt", weights_only=True)["state_dict"]
    assert any("backbone" in name for name in names) == (words[0].find("IdItem") < 0)


def test_validation_rows_decide_whether_texts_count(config, monkeypatch):
    """Where held-out rows have only some of the items: what is kept is the better of both on validation rows."""
    monkeypatch.setattr(trial, "_ITEMS", 10)
    judged, fit, judge = [], closed_forms.fit_neighbors, fitted_neighbors._validated

    def fitted(network, part, data, device):
        monkeypatch.setattr(
            fitted_neighbors, "_validated", lambda *a: judged.append(judge(*a)) or judged[-1]
        )
        fit(network, part, data, device)
        row = data.catalogue.vocab_row
        baskets = training_baskets(data, trained_rows(data)).among(row - 1, int(row.max()))
        judged.append(judge(part, baskets, data))

    monkeypatch.setattr(closed_forms, "fit_neighbors", fitted)
    tuning = (
        "--model.network.init_args.item_encoder.init_args.backbone.init_args.tuning=FrozenTuning"
    )
    short = ("--trainer.max_epochs=1", "--trainer.limit_train_batches=1")
    lit_rec("fit", "-c", config, "--trainer.logger.init_args.name=judged", tuning, *short)
    with_texts, without, kept = judged
    assert kept == max(with_texts, without)
    assert with_texts != without


def test_check_tells_of_it(config, capsys):
    capsys.readouterr()
    lit_rec("check", "-c", config)
    assert "5 to 19 times" in capsys.readouterr().out


def test_parts_that_do_not_go_together(config, capsys):
    neighborhood = "--model.network.init_args.head=lit_rec.models.heads.value_heads.DotHead"
    without = [f"--model.network.init_args.{part}=null" for part in ("repeats", "neighbors")]
    assert "ItemSoftmax takes vectors, the network gives scores" in message(
        capsys, "fit", "-c", config, neighborhood, *without
    )
    assert "repeats beside DotHead" in message(capsys, "fit", "-c", config, neighborhood)
    alone = message(capsys, "fit", "-c", config, neighborhood, without[0])
    assert "neighbors beside DotHead" in alone
    by_text = "--model.network.init_args.neighbors.init_args.text_weight=5"
    assert "use FrozenTuning" in message(capsys, "fit", "-c", config, by_text)
    short = "--model.network.init_args.user_encoder.init_args.max_length=3"
    assert "for an encoder that has 3 positions" in message(capsys, "fit", "-c", config, short)
