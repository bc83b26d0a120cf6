"""``lit-rec recommend``."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from lit_rec.cli.parser import CommandParser
from lit_rec.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from lit_rec.inference.recommender import Recommendation

_POOL = 100  # items that a cross-encoder puts in order


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        "recommend",
        rule="--ckpt_path, and one of --history, --user and --text",
    )
    parser.add_checkpoint()
    parser.add_argument(
        "--history",
        help="item ids, oldest first, each with a rating if there is one: 50,181 or 50:5,181:3; "
        "without a rating, an item counts as liked",
    )
    parser.add_argument(
        "--user", help="a user of the data: their history is taken from the checkpoint"
    )
    parser.add_argument(
        "--text",
        action="append",
        default=[],
        help="something liked that the catalogue does not have; may be repeated",
    )
    parser.add_argument(
        "--profile",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="what is known of the user, such as age=30; may be repeated",
    )
    parser.add_argument(
        "--timestamp",
        type=float,
        help="the time of the request in seconds, for models that weight behaviors by age; "
        "without it, behaviors have no age",
    )
    parser.add_argument(
        "--index",
        metavar="KIND",
        choices=["exact", "approximate"],
        default="exact",
        help="how a large catalogue is searched: exact, or approximate, by lists of similar items, "
        "made once and stored beside the checkpoint as X.index (default: exact)",
    )
    parser.add_argument("--k", type=int, default=10, help="how many items (default: 10)")
    parser.add_argument(
        "--rerank",
        metavar="CKPT",
        help="a checkpoint of a CrossEncoder, which sorts the best items",
    )
    parser.add_argument(
        "--pool",
        type=int,
        help=f"how many items --rerank scores, at least --k (default: {_POOL})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def recommend(words: list[str]) -> None:
    """Recommend items for a history, a user or a text.

    Args:
        words: The options.

    Raises:
        LitRecError: If the input is wrong.
    """
    options = _parser().parse_args(words)
    if options.user is None and options.history is None and not options.text:
        raise ConfigError(
            "nobody to recommend for",
            where="lit-rec recommend",
            rule="one of --history, --user and --text",
            remedy="lit-rec recommend --ckpt_path X --history 50,181",
        )
    if options.pool is not None and options.rerank is None:
        raise ConfigError(
            "there is no model to sort them",
            where=f"--pool {options.pool}",
            rule="the items that --rerank scores",
            remedy="name a cross-encoder's checkpoint with --rerank, or leave --pool out",
        )
    named = [] if options.history is None else _entries(options.history)
    found = _found(options, named)
    if options.json:
        json.dump([asdict(r) for r in found], sys.stdout, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        from rich.console import Console

        Console().print(_table(found))


def _found(options: argparse.Namespace, named: list[dict[str, Any]]) -> list[Recommendation]:
    from lit_rec.inference.index.approximate_index import ApproximateIndex
    from lit_rec.inference.recommender import Recommender

    path = options.ckpt_path
    index = ApproximateIndex.beside(path) if options.index == "approximate" else None
    rec = Recommender.from_checkpoint(path, index=index, trust=options.trust)
    history: list[Any] = rec.history_of(options.user) if options.user is not None else []
    history += named
    history += [rec.entry_of_text(text) for text in options.text]
    many = max(options.k, options.pool or _POOL) if options.rerank else options.k
    found = rec.recommend(
        history,
        many,
        user=options.user,
        profile=_profile(options.profile) if options.profile else None,
        timestamp=options.timestamp,
    )
    return _reranked(options, history, found) if options.rerank else found


def _reranked(
    options: argparse.Namespace, history: list[Any], pool: list[Recommendation]
) -> list[Recommendation]:
    """Return the k best of ``pool`` by the network of another checkpoint; their fields stay the same."""
    from lit_rec.inference.reranker import Reranker

    cross = Reranker.from_checkpoint(options.rerank, trust=options.trust)
    best = cross.rerank(history, [one.item_id for one in pool], options.k)
    return [replace(pool[one.place], score=one.score) for one in best]


def _profile(words: list[str]) -> dict[str, str]:
    for word in words:
        if "=" not in word:
            raise ConfigError(
                "has no '='",
                where=f"--profile '{word}'",
                rule="a column of the users table, '=', and its value",
                remedy="--profile age=30",
            )
    pairs = (word.split("=", 1) for word in words)
    return {column.strip(): value for column, value in pairs}


def _entries(history: str) -> list[dict[str, Any]]:
    words = [word.strip() for word in history.split(",") if word.strip()]
    if not words:
        raise ConfigError(
            "names no item",
            where=f"--history '{history}'",
            rule="item ids, divided by commas",
            remedy="--history 50,181, or --user for a user of the data",
        )
    return [_entry(word) for word in words]


def _entry(word: str) -> dict[str, Any]:
    item, colon, rating = word.rpartition(":")
    return {"item_id": item, "rating": rating} if colon else {"item_id": word}


def _table(found: list[Recommendation]) -> Table:
    from rich.table import Table

    table = Table()
    table.add_column("", justify="right")
    table.add_column("score", justify="right")
    table.add_column("item_id")
    names = list(found[0].fields)[:3] if found else []
    for name in names:
        table.add_column(name, overflow="fold")
    for place, one in enumerate(found, 1):
        cells = [one.fields[name] or "" for name in names]
        table.add_row(str(place), f"{one.score:.3f}", one.item_id, *cells)
    return table
