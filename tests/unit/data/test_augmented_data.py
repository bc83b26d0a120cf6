"""A datamodule with augmentation: only training batches have variants, the same ones each time."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from transformers import BertTokenizerFast

from lit_rec.data.augmentation.augmentation import Augmentation
from lit_rec.data.augmentation.drop_words import DropWords
from lit_rec.data.augmentation.mask_behaviors import MaskBehaviors
from lit_rec.data.augmentation.mask_words import MaskWords
from lit_rec.data.augmentation.swap_words import SwapWords
from lit_rec.data.augmentation.text_augmentation import TextAugmentation
from lit_rec.data.batches.plan import BatchPlan
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.history.histories import GivenHistory, NoHistory
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.splits.splits import GivenSplit
from lit_rec.data.text_datamodule import ItemTextDataModule
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import ConfigError, DataError

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *["one", "two", "three", "four", "five", "six"],
]
ITEMS = {
    "a": "one two",
    "b": "two three four",
    "c": "four five six",
    "d": "six",
    "e": "five two one",
}
SHOWN = {
    f"{user}{item}": number
    for number, (user, item) in enumerate(zip("uuuvvvww", "abcbacab", strict=True))
}
EVALUATED = {"ud": "val", "vd": "val", "wd": "test", "ue": "test"}


@pytest.fixture
def module_of(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "encoder")
    lines = [f"{name[0]},{name[1]},{1 + n % 5},{n},train" for name, n in SHOWN.items()]
    lines += [
        f"{name[0]},{name[1]},3,{20 + n},{part}" for n, (name, part) in enumerate(EVALUATED.items())
    ]
    (tmp_path / "b.csv").write_text("user_id,item_id,rating,timestamp,split\n" + "\n".join(lines))
    titles = "".join(f"{item},{title}\n" for item, title in ITEMS.items())
    (tmp_path / "i.csv").write_text(f"item_id,title\n{titles}")

    def make(*augmentation, **options):
        module = BehaviorDataModule(
            TableReader(f"{tmp_path}/b.csv", f"{tmp_path}/i.csv"),
            str(tmp_path / "encoder"),
            TextTemplate(["title"]),
            cache_folder=str(tmp_path / "cache"),
            augmentation=list(augmentation),
            **{"split": GivenSplit(), "batch_size": 3, **options},
        )
        module.prepare_data()
        module.setup("fit")
        return module

    return make


def read(texts):
    """The texts of a batch as words."""
    words = np.array(WORDS)[texts.tokens.numpy()]
    ends = texts.offsets.tolist()
    return [" ".join(words[start:stop]) for start, stop in pairwise(ends)]


def epochs(module, number=1):
    loader = module.train_dataloader()
    found = []
    for epoch in range(number):
        loader.sampler.set_epoch(epoch)
        found += list(loader)
    return found


def test_training_batches_hold_variants_and_no_others(module_of):
    module = module_of(SwapWords(rate=0.5), DropWords(rate=0.5))
    batches = epochs(module, 20)
    seen = {text for batch in batches for text in read(batch.texts)}
    assert "two one" in seen  # swapped
    assert {"one", "two"} <= seen  # dropped
    assert seen.isdisjoint(ITEMS.values()), (
        "every text of more than a word is changed where the rates are 1"
    )
    trained = {frozenset(ITEMS[item].split()) for item in "abc"}
    assert all(any({*text.split()} <= words for words in trained) for text in seen)
    module.follow(BatchPlan(table_at_evaluation=False))
    for loader in (module.val_dataloader(), module.test_dataloader(), module.predict_dataloader()):
        assert {text for batch in loader for text in read(batch.texts)} <= {*ITEMS.values()}
    real = module_of().catalogue
    assert module.catalogue.store.tokens.tolist() == real.store.tokens.tolist()
    assert module.catalogue.name == real.name


def test_rows_histories_and_items_are_those_without_variants(module_of):
    plain, changed = (epochs(module_of(*parts), 3) for parts in ([], [SwapWords(rate=0.5)]))
    for one, other in zip(plain, changed, strict=True):
        assert (one.row == other.row).all()
        assert (one.history.item_index == other.history.item_index).all()
        assert (one.items.text_index == other.items.text_index).all()
        assert len(one.texts) == len(other.texts)
    same = [
        a == b
        for one, two in zip(plain, changed, strict=True)
        for a, b in zip(read(one.texts), read(two.texts), strict=True)
    ]
    assert 0.3 < np.mean(same) < 0.8


def stream(module):
    return [
        (read(b.texts), b.history.item_index.tolist(), b.row.tolist()) for b in epochs(module, 2)
    ]


def test_the_same_in_workers_and_after_a_resume(module_of):
    parts = MaskWords(rate=0.6), MaskBehaviors(rate=0.6, share=0.5)
    one = stream(module_of(*parts))
    assert one == stream(module_of(*parts))
    assert one == stream(module_of(*parts, num_workers=2))
    assert one != stream(module_of(*parts, seed=1))
    loader = module_of(*parts).train_dataloader()
    loader.load_state_dict({"epoch": 0, "batches": 2})
    assert [read(b.texts) for b in loader] == [texts for texts, *_ in one][2:3]


def test_behaviors_are_hidden_in_training_alone(module_of):
    def slots(module):
        return sum(int(b.history.mask.sum()) for b in epochs(module, 8))

    part = MaskBehaviors(rate=1.0, share=0.5)
    plain, changed = module_of(), module_of(part)
    assert slots(changed) < slots(plain)
    for one, other in zip(plain.val_dataloader(), changed.val_dataloader(), strict=True):
        assert (one.history.mask == other.history.mask).all()
    assert changed.variants is None
    sequences = []
    for parts in ((), (part,)):
        module = module_of(*parts, task="next_item")
        module.follow(BatchPlan(in_sequences=True))
        sequences.append(epochs(module)[0])
    assert sequences[1].history.mask.sum() < sequences[0].history.mask.sum()
    assert sequences[1].target.mask.any()


def test_what_the_given_histories_hold_has_variants(module_of, tmp_path):
    (tmp_path / "b.csv").write_text(
        "user_id,item_id,rating,history,split\nu,a,3,e c,train\nu,b,3,d,val\nu,d,3,b,test\n"
    )
    reader = TableReader(f"{tmp_path}/b.csv", f"{tmp_path}/i.csv")
    module = module_of(SwapWords(rate=1.0), history=GivenHistory())
    assert module.reader.behaviors == reader.behaviors
    first = module.variants.first[0]
    assert (np.diff(first) > 0).sum() == 3  # of a, c and e; b and d are in no training row


class _Same(TextAugmentation):
    def variants(self, texts, making):
        return [[text] for text in texts]


class _Neither(Augmentation):
    changes = "texts"


def test_refused(module_of):
    with pytest.raises(ConfigError, match=r"SwapWords 0\.6, DropWords 0\.5 are 1\.1 together"):
        module_of(SwapWords(0.6), DropWords(0.5))
    module_of(SwapWords(0.9), MaskBehaviors(0.9))  # of different things
    with pytest.raises(ConfigError, match="MaskBehaviors changes histories"):
        module_of(MaskBehaviors(), history=NoHistory())
    given = module_of()
    with pytest.raises(ConfigError, match="MaskBehaviors changes histories, and there are none"):
        ItemTextDataModule(
            given.reader, given.encoder, given.text, GivenSplit(), augmentation=[MaskBehaviors()]
        )
    with pytest.raises(DataError, match="none of 3 training texts has a variant by _Same"):
        module_of(_Same())
    with pytest.raises(ConfigError, match="_Neither"):
        module_of(_Neither())
    for wrong in ({"rate": 0}, {"rate": 1.5}, {"copies": 0}, {"share": 0}):
        with pytest.raises(ConfigError, match=f"SwapWords.{next(iter(wrong))}"):
            SwapWords(**wrong)


def test_a_test_makes_no_variants(module_of, tmp_path):
    class Trainer:
        progress_bar_callback = None
        is_global_zero = True
        state = type("State", (), {"fn": "test"})

    module = module_of()
    module = type(module)(
        module.reader,
        module.encoder,
        module.text,
        module.split,
        cache_folder=module.cache_folder,
        augmentation=[_Same()],
    )
    module.trainer = Trainer
    module.prepare_data()
    assert not [path for path in (tmp_path / "cache").iterdir() if path.name.startswith("variants")]
    assert torch.equal(
        *[
            next(iter(m.test_dataloader())).row
            for m in (module_of(eval_batch_size=4096), module_of())
        ]
    )
