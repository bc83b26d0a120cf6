"""The table of a catalogue's vectors, by a network of sums, and the bar of its making."""

import contextlib
import io

import lightning
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import RichProgressBar, TQDMProgressBar
from rich.console import Console
from rich.progress import Progress
from torch import nn

from lit_rec import processes as of_run
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.texts.tokens import SpecialTokens, TokenStore
from lit_rec.models.text.passes import texts_passed
from lit_rec.vectors import encode as module
from lit_rec.vectors.encode import TableEncoder, item_table

CPU = torch.device("cpu")
TEXTS = [[3, 4], [5], [], [6, 7, 8], [9, 1], [2]]
TEXT_OF_ITEM = [[0, 1], [1, 1], [2, 0], [3, 4], [4, 5], [5, 0], [0, 0]]


class SumOfTokens(nn.Module):
    """Each token's vector is its number, while nobody trains."""

    def forward(self, chunk):
        assert not self.training
        assert not torch.is_grad_enabled()
        return (chunk.input_ids * chunk.mask).float().unsqueeze(2)  # [P', T, 1]


class SumOfTexts(nn.Module):
    """An item's vector: the sums of the tokens of its texts, ``[N, F]``."""

    def __init__(self):
        super().__init__()
        self.backbone = SumOfTokens()

    def encode_profiles(self, texts, users):
        return -self.encode_items(texts, users)

    def encode_items(self, texts, items):
        sums = torch.zeros(len(texts))
        for chunk in texts.chunks(4, SpecialTokens((), (), 0)):
            sums[chunk.text_index] = self.backbone(chunk).sum((1, 2))
            texts_passed(len(chunk.text_index))
        return sums[items.text_index]


@pytest.fixture
def catalogue():
    lengths = [len(text) for text in TEXTS]
    store = TokenStore(
        np.array([token for text in TEXTS for token in text], np.int32),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )
    return Catalogue(store, np.array(TEXT_OF_ITEM), np.zeros(len(TEXT_OF_ITEM), np.int64))


@pytest.fixture
def bars(monkeypatch):
    """What bars were asked for, and how they moved."""
    asked = []

    @contextlib.contextmanager
    def record(what, total, **more):
        asked.append((total, more, done := []))
        yield done.append

    monkeypatch.setattr(module, "slow_bar", record)
    return asked


@pytest.mark.parametrize("block", [1, 3, 100])
@pytest.mark.parametrize("training", [True, False])
def test_the_table_is_that_of_a_loop(catalogue, bars, monkeypatch, block, training):
    monkeypatch.setattr(module, "_ITEMS_AT_ONCE", block)
    network = SumOfTexts().train(training)
    table = item_table(network, catalogue, CPU, None)
    assert table.tolist() == [[sum(TEXTS[text]) for text in texts] for texts in TEXT_OF_ITEM]
    assert network.training == training
    assert not network.backbone._forward_hooks, "nothing stays behind"
    ((total, _, done),) = bars
    assert total == done[-1] == len(TEXT_OF_ITEM)
    assert done == sorted(done)


def test_the_bar_moves_while_a_block_is_encoded(catalogue, bars):
    item_table(SumOfTexts(), catalogue, CPU, None)
    # texts by their length, four tokens at once and no padding: ""; two of 1; two of 2; one of 3
    assert bars[0][2] == [7 * 1 // 6, 7 * 3 // 6, 7 * 5 // 6, 7, 7]


def test_some_rows_and_profiles(catalogue, bars, monkeypatch):
    monkeypatch.setattr(module, "_ITEMS_AT_ONCE", 2)
    rows = np.array([5, 0, 3])
    wanted = [[float(sum(TEXTS[text])) for text in TEXT_OF_ITEM[row]] for row in rows]
    assert item_table(SumOfTexts(), catalogue, CPU, None, rows).tolist() == wanted
    profiles = TableEncoder(SumOfTexts(), catalogue, CPU, None, profiles=True)
    assert (-profiles.encode_together(rows)).tolist() == wanted


@pytest.mark.parametrize("processes", [1, 2, 3, 9])
def test_processes_divide_the_rows_and_call_equally_often(catalogue, bars, monkeypatch, processes):
    """The parts of all processes, computed one after the other, and put together as gathering would."""
    monkeypatch.setattr(module, "_ITEMS_AT_ONCE", 2)
    blocks = []
    take = Catalogue.take
    monkeypatch.setattr(
        Catalogue, "take", lambda self, rows: blocks[-1].append(len(rows)) or take(self, rows)
    )
    parts = []
    monkeypatch.setattr(of_run, "gather_from_all", lambda part: parts.append(part) or part[None])
    for process in range(processes):
        monkeypatch.setattr(of_run, "_process", lambda at=process: (at, processes))
        blocks.append([])
        table_of = TableEncoder(SumOfTexts(), catalogue, CPU, None)
        table_of.encode_together(np.arange(len(catalogue)))
    assert sum(map(sum, blocks)) == len(catalogue), "each item once"
    assert max(map(sum, blocks)) - min(map(sum, blocks)) <= 1
    assert len({len(calls) for calls in blocks}) == 1
    monkeypatch.setattr(of_run, "gather_from_all", lambda part: torch.stack(parts))
    whole = of_run.brought_together(parts[-1], len(catalogue))
    assert torch.equal(whole, item_table(SumOfTexts(), catalogue, CPU, None))


def trainer_of(tmp_path, **more):
    quiet = {"logger": False, "enable_checkpointing": False, "enable_model_summary": False}
    return lightning.Trainer(accelerator="cpu", default_root_dir=tmp_path, **quiet, **more)


@pytest.mark.filterwarnings("default")
def test_there_is_a_bar_where_the_trainer_has_bars(tmp_path):
    display = module.display
    assert display(None) == (None, True)
    assert display(trainer_of(tmp_path, enable_progress_bar=False)) == (None, False)
    assert display(trainer_of(tmp_path, callbacks=[TQDMProgressBar()])) == (None, False)
    rich = RichProgressBar()
    trainer = trainer_of(tmp_path, callbacks=[rich])
    assert display(trainer) == (None, True)
    rich.progress = Progress(console=Console(file=io.StringIO()), auto_refresh=False)
    with rich.progress:
        assert display(trainer) == (rich.progress, True)
    assert display(trainer) == (None, True)
    rich.disable()  # as on other processes than the first
    assert display(trainer) == (None, False)
