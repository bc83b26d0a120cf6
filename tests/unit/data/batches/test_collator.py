import numpy as np
import pytest
import torch

from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.collator import BatchRows, RowCollator
from lit_rec.data.history.histories import GivenHistory, PastHistory, TrainingHistory
from lit_rec.data.texts.tokens import TokenStore

TEXTS = [[5], [6, 7], [], [8, 9, 9]]  # of the toy items a to e: 0 1 0 2 3
CODES = np.array([[0], [1], [0], [2], [3]])
VOCAB = np.array([1, 0, 2, 3, 0])


@pytest.fixture
def catalogue():
    flat = np.array([token for text in TEXTS for token in text], np.int32)
    offsets = np.array([0, 1, 3, 3, 6])
    return Catalogue(TokenStore(flat, offsets), CODES, VOCAB)


@pytest.mark.parametrize("with_texts", [True, False])
@pytest.mark.parametrize("seed", [None, (0, 1)])
@pytest.mark.parametrize("rule", [PastHistory(3), TrainingHistory(2), GivenHistory(2)])
def test_batch_equals_a_loop(toy_prepared, catalogue, rule, seed, with_texts):
    data, users = toy_prepared, np.array([2, 0])
    bound = rule.bind(data)
    rows = np.array([6, 0, 3, 3, 5])
    collator = RowCollator(
        data, bound, catalogue, users, np.array(data.rating), with_texts=with_texts
    )
    batch = collator(BatchRows(rows, seed))
    expected = bound.of(rows, np.random.default_rng(seed) if seed else None)
    assert len(batch) == 5
    assert batch.row.tolist() == rows.tolist()
    assert batch.users.vocab_row.tolist() == [users[data.user[row]] for row in rows]
    items = batch.items.catalogue_row.tolist()
    assert len(set(items)) == len(items), "an item stands twice"
    used = {int(data.item[row]) for row in rows} | set(expected.item[expected.mask].tolist())
    assert set(items) == used
    assert batch.items.vocab_row.tolist() == [VOCAB[item] for item in items]
    assert batch.history.mask.tolist() == expected.mask.tolist()
    for b, row in enumerate(rows):
        assert items[batch.candidates.item_index[b, 0]] == data.item[row]
        assert batch.candidates.mask[b].tolist() == [True]
        rating = data.rating[row]
        assert batch.target.mask[b, 0].item() == (not np.isnan(rating))
        assert batch.target.value[b, 0].item() == (0.0 if np.isnan(rating) else rating)
        for h in range(expected.mask.shape[1]):
            slot = [
                part[b, h].item()
                for part in (
                    batch.history.item_index,
                    batch.history.rating,
                    batch.history.event,
                    batch.history.age_days,
                    batch.history.label,
                )
            ]
            source = expected.source[b, h]
            if expected.mask[b, h]:
                assert items[slot[0]] == expected.item[b, h]
            else:
                assert slot[0] == 0
            if source < 0:
                assert np.isnan(slot[1])
                assert np.isnan(slot[3])
                assert slot[2] == slot[4] == 0
            else:
                age = (data.timestamp[row] - data.timestamp[source]) / 86400
                wanted = [data.rating[source], data.event[source] + 1, age, data.label[source] + 1]
                np.testing.assert_allclose(slot[1:], wanted)
    if not with_texts:
        assert len(batch.texts) == 0
        assert batch.items.text_index.shape == (len(items), 0)
        return
    found = [
        batch.texts.tokens[start:stop].tolist()
        for start, stop in zip(batch.texts.offsets, batch.texts.offsets[1:], strict=False)
    ]
    assert len({tuple(text) for text in found}) == len(found), "a text stands twice"
    for item, text in zip(items, batch.items.text_index[:, 0].tolist(), strict=True):
        assert found[text] == TEXTS[CODES[item, 0]]


def test_types(toy_prepared, catalogue):
    bound = PastHistory().bind(toy_prepared)
    collator = RowCollator(
        toy_prepared,
        bound,
        catalogue,
        np.array([1, 2]),
        np.array(toy_prepared.rating),
        with_texts=True,
    )
    batch = collator(BatchRows(toy_prepared.rows_of("test")))
    assert batch.texts.tokens.dtype == torch.int32
    for tensor in (
        batch.texts.offsets,
        batch.items.text_index,
        batch.items.vocab_row,
        batch.users.vocab_row,
        batch.history.item_index,
        batch.history.event,
        batch.candidates.item_index,
        batch.row,
    ):
        assert tensor.dtype == torch.int64
    for tensor in (batch.history.rating, batch.history.age_days, batch.target.value):
        assert tensor.dtype == torch.float32


def test_catalogue_of_two_fields():
    store = TokenStore(np.array([5, 6, 7], np.int32), np.array([0, 1, 2, 3]))
    catalogue = Catalogue(store, np.array([[0, 2], [1, 2], [2, 2]]), np.arange(3))
    assert len(catalogue) == 3
    texts, items = catalogue.take(np.array([2, 0]))
    assert texts.tokens.tolist() == [5, 7]
    assert items.text_index.tolist() == [[1, 1], [0, 1]]
    assert items.catalogue_row.tolist() == [2, 0]
