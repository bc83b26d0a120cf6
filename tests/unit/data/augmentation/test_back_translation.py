"""Back-translation by a tiny random pair of models, in folders as save_pretrained writes them."""

import json
import math
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AutoModelForSeq2SeqLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from lit_rec.data.augmentation import back_translation
from lit_rec.data.augmentation.back_translation import BackTranslation
from lit_rec.data.augmentation.text_augmentation import Making
from lit_rec.data.augmentation.translation.translator import Translator
from lit_rec.data.augmentation.translation_model import TranslationModel
from lit_rec.errors import ConfigError

WORDS = [
    "<pad>",
    "</s>",
    "<unk>",
    "<de>",
    *["a", "red", "blue", "car", "film", "is", "not", "here"],
]
TEXTS = ["a red car", "film", "a blue film is not here", "here is a car", "red"]


def save(folder, seed):
    vocabulary = {word: place for place, word in enumerate(WORDS)}
    tokens = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokens.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokens.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    special = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokens, **special).save_pretrained(folder)
    torch.manual_seed(seed)
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    config = T5Config(
        vocab_size=len(WORDS), **sizes, decoder_start_token_id=0, tie_word_embeddings=False
    )
    network = T5ForConditionalGeneration(config)
    for (
        weight
    ) in network.parameters():  # so large that translations differ, and no two tokens are as likely
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.6)
    network.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return save(folder / "there", 1), save(folder / "back", 2)


@pytest.fixture
def part(pair):
    def make(**options):
        there, back = map(TranslationModel, pair)
        return BackTranslation(**{"there": there, "back": back, "batch_size": 2, **options})

    return make


@pytest.fixture
def making(tmp_path):
    return Making(0, None, tmp_path / "cache")


@pytest.fixture
def translated(monkeypatch):
    """The texts that models were given, in their order."""
    given = []
    translate = Translator.translate

    def noting(translator, texts, number=1):
        given.extend(texts)
        return translate(translator, texts, number)

    monkeypatch.setattr(Translator, "translate", noting)
    return given


def alone(folder, text, number):
    """The translations of one text, without padding: what transformers itself gives."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    network = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    given = tokenizer(text, return_tensors="pt")
    longest = 16 + 2 * 8 * math.ceil(given["input_ids"].shape[1] / 8)
    options = {"num_beams": 2, "num_return_sequences": number, "do_sample": False}
    found = network.generate(**given, **options, max_length=longest)
    return [" ".join(t.split()) for t in tokenizer.batch_decode(found, skip_special_tokens=True)]


def test_variants_are_translated_there_and_back(part, pair, making):
    there, back = pair
    found = part(copies=2, batch_size=5).variants(TEXTS, making)
    for text, variants in zip(TEXTS[:3], found, strict=False):
        expected = [alone(back, said, 1)[0] for said in alone(there, text, 2)]
        assert variants == list(dict.fromkeys(expected))
    assert len({variant for of in found for variant in of}) > 2


def test_each_text_is_translated_once(part, making, translated):
    found = part().variants(TEXTS, making)
    assert [len(of) <= 2 for of in found] == [True] * 5
    assert {*TEXTS} <= {*translated}
    del translated[:]
    assert part(rate=0.7, batch_size=5).variants(TEXTS[::-1], making) == found[::-1]
    assert not translated
    part().variants([*TEXTS, "not a film"], making)
    assert translated[0] == "not a film"
    assert len(translated) == 3  # and its two translations
    part(copies=1).variants(TEXTS[:1], making)
    assert len(translated) == 5


def test_an_interrupted_run_goes_on(part, making, translated, monkeypatch):
    whole = part().variants(TEXTS, Making(0, None, making.cache / "other"))
    del translated[:]
    add, calls = back_translation.TranslationCache.add, []

    def interrupted(cache, made):
        add(cache, made)
        calls.append(made)
        if len(calls) == 2:
            with cache.path.open("a") as file:
                file.write('\n{"text": "here is a car", "ma')  # a line that was being written
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(back_translation.TranslationCache, "add", interrupted)
        with pytest.raises(KeyboardInterrupt):
            part().variants(TEXTS, making)
    done = {text for made in calls for text in made}
    assert len(done) == 4
    del translated[:]
    assert part().variants(TEXTS, making) == whole
    assert [text for text in translated if text in TEXTS] == [t for t in TEXTS if t not in done]


def test_the_cache_knows_models_by_their_content(pair, part, making, tmp_path, translated):
    part().variants(TEXTS[:2], making)
    del translated[:]
    moved = tmp_path / "moved"
    moved.mkdir()
    for file in Path(pair[0]).iterdir():
        (moved / file.name).write_bytes(file.read_bytes())
    part(there=TranslationModel(str(moved))).variants(TEXTS[:2], making)
    assert not translated
    part(there=TranslationModel(str(moved), prefix="a ")).variants(TEXTS[:2], making)
    assert translated
    del translated[:]
    save(moved, 3)
    part(there=TranslationModel(str(moved))).variants(TEXTS[:2], making)
    assert translated


def test_a_language_begins_the_translation(pair):
    translator = Translator(TranslationModel(pair[0], target="<de>"), "cpu")
    given = []
    generate = translator._network.generate
    translator._network.generate = lambda **options: given.append(options) or generate(**options)
    translator.translate(["a car"])
    assert given[0]["forced_bos_token_id"] == WORDS.index("<de>")
    with pytest.raises(ConfigError, match="the tokenizer has no language <fr>"):
        Translator(TranslationModel(pair[0], target="<fr>"), "cpu")


def copied(folder, to):
    to.mkdir()
    for file in Path(folder).iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def test_code_and_other_weights_are_not_run(pair, part, making, tmp_path):
    folder = copied(pair[0], tmp_path / "own")
    (folder / "code.py").write_text("raise SystemExit('run')\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoModelForSeq2SeqLM": "code.Own"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match="no translation model can be used"):
        part(there=TranslationModel(str(folder))).variants(TEXTS, making)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ConfigError, match=r"holds no \*\.safetensors"):
        part(there=TranslationModel(str(folder))).variants(TEXTS, making)
    with pytest.raises(ConfigError, match=r"holds no config\.json"):
        part(back=TranslationModel(str(tmp_path / "none"))).variants(TEXTS, making)
