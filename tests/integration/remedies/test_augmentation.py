"""Remedies of changed texts and histories; see ``followed``."""

import shutil

import pytest
import torch
import yaml
from transformers import AutoModelForSeq2SeqLM

from lit_rec.data.augmentation.augmentation import Augmentation
from lit_rec.data.augmentation.back_translation import BackTranslation
from lit_rec.data.augmentation.checked_parts import checked_parts
from lit_rec.data.augmentation.crop_behaviors import CropBehaviors
from lit_rec.data.augmentation.drop_words import DropWords
from lit_rec.data.augmentation.mask_words import MaskWords
from lit_rec.data.augmentation.swap_words import SwapWords
from lit_rec.data.augmentation.synonyms import Synonyms
from lit_rec.data.augmentation.text_augmentation import Making, TextAugmentation
from lit_rec.data.augmentation.translation_model import TranslationModel
from lit_rec.data.history.histories import NoHistory, PastHistory
from tests.integration.conftest import lit_rec, options
from tests.unit.data.augmentation.test_back_translation import save
from tests.unit.data.augmentation.test_words import write_wordnet

from .followed import each_remedy_of, follow

pytestmark = pytest.mark.filterwarnings("default")
ITEM = "--model.network.item_encoder"


def fit(workplace, tmp_path, parts, *words):
    config = tmp_path / "augmented.yaml"
    config.write_text(yaml.safe_dump({"data": {"augmentation": parts}}))
    few = [
        "--trainer.max_epochs=1",
        "--trainer.limit_train_batches=1",
        "--trainer.limit_val_batches=1",
    ]
    lit_rec("fit", *options(workplace), "-c", config, *few, *words)


def part(kind, **init_args):
    return {"class_path": kind, "init_args": init_args}


def made(augmentation, making, text="Blue Film"):
    augmentation.fingerprint(making)
    return augmentation.variants([text], making)


@pytest.fixture
def making(tmp_path):
    return Making(0, None, tmp_path / "cache")


def test_vectors_of_texts_that_are_cached(workplace, tmp_path):
    def run(*words):
        tuning = f"{ITEM}.backbone.tuning"
        fit(workplace, tmp_path, [part("DropWords")], f"{tuning}=FrozenTuning", *words)

    off = f"{ITEM}.max_kept_texts"
    follow(
        run,
        lambda: run(f"{off}=0"),
        says="item_encoder.init_args.max_kept_texts to 0",
    )


def test_states_of_lower_layers_that_are_cached(workplace, tmp_path):
    def run(parts, *words):
        top = [f"{ITEM}.backbone.tuning=TopLayersTuning", f"{ITEM}.backbone.tuning.layers=1"]
        fit(workplace, tmp_path, parts, *top, *words)

    off, parts = f"{ITEM}.max_kept_tokens=0", [part("SwapWords"), part("CropBehaviors")]
    follow(lambda: run(parts), lambda: run(parts, off), says="max_kept_tokens to 0, which")


def test_a_network_that_reads_no_text(workplace, tmp_path):
    item = "lit_rec.models.items.id_item_encoder.IdItemEncoder"
    follow(
        lambda: fit(
            workplace, tmp_path, [part("DropWords")], f"--model.network.item_encoder={item}"
        ),
        lambda: fit(workplace, tmp_path, [part("DropWords")]),
        says="use a network with a text encoder",
    )


class _Same(TextAugmentation):
    def variants(self, texts, making):
        return [[text] for text in texts]


def test_a_way_that_changes_no_text(workplace, tmp_path):
    follow(
        lambda: fit(workplace, tmp_path, [part(f"{__name__}._Same"), part("DropWords")]),
        lambda: fit(workplace, tmp_path, [part("DropWords")]),
        says="leave _Same out of data.augmentation",
    )


class _Neither(Augmentation):
    changes = "texts"


class _Both(_Neither, _Same):
    """What the remedy asks for."""


def test_parts_that_do_not_go_together():
    history = PastHistory()
    follow(
        lambda: checked_parts([SwapWords(0.6), DropWords(0.6)], history),
        lambda: checked_parts([SwapWords(0.33), DropWords(0.33)], history),
        says="for example to 0.33 each",
    )
    follow(
        lambda: checked_parts([_Neither()], history),
        lambda: checked_parts([_Both()], history),
        says="let _Neither derive from one of them",
    )
    follow(
        lambda: checked_parts([CropBehaviors()], NoHistory()),
        lambda: checked_parts([CropBehaviors()], PastHistory()),
        says="set BehaviorDataModule.history to PastHistory",
    )


def test_a_mask_that_is_not_there(making):
    follow(
        lambda: made(MaskWords(), making),
        lambda: made(MaskWords(token="_"), making),
        says="set MaskWords.token to a word such as '_'",
    )
    follow(
        lambda: made(MaskWords(), making),
        lambda: made(DropWords(), making),
        says="or use DropWords",
    )


def test_sources_of_synonyms(making, tmp_path, monkeypatch):
    wordnet = tmp_path / "wordnet"
    wordnet.mkdir()
    write_wordnet(wordnet)
    file = tmp_path / "synonyms.txt"
    file.write_text("film: movie")
    here = "lit_rec.data.augmentation.thesaurus.wordnet"
    monkeypatch.setattr(f"{here}._DEBIAN", wordnet)
    monkeypatch.setattr(f"{here}._PACKAGE", "no_such_package")
    follow(
        lambda: Synonyms(file=str(file), wordnet=str(wordnet)),
        lambda: made(Synonyms(file=str(file)), making),
        says="leave Synonyms.file or Synonyms.wordnet out",
    )
    follow(
        lambda: made(Synonyms(file=str(tmp_path / "none")), making),
        lambda: made(Synonyms(), making),
        says="leave the option out to use WordNet",
    )
    monkeypatch.setattr(f"{here}._DEBIAN", tmp_path)
    follow(
        lambda: made(Synonyms(), making),
        lambda: made(Synonyms(file=str(file)), making),
        says="name a file of your own as Synonyms.file",
    )
    broken = tmp_path / "broken"
    shutil.copytree(wordnet, broken)
    (broken / "index.noun").write_text("film n 1 0 1 1 999\n")
    monkeypatch.setattr(f"{here}._DEBIAN", wordnet)
    follow(
        lambda: made(Synonyms(wordnet=str(broken)), making),
        lambda: made(Synonyms(), making),
        says="leave Synonyms.wordnet out",
    )


def test_a_file_of_synonyms(making, tmp_path):
    file = tmp_path / "synonyms.txt"

    def read(text):
        file.write_text(text)
        return made(Synonyms(file=str(file)), making)

    follow(lambda: read("film movie"), lambda: read("film: movie"), says="a colon and its synonyms")
    follow(
        lambda: read("# none"), lambda: read("film: movie, picture"), says="`film: movie, picture`"
    )


def test_translation_models(making, tmp_path):
    there, back = (save(tmp_path / name, seed) for seed, name in enumerate(("there", "back")))

    def translated(folder, **language):
        pair = TranslationModel(str(folder), **language), TranslationModel(back)
        return made(BackTranslation(*pair), making, "a film")

    follow(lambda: translated("none"), lambda: translated(there), says="check the path")
    follow(
        lambda: translated(there, target="<fr>"),
        lambda: translated(there, target="<de>"),
        says="check folder, source, target",
    )
    weights = AutoModelForSeq2SeqLM.from_pretrained(there).state_dict()
    torch.save(
        {name: value.clone() for name, value in weights.items()}, f"{there}/pytorch_model.bin"
    )
    (tmp_path / "there/model.safetensors").unlink()

    code = (
        "from transformers import AutoModelForSeq2SeqLM as Model; "
        f"Model.from_pretrained('{there}').save_pretrained('{there}')"
    )

    def convert():
        exec(code, {})
        return translated(there)

    follow(lambda: translated(there), convert, says=f'convert it: python -c "{code}"')


test_each_remedy_was_followed = each_remedy_of("data/augmentation", "training/read_variants.py")
