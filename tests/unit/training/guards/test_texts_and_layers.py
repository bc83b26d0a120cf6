"""WordDropout hides words of training texts; GradualUnfreezing leaves layers untouched until it is their turn."""

import pytest
import torch

from lit_rec.data.batches.batch import Texts
from lit_rec.errors import ConfigError
from lit_rec.models.text.tuning import FrozenTuning, TopLayersTuning
from lit_rec.training.guards.gradual_unfreezing import GradualUnfreezing
from lit_rec.training.guards.word_dropout import WordDropout

from .small_runs import run, weights

pytestmark = pytest.mark.filterwarnings("default")

MASK, UNKNOWN = 4, 1  # in the vocabulary of test_lit_rec


@pytest.mark.parametrize(("token", "number"), [(None, MASK), ("mask", MASK), ("unknown", UNKNOWN)])
def test_a_share_of_the_words_is_hidden(token, number, folder, cache):
    guard = WordDropout(0.3, token)
    run(folder, cache, guard, steps=1)
    torch.manual_seed(0)
    tokens = torch.arange(5, 11, dtype=torch.int32).repeat(2000)
    tokens[::6] = UNKNOWN
    texts = Texts(tokens, torch.arange(0, 12_001, 2), torch.arange(6000), "store")
    hidden = guard.hidden(texts)
    changed = hidden.tokens != tokens
    assert not changed[::6].any()  # special tokens stay
    assert (hidden.tokens[changed] == number).all()
    assert float(changed.float().sum() / 10_000) == pytest.approx(0.3, abs=0.02)
    assert (hidden.offsets == texts.offsets).all()
    assert (hidden.number, hidden.store) == (None, None)  # no cache knows them
    assert hidden.tokens.dtype == torch.int32


def test_all_words_hidden_leave_nothing_to_learn_from(folder, cache):
    """Every title is then the same: the vectors of words do not move, but for that of the mask."""
    before = weights(run(folder, cache, WordDropout(1.0), steps=1, encoder_rate=1e-12)[0])
    after = weights(run(folder, cache, WordDropout(1.0), steps=1, encoder_decay=0.0)[0])
    key = "item_encoder.backbone.model.embeddings.word_embeddings.weight"
    moved = (after[key] - before[key]).abs().amax(1) > 1e-6
    assert moved[MASK]
    assert not moved[5:].any()


@pytest.mark.parametrize(
    ("tuning", "option", "what"),
    [
        (FrozenTuning(), "max_kept_texts", "a frozen encoder, whose vectors"),
        (TopLayersTuning(1), "max_kept_tokens", "frozen lower layers, whose output"),
    ],
)
def test_texts_that_are_read_once_are_refused(tuning, option, what, folder, cache):
    with pytest.raises(ConfigError, match=f"WordDropout beside {what} (is|are) cached") as found:
        run(folder, cache, WordDropout(), steps=1, tuning=tuning)
    assert f"set ItemEncoder.{option} to 0" in found.value.remedy
    run(folder, cache, WordDropout(), steps=1, tuning=tuning, encoder={option: 0})


def test_lower_layers_of_which_nothing_is_cached_are_no_obstacle(folder, cache):
    """The texts have more tokens than may be cached, so each passes all layers."""
    few = {"max_kept_tokens": 3}
    run(folder, cache, WordDropout(), steps=1, tuning=TopLayersTuning(1), encoder=few)


def test_a_wrong_share_or_token():
    with pytest.raises(ConfigError, match=r"WordDropout\.share"):
        WordDropout(1.1)
    with pytest.raises(ConfigError, match=r"WordDropout\.token"):
        WordDropout(token="blank")  # type: ignore[arg-type]


def moved_parts(one, two):
    """Which parts of the encoder differ: layers by number, and what is below them."""
    changed = {name for name in one if (one[name] != two[name]).any() and "backbone" in name}
    return {name.split("layer.")[1][0] if "layer." in name else "below" for name in changed}


def test_layers_begin_one_after_another(folder, cache):
    """5 steps an epoch: with two fifths of an epoch for each, the top layer is trained from step 2, and so on."""
    begun = weights(run(folder, cache, steps=1, encoder_rate=0.0)[0])
    found = [
        moved_parts(begun, weights(run(folder, cache, GradualUnfreezing(0.4), steps=steps)[0]))
        for steps in (2, 3, 4, 5, 7)
    ]
    assert found == [set(), {"1"}, {"1"}, {"0", "1"}, {"below", "0", "1"}]


def test_heads_alone_are_trained_as_beside_a_frozen_encoder(folder, cache):
    """Clipping must not see the gradients that are dropped."""
    clipped = {"trainer": {"gradient_clip_val": 0.5}, "dropout": 0.0}
    one = weights(run(folder, cache, GradualUnfreezing(), steps=4, **clipped)[0])
    frozen = {"tuning": FrozenTuning(), "encoder": {"max_kept_texts": 0}}
    two = weights(run(folder, cache, steps=4, **clipped, **frozen)[0])
    head = [name for name in one if "backbone" not in name]
    assert len(head) > 3
    for name in head:
        torch.testing.assert_close(one[name], two[name], atol=1e-6, rtol=1e-5)


def test_a_run_that_ends_too_early_says_so(folder, cache):
    with pytest.warns(UserWarning, match="before the lowest 2 layers of the encoder"):
        run(folder, cache, GradualUnfreezing(first_layers=1), steps=4)


@pytest.mark.parametrize("options", [{"epochs_per_layer": 0.0}, {"first_layers": -1}])
def test_unfreezing_has_ranges(options):
    with pytest.raises(ConfigError, match="GradualUnfreezing"):
        GradualUnfreezing(**options)
