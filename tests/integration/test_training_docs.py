"""The YAML of training.md, augmentation.md and encoders.md is accepted on top of a shipped configuration."""

import re

import pytest

from lit_rec.cli.rec_cli import RecCLI

from .conftest import ROOT, lit_rec

pytestmark = pytest.mark.filterwarnings("default")

BLOCKS = [
    block
    for page in ("training", "augmentation", "encoders")
    for block in re.findall(r"```yaml\n(.*?)```", (ROOT / f"docs/{page}.md").read_text(), re.DOTALL)
]


class ParsedError(Exception):
    pass


def test_there_is_something_to_parse():
    assert len(BLOCKS) > 8


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_block_is_accepted(block, tmp_path, monkeypatch):
    def stop(cli):
        raise ParsedError

    monkeypatch.setattr(RecCLI, "before_instantiate_classes", stop)
    path = tmp_path / "block.yaml"
    path.write_text(block)
    with pytest.raises(ParsedError):
        lit_rec("fit", "-c", ROOT / "configs/own_data.yaml", "-c", path)
