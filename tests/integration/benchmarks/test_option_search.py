"""tools/benchmark quality search: the best trial beside the configuration, on validation rows and on test rows."""

from lit_rec.evaluation.report.report import Report, ReportRow
from tools.benchmarks.quality import option_search

TRIALS = """\
trial,state,val/accuracy,seconds,validations,model.head_rate,reason
0,complete,0.80,30.0,1,0.1,
1,fail,,5.0,0,0.3,its process was killed by signal 9
2,complete,0.85,25.0,1,0.2,
3,complete,0.85,20.0,1,0.4,
"""


def test_the_best_beside_the_configuration(tmp_path, monkeypatch):
    (tmp_path / "banking77").mkdir()
    (tmp_path / "banking77/train.csv").touch()
    called, tested = [], []

    def call(words):
        called.append(words)
        output = tmp_path / words[-1]
        output.mkdir(parents=True)
        (output / "trials.csv").write_text(TRIALS)
        (output / "best.yaml").touch()

    def report_of(run, folder):
        tested.append(run)
        value = 0.9 - 0.1 * len(tested)
        row = ReportRow("lit_rec", "all", "accuracy", value, value - 0.05, value + 0.05, 100)
        return Report((row,)), 12.0

    monkeypatch.setattr(option_search, "report_of", report_of)
    rows = option_search.measure(tmp_path, tmp_path / "runs", quick=False, call=call)
    (words,) = called
    assert words[0] == "tune"
    assert words[words.index("--trials") + 1] == "20"
    assert [(row["name"], row["metric"], round(row["value"], 6)) for row in rows] == [
        ("search: the configuration", "val/accuracy", 0.8),
        ("search: trial 2, the best of 20", "val/accuracy", 0.85),
        ("search: difference", "val/accuracy", 0.05),
        ("search: the configuration", "accuracy", 0.8),
        ("search: trial 2", "accuracy", 0.7),
    ]
    assert rows[0]["seconds"] == 80.0
    assert rows[3]["low"] < rows[3]["value"] < rows[3]["high"]
    assert [run.config.rpartition("/")[2] for run in tested] == ["banking77_few.yaml", "best.yaml"]
