"""tools/benchmark quality: runs that go on, figures of several runs, and the page that they are written to."""

import json
import subprocess
from pathlib import Path

import polars as pl
import pytest
from torch.utils.tensorboard import SummaryWriter

from lit_rec.errors import ConfigError
from lit_rec.evaluation.report.report import Report, ReportRow
from tools.benchmarks import command
from tools.benchmarks.quality import configurations, runs
from tools.benchmarks.quality.planted_catalogue import planted_tables

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def data(tmp_path):
    for name in ("amazon-scientific/Scientific.train.inter", "ml-100k/u1.base"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True)
        path.write_text("")
    return tmp_path / "data"


# validation RMSE by epoch of each line
CURVES = {"full": [0.96, 0.92], "top_2_layers": [0.95, 0.94, 0.97], "lora_top_2_layers": [0.96]}
CURVES |= {"bottlenecks_top_2_layers": [0.96], "frozen": [0.98]}
CURVES_OF_GRADIENTS = {"quarter": [0.96, 0.93], "quarter_drawn_together": [0.97]}


def write_curve(folder, values):
    """Log as a run does; the second epoch twice, as one that was broken off in it."""
    logged = [(20 * epoch, value) for epoch, value in enumerate(values, 1)]
    for step, value in [*logged[:1], (40, 9.9), *logged[1:]] if logged[1:] else logged:
        with SummaryWriter(folder) as events:
            events.add_scalar("val/rmse", value, step)


@pytest.fixture
def commands(monkeypatch):
    """What is asked of lit-rec, which leaves behind what the real one would.

    ``broken`` are the numbers of calls that fail.
    """
    asked, broken = [], set()

    def call(command, **options):
        words = command[3:]
        asked.append(words)
        if words[0] == "fit":
            told = [
                words[words.index(f"--trainer.logger.init_args.{n}") + 1]
                for n in ("save_dir", "name")
            ]
            folder = Path(*told) / "version_0"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "last.ckpt").write_text("")
            write_curve(
                folder,
                (CURVES | CURVES_OF_GRADIENTS).get(folder.parent.name.removeprefix("quick_"), []),
            )
        if len(asked) in broken:
            raise subprocess.CalledProcessError(1, command)
        if words[0] == "test":
            folder = Path(words[2]).parent
            seed = int(folder.parent.name[-1]) if folder.parent.name[-1].isdigit() else 0
            rows = [
                ReportRow("lit_rec", "all", "recall@10", 0.1 + seed / 100, 0.09, 0.12, 50),
                ReportRow("lit_rec", "new_items", "recall@10", 0.9, 0.8, 1.0, 5),
                ReportRow("lit_rec", "seen_1_4", "recall@10", 0.3, 0.2, 0.4, 5),
                ReportRow("lit_rec", "all", "rmse", 0.95, 0.94, 0.96, 50),
                ReportRow("user_item_bias", "all", "rmse", 0.97, 0.95, 0.99, 50),
                ReportRow("user_item_bias", "all", "rmse_difference", 0.02, 0.01, 0.03, 50),
                ReportRow("popularity", "all", "recall@10", 0.05, None, None, 50),
                ReportRow("popularity", "all", "ndcg@10_difference", 0.03, 0.02, 0.04, 50),
            ]
            Report(tuple(rows)).write(folder / "report.json")

    monkeypatch.setattr(runs.subprocess, "run", call)
    return asked, broken


def kinds(asked):
    return [
        words[0] + ("+" if "--ckpt_path" in words and words[0] == "fit" else "") for words in asked
    ]


def measure(data, tmp_path, name="scientific", **options):
    return configurations.measure(name, data, tmp_path / "runs", **{"quick": False, **options})


def test_figures_are_means_over_the_runs(commands, data, tmp_path):
    rows = measure(data, tmp_path)
    found = {(row["name"], row["metric"]): row for row in rows}
    ours = found["scientific: lit_rec", "recall@10"]
    assert [ours[key] for key in ("value", "low", "high", "seeds")] == [
        *(pytest.approx(value) for value in (0.11, 0.09, 0.12)),
        3,
    ]
    rare = found["scientific: lit_rec, seen_1_4", "recall@10"]
    assert [rare[key] for key in ("value", "low", "high")] == pytest.approx([0.3, 0.2, 0.4])
    assert not any("new_items" in name for name, _ in found)
    assert found["scientific: popularity", "ndcg@10_difference"]["value"] == pytest.approx(0.03)
    plain = found["scientific: popularity", "recall@10"]
    assert plain["value"] == pytest.approx(0.05)
    assert plain["low"] is None, "no number where a report has none"
    asked, _ = commands
    assert kinds(asked) == ["fit", "test"] * 3
    seeds = [words[words.index("--seed_everything") + 1] for words in asked[::2]]
    assert seeds == ["0", "1", "2"]
    assert all(f"--data.reader.folder={data}/amazon-scientific" in words for words in asked[::2])


def test_draws_of_users_add_up_to_a_narrower_interval(commands, data, tmp_path):
    """Three differences of 0.02, each 0.01 off at most: 0.01 * root of 3, over 3."""
    (data / "ml-100k/u.data").write_text("")
    rows = measure(data, tmp_path, "ml100k-cold-users")
    found = {(row["name"].split(": ")[1], row["metric"]): row for row in rows}
    difference = found["user_item_bias", "rmse_difference"]
    away = 0.01 / 3**0.5
    assert [difference[key] for key in ("low", "value", "high")] == [
        pytest.approx(value) for value in (0.02 - away, 0.02, 0.02 + away)
    ]
    asked, _ = commands
    option = "--data.split.init_args.seed"
    draws = [words[words.index(option) + 1] for words in asked if words[0] == "fit"]
    assert draws == ["1", "2", "3"], "the users of draw 0 are known"


def test_what_is_done_is_not_done_again(commands, data, tmp_path):
    asked, _ = commands
    first = measure(data, tmp_path)
    assert measure(data, tmp_path) == first
    assert len(asked) == 6


def test_a_run_that_was_broken_off_goes_on(commands, data, tmp_path):
    asked, broken = commands
    broken |= {3, 5}  # the second run's training; then its test
    for _ in broken:
        with pytest.raises(subprocess.CalledProcessError):
            measure(data, tmp_path)
    rows = measure(data, tmp_path)
    assert rows[0]["value"] == pytest.approx(0.11)
    assert kinds(asked) == ["fit", "test", "fit", "fit+", "test", "test", "fit", "test"]
    assert asked[3][-1].endswith("runs/scientific/seed_1/version_0/last.ckpt")


def test_another_configuration_or_code_begins_anew(commands, data, tmp_path, monkeypatch):
    asked, _ = commands
    measure(data, tmp_path, "scientific-new-items")
    monkeypatch.setattr(runs, "key_of", lambda run: "another")
    measure(data, tmp_path, "scientific-new-items")
    assert kinds(asked) == ["fit", "test"] * 2


def test_the_code_is_part_of_what_a_run_is_of(tmp_path, monkeypatch):
    (tmp_path / "lit_rec").mkdir()
    (tmp_path / "a.yaml").write_text("x: 1")
    code = tmp_path / "lit_rec/model.py"
    code.write_text("1")
    monkeypatch.setattr(runs, "_ROOT", tmp_path)
    keys = [runs.key_of(runs.Run("a", "a.yaml", words)) for words in ((), ("--b",))]
    code.write_text("2")
    keys.append(runs.key_of(runs.Run("a", "a.yaml")))
    (tmp_path / "a.yaml").write_text("x: 2")
    keys.append(runs.key_of(runs.Run("a", "a.yaml")))
    assert len(set(keys)) == 4
    assert runs.key_of(runs.Run("of another name", "a.yaml")) == keys[-1]


def test_quick_is_one_short_run_apart_from_the_others(commands, data, tmp_path):
    asked, _ = commands
    rows = measure(data, tmp_path, quick=True)
    assert kinds(asked) == ["fit", "test"]
    assert asked[0][asked[0].index("--trainer.limit_train_batches") + 1] == "3"
    assert rows[0]["seeds"] == 1
    measure(data, tmp_path)
    assert kinds(asked) == ["fit", "test"] * 4


def test_lines_are_shown_one_by_one(commands, data, tmp_path):
    rows = measure(data, tmp_path, "ml100k-tuning")
    asked, _ = commands
    assert kinds(asked) == ["fit", "test"] * len(CURVES)
    lines = [set(words) for words in asked[::2]]
    own = set.union(*lines) - set.intersection(*lines)
    kind = "=lit_rec.models.text.tuning."
    assert {word.partition(".tuning")[2] for word in own} - {""} == {
        *(f"{kind}{name}Tuning" for name in ("Full", "TopLayers", "Frozen")),
        *("=LoraTuning", "=BottleneckTuning", ".init_args.layers=2"),
    }
    found: dict[str, dict[str, dict]] = {}
    for row in rows:
        found.setdefault(row["name"].removeprefix("ml100k-tuning: "), {})[row["metric"]] = row
    best = "full, best on validation rows"
    assert list(found) == [best, *list(CURVES)[1:], "user_item_bias"]
    assert found[best]["rmse"]["low"] == 0.94
    for name, curve in ((best, CURVES["full"]), *list(CURVES.items())[1:]):
        epochs = [figures for metric, figures in found[name].items() if "epoch" in metric]
        assert [row["value"] for row in epochs] == pytest.approx(curve)
        assert found[name]["seconds"]["value"] == found[name]["rmse"]["seconds"] > 0
    assert found["user_item_bias"]["rmse_difference"]["value"] == 0.02


def test_gradients_through_a_quarter_are_lines_of_full_tuning(commands, data, tmp_path):
    rows = measure(data, tmp_path, "ml100k-gradients")
    quarter, together = (set(words) for words in commands[0][::2])
    both = quarter & together
    encoder = "--model.network.init_args.item_encoder.init_args."
    assert f"{encoder}gradient_share=0.25" in both
    assert f"{encoder}backbone.init_args.tuning=lit_rec.models.text.tuning.FullTuning" in both
    history = {word for word in together - quarter if "=" in word}
    assert history == {
        "--data.history.init_args.together=true",
        "--data.history.init_args.keep=0.35",
    }
    found: dict[str, list[float]] = {}
    for row in rows:
        if "epoch" in row["metric"]:
            found.setdefault(row["name"], []).append(row["value"])
    best = "ml100k-gradients: quarter, best on validation rows"
    assert list(found) == [best, "ml100k-gradients: quarter_drawn_together"]
    assert found[best] == pytest.approx(CURVES_OF_GRADIENTS["quarter"])


def test_a_quick_look_at_lines_is_one_of_them(commands, data, tmp_path):
    rows = measure(data, tmp_path, "ml100k-tuning", quick=True)
    assert kinds(commands[0]) == ["fit", "test"]
    assert rows[0]["name"] == "ml100k-tuning: quick_full, best on validation rows"


def test_every_name_has_its_configuration(tmp_path, monkeypatch):
    tables = tmp_path / "behaviors.csv", tmp_path / "items.csv"
    monkeypatch.setattr(configurations, "planted_tables", lambda folder: tables)
    for entry in configurations.QUALITY.values():
        found = entry.runs(tmp_path)
        assert len({run.name for run in found}) == len(found) >= 1
        assert all((runs._ROOT / run.config).is_file() for run in found)


def test_planted_tables_are_the_same_each_time(tmp_path):
    paths = [planted_tables(tmp_path / name, users=400, items=900) for name in ("one", "other")]
    behaviors, items = (pl.read_csv(path) for path in paths[0])
    assert [path.read_bytes() for path in paths[0]] == [path.read_bytes() for path in paths[1]]
    assert not behaviors.select("user_id", "item_id").is_duplicated().any()
    assert (behaviors["timestamp"].diff().drop_nulls() > 0).all()
    interest = items["title"].str.split(" ").list.head(2).list.join(" ")
    assert interest.n_unique() <= 300
    of_row = behaviors.with_columns(interest=interest.gather(behaviors["item_id"]))
    taken = of_row.group_by("user_id", "interest").len().group_by("user_id").agg(pl.max("len"))
    shares = (
        taken.sort("user_id")["len"] / behaviors.group_by("user_id").len().sort("user_id")["len"]
    )
    assert 0.4 < shares.mean() < 0.8, "most of what a user takes is of one interest"


def test_rows_of_several_names_are_shown_and_written(commands, data, tmp_path, capsys):
    page, path = tmp_path / "results.md", tmp_path / "rows.json"
    words = ["quality", "scientific", "scientific-ids", "--data", str(data)]
    words += ["--runs", str(tmp_path / "runs"), "--json", str(path), "--results", str(page)]
    command.main(words)
    names = [row["name"] for row in json.loads(path.read_text())]
    assert {name.partition(":")[0] for name in names} == {"scientific", "scientific-ids"}
    assert page.read_text().count("\n## ") == 2
    assert "scientific-ids: popularity" in capsys.readouterr().out
    ids = next(words for words in commands[0] if any("IdItemEncoder" in word for word in words))
    assert ids[0] == "fit"


def test_data_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"holds no banking77/train\.csv"):
        measure(tmp_path, tmp_path, "banking77")
