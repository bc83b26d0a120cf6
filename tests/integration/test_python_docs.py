"""docs/python.md: its blocks run one after the other, and so do its YAML and its commands."""

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lit_rec.data.targets import registry as targets
from lit_rec.evaluation.report.report import Report
from lit_rec.tasks import registry

from .conftest import ROOT, lit_rec

pytestmark = pytest.mark.filterwarnings("default")

PAGE = (ROOT / "docs/python.md").read_text(encoding="utf-8")
PARTS = "# my_parts.py\n"
# blocks of Python, the YAML, and commands, as they stand on the page
STEPS = re.findall(r"```(\w+)\n(.*?)```|^ {4}lit-rec ([^\n]*)$", PAGE, re.DOTALL | re.M)


@pytest.fixture
def place(workplace, tmp_path, monkeypatch):
    """A folder with the tables and the encoder of the page, whose modules Python finds."""
    (tmp_path / "my").symlink_to(workplace / "my")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/assets").symlink_to(workplace / "checkpoints/assets")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("my_parts", None)
    for known in (registry._TASKS, targets._RULES):
        known.pop("stars", None)


def test_the_page_runs(place, capsys):
    names = {}
    for kind, block, command in STEPS:
        if command:
            lit_rec(*shlex.split(command))
        elif kind == "yaml":
            (place / "my_run.yaml").write_text(block)
        else:
            if block.startswith(PARTS):
                with (place / "my_parts.py").open("a") as file:
                    file.write(block)
            exec(compile(block, "docs/python.md", "exec"), names)
    assert [kind for kind, *_ in STEPS].count("python") > 12
    assert (
        capsys.readouterr().out.count("near 50: [") >= 4
    )  # two epochs from Python, two from the YAML

    for run in (Path(names["best"]).parent, place / "checkpoints/my_run/version_0"):
        assert Report.read(run / "report.json").value("user_item_bias", "rmse") > 0
    assert names["figures"]["test/rmse"] == pytest.approx(names["report"].value("lit_rec", "rmse"))
    (checkpoint,) = [
        state
        for name, state in torch.load(names["path"], weights_only=True)["callbacks"].items()
        if "RunCheckpoint" in name
    ]
    assert checkpoint["monitor"] == "val/near"
    mine = (names["rec"]._module.network.head, names["rec"]._module.objective)
    assert [type(part).__module__ for part in mine] == ["my_parts"] * 2

    # the metric of the page, counted anew from predictions of the same rows by the same weights
    data, trainer = names["data"], names["trainer"]
    data.predict_part = "val"
    logged = float(trainer.callback_metrics["val/within_one"])
    predicted = torch.cat(trainer.predict(names["module"], data)).squeeze(1).numpy()
    rated = data.prepared.rating[data.prepared.rows_of("val")]
    assert logged == pytest.approx((np.abs(predicted - rated) <= 1).mean())
