"""Remedies of encoders that are cut to the words of a data set; see ``followed``."""

from unittest import mock

import pytest
from lightning import LightningDataModule
from transformers import ByT5Tokenizer

from lit_rec.cli.encoders import data_texts
from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.export.pruning import pruned_encoder
from lit_rec.export.pruning.pruned_encoder import prune_encoder
from lit_rec.export.pruning.tokenizer_cut import Vocabulary
from tests.integration.conftest import lit_rec, options
from tests.integration.remedies.followed import each_remedy_of, follow
from tests.unit.export.pruning import encoders

pytestmark = pytest.mark.filterwarnings("default")
TEXTS = ["red river", "a comedy"]


@pytest.fixture
def whole(tmp_path):
    return encoders.write("Unigram", tmp_path / "whole")


def cut(encoder, folder, **given):
    return lambda: prune_encoder(encoder, TEXTS, folder / "cut", **given)


def test_no_configuration(workplace, tmp_path):
    words = ["prune-encoder", "--output", tmp_path / "cut"]
    follow(
        lambda: lit_rec(*words),
        lambda: lit_rec(*words, *options(workplace)),
        says="lit-rec prune-encoder -c ",
    )


def test_a_datamodule_of_another_kind(whole, tmp_path):
    follow(
        lambda: data_texts.texts_of(LightningDataModule()),
        cut(whole, tmp_path),
        says="give prune_encoder of lit_rec.export.pruning.pruned_encoder your texts",
    )


def test_a_negative_number_of_common_pieces(whole, tmp_path):
    follow(
        cut(whole, tmp_path, common=-1), cut(whole, tmp_path, common=20_000), says="--common 20000"
    )


def test_a_tokenizer_of_single_words(whole, tmp_path):
    words = encoders.write("WordLevel", tmp_path / "words")
    follow(cut(words, tmp_path), cut(whole, tmp_path), says="one with such a tokenizer")


def test_a_tokenizer_without_its_json(whole, tmp_path):
    ByT5Tokenizer().save_pretrained(tmp_path / "bytes")
    follow(
        cut(str(tmp_path / "bytes"), tmp_path),
        lambda: (cut(whole, tmp_path)(), TokenizerFiles.load(whole, option="")),
        says="one with such a tokenizer",
    )


def test_texts_that_would_be_divided_in_another_way(whole, tmp_path):
    def broken():
        # no tokenizer that is known does this: the pieces of a text are not all that it is divided by
        with mock.patch.object(
            Vocabulary, "with_parts", lambda self, kept: {*kept, -1} - {*range(9, 400)}
        ):
            cut(whole, tmp_path)()

    follow(broken, cut(whole, tmp_path), says="one with another tokenizer")


def test_an_encoder_that_reads_more_than_word_vectors(whole, tmp_path):
    before = pruned_encoder._cut

    def other(model, kept):
        before(model, kept)
        model.get_input_embeddings().weight.data.neg_()

    def broken():
        with mock.patch.object(pruned_encoder, "_cut", other):
            cut(whole, tmp_path)()

    follow(broken, cut(whole, tmp_path), says="or another one")


test_each_remedy_was_followed = each_remedy_of("export/pruning", "cli/encoders")
