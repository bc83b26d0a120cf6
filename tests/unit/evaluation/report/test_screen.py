"""The report on a screen of 80 columns."""

import re

import pytest
from rich.console import Console

from lit_rec.evaluation.report.report import Report, ReportRow

SLICES = ["all", "new_users", "few_shot_users", "new_items", "known_items", "seen_1_4"]
SLICES += ["seen_5_9", "seen_10_19", "seen_20_more"]
MODELS = ["lit_rec", "matrix_factorisation", "item_label_frequency", "clock_blend"]


def screen(rows, width=80):
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(Report(tuple(rows), {}).table())
    return captured.get()


def figures(*metrics, slices=SLICES):
    """Figures in which the last model is the best baseline, but the second on new_items."""
    for name in slices:
        for place, model in enumerate(MODELS):
            value = 0.1234 + 0.01 * (-place if name == "new_items" else place)
            for metric in metrics:
                yield ReportRow(model, name, metric, value, value - 0.01, value + 0.03, 1_008_442)
                if place and metric == metrics[0]:
                    gap = 0.1234 - value
                    yield ReportRow(model, name, f"{metric}_difference", gap, gap, gap + 0.02, 9)


def test_names_are_whole_and_slices_are_rows_in_80_columns():
    shown = screen(figures("masked_ndcg@10", "ndcg@10"))
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in shown
    starts = [line.split()[0] for line in lines if line]
    assert all(starts.count(name) == 1 for name in [*MODELS, *SLICES])


def test_values_have_the_half_width_of_their_interval():
    shown = screen(figures("rmse", slices=["all"]))
    [line] = [line for line in shown.splitlines() if line.startswith("matrix_factorisation")]
    assert line.split() == ["matrix_factorisation", "0.1334", "±0.0200", "-0.0100", "±0.0100"]
    assert "slice" not in shown  # one alone needs no table of slices
    assert re.match(r"RMSE, 1,008,442 test rows", shown)


def test_each_slice_has_its_best_baseline():
    shown = screen(figures("accuracy"))
    best = {line.split()[0]: line.split()[-1] for line in shown.splitlines()[-len(SLICES) :]}
    # the difference is the first model's lead, so that of the best baseline is smallest
    assert best == {
        name: "matrix_factorisation" if name == "new_items" else "clock_blend" for name in SLICES
    }


def test_the_headline_of_the_next_item_is_what_recommend_uses():
    shown = screen(figures("masked_ndcg@10", "ndcg@10"))
    heading = shown[: shown.index("lit_rec  ")]
    assert heading.index("seen items left out") < heading.index("all items")
    assert "as `recommend` does" in heading


@pytest.mark.parametrize("width", [40, 200])
def test_narrow_and_wide_screens(width):
    shown = screen(figures("rmse"), width)
    assert "…" not in shown
    whole = "".join(shown.split())
    assert width == 40 or "matrix_factorisation" in whole


def test_missing_figures_are_dashes():
    rows = [ReportRow("lit_rec", "all", "own", 1.0, None, None, 3)]
    rows.append(ReportRow("lit_rec", "new_users", "own", None, None, None, 0))
    shown = screen(rows)
    assert "own, 3 test rows\n" in shown
    assert [line.split() for line in shown.splitlines()[-2:]] == [
        ["all", "3", "1.0000"],
        ["new_users", "0", "-"],
    ]
    assert "±" not in shown
    assert screen([]) == "the report is empty\n"
