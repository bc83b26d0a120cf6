"""Sections of docs/results.md: one for each benchmark, with its runs and seconds."""

from tools.benchmarks import written_results


def test_a_section_is_replaced_and_others_stay(tmp_path):
    path = tmp_path / "results.md"
    row = {"name": "a: lit_rec", "metric": "rmse", "value": 0.91234, "low": 0.9, "high": 0.925}
    row |= {"seeds": 3, "seconds": 60.0}
    written_results.write_section(path, "quality b", [row])
    written_results.write_section(path, "quality a", [row | {"low": None}])
    once = path.read_text()
    assert once.index("## quality a") < once.index("## quality b")
    assert "| a: lit_rec | rmse | 0.9123 | - | 0.925 |" in once
    written_results.write_section(path, "quality b", [row | {"value": 0.5}])
    twice = path.read_text()
    assert twice == once.replace("| 0.9123 | 0.9 |", "| 0.5 | 0.9 |")
    assert "`tools/benchmark quality b`: 3 runs, 60 s." in twice


def test_lines_are_runs_whose_seconds_add_up(tmp_path):
    path, rows = tmp_path / "results.md", []
    for name, seconds in (("slow", 100.0), ("quick", 20.0)):
        row = {"name": name, "low": None, "high": None, "seeds": 1, "seconds": seconds}
        rows += [
            row | {"metric": "rmse", "value": 0.9},
            row | {"metric": "seconds", "value": seconds},
        ]
    written_results.write_section(path, "quality lines", rows)
    assert "`tools/benchmark quality lines`: 2 runs, 120 s." in path.read_text()


def test_the_head_counts_the_runs_of_all_ways(tmp_path):
    path, rows = tmp_path / "results.md", []
    for way, draws, seconds in (("plain", 5, 100.0), ("guarded", 3, 90.0)):
        of_way = {"name": way, "low": None, "high": None, "seeds": draws, "seconds": seconds}
        for metric in ("rmse", "rmse - plain", written_results.PROCESSOR_SECONDS):
            rows.append(of_way | {"metric": metric, "value": 0.9})
    rows.append(rows[0] | {"name": "baseline", "seconds": 0.0})
    written_results.write_section(path, "quality ways", rows)
    assert "`tools/benchmark quality ways`: 8 runs, 190 s." in path.read_text()
