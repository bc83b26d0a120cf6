"""The form of report.json: what the schema accepts and refuses, and that the page names all of it."""

import copy
import json
from pathlib import Path

import pytest

from lit_rec.evaluation.report.schema import SCHEMA, problems

ROOT = Path(__file__).parents[4]
ROW = {"model": "mean", "slice": "all", "metric": "rmse"}
ROW |= {"value": 1.1, "low": None, "high": 2, "count": 3}
META = {"form": 1, "version": "0.1.0", "task": "rating", "checkpoint": None, "data": "a" * 64}
META |= {"date": "2026-01-01T00:00:00+00:00", "seed": 0, "precision": "32-true", "seconds": 1.5}
META |= {"baseline_seconds": {"mean": 0.1}, "chosen": {"mean": {"shrinkage": 1.0}}}


def test_a_report_has_no_problem():
    assert [*problems(json.loads(json.dumps({"meta": META, "rows": [ROW]})))] == []
    assert [*problems({"meta": {**META, "of_my_task": [1]}, "rows": []})] == []


@pytest.mark.parametrize(
    ("part", "name", "value", "expected"),
    [
        ("meta", "version", None, "report.meta.version is NoneType, not string"),
        ("meta", "seed", True, "report.meta.seed is bool, not integer or null"),
        ("meta", "data", "abc", "report.meta.data has 3 characters, not 64 to 64"),
        ("meta", "seconds", -1, "report.meta.seconds is -1, below 0"),
        (
            "meta",
            "baseline_seconds",
            {"a": "1"},
            "report.meta.baseline_seconds.a is str, not number",
        ),
        ("row", "value", "1.1", "report.rows[0].value is str, not number or null"),
        ("row", "count", 1.5, "report.rows[0].count is float, not integer"),
        ("row", "unit", "stars", "report.rows[0] has 'unit', which is not of a report"),
    ],
)
def test_another_value_is_named(part, name, value, expected):
    content = copy.deepcopy({"meta": META, "rows": [ROW]})
    (content["meta"] if part == "meta" else content["rows"][0])[name] = value
    assert [*problems(content)] == [expected]


@pytest.mark.parametrize("name", SCHEMA["properties"]["meta"]["required"])
def test_an_absent_entry_is_named(name):
    meta = {key: value for key, value in META.items() if key != name}
    assert [*problems({"meta": meta, "rows": []})] == [f"report.meta has no '{name}'"]


def test_the_page_names_every_entry():
    page = (ROOT / "docs/report.md").read_text()
    parts = SCHEMA["properties"]
    for name in (*parts["meta"]["properties"], *parts["rows"]["items"]["properties"]):
        assert f"| `{name}` |" in page
