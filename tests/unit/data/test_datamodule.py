from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import BertTokenizerFast

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.history.histories import PastHistory
from lit_rec.data.history.rule import Where
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.splits.splits import GivenSplit
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import ConfigError, DataError

BEHAVIORS = """user_id,item_id,rating,event,timestamp,split
u,a,5,click,1,train
u,b,3,share,2,train
v,b,1,click,3,train
v,c,2,abuse,4,val
w,a,4,click,5,test
u,c,3,abuse,6,test
"""

TITLE = TextTemplate(["title"])


@pytest.fixture
def module_of(tmp_path):
    (tmp_path / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "blue"])
    )
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "encoder")
    (tmp_path / "i.csv").write_text("item_id,title\na,red\nb,blue blue\nc,red\n")

    def make(behaviors=BEHAVIORS, **options):
        (tmp_path / "b.csv").write_text(behaviors)
        options = {"split": GivenSplit(), "batch_size": 2, "text": TITLE, **options}
        return BehaviorDataModule(
            TableReader(f"{tmp_path}/b.csv", f"{tmp_path}/i.csv"),
            str(tmp_path / "encoder"),
            cache_folder=str(tmp_path / "cache"),
            **options,
        )

    return make


def test_facts_see_training_rows_only(module_of):
    facts = module_of().facts
    assert facts.rating_mean == 3.0
    assert (facts.rating_low, facts.rating_high) == (1.0, 5.0)
    assert facts.user_ids == ("u", "v")
    assert facts.item_ids == ("a", "b")
    assert facts.events == ("click", "share")
    assert (facts.special.prefix, facts.special.suffix) == ((2,), (3,))


def test_loaders_cover_the_parts(module_of):
    module = module_of()
    module.prepare_data()
    module.setup("fit")
    seen = {
        name: sorted(module.prepared.row[torch.cat([b.row for b in loader]).numpy()].tolist())
        for name, loader in (
            ("train", module.train_dataloader()),
            ("val", module.val_dataloader()),
            ("test", module.test_dataloader()),
        )
    }
    assert seen == {"train": [0, 1, 2], "val": [3], "test": [4, 5]}
    assert len(module.catalogue) == 3
    assert module.catalogue.store.tokens.tolist() == [5, 6, 6]
    assert module.catalogue.vocab_row.tolist() == [1, 2, 0]


def test_fields_share_their_texts(module_of, tmp_path):
    (tmp_path / "i.csv").write_text("item_id,title,about\na,red,blue\nb,blue,red\nc,red,\n")
    texts = {"about": ["about"], "title": ["title"]}
    module = module_of(text=TextTemplate(texts))
    assert module.facts.fields == ("about", "title")
    assert tokens_of(module.catalogue) == [[[6], [5]], [[5], [6]], [[], [5]]]  # [5] is red
    assert len(module.catalogue.store.offsets) - 1 == 3
    turned = module_of(text=TextTemplate(dict(reversed(texts.items()))))
    assert tokens_of(turned.catalogue) == [[[5], [6]], [[6], [5]], [[5], []]]
    # a network knows its fields by their places, whatever order a configuration names them in
    turned = module_of(text=TextTemplate(dict(reversed(texts.items()))))
    turned.restore(module.facts, module.tokenizer_files)
    assert tokens_of(turned.catalogue) == tokens_of(module.catalogue)


def test_other_fields_than_the_checkpoints_are_refused(module_of):
    module = module_of()
    facts = replace(module_of().facts, fields=("title", "about"))
    module.restore(facts, module.tokenizer_files)
    with pytest.raises(ConfigError, match="its fields are text"):
        _ = module.catalogue


def tokens_of(catalogue):
    store = catalogue.store
    return [
        [store.tokens[slice(*store.offsets[text : text + 2])].tolist() for text in row]
        for row in catalogue.text_of_item
    ]


def events_of(module):
    batches = list(module.test_dataloader())
    return sorted(e for b in batches for e in b.history.event[b.history.mask].tolist())


def test_events_are_those_of_the_facts(module_of):
    abused = BEHAVIORS + "u,b,2,click,7,test\n"
    module = module_of(abused)
    # the rows of u at 6 and 7 see click and share; the latter sees the event that no training row has, too
    assert events_of(module) == [0, 1, 1, 2, 2]
    restored = module_of(abused)
    facts = replace(module.facts, events=("share", "abuse"))
    restored.restore(facts, module.tokenizer_files)
    assert events_of(restored) == [0, 0, 1, 1, 2]
    chosen = module_of(abused, history=PastHistory(where=Where(events=["abuse"])))
    assert events_of(chosen) == [0]


def test_cache_is_used_and_renewed(module_of, tmp_path):
    module_of().prepare_data()
    folders = {path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()}
    assert len(folders) == 2
    module_of().prepare_data()
    assert {path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()} == folders
    changed = module_of(BEHAVIORS.replace("u,a,5", "u,a,4"))
    changed.prepare_data()
    assert changed.facts.rating_mean == pytest.approx(8 / 3)


def test_same_seed_same_batches(module_of):
    rows = [[b.row.tolist() for b in module_of(seed=seed).train_dataloader()] for seed in (1, 1)]
    assert rows[0] == rows[1]
    assert np.concatenate(rows[0]).shape == (3,)


def test_errors(module_of):
    for name in ("batch_size", "eval_batch_size"):
        with pytest.raises(ConfigError, match=rf"BehaviorDataModule\.{name}: 0 is too small"):
            module_of(**{name: 0})
    unrated = "\n".join(
        line if n == 0 else ",".join([*line.split(",")[:2], "", *line.split(",")[3:]])
        for n, line in enumerate(BEHAVIORS.splitlines())
    )
    with pytest.raises(DataError, match="no training row has a rating"):
        _ = module_of(unrated).facts
    with pytest.raises(ConfigError, match="1 leaves no room"):
        module_of(max_tokens=1).prepare_data()


@pytest.mark.parametrize(("name", "line"), [("b.csv", "w,b,1,click,7,train"), ("i.csv", "d,red")])
def test_a_table_that_is_replaced_while_it_is_read_is_noticed(
    module_of, tmp_path, monkeypatch, name, line
):
    """Its hash was taken before: other rows would lie in the cache under the name of these."""
    module = module_of()
    read = TableReader.read

    def replaced(reader):
        found = read(reader)
        with (tmp_path / name).open("a") as file:
            file.write(f"{line}\n")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(TableReader, "read", replaced)
        with pytest.raises(DataError, match=f"{name}: the file changed while it was read"):
            module.prepare_data()
    assert list((tmp_path / "cache").iterdir()) == []
    module_of().prepare_data()  # begun again, it is read as it is now


def test_a_process_opens_the_tables_that_the_first_has_prepared(module_of, tmp_path):
    module, other = module_of(), module_of()
    module.prepare_data()
    key = module.tables_key
    (tmp_path / "b.csv").write_text(BEHAVIORS + "w,b,1,click,7,train\n")

    class Strategy:
        @staticmethod
        def broadcast(value):
            assert value == "", "what the other process would say does not count"
            return key

    other.trainer = SimpleNamespace(
        is_global_zero=False, strategy=Strategy, progress_bar_callback=None
    )
    other.setup("fit")
    assert len(other.prepared) == 6
