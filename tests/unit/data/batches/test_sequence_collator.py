"""Batches of sequences and of rows whose next item is predicted, by hand."""

import numpy as np
import pytest
import torch
from transformers import BertTokenizerFast

from lit_rec.data.batches.negatives import BatchNegatives, CatalogueNegatives, UniformNegatives
from lit_rec.data.batches.plan import BatchPlan
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.history.histories import GivenHistory, NoHistory, PastHistory, TrainingHistory
from lit_rec.data.history.rule import Where
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.splits.splits import LeaveLastOutSplit
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import ConfigError, DataError

# u: a b c a | d | e      v: b c | a | b     w: e
BEHAVIORS = """user_id,item_id,event,timestamp
u,a,buy,1
u,b,buy,2
u,c,look,3
u,a,buy,4
u,d,buy,5
u,e,look,6
v,b,buy,1
v,c,buy,2
v,a,buy,3
v,b,buy,4
w,e,look,9
"""


@pytest.fixture
def data_of(tmp_path):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdef"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "encoder")
    (tmp_path / "i.csv").write_text("item_id,title\n" + "".join(f"{i},{i}\n" for i in "abcdef"))

    def make(behaviors=BEHAVIORS, negatives=None, in_sequences=True, **options):
        (tmp_path / "b.csv").write_text(behaviors)
        data = BehaviorDataModule(
            TableReader(f"{tmp_path}/b.csv", f"{tmp_path}/i.csv"),
            str(tmp_path / "encoder"),
            TextTemplate(["title"]),
            LeaveLastOutSplit(),
            task="next_item",
            cache_folder=str(tmp_path / "cache"),
            **options,
        )
        data.follow(BatchPlan(in_sequences=in_sequences, negatives=negatives))
        return data

    return make


def named(batch, places, mask):
    """The items at ``places`` as letters, a string per row."""
    names = np.array([*"abcdef"])[batch.items.catalogue_row.numpy()]
    return ["".join(names[row[real]]) for row, real in zip(places, mask, strict=True)]


def pairs(batch):
    history = named(batch, batch.history.item_index, batch.history.mask)
    target = named(batch, batch.target.value, batch.target.mask)
    return sorted(zip(history, target, strict=True))


def test_training_windows(data_of):
    (batch,) = data_of().train_dataloader()
    assert pairs(batch) == [("", "e"), ("abc", "abca"), ("b", "bc")]
    assert batch.history.mask.shape == (3, 3)
    assert batch.target.value.shape == (3, 4)
    assert torch.isnan(batch.history.age_days).all()
    assert batch.candidates.item_index.shape == (3, 0)
    assert len(set(batch.items.catalogue_row.tolist())) == len(batch.items.catalogue_row) == 4
    assert batch.drawn is None
    (batch,) = data_of(history=PastHistory(2)).train_dataloader()
    assert pairs(batch) == [("", "e"), ("a", "ab"), ("b", "bc"), ("bc", "ca")]
    assert [len(b) for b in data_of(history=PastHistory(3)).train_dataloader()] == [3]


def test_evaluation_rows(data_of):
    data = data_of()
    (val,), (test,) = data.val_dataloader(), data.test_dataloader()
    assert pairs(val) == [("abca", "d"), ("bc", "a")]
    assert pairs(test) == [("abcad", "e"), ("bca", "b")]
    assert val.target.value.tolist() == val.candidates.item_index.tolist()
    assert len(val.texts) == 0


def test_training_rows_where_a_network_gives_a_vector_per_row(data_of):
    (batch,) = data_of(in_sequences=False).train_dataloader()
    assert pairs(batch) == [
        *(("", item) for item in "abe"),
        *(("a", "b"), ("ab", "c"), ("abc", "a"), ("b", "c")),
    ]
    assert batch.target.value.shape == (7, 1)


def test_what_does_not_count_is_neither_seen_nor_asked_about(data_of):
    data = data_of(history=PastHistory(where=Where(events=["buy"])))
    (batch,) = data.train_dataloader()
    assert pairs(batch) == [("ab", "aba"), ("b", "bc")]
    (test,) = data.test_dataloader()
    assert pairs(test) == [("abad", ""), ("bca", "b")]
    assert data.facts.item_ids == ("a", "b", "c")
    assert data.facts.user_ids == ("u", "v")
    np.testing.assert_allclose(np.exp(data.facts.item_log_frequency), [2 / 5, 2 / 5, 1 / 5])


def test_facts_are_of_training_rows(data_of):
    facts = data_of().facts
    assert (facts.task, facts.item_ids, facts.item_bias) == ("next_item", (*"abce",), ())
    np.testing.assert_allclose(np.exp(facts.item_log_frequency), [2 / 7, 2 / 7, 2 / 7, 1 / 7])


def test_drawn_items(data_of):
    for in_sequences in (True, False):
        data = data_of(negatives=CatalogueNegatives(), in_sequences=in_sequences)
        (batch,) = data.train_dataloader()
        assert named(batch, [batch.drawn], [slice(None)]) == ["abce"]
        (val,) = data.val_dataloader()
        assert val.drawn is None
    drawn = [
        [b.drawn.tolist() for b in data_of(negatives=UniformNegatives(2)).train_dataloader()]
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1]
    assert len(drawn[0][0]) == 2
    (batch,) = data_of(negatives=BatchNegatives()).train_dataloader()
    assert batch.drawn is None


@pytest.mark.parametrize("rule", [TrainingHistory(), NoHistory()])
def test_histories_without_order_are_refused(data_of, rule):
    for in_sequences in (True, False):
        data = data_of(history=rule, in_sequences=in_sequences)
        for loader in (data.train_dataloader, data.val_dataloader):
            with pytest.raises(ConfigError, match=f"{type(rule).__name__} has no order"):
                loader()


def test_given_histories_that_are_not_there(data_of):
    with pytest.raises(ConfigError, match="no history column"):
        data_of(history=GivenHistory()).train_dataloader()


def test_nothing_to_train_on(data_of):
    alone = "user_id,item_id,event,timestamp\nu,a,buy,1\nu,b,buy,2\nu,c,buy,3\n"
    with pytest.raises(DataError, match="none of 1 training rows follows another"):
        data_of(alone).train_dataloader()
    with pytest.raises(DataError, match=r"no training row counts by Where\(events=\['look'\]"):
        _ = data_of(
            BEHAVIORS.replace("look", "buy").replace(
                "w,e,buy,9", "w,e,buy,9\nx,a,buy,1\nx,a,buy,2\nx,a,look,3"
            ),
            history=PastHistory(where=Where(events=["look"])),
        ).facts
