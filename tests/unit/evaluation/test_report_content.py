import json
import os

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import mean_absolute_error as mae
from sklearn.metrics import root_mean_squared_error as rmse

from lit_rec.errors import ConfigError, DataError
from lit_rec.evaluation.metrics.ratings import RatingMeasures
from lit_rec.evaluation.report.intervals import Drawn, bootstrap_means
from lit_rec.evaluation.report.report import Report, ReportRow, build_report


def rating_report(predictions, target, user, item, slices, **options):
    measures = [RatingMeasures(list(predictions.values()), target)]
    return build_report(list(predictions), measures, slices, user, item, **options)


@pytest.fixture
def report():
    chance = np.random.default_rng(0)
    target = chance.integers(1, 6, 30).astype(float)
    near, far = target + chance.normal(0, 0.5, 30), target + chance.normal(0, 1.5, 30)
    slices = {
        "all": np.ones(30, bool),
        "new_users": np.zeros(30, bool),
        "new_items": np.arange(30) < 12,
    }
    user, item = np.arange(30) % 6, np.arange(30) % 5
    made = rating_report(
        {"lit_rec": near, "mean": far}, target, user, item, slices, meta={"data": "toy"}
    )
    return made, {"lit_rec": near, "mean": far}, target, user, item, slices


def row_of(report, model, metric, slice):
    return next(r for r in report.rows if (r.model, r.metric, r.slice) == (model, metric, slice))


def test_values_are_the_metrics_of_each_slice(report):
    made, predictions, target, _, _, slices = report
    for name in ("all", "new_items"):
        mask = slices[name]
        for model, prediction in predictions.items():
            part = prediction[mask], target[mask]
            assert made.value(model, "rmse", name) == pytest.approx(rmse(*part))
            assert made.value(model, "mae", name) == pytest.approx(mae(*part))
            assert row_of(made, model, "rmse", name).count == mask.sum()


def test_difference_is_the_baseline_minus_the_model_in_pairs(report):
    made, predictions, target, user, _, _ = report
    row = row_of(made, "mean", "rmse_difference", "all")
    assert row.value == pytest.approx(made.value("mean") - made.value("lit_rec"))
    errors = np.stack([(p - target) ** 2 for p in predictions.values()])
    draws = np.sqrt(bootstrap_means(errors, Drawn(user)))
    assert (row.low, row.high) == pytest.approx(
        tuple(np.quantile(draws[1] - draws[0], [0.025, 0.975]))
    )
    assert row.low <= row.value <= row.high


def test_new_items_are_drawn_as_well_as_users(report):
    made, predictions, target, user, item, slices = report
    mask = slices["new_items"]
    errors = ((predictions["lit_rec"] - target) ** 2)[mask][None]
    draws = np.sqrt(bootstrap_means(errors, Drawn(user[mask], item[mask])))[0]
    row = row_of(made, "lit_rec", "rmse", "new_items")
    assert (row.low, row.high) == pytest.approx(tuple(np.nanquantile(draws, [0.025, 0.975])))


def test_empty_slice_has_count_zero_and_null(report, tmp_path):
    made = report[0]
    made.write(tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text())
    empty = [row for row in content["rows"] if row["slice"] == "new_users"]
    assert [(row["model"], row["metric"]) for row in empty] == [
        ("lit_rec", "rmse"),
        ("lit_rec", "mae"),
        ("mean", "rmse"),
        ("mean", "mae"),
        ("mean", "rmse_difference"),
    ]
    for row in empty:
        assert row["count"] == 0
        assert row["value"] is row["low"] is row["high"] is None


@pytest.mark.parametrize(
    ("user", "item", "slice", "known"),
    [
        ([4, 4, 4], [1, 2, 3], "all", False),
        ([4, 4, 5], [1, 1, 1], "all", True),
        ([4, 4, 4], [1, 2, 3], "new_items", False),
        ([4, 5, 6], [1, 1, 1], "new_items", False),
        ([4, 4, 5], [1, 2, 2], "new_items", True),
    ],
)
def test_single_user_or_drawn_item_leaves_no_interval(tmp_path, user, item, slice, known):
    """A draw of one user is that user: an interval without width would say that nothing is left to chance."""
    target = np.array([1.0, 2.0, 4.0])
    made = rating_report(
        {"lit_rec": target + np.arange(3), "mean": target + 1},
        target,
        np.array(user),
        np.array(item),
        {slice: np.ones(3, bool)},
    )
    made.write(tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text())["rows"]
    assert [(row["model"], row["metric"]) for row in content] == [
        ("lit_rec", "rmse"),
        ("lit_rec", "mae"),
        ("mean", "rmse"),
        ("mean", "mae"),
        ("mean", "rmse_difference"),
    ]
    root = np.sqrt(5 / 3)
    assert [row["value"] for row in content] == pytest.approx([root, 1, 1, 1, 1 - root])
    for row in content:
        assert (row["low"] is not None) == (row["high"] is not None) == known
        assert row["count"] == 3
    assert Report.read(tmp_path / "report.json") == made
    assert ("±" in str(made)) == known


def test_written_report_reads_the_same(report, tmp_path):
    path = tmp_path / "new" / "report.json"
    report[0].write(path)
    assert Report.read(path) == report[0]
    assert os.listdir(path.parent) == ["report.json"]


def test_reports_of_one_seed_are_equal(report):
    made, predictions, target, user, item, slices = report
    assert rating_report(predictions, target, user, item, slices).rows == made.rows
    assert rating_report(predictions, target, user, item, slices, seed=1).rows != made.rows


def test_table_shows_models_slices_and_a_dash_where_nothing_is(report):
    console = Console(width=200, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(report[0].table())
    console.file.close()
    shown = console.export_text()
    assert f"{report[0].value('lit_rec'):.4f} ±" in shown
    cells = [line.split() for line in shown.splitlines()]
    assert [*cells[0][1:]] == ["30", "test", "rows"]
    assert ["new_users", "0", "-"] in cells
    assert [line[1] for line in cells if line[:1] == ["new_items"]] == ["12"]


def test_report_as_text_is_its_table(report):
    shown = str(report[0])
    assert f"{report[0].value('lit_rec'):.4f} ±" in shown
    assert "new_items" in shown
    assert "\x1b" not in shown  # no colours: it may go into a log


def test_unwritable_folder_is_named(report, tmp_path, monkeypatch):
    """Refused by hand: a superuser, as in a container, may write into any folder."""
    path = tmp_path / "closed" / "report.json"

    def refuse(folder, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "mkdir", refuse)
    with pytest.raises(ConfigError, match=r"cannot be written \(Permission denied\)") as caught:
        report[0].write(path)
    assert caught.value.where == str(path)


def test_path_that_is_a_folder_is_named(report, tmp_path):
    with pytest.raises(ConfigError, match="this is a folder") as caught:
        report[0].write(tmp_path)
    assert caught.value.where == str(tmp_path)
    assert os.listdir(tmp_path) == []


def test_failing_write_leaves_the_old_file_whole(report, tmp_path):
    path = tmp_path / "report.json"
    report[0].write(path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        Report(report[0].rows, {"not": {"a", "plain", "value"}}).write(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["report.json"]


def test_full_disk_leaves_the_old_file_whole(report, tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    report[0].write(path)
    before = path.read_bytes()

    def half(work, text):
        work.write_bytes(text[:10].encode())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "write_text", half)
    with pytest.raises(ConfigError, match="No space left on device"):
        report[0].write(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["report.json"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (None, "FileNotFoundError"),
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"rows": []}', "KeyError"),
        ('{"rows": [{"model": "a"}], "meta": {}}', "TypeError"),
    ],
)
def test_what_is_no_report_is_named(tmp_path, content, kind):
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=kind) as caught:
        Report.read(path)
    assert caught.value.where == str(path)


def test_figure_that_the_report_lacks_is_named(report):
    with pytest.raises(KeyError, match="no_such_model"):
        report[0].value("no_such_model")


def test_prediction_that_is_no_number_is_written_as_null(tmp_path):
    """JSON knows no NaN: other readers would refuse the whole file."""
    rows = (ReportRow("a", "all", "rmse", float("nan"), float("nan"), 1.0, 3),)
    Report(rows).write(tmp_path / "report.json")

    def refuse(name):
        raise AssertionError(name)

    content = json.loads((tmp_path / "report.json").read_text(), parse_constant=refuse)
    assert (content["rows"][0]["value"], content["rows"][0]["high"]) == (None, 1.0)
