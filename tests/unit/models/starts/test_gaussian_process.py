"""GaussianProcessStart: rows one by one in numpy, no leak of a row into its own prediction, what a network does."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch

from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.heads.vector_heads import CosineHead
from lit_rec.models.starts import gaussian_process
from lit_rec.models.starts.gaussian_process import GaussianProcessStart
from lit_rec.models.starts.rated_rows import RatedRows

USERS, ITEMS = 16, 12


def rated_rows(rating=None, *, past=False):
    """Users of two tastes rate two thirds of the items, a minute between."""
    user, item = np.divmod(np.arange(USERS * ITEMS), ITEMS)
    kept = (user + item) % 3 > 0
    user, item = user[kept], item[kept]
    own = np.where(user % 2 == item % 2, 5.0, 2.0) + (item % 3) * 0.25
    place = np.concatenate([np.arange(n) for n in np.bincount(user)])
    return RatedRows(
        user=user,
        item=item + 1,
        rating=own if rating is None else rating,
        seconds=1e9 + 60.0 * place,
        row=np.arange(len(user)) * 2,  # rows of other parts lie between
        past=place if past else None,
    )


@pytest.fixture(scope="module")
def started():
    """A start without texts, fitted."""
    facts = Facts.example(item_ids=tuple(f"i{n}" for n in range(ITEMS)))
    start = GaussianProcessStart(facts, 0, rank=2, draws=2)
    start.fit(rated_rows(), torch.zeros(ITEMS, 1, 0), torch.arange(1, ITEMS + 1))
    return start


def predictions(start, rows):
    """Of the training rows."""
    start._parts = None
    start.predict_rows(rows, 2 * len(rows.user))
    found = start._of_row.numpy().copy()
    start._of_row = torch.empty(0)
    return found


def test_training_rows_are_predicted_better_than_by_items(started):
    rows = rated_rows()
    found = predictions(started, rows)
    assert (found[1::2] == 0).all()  # rows that have no rating
    of_item = [rows.rating[rows.item == item].mean() for item in rows.item]
    plain = np.square(rows.rating - of_item).mean()
    assert np.square(rows.rating - found[::2]).mean() < 0.5 * plain


@pytest.mark.parametrize("past", [False, True])
def test_a_row_has_no_part_in_its_own_prediction(started, past):
    rows = rated_rows(past=past)
    before = predictions(started, rows)
    changed = rows.rating.copy()
    changed[20] = 1.0 if changed[20] > 3 else 5.0
    after = predictions(started, rated_rows(changed, past=past))
    assert after[40] == pytest.approx(before[40], abs=1e-4)
    own = rows.user == rows.user[20]
    moved = np.abs(after[::2] - before[::2]) > 1e-4
    assert moved[own].any()
    if past:  # nor in those of the user's earlier rows
        assert not moved[own][: 20 - np.flatnonzero(own)[0]].any()


def expected(start, columns, batch, row, asked):
    """The posterior mean of one row and candidate in double, slot by slot."""
    log = {
        name: np.exp(value.numpy().astype(float)) for name, value in start.covariance.log.items()
    }
    history, fields = batch.history, start.fields
    of = columns.numpy().astype(float)
    split = start.items.shape[1]

    def shared(one, other, apart):
        x, y = of[one], of[other]
        inner = x[2:split] @ y[2:split]
        value, both = log["constant"] + log["taste"] * inner, 1.0
        for field in range(fields):
            span = slice(split + field * start.width, split + (field + 1) * start.width)
            cosine = x[span] @ y[span]
            alike = np.exp(log["sharpness"][field] * (cosine - 1))
            value += log["alike_field"][field] * alike + log["taste_field"][field] * cosine
            both *= alike
        value += log["alike"][0] * both if fields else 0.0
        for place, time in enumerate(start.seconds):
            fade = 0.0 if np.isnan(apart) else np.exp(-abs(apart) / time)
            value += fade * (log["mood"][place] + log["taste_then"][place] * inner)
            value += fade * log["alike_then"][place] * both if fields else 0.0
        return value

    slots = [
        slot
        for slot in range(history.mask.shape[1])
        if history.mask[row, slot] and not history.rating[row, slot].isnan()
    ]
    item = [int(history.item_index[row, slot]) for slot in slots]
    time = [-history.age_days[row, slot].item() * 86_400 for slot in slots]
    level = of[asked, 0]
    if not slots:
        return level
    total = np.array(
        [
            [shared(a, b, s - t) for b, t in zip(item, time, strict=True)]
            for a, s in zip(item, time, strict=True)
        ]
    )
    total += np.diag(log["noise"] + log["spread"] * of[item, 1])
    rating = np.array([history.rating[row, slot].item() for slot in slots])
    weight = np.linalg.solve(total, rating - of[item, 0])
    return level + sum(w * shared(asked, i, t) for w, i, t in zip(weight, item, time, strict=True))


def test_a_prediction_is_the_posterior_mean(facts, make_batch):
    batch = make_batch(rows=7, longest=5)
    chance = torch.Generator().manual_seed(1)
    age = torch.rand(batch.history.mask.shape, generator=chance) * 0.01
    age[2, 0] = torch.nan
    history = replace(batch.history, age_days=age)
    for name in ("item_index", "mask", "rating"):  # two rows with one history, at different times
        getattr(history, name)[4] = getattr(history, name)[3]
    history.age_days[4] = history.age_days[3] + 2.0
    batch = replace(batch, history=history)
    start = GaussianProcessStart(facts, 8, rank=2, draws=1, components=3)
    with torch.no_grad():
        start.items.copy_(torch.randn(start.items.shape, generator=chance) * 0.5 + 1)
        of_texts = torch.randn(7, 2, 3, generator=chance)
        start.texts.copy_(torch.nn.functional.normalize(of_texts, dim=2).flatten(1))
    texts = torch.randn(len(batch.items.vocab_row), 2, 8, generator=chance)
    start.calibrate(texts)
    columns = start.of_items(texts, batch.items.vocab_row)
    found = start.eval()(columns, batch)
    for row in range(7):
        for place, asked in enumerate(batch.candidates.item_index[row].tolist()):
            value = expected(start, columns, batch, row, asked)
            assert found[row, place].item() == pytest.approx(value, abs=2e-3)


def test_a_network_begins_at_its_start_and_then_leaves_it(make_network, facts, batch):
    start = functools.partial(GaussianProcessStart, rank=2, draws=1, components=4)
    network = make_network(start=start).eval()
    network.calibrate(batch.texts, batch.items)
    with torch.no_grad():
        network.start.items[:, 0] = torch.linspace(1, 5, len(network.start.items))
        vectors = network.encode_items(batch.texts, batch.items)
        assert vectors.shape[1] == network.table_width
        scores = network.score(network.encode_users(vectors, batch), vectors, batch)
        begun = network.start(network.described_in(vectors), batch)
        torch.testing.assert_close(scores, begun)
        network.start.share.fill_(1.0)
        plain = make_network().eval()
        own = network.state_dict()
        plain.load_state_dict({name: own[name] for name in plain.state_dict()})
        torch.testing.assert_close(network(batch), plain(batch), atol=1e-5, rtol=0)
    assert network.queries(torch.zeros(1, 9)) is None


def test_the_share_and_the_head_learn(make_network, batch):
    network = make_network(start=GaussianProcessStart).train()
    network(batch).square().sum().backward()
    assert network.start.share.grad is not None
    assert all(p.grad is not None for _, p in network.named_parameters() if p.requires_grad)


def test_ratings_that_are_all_the_same_stay_so(facts):
    start = GaussianProcessStart(replace(facts, item_ids=tuple(map(str, range(ITEMS)))), 0, rank=2)
    rows = rated_rows(np.full(len(rated_rows().user), 4.0))
    start.fit(rows, torch.zeros(ITEMS, 1, 0), torch.arange(1, ITEMS + 1))
    np.testing.assert_allclose(predictions(start, rows)[::2], 4.0, atol=1e-2)


def test_without_times_it_does_not_matter_when(facts):
    start = GaussianProcessStart(
        replace(facts, item_ids=tuple(map(str, range(ITEMS)))), 0, rank=2, draws=1, seconds=[]
    )
    rows = rated_rows()
    start.fit(rows, torch.zeros(ITEMS, 1, 0), torch.arange(1, ITEMS + 1))
    before = predictions(start, rows)
    after = predictions(start, replace(rows, seconds=np.full(len(rows.user), np.nan)))
    np.testing.assert_array_equal(before, after)


def test_factors_of_many_rows_are_fitted_once(started, monkeypatch):
    monkeypatch.setattr(gaussian_process, "MANY_ROWS", 10)
    found = started._table(rated_rows(), np.ones(USERS, bool), 0)
    assert found.shape == started.items.shape
    one, two = np.split(found[:, 2:], 2, axis=1)
    np.testing.assert_array_equal(one, two)
    monkeypatch.undo()
    one, two = np.split(started._table(rated_rows(), np.ones(USERS, bool), 0)[:, 2:], 2, axis=1)
    assert not np.allclose(one, two)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": 0}, "0 cannot be used"),
        ({"draws": 0}, "0 cannot be used"),
        ({"components": 0}, "0 cannot be used"),
        ({"seconds": [60.0, 0.0]}, "not above 0"),
    ],
)
def test_wrong_options(facts, options, message):
    with pytest.raises(ConfigError, match=message):
        GaussianProcessStart(facts, 8, **options)


def test_it_is_for_ratings_and_scores(make_network):
    with pytest.raises(ConfigError, match="rating"):
        GaussianProcessStart(Facts.example("label"), 8)
    with pytest.raises(ConfigError, match="start beside CosineHead"):
        make_network(head=CosineHead, start=GaussianProcessStart)
    assert make_network(head=DotHead, start=None).start is None


ITEMS_BY_TEXT = 30
GOOD = np.arange(ITEMS_BY_TEXT) % 2 == 0
TEXTS = torch.where(torch.from_numpy(GOOD)[:, None, None], 1.0, -1.0) * torch.ones(1, 1, 4)


def rated_by_text():
    """Items of one text are good, of the other bad; each was rated twice, and one not at all."""
    chance, user = np.random.default_rng(0), np.repeat(np.arange(12), 5)
    item = np.concatenate([chance.permutation(ITEMS_BY_TEXT - 1)[:5] for _ in range(12)])
    rating = 3.0 + np.where(GOOD, 1.0, -1.0)[item] + chance.normal(0, 0.5, len(item))
    unknown = np.full(60, np.nan)
    return RatedRows(user=user, item=item + 1, rating=rating, seconds=unknown, row=np.arange(60))


def begun_by_text(facts, *, text_levels):
    """A start that has seen the texts, and is not fitted yet."""
    named = replace(facts, item_ids=tuple(map(str, range(ITEMS_BY_TEXT))), fields=("title",))
    start = GaussianProcessStart(named, 4, rank=2, draws=1, text_levels=text_levels)
    start.calibrate(TEXTS)
    return start


def test_levels_begin_at_what_texts_say(facts):
    found = {}
    for text_levels in (False, True):
        start = begun_by_text(facts, text_levels=text_levels)
        start.fit(rated_by_text(), TEXTS, torch.arange(1, ITEMS_BY_TEXT + 1))
        level = start.of_items(TEXTS, torch.arange(1, ITEMS_BY_TEXT + 1))[:, 0]
        new = start.of_items(TEXTS, torch.zeros(ITEMS_BY_TEXT, dtype=torch.int64))[:, 0]
        found[text_levels] = level, new
        assert ("quality" in start.state_dict()) == text_levels
    wanted = 3.0 + np.where(GOOD, 1.0, -1.0)
    away = {name: np.abs(level.numpy() - wanted).mean() for name, (level, _) in found.items()}
    assert away[True] < 0.7 * away[False]
    new = found[True][1]
    assert new[GOOD].mean() - new[~GOOD].mean() > 1.4
    assert found[False][1].std() < 1e-5


def test_a_resumed_run_knows_levels_without_reading_texts(facts):
    rows, start = rated_by_text(), begun_by_text(facts, text_levels=True)
    start.fit(rows, TEXTS, torch.arange(1, ITEMS_BY_TEXT + 1))
    resumed = begun_by_text(facts, text_levels=True)
    resumed.load_state_dict(start.state_dict())
    expected = predictions(start, rows)
    assert expected.std() > 0.5
    assert predictions(resumed, rows).tolist() == expected.tolist()


def test_what_texts_say_of_training_rows_does_not_know_their_user(facts):
    """The levels that a part's rows are predicted from stay, whatever its users rate."""
    rows, found = rated_by_text(), []
    part = gaussian_process._part_of(rows)
    for better in (0.0, 1.0):
        start = begun_by_text(facts, text_levels=True)
        rating = rows.rating + better * (part[rows.user] == 2)
        start.fit(replace(rows, rating=rating), TEXTS, torch.arange(1, ITEMS_BY_TEXT + 1))
        found.append(start.levels)
    assert torch.equal(found[0][1 + 2], found[1][1 + 2])
    assert not torch.equal(found[0][0], found[1][0])
