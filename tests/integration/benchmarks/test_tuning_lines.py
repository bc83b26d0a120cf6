"""Lines of one configuration: which is the best, and what is shown of each."""

from lit_rec.evaluation.report.report import Report, ReportRow
from tools.benchmarks.quality import configurations, runs


def test_lines_of_ranking_are_compared_by_the_highest_value_and_show_their_slices():
    kept = configurations.QUALITY["scientific-tuning"]
    named = [runs.Run(name, "a.yaml") for name in ("one", "other")]
    rows = [
        ReportRow("lit_rec", "new_items", "ndcg@10", 0.2, 0.1, 0.3, 50),
        ReportRow("lit_rec", "known_items", "ndcg@10", 0.4, 0.3, 0.5, 50),
        ReportRow("lit_rec", "all", "ndcg@10", 0.3, 0.2, 0.4, 50),
    ]
    found = [(Report(tuple(rows)), 1.0)] * 2
    shown = configurations._lines("x", kept, named, found, [[0.1, 0.2], [0.3, 0.0]])
    best = "x: other, best on validation rows"
    values = {row["name"]: row["value"] for row in shown if row["metric"] == "ndcg@10"}
    assert values == {
        **{f"{line}, new_items": 0.2 for line in ("x: one", best)},
        **{f"{line}, known_items": 0.4 for line in ("x: one", best)},
    }
