"""Many threads ask one object while others change it: each answer is the serial one of a state that existed."""

import copy
import functools
import importlib
import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
import torch

from lit_rec.errors import DataError
from lit_rec.inference.classifier import Classifier
from lit_rec.inference.index import stored_items
from lit_rec.inference.index.approximate_index import ApproximateIndex
from lit_rec.inference.recommender import Recommender
from lit_rec.inference.reranker import Reranker

from .conftest import WORDS
from .test_items_come_and_go import NEW
from .test_recommender import HISTORY, ids

THREADS = 8
# the tokenizer cuts both, and the longer one by more
LONG = {"title": "red blue night day river city red blue night", "genres": "day"}
LISTS = functools.partial(ApproximateIndex, exact_below=10, share=1.0)


@pytest.fixture(autouse=True)
def _turns():
    """Have threads take turns often, so that few reads meet many changes."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(params=["exact", "lists"])
def index(request):
    if request.param == "lists":
        pytest.importorskip("faiss", reason="faiss, the extra 'index', is not installed")
        return LISTS
    return None


def together(ask, many):
    """Ask in eight threads at once; what is raised is raised here."""
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(ask, many))


def changes(count):
    """Items that come and go, the ids of some of them again and again."""
    chance, here, made = random.Random(0), [], []
    for number in range(count):
        if here and chance.random() < 0.5:
            gone = [here.pop(chance.randrange(len(here))) for _ in range(min(3, len(here)))]
            made.append(("remove", gone))
        else:
            new = [f"n{place}" for place in chance.sample(range(20), 4) if f"n{place}" not in here]
            titles = [f"{WORDS[number % 6]} {WORDS[place]}" for place in range(len(new))]
            table = {"item_id": new, "title": titles, "genres": ["day"] * len(new)}
            made.append(("add", pl.DataFrame(table, schema=dict.fromkeys(table, pl.String))))
            here += new
    return made


def make(rec, change):
    kind, what = change
    getattr(rec, f"{kind}_items")(what)


def answers(rec, number):
    """One of five answers, by ids and by texts; an id that does not exist then is an answer too."""
    history = [[], HISTORY, [LONG, "i3"], ["n3", "i1"], [{"title": "red"}, "i7", LONG]][number % 5]
    try:
        if number % 2:
            return rec.score(history, ["i1", "n1", "i17"])
        return rec.recommend(history, 50)
    except DataError as error:
        return str(error)


def test_answers_beside_changes(checkpoint, index, monkeypatch):
    monkeypatch.setattr(stored_items, "_LEAST_DROPPED", 5)
    monkeypatch.setattr(stored_items, "LEAST_REMEMBERED", 5)
    rec, all_changes = Recommender(*checkpoint, index=index), changes(25)
    done, stop = [0], threading.Event()

    def change():
        for number, one in enumerate(all_changes, 1):
            make(rec, one)
            done[0] = number
        stop.set()

    def ask(number):
        found = []
        while not stop.is_set() or len(found) < 5:
            first = done[0]
            number += 7
            answer = answers(rec, number)
            found.append((number % 10, answer, range(first, done[0] + 2)))
        return found

    writer = threading.Thread(target=change)
    writer.start()
    reads = [read for of_thread in together(ask, range(THREADS)) for read in of_thread]
    writer.join()
    serial, expected = Recommender(*checkpoint, index=index), []
    for one in [None, *all_changes]:
        if one is not None:
            make(serial, one)
        expected.append([answers(serial, number) for number in range(10)])
    assert len(reads) > 50
    assert len({str(of_state) for of_state in expected}) > 20, "states that differ"
    for number, answer, states in reads:
        assert answer in [expected[s][number] for s in states if s < len(expected)]


def test_a_reader_sees_one_state_however_often_it_changes(rec, monkeypatch):
    """Items are removed and others added in the midst of a read, as another thread might."""
    before = rec.recommend(HISTORY, 50)
    item_table = rec._module.item_table

    def change_first(catalogue):
        monkeypatch.setattr(rec._module, "item_table", item_table)
        rec.remove_items(["i1", "i2"])
        rec.add_items(NEW)
        return item_table(catalogue)

    text = {"title": "red river", "genres": "day"}
    expected = rec.recommend([*HISTORY, text], 50)
    monkeypatch.setattr(rec._module, "item_table", change_first)
    assert rec.recommend([*HISTORY, text], 50) == expected
    assert {"i1", "i2"} <= set(ids(before)) | {"i2"}
    assert set(ids(rec.recommend([], 50))) & {"i1", "i2", "n1", "n2"} == {"n1", "n2"}


def test_two_who_add_at_once_lose_nothing(rec):
    def add(number):
        frame = NEW.with_columns(item_id=pl.Series([f"a{number}", f"b{number}"]))
        rec.add_items(frame)
        rec.remove_items([f"b{number}"])

    together(add, range(24))
    assert sorted(rec.item_ids[18:]) == sorted(f"a{number}" for number in range(24))
    one = rec.score(HISTORY, ["a0"])
    assert rec.score(HISTORY, [f"a{number}" for number in range(24)]) == pytest.approx(one * 24)


def test_readers_do_not_wait_for_who_adds(rec, monkeypatch):
    encoding, go_on = threading.Event(), threading.Event()
    item_table = rec._module.item_table

    def slowly(catalogue):
        encoding.set()
        assert go_on.wait(20)
        return item_table(catalogue)

    expected = rec.recommend(HISTORY, 5)
    monkeypatch.setattr(rec._module, "item_table", slowly)
    writer = threading.Thread(target=rec.add_items, args=[NEW])
    writer.start()
    assert encoding.wait(20)
    assert rec.recommend(HISTORY, 5) == expected
    assert len(rec.item_ids) == 18
    go_on.set()
    writer.join()
    assert len(rec.item_ids) == 20


def test_what_cannot_be_added_changes_nothing(rec, index, checkpoint, monkeypatch):
    rec = Recommender(*checkpoint, index=index)
    before, state = rec.recommend(HISTORY, 50), rec._state
    item_table = rec._module.item_table
    monkeypatch.setattr(
        rec._module, "item_table", lambda texts: item_table(texts) * torch.tensor(float("nan"))
    )
    with pytest.raises(DataError, match="the vector of item 18 has length nan"):
        rec.add_items(NEW)
    assert rec._state is state
    assert rec.recommend(HISTORY, 50) == before


def test_rerankers_and_classifiers(cross_checkpoint, text_checkpoints):
    texts = [{"title": " ".join(WORDS[: 1 + n % 6]), "genres": WORDS[n % 6]} for n in range(36)]
    reranker, classifier = Reranker(*cross_checkpoint), Classifier(*text_checkpoints["label"])

    def rerank(number):
        return reranker.rerank([texts[number], "i3"], ["i1", texts[-number], "i5"], 3)

    def classify(number):
        return classifier.classify(texts[number : number + 3], k=3)

    for ask in (rerank, classify):
        expected = [ask(number) for number in range(12)]
        assert together(ask, [*range(12)] * 8) == expected * 8


def test_texts_are_cut_alike_in_all_threads(rec):
    """A tokenizer is told where to cut before it cuts; between the two another thread may tell it otherwise."""
    texts, read = rec._texts, []

    def tokens(number):
        rendered = texts.read([LONG], where="texts")
        return len(texts.catalogue(rendered).store.tokens)

    read = together(tokens, range(1_000))
    assert set(read) == {tokens(0)}


def test_passes_of_others_are_not_counted_and_nothing_is_hooked_to_the_encoder(rec, monkeypatch):
    """A hook would be called by every thread, and be there or not while another one computes."""
    counted = []
    item_table = importlib.import_module("lit_rec.vectors.encode")
    slow_bar = item_table.slow_bar

    def of_thread(*words, **more):
        counted.append((threading.get_ident(), words[1]))
        return slow_bar(*words, **more)

    monkeypatch.setattr(item_table, "slow_bar", of_thread)
    backbone = rec._module.built().backbone
    monkeypatch.setattr(
        backbone, "register_forward_hook", lambda *a, **m: pytest.fail("a hook is shared")
    )
    together(lambda number: rec.score([LONG], ["i1"]), range(40))
    assert len(counted) == 40


def test_a_copy_changes_apart(rec):
    other = copy.deepcopy(rec)
    other.add_items(NEW)
    assert (len(rec.item_ids), len(other.item_ids)) == (18, 20)
