"""The benchmark of transfer: two halves that share no user and no item, and paired differences."""

import polars as pl
import pytest

from lit_rec.evaluation.report.report import Report, ReportRow
from tools.benchmarks.quality.transfer import rows_of, tables


@pytest.fixture
def source(tmp_path):
    """Forty sequences of sixty items, as the files of Amazon Scientific are."""
    lines = ["user_id:token\titem_id_list:token_seq\titem_id:token"]
    for user in range(40):
        items = [(user * 7 + place * 5) % 60 for place in range(9)]
        lines.append(f"{user}\t{' '.join(map(str, items[:-1]))}\t{items[-1]}")
    (tmp_path / "Scientific.test.inter").write_text("\n".join(lines) + "\n")
    numbers = [f"B{item}\t{item}" for item in range(60)]
    (tmp_path / "Scientific.item2index").write_text("\n".join(numbers) + "\n")
    texts = ["item_id:token\ttext:token_seq", *(f'B{item}\tA "pipe {item}' for item in range(59))]
    (tmp_path / "Scientific.text").write_text("\n".join(texts) + "\n")
    return tmp_path


def test_halves_share_nothing(source, tmp_path):
    options = tables(source, tmp_path / "tables")
    behaviors, items = (
        [pl.read_csv(tmp_path / f"tables/{half}/{name}.csv") for half in ("text", "title")]
        for name in ("behaviors", "items")
    )
    assert [frame.columns for frame in items] == [["item_id", "text"], ["item_id", "title"]]
    assert sum(map(len, items)) == 60
    for column in ("user_id", "item_id"):
        assert not {*behaviors[0][column]} & {*behaviors[1][column]}
    for own, known in zip(behaviors, items, strict=True):
        assert {*own["item_id"]} <= {*known["item_id"]}
    user = behaviors[1].filter(pl.col("user_id") == 3).sort("timestamp")
    whole = [(21 + place * 5) % 60 for place in range(9)]
    assert user["item_id"].to_list() == [i for i in whole if i in {*items[1]["item_id"]}]
    assert options[1][2] == "--data.text.columns=[title]"


def test_differences_are_paired():
    def report(value):
        rows = [
            ReportRow("lit_rec", "all", m, value, None, None, 9) for m in ("ndcg@10", "recall@10")
        ]
        return Report(tuple(rows)), 10.0

    ways = {"from scratch": (0.2, 0.3), "zero-shot": (0.1, 0.1), "continued": (0.25, 0.35)}
    rows = rows_of({way: [report(value) for value in values] for way, values in ways.items()})
    found = {(row["name"], row["metric"]): row for row in rows}
    gain = found["transfer: continued", "ndcg@10 - scratch"]
    assert (gain["value"], gain["seeds"]) == (pytest.approx(0.05), 2)
    assert gain["high"] - gain["low"] == pytest.approx(0, abs=1e-9), "the same of both seeds"
    assert found["transfer: zero-shot", "recall@10 - scratch"]["value"] == pytest.approx(-0.15)
    assert ("transfer: from scratch", "ndcg@10 - scratch") not in found
