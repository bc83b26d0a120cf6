"""Recommender with an index of one's choice.

The approximate one's lists, its file next to the checkpoint, and where no index is of use.
"""

import functools
from dataclasses import replace

import polars as pl
import pytest
import torch

from lit_rec.errors import CheckpointError, ConfigError
from lit_rec.inference.index.approximate_index import ApproximateIndex
from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.index.exact_search import ExactSearch
from lit_rec.inference.index.item_lists import ItemLists
from lit_rec.inference.recommender import Recommender
from lit_rec.models.heads.item_neighbors import ItemNeighbors
from lit_rec.models.heads.repeat_bias import RepeatBias
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.heads.vector_heads import CosineHead, InnerProductHead, VectorHead
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.text.tuning import FrozenTuning
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder
from lit_rec.training.checkpoint.content import KEY, checkpoint_content
from lit_rec.training.lit_rec import LitRec

from .conftest import _backbone, _moved
from .scores.test_catalogue_scores import HISTORIES, MORE, TOWERS, check, sorted_table

SEARCHED = {
    "dot": (MeanUserEncoder, DotHead),
    "attention, dot": (AdditiveAttentionUserEncoder, DotHead),
    "cosine": (MeanUserEncoder, CosineHead),
    "inner product": (AdditiveAttentionUserEncoder, InnerProductHead),
    "cosine, repeats": (MeanUserEncoder, CosineHead, RepeatBias),
    "cosine, neighbors": (MeanUserEncoder, CosineHead, None, ItemNeighbors),
    "inner product, both": (
        AdditiveAttentionUserEncoder,
        InnerProductHead,
        RepeatBias,
        ItemNeighbors,
    ),
}


@pytest.fixture(scope="module")
def faiss():
    return pytest.importorskip("faiss", reason="faiss, the extra 'index', is not installed")


@pytest.fixture
def load(data, tmp_path):
    """Write a checkpoint of some towers, as a run would, and load it."""

    def load(towers, index=None, *, seed=0, moved=_moved, changed=lambda weights: weights):
        user_encoder, head, *more = towers
        task = "next_item" if issubclass(head, VectorHead) else "rating"
        facts = replace(data.facts, task=task)

        def build(facts):
            torch.manual_seed(seed)
            backbone = functools.partial(_backbone(), tuning=FrozenTuning())
            items = functools.partial(ItemEncoder, backbone=backbone, width=8)
            return with_neighbors(moved(TwoTower(facts, items, user_encoder, head, *more)))

        module = LitRec(build)
        module.facts = facts
        module.configure_model()
        facts = replace(facts, backbone=module.built().backbone.config_plain())
        content = checkpoint_content(data, facts, {}, None)
        path = tmp_path / "best.ckpt"
        torch.save({"state_dict": changed(module.state_dict()), KEY: content}, path)
        return Recommender.from_checkpoint(path, network=build, index=index and index(path))

    return load


def with_neighbors(network):
    """Fill the table of neighbors, if there is one; the frozen encoder's vectors find those of new items."""
    part = network.neighbors
    if part is not None:
        rows, kept = part.value.shape
        part.vector_share.fill_(0.3)
        part.value[1:] = torch.rand(rows - 1, kept)
        part.index[1:] = torch.randint(1, rows, (rows - 1, kept))
        vectors = torch.randn(part.nearest.vectors.shape)
        part.nearest.vectors.copy_(torch.nn.functional.normalize(vectors, dim=1))
    return network


@pytest.fixture
def insertions(monkeypatch):
    """The first row of each insertion into lists."""
    found, insert = [], ItemLists._with
    monkeypatch.setattr(
        ItemLists,
        "_with",
        lambda self, lists, vectors, first: (
            found.append(first) or insert(self, lists, vectors, first)
        ),
    )
    return found


@pytest.mark.parametrize("wrong", [-1, 1_000_000])
@pytest.mark.parametrize("name", ["neighbors.index", "neighbors.nearest.token"])
def test_neighbors_and_words_that_are_no_rows_are_refused(load, wrong, name):
    def changed(weights):
        weights[f"network.{name}"][2, 1] = wrong
        return weights

    with pytest.raises(CheckpointError, match=rf"{name}: row {wrong}[\s\S]*rows from 0 to \d+"):
        load(SEARCHED["cosine, neighbors"], changed=changed)


def beside(path):
    """Lists of even the few items here, all of which are read."""
    return ApproximateIndex.beside(path, exact_below=10, share=1.0)


def first_block(vectors):
    return next(vectors.blocks(1_000))[1]


def test_the_exact_index_has_vectors_by_column_and_none_stands_twice(load):
    rec = load(SEARCHED["dot"])
    scores = rec._state.scores
    kept, searched = first_block(scores._vectors), first_block(scores._index.vectors)
    assert kept.stride(0) == 1
    assert kept.data_ptr() == searched.data_ptr()
    assert "catalogue" not in rec._content
    of_all = first_block(load(TOWERS["mlp"])._state.scores._vectors)
    assert of_all.stride(1) == 1, "where every item is scored, single vectors are read"


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("towers", SEARCHED.values(), ids=SEARCHED)
def test_lists_of_a_small_catalogue_are_the_exact_ones(load, towers):
    rec = load(towers, beside)
    rec.add_items(MORE[:200])
    for history in HISTORIES.values():
        for k in (1, 10, 400):
            check(rec, history, k, sorted_table(rec, history, k), exclude_seen=False)
        gone = sorted_table(rec, history, 6)[0]
        check(rec, history, 10, sorted_table(rec, history, 10, gone), exclude_seen=False, deny=gone)


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("towers", SEARCHED.values(), ids=SEARCHED)
def test_what_lists_hold_is_sorted_by_what_the_head_says(load, towers, monkeypatch):
    rec = load(towers, beside)
    rec.add_items(MORE)
    monkeypatch.setattr(ExactSearch, "find", lambda *a, **more: pytest.fail("all are compared"))
    for history in HISTORIES.values():
        found = rec.recommend(history, 10, exclude_seen=False)
        ids, scores = sorted_table(rec, history, 400)
        place = [ids.index(one.item_id) for one in found]
        assert place == sorted(set(place)), "best first, equal ones in the catalogue's order"
        assert [one.score for one in found] == pytest.approx(scores[place], abs=1e-6)
        assert len(place) == 10


@pytest.mark.usefixtures("faiss")
def test_items_come_and_go_without_building_anew(load, insertions):
    rec = load(SEARCHED["cosine"], beside)
    rec.add_items(MORE)
    assert insertions == [0, 18]
    history = HISTORIES["of ids"]
    gone = sorted_table(rec, history, 40)[0][::2]
    rec.remove_items(gone)
    for k in (10, 400):
        found = [one.item_id for one in rec.recommend(history, k, exclude_seen=False)]
        assert found == sorted_table(rec, history, k, gone)[0]
    allow = [*gone, *rec.item_ids[:7]]
    found = {one.item_id for one in rec.recommend([], 40, allow=allow)}
    assert found == set(rec.item_ids[:7])
    assert insertions == [0, 18]


@pytest.mark.usefixtures("faiss")
def test_the_index_is_kept_beside_the_checkpoint(load, tmp_path, insertions):
    first = load(SEARCHED["dot"], beside).recommend(["i3"], 5)
    written = (tmp_path / "best.index").read_bytes()
    rec = load(SEARCHED["dot"], beside)
    assert (insertions, rec.recommend(["i3"], 5)) == ([0], first)
    rec.add_items(MORE)
    rec.remove_items(["i1"])
    assert (tmp_path / "best.index").read_bytes() == written, "what a run wrote is not changed"
    other = load(SEARCHED["dot"], beside, seed=1)
    assert insertions == [0, 18, 0], "other vectors, other lists"
    assert other.recommend(["i3"], 5) == load(SEARCHED["dot"], seed=1).recommend(["i3"], 5)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["best.ckpt", "best.index"]


@pytest.mark.parametrize("index", [beside, lambda path: ExactIndex])
@pytest.mark.parametrize("towers", ["mlp", "candidate, dot", "neighborhood"])
def test_scores_that_no_index_finds(load, towers, index, tmp_path):
    said = r"index: it cannot be used: a TwoTower[\s\S]*inner products[\s\S]*leave it out"
    with pytest.raises(ConfigError, match=said):
        load(TOWERS[towers], index)
    assert not (tmp_path / "best.index").exists()


@pytest.mark.parametrize("index", [None, beside])
def test_an_added_item_is_found_by_its_own_text(load, index, request):
    """Where the cosine of texts decides, nothing is nearer to a text than an item of the same text."""
    if index is not None:
        request.getfixturevalue("faiss")
    rec = load(SEARCHED["cosine"], index, moved=lambda network: network)
    distinct = MORE.unique(["title", "genres"], keep="first", maintain_order=True)
    new = distinct.join(
        pl.DataFrame(rec._state.items.parts[0].columns), on=["title", "genres"], how="anti"
    )
    rec.add_items(new)
    assert len(new) > 190
    for id_, title, genres in new[::20].iter_rows():
        (best,) = rec.recommend([{"title": title, "genres": genres}], 1)
        assert (best.item_id, best.score) == (id_, pytest.approx(1.0, abs=1e-5))
