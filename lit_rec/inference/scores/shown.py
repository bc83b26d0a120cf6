"""What a user is told of scores: ratings in their range, or the probability of a label."""

from __future__ import annotations

import torch
from torch import Tensor

from lit_rec.data.arrays import Float64s
from lit_rec.data.facts import Facts
from lit_rec.errors import DataError
from lit_rec.training.tasks.tasks import predictions


def told(scores: Tensor, facts: Facts, gives: str, label: str | None) -> tuple[Float64s, Float64s]:
    """Return ``sorting_and_shown`` as numbers apart from the network."""
    sorting, shown = sorting_and_shown(scores, facts, gives, label)
    return sorting.double().cpu().numpy(), shown.double().cpu().numpy()


def sorting_and_shown(
    scores: Tensor, facts: Facts, gives: str, label: str | None
) -> tuple[Tensor, Tensor]:
    """Return what a list is sorted by, and what is shown of it.

    Cut ratings and rounded probabilities tie, so lists are sorted by what is behind them.

    Args:
        scores: ``[..., C]``, or ``[..., C, K]`` where the network gives class scores.
        facts: Facts of the data.
        gives: What the network gives.
        label: Whose probability is asked for; of two labels, the positive one by default.

    Returns:
        ``[..., C]`` each.

    Raises:
        DataError: As ``asked_label`` does.
    """
    place = asked_label(label, facts)
    shown = predictions(scores, facts, gives)
    if place is None:
        return scores, shown
    if gives == "class_scores":
        return torch.log_softmax(scores, -1)[..., place], shown[..., place]
    return scores if place else -scores, shown[..., place]


def asked_label(label: str | None, facts: Facts) -> int | None:
    """Return the place of the label whose probability is asked for; None: the model has no labels.

    Args:
        label: Its name; of two labels, the positive one by default.
        facts: Facts of the data.

    Raises:
        DataError: If the label is not one of the data's, or none is named of more than two, or one is named for
            ratings.
    """
    if facts.task != "label":
        if label is not None:
            of = "ratings" if facts.task == "rating" else "the next item"
            raise _wrong_label(label, f"a model of {of} has no labels", "leave it out")
        return None
    if label is None and len(facts.labels) > 2:
        rule = f"one of {', '.join(facts.labels[:20])}"
        raise _wrong_label(label, rule, "say whose probability is asked for")
    if label is not None and label not in facts.labels:
        raise _wrong_label(label, f"one of {', '.join(facts.labels[:20])}", "correct the name")
    return facts.labels.index(label) if label is not None else 1


def _wrong_label(label: str | None, rule: str, remedy: str) -> DataError:
    problem = "no label is named" if label is None else f"'{label}' is not usable"
    return DataError(problem, where="label", rule=rule, remedy=remedy)
