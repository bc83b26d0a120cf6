"""Lists of runs that were stopped and begun again."""

import copy

import pytest
import torch

from lit_rec.data.history.histories import PastHistory
from lit_rec.inference.lists.parts import ListParts

from .conftest import TOWERS, check, module_of, recommender

pytestmark = pytest.mark.filterwarnings("default")


class StoppedError(Exception):
    """A kill, as the next run sees it."""


@pytest.fixture
def stop_at(monkeypatch):
    """Have a run stop when it has made a block, before it is written; None: never."""
    write = ListParts.write

    def stop(number):
        def writes(parts, block, frame):
            if block == number:
                raise StoppedError
            write(parts, block, frame)

        monkeypatch.setattr(ListParts, "write", writes)

    return stop


def test_a_run_that_was_stopped_goes_on(made, lists, stop_at, tmp_path, caplog, monkeypatch):
    caplog.set_level("INFO")
    data = made("rating")
    module = module_of(data, *TOWERS["rating"][0])
    whole = lists(module, data, k=5)
    result = tmp_path / "recommendations.parquet"
    assert [path.name for path in tmp_path.iterdir()] == [result.name]
    result.write_text("of an older run")
    stop_at(2)
    with pytest.raises(StoppedError):
        lists(module, data, k=5)
    assert result.read_text() == "of an older run"
    stop_at(None)
    blocks, step = [], module._lists_of
    monkeypatch.setattr(module, "_lists_of", lambda b, a: blocks.append(b.number) or step(b, a))
    assert lists(module, data, k=5).equals(whole)
    assert blocks == [2]
    assert "2 of 3 blocks of users were found done" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == [result.name]


def test_a_run_that_was_stopped_while_it_put_blocks_together(made, lists, monkeypatch):
    data = made("rating")
    module = module_of(data, *TOWERS["rating"][0])
    whole = lists(module, data, k=5)

    def stops(parts, count):
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(ListParts, "join", stops)
        with pytest.raises(StoppedError):
            lists(module, data, k=5)
    blocks, step = [], module._lists_of
    monkeypatch.setattr(module, "_lists_of", lambda b, a: blocks.append(b.number) or step(b, a))
    assert lists(module, data, k=5).equals(whole)
    assert blocks == [-1]


def test_what_makes_other_lists_begins_anew(made, lists, stop_at, caplog):
    caplog.set_level("INFO")
    data = made("rating")
    module = module_of(data, *TOWERS["rating"][0])
    longer, larger, other = copy.copy(data), copy.copy(data), copy.copy(data)
    longer.history = PastHistory(7, data.history.where)
    larger.eval_batch_size = 5
    other.tables_key = "of other files"
    for changed, options in (
        (data, {"k": 6}),
        (data, {"k": 5, "exclude_seen": False}),
        (longer, {"k": 5}),
        (larger, {"k": 5}),
        (other, {"k": 5}),
    ):
        stop_at(1)
        with pytest.raises(StoppedError):
            lists(module, data, k=5)
        stop_at(None)
        caplog.clear()
        lists(module, changed, **options)
        assert "0 of " in caplog.text, options
    stop_at(1)
    with pytest.raises(StoppedError):
        lists(module, data, k=5)
    stop_at(None)
    caplog.clear()
    with torch.no_grad():
        module.built().head.scale.mul_(1.5)
    check(lists(module, data, k=5), recommender(module, data), data.prepared.user_ids, 5)
    assert "0 of 3 blocks" in caplog.text
