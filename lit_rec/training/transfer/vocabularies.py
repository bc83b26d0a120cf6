"""What the rows of a network's weights belong to, by the facts of its data; and which weights are fitted again."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from torch import nn

from lit_rec.data.facts import Facts
from lit_rec.data.fields.category import CategoryFacts
from lit_rec.data.fields.field import FittedField
from lit_rec.models.heads.head import Head
from lit_rec.models.ids import Ids
from lit_rec.models.items.field_encoders import CategoryEncoder
from lit_rec.models.items.field_sum import FieldSum
from lit_rec.models.networks.cross_encoder import GRADES
from lit_rec.models.networks.network import Network
from lit_rec.training.transfer.named_rows import Rows

_TO_ROWS = "fitted to the training rows"
_OF_BEHAVIORS = ("event", "label")  # embeddings of a user encoder


def named_rows(network: Network, facts: Facts) -> dict[str, Rows]:
    """Return what the rows of weights belong to, by the weights' names.

    Args:
        network: A network; its weights may be of other data than ``facts``.
        facts: Facts of the data whose rows are asked for.
    """
    found = {}
    for path, module in network.named_modules():
        for name, rows in _of_module(path, module, network, facts):
            found[f"{path}.{name}"] = rows
    return found


def _of_module(
    path: str, module: nn.Module, network: Network, facts: Facts
) -> Iterator[tuple[str, Rows]]:
    first, _, last = path.partition(".")
    if isinstance(module, Ids):
        yield from _of_ids(module, facts, of_items=first == "item_encoder")
    elif isinstance(module, FieldSum):
        yield from _of_fields(module, *_fields_of(first, facts))
    elif isinstance(module, nn.Embedding) and last in _OF_BEHAVIORS:
        names = facts.events if last == "event" else facts.labels
        yield "weight", Rows((None, *names), f"{last}s")
    elif isinstance(module, nn.Embedding) and path == "deed":
        yield "weight", Rows(_deeds(facts), "events and labels")
    elif isinstance(module, Head) or path == "last":
        yield from _of_labels(module, network, facts)


def _of_ids(module: Ids, facts: Facts, *, of_items: bool) -> Iterator[tuple[str, Rows]]:
    ids, kind = (facts.item_ids, "items") if of_items else (facts.user_ids, "users")
    for name, weight in module.state_dict().items():
        if weight.dim() and len(weight) == module.size + 1:
            yield name, Rows((None, *ids), kind)


def _of_labels(module: nn.Module, network: Network, facts: Facts) -> Iterator[tuple[str, Rows]]:
    if network.gives == "class_scores":
        for name in module.state_dict():
            if name.rpartition(".")[0] in ("", "last", "linear"):
                yield name, Rows(tuple(facts.labels), "labels")


def _deeds(facts: Facts) -> tuple[Hashable, ...]:
    """Return names of what a cross-encoder knows of a behavior: a label or a step of ratings, and an event."""
    grades: Sequence[Hashable] = facts.labels if facts.history_labels else range(GRADES)
    return tuple((grade, event) for grade in (None, *grades) for event in (None, *facts.events))


def _fields_of(first: str, facts: Facts) -> tuple[Sequence[str], Sequence[FittedField]]:
    if first == "profile":
        return facts.profile_texts, facts.user_fields
    return facts.fields, facts.item_fields


def _of_fields(
    module: FieldSum, texts: Sequence[str], fields: Sequence[FittedField]
) -> Iterator[tuple[str, Rows]]:
    width = module.centre.shape[1]
    yield "weight", Rows(tuple(texts), "text fields", dim=1, size=width)
    for name in ("centre", "spread"):
        yield name, Rows(tuple(texts), "text fields")
    columns = (*((None, name) for name in texts), *(field.column for field in fields))
    yield "field_logits", Rows(columns, "fields")
    by_column = {field.column: field for field in fields}
    for place, column in enumerate(module.columns):
        field = by_column.get(column)
        if isinstance(module.others[place], CategoryEncoder) and isinstance(field, CategoryFacts):
            yield f"others.{place}.embedding.weight", Rows((None, *field.names), "categories")


def sources(network: Network, here: Facts, there: Facts) -> dict[str, str | None]:
    """Return other names of weights in a checkpoint, by their names in a network; None: it has nothing like them.

    A field is known by its column, not by its place. Numbers have the meaning of their bins: they need equal ones.
    """
    found: dict[str, str | None] = {}
    for path, module in network.named_modules():
        if not isinstance(module, FieldSum):
            continue
        fields, others = (_fields_of(path.partition(".")[0], facts)[1] for facts in (here, there))
        for place, field in enumerate(fields):
            source = _place_of(field, others)
            for name in module.others[place].state_dict():
                of = None if source is None else f"{path}.others.{source}.{name}"
                found[f"{path}.others.{place}.{name}"] = of
    return found


def _place_of(field: FittedField, others: Sequence[FittedField]) -> int | None:
    for place, other in enumerate(others):
        if other.column != field.column or type(other) is not type(field):
            continue
        return place if isinstance(field, CategoryFacts) or other == field else None
    return None


def renamed_fields(here: Sequence[str], there: Sequence[str]) -> tuple[str, ...]:
    """Return the names of a checkpoint's text fields; where all that are left differ, they are paired by their order.

    Example:
        >>> renamed_fields(here=["title", "plot"], there=["title", "abstract"])
        ('title', 'plot')
    """
    left = [name for name in here if name not in there]
    other = [name for name in there if name not in here]
    pairs = dict(zip(other, left, strict=False))
    return tuple(pairs.get(name, name) for name in there)


def fitted_again(network: Network) -> dict[str, str]:
    """Return why weights are not taken, by the first part of their names: they are closed forms of other rows."""
    found = {"neighbors.": _TO_ROWS, "start.": _TO_ROWS, "biases.item_bias": _TO_ROWS}
    for path, module in network.named_modules():
        if isinstance(module, Ids):
            found[f"{path}.start"] = _TO_ROWS
    if network.looks_at_labels:
        found["head."] = _TO_ROWS
    return found
