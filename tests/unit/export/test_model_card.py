"""The parts of a model card: figures of a report, the text's template, the encoder's name."""

import os

import pytest

from lit_rec.evaluation.report.report import Report, ReportRow
from lit_rec.export.encoder import _hub_name
from lit_rec.export.model_card import figures_section
from lit_rec.export.template_text import template_section, written_template


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "best.ckpt"
    path.write_bytes(b"")
    os.utime(path, (1000, 1000))
    return path


def write_report(checkpoint, time):
    rows = [
        ReportRow("lit_rec", "all", "rmse", 0.91, 0.89, 0.93, 1200),
        ReportRow("lit_rec", "all", "mae", 0.7, None, None, 1200),
        ReportRow("mean", "all", "rmse", 1.12, 1.1, 1.14, 1200),
        ReportRow("lit_rec", "new_users", "rmse", None, None, None, 0),
        ReportRow("mean", "new_users", "rmse", None, None, None, 0),
    ]
    path = checkpoint.parent / "report.json"
    Report(tuple(rows)).write(path)
    os.utime(path, (time, time))


def test_figures_of_the_report(checkpoint):
    write_report(checkpoint, 2000)
    lines = figures_section(checkpoint).splitlines()
    assert "| model | all (1,200) | new_users (0) |" in lines
    assert "| lit_rec | 0.9100 [0.8900, 0.9300] | - |" in lines
    assert "| mean | 1.1200 [1.1000, 1.1400] | - |" in lines
    assert "| mae | 0.7000 |" in lines


def test_without_a_report_of_this_checkpoint_the_command_is_there(checkpoint):
    asked = "lit-rec test --ckpt_path best.ckpt"
    assert asked in figures_section(checkpoint)
    write_report(checkpoint, 500)  # of an earlier file of this name
    assert asked in figures_section(checkpoint)
    assert "0.91" not in figures_section(checkpoint)
    (checkpoint.parent / "report.json").write_text("{}")
    assert asked in figures_section(checkpoint)


def test_several_texts_of_an_item():
    columns = {"name": ["title", "year"], "about": ["plot"]}
    template = {"columns": columns, "labels": {"year": "from "}, "separator": " | "}
    assert written_template(template) == {"name": "<title> | from <year>", "about": "<plot>"}
    section = template_section(template, 30)
    assert "name: <title> | from <year>\nabout: <plot>" in section
    assert "Each item is 2 texts" in section
    assert "more than 30 tokens" in section


def test_the_prefix_of_texts_is_named():
    template = {
        "columns": {"text": ["title"]},
        "labels": {},
        "separator": ". ",
        "prefix": "query: ",
    }
    assert written_template(template) == {"text": "query: <title>"}
    section = template_section(template, 30)
    assert "\nquery: <title>\n" in section
    assert "The prefix `'query: '` stands before every text; an empty text has none." in section


def test_only_a_name_that_is_surely_of_the_hub_is_the_base_model(tmp_path, monkeypatch):
    def config(name):
        backbone = {"class_path": "PretrainedBackbone", "init_args": {"name": name}}
        return {"model": {"network": {"init_args": {"item_encoder": {"backbone": backbone}}}}}

    cached = {"owner/encoder": str(tmp_path / "config.json")}
    monkeypatch.setattr(
        "lit_rec.export.encoder.try_to_load_from_cache", lambda name, file: cached.get(name)
    )
    monkeypatch.chdir(tmp_path)
    assert _hub_name(config("owner/encoder")) == "owner/encoder"
    assert _hub_name(config("my/encoder")) is None
    assert _hub_name(config("/home/me/encoder")) is None
    assert _hub_name(None) is None
    (tmp_path / "owner/encoder").mkdir(parents=True)  # that is what the run would have read
    assert _hub_name(config("owner/encoder")) is None
