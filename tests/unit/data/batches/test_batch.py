import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_rec.data.batches.batch import HistorySlots, Texts, Users
from lit_rec.data.texts.tokens import SpecialTokens


@settings(max_examples=50, deadline=None)
@given(
    texts=st.lists(st.lists(st.integers(10, 99), max_size=9), max_size=12),
    prefix=st.lists(st.integers(1, 3), max_size=2).map(tuple),
    suffix=st.lists(st.integers(4, 6), max_size=2).map(tuple),
    budget=st.integers(1, 60),
)
def test_chunks_hold_every_text_once(texts, prefix, suffix, budget):
    flat = torch.tensor([token for text in texts for token in text], dtype=torch.int32)
    offsets = torch.tensor([0, *(len(t) for t in texts)]).cumsum(0)
    batch = Texts(flat, offsets)
    assert len(batch) == len(texts)
    found = {}
    for chunk in batch.chunks(budget, SpecialTokens(prefix, suffix, 7)):
        rows, width = chunk.input_ids.shape
        assert rows * width <= budget or rows == 1
        assert chunk.input_ids.dtype == torch.int64
        assert chunk.input_ids[~chunk.mask].tolist() == [7] * int((~chunk.mask).sum())
        lengths = chunk.mask.sum(1)
        assert width == lengths.max()
        assert rows * width - lengths.sum() <= budget // 16
        for row, place in enumerate(chunk.text_index.tolist()):
            assert place not in found
            assert chunk.mask[row, : lengths[row]].all(), "real tokens stand to the left"
            found[place] = chunk.input_ids[row][chunk.mask[row]].tolist()
    assert found == {p: [*prefix, *text, *suffix] for p, text in enumerate(texts)}


def test_a_few_long_texts_pad_no_short_ones():
    """2 texts of 60 tokens and 120 of 4 or 5: 7,320 tokens in one chunk, 720 in two; those of 4 and 5 stay together."""
    lengths = [60, *[4] * 100, 60, *[5] * 20]
    texts = Texts(torch.arange(sum(lengths)), torch.tensor([0, *lengths]).cumsum(0))
    chunks = [c.input_ids.shape for c in texts.chunks(8192, SpecialTokens((), (), 0))]
    assert chunks == [(120, 5), (2, 60)]


def test_batches_move_whole():
    slots = HistorySlots(*(torch.ones(1, 2) for _ in range(6)))
    moved = slots.to("meta")
    assert moved.item_index.device.type == moved.age_days.device.type == "meta"
    assert slots.mask.device.type == "cpu"
    assert Users(torch.ones(3)).to(torch.float64).vocab_row.dtype == torch.float64
