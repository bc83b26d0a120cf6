"""The report on the screen."""

from rich.console import Console

from lit_rec.evaluation.report.report import Report, ReportRow


def test_names_of_many_slices_are_whole_in_80_columns():
    names = ["all", "new_users", "few_shot_users", "new_items", "known_items", "seen_1_4"]
    names += ["seen_5_9", "seen_10_19", "seen_20_more"]
    rows = tuple(
        ReportRow("lit_rec", name, metric, 0.1234, 0.1111, 0.1357, 8442)
        for name in names
        for metric in ("masked_ndcg@10", "ndcg@10")
    )
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(Report(rows, {}).table())
    shown = captured.get()
    assert all(f" {name} " in shown for name in names)
    assert "…" not in shown
