"""``lit-rec recommend``."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from lit_rec.cli.parser import CommandParser
from lit_rec.errors import ConfigError
from lit_rec.training.checkpoint.checkpoint_file import check_is_file

if TYPE_CHECKING:
    from rich.table import Table

    from lit_rec.inference.recommender import Recommendation

# options that say something of a user, or of how lists are made for users
_OF_USERS = ("history", "user", "text", "profile", "timestamp", "rerank", "pool")
_POOL = 100  # items that a cross-encoder puts in order


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        "recommend",
        rule="--ckpt_path, and one of --history, --user, --text, --like and --like_text",
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
    parser.add_argument("--like", metavar="ID", help="list the items most similar to this one")
    parser.add_argument(
        "--like_text", metavar="TEXT", help="the same for an item given by its text"
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
        metavar="TIME",
        help="the time of the request, in seconds or such as 2024-05-31T18:30, for models that weight "
        "behaviors by age; without it, behaviors have no age",
    )
    parser.add_argument(
        "--index",
        metavar="KIND",
        choices=["exact", "approximate"],
        default="exact",
        help="how a large catalogue is searched: exact (default), or approximate, by lists "
        "that are made once and stored beside the checkpoint as X.index",
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
    """Recommend items for a history, a user or a text, or list items like one.

    Args:
        words: The options.

    Raises:
        LitRecError: If the input is wrong.
    """
    options = _parser().parse_args(words)
    _check(options)
    found, meaning = _found(options)
    if options.json:
        json.dump([asdict(r) for r in found], sys.stdout, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        from rich.console import Console

        clipped = any(one.unclipped not in (None, one.score) for one in found)
        Console().print(_table(found, clipped=clipped))
        more = ", shown before it is cut to this range" if clipped else ""
        sys.stdout.write(f"score: {meaning}{more}\n")


def _check(options: argparse.Namespace) -> None:
    """Check what can be checked before torch is imported."""
    asked = options.user is not None or options.history is not None or bool(options.text)
    like = [name for name in ("like", "like_text") if getattr(options, name) is not None]
    if not asked and not like:
        raise ConfigError(
            "nobody to recommend for",
            where="lit-rec recommend",
            rule="one of --history, --user, --text, --like and --like_text",
            remedy=f"lit-rec recommend --ckpt_path {shlex.quote(options.ckpt_path)} --text 'Star Wars'",
        )
    others = [name for name in _OF_USERS if getattr(options, name)]
    if like and (len(like) > 1 or others):
        other = (others or like[1:])[0]
        raise ConfigError(
            f"--{other} is given as well",
            where=f"--{like[0]}",
            rule="similar items are the same for every user: only --k and --json go with it",
            remedy=f"leave out --{other}, or --{like[0]}",
        )
    _profile(options.profile)
    if options.rerank is not None:
        check_is_file(options.rerank, "--rerank")
    if options.pool is not None and options.rerank is None:
        raise ConfigError(
            "there is no model to sort them",
            where=f"--pool {options.pool}",
            rule="the items that --rerank scores",
            remedy="name a cross-encoder's checkpoint with --rerank, or leave --pool out",
        )


def _found(options: argparse.Namespace) -> tuple[list[Recommendation], str]:
    """Return the list, and what its scores are."""
    from lit_rec.inference.index.approximate_index import ApproximateIndex
    from lit_rec.inference.recommender import Recommender

    path = options.ckpt_path
    index = ApproximateIndex.beside(path) if options.index == "approximate" else None
    rec = Recommender.from_checkpoint(path, index=index, trust=options.trust, base=options.base)
    if options.like is not None or options.like_text is not None:
        item = rec.entry_of_text(options.like_text) if options.like is None else options.like
        return rec.similar(item, options.k), "similarity to the item, from -1 to 1"
    history: list[Any] = rec.history_of(options.user) if options.user is not None else []
    if options.history is not None:
        history += rec.entries_of(options.history, where=f"--history '{options.history}'")
    history += [rec.entry_of_text(text) for text in options.text]
    many = max(options.k, options.pool or _POOL) if options.rerank else options.k
    found = rec.recommend(
        history,
        many,
        user=options.user,
        profile=_profile(options.profile) if options.profile else None,
        timestamp=options.timestamp,
    )
    if options.rerank:
        return _reranked(options, history, found)
    return found, rec.score_meaning()


def _reranked(
    options: argparse.Namespace, history: list[Any], pool: list[Recommendation]
) -> tuple[list[Recommendation], str]:
    """Return the k best of ``pool`` by the network of another checkpoint; their fields stay the same."""
    from lit_rec.inference.reranker import Reranker

    cross = Reranker.from_checkpoint(options.rerank, trust=options.trust, base=options.base)
    best = cross.rerank(history, [one.item_id for one in pool], options.k)
    found = [replace(pool[one.place], score=one.score, unclipped=one.unclipped) for one in best]
    return found, cross.score_meaning()


def _pair(word: str) -> str:
    """Return a column and its value as they are written, from a text without an equals sign."""
    column, _, value = re.sub(r"\s*[:\s]\s*", "=", word.strip(), count=1).partition("=")
    return f"{column or 'COLUMN'}={value or 'VALUE'}"


def _profile(words: list[str]) -> dict[str, str]:
    for word in words:
        if "=" not in word:
            raise ConfigError(
                "has no '='",
                where=f"--profile '{word}'",
                rule="a column of the users table, '=', and its value",
                remedy=f"--profile {shlex.quote(_pair(word))}",
            )
    pairs = (word.split("=", 1) for word in words)
    return {column.strip(): value for column, value in pairs}


def _table(found: list[Recommendation], *, clipped: bool) -> Table:
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
        score = one.unclipped if clipped and one.unclipped is not None else one.score
        table.add_row(str(place), f"{score:.3f}", one.item_id, *cells)
    return table
