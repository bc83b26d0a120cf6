"""Variants in batches, against a loop over the texts."""

import numpy as np
import torch

from lit_rec.data.batches.batch import Texts
from lit_rec.data.batches.variants import Variants
from lit_rec.data.texts.tokens import TokenStore


def store_of(*texts):
    ends = np.cumsum([0, *map(len, texts)])
    return TokenStore(np.array([t for text in texts for t in text], np.int32), ends)


STORE = store_of([10, 11], [12], [], [13, 14, 15])
# two ways: of text 1 the variants 0 and 3, of text 4 the variant 2; and of text 1 the variant 1
WAY, TEXT, NUMBER = np.array([1, 0, 0, 0]), np.array([1, 4, 1, 1]), np.array([1, 2, 0, 3])
VARIANTS = Variants.of_rows([0.5, 0.25], WAY, TEXT, NUMBER, STORE)


def test_shares_of_what_is_drawn():
    found = VARIANTS.drawn(np.tile([0, 1, 4, 5], 8000), np.random.default_rng(0)).reshape(-1, 4)
    share = np.stack([(found == number).mean(0) for number in (-1, 0, 1, 2, 3)])
    expected = [
        [1, 0.25, 0.5, 1],
        [0, 0.25, 0, 0],
        [0, 0.25, 0, 0],
        [0, 0, 0.5, 0],
        [0, 0.25, 0, 0],
    ]
    assert np.abs(share - expected).max() < 0.02


def test_texts_are_replaced_in_their_places():
    own = store_of([1], [2, 3], [], [4])
    number = torch.tensor([0, 1, 2, 4])
    texts = Texts(torch.from_numpy(own.tokens), torch.from_numpy(own.offsets), number, "store")
    for seed in range(20):
        drawn = VARIANTS.drawn(number.numpy(), np.random.default_rng(seed))
        found = VARIANTS.replaced(texts, np.random.default_rng(seed))
        assert found.number is found.store is None
        for place, new in enumerate(drawn):
            source, at = (own, place) if new < 0 else (STORE, int(new))
            expected = source.tokens[source.offsets[at] : source.offsets[at + 1]]
            got = found.tokens[found.offsets[place] : found.offsets[place + 1]]
            assert got.tolist() == expected.tolist()
