"""What is known is not encoded again: by counting what is encoded, on disk and from a checkpoint."""

import os
import re
import shutil
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.item_inputs import input_hashes
from lit_rec.data.texts.tokens import TokenStore
from lit_rec.vectors import cached_table
from lit_rec.vectors.cached_table import CachedTables
from lit_rec.vectors.fingerprint import fingerprint_of
from lit_rec.vectors.store import CheckpointVectors, KnownVectors

CPU = torch.device("cpu")
TEXTS = [[3, 4], [5], [], [6, 7, 8], [9, 1], [2], [2, 2]]


class WordSums(nn.Module):
    """An item's vector: the sum of its tokens' weights, and its row among the ids; without a text encoder."""

    backbone = None

    def __init__(self, size=10):
        super().__init__()
        self.words = nn.Parameter(torch.arange(2.0 * size).view(size, 2))
        self.scale = 1.0

    def encode(self, catalogue, rows):
        texts, items = catalogue.take(rows)
        ends = texts.offsets.tolist()
        pieces = [texts.tokens[a:b].long() for a, b in pairwise(ends)]
        sums = torch.stack([self.words[piece].sum(0) for piece in pieces])
        return (sums[items.text_index[:, 0]] + items.vocab_row.unsqueeze(1)).detach()


def catalogue_of(texts, unseen=0):
    offsets = np.cumsum([0, *map(len, texts)])
    store = TokenStore(np.array([t for text in texts for t in text], np.int32), offsets)
    return Catalogue(store, np.arange(len(texts))[:, None], np.arange(len(texts)) + unseen)


@pytest.fixture
def messages(monkeypatch):
    lines = []
    monkeypatch.setattr(cached_table, "rank_zero_info", lines.append)
    return lines


@pytest.fixture
def count(tmp_path, messages):
    """Make a table and return how many items were encoded for it; it is always that of encoding everything."""

    def made(catalogue, network=None, checkpoint=None, folder=tmp_path / "vectors", together=True):
        network = network or WordSums()
        encoded = []

        def encode(rows):
            encoded.extend(rows.tolist())
            return network.encode(catalogue, rows)

        tables = CachedTables(network, CPU, folder, checkpoint)
        table = (tables.table_of_all if together else tables.table)(catalogue, encode)
        assert torch.equal(table, network.encode(catalogue, np.arange(len(catalogue))))
        assert len(set(encoded)) == len(encoded)
        found = f"{len(catalogue)} items, {len(catalogue) - len(encoded)} found"
        assert messages[-1] == f"item vectors: {found}, {len(encoded)} encoded"
        return len(encoded)

    return made


def test_nothing_is_encoded_twice(count):
    assert [count(catalogue_of(TEXTS)) for _ in range(2)] == [7, 0]
    assert count(catalogue_of(TEXTS), together=False) == 0


def test_what_is_new_is_encoded(count):
    grown = catalogue_of([[1, 1], *TEXTS, [4], [6, 6]], unseen=-1)
    assert [count(c) for c in (catalogue_of(TEXTS), grown, grown)] == [7, 3, 0]
    assert count(catalogue_of(TEXTS)) == 0, "the smaller one is still there"


def test_a_changed_text_is_encoded(count):
    changed = catalogue_of([*TEXTS[:3], [6, 7, 9], *TEXTS[4:]])
    assert [count(c) for c in (catalogue_of(TEXTS), changed)] == [7, 1]


def test_another_order_is_put_together(count):
    one = catalogue_of(TEXTS)
    order = np.array([3, 0, 6])
    some = replace(one, text_of_item=one.text_of_item[order], vocab_row=one.vocab_row[order])
    assert [count(c) for c in (one, some)] == [7, 0]


def test_other_weights_options_or_profiles_encode_all(count, tmp_path):
    one, catalogue = WordSums(), catalogue_of(TEXTS)
    assert count(catalogue, one) == 7
    with torch.no_grad():
        one.words[9, 1] += 1e-6  # of a token that only one item has
    assert count(catalogue, one) == 7
    other = WordSums()
    other.scale = 2.0
    assert count(catalogue, other) == 7
    tables = CachedTables(WordSums(), CPU, tmp_path / "vectors")
    profiles = tables.table_of_all(catalogue, lambda rows: torch.ones(len(rows), 1), profiles=True)
    assert profiles.tolist() == [[1.0]] * 7


def test_code_that_changes_encodes_all(count, tmp_path, monkeypatch):
    """A network's own code is part of what encodes: whoever changes it sees what it does."""
    monkeypatch.syspath_prepend(tmp_path)
    encoded = []
    for text in ("", "# changed\n"):
        (tmp_path / "own_words.py").write_text(
            f"{text}from {__name__} import WordSums\nclass Own(WordSums): ...\n"
        )
        monkeypatch.delitem(sys.modules, "own_words", raising=False)
        monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
        encoded.append(count(catalogue_of(TEXTS), __import__("own_words").Own()))
    assert encoded == [7, 7]


@pytest.mark.parametrize("harm", ["cut", "changed", "absent", "no manifest"])
def test_a_damaged_table_is_made_anew(count, tmp_path, harm):
    assert count(catalogue_of(TEXTS)) == 7
    [path] = (tmp_path / "vectors").glob("*/vectors.npy")
    content = path.read_bytes()
    if harm == "cut":
        path.write_bytes(content[:-4])
    elif harm == "changed":
        path.write_bytes(content[:-4] + b"\0\0\0@")
    elif harm == "absent":
        path.unlink()
    else:
        path.with_name("manifest.json").write_text("{")
    assert [count(catalogue_of(TEXTS)) for _ in range(2)] == [7, 0]
    assert path.read_bytes() == content


def test_vectors_of_a_checkpoint(count, tmp_path):
    """They serve where they are of these weights, and nothing is written where they are all there is."""
    network, catalogue = WordSums(), catalogue_of(TEXTS)
    known = KnownVectors(input_hashes(catalogue), network.encode(catalogue, np.arange(7)))
    stored = CheckpointVectors(fingerprint_of(network, network.state_dict()), known)
    assert count(catalogue, network, stored) == 0
    assert not (tmp_path / "vectors").exists()
    assert count(catalogue_of([*TEXTS, [1]]), network, stored) == 1
    assert count(catalogue_of([*TEXTS, [1]]), network) == 0
    assert count(catalogue, WordSums(11), stored) == 7


def test_tables_on_disk_are_mapped_and_bounded(count, tmp_path):
    catalogue = catalogue_of(TEXTS)
    for size in range(10, 22):
        count(catalogue, WordSums(size))
        count(catalogue, WordSums(10))
    folder = tmp_path / "vectors"
    (folder / f".{'0' * 32}-{'1' * 16}.part").mkdir()  # of a command that was killed
    foreign = ["mine", f"{'0' * 32}-{'2' * 16}"]  # the second one only looks like a table
    for name in foreign:
        (folder / name).mkdir()
        (folder / name / "notes.txt").touch()
        os.utime(folder / name, (1, 1))
    count(catalogue, WordSums(22))
    count(catalogue, WordSums(10))
    names = {path.name for path in folder.iterdir()}
    assert names > set(foreign)
    assert not any(name.startswith(".") for name in names), names
    assert len(names) == 8 + len(foreign)
    for name in foreign:
        shutil.rmtree(folder / name)
    assert count(catalogue, WordSums(10)) == 0, "what is used stays"
    assert count(catalogue, WordSums(22)) == 0
    tables = CachedTables(WordSums(22), CPU, folder)
    table = tables.table(catalogue, None)
    (size,) = {path.stat().st_size for path in folder.glob("*/vectors.npy")}
    table.zero_()  # what is done to it stays here
    assert count(catalogue, WordSums(22)) == 0
    shutil.rmtree(folder)
    assert table.sum() == 0
    assert size > 7 * 2 * 4


def test_a_folder_that_cannot_be_written_stops_nothing(count, tmp_path):
    (tmp_path / "vectors").write_text("no folder")
    with pytest.warns(UserWarning, match=re.escape(f"{tmp_path}/vectors cannot be written")):
        assert count(catalogue_of(TEXTS)) == 7
    assert count(catalogue_of(TEXTS), folder=None) == 7
