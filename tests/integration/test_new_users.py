"""Users of whom training saw nothing, from fit to the report: what is shown of them is known and not counted."""

import polars as pl
import pytest

from lit_rec.evaluation.report.report import Report

from .conftest import lit_rec, options

pytestmark = pytest.mark.filterwarnings("default")

SPLIT = [
    "--data.split=lit_rec.data.splits.new_users.NewUserSplit",
    "--data.split.init_args.validation=4",
    "--data.split.init_args.test=5",
    "--data.split.init_args.shown=2",
    "--data.history=lit_rec.data.history.histories.TrainingHistory",
]


@pytest.fixture
def held_out(workplace):
    """Ids of the split's test users, and how many rows each has, by the test's own reading of the file."""
    return dict(
        pl.read_csv(workplace / "my/behaviors.csv", schema_overrides={"user_id": pl.String})
        .group_by("user_id")
        .len()
        .iter_rows()
    )


def test_the_report_is_of_rows_beyond_what_is_shown(workplace, held_out, tmp_path):
    words = [f"--trainer.logger.init_args.save_dir={tmp_path}/runs", "--trainer.max_epochs=1"]
    lit_rec("fit", *options(workplace), *SPLIT, *words)
    run = tmp_path / "runs/own_data/version_0"
    for command in ("test", "predict"):
        lit_rec(command, "--ckpt_path", run / "best.ckpt")
    predictions = pl.read_parquet(run / "predictions.parquet")
    counts = dict(predictions.group_by("user_id").len().iter_rows())
    assert len(counts) == 5
    assert {user: count + 2 for user, count in counts.items()} == {u: held_out[u] for u in counts}
    counted = {row.slice: row.count for row in Report.read(run / "report.json").rows}
    assert counted["all"] == counted["new_users"] == len(predictions)


def test_check_counts_what_is_shown(workplace, held_out, capsys):
    lit_rec("check", *options(workplace), *SPLIT)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    (shown,) = [line for line in lines if line[:1] == ["shown"]]
    assert shown[1:3] == ["18", "9"]
