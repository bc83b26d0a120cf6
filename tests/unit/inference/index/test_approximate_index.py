"""ApproximateIndex: recall against the exact one, filters, items that come and go, and its file."""

import importlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lit_rec.errors import CheckpointError, ConfigError
from lit_rec.inference.index import approximate_index
from lit_rec.inference.index.approximate_index import ApproximateIndex
from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.index.exact_search import ExactSearch
from lit_rec.inference.index.item_lists import Reading
from lit_rec.inference.index.stored_index import StoredIndex

ITEMS, WIDTH = 6_000, 24
# an eighth of the lists, which are few
PART = {"share": 0.125, "least_read": 1}
SOME = {**PART, "exact_below": 1_000}


def mixture(rows, seed):
    """Vectors around forty centres, of any length."""
    chance = torch.Generator().manual_seed(seed)
    centres = torch.randn(40, WIDTH, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(rows, WIDTH, generator=chance)
    lengths = torch.exp(0.3 * torch.randn(rows, 1, generator=chance))
    return (centres[torch.randint(40, (rows,), generator=chance)] + 0.7 * noise) * lengths


VECTORS, QUERIES = mixture(ITEMS, 1), mixture(50, 2)


@pytest.fixture(scope="module")
def faiss():
    return pytest.importorskip("faiss", reason="faiss, the extra 'index', is not installed")


@pytest.fixture(scope="module")
def built(faiss, tmp_path_factory):
    """The file of a built index, for tests that change theirs."""
    path = tmp_path_factory.mktemp("lists") / "best.index"
    ApproximateIndex(VECTORS, exact_below=1_000).save(path)
    return path


@pytest.fixture
def index(built):
    return ApproximateIndex.load(built, VECTORS, **PART)


def recall(found, exact):
    """Share of the exact lists that is found."""
    pairs = zip(found.rows.tolist(), exact.rows.tolist(), strict=True)
    met = [len(set(some) & set(all_) - {-1}) / len(set(all_) - {-1}) for some, all_ in pairs]
    return sum(met) / len(met)


def check_scores(found, vectors=VECTORS, queries=QUERIES):
    """Scores are the products, in order, and no row stands twice in a list."""
    for query, padded, more in zip(queries, found.rows, found.scores, strict=True):
        rows, scores = padded[padded >= 0], more[padded >= 0]
        torch.testing.assert_close(scores, vectors[rows] @ query)
        assert (scores.diff() <= 0).all()
        assert len(rows.unique()) == len(rows)


@pytest.mark.usefixtures("faiss")
def test_vectors_that_have_most_in_common_are_found_as_well():
    """As those of an encoder of text do; what all items have in common orders none of them."""
    vectors = VECTORS + 300.0
    index = ApproximateIndex(vectors, **SOME)
    assert recall(index.search(QUERIES, 10), ExactIndex(vectors).search(QUERIES, 10)) >= 0.95
    more = mixture(400, 3) + 300.0
    index.add_items(more)
    exact = ExactIndex(torch.cat([vectors, more]))
    assert recall(index.search(QUERIES, 10), exact.search(QUERIES, 10)) >= 0.95


def test_nearly_all_of_the_best_are_found(index):
    exact = ExactIndex(VECTORS)
    for k in (1, 10, 60):
        found = index.search(QUERIES, k)
        check_scores(found)
        assert recall(found, exact.search(QUERIES, k)) > 0.95
    one = index.search(QUERIES[:1], 10)
    assert torch.equal(one.rows, index.search(QUERIES, 10).rows[:1])


@pytest.mark.parametrize(
    "options",
    [
        {"seen": [list(range(b, ITEMS, 7)) for b in range(50)]},
        {"seen": [ExactIndex(VECTORS).search(QUERIES, 200).rows[b] for b in range(50)]},
        {"deny": range(0, ITEMS, 2)},
        {"allow": range(0, ITEMS, 2)},
        {"allow": range(100), "deny": range(50)},
        {"allow": [5, 9]},
        {"allow": []},
        {"deny": range(ITEMS - 4)},
        {"allow": range(2_000), "deny": range(500, ITEMS), "seen": [range(490)] * 50},
    ],
    ids=[
        "seen",
        "the best are seen",
        "half denied",
        "half allowed",
        "a hundred",
        "two",
        "none",
        "all but four",
        "ten left",
    ],
)
def test_filters(index, options):
    """Lists are as long as the exact ones, whatever is left out, and hold nothing that is."""
    exact = ExactIndex(VECTORS).search(QUERIES, 10, **options)
    found = index.search(QUERIES, 10, **options)
    assert torch.equal(found.rows >= 0, exact.rows >= 0)
    check_scores(found)
    if (exact.rows >= 0).any():
        assert recall(found, exact) > 0.95
    for place, padded in enumerate(found.rows.tolist()):
        rows = set(padded) - {-1}
        assert not rows & set(map(int, options.get("deny", [])))
        assert rows <= set(options.get("allow", range(ITEMS)))
        assert not rows & set(map(int, options["seen"][place] if "seen" in options else []))


def test_lists_are_read_unless_many_candidates_are_needed(index, monkeypatch):
    asked, exact = [], ExactSearch.find

    def search(self, queries, k, **options):
        asked.append(len(queries))
        return exact(self, queries, k, **options)

    monkeypatch.setattr(ExactSearch, "find", search)
    index.search(QUERIES, 10)
    index.search(QUERIES, 10, deny=range(0, ITEMS, 2))
    assert asked == []
    index.search(QUERIES, 10, allow=range(40))
    assert asked == [50]
    best = exact(ExactSearch.of(VECTORS), QUERIES[:1], 1_000).rows[0]
    asked.clear()
    index.search(QUERIES[:2], 10, seen=[best, []])
    assert asked == [1], "one user has seen all candidates"


def test_items_come_and_go(index):
    more = mixture(500, 3) * 1.5  # longer than any before
    rows = index.add_items(more)
    assert (rows, len(index)) == (range(ITEMS, ITEMS + 500), ITEMS + 500)
    everything = torch.cat([VECTORS, more])
    exact = ExactIndex(everything)
    found = index.search(QUERIES, 10)
    check_scores(found, everything)
    assert (found.rows >= ITEMS).float().mean() > 0.3, "added items are found"
    assert recall(found, exact.search(QUERIES, 10)) > 0.95
    gone = found.rows.flatten().unique()
    for one in (index, exact):
        one.remove_items(gone)
        one.remove_items(gone[:3])
    assert len(index) == len(exact) == ITEMS + 500 - len(gone)
    found = index.search(QUERIES, 10)
    assert not torch.isin(found.rows, gone).any()
    assert recall(found, exact.search(QUERIES, 10)) > 0.95


def test_a_file_is_read_as_it_was_written(index, tmp_path):
    index.add_items(mixture(40, 3))
    index.remove_items(range(100))
    index.save(tmp_path / "own.index")
    assert [file.name for file in tmp_path.iterdir()] == ["own.index"]
    everything = torch.cat([VECTORS, mixture(40, 3)])
    again = ApproximateIndex.load(tmp_path / "own.index", everything, **PART)
    assert len(again) == len(index) == ITEMS - 60
    found, expected = again.search(QUERIES, 10), index.search(QUERIES, 10)
    assert torch.equal(found.rows, expected.rows)
    assert torch.equal(found.scores, expected.scores)
    assert list(again.add_items(VECTORS[:1])) == [ITEMS + 40]


def test_an_index_is_built_once(faiss, tmp_path, monkeypatch):
    path, built, build = tmp_path / "best.index", [], ApproximateIndex._build
    monkeypatch.setattr(ApproximateIndex, "_build", lambda self: built.append(1) or build(self))
    few = VECTORS[:2_000]
    first = ApproximateIndex.load_or_build(path, few)
    again = ApproximateIndex.load_or_build(path, few)
    assert len(built) == 1
    loaded = ApproximateIndex.load(path, few)
    # as the figures in docs/inference.md have it, whichever way an index is come by
    assert [one._reading for one in (first, again, loaded)] == [Reading()] * 3
    part = ApproximateIndex.load_or_build(path, few, **PART)
    assert (part._reading, len(built)) == (Reading(0.125, 1), 1)
    assert torch.equal(first.search(QUERIES, 5).rows, again.search(QUERIES, 5).rows)
    other = few.clone()
    other[7, 0] += 1e-3
    for options in ({"vectors": other}, {"vectors": other, "lists": 8}):
        ApproximateIndex.load_or_build(path, **options)
        ApproximateIndex.load_or_build(path, **options)
    assert len(built) == 3
    path.write_bytes(path.read_bytes()[:500])
    ApproximateIndex.load_or_build(path, few)
    assert len(built) == 4


@pytest.mark.usefixtures("faiss")
def test_files_that_cannot_be_read(built, tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.index: there is no such file"):
        ApproximateIndex.load(tmp_path / "none.index", VECTORS)
    with pytest.raises(
        CheckpointError, match=r"it is of other vectors \(\w{12}, given are \w{12}\)"
    ):
        ApproximateIndex.load(built, VECTORS.flip(0))
    damaged, whole = tmp_path / "damaged.index", built.read_bytes()
    other = bytearray(whole)
    other[len(other) // 2] ^= 1
    for content in (b"", b"text", whole[:-2_000], bytes(other)):
        damaged.write_bytes(content)
        with pytest.raises(CheckpointError, match="no index, or a damaged one"):
            ApproximateIndex.load(damaged, VECTORS)
    for content in ({"weights": 1}, {"lit_rec_index": 99}, [1]):
        torch.save(content, damaged)
        said = "format 99" if "lit_rec_index" in content else "no index"
        with pytest.raises(CheckpointError, match=said):
            ApproximateIndex.load(damaged, VECTORS)


@pytest.mark.usefixtures("faiss")
def test_a_file_of_another_faiss(built, tmp_path):
    """It is whole, but has a form that this faiss does not know."""
    stored = StoredIndex.read(built)
    strange = torch.frombuffer(bytearray(b"IxZZ" + bytes(60)), dtype=torch.uint8)
    path = tmp_path / "strange.index"
    replace(stored, lists={**stored.lists, "lists": strange}).write(path)
    with pytest.raises(CheckpointError, match="this version of faiss cannot read it: "):
        ApproximateIndex.load(path, VECTORS)
    assert len(ApproximateIndex.load_or_build(path, VECTORS)) == ITEMS
    assert len(ApproximateIndex.load(path, VECTORS)) == ITEMS


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize(
    ("vectors", "options", "said"),
    [
        (VECTORS[:5], {"lists": -1}, "lists is -1, 0 or more is meant"),
        (VECTORS[:5], {"exact_below": 0}, "exact_below is 0, 1 or more is meant"),
        (VECTORS[:5], {"share": 0.0}, r"share is 0\.0, above 0 and 1 at most is meant"),
        (VECTORS[:5], {"least_read": 0}, "least_read is 0, 1 or more is meant"),
        (VECTORS[:5], {"share": 1.5}, r"share is 1\.5, above 0 and 1 at most is meant"),
        (VECTORS[0], {}, "vectors have shape"),
    ],
)
def test_what_cannot_be_built(vectors, options, said):
    with pytest.raises(ValueError, match=said):
        ApproximateIndex(vectors, **options)


@pytest.mark.usefixtures("faiss")
def test_small_catalogues():
    index = ApproximateIndex(torch.empty(0, 3))
    assert index.search(torch.ones(1, 3), 2).rows.tolist() == [[-1, -1]]
    index.add_items(torch.tensor([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]))
    assert index.search(torch.ones(1, 3), 3).rows.tolist() == [[1, 0, -1]]
    alike = ApproximateIndex(torch.zeros(300, 3), exact_below=1)
    assert alike.search(torch.ones(1, 3), 2).scores.tolist() == [[0, 0]]


@pytest.mark.usefixtures("faiss")
def test_a_catalogue_that_grows_gets_lists(monkeypatch):
    """Once there are enough items; what was removed before is not in them."""
    index = ApproximateIndex(VECTORS[:100], exact_below=5_000, **PART)
    gone = ExactIndex(VECTORS).search(QUERIES, 3).rows.flatten().unique()
    index.remove_items(gone[gone < 100])
    index.add_items(VECTORS[100:])
    index.remove_items(gone)
    exact = ExactIndex(VECTORS)
    exact.remove_items(gone)
    expected = exact.search(QUERIES, 10)
    monkeypatch.setattr(ExactSearch, "find", lambda *a, **more: pytest.fail("all are compared"))
    found = index.search(QUERIES, 10)
    assert recall(found, expected) > 0.95
    assert not torch.isin(found.rows, gone).any()


def test_without_faiss(monkeypatch, tmp_path: Path):
    def absent(name):
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(importlib, "import_module", absent)
    said = (
        r"ApproximateIndex: faiss cannot be imported \(No module named 'faiss'\)"
        r"[\s\S]*pip install faiss-cpu"
    )
    with pytest.raises(ConfigError, match=said):
        ApproximateIndex(VECTORS[:5])
    with pytest.raises(ConfigError, match=said):
        approximate_index.ApproximateIndex.load_or_build(tmp_path / "a.index", VECTORS[:5])
